"""Records what the real programs print: python record_text.py BUSYBOX, on a machine with GNU's.

What the figures of a machine decide (a version and date in busybox's banner) is left out; glibc's getopt errors become musl's, which
the busybox of containers has.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from text_invocations import FILES, LINES, parts  # noqa: E402

HERE = Path(__file__).parent
BANNER = re.compile(r"BusyBox v[^\n]* multi-call binary\.\n(?:BusyBox is copyrighted.*?\n\n)?", re.S)


def musl(text: str) -> str:
    text = re.sub(r"invalid option -- '(.)'", r"unrecognized option: \1", text)
    text = re.sub(r"unrecognized option '--([^']*)'", r"unrecognized option: \1", text)
    return re.sub(r"option requires an argument -- '(.)'", r"option requires an argument: \1", text)


def short(text: str) -> str:
    """Of a usage text the synopsis."""
    found = BANNER.search(text)
    if found is None:
        return musl(text)
    synopsis = re.search(r"Usage: .*?\n(?:or: [^\n]*\n)?", text[found.end():], re.S)
    return musl(text[:found.start()]) + "BusyBox v1.36.1 multi-call binary.\n\n" + (synopsis[0] if synopsis else "")


def main(busybox: str) -> None:
    known = subprocess.run([busybox, "--list"], capture_output=True, text=True, check=True).stdout.split()
    rows = []
    for line in LINES.strip().split("\n"):
        argv, source = parts(line)
        for kit in ("busybox", "debian"):
            if kit == "busybox" and argv[0] not in known or kit == "debian" and not shutil.which(argv[0]):
                continue
            with tempfile.TemporaryDirectory() as folder:
                for name, text in FILES.items():
                    path = Path(folder, name)
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(text.encode("utf-8", "surrogateescape"))
                done = subprocess.run([busybox, *argv] if kit == "busybox" else argv, cwd=folder, input=source.encode(),
                                      capture_output=True, timeout=10, env={"PATH": os.environ["PATH"], "LC_ALL": "C", "HOME": "/root"}, check=False)
                out, err = (part.decode("utf-8", "surrogateescape") for part in (done.stdout, done.stderr))
                rows.append({"kit": kit, "line": line, "out": out, "err": short(err) if kit == "busybox" else err, "code": done.returncode})
    HERE.joinpath("text_cases.txt").write_text("".join(json.dumps(row) + "\n" for row in rows))
    print(len(rows), "cases")


if __name__ == "__main__":
    main(sys.argv[1])
