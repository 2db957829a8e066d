"""Volumes, claims and classes at the API server: what is filled in, refused, admitted and printed."""
# ruff: noqa: E501 -- messages are kept whole, so that they can be searched for

from __future__ import annotations

import json
from pathlib import Path

import pytest

from server.cluster.apiserver import validation
from server.cluster.apiserver.tables import render
from server.cluster.errors import ApiError
from tests.cluster.apiserver.objects import errors, made
from tests.storage_room import Room

PV, PVC, SC = ("{{apiVersion: v1, kind: PersistentVolume, metadata: {{name: t}}, spec: {{{}}}}}",
               "{{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {{name: t}}, spec: {{{}}}}}",
               "{{apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {{name: t}}{}}}")
MODES = '"ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"'
FINE = "capacity: {storage: 1Gi}, accessModes: [ReadWriteOnce]"
ASKS = "accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}"


@pytest.mark.parametrize(("text", "expected"), [
    (PVC.format("accessModes: [ReadWriteOften], resources: {requests: {storage: -1Gi}}"), [
        f'spec.accessModes: Unsupported value: "ReadWriteOften": supported values: {MODES}',
        'spec.resources[storage]: Invalid value: "-1Gi": must be greater than zero']),
    (PVC.format(""), ["spec.accessModes: Required value: at least 1 access mode is required", "spec.resources[storage]: Required value"]),
    (PVC.format("accessModes: [ReadWriteOncePod, ReadWriteMany], resources: {requests: {storage: 1Gi}}"), [
        "spec.accessModes: Forbidden: may not use ReadWriteOncePod with other access modes"]),
    (PVC.format(f"{ASKS}, volumeMode: Raw"), ['spec.volumeMode: Unsupported value: "Raw": supported values: "Block", "Filesystem"']),
    (PVC.format(f"{ASKS}, dataSource: {{kind: VolumeSnapshot, name: x}}"), [
        'spec.dataSource: Invalid value: "VolumeSnapshot": must be \'PersistentVolumeClaim\' when referencing the default apiGroup']),
    (PVC.format(ASKS), []),
    (PV.format(FINE), ["spec: Required value: must specify a volume type"]),
    (PV.format(f"{FINE}, nfs: {{server: a}}"), ["spec.nfs.path: Required value"]),
    (PV.format(f"{FINE}, nfs: {{server: a, path: /b}}, hostPath: {{path: /x}}"), ["spec.nfs: Forbidden: may not specify more than 1 volume type"]),
    (PV.format(f"{FINE}, local: {{path: /x}}"), ["spec.nodeAffinity: Required value: Local volume requires node affinity"]),
    (PV.format(f"{FINE}, hostPath: {{path: /x/../y}}"), ["spec.hostPath.path: Invalid value: \"/x/../y\": must not contain '..'"]),
    (PV.format(f"{FINE}, hostPath: {{path: /}}, persistentVolumeReclaimPolicy: Recycle"), [
        "spec.persistentVolumeReclaimPolicy: Forbidden: may not be 'recycle' for a hostPath mount of '/'"]),
    (PV.format(f"{FINE}, hostPath: {{path: /x}}, persistentVolumeReclaimPolicy: Keep"), [
        'spec.persistentVolumeReclaimPolicy: Unsupported value: "Keep": supported values: "Delete", "Recycle", "Retain"']),
    (PV.format("capacity: {storage: 0}, hostPath: {path: /x}"), [
        "spec.accessModes: Required value", 'spec.capacity[storage]: Invalid value: "0": must be greater than zero']),
    (PV.format(f"{FINE}, csi: {{driver: d}}"), ["spec.csi.volumeHandle: Required value"]),
    (PV.format(f"{FINE}, hostPath: {{path: /x}}, nodeAffinity: {{}}"), ["spec.nodeAffinity.required: Required value: must specify required node constraints"]),
    (SC.format(""), ["provisioner: Required value"]),
    (SC.format(", provisioner: a/b, reclaimPolicy: Recycle, volumeBindingMode: Later"), [
        'reclaimPolicy: Unsupported value: "Recycle": supported values: "Delete", "Retain"',
        'volumeBindingMode: Unsupported value: "Later": supported values: "Immediate", "WaitForFirstConsumer"']),
])
def test_what_is_wrong_is_told_in_kubernetes_words(text, expected):
    assert errors(text) == expected


def test_defaults_are_filled_in():
    volume = made(PV.format(f"{FINE}, hostPath: {{path: /x}}"))[1]["spec"]
    assert (volume["persistentVolumeReclaimPolicy"], volume["volumeMode"], volume["hostPath"]["type"]) == ("Retain", "Filesystem", "")
    assert made(PVC.format(ASKS))[1]["spec"]["volumeMode"] == "Filesystem"
    storage_class = made(SC.format(", provisioner: a/b"))[1]
    assert (storage_class["reclaimPolicy"], storage_class["volumeBindingMode"]) == ("Delete", "Immediate")
    driver = made("{apiVersion: storage.k8s.io/v1, kind: CSIDriver, metadata: {name: t.example}, spec: {}}")[1]["spec"]
    assert driver == {"attachRequired": True, "podInfoOnMount": False, "storageCapacity": False, "requiresRepublish": False, "seLinuxMount": False,
                      "fsGroupPolicy": "ReadWriteOnceWithFSType", "volumeLifecycleModes": ["Persistent"]}


def test_new_objects_are_protected_and_pending():
    room = Room()
    for controller in room.cluster.controllers:
        controller.stop()
    volume, claim = room.volume("pv"), room.claim("data")
    assert volume["metadata"]["finalizers"] == ["kubernetes.io/pv-protection"] and volume["status"]["phase"] == "Pending"
    assert claim["metadata"]["finalizers"] == ["kubernetes.io/pvc-protection"] and claim["status"] == {"phase": "Pending"}


def test_the_newest_default_class_is_given():
    room = Room()
    room.storage_class("old", default=True)
    room.run(2)
    room.storage_class("new", default=True)
    room.storage_class("plain")
    assert room.claim("data", storage_class=None)["spec"]["storageClassName"] == "new"
    assert room.claim("none", storage_class="")["spec"]["storageClassName"] == ""


def refused(act):
    with pytest.raises(ApiError) as fault:
        act()
    return fault.value.message


def test_a_bound_claim_changes_in_nothing_but_its_size():
    room = Room()
    room.volume("nfs-pv", "100Mi", ["ReadWriteMany"])
    room.claim("nfs-pvc", "10Mi", ["ReadWriteMany"])
    room.run(1)
    patch = lambda spec: refused(lambda: room.kubectl.patch("persistentvolumeclaims", "default", "nfs-pvc", {"spec": spec}))  # noqa: E731
    said = 'PersistentVolumeClaim "nfs-pvc" is invalid: spec'
    assert patch({"resources": {"requests": {"storage": "5Mi"}}}) == \
        f"{said}.resources.requests.storage: Forbidden: field can not be less than status.capacity"
    assert patch({"accessModes": ["ReadWriteOnce"]}) == (
        f"{said}: Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims\n"
        '@@ -1,6 +1,6 @@\n {\n  "AccessModes": [\n-  "ReadWriteMany"\n+  "ReadWriteOnce"\n  ],\n  "Selector": null,\n  "Resources": {\n')
    assert "may not" not in patch({"storageClassName": "other"}) and patch({"volumeName": "x"}).startswith(f"{said}: Forbidden: spec is immutable")
    assert patch({"resources": {"requests": {"storage": "200Mi"}}}).endswith("must support resize")
    room.claim("free", "1Gi")
    message = refused(lambda: room.kubectl.patch("persistentvolumeclaims", "default", "free", {"spec": {"resources": {"requests": {"storage": "2Gi"}}}}))
    assert "spec is immutable after creation" in message


def test_a_volumes_source_and_a_class_do_not_change():
    room = Room()
    room.volume("pv", nfs={"server": "a", "path": "/b"})
    message = refused(lambda: room.kubectl.patch("persistentvolumes", "", "pv", {"spec": {"nfs": {"path": "/c"}}}))
    assert message.startswith('PersistentVolume "pv" is invalid: spec.persistentvolumesource: Forbidden: spec.persistentvolumesource is immutable after '
                              "creation\n@@ ") and '-  "Path": "/b",\n+  "Path": "/c",' in message
    room.kubectl.patch("persistentvolumes", "", "pv", {"spec": {"persistentVolumeReclaimPolicy": "Delete", "capacity": {"storage": "9Gi"}}})
    room.storage_class("sc", parameters={"a": "b"})
    for field, value in (("provisioner", "x/y"), ("reclaimPolicy", "Retain"), ("parameters", {"a": "c"})):
        assert refused(lambda field=field, value=value: room.kubectl.patch("storageclasses.storage.k8s.io", "", "sc", {field: value})) == \
            f'StorageClass.storage.k8s.io "sc" is invalid: {field}: Forbidden: updates to {field} are forbidden.'
    room.kubectl.patch("storageclasses.storage.k8s.io", "", "sc", {"allowVolumeExpansion": True})


def cells(room, resource, name):
    table = render(resource, [room.get(resource, name)], room.cluster.clock.now, room.cluster.clock)
    return dict(zip([column["name"] for column in table["columnDefinitions"]], table["rows"][0]["cells"], strict=True))


def test_the_columns_are_those_of_kubectl():
    room = Room()
    room.storage_class("sc", default=True, wait=True)
    room.volume("pv", "1024Mi", ["ReadWriteMany", "ReadWriteOnce"])
    room.claim("data")
    room.run(3)
    assert cells(room, "persistentvolumes", "pv") == {
        "Name": "pv", "Capacity": "1Gi", "Access Modes": "RWO,RWX", "Reclaim Policy": "Retain", "Status": "Bound", "Claim": "default/data",
        "StorageClass": "", "VolumeAttributesClass": "<unset>", "Reason": "", "Age": "3s", "VolumeMode": "Filesystem"}
    assert cells(room, "persistentvolumeclaims", "data") == {
        "Name": "data", "Status": "Bound", "Volume": "pv", "Capacity": "1Gi", "Access Modes": "RWO,RWX", "StorageClass": "",
        "VolumeAttributesClass": "<unset>", "Age": "3s", "VolumeMode": "Filesystem"}
    assert cells(room, "storageclasses.storage.k8s.io", "sc")["Name"] == "sc (default)"
    room.kubectl.delete("persistentvolumes", "", "pv")
    assert cells(room, "persistentvolumes", "pv")["Status"] == "Terminating"


@pytest.mark.parametrize(("resource", "file"), [
    ("persistentvolumes", "api_v1_persistentvolumes"), ("persistentvolumeclaims", "api_v1_persistentvolumeclaims"),
    ("storageclasses.storage.k8s.io", "apis_storage.k8s.io_v1_storageclasses")])
def test_the_column_definitions_are_the_recorded_ones(resource, file):
    recorded = Path(f"/work/shared/golden/api/tables/{file}.json")
    if not recorded.exists():
        pytest.skip("the recordings are not on this machine")
    room = Room()
    assert render(resource, [], 0.0, room.cluster.clock)["columnDefinitions"] == json.loads(recorded.read_text())["columnDefinitions"]


@pytest.mark.parametrize(("text", "expected"), [
    (PV.format(f"{FINE}, hostPath: {{path: /x}}, persistentVolumeReclaimPolicy: Recycle"), [
        "spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning."]),
    (PVC.format(ASKS), []),
    (PVC.format(f"{ASKS}, dataSource: {{kind: PersistentVolumeClaim, name: x}}"), [
        "spec.dataSource: copying from a data source is not simulated; a new volume is empty"]),
    (PVC.format("accessModes: [ReadWriteOnce], volumeMode: Block, resources: {requests: {storage: 1500m}}"), [
        'spec.resources.requests[storage]: fractional byte value "1500m" is invalid, must be an integer',
        "spec.volumeMode: raw block devices are not simulated; containers find nothing at their devicePath"]),
])
def test_what_is_deprecated_or_not_acted_on_is_said(text, expected):
    assert validation.warnings(*made(text)) == expected
