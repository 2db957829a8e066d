"""Why is a thing as it is? One answer for anything: the question a learner has now, reasons with their proof, and the chain of causes.

In: a cluster and a thing's id. Out: ``{id, question, reasons, chain, attempt?, time, revision}``, codes with parameters of which the page
has the sentences (``static/locales/why.*.json``): ``ask.QUESTION``, ``because.CODE``, ``aid.CODE``, ``step.CODE``. Each family of kinds has its own
file; what is in none is told by its chain, its owner and its end. The work is bounded, whatever the size of the cluster.
"""

from __future__ import annotations

from typing import Any

from server.cluster.apiserver.resources import RESOURCES
from server.cluster.cluster import Cluster
from server.cluster.objects import Object, controller_of
from server.live.why import batch, chain, configuration, machines, pods, policies, remedies, requests, rollouts, scaling, services, storage
from server.live.why.telling import Reason, fact, names, reason

KINDS = {row.kind: row for row in RESOURCES.values() if not row.stored}
Told = tuple[str, list[Reason]]
CONTROLLED = ("Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job", "CronJob", "PersistentVolumeClaim", "HorizontalPodAutoscaler")
FAMILIES = {
    "Service": services.service,
    "Endpoints": services.endpoints,
    "EndpointSlice": services.endpoints,
    "Ingress": services.ingress,
    "NetworkPolicy": policies.explain,
    "Deployment": rollouts.deployment,
    "ReplicaSet": rollouts.replica_set,
    "ReplicationController": rollouts.replica_set,
    "StatefulSet": rollouts.stateful_set,
    "DaemonSet": rollouts.daemon_set,
    "Job": batch.job,
    "CronJob": batch.cron_job,
    "HorizontalPodAutoscaler": scaling.autoscaler,
    "PodDisruptionBudget": scaling.budget,
    "Node": machines.node,
    "Namespace": machines.namespace,
    "ConfigMap": lambda cluster, obj: ("here", configuration.explain(cluster, obj)),
    "Secret": lambda cluster, obj: ("here", configuration.explain(cluster, obj)),
    "PersistentVolume": lambda cluster, obj: ("here", storage.volume(cluster, obj)),
}


def explain(cluster: Cluster, thing: str) -> dict[str, Any] | None:
    """The answer about a thing (``Kind/namespace/name``, and what is no object of the API: Traffic, Component, Fault); None if there is, and
    as far as history goes was, no such thing."""
    kind, _, rest = thing.partition("/")
    namespace, _, name = rest.partition("/")
    bare = _bare(cluster, thing, kind, name)
    if bare is not None:
        return _answer(cluster, thing, bare, {"steps": _act(cluster, kind, name), "root": "person"})
    row = KINDS.get(kind)
    if row is None:
        return None
    obj = cluster.api.lister(row.key).get(namespace, name)
    own = chain.own_events(cluster, thing, obj["metadata"].get("uid") if obj is not None else None)
    if obj is None:
        return _answer(cluster, thing, pods.gone(cluster, thing, own), chain.chain(cluster, own)) if own else None
    told = _told(cluster, kind, obj, own)
    if kind not in ("Pod", "Namespace") and (end := _ending(cluster, obj)) is not None:
        told = "terminating", [end, *(told[1] if told[0] == "here" else [])]
    elif kind in CONTROLLED and told[0] != "here" and not cluster.components.healthy("kube-controller-manager"):
        told = told[0], [rollouts.standstill(), *(one for one in told[1] if one["code"] != "no-controllers")]
    return _answer(cluster, thing, told, chain.chain(cluster, own))


def _answer(cluster: Cluster, thing: str, told: Told, links: dict[str, Any]) -> dict[str, Any]:
    return {"id": thing, "question": told[0], "reasons": told[1], "chain": links, "time": cluster.clock.now, "revision": cluster.store.revision}


def _bare(cluster: Cluster, thing: str, kind: str, name: str) -> Told | None:
    if kind == "Traffic":
        return requests.source(cluster, thing)
    if kind == "Component":
        return machines.component(cluster, name)
    return machines.fault(cluster, name) if kind == "Fault" else None


def _act(cluster: Cluster, kind: str, name: str) -> list[chain.Step]:
    """The acts of chaos behind what is no object."""
    acts = [
        act
        for act in cluster.chaos.acts()
        if kind == "Fault" and str(act["number"]) == name or kind == "Component" and act["target"].split("/")[-1] == name
    ]
    return [
        {
            "code": "chaos",
            "params": {"fault": act["fault"]},
            "client": "chaos",
            "user": act["by"],
            "verb": act["fault"],
            "thing": f"{kind}//{name}",
            "revision": 0,
            "time": act["at"],
            "count": 1,
        }
        for act in acts[-5:]
    ]


def _told(cluster: Cluster, kind: str, obj: Object, own: list[Any]) -> Told:
    if kind == "Pod":
        question, found = pods.explain(cluster, obj, own)
        return question, [*found, *requests.at(cluster, f"Pod/{obj['metadata']['namespace']}/{obj['metadata']['name']}")]
    if kind == "PersistentVolumeClaim":
        found = storage.claim(cluster, obj)
        return "here" if found[0]["code"] == "claim-bound" else "waits", found
    family = FAMILIES.get(kind)
    if family is not None:
        return family(cluster, obj)
    owner = controller_of(obj)
    if owner is not None:
        return "here", [
            reason("of-owner", {"kind": owner["kind"], "owner": owner["name"]}, [fact(obj, "metadata.ownerReferences[0].name", owner["name"])])
        ]
    return "here", [reason("exists", {"kind": kind}, [fact(obj, "metadata.creationTimestamp", obj["metadata"].get("creationTimestamp", ""))])]


def _ending(cluster: Cluster, obj: Object) -> Reason | None:
    """It is being deleted, and something holds it."""
    held = obj["metadata"].get("finalizers") or []
    if "deletionTimestamp" not in obj["metadata"]:
        return None
    if (user := storage.held(cluster, obj)) is not None:
        return user
    facts = [fact(obj, "metadata.finalizers", names(held))]
    if "foregroundDeletion" in held:
        left = names(f"{one['kind']} {one['metadata']['name']}" for one in _dependents(cluster, obj))
        return reason("foreground", {"left": left or "-"}, facts)
    return reason("finalizers", {"finalizers": names(held)}, facts, [remedies.unhold(obj)]) if held else reason("deleting", {}, facts)


def _dependents(cluster: Cluster, obj: Object) -> list[Object]:
    """What it owns that has not gone yet."""
    return [one for resource in ("pods", *remedies.OWNERS.values()) for one in cluster.api.lister(resource).by_owner(obj["metadata"]["uid"])[:20]]
