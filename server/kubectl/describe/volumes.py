"""How a pod's volumes are described: what each one is in words, then the fields that matter for its type, as a table of types.

A field's format tells how Go prints it when it is absent: text "", number 0, flag false, list [].
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from server.cluster import quantity
from server.kubectl.describe.layout import LONGEST_ANNOTATION, NONE, UNSET, Page, shortened
from server.kubectl.describe.scope import Object
from server.kubectl.describe.values import go_bool, go_list


def _text(value: Any) -> str:
    return str(value or "")


def _number(value: Any) -> str:
    return str(value or 0)


def _or_none(value: Any) -> str:
    return NONE if value is None else str(value)


def _joined(value: Any) -> str:
    return ", ".join(value or ())


def _reference(value: Any) -> str:
    return f"&LocalObjectReference{{Name:{value.get('name', '')},}}" if value else "nil"


def _size(value: Any) -> str:
    return quantity.canonical(value) if value and quantity.parse(value).nano > 0 else UNSET


def _map(value: Any) -> str:
    return f"map[{' '.join(f'{key}:{value[key]}' for key in sorted(value or ()))}]"


Field = tuple[str, str, Callable[[Any], str]]
READ_ONLY: Field = ("ReadOnly", "readOnly", go_bool)
FS_TYPE: Field = ("FSType", "fsType", _text)
SECRET_REF: Field = ("SecretRef", "secretRef", _reference)
PARTITION: Field = ("Partition", "partition", _number)

TYPES: dict[str, tuple[str, tuple[Field, ...]]] = {
    "hostPath": ("HostPath (bare host directory volume)", (("Path", "path", _text), ("HostPathType", "type", _or_none))),
    "emptyDir": ("EmptyDir (a temporary directory that shares a pod's lifetime)",
                 (("Medium", "medium", _text), ("SizeLimit", "sizeLimit", _size))),
    "gcePersistentDisk": ("GCEPersistentDisk (a Persistent Disk resource in Google Compute Engine)",
                          (("PDName", "pdName", _text), FS_TYPE, PARTITION, READ_ONLY)),
    "awsElasticBlockStore": ("AWSElasticBlockStore (a Persistent Disk resource in AWS)",
                             (("VolumeID", "volumeID", _text), FS_TYPE, PARTITION, READ_ONLY)),
    "gitRepo": ("GitRepo (a volume that is pulled from git when the pod is created)",
                (("Repository", "repository", _text), ("Revision", "revision", _text))),
    "secret": ("Secret (a volume populated by a Secret)", (("SecretName", "secretName", _text), ("Optional", "optional", go_bool))),
    "configMap": ("ConfigMap (a volume populated by a ConfigMap)", (("Name", "name", _text), ("Optional", "optional", go_bool))),
    "nfs": ("NFS (an NFS mount that lasts the lifetime of a pod)", (("Server", "server", _text), ("Path", "path", _text), READ_ONLY)),
    "iscsi": ("ISCSI (an ISCSI Disk resource that is attached to a kubelet's host machine and then exposed to the pod)",
              (("TargetPortal", "targetPortal", _text), ("IQN", "iqn", _text), ("Lun", "lun", _number),
               ("ISCSIInterface", "iscsiInterface", _text), FS_TYPE, READ_ONLY, ("Portals", "portals", go_list),
               ("DiscoveryCHAPAuth", "chapAuthDiscovery", go_bool), ("SessionCHAPAuth", "chapAuthSession", go_bool), SECRET_REF,
               ("InitiatorName", "initiatorName", _or_none))),
    "glusterfs": ("Glusterfs (a Glusterfs mount on the host that shares a pod's lifetime)",
                  (("EndpointsName", "endpoints", _text), ("Path", "path", _text), READ_ONLY)),
    "persistentVolumeClaim": ("PersistentVolumeClaim (a reference to a PersistentVolumeClaim in the same namespace)",
                              (("ClaimName", "claimName", _text), READ_ONLY)),
    "rbd": ("RBD (a Rados Block Device mount on the host that shares a pod's lifetime)",
            (("CephMonitors", "monitors", go_list), ("RBDImage", "image", _text), FS_TYPE, ("RBDPool", "pool", _text),
             ("RadosUser", "user", _text), ("Keyring", "keyring", _text), SECRET_REF, READ_ONLY)),
    "quobyte": ("Quobyte (a Quobyte mount on the host that shares a pod's lifetime)",
                (("Registry", "registry", _text), ("Volume", "volume", _text), READ_ONLY)),
    "azureDisk": ("AzureDisk (an Azure Data Disk mount on the host and bind mount to the pod)",
                  (("DiskName", "diskName", _text), ("DiskURI", "diskURI", _text), ("Kind", "kind", _text), FS_TYPE,
                   ("CachingMode", "cachingMode", _text), READ_ONLY)),
    "vsphereVolume": ("vSphereVolume (a Persistent Disk resource in vSphere)",
                      (("VolumePath", "volumePath", _text), FS_TYPE, ("StoragePolicyName", "storagePolicyName", _text))),
    "cinder": ("Cinder (a Persistent Disk resource in OpenStack)", (("VolumeID", "volumeID", _text), FS_TYPE, READ_ONLY, SECRET_REF)),
    "photonPersistentDisk": ("PhotonPersistentDisk (a Persistent Disk resource in photon platform)",
                             (("PdID", "pdID", _text), FS_TYPE)),
    "portworxVolume": ("PortworxVolume (a Portworx Volume resource)", (("VolumeID", "volumeID", _text),)),
    "scaleIO": ("ScaleIO (a persistent volume backed by a block device in ScaleIO)",
                (("Gateway", "gateway", _text), ("System", "system", _text), ("Protection Domain", "protectionDomain", _text),
                 ("Storage Pool", "storagePool", _text), ("Storage Mode", "storageMode", _text), ("VolumeName", "volumeName", _text),
                 FS_TYPE, READ_ONLY)),
    "cephfs": ("CephFS (a CephFS mount on the host that shares a pod's lifetime)",
               (("Monitors", "monitors", go_list), ("Path", "path", _text), ("User", "user", _text),
                ("SecretFile", "secretFile", _text), SECRET_REF, READ_ONLY)),
    "storageos": ("StorageOS (a StorageOS Persistent Disk resource)",
                  (("VolumeName", "volumeName", _text), ("VolumeNamespace", "volumeNamespace", _text), FS_TYPE, READ_ONLY)),
    "fc": ("FC (a Fibre Channel disk)", (("TargetWWNs", "targetWWNs", _joined), ("LUN", "lun", _or_none), FS_TYPE, READ_ONLY)),
    "azureFile": ("AzureFile (an Azure File Service mount on the host and bind mount to the pod)",
                  (("SecretName", "secretName", _text), ("ShareName", "shareName", _text), READ_ONLY)),
    "flexVolume": ("FlexVolume (a generic volume resource that is provisioned/attached using an exec based plugin)",
                   (("Driver", "driver", _text), FS_TYPE, SECRET_REF, READ_ONLY, ("Options", "options", _map))),
    "flocker": ("Flocker (a Flocker volume mounted by the Flocker agent)",
                (("DatasetName", "datasetName", _text), ("DatasetUUID", "datasetUUID", _text))),
    "csi": ("CSI (a Container Storage Interface (CSI) volume source)", (("Driver", "driver", _text), FS_TYPE, READ_ONLY)),
    "image": ("Image (a container image or OCI artifact)", (("Reference", "reference", _text), ("PullPolicy", "pullPolicy", _text))),
}


WITHOUT_COLON = ("ISCSIInterface",)


def describe_volumes(page: Page, volumes: list[Object] | None, space: str = "") -> None:
    if not volumes:
        page.field(f"{space}Volumes", NONE)
        return
    page.row(0, f"{space}Volumes:")
    for volume in volumes:
        page.row(1, f"{' ' if space else ''}{volume['name']}:")
        kind = next((field for field in volume if field != "name" and volume[field] is not None), "")
        if kind in SPECIAL:
            SPECIAL[kind](page, volume[kind])
        elif kind in TYPES:
            _typed(page, kind, volume[kind])
        else:
            page.row(1, "<unknown>")


def describe_source(page: Page, spec: Object) -> None:
    """The source of a PersistentVolume."""
    kind = next((field for field in (*TYPES, "local") if spec.get(field) is not None), "")
    if kind == "local":
        page.field("Type", "LocalVolume (a persistent volume backed by local storage on a node)", 2)
        page.field("Path", spec["local"].get("path", ""), 2)
    elif kind == "csi":
        page.field("Type", TYPES["csi"][0], 2)
        source = spec["csi"]
        page.fields((("Driver", source.get("driver", "")), ("FSType", source.get("fsType", "")),
                     ("VolumeHandle", source.get("volumeHandle", "")), ("ReadOnly", go_bool(source.get("readOnly")))), 2)
        _csi_attributes(page, source.get("volumeAttributes") or {})
    elif kind:
        _typed(page, kind, spec[kind])
    else:
        page.row(1, "<unknown>")


def _typed(page: Page, kind: str, source: Object) -> None:
    words, fields = TYPES[kind]
    page.field("Type", words, 2)
    for label, field, shown in fields:
        page.row(2, label if label in WITHOUT_COLON else f"{label}:", shown(source.get(field)))


def _projected(page: Page, source: Object) -> None:
    page.field("Type", "Projected (a volume that contains injected data from multiple sources)", 2)
    for part in source.get("sources") or ():
        for label, field in (("SecretName", "secret"), ("DownwardAPI", "downwardAPI"), ("ConfigMapName", "configMap"),
                             ("TokenExpirationSeconds", "serviceAccountToken")):
            if part.get(field) is None:
                continue
            if field == "downwardAPI":
                page.field(label, "true", 2)
            elif field == "serviceAccountToken":
                page.field(label, part[field].get("expirationSeconds", 3600), 2)
            else:
                page.field(label, part[field].get("name", ""), 2)
                page.field("Optional", go_bool(part[field].get("optional")), 2)
            break


def _downward(page: Page, source: Object) -> None:
    page.field("Type", "DownwardAPI (a volume populated by information about the pod)", 2)
    page.row(2, "Items:")
    for item in source.get("items") or ():
        if item.get("fieldRef"):
            page.row(3, f"{item['fieldRef']['fieldPath']} -> {item['path']}")
        if item.get("resourceFieldRef"):
            page.row(3, f"{item['resourceFieldRef']['resource']} -> {item['path']}")


def _csi(page: Page, source: Object) -> None:
    _typed(page, "csi", source)
    _csi_attributes(page, source.get("volumeAttributes") or {})


def _csi_attributes(page: Page, attributes: dict[str, str]) -> None:
    lines = [shortened(f"{key}={attributes[key]}", LONGEST_ANNOTATION) for key in sorted(attributes)] or [NONE]
    page.field("VolumeAttributes", f"{'    ' if attributes else ''}{lines[0]}", 2)
    for line in lines[1:]:
        page.row(2, f"    \t    {line}")


def _ephemeral(page: Page, source: Object) -> None:
    page.field("Type", "EphemeralVolume (an inline specification for a volume that gets created and deleted with the pod)", 2)
    template = source.get("volumeClaimTemplate")
    if not template:
        return
    meta, spec = template.get("metadata") or {}, template.get("spec") or {}
    page.field("StorageClass", spec.get("storageClassName", ""), 2)
    page.field("Volume", spec.get("volumeName", ""), 2)
    for label, values, form, margin in (
        ("Labels", meta.get("labels"), "{}={}", "    "), ("Annotations", meta.get("annotations"), "{}: {}", "")
    ):
        lines = [form.format(key, values[key]) for key in sorted(values or ())] or [NONE]
        page.field(label, f"    {lines[0]}", 2)
        for line in lines[1:]:
            page.row(2, margin, f"    {line}")
    page.fields((("Capacity", ""), ("Access Modes", "")), 2)
    if spec.get("volumeMode"):
        page.field("VolumeMode", spec["volumeMode"], 2)
    if spec.get("dataSource"):
        page.row(2, "DataSource:")
        names = (("APIGroup", "apiGroup"), ("Kind", "kind"), ("Name", "name"))
        page.fields(((label, spec["dataSource"][field]) for label, field in names if spec["dataSource"].get(field) is not None), 3)


SPECIAL: dict[str, Callable[[Page, Object], None]] = {
    "projected": _projected, "downwardAPI": _downward, "csi": _csi, "ephemeral": _ephemeral,
}
