"""A machine that is no container: the workstation beside the cluster, or a node one has logged in to.

In: its disk, its place in the network, its programs. Out: a ``Machine`` for their processes, with a table of them, files that outlive
them and the ports on which they listen. Its processes belong to people's sessions: a restart of the server ends them, as it ends their
connections.

Source: https://www.freedesktop.org/software/systemd/man/latest/bootup.html
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from server.cluster.clock import Clock
from server.cluster.disks import Disks, tree
from server.cluster.inodes import Layer, Layers
from server.cluster.runtime import kits
from server.cluster.runtime.files import Files
from server.cluster.runtime.pids import Pids, root_of
from server.cluster.runtime.proc import Proc
from server.cluster.runtime.procfs import Live
from server.cluster.runtime.program import Program
from server.cluster.runtime.programs import PROGRAMS
from server.cluster.runtime.reach import Reach
from server.cluster.runtime.streams import Fault, Null, Stream
from server.cluster.runtime.system import BURST, System
from server.cluster.runtime.tty import Tty

if TYPE_CHECKING:
    from server.cluster.runtime.reach import Talk
    from server.cluster.runtime.serving import Listener

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
MOST_LISTENERS = 64


class Host:
    """``own`` are programs that only this machine has; ``base`` what its disk held before anything was written to it."""

    def __init__(self, hostname: str, kit: str, clock: Clock, disks: Disks, disk: str, base: Layer, reach: Callable[[], Reach],
                 ip: Callable[[], str], own: dict[str, Program], variables: dict[str, str], burst: int = BURST, pids: Pids | None = None) -> None:
        self.hostname = hostname
        self.kit = kit
        self.clock = clock
        self.listeners: dict[int, tuple[Proc, Listener]] = {}
        self._ip = ip
        self._reach = reach
        self._own = own
        self._variables = variables
        epoch = clock.epoch.timestamp()
        self.files = Files({}, {}, (), lambda mount: tree(disks, disk), lambda: None, layer=Layers(base, Live(self)), root=tree(disks, disk),
                           now=lambda: epoch + clock.now, born=epoch)
        self.system = System(self, lambda fd: Null(), burst=burst, pids=pids)
        self.files.elsewhere = lambda path: root_of(self, path)
        self.system.on_gone = self._free
        self.system.adopt(["/sbin/init"], "/", lambda signal: None, clock.now)

    @property
    def ip(self) -> str:
        return self._ip()

    def environment(self) -> dict[str, str]:
        return {"PATH": PATH, "HOSTNAME": self.hostname, "LANG": "C.UTF-8", **self._variables}

    def time(self) -> datetime:
        return self.clock.epoch + timedelta(seconds=self.clock.now)

    def network(self) -> Reach:
        return self._reach()

    def find(self, name: str) -> Program | None:
        return self._own.get(name) or (PROGRAMS.get(name) if kits.holds(self.kit, name) else None)

    def binary(self, name: str) -> Program | None:
        return self.find(name) or PROGRAMS.get(name)

    def where(self, name: str) -> str:
        return f"/usr/local/bin/{name}" if name in self._own else kits.where(self.kit, name) if self.find(name) is not None else ""

    def programs(self) -> list[str]:
        """The names of all programs."""
        return sorted({*self._own, *(name for name in PROGRAMS if kits.holds(self.kit, name))})

    def changed(self) -> None:
        """Nothing of it is kept."""

    def burning(self) -> None:
        """What a person computes on it is nobody's CPU but their own."""

    # ports

    def listen(self, proc: Proc, ports: tuple[int, ...] | int, listener: Listener | Callable[[str], Talk]) -> None:
        """A process takes connections at these ports until it ends; Fault when one is taken."""
        from server.cluster.runtime.serving import IN_USE, Listener

        wanted = (ports,) if isinstance(ports, int) else tuple(ports)
        if not isinstance(listener, Listener):
            listener = Listener(wanted, self.clock.now, handler=listener)
        if any(port in self.listeners for port in wanted):
            raise Fault(IN_USE)
        if len(self.listeners) + len(wanted) > MOST_LISTENERS:
            raise Fault("Too many open files")
        for port in wanted:
            self.listeners[port] = (proc, listener)

    def _free(self, proc: Proc) -> None:
        self.listeners = {port: entry for port, entry in self.listeners.items() if entry[0] is not proc}

    def listening(self, port: int) -> Listener | None:
        """Who takes connections at a port of this machine."""
        entry = self.listeners.get(port)
        return entry[1] if entry is not None else None

    # people

    def enter(self, argv: list[str], fds: dict[int, Stream], session: Any = True, **how: Any) -> Proc:
        """A process of a session, in a group of its own, in front of its terminal if it has one. ExecFault, Fault."""
        proc = self.system.spawn(argv, fds=fds, session=session, outside=True, **how)
        terminal = fds.get(0)
        if isinstance(terminal, Tty):
            terminal.foreground = proc.group
            terminal.on_signal = lambda signal: self.system.signal_group(terminal.foreground, signal)
        return proc

    def shut(self) -> None:
        """It is switched off."""
        self.system.kill_all()
        self.listeners.clear()
