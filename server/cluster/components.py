"""The processes of the control plane: which of them run, and what follows when one does not.

In: ``stop`` and ``start``, and machines of the control plane that lose or get back their power. Out: the scheduler and the controllers
are stopped and started, the API server refuses, etcd times out. Without the scheduler new pods stay Pending, without the controller
manager nothing heals, without the API server nobody can ask, but kubelets keep containers running. Scheduler and controller manager
lead by a Lease: they give up when they cannot renew it for ten seconds, and one that comes new waits until an old Lease has run out.
What is down is kept in the state; renewals of Leases that go well are computed when somebody looks.

Source: https://kubernetes.io/docs/concepts/architecture/#control-plane-components, https://kubernetes.io/docs/concepts/architecture/leases/
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, Protocol

from server.cluster.apiserver.request import Request
from server.cluster.clock import Timer
from server.cluster.errors import ApiError, no_answer, refused, storage_timed_out
from server.cluster.objects import Object
from server.cluster.parts import Parts
from server.cluster.store import DELETED, Event

APISERVER, ETCD, SCHEDULER, CONTROLLER_MANAGER = "kube-apiserver", "etcd", "kube-scheduler", "kube-controller-manager"
COMPONENTS = (APISERVER, ETCD, SCHEDULER, CONTROLLER_MANAGER)
LEASES, NAMESPACE = "leases.coordination.k8s.io", "kube-system"
LEASE_SECONDS, RENEW_PERIOD, RENEW_DEADLINE, BEGINS = 15, 2.0, 10.0, 2.0
STATE, TERM = "component/", "leader/"
IDENTITY, IDENTITY_PERIOD = "apiserver-", 10.0
API_PORT = 6443
FOREVER = float("-inf")
FORGOTTEN = ("taint-eviction/", "pod-gc/")  # what a controller manager knows only as long as it runs


class Process(Protocol):
    """The scheduler or a controller."""

    def start(self) -> None: ...

    def stop(self) -> None: ...


class Machines(Protocol):
    """The machines that the control plane is on, and the static pods there."""

    static: Any

    def control_plane(self) -> list[Any]: ...

    def control_plane_powered(self) -> bool: ...

    def on_change(self, callback: Callable[[str], None]) -> None: ...


class Check(NamedTuple):
    """A row of ``kubectl get componentstatuses``: whose health it is, and where that is asked."""

    name: str
    component: str
    port: int


CHECKS = (Check("scheduler", SCHEDULER, 10259), Check("controller-manager", CONTROLLER_MANAGER, 10257), Check("etcd-0", ETCD, 2379))


class Components:
    """``component/NAME`` in the state is there while a component is stopped, ``leader/NAME`` what is known of who leads: how many
    have (``terms``), ``from`` when this one does, ``until`` when it ended, ``begins`` when the next may."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._clock = parts.clock
        self._api = parts.api
        self._state = parts.state
        self._processes: dict[str, tuple[Process, ...]] = {}
        self._acting: dict[str, bool] = {}
        self._timer: Timer | None = None
        self._callbacks: list[Callable[[str], None]] = []
        self._shown: dict[str, bool] = dict.fromkeys(COMPONENTS, True)
        self._started = False
        self._machines: Machines | None = None

    def bind(self, scheduler: Process, controllers: Iterable[Process]) -> None:
        """What a stop stops."""
        self._processes = {SCHEDULER: (scheduler,), CONTROLLER_MANAGER: tuple(controllers)}

    def follow(self, machines: Machines) -> None:
        """Where all of them run: on the machines of the control plane, as static pods."""
        self._machines = machines
        machines.on_change(self._on_machine)
        machines.static.on_change(self._on_container)

    def powered(self) -> bool:
        return self._machines is None or self._machines.control_plane_powered()

    def address(self) -> str:
        """Of the API server's machine."""
        return self._host("address", "192.168.1.10")

    def _host(self, field: str, otherwise: str) -> str:
        found = self._machines.control_plane() if self._machines is not None else []
        return getattr(found[0], field) if found else otherwise

    def _on_machine(self, node: str) -> None:
        """A machine has lost its power or got it back, say."""
        if self._machines is not None and any(machine.name == node for machine in self._machines.control_plane()):
            self._look()

    def _on_container(self, name: str) -> None:
        """A static pod's container has ended or runs again."""
        if name in COMPONENTS:
            self._look()

    def _look(self) -> None:
        if self._started and self._shown != {name: self.healthy(name) for name in COMPONENTS}:
            self._settle()

    def start(self) -> None:
        """Begins, or takes up what was down; the first to lead do so at once."""
        if not self._started:
            self._started = True
            self._api.storing = lambda: self.healthy(ETCD)
            self._parts.leads_since = self.leads_since
            self._api.virtual["componentstatuses"] = self._statuses
            self._api.watch(LEASES, self._on_lease)
            self._settle()
        for name, processes in self._processes.items():
            if self._acting.get(name):
                for process in processes:
                    process.start()
                self._clock.call_later(RENEW_PERIOD, self._renew, name)
        self._clock.call_at(self._clock.now, self._identify)

    # what is asked

    def healthy(self, name: str) -> bool:
        """Whether the component runs."""
        return self._state.get(STATE + name) is None and self.powered() and (self._machines is None or self._machines.static.runs(name))

    def serving(self) -> bool:
        """Whether the API server answers and keeps what it is told."""
        return self.healthy(APISERVER) and self.healthy(ETCD)

    def leads_since(self, name: str) -> float:
        """Since when the component does its work; before that it knew nothing."""
        term = self._state.get(TERM + name)
        return term.get("from", FOREVER) if term is not None else FOREVER

    def on_change(self, callback: Callable[[str], None]) -> None:
        """``callback(component)`` whenever one becomes healthy or unhealthy."""
        self._callbacks.append(callback)

    def off(self, callback: Callable[[str], None]) -> None:
        self._callbacks = [known for known in self._callbacks if known != callback]

    # stopping and starting

    def stop(self, name: str, act: str = "") -> None:
        """The process ends, as when its manifest is moved away; a scheduler gives its Lease back."""
        if name not in COMPONENTS:
            raise ValueError(f"there is no component {name!r}; there are: {', '.join(COMPONENTS)}")
        if self._state.get(STATE + name) is None:
            if name == SCHEDULER and self._acting.get(name) and self.serving():
                self._release(name)
            moved = self._manifests(name)
            self._state.set(STATE + name, {"stopped": self._clock.now, "act": act, "manifests": moved})
            for node in moved:
                self._machines.static.remove(node, name)
            self._settle()

    def _manifests(self, name: str) -> dict[str, Object]:
        """The manifests to be moved away, by node. Those of the API server and of etcd stay where they are: without these two no kubelet
        could tell that a static pod is gone."""
        if self._machines is None or name not in self._processes:
            return {}
        found = {machine.name: self._machines.static.manifests(machine.name).get(name) for machine in self._machines.control_plane()}
        return {node: manifest for node, manifest in found.items() if manifest is not None}

    def begin(self, name: str) -> None:
        """The process starts again."""
        kept = self._state.get(STATE + name)
        if kept is not None:
            self._state.set(STATE + name, None)
            for node, manifest in kept["manifests"].items():
                self._machines.static.put(node, manifest)
            self._settle()

    def _settle(self) -> None:
        """Brings about what follows from what is healthy now, and comes back when more will follow."""
        before, self._shown = self._shown, {name: self.healthy(name) for name in COMPONENTS}
        # a server that is well is not asked at every request whether it is
        self._api.outage = None if self._shown[APISERVER] and self._shown[ETCD] else self._outage
        now, due = self._clock.now, []
        unserved = self._unserved_since()
        if not self.healthy(APISERVER):
            self._api.drop_streams()
        for name in self._processes:
            lost = unserved is not None and now >= unserved + RENEW_DEADLINE
            if unserved is not None and not lost:
                due.append(unserved + RENEW_DEADLINE)
            if not self.healthy(name) or lost:
                self._act(name, False)
                continue
            if unserved is not None:
                continue
            begins = self._begins(name)
            if now >= begins:
                self._act(name, True)
            else:
                due.append(begins)
        self._arm(min(due, default=None))
        for name in COMPONENTS:
            if self._shown[name] != before[name]:
                for callback in tuple(self._callbacks):
                    callback(name)

    def _unserved_since(self) -> float | None:
        """Since when nothing can be written; None when it can."""
        kept = self._state.get(TERM + "unserved")
        if self.serving():
            if kept is not None:
                self._state.set(TERM + "unserved", None)
                self._api.expiry.start()
            return None
        if kept is None:
            kept = {"since": self._clock.now}
            self._state.set(TERM + "unserved", kept)
        return kept["since"]

    def _arm(self, due: float | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._clock.call_at(due, self._settle) if due is not None else None

    def _begins(self, name: str) -> float:
        """When a process that may lead begins to: once its predecessor's Lease has run out under its eyes."""
        term = self._state.get(TERM + name)
        if term is None or "until" not in term:
            return self._clock.now
        if "begins" not in term:
            wait = BEGINS + (0.0 if term.get("released") else LEASE_SECONDS)
            term = {**term, "begins": self._clock.now + wait}
            self._state.set(TERM + name, term)
        return term["begins"]

    def _act(self, name: str, acting: bool) -> None:
        before = self._acting.get(name)
        term = self._state.get(TERM + name)
        if acting and (before is None or not before):
            self._acting[name] = True
            if term is None or "until" in term:
                self._take_office(name, 0 if term is None else term["terms"])
            for process in self._processes[name]:
                process.start()
        elif not acting and (before is None or before):
            self._acting[name] = False
            for process in self._processes[name]:
                process.stop()
            if term is not None and "until" not in term:
                self._state.set(TERM + name, {**term, "until": self._clock.now})
                self._forget(name)
        if not acting and (term := self._state.get(TERM + name)) is not None and "begins" in term:
            self._state.set(TERM + name, {field: value for field, value in term.items() if field != "begins"})

    def _forget(self, name: str) -> None:
        if name == CONTROLLER_MANAGER:
            for prefix in FORGOTTEN:
                for key, _ in self._state.items(prefix):
                    self._state.set(key, None)

    # Leases

    def _take_office(self, name: str, terms: int) -> None:
        first = not terms
        self._state.set(TERM + name, {"terms": 1} if first else {"from": self._clock.now, "terms": terms + 1})
        self._clock.call_at(self._clock.now, self._write_lease, name)

    def _identity(self, name: str, terms: int) -> str:
        digits = hashlib.sha256(f"{name} {terms} {self._clock.epoch}".encode()).hexdigest()
        return f"{self._host('name', 'localhost')}_{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:32]}"

    def _write_lease(self, name: str) -> None:
        client = self._parts.client(name, f"system:{name}")
        terms = self._state.get(TERM + name)["terms"]
        now = self._clock.microtime()
        known = self._api.lister(LEASES).get(NAMESPACE, name)
        spec = {"acquireTime": now, "holderIdentity": self._identity(name, terms), "leaseDurationSeconds": LEASE_SECONDS,
                "leaseTransitions": terms - 1, "renewTime": now}
        try:
            if known is None:
                client.create(LEASES, {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
                                       "metadata": {"name": name, "namespace": NAMESPACE}, "spec": spec})
            else:
                client.update(LEASES, {**known, "spec": spec})
        except ApiError:
            self._clock.call_later(RENEW_PERIOD, self._renew, name)

    def _identify(self) -> None:
        """The API server's own Lease, by which others may know how many there are."""
        host = self._host("name", "localhost")
        name = IDENTITY + base64.b32encode(hashlib.sha256(host.encode()).digest()[:16]).decode().lower().rstrip("=")
        if self._api.lister(LEASES).get(NAMESPACE, name) is not None or self._api.lister("namespaces").get("", NAMESPACE) is None:
            return
        try:
            self._parts.client(APISERVER, "system:apiserver").create(LEASES, {
                "apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": name, "namespace": NAMESPACE, "labels": {
                    "apiserver.kubernetes.io/identity": APISERVER, "kubernetes.io/hostname": host}},
                "spec": {"holderIdentity": f"{name}_{self._identity(APISERVER, 1).partition('_')[2]}", "leaseDurationSeconds": 3600,
                         "renewTime": self._clock.microtime()}})
        except ApiError:
            self._clock.call_later(IDENTITY_PERIOD, self._identify)

    def _renew(self, name: str) -> None:
        """A Lease that is missing is made again by who leads."""
        if self._acting.get(name) and self._api.lister(LEASES).get(NAMESPACE, name) is None \
                and self._api.lister("namespaces").get("", NAMESPACE) is not None:
            self._write_lease(name)

    def _release(self, name: str) -> None:
        known = self._api.lister(LEASES).get(NAMESPACE, name)
        self._state.set(TERM + name, {**self._state.get(TERM + name), "released": True})
        if known is not None:
            now = self._clock.microtime()
            self._parts.client(name, f"system:{name}").update(LEASES, {**known, "spec": {
                **known["spec"], "holderIdentity": "", "leaseDurationSeconds": 1, "acquireTime": now, "renewTime": now}})

    def _on_lease(self, event: Event) -> None:
        namespace, name = event.key
        if event.type is DELETED and namespace == NAMESPACE:
            if self._acting.get(name):
                self._clock.call_later(RENEW_PERIOD, self._renew, name)
            elif name.startswith(IDENTITY):
                self._clock.call_later(IDENTITY_PERIOD, self._identify)

    def present(self, lease: Object) -> Object:
        """A leader's Lease, or the API server's own, as renewed last."""
        meta, spec = lease["metadata"], lease["spec"]
        term = self._state.get(TERM + meta["name"])
        leads = meta["name"] in self._processes and term is not None
        if meta.get("namespace") != NAMESPACE or not (leads or meta["name"].startswith(IDENTITY)) or not spec.get("holderIdentity") \
                or not spec.get("renewTime"):
            return lease
        now, unserved = self._clock.now, self._state.get(TERM + "unserved")
        until = min(now, term.get("until", now) if leads else now, unserved["since"] if unserved is not None else now)
        base, period = self._clock.seconds(spec["renewTime"]), RENEW_PERIOD if leads else IDENTITY_PERIOD
        turns = (until - base) // period
        return {**lease, "spec": {**spec, "renewTime": self._clock.microtime(base + turns * period)}} if turns > 0 else lease

    # answers

    def _outage(self, request: Request) -> ApiError | None:
        if not self._shown[APISERVER]:
            return (refused if self.powered() else no_answer)(f"{self.address()}:{API_PORT}")
        if not self._shown[ETCD] and not (request.verb == "watch" or request.resource in self._api.virtual or (
                request.verb in ("get", "list") and request.options.resource_version == "0")):
            return storage_timed_out()
        return None

    def _statuses(self) -> list[Object]:
        """ComponentStatuses: each asked for its health in this moment."""
        found = []
        for check in CHECKS:
            healthy = self.healthy(check.component)
            refusal = f'Get "https://127.0.0.1:{check.port}/healthz": dial tcp 127.0.0.1:{check.port}: connect: connection refused'
            entry = {"type": "Healthy", "status": "True" if healthy else "False",
                     "message": "ok" if healthy else "context deadline exceeded" if check.component == ETCD else refusal}
            found.append({"kind": "ComponentStatus", "apiVersion": "v1", "metadata": {"name": check.name}, "conditions": [entry]})
        return found
