"""The packet filter's tables of a node, as kube-proxy has written them there: chains of rules, as data.

In: kube-proxy's rules and mode. Out: ``tables(node)``: for ``nat`` and ``filter`` each chain with its rules, each rule with its matches as
``iptables-save`` writes and ``iptables -L`` prints them. Chains have the names that kube-proxy computes: a hash of the Service port, its
protocol and the endpoint. What the pod network's own agent writes (policies, host ports) is not among them.

Source: https://kubernetes.io/docs/reference/networking/virtual-ips/#proxy-mode-iptables
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from itertools import groupby
from typing import NamedTuple

from server.cluster.network.places import POD_NETWORK
from server.cluster.network.proxy import Proxy
from server.cluster.network.proxy_modes import IPTABLES, IPVS
from server.cluster.network.rules import CLUSTER, EXTERNAL, LOAD_BALANCER, NODE_PORT, Endpoint, Rule, candidates

MARK, SERVICES, NODEPORTS, POSTROUTING = "KUBE-MARK-MASQ", "KUBE-SERVICES", "KUBE-NODEPORTS", "KUBE-POSTROUTING"
EXTERNAL_SERVICES, FIREWALL, PROXY_FIREWALL, FORWARD = "KUBE-EXTERNAL-SERVICES", "KUBE-FIREWALL", "KUBE-PROXY-FIREWALL", "KUBE-FORWARD"
CANARIES = ("KUBE-KUBELET-CANARY", "KUBE-PROXY-CANARY")
BUILT_IN = {"nat": ("PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"), "filter": ("INPUT", "FORWARD", "OUTPUT"),
            "mangle": ("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING")}
HINT = "KUBE-IPTABLES-HINT"
LAST = "kubernetes service nodeports; NOTE: this must be the last rule in this chain"
PODS = str(POD_NETWORK)
ANY = "0.0.0.0/0"


class Match(NamedTuple):
    """A condition as it is saved and as it is listed, by names or (``numeric``) by numbers."""

    saved: str
    listed: str
    numeric: str = ""


class PacketRule(NamedTuple):
    """One rule: ``not_source`` turns its source round; ``does`` is what its target adds, saved and listed."""

    target: str
    matches: tuple[Match, ...] = ()
    protocol: str = "all"
    source: str = ANY
    destination: str = ANY
    not_source: bool = False
    does: Match = Match("", "")


Chains = dict[str, list[PacketRule]]


def comment(text: str) -> Match:
    return Match(f'-m comment --comment "{text}"', f"/* {text} */")


def to_port(protocol: str, port: int) -> Match:
    name = PORT_NAMES.get(port, str(port))
    return Match(f"-m {protocol} --dport {port}", f"{protocol} dpt:{name}", f"{protocol} dpt:{port}")


def address_type(side: str) -> Match:
    return Match(f"-m addrtype --{side}-type LOCAL", f"ADDRTYPE match {side}-type LOCAL")


def state(states: str, negated: bool = False) -> Match:
    mark = "! " if negated else ""
    return Match(f"-m conntrack {mark}--ctstate {states}", f"{mark}ctstate {states}")


def odds(left: int) -> Match:
    """One in ``left``, as near as the kernel's 31 bits come.

    >>> odds(3).saved
    '-m statistic --mode random --probability 0.33333333349'
    """
    chance = round(float(f"{1 / left:.10f}") * 2**31) / 2**31
    return Match(f"-m statistic --mode random --probability {chance:.11f}", f"statistic mode random probability {chance:.11f}")


def remembered(chain: str, seconds: int) -> Match:
    return Match(f"-m recent --rcheck --seconds {seconds} --reap --name {chain} --mask 255.255.255.255 --rsource",
                 f"recent: CHECK seconds: {seconds} reap name: {chain} side: source mask: 255.255.255.255")


def remember(chain: str) -> Match:
    return Match(f"-m recent --set --name {chain} --mask 255.255.255.255 --rsource",
                 f"recent: SET name: {chain} side: source mask: 255.255.255.255")


def chain_of(prefix: str, rule: Rule, endpoint: str = "") -> str:
    """
    >>> chain_of("KUBE-SVC", Rule(("default", "kubernetes"), CLUSTER, 443, None, 6443, (), False, None, name="https"))
    'KUBE-SVC-NPX46M4PTMTKRN6Y'
    """
    digest = hashlib.sha256(f"{rule.title}{rule.protocol.lower()}{endpoint}".encode()).digest()
    return f"{prefix}-{base64.b32encode(digest).decode()[:16]}"


def tables(proxy: Proxy, node: str) -> dict[str, Chains]:
    """The tables with their chains, the built-in ones first and the others by name."""
    mode = proxy.mode(node).name
    made = _Tables(proxy, node)
    if mode == IPTABLES:
        made.services()
    elif mode == IPVS:
        made.ipvs()
    else:
        made.nothing()
    mangle: Chains = {name: [] for name in (*BUILT_IN["mangle"], HINT, *CANARIES)}
    return {table: {name: chains[name] for name in (*BUILT_IN[table], *sorted(set(chains).difference(BUILT_IN[table])))}
            for table, chains in (("nat", made.nat), ("filter", made.filter), ("mangle", mangle))}


class _Tables:
    def __init__(self, proxy: Proxy, node: str) -> None:
        self._proxy = proxy
        self._node = node
        self.nat: Chains = {name: [] for name in BUILT_IN["nat"]}
        self.filter: Chains = {name: [] for name in BUILT_IN["filter"]}
        for chains in (self.nat, self.filter):
            for name in CANARIES:
                chains[name] = []
        self.filter[FIREWALL] = [PacketRule("DROP", (comment("block incoming localnet connections"), state("RELATED,ESTABLISHED,DNAT", True)),
                                            source="127.0.0.0/8", destination="127.0.0.0/8", not_source=True)]
        for name in ("INPUT", "OUTPUT"):
            self.filter[name].append(PacketRule(FIREWALL))

    def nothing(self) -> None:
        """In nftables mode nothing of it is in these tables."""

    # in either mode

    def _common(self, service_chains: tuple[str, ...]) -> None:
        nat = self.nat
        portals = comment("kubernetes service portals")
        nat["PREROUTING"].append(PacketRule(SERVICES, (portals,)))
        nat["OUTPUT"].append(PacketRule(SERVICES, (portals,)))
        nat["POSTROUTING"].append(PacketRule(POSTROUTING, (comment("kubernetes postrouting rules"),)))
        nat[MARK] = [PacketRule("MARK", does=Match("--set-xmark 0x4000/0x4000", "MARK or 0x4000"))]
        nat[POSTROUTING] = [
            PacketRule("RETURN", (Match("-m mark ! --mark 0x4000/0x4000", "mark match ! 0x4000/0x4000"),)),
            PacketRule("MARK", does=Match("--set-xmark 0x4000/0x0", "MARK xor 0x4000")),
            PacketRule("MASQUERADE", (comment("kubernetes service traffic requiring SNAT"),), does=Match("--random-fully", "random-fully"))]
        for name in service_chains:
            nat[name] = []
        self.filter[FORWARD] = [
            PacketRule("ACCEPT", (comment("kubernetes forwarding rules"), Match("-m mark --mark 0x4000/0x4000", "mark match 0x4000/0x4000"))),
            PacketRule("ACCEPT", (comment("kubernetes forwarding conntrack rule"), state("RELATED,ESTABLISHED")))]

    # iptables

    def services(self) -> None:
        self._common((SERVICES, NODEPORTS))
        table, new = self.filter, state("NEW")
        for name in (EXTERNAL_SERVICES, PROXY_FIREWALL, SERVICES, NODEPORTS):
            table[name] = []
        balancer, portals = comment("kubernetes load balancer firewall"), comment("kubernetes service portals")
        outside = comment("kubernetes externally-visible service portals")
        table["INPUT"][:0] = [PacketRule(PROXY_FIREWALL, (new, balancer)), PacketRule(NODEPORTS, (comment("kubernetes health check service ports"),)),
                              PacketRule(EXTERNAL_SERVICES, (new, outside))]
        table["FORWARD"][:0] = [PacketRule(PROXY_FIREWALL, (new, balancer)), PacketRule(FORWARD, (comment("kubernetes forwarding rules"),)),
                                PacketRule(SERVICES, (new, portals)), PacketRule(EXTERNAL_SERVICES, (new, outside))]
        table["OUTPUT"][:0] = [PacketRule(PROXY_FIREWALL, (new, balancer)), PacketRule(SERVICES, (new, portals))]
        rules = sorted(self._proxy.all_rules(), key=lambda rule: (rule.title, rule.protocol))
        for _, group in groupby(rules, key=lambda rule: (rule.title, rule.protocol)):
            self._service_port(list(group))
        self.nat[SERVICES].append(PacketRule(NODEPORTS, (comment(LAST), address_type("dst"))))

    def _service_port(self, rules: list[Rule]) -> None:
        """One Service port at all of its addresses."""
        any_rule = rules[0]
        everywhere = self._proxy.usable(any_rule._replace(local=False), self._node)
        local = self._proxy.usable(any_rule._replace(local=True), self._node)
        outside = [rule for rule in rules if rule.via != CLUSTER]
        inside_local = any(rule.via == CLUSTER and rule.local for rule in rules)
        outside_local = any(rule.local for rule in outside)
        if everywhere and (not inside_local or outside):
            self._endpoint_chain(chain_of("KUBE-SVC", any_rule), any_rule, everywhere)
        if local and (inside_local or outside_local):
            self._endpoint_chain(chain_of("KUBE-SVL", any_rule), any_rule, local)
        used = {*(everywhere if not inside_local or outside else ()), *(local if inside_local or outside_local else ())}
        for endpoint in sorted(used, key=lambda endpoint: (endpoint.address, endpoint.port)):
            self._endpoint(any_rule, endpoint)
        if outside and (everywhere or local):
            self._outside_chain(any_rule, bool(local) if outside_local else None)
        for rule in rules:
            self._way_in(rule, everywhere, local)
        if any_rule.keeps_source and any(rule.via == LOAD_BALANCER for rule in rules) and (port := self._health_port(any_rule)):
            self.filter[NODEPORTS].append(PacketRule("ACCEPT", (comment(f"{any_rule.title} health check node port"), to_port("tcp", port)), "tcp"))

    def _health_port(self, rule: Rule) -> int | None:
        return self._proxy.health_port(rule.service)

    def _way_in(self, rule: Rule, everywhere: list[Endpoint], local: list[Endpoint]) -> None:
        """How packets to one address of it find its chain; what is refused or dropped stands in the filter table."""
        protocol, title = rule.protocol.lower(), rule.title
        words = {CLUSTER: "cluster IP", LOAD_BALANCER: "loadbalancer IP", EXTERNAL: "external IP"}
        port = to_port(protocol, rule.port if rule.via != NODE_PORT else rule.node_port or 0)
        destination = f"{rule.address}/32" if rule.address is not None else ANY
        here = (address_type("dst"),) if rule.via == NODE_PORT else ()
        if not (local if rule.local else everywhere):
            exists = bool(candidates(rule.endpoints))
            what = "has no local endpoints" if exists else "has no endpoints"
            chain = SERVICES if rule.via == CLUSTER else EXTERNAL_SERVICES
            refused = Match("--reject-with icmp-port-unreachable", "reject-with icmp-port-unreachable")
            self.filter[chain].append(PacketRule("DROP" if exists else "REJECT", (comment(f"{title} {what}"), *here, port), protocol,
                                                 destination=destination, does=Match("", "") if exists else refused))
            if rule.via == CLUSTER or not everywhere:
                return
        prefix = "KUBE-EXT" if rule.via != CLUSTER else "KUBE-SVL" if rule.local else "KUBE-SVC"
        chain = chain_of(prefix, rule)
        if rule.via == NODE_PORT:
            self.nat[NODEPORTS].append(PacketRule(chain, (comment(title), port), protocol))
            return
        says = comment(f"{title} {words[rule.via]}")
        if rule.via == CLUSTER:
            self.nat[chain].insert(0, PacketRule(MARK, (says, port), protocol, PODS, destination, True))
        if rule.via == LOAD_BALANCER and rule.ranges:
            chain = self._firewall(rule, chain, says, port, destination)
        self.nat[SERVICES].append(PacketRule(chain, (says, port), protocol, destination=destination))

    def _firewall(self, rule: Rule, chain: str, says: Match, port: Match, destination: str) -> str:
        """The chain that lets only its loadBalancerSourceRanges in."""
        own = chain_of("KUBE-FW", rule)
        self.nat[own] = [*(PacketRule(chain, (says,), source=str(block)) for block in rule.ranges),
                         PacketRule("", (comment(f"other traffic to {rule.title} will be dropped by KUBE-PROXY-FIREWALL"),))]
        self.filter[PROXY_FIREWALL].append(PacketRule("DROP", (comment(f"{rule.title} traffic not accepted by {own}"), port),
                                                      rule.protocol.lower(), destination=destination))
        return own

    def _outside_chain(self, rule: Rule, local: bool | None) -> None:
        """What comes to it from outside; ``local`` says whether a Local policy has an endpoint here, None that its policy is Cluster."""
        service, ends = chain_of("KUBE-SVC", rule), f"for {rule.title} external destinations"
        if local is None:
            made = [PacketRule(MARK, (comment(f"masquerade traffic {ends}"),)), PacketRule(service)]
        else:
            made = [PacketRule(service, (comment(f"pod traffic {ends}"),), source=PODS),
                    PacketRule(MARK, (comment(f"masquerade LOCAL traffic {ends}"), address_type("src"))),
                    PacketRule(service, (comment(f"route LOCAL traffic {ends}"), address_type("src"))),
                    *([PacketRule(chain_of("KUBE-SVL", rule))] if local else ())]
        self.nat[chain_of("KUBE-EXT", rule)] = made

    def _endpoint_chain(self, chain: str, rule: Rule, found: list[Endpoint]) -> None:
        """First whom it remembers, then each with the odds that make all equal."""
        found = sorted(found, key=lambda endpoint: (endpoint.address, endpoint.port))
        named = [(f"{endpoint.address}:{endpoint.port}", chain_of("KUBE-SEP", rule, f"{endpoint.address}:{endpoint.port}")) for endpoint in found]
        made = self.nat[chain] = []
        if rule.sticky is not None:
            made += [PacketRule(own, (comment(f"{rule.title} -> {where}"), remembered(own, int(rule.sticky)))) for where, own in named]
        made += [PacketRule(own, (comment(f"{rule.title} -> {where}"), *([odds(len(named) - at)] if at < len(named) - 1 else ())))
                 for at, (where, own) in enumerate(named)]

    def _endpoint(self, rule: Rule, endpoint: Endpoint) -> None:
        where, protocol = f"{endpoint.address}:{endpoint.port}", rule.protocol.lower()
        own = chain_of("KUBE-SEP", rule, where)
        says = comment(rule.title)
        sets = (remember(own),) if rule.sticky is not None else ()
        self.nat[own] = [PacketRule(MARK, (says,), source=f"{endpoint.address}/32"),
                         PacketRule("DNAT", (says, *sets, Match(f"-m {protocol}", protocol)), protocol,
                                    does=Match(f"--to-destination {where}", f"to:{where}"))]

    # ipvs

    def ipvs(self) -> None:
        """Sets of addresses instead of chains for each Service; the balancing itself is the kernel's."""
        self._common((SERVICES, "KUBE-NODE-PORT", "KUBE-LOAD-BALANCER"))
        nat, cluster = self.nat, Match("-m set --match-set KUBE-CLUSTER-IP dst,dst", "match-set KUBE-CLUSTER-IP dst,dst")
        rules = self._proxy.all_rules()
        nat[SERVICES] = [PacketRule("RETURN", source="127.0.0.0/8"), PacketRule(
            MARK, (comment("Kubernetes service cluster ip + port for masquerade purpose"), cluster), source=PODS, not_source=True),
            PacketRule("KUBE-NODE-PORT", (address_type("dst"),)), PacketRule("ACCEPT", (cluster,))]
        if any(rule.via == LOAD_BALANCER for rule in rules):
            balanced = Match("-m set --match-set KUBE-LOAD-BALANCER dst,dst", "match-set KUBE-LOAD-BALANCER dst,dst")
            nat[SERVICES].insert(1, PacketRule("KUBE-LOAD-BALANCER", (comment("Kubernetes service lb portal"), balanced)))
            nat[SERVICES].append(PacketRule("ACCEPT", (balanced,)))
        nat["KUBE-LOAD-BALANCER"] = [PacketRule(MARK)]
        for protocol in ("TCP", "UDP"):
            if any(rule.via == NODE_PORT and rule.protocol == protocol for rule in rules):
                name = f"KUBE-NODE-PORT-{protocol}"
                nat["KUBE-NODE-PORT"].append(PacketRule(MARK, (
                    comment(f"Kubernetes nodeport {protocol} port for masquerade purpose"),
                    Match(f"-m set --match-set {name} dst", f"match-set {name} dst")), protocol.lower()))
        nat[POSTROUTING].insert(0, PacketRule("MASQUERADE", (
            comment("Kubernetes endpoints dst ip:port, source ip for solving hairpin purpose"),
            Match("-m set --match-set KUBE-LOOP-BACK dst,dst,src", "match-set KUBE-LOOP-BACK dst,dst,src"))))
        self.filter["FORWARD"][:0] = [PacketRule(FORWARD, (comment("kubernetes forwarding rules"),))]


def references(chains: Chains, chain: str) -> int:
    """How many rules lead to a chain."""
    return sum(rule.target == chain for rules in chains.values() for rule in rules)


def each_rule(chains: Chains) -> Iterator[tuple[str, PacketRule]]:
    for chain, rules in chains.items():
        for rule in rules:
            yield chain, rule


PORT_NAMES = {22: "ssh", 25: "smtp", 53: "domain", 80: "http", 110: "pop3", 123: "ntp", 143: "imap2", 389: "ldap", 443: "https", 636: "ldaps",
              1433: "ms-sql-s", 2049: "nfs", 3306: "mysql", 5432: "postgresql", 5672: "amqp", 6379: "redis", 8080: "http-alt",
              11211: "memcached"}
