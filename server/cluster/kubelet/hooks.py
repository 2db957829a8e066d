"""What a container's spec asks of its start and stop beyond its command: lifecycle hooks, and not to be root.

A command runs beside the container's own program, on the clock; whoever asked hears when it has ended, and what went wrong.

Source: https://kubernetes.io/docs/concepts/containers/container-lifecycle-hooks/
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from server.cluster.kubelet import commands
from server.cluster.kubelet.cell import Cell
from server.cluster.kubelet.probes import port_of
from server.cluster.objects import Object
from server.cluster.runtime.images import Image
from server.cluster.runtime.runtime import ConnectionRefused, NoHttp

if TYPE_CHECKING:
    from server.cluster.kubelet.pod_worker import PodWorker

LONGEST = 300.0
UNPRIVILEGED = ("nginxinc/nginx-unprivileged", "prom/", "grafana/", "hashicorp/http-echo", "bitnami/", "curlimages/", "gcr.io/distroless/")


def run(worker: PodWorker, pod: Object, cell: Cell, hook: Object, then: Callable[[str], None]) -> float:
    """``then(fault)`` (fault "": none) is called when it has ended: for a command some time later, and inf is the answer; otherwise at
    once, and the answer is how many seconds it takes from now."""
    if "sleep" in hook:
        then("")
        return float(hook["sleep"].get("seconds", 0))
    if "exec" in hook:
        _exec(cell, list(hook["exec"].get("command") or ()), then)
        return float("inf")
    then(_http(worker, pod, cell, hook["httpGet"]) if "httpGet" in hook else "")
    return 0.0


def _exec(cell: Cell, argv: list[str], then: Callable[[str], None]) -> None:
    def ended(done: commands.Done) -> None:
        if done.refused:
            then(done.refused)
        else:
            then("" if done.code in (0, None) else f"command '{' '.join(argv)}' exited with {done.code}: {done.text.strip()}")

    commands.run(cell.container, argv, LONGEST, ended)


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
