"""A running server with a room, and real clients pointed at it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.clients import tools

PATIENCE = 60
SPEED = 20.0


class Room:
    """A room over HTTP; ``speed`` virtual seconds pass in a wall second."""

    def __init__(self, base: str, **wishes: Any) -> None:
        made = requests.post(f"{base}/api/rooms", json={"seed": 1, "speed": SPEED, **wishes}, timeout=PATIENCE)
        assert made.status_code == 201, made.text
        self.base = base
        self.name, self.key, self.url, self.kubernetes = (made.json()[field] for field in ("room", "key", "url", "kubernetes"))

    def advance(self, seconds: float) -> None:
        answer = requests.post(f"{self.base}/r/{self.name}/clock", params={"key": self.key}, json={"advance": seconds}, timeout=PATIENCE)
        assert answer.status_code == 200, answer.text

    def kubeconfig(self) -> str:
        return requests.get(f"{self.base}/r/{self.name}/kubeconfig", params={"key": self.key}, timeout=PATIENCE).text


class Kubectl:
    """A real kubectl with a home of its own."""

    def __init__(self, program: Path, room: Room, home: Path) -> None:
        self.program = program
        self.home = home
        config = home / "config"
        config.write_text(room.kubeconfig())
        self.environment = {"HOME": str(home), "KUBECONFIG": str(config), "PATH": os.environ["PATH"]}

    def run(self, *arguments: str, stdin: str = "", environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run([str(self.program), *arguments], input=stdin, capture_output=True, text=True, timeout=PATIENCE,
                              env={**self.environment, **(environment or {})}, cwd=self.home)

    def __call__(self, *arguments: str, stdin: str = "", environment: dict[str, str] | None = None) -> str:
        """What it printed; it has to succeed."""
        done = self.run(*arguments, stdin=stdin, environment=environment)
        assert done.returncode == 0, f"kubectl {' '.join(arguments)}: {done.stderr}{done.stdout}"
        return done.stdout

    def fails(self, *arguments: str, stdin: str = "") -> str:
        """What it said on stderr; it has to fail."""
        done = self.run(*arguments, stdin=stdin)
        assert done.returncode != 0, f"kubectl {' '.join(arguments)} printed: {done.stdout}"
        return done.stderr

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen([str(self.program), *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                env=self.environment, cwd=self.home)


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a running server."""
    data = tmp_path_factory.mktemp("data")
    process = subprocess.Popen([sys.executable, "-m", "server", "--port", "0", "--data", str(data)], stdout=subprocess.PIPE, text=True,
                               cwd=Path(__file__).parents[2])
    line = process.stdout.readline()
    assert "http://" in line, line
    yield line.split()[-1]
    process.terminate()
    assert process.wait(PATIENCE) == 0


@pytest.fixture
def room(base: str) -> Room:
    return Room(base)


@pytest.fixture
def program() -> Path:
    try:
        return tools.kubectl()
    except tools.NoSuchTool as error:
        pytest.skip(str(error))


@pytest.fixture
def kubectl(program: Path, room: Room, tmp_path: Path) -> Kubectl:
    return Kubectl(program, room, tmp_path)
