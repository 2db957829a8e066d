"""What a container's spec asks of its start and stop beyond its command: lifecycle hooks, and not to be root.

A hook is run to its end at once and says how many virtual seconds it took.

Source: https://kubernetes.io/docs/concepts/containers/container-lifecycle-hooks/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from server.cluster.kubelet.cell import Cell
from server.cluster.kubelet.probes import port_of
from server.cluster.objects import Object
from server.cluster.runtime.files import NotSimulated
from server.cluster.runtime.images import Image
from server.cluster.runtime.runtime import ConnectionRefused, NoHttp

if TYPE_CHECKING:
    from server.cluster.kubelet.pod_worker import PodWorker

LONGEST = 300.0
UNPRIVILEGED = ("nginxinc/nginx-unprivileged", "prom/", "grafana/", "hashicorp/http-echo", "bitnami/", "curlimages/", "gcr.io/distroless/")


def run(worker: PodWorker, pod: Object, cell: Cell, hook: Object) -> tuple[str, float]:
    """(what went wrong or "", seconds that it took)."""
    if "sleep" in hook:
        return "", float(hook["sleep"].get("seconds", 0))
    if "httpGet" in hook:
        return _http(worker, pod, cell, hook["httpGet"]), 0.0
    if "exec" in hook:
        return _exec(cell, list(hook["exec"].get("command") or ()))
    return "", 0.0


def _exec(cell: Cell, argv: list[str]) -> tuple[str, float]:
    try:
        done, elapsed = cell.container.execute(argv, LONGEST)
    except FileNotFoundError:
        return f'exec: "{argv[0]}": executable file not found in $PATH: unknown', 0.0
    except NotSimulated as unknown:
        return f"podium: {unknown} is not simulated", 0.0
    if done.status in (0, -1):
        return "", elapsed
    return f"command '{' '.join(argv)}' exited with {done.status}: {(done.out + done.err).strip()}", elapsed


def _http(worker: PodWorker, pod: Object, cell: Cell, action: Object) -> str:
    port = port_of(worker.spec(cell.name), action.get("port")) or 0
    path = action.get("path") or "/"
    url = f"http://{cell.container.ip}:{port}{path}"
    try:
        status, _, _ = worker.kubelet.runtime.http(pod, port, "GET", path, {"User-Agent": "kube-lifecycle/1.36"})
    except ConnectionRefused:
        return f'Get "{url}": dial tcp {cell.container.ip}:{port}: connect: connection refused'
    except NoHttp:
        return f'Get "{url}": EOF'
    return "" if status < 400 else f"HTTP probe failed with statuscode: {status}"


def root_forbidden(pod: Object, spec: Object, image: Image) -> str:
    """Why a container that must not be root cannot be made; "" if it can."""
    own, shared = spec.get("securityContext") or {}, pod["spec"].get("securityContext") or {}
    if not own.get("runAsNonRoot", shared.get("runAsNonRoot")):
        return ""
    meta = pod["metadata"]
    about = f'(pod: "{meta["name"]}_{meta["namespace"]}({meta["uid"]})", container: {spec["name"]})'
    user = own.get("runAsUser", shared.get("runAsUser"))
    if user == 0:
        return f"container's runAsUser breaks non-root policy {about}"
    if user is None and image.known and not image.reference.familiar.startswith(UNPRIVILEGED):
        return f"container has runAsNonRoot and image will run as root {about}"
    return ""
