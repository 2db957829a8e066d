"""The storage of a StatefulSet's pods: a PersistentVolumeClaim for each claim template and ordinal, which outlives its pod.

In: a set and one of its pods. Out: missing claims made, and on each claim the owner references that the set's
``persistentVolumeClaimRetentionPolicy`` asks for. A claim owned by the set goes with the set (whenDeleted), one owned by a pod that is
too many goes with that pod (whenScaled), one without an owner stays.

Source: https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#persistentvolumeclaim-retention
"""

from __future__ import annotations

from collections.abc import Iterator

from server.cluster.apiserver.cache import Lister
from server.cluster.apiserver.client import Client
from server.cluster.controllers import statefulset_identity as identity
from server.cluster.controllers.pod_control import Record
from server.cluster.errors import ApiError
from server.cluster.objects import Object, deleting, key, name, namespace, owner_reference, owners, replaced, uid

RETAIN, DELETE = "Retain", "Delete"


def policy(stateful_set: Object) -> tuple[str, str]:
    """(whenDeleted, whenScaled)."""
    given = stateful_set["spec"].get("persistentVolumeClaimRetentionPolicy") or {}
    return given.get("whenDeleted", RETAIN), given.get("whenScaled", RETAIN)


class Claims:
    """Reads claims with ``lister``, writes them with ``client`` and says on the set what was done with ``record``."""

    def __init__(self, client: Client, lister: Lister, record: Record) -> None:
        self._client = client
        self._lister = lister
        self._record = record

    def create_missing(self, stateful_set: Object, ordinal: int) -> None:
        """All claims of the ordinal's pod are there, or an error says why not."""
        pod, faults = identity.pod_name(stateful_set, ordinal), []
        for claim in identity.claims(stateful_set, ordinal):
            there = self._lister.get(*key(claim))
            if there is None:
                faults += self._create(stateful_set, pod, claim)
            elif deleting(there):
                faults.append(f"pvc {name(claim)} is being deleted")
        if faults:
            raise ApiError(500, "InternalError", faults[0] if len(faults) == 1 else f"[{', '.join(faults)}]")

    def _create(self, stateful_set: Object, pod: str, claim: Object) -> list[str]:
        about = f"Pod {pod} in StatefulSet {name(stateful_set)}"
        try:
            self._client.create("persistentvolumeclaims", claim)
        except ApiError as error:
            self._record(stateful_set, "Warning", "FailedCreate",
                         f"Create Claim {name(claim)} for {about} failed error: {error.message}")
            return [f"failed to create PVC {name(claim)}: {error.message}"]
        self._record(stateful_set, "Normal", "SuccessfulCreate", f"Create Claim {name(claim)} {about} success")
        return []

    def stale(self, stateful_set: Object, ordinal: int) -> bool:
        """A claim still belongs to a pod of that name that is gone, and is about to go too: a new pod has to wait for that."""
        if policy(stateful_set)[1] == RETAIN:
            return False
        pod = identity.pod_name(stateful_set, ordinal)
        return any(reference["kind"] == "Pod" and reference["name"] == pod
                   for claim in self._stored(stateful_set, ordinal) for reference in owners(claim))

    def owned_as_asked(self, stateful_set: Object, pod: Object, ordinal: int) -> bool:
        """The owners of the pod's claims are those that the retention policy asks for."""
        return all(_up_to_date(claim, stateful_set, pod) for claim in self._stored(stateful_set, ordinal))

    def correct_owners(self, stateful_set: Object, pod: Object, ordinal: int) -> None:
        for claim in self._stored(stateful_set, ordinal):
            if _foreign(claim, stateful_set, pod):
                self._record(stateful_set, "Warning", "ConflictingController",
                             f"PersistentVolumeClaim {name(claim)} has a conflicting OwnerReference that acts as a manging controller, "
                             "the retention policy is ignored for this claim")
            if not _up_to_date(claim, stateful_set, pod):
                wanted = [*_others(claim, stateful_set, pod), *_wanted(claim, stateful_set, pod)]
                self._client.update("persistentvolumeclaims", replaced(claim, {("metadata", "ownerReferences"): wanted or None}))

    def _stored(self, stateful_set: Object, ordinal: int) -> Iterator[Object]:
        for template in identity.claim_templates(stateful_set):
            claim = self._lister.get(namespace(stateful_set), identity.claim_name(template, stateful_set, ordinal))
            if claim is not None:
                yield claim


def _means(reference: Object, obj: Object) -> bool:
    """The reference is to an object of that kind and name, if not to this very one."""
    return reference["apiVersion"] == obj["apiVersion"] and reference["kind"] == obj["kind"] and reference["name"] == name(obj)


def _stale_reference(claim: Object, obj: Object) -> bool:
    return any(_means(reference, obj) and reference["uid"] != uid(obj) for reference in owners(claim))


def _foreign(claim: Object, stateful_set: Object, pod: Object) -> bool:
    """Someone else controls the claim, which matters if the policy would have it deleted."""
    if policy(stateful_set) == (RETAIN, RETAIN):
        return False
    for reference in owners(claim):
        ours = next((obj for obj in (stateful_set, pod) if _means(reference, obj)), None)
        if reference["uid"] != uid(ours) if ours is not None else reference.get("controller"):
            return True
    return False


def _up_to_date(claim: Object, stateful_set: Object, pod: Object) -> bool:
    """The claim has the owners it should have, or owners that are not to be meddled with."""
    if _stale_reference(claim, stateful_set) or _stale_reference(claim, pod):
        return True
    ours = (uid(stateful_set), uid(pod))
    owning = [reference for reference in owners(claim) if reference["uid"] in ours]
    if _foreign(claim, stateful_set, pod):
        return not owning
    if any(not reference.get("controller") for reference in owning):
        return False
    return [reference["uid"] for reference in owning] == [reference["uid"] for reference in _wanted(claim, stateful_set, pod)]


def _others(claim: Object, stateful_set: Object, pod: Object) -> list[Object]:
    return [reference for reference in owners(claim) if not _means(reference, stateful_set) and not _means(reference, pod)]


def _wanted(claim: Object, stateful_set: Object, pod: Object) -> list[Object]:
    """Which of the set and the pod should own the claim."""
    if _foreign(claim, stateful_set, pod):
        return []
    when_deleted, when_scaled = policy(stateful_set)
    surplus = identity.ordinal_in(stateful_set, name(pod)) not in identity.ordinals(stateful_set)
    if surplus and when_scaled == DELETE:
        return [owner_reference(pod)]
    return [owner_reference(stateful_set)] if when_deleted == DELETE else []
