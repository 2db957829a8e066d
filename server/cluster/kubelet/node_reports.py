"""What a kubelet tells the API server of its node: that it is there, how big it is, how it feels, which images it has.

In: the machine's spec, pressure and shutdown, the images. Out: the Node (registered when the kubelet starts and there is none), its
status, its Lease, and Events of what has turned. What cannot be told now is told once the API server can be reached again.

Source: https://kubernetes.io/docs/reference/node/node-status/
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from server.cluster.clock import Timer
from server.cluster.errors import ApiError
from server.cluster.kubelet import node_status
from server.cluster.objects import Object

if TYPE_CHECKING:
    from server.cluster.kubelet.kubelet import Kubelet

STATUS_PERIOD = 10.0
LEASES = "leases.coordination.k8s.io"


class NodeReports:
    """``starting`` and ``rebooted`` are what is still to be said of the kubelet's last start."""

    def __init__(self, kubelet: Kubelet) -> None:
        self._kubelet = kubelet
        self._timer: Timer | None = None
        self.starting = False
        self.rebooted = ""
        self.because: int | str | None = None

    def node(self) -> Object | None:
        return self._kubelet.api.lister("nodes").get("", self._kubelet.name)

    def later(self) -> None:
        """The status is written at its next regular update."""
        kubelet = self._kubelet
        if self._timer is None and kubelet.alive:
            due = math.floor(kubelet.clock.now / STATUS_PERIOD + 1) * STATUS_PERIOD + kubelet.phase
            self._timer = kubelet.clock.call_at(due, self._due)

    def take_up(self) -> None:
        """What had not been told yet when the process ended is told at the next regular update."""
        node, kubelet = self.node(), self._kubelet
        if node is None or not kubelet.alive:
            return
        status = node["status"]
        said = {entry["type"]: entry["status"] for entry in status.get("conditions") or ()}
        wanted = {type_: value for type_, value, *_ in kubelet.manager.conditions_of(kubelet.name)}
        size = node_status.capacity(kubelet.spec)
        if any(value != said.get(type_) and said.get(type_) != "Unknown" for type_, value in wanted.items()) or any(
                status.get(field) != value for field, value in size.items()):
            self.later()

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _due(self) -> None:
        self._timer = None
        if self._kubelet.alive and self._kubelet.client.severed is None:
            self.now()

    def now(self) -> None:
        """Writes what has changed, and says it."""
        kubelet = self._kubelet
        kubelet.client.because = self.because
        try:
            node, new = self.node(), False
            if node is None:
                if not self.starting:
                    return
                node, new = self._register(), True
            self._write(node, new)
        except ApiError as fault:
            if fault.code != 404:
                self.later()
        else:
            self.starting, self.rebooted, self.because = False, "", None

    def _register(self) -> Object:
        kubelet = self._kubelet
        node = kubelet.client.create("nodes", node_status.node(kubelet.spec, kubelet.index, kubelet.clock, kubelet.images.listed()))
        self.lease(node)
        return node

    def lease(self, node: Object) -> None:
        """The node's Lease, made (again) if it is missing."""
        kubelet = self._kubelet
        if kubelet.api.lister(LEASES).get(node_status.LEASE_NAMESPACE, kubelet.name) is None:
            kubelet.client.create(LEASES, node_status.lease(node, kubelet.clock))

    def _write(self, node: Object, new: bool) -> None:
        kubelet, before = self._kubelet, node["status"]
        facts = kubelet.manager.conditions_of(kubelet.name)
        was = {entry["type"]: entry["status"] for entry in before.get("conditions") or ()}
        status = {**before, **node_status.capacity(kubelet.spec), "images": kubelet.images.listed()}
        if self.starting and not new or any(was.get(type_) != wanted for type_, wanted, *_ in facts):
            status["conditions"] = node_status.conditions(kubelet.clock.timestamp(), before.get("conditions"), facts)
        if self.rebooted:
            status["nodeInfo"] = {**status["nodeInfo"], "bootID": self.rebooted}
        early = kubelet.clock.now <= 0  # the events of a cluster's birth are forgotten anyway
        if self.starting and not early:
            self.say("Normal", "Starting", "Starting kubelet.")
            if self.rebooted:
                self.say("Warning", "Rebooted", f"Node {kubelet.name} has been rebooted, boot id: {self.rebooted}")
            self.say("Normal", "NodeAllocatableEnforced", "Updated Node Allocatable limit across pods")
        if status != before:
            kubelet.client.update("nodes", {**node, "status": status}, "status")
        for type_, wanted, *_ in facts:
            if (new and not early) or was.get(type_) != wanted:
                event = node_status.TURNS[type_, wanted]
                self.say("Normal", event, f"Node {kubelet.name} status is now: {event}")

    def say(self, type_: str, reason: str, message: str) -> None:
        """An Event about the node."""
        node = self.node()
        if node is not None:
            self._kubelet.recorder.record({**node, "apiVersion": "v1", "kind": "Node"}, type_, reason, message)
