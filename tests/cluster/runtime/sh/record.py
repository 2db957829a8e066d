"""Records what real shells print for the scripts in ``snippets.txt``: ``python -m tests.cluster.runtime.sh.record BUSYBOX``.

Each entry is ``=== shells``, the script, and for each shell ``--- shell code`` and its output (both streams). The file is rewritten in
place; a new script needs only its first two parts. Each runs in an empty directory, at most ten seconds.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

SNIPPETS = Path(__file__).with_name("snippets.txt")
WHERE = "/tmp/w"  # noqa: S108
ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LC_ALL": "C.UTF-8"}


class Snippet(NamedTuple):
    shells: tuple[str, ...]
    script: str
    said: dict[str, tuple[int, str]]


def load() -> list[Snippet]:
    found = []
    for entry in re.split(r"(?m)^=== ", SNIPPETS.read_text())[1:]:
        head, _, rest = entry.partition("\n")
        script, *answers = re.split(r"(?m)^--- (?=\w+ \d+$)", rest)
        said = {}
        for answer in answers:
            first, _, text = answer.partition("\n")
            shell, code = first.split()
            said[shell] = (int(code), text[:-1])
        found.append(Snippet(tuple(head.split()), script[:-1], said))
    return found


def ask(shell: str, script: str, busybox: str) -> tuple[int, str]:
    shutil.rmtree(WHERE, ignore_errors=True)
    os.makedirs(WHERE)
    path, name = (busybox, "sh") if shell == "ash" else (shutil.which(shell), shell)
    done = subprocess.run([name, "-c", script], executable=path, cwd=WHERE, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=10, env=ENVIRONMENT, check=False)
    code = done.returncode if done.returncode >= 0 else 128 - done.returncode
    return code, done.stdout.decode("utf-8", "surrogateescape")


def main(busybox: str) -> None:
    out = []
    for snippet in load():
        out.append(f"=== {' '.join(snippet.shells)}\n{snippet.script}\n")
        for shell in snippet.shells:
            code, text = snippet.said.get(shell) or ask(shell, snippet.script, busybox)
            out.append(f"--- {shell} {code}\n{text}\n")
    SNIPPETS.write_text("".join(out), errors="surrogateescape")


if __name__ == "__main__":
    main(sys.argv[1])
