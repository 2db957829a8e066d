"""Chaos: what can be made to go wrong on purpose, as a table, and what is wrong now.

In: ``inject(fault, target, ...)`` and ``heal``. Out: what the fault does to machines, containers, probes, registries and the control
plane; all else that happens is the cluster's own doing. Every act has an id that the writes which follow from it name as their cause.
Faults lie in the state: they outlast a restart, and a machine or pod that goes takes its faults with it.

Source: https://principlesofchaos.org/
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from server.cluster.apiserver.authorization import ADMIN
from server.cluster.components import COMPONENTS, Components
from server.cluster.kubelet import probing
from server.cluster.kubelet.manager import Kubelets
from server.cluster.kubelet.probes import KINDS as PROBES
from server.cluster.kubelet.registry import ERRORS, names_images
from server.cluster.objects import Key
from server.cluster.parts import Parts
from server.cluster.store import DELETED, Event, Watch

CLIENT = "chaos"
STATE, NEXT, LOG = "chaos/", "chaos-next", "chaos-log"
MOST_ACTIVE, LOGGED, LONGEST = 200, 200, 253
PATTERN = re.compile(r"[a-zA-Z0-9*][-a-zA-Z0-9._/:@*]*")

Record = dict[str, Any]


class Param(NamedTuple):
    """One thing that a fault can be given: ``kind`` is string, number or choice."""

    name: str
    kind: str
    default: Any
    about: str
    choices: tuple[str, ...] = ()
    least: float = 0.0
    most: float = 0.0


class Fault(NamedTuple):
    """``on`` is what it strikes: Pod, Node, Image or Component. One that does not last is over as soon as it has happened."""

    name: str
    on: str
    about: str
    params: tuple[Param, ...] = ()
    lasting: bool = True


CONTAINER = Param("container", "string", "", "the container's name; the pod's first if it is left out")
MEMORY_FULL = Param("percent", "number", 98.0, "how full the memory gets", least=1.0, most=100.0)
DISK_FULL = Param("percent", "number", 95.0, "how full the disk gets", least=1.0, most=100.0)
FAULTS = {fault.name: fault for fault in (
    Fault("kill", "Pod", "kills a container's main process", (
        CONTAINER, Param("code", "number", 137, "the exit code", least=0, most=255)), lasting=False),
    Fault("probe", "Pod", "a probe fails, or passes, whatever the container answers", (
        CONTAINER, Param("probe", "choice", "liveness", "which probe", PROBES), Param("result", "choice", "fail", "what it says", ("fail", "pass")))),
    Fault("image", "Image", "an image, a registry or everything (*) cannot be pulled", (
        Param("error", "choice", "missing", "what the registry answers", tuple(ERRORS)),)),
    Fault("slow", "Image", "pulls of an image, from a registry or of everything (*) take longer", (
        Param("factor", "number", 10.0, "how many times as long", least=1.0, most=1000.0),)),
    Fault("power", "Node", "the machine has no power"),
    Fault("network", "Node", "the machine's network is cut"),
    Fault("kubelet", "Node", "the kubelet does not run; containers go on"),
    Fault("shutdown", "Node", "the machine is shut down, gracefully where its kubelet is set to", (
        Param("grace", "number", None, "the kubelet's shutdownGracePeriod from now on, in seconds", most=3600.0),
        Param("critical", "number", None, "how much of that is kept for critical pods", most=3600.0))),
    Fault("memory", "Node", "something that is no pod takes the machine's memory", (MEMORY_FULL,)),
    Fault("disk", "Node", "something that is no pod fills the machine's disk", (DISK_FULL,)),
    Fault("component", "Component", "a process of the control plane does not run"),
)}


class Chaos:
    """What a fault does lies in ``_start_NAME`` and ``_stop_NAME``."""

    def __init__(self, parts: Parts, kubelets: Kubelets, components: Components) -> None:
        self._clock = parts.clock
        self._api = parts.api
        self._state = parts.state
        self._kubelets = kubelets
        self._components = components
        self._watch: Watch | None = None
        self._callbacks: list[Callable[[], None]] = []
        self.client = parts.client(CLIENT, ADMIN)

    def start(self) -> None:
        """Takes up what was wrong: machines and components have kept it themselves."""
        self._follow()

    # what is asked

    def active(self) -> list[Record]:
        """What is wrong now, the oldest first."""
        return sorted((record for _, record in self._state.items(STATE)), key=lambda record: record["number"])

    def act(self, identity: str) -> Record | None:
        """What was done under this id, while it is remembered."""
        return next((record for record in self.acts() if record["id"] == identity), None)

    def acts(self) -> list[Record]:
        """What was done of late, the oldest first."""
        return (self._state.get(LOG) or {"acts": []})["acts"]

    @staticmethod
    def kinds() -> list[Record]:
        """Every fault there is, for a form to be made of."""
        return [{"fault": fault.name, "on": fault.on, "about": fault.about, "lasting": fault.lasting, "params": [
            {"name": param.name, "kind": param.kind, "default": param.default, "about": param.about,
             **({"choices": list(param.choices)} if param.choices else {}),
             **({"least": param.least, "most": param.most} if param.most else {})} for param in fault.params]} for fault in FAULTS.values()]

    def on_change(self, callback: Callable[[], None]) -> None:
        """``callback()`` whenever ``active()`` says something new."""
        self._callbacks.append(callback)

    def off(self, callback: Callable[[], None]) -> None:
        self._callbacks = [known for known in self._callbacks if known != callback]

    # doing and undoing

    def inject(self, fault: str, target: str, by: str = "", /, **params: Any) -> Record:
        """Makes something go wrong; the record of it. ValueError if that cannot be."""
        row = FAULTS.get(fault)
        if row is None:
            raise ValueError(f"there is no fault {fault!r}; there are: {', '.join(FAULTS)}")
        target = _target(row, target)
        given = _checked(row, params)
        known = next((record for record in self.active() if (record["fault"], record["target"]) == (fault, target) and _same(record, given)), None)
        if known is None and row.lasting and len(self.active()) >= MOST_ACTIVE:
            raise ValueError(f"a room has at most {MOST_ACTIVE} faults at once")
        record = self.note(fault, target, by, given)
        getattr(self, f"_start_{fault}")(record)
        if row.lasting:
            if known is not None:
                self._state.set(STATE + str(known["number"]), None)
            self._state.set(STATE + str(record["number"]), record)
            self._changed()
        return record

    def note(self, what: str, target: str, by: str = "", params: Record | None = None) -> Record:
        """Remembers an act, which writes can then name as their cause by its id."""
        number = (self._state.get(NEXT) or {"number": 0})["number"] + 1
        self._state.set(NEXT, {"number": number})
        record = {"id": f"{CLIENT}/{number}", "number": number, "fault": what, "target": target, "params": params or {}, "at": self._clock.now,
                  "by": by}
        self._state.set(LOG, {"acts": [*self.acts(), record][-LOGGED:]})
        return record

    def heal(self, identity: str, by: str = "") -> Record:
        """Makes one thing right again. ValueError if it is not wrong."""
        record = next((record for record in self.active() if record["id"] == identity), None)
        if record is None:
            raise ValueError(f"there is no fault {identity!r}")
        self._state.set(STATE + str(record["number"]), None)
        healed = self.note(f"heal-{record['fault']}", record["target"], by, record["params"])
        getattr(self, f"_stop_{record['fault']}")({**record, "id": healed["id"]})
        self._changed()
        return record

    def heal_all(self, by: str = "") -> list[Record]:
        """Makes everything right again, what was done last first."""
        return [self.heal(record["id"], by) for record in reversed(self.active())]

    def heal_on(self, target: str, *faults: str, by: str = "") -> None:
        """Ends these faults of a target."""
        for record in self.active():
            if record["target"] == target and record["fault"] in faults:
                self.heal(record["id"], by)

    def forget(self, target: str) -> None:
        """The target is gone, and what was wrong with it."""
        for record in self.active():
            if record["target"] == target:
                self._state.set(STATE + str(record["number"]), None)
        self._changed()

    def _changed(self) -> None:
        self._follow()
        for callback in tuple(self._callbacks):
            callback()

    def _follow(self) -> None:
        """Works out what probes and registries are to answer."""
        active = self.active()
        registry, forced = self._kubelets.registry, self._kubelets.forced_probes
        registry.broken = {record["target"].removeprefix("Image//"): record["params"]["error"] for record in active if record["fault"] == "image"}
        registry.slow = {record["target"].removeprefix("Image//"): record["params"]["factor"] for record in active if record["fault"] == "slow"}
        forced.clear()
        probes = [record for record in active if record["fault"] == "probe"]
        for record in probes:
            params = record["params"]
            forced[*_key(record["target"]), params["container"], params["probe"]] = params["result"] == "pass"
        if probes and self._watch is None:
            self._watch = self._api.watch("pods", self._on_pod)
        elif not probes and self._watch is not None:
            self._watch.stop()
            self._watch = None

    def _on_pod(self, event: Event) -> None:
        if event.type is DELETED:
            target = f"Pod/{event.key[0]}/{event.key[1]}"
            if any(record["target"] == target for record in self.active()):
                self.forget(target)

    # pods

    def _container(self, record: Record) -> tuple[Any, Any]:
        key = _key(record["target"])
        worker = self._kubelets.worker(*key)
        if worker is None:
            raise ValueError(f"pod {'/'.join(key)} does not run on any node")
        name = record["params"]["container"] or next((cell.name for cell in worker.main), "")
        cell = worker.cell(name)
        if cell is None:
            raise ValueError(f"pod {'/'.join(key)} has no container {name!r}")
        record["params"]["container"] = name
        worker.because = record["id"]
        return worker, cell

    def _start_kill(self, record: Record) -> None:
        worker, cell = self._container(record)
        if not self._kubelets.kill_container(*worker.key, cell.name, int(record["params"]["code"])):
            raise ValueError(f"container {cell.name} of pod {'/'.join(worker.key)} does not run")

    def _start_probe(self, record: Record) -> None:
        worker, cell = self._container(record)
        kind = record["params"]["probe"]
        if all(probe.kind != kind for probe in cell.template.probes):
            raise ValueError(f"container {cell.name} of pod {'/'.join(worker.key)} has no {kind} probe")
        probing.ask_again(worker, cell, kind)

    def _stop_probe(self, record: Record) -> None:
        self._follow()
        worker = self._kubelets.worker(*_key(record["target"]))
        cell = worker.cell(record["params"]["container"]) if worker is not None else None
        if cell is not None:
            worker.because = record["id"]
            probing.ask_again(worker, cell, record["params"]["probe"])

    # registries

    def _start_image(self, record: Record) -> None:
        """Whether the pattern is one; ``_follow`` does the rest."""
        pattern = _name(record)
        if not names_images(pattern):
            raise ValueError(f"{pattern!r} is no image, no registry and not *")

    _start_slow = _start_image

    def _stop_image(self, record: Record) -> None:
        """``_follow`` does it."""

    _stop_slow = _stop_image

    # machines

    def _start_power(self, record: Record) -> None:
        self._kubelets.power_off(_name(record), record["id"])

    def _stop_power(self, record: Record) -> None:
        self._kubelets.power_on(_name(record), record["id"])

    def _start_network(self, record: Record) -> None:
        self._kubelets.cut_network(_name(record), record["id"])

    def _stop_network(self, record: Record) -> None:
        self._kubelets.heal_network(_name(record), record["id"])

    def _start_kubelet(self, record: Record) -> None:
        self._kubelets.stop_kubelet(_name(record), record["id"])

    def _stop_kubelet(self, record: Record) -> None:
        self._kubelets.start_kubelet(_name(record), record["id"])

    def _start_shutdown(self, record: Record) -> None:
        params, node = record["params"], _name(record)
        sizes = {field: params[name] for field, name in (("shutdown_grace", "grace"), ("shutdown_grace_critical", "critical"))
                 if params[name] is not None}
        if sizes.get("shutdown_grace_critical", 0) > sizes.get("shutdown_grace", 3600.0):
            raise ValueError("no more time can be kept for critical pods than there is")
        if sizes:
            self._kubelets.resize(node, record["id"], **sizes)
        self._kubelets.shut_down(node, record["id"])

    _stop_shutdown = _stop_power

    def _start_memory(self, record: Record) -> None:
        self._kubelets.evictions.fill(_name(record), "memory", record["params"]["percent"], record["id"])

    def _stop_memory(self, record: Record) -> None:
        self._kubelets.evictions.fill(_name(record), "memory", 0.0, record["id"])

    def _start_disk(self, record: Record) -> None:
        self._kubelets.evictions.fill(_name(record), "disk", record["params"]["percent"], record["id"])

    def _stop_disk(self, record: Record) -> None:
        self._kubelets.evictions.fill(_name(record), "disk", 0.0, record["id"])

    # the control plane

    def _start_component(self, record: Record) -> None:
        self._components.stop(_name(record), record["id"])

    def _stop_component(self, record: Record) -> None:
        self._components.begin(_name(record))


def _target(fault: Fault, target: str) -> str:
    """The id of what is to be struck: ``Pod/ns/name``, ``Node//name``, ``Image//pattern``, ``Component//name``."""
    name = target.removeprefix(f"{fault.on}/").lstrip("/")
    if not name or len(name) > 2 * LONGEST or not PATTERN.fullmatch(name):
        raise ValueError(f"{target!r} is no {fault.on.lower()}")
    if fault.on == "Pod":
        return f"Pod/{name}" if "/" in name else f"Pod/default/{name}"
    if fault.on == "Component" and name not in COMPONENTS:
        raise ValueError(f"there is no component {name!r}; there are: {', '.join(COMPONENTS)}")
    return f"{fault.on}//{name}"


def _key(target: str) -> Key:
    _, namespace, name = target.split("/", 2)
    return namespace, name


def _name(record: Record) -> str:
    return record["target"].split("//", 1)[1]


def _same(record: Record, params: Record) -> bool:
    """Whether the two cannot hold at once: there is one of a kind on a target, but for probes one each."""
    return all(record["params"].get(name) == params.get(name) for name in ("container", "probe") if name in params)


def _checked(fault: Fault, params: Record) -> Record:
    unknown = [name for name in params if name not in {param.name for param in fault.params}]
    if unknown:
        raise ValueError(f"the fault {fault.name!r} takes no {unknown[0]!r}")
    return {param.name: _value(param, params.get(param.name)) for param in fault.params}


def _value(param: Param, value: Any) -> Any:
    if value is None:
        return param.default
    if param.kind == "number":
        if isinstance(value, bool) or not isinstance(value, int | float) or not param.least <= value <= param.most:
            raise ValueError(f"{param.name} must be a number from {param.least:g} to {param.most:g}")
    elif not isinstance(value, str) or len(value) > LONGEST or (param.choices and value not in param.choices):
        raise ValueError(f"{param.name} must be one of: {', '.join(param.choices)}" if param.choices else f"{param.name} must be a name")
    return value
