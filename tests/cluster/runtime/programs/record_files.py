"""Records what real programs about files print: ``python record_files.py BUSYBOX > file_cases.txt``.

In: the commands of ``file_commands.txt``, run one after the other in a fresh directory with a real busybox and with this machine's GNU
programs. Out: the table that ``test_file_programs`` holds ours against. Usage texts are cut to their first line.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

WORK = "/w"
SMALL_SKIPS = {"ls -l --time-style=+T b", "du nope", "ls --bogus", "id -x", "tar cf", "rm -d nope", "find d -name a.txt -delete",
               "find d -name a.txt", "tar tf z.tgz", "gzip d", "tar xf x.tar --strip-components=1 -C o", "ls o", "gzip a.gz", "zcat a.gz"}
# What the recorder's busybox, which is not the one of the images, says otherwise or lacks.
LACKS = {"killall", "install", "pgrep"}


def commands(flavour: str) -> list[tuple[str, list[str]]]:
    found = []
    for part in (Path(__file__).parent / "file_commands.txt").read_text().split("### ")[1:]:
        title, *lines = part.splitlines()
        kept = [line for line in lines if not (flavour == "busybox" and (line in SMALL_SKIPS or line.split()[0] in LACKS))]
        found.append((title, kept))
    return found


def cut(text: str) -> str:
    """Without usage texts, and with the banner of the images' busybox."""
    if "multi-call binary" in text:
        text = text.partition("BusyBox v")[0] + "BusyBox\n"
    text = re.sub(r"(?m)^Usage: .*\Z", "Usage\n", text, flags=re.S)
    return re.sub(r"(?s)\nUsage:.*", "\nUsage\n", text)


def record(flavour: str, busybox: str) -> None:
    environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC", "HOME": "/root"}
    for title, lines in commands(flavour):
        shutil.rmtree(WORK, ignore_errors=True)
        os.mkdir(WORK)
        print(f"### {flavour} {title}")
        for line in lines:
            words = shlex.split(line)
            argv = [busybox, *words] if flavour == "busybox" else words
            done = subprocess.run(argv, cwd=WORK, env=environment, capture_output=True, stdin=subprocess.DEVNULL, check=False)
            text = cut((done.stdout + done.stderr).decode("utf-8", "surrogateescape").replace("\0", "\\0"))
            print(f"$ {line}\n{text}{'' if text.endswith(chr(10)) or not text else chr(10) + '<no newline>' + chr(10)}[{done.returncode}]")
    shutil.rmtree(WORK, ignore_errors=True)


if __name__ == "__main__":
    record("busybox", sys.argv[1])
    record("gnu", sys.argv[1])
