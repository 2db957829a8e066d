"""The ports of a container: who takes connections there, from when on, until when.

Source: https://man7.org/linux/man-pages/man2/listen.2.html
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from server.cluster.clock import Clock
from server.cluster.runtime.proc import Proc
from server.cluster.runtime.servers import Server
from server.cluster.runtime.serving import IN_USE, Listener
from server.cluster.runtime.streams import Fault

if TYPE_CHECKING:
    from server.cluster.runtime.runtime import Sandbox


class ContainerPorts:
    """``listeners`` by the process that listens, None for the server that the container is."""

    __slots__ = ()
    sandbox: Sandbox
    clock: Clock
    running: bool
    listeners: dict[Proc | None, Listener]
    on_change: Callable[[Any, bool], None]
    touch: Callable[[], None]
    burning: Callable[[], None]
    _ports: tuple[int, ...]

    def listen(self, proc: Proc | None, ports: tuple[int, ...], listener: Listener) -> None:
        """A program takes connections on ports of the pod, until it ends. Fault when one of them is taken."""
        taken = {port for other in self.sandbox.containers.values() if other.running for port in other.ports}
        if any(port in taken for port in ports):
            raise Fault(IN_USE)
        self.listeners[proc] = listener
        self._ports = (*self._ports, *ports)
        if proc is not None:
            self.touch()
            self.burning()

    def opened(self) -> None:
        """Its listeners have other ports than before."""
        self._ports = tuple(port for each in self.listeners.values() for port in each.ports)
        self.on_change(self, True)

    def unlisten(self, proc: Proc) -> None:
        listener = self.listeners.pop(proc, None)
        if listener is not None:
            self._ports = tuple(port for each in self.listeners.values() for port in each.ports)
            if self.running:
                self.touch()
                self.burning()

    @property
    def ports(self) -> tuple[int, ...]:
        """All that something listens on, or will as soon as it is up."""
        return self._ports

    def listener(self, port: int) -> Listener | None:
        """Who takes connections on a port now."""
        if port not in self._ports:
            return None
        return next((each for each in self.listeners.values() if port in each.ports and self.clock.now >= each.since), None)

    def listens(self, port: int) -> bool:
        return self.listener(port) is not None

    @property
    def serving_since(self) -> float:
        return max((each.since for each in self.listeners.values()), default=0.0)

    @property
    def server(self) -> Server | None:
        """The server that it runs, if there is one."""
        return next((each.server for each in self.listeners.values() if each.server is not None), None)
