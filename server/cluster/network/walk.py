"""What became of one connection or request: the hops it took, where it ended, and what curl would print.

``error`` names the hop where it failed and curl's message, ``fault`` what the kernel or the resolver said, which other programs print
in their own words.

Source: https://everything.curl.dev/cmdline/exitcode.html
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from server.cluster.objects import Key

NOT_HTTP, NO_RESOLVE, NO_CONNECT, TIMED_OUT, NO_TLS, EMPTY_REPLY, RESET = 1, 6, 7, 28, 35, 52, 56
REFUSED, NO_ROUTE, NO_NETWORK, SILENCE, UNRESOLVED, CLOSED, CUT_OFF, NOT_TLS = (
    "Connection refused", "No route to host", "Network is unreachable", "Connection timed out", "Name does not resolve",
    "Empty reply from server", "Connection reset by peer", "wrong version number")
SYN_GIVES_UP = 131.072
NO_ROUTE_AFTER = 3.07
REASONS = {200: "OK", 201: "Created", 204: "No Content", 301: "Moved Permanently", 302: "Found", 303: "See Other",
           304: "Not Modified", 307: "Temporary Redirect", 308: "Permanent Redirect", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden",
           404: "Not Found", 405: "Not Allowed", 413: "Request Entity Too Large", 418: "I'm a teapot", 429: "Too Many Requests",
           500: "Internal Server Error", 501: "Not Implemented", 502: "Bad Gateway", 503: "Service Unavailable", 504: "Gateway Timeout"}


class Hop(NamedTuple):
    """``kind``: dns, service, endpoints, node, pod or policy; ``what`` it is (a name or address); ``decision``: what happened there;
    ``detail``: the figures behind it."""

    kind: str
    what: str
    decision: str
    detail: dict[str, Any] | None = None


@dataclass(slots=True)
class Walk:
    """``error`` is the hop where it failed and curl's message; ``fault`` is the errno's text behind it. ``ms``: what it took; ``address``:
    what the host's name was resolved to; ``numbers``: the ports on the way; ``through``: servers that passed the request on, with their
    ports; ``landed``: the last port; ``connected``: whether the connection was opened."""

    host: str
    port: int
    address: str = ""
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
    fault: str = ""
    connected: bool = False
    through: tuple[tuple[Key, int], ...] = ()
    landed: int = 0

    @property
    def seconds(self) -> float:
        return self.ms / 1000

    @property
    def ok(self) -> bool:
        """Answered, and not with a client's or server's error."""
        return self.error is None and self.status is not None and self.status < 400

    @property
    def trouble(self) -> dict[str, str] | None:
        """The error, or the answer that tells of one, with ``what`` and ``why``: the place and the decision that ended it; ``direction`` is
        a policy's."""
        if self.ok:
            return None
        error = self.error or {"hop": "pod", "text": f"HTTP {self.status}"}
        if not self.hops:
            return error
        last = self.hops[-1]
        direction = (last.detail or {}).get("direction")
        return {**error, "what": last.what, "why": last.decision, **({"direction": direction} if direction else {})}

    @property
    def error_text(self) -> str:
        """What curl prints on standard error."""
        return self.error["text"] if self.error is not None else ""

    def head(self) -> str:
        """The status line and headers as they come over the wire."""
        lines = [f"HTTP/1.1 {self.status} {REASONS.get(self.status or 0, '')}".rstrip(),
                 *(f"{name}: {value}" for name, value in self.headers.items())]
        return "".join(f"{line}\r\n" for line in lines) + "\r\n"

    def hop(self, kind: str, what: str, decision: str, **detail: Any) -> None:
        self.hops.append(Hop(kind, what, decision, detail or None))

    def number(self, port: int) -> None:
        """A port on the way."""
        if port not in self.numbers:
            self.numbers.append(port)

    def fail(self, kind: str, code: int, text: str, fault: str = "") -> Walk:
        self.exit_code = code
        self.fault = fault
        self.error = {"hop": kind, "text": f"curl: ({code}) {text}"}
        return self

    def refused(self, kind: str, fault: str = REFUSED) -> Walk:
        return self.fail(kind, NO_CONNECT, f"Failed to connect to {self.host} port {self.port} after {int(self.ms)} ms: "
                                           "Couldn't connect to server", fault)

    def unresolved(self) -> Walk:
        return self.fail("dns", NO_RESOLVE, f"Could not resolve host: {self.host}", UNRESOLVED)

    def no_route(self, kind: str) -> Walk:
        """Nobody answers for the address on that network."""
        self.ms += NO_ROUTE_AFTER * 1000
        return self.refused(kind, NO_ROUTE)

    def no_network(self, kind: str) -> Walk:
        """A router on the way has no way on, and says so at once."""
        return self.refused(kind, NO_NETWORK)

    def silence(self, kind: str) -> Walk:
        """Packets vanish: the connection is given up when the kernel has sent its last SYN."""
        self.ms += SYN_GIVES_UP * 1000
        return self.fail(kind, TIMED_OUT, f"Failed to connect to {self.host} port {self.port} after {int(self.ms)} ms: "
                                          "Couldn't connect to server", SILENCE)

    def empty(self) -> Walk:
        """Who answers closes the connection without a word of HTTP."""
        return self.fail("pod", EMPTY_REPLY, "Empty reply from server", CLOSED)

    def not_tls(self, kind: str) -> Walk:
        """A TLS client has met a server that speaks plainly."""
        return self.fail(kind, NO_TLS, "OpenSSL/3.0.17: error:0A00010B:SSL routines::wrong version number", NOT_TLS)

    def reset(self, kind: str = "pod") -> Walk:
        """The other end was gone before it had answered."""
        self.status, self.headers, self.body = None, {}, ""
        return self.fail(kind, RESET, "Recv failure: Connection reset by peer", CUT_OFF)

    def limited(self, timeout: float) -> Walk:
        """The caller's own patience: what would have taken longer ends there."""
        if self.ms <= timeout * 1000:
            return self
        connected = self.status is not None or self.exit_code in (EMPTY_REPLY, RESET, NO_TLS)
        self.ms = timeout * 1000
        self.status, self.headers, self.body = None, {}, ""
        kind = self.error["hop"] if self.error is not None else "pod"
        if kind == "dns":
            return self.fail(kind, TIMED_OUT, f"Resolving timed out after {int(self.ms)} milliseconds", SILENCE)
        text = f"{'Operation' if connected else 'Connection'} timed out after {int(self.ms)} milliseconds"
        return self.fail(kind, TIMED_OUT, text + (" with 0 bytes received" if connected else ""), SILENCE)

    def data(self) -> dict[str, Any]:
        """As a plain record."""
        return {"service": self.service, "node": self.node, "pod": self.pod, "status": self.status, "ms": round(self.ms, 2),
                "error": self.error, "numbers": list(self.numbers)}
