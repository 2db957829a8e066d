"""A small world to run kubectl against: an API server with some objects and nothing that changes them by itself.

``build(chapter)`` gives the same world every time, so that what the real kubectl printed against one (``recordings/``) must be what the
terminal's kubectl prints against another. ``normal`` takes out what differs from run to run.
"""

from __future__ import annotations

import copy
import random
import re
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from server.cluster.apiserver.client import Client
from server.cluster.apiserver.server import ApiServer
from server.cluster.clock import Clock
from server.cluster.store import Store
from tests.kubectl.kinds_world import furnish

RECORDINGS = Path(__file__).parent / "recordings"
_SHARED = Path(__file__).parent / "files"
FILES = {
    **{str(path.relative_to(_SHARED)): path.read_text() for path in sorted(_SHARED.rglob("*")) if path.is_file()},
    "pod.yaml": "apiVersion: v1\nkind: Pod\nmetadata: {name: multi}\nspec:\n  containers:\n  - {name: web, image: nginx}\n",
    "web.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d1}\nspec:\n  selector: {matchLabels: {app: d1}}\n  template:\n"
                "    metadata: {labels: {app: d1}}\n    spec:\n      containers:\n      - {name: nginx, image: nginx}\n",
}
LOGGED = re.compile(r"[IW]\d{4} \S+ +\d+ reflector\.go:")
NORMAL = (
    (r'resourceVersion"?: "?\d+"?', "resourceVersion: RV"),
    (r"uid: \S+|UID:\s+\S+", "uid: UID"),
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "UUID"),
    (r"\w{3}, \d\d \w{3} 20\d\d \d\d:\d\d:\d\d \+0000", "DATE"),
    (r"20\d\d-\d\d-\d\dT[\d:.]+Z", "TIME"),
    (r"\b\d+[smhd](\d+[smh])?\b", "AGE"),
    (r"kube-api-access-\w+", "kube-api-access-NAME"),
    (r"(LIVE|MERGED)-\d+", r"\1-N"),
    (r"20\d\d-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)? \+0000", "TIME"),
    (r"\b10\.\d+\.\d+\.\d+\b", "ADDRESS"),
)


def build(chapter: str = "") -> Any:
    """The world of a chapter: those in ``recordings/kinds`` have the other kinds too (kinds_world.py)."""
    clock, store, chance = Clock(datetime.now(UTC)), Store(5000), random.Random(1)
    world = SimpleNamespace(clock=clock, store=store, random=chance, api=ApiServer(clock, store, chance))
    client = Client(world.api, "builder", "kubernetes-admin")
    for name in ("default", "kube-system"):
        client.create("namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    _create(client, "serviceaccounts", "v1", "ServiceAccount", "default")
    for name in ("w1-k8s", "w3-k8s"):
        amounts = {"cpu": "2", "memory": "4Gi", "ephemeral-storage": "10Gi", "pods": "110"}
        client.create("nodes", {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}})
        node = world.api.lister("nodes").get("", name)
        client.update("nodes", {**node, "status": {"capacity": amounts, "allocatable": amounts}}, subresource="status")
    for name in ("multi", "multi2"):
        volumes = {"volumes": [{"name": "e", "emptyDir": {}}]} if name == "multi2" else {}
        containers = [{"name": "web", "image": "nginx"}, {"name": "sidecar", "image": "busybox"}]
        _create(client, "pods", "v1", "Pod", name, {"app": "multi", "tier": "front"}, spec={
            "nodeName": "w1-k8s", "containers": containers, "initContainers": [{"name": "init", "image": "busybox"}], **volumes})
    _deployment(client)
    _create(client, "configmaps", "v1", "ConfigMap", "cm", data={"a": "b", "x.y": "z"})
    _create(client, "secrets", "v1", "Secret", "s", data={"pw": "YQ=="})
    _create(client, "services", "v1", "Service", "svc", spec={"selector": {"app": "d1"}, "ports": [{"port": 80}]})
    _create(client, "services", "v1", "Service", "nosel", spec={"ports": [{"port": 80}]})
    for name, more in (("e1", {"count": 1}), ("e2", {"count": 3, "type": "Warning"})):
        about = {"apiVersion": "v1", "kind": "Pod", "name": "multi", "namespace": "default"}
        _create(client, "events", "v1", "Event", name, involvedObject=about,
                **{"type": "Normal", "reason": name, "message": f"hello {name}", "source": {"component": "x"},
                   "firstTimestamp": clock.timestamp(), "lastTimestamp": clock.timestamp(), **more})
    if chapter.startswith("kinds/"):
        furnish(world)
    return world


def _create(client: Client, resource: str, version: str, kind: str, name: str, labels: dict[str, str] | None = None, **more: Any) -> Any:
    meta: dict[str, Any] = {"name": name, "namespace": "default", **({"labels": labels} if labels else {}), **more.pop("meta", {})}
    return client.create(resource, {"apiVersion": version, "kind": kind, "metadata": meta, **more})


def _deployment(client: Client) -> None:
    """A Deployment with three revisions behind it."""
    variables = [{"name": "A", "value": "1"}, {"name": "P", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
                 {"name": "S", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
                 {"name": "C", "valueFrom": {"configMapKeyRef": {"name": "cm", "key": "a"}}}]
    template = {"metadata": {"labels": {"app": "d1"}}, "spec": {"containers": [
        {"name": "nginx", "image": "nginx", "env": variables}, {"name": "side", "image": "busybox"}]}}
    made = _create(client, "deployments.apps", "apps/v1", "Deployment", "d1", {"app": "d1"},
                   spec={"replicas": 3, "selector": {"matchLabels": {"app": "d1"}}, "template": template})
    owner = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "d1", "uid": made["metadata"]["uid"], "controller": True}
    for number, image in enumerate(("nginx:1", "nginx:2", "nginx"), 1):
        own = copy.deepcopy(made["spec"]["template"])
        own["spec"]["containers"][0]["image"] = image
        own["metadata"]["labels"]["pod-template-hash"] = f"h{number}"
        told = {"deployment.kubernetes.io/revision": str(number), **({"kubernetes.io/change-cause": "because"} if number == 2 else {})}
        _create(client, "replicasets.apps", "apps/v1", "ReplicaSet", f"d1-{number}", own["metadata"]["labels"],
                meta={"annotations": told, "ownerReferences": [owner]},
                spec={"replicas": 0, "selector": {"matchLabels": own["metadata"]["labels"]}, "template": own})


def normal(text: str) -> str:
    """The text without what differs from run to run; blanks count unless an age, whose width varies, is among the columns."""
    for pattern, word in NORMAL:
        text = re.sub(pattern, word, text)
    return re.sub(r"  +", "  ", text) if "AGE" in text else text


REASONS, BETWEEN = re.compile(r"\[(cannot delete [^\]]*)\]"), re.compile(r", (?=cannot delete )")
DRAINED = re.compile(r"^Warning: ((?:deleting|ignoring) .*; .*)$", re.MULTILINE)
FROM_ONE_OBJECT = re.compile(r"^# \S+ from (configmap|secret) (\S+), key \S+\n(?:# \S+ from \1 \2, key \S+\n)+", re.MULTILINE)


def comparable(stdout: str, stderr: str, code: int) -> tuple[str, list[str], int]:
    """kubectl tells several errors, what keeps a node from being drained, and the keys that ``envFrom`` takes from one object, in no
    order; a busy machine ends a watch early, which client-go's log tells too."""
    stderr = REASONS.sub(lambda found: f"[{', '.join(sorted(BETWEEN.split(found[1])))}]", stderr)
    stderr = DRAINED.sub(lambda found: f"Warning: {'; '.join(sorted(found[1].split('; ')))}", stderr)
    stdout = FROM_ONE_OBJECT.sub(lambda run: "".join(sorted(run[0].splitlines(keepends=True))), stdout)
    return normal(stdout), sorted(line for line in normal(stderr).splitlines() if not LOGGED.match(line)), code


def chapters() -> list[str]:
    return sorted(str(path.relative_to(RECORDINGS).with_suffix("")) for path in RECORDINGS.rglob("*.txt"))


def recorded(chapter: str) -> list[tuple[str, int, str, str]]:
    """(line, exit code, stdout, stderr) of each step."""
    steps = []
    for part in (RECORDINGS / f"{chapter}.txt").read_text().split("\n$ ")[1:]:
        line, _, rest = part.partition("\n")
        code, _, rest = rest.partition("\n--- stdout\n")
        stdout, _, stderr = rest.partition("--- stderr\n")
        steps.append((line, int(code.strip("[]").removeprefix("exit ")), stdout, stderr))
    return steps


def written(line: str, code: int, stdout: str, stderr: str) -> str:
    return f"\n$ {line}\n[exit {code}]\n--- stdout\n{stdout}--- stderr\n{stderr}"
