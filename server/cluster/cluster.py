"""A cluster: every part of a control plane on one clock and one store.

``Cluster(...)`` bootstraps a new one as kubeadm would: namespaces, nodes, the ``kubernetes`` Service and the system's pods.
``snapshot`` is all there is to know of it, as plain data; ``Cluster.restore`` takes it up again where it was. This is the only thing
that code outside ``server/cluster`` constructs.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

from server.cluster import bootstrap, migration
from server.cluster.apiserver import door
from server.cluster.apiserver.authorization import ADMIN
from server.cluster.apiserver.client import Client
from server.cluster.apiserver.resources import RESOURCES
from server.cluster.apiserver.server import ApiServer
from server.cluster.chaos import Chaos
from server.cluster.clock import Clock
from server.cluster.components import CONTROLLER_MANAGER, LEASES, Components
from server.cluster.controllers import CONTROLLERS
from server.cluster.kubelet.manager import Kubelets
from server.cluster.machines import NodeSpec
from server.cluster.metrics_server import MetricsServer
from server.cluster.network.network import Network
from server.cluster.nodes.hosts import Hosts
from server.cluster.objects import Object
from server.cluster.parts import Parts
from server.cluster.scheduler.scheduler import Scheduler
from server.cluster.store import Store

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
SETTLE = 3660.0


class Cluster:
    """``seed`` decides everything that is left to chance; ``nodes`` are the machines to begin with (None: the notes' four);
    ``metrics_server`` says whether that add-on is there from the beginning, which kubeadm's clusters do not have.

    A new cluster has been up for an hour at virtual time 0, its ``epoch``: quiet, and the Events of its birth are forgotten."""

    def __init__(self, seed: int = 0, epoch: datetime = EPOCH, nodes: list[NodeSpec] | None = None, *, system_pods: bool = True,
                 metrics_server: bool = False,
                 history: int = 20_000, breathe: Callable[[], None] | None = None, _restored: dict[str, Any] | None = None) -> None:
        self.seed = seed
        self.clock = Clock(epoch, _restored["time"] if _restored else -SETTLE)
        self.random = random.Random(seed)
        self.store = _restored["store"] if _restored else Store(history)
        if _restored:
            self._restore_random(_restored.get("random"))
        migrated = migration.before(self.store) if _restored else False
        self.api = ApiServer(self.clock, self.store, self.random, breathe)
        self.parts = Parts(self.clock, self.api, self.random, self.store.state)
        self.parts.breathe()
        self.network = Network(self.parts)
        self.kubelets = Kubelets(self.parts, self.network.addresses)
        self.network.connect(self.kubelets.runtime, self.kubelets.reachable)
        self.network.traffic.on_load(self.kubelets.runtime.usage.loads)
        self.metrics = MetricsServer(self.parts, self.kubelets.runtime)
        self.scheduler = Scheduler(self.parts)
        self.controllers = [controller(self.parts) for controller in CONTROLLERS]
        self.components = Components(self.parts)
        self.components.bind(self.scheduler, [each for each in self.controllers if each.component == CONTROLLER_MANAGER])
        self.components.follow(self.kubelets)
        self.network.exchange.healthy = self.components.healthy
        self.network.exchange.api = partial(door.answer, self.api)
        self.chaos = Chaos(self.parts, self.kubelets, self.components)
        self.hosts = Hosts(self)
        self.api.present = self._present
        self.api.logs = self.kubelets.logs
        self.api.sessions = self.kubelets.streams
        if not _restored:
            bootstrap.objects(self.parts)
        bootstrap.priority_classes(self.parts)
        self.parts.breathe()
        self.start()
        if migrated:
            migration.after(self.parts, self.kubelets)
        if not _restored:
            for spec in bootstrap.default_nodes() if nodes is None else nodes:
                self.add_node(spec)
            if system_pods:
                bootstrap.system_pods(self.parts, self.kubelets)
            if metrics_server:
                bootstrap.metrics_server(self.parts)
            self.clock.run_for(SETTLE)

    def start(self) -> None:
        """Starts what is not running; each part rebuilds its caches from the store."""
        others = [controller for controller in self.controllers if controller.component != CONTROLLER_MANAGER]
        for part in (self.api.expiry, self.network, self.kubelets, self.components, self.chaos, *others):
            part.start()
            self.parts.breathe()
        self.network.traffic.take_up()

    def breathe(self) -> None:
        """Lets others have their turn, where whoever runs the cluster can give it to them."""
        self.parts.breathe()

    def close(self, breathe: Callable[[], None] = lambda: None) -> None:
        """Takes it apart: its parts know one another in circles, and only a long look at all there is would find that nobody else knows
        them. Objects and history, which another cluster may share, stay whole. Nothing can be asked of it any more."""
        for kubelet in self.kubelets.nodes.values():
            for worker in kubelet.workers.values():
                worker.let_go()
                breathe()
        mine = [self, self.network, self.kubelets, *self.controllers, *self.kubelets.nodes.values(), *map(self.api.lister, RESOURCES)]
        for part in {id(part): part for owner in mine[:3] for part in vars(owner).values() if _is_part(part)}.values():
            vars(part).clear()
            breathe()
        for part in mine:
            vars(part).clear()
            breathe()

    def client(self, name: str = "kubectl", user: str = ADMIN) -> Client:
        """A client of this cluster's API server, by default the administrator's."""
        return self.parts.client(name, user)

    def add_node(self, spec: NodeSpec) -> None:
        """A new machine whose kubelet joins the cluster."""
        self.kubelets.add_node(spec)

    def _present(self, resource: str, obj: Object) -> Object:
        """``obj`` with the heartbeats that were sent by now."""
        shown = self.kubelets.present(resource, obj)
        return self.components.present(shown) if resource == LEASES else shown

    def run_until(self, done: Callable[[], bool], limit: float = 3600.0) -> bool:
        """Runs until ``done()``, at most ``limit`` virtual seconds; whether it came to that."""
        return done() or not self.clock.run_until(self.clock.now + limit, done)

    def snapshot(self) -> dict[str, Any]:
        """All of it as JSON-able data; equal histories give equal snapshots."""
        self.kubelets.runtime.settle()
        return {"seed": self.seed, "epoch": self.clock.epoch.isoformat(), "time": self.clock.now, "random": self.snapshot_random(),
                "store": self.store.dump()}

    def snapshot_random(self) -> list[Any]:
        """The state of chance, as plain data."""
        version, internal, gauss = self.random.getstate()
        return [version, list(internal), gauss]

    def _restore_random(self, state: list[Any] | None) -> None:
        """Chance as it was; a crash loses it, and then it begins anew from the seed and the revision."""
        if state is None:
            self.random.seed(f"{self.seed}/{self.store.revision}")
        else:
            self.random.setstate((state[0], tuple(state[1]), state[2]))

    @classmethod
    def restore(cls, snapshot: dict[str, Any]) -> Cluster:
        """The cluster of a snapshot, from where it was; with ``history`` (``Store.memory``) it can tell of its past."""
        store = Store()
        store.load(snapshot["store"])
        if snapshot.get("history") is not None:
            store.remember(snapshot["history"])
        return cls(snapshot["seed"], datetime.fromisoformat(snapshot["epoch"]), _restored={**snapshot, "store": store})

    def fork(self, revision: int | None = None, breathe: Callable[[], None] | None = None) -> Cluster:
        """Another cluster that goes on from where this one was at a kept revision, or is now; chance goes its own way. ApiError 410 if the
        revision is compacted away. ``breathe()`` is called while it is made, which begins with all that is taken of this one."""
        if revision is None:
            self.kubelets.runtime.settle()
        at, moment = (self.store.revision, self.clock.now) if revision is None else (revision, self.moment(revision))
        return self._of(at, moment, breathe)

    def at(self, revision: int, moment: float | None = None, breathe: Callable[[], None] | None = None) -> Cluster:
        """The cluster as it was at a kept revision (at the ``moment`` before the next, or when that was written), to be looked at: nothing
        happens in it any more, and its API server only answers reads. ApiError 410 if the revision is compacted away; ``breathe`` as in ``fork``."""
        past = self._of(revision, self.moment(revision) if moment is None else self.within(revision, moment), breathe)
        past.clock.clear()
        past.api.read_only = True
        return past

    def moment(self, revision: int) -> float:
        """The virtual time at which a kept revision was written, as far as that is known."""
        known = self.store.moment(revision)
        return self.clock.now if known is None else known

    def within(self, revision: int, moment: float) -> float:
        """The moment nearest to the one given at which a kept revision was the newest."""
        last = self.moment(revision + 1) if revision < self.store.revision else self.clock.now
        return min(max(moment, self.moment(revision)), last)

    def _of(self, revision: int, time: float, breathe: Callable[[], None] | None) -> Cluster:
        store = self.store.at(revision, breathe) if breathe is not None else self.store.at(revision)
        other = Cluster(self.seed, self.clock.epoch, breathe=breathe, _restored={"time": time, "store": store})
        other.scheduler.recall(self.scheduler, time)
        return other


def _is_part(value: Any) -> bool:
    return type(value).__module__.startswith("server.cluster.") and hasattr(value, "__dict__")
