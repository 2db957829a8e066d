"""The network as a program finds it: what it may ask of the machine that it runs on.

``Reach`` is made by ``network`` for a pod's containers, for a node and for the workstation beside the cluster; programs in
``runtime.plans`` know nothing else of the network. What is asked is answered at once; how long it took on the way is in the answer
(``Walk.seconds``, ``Lookup.seconds``), and the program waits so long before it shows what it got.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from server.cluster.network.walk import Hop, Walk


class ConnectionReset(Exception):
    """The other end of a conversation is gone: its pod died, or packets no longer reach it."""


class DnsRecord(NamedTuple):
    """One line of an answer: owner name with its final dot, seconds it may be kept, type (A, SRV, CNAME, PTR, ...), data as dig prints it."""

    name: str
    ttl: int
    type: str
    data: str


@dataclass(slots=True)
class Lookup:
    """What a DNS server said to one question: ``status`` is NOERROR, NXDOMAIN, SERVFAIL, ... or "" when nobody answered: then ``fault``
    says why ("Connection timed out", "Connection refused", "Network is unreachable", "No route to host").

    ``asked`` are the names that the search list made of the question, in order; ``name`` is the one that was answered (or the last).
    ``records`` come in the order of the answer, CNAMEs before what they lead to; ``authority`` and ``additional`` are dig's other
    sections; ``hops`` are the way of the last packet, ``by`` the pod that answered it. NOERROR without records: the name exists and has
    none of that type."""

    server: str
    name: str
    type: str = "A"
    status: str = ""
    records: tuple[DnsRecord, ...] = ()
    asked: list[str] = field(default_factory=list)
    seconds: float = 0.0
    fault: str = ""
    authority: tuple[DnsRecord, ...] = ()
    additional: tuple[DnsRecord, ...] = ()
    hops: list[Hop] = field(default_factory=list)
    by: tuple[str, str] | None = None

    @property
    def addresses(self) -> tuple[str, ...]:
        return tuple(record.data for record in self.records if record.type in ("A", "AAAA"))


class Interface(NamedTuple):
    """``address`` with its prefix length, as ``ip addr`` prints it; "" if it has none."""

    index: int
    name: str
    address: str
    mac: str = ""
    mtu: int = 1500
    peer: int = 0


class Route(NamedTuple):
    """``target`` is "default" or a network; ``via`` "" if it is on the link."""

    target: str
    via: str
    device: str
    source: str = ""


class Echo(NamedTuple):
    """What became of a ping: ``ms`` and ``ttl`` of the answer, or the ``fault``: "" for silence, "Destination Host Unreachable",
    "Destination Net Unreachable", "Destination Port Unreachable", or "bad address" (and ``address`` "") if the name has none."""

    address: str
    ms: float | None
    ttl: int = 63
    fault: str = ""


class Talk(Protocol):
    """An open TCP connection to what listens in a container: bytes in, the bytes that it answers at once out. ``ConnectionReset`` is
    raised when the other end is gone."""

    closed: bool

    def send(self, data: bytes) -> bytes: ...

    def finish(self) -> bytes:
        """The client has nothing more to say: what the server says last."""
        ...


class Reach(Protocol):
    """``source`` addresses, names and ports are as the program's own machine has them."""

    def request(self, host: str, port: int, method: str = "GET", path: str = "/", timeout: float | None = None,
                headers: dict[str, str] | None = None, log: bool = True, body: str = "", tls: bool = False) -> Walk:
        """One HTTP request, by name or address. ``walk.error`` says in curl's words what went wrong, ``walk.exit_code`` is curl's number,
        ``walk.fault`` the errno's text for other programs ("Connection refused", "Connection timed out", "No route to host", "Network is
        unreachable", "Connection reset by peer", "Empty reply from server", "wrong version number" of TLS to a plain server, "Name does
        not resolve"); ``walk.address`` is the address that was asked, "" if the name has none. Of the API server's HTTPS nobody checks the
        certificate here: that is the program's affair."""
        ...

    def connect(self, host: str, port: int, timeout: float | None = None, protocol: str = "TCP") -> Walk:
        """Only opens a connection: ``walk.error`` is None when somebody takes it. Of UDP: when a program
        there would get the packet; nobody answers to say so, and silence is all that a sender has of the fault "Connection timed out"."""
        ...

    def talk(self, host: str, port: int, timeout: float | None = None) -> tuple[Walk, Talk | None]:
        """Opens a connection and keeps it; None if it fails, as the walk tells."""
        ...

    def lookup(self, name: str, type: str = "A", search: bool = True, server: str = "") -> Lookup:
        """Asks the DNS server of ``/etc/resolv.conf`` (or ``server``); ``search`` uses its search list and ndots."""
        ...

    def resolve(self, name: str) -> tuple[str, ...]:
        """Addresses as a program's resolver finds them: /etc/hosts, then DNS with the search list; () if there is none."""
        ...

    def ping(self, host: str) -> Echo: ...

    def trace(self, host: str) -> list[Echo]:
        """The machines on the way, as traceroute finds them: the last is the goal if it answers; silence is an Echo without ``ms``."""
        ...

    def interfaces(self) -> list[Interface]: ...

    def routes(self) -> list[Route]: ...

    def resolv_conf(self) -> str:
        """The text of /etc/resolv.conf."""
        ...

    def hosts(self) -> str:
        """The text of /etc/hosts."""
        ...
