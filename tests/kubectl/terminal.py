"""A terminal on a cluster for tests: run a command line, get what it printed.

In: a cluster (anything with `.api` and `.clock`). Out: `Result(stdout, stderr, code)`. Virtual time runs while a command waits;
`interrupt_after` presses Ctrl-C at a virtual moment, as `timeout` does in the golden transcripts.
"""

from __future__ import annotations

import shlex
from typing import NamedTuple

from server.cluster.process import Process
from server.kubectl.context import Context, Kubeconfig
from server.kubectl.main import run


class Result(NamedTuple):
    stdout: str
    stderr: str
    code: int


class MemoryFiles:
    """Files by path, folders as their prefixes."""

    def __init__(self, files: dict[str, str] | None = None):
        self.files = dict(files or {})

    def read(self, path: str) -> str:
        path = path.removeprefix("./").rstrip("/") or "."
        if path in self.files:
            return self.files[path]
        if path == "." or any(name.startswith(f"{path}/") for name in self.files):
            raise IsADirectoryError(path)
        raise FileNotFoundError(path)

    def write(self, path: str, text: str) -> None:
        self.files[path.removeprefix("./")] = text

    def makedirs(self, path: str) -> None:
        """Folders are their files' prefixes."""

    def lstat(self, path: str) -> tuple[int, str]:
        return (0o644 if path.removeprefix("./") in self.files else 0o755), ""

    def exists(self, path: str) -> bool:
        try:
            self.read(path)
        except FileNotFoundError:
            return False
        except IsADirectoryError:
            return True
        return True

    def listdir(self, path: str) -> list[str]:
        prefix = "" if path in (".", "./") else path.removeprefix("./").rstrip("/") + "/"
        return sorted({name[len(prefix) :].partition("/")[0] for name in self.files if name.startswith(prefix)})


class Output:
    def __init__(self):
        self.parts: list[str] = []

    def write(self, text: str) -> None:
        self.parts.append(text)

    def take(self) -> str:
        text = "".join(self.parts)
        self.parts.clear()
        return text


class Terminal:
    def __init__(self, cluster, files: dict[str, str] | None = None, env: dict[str, str] | None = None):
        self.cluster = cluster
        self.files = MemoryFiles(files)
        self.out, self.err = Output(), Output()
        self.env = env or {}
        self.kubeconfig = Kubeconfig()

    def run(self, line: str, stdin: str | None = None, interrupt_after: float | None = None, limit: float = 600.0) -> Result:
        """Run `kubectl ...` (the first word is dropped) until it ends."""
        words = shlex.split(line)
        words = words[1:] if words and words[0] in ("kubectl", "k") else words
        context = Context(self.cluster.api, self.cluster.clock, self.files, self.out, self.err, stdin, self.env, self.kubeconfig)
        process = Process(self.cluster.clock, run(words, context))
        clock = self.cluster.clock
        if interrupt_after is not None:
            clock.call_later(interrupt_after, process.interrupt)
        clock.run_until(clock.now + limit, lambda: not process.alive)
        if process.alive:
            process.kill()
            raise AssertionError(f"{line!r} still runs after {limit} virtual seconds")
        if isinstance(process.value, Exception):
            raise process.value
        return Result(self.out.take(), self.err.take(), process.value)
