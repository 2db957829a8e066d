"""Job control's half of a process: it stands still where it is until it is told to go on.

A process that is stopped finishes nothing: what it waited for may come, and it takes no notice. Signals wait with it, but for SIGKILL.

Source: https://pubs.opengroup.org/onlinepubs/9799919799/basedefs/V1_chap11.html#tag_11_01_04 and signal(7)
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from server.cluster.process import Gate, Pass
from server.cluster.runtime.signals import CONT, HUP, KILL, STOP, TSTP

if TYPE_CHECKING:
    from server.cluster.runtime.proc import Proc

TTIN, TTOU = 21, 22
STOPPING = frozenset({STOP, TSTP, TTIN, TTOU})


class Stopped:
    """``going`` opens when it is told to go on; ``waiting`` are the signals that came meanwhile."""

    __slots__ = ("going", "waiting")

    def __init__(self) -> None:
        self.going = Gate()
        self.waiting: list[int] = []


def heard(proc: Proc, signal: int) -> bool:
    """Whether a signal is dealt with here: it stops a process, makes it go on, or waits until it does."""
    if signal == CONT:
        go_on(proc)
        return False
    if signal in STOPPING:
        if proc.heard is None and (signal == STOP or _somebodys_job(proc)) and proc.pid != 1 and proc.stopped is None:
            proc.stopped = Stopped()
            proc.machine.burning()
            proc.done.open()
        return True
    if proc.stopped is not None and signal != KILL:
        if signal not in proc.stopped.waiting:
            proc.stopped.waiting.append(signal)
        return True
    return False


def _somebodys_job(proc: Proc) -> bool:
    """Whether a shell in another group waits for its group: nobody could make another one go on."""
    procs = proc.system.procs
    leader = procs.get(proc.group, proc)
    parent = procs.get(leader.ppid)
    return parent is not None and parent.alive and parent.group != proc.group


def go_on(proc: Proc) -> None:
    stopped, proc.stopped = proc.stopped, None
    if stopped is not None:
        for signal in stopped.waiting:
            proc.system.signal(proc, signal)
        proc.system.clock.call_later(0, stopped.going.open)
        proc.machine.burning()


def halted(proc: Proc) -> Generator[Any, Any, None]:
    """Waits as long as it is stopped."""
    while proc.stopped is not None:
        yield Pass(proc.stopped.going)


def orphaned(proc: Proc) -> None:
    """Its shell is gone: nobody could make it go on."""
    if proc.alive and proc.stopped is not None:
        proc.system.signal(proc, HUP)
        proc.system.signal(proc, CONT)
