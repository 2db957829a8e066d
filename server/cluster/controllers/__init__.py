"""The controller manager: every controller, in the order in which they are started. See README.md."""

from server.cluster.controllers.attach_detach import AttachDetachController
from server.cluster.controllers.cronjob import CronJobController
from server.cluster.controllers.csi_nodes import CsiNodeRegistrar
from server.cluster.controllers.daemonset import DaemonSetController
from server.cluster.controllers.deployment import DeploymentController
from server.cluster.controllers.disruption import DisruptionController
from server.cluster.controllers.endpoints import EndpointsController
from server.cluster.controllers.endpointslice import EndpointSliceController
from server.cluster.controllers.endpointslice_mirroring import EndpointSliceMirroringController
from server.cluster.controllers.ephemeral_volume import EphemeralVolumeController
from server.cluster.controllers.garbage_collector import GarbageCollector
from server.cluster.controllers.horizontalpodautoscaler import HorizontalPodAutoscalerController
from server.cluster.controllers.job import JobController
from server.cluster.controllers.kubernetes_service import KubernetesServiceController
from server.cluster.controllers.namespace import NamespaceController
from server.cluster.controllers.node_lifecycle import NodeLifecycleController
from server.cluster.controllers.persistentvolume_binder import PersistentVolumeBinder
from server.cluster.controllers.pod_gc import PodGarbageCollector
from server.cluster.controllers.pv_protection import PvProtectionController
from server.cluster.controllers.pvc_protection import PvcProtectionController
from server.cluster.controllers.replicaset import ReplicaSetController
from server.cluster.controllers.replicationcontroller import ReplicationControllerController
from server.cluster.controllers.root_ca import RootCaController
from server.cluster.controllers.serviceaccount import ServiceAccountController
from server.cluster.controllers.stale_disruption import StaleDisruptionController
from server.cluster.controllers.statefulset import StatefulSetController
from server.cluster.controllers.taint_eviction import TaintEvictionController
from server.cluster.controllers.ttl_after_finished import TtlAfterFinishedController
from server.cluster.controllers.volume_expand import VolumeExpandController
from server.cluster.controllers.volume_provisioner import VolumeProvisioner

CONTROLLERS = (
    ServiceAccountController,
    RootCaController,
    NamespaceController,
    NodeLifecycleController,
    TaintEvictionController,
    ReplicaSetController,
    ReplicationControllerController,
    DaemonSetController,
    StatefulSetController,
    DeploymentController,
    JobController,
    CronJobController,
    TtlAfterFinishedController,
    HorizontalPodAutoscalerController,
    EndpointsController,
    EndpointSliceController,
    EndpointSliceMirroringController,
    DisruptionController,
    StaleDisruptionController,
    PodGarbageCollector,
    GarbageCollector,
    KubernetesServiceController,
    AttachDetachController,
    CsiNodeRegistrar,
    EphemeralVolumeController,
    PersistentVolumeBinder,
    PvProtectionController,
    PvcProtectionController,
    VolumeExpandController,
    VolumeProvisioner,
)
