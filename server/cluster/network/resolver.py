"""How a machine resolves names: its /etc/hosts, its /etc/resolv.conf, and the questions that it sends to the servers named there.

In: who asks (``Source``) and what. A pod's resolv.conf follows its dnsPolicy and dnsConfig, as its kubelet writes it; the search list is
used as ``ndots`` says. Each question travels as a UDP packet the way that all packets do, so that without a CoreDNS pod, or behind a
NetworkPolicy, nobody answers. Out: a ``Lookup``.

Source: https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/, https://man7.org/linux/man-pages/man5/resolv.conf.5.html
"""

from __future__ import annotations

from typing import NamedTuple

from server.cluster.network import upstream
from server.cluster.network.connection import POD, ROUTER, Connections, Landing
from server.cluster.network.dns import DOMAIN, NOERROR, Dns, Reply
from server.cluster.network.dns_servers import UPSTREAM_MS, DnsServers
from server.cluster.network.places import is_address
from server.cluster.network.source import Origin, Origins, Source
from server.cluster.network.walk import SILENCE, Hop, Walk
from server.cluster.objects import Object, key
from server.cluster.runtime.pages.coredns import is_server
from server.cluster.runtime.reach import Lookup

CLUSTER_DNS, DNS_PORT = "10.96.0.10", 53
LOOKUP_MS = 0.6
NDOTS, TIMEOUT, ATTEMPTS = 1, 5.0, 2
MOST_NDOTS, LONGEST_TIMEOUT, MOST_ATTEMPTS = 15, 30.0, 5
MOST_SERVERS = 3
LONGEST_NAME = 253
TYPES = ("A", "AAAA", "ANY", "CNAME", "MX", "NS", "PTR", "SOA", "SRV", "TXT")


class ResolvConf(NamedTuple):
    """What /etc/resolv.conf says."""

    servers: tuple[str, ...]
    search: tuple[str, ...] = ()
    options: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        lines = [*([f"search {' '.join(self.search)}"] if self.search else ()), *(f"nameserver {server}" for server in self.servers),
                 *([f"options {' '.join(self.options)}"] if self.options else ())]
        return "".join(f"{line}\n" for line in lines)

    def number(self, option: str, default: float, most: float) -> float:
        value = next((word.partition(":")[2] for word in reversed(self.options) if word.partition(":")[0] == option), "")
        return min(float(value), most) if value.isdecimal() else default

    def candidates(self, name: str) -> list[str]:
        """The full names to ask for, in order.

        >>> ResolvConf(("10.96.0.10",), ("a.svc", "svc"), ("ndots:2",)).candidates("web.b")
        ['web.b.a.svc', 'web.b.svc', 'web.b']
        """
        bare = name.rstrip(".")
        if name.endswith("."):
            return [bare]
        searched = [f"{bare}.{domain.rstrip('.')}" if domain.rstrip(".") else bare for domain in self.search]
        first = bare.count(".") >= self.number("ndots", NDOTS, MOST_NDOTS)
        return list(dict.fromkeys([bare, *searched] if first else [*searched, bare]))


class Resolver:
    """While ``quiet`` is set, questions leave no line in a server's log: they are looks."""

    def __init__(self, connections: Connections, origins: Origins, dns: Dns) -> None:
        self._connections = connections
        self._places = connections.places
        self._origins = origins
        self.dns = dns
        self.servers = DnsServers(connections, origins, dns)
        self.quiet = False

    # the files

    def conf(self, source: Source) -> ResolvConf:
        pod = self._origins.pod(source)
        if pod is None:
            return ResolvConf((upstream.ROUTER,)) if source.kind != "pod" else self._cluster_first(source.namespace)
        spec = pod["spec"]
        policy = spec.get("dnsPolicy", "ClusterFirst")
        if policy == "ClusterFirst" and spec.get("hostNetwork"):
            policy = "Default"
        base = ResolvConf(()) if policy == "None" else ResolvConf((upstream.ROUTER,)) if policy == "Default" \
            else self._cluster_first(pod["metadata"]["namespace"])
        return _with_config(base, spec.get("dnsConfig") or {})

    def _cluster_first(self, namespace: str) -> ResolvConf:
        return ResolvConf((CLUSTER_DNS,), tuple(self.dns.search_domains(namespace)), ("ndots:5",))

    def hosts(self, source: Source) -> str:
        """/etc/hosts: a pod's is written by its kubelet, with the pod's own name and its hostAliases."""
        pod = self._origins.pod(source)
        if pod is None:
            return "127.0.0.1\tlocalhost\n" + "".join(f"{address}\t{name}\n" for name, address in self._places.names().items())
        spec = pod["spec"]
        if spec.get("hostNetwork"):
            head = f"# Kubernetes-managed hosts file (host network).\n{self.hosts(Source('node', spec.get('nodeName', '')))}"
        else:
            head = ("# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n"
                    "fe00::0\tip6-localnet\nfe00::0\tip6-mcastprefix\nfe00::1\tip6-allnodes\nfe00::2\tip6-allrouters\n"
                    f"{(pod.get('status') or {}).get('podIP', '')}\t{chr(9).join(_own_names(pod))}\n")
        aliases = spec.get("hostAliases") or ()
        if aliases:
            head += "\n# Entries added by HostAliases.\n" + "".join(
                f"{alias['ip']}\t{chr(9).join(alias.get('hostnames') or ())}\n" for alias in aliases)
        return head

    def in_hosts(self, source: Source, name: str) -> str | None:
        """The IPv4 address that /etc/hosts gives a name."""
        name = name.rstrip(".").lower()
        if source.kind != "pod":
            return "127.0.0.1" if name == "localhost" else self._places.address_of(name)
        for line in self.hosts(source).splitlines():
            words = line.partition("#")[0].lower().split()
            if name in words[1:] and is_address(words[0]):
                return words[0]
        return None

    # questions

    def lookup(self, source: Source, name: str, type_: str = "A", search: bool = True, server: str = "") -> Lookup:
        """Asks for a name until one of those that the search list makes of it is found, or nobody answers."""
        conf, origin = self.conf(source), self._origins.of(source)
        servers = (server,) if server else conf.servers[:MOST_SERVERS]
        found = Lookup(servers[0] if servers else "", name.rstrip("."), type_)
        no_data: Reply | None = None
        for candidate in conf.candidates(name) if search else [name.rstrip(".")]:
            found.asked.append(candidate)
            found.name = candidate
            reply = self._ask(found, origin, conf, servers, candidate, type_)
            if reply is None:
                return found
            if reply.status == NOERROR and reply.records:
                break
            no_data = reply if reply.status == NOERROR else no_data
        else:
            reply = no_data or reply
        found.status = reply.status
        found.records, found.authority, found.additional = self._shuffled(reply.records), reply.authority, reply.additional
        return found

    def _ask(self, found: Lookup, origin: Origin, conf: ResolvConf, servers: tuple[str, ...], name: str, type_: str) -> Reply | None:
        """One question to the first server that answers; None if none does."""
        if len(name) > LONGEST_NAME or any(not label or len(label) > 63 for label in name.split(".") if name):
            return Reply("NXDOMAIN")
        timeout, attempts = conf.number("timeout", TIMEOUT, LONGEST_TIMEOUT), conf.number("attempts", ATTEMPTS, MOST_ATTEMPTS)
        found.fault = SILENCE
        for server in servers * max(1, int(attempts)):
            walk = Walk(server, DNS_PORT)
            landing = self._connections.open(walk, origin, server, DNS_PORT, "UDP") if is_address(server) else None
            reply = self._answer(found, landing, name, type_) if landing is not None else None
            found.hops = walk.hops
            if reply is not None:
                found.server, found.fault, found.by = server, "", key(landing.pod) if landing.pod is not None else None
                found.seconds += LOOKUP_MS / 1000
                return reply
            if walk.error is not None and walk.fault != SILENCE:
                found.fault = walk.fault
                found.seconds += walk.seconds
                continue
            found.seconds += timeout
        return None

    def _answer(self, found: Lookup, landing: Landing, name: str, type_: str) -> Reply | None:
        """What a server says: a CoreDNS pod, or the router of the nodes' network."""
        if landing.kind == ROUTER:
            found.seconds += UPSTREAM_MS / 1000
            return Reply(*upstream.answer(name.lower(), type_))
        if landing.kind != POD or not is_server(landing.pod):
            return None
        answer = self.servers.answer(landing.pod, landing.port, name, type_, landing.client, self.quiet)
        found.seconds += answer.seconds
        return answer.reply

    def _shuffled(self, records: tuple) -> tuple:
        """Addresses come in another order each time, after the names that lead to them."""
        if sum(record.type == "A" for record in records) < 2:
            return records
        names = [record for record in records if record.type != "A"]
        addresses = [record for record in records if record.type == "A"]
        self._connections.random.shuffle(addresses)
        return (*names, *addresses)

    def told(self, found: Lookup, addresses: tuple[str, ...]) -> list[Hop]:
        """A lookup as steps of a walk: what stopped it, who answered, and what."""
        alias = next((record.data.rstrip(".") for record in found.records if record.type == "CNAME"), "")
        said = (addresses[0] if addresses else f"is another name for {alias}, which does not exist" if alias else "no DNS server answers"
                if not found.status else "has no address" if found.status == NOERROR else found.status)
        by = [Hop("dns", "/".join(found.by), f"is asked by way of {found.server}", {"pod": "/".join(found.by)})] if found.by is not None else []
        return [*(hop for hop in found.hops if hop.kind == "policy"), *by, Hop("dns", found.name, said, {
            "server": found.server, "asked": list(found.asked), "addresses": list(addresses), "status": found.status})]

    def addresses(self, source: Source, name: str, found: Lookup | None = None) -> tuple[tuple[str, ...], Lookup | None]:
        """(addresses, the lookup if there had to be one) as a program's resolver finds them."""
        if is_address(name):
            return (name,), None
        if (known := self.in_hosts(source, name)) is not None:
            return (known,), None
        found = self.lookup(source, name)
        return found.addresses, found


def _with_config(conf: ResolvConf, config: Object) -> ResolvConf:
    """What a pod's dnsConfig adds; an option given again replaces the one before."""
    options = {word.partition(":")[0]: word for word in conf.options}
    for option in config.get("options") or ():
        value = option.get("value")
        options[option["name"]] = f"{option['name']}:{value}" if value not in (None, "") else option["name"]
    return ResolvConf(tuple(dict.fromkeys((*conf.servers, *(config.get("nameservers") or ())))),
                      tuple(dict.fromkeys((*conf.search, *(config.get("searches") or ())))), tuple(options.values()))


def _own_names(pod: Object) -> list[str]:
    spec, meta = pod["spec"], pod["metadata"]
    hostname = spec.get("hostname") or meta["name"][:63].rstrip("-.")
    subdomain = spec.get("subdomain")
    return [f"{hostname}.{subdomain}.{meta['namespace']}.svc.{DOMAIN}", hostname] if subdomain else [hostname]
