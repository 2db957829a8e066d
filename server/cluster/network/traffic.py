"""Traffic: steady requests that a person aims at something in the cluster, as flows.

A source has a target, a port and a rate. How its requests divide over pods, and which of them fail and where, is worked out from the
same rules a single request follows (``ways``), again whenever those change: that gives true rates and counts at any rate, and the load
that makes servers slow (``load``). Besides, single requests are really made, as many as the rate asks for but at most ``WALKS`` a second
over all sources; they are what the canvas draws and what leaves lines in the pods' logs. Sources and their counts are kept in the state.
Programs in pods are sources too (``programs``), whose single requests are their own.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from itertools import islice
from typing import TYPE_CHECKING

from server.cluster.network.branching import Drawn
from server.cluster.network.exchange import Ask, request_headers
from server.cluster.network.flows import SERVICE, Flow, Path, Record, Target, parse_source, parse_target, pod_id, taken_up
from server.cluster.network.following import Following
from server.cluster.network.load import Rates
from server.cluster.network.programs import OFTEN, Programs
from server.cluster.network.source import OUTSIDE, Source, in_pod
from server.cluster.network.walk import CUT_OFF, RESET, Walk
from server.cluster.network.ways import Aim, Ways
from server.cluster.objects import Key
from server.cluster.parts import Parts

if TYPE_CHECKING:
    from server.cluster.network.network import Network

PREFIX = "traffic/"
WALKS = 20.0
MOST_SOURCES, HIGHEST_RATE, MOST_PATHS, MOST_COUNTS = 50, 10_000_000.0, 250, 2000
SETTLE, NEWS = 0.1, 0.1
RESET_TEXT = f"curl: ({RESET}) Recv failure: {CUT_OFF}"


class Traffic:
    def __init__(self, parts: Parts, network: Network) -> None:
        self._clock = parts.clock
        self._api = parts.api
        self._state = parts.state
        self._random = parts.random
        self._network = network
        self._ways = Ways(network)
        self._flows: dict[str, Flow] = {}
        self._programs = Programs(parts.clock, self)
        self._following = Following(parts, network, self._look_again)
        self._settling = None
        self._changed: list[Callable[[], None]] = []
        self._walked: list[Callable[[Record], None]] = []
        self._loaded: list[Callable[[Rates], None]] = []
        self._loads: Rates = {}
        self._told = -1.0
        self._started = False

    def start(self) -> None:
        """Takes up the sources of the state."""
        if self._started:
            return
        self._started = True
        for name, kept in self._state.items(PREFIX):
            name = name.removeprefix(PREFIX)
            self._flows[name] = flow = taken_up(name, kept)
            flow.since, flow.resumed = kept.get("since", self._clock.now), True
            flow.counts = {(tuple(pod) if pod else None, node, error): count for pod, node, error, count in kept.get("counts") or ()}
            if flow.program:
                self._programs.follow(flow.pod, flow.target)
        if self._flows:
            self._following.begin(self._flows)

    def take_up(self) -> None:
        """Works out the flows that were there before, once all that they go through is; they are looked at again soon."""
        if self._flows:
            self._settle()
            self._look_again()

    # sources

    def aim(self, target: str, port: int | None, rate: float, source: str = "") -> str:
        """Sends ``rate`` requests a second to a Service (``namespace/name``), a pod, a node or a URL (see ``parse_target``), from outside
        or from a pod; 0 ends it. The source's id. ValueError says what is wrong."""
        where, sender = parse_target(target, port), parse_source(source)
        service = self._ways.service(where) if where.kind == SERVICE else None
        if not where.port and port is None and service is not None:
            where = where._replace(port=next((entry["port"] for entry in service["spec"].get("ports") or ()), 0))
        known = [flow for flow in self._flows.values() if flow.target == where._replace(port=where.port or flow.target.port)
                 and not flow.program and _sends(flow, sender)]
        if rate <= 0 and known:
            for flow in known:
                self.remove(flow.name)
            return known[0].name
        if where.kind == SERVICE and service is None:
            raise ValueError(f'services "{where.key[1]}" not found')
        if not where.port and port is None:
            raise ValueError(f'{where.kind.lower()} "{where.key[1]}" has no port: name one')
        if sender.kind == "pod" and self._network.places.pod((sender.namespace, sender.name)) is None:
            raise ValueError(f'pods "{sender.name}" not found')
        name = _called(where, sender)
        if rate > 0:
            self._set(name, where, rate, sender)
        return name

    def set(self, name: str, target: str, port: int, rate: float, source: str = "") -> None:
        """Makes a source or changes it."""
        self._set(name, parse_target(target, port), rate, parse_source(source))

    def _set(self, name: str, target: Target, rate: float, source: Source) -> None:
        if not math.isfinite(rate) or not 0 < rate <= HIGHEST_RATE:
            raise ValueError(f"the rate must be more than 0 and at most {HIGHEST_RATE:.0f} requests per second")
        if not 0 < target.port < 65536:
            raise ValueError("the port must be between 1 and 65535")
        if name not in self._flows and len(self._flows) >= MOST_SOURCES:
            raise ValueError(f"a room has at most {MOST_SOURCES} traffic sources")
        self._begin(Flow(name, target, float(rate), source))

    def _begin(self, flow: Flow) -> None:
        before = self._flows.get(flow.name)
        if before is not None:
            self._accrue(before)
            self._drop_timer(before)
            flow.counts = before.counts
        flow.since = self._clock.now
        self._flows[flow.name] = flow
        self._following.begin(self._flows)
        self._settle(changed=flow.name)

    def remove(self, name: str) -> None:
        flow = self._flows.pop(name, None)
        if flow is None:
            return
        self._drop_timer(flow)
        self._state.set(PREFIX + name, None)
        if not self._flows:
            self._following.end()
        self._settle(changed=name)

    # programs

    def made(self, pod: Key, walk: Walk) -> None:
        """A program in a pod has made a request."""
        if self._clock.now - self._told >= 1 / WALKS:
            self._told = self._clock.now
            self._tell_walk(f"Pod/{pod[0]}/{pod[1]}", walk.service, walk, list(walk.numbers))
        if walk.service is not None:
            ports = {rule.port for rule in self._network.proxy.rules_of(walk.service)}
            port = next((number for number in walk.numbers if number in ports), None)
            if port is not None:
                self._programs.made(pod, walk.service, None, port)
        elif walk.pod is not None:
            self._programs.made(pod, None, walk.pod, walk.port)

    def measured(self, pod: Key, target: Target, rate: float, count: int) -> None:
        name = f"{pod[1]}.{pod[0]}>{_called(target, OUTSIDE)}"
        flow = self._flows.get(name)
        if not count or flow is None and (count < OFTEN or len(self._flows) >= MOST_SOURCES):
            self.remove(name)
        elif flow is None or abs(rate - flow.rate) > NEWS * flow.rate:
            self._begin(Flow(name, target, rate, in_pod(*pod), program=True))

    # what others see

    def sources(self) -> list[Record]:
        """A record for each source: rates of what succeeds and fails, the mean latency, the share of each pod, the worst error."""
        return [flow.record for flow in self._flows.values() if flow.record]

    def counts(self, name: str) -> list[Record]:
        """How many requests of a source went each way so far: ``{pod, node, ok, error, count}``."""
        flow = self._flows[name]
        self._accrue(flow)
        return [{"pod": pod_id(pod), "node": node, "ok": not error, "error": error, "count": count}
                for (pod, node, error), count in flow.counts.items()]

    def follow(self, target: str, port: int | None = None, source: str = "") -> Record:
        """Makes one request and tells everything that was decided on its way: ``hops`` of ``{kind, what, decision, detail}``."""
        where, sender = parse_target(target, port), parse_source(source)
        service = self._ways.service(where) if where.kind == SERVICE else None
        if not where.port and service is not None:
            where = where._replace(port=next((entry["port"] for entry in service["spec"].get("ports") or ()), 0))
        if not 0 < where.port < 65536:
            raise ValueError("the port must be between 1 and 65535")
        flow = Flow(_called(where, sender), where, 1.0, sender)
        if sender.kind == "pod" and where.kind == SERVICE:
            walk = self._network.of(sender).request(f"{where.key[1]}.{where.key[0]}.svc", where.port)
        elif sender.kind == "pod" and where.host:
            walk = self._network.of(sender).request(where.host, where.port, path=where.path)
        else:
            walk = self._request(flow)
        record = self._tell_walk(_source_id(flow), walk.service or where.service, walk, list(walk.numbers))
        return {**record, "target": where.id, "port": where.port, "address": walk.address, "exitCode": walk.exit_code,
                "hops": [{"kind": hop.kind, "what": hop.what, "decision": hop.decision, "detail": hop.detail or {}} for hop in walk.hops]}

    def on_change(self, callback: Callable[[], None]) -> None:
        """``callback()`` whenever ``sources()`` says something new."""
        self._changed.append(callback)

    def on_walk(self, callback: Callable[[Record], None]) -> None:
        """``callback(record)`` for each single request that is made."""
        self._walked.append(callback)

    def on_load(self, callback: Callable[[Rates], None]) -> None:
        """``callback(loads)`` whenever other requests reach the pods: requests per second, by pod and port."""
        self._loaded.append(callback)

    def off(self, *callbacks: Callable) -> None:
        self._changed = [known for known in self._changed if known not in callbacks]
        self._walked = [known for known in self._walked if known not in callbacks]

    # how they go

    def _look_again(self) -> None:
        if self._settling is None and self._flows:
            self._settling = self._clock.call_later(SETTLE, self._settle)

    def _settle(self, changed: str = "") -> None:
        """Works out every flow anew: first where they go, then what the load does to them."""
        if self._settling is not None:
            self._settling.cancel()
            self._settling = None
        for flow in self._flows.values():
            self._accrue(flow)
        walked = {flow.name: self._ways.paths(flow) for flow in self._flows.values()}
        self._tell_loads(walked)
        news = bool(changed)
        for flow in self._flows.values():
            paths = self._network.load.applied(walked[flow.name])
            if flow.resumed:
                flow.paths, flow.resumed = paths, False
                self._accrue(flow)
            if paths != flow.paths or flow.name == changed:
                flow.paths = paths
                self._keep(flow)
            record = _record(flow)
            if record != flow.record:
                flow.record = record
                news = True
        aimed = [flow for flow in self._flows.values() if not flow.program]
        for flow in aimed:
            self._schedule(flow, flow.rate * min(1.0, WALKS / sum(other.rate for other in aimed)))
        if news:
            for callback in tuple(self._changed):
                callback()

    def _tell_loads(self, walked: dict[str, list[Path]]) -> None:
        loads: Rates = {}
        for name, paths in walked.items():
            for path in paths:
                ends = (*path.through, *([(path.pod, path.port)] if path.pod is not None and path.port and path.status is not None else ()))
                for pod, port in ends:
                    ports = loads.setdefault(pod, {})
                    ports[port] = ports.get(port, 0.0) + self._flows[name].rate * path.share
        if loads != self._loads:
            self._loads = loads
            self._network.load.set(loads)
            for callback in self._loaded:
                callback(loads)

    def _accrue(self, flow: Flow) -> None:
        """Counts what went each way since the paths were worked out."""
        if flow.resumed:
            return
        elapsed, flow.since = self._clock.now - flow.since, self._clock.now
        for path in flow.paths if elapsed else ():
            _count(flow, path.pod, path.node, path.error["text"] if path.error is not None else "", flow.rate * path.share * elapsed)

    def died(self, pod: Key, ports: tuple[int, ...]) -> None:
        """What listened on these ports of a pod is no more: what it had not yet answered never comes back."""
        for flow in self._flows.values():
            for path in flow.paths:
                if path.pod == pod and path.port in ports and path.error is None:
                    self._accrue(flow)
                    lost = min(flow.rate * path.share * path.ms / 1000, flow.counts.get((path.pod, path.node, ""), 0.0))
                    if lost:
                        _count(flow, path.pod, path.node, "", -lost)
                        _count(flow, path.pod, path.node, RESET_TEXT, lost)

    def _keep(self, flow: Flow) -> None:
        self._state.set(PREFIX + flow.name, {**flow.kept(), "since": flow.since, "counts": [
            [list(pod) if pod is not None else None, node, error, count] for (pod, node, error), count in flow.counts.items()]})

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
        servers = {server for path in flow.paths for server, _ in path.through}
        with self._network.ingress.deciding(Drawn(self._random, flow.rate / max(1, len(servers)))):
            walk = self._request(flow)
        expected = next((path for path in flow.paths if path.pod == walk.pod and (path.error is None) == walk.ok), None)
        if expected is None:
            self._look_again()
        self._tell_walk(_source_id(flow), flow.target.service or walk.service, walk, walk.numbers)

    def _request(self, flow: Flow) -> Walk:
        """One of a flow's requests."""
        asked = self._ways.hear(flow)
        aims = list(self._ways.aims(flow, asked))
        if not aims:
            return self._ways.unresolved(flow, asked)
        return self._sent(aims[int(self._random.random() * len(aims))], flow.target)

    def _sent(self, aim: Aim, target: Target) -> Walk:
        walk = aim.walk()
        if not aim.address:
            walk.hop("service", aim.host, "nothing is served on that port")
            return walk.silence("service")
        landing = self._network.connections.open(walk, aim.origin, aim.address, aim.port)
        if landing is not None:
            ask = Ask("GET", target.path, request_headers(target.host or aim.host, aim.port, None))
            self._network.exchange.request(walk, landing, ask)
        return walk

    def _tell_walk(self, source: str, service: Key | None, walk: Walk, numbers: list[int]) -> Record:
        record = {"at": self._clock.now, "source": source, "service": service and f"Service/{service[0]}/{service[1]}",
                  "node": walk.node and f"Node//{walk.node}", "pod": pod_id(walk.pod), "status": walk.status, "ms": round(walk.ms, 2),
                  "error": walk.trouble, "numbers": list(numbers), **_through(walk.through), **_resolved(walk)}
        for callback in tuple(self._walked):
            callback(record)
        return record


def _resolved(walk: Walk) -> Record:
    """The DNS server that was asked for its name first, by its address, if one was."""
    server = next((hop.detail["server"] for hop in walk.hops if hop.kind == "dns" and hop.detail and hop.detail.get("server")), None)
    return {"resolver": server} if server is not None else {}


def _sends(flow: Flow, sender: Source) -> bool:
    return flow.source == sender if sender.kind == "pod" else flow.source.kind == "outside"


def _called(target: Target, sender: Source) -> str:
    """A source's name."""
    namespace, name = target.key
    what = f"{name}.{namespace}:{target.port}" if target.kind == SERVICE else f"{target.host}:{target.port}{target.path}" if target.host \
        else f"{target.kind.lower()}.{name}{'.' if namespace else ''}{namespace}:{target.port}"
    return f"{sender.name}.{sender.namespace}>>{what}" if sender.kind == "pod" else what


def _source_id(flow: Flow) -> str:
    return pod_id(flow.pod) or f"Traffic//{flow.name}"


def _count(flow: Flow, pod: Key | None, node: str | None, error: str, count: float) -> None:
    way = (pod, node, error)
    if way not in flow.counts and len(flow.counts) >= MOST_COUNTS:
        way = (None, None, error)
    flow.counts[way] = flow.counts.get(way, 0.0) + count


def _record(flow: Flow) -> Record:
    """What the canvas draws of a source."""
    good = sum(path.share for path in flow.paths if path.error is None)
    ends: dict[tuple[Key, str | None], float] = {}
    for path in flow.paths:
        if path.pod is not None:
            ends[path.pod, path.node] = ends.get((path.pod, path.node), 0.0) + path.share
    record: Record = {
        **({"source": pod_id(flow.pod)} if flow.pod is not None else {}),
        "name": flow.name, "target": flow.target.id, "port": flow.target.port, "rate": flow.rate,
        "ok": round(flow.rate * good, 3), "failed": round(flow.rate * max(0.0, 1 - good), 3),
        "paths": [{"pod": pod_id(pod), "node": node, "rate": round(flow.rate * share, 3)}
                  for (pod, node), share in islice(ends.items(), MOST_PATHS)],
        **_through(server for path in flow.paths for server in path.through)}
    service = next((path.service for path in flow.paths if path.service is not None), None)
    if service is not None and flow.target.kind != SERVICE:
        record["service"] = f"Service/{service[0]}/{service[1]}"
    if good:
        record["latency"] = round(sum(path.share * path.ms for path in flow.paths if path.error is None) / good, 2)
    failing: dict[str, float] = {}
    for path in flow.paths:
        if path.error is not None:
            failing[path.error["hop"]] = failing.get(path.error["hop"], 0.0) + path.share
    if failing:
        hop = max(failing, key=failing.__getitem__)
        worst = next(path for path in flow.paths if path.error is not None and path.error["hop"] == hop)
        place = {"pod": pod_id(worst.pod), "node": worst.node and f"Node//{worst.node}"}
        record["error"] = {**worst.error, "rate": round(flow.rate * failing[hop], 3), **{kind: thing for kind, thing in place.items() if thing}}
    return record


def _through(servers: Iterable[tuple[Key, int]]) -> Record:
    """The pods that passed requests on."""
    pods = list(dict.fromkeys(pod_id(pod) for pod, _ in servers))
    return {"through": pods[:MOST_PATHS]} if pods else {}


