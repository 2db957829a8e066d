"""One drawn thing, one flat record: what the canvas needs to know of a node, a pod, a Service, a rollout, and nothing more.

Objects come in, plain dicts go out; absent fields are left out. Times are virtual seconds. The shapes are the page's contract and
are listed in README under "The scene".
"""

from __future__ import annotations

from difflib import SequenceMatcher
from functools import lru_cache
from typing import Any
from weakref import WeakKeyDictionary

from server.cluster.cluster import Cluster
from server.cluster.controllers import rollout
from server.cluster.controllers.taint_eviction import executing_taints, tolerated_for
from server.cluster.objects import Object, condition, controller_of, labels
from server.cluster.printing import node_address, node_roles, pod_status
from server.cluster.quantity import parse
from server.cluster.selectors import from_labels

Record = dict[str, Any]
PULL_FAILURES = ("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "RegistryUnavailable", "ImageInspectError")
CRASHES = ("Error", "Completed", "RunContainerError", "StartError", "ContainerCannotRun")
MAX_NEAR, MAX_SEARCHED, ALIKE = 20, 2_000, 0.5
MESSAGE_LIMIT = 500
MAX_CLAIMS = MAX_USED = 20


def thing_id(kind: str, namespace: str, name: str) -> str:
    return f"{kind}/{namespace}/{name}"


def id_of(obj: Object) -> str:
    meta = obj["metadata"]
    return f"{obj['kind']}/{meta.get('namespace', '')}/{meta['name']}"


def compact(record: Record) -> Record:
    return {field: value for field, value in record.items() if value is not None}


def _milli(resources: dict[str, Any], name: str) -> int:
    value = resources.get(name)
    return parse(value).milli() if value is not None else 0


def _whole(resources: dict[str, Any], name: str) -> int:
    value = resources.get(name)
    return parse(value).value() if value is not None else 0


def requests(spec: Object) -> tuple[int, int]:
    """(millicores, bytes) that a pod asks of its node."""
    cpu = memory = 0
    for container in spec.get("containers") or ():
        wanted = (container.get("resources") or {}).get("requests")
        if wanted:
            cpu += _milli(wanted, "cpu")
            memory += _whole(wanted, "memory")
    for container in spec.get("initContainers") or ():
        wanted = (container.get("resources") or {}).get("requests")
        if wanted:
            cpu, memory = max(cpu, _milli(wanted, "cpu")), max(memory, _whole(wanted, "memory"))
    return cpu, memory


def node(cluster: Cluster, obj: Object) -> Record:
    meta, spec, status = obj["metadata"], obj.get("spec") or {}, obj.get("status") or {}
    allocatable = status.get("allocatable") or {}
    ready = condition(obj, "Ready")
    pods = [pod for pod in cluster.api.lister("pods").by_node(meta["name"])
            if (pod.get("status") or {}).get("phase") not in ("Succeeded", "Failed")]
    asked = [requests(pod["spec"]) for pod in pods]
    taints = [f"{taint['key']}{'=' + taint['value'] if taint.get('value') else ''}:{taint['effect']}" for taint in spec.get("taints") or ()]
    return compact({
        "kind": "Node", "name": meta["name"], "ready": ready["status"] if ready else "Unknown",
        "unschedulable": bool(spec.get("unschedulable")), "roles": node_roles(obj), "taints": taints,
        "ip": node_address(obj, "InternalIP"), "cpu": _milli(allocatable, "cpu"), "memory": _whole(allocatable, "memory"),
        "pods": _whole(allocatable, "pods"), "version": (status.get("nodeInfo") or {}).get("kubeletVersion"), "labels": labels(obj),
        "requested": {"cpu": sum(cpu for cpu, _ in asked), "memory": sum(memory for _, memory in asked), "pods": len(pods)},
        "since": clock_seconds(cluster, ready, "lastTransitionTime") if ready and ready["status"] != "True" else None,
        "leave": _leave(cluster, obj, pods),
        "pressure": [entry["type"].removesuffix("Pressure").lower() for entry in status.get("conditions") or ()
                     if entry["type"].endswith("Pressure") and entry["status"] == "True"] or None,
        **cluster.kubelets.standing(meta["name"]),
    })


def clock_seconds(cluster: Cluster, entry: Object, field: str) -> float | None:
    """A timestamp as virtual seconds."""
    return cluster.clock.seconds(entry[field]) if entry.get(field) else None


def _leave(cluster: Cluster, node: Object, pods: list[Object]) -> float | None:
    """When the first of its pods is evicted, if the node has NoExecute taints that they tolerate only for a time.

    https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/#taint-based-evictions
    """
    taints = executing_taints(node)
    began = [at for taint in taints if (at := clock_seconds(cluster, taint, "timeAdded")) is not None]
    if not began:
        return None
    patience = [seconds for pod in pods if "deletionTimestamp" not in pod["metadata"] and (seconds := tolerated_for(pod, taints)) is not None]
    return max(began) + min(patience) if patience else None


def fault(cluster: Cluster, number: str) -> Record | None:
    """Something that was made to go wrong."""
    record = next((record for record in cluster.chaos.active() if str(record["number"]) == number), None)
    return compact({"kind": "Fault", "name": number, "id": record["id"], "fault": record["fault"], "target": record["target"],
                     "params": record["params"], "since": record["at"], "by": record["by"] or None}) if record is not None else None


def pod(cluster: Cluster, obj: Object) -> Record:
    meta, spec, status = obj["metadata"], obj["spec"], obj.get("status") or {}
    clock = cluster.clock
    printed = pod_status(obj)
    cpu, memory = requests(spec)
    owner = controller_of(obj)
    statuses = {entry["name"]: entry for entry in status.get("containerStatuses") or ()}
    work = cluster.kubelets.progress(meta["uid"]) if spec.get("nodeName") else {}
    state = pod_state(cluster, obj, printed.status, bool(statuses) and all(entry.get("ready") for entry in statuses.values()), work)
    deleting = None
    if "deletionTimestamp" in meta:
        until = clock.seconds(meta["deletionTimestamp"])
        deleting = {"from": until - meta.get("deletionGracePeriodSeconds", 0), "until": until}
    return compact({
        "kind": "Pod", "ns": meta["namespace"], "name": meta["name"], "node": spec.get("nodeName"), "phase": status.get("phase"),
        "state": state, "status": printed.status, "ready": printed.ready, "restarts": printed.restarts,
        "ip": status.get("podIP"), "labels": labels(obj),
        "owner": thing_id(owner["kind"], meta["namespace"], owner["name"]) if owner else None,
        "cpu": cpu, "memory": memory, "containers": [_container(entry, statuses.get(entry["name"])) for entry in spec["containers"]],
        "created": clock.seconds(meta["creationTimestamp"]), "pull": work.get("pull") if state == "pulling" else None,
        "backoff": work.get("backoff"), "deleting": deleting, "message": _message(obj, statuses), "claims": _claims(meta["namespace"], spec),
        "uses": _used(meta["namespace"], spec),
        "system": True if meta["namespace"] == "kube-system" else None,
    })


def _claims(namespace: str, spec: Object) -> list[str] | None:
    """The claims that a pod mounts."""
    names = [source["claimName"] for volume in spec.get("volumes") or () if (source := volume.get("persistentVolumeClaim"))]
    return [thing_id("PersistentVolumeClaim", namespace, name) for name in names[:MAX_CLAIMS]] or None


def _used(namespace: str, spec: Object) -> list[str] | None:
    """The ConfigMaps and Secrets that a pod mounts or reads into its environment."""
    found: dict[str, None] = {}

    def note(kind: str, source: Object | None, field: str = "name") -> None:
        if source and source.get(field):
            found[thing_id(kind, namespace, source[field])] = None

    for volume in spec.get("volumes") or ():
        note("ConfigMap", volume.get("configMap"))
        note("Secret", volume.get("secret"), "secretName")
        for source in (volume.get("projected") or {}).get("sources") or () if not volume["name"].startswith("kube-api-access-") else ():
            note("ConfigMap", source.get("configMap"))
            note("Secret", source.get("secret"))
    for container in (*(spec.get("initContainers") or ()), *(spec.get("containers") or ())):
        for source in container.get("envFrom") or ():
            note("ConfigMap", source.get("configMapRef"))
            note("Secret", source.get("secretRef"))
        for variable in container.get("env") or ():
            value = variable.get("valueFrom") or {}
            note("ConfigMap", value.get("configMapKeyRef"))
            note("Secret", value.get("secretKeyRef"))
    return list(found)[:MAX_USED] or None


def pod_state(cluster: Cluster, obj: Object, printed: str, ready: bool, work: Record) -> str:
    """The one mark of CANVAS.md that fits; ``work`` is what its kubelet waits for. A container that waits for its restart is a crash
    loop on the canvas as soon as it waits, though its status still tells the last end."""
    spec, phase = obj["spec"], (obj.get("status") or {}).get("phase")
    if not spec.get("nodeName"):
        return "unscheduled"
    host = cluster.api.lister("nodes").get("", spec["nodeName"])
    heart = condition(host, "Ready") if host is not None else None
    if host is None or (heart is not None and heart["status"] == "Unknown"):
        return "lost"
    if "deletionTimestamp" in obj["metadata"]:
        return "terminating"
    if phase == "Succeeded":
        return "succeeded"
    reason = printed.removeprefix("Init:")
    if reason in PULL_FAILURES:
        return "imagepull"
    if reason == "CrashLoopBackOff":
        return "crashloop"
    if reason == "OOMKilled":
        return "oom"
    if "backoff" in work and phase in ("Running", "Pending") and reason in CRASHES:
        return "crashloop"
    if phase == "Failed" or reason.endswith("Error"):
        return "failed"
    if phase == "Running":
        return "ready" if ready else "running"
    return "pulling" if "pull" in work else "creating"


def _container(spec: Object, status: Object | None) -> Record:
    status = status or {}
    state = next(iter(status.get("state") or {"waiting": {}}))
    detail = (status.get("state") or {}).get(state) or {}
    ended = ((status.get("state") or {}).get("terminated") or (status.get("lastState") or {}).get("terminated")) or {}
    return compact({"name": spec["name"], "image": spec.get("image", ""), "state": state, "reason": detail.get("reason"),
                     "exit": ended.get("exitCode"), "ended": ended.get("reason"),
                     "ready": bool(status.get("ready")), "restarts": status.get("restartCount", 0)})


def _message(obj: Object, statuses: dict[str, Object]) -> str | None:
    """Why it is not well, in Kubernetes' own words."""
    scheduled = condition(obj, "PodScheduled")
    if scheduled is not None and scheduled["status"] == "False":
        return scheduled.get("message", "")[:MESSAGE_LIMIT]
    for entry in statuses.values():
        for detail in (entry.get("state") or {}).values():
            if detail and detail.get("message"):
                return detail["message"][:MESSAGE_LIMIT]
    return (obj["status"].get("message") or None) if obj.get("status") else None


def service(cluster: Cluster, obj: Object) -> Record:
    meta, spec = obj["metadata"], obj["spec"]
    namespace = meta["namespace"]
    ports = [compact({"name": port.get("name"), "port": port["port"], "targetPort": port.get("targetPort"),
                       "nodePort": port.get("nodePort"), "protocol": port.get("protocol", "TCP")}) for port in spec.get("ports") or ()]
    ingress = ((obj.get("status") or {}).get("loadBalancer") or {}).get("ingress") or []
    external = [*(spec.get("externalIPs") or ()), *(entry.get("ip") or entry.get("hostname", "") for entry in ingress)]
    selector = spec.get("selector") or {}
    endpoints = _endpoints(cluster, namespace, meta["name"])
    near, matched = _near(cluster, namespace, selector) if selector and not endpoints else ([], 0)
    return compact({
        "kind": "Service", "ns": namespace, "name": meta["name"], "labels": labels(obj) or None,
        "type": spec.get("type", "ClusterIP"), "clusterIP": spec.get("clusterIP"),
        "externalIPs": external, "ports": ports, "selector": selector, "endpoints": endpoints, "near": near,
        "matched": matched or None, "headless": True if spec.get("clusterIP") == "None" else None, "externalName": spec.get("externalName"),
        "system": True if namespace == "kube-system" or (namespace, meta["name"]) == ("default", "kubernetes") else None,
    })


def _endpoints(cluster: Cluster, namespace: str, name: str) -> list[Record]:
    found: dict[str, Record] = {}
    slices = cluster.api.lister("endpointslices.discovery.k8s.io").select(namespace, from_labels({"kubernetes.io/service-name": name}))
    for one in slices:
        for endpoint in one.get("endpoints") or ():
            target = endpoint.get("targetRef")
            if target and target.get("kind") == "Pod":
                pod_id = thing_id("Pod", target.get("namespace", namespace), target["name"])
                found[pod_id] = {"pod": pod_id, "ready": (endpoint.get("conditions") or {}).get("ready") is not False}
    return [found[pod_id] for pod_id in sorted(found)]


def _near(cluster: Cluster, namespace: str, selector: dict[str, str]) -> tuple[list[Record], int]:
    """Of a Service without endpoints: the pods that one label keeps out, the likest first, which is the usual typing mistake; and how many
    pods it does select, that have no address yet."""
    near, matched = [], 0
    for alike in _labelled(cluster, namespace):
        has = labels(alike[0])
        missed = [key for key, value in selector.items() if has.get(key) != value]
        if len(missed) != 1:
            matched += 0 if missed else len(alike)
            continue
        key = missed[0]
        likeness = _likeness(selector[key], has.get(key, ""))
        if likeness >= ALIKE or len(selector) > 1:
            near.extend((-likeness, compact({"pod": id_of(candidate), "key": key, "want": selector[key], "have": has.get(key)}))
                        for candidate in alike[:MAX_NEAR])
    return [record for _, record in sorted(near, key=lambda entry: (entry[0], entry[1]["pod"]))[:MAX_NEAR]], matched


_grouped: WeakKeyDictionary[Cluster, tuple[int, dict[str, list[list[Object]]]]] = WeakKeyDictionary()


def _labelled(cluster: Cluster, namespace: str) -> list[list[Object]]:
    """A namespace's pods, those with the same labels together; sorted out once for all Services that are looked at in one revision."""
    revision, known = _grouped.get(cluster, (-1, {}))
    if revision != cluster.store.revision:
        known = {}
        _grouped[cluster] = cluster.store.revision, known
    if namespace not in known:
        groups: dict[tuple[tuple[str, str], ...], list[Object]] = {}
        for pod in cluster.api.lister("pods").list(namespace)[:MAX_SEARCHED]:
            groups.setdefault(tuple(labels(pod).items()), []).append(pod)
        known[namespace] = list(groups.values())
    return known[namespace]


@lru_cache(maxsize=4096)
def _likeness(want: str, have: str) -> float:
    return SequenceMatcher(None, want, have).ratio()


def deployment(cluster: Cluster, obj: Object) -> Record:
    meta, spec, status = obj["metadata"], obj["spec"], obj.get("status") or {}
    replicas = rollout.size(obj)
    surge, unavailable = bounds(obj)
    progress = condition(obj, "Progressing")
    return compact({
        "kind": "Deployment", "ns": meta["namespace"], "name": meta["name"], "labels": labels(obj) or None,
        "replicas": replicas, "ready": status.get("readyReplicas", 0),
        "updated": status.get("updatedReplicas", 0), "available": status.get("availableReplicas", 0),
        "unavailable": status.get("unavailableReplicas", 0), "current": status.get("replicas", 0), "ceiling": replicas + surge,
        "floor": replicas - unavailable, "maxSurge": surge, "maxUnavailable": unavailable,
        "strategy": rollout.strategy(obj), **_shares(obj),
        "revision": (meta.get("annotations") or {}).get("deployment.kubernetes.io/revision"), "paused": bool(spec.get("paused")),
        "progress": progress.get("reason") if progress else None, "selector": (spec.get("selector") or {}).get("matchLabels") or {},
        "system": True if meta["namespace"] == "kube-system" else None,
    })


def _shares(deployment: Object) -> Record:
    """The bounds of a rollout as they were given, where they are a percentage: how they round is drawn."""
    if not rollout.rolling(deployment):
        return {}
    given = (deployment["spec"].get("strategy") or {}).get("rollingUpdate") or {}
    shares = {"surgeShare": given.get("maxSurge", rollout.DEFAULT_SHARE), "unavailableShare": given.get("maxUnavailable", rollout.DEFAULT_SHARE)}
    return {field: value for field, value in shares.items() if isinstance(value, str)}


def bounds(deployment: Object) -> tuple[int, int]:
    """(surge, unavailable) as whole pods; all may be unavailable while a Deployment is recreated."""
    if not rollout.rolling(deployment):
        return 0, rollout.size(deployment)
    return rollout.max_surge(deployment), rollout.max_unavailable(deployment)


def replica_set(cluster: Cluster, obj: Object) -> Record:
    meta, spec, status = obj["metadata"], obj["spec"], obj.get("status") or {}
    owner = controller_of(obj)
    containers = ((spec.get("template") or {}).get("spec") or {}).get("containers") or [{}]
    return compact({
        "kind": "ReplicaSet", "ns": meta["namespace"], "name": meta["name"], "labels": labels(obj) or None,
        "owner": thing_id(owner["kind"], meta["namespace"], owner["name"]) if owner else None, "replicas": spec.get("replicas", 1),
        "ready": status.get("readyReplicas", 0), "current": status.get("replicas", 0),
        "revision": (meta.get("annotations") or {}).get("deployment.kubernetes.io/revision"),
        "hash": labels(obj).get("pod-template-hash"), "image": containers[0].get("image"),
        "selector": None if owner else (spec.get("selector") or {}).get("matchLabels"),
        "system": True if meta["namespace"] == "kube-system" else None,
    })


def namespace(cluster: Cluster, obj: Object) -> Record:
    return compact({"kind": "Namespace", "name": obj["metadata"]["name"], "phase": (obj.get("status") or {}).get("phase", "Active"),
                    "labels": labels(obj) or None})


PROJECTIONS = {
    "nodes": node, "pods": pod, "services": service, "deployments.apps": deployment, "replicasets.apps": replica_set,
    "namespaces": namespace,
}
