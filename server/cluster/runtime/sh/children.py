"""The shell's children: forked subshells, waiting for them, how they ended.

A fork is a process of the shell's own program whose state is a copy of this one's, with the text and the number of the command in it.

Source: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html#tag_19_13
"""

from __future__ import annotations

from typing import Any

from server.cluster.process import Pass
from server.cluster.runtime.proc import Proc
from server.cluster.runtime.program import ExecFault, Program
from server.cluster.runtime.sh.conditions import Conditions
from server.cluster.runtime.sh.expansion import Going
from server.cluster.runtime.sh.simple import SimpleCommands
from server.cluster.runtime.sh.state import MOST_REMEMBERED, NUMBERS
from server.cluster.runtime.signals import INT, SIGNALS, TSTP
from server.cluster.runtime.streams import Fault

FORK = 3  # steps of work that a fork is


class Children(SimpleCommands, Conditions):
    """``program`` is the shell itself, which its subshells run."""

    program: Program

    def fork(self, state: dict[str, Any], fds: Any, group: int = 0, background: bool = False) -> Proc | None:
        """A subshell that runs a text, or a command in the unit of one. None when there are too many processes."""
        self.pure = False
        self.proc.spins(FORK)
        copied = self.copied() | {"line": self.base + self.unit.line - 1 if "node" in state else self.line - 1} | state
        if self.lenient:
            copied["lenient"] = 1
        if background and not self.option("m"):
            copied["ignored"] = [*copied["ignored"], "INT", "QUIT"]
        try:
            child = self.proc.spawn(self.proc.argv, fds=fds, program=self.program, state=copied, group=group)
        except Fault as fault:
            self.complain(f"can't fork: {fault}" if self.flavor == "ash" else f"Cannot fork: {fault}" if self.flavor == "dash" else f"fork: {fault}")
            for stream in fds.values():
                stream.open().close()
            return None
        child.name = self.proc.name
        for name in copied["ignored"]:
            if name in SIGNALS:
                child.traps[SIGNALS[name]] = "ignore"
        if self.option("m"):
            child.group = group or child.pid
        self.foreground(child, background)
        return child

    def foreground(self, child: Proc, background: bool = False) -> None:
        """An interactive shell gives the terminal to the group that it waits for."""
        if self.option("m") and not background and (tty := self.proc.tty) is not None:
            tty.foreground = child.group

    def ended(self, pid: int, interruptible: bool = False) -> Going:
        """Waits for a child: its status. -1 if a trapped signal came before."""
        child = self.proc.system.procs.get(pid)
        mine = child is not None and (child.ppid == self.proc.pid or any(pid in job["pids"] for job in self.jobs))
        if not mine:
            return self.state.get("reaped", {}).get(str(pid), 127)
        while child.alive:
            if interruptible and self.pending:
                return -1
            if child.stopped is not None and not interruptible and self.option("m"):
                return self._parked(child)
            yield Pass(child.done)
        self.proc.system.reap(child)
        if self.option("m") and (tty := self.proc.tty) is not None:
            tty.foreground = self.proc.group
        return child.status or 0

    def _parked(self, child: Proc) -> int:
        """A command that was stopped is a job from now on, and the terminal is the shell's again."""
        if (tty := self.proc.tty) is not None:
            tty.foreground = self.proc.group
        job = next((job for job in self.jobs if child.pid in job["pids"]), None)
        if job is None and self.jobs and self.jobs[-1].get("group") == child.group:
            self.jobs[-1]["pids"].append(child.pid)
            return 128 + TSTP
        if job is None:
            text = " ".join(child.argv) if child.program is not self.program else self.unit.text.strip()
            job = {"id": max((each["id"] for each in self.jobs), default=0) + 1, "pids": [child.pid], "text": text, "group": child.group}
        self.jobs[:] = [*(each for each in self.jobs if each is not job), job]
        self.proc.err(f"\n[{job['id']}]+  {'Stopped':<{24 if self.flavor == 'bash' else 27}}{job['text']}\n")
        return 128 + TSTP

    def _stopped_by(self, status: int) -> Going:
        """An interactive shell whose command was ended by Ctrl-C gives up the rest of the line."""
        if self.option("i") and status == 128 + INT:
            self.pending.append(INT)
        if self.option("i") and status > 128 and status - 128 in NUMBERS and status not in (128 + INT, 128 + 13):
            word = {9: "Killed", 15: "Terminated", 1: "Hangup", 3: "Quit", 11: "Segmentation fault", 6: "Aborted"}.get(status - 128)
            if word:
                self.proc.err(word + "\n")
        return
        yield

    def collect(self) -> None:
        """Notes how background jobs have ended."""
        procs = self.proc.system.procs
        reaped = self.state.setdefault("reaped", {})
        for job in self.jobs:
            for pid in job["pids"]:
                child = procs.get(pid)
                if child is not None and not child.alive:
                    self.proc.system.reap(child)
                    reaped[str(pid)] = child.status or 0
        while len(reaped) > MOST_REMEMBERED:
            del reaped[next(iter(reaped))]
        self.jobs[:] = [job for job in self.jobs if any(pid in procs for pid in job["pids"]) or str(job["pids"][-1]) in reaped][-MOST_REMEMBERED:]

    def missing(self, argv: list[str], fault: ExecFault, command: str = "") -> int:
        """Says that a command cannot be run: 127 or 126."""
        text, name = str(fault), argv[0]
        if self.flavor == "bash":
            if text == "not found":
                text = "command not found" if not command else text
            elif self.proc.files.kind(self.proc.path(name)) == "directory":
                text = "Is a directory"
        elif text.startswith("No such"):
            text = "not found"
        self.complain(f"{name}: {text}", command)
        return fault.code

    def words_of(self, node: Any) -> str:
        from server.cluster.runtime.sh.printing import printed
        return printed(node, self.unit)
