"""An object's fields in the order Go writes a struct's: kubectl prints so what it has decoded into Kubernetes' own types.

In: an object of a workload's kind. Out: the same with its keys in that order. A type that is not listed keeps the order of its names, as
do maps, which Go sorts.

>>> list(in_go_order({"spec": {}, "metadata": {"uid": "1", "name": "x"}, "kind": "DaemonSet", "apiVersion": "apps/v1"}))
['kind', 'apiVersion', 'metadata', 'spec']
"""

from __future__ import annotations

from typing import Any

from server.cluster import schema
from server.cluster.schema import Type

_KEY_SELECTOR = "name key optional"
_SOURCES = (
    "hostPath emptyDir gcePersistentDisk awsElasticBlockStore gitRepo secret nfs iscsi glusterfs persistentVolumeClaim rbd flexVolume cinder cephfs "
    "flocker downwardAPI fc azureFile configMap vsphereVolume quobyte azureDisk photonPersistentDisk projected portworxVolume scaleIO storageos "
    "csi ephemeral image")
_PROBE = "exec httpGet tcpSocket grpc"
_CONTAINER = (
    "name image command args workingDir ports envFrom env resources resizePolicy restartPolicy restartPolicyRules volumeMounts volumeDevices "
    "livenessProbe readinessProbe startupProbe lifecycle terminationMessagePath terminationMessagePolicy imagePullPolicy securityContext stdin "
    "stdinOnce tty")
_TOP = "kind apiVersion metadata spec status"
_ORDERS = {
    "DaemonSet": _TOP, "StatefulSet": _TOP, "Deployment": _TOP, "ReplicaSet": _TOP, "PersistentVolumeClaim": _TOP,
    "ObjectMeta": "name generateName namespace selfLink uid resourceVersion generation creationTimestamp deletionTimestamp "
                  "deletionGracePeriodSeconds labels annotations ownerReferences finalizers managedFields",
    "OwnerReference": "apiVersion kind name uid controller blockOwnerDeletion",
    "LabelSelector": "matchLabels matchExpressions",
    "LabelSelectorRequirement": "key operator values",
    "DaemonSetSpec": "selector template updateStrategy minReadySeconds revisionHistoryLimit",
    "DaemonSetStatus": "currentNumberScheduled numberMisscheduled desiredNumberScheduled numberReady observedGeneration "
                       "updatedNumberScheduled numberAvailable numberUnavailable collisionCount conditions",
    "DaemonSetUpdateStrategy": "type rollingUpdate",
    "RollingUpdateDaemonSet": "maxUnavailable maxSurge",
    "StatefulSetSpec": "replicas selector template volumeClaimTemplates serviceName podManagementPolicy updateStrategy revisionHistoryLimit "
                       "minReadySeconds persistentVolumeClaimRetentionPolicy ordinals",
    "StatefulSetStatus": "observedGeneration replicas readyReplicas currentReplicas updatedReplicas currentRevision updateRevision "
                         "collisionCount conditions availableReplicas",
    "StatefulSetUpdateStrategy": "type rollingUpdate",
    "RollingUpdateStatefulSetStrategy": "partition maxUnavailable",
    "StatefulSetPersistentVolumeClaimRetentionPolicy": "whenDeleted whenScaled",
    "DeploymentSpec": "replicas selector template strategy minReadySeconds revisionHistoryLimit paused progressDeadlineSeconds",
    "DeploymentStatus": "observedGeneration replicas updatedReplicas readyReplicas availableReplicas unavailableReplicas terminatingReplicas "
                        "conditions collisionCount",
    "DeploymentCondition": "type status lastUpdateTime lastTransitionTime reason message",
    "DeploymentStrategy": "type rollingUpdate",
    "RollingUpdateDeployment": "maxUnavailable maxSurge",
    "ReplicaSetSpec": "replicas minReadySeconds selector template",
    "ReplicaSetStatus": "replicas fullyLabeledReplicas readyReplicas availableReplicas terminatingReplicas observedGeneration conditions",
    "PersistentVolumeClaimSpec": "accessModes selector resources volumeName storageClassName volumeMode dataSource dataSourceRef "
                                 "volumeAttributesClassName",
    "PersistentVolumeClaimStatus": "phase accessModes capacity conditions",
    "PodTemplateSpec": "metadata spec",
    "PodSpec": "volumes initContainers containers ephemeralContainers restartPolicy terminationGracePeriodSeconds activeDeadlineSeconds dnsPolicy "
               "nodeSelector serviceAccountName serviceAccount automountServiceAccountToken nodeName hostNetwork hostPID hostIPC "
               "shareProcessNamespace securityContext imagePullSecrets hostname subdomain affinity schedulerName tolerations hostAliases "
               "priorityClassName priority dnsConfig readinessGates runtimeClassName enableServiceLinks preemptionPolicy overhead "
               "topologySpreadConstraints setHostnameAsFQDN os hostUsers schedulingGates resourceClaims resources hostnameOverride",
    "Container": _CONTAINER,
    "ContainerPort": "name hostPort containerPort protocol hostIP",
    "EnvFromSource": "prefix configMapRef secretRef",
    "EnvVar": "name value valueFrom",
    "EnvVarSource": "fieldRef resourceFieldRef configMapKeyRef secretKeyRef fileKeyRef",
    "ObjectFieldSelector": "apiVersion fieldPath",
    "ResourceFieldSelector": "containerName resource divisor",
    "ConfigMapKeySelector": _KEY_SELECTOR, "SecretKeySelector": _KEY_SELECTOR,
    "ResourceRequirements": "limits requests claims", "VolumeResourceRequirements": "limits requests",
    "VolumeMount": "name readOnly recursiveReadOnly mountPath subPath mountPropagation subPathExpr",
    "Probe": f"{_PROBE} initialDelaySeconds timeoutSeconds periodSeconds successThreshold failureThreshold terminationGracePeriodSeconds",
    "LifecycleHandler": "exec httpGet tcpSocket sleep", "Lifecycle": "postStart preStop stopSignal",
    "HTTPGetAction": "path port host scheme httpHeaders", "HTTPHeader": "name value", "TCPSocketAction": "port host",
    "SecurityContext": "capabilities privileged seLinuxOptions windowsOptions runAsUser runAsGroup runAsNonRoot readOnlyRootFilesystem "
                       "allowPrivilegeEscalation procMount seccompProfile appArmorProfile",
    "PodSecurityContext": "seLinuxOptions windowsOptions runAsUser runAsGroup runAsNonRoot supplementalGroups supplementalGroupsPolicy fsGroup "
                          "sysctls fsGroupChangePolicy seccompProfile appArmorProfile seLinuxChangePolicy",
    "Toleration": "key operator value effect tolerationSeconds",
    "TopologySpreadConstraint": "maxSkew topologyKey whenUnsatisfiable labelSelector minDomains nodeAffinityPolicy nodeTaintsPolicy matchLabelKeys",
    "Affinity": "nodeAffinity podAffinity podAntiAffinity",
    **dict.fromkeys(("NodeAffinity", "PodAffinity", "PodAntiAffinity"),
                    "requiredDuringSchedulingIgnoredDuringExecution preferredDuringSchedulingIgnoredDuringExecution"),
    "NodeSelectorTerm": "matchExpressions matchFields", "NodeSelectorRequirement": "key operator values",
    "PodAffinityTerm": "labelSelector namespaces topologyKey namespaceSelector matchLabelKeys mismatchLabelKeys",
    "WeightedPodAffinityTerm": "weight podAffinityTerm", "PreferredSchedulingTerm": "weight preference",
    "Volume": f"name {_SOURCES}",
    "HostPathVolumeSource": "path type", "EmptyDirVolumeSource": "medium sizeLimit", "PersistentVolumeClaimVolumeSource": "claimName readOnly",
    "SecretVolumeSource": "secretName items defaultMode optional", "ConfigMapVolumeSource": "name items defaultMode optional",
    "KeyToPath": "key path mode", "NFSVolumeSource": "server path readOnly", "ProjectedVolumeSource": "sources defaultMode",
    "DownwardAPIVolumeSource": "items defaultMode", "DownwardAPIVolumeFile": "path fieldRef resourceFieldRef mode",
    **dict.fromkeys(("DaemonSetCondition", "StatefulSetCondition", "ReplicaSetCondition"), "type status lastTransitionTime reason message"),
}
_PLACES = {type_: {field: place for place, field in enumerate(fields.split())} for type_, fields in _ORDERS.items()}


def in_go_order(obj: dict[str, Any]) -> dict[str, Any]:
    """A whole object, by its kind."""
    type_ = schema.for_kind(obj["apiVersion"], obj["kind"])
    return obj if type_ is None else _ordered(obj, type_)


def _ordered(value: Any, type_: Type | None) -> Any:
    if isinstance(value, list):
        element = type_.element if type_ is not None and type_.kind == "array" else None
        return [_ordered(one, element) for one in value]
    if not isinstance(value, dict):
        return value
    places = _PLACES.get(type_.short, {}) if type_ is not None else {}
    known = type_ is not None and type_.kind == "object"
    return {name: _ordered(value[name], field.type if known and (field := type_.fields.get(name)) else None)
            for name in sorted(value, key=lambda name: (places.get(name, len(places)), name))}
