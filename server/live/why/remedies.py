"""What would help, as commands that can be run as they stand: of the object that may be changed, which is seldom the one that is ill.

In: the ill object and what is wrong with it. Out: aids with commands for the room's terminal. Where nothing can be changed in place (a Job's
pods, most of a bare pod) the aid says so and its command writes the object to a file.

Source: https://kubernetes.io/docs/concepts/workloads/pods/#pod-update-and-replacement
"""

from __future__ import annotations

import json
from difflib import get_close_matches
from typing import Any

from server.cluster import volumes
from server.cluster.cluster import Cluster
from server.cluster.objects import Object, controller_of, labels
from server.cluster.runtime.images import OFFICIAL, PullError, image
from server.cluster.runtime.references import InvalidReference
from server.live.why.telling import Aid, aid, scope

OWNERS = {
    "ReplicaSet": "replicasets.apps",
    "StatefulSet": "statefulsets.apps",
    "DaemonSet": "daemonsets.apps",
    "Job": "jobs.batch",
    "ReplicationController": "replicationcontrollers",
}
TEMPLATE, JOBS_TEMPLATE = "/spec/template/spec", "/spec/jobTemplate/spec/template/spec"
TAGS = ("latest", "stable", "1.27", "1.36", "3.9", "8", "1", "v1.0.0")


def owner(cluster: Cluster, pod: Object) -> Object | None:
    """Its controller, if it is there."""
    reference = controller_of(pod)
    resource = OWNERS.get(reference["kind"]) if reference is not None else None
    found = cluster.api.lister(resource).get(pod["metadata"]["namespace"], reference["name"]) if reference is not None and resource else None
    return found if found is not None and reference is not None and found["metadata"]["uid"] == reference["uid"] else None


def changeable(cluster: Cluster, pod: Object) -> tuple[str, str]:
    """What has the template of a pod that can be changed, and where in it the pod's spec is: ("deployment/web", "/spec/template/spec");
    ("", "") if there is none."""
    held = owner(cluster, pod)
    if held is None:
        return "", ""
    above = controller_of(held)
    if held["kind"] == "Job":
        return (f"cronjob/{above['name']}", JOBS_TEMPLATE) if above is not None and above["kind"] == "CronJob" else ("", "")
    if held["kind"] == "ReplicaSet" and above is not None and above["kind"] == "Deployment":
        return f"deployment/{above['name']}", TEMPLATE
    return f"{held['kind'].lower()}/{held['metadata']['name']}", TEMPLATE


def patch(target: str, namespace: Object, *changes: tuple[str, str, Any]) -> str:
    """The command that makes (op, path, value) changes to ``KIND/NAME``."""
    told = [{"op": op, "path": path, **({} if op == "remove" else {"value": value})} for op, path, value in changes]
    return f"kubectl patch {target.replace('/', ' ', 1)}{scope(namespace)} --type=json -p '{json.dumps(told, separators=(',', ':'))}'"


def template(cluster: Cluster, pod: Object, code: str, *changes: tuple[str, str, Any], **params: Any) -> Aid:
    """Changes of the spec of a pod, where its successors get it from; paths as in ``containers[0].command``."""
    target, where = changeable(cluster, pod)
    if not target:
        return remake(pod)
    return aid(code, patch(target, pod, *((op, f"{where}/{pointer(path)}", value) for op, path, value in changes)), **params)


def pointer(path: str) -> str:
    """
    >>> pointer("containers[0].livenessProbe.httpGet.port")
    'containers/0/livenessProbe/httpGet/port'
    """
    return path.replace("[", "/").replace("]", "").replace(".", "/")


def remake(pod: Object) -> Aid:
    """A bare pod or a Job's: its spec cannot be changed."""
    reference = controller_of(pod)
    kind, name = (reference["kind"].lower(), reference["name"]) if reference is not None else ("pod", pod["metadata"]["name"])
    return aid("remake", f"kubectl get {kind} {name}{scope(pod)} -o yaml > {name}.yaml", file=f"{name}.yaml")


def set_image(cluster: Cluster, pod: Object, container: Object) -> Aid:
    """Another image: the one that was meant, as far as that can be told."""
    given = container.get("image", "")
    better = exists(given) or f"{_untagged(given)}:TAG"
    if controller_of(pod) is None:
        return aid("set-image", f"kubectl set image pod/{pod['metadata']['name']} {container['name']}={better}{scope(pod)}")
    target, _ = changeable(cluster, pod)
    return aid("set-image", f"kubectl set image {target} {container['name']}={better}{scope(pod)}") if target else remake(pod)


def exists(given: str) -> str:
    """The image nearest to one that there is not: its repository's other tag, or a repository one slip away; "" if none is known.

    >>> exists("nginx:9.99"), exists("ngnix:1.27"), exists("NGINX:1.27"), exists("registry.example/what")
    ('nginx:latest', 'nginx:1.27', 'nginx:1.27', '')
    """
    name, tag = _untagged(given).lower(), given[len(_untagged(given)) + 1 :]
    if "/" not in name and name not in OFFICIAL:
        name = next(iter(get_close_matches(name, OFFICIAL, 1, 0.7)), "")
    if not name or name not in OFFICIAL:
        return ""
    return next((f"{name}:{one}" for one in (tag, *TAGS) if one and _pulls(f"{name}:{one}")), "")


def _untagged(given: str) -> str:
    head, colon, tail = given.rpartition(":")
    return head if colon and "/" not in tail else given


def _pulls(name: str) -> bool:
    try:
        return image(name) is not None
    except (PullError, InvalidReference):
        return False


def unhold(obj: Object) -> Aid:
    """Its finalizers taken off by hand."""
    kind, meta = obj["kind"].lower(), obj["metadata"]
    return aid("unhold", f"kubectl patch {kind} {meta['name']}{scope(obj)} --type=merge -p '{{\"metadata\":{{\"finalizers\":null}}}}'")


def tolerate(cluster: Cluster, pod: Object, taint: Object) -> Aid:
    """A toleration of a taint: even of a pod that is there more of them may be said."""
    alike = {"operator": "Equal", "value": taint["value"]} if taint.get("value") else {"operator": "Exists"}
    one = {"key": taint["key"], **alike, "effect": taint["effect"]}
    target, where = changeable(cluster, pod)
    if not target:
        change = ("add", "/spec/tolerations/-", one) if pod["spec"].get("tolerations") else ("add", "/spec/tolerations", [one])
        return aid("tolerate", patch(f"pod/{pod['metadata']['name']}", pod, change)) if controller_of(pod) is None else remake(pod)
    kept = [each for each in pod["spec"].get("tolerations") or () if not str(each.get("key", "")).startswith("node.kubernetes.io/")]
    return aid("tolerate", patch(target, pod, ("add", f"{where}/tolerations", [*kept, one])))


def key(obj: Object, name: str) -> Aid:
    """A key that a ConfigMap or Secret lacks."""
    field, kind = ("data", "configmap") if obj["kind"] == "ConfigMap" else ("stringData", "secret")
    return aid("edit-config", f"kubectl patch {kind} {obj['metadata']['name']}{scope(obj)} -p '{json.dumps({field: {name: 'VALUE'}})}'")


def volume(claim: Object) -> Aid:
    """A volume that a claim takes."""
    spec, meta = claim["spec"], claim["metadata"]
    made: Object = {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": f"for-{meta['name']}"[:63]},
        "spec": {
            "storageClassName": volumes.class_of(claim) or "",
            "accessModes": spec.get("accessModes") or ["ReadWriteOnce"],
            "capacity": {"storage": ((spec.get("resources") or {}).get("requests") or {}).get("storage", "1Gi")},
            **({"volumeMode": "Block"} if volumes.mode_of(claim) == "Block" else {}),
            "hostPath": {"path": f"/mnt/{meta['name']}"},
        },
    }
    wanted = (spec.get("selector") or {}).get("matchLabels")
    if wanted:
        made["metadata"]["labels"] = wanted
    return aid("make-volume", f"echo '{json.dumps(made, separators=(',', ':'))}' | kubectl apply -f -")


def allow(cluster: Cluster, policy: Object, direction: str, peer: Object | None, protocol: str, port: str, who: str) -> Aid:
    """A rule that lets one peer through."""
    meta = policy["metadata"]
    if peer is None or not port.isdigit():
        return aid("allow-rule", f"kubectl edit networkpolicy {meta['name']}{scope(policy)}", labels=who, port=port)
    own = {name: value for name, value in labels(peer).items() if name not in ("pod-template-hash", "controller-revision-hash")}
    chosen: Object = {"podSelector": {"matchLabels": own} if own else {}}
    if peer["metadata"]["namespace"] != meta["namespace"]:
        chosen["namespaceSelector"] = {"matchLabels": {"kubernetes.io/metadata.name": peer["metadata"]["namespace"]}}
    rule = {"from" if direction == "ingress" else "to": [chosen], "ports": [{"protocol": protocol, "port": int(port)}]}
    held = policy["spec"].get(direction)
    change = ("add", f"/spec/{direction}/-", rule) if held else ("add", f"/spec/{direction}", [rule])
    return aid("allow-rule", patch(f"networkpolicy/{meta['name']}", policy, change), labels=who, port=port)


def label_node(node: Object, name: str, value: str) -> Aid:
    known = labels(node).get(name) is not None
    return aid("label-node", f"kubectl label node {node['metadata']['name']} {name}={value}{' --overwrite' if known else ''}")


