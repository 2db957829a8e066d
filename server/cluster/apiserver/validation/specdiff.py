"""How a refused pod update shows what it would have changed: two pod specs in, a unified diff out.

The API server compares pods in its internal form and prints that as JSON: Go's field names, every field, empty ones as null. ``STRUCTS``
tells the fields of that form in order, each as ``GoName=jsonName:type``; the type of a field is ``s`` text, ``i`` number, ``b`` boolean,
``v`` any value, or the name of a struct; ``*`` before it means that it may be null, ``[]`` a list of it.
"""

from __future__ import annotations

import difflib
import json
from functools import cache
from typing import Any

Object = dict[str, Any]

STRUCTS: dict[str, str] = {
    "PodSpec": "Volumes:[]Volume InitContainers:[]Container Containers:[]Container EphemeralContainers:[]EphemeralContainer "
               "RestartPolicy:s TerminationGracePeriodSeconds:*i ActiveDeadlineSeconds:*i DNSPolicy=dnsPolicy:s NodeSelector:*v "
               "ServiceAccountName:s "
               "AutomountServiceAccountToken:*b NodeName:s SecurityContext:*PodSecurityContext ImagePullSecrets:[]LocalObjectReference "
               "Hostname:s Subdomain:s SetHostnameAsFQDN:*b Affinity:*Affinity SchedulerName:s Tolerations:[]Toleration "
               "HostAliases:[]HostAlias PriorityClassName:s Priority:*i PreemptionPolicy:*s DNSConfig=dnsConfig:*PodDNSConfig "
               "ReadinessGates:[]PodReadinessGate RuntimeClassName:*s Overhead:*v EnableServiceLinks:*b "
               "TopologySpreadConstraints:[]TopologySpreadConstraint OS=os:*PodOS SchedulingGates:[]PodSchedulingGate "
               "ResourceClaims:[]PodResourceClaim Resources:*ResourceRequirements HostnameOverride:*s SchedulingGroup:*PodSchedulingGroup",
    "PodSecurityContext": "HostNetwork:b HostPID=hostPID:b HostIPC=hostIPC:b ShareProcessNamespace:*b HostUsers:*b "
                          "SELinuxOptions=seLinuxOptions:*SELinuxOptions WindowsOptions:*WindowsOptions RunAsUser:*i RunAsGroup:*i "
                          "RunAsNonRoot:*b SupplementalGroups:*v SupplementalGroupsPolicy:*s FSGroup=fsGroup:*i "
                          "FSGroupChangePolicy=fsGroupChangePolicy:*s Sysctls:[]Sysctl SeccompProfile:*Profile AppArmorProfile:*Profile "
                          "SELinuxChangePolicy=seLinuxChangePolicy:*s",
    "SELinuxOptions": "User:s Role:s Type:s Level:s",
    "WindowsOptions": "GMSACredentialSpecName=gmsaCredentialSpecName:*s GMSACredentialSpec=gmsaCredentialSpec:*s RunAsUserName:*s "
                      "HostProcess:*b",
    "Sysctl": "Name:s Value:s",
    "Profile": "Type:s LocalhostProfile:*s",
    "LocalObjectReference": "Name:s",
    "Container": "Name:s Image:s Command:*v Args:*v WorkingDir:s Ports:[]ContainerPort EnvFrom:[]EnvFromSource Env:[]EnvVar "
                 "Resources:ResourceRequirements ResizePolicy:[]ContainerResizePolicy RestartPolicy:*s "
                 "RestartPolicyRules:[]ContainerRestartRule VolumeMounts:[]VolumeMount VolumeDevices:[]VolumeDevice "
                 "LivenessProbe:*Probe ReadinessProbe:*Probe StartupProbe:*Probe Lifecycle:*Lifecycle TerminationMessagePath:s "
                 "TerminationMessagePolicy:s ImagePullPolicy:s SecurityContext:*SecurityContext Stdin:b StdinOnce:b TTY=tty:b",
    "EphemeralContainer": "+Container TargetContainerName:s",
    "ContainerPort": "Name:s HostPort:i ContainerPort:i Protocol:s HostIP=hostIP:s",
    "EnvFromSource": "Prefix:s ConfigMapRef:*EnvSource SecretRef:*EnvSource",
    "EnvSource": "Name:s Optional:*b",
    "EnvVar": "Name:s Value:s ValueFrom:*EnvVarSource",
    "EnvVarSource": "FieldRef:*ObjectFieldSelector ResourceFieldRef:*ResourceFieldSelector ConfigMapKeyRef:*KeySelector "
                    "SecretKeyRef:*KeySelector FileKeyRef:*FileKeySelector",
    "ObjectFieldSelector": "APIVersion=apiVersion:s FieldPath:s",
    "ResourceFieldSelector": "ContainerName:s Resource:s Divisor:v",
    "KeySelector": "Name:s Key:s Optional:*b",
    "FileKeySelector": "VolumeName:s Path:s Key:s Optional:*b",
    "ResourceRequirements": "Limits:*v Requests:*v Claims:[]ResourceClaim",
    "ResourceClaim": "Name:s Request:s",
    "ContainerResizePolicy": "ResourceName:s RestartPolicy:s",
    "ContainerRestartRule": "Action:s ExitCodes:*ExitCodes",
    "ExitCodes": "Operator:s Values:*v",
    "VolumeMount": "Name:s ReadOnly:b RecursiveReadOnly:*s MountPath:s SubPath:s MountPropagation:*s SubPathExpr:s",
    "VolumeDevice": "Name:s DevicePath:s",
    "Probe": "Exec:*ExecAction HTTPGet=httpGet:*HTTPGetAction TCPSocket=tcpSocket:*TCPSocketAction GRPC=grpc:*GRPCAction "
             "InitialDelaySeconds:i TimeoutSeconds:i PeriodSeconds:i SuccessThreshold:i FailureThreshold:i "
             "TerminationGracePeriodSeconds:*i",
    "ExecAction": "Command:*v",
    "HTTPGetAction": "Path:s Port:v Host:s Scheme:s HTTPHeaders=httpHeaders:[]HTTPHeader",
    "HTTPHeader": "Name:s Value:s",
    "TCPSocketAction": "Port:v Host:s",
    "GRPCAction": "Port:i Service:*s",
    "SleepAction": "Seconds:i",
    "Lifecycle": "PostStart:*LifecycleHandler PreStop:*LifecycleHandler StopSignal:*s",
    "LifecycleHandler": "Exec:*ExecAction HTTPGet=httpGet:*HTTPGetAction TCPSocket=tcpSocket:*TCPSocketAction Sleep:*SleepAction",
    "SecurityContext": "Capabilities:*Capabilities Privileged:*b SELinuxOptions=seLinuxOptions:*SELinuxOptions "
                       "WindowsOptions:*WindowsOptions RunAsUser:*i RunAsGroup:*i RunAsNonRoot:*b ReadOnlyRootFilesystem:*b "
                       "AllowPrivilegeEscalation:*b ProcMount:*s SeccompProfile:*Profile AppArmorProfile:*Profile",
    "Capabilities": "Add:*v Drop:*v",
    "Volume": "Name:s HostPath:*HostPath EmptyDir:*EmptyDir GCEPersistentDisk=gcePersistentDisk:*v "
              "AWSElasticBlockStore=awsElasticBlockStore:*v GitRepo:*v Secret:*SecretVolume NFS=nfs:*NFS ISCSI=iscsi:*v Glusterfs:*v "
              "PersistentVolumeClaim:*ClaimVolume RBD=rbd:*v Quobyte:*v FlexVolume:*v Cinder:*v CephFS=cephfs:*v Flocker:*v "
              "DownwardAPI=downwardAPI:*DownwardVolume FC=fc:*v AzureFile:*v ConfigMap:*ConfigMapVolume VsphereVolume:*v AzureDisk:*v "
              "PhotonPersistentDisk:*v Projected:*Projected PortworxVolume:*v ScaleIO=scaleIO:*v StorageOS=storageos:*v CSI=csi:*CSI "
              "Ephemeral:*v Image:*Image",
    "HostPath": "Path:s Type:*s",
    "EmptyDir": "Medium:s SizeLimit:*v",
    "SecretVolume": "SecretName:s Items:[]KeyToPath DefaultMode:*i Optional:*b",
    "ConfigMapVolume": "Name:s Items:[]KeyToPath DefaultMode:*i Optional:*b",
    "KeyToPath": "Key:s Path:s Mode:*i",
    "NFS": "Server:s Path:s ReadOnly:b",
    "ClaimVolume": "ClaimName:s ReadOnly:b",
    "DownwardVolume": "Items:[]DownwardFile DefaultMode:*i",
    "DownwardFile": "Path:s FieldRef:*ObjectFieldSelector ResourceFieldRef:*ResourceFieldSelector Mode:*i",
    "Projected": "Sources:[]Projection DefaultMode:*i",
    "Projection": "Secret:*SourceProjection DownwardAPI=downwardAPI:*DownwardProjection ConfigMap:*SourceProjection "
                  "ServiceAccountToken:*TokenProjection ClusterTrustBundle:*v PodCertificate:*v",
    "SourceProjection": "Name:s Items:[]KeyToPath Optional:*b",
    "DownwardProjection": "Items:[]DownwardFile",
    "TokenProjection": "Audience:s ExpirationSeconds:i Path:s",
    "CSI": "Driver:s ReadOnly:*b FSType=fsType:*s VolumeAttributes:*v NodePublishSecretRef:*LocalObjectReference",
    "Image": "Reference:s PullPolicy:s",
    "Affinity": "NodeAffinity:*NodeAffinity PodAffinity:*PodAffinity PodAntiAffinity:*PodAffinity",
    "NodeAffinity": "RequiredDuringSchedulingIgnoredDuringExecution:*NodeSelector "
                    "PreferredDuringSchedulingIgnoredDuringExecution:[]PreferredTerm",
    "NodeSelector": "NodeSelectorTerms:[]NodeTerm",
    "NodeTerm": "MatchExpressions:[]NodeRequirement MatchFields:[]NodeRequirement",
    "NodeRequirement": "Key:s Operator:s Values:*v",
    "PreferredTerm": "Weight:i Preference:NodeTerm",
    "PodAffinity": "RequiredDuringSchedulingIgnoredDuringExecution:[]PodTerm "
                   "PreferredDuringSchedulingIgnoredDuringExecution:[]WeightedTerm",
    "PodTerm": "LabelSelector:*v Namespaces:*v TopologyKey:s NamespaceSelector:*v MatchLabelKeys:*v MismatchLabelKeys:*v",
    "WeightedTerm": "Weight:i PodAffinityTerm:PodTerm",
    "Toleration": "Key:s Operator:s Value:s Effect:s TolerationSeconds:*i",
    "HostAlias": "IP=ip:s Hostnames:*v",
    "PodDNSConfig": "Nameservers:*v Searches:*v Options:[]DNSOption",
    "DNSOption": "Name:s Value:*s",
    "PodReadinessGate": "ConditionType:s",
    "TopologySpreadConstraint": "MaxSkew:i TopologyKey:s WhenUnsatisfiable:s LabelSelector:*v MinDomains:*i NodeAffinityPolicy:*s "
                                "NodeTaintsPolicy:*s MatchLabelKeys:*v",
    "PodOS": "Name:s",
    "PodSchedulingGate": "Name:s",
    "PodResourceClaim": "Name:s ResourceClaimName:*s ResourceClaimTemplateName:*s",
    "PodSchedulingGroup": "PodGroupName:*s",
    "PersistentVolumeClaimSpec": "AccessModes:*v Selector:*v Resources:VolumeResourceRequirements VolumeName:s StorageClassName:*s "
                                 "VolumeMode:*s DataSource:*v DataSourceRef:*v VolumeAttributesClassName:*s",
    "VolumeResourceRequirements": "Limits:*v Requests:*v",
    "PersistentVolumeSource": "GCEPersistentDisk=gcePersistentDisk:*v AWSElasticBlockStore=awsElasticBlockStore:*v HostPath:*HostPath "
                              "Glusterfs:*v NFS=nfs:*NFS RBD=rbd:*v Quobyte:*v ISCSI=iscsi:*v FlexVolume:*v Cinder:*v CephFS=cephfs:*v "
                              "FC=fc:*v Flocker:*v AzureFile:*v VsphereVolume:*v AzureDisk:*v PhotonPersistentDisk:*v PortworxVolume:*v "
                              "ScaleIO=scaleIO:*v Local:*LocalVolume StorageOS=storageos:*v CSI=csi:*PersistentCSI",
    "LocalVolume": "Path:s FSType=fsType:*s",
    "PersistentCSI": "Driver:s VolumeHandle:s ReadOnly:b FSType=fsType:s VolumeAttributes:*v ControllerPublishSecretRef:*v "
                     "NodeStageSecretRef:*v NodePublishSecretRef:*v ControllerExpandSecretRef:*v NodeExpandSecretRef:*v",
}
_ZERO = {"s": "", "i": 0, "b": False, "v": None}
_IN_SECURITY_CONTEXT = ("hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace", "hostUsers")


@cache
def _fields(struct: str) -> tuple[tuple[str, str, str], ...]:
    """(Go name, JSON name, type) of a struct's fields."""
    fields: list[tuple[str, str, str]] = []
    for word in STRUCTS[struct].split():
        if word.startswith("+"):
            fields.extend(_fields(word[1:]))
            continue
        name, _, kind = word.partition(":")
        go, _, plain = name.partition("=")
        fields.append((go, plain or go[0].lower() + go[1:], kind))
    return tuple(fields)


def internal(value: Any, kind: str) -> Any:
    """A value in the internal form."""
    if kind.startswith("[]"):
        return [internal(item, kind[2:]) for item in value] if value else None
    if kind.startswith("*"):
        return None if value is None else internal(value, kind[1:])
    if kind in _ZERO:
        return _ZERO[kind] if value is None else value
    value = value or {}
    return {go: internal(value.get(plain), inner) for go, plain, inner in _fields(kind)}


def pod_spec_diff(old: Object, new: Object) -> str:
    """The unified diff of two pod specs in the internal form."""
    return struct_diff(*(_moved(spec) for spec in (old, new)), "PodSpec")


def struct_diff(old: Object, new: Object, struct: str) -> str:
    """The unified diff of two values of a struct in the internal form."""
    before, after = (_lines(value, struct) for value in (old, new))
    lines = list(difflib.unified_diff(before, after, n=3, lineterm=""))[2:]
    return "".join(f"{line}\n" for line in lines)


def _moved(spec: Object) -> Object:
    """A pod spec with what the internal form keeps in the security context."""
    moved = {field: spec[field] for field in _IN_SECURITY_CONTEXT if field in spec}
    if "securityContext" in spec or moved:
        spec = {**spec, "securityContext": {**(spec.get("securityContext") or {}), **moved}}
    return spec


def _lines(value: Object, struct: str) -> list[str]:
    text = json.dumps(internal(value, struct), indent=1, ensure_ascii=False)
    for char, escape in (("<", "\\u003c"), (">", "\\u003e"), ("&", "\\u0026")):
        text = text.replace(char, escape)
    return text.split("\n")
