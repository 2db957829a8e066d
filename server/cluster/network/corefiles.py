"""When the cluster's CoreDNS pods take up a Corefile that was edited: each looks at its file every half a minute, as its ``reload`` plugin does.

In: the ConfigMap ``coredns``, by watch. Out: reloads of the servers in the pods, and ``on_change``. Nothing runs until the ConfigMap changes,
and nothing any more once every pod has loaded, or refused, what it says.

Source: https://coredns.io/plugins/reload/
"""

from __future__ import annotations

import zlib
from collections.abc import Callable

from server.cluster.network.connection import Connections
from server.cluster.objects import Key, Object, key
from server.cluster.parts import Parts
from server.cluster.runtime.pages import coredns
from server.cluster.selectors import from_labels
from server.cluster.store import Event

NAMESPACE, NAME, LABELS, CONTAINER = "kube-system", "coredns", {"k8s-app": "kube-dns"}, "coredns"
EVERY, JITTER, MOST_LOOKS = 30.0, 15.0, 8


class Corefiles:
    def __init__(self, parts: Parts, connections: Connections) -> None:
        self._api = parts.api
        self._clock = parts.clock
        self._connections = connections
        self._waiting: dict[Key, int] = {}
        self._callbacks: list[Callable[[], None]] = []
        self._started = False

    def start(self) -> None:
        if self._started:
            return
        self._started = True
        self._api.watch("configmaps", self._on_config_map)
        self._clock.call_later(0.0, self._look_soon)

    def on_change(self, callback: Callable[[], None]) -> None:
        """``callback()`` when a server answers by another Corefile."""
        self._callbacks.append(callback)

    def _on_config_map(self, event: Event) -> None:
        if event.key == (NAMESPACE, NAME):
            self._look_soon()

    def _look_soon(self) -> None:
        text = self._wanted()
        for pod in self._api.lister("pods").select(NAMESPACE, from_labels(LABELS)) if text else ():
            where, container = key(pod), self._container(key(pod))
            if container is None or coredns.is_loaded(container, text):
                continue
            fresh = where not in self._waiting
            self._waiting[where] = MOST_LOOKS
            if fresh:
                self._again(where)

    def _wanted(self) -> str:
        found: Object = self._api.lister("configmaps").get(NAMESPACE, NAME) or {}
        return (found.get("data") or {}).get("Corefile", "")

    def _container(self, pod: Key) -> object | None:
        backend = self._connections.backend
        found = backend.container(*pod, CONTAINER) if backend is not None else None
        return found if found is not None and found.running and found.launch.plan.kind == "server" else None

    def _again(self, pod: Key) -> None:
        self._clock.call_later(EVERY + zlib.crc32("/".join(pod).encode()) % 1000 / 1000 * JITTER, self._look, pod)

    def _look(self, pod: Key) -> None:
        left, container = self._waiting.pop(pod, 0) - 1, self._container(pod)
        if container is None or "reload" not in {plugin for block in coredns.loaded(container).blocks for plugin in block.plugins}:
            return
        if coredns.reload(container):
            for callback in self._callbacks:
                callback()
        elif left > 0 and not coredns.is_loaded(container, self._wanted()) and not coredns.refused(container, self._wanted()):
            self._waiting[pod] = left
            self._again(pod)
