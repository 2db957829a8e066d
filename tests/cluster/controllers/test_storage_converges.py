"""Whatever is made, edited, deleted and restarted, in whatever order: a volume has one claim, both agree, nothing in use vanishes."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.cluster import volumes
from server.cluster.errors import ApiError
from server.cluster.objects import deleting
from tests.storage_room import ATTACHMENTS, DISK, LOCAL, SHARE, Room

MODES = (["ReadWriteOnce"], ["ReadWriteMany"], ["ReadWriteOnce", "ReadWriteMany"], ["ReadWriteOncePod"])
SIZES = ("1Gi", "2Gi", "3Gi")
CLASSES = ("", "manual", "waiting", "local-path", "disk", "share", "missing")
CONTROLLERS = ("persistentvolume-controller", "pvc-protection-controller", "pv-protection-controller", "external-provisioner",
               "attachdetach-controller", "volume_expand", "kubelet")
acts = st.lists(st.tuples(
    st.sampled_from(["volume", "volume", "claim", "claim", "claim", "pod", "pod", "delete volume", "delete claim", "delete pod", "grow",
                     "release", "reserve", "label", "stop controller", "restart scheduler", "reload", "class"]),
    st.integers(0, 11), st.sampled_from([0.0, 0.004, 0.3, 2.0, 15.0])), min_size=3, max_size=22)


def classes(room: Room) -> None:
    room.storage_class("manual", "kubernetes.io/no-provisioner")
    room.storage_class("waiting", "kubernetes.io/no-provisioner", wait=True)
    room.storage_class("local-path", LOCAL, wait=True)
    room.storage_class("disk", DISK, allowVolumeExpansion=True)
    room.storage_class("share", SHARE, parameters={"server": "211.183.3.100", "share": "/shared"}, allowVolumeExpansion=True)


def do(room: Room, what: str, number: int) -> None:
    claim, volume = f"claim-{number % 4}", f"volume-{number % 5}"
    if what == "volume":
        labels = {"disk": "ssd"} if number % 2 else {}
        room.volume(volume, SIZES[number % 3], MODES[number % 3], CLASSES[number % 3], labels=labels,
                    persistentVolumeReclaimPolicy=("Retain", "Delete", "Recycle")[number // 4])
    elif what == "claim":
        fields = {"selector": {"matchLabels": {"disk": "ssd"}}} if number == 5 else {"volumeName": "volume-1"} if number == 8 else {}
        room.claim(claim, SIZES[number % 3], MODES[number % 4], CLASSES[number % 7], **fields)
    elif what == "pod":
        room.pod(f"pod-{number % 3}", volumes={"v": (claim, "/data")})
    elif what == "delete volume":
        room.kubectl.delete("persistentvolumes", "", volume)
    elif what == "delete claim":
        room.kubectl.delete("persistentvolumeclaims", "default", claim)
    elif what == "delete pod":
        room.kubectl.delete("pods", "default", f"pod-{number % 3}", grace_period=0 if number % 2 else None)
    elif what == "grow":
        room.kubectl.patch("persistentvolumeclaims", "default", claim, {"spec": {"resources": {"requests": {"storage": "5Gi"}}}})
    elif what == "release" and room.phase("persistentvolumes", volume) == "Released":
        room.kubectl.patch("persistentvolumes", "", volume, {"spec": {"claimRef": None}})
    elif what == "reserve" and room.phase("persistentvolumes", volume) == "Available":
        room.kubectl.patch("persistentvolumes", "", volume, {"spec": {"claimRef": {"namespace": "default", "name": claim}}})
    elif what == "label":
        room.kubectl.patch("persistentvolumes", "", volume, {"metadata": {"labels": {"disk": "ssd" if number % 2 else "hdd"}}})
    elif what == "stop controller":
        room.controller(CONTROLLERS[number % len(CONTROLLERS)]).stop()
    elif what == "restart scheduler":
        room.cluster.scheduler.stop()
        room.cluster.scheduler.start()
    elif what == "reload":
        room.reload()
    elif what == "class" and number == 3:
        room.storage_class("missing", LOCAL, wait=True)


def check(room: Room) -> None:
    """What must hold at every moment."""
    held: dict[str, str] = {}
    for claim in room.list("persistentvolumeclaims"):
        bound = claim["spec"].get("volumeName")
        if not bound or claim["status"]["phase"] != "Bound":
            continue
        name = claim["metadata"]["name"]
        assert held.setdefault(bound, name) == name, f"{bound} has two claims"
        volume = room.get("persistentvolumes", bound)
        assert volume is not None and volume["spec"]["claimRef"]["uid"] == claim["metadata"]["uid"]
        assert volumes.class_of(volume) == volumes.class_of(claim) or volumes.BOUND_BY_CONTROLLER not in (volume["metadata"].get("annotations") or {})
        assert set(claim["spec"]["accessModes"]) <= set(volume["spec"]["accessModes"])
        assert volumes.mode_of(volume) == volumes.mode_of(claim)
    for pod in room.list("pods"):
        if pod["status"].get("phase") == "Running":
            for _, claim in volumes.claims_of(pod):
                found = room.get("persistentvolumeclaims", claim)
                assert found is not None, "a claim vanished under its pod"
                assert found["status"]["phase"] == "Bound" and room.get("persistentvolumes", found["spec"]["volumeName"]) is not None


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(acts)
def test_any_sequence_of_acts_leaves_claims_and_volumes_that_agree(acts):
    room = Room(workers=2)
    classes(room)
    for what, number, wait in acts:
        try:
            do(room, what, number)
        except ApiError as fault:
            assert fault.code in (403, 404, 409, 422), fault.message
        check(room)
        room.run(wait)
        check(room)
    for controller in room.cluster.controllers:
        controller.start()
    room.run(900)
    check(room)

    for volume in room.list("persistentvolumes"):
        reference, phase = volume["spec"].get("claimRef") or {}, volume["status"]["phase"]
        claim = room.get("persistentvolumeclaims", reference.get("name", ""))
        if reference.get("uid") and claim is not None and claim["metadata"]["uid"] == reference["uid"]:
            assert phase == "Bound" and claim["spec"]["volumeName"] == volume["metadata"]["name"] and claim["status"]["phase"] == "Bound"
        else:
            assert phase in ("Available", "Released", "Failed") and not deleting(volume), volume
    for claim in room.list("persistentvolumeclaims"):
        users = [pod for pod in room.cluster.api.lister("pods").by_claim("default", claim["metadata"]["name"]) if pod["spec"].get("nodeName")]
        assert not deleting(claim) or users
        if claim["status"]["phase"] == "Pending" and not deleting(claim) and not claim["spec"].get("volumeName"):
            storage_class = room.get("storageclasses.storage.k8s.io", volumes.class_of(claim))
            waits = volumes.waits_for_consumer(storage_class)
            assert volumes.best_match(claim, room.list("persistentvolumes"), prebound_only=waits) is None
    for attachment in room.list(ATTACHMENTS):
        assert attachment["status"]["attached"]
    attached = [attachment["spec"]["source"]["persistentVolumeName"] for attachment in room.list(ATTACHMENTS)]
    assert len(attached) == len(set(attached))
    revision = room.cluster.store.revision
    room.reload()
    room.run(0.5)
    assert [entry for entry in room.cluster.store.since(revision) if entry.resource.startswith("persistentvolume")] == []


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.sampled_from(["pod", "delete", "reload", "restart scheduler"]), max_size=8), st.sampled_from(["local-path", "disk", "share"]))
def test_what_was_written_to_a_volume_stays_there_as_long_as_its_claim(acts, storage_class):
    room = Room(workers=2)
    classes(room)
    room.claim("data", storage_class=storage_class)
    starts = 0
    for number, act in enumerate(["pod", *acts, "pod"]):
        if act == "pod":
            for pod in room.list("pods"):
                room.kubectl.delete("pods", "default", pod["metadata"]["name"])
            room.run(15)
            room.pod(f"pod-{number}", "echo start >> /data/starts; sleep 100000", {"v": ("data", "/data")})
            room.run(60)
            starts += 1
            assert room.execute(f"pod-{number}", "cat /data/starts") == "start\n" * starts
        elif act == "delete":
            for pod in room.list("pods"):
                room.kubectl.delete("pods", "default", pod["metadata"]["name"], grace_period=0)
        else:
            do(room, act, 0)
        room.run(1)
    room.kubectl.delete("persistentvolumeclaims", "default", "data")
    for pod in room.list("pods"):
        room.kubectl.delete("pods", "default", pod["metadata"]["name"])
    room.run(60)
    assert room.list("persistentvolumes") == [] and room.cluster.parts.disks.names("") == []
