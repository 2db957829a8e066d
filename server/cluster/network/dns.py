"""Cluster DNS: what CoreDNS answers to one question, with its ``kubernetes`` plugin for the cluster's zone and a forwarder for the rest.

In: the question (a full name and a type), Services, EndpointSlices and namespaces. Out: a ``Reply``: NOERROR with records, NOERROR
without (the name has others), NXDOMAIN. Services have A and SRV records (``_port._proto.service``), headless ones those of their ready
pods and of each pod by its hostname; an ExternalName is another name, followed outside; addresses lead back to names (PTR);
``1-2-3-4.namespace.pod`` is an address that nobody checks. Which server is asked, and how, is in ``resolver``.

Source: https://github.com/kubernetes/dns/blob/master/docs/specification.md, https://coredns.io/plugins/kubernetes/
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from server.cluster.apiserver.server import ApiServer
from server.cluster.network import upstream
from server.cluster.network.places import is_address
from server.cluster.objects import Key, Object, key
from server.cluster.runtime.reach import DnsRecord
from server.cluster.selectors import from_labels
from server.cluster.store import Event

DOMAIN, TTL = "cluster.local", 30
NOERROR, NXDOMAIN, SERVFAIL = "NOERROR", "NXDOMAIN", "SERVFAIL"
SLICES, SERVICE_NAME = "endpointslices.discovery.k8s.io", "kubernetes.io/service-name"
REVERSE = ".in-addr.arpa"
MOST_ALIASES = 8
MOST_RECORDS = 1000
VERSION = "1.1.0"


class Reply(NamedTuple):
    """``additional`` are the addresses of what the answer names, ``authority`` says whose zone it is where there is no answer."""

    status: str
    records: tuple[DnsRecord, ...] = ()
    authority: tuple[DnsRecord, ...] = ()
    additional: tuple[DnsRecord, ...] = ()


class Answer(NamedTuple):
    """A name as it was found: ``canonical`` is what it stands for (an ExternalName's target). ``exists`` without addresses: the name is
    known but has none."""

    name: str
    addresses: tuple[str, ...] = ()
    canonical: str | None = None
    exists: bool = True


class Target(NamedTuple):
    """Where a name leads: an address and port, under the name that they have of their own."""

    address: str
    port: int
    name: str


class Dns:
    def __init__(self, api: ApiServer) -> None:
        self._services = api.lister("services")
        self._slices = api.lister(SLICES)
        self._namespaces = api.lister("namespaces")
        self._api = api
        self._reverse: dict[str, tuple[str, ...]] | None = None
        self._started = False

    def start(self) -> None:
        if self._started:
            return
        self._started = True
        self._api.watch("services", self._on_change)
        self._api.watch(SLICES, self._on_change)

    def _on_change(self, event: Event) -> None:
        self._reverse = None

    def search_domains(self, namespace: str) -> list[str]:
        """The cluster's own part of a pod's search list."""
        return [f"{namespace}.svc.{DOMAIN}", f"svc.{DOMAIN}", DOMAIN]

    def lookup(self, name: str, namespace: str) -> Answer:
        """What a pod of a namespace with the usual search list resolves a name to, if the server answers."""
        bare = name.rstrip(".").lower()
        names = [f"{bare}.{domain}" for domain in self.search_domains(namespace)]
        names = [bare] if name.endswith(".") else [bare, *names] if bare.count(".") >= 5 else [*names, bare]
        for candidate in names:
            answer = self.query(candidate)
            if answer.exists:
                return answer
        return Answer(bare, exists=False)

    def query(self, name: str) -> Answer:
        """The addresses of one full name."""
        reply = self.ask(name)
        alias = next((record.data.rstrip(".") for record in reply.records if record.type == "CNAME"), None)
        return Answer(name, tuple(record.data for record in reply.records if record.type == "A"), alias, reply.status == NOERROR)

    def ask(self, name: str, type_: str = "A") -> Reply:
        """What the server says to one question; the name is full, with or without its final dot."""
        name = name.rstrip(".").lower()
        if name == DOMAIN or name.endswith(f".{DOMAIN}"):
            return self.own_zone(name, type_)
        return self.backwards(name, type_) or Reply(*upstream.answer(name, type_))

    def backwards(self, name: str, type_: str) -> Reply | None:
        """The names at an address of the cluster; None if it is none."""
        known = self._names_at(name) if name.endswith(REVERSE) else ()
        if not known:
            return None
        return Reply(NOERROR, tuple(DnsRecord(f"{name}.", TTL, "PTR", f"{each}.") for each in known) if type_ in ("PTR", "ANY") else ())

    # the cluster's zone

    def own_zone(self, name: str, type_: str) -> Reply:
        soa = DnsRecord(f"{DOMAIN}.", TTL, "SOA", f"ns.dns.{DOMAIN}. hostmaster.{DOMAIN}. 1767225600 7200 1800 86400 {TTL}")
        found = self._records(name, type_, soa)
        if found is None:
            return Reply(NXDOMAIN, authority=(soa,))
        records, additional = found
        return Reply(NOERROR, records[:MOST_RECORDS], () if records else (soa,), additional[:MOST_RECORDS])

    def _records(self, name: str, type_: str, soa: DnsRecord) -> tuple[tuple[DnsRecord, ...], tuple[DnsRecord, ...]] | None:
        """(answer, additional), None if there is no such name."""
        labels = name[:-len(DOMAIN)].rstrip(".").split(".") if name != DOMAIN else []
        if not labels:
            own = {"SOA": soa, "NS": DnsRecord(f"{DOMAIN}.", TTL, "NS", f"ns.dns.{DOMAIN}.")}
            return ((own[type_],) if type_ in own else ()), ()
        if labels == ["dns-version"]:
            return ((DnsRecord(f"{name}.", TTL, "TXT", f'"{VERSION}"'),) if type_ == "TXT" else ()), ()
        kind, rest = labels[-1], labels[:-1]
        if labels == ["ns", "dns"]:
            return self._of_server(name, type_), ()
        if kind not in ("svc", "pod"):
            return None
        if not rest:
            return (), ()
        namespace, rest = rest[-1], rest[:-1]
        if self._namespaces.get("", namespace) is None:
            return None
        if not rest:
            return (), ()
        if kind == "pod":
            return self._of_pod(name, type_, rest)
        service = self._services.get(namespace, rest[-1])
        return self._of_service(name, type_, service, rest[:-1]) if service is not None else None

    def _of_server(self, name: str, type_: str) -> tuple[DnsRecord, ...]:
        own = self._services.get("kube-system", "kube-dns")
        address = own["spec"].get("clusterIP") if own is not None else None
        return (DnsRecord(f"{name}.", TTL, "A", address),) if address and type_ == "A" else ()

    def _of_pod(self, name: str, type_: str, labels: list[str]) -> tuple[tuple[DnsRecord, ...], tuple[DnsRecord, ...]] | None:
        address = labels[0].replace("-", ".")
        if len(labels) != 1 or not is_address(address):
            return None
        return ((DnsRecord(f"{name}.", TTL, "A", address),) if type_ in ("A", "ANY") else ()), ()

    def _of_service(self, name: str, type_: str, service: Object,
                    before: list[str]) -> tuple[tuple[DnsRecord, ...], tuple[DnsRecord, ...]] | None:
        """``before``: nothing, a pod's hostname, or ``_port._protocol``."""
        asked = _Asked.of(before)
        if asked is None:
            return None
        if service["spec"].get("type") == "ExternalName":
            return self._alias(name, type_, service) if not before else None
        targets = list(self._targets(service, asked))
        if not targets:
            return None
        if type_ == "SRV":
            names = list(dict.fromkeys((target.name, target.port) for target in targets))
            weight = 100 // len(names) or 1
            records = tuple(DnsRecord(f"{name}.", TTL, "SRV", f"0 {weight} {port} {named}.") for named, port in names)
            own = dict.fromkeys(DnsRecord(f"{target.name}.", TTL, "A", target.address) for target in targets)
            return records, tuple(own)
        if type_ not in ("A", "ANY"):
            return (), ()
        return tuple(DnsRecord(f"{name}.", TTL, "A", address) for address in dict.fromkeys(target.address for target in targets)), ()

    def _alias(self, name: str, type_: str, service: Object) -> tuple[tuple[DnsRecord, ...], tuple[DnsRecord, ...]]:
        """Another name, and where that leads: within the cluster or outside."""
        target = service["spec"].get("externalName", "").rstrip(".")
        chain = [DnsRecord(f"{name}.", TTL, "CNAME", f"{target}.")]
        if type_ == "CNAME":
            return tuple(chain), ()
        seen = {name}
        while target not in seen and len(seen) < MOST_ALIASES:
            seen.add(target)
            alias = self._external_name(target)
            if alias is None:
                return (*chain, *self.ask(target, type_).records), ()
            chain.append(DnsRecord(f"{target}.", TTL, "CNAME", f"{alias}."))
            target = alias
        return tuple(chain), ()

    def _external_name(self, name: str) -> str | None:
        """What an ExternalName in the cluster stands for."""
        found = re.fullmatch(rf"([^.]+)\.([^.]+)\.svc\.{re.escape(DOMAIN)}", name)
        service = self._services.get(found[2], found[1]) if found else None
        if service is None or service["spec"].get("type") != "ExternalName":
            return None
        return service["spec"].get("externalName", "").rstrip(".")

    def _targets(self, service: Object, asked: _Asked) -> Iterator[Target]:
        spec = service["spec"]
        own = _service_domain(key(service))
        if spec.get("clusterIP") != "None" and not asked.host:
            for port in spec.get("ports") or ():
                if asked.wants(port):
                    for address in spec.get("clusterIPs") or [spec.get("clusterIP", "")]:
                        yield Target(address, port["port"], own)
            return
        for entry in self._slices_of(key(service)):
            ports = [port for port in entry.get("ports") or () if asked.wants(port)] or ([{}] if not entry.get("ports") and not asked.port else [])
            for endpoint in entry.get("endpoints") or ():
                called = _called(endpoint)
                if (endpoint.get("conditions") or {}).get("ready", True) is False or asked.host and called != asked.host:
                    continue
                for port in ports:
                    yield Target(endpoint["addresses"][0], port.get("port") or 0, f"{called}.{own}")

    def _slices_of(self, service: Key) -> list[Object]:
        return self._slices.select(service[0], from_labels({SERVICE_NAME: service[1]}))

    # from addresses to names

    def _names_at(self, name: str) -> tuple[str, ...]:
        """The Service, else the endpoints, at an address written backwards."""
        if self._reverse is None:
            self._reverse = self._turned_round()
        return self._reverse.get(".".join(reversed(name.removesuffix(REVERSE).split("."))), ())

    def _turned_round(self) -> dict[str, tuple[str, ...]]:
        services = {address: (_service_domain(key(service)),) for service in self._services.list()
                    for address in service["spec"].get("clusterIPs") or [service["spec"].get("clusterIP", "")] if address not in ("", "None")}
        found: dict[str, dict[str, None]] = {}
        for entry in self._slices.list():
            owner = (entry["metadata"].get("labels") or {}).get(SERVICE_NAME)
            for endpoint in (entry.get("endpoints") or ()) if owner else ():
                if (endpoint.get("conditions") or {}).get("ready", True) is not False:
                    domain = _service_domain((entry["metadata"]["namespace"], owner))
                    found.setdefault(endpoint["addresses"][0], {})[f"{_called(endpoint)}.{domain}"] = None
        return {**{address: tuple(names) for address, names in found.items()}, **services}


class _Asked(NamedTuple):
    """What stands before a Service's name."""

    host: str = ""
    port: str = ""
    protocol: str = ""

    @classmethod
    def of(cls, labels: list[str]) -> _Asked | None:
        if not labels:
            return cls()
        if len(labels) == 1 and not labels[0].startswith("_"):
            return cls(labels[0])
        if len(labels) == 2 and labels[0].startswith("_") and labels[1] in ("_tcp", "_udp", "_sctp"):
            return cls("", labels[0][1:], labels[1][1:])
        return None

    def wants(self, port: Object) -> bool:
        return not self.port or (port.get("name") or "").lower() == self.port and (port.get("protocol") or "TCP").lower() == self.protocol


def _service_domain(service: Key) -> str:
    return f"{service[1]}.{service[0]}.svc.{DOMAIN}"


def _called(endpoint: Object) -> str:
    """An endpoint's name under its Service's."""
    return endpoint.get("hostname") or endpoint["addresses"][0].replace(".", "-")


