"""What a kubectl command stands in: its streams, its files, its kubeconfig, its environment, the clock, the API server.

In: whoever opens a terminal builds one `Context` and keeps it for the session. Out: each command line runs in a `session()` of
it, where global flags such as `-n` hold for that line only, while `config set-context` changes the kubeconfig all lines share.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any, Protocol

from server.cluster.clock import Clock
from server.cluster.process import Channel, Closed, Take
from server.kubectl.client import ApiClient
from server.kubectl.yamlout import to_yaml

if TYPE_CHECKING:
    from server.cluster.runtime.proc import Proc
    from server.cluster.runtime.tty import Tty

Fetch = Callable[[str], Generator[Any, Any, str]]


class Writer(Protocol):
    def write(self, text: str) -> Any: ...


class Files(Protocol):
    """The terminal's file system; paths are as typed."""

    def read(self, path: str) -> str: ...
    def write(self, path: str, text: str) -> None: ...
    def exists(self, path: str) -> bool: ...
    def listdir(self, path: str) -> list[str]: ...
    def makedirs(self, path: str) -> None: ...

    def lstat(self, path: str) -> tuple[int, str]:
        """Its permissions, and where it leads to if it is a symbolic link."""
        ...


class Kubeconfig:
    """The kubeconfig as data, with the current context's answers."""

    def __init__(self, server: str = "https://192.168.1.10:6443", user: dict[str, Any] | None = None, cluster: dict[str, Any] | None = None):
        self.path = ""
        self.data: dict[str, Any] = {
            "apiVersion": "v1",
            "clusters": [{"cluster": cluster or {"server": server}, "name": "kubernetes"}],
            "contexts": [{"context": {"cluster": "kubernetes", "user": "kubernetes-admin"}, "name": "kubernetes-admin@kubernetes"}],
            "current-context": "kubernetes-admin@kubernetes",
            "kind": "Config",
            "users": [{"name": "kubernetes-admin", "user": user or {}}],
        }

    @classmethod
    def of(cls, data: dict[str, Any], path: str) -> Kubeconfig:
        """One that was read from a file; `save` writes it back there."""
        made = cls()
        made.data, made.path = data, path
        return made

    def save(self, files: Files) -> None:
        if self.path:
            files.write(self.path, to_yaml(self.data))

    def context(self, name: str = "") -> dict[str, Any]:
        wanted = name or self.data["current-context"]
        return next((entry["context"] for entry in self.data["contexts"] if entry["name"] == wanted), {})

    @property
    def current(self) -> str:
        return self.data["current-context"]

    @property
    def server(self) -> str:
        cluster = self.context().get("cluster")
        return next((entry["cluster"].get("server", "") for entry in self.data["clusters"] if entry["name"] == cluster), "")

    @property
    def namespace(self) -> str:
        return self.context().get("namespace") or "default"


class Context:
    """`api` may be the API server itself: it is wrapped, so that warnings reach stderr and each request says who asks.

    `proc` is the process of a machine that the command runs as, if it is one; `fetch` reads a page of the world outside."""

    def __init__(
        self,
        api: Any,
        clock: Clock,
        files: Files,
        stdout: Writer,
        stderr: Writer,
        stdin: str | Channel | None = None,
        env: dict[str, str] | None = None,
        kubeconfig: Kubeconfig | None = None,
        user: str = "kubernetes-admin",
    ):
        self.server = api
        self.clock = clock
        self.files = files
        self.stdout = stdout
        self.stderr = stderr
        self.stdin = stdin
        self.env = env if env is not None else {}
        self.kubeconfig = kubeconfig or Kubeconfig()
        self.user = user
        self.proc: Proc | None = None
        self.fetch: Fetch | None = None
        self.pages: dict[str, str] = {}
        self.stdin_text: str | None = None
        self.command_path = "kubectl"
        self.warnings_as_errors = False
        self.warned = False
        self._told: set[str] = set()
        self._namespace: str | None = None
        self.api = ApiClient(api, self.warn, user=user)

    def session(self, namespace: str | None = None, user: str = "") -> Context:
        """The context of one command line; `user` is who --as says."""
        session = copy.copy(self)
        session._namespace = namespace or None
        session.warned = False
        session._told = set()
        session.user = user or self.user
        session.api = ApiClient(self.server, session.warn, user=session.user)
        return session

    def with_kubeconfig(self, kubeconfig: Kubeconfig) -> Context:
        changed = copy.copy(self)
        changed.kubeconfig = kubeconfig
        return changed

    @property
    def namespace(self) -> str:
        return self._namespace or self.kubeconfig.namespace

    @property
    def namespace_given(self) -> bool:
        """Whether -n was given: then objects in files must not name another namespace."""
        return self._namespace is not None

    def out(self, text: str) -> None:
        """Write a line to stdout."""
        self.stdout.write(text + "\n")

    def err(self, text: str) -> None:
        """Write a line to stderr."""
        self.stderr.write(text + "\n")

    def warn(self, text: str) -> None:
        self.warned = True
        self.stderr.write(f"Warning: {text}\n")

    def warn_once(self, text: str) -> None:
        if text not in self._told:
            self._told.add(text)
            self.warn(text)

    def read_stdin(self) -> Generator[Any, Any, str]:
        """All of stdin, waiting for its end; kept, so that it can be asked for twice."""
        if self.stdin_text is None:
            self.stdin_text = yield from _drain(self.stdin) if self.proc is None else _read_all(self.proc)
        return self.stdin_text

    def read(self) -> Generator[Any, Any, str]:
        """The next piece of stdin as it comes, "" at its end."""
        if self.proc is not None:
            return (yield from self.proc.read())
        if isinstance(self.stdin, Channel):
            try:
                return (yield Take(self.stdin))
            except Closed:
                return ""
        text, self.stdin = self.stdin or "", None
        return text

    @property
    def tty(self) -> Tty | None:
        """The terminal that the command is in front of, if its stdin is one."""
        return self.proc.tty if self.proc is not None else None

    def read_pages(self, names: list[str]) -> Generator[Any, Any, None]:
        """Reads those names that are addresses, for `page`."""
        for name in names:
            if name.startswith(("http://", "https://")) and self.fetch is not None and name not in self.pages:
                self.pages[name] = yield from self.fetch(name)


def _read_all(proc: Proc) -> Generator[Any, Any, str]:
    parts = []
    while part := (yield from proc.read()):
        parts.append(part)
    return "".join(parts)


def _drain(stdin: str | Channel | None) -> Generator[Any, Any, str]:
    if stdin is None or isinstance(stdin, str):
        return stdin or ""
    parts = []
    while True:
        try:
            parts.append((yield Take(stdin)))
        except Closed:
            return "".join(parts)
