"""Traffic: steady requests that a person aims at a Service, as flows.

A source has a target, a port and a rate. How its requests divide over pods, and which of them fail and where, is worked out from the
same rules a single request follows, again whenever those change: that gives true rates and counts at any rate. Besides, single
requests are really made, as many as the rate asks for but at most ``WALKS`` a second over all sources; they are what the canvas
draws and what leaves lines in the pods' logs. Sources are kept in the state.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from server.cluster.clock import Timer
from server.cluster.network.connection import ANSWER_MS, JITTER_MS, NODE_MS, OUTSIDE, OUTSIDE_MS, Connections, Source, on_node
from server.cluster.network.proxy import CLUSTER, EXTERNAL, LOAD_BALANCER, NODE_PORT, SLICES, Endpoint, Rule
from server.cluster.network.walk import Walk
from server.cluster.objects import Key, Object, key
from server.cluster.parts import Parts
from server.cluster.store import Event, Watch

PREFIX = "traffic/"
WALKS = 20.0
MOST_SOURCES, HIGHEST_RATE, MOST_PATHS = 50, 100_000.0, 250
SETTLE = 0.1
SERVICE_NAME = "kubernetes.io/service-name"
PREFERRED = (LOAD_BALANCER, EXTERNAL, NODE_PORT, CLUSTER)

Record = dict[str, Any]
Loads = dict[Key, dict[int, float]]


class Path(NamedTuple):
    """A share of a source's requests: where they end and how; ``port`` is that of the server that answered."""

    share: float
    pod: Key | None
    node: str | None
    ms: float
    error: dict[str, str] | None
    port: int = 0


class _Flow:
    """One source, with how its requests go now and how many went each way until then."""

    def __init__(self, name: str, target: Key, port: int, rate: float) -> None:
        self.name, self.target, self.port, self.rate = name, target, port, rate
        self.paths: list[Path] = []
        self.record: Record = {}
        self.counts: dict[tuple, float] = {}
        self.since = 0.0
        self.timer: Timer | None = None


class Traffic:
    def __init__(self, parts: Parts, connections: Connections) -> None:
        self._clock = parts.clock
        self._api = parts.api
        self._state = parts.state
        self._random = parts.random
        self._heartbeats = parts.heartbeats
        self._connections = connections
        self._proxy = connections.proxy
        self._flows: dict[str, _Flow] = {}
        self._watches: list[Watch] = []
        self._settling: Timer | None = None
        self._changed: list[Callable[[], None]] = []
        self._walked: list[Callable[[Record], None]] = []
        self._loaded: list[Callable[[Loads], None]] = []
        self._loads: Loads = {}
        self._started = False

    def start(self) -> None:
        """Takes up the sources of the state."""
        if self._started:
            return
        self._started = True
        self._heartbeats.on_change(lambda node: self._look_again())
        for name, kept in self._state.items(PREFIX):
            name = name.removeprefix(PREFIX)
            self._flows[name] = _Flow(name, (kept["namespace"], kept["service"]), kept["port"], kept["rate"])
        if self._flows:
            self._follow()
            self._look_again()

    # sources

    def aim(self, target: str, port: int | None, rate: float) -> str:
        """Sends ``rate`` requests a second to a Service (``namespace/name``); 0 ends it. The source's id. ValueError says what is wrong."""
        where = _service_key(target)
        service = self._api.lister("services").get(*where)
        if port is None and service is not None:
            port = next((entry["port"] for entry in service["spec"].get("ports") or ()), None)
        known = [flow for flow in self._flows.values() if flow.target == where and port in (None, flow.port)]
        if rate <= 0 and known:
            for flow in known:
                self.remove(flow.name)
            return known[0].name
        if service is None:
            raise ValueError(f'services "{where[1]}" not found')
        if port is None:
            raise ValueError(f'service "{where[1]}" has no port: name one')
        name = f"{where[1]}.{where[0]}:{port}"
        if rate > 0:
            self.set(name, target, port, rate)
        return name

    def set(self, name: str, target: str, port: int, rate: float) -> None:
        """Makes a source or changes it."""
        where = _service_key(target)
        if not math.isfinite(rate) or not 0 < rate <= HIGHEST_RATE:
            raise ValueError(f"the rate must be more than 0 and at most {HIGHEST_RATE:.0f} requests per second")
        if not 0 < port < 65536:
            raise ValueError("the port must be between 1 and 65535")
        if name not in self._flows and len(self._flows) >= MOST_SOURCES:
            raise ValueError(f"a room has at most {MOST_SOURCES} traffic sources")
        before = self._flows.get(name)
        if before is not None:
            self._drop_timer(before)
        self._flows[name] = _Flow(name, where, port, float(rate))
        self._state.set(PREFIX + name, {"namespace": where[0], "service": where[1], "port": port, "rate": float(rate)})
        self._follow()
        self._settle()

    def remove(self, name: str) -> None:
        flow = self._flows.pop(name, None)
        if flow is None:
            return
        self._drop_timer(flow)
        self._state.set(PREFIX + name, None)
        if not self._flows:
            for watch in self._watches:
                watch.stop()
            self._watches = []
        self._settle(changed=True)

    def sources(self) -> list[Record]:
        """A record for each source: rates of what succeeds and fails, the mean latency, the share of each pod, the worst error."""
        return [flow.record for flow in self._flows.values() if flow.record]

    def counts(self, name: str) -> list[Record]:
        """How many requests of a source went each way so far: ``{pod, node, ok, count}``."""
        flow = self._flows[name]
        self._accrue(flow)
        return [{"pod": _pod_id(pod), "node": node, "ok": ok, "count": count} for (pod, node, ok), count in flow.counts.items()]

    def on_change(self, callback: Callable[[], None]) -> None:
        """``callback()`` whenever ``sources()`` says something new."""
        self._changed.append(callback)

    def on_walk(self, callback: Callable[[Record], None]) -> None:
        """``callback(record)`` for each single request that is made."""
        self._walked.append(callback)

    def on_load(self, callback: Callable[[Loads], None]) -> None:
        """``callback(loads)`` whenever other requests reach the pods: requests per second, by pod and port."""
        self._loaded.append(callback)

    def _tell_loads(self) -> None:
        loads: Loads = {}
        for flow in self._flows.values():
            for path in flow.paths:
                if path.pod is not None and path.port:
                    ports = loads.setdefault(path.pod, {})
                    ports[path.port] = ports.get(path.port, 0.0) + flow.rate * path.share
        if loads != self._loads:
            self._loads = loads
            for callback in self._loaded:
                callback(loads)

    def off(self, *callbacks: Callable) -> None:
        self._changed = [known for known in self._changed if known not in callbacks]
        self._walked = [known for known in self._walked if known not in callbacks]

    # what may change a flow

    def _follow(self) -> None:
        if not self._watches:
            self._watches = [self._api.watch("services", self._on_service), self._api.watch(SLICES, self._on_slice),
                             self._api.watch("pods", self._on_pod), self._api.watch("nodes", self._on_node)]

    def _on_service(self, event: Event) -> None:
        if any(flow.target == key(event.object) for flow in self._flows.values()):
            self._look_again()

    def _on_slice(self, event: Event) -> None:
        meta = event.object["metadata"]
        target = (meta["namespace"], (meta.get("labels") or {}).get(SERVICE_NAME))
        if any(flow.target == target for flow in self._flows.values()):
            self._look_again()

    def _on_pod(self, event: Event) -> None:
        if self._settling is None and event.previous is not None:
            where = key(event.object)
            if any(path.pod == where for flow in self._flows.values() for path in flow.paths):
                self._look_again()

    def _on_node(self, event: Event) -> None:
        before = event.previous
        if before is None or (before.get("status") or {}).get("conditions") != (event.object.get("status") or {}).get("conditions") \
                or before["metadata"].get("labels") != event.object["metadata"].get("labels"):
            self._look_again()

    def _look_again(self) -> None:
        if self._settling is None and self._flows:
            self._settling = self._clock.call_later(SETTLE, self._settle)

    def _settle(self, changed: bool = False) -> None:
        """Works out every flow anew."""
        if self._settling is not None:
            self._settling.cancel()
            self._settling = None
        for flow in self._flows.values():
            self._accrue(flow)
            flow.paths = self._paths(flow)
            record = _record(flow)
            if record != flow.record:
                flow.record = record
                changed = True
        self._tell_loads()
        for flow in self._flows.values():
            self._schedule(flow, flow.rate * min(1.0, WALKS / sum(other.rate for other in self._flows.values())))
        if changed:
            for callback in tuple(self._changed):
                callback()

    def _accrue(self, flow: _Flow) -> None:
        """Counts what went each way since the paths were worked out."""
        elapsed, flow.since = self._clock.now - flow.since, self._clock.now
        for path in flow.paths:
            way = (path.pod, path.node, path.error is None)
            flow.counts[way] = flow.counts.get(way, 0.0) + flow.rate * path.share * elapsed

    # flows

    def _paths(self, flow: _Flow) -> list[Path]:
        service = self._api.lister("services").get(*flow.target)
        if service is None or service["spec"].get("type") == "ExternalName":
            return [Path(1.0, None, None, 0.0, Walk(flow.target[1], flow.port).unresolved().error)]
        rule = self._rule(flow, service)
        if rule is None:
            return [Path(1.0, None, None, 0.0, Walk(flow.target[1], flow.port).silence("service").error)]
        entries = self._connections.entry_nodes(rule)
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

    def _from_entry(self, flow: _Flow, rule: Rule, entry: str, everywhere: list[Endpoint] | None,
                    outcomes: dict[Endpoint, Path]) -> list[tuple[float, Path]]:
        """(share, path) of what comes in at one node."""
        walk = Walk(self._host(flow, rule, entry), _port(rule, flow))
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

    def _outcome(self, flow: _Flow, rule: Rule, endpoint: Endpoint, like: Walk) -> Path:
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
        return Path(0.0, endpoint.pod, endpoint.node, ms, error, endpoint.port)

    def _rule(self, flow: _Flow, service: Object) -> Rule | None:
        """The way in that somebody outside would take, the cluster address failing that; a headless Service's pods directly."""
        rules = [rule for rule in self._proxy.rules_of(flow.target) if rule.port == flow.port]
        if rules:
            return min(rules, key=lambda rule: PREFERRED.index(rule.via))
        if service["spec"].get("clusterIP") != "None":
            return None
        names = [port.get("name") or "" for port in service["spec"].get("ports") or () if port["port"] == flow.port] or [""]
        endpoints = tuple(endpoint._replace(port=flow.port) for endpoint in self._proxy.endpoints(flow.target, names[0]))
        return Rule(flow.target, CLUSTER, flow.port, None, flow.port, endpoints, False, None)

    def _host(self, flow: _Flow, rule: Rule, entry: str) -> str:
        """The address that a request goes to."""
        service = self._api.lister("services").get(*flow.target)
        if rule.via == NODE_PORT:
            return self._connections.address_of(entry) or entry
        if rule.via == LOAD_BALANCER:
            return service["status"]["loadBalancer"]["ingress"][0]["ip"]
        if rule.via == EXTERNAL:
            return service["spec"]["externalIPs"][0]
        return service["spec"]["clusterIP"]

    # single requests

    def _drop_timer(self, flow: _Flow) -> None:
        if flow.timer is not None:
            flow.timer.cancel()
            flow.timer = None

    def _schedule(self, flow: _Flow, rate: float) -> None:
        """Requests at even distances, at moments that depend on the rate alone."""
        self._drop_timer(flow)
        turn = math.floor(self._clock.now * rate + 1e-6) + 1
        flow.timer = self._clock.call_at(turn / rate, self._walk, flow, rate)

    def _walk(self, flow: _Flow, rate: float) -> None:
        flow.timer = None
        self._schedule(flow, rate)
        service = self._api.lister("services").get(*flow.target)
        rule = self._rule(flow, service) if service is not None and service["spec"].get("type") != "ExternalName" else None
        walk = self._request(flow, rule)
        expected = next((path for path in flow.paths if path.pod == walk.pod and (path.error is None) == walk.ok), None)
        if expected is None:
            self._look_again()
        error = walk.error
        if error is None and not walk.ok:
            error = {"hop": "pod", "text": f"HTTP {walk.status}"}
        numbers = [rule.node_port] if rule is not None and rule.via == NODE_PORT else []
        record = {"at": self._clock.now, "source": f"Traffic//{flow.name}", "service": f"Service/{flow.target[0]}/{flow.target[1]}",
                  "node": walk.node and f"Node//{walk.node}", "pod": _pod_id(walk.pod), "status": walk.status, "ms": round(walk.ms, 2),
                  "error": error, "numbers": numbers + [number for number in walk.numbers if number not in numbers]}
        for callback in tuple(self._walked):
            callback(record)

    def _request(self, flow: _Flow, rule: Rule | None) -> Walk:
        if rule is None:
            return Walk(flow.target[1], flow.port).unresolved()
        entries = self._connections.entry_nodes(rule)
        entry = entries[int(self._random.random() * len(entries))] if entries else ""
        host, source = self._host(flow, rule, entry), Source(OUTSIDE.kind, flow.name)
        if rule.via == CLUSTER:
            source = on_node(entry)
            if host == "None":
                usable = self._proxy.usable(rule, None)
                if not usable:
                    return Walk(flow.target[1], flow.port).unresolved()
                host = usable[int(self._random.random() * len(usable))].address
        return self._connections.request(source, host, _port(rule, flow))


def _port(rule: Rule, flow: _Flow) -> int:
    return rule.node_port if rule.via == NODE_PORT and rule.node_port else flow.port


def _service_key(target: str) -> Key:
    """``namespace/name``, or a scene id ``Service/namespace/name``."""
    namespace, _, name = target.removeprefix("Service/").rpartition("/")
    if not name:
        raise ValueError("the target must be a Service as namespace/name")
    return namespace or "default", name


def _pod_id(pod: Key | None) -> str | None:
    return f"Pod/{pod[0]}/{pod[1]}" if pod is not None else None


def _record(flow: _Flow) -> Record:
    """What the canvas draws of a source."""
    good = sum(path.share for path in flow.paths if path.error is None)
    record: Record = {
        "name": flow.name, "target": f"Service/{flow.target[0]}/{flow.target[1]}", "port": flow.port, "rate": flow.rate,
        "ok": round(flow.rate * good, 3), "failed": round(flow.rate * max(0.0, 1 - good), 3),
        "paths": [{"pod": _pod_id(path.pod), "node": path.node, "rate": round(flow.rate * path.share, 3)}
                  for path in flow.paths[:MOST_PATHS] if path.pod is not None]}
    if good:
        record["latency"] = round(sum(path.share * path.ms for path in flow.paths if path.error is None) / good, 2)
    failing: dict[str, float] = {}
    for path in flow.paths:
        if path.error is not None:
            failing[path.error["hop"]] = failing.get(path.error["hop"], 0.0) + path.share
    if failing:
        hop = max(failing, key=failing.__getitem__)
        text = next(path.error["text"] for path in flow.paths if path.error is not None and path.error["hop"] == hop)
        record["error"] = {"hop": hop, "text": text, "rate": round(flow.rate * failing[hop], 3)}
    return record
