"""What each image's program uses while it runs, as data: idle CPU, memory, and CPU per request.

``figures(image, plan)`` picks the row of the image, else of the server that runs in it; a shell or a program that waits uses next to
nothing. Orders of magnitude are those that ``kubectl top`` shows of the real images.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from server.cluster.runtime.images import Image
    from server.cluster.runtime.plans import Plan

MILLI = 1_000_000  # nanocores
MICROSECONDS = 1_000  # of CPU, in nanocore-seconds
MEBI = 1024**2


class Figures(NamedTuple):
    """Nanocores when idle, bytes, and nanocore-seconds for each request."""

    cpu: int
    memory: int
    request: int = 0


def _row(cpu: float, memory: float, request: int = 0) -> Figures:
    """Millicores, mebibytes, microseconds of CPU."""
    return Figures(int(cpu * MILLI), int(memory * MEBI), request * MICROSECONDS)


SERVERS: dict[str, Figures] = {
    "nginx": _row(0.03, 3.4, 80), "httpd": _row(0.6, 6.2, 250), "redis": _row(1.8, 4.1, 20), "mysql": _row(4.6, 352, 400),
    "postgres": _row(1.4, 27, 300), "mongo": _row(6.1, 148, 300), "tomcat": _row(1.7, 116, 900), "kiamol": _row(0.6, 5.6, 250),
    "app": _row(0.8, 18, 2_000), "echo-hname": _row(0.03, 3.6, 90), "echo-ip": _row(0.03, 3.6, 90), "node-exporter": _row(1.1, 11, 6_000),
    "http-echo": _row(0.02, 2.9, 60), "whoami": _row(0.02, 3.2, 70), "kubia": _row(0.4, 15, 700), "node-hello": _row(0.4, 16, 700),
    "hello-app": _row(0.02, 3.0, 60), "hpa-example": _row(0.9, 9.3, 60_000), "agnhost": _row(0.1, 8.5, 150), "pause": _row(0, 0.25),
    "ingress-nginx": _row(2.1, 68, 150), "coredns": _row(1.9, 15, 60), "http.server": _row(0.3, 9.5, 900), "nginx-hello": _row(0.03, 3.6, 90),
    "bootcamp": _row(0.4, 16, 700), "echoserver": _row(0.1, 8.0, 200), "json-echo": _row(0.4, 22, 900), "https-echo": _row(0.4, 30, 900),
    "httpbin": _row(0.5, 38, 1_500), "liveness": _row(0.02, 2.9, 60), "goproxy": _row(0.02, 3.1, 60), "quiet": _row(1.0, 22, 300),
}
IMAGES: dict[str, Figures] = {
    "etcd": _row(18, 46), "kube-apiserver": _row(41, 268), "kube-controller-manager": _row(13, 52), "kube-scheduler": _row(3.4, 23),
    "kube-proxy": _row(0.7, 17), "calico/node": _row(21, 118), "metrics-server": _row(3.6, 21), "calico/kube-controllers": _row(2.1, 24),
    "wordpress": _row(0.7, 31, 30_000), "memcached": _row(0.2, 1.9, 15), "rabbitmq": _row(8.5, 128, 500), "elasticsearch": _row(12, 1180, 2_000),
    "prom/prometheus": _row(6.2, 64, 1_500), "grafana/grafana": _row(3.0, 78, 3_000), "traefik": _row(0.6, 24, 150),
    "haproxy": _row(0.2, 12, 60), "caddy": _row(0.1, 11, 120), "nginx/nginx-ingress": _row(1.0, 32, 120),
}
SHELL, WAITING = _row(0.01, 0.45), _row(0, 0.35)


@lru_cache(maxsize=4096)
def figures(image: Image, plan: Plan) -> Figures:
    """
    >>> from server.cluster.runtime.images import image
    >>> from server.cluster.runtime.plans import plan
    >>> nginx = image("nginx:1.27")
    >>> figures(nginx, plan(nginx, (), ())).memory // 2**20
    3
    """
    if plan.kind == "program":
        return SHELL
    if plan.kind != "server":
        return WAITING
    name = image.reference.familiar
    for known in (name, name.rpartition("/")[2]):
        if known in IMAGES:
            return IMAGES[known]
    return SERVERS.get(plan.server, SERVERS["app"])
