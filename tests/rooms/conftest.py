"""A server in a process of its own, on a free port, with its data in a temporary folder."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent


class Server:
    """``stop`` ends it in order, ``kill`` as a power cut would; ``start`` brings it back on the same data."""

    def __init__(self, data: Path, *arguments: str) -> None:
        self.data = data
        self.arguments = arguments
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen([sys.executable, "-m", "server", "--port", "0", "--data", str(self.data), *self.arguments], cwd=ROOT,
                                        stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"})
        line = self.process.stdout.readline()
        assert line.startswith("Podium is on "), line
        self.base = line.removeprefix("Podium is on ").strip()

    def stop(self) -> int:
        self.process.terminate()
        return self.process.wait(20)

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(20)

    def ask(self, method: str, path: str, body=None, headers=None):
        """(status, parsed JSON or text)."""
        data = body if isinstance(body, bytes) or body is None else body.encode() if isinstance(body, str) else json.dumps(body).encode()
        request = urllib.request.Request(self.base + path, data, headers or {"Content-Type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                status, text = answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            status, text = error.code, error.read().decode()
        try:
            return status, json.loads(text)
        except ValueError:
            return status, text

    def room(self, **wishes) -> Room:
        """A room whose luck is the same in each run, unless another seed is wished for."""
        status, made = self.ask("POST", "/api/rooms", {"seed": 1, **wishes})
        assert status == 201, made
        return Room(self, made)


class Room:
    def __init__(self, server: Server, made: dict) -> None:
        self.server, self.made = server, made
        self.name, self.key = made["room"], made["key"]

    def ask(self, method: str, path: str, body=None, **query):
        extra = "".join(f"&{name}={value}" for name, value in query.items())
        return self.server.ask(method, f"/r/{self.name}{path}?key={self.key}{extra}", body)

    def run(self, line: str):
        """A terminal line: its answer."""
        status, answer = self.ask("POST", "/terminal", {"line": line})
        assert status == 200, answer
        return answer

    def begin(self, line: str) -> threading.Thread:
        """A terminal line that is left to itself, and ends with the server at the latest."""
        def run() -> None:
            with contextlib.suppress(OSError):
                self.run(line)

        running = threading.Thread(target=run, daemon=True)
        running.start()
        return running

    def advance(self, seconds: float) -> None:
        status, answer = self.ask("POST", "/clock", {"advance": seconds})
        assert status == 200, answer

    def scene(self) -> dict:
        return self.ask("GET", "/scene")[1]["things"]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    running = Server(tmp_path_factory.mktemp("data"))
    yield running
    running.stop()


@pytest.fixture
def own_server(tmp_path):
    running = Server(tmp_path / "data")
    yield running
    if running.process.poll() is None:
        running.kill()
