"""Two equal worlds, one for the real kubectl over HTTP and one for the terminal's own: ``python -m tests.clients.kubectl_pair PORT``.

A world is an API server with nothing behind it (no controller, no kubelet), so that nothing happens between two commands and both
clients must print the same to the byte.
"""

from __future__ import annotations

import random
import sys
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from server.cluster.apiserver.client import Client
from server.cluster.apiserver.server import ApiServer
from server.cluster.clock import Clock
from server.cluster.store import Store

EPOCH = datetime(2026, 11, 21, tzinfo=UTC)


def world() -> Any:
    """An empty cluster: namespaces, the default service account, three nodes."""
    clock, store, chance = Clock(EPOCH), Store(10_000), random.Random(7)
    api = ApiServer(clock, store, chance)
    client = Client(api, "kubeadm", "kubernetes-admin")
    for name in ("default", "kube-system", "dev"):
        client.create("namespaces", {"metadata": {"name": name}})
        client.create("serviceaccounts", {"metadata": {"name": "default", "namespace": name}})
    for name in ("w1-k8s", "w2-k8s", "w3-k8s"):
        client.create("nodes", {"metadata": {"name": name, "labels": {"kubernetes.io/hostname": name}}})
    clock.run_for(100)
    return SimpleNamespace(clock=clock, store=store, random=chance, api=api)


def main(port: int) -> None:
    from server import green

    green.patch()
    from server.kubeapi import KubeApi

    room = SimpleNamespace(cluster=world(), commands=0, touch=lambda: None, after_write=lambda: None)

    def below(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("404 Not Found", [("Content-Length", "0")])
        return [b""]

    green.serve(KubeApi(lambda name, key: room, below), "127.0.0.1", port, on_listen=lambda port: print(port, flush=True))


if __name__ == "__main__":
    main(int(sys.argv[1]))
