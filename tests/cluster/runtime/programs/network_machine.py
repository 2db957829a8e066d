"""A machine on a network that is a table: a zone of names, pages at addresses, and who is silent."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from server.cluster.clock import Clock
from server.cluster.disks import Tree
from server.cluster.network.walk import Walk
from server.cluster.runtime.files import Files
from server.cluster.runtime.images import image
from server.cluster.runtime.programs import PROGRAMS
from server.cluster.runtime.programs.network.common import is_address
from server.cluster.runtime.reach import DnsRecord, Echo, Interface, Lookup, Route
from server.cluster.runtime.streams import Given, Sink
from server.cluster.runtime.system import System

SERVER = "127.0.0.53"
ZONE = {
    ("web.default.svc.cluster.local", "A"): [("web.default.svc.cluster.local.", "A", "10.96.1.2")],
    ("two.test", "A"): [("two.test.", "A", "10.0.0.1"), ("two.test.", "A", "10.0.0.2")],
    ("al.test", "A"): [("al.test.", "CNAME", "web.default.svc.cluster.local."), ("web.default.svc.cluster.local.", "A", "10.96.1.2")],
    ("2.1.96.10.in-addr.arpa", "PTR"): [("2.1.96.10.in-addr.arpa.", "PTR", "web.default.svc.cluster.local.")],
    ("_http._tcp.web.test", "SRV"): [("_http._tcp.web.test.", "SRV", "0 100 80 web.default.svc.cluster.local.")],
    ("dangling.test", "A"): [("dangling.test.", "CNAME", "nosuch.test.")],
}
SOA = DnsRecord("cluster.local.", 30, "SOA", "ns.dns.cluster.local. hostmaster.cluster.local. 1767225600 7200 1800 86400 30")


class TableReach:
    """Counts what it is asked."""

    def __init__(self) -> None:
        self.pages: dict[tuple[str, int], tuple[int, dict[str, str], str]] = {}
        self.asked: list[tuple[Any, ...]] = []
        self.silent: set[str] = set()
        self.ms = 1.0

    def request(self, host, port, method="GET", path="/", timeout=None, headers=None, log=True, body="", tls=False):
        self.asked.append((method, host, port, path, headers, body))
        walk = self._open(host, port)
        if walk.error is None:
            walk.status, walk.headers, walk.body = self.pages[host, port]
        return walk if timeout is None else walk.limited(timeout)

    def connect(self, host, port, timeout=None, protocol="TCP"):
        self.asked.append(("CONNECT", host, port))
        walk = self._open(host, port)
        return walk if timeout is None else walk.limited(timeout)

    def _open(self, host, port):
        walk = Walk(host, port)
        addresses = self.resolve(host)
        walk.ms += self.ms
        if not addresses:
            return walk.unresolved()
        walk.address = addresses[0]
        if host in self.silent:
            return walk.silence("node")
        if (host, port) not in self.pages:
            return walk.refused("node")
        walk.connected = True
        return walk

    def lookup(self, name, type="A", search=True, server=""):  # noqa: A002
        if server == "127.0.0.9":
            return Lookup(server, name, type, "", seconds=0.001, fault="Connection refused")
        bare = name.rstrip(".").lower()
        status = "SERVFAIL" if bare == "fail.test" else "NOERROR" if any(known == bare for known, _ in ZONE) else "NXDOMAIN"
        records = tuple(DnsRecord(owner, 30, kind, data) for owner, kind, data in ZONE.get((bare, type), ()))
        return Lookup(server or SERVER, bare, type, status, records, [bare], 0.0004, authority=() if records else (SOA,))

    def resolve(self, name):
        if is_address(name):
            return (name,)
        return {"localhost": ("127.0.0.1",), "web": ("10.96.1.2",)}.get(name) or self.lookup(name).addresses

    def ping(self, host):
        self.asked.append(("PING", host))
        return Echo(host, None if host in self.silent else 0.068, 64)

    def trace(self, host):
        return [Echo("192.0.2.1", 0.3), Echo(host, 0.5)]

    def interfaces(self):
        return [Interface(1, "lo", "127.0.0.1/8", "00:00:00:00:00:00", 65536), Interface(4, "eth0", "192.0.2.2/24", "02:fc:00:00:00:01", 1400)]

    def routes(self):
        return [Route("default", "192.0.2.1", "eth0"), Route("192.0.2.0/24", "", "eth0", "192.0.2.2")]

    def resolv_conf(self):
        return f"nameserver {SERVER}\n"

    def hosts(self):
        return "127.0.0.1\tlocalhost\n"


class NetworkMachine:
    hostname, ip, running = "vm", "192.0.2.2", True

    def __init__(self, kit: str = "busybox", reach: TableReach | None = None, name: str = "busybox:1.35.0") -> None:
        self.kit = kit
        self.clock = Clock()
        self.own: dict[str, Any] = {}
        self.files = Files({}, self.own, (), lambda mount: Tree({}), lambda: None)
        self.reach = reach if reach is not None else TableReach()
        self.said: list[str] = []
        self.ended: int | None = None
        self.listeners: dict[Any, Any] = {}
        if kit == "busybox":
            self.image = image(name)
        self.system = System(self, self._sink, self._end)

    def _sink(self, fd: int) -> Sink:
        return Sink("stderr" if fd == 2 else "stdout", self._take)

    def _take(self, text: str) -> None:
        self.said.append(text)

    def _end(self, code: int) -> None:
        self.ended = code

    def begin(self, argv: list[str], stdin: str = "") -> Any:
        return self.system.spawn(argv, fds={0: Given(stdin), 1: self._sink(1), 2: self._sink(2)})

    def run(self, argv: list[str], stdin: str = "", seconds: float = 300) -> tuple[str, int | None]:
        self.begin(argv, stdin)
        self.clock.run_for(seconds)
        return "".join(self.said), self.ended

    def environment(self) -> dict[str, str]:
        return {"PATH": "/bin"}

    def time(self) -> datetime:
        return datetime(2026, 11, 21, 10, 54, 9) + timedelta(seconds=self.clock.now)

    def network(self) -> TableReach:
        return self.reach

    def find(self, name: str) -> Any:
        return PROGRAMS.get(name)

    def where(self, name: str) -> str:
        return f"/bin/{name}" if name in PROGRAMS else ""

    def changed(self) -> None: ...

    def burning(self) -> None: ...
