"""The machines: they join and leave, grow and shrink, lose power, network or kubelet, shut down in order, and come back.

In: what somebody does to a machine. Out: its kubelet stops, falls silent, hears again, or starts anew with all that follows. A
kubelet that cannot hear the API server (it is dead, or its network is cut) goes on with the pods as it knew them last; when it hears
again it drops what was deleted meanwhile and takes up the rest. Everything a machine is lies in the state, so nothing of it depends
on its Node, which may be deleted while the machine runs on, and is registered again when its kubelet starts.

Source: https://kubernetes.io/docs/concepts/architecture/nodes/
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from server.cluster.errors import ApiError, no_answer
from server.cluster.kubelet import node_status
from server.cluster.kubelet.kubelet import Kubelet
from server.cluster.kubelet.system_pods import CONTROL_PLANE_IMAGES, NODE_IMAGES
from server.cluster.machines import CONTROL_PLANE_ROLE, NodeSpec
from server.cluster.parts import Parts
from server.cluster.runtime.images import image

if TYPE_CHECKING:
    from server.cluster.kubelet.eviction import Evictions
    from server.cluster.kubelet.shutdown import Shutdowns

MACHINE, AGENT, POWER, BOOTS, CUT, UNHEARD, PRESSURE, FILL = (
    "machine/", "agent/", "power/", "boots/", "cut/", "unheard/", "pressure/", "fill/")
OF_A_MACHINE = (MACHINE, AGENT, POWER, BOOTS, CUT, UNHEARD, PRESSURE, FILL, "static/", "images/", "pulls/", "last-address/", "shutdown/")
SIZES = ("cpu", "memory", "disk", "max_pods", "shutdown_grace", "shutdown_grace_critical")
Because = int | str | None


class MachineRoom:
    """``on_power(node)`` is told of machines that lose power or get it back, ``on_change(node)`` of any of this."""

    parts: Parts
    nodes: dict[str, Kubelet]
    evictions: Evictions
    shutdowns: Shutdowns

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.nodes = {}
        self._addresses: dict[str, str] = {}
        self._masters: list[Kubelet] = []
        self._watching: list[Callable[[str], None]] = []

    def on_change(self, callback: Callable[[str], None]) -> None:
        self._watching.append(callback)

    def off(self, callback: Callable[[str], None]) -> None:
        self._watching = [known for known in self._watching if known != callback]

    def _tell(self, node: str) -> None:
        for callback in tuple(self._watching):
            callback(node)

    # joining and leaving

    def add_node(self, spec: NodeSpec, because: Because = None) -> None:
        """A machine joins: its kubelet registers the Node and its Lease. ValueError if there is one of that name."""
        state = self.parts.state
        if spec.name in self.nodes:
            raise ValueError(f"there is a machine {spec.name!r} already")
        if spec.address in self._addresses:
            raise ValueError(f"there is a machine at {spec.address} already")
        names = (*NODE_IMAGES, *(CONTROL_PLANE_IMAGES if spec.control_plane else ()))
        index = (state.get("nodes") or {"joined": 0})["joined"]
        state.set("nodes", {"joined": index + 1})
        state.set(f"images/{spec.name}", {image(name).text: image(name).size for name in names})
        state.set(MACHINE + spec.name, {**asdict(spec), "taints": list(spec.taints), "index": index})
        kubelet = self._join(spec, index)
        kubelet.reports.starting = True
        self._hearing(kubelet, because)

    def _machines(self) -> list[tuple[NodeSpec, int]]:
        """What is kept of every machine, in the order in which they joined."""
        found = []
        for _, kept in self.parts.state.items(MACHINE):
            data = {field: value for field, value in kept.items() if field != "index"}
            found.append((NodeSpec(**{**data, "taints": tuple(data["taints"])}), kept["index"]))
        return sorted(found, key=lambda machine: machine[1])

    def _join(self, spec: NodeSpec, index: int) -> Kubelet:
        kubelet = self.nodes[spec.name] = Kubelet(self, self.parts, spec, index)
        self._addresses[spec.address] = spec.name
        if self._is_control_plane(kubelet):
            self._masters.append(kubelet)
        state = self.parts.state
        kubelet.powered = state.get(POWER + spec.name) is None
        kubelet.alive = kubelet.powered and state.get(AGENT + spec.name) is None
        kept = state.get(UNHEARD + spec.name)
        if kept is not None:
            kubelet.unheard(kept["pods"])
        kubelet.client.severed = self._severance(spec.name)
        return kubelet

    def remove_node(self, node: str) -> None:
        """The machine is gone for good, with its disk. Its Node stays, and falls silent, until somebody deletes it."""
        kubelet = self.machine(node)
        if self._is_control_plane(kubelet):
            raise ValueError("the control plane's machine cannot be removed: there would be no cluster left")
        kubelet.stop()
        self._hearing(kubelet, None)
        for key in list(kubelet.workers):
            kubelet.drop(key)
        del self.nodes[node]
        del self._addresses[kubelet.address]
        self.parts.disks.wipe(f"node/{node}")
        for prefix in OF_A_MACHINE:
            self.parts.state.set(prefix + node, None)
        if self.parts.api.lister("nodes").get("", node) is None:
            self.parts.heartbeats.resume(node)
        self._tell(node)

    def resize(self, node: str, because: Because = None, **sizes: Any) -> None:
        """Other ``SIZES``: the kubelet says so, and turns away what no longer fits, the newest first."""
        kubelet = self.machine(node)
        unknown = [name for name in sizes if name not in SIZES]
        if unknown:
            raise ValueError(f"a machine has no {unknown[0]!r}; it has: {', '.join(SIZES)}")
        spec = replace(kubelet.spec, **sizes)
        self.parts.state.set(MACHINE + node, {**self.parts.state.get(MACHINE + node), **sizes})
        kubelet.measure(spec)
        if kubelet.alive:
            kubelet.reports.because = because
            kubelet.reports.now()
            self.shutdowns.readmit(kubelet)
            self.evictions.look(node)
        self._tell(node)

    def machine(self, node: str) -> Kubelet:
        """The machine's kubelet, dead or alive. ValueError if there is no such machine."""
        kubelet = self.nodes.get(node)
        if kubelet is None:
            raise ValueError(f"there is no machine {node!r}")
        return kubelet

    # kubelet, power and network

    def stop_kubelet(self, node: str, because: Because = None) -> None:
        """The agent dies; its containers go on."""
        kubelet = self.machine(node)
        if kubelet.alive:
            self.parts.state.set(AGENT + node, {"stopped": self.parts.clock.now})
            kubelet.stop()
            self._hearing(kubelet, because)

    def start_kubelet(self, node: str, because: Because = None) -> None:
        kubelet = self.machine(node)
        self.parts.state.set(AGENT + node, None)
        if kubelet.powered and not kubelet.alive:
            kubelet.resume("", because)
            self._hearing(kubelet, because)

    def power_off(self, node: str, because: Because = None) -> None:
        """The machine goes dark with all that runs on it."""
        kubelet = self.machine(node)
        if not kubelet.powered:
            return
        kubelet.stop()
        kubelet.powered = False
        self.parts.state.set(POWER + node, {"off": self.parts.clock.now, "boots": self._boots(node) + 1})
        self.parts.state.set("shutdown/" + node, None)
        for worker in kubelet.workers.values():
            worker.power_lost()
        self._hearing(kubelet, because)

    def power_on(self, node: str, because: Because = None) -> None:
        """The machine boots; a kubelet that was stopped before starts with it. One that is still on its way down stays on."""
        kubelet = self.machine(node)
        if kubelet.powered:
            return self.shutdowns.cancel(node, because)
        kubelet.powered = True
        boots = self._boots(node)
        for prefix in (POWER, AGENT):
            self.parts.state.set(prefix + node, None)
        self.parts.state.set(BOOTS + node, boots)
        kubelet.resume(node_status.boot_id(node, boots), because)
        self._hearing(kubelet, because)

    def shut_down(self, node: str, because: Because = None) -> None:
        """The machine is shut down: in order, where its kubelet is set to that."""
        self.machine(node)
        self.shutdowns.begin(node, because)

    def _boots(self, node: str) -> int:
        power = self.parts.state.get(POWER + node)
        return power["boots"] if power is not None else self.parts.state.get(BOOTS + node, 0)

    def cut_network(self, node: str, because: Because = None) -> None:
        """Nothing comes to the machine or leaves it; what runs on it goes on. Cut off with the control plane, all others are too."""
        self.machine(node)
        self.parts.state.set(CUT + node, {"since": self.parts.clock.now})
        self._all_hear(because)

    def heal_network(self, node: str, because: Because = None) -> None:
        self.machine(node)
        self.parts.state.set(CUT + node, None)
        self._all_hear(because)

    def _all_hear(self, because: Because) -> None:
        for kubelet in self.nodes.values():
            self._hearing(kubelet, because)

    def _hearing(self, kubelet: Kubelet, because: Because) -> None:
        """Brings a kubelet's ears, its voice and its heartbeat in line with how things are."""
        name, state = kubelet.name, self.parts.state
        kubelet.client.severed = self._severance(name)
        hears = kubelet.alive and kubelet.client.severed is None
        if not hears and state.get(UNHEARD + name) is None:
            pods = self.parts.api.lister("pods").by_node(name)
            state.set(UNHEARD + name, {"pods": pods})
            kubelet.unheard(pods)
            self.parts.heartbeats.stop(name, because)
        elif hears and (state.get(UNHEARD + name) is not None or kubelet.reports.starting):
            state.set(UNHEARD + name, None)
            self.parts.heartbeats.resume(name, because)
            kubelet.hear(because)
            self.renew(name)
        self._tell(name)

    def _is_control_plane(self, kubelet: Kubelet) -> bool:
        return kubelet.spec.control_plane or CONTROL_PLANE_ROLE in kubelet.spec.labels

    def renew(self, node: str) -> None:
        """A kubelet that is well makes its Lease when it finds none."""
        found, kubelet = self.parts.api.lister("nodes").get("", node), self.nodes.get(node)
        if found is not None and kubelet is not None and kubelet.alive:
            try:
                kubelet.reports.lease(found)
            except ApiError as fault:
                if fault.code >= 500:
                    self.parts.clock.call_later(node_status.LEASE_PERIOD, self.renew, node)

    def control_plane(self) -> list[Kubelet]:
        return self._masters

    def control_plane_powered(self) -> bool:
        """Whether a machine of the control plane is on; without such machines it runs elsewhere."""
        machines = self.control_plane()
        return not machines or any(kubelet.powered for kubelet in machines)

    def _severance(self, node: str) -> Any:
        """What the machine's kubelet hears when it calls the API server; None when it gets through."""
        masters = self.control_plane()
        if len(masters) == 1 and masters[0].name == node:
            return None
        state = self.parts.state
        if state.get(CUT + node) is not None or (masters and all(state.get(CUT + kubelet.name) is not None for kubelet in masters)):
            return no_answer(f"{masters[0].address if masters else '192.168.1.10'}:6443")
        return None

    # what others ask

    def powered(self, node: str) -> bool:
        """Whether what runs on the machine runs."""
        kubelet = self.nodes.get(node)
        return kubelet is not None and kubelet.powered

    def reachable(self, node: str) -> bool:
        """Whether packets from elsewhere come to the machine, and its own get out."""
        return self.powered(node) and self.parts.state.get(CUT + node) is None

    def conditions_of(self, node: str) -> tuple[node_status.Fact, ...]:
        """How the machine's kubelet finds it."""
        return node_status.facts(self.parts.state.get(PRESSURE + node) or {}, self.parts.state.get("shutdown/" + node) is not None)

    def standing(self, node: str) -> dict[str, bool]:
        """What is wrong with a machine, for those who draw it."""
        kubelet = self.nodes.get(node)
        if kubelet is None:
            return {"gone": True}
        return {name: True for name, wrong in (("off", not kubelet.powered), ("silent", kubelet.powered and not kubelet.alive),
                                               ("cut", self.parts.state.get(CUT + node) is not None)) if wrong}
