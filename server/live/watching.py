"""Who hears of a change: the store's watchers, by the names of the clients that they are in a real cluster.

In: an event of the store. Out: the names of the controllers, the scheduler, kubelets, kube-proxy and DNS that watch that resource now, and
how many people's watches stand. What is a part of the API server itself (its cache, allocators, quota) or of Podium's page is not named.

Source: https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
"""

from __future__ import annotations

from server.cluster.cluster import Cluster
from server.cluster.controllers.base import Controller
from server.cluster.kubelet.manager import Kubelets
from server.cluster.network.dns import Dns
from server.cluster.network.proxy import Proxy
from server.cluster.scheduler.scheduler import Scheduler
from server.cluster.store import Event, Watcher

OWN = {Scheduler: "kube-scheduler", Proxy: "kube-proxy", Dns: "coredns"}


def watchers(cluster: Cluster, event: Event) -> list[str]:
    """Each once, in the order in which they are told. A kubelet watches its own node and the pods bound to it."""
    told = [*cluster.store.watchers(event.resource)]
    if event.resource == "pods":
        told += cluster.api.owned_pods.watchers(event.object)
    found = dict.fromkeys(name for watcher in told if (name := _name(watcher, event)))
    return list(found)


def _name(watcher: Watcher, event: Event) -> str | None:
    owner = getattr(watcher, "__self__", None)
    if isinstance(owner, Controller):
        return owner.name
    if isinstance(owner, Kubelets):
        node = event.key[1] if event.resource == "nodes" else (event.object.get("spec") or {}).get("nodeName")
        return f"kubelet/{node}" if node and event.resource in ("nodes", "pods") else None
    if owner is None and "watch_objects" in getattr(watcher, "__qualname__", ""):
        return "watch"
    return OWN.get(type(owner))
