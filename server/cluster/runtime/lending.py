"""A process that puts another one in its place: on another machine, or in a container, in front of the same terminal.

Who logs in somewhere, or enters a container, lends its own descriptors to what runs there, and waits; Ctrl-C and the shape of the line go
to the other process meanwhile. When it ends, or the one that waits does, the terminal is as it was.

Source: https://man7.org/linux/man-pages/man3/tcsetpgrp.3.html
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from server.cluster.process import Pass
from server.cluster.runtime.proc import Proc
from server.cluster.runtime.signals import HUP
from server.cluster.runtime.streams import Stream
from server.cluster.runtime.system import System
from server.cluster.runtime.tty import Tty

LENT = ("foreground", "on_signal", "on_resize", "history", "complete", "prompt", "raw")


class Login:
    """The session that processes of one visit belong to."""

    edit = None


def descriptors(proc: Proc, typed: bool) -> dict[int, Stream]:
    """What is lent: the terminal for all three, or whatever they are."""
    if typed and proc.tty is not None:
        return dict.fromkeys((0, 1, 2), proc.tty)
    return {fd: proc.fds[fd] for fd in (0, 1, 2) if fd in proc.fds}


def run(proc: Proc, system: System, argv: list[str], fds: dict[int, Stream], **how: Any) -> Generator[Any, Any, int]:
    """Runs ``argv`` there and gives its exit code. ExecFault, Fault."""
    terminal = fds.get(0)
    login = Login()
    yield from proc.flush()
    child = system.spawn(argv, fds=fds, session=login, **how)
    kept: dict[str, Any] = {}
    if isinstance(terminal, Tty):
        kept = {name: getattr(terminal, name) for name in LENT}
        terminal.foreground, terminal.history, terminal.complete, terminal.raw = child.group, None, None, False
        terminal.on_signal = lambda signal: system.signal_group(terminal.foreground, signal)
    try:
        while child.alive:
            yield Pass(child.done)
    finally:
        for name, value in kept.items():
            setattr(terminal, name, value)
        for other in [other for other in system.procs.values() if other.session is login and other.alive]:
            system.signal(other, HUP)
    return child.status or 0
