"""Plays a section of the notes at a room's workstation, in virtual time.

A section is a text file: `$ command` and under it what it prints, `@ command` the same in front of a terminal where it stays, `< text` types
a line there (`^C` and `^D` are the keys), `+ 10` virtual seconds that pass, `> file` a manifest changed with `s/old/new/`, `= name command` a
word taken from a command's output for later lines as `<name>`, `# ` a heading. `^ 5` before a command presses Ctrl-C after so many seconds.
`preset: name` on the first line says which cluster. Errors print after the output, as at a terminal.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from server.cluster.cluster import Cluster
from server.cluster.machines import PRESETS
from server.rooms.files import HOME
from tests.kubectl.terminal import Result
from tests.rooms.desk import Desk, Screen

FOLDER = Path(__file__).parent
LETTERS = "bcdfghjklmnpqrstvwxz2456789"
VARYING = (
    (r"\b(\d+[dhms])+\b", "AGE"),
    (rf"-[{LETTERS}]{{8,10}}-[{LETTERS}]{{5}}\b", "-HASH-NAME"),
    (rf"\b([a-z0-9-]*[a-z0-9])-([{LETTERS}]{{8,10}})\b", r"\1-HASH"),
    (rf"(?<=[a-z0-9])-[{LETTERS}]{{5}}\b", "-NAME"),
    (r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "UID"),
    (r"\b10\.\d+\.\d+\.\d+\b", "ADDRESS"),
    (r"(containerd://|sha256:)[0-9a-f]+", r"\1DIGEST"),
    (r"\w{3}, \d\d \w{3} \d{4} [\d:]{8} \+0000|20\d\d-\d\d-\d\dT[\d:.]+Z|\w{3} \w{3} [ \d]\d [\d:]{8} UTC \d{4}", "TIME"),
    (r"\w{3}, \d\d \w{3} \d{4} [\d:]{8} GMT", "TIME"),
    (r"(asdf|testcron)-\d{8}", r"\1-MINUTE"),
    (rf"=[{LETTERS}]{{8,10}}\b", "=HASH"),
    (r"\b\d+(\.\d+)?m?s \(\d+(\.\d+)?m?s including waiting\)", "AGE (AGE including waiting)"),
    (r":3\d{4}/TCP", ":PORT/TCP"),
    (r"\bw\d-k8s\b", "WORKER"),
    (r" +", " "),
)


class Step(NamedTuple):
    """``kind`` is the sign its line begins with."""

    kind: str
    text: str
    printed: str
    line: int


def steps(text: str) -> Iterator[Step]:
    lines = text.splitlines()
    at = 0
    while at < len(lines):
        kind, _, rest = lines[at].partition(" ")
        begun = at
        at += 1
        printed: list[str] = []
        if kind in ("$", "@", "<"):
            while at < len(lines) and not re.match(r"[$@<+>=^#] |$", lines[at]):
                printed.append(lines[at].removeprefix("| "))
                at += 1
        if kind:
            yield Step(kind, rest, "".join(f"{line}\n" for line in printed), begun + 1)


KEYS = {"^C": "\x03", "^D": "\x04"}


class Player:
    """A student at the terminal of a new cluster, with the notes' manifests in the folder."""

    def __init__(self, preset: str) -> None:
        self.desk = Desk(Cluster(seed=20, nodes=PRESETS[preset]))
        self.words: dict[str, str] = {}
        self.patience: float | None = None
        self.screen: Screen | None = None
        self.read = 0

    def play(self, step: Step) -> str | None:
        """What the step prints; None if it prints nothing by its nature."""
        text = re.sub(r"<(\w+)>", lambda found: self.words.get(found[1], found[0]), step.text)
        match step.kind:
            case "$":
                told = self._run(text)
                return told.stdout + told.stderr
            case "@":
                self.screen, self.read = self.desk.sit(text, 5.0), 0
                return self._shown()
            case "<":
                self.screen.type(KEYS.get(text, f"{text}\r"), 5.0)
                return self._shown()
            case "+":
                self.desk.pass_(float(text))
            case "^":
                self.patience = float(text)
            case ">":
                name, change = text.split(" ", 1)
                _, old, new, _ = change.split("/")
                files, path = self.desk.workstation.files, f"{HOME}/{name}"
                manifest = files.read(path) or ""
                assert old in manifest, f"line {step.line}: {old!r} is not in {name}"
                files.write(path, manifest.replace(old, new))
            case "=":
                name, command = text.split(" ", 1)
                self.words[name] = self._run(command).stdout.split()[0]
            case "#":
                pass
            case _:
                raise ValueError(f"line {step.line}: {step.kind!r}")
        return None

    def _shown(self) -> str:
        """What the terminal in front of which the student sits has shown since it was last looked at."""
        before, self.read = self.read, len(self.screen.text)
        return self.screen.text[before:]

    def _run(self, line: str) -> Result:
        patience, self.patience = self.patience, None
        result = self.desk.run(line, interrupt_after=patience)
        self.desk.pass_(0.05)
        return result


def alike(text: str) -> list[str]:
    """The lines without what differs from run to run; neighbours that then begin with the same word in an order of their own."""
    for pattern, word in VARYING:
        text = re.sub(pattern, word, text)
    lines = (line.rstrip() for line in text.splitlines())
    return [line for _, group in groupby(lines, key=lambda line: line.split(" ")[0]) for line in sorted(group)]


def preset(text: str) -> str:
    found = re.match(r"# .*\bpreset: ([\w-]+)", text)
    return found[1] if found else "default"


def record(path: Path) -> None:
    """Writes the section anew with what it prints today; to be read against the notes and a real cluster before it is kept."""
    text = path.read_text()
    player, kept = Player(preset(text)), []
    played = {step.line: (step, player.play(step)) for step in steps(text)}
    lines = text.splitlines()
    at = 0
    while at < len(lines):
        kept.append(lines[at])
        at += 1
        if at in played:
            step, told = played[at]
            at += len(step.printed.splitlines())
            kept += [f"| {line}" if re.match(r"[$@<+>=^#] |$", line) else line for line in (told or "").splitlines()]
    path.write_text("\n".join(kept) + "\n")
