"""What Tab offers at the workstation's prompt: programs, files and variables; for kubectl what kubectl's own completion offers.

In: the text up to the cursor. Out: where the word under the cursor begins, and what it could become.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from server.kubectl.completion import complete as kubectl
from server.rooms.files import HOME

if TYPE_CHECKING:
    from server.rooms.terminal import Terminal

MOST = 200
BEGINS = re.compile(r"(?:[|&;(\n{`]|\$\(|\b(?:do|then|else|if|while|until)\s)\s*")
AROUND = re.compile(r"(?:(?:[A-Za-z_]\w*=\S*|sudo|time|nohup|watch(?:\s+-\S+(?:\s+[\d.]+)?)*|timeout\s+\S+|xargs)\s+)*")
KEYWORDS = ("alias", "bg", "cd", "exit", "export", "fg", "for", "if", "jobs", "kill", "read", "set", "unset", "wait", "while")
HOSTED = ("ssh",)


def complete(terminal: Terminal, text: str, cursor: int) -> tuple[int, list[str]]:
    before = text[:cursor]
    start = _command(before)
    command = before[start:]
    begin = max(before.rfind(blank) for blank in " \t\n=:|;&(<>") + 1
    begin = max(begin, start)
    word = before[begin:]
    name = command.split(maxsplit=1)[0] if command.strip() else ""
    if command == name:
        found = [candidate for candidate in (*KEYWORDS, *terminal.workstation.programs()) if candidate.startswith(word)]
        return begin, sorted({*found, *(_files(terminal, word) if "/" in word else ())})[:MOST]
    option, value = (terminal.carried.get("completions") or {}).get(name, ("", ""))
    aliased = (terminal.carried.get("aliases") or {}).get(name, "")
    if option == "-F" and value == "__start_kubectl":
        aliased = "kubectl"
    if option == "-W":
        return begin, sorted({each for each in value.split() if each.startswith(word)})[:MOST]
    if aliased and name not in ("kubectl", "k"):
        longer = aliased + command[len(name):]
        start, command, name = start + len(command) - len(longer), longer, aliased.split(maxsplit=1)[0]
    if name in ("kubectl", "k"):
        context = terminal.context()
        with context.server.heard.quietly():
            at, found = kubectl(command, len(command), context)
        if found:
            return start + at, found
    if word.startswith("$"):
        names = sorted(terminal.carried.get("vars") or {})
        return begin, [f"${each}" for each in names if each.startswith(word[1:])][:MOST]
    if name in HOSTED:
        return begin, [node for node in terminal.workstation.nodes().names() if node.startswith(word)][:MOST]
    return begin, _files(terminal, word)[:MOST]


def _command(before: str) -> int:
    """Where the simple command begins that the cursor is in.

    >>> _command("ls; kubectl get po"), _command("A=1 k get"), _command("watch -n 2 k get")
    (4, 4, 11)
    """
    quoted = re.sub(r"'[^']*'|\"(?:[^\"\\]|\\.)*\"", lambda found: "x" * len(found[0]), before)
    start = 0
    for found in BEGINS.finditer(quoted):
        start = found.end()
    around = AROUND.match(quoted, start)
    return around.end() if around is not None else start


def _files(terminal: Terminal, word: str) -> list[str]:
    """Paths that a word may become; directories end in "/"."""
    folder, slash, last = word.rpartition("/")
    shown = folder + slash
    where = HOME + folder[1:] if folder.startswith("~") else folder or slash
    files = terminal.workstation.files
    base = where if where.startswith("/") else f"{terminal.cwd}/{where}" if where else terminal.cwd
    if files.kind(base) != "directory":
        return []
    return [f"{shown}{name}{'/' if files.kind(f'{base}/{name}') == 'directory' else ''}" for name in files.names(base) or []
            if name.startswith(last) and (last or not name.startswith("."))]
