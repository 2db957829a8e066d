"""The load balancer: gives Services of type LoadBalancer an external address, as MetalLB or a cloud would.

Addresses come from a pool in the nodes' own network, lowest free first; a Service may ask for one with ``spec.loadBalancerIP``. Switched
off (which is kept in the state), or with nothing left, it leaves Services ``<pending>``; what has an address keeps it. A Service with a
``loadBalancerClass`` is somebody else's.

Source: https://kubernetes.io/docs/concepts/services-networking/service/#loadbalancer
"""

from __future__ import annotations

from collections.abc import Callable

from server.cluster.controllers.base import Controller
from server.cluster.objects import Key, Object, key, replaced
from server.cluster.parts import Parts
from server.cluster.store import DELETED, Event

POOL = range(200, 250)  # of the control plane's own block
STATE = "load-balancer"
NONE_LEFT = "AllocationFailed"


class LoadBalancerController(Controller):
    name = "service-lb-controller"
    component = "load-balancer"
    reaction = 0.05
    reconciles = "services"

    def __init__(self, parts: Parts, block: Callable[[], str]) -> None:
        super().__init__(parts)
        self._block = block
        self.watch("services", self._on_service)

    @property
    def pool(self) -> tuple[str, ...]:
        """Every address that there is to give."""
        block = self._block()
        return tuple(f"{block}.{last}" for last in POOL)

    @property
    def on(self) -> bool:
        return self.parts.state.get(STATE) is None

    def switch(self, on: bool) -> None:
        """Whether the cluster has a load balancer at all."""
        self.parts.state.set(STATE, None if on else {"off": True})
        if on:
            self.start()
        else:
            self.stop()

    def take_up(self) -> None:
        """Begins, if it is on."""
        if self.on:
            self.start()

    def _on_service(self, event: Event) -> None:
        service = event.object
        if event.type == DELETED:
            if _addresses(event.previous or service):
                for waiting in self._waiting():
                    self.enqueue(key(waiting), event)
        elif service["spec"].get("type") == "LoadBalancer" or _addresses(service):
            self.enqueue(key(service), event)

    def _waiting(self) -> list[Object]:
        return [service for service in self.lister("services").list() if _ours(service) and not _addresses(service)]

    def reconcile(self, key: Key) -> None:
        service = self.lister("services").get(*key)
        if service is None or "deletionTimestamp" in service["metadata"]:
            return
        has = _addresses(service)
        if not _ours(service):
            if has and service["spec"].get("type") != "LoadBalancer":
                self.client.update("services", replaced(service, {("status", "loadBalancer"): {}}), "status")
                for waiting in self._waiting():
                    self.enqueue((waiting["metadata"]["namespace"], waiting["metadata"]["name"]))
            return
        wanted = self._address_for(service, has)
        if wanted is None and not has:
            asked = service["spec"].get("loadBalancerIP")
            why = f'"{asked}" is not allowed in config' if asked and asked not in self.pool else "no available IPs"
            self.record(service, "Warning", NONE_LEFT, f'Failed to allocate IP for "{key[0]}/{key[1]}": {why}')
        elif wanted is not None and [wanted] != has:
            ingress = [{"ip": wanted, "ipMode": "VIP"}]
            self.client.update("services", replaced(service, {("status", "loadBalancer"): {"ingress": ingress}}), "status")

    def _address_for(self, service: Object, has: list[str]) -> str | None:
        """What the Service should have; None when nothing is free, or what it asks for is not."""
        taken = {address: True for other in self.lister("services").list() if other is not service for address in _addresses(other)}
        asked = service["spec"].get("loadBalancerIP")
        pool = self.pool
        if asked:
            return asked if asked in pool and asked not in taken else None
        if has and has[0] in pool and has[0] not in taken:
            return has[0]
        return next((address for address in pool if address not in taken), None)


def _ours(service: Object) -> bool:
    return service["spec"].get("type") == "LoadBalancer" and not service["spec"].get("loadBalancerClass")


def _addresses(service: Object) -> list[str]:
    ingress = ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ()
    return [entry["ip"] for entry in ingress if entry.get("ip")]
