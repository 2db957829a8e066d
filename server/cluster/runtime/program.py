"""What a program is, and the machine that it runs on (a container, a node, the workstation).

A program is a function of its ``Proc``: one that returns its exit code at once, or a generator that waits on the virtual clock
(``server.cluster.process``) in between. Three exceptions end it, or tell its parent why it never began.

Source: https://pubs.opengroup.org/onlinepubs/9799919799/functions/exec.html
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from server.cluster.clock import Clock
from server.cluster.process import Interrupted
from server.cluster.runtime.files import Files
from server.cluster.runtime.reach import Reach
from server.cluster.runtime.streams import Fault

if TYPE_CHECKING:
    from server.cluster.runtime.proc import Proc

MEMORY = 256 * 1024  # characters that one process may hold: what it gathers to print, a shell's variables


class OutOfMemory(Exception):
    """A process needs more than ``MEMORY``."""


class Signalled(Interrupted):
    """Raised in a program at the point where it waits; one that does not catch it ends with 128 and the signal's number."""

    def __init__(self, signal: int) -> None:
        super().__init__()
        self.signal = signal


class ExecFault(Fault):
    """A command that cannot be run: ``code`` is 127 (there is none) or 126 (it is there)."""

    def __init__(self, text: str, code: int = 127) -> None:
        super().__init__(text)
        self.code = code


class Program(NamedTuple):
    """``run(proc)`` gives the exit code, or is a generator that does.

    ``resume`` is how it goes on after a restart of the process: "input": it is begun again and reads again what it has read, its output
    up to where it was suppressed (any filter; ``forgets(words)`` says what it need not be told again, see ``forgetting``); "state": it is begun
    again with ``proc.state``, the plain data that it keeps of itself; "" it cannot, and is killed."""

    run: Callable[[Proc], int | Generator[Any, Any, int]]
    resume: str = "input"
    forgets: Callable[[list[str]], str] | None = None


class Machine(Protocol):
    """Where processes run. ``kit`` names the programs that it has and whose words they print: busybox | debian | ..."""

    hostname: str
    ip: str
    kit: str
    files: Files
    clock: Clock

    def environment(self) -> dict[str, str]:
        """What its first process is given."""
        ...

    def time(self) -> datetime: ...

    def network(self) -> Reach: ...

    def find(self, name: str) -> Program | None:
        """A program by its name without a directory."""
        ...

    def binary(self, name: str) -> Program | None:
        """A program by what its file holds, wherever that came from."""
        ...

    def where(self, name: str) -> str:
        """The path of a program that ``find`` finds, "" for none."""
        ...

    def changed(self) -> None:
        """A process has come to another point: to be kept, once the instant is over."""
        ...

    def burning(self) -> None:
        """What its processes compute has changed (``System.burn``)."""
        ...
