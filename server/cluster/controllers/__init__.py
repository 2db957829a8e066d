"""The controller manager: every controller, in the order in which they are started. See README.md."""

from server.cluster.controllers.deployment import DeploymentController
from server.cluster.controllers.endpoints import EndpointsController
from server.cluster.controllers.endpointslice import EndpointSliceController
from server.cluster.controllers.endpointslice_mirroring import EndpointSliceMirroringController
from server.cluster.controllers.garbage_collector import GarbageCollector
from server.cluster.controllers.kubernetes_service import KubernetesServiceController
from server.cluster.controllers.namespace import NamespaceController
from server.cluster.controllers.node_lifecycle import NodeLifecycleController
from server.cluster.controllers.pod_gc import PodGarbageCollector
from server.cluster.controllers.replicaset import ReplicaSetController
from server.cluster.controllers.root_ca import RootCaController
from server.cluster.controllers.serviceaccount import ServiceAccountController
from server.cluster.controllers.taint_eviction import TaintEvictionController

CONTROLLERS = (
    ServiceAccountController,
    RootCaController,
    NamespaceController,
    NodeLifecycleController,
    TaintEvictionController,
    ReplicaSetController,
    DeploymentController,
    EndpointsController,
    EndpointSliceController,
    EndpointSliceMirroringController,
    PodGarbageCollector,
    GarbageCollector,
    KubernetesServiceController,
)
