"""PersistentVolumes, their claims, StorageClasses and CSINodes."""

from __future__ import annotations

from server.cluster import quantity
from server.cluster.volumes import access_modes, class_of, is_default
from server.kubectl.describe.events import describe_events_of
from server.kubectl.describe.layout import NONE, UNSET, Page
from server.kubectl.describe.scope import Object, Scope
from server.kubectl.describe.values import date, go_list, since
from server.kubectl.describe.volumes import describe_source

CONDITION_COLUMNS = ("Type", "Status", "LastProbeTime", "LastTransitionTime", "Reason", "Message")
CONDITION_RULES = ("----", "------", "-----------------", "------------------", "------", "-------")


def _status(obj: Object, scope: Scope, page: Page) -> None:
    gone = obj["metadata"].get("deletionTimestamp")
    page.field("Status", f"Terminating (lasts {since(scope.now, gone)})" if gone else (obj.get("status") or {}).get("phase", ""))


def describe_persistent_volume(volume: Object, scope: Scope, page: Page) -> None:
    meta, spec = volume["metadata"], volume["spec"]
    claim = spec.get("claimRef")
    page.field("Name", meta["name"])
    page.labels("Labels", meta.get("labels"))
    page.annotations(meta.get("annotations"))
    page.fields((("Finalizers", go_list(meta.get("finalizers"))), ("StorageClass", class_of(volume))))
    _status(volume, scope, page)
    page.fields((("Claim", f"{claim.get('namespace', '')}/{claim.get('name', '')}" if claim else ""),
                 ("Reclaim Policy", spec.get("persistentVolumeReclaimPolicy", "")), ("Access Modes", access_modes(spec.get("accessModes")))))
    if spec.get("volumeMode"):
        page.field("VolumeMode", spec["volumeMode"])
    page.field("Capacity", quantity.canonical((spec.get("capacity") or {}).get("storage", "0")))
    _node_affinity(spec.get("nodeAffinity") or {}, page)
    page.field("Message", (volume.get("status") or {}).get("message", ""))
    page.row(0, "Source:")
    describe_source(page, spec)
    describe_events_of(volume, scope, page)


def _node_affinity(affinity: Object, page: Page) -> None:
    required = affinity.get("required")
    if required is None:
        page.field("Node Affinity", NONE)
        return
    page.field("Node Affinity", "")
    terms = required.get("nodeSelectorTerms") or []
    page.field("Required Terms", "" if terms else NONE, 1)
    for index, term in enumerate(terms):
        _term(page, 2, index, [(each["key"], each["operator"].lower(), each.get("values") or []) for each in term.get("matchExpressions") or ()])


def _term(page: Page, level: int, index: int, requirements: list[tuple[str, str, list[str]]]) -> None:
    title = f"Term {index}:"
    for key, operator, values in requirements:
        page.row(level, title, f"{key} {operator}" + (f" [{', '.join(values)}]" if values else ""))
        title = ""
    if not requirements:
        page.row(level, title, NONE)


def describe_persistent_volume_claim(claim: Object, scope: Scope, page: Page) -> None:
    meta, spec, status = claim["metadata"], claim["spec"], claim.get("status") or {}
    bound = spec.get("volumeName", "")
    page.fields((("Name", meta["name"]), ("Namespace", meta["namespace"]), ("StorageClass", class_of(claim))))
    _status(claim, scope, page)
    page.field("Volume", bound)
    page.labels("Labels", meta.get("labels"))
    page.annotations(meta.get("annotations"))
    page.fields((("Finalizers", go_list(meta.get("finalizers"))),
                 ("Capacity", quantity.canonical((status.get("capacity") or {}).get("storage", "0")) if bound else ""),
                 ("Access Modes", access_modes(status.get("accessModes")) if bound else "")))
    if spec.get("volumeMode"):
        page.field("VolumeMode", spec["volumeMode"])
    if spec.get("dataSource"):
        page.row(0, "DataSource:")
        page.fields(((label, spec["dataSource"].get(field, "")) for label, field in (("APIGroup", "apiGroup"), ("Kind", "kind"), ("Name", "name"))
                     if field != "apiGroup" or spec["dataSource"].get(field) is not None), 1)
    page.many("Used By", _users(claim, scope))
    if status.get("conditions"):
        page.row(0, "Conditions:")
        page.table(CONDITION_COLUMNS, CONDITION_RULES, (
            (f"{each['type']} ", f"{each['status']} ", f"{date(each.get('lastProbeTime'))} ", f"{date(each.get('lastTransitionTime'))} ",
             f"{each.get('reason', '')} ", each.get("message", "")) for each in status["conditions"]))
    describe_events_of(claim, scope, page)


def _users(claim: Object, scope: Scope) -> list[str]:
    """The pods that name the claim, or own it through an ephemeral volume."""
    meta, found = claim["metadata"], []
    for pod in scope.api.items("pods", meta["namespace"]):
        for volume in pod["spec"].get("volumes") or ():
            name = (volume.get("persistentVolumeClaim") or {}).get("claimName")
            if name == meta["name"] or "ephemeral" in volume and f"{pod['metadata']['name']}-{volume['name']}" == meta["name"]:
                found.append(pod["metadata"]["name"])
                break
    return found


def _pairs(values: dict[str, str] | None) -> str:
    return ",".join(f"{key}={values[key]}" for key in sorted(values)) if values else NONE


def describe_storage_class(storage_class: Object, scope: Scope, page: Page) -> None:
    meta, expands = storage_class["metadata"], storage_class.get("allowVolumeExpansion")
    page.fields((("Name", meta["name"]), ("IsDefaultClass", "Yes" if is_default(storage_class) else "No"),
                 ("Annotations", _pairs(meta.get("annotations"))), ("Provisioner", storage_class.get("provisioner", "")),
                 ("Parameters", _pairs(storage_class.get("parameters"))),
                 ("AllowVolumeExpansion", UNSET if expands is None else "True" if expands else "False")))
    options = storage_class.get("mountOptions")
    if options:
        page.row(0, "MountOptions:")
        for option in options:
            page.row(1, option)
    else:
        page.field("MountOptions", NONE)
    page.fields((label, storage_class[field]) for label, field in (("ReclaimPolicy", "reclaimPolicy"), ("VolumeBindingMode", "volumeBindingMode"))
                if storage_class.get(field))
    if storage_class.get("allowedTopologies") is not None:
        terms = storage_class["allowedTopologies"]
        page.field("AllowedTopologies", "" if terms else NONE)
        for index, term in enumerate(terms):
            _term(page, 1, index, [(each["key"], "in", each.get("values") or []) for each in term.get("matchLabelExpressions") or ()])
    describe_events_of(storage_class, scope, page)


def describe_csi_node(csi_node: Object, scope: Scope, page: Page) -> None:
    meta = csi_node["metadata"]
    page.field("Name", meta["name"])
    page.labels("Labels", meta.get("labels"))
    page.annotations(meta.get("annotations"))
    page.field("CreationTimestamp", date(meta.get("creationTimestamp")))
    page.row(0, "Spec:")
    drivers = (csi_node.get("spec") or {}).get("drivers")
    if drivers:
        page.row(1, "Drivers:")
    for driver in drivers or ():
        page.row(2, f"{driver['name']}:")
        page.field("Node ID", driver["nodeID"], 3)
        if (driver.get("allocatable") or {}).get("count") is not None:
            page.row(3, "Allocatables:")
            page.field("Count", driver["allocatable"]["count"], 4)
        if driver.get("topologyKeys"):
            page.field("Topology Keys", go_list(driver["topologyKeys"]), 3)
    describe_events_of(csi_node, scope, page)
