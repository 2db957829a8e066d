"""How workload controllers make and delete pods: each with an Event on the workload, and many with care.

In: a workload, its pod template, pods to create or delete. Out: the writes, their Events (SuccessfulCreate, FailedCreate,
SuccessfulDelete, FailedDelete), and the first refusal, for the controller to report and to try again later. What a namespace refuses
because it is being deleted is nothing to report.

Source: https://kubernetes.io/docs/concepts/workloads/controllers/
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from server.cluster.apiserver.client import Client
from server.cluster.errors import ApiError
from server.cluster.objects import Object, key, name, namespace, owner_reference

FIRST_BATCH = 1
Record = Callable[[Object, str, str, str], None]
Item = TypeVar("Item")


class PodControl:
    """Writes with ``client``; says on the workload what was done with ``record``."""

    def __init__(self, client: Client, record: Record) -> None:
        self._client = client
        self._record = record

    def create(self, workload: Object, pod: Object) -> None:
        try:
            created = self._client.create("pods", pod)
        except ApiError as error:
            if not namespace_is_going(error):
                self._record(workload, "Warning", "FailedCreate", f"Error creating: {error.message}")
            raise
        self._record(workload, "Normal", "SuccessfulCreate", f"Created pod: {name(created)}")

    def create_all(self, workload: Object, pods: Sequence[Object]) -> ApiError | None:
        """The first refusal, if it is one that matters."""
        return lasting(slow_start(pods, lambda pod: self.create(workload, pod)))

    def delete(self, workload: Object, pod: Object) -> None:
        """A pod that is gone already is as good as deleted."""
        try:
            self._client.delete("pods", *key(pod))
        except ApiError as error:
            if error.code == 404:
                return
            self._record(workload, "Warning", "FailedDelete", f"Error deleting: {error.message}")
            raise
        self._record(workload, "Normal", "SuccessfulDelete", f"Deleted pod: {name(pod)}")

    def delete_all(self, workload: Object, pods: Iterable[Object]) -> ApiError | None:
        """The first refusal; it keeps none of the others from going."""
        return _first_failure(pods, lambda pod: self.delete(workload, pod))


def slow_start(items: Sequence[Item], act: Callable[[Item], None]) -> ApiError | None:
    """Acts on all items, in batches that double; a batch with a failure is the last, so that a refusal is not met a thousand times."""
    done, batch = 0, FIRST_BATCH
    while done < len(items):
        failure = _first_failure(items[done:done + batch], act)
        if failure is not None:
            return failure
        done, batch = done + batch, 2 * batch
    return None


def _first_failure(items: Iterable[Item], act: Callable[[Item], None]) -> ApiError | None:
    failure: ApiError | None = None
    for item in items:
        try:
            act(item)
        except ApiError as error:
            failure = failure or error
    return failure


def namespace_is_going(error: ApiError) -> bool:
    """Refused because the namespace is being deleted: nothing to report and nothing to try again."""
    return any(cause.get("reason") == "NamespaceTerminating" for cause in (error.details or {}).get("causes") or ())


def lasting(failure: ApiError | None) -> ApiError | None:
    """The failure, unless it ends with its namespace."""
    return None if failure is not None and namespace_is_going(failure) else failure


def pod_from_template(workload: Object, template: Object) -> Object:
    """What a pod of the template is created from; the API server names it. Labels and spec are the template's own objects, so that all
    pods made from this one share them."""
    given = template.get("metadata") or {}
    metadata: Object = {"generateName": f"{name(workload)}-", "namespace": namespace(workload),
                        "ownerReferences": [owner_reference(workload)]}
    for field in ("labels", "annotations", "finalizers"):
        if given.get(field):
            metadata[field] = given[field]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]}
