"""What a server knows while it answers one request: its container, its own words, the port, the client and the body.

Source: https://httpwg.org/specs/rfc9110.html
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

Answer = tuple[int, dict[str, str], str]
HTML, PLAIN, JSON = "text/html", "text/plain; charset=utf-8", "application/json"
TYPES = {".html": "text/html", ".htm": "text/html", ".css": "text/css", ".js": "application/javascript", ".json": "application/json",
         ".txt": "text/plain", ".xml": "text/xml", ".svg": "image/svg+xml", ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg",
         ".gif": "image/gif", ".ico": "image/x-icon", ".pdf": "application/pdf", ".gz": "application/gzip", ".yaml": "text/yaml",
         ".md": "text/markdown", ".sh": "application/x-sh", ".log": "text/plain"}


class Site:
    """A container, seen from one request. ``argv`` are the words of the server itself, which a shell may have started in ``cwd``; ``host`` is
    the name that was asked for; ``quiet``: nothing is logged. What it does not have of its own is the container's."""

    __slots__ = ("machine", "argv", "cwd", "port", "client", "body", "tls", "host", "quiet")

    def __init__(self, machine: Any, argv: tuple[str, ...], port: int = 0, client: str = "", body: str = "", tls: bool = False,
                 cwd: str = "/", host: str = "", quiet: bool = False) -> None:
        self.machine = machine
        self.argv = argv
        self.cwd = cwd
        self.port = port
        self.client = client
        self.body = body
        self.tls = tls
        self.host = host
        self.quiet = quiet

    def __getattr__(self, name: str) -> Any:
        return getattr(self.machine, name)

    def modified(self, path: str) -> datetime:
        """When a file that is there was last written."""
        found = self.machine.files.stat(path)
        return datetime.fromtimestamp(found.mtime if found is not None else 0, UTC)


class Relayed(tuple):
    """An ``Answer`` that was fetched from elsewhere: ``ms`` is how long that took, ``hops`` which way it went."""

    ms: float
    hops: tuple

    def __new__(cls, status: int, headers: dict[str, str], body: str, ms: float = 0.0, hops: Iterable[Any] = ()) -> Relayed:
        made = super().__new__(cls, (status, headers, body))
        made.ms, made.hops = ms, tuple(hops)
        return made


def page(status: int, body: str, kind: str = HTML, **headers: str) -> Answer:
    return status, {"Content-Type": kind, "Content-Length": str(length(body)), **headers}, body


def length(body: str) -> int:
    return len(body.encode("utf-8", "surrogateescape"))


def go(site: Site, status: int, body: str, kind: str = PLAIN) -> Answer:
    """As Go's net/http answers."""
    return status, {"Date": http_time(site.time()), "Content-Length": str(length(body)), "Content-Type": kind}, body


def go_error(site: Site, status: int, text: str) -> Answer:
    answer = go(site, status, f"{text}\n")
    answer[1]["X-Content-Type-Options"] = "nosniff"
    return answer


def http_time(when: datetime) -> str:
    return f"{when:%a, %d %b %Y %H:%M:%S} GMT"


def kind_of(path: str, default: str = "application/octet-stream") -> str:
    """
    >>> kind_of("/a/b.css"), kind_of("/a/b", "text/plain")
    ('text/css', 'text/plain')
    """
    return TYPES.get(posixpath.splitext(path)[1].lower(), default)


def route(path: str) -> str:
    return path.partition("?")[0]


def flag(argv: tuple[str, ...], name: str, default: str = "") -> str:
    """The value of a flag as Go's programs take it: ``-name value``, ``--name=value``.

    >>> flag(("x", "--port=80", "-text", "hi"), "text"), flag(("x", "--port=80"), "port")
    ('hi', '80')
    """
    for at, word in enumerate(argv):
        bare = word.lstrip("-") if word.startswith("-") else ""
        if bare == name:
            return argv[at + 1] if at + 1 < len(argv) else default
        if bare.startswith(f"{name}="):
            return bare[len(name) + 1:]
    return default
