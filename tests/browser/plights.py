"""The eight situations of the ten-second test: how each is made in a room, ready to be looked at."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Post = Callable[[str, str | dict[str, Any]], Any]


def deployment(name: str, replicas: int = 1, image: str = "nginx:1.27", more: str = "", label: str = "", strategy: str = "") -> str:
    return f"""---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}}}
spec:
  replicas: {replicas}
  {strategy}
  selector: {{matchLabels: {{app: {label or name}}}}}
  template:
    metadata: {{labels: {{app: {label or name}}}}}
    spec:
      containers:
      - {{name: main, image: "{image}"{more}}}
"""


def service(name: str, label: str = "", kind: str = "ClusterIP", port: int = 80) -> str:
    return f"""---
apiVersion: v1
kind: Service
metadata: {{name: {name}}}
spec: {{type: {kind}, selector: {{app: {label or name}}}, ports: [{{port: {port}}}]}}
"""


WELL = deployment("web", 4) + service("web", kind="NodePort")
PROBED = ", readinessProbe: {httpGet: {path: /, port: 80}, initialDelaySeconds: 8}"
DENIED = """---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: deny-all}
spec: {podSelector: {matchLabels: {app: db}}, policyTypes: [Ingress]}
"""


def _advance(post: Post, seconds: float) -> None:
    post("clock", {"advance": seconds})


def make(name: str, post: Post) -> None:
    """The situation in a new room, whose time stands still from the first on."""
    post("clock", {"paused": True})
    PLIGHTS[name](post)


def healthy(post: Post) -> None:
    post("apply", WELL)
    post("traffic", {"target": "default/web", "rate": 20})
    _advance(post, 60)


def bad_image(post: Post) -> None:
    post("apply", WELL + deployment("shop", 3, "nginx:nosuch9"))
    _advance(post, 70)


def pending_for_cpu(post: Post) -> None:
    post("apply", WELL + deployment("big", 2, more=", resources: {requests: {cpu: '4'}}"))
    _advance(post, 40)


def crash_loop(post: Post) -> None:
    post("apply", WELL + deployment("worker", 2, "busybox", ", command: [sh, -c, 'echo no database; sleep 2; exit 1']"))
    _advance(post, 62)


def label_typo(post: Post) -> None:
    post("apply", WELL + deployment("api", 3, label="api-service") + service("api", "api-svc", "NodePort"))
    post("traffic", {"target": "default/api", "rate": 5})
    _advance(post, 60)


def rollout_half_way(post: Post) -> None:
    bounds = "strategy: {rollingUpdate: {maxSurge: 25%, maxUnavailable: 25%}}"
    post("apply", deployment("web", 6, "nginx:1.26", PROBED, strategy=bounds) + service("web", kind="NodePort"))
    _advance(post, 60)
    post("terminal", {"line": "kubectl set image deployment/web main=nginx:1.27"})
    _advance(post, 8)


def node_lost(post: Post) -> None:
    post("apply", deployment("web", 6) + service("web", kind="NodePort"))
    _advance(post, 60)
    post("chaos", {"fault": "power", "target": "w2-k8s"})
    _advance(post, 90)


def policy_blocks(post: Post) -> None:
    post("apply", deployment("shop", 2) + deployment("db", 1, "redis") + service("db", port=6379) + DENIED)
    _advance(post, 60)
    lines = post("terminal", {"line": "kubectl get pods -l app=shop -o name"})["stdout"].split()
    post("traffic", {"target": "default/db", "source": f"Pod/default/{lines[0].split('/')[1]}", "rate": 5})
    _advance(post, 5)


PLIGHTS = {"healthy": healthy, "bad-image": bad_image, "pending-for-cpu": pending_for_cpu, "crash-loop": crash_loop,
           "no-endpoints": label_typo, "rollout-half-way": rollout_half_way, "node-lost": node_lost, "policy-blocks": policy_blocks}
