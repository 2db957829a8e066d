"""The shell's names, and those of its builtins that are programs too: echo, printf, test, [, pwd.

Source: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/sh.html
"""

from __future__ import annotations

import posixpath

from server.cluster.runtime.proc import Proc
from server.cluster.runtime.program import Program
from server.cluster.runtime.sh import PROGRAMS as SHELLS
from server.cluster.runtime.sh.shell import BUILTINS, SHELL, Shell

NAMES = ("echo", "printf", "test", "[", "pwd")


class Alone(Shell):
    """A builtin that is called without a shell around it."""

    def prefix(self, command: str = "") -> str:
        return f"{posixpath.basename(self.proc.argv[0])}: "


def run(proc: Proc) -> int:
    """The builtin by the program's name, in the words of busybox or of GNU."""
    name = posixpath.basename(proc.argv[0])
    if name != proc.argv[0].lstrip("/").rpartition("/")[2] or name not in NAMES:
        name = proc.name
    flavor = "ash" if proc.machine.kit == "busybox" else "bash"
    proc.state["flavor"] = flavor
    return BUILTINS[flavor][name](Alone(proc, SHELL, {}), [name, *proc.args], {})


PROGRAMS: dict[str, Program] = {**SHELLS, **{name: Program(run, "state") for name in NAMES}}
