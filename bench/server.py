"""A server in a process of its own, for the benchmarks that need one."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def running(*arguments: str) -> Iterator[str]:
    """The base URL of a fresh server; it is stopped and its data thrown away afterwards."""
    with tempfile.TemporaryDirectory() as data:
        process = subprocess.Popen([sys.executable, "-m", "server", "--port", "0", "--data", data, *arguments], stdout=subprocess.PIPE, text=True)
        try:
            line = process.stdout.readline()
            yield line.rsplit(" ", 1)[-1].strip()
        finally:
            process.terminate()
            process.wait(20)


def post(url: str, body: Any) -> Any:
    data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(url, data, {"Content-Type": "application/json"}), timeout=300) as answer:
        return json.load(answer)


def new_room(base: str, **wishes: Any) -> dict[str, str]:
    return post(f"{base}/api/rooms", wishes)
