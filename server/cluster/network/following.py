"""What may change how a flow's requests go: told once for all flows, and only while there are any.

In: watches on Services, EndpointSlices, pods, nodes, Ingresses, Secrets; heartbeats, policies, proxy modes. Out: ``look_again()`` when one that
matters has changed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from server.cluster.network.flows import SERVICE, URL, Flow
from server.cluster.objects import Key, key
from server.cluster.parts import Parts
from server.cluster.store import Event, Watch

if TYPE_CHECKING:
    from server.cluster.network.network import Network

SLICES, SERVICE_NAME = "endpointslices.discovery.k8s.io", "kubernetes.io/service-name"
DNS = ("kube-system", "kube-dns")
INGRESSES = ("ingresses.networking.k8s.io", "ingressclasses.networking.k8s.io")


class Following:
    def __init__(self, parts: Parts, network: Network, look_again: Callable[[], None]) -> None:
        self._api = parts.api
        self._look_again = look_again
        self._flows: dict[str, Flow] = {}
        self._watches: list[Watch] = []
        parts.heartbeats.on_change(lambda node: look_again())
        network.policies.on_change(look_again)
        network.proxy.on_change(look_again)
        network.corefiles.on_change(look_again)

    def begin(self, flows: dict[str, Flow]) -> None:
        self._flows = flows
        if not self._watches:
            self._watches = [self._api.watch(resource, callback) for resource, callback in (
                ("services", self._on_service), (SLICES, self._on_slice), ("pods", self._on_pod), ("nodes", self._on_node),
                ("secrets", self._on_secret), *((resource, self._on_ingress) for resource in INGRESSES))]

    def end(self) -> None:
        for watch in self._watches:
            watch.stop()
        self._watches = []

    def _concerns(self, service: Key) -> bool:
        """Whether a Service is a flow's target, or lies on its way."""
        return any(flow.target.kind != SERVICE or flow.target.key == service or service == DNS and flow.pod is not None
                   for flow in self._flows.values())

    def _on_service(self, event: Event) -> None:
        if self._concerns(key(event.object)):
            self._look_again()

    def _on_slice(self, event: Event) -> None:
        meta = event.object["metadata"]
        if self._concerns((meta["namespace"], (meta.get("labels") or {}).get(SERVICE_NAME, ""))):
            self._look_again()

    def _on_pod(self, event: Event) -> None:
        where = key(event.object)
        if event.previous is None and not any(flow.target.key == where for flow in self._flows.values()):
            return
        if any(flow.pod == where or flow.target.key == where or any(path.pod == where for path in flow.paths)
               for flow in self._flows.values()):
            self._look_again()

    def _on_node(self, event: Event) -> None:
        before = event.previous
        if before is None or (before.get("status") or {}).get("conditions") != (event.object.get("status") or {}).get("conditions") \
                or before["metadata"].get("labels") != event.object["metadata"].get("labels"):
            self._look_again()

    def _on_ingress(self, event: Event) -> None:
        before = event.previous
        if before is None or before.get("spec") != event.object.get("spec") \
                or before["metadata"].get("annotations") != event.object["metadata"].get("annotations"):
            self._look_again()

    def _on_secret(self, event: Event) -> None:
        if any(path.through for flow in self._flows.values() for path in flow.paths) or any(
                flow.target.kind == URL for flow in self._flows.values()):
            self._look_again()
