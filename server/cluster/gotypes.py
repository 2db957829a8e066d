"""Go's names of the types that the definitions do not tell: (struct, field) in, the type's name as Go's errors print it out.

The API server's decoding errors name Go types (``... of type v1.PullPolicy``), while OpenAPI only says "string". A row is needed only for
a field whose Go type is not the plain one; ``name[]`` is a list's element.
"""

from __future__ import annotations

NAMED_TYPES: dict[tuple[str, str], str] = {
    (owner, field): go
    for go, fields in {
        "v1.PullPolicy": "Container.imagePullPolicy EphemeralContainer.imagePullPolicy ImageVolumeSource.pullPolicy",
        "v1.TerminationMessagePolicy": "Container.terminationMessagePolicy EphemeralContainer.terminationMessagePolicy",
        "v1.ContainerRestartPolicy": "Container.restartPolicy EphemeralContainer.restartPolicy",
        "v1.ContainerRestartRuleAction": "ContainerRestartRule.action",
        "v1.RestartPolicy": "PodSpec.restartPolicy",
        "v1.DNSPolicy": "PodSpec.dnsPolicy",
        "v1.PreemptionPolicy": "PodSpec.preemptionPolicy PriorityClass.preemptionPolicy",
        "v1.Protocol": "ContainerPort.protocol ServicePort.protocol EndpointPort.protocol NetworkPolicyPort.protocol PortStatus.protocol",
        "v1.URIScheme": "HTTPGetAction.scheme",
        "v1.MountPropagationMode": "VolumeMount.mountPropagation",
        "v1.RecursiveReadOnlyMode": "VolumeMount.recursiveReadOnly",
        "v1.HostPathType": "HostPathVolumeSource.type",
        "v1.StorageMedium": "EmptyDirVolumeSource.medium",
        "v1.ResourceList": "ResourceRequirements.limits ResourceRequirements.requests VolumeResourceRequirements.limits "
                           "VolumeResourceRequirements.requests NodeStatus.capacity NodeStatus.allocatable PodSpec.overhead "
                           "PersistentVolumeSpec.capacity ResourceQuotaSpec.hard ResourceQuotaStatus.hard ResourceQuotaStatus.used "
                           "LimitRangeItem.max LimitRangeItem.min LimitRangeItem.default LimitRangeItem.defaultRequest "
                           "LimitRangeItem.maxLimitRequestRatio ContainerStatus.allocatedResources",
        "v1.TolerationOperator": "Toleration.operator",
        "v1.TaintEffect": "Toleration.effect Taint.effect",
        "v1.NodeSelectorOperator": "NodeSelectorRequirement.operator",
        "v1.LabelSelectorOperator": "LabelSelectorRequirement.operator",
        "v1.UnsatisfiableConstraintAction": "TopologySpreadConstraint.whenUnsatisfiable",
        "v1.NodeInclusionPolicy": "TopologySpreadConstraint.nodeAffinityPolicy TopologySpreadConstraint.nodeTaintsPolicy",
        "v1.Capability": "Capabilities.add[] Capabilities.drop[]",
        "v1.ProcMountType": "SecurityContext.procMount",
        "v1.SeccompProfileType": "SeccompProfile.type",
        "v1.AppArmorProfileType": "AppArmorProfile.type",
        "v1.PodFSGroupChangePolicy": "PodSecurityContext.fsGroupChangePolicy",
        "v1.SupplementalGroupsPolicy": "PodSecurityContext.supplementalGroupsPolicy",
        "v1.PodSELinuxChangePolicy": "PodSecurityContext.seLinuxChangePolicy",
        "v1.OSName": "PodOS.name",
        "v1.PodConditionType": "PodCondition.type PodReadinessGate.conditionType",
        "v1.ConditionStatus": "PodCondition.status NodeCondition.status DeploymentCondition.status ReplicaSetCondition.status "
                              "NamespaceCondition.status JobCondition.status",
        "v1.PodPhase": "PodStatus.phase",
        "v1.PodQOSClass": "PodStatus.qosClass",
        "v1.ResourceName": "ResourceFieldSelector.resourceName ContainerResizePolicy.resourceName",
        "v1.ResourceResizeRestartPolicy": "ContainerResizePolicy.restartPolicy",
        "v1.ServiceType": "ServiceSpec.type",
        "v1.ServiceAffinity": "ServiceSpec.sessionAffinity",
        "v1.ServiceExternalTrafficPolicy": "ServiceSpec.externalTrafficPolicy",
        "v1.ServiceInternalTrafficPolicy": "ServiceSpec.internalTrafficPolicy",
        "v1.IPFamily": "ServiceSpec.ipFamilies[]",
        "v1.IPFamilyPolicy": "ServiceSpec.ipFamilyPolicy",
        "v1.SecretType": "Secret.type",
        "v1.FinalizerName": "NamespaceSpec.finalizers[]",
        "v1.NamespacePhase": "NamespaceStatus.phase",
        "v1.NodeConditionType": "NodeCondition.type",
        "v1.NodeAddressType": "NodeAddress.type",
        "v1.PersistentVolumeAccessMode": "PersistentVolumeClaimSpec.accessModes[] PersistentVolumeSpec.accessModes[]",
        "v1.PersistentVolumeMode": "PersistentVolumeClaimSpec.volumeMode PersistentVolumeSpec.volumeMode",
        "v1.PersistentVolumeReclaimPolicy": "PersistentVolumeSpec.persistentVolumeReclaimPolicy StorageClass.reclaimPolicy",
        "v1.DeploymentStrategyType": "DeploymentStrategy.type",
        "v1.DeploymentConditionType": "DeploymentCondition.type",
        "v1.ReplicaSetConditionType": "ReplicaSetCondition.type",
        "v1.StatefulSetUpdateStrategyType": "StatefulSetUpdateStrategy.type",
        "v1.PodManagementPolicyType": "StatefulSetSpec.podManagementPolicy",
        "v1.DaemonSetUpdateStrategyType": "DaemonSetUpdateStrategy.type",
        "v1.ConcurrencyPolicy": "CronJobSpec.concurrencyPolicy",
        "v1.CompletionMode": "JobSpec.completionMode",
        "v1.AddressType": "EndpointSlice.addressType",
        "types.UID": "ObjectMeta.uid OwnerReference.uid ObjectReference.uid Preconditions.uid",
        "v1.ManagedFieldsOperationType": "ManagedFieldsEntry.operation",
        "v1.PathType": "HTTPIngressPath.pathType",
    }.items()
    for owner, field in (name.split(".") for name in fields.split())
}
