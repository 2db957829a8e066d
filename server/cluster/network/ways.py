"""How a source's requests divide over pods, and which of them fail and where: worked out by the rules that a single request follows.

In: a flow (a target, a port, a rate, and the pod whose program asks, if it is one). Out: its paths, each with its share.

Source: https://kubernetes.io/docs/reference/networking/virtual-ips/
"""

from __future__ import annotations

from typing import Any, NamedTuple

from server.cluster.apiserver.server import ApiServer
from server.cluster.clock import Timer
from server.cluster.network.connection import ANSWER_MS, JITTER_MS, NODE_MS, OUTSIDE_MS, Connections, on_node
from server.cluster.network.proxy import CLUSTER, EXTERNAL, LOAD_BALANCER, NODE_PORT, Endpoint, Rule
from server.cluster.network.walk import Walk
from server.cluster.objects import Key, Object

PREFERRED = (LOAD_BALANCER, EXTERNAL, NODE_PORT, CLUSTER)
Record = dict[str, Any]


class Path(NamedTuple):
    """A share of a source's requests: where they end and how; ``port`` is that of the server that answered."""

    share: float
    pod: Key | None
    node: str | None
    ms: float
    error: dict[str, str] | None
    port: int = 0


class Flow:
    """One source, with how its requests go now and how many went each way until then."""

    def __init__(self, name: str, target: Key, port: int, rate: float, pod: Key | None = None) -> None:
        self.name, self.target, self.port, self.rate, self.pod = name, target, port, rate, pod
        self.paths: list[Path] = []
        self.record: Record = {}
        self.counts: dict[tuple, float] = {}
        self.since = 0.0
        self.timer: Timer | None = None


class Ways:
    def __init__(self, api: ApiServer, connections: Connections) -> None:
        self._api = api
        self._connections = connections
        self._proxy = connections.proxy

    def paths(self, flow: Flow) -> list[Path]:
        service = self._api.lister("services").get(*flow.target)
        if service is None or service["spec"].get("type") == "ExternalName":
            return [Path(1.0, None, None, 0.0, Walk(flow.target[1], flow.port).unresolved().error)]
        rule = self.rule(flow, service)
        if rule is None:
            return [Path(1.0, None, None, 0.0, Walk(flow.target[1], flow.port).silence("service").error)]
        entries = self._entries(flow, rule)
        if not entries:
            return [Path(1.0, None, None, 0.0, Walk(flow.target[1], flow.port).silence("node").error)]
        paths: dict[tuple, Path] = {}
        outcomes: dict[Endpoint, Path] = {}
        everywhere = None if rule.local else self._proxy.usable(rule, None)
        for entry in entries:
            for share, path in self._from_entry(flow, rule, entry, everywhere, outcomes):
                way = (path.pod, path.node, path.error and path.error["text"])
                known = paths.get(way)
                paths[way] = path._replace(share=(known.share if known else 0.0) + share / len(entries))
        return list(paths.values())

    def _entries(self, flow: Flow, rule: Rule) -> list[str]:
        """The nodes at which its requests come in."""
        if flow.pod is None:
            return self._connections.entry_nodes(rule)
        pod = self._api.lister("pods").get(*flow.pod)
        return [pod["spec"]["nodeName"]] if pod is not None and pod["spec"].get("nodeName") else []

    def _from_entry(self, flow: Flow, rule: Rule, entry: str, everywhere: list[Endpoint] | None,
                    outcomes: dict[Endpoint, Path]) -> list[tuple[float, Path]]:
        """(share, path) of what comes in at one node."""
        walk = Walk(self.host(flow, rule, entry), port_of(rule, flow))
        if not self._connections.reachable(entry):
            lost = walk.no_route("node") if rule.via == NODE_PORT else walk.silence("node")
            return [(1.0, Path(0.0, None, entry, 0.0, lost.error))]
        usable = self._proxy.usable(rule, entry) if everywhere is None else everywhere
        if not usable:
            failed = walk.silence("endpoints") if rule.local and self._proxy.usable(rule._replace(local=False), None) \
                else walk.refused("endpoints")
            return [(1.0, Path(0.0, None, None, 0.0, failed.error))]
        if rule.sticky is not None:
            chosen = self._proxy.choose(rule, entry, f"node/default/{entry}" if rule.via == CLUSTER else f"outside/default/{flow.name}")
            usable = [chosen] if isinstance(chosen, Endpoint) else usable
        found = []
        for endpoint in usable:
            path = outcomes.get(endpoint)
            if path is None:
                path = outcomes[endpoint] = self._outcome(flow, rule, endpoint, walk)
            found.append((1.0 / len(usable), path))
        return found

    def _outcome(self, flow: Flow, rule: Rule, endpoint: Endpoint, like: Walk) -> Path:
        """How a request to one endpoint goes."""
        probe = self._connections.request(on_node(endpoint.node or ""), endpoint.address, endpoint.port, log=False) \
            if endpoint.node is None or self._connections.reachable(endpoint.node) else None
        walk = Walk(like.host, like.port)
        ms = NODE_MS + ANSWER_MS + JITTER_MS / 2 + (0.0 if rule.via == CLUSTER else OUTSIDE_MS)
        if probe is None:
            return Path(0.0, endpoint.pod, endpoint.node, 0.0, walk.silence("node").error)
        if probe.error is not None:
            hop, text = probe.error["hop"], probe.error["text"].replace(
                f"{probe.host} port {probe.port}", f"{walk.host} port {walk.port}")
            return Path(0.0, endpoint.pod, endpoint.node, ms, {"hop": hop, "text": text})
        error = {"hop": "pod", "text": f"HTTP {probe.status}"} if not probe.ok else None
        pod = self._api.lister("pods").get(*endpoint.pod) if endpoint.pod is not None else None
        ms += self._connections.backend.work_ms(pod, endpoint.port) if pod is not None else 0.0
        return Path(0.0, endpoint.pod, endpoint.node, ms, error, endpoint.port)

    def rule(self, flow: Flow, service: Object) -> Rule | None:
        """The way in that somebody outside would take, the cluster address failing that; a headless Service's pods directly."""
        rules = [rule for rule in self._proxy.rules_of(flow.target) if rule.port == flow.port and (flow.pod is None or rule.via == CLUSTER)]
        if rules:
            return min(rules, key=lambda rule: PREFERRED.index(rule.via))
        if service["spec"].get("clusterIP") != "None":
            return None
        names = [port.get("name") or "" for port in service["spec"].get("ports") or () if port["port"] == flow.port] or [""]
        endpoints = tuple(endpoint._replace(port=flow.port) for endpoint in self._proxy.endpoints(flow.target, names[0]))
        return Rule(flow.target, CLUSTER, flow.port, None, flow.port, endpoints, False, None)

    def host(self, flow: Flow, rule: Rule, entry: str) -> str:
        """The address that a request goes to."""
        service = self._api.lister("services").get(*flow.target)
        if rule.via == NODE_PORT:
            return self._connections.address_of(entry) or entry
        if rule.via == LOAD_BALANCER:
            return service["status"]["loadBalancer"]["ingress"][0]["ip"]
        if rule.via == EXTERNAL:
            return service["spec"]["externalIPs"][0]
        return service["spec"]["clusterIP"]


def port_of(rule: Rule, flow: Flow) -> int:
    return rule.node_port if rule.via == NODE_PORT and rule.node_port else flow.port
