"""Programs about files print what the real ones do: a table of recorded cases (see ``record_files``), in both flavours."""

from __future__ import annotations

import re
import shlex
from datetime import timedelta
from pathlib import Path

import pytest

from server.cluster.clock import Clock
from server.cluster.disks import Tree
from server.cluster.inodes import Layer
from server.cluster.runtime.files import Files
from server.cluster.runtime.proc import Proc
from server.cluster.runtime.program import ExecFault, Program
from server.cluster.runtime.programs import PROGRAMS
from server.cluster.runtime.streams import Given, Sink
from server.cluster.runtime.system import System

HERE = Path(__file__).parent
LAYER = Layer({"/w/": {}, "/tmp/": {"mode": 0o1777}, "/dev/null": {"device": [1, 3], "mode": 0o666}, "/etc/passwd": "root:x:0:0:root:/root:/bin/sh\n",  # noqa: S108
               "/etc/group": "root:x:0:\n"})


class Machine:
    """A machine without a network."""

    hostname, ip = "box", "10.244.1.2"

    def __init__(self, kit: str, user: int = 0, own: dict | None = None, layer: Layer = LAYER):
        self.kit = kit
        self.clock = Clock()
        self.files = Files({}, own if own is not None else {}, (), lambda mount: Tree({}), lambda: None, layer=layer,
                           now=lambda: self.time().timestamp(), born=self.time().timestamp(), user=user, groups=(user,))
        self.printed: list[str] = []
        self.system = System(self, lambda fd: self.sink)
        self.sink = Sink("stdout", lambda text: (self.printed.append(text), None)[1])
        self.burns: list = []
        self.system.spawn(["pause"])

    def environment(self):
        return {"PATH": "/bin"}

    def time(self):
        return self.clock.epoch + timedelta(seconds=self.clock.now)

    def find(self, name):
        return PROGRAMS.get(name)

    def where(self, name):
        return f"/bin/{name}" if name in PROGRAMS else ""

    def changed(self):
        pass

    def burning(self):
        self.burns.append(self.system.burn)

    def run(self, line: str, given: str = "", cwd: str = "/w", seconds: float = 60.0) -> tuple[str, int | None]:
        code: list[int] = []
        out = {1: [], 2: []}
        fds = {0: Given(given), 1: Sink("stdout", lambda text: (out[1].append(text), None)[1]),
               2: Sink("stderr", lambda text: (out[2].append(text), None)[1])}

        def main(proc: Proc):
            try:
                child = proc.spawn(shlex.split(line), fds=fds, cwd=cwd)
            except ExecFault as fault:
                out[2].append(f"{fault}\n")
                code.append(fault.code)
                return 0
            code.append((yield from proc.wait(child)))
            return 0

        self.system.spawn(["main"], program=Program(main))
        self.clock.run_for(seconds)
        return "".join(out[1]) + "".join(out[2]), code[0] if code else None


def cut(text: str) -> str:
    if "multi-call binary" in text:
        text = text.partition("BusyBox v")[0] + "BusyBox\n"
    text = re.sub(r"(?m)^Usage: .*\Z", "Usage\n", text, flags=re.S)
    return re.sub(r"(?s)\nUsage:.*", "\nUsage\n", text).replace("\0", "\\0")


def cases() -> list:
    found, title, lines = [], "", []
    for row in (HERE / "file_cases.txt").read_text(errors="surrogateescape").splitlines():
        if row.startswith("### "):
            title, lines = row[4:], []
            found.append(pytest.param(title, lines, id=title))
        else:
            lines.append(row)
    return found


def steps(lines: list[str]) -> list[tuple[str, str, int]]:
    """(command, output, exit code)."""
    found, command, output = [], "", []
    for row in lines:
        if row.startswith("$ "):
            command, output = row[2:], []
        elif re.fullmatch(r"\[\d+\]", row):
            text = "".join(f"{each}\n" for each in output)
            found.append((command, text.replace("\n<no newline>\n", ""), int(row[1:-1])))
        else:
            output.append(row)
    return found


@pytest.mark.parametrize(("title", "lines"), cases())
def test_a_program_prints_what_the_real_one_does(title, lines):
    machine = Machine("busybox" if title.startswith("busybox") else "debian")
    wrong = []
    for command, output, code in steps(lines):
        said, ended = machine.run(command)
        if (cut(said), ended) != (output, code):
            wrong.append(f"$ {command}\n--- real [{code}]\n{output}--- ours [{ended}]\n{cut(said)}")
    assert not wrong, "\n" + "\n".join(wrong)
