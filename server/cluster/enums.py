"""The fields that take one of a few values, and those values: what `kubectl explain` and OpenAPI list as ``enum``.

The package that the schema comes from has the fields but not these. Keyed by the values, since many fields share them; a ``-`` stands
for the empty value.

>>> values("PodSpec", "restartPolicy")
('Always', 'Never', 'OnFailure')
"""

from __future__ import annotations

_REAL_TIME = ["SIGRTMIN", "SIGRTMAX", *(f"SIGRTMIN+{n}" for n in range(1, 16)), *(f"SIGRTMAX-{n}" for n in range(1, 15))]
_PLAIN = ("ABRT ALRM BUS CHLD CLD CONT FPE HUP ILL INT IO IOT KILL PIPE POLL PROF PWR QUIT SEGV STKFLT STOP SYS TERM TRAP TSTP TTIN TTOU "
          "URG USR1 USR2 VTALRM WINCH XCPU XFSZ")
SIGNALS = " ".join(sorted([*_REAL_TIME, *(f"SIG{name}" for name in _PLAIN.split())]))

_FIELDS = {
    "Localhost RuntimeDefault Unconfined": "AppArmorProfile.type SeccompProfile.type",
    "None ReadOnly ReadWrite": "AzureDiskVolumeSource.cachingMode",
    "Dedicated Managed Shared": "AzureDiskVolumeSource.kind",
    "Always IfNotPresent Never": "Container.imagePullPolicy EphemeralContainer.imagePullPolicy ImageVolumeSource.pullPolicy",
    "FallbackToLogsOnError File": "Container.terminationMessagePolicy EphemeralContainer.terminationMessagePolicy",
    "SCTP TCP UDP": (
        "ContainerPort.protocol EndpointPort.protocol IngressPortStatus.protocol "
        "NetworkPolicyPort.protocol PortStatus.protocol ServicePort.protocol"),
    SIGNALS: "ContainerStatus.stopSignal Lifecycle.stopSignal",
    "Allow Forbid Replace": "CronJobSpec.concurrencyPolicy",
    "OnDelete RollingUpdate": "DaemonSetUpdateStrategy.type StatefulSetUpdateStrategy.type",
    "Recreate RollingUpdate": "DeploymentStrategy.type",
    "FQDN IPv4 IPv6": "EndpointSlice.addressType",
    "HTTP HTTPS": "HTTPGetAction.scheme",
    "Exact ImplementationSpecific Prefix": "HTTPIngressPath.pathType",
    "- BlockDevice CharDevice Directory DirectoryOrCreate File FileOrCreate Socket": "HostPathVolumeSource.type",
    "Indexed NonIndexed": "JobSpec.completionMode",
    "Failed TerminatingOrFailed": "JobSpec.podReplacementPolicy",
    "InProgress Infeasible Pending": "ModifyVolumeStatus.status",
    "Active Terminating": "NamespaceStatus.phase",
    "DoesNotExist Exists Gt In Lt NotIn": "NodeSelectorRequirement.operator",
    "Pending Running Terminated": "NodeStatus.phase",
    "Block Filesystem": "PersistentVolumeClaimSpec.volumeMode PersistentVolumeSpec.volumeMode",
    "Bound Lost Pending": "PersistentVolumeClaimStatus.phase",
    "Delete Recycle Retain": "PersistentVolumeSpec.persistentVolumeReclaimPolicy StorageClass.reclaimPolicy",
    "Available Bound Failed Pending Released": "PersistentVolumeStatus.phase",
    "AlwaysAllow IfHealthyBudget": "PodDisruptionBudgetSpec.unhealthyPodEvictionPolicy",
    "In NotIn": "PodFailurePolicyOnExitCodesRequirement.operator",
    "Count FailIndex FailJob Ignore": "PodFailurePolicyRule.action",
    "Always OnRootMismatch": "PodSecurityContext.fsGroupChangePolicy",
    "Merge Strict": "PodSecurityContext.supplementalGroupsPolicy",
    "ClusterFirst ClusterFirstWithHostNet Default None": "PodSpec.dnsPolicy",
    "Never PreemptLowerPriority": "PodSpec.preemptionPolicy PriorityClass.preemptionPolicy",
    "Always Never OnFailure": "PodSpec.restartPolicy",
    "Failed Pending Running Succeeded Unknown": "PodStatus.phase",
    "BestEffort Burstable Guaranteed": "PodStatus.qosClass",
    "DoesNotExist Exists In NotIn": "ScopedResourceSelectorRequirement.operator",
    "BestEffort CrossNamespacePodAffinity NotBestEffort NotTerminating PriorityClass Terminating VolumeAttributesClass": (
        "ScopedResourceSelectorRequirement.scopeName "
        ""),
    "Default Unmasked": "SecurityContext.procMount",
    "Cluster Local": "ServiceSpec.externalTrafficPolicy ServiceSpec.internalTrafficPolicy",
    "PreferDualStack RequireDualStack SingleStack": "ServiceSpec.ipFamilyPolicy",
    "ClientIP None": "ServiceSpec.sessionAffinity",
    "ClusterIP ExternalName LoadBalancer NodePort": "ServiceSpec.type",
    "OrderedReady Parallel": "StatefulSetSpec.podManagementPolicy",
    "Immediate WaitForFirstConsumer": "StorageClass.volumeBindingMode",
    "NoExecute NoSchedule PreferNoSchedule": "Taint.effect Toleration.effect",
    "Equal Exists Gt Lt": "Toleration.operator",
    "Honor Ignore": "TopologySpreadConstraint.nodeAffinityPolicy TopologySpreadConstraint.nodeTaintsPolicy",
    "DoNotSchedule ScheduleAnyway": "TopologySpreadConstraint.whenUnsatisfiable",
    "Bidirectional HostToContainer None": "VolumeMount.mountPropagation",
}
_VALUES = {
    field: tuple("" if value == "-" else value for value in values.split())
    for values, fields in _FIELDS.items()
    for field in fields.split()
}


def values(type_: str, field: str) -> tuple[str, ...]:
    """The values that a field of a type (by its short name) takes; () if it is not one of these."""
    return _VALUES.get(f"{type_}.{field}", ())
