"""The eviction subresource: a deletion of a pod that its PodDisruptionBudget may refuse.

In: an Eviction and the pod it names. Out: the pod gets the condition DisruptionTarget and is deleted, its budget one disruption the
poorer and the pod noted in ``disruptedPods`` until the disruption controller has counted it; or 429, to be asked again later. Pods that
do not run (yet, or any more) disrupt nobody, and unready ones may go while enough others are healthy.

Source: https://kubernetes.io/docs/concepts/scheduling-eviction/api-eviction/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from server.cluster import conditions, selectors
from server.cluster.apiserver import deletion
from server.cluster.apiserver.request import Request, Response
from server.cluster.apiserver.resources import Resource
from server.cluster.conditions import disruption_target
from server.cluster.errors import ApiError, bad_request, forbidden
from server.cluster.objects import Object, condition, condition_true
from server.cluster.store import Record

if TYPE_CHECKING:
    from server.cluster.apiserver.server import ApiServer

BUDGETS = "poddisruptionbudgets.policy"
MOST_DISRUPTED = 2000
REFUSED = "Cannot evict pod as it would violate the pod's disruption budget."
SEVERAL = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
ALLOWED, SYNC_FAILED = "DisruptionAllowed", "SyncFailed"
UNPROTECTED = ("Succeeded", "Failed", "Pending")


def evict(api: ApiServer, resource: Resource, request: Request) -> Response:
    eviction, _ = api.decoded(request, "Eviction", "policy/v1")
    if (eviction.get("metadata") or {}).get("name", request.name) != request.name:
        raise bad_request("name in URL does not match name in Eviction object")
    record = api.current(resource, request.namespace, request.name)
    options = deletion.options(request, eviction.get("deleteOptions"))
    pod = record.object
    if "deletionTimestamp" not in pod["metadata"] and pod["status"].get("phase") not in UNPROTECTED:
        _ask_budget(api, request, pod, options.dry_run)
    if not options.dry_run:
        deletion.check_preconditions(resource, pod, options.preconditions)
        options.preconditions = {}
        record = _mark(api, resource, request, pod)
    deletion.delete(api, resource, request, record, options)
    return Response(201, {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201})


def budgets_of(api: ApiServer, pod: Object) -> list[Object]:
    """The PodDisruptionBudgets that select a pod."""
    meta = pod["metadata"]
    return [budget for budget in api.lister(BUDGETS).list(meta["namespace"])
            if selectors.from_object(budget["spec"].get("selector")).matches(meta.get("labels"))]


def _ask_budget(api: ApiServer, request: Request, pod: Object, dry_run: bool) -> None:
    """ApiError if the pod must stay; else the disruption is noted."""
    budgets = budgets_of(api, pod)
    if len(budgets) > 1:
        raise ApiError(500, "", SEVERAL)
    if not budgets:
        return
    budget, status = budgets[0], budgets[0].get("status") or {}
    if not condition_true(pod, "Ready"):
        if budget["spec"].get("unhealthyPodEvictionPolicy") == "AlwaysAllow":
            return
        if status.get("currentHealthy", 0) >= status.get("desiredHealthy", 0) > 0:
            return
    _check(budget, status)
    if dry_run:
        return
    left = status["disruptionsAllowed"] - 1
    disrupted = {**(status.get("disruptedPods") or {}), pod["metadata"]["name"]: api.clock.timestamp()}
    new = {**status, "disruptionsAllowed": left, "disruptedPods": disrupted}
    if left == 0:
        new["conditions"] = with_allowed(api, budget, 0)
    meta = budget["metadata"]
    api.store.put(BUDGETS, (meta["namespace"], meta["name"]), {**budget, "status": new}, api.cause(request, "update"))


def _check(budget: Object, status: Object) -> None:
    name = budget["metadata"]["name"]
    if status.get("observedGeneration", 0) < budget["metadata"]["generation"]:
        raise _refused(f"The disruption budget {name} is still being processed by the server.", 10)
    allowed = status.get("disruptionsAllowed", 0)
    if allowed < 0:
        raise forbidden("poddisruptionbudget.policy", name, "pdb disruptions allowed is negative")
    if len(status.get("disruptedPods") or ()) > MOST_DISRUPTED:
        raise forbidden("poddisruptionbudget.policy", name, "DisruptedPods map too big - too many evictions not confirmed by PDB controller")
    if allowed == 0:
        known = condition(budget, ALLOWED)
        if known is not None and known.get("reason") == SYNC_FAILED:
            raise _refused(f"The disruption budget {name} does not allow evicting pods currently because it failed sync: {known['message']}")
        raise _refused(f"The disruption budget {name} needs {status.get('desiredHealthy', 0)} healthy pods and has "
                       f"{status.get('currentHealthy', 0)} currently")


def _refused(cause: str, retry_after: int = 0) -> ApiError:
    details: Object = {"causes": [{"reason": "DisruptionBudget", "message": cause}]}
    if retry_after:
        details["retryAfterSeconds"] = retry_after
    return ApiError(429, "TooManyRequests", REFUSED, details)


def with_allowed(api: ApiServer, budget: Object, allowed: int) -> list[Object]:
    """The budget's conditions with ``DisruptionAllowed`` as that number says."""
    status, reason = ("True", "SufficientPods") if allowed > 0 else ("False", "InsufficientPods")
    return with_condition(api, budget, status, reason, "")


def with_condition(api: ApiServer, budget: Object, status: str, reason: str, message: str) -> list[Object]:
    return conditions.with_condition((budget.get("status") or {}).get("conditions"), {
        "type": ALLOWED, "status": status, "observedGeneration": budget["metadata"]["generation"],
        "lastTransitionTime": api.clock.timestamp(), "reason": reason, "message": message})


def _mark(api: ApiServer, resource: Resource, request: Request, pod: Object) -> Record:
    """The pod with the condition that says why it goes."""
    marked = disruption_target(pod, "EvictionByEvictionAPI", "Eviction API: evicting", api.clock.timestamp())
    if marked == pod:
        return api.current(resource, request.namespace, request.name)
    return api.store.put("pods", (request.namespace, request.name), marked, api.cause(request, "update"))
