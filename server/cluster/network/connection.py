"""One connection, from where it starts to the container that answers, by the way it really goes.

``Connections.request`` resolves the name, finds who handles the address (a node's kube-proxy rules, a node's own port, a pod), picks an
endpoint, crosses to its node and asks the container; each step is a ``Hop`` of the ``Walk`` that comes out. What runs in containers is
asked of a ``Backend``, and which machines are up of ``reachable``.

Source: https://kubernetes.io/docs/concepts/services-networking/service/
"""

from __future__ import annotations

import ipaddress
import random as random_module
from collections.abc import Callable
from typing import NamedTuple, Protocol

from server.cluster.apiserver.server import ApiServer
from server.cluster.network.dns import Dns
from server.cluster.network.proxy import CLUSTER, DROPPED, REJECTED, Endpoint, Proxy, Rule
from server.cluster.network.walk import EMPTY_REPLY, Walk
from server.cluster.objects import Key, Object, condition_true, key
from server.cluster.runtime.clients import Names, Reach
from server.cluster.runtime.runtime import ConnectionRefused, NoHttp
from server.cluster.store import DELETED, Event

LOOKUP_MS, LOCAL_MS, NODE_MS, OUTSIDE_MS, ANSWER_MS, JITTER_MS = 0.6, 0.05, 0.45, 1.4, 0.9, 0.5
API_PORT, KUBELET_PORT, DNS_PORT = 6443, 10250, 53
LOCALHOST = ("localhost", "127.0.0.1")
EXCLUDED = "node.kubernetes.io/exclude-from-external-load-balancers"
CONTROL_PLANE = "node-role.kubernetes.io/control-plane"


class Backend(Protocol):
    """The containers; ``outside(pod)`` is where their programs find the network."""

    outside: Callable[[Key], Reach]

    def listening(self, pod: Object, port: int) -> bool: ...

    def work_ms(self, pod: Object, port: int) -> float: ...

    def http(self, pod: Object, port: int, method: str, path: str, headers: dict[str, str] | None = None, *, client: str = "",
             log: bool = True) -> tuple[int, dict[str, str], str]: ...


class Source(NamedTuple):
    """Who asks: somebody outside the cluster, a shell or program on a node, or a container of a pod."""

    kind: str
    name: str = ""
    namespace: str = "default"


OUTSIDE = Source("outside")


def on_node(name: str) -> Source:
    return Source("node", name)


def in_pod(namespace: str, name: str) -> Source:
    return Source("pod", name, namespace)


class Connections:
    """``listeners`` are ports of the nodes themselves that speak HTTPS."""

    def __init__(self, api: ApiServer, random: random_module.Random, proxy: Proxy, dns: Dns) -> None:
        self._api = api
        self._random = random
        self.proxy = proxy
        self.dns = dns
        self.backend: Backend | None = None
        self.reachable: Callable[[str], bool] = lambda node: True
        self._pods: dict[str, Key] = {}
        self._started = False

    def start(self) -> None:
        if self._started:
            return
        self._started = True
        for pod in self._api.lister("pods").list():
            self._note(pod)
        self._api.watch("pods", self._on_pod)

    def _on_pod(self, event: Event) -> None:
        pod, before = event.object, event.previous
        if event.type == DELETED:
            address = ((before or pod).get("status") or {}).get("podIP")
            if self._pods.get(address) == key(pod):
                del self._pods[address]
        elif before is None or before.get("status") is not pod.get("status"):
            self._note(pod)

    def _note(self, pod: Object) -> None:
        status = pod.get("status") or {}
        address = status.get("podIP")
        if not address or pod["spec"].get("hostNetwork"):
            return
        if status.get("phase") in ("Succeeded", "Failed"):
            if self._pods.get(address) == key(pod):
                del self._pods[address]
        else:
            self._pods[address] = key(pod)

    # one request

    def request(self, source: Source | None, host: str, port: int, method: str = "GET", path: str = "/", timeout: float | None = None,
                headers: dict[str, str] | None = None, log: bool = True) -> Walk:
        """``source`` None is the terminal: a shell on the control plane's node."""
        source = source or on_node(self.terminal_node() or "")
        walk = Walk(host, port)
        address = self._resolve(walk, source, host)
        if address is not None:
            walk.numbers.append(port)
            ask = _Ask(method, path, {"Host": host if port == 80 else f"{host}:{port}", "User-Agent": "curl/8.5.0", "Accept": "*/*",
                                      **(headers or {})}, log)
            self._to_address(walk, source, address, port, ask)
        return walk if timeout is None else walk.limited(timeout)

    def terminal_node(self) -> str | None:
        """Where the terminal is: on the first node of the control plane."""
        nodes = self._api.lister("nodes").list()
        first = next((node for node in nodes if CONTROL_PLANE in (node["metadata"].get("labels") or {})), nodes[0] if nodes else None)
        return first["metadata"]["name"] if first is not None else None

    def entry_nodes(self, rule: Rule) -> list[str]:
        """The nodes over which clients from outside are spread: ready ones, not the control plane if there are others."""
        nodes = [node for node in self._api.lister("nodes").list() if condition_true(node, "Ready")]
        workers = [node for node in nodes if EXCLUDED not in (node["metadata"].get("labels") or {})] or nodes
        names = [node["metadata"]["name"] for node in workers]
        if rule.local:
            return [name for name in names if self.proxy.usable(rule, name)] or names
        return names

    def address_of(self, node: str) -> str | None:
        found = self._api.lister("nodes").get("", node)
        return _internal_address(found) if found is not None else None

    def _resolve(self, walk: Walk, source: Source, host: str) -> str | None:
        if host in LOCALHOST:
            return LOCALHOST[1]
        try:
            return str(ipaddress.ip_address(host))
        except ValueError:
            pass
        if source.kind != "pod" or not self._uses_cluster_dns(source):
            found = self._api.lister("nodes").get("", host) if source.kind == "node" else None
            if found is not None:
                return _internal_address(found)
            walk.hop("dns", host, "no such name outside the cluster's DNS")
            walk.unresolved()
            return None
        walk.ms += LOOKUP_MS
        if not self.dns_answers(self._node_of(source)):
            walk.hop("dns", host, "no DNS server answers")
            walk.ms += 10_000
            walk.unresolved()
            return None
        answer = self.dns.lookup(host, source.namespace)
        if not answer.exists or answer.canonical is not None or not answer.addresses:
            walk.hop("dns", answer.name, f"is another name for {answer.canonical}, which does not exist here" if answer.canonical
                     else "has no address" if answer.exists else "NXDOMAIN")
            walk.unresolved()
            return None
        address = answer.addresses[int(self._random.random() * len(answer.addresses))] if len(answer.addresses) > 1 \
            else answer.addresses[0]
        walk.hop("dns", answer.name, address)
        return address

    def names(self, source: Source, name: str, search: bool) -> Names:
        """What a program in a pod that asks its DNS server for a name gets, with its search domains or without."""
        server = self.dns.server() or ""
        if not self._uses_cluster_dns(source):
            return Names(self.address_of(self._node_of(source) or "") or "", True, name)
        if not self.dns_answers(self._node_of(source)):
            return Names(server, False, name)
        answer = self.dns.lookup(name, source.namespace) if search else self.dns.query(name.rstrip(".").lower())
        return Names(server, True, answer.name, answer.addresses, answer.exists, answer.canonical)

    def _uses_cluster_dns(self, source: Source) -> bool:
        pod = self._api.lister("pods").get(source.namespace, source.name)
        if pod is None:
            return True
        policy = pod["spec"].get("dnsPolicy", "ClusterFirst")
        return policy == "ClusterFirstWithHostNet" or policy == "ClusterFirst" and not pod["spec"].get("hostNetwork")

    def dns_answers(self, here: str | None = None) -> bool:
        """Whether the cluster's DNS Service leads to a server, as seen from a node."""
        address = self.dns.server()
        rule = self.proxy.rule(address, DNS_PORT, "UDP") if address else None
        return rule is not None and any(self._alive(here, endpoint, DNS_PORT) for endpoint in self.proxy.usable(rule, None))

    def _alive(self, here: str | None, endpoint: Endpoint, port: int) -> bool:
        pod = self._api.lister("pods").get(*endpoint.pod) if endpoint.pod else None
        return pod is not None and (endpoint.node is None or self._crosses(here, endpoint.node)) \
            and self.backend.listening(pod, port)

    def _crosses(self, here: str | None, node: str) -> bool:
        """Whether packets get from one node (None: from outside) to another."""
        return here == node or (self.reachable(node) and (here is None or self.reachable(here)))

    def _node_of(self, source: Source) -> str | None:
        """The node whose kube-proxy handles what the source sends; None for outside."""
        if source.kind == "pod":
            pod = self._api.lister("pods").get(source.namespace, source.name)
            return pod["spec"].get("nodeName") if pod is not None else None
        return source.name if source.kind == "node" else None

    def _to_address(self, walk: Walk, source: Source, address: str, port: int, ask: _Ask) -> Walk:
        inside = source.kind != "outside"
        here = self._node_of(source)
        rule = self.proxy.rule(address, port)
        if rule is not None and (inside or rule.via != CLUSTER):
            return self._through_service(walk, source, here, rule, ask)
        if address == LOCALHOST[1]:
            return self._to_itself(walk, source, here, port, ask)
        if inside and (pod := self._pods.get(address)) is not None:
            return self._to_pod(walk, here, pod, port, ask)
        node = self._node_at(address)
        if node is not None:
            return self._to_node(walk, source, node, port, ask)
        if inside and not self.proxy.has_address(address) and (owner := self._network_of(address)) is not None:
            walk.hop("node", owner, f"no pod has {address}")
            return self._lost(walk, here, owner)
        walk.hop("service" if self.proxy.has_address(address) else "node", f"{address}:{port}",
                 "nothing is served on that port" if inside else "is not reachable from outside the cluster")
        return walk.silence("service" if self.proxy.has_address(address) else "node")

    def _through_service(self, walk: Walk, source: Source, here: str | None, rule: Rule, ask: _Ask) -> Walk:
        """A cluster, load balancer or external address."""
        if here is None:
            entries = self.entry_nodes(rule)
            if not entries:
                walk.hop("service", "/".join(rule.service), "no node takes connections from the load balancer")
                return walk.silence("node")
            here = entries[int(self._random.random() * len(entries))]
            walk.ms += OUTSIDE_MS
            walk.hop("node", here, "takes the connection from the load balancer")
            if not self.reachable(here):
                walk.node = here
                return walk.silence("node")
        elif rule.via != CLUSTER:
            rule = rule._replace(local=False)
        return self._to_endpoint(walk, source, here, rule, ask)

    def _to_endpoint(self, walk: Walk, source: Source, here: str, rule: Rule, ask: _Ask) -> Walk:
        walk.service = rule.service
        name = "/".join(rule.service)
        if rule.port not in walk.numbers:
            walk.numbers.append(rule.port)
        chosen = self.proxy.choose(rule, here, f"{source.kind}/{source.namespace}/{source.name}")
        if chosen == REJECTED:
            walk.hop("service", name, "has no ready endpoint: the connection is rejected")
            return walk.refused("endpoints")
        if chosen == DROPPED:
            walk.hop("service", name, f"has no endpoint on {here} and its traffic policy is Local: dropped")
            return walk.silence("endpoints")
        walk.hop("service", name, f"{chosen.address}:{chosen.port}")
        if chosen.port not in walk.numbers:
            walk.numbers.append(chosen.port)
        if chosen.pod is None:
            node = self._node_at(chosen.address)
            if node is None:
                return walk.silence("endpoints")
            return self._on_machine(walk, here, node, chosen.port, ask)
        walk.pod = chosen.pod
        return self._to_pod(walk, here, chosen.pod, chosen.port, ask, chosen.address)

    def _to_node(self, walk: Walk, source: Source, node: str, port: int, ask: _Ask) -> Walk:
        """A node's own address: a node port, or something that runs on the machine."""
        walk.node = node
        here = self._node_of(source)
        walk.ms += OUTSIDE_MS if here is None else LOCAL_MS if here == node else NODE_MS
        if not self._crosses(here, node):
            walk.hop("node", node, "does not answer")
            return walk.no_route("node")
        rule = self.proxy.node_port(port)
        if rule is None:
            return self._on_machine(walk, here, node, port, ask)
        walk.hop("node", node, f"port {port} is a node port")
        if here == node:
            rule = rule._replace(local=False)
        return self._to_endpoint(walk, source, node, rule, ask)

    def _to_itself(self, walk: Walk, source: Source, here: str | None, port: int, ask: _Ask) -> Walk:
        if source.kind == "pod":
            pod = self._api.lister("pods").get(source.namespace, source.name)
            if pod is not None and not pod["spec"].get("hostNetwork"):
                return self._to_pod(walk, here, key(pod), port, ask)
        return self._to_node(walk, on_node(here), here, port, ask) if here else walk.refused("node")

    def _on_machine(self, walk: Walk, here: str | None, node: str, port: int, ask: _Ask) -> Walk:
        """A port of the machine: a pod in the host's network, a host port, or the control plane's own."""
        walk.node = node
        if not self._crosses(here, node):
            return walk.no_route("node")
        if port in (API_PORT, KUBELET_PORT) and (port == KUBELET_PORT or self._is_control_plane(node)):
            walk.ms += ANSWER_MS
            walk.hop("node", node, f"port {port} speaks HTTPS")
            walk.status, walk.body = 400, "Client sent an HTTP request to an HTTPS server.\n"
            walk.headers = {"Content-Type": "text/plain; charset=utf-8", "Connection": "close"}
            return walk
        for pod in self._api.lister("pods").by_node(node):
            if pod["spec"].get("hostNetwork"):
                if self.backend.listening(pod, port):
                    return self._ask(walk, here, pod, port, ask)
                continue
            target = _host_port_target(pod, port)
            if target is not None:
                walk.hop("node", node, f"port {port} is a host port")
                return self._to_pod(walk, here, key(pod), target, ask)
        walk.hop("node", node, f"nothing listens on port {port}")
        return walk.refused("node")

    def _is_control_plane(self, node: str) -> bool:
        found = self._api.lister("nodes").get("", node)
        return found is not None and CONTROL_PLANE in (found["metadata"].get("labels") or {})

    def _to_pod(self, walk: Walk, here: str | None, where: Key, port: int, ask: _Ask, address: str = "") -> Walk:
        walk.pod = where
        pod = self._api.lister("pods").get(*where)
        if pod is None or address and (pod.get("status") or {}).get("podIP") != address:
            walk.hop("pod", "/".join(where), "is gone")
            return self._lost(walk, here, self._network_of(address))
        node = pod["spec"].get("nodeName", "")
        walk.node = node
        if not self._crosses(here, node):
            walk.hop("node", node, "does not answer")
            return walk.silence("node")
        return self._ask(walk, here, pod, port, ask)

    def _lost(self, walk: Walk, here: str | None, node: str | None) -> Walk:
        """An address of a node's network that nobody has."""
        walk.node = node
        return walk.silence("pod") if node is None or not self._crosses(here, node) else walk.no_route("pod")

    def _ask(self, walk: Walk, here: str | None, pod: Object, port: int, ask: _Ask) -> Walk:
        walk.pod = key(pod)
        if port not in walk.numbers:
            walk.numbers.append(port)
        walk.node = node = pod["spec"].get("nodeName", "")
        walk.ms += LOCAL_MS if here == node else NODE_MS
        name = "/".join(walk.pod)
        if not self.backend.listening(pod, port):
            walk.hop("pod", name, f"nothing listens on port {port}")
            return walk.refused("pod")
        client = self.address_of(here) if here else None
        try:
            walk.status, walk.headers, walk.body = self.backend.http(pod, port, ask.method, ask.path, ask.headers, client=client or "",
                                                                     log=ask.log)
        except ConnectionRefused:
            walk.hop("pod", name, f"nothing listens on port {port}")
            return walk.refused("pod")
        except NoHttp:
            walk.hop("pod", name, f"what listens on port {port} does not speak HTTP")
            return walk.fail("pod", EMPTY_REPLY, "Empty reply from server")
        walk.ms += ANSWER_MS + JITTER_MS * self._random.random() + self.backend.work_ms(pod, port)
        walk.hop("pod", name, f"answers {walk.status}")
        return walk

    # tables

    def _node_at(self, address: str) -> str | None:
        for node in self._api.lister("nodes").list():
            if _internal_address(node) == address:
                return node["metadata"]["name"]
        return None

    def _network_of(self, address: str) -> str | None:
        """The node whose pod network an address belongs to."""
        if not address:
            return None
        number = ipaddress.ip_address(address)
        for node in self._api.lister("nodes").list():
            cidr = (node.get("spec") or {}).get("podCIDR")
            if cidr and number in ipaddress.ip_network(cidr):
                return node["metadata"]["name"]
        return None


class _Ask(NamedTuple):
    method: str
    path: str
    headers: dict[str, str]
    log: bool


def _internal_address(node: Object) -> str | None:
    addresses = (node.get("status") or {}).get("addresses") or ()
    return next((entry["address"] for entry in addresses if entry["type"] == "InternalIP"), None)


def _host_port_target(pod: Object, port: int) -> int | None:
    """The container port behind a pod's host port."""
    if (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed"):
        return None
    for container in pod["spec"]["containers"]:
        for entry in container.get("ports") or ():
            if entry.get("hostPort") == port and entry.get("protocol", "TCP") == "TCP":
                return entry["containerPort"]
    return None
