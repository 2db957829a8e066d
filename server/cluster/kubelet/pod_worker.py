"""One pod on one node: a state machine whose every wait is a named moment in ``due``.

The kubelet wakes it when its pod changed (``step``), the agenda at the earliest moment of ``due`` (``wake``), whose names say what
is to be done ("pull:web", "probe:readiness:web", "kill"...). After each wake it writes the pod's status if that changed and keeps
itself as plain data, from which ``restore`` builds it again. What is done with containers is in ``containers``, ``probing`` and
``termination``.

Source: https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from server.cluster.disks import Tree
from server.cluster.errors import ApiError
from server.cluster.inodes import text_of
from server.cluster.kubelet import (
    admission,
    containers,
    environment,
    keeping,
    memory,
    mounting,
    probing,
    reporting,
    resizing,
    restarting,
    termination,
    volumes,
)
from server.cluster.kubelet.agenda import chance
from server.cluster.kubelet.cell import Cell
from server.cluster.kubelet.keeping import ACTIVE, ENDED, GONE, MOUNT_FIRST, NEW, WAITING
from server.cluster.kubelet.template import Template, template_of
from server.cluster.network.addresses import AddressesExhausted
from server.cluster.objects import Key, Object
from server.cluster.runtime.container import Container
from server.cluster.runtime.runtime import Sandbox

if TYPE_CHECKING:
    from server.cluster.kubelet.kubelet import Kubelet

WRITE_AGAIN, REBOOTED = 1.0, 0.5
ACTIONS = {**containers.ACTIONS, **restarting.ACTIONS, **resizing.ACTIONS, **memory.ACTIONS}


class PodWorker:
    __slots__ = ("kubelet", "key", "uid", "stage", "init", "main", "specs", "sandbox", "ip", "started", "due", "wakes_at", "mount_delay",
                 "final", "disrupted", "ephemeral", "until", "restarting", "pending", "resizing", "pod_resources", "restarts_all",
                 "because", "changed", "kept", "holding", "taken", "frozen")

    static = False

    def __init__(self, kubelet: Kubelet, pod: Object) -> None:
        meta = pod["metadata"]
        self.kubelet = kubelet
        self.key: Key = (meta["namespace"], meta["name"])
        self.uid: str = meta["uid"]
        self.stage = NEW
        self.init: list[Cell] = []
        self.main: list[Cell] = []
        self.ephemeral: list[Cell] = []
        self.specs: dict[str, Object] = {}
        self.sandbox: Sandbox | None = None
        self.ip = ""
        self.started = ""
        self.due: dict[str, float] = {}
        self.wakes_at: float | None = None
        self.mount_delay = MOUNT_FIRST
        self.final: list[str] | None = None
        self.disrupted = ""
        self.because: int | str | None = None
        self.changed = False
        self.kept = False
        self.holding = False
        self.taken: admission.Request | None = None
        self.frozen: dict[str, dict[str, str]] = {}
        self.until = 0.0
        self.restarting = False
        self.restarts_all = False
        self.pending: list[str] | None = None
        self.resizing: list[str] | None = None
        self.pod_resources: Object | None = None
        kubelet.manager.remember(self)

    def let_go(self) -> None:
        """Knows nothing of its containers any more, nor they of it: the whole cluster goes."""
        for cell in self.cells():
            cell.container = None
        self.init, self.main, self.ephemeral = [], [], []
        if self.sandbox is not None:
            self.sandbox.let_go()
            self.sandbox = None

    # what it is asked

    def pod(self) -> Object | None:
        """The pod as it is now; None if it is gone or another took its name."""
        pod = self.kubelet.pods.get(*self.key)
        return pod if pod is not None and pod["metadata"]["uid"] == self.uid else None

    @property
    def now(self) -> float:
        return self.kubelet.clock.now

    def cell(self, name: str) -> Cell | None:
        return next((cell for cell in (*self.main, *self.init, *self.ephemeral) if cell.name == name), None)

    def cells(self) -> list[Cell]:
        return [*self.init, *self.main, *self.ephemeral]

    def lasting_cells(self) -> list[Cell]:
        """The containers that run as long as the pod does."""
        return [*(cell for cell in self.init if cell.sidecar), *self.main] if self.init else self.main

    def lasting(self) -> list[Template]:
        return [cell.template for cell in self.lasting_cells()]

    def asked(self, pod: Object) -> Object | None:
        """The resources of the pod as a whole, where its spec gives them."""
        return pod["spec"].get("resources") or None

    def spec(self, name: str) -> Object:
        return self.specs[name]

    def place(self, since: float) -> environment.Place:
        """What its containers' environment depends on beside the spec."""
        node = self.kubelet.api.lister("nodes").get("", self.kubelet.name)
        allocatable = node["status"]["allocatable"] if node is not None else {}
        return environment.Place(self.ip, self.kubelet.address, self.kubelet.name, allocatable, self.kubelet.clock.timestamp(since), self._file)

    def _file(self, volume: str, path: str) -> str | None:
        tree = self._volume(volume)
        found = tree.files.get(tree.at(path))
        return text_of(found) if found is not None else None

    # waking

    def step(self) -> None:
        """The pod is new or has changed."""
        pod = self.pod()
        if pod is None:
            return
        if "deletionTimestamp" in pod["metadata"]:
            if self.stage == NEW:
                self.read(pod)
            termination.begin(self, pod)
        elif self.stage == NEW:
            self._begin(pod)
        elif self.stage in (WAITING, ACTIVE):
            self._respecified(pod)
        self.finish()

    def wake(self) -> None:
        """Something is due."""
        pod = self.pod()
        if pod is None or not self.kubelet.alive:
            return
        while ready := sorted(name for name, moment in self.due.items() if moment <= self.now):
            for name in ready:
                if self.due.get(name, self.now + 1) <= self.now:
                    del self.due[name]
                    self._do(pod, name)
        self.finish()

    def _do(self, pod: Object, name: str) -> None:
        what, _, rest = name.partition(":")
        if what == "write":
            self.changed = True
        elif what in mounting.MOMENTS:
            self._mount(pod, what)
        elif what in ("refresh", "grow", "measure"):
            getattr(self.kubelet.manager.volumes, what)(self, pod, rest)
        elif what == "probe":
            kind, _, container = rest.partition(":")
            if (cell := self.cell(container)) is not None:
                probing.due(self, pod, cell, kind)
        elif what in termination.ACTIONS:
            termination.ACTIONS[what](self, pod, rest)
        elif (cell := self.cell(rest)) is not None:
            ACTIONS[what](self, pod, cell)

    def finish(self) -> None:
        if self.changed:
            self.write()
        self.save()
        self.arm()

    def at(self, name: str, moment: float) -> None:
        self.due[name] = moment

    def arm(self) -> None:
        """Asks to be woken at the earliest moment."""
        moment = min(self.due.values()) if self.due and self.kubelet.alive else None
        if moment is None:
            self.wakes_at = None
        elif moment != self.wakes_at:
            self.kubelet.manager.agenda.wake(self, moment)

    def chance(self, low: float, high: float, what: str) -> float:
        return chance(low, high, self.uid, what, self.now)

    def record(self, pod: Object, type_: str, reason: str, message: str, cell: Cell | None = None) -> None:
        self.kubelet.client.because = self.because
        self.kubelet.recorder.record(pod, type_, reason, message, cell.path if cell is not None else "")

    # beginning

    def read(self, pod: Object) -> None:
        """Takes the containers from the pod's spec."""
        spec = pod["spec"]
        first = spec.get("initContainers")
        self.specs = {entry["name"]: entry for entry in spec["containers"]}
        if first:
            self.specs.update({entry["name"]: entry for entry in first})
            self.init = [Cell(template_of(entry), "initContainers", "PodInitializing") for entry in first]
        waiting = "PodInitializing" if first else "ContainerCreating"
        self.main = [Cell(template_of(entry), "containers", waiting) for entry in spec["containers"]]
        self.pod_resources = self.asked(pod)
        self.restarts_all = any(entry["action"] == restarting.RESTART_ALL for cell in self.cells() for entry in cell.template.rules)
        self._read_ephemeral(pod)

    def _read_ephemeral(self, pod: Object) -> None:
        for entry in pod["spec"].get("ephemeralContainers") or ():
            if entry["name"] not in self.specs:
                self.specs[entry["name"]] = entry
                self.ephemeral.append(Cell(template_of(entry), "ephemeralContainers", "ContainerCreating"))

    def _begin(self, pod: Object) -> None:
        self.read(pod)
        self.started = self.kubelet.clock.timestamp()
        self.changed = True
        request = admission.request_of(self.lasting(), self.pod_resources)
        fault = admission.fault(self.kubelet, pod, request)
        if fault is not None:
            reason, message = fault
            self.record(pod, "Warning", reason, message)
            self.stage, self.final = ENDED, ["Failed", reason, f"Pod was rejected: {message}"]
            return
        self.kubelet.take(self, request)
        self._await_deadline(pod)
        self.stage = WAITING
        self.write()
        if pod["spec"].get("volumes"):
            self._mount(pod, "mount")
        else:
            self._network(pod)

    def _mount(self, pod: Object, what: str) -> None:
        """Tries the volumes; once all are there the pod gets its network."""
        if self.stage == WAITING and mounting.mount(self, pod, what):
            self._network(pod)

    def _network(self, pod: Object) -> None:
        try:
            self.make_sandbox(pod)
        except AddressesExhausted as fault:
            self.record(pod, "Warning", "FailedCreatePodSandBox", "Failed to create pod sandbox: rpc error: code = Unknown desc = failed "
                        f'to setup network for sandbox: plugin type="calico" failed (add): {fault}')
            self.at("mount", self.now + self.chance(10, 15, "sandbox"))
            return
        self.stage = ACTIVE
        self.changed = True
        containers.start_next(self, pod)

    def make_sandbox(self, pod: Object, ip: str = "") -> None:
        """Gives the pod its address; ``ip`` is one that it has already."""
        kubelet = self.kubelet
        on_host = pod["spec"].get("hostNetwork", False)
        self.ip = ip or (kubelet.address if on_host else kubelet.addresses.allocate(kubelet.name))
        self.holding = not on_host
        hostname = environment.hostname(pod, kubelet.name)
        self.sandbox = kubelet.runtime.sandbox(self.key, self.uid, kubelet.name, hostname, self.ip)
        self.sandbox.pids = kubelet.pids_of(pod["spec"])
        security = pod["spec"].get("securityContext") or {}
        self.sandbox.user, self.sandbox.group = security.get("runAsUser"), security.get("runAsGroup")
        given = pod["spec"].get("volumes")
        if given:
            self.sandbox.volume_source = self._volume
        if given and (len(given) > 1 or not given[0]["name"].startswith(volumes.TOKEN_VOLUME)):
            kubelet.manager.volumes.follow(self, pod)

    def _volume(self, name: str) -> Tree:
        pod = self.pod()
        return volumes.tree_of(self, pod, name) if pod is not None else Tree({})

    def release(self) -> None:
        """Gives the address back."""
        if self.holding:
            self.holding = False
            self.kubelet.addresses.release(self.ip)

    def _respecified(self, pod: Object) -> None:
        """What may change in a running pod: its containers' images and resources, its deadline, ephemeral containers that come."""
        for entry in (*pod["spec"]["containers"], *(pod["spec"].get("initContainers") or ())):
            cell = self.cell(entry["name"])
            self.specs[entry["name"]] = entry
            if cell is not None and cell.template.image != entry["image"]:
                containers.replaced(self, pod, cell, template_of({**entry, "resources": cell.template.given}))
        resizing.look(self, pod)
        self._await_deadline(pod)
        self._read_ephemeral(pod)
        if self.stage == ACTIVE and any(not cell.begun for cell in self.ephemeral):
            containers.start_next(self, pod)
        self.changed = True

    def _await_deadline(self, pod: Object) -> None:
        deadline = pod["spec"].get("activeDeadlineSeconds")
        if deadline is not None:
            self.at("deadline", max(self.now, self.kubelet.clock.seconds(self.started) + deadline))

    # what containers tell

    def on_exit(self, container: Container, code: int) -> None:
        """A script has come to its end. One that ends as it begins is still seen running once: the next look finds that it is over."""
        self.at(f"died:{container.launch.name}", self.kubelet.observed_after(container.started, self.now))
        self.save()
        self.arm()

    def on_change(self, container: Container, files: bool) -> None:
        """A program has gone on, or written a file: then probes may answer otherwise."""
        if files:
            probing.rouse(self)
            self.kubelet.manager.volumes.written(self)
        self.save()
        self.arm()

    # the status

    def write(self) -> None:
        """Writes the pod's status if it is not what is stored."""
        self.changed = False
        pod = self.pod()
        if pod is None:
            return
        new = self.status_of(pod)
        if new == pod["status"]:
            return
        client = self.kubelet.client
        client.because = self.because
        try:
            client.update("pods", {**pod, "status": new}, "status")
        except ApiError as fault:
            if fault.code != 404 and client.severed is None:
                self.at("write", self.now + WRITE_AGAIN)

    def status_of(self, pod: Object) -> Object:
        return reporting.status_of(self, pod)

    # keeping

    def plain(self) -> bool:
        """Whether everything about the pod can be read off its status."""
        return not self.due and self.stage == ACTIVE and self.mount_delay == MOUNT_FIRST and not self.init and not self.ephemeral and (
            self.pending is None and self.resizing is None and not self.restarting) and all(
            cell.waiting is None and cell.terminated is None and cell.last is None and cell.crash is None and not cell.killing
            and cell.ready and cell.container is not None and cell.container.plain
            and cell.container.running and not cell.counts and cell.resources is None and cell.env is None for cell in self.main) and not self.frozen

    def save(self) -> None:
        """Keeps what cannot be read off the pod's status."""
        if self.stage == GONE:
            return
        state = self.kubelet.state
        if self.plain():
            if self.kept:
                self.kept = False
                state.set(f"pod/{self.uid}", None)
            return
        self.kept = True
        state.set(f"pod/{self.uid}", keeping.dump(self))

    def rebooted(self) -> None:
        """The machine was off and is back: the kubelet finds that nothing of the pod runs any more."""
        for cell in self.cells():
            if cell.container is not None and not cell.container.running and cell.terminated is None:
                self.at(f"died:{cell.name}", self.now + REBOOTED)
        pod = self.pod()
        if pod is not None and self.sandbox is not None:
            self.record(pod, "Normal", "SandboxChanged", "Pod sandbox changed, it will be killed and re-created.")
        self.save()
        self.arm()

    def power_lost(self) -> None:
        """The machine went off under it: programs end where they are, and nobody writes it down."""
        for cell in self.cells():
            if cell.running:
                cell.container.end(255)
                cell.stop = [255, "Unknown"]
        self.save()

    def progress(self) -> dict[str, dict[str, float]]:
        """What the pod waits for: an image (while one is pulled) and a back-off."""
        found: dict[str, dict[str, float]] = {}
        for cell in self.cells():
            if cell.pull is not None and f"pull:{cell.name}" in self.due:
                found["pull"] = {"from": cell.pull[1], "until": cell.pull[2]}
            if f"crash:{cell.name}" in self.due and cell.crash is not None and cell.ends:
                found["backoff"] = {"from": cell.ends[-1], "until": cell.ends[-1] + cell.crash[0]}
            elif cell.pulls is not None and cell.pull is None:
                found["backoff"] = {"from": cell.pulls[1], "until": cell.pulls[1] + cell.pulls[0]}
        return found

    def take_away(self) -> None:
        """All of it has ended: the pod leaves the API server. ApiError if it cannot."""
        self.kubelet.client.because = self.because
        self.kubelet.client.delete("pods", *self.key, grace_period=0, uid=self.uid)

    def forget(self) -> None:
        """The pod is gone from the store."""
        self.stage = GONE
        self.kubelet.manager.forget(self)
        self.wakes_at = None
        self.due.clear()
        self.kubelet.deferred.pop(self.key, None)
        self.release()
        if self.sandbox is not None:
            self.kubelet.runtime.remove(self.sandbox)
            self.kubelet.manager.volumes.forget(self)
        if self.kept:
            self.kubelet.state.set(f"pod/{self.uid}", None)
            self.kept = False
