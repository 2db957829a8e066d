"""What every component of a control plane is given: one clock, one API server, one source of chance, and a way to make clients."""

from __future__ import annotations

import random as random_module
from collections.abc import Callable
from dataclasses import dataclass, field

from server.cluster.apiserver.client import Client
from server.cluster.apiserver.server import ApiServer
from server.cluster.clock import Clock
from server.cluster.disks import Disks
from server.cluster.events import EventRecorder
from server.cluster.store import State

CONTROLLER_USER = "system:kube-controller-manager"


class Heartbeats:
    """Whose kubelet is silent, and since when. A kubelet that is well costs nothing: only stopping and resuming are events."""

    def __init__(self, clock: Clock, state: State) -> None:
        self._clock = clock
        self._state = state
        self._callbacks: list[Callable[[str], None]] = []

    def stop(self, node: str, because: int | str | None = None) -> None:
        """The node's heartbeats end now; ``because`` is the act that ended them."""
        if self.stopped_at(node) is None:
            self._state.set(f"heartbeat/{node}", {"stopped_at": self._clock.now, "because": because})
            self._tell(node)

    def resume(self, node: str, because: int | str | None = None) -> None:
        if self.stopped_at(node) is not None:
            self._state.set(f"heartbeat/{node}", None)
            self._tell(node)

    def because(self, node: str) -> int | str | None:
        """The act that silenced a node."""
        value = self._state.get(f"heartbeat/{node}")
        return value.get("because") if value is not None else None

    def stopped_at(self, node: str) -> float | None:
        """The virtual moment of the last heartbeat of a silent node; None for one that is well."""
        value = self._state.get(f"heartbeat/{node}")
        return value["stopped_at"] if value is not None else None

    def on_change(self, callback: Callable[[str], None]) -> None:
        """``callback(node)`` at every stop and resume."""
        self._callbacks.append(callback)

    def _tell(self, node: str) -> None:
        for callback in self._callbacks:
            callback(node)


@dataclass(slots=True)
class Parts:
    """Handed to each component when it is built. ``leads_since(component)`` is the moment at which a process of the control plane took
    up its work and knew nothing yet of what was before."""

    clock: Clock
    api: ApiServer
    random: random_module.Random
    state: State
    heartbeats: Heartbeats = field(init=False)
    disks: Disks = field(init=False)
    leads_since: Callable[[str], float] = lambda component: float("-inf")

    def __post_init__(self) -> None:
        self.heartbeats = Heartbeats(self.clock, self.state)
        self.disks = Disks(self.state)

    def client(self, name: str, user: str = CONTROLLER_USER) -> Client:
        """A client of the API server; ``name`` is what its writes are signed with."""
        return Client(self.api, name, user)

    def breathe(self) -> None:
        """Called in the middle of long work: whoever runs the cluster may do something else."""
        if self.api.breathe is not None:
            self.api.breathe()

    def recorder(self, client: Client, component: str, host: str = "") -> EventRecorder:
        return EventRecorder(self.clock, client, component, host)
