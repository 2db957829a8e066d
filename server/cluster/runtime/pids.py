"""Process name spaces: who sees whom, under which number, and whose end is everybody's.

A container has its own unless its pod shares one (``shareProcessNamespace``: the pause process is number 1) or it came to look at another
container (``targetContainerName``: that one's first process is). Who joins takes numbers from the one counter; looking at all of them
walks the containers that have joined, and nothing is done until somebody looks.

``everybody`` may be a whole node's (see ``nodes.processes``), for pods with ``hostPID``.

Source: https://kubernetes.io/docs/tasks/configure-pod-container/share-process-namespace/ and pid_namespaces(7)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from server.cluster.runtime.proc import Proc
from server.cluster.runtime.program import Program
from server.cluster.runtime.signals import KILL, SIGNALS

if TYPE_CHECKING:
    from server.cluster.runtime.container import Container
    from server.cluster.runtime.system import System

STAGES = 6  # numbers that starting a container takes up before its first process has its own
PAUSE, PAUSE_USER = "/pause", "65535"


class Pids:
    """One name space. ``members`` are the containers in it, empty as long as there is but the one that it is of; ``paused``: number 1 is the
    pod's pause process, and the others are nobody's parents."""

    __slots__ = ("last", "paused", "members")

    def __init__(self, paused: bool = False) -> None:
        self.last = int(paused)
        self.paused = paused
        self.members: dict[Container, None] = {}

    def take(self, count: int = 1) -> int:
        """The first of so many new numbers."""
        self.last += count
        return self.last - count + 1

    def reach(self, number: int) -> None:
        """Numbers up to this one are taken."""
        self.last = max(self.last, number)

    def everybody(self, system: System) -> list[Proc]:
        """All processes as they are seen from ``system``, which is in it."""
        if not self.members:
            return list(system.procs.values())
        found = [proc for member in self.members for proc in member.system.procs.values()]
        return [_pause(system), *found] if self.paused else found


def _pause(system: System) -> Proc:
    proc = Proc(system, 1, 0, Program(lambda proc: 0), [PAUSE], {}, "/", {}, None, 1, False)
    proc.started, proc.user = min((each.started for each in system.procs.values()), default=0.0), PAUSE_USER
    proc.traps = dict.fromkeys(SIGNALS.values(), "ignore")
    return proc


def join(container: Container, workers: int, first: int | None) -> None:
    """Gives a container that begins its place: ``container.pids`` and ``container.first``. ``first`` is the number that it had before a
    restart; a target that is gone by then leaves it alone with itself."""
    sandbox, space = container.sandbox, None
    target = sandbox.containers.get(container.launch.target) if container.launch.target else None
    if target is not None and target.running:
        space = target.system.pids
        space.members.setdefault(target)
    else:
        space = sandbox.pids
    if space is None:
        return
    space.members[container] = None
    container.pids = space
    container.first = first or space.take(STAGES + 1 + workers) + STAGES
    space.reach(container.first + workers)


def leave(container: Container) -> None:
    """It is over: without number 1 nobody lives on in a name space."""
    space = container.pids
    if space is None or not space.members:
        return
    space.members.pop(container, None)
    if container.first == 1:
        for other in space.members:
            container.clock.call_later(0, other.killed, 128 + KILL)


def root_of(machine: Any, path: str) -> tuple[Any, str] | None:
    """What ``/proc/NUMBER/root/...`` leads to on another machine: (its files, the path in them), None for any other path."""
    parts = path.split("/", 4)
    if len(parts) < 4 or parts[3] != "root" or not parts[2].isdigit():
        return None
    found = next((proc.machine for proc in machine.system.seen() if proc.pid == int(parts[2])), machine)
    return None if found is machine else (found.files, "/" + (parts[4] if len(parts) > 4 else ""))


def tell(proc: Any, signal: int) -> None:
    """Sends a signal to a process that is seen, wherever it runs."""
    real = getattr(proc, "real", proc)
    real.system.signal(real, signal)
