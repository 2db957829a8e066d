"""Traffic: steady requests that a person aims at a Service, as flows.

A source has a target, a port and a rate. How its requests divide over pods, and which of them fail and where, is worked out from the
same rules a single request follows, again whenever those change: that gives true rates and counts at any rate. Besides, single
requests are really made, as many as the rate asks for but at most ``WALKS`` a second over all sources; they are what the canvas
draws and what leaves lines in the pods' logs. Sources are kept in the state.

Programs in pods are sources too: whoever asks a Service often enough is measured (``made``) and is a flow of that rate, whose single
requests are the program's own.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from server.cluster.clock import Timer
from server.cluster.network.connection import OUTSIDE, Connections, Source, on_node
from server.cluster.network.proxy import CLUSTER, NODE_PORT, SLICES, Rule
from server.cluster.network.walk import Walk
from server.cluster.network.ways import Flow, Record, Ways, port_of
from server.cluster.objects import Key, key
from server.cluster.parts import Parts
from server.cluster.store import Event, Watch

PREFIX = "traffic/"
WALKS = 20.0
MOST_SOURCES, HIGHEST_RATE, MOST_PATHS = 50, 100_000.0, 250
SETTLE = 0.1
FIRST_LOOK, LOOK, OFTEN, NEWS = 1.0, 5.0, 2, 0.1
SERVICE_NAME = "kubernetes.io/service-name"

Loads = dict[Key, dict[int, float]]


class _Program:
    """How often a pod asked a Service since ``since``."""

    def __init__(self, since: float) -> None:
        self.since, self.count = since, 0


class Traffic:
    def __init__(self, parts: Parts, connections: Connections) -> None:
        self._clock = parts.clock
        self._api = parts.api
        self._state = parts.state
        self._random = parts.random
        self._heartbeats = parts.heartbeats
        self._connections = connections
        self._proxy = connections.proxy
        self._ways = Ways(parts.api, connections)
        self._flows: dict[str, Flow] = {}
        self._programs: dict[tuple[Key, Key, int], _Program] = {}
        self._watches: list[Watch] = []
        self._settling: Timer | None = None
        self._changed: list[Callable[[], None]] = []
        self._walked: list[Callable[[Record], None]] = []
        self._loaded: list[Callable[[Loads], None]] = []
        self._loads: Loads = {}
        self._told = -1.0
        self._started = False

    def start(self) -> None:
        """Takes up the sources of the state."""
        if self._started:
            return
        self._started = True
        self._heartbeats.on_change(lambda node: self._look_again())
        for name, kept in self._state.items(PREFIX):
            name = name.removeprefix(PREFIX)
            pod = tuple(kept["pod"]) if "pod" in kept else None
            self._flows[name] = flow = Flow(name, (kept["namespace"], kept["service"]), kept["port"], kept["rate"], pod)
            if pod is not None:
                self._measure((pod, flow.target, flow.port), LOOK)
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
        known = [flow for flow in self._flows.values() if flow.target == where and port in (None, flow.port) and flow.pod is None]
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

    # programs

    def made(self, pod: Key, walk: Walk) -> None:
        """A program in a pod has made a request."""
        if self._clock.now - self._told >= 1 / WALKS:
            self._told = self._clock.now
            self._tell_walk(f"Pod/{pod[0]}/{pod[1]}", walk.service, walk, list(walk.numbers))
        if walk.service is None:
            return
        ports = {rule.port for rule in self._proxy.rules_of(walk.service)}
        port = next((number for number in walk.numbers if number in ports), None)
        if port is not None:
            way = (pod, walk.service, port)
            program = self._programs.get(way) or self._measure(way, FIRST_LOOK)
            program.count += 1

    def _measure(self, way: tuple[Key, Key, int], length: float) -> _Program:
        program = self._programs[way] = _Program(self._clock.now)
        self._clock.call_later(length, self._measured, way)
        return program

    def _measured(self, way: tuple[Key, Key, int]) -> None:
        """Its requests of late are its rate from now on; one that has ceased is no source any more."""
        program, (pod, service, port) = self._programs.pop(way), way
        name = f"{pod[1]}.{pod[0]}>{service[1]}.{service[0]}:{port}"
        flow = self._flows.get(name)
        rate = float(f"{program.count / (self._clock.now - program.since):.2g}")
        if program.count:
            self._measure(way, LOOK)
        if not program.count or flow is None and (program.count < OFTEN or len(self._flows) >= MOST_SOURCES):
            return self.remove(name)
        if flow is None or abs(rate - flow.rate) > NEWS * flow.rate:
            self._state.set(PREFIX + name, {"namespace": service[0], "service": service[1], "port": port, "rate": rate, "pod": list(pod)})
            self._flows[name] = Flow(name, service, port, rate, pod)
            self._follow()
            self._settle()
        return None

    # persons

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
        self._flows[name] = Flow(name, where, port, float(rate))
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
            flow.paths = self._ways.paths(flow)
            record = _record(flow)
            if record != flow.record:
                flow.record = record
                changed = True
        self._tell_loads()
        aimed = [flow for flow in self._flows.values() if flow.pod is None]
        for flow in aimed:
            self._schedule(flow, flow.rate * min(1.0, WALKS / sum(other.rate for other in aimed)))
        if changed:
            for callback in tuple(self._changed):
                callback()

    def _accrue(self, flow: Flow) -> None:
        """Counts what went each way since the paths were worked out."""
        elapsed, flow.since = self._clock.now - flow.since, self._clock.now
        for path in flow.paths:
            way = (path.pod, path.node, path.error is None)
            flow.counts[way] = flow.counts.get(way, 0.0) + flow.rate * path.share * elapsed

    # single requests

    def _drop_timer(self, flow: Flow) -> None:
        if flow.timer is not None:
            flow.timer.cancel()
            flow.timer = None

    def _schedule(self, flow: Flow, rate: float) -> None:
        """Requests at even distances, at moments that depend on the rate alone."""
        self._drop_timer(flow)
        turn = math.floor(self._clock.now * rate + 1e-6) + 1
        flow.timer = self._clock.call_at(turn / rate, self._walk, flow, rate)

    def _walk(self, flow: Flow, rate: float) -> None:
        flow.timer = None
        self._schedule(flow, rate)
        service = self._api.lister("services").get(*flow.target)
        rule = self._ways.rule(flow, service) if service is not None and service["spec"].get("type") != "ExternalName" else None
        walk = self._request(flow, rule)
        expected = next((path for path in flow.paths if path.pod == walk.pod and (path.error is None) == walk.ok), None)
        if expected is None:
            self._look_again()
        numbers = [rule.node_port] if rule is not None and rule.via == NODE_PORT else []
        self._tell_walk(f"Traffic//{flow.name}", flow.target, walk, numbers + [number for number in walk.numbers if number not in numbers])

    def _tell_walk(self, source: str, service: Key | None, walk: Walk, numbers: list[int]) -> None:
        error = walk.error
        if error is None and not walk.ok:
            error = {"hop": "pod", "text": f"HTTP {walk.status}"}
        record = {"at": self._clock.now, "source": source, "service": service and f"Service/{service[0]}/{service[1]}",
                  "node": walk.node and f"Node//{walk.node}", "pod": _pod_id(walk.pod), "status": walk.status, "ms": round(walk.ms, 2),
                  "error": error, "numbers": numbers}
        for callback in tuple(self._walked):
            callback(record)

    def _request(self, flow: Flow, rule: Rule | None) -> Walk:
        if rule is None:
            return Walk(flow.target[1], flow.port).unresolved()
        entries = self._connections.entry_nodes(rule)
        entry = entries[int(self._random.random() * len(entries))] if entries else ""
        host, source = self._ways.host(flow, rule, entry), Source(OUTSIDE.kind, flow.name)
        if rule.via == CLUSTER:
            source = on_node(entry)
            if host == "None":
                usable = self._proxy.usable(rule, None)
                if not usable:
                    return Walk(flow.target[1], flow.port).unresolved()
                host = usable[int(self._random.random() * len(usable))].address
        return self._connections.request(source, host, port_of(rule, flow))


def _service_key(target: str) -> Key:
    """``namespace/name``, or a scene id ``Service/namespace/name``."""
    namespace, _, name = target.removeprefix("Service/").rpartition("/")
    if not name:
        raise ValueError("the target must be a Service as namespace/name")
    return namespace or "default", name


def _pod_id(pod: Key | None) -> str | None:
    return f"Pod/{pod[0]}/{pod[1]}" if pod is not None else None


def _record(flow: Flow) -> Record:
    """What the canvas draws of a source."""
    good = sum(path.share for path in flow.paths if path.error is None)
    record: Record = {
        **({"source": _pod_id(flow.pod)} if flow.pod is not None else {}),
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
