"""What became of one request: the hops it took, where it ended, and what curl would print.

Source: https://everything.curl.dev/cmdline/exitcode.html
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from server.cluster.objects import Key

NO_RESOLVE, NO_CONNECT, TIMED_OUT, EMPTY_REPLY = 6, 7, 28, 52
SYN_GIVES_UP = 131.072
NO_ROUTE_AFTER = 3.07
REASONS = {200: "OK", 201: "Created", 204: "No Content", 301: "Moved Permanently", 302: "Found", 304: "Not Modified", 400: "Bad Request",
           401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Not Allowed", 500: "Internal Server Error", 502: "Bad Gateway",
           503: "Service Unavailable", 504: "Gateway Timeout"}


class Hop(NamedTuple):
    """``kind``: dns, service, endpoints, node, pod or policy; ``what`` it is (a name or address); ``decision``: what happened there."""

    kind: str
    what: str
    decision: str


@dataclass(slots=True)
class Walk:
    """``error`` is the hop where it failed and curl's message; ``ms`` what it took. ``numbers``: the ports on the way."""

    host: str
    port: int
    hops: list[Hop] = field(default_factory=list)
    service: Key | None = None
    node: str | None = None
    pod: Key | None = None
    numbers: list[int] = field(default_factory=list)
    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""
    error: dict[str, str] | None = None
    exit_code: int = 0
    ms: float = 0.0

    @property
    def seconds(self) -> float:
        return self.ms / 1000

    @property
    def ok(self) -> bool:
        """Answered, and not with a client's or server's error."""
        return self.error is None and self.status is not None and self.status < 400

    @property
    def error_text(self) -> str:
        """What curl prints on standard error."""
        return self.error["text"] if self.error is not None else ""

    def head(self) -> str:
        """The status line and headers as they come over the wire."""
        lines = [f"HTTP/1.1 {self.status} {REASONS.get(self.status or 0, '')}".rstrip(),
                 *(f"{name}: {value}" for name, value in self.headers.items())]
        return "".join(f"{line}\r\n" for line in lines) + "\r\n"

    def hop(self, kind: str, what: str, decision: str) -> None:
        self.hops.append(Hop(kind, what, decision))

    def fail(self, kind: str, code: int, text: str) -> Walk:
        self.exit_code = code
        self.error = {"hop": kind, "text": f"curl: ({code}) {text}"}
        return self

    def refused(self, kind: str) -> Walk:
        return self.fail(kind, NO_CONNECT, f"Failed to connect to {self.host} port {self.port} after {int(self.ms)} ms: "
                                           "Couldn't connect to server")

    def unresolved(self) -> Walk:
        return self.fail("dns", NO_RESOLVE, f"Could not resolve host: {self.host}")

    def no_route(self, kind: str) -> Walk:
        """Nobody answers for the address on that network."""
        self.ms += NO_ROUTE_AFTER * 1000
        return self.refused(kind)

    def silence(self, kind: str) -> Walk:
        """Packets vanish: the connection is given up when the kernel has sent its last SYN."""
        self.ms += SYN_GIVES_UP * 1000
        return self.fail(kind, TIMED_OUT, f"Failed to connect to {self.host} port {self.port} after {int(self.ms)} ms: "
                                          "Couldn't connect to server")

    def limited(self, timeout: float) -> Walk:
        """The caller's own patience: what would have taken longer ends there."""
        if self.ms <= timeout * 1000:
            return self
        connected = self.status is not None
        self.ms = timeout * 1000
        self.status, self.headers, self.body = None, {}, ""
        kind = self.error["hop"] if self.error is not None else "pod"
        text = f"{'Operation' if connected else 'Connection'} timed out after {int(self.ms)} milliseconds"
        return self.fail(kind, TIMED_OUT, text + (" with 0 bytes received" if connected else ""))

    def data(self) -> dict[str, Any]:
        """As a plain record."""
        return {"service": self.service, "node": self.node, "pod": self.pod, "status": self.status, "ms": round(self.ms, 2),
                "error": self.error, "numbers": list(self.numbers)}
