"""How much CPU and memory every container uses, at any virtual moment, without ever looking: only changes are events.

In: containers that begin and end, the programs in them (``figures`` and the ``burn`` of a script's state), the request rates of
traffic (``loads``), CPU limits and requests, the cores of nodes. Out: ``cpu``, ``memory``, ``average`` for metrics, and ``on_change``.
CPU is capped by the container's limit, and where a node has too little it is shared out by requests, as cgroups do.

For whoever kills for memory: ``Container.memory()`` is the bytes used now; ``usage.passes(container, limit)`` is the moment at which
that goes above ``limit`` as things stand (None: never); ``usage.on_change(callback)`` calls ``callback(container)`` in the instant in
which any of this may have changed (the container began, its program went on, its traffic changed): ask ``passes`` again there.
``usage.limits(container, cpu_limit, cpu_request)`` (millicores) is for resizing a running container.

Source: https://kubernetes.io/docs/tasks/debug/debug-cluster/resource-metrics-pipeline/
"""

from __future__ import annotations

from collections.abc import Callable
from math import exp
from typing import TYPE_CHECKING

from server.cluster.clock import Clock
from server.cluster.objects import Key
from server.cluster.runtime.figures import MILLI, Figures, figures

if TYPE_CHECKING:
    from server.cluster.runtime.container import Container

KEPT = 120.0
LEAST_WEIGHT = 2
TAKEN_UP = 0.25  # what is learned so soon after a restart was so before
SYSTEM_CPU, POD_CPU = 28 * MILLI, MILLI // 5
LOAD_PERIODS = (60.0, 300.0, 900.0)
MEBI = 1024**2
SYSTEM_MEMORY, POD_MEMORY = 420 * MEBI, 3 * MEBI


class Meter:
    """One running container's CPU: what it wants and gets (nanocores), and its total at each recent change."""

    __slots__ = ("figures", "limit", "weight", "wanted", "given", "points", "resumed")

    def __init__(self, figures_: Figures, limit: int | None, request: int) -> None:
        self.figures = figures_
        self.limit = limit
        self.weight = max(LEAST_WEIGHT, request)
        self.wanted = 0
        self.given = 0
        self.points: list[tuple[float, int, float]] = []
        self.resumed: float | None = None

    def set(self, now: float, given: int) -> bool:
        """From ``now`` on it gets ``given``; whether that is news."""
        if given == self.given and self.points:
            return False
        total = self.total(now)
        if self.points and self.points[-1][0] == now:
            self.points.pop()
        self.points.append((now, given, total))
        while len(self.points) > 1 and self.points[1][0] < now - KEPT:
            self.points.pop(0)
        self.given = given
        return True

    def total(self, at: float) -> float:
        """Nanocore-seconds used until then."""
        for since, given, before in reversed(self.points):
            if since <= at:
                return before + given * (at - since)
        return 0.0

    def damped(self, now: float, began: float, period: float) -> float:
        """Nanocores on average, what is longer ago counting less and less (``period`` seconds ago: a part in e)."""
        total, until = 0.0, now
        for since, given, _ in reversed(self.points):
            since = began if since == self.points[0][0] else since
            total += given * (exp((until - now) / period) - exp((since - now) / period))
            until = since
        return total


class _Machine:
    """A node's containers and what they want together."""

    __slots__ = ("cores", "containers", "wanted", "short")

    def __init__(self, cores: int) -> None:
        self.cores = cores
        self.containers: dict[Container, None] = {}
        self.wanted = 0
        self.short = False


class Usage:
    """``cores(node)`` gives a node's CPU in nanocores; whoever builds the runtime sets it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._machines: dict[str, _Machine] = {}
        self._loads: dict[Key, dict[int, float]] = {}
        self._pods: Callable[[Key], list[Container]] = lambda pod: []
        self._callbacks: list[Callable[[Container], None]] = []
        self.cores: Callable[[str], int] = lambda node: 2000 * MILLI

    def serve(self, pods: Callable[[Key], list[Container]]) -> None:
        """Who knows the containers of a pod."""
        self._pods = pods

    def on_change(self, callback: Callable[[Container], None]) -> None:
        self._callbacks.append(callback)

    # what changes

    def begin(self, container: Container) -> None:
        """It runs from now on, or did all along when it is taken up."""
        launch = container.launch
        container.meter = meter = Meter(figures(launch.image, launch.plan), launch.cpu_limit, launch.cpu_request)
        machine = self._machine(container.sandbox.node)
        machine.containers[container] = None
        meter.wanted = self._wanted(container)
        machine.wanted += meter.wanted
        if container.started < self._clock.now:
            meter.resumed = self._clock.now
        self._settle(machine, container, container.started)
        self._tell(container)

    def end(self, container: Container) -> None:
        meter, container.meter = container.meter, None
        machine = self._machines.get(container.sandbox.node)
        if meter is None or machine is None:
            return
        machine.containers.pop(container, None)
        machine.wanted -= meter.wanted
        if machine.short:
            self._share(machine)

    def changed(self, container: Container) -> None:
        """Its program, its traffic or its limits are others now."""
        meter = container.meter
        if meter is None:
            return
        wanted = self._wanted(container)
        if wanted != meter.wanted:
            machine = self._machine(container.sandbox.node)
            machine.wanted += wanted - meter.wanted
            meter.wanted = wanted
            since = self._clock.now
            if meter.resumed is not None and since - meter.resumed <= TAKEN_UP:
                since = container.started
                meter.points.clear()
            self._settle(machine, container, since)
        self._tell(container)

    def limits(self, container: Container, cpu_limit: int | None, cpu_request: int) -> None:
        """Others than it was started with, in millicores."""
        if container.meter is not None:
            container.meter.limit, container.meter.weight = cpu_limit, max(LEAST_WEIGHT, cpu_request)
            self.changed(container)

    def resized(self, node: str) -> None:
        """The node may have more or fewer cores now."""
        machine = self._machines.get(node)
        if machine is not None and machine.containers and machine.cores != self.cores(node):
            machine.cores = self.cores(node)
            self._share(machine)

    def loads(self, loads: dict[Key, dict[int, float]]) -> None:
        """Requests per second that reach each pod, by port: all there are."""
        before, self._loads = self._loads, loads
        for pod in (*before, *(pod for pod in loads if pod not in before)):
            if before.get(pod) != loads.get(pod):
                for container in self._pods(pod):
                    self.changed(container)

    def _tell(self, container: Container) -> None:
        for callback in self._callbacks:
            callback(container)

    def _machine(self, node: str) -> _Machine:
        machine = self._machines.get(node)
        if machine is None:
            machine = self._machines[node] = _Machine(self.cores(node))
        return machine

    # CPU

    def _wanted(self, container: Container) -> int:
        """Nanocores it would use if nothing but its own limit held it back."""
        meter = container.meter
        burn = container.burn
        wanted = meter.figures.cpu + (burn.get("cpu", 0) if burn else 0)
        if meter.figures.request:
            rates = self._loads.get(container.sandbox.key)
            if rates and container.ports:
                wanted += int(meter.figures.request * sum(rate for port, rate in rates.items() if port in container.ports))
        return wanted if meter.limit is None else min(wanted, meter.limit * MILLI)

    def _free(self, machine: _Machine) -> int:
        return machine.cores - SYSTEM_CPU

    def _settle(self, machine: _Machine, container: Container, since: float) -> None:
        if machine.short or machine.wanted > self._free(machine):
            container.meter.set(since, container.meter.given)
            self._share(machine)
        else:
            container.meter.set(since, container.meter.wanted)

    def _share(self, machine: _Machine) -> None:
        """Gives each what it wants or, where that is more than there is, its part by weight; nobody gets more than it wants."""
        now, left = self._clock.now, self._free(machine)
        machine.short = machine.wanted > left
        hungry = list(machine.containers)
        if machine.short:
            hungry.sort(key=lambda container: container.meter.wanted / container.meter.weight)
        weights = sum(container.meter.weight for container in hungry)
        for container in hungry:
            meter = container.meter
            given = min(meter.wanted, left * meter.weight // weights) if machine.short else meter.wanted
            left, weights = left - given, weights - meter.weight
            if meter.set(now, given):
                self._tell(container)

    def cpu(self, container: Container) -> float:
        """Millicores now."""
        return container.meter.given / MILLI if container.meter is not None else 0.0

    def work(self, container: Container) -> float:
        """Milliseconds that one request takes it."""
        meter = container.meter
        if meter is None:
            return 0.0
        pace = 1000 if meter.limit is None else max(1, min(1000, meter.limit))
        return meter.figures.request / (pace * 1000)

    def capacity(self, container: Container) -> tuple[float, float]:
        """(requests per second that it can do, the cores it has for them): its limit, or what the others on its node leave."""
        meter = container.meter
        if meter is None or not meter.figures.request:
            return float("inf"), 1.0
        machine = self._machine(container.sandbox.node)
        room = max(meter.given, self._free(machine) - (machine.wanted - meter.wanted))
        cpu = max(MILLI, (room if meter.limit is None else min(room, meter.limit * MILLI)) - meter.figures.cpu)
        return cpu / meter.figures.request, cpu / (1000 * MILLI)

    def average(self, container: Container, since: float, until: float) -> int:
        """Nanocores used on average between two moments of the last two minutes."""
        meter = container.meter
        return round((meter.total(until) - meter.total(since)) / (until - since)) if meter is not None and until > since else 0

    def steady(self, container: Container, since: float) -> bool:
        """Whether its CPU and memory are as they are now since that moment."""
        meter = container.meter
        return meter is None or (meter.points[-1][0] <= since and not self._grows(container, since))

    # memory

    def memory(self, container: Container, at: float | None = None) -> int:
        """Bytes of its working set."""
        meter = container.meter
        if meter is None:
            return 0
        burn = container.burn
        return meter.figures.memory + (_grown(burn, self._clock.now if at is None else at) if burn else 0)

    def passes(self, container: Container, limit: int) -> float | None:
        """When it will use more than ``limit`` bytes, as things stand; a moment that may be past, None if never."""
        meter = container.meter
        if meter is None:
            return None
        room, burn = limit - meter.figures.memory, container.burn
        if room < 0:
            return container.started
        if not burn or burn.get("memory", 0) <= room:
            return None
        return burn["since"] + room / burn["growth"]

    def _grows(self, container: Container, since: float) -> bool:
        burn = container.burn
        return bool(burn) and _grown(burn, since) != _grown(burn, self._clock.now)

    # nodes

    def node(self, node: str, since: float, until: float) -> tuple[int, int]:
        """(nanocores on average, bytes) of everything on a node, with what its system takes."""
        machine = self._machines.get(node)
        containers = machine.containers if machine is not None else {}
        cpu = SYSTEM_CPU + sum(POD_CPU + self.average(container, max(since, min(container.started, until)), until) for container in containers
                               if container.started < until)
        memory = SYSTEM_MEMORY + sum(POD_MEMORY + self.memory(container, until) for container in containers if container.started < until)
        return cpu, memory

    def load(self, node: str) -> tuple[float, float, float]:
        """The load averages of a node's one, five and fifteen minutes: how many processes had work for a core."""
        machine, now = self._machines.get(node), self._clock.now
        containers = list(machine.containers) if machine is not None else []
        busy = [SYSTEM_CPU + sum(POD_CPU + container.meter.damped(now, container.started, period) for container in containers)
                for period in LOAD_PERIODS]
        return tuple(round(nanocores / (1000 * MILLI), 2) for nanocores in busy)


def _grown(burn: dict, at: float) -> int:
    """What a program has taken by then that takes its memory bit by bit."""
    top = burn.get("memory", 0)
    return min(top, int(max(0.0, at - burn["since"]) * burn["growth"])) if top else 0
