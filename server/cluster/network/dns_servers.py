"""What a CoreDNS pod answers: the plugins of its Corefile, one after the other, until one knows.

In: the pod, the port, and a question. Out: ``Answer``: what it says, and how long that took it. Names are rewritten first; then ``hosts``,
``kubernetes`` and ``forward`` are asked in that order, whatever the order in the file. A server that it forwards to is asked by way of the
pod's own network.

Source: https://coredns.io/plugins/, https://kubernetes.io/docs/tasks/administer-cluster/dns-custom-nameservers/
"""

from __future__ import annotations

from typing import Any, NamedTuple

from server.cluster.network import upstream
from server.cluster.network.connection import POD, ROUTER, Connections
from server.cluster.network.dns import DOMAIN, NOERROR, NXDOMAIN, SERVFAIL, Dns, Reply
from server.cluster.network.dns import TTL as ZONE_TTL
from server.cluster.network.places import is_address
from server.cluster.network.source import Origins, Source
from server.cluster.network.walk import SILENCE, Walk
from server.cluster.objects import Key, Object, key
from server.cluster.patterns import Trials
from server.cluster.runtime.pages import coredns
from server.cluster.runtime.pages.corefile import Block, Forward, Hosts, Kubernetes, Rewrite, within
from server.cluster.runtime.reach import DnsRecord

REFUSED = "REFUSED"
UPSTREAM_MS, GIVES_UP_MS = 6.0, 5000.0
DEEPEST, LONGEST_NAME = 4, 253
REVERSE = (".in-addr.arpa", ".ip6.arpa")


class Answer(NamedTuple):
    reply: Reply
    seconds: float = 0.0


class DnsServers:
    def __init__(self, connections: Connections, origins: Origins, dns: Dns) -> None:
        self._connections = connections
        self._origins = origins
        self._dns = dns

    def answer(self, pod: Object, port: int, name: str, type_: str, client: str, quiet: bool = False, depth: int = 0) -> Answer:
        backend = self._connections.backend
        container = backend.container(*key(pod), next((each["name"] for each in pod["spec"]["containers"]), ""))
        asked = name.rstrip(".").lower()
        block = coredns.loaded(container).block(asked, port) if container is not None else None
        if block is None:
            return Answer(Reply(REFUSED))
        meant = _rewritten(block.rewrites, asked)
        found = self._known(key(pod), block, meant, type_, client, quiet, depth) if len(meant) <= LONGEST_NAME else Answer(Reply(SERVFAIL))
        if meant != asked:
            found = found._replace(reply=_renamed(found.reply, meant, asked))
        if not quiet:
            self._say(container, block, asked, type_, client, found)
        return found

    def _known(self, pod: Key, block: Block, name: str, type_: str, client: str, quiet: bool, depth: int) -> Answer:
        if block.hosts is not None and (reply := _in_hosts(block.hosts, name, type_)) is not None:
            return Answer(reply)
        if block.kubernetes is not None and (reply := self._in_cluster(block.kubernetes, name, type_)) is not None:
            return Answer(reply)
        for forward in block.forwards:
            if within(name, forward.zone) and not any(within(name, zone) for zone in forward.without):
                return self._forwarded(pod, forward, name, type_, quiet, depth)
        return Answer(Reply(SERVFAIL))

    # the cluster

    def _in_cluster(self, plugin: Kubernetes, name: str, type_: str) -> Reply | None:
        zone = max((each for each in plugin.zones if within(name, each)), key=len, default=None)
        if zone is None:
            return None
        if zone.endswith("arpa"):
            reply = self._dns.backwards(name, type_) or Reply(NXDOMAIN)
        else:
            inner = (name[:-len(zone)] if zone else f"{name}.") + DOMAIN
            reply = self._dns.own_zone(inner, type_)
            if zone != DOMAIN:
                reply = _moved(reply, DOMAIN, zone)
            if plugin.pods != "insecure" and inner.endswith(f".pod.{DOMAIN}") and not (plugin.pods == "verified" and self._is_pod(inner)):
                reply = Reply(NXDOMAIN, authority=reply.authority)
        if plugin.ttl != ZONE_TTL:
            reply = reply._replace(records=tuple(each._replace(ttl=plugin.ttl) for each in reply.records))
        return None if reply.status == NXDOMAIN and any(within(name, each) for each in plugin.falls) else reply

    def _is_pod(self, name: str) -> bool:
        """Whether a pod of the namespace has the address that the name is made of."""
        address, _, namespace = name.removesuffix(f".pod.{DOMAIN}").partition(".")
        found = self._connections.places.pod_at(address.replace("-", "."))
        return found is not None and found[0] == namespace

    # other servers

    def _forwarded(self, pod: Key, forward: Forward, name: str, type_: str, quiet: bool, depth: int) -> Answer:
        origin, waited = self._origins.of(Source("pod", pod[1], pod[0])), 0.0
        for host, port in forward.to or ((upstream.ROUTER, 53),):
            walk = Walk(host, port)
            landing = self._connections.open(walk, origin, host, port, "UDP") if depth < DEEPEST else None
            if landing is not None and landing.kind == ROUTER:
                return Answer(Reply(*upstream.answer(name, type_)), waited + UPSTREAM_MS / 1000)
            if landing is not None and landing.kind == POD and coredns.is_server(landing.pod):
                further = self.answer(landing.pod, landing.port, name, type_, landing.client, quiet, depth + 1)
                return further._replace(seconds=further.seconds + waited + walk.seconds)
            waited = min(GIVES_UP_MS / 1000, waited + (GIVES_UP_MS / 1000 if walk.error is None or walk.fault == SILENCE else walk.seconds))
        return Answer(Reply(SERVFAIL), waited)

    # the log

    def _say(self, container: Any, block: Block, name: str, type_: str, client: str, found: Answer) -> None:
        if "log" in block.plugins:
            reply, number = found.reply, self._connections.random.randrange(1 << 16)
            flags = "qr,aa,rd" if within(name, DOMAIN) else "qr,rd,ra"
            size = len(name) + 18 + sum(len(each.name) + len(each.data) + 12 for each in reply.records)
            container.write(f'[INFO] {client}:{32768 + number % 28232} - {number} "{type_} IN {name}. udp {len(name) + 18} false 512" '
                            f"{reply.status} {flags} {size} {found.seconds + 0.00012:.9f}s\n")
            container.log.flush()
        if "errors" in block.plugins and found.reply.status == SERVFAIL and found.seconds:
            container.write(f"[ERROR] plugin/errors: 2 {name}. {type_}: read udp {container.ip}:{40000 + len(name)}: i/o timeout\n")
            container.log.flush()


def _rewritten(rules: tuple[Rewrite, ...], name: str) -> str:
    """What the rules make of a name; it may be one that is too long for a name, and then no further rule is tried."""
    trials = Trials()
    for rule in rules:
        new = _by(rule, name, trials)
        if new is None:
            continue
        name = new
        if not rule.goes_on or len(name) > LONGEST_NAME:
            break
    return name


def _by(rule: Rewrite, name: str, trials: Trials) -> str | None:
    """What a rule makes of a name; None if it does not fit.

    >>> _by(Rewrite("suffix", ".shop.example", ".default.svc.cluster.local", False), "web.shop.example", Trials())
    'web.default.svc.cluster.local'
    >>> _by(Rewrite("regex", r"(.*)\\.in\\.example", "{1}.default.svc.cluster.local", False), "web.in.example", Trials())
    'web.default.svc.cluster.local'
    """
    new = rule.new.rstrip(".")
    if rule.kind == "exact":
        return new if name == rule.pattern else None
    if rule.kind == "prefix":
        return rule.new + name[len(rule.pattern):] if name.startswith(rule.pattern) else None
    if rule.kind == "suffix":
        tail = rule.pattern.rstrip(".")
        return name[:-len(tail)] + new if tail and name.endswith(tail) else None
    if rule.kind == "substring":
        return name.replace(rule.pattern, rule.new) if rule.pattern in name else None
    pattern = f".*?(?:{rule.pattern})"
    found = trials.match(pattern, f"{name}.") or trials.match(pattern, name)
    if found is None:
        return None
    for index, group in enumerate(found.groups(), 1):
        new = new.replace(f"{{{index}}}", group or "")
    return new.lower().rstrip(".")


def _in_hosts(hosts: Hosts, name: str, type_: str) -> Reply | None:
    if name.endswith(REVERSE):
        address = ".".join(reversed(name.removesuffix(REVERSE[0]).split(".")))
        names = [each for each, addresses in hosts.names.items() if address in addresses]
        return Reply(NOERROR, tuple(DnsRecord(f"{name}.", hosts.ttl, "PTR", f"{each}.") for each in names)) if names else None
    if not any(within(name, zone) for zone in hosts.zones):
        return None
    addresses = hosts.names.get(name)
    if addresses is None:
        return None if hosts.falls else Reply(NXDOMAIN)
    records = tuple(DnsRecord(f"{name}.", hosts.ttl, "A", each) for each in addresses if is_address(each))
    return Reply(NOERROR, records if type_ in ("A", "ANY") else ())


def _renamed(reply: Reply, old: str, new: str) -> Reply:
    """An answer under the name that was asked for."""
    return reply._replace(records=tuple(each._replace(name=f"{new}.") if each.name == f"{old}." else each for each in reply.records))


def _moved(reply: Reply, old: str, new: str) -> Reply:
    """An answer about a zone under another one's name."""
    def move(text: str) -> str:
        return f"{text[:-len(old) - 1]}{new}." if text.endswith(f"{old}.") else text
    return Reply(reply.status, *(tuple(each._replace(name=move(each.name), data=move(each.data)) for each in part)
                                 for part in (reply.records, reply.authority, reply.additional)))
