"""A pod between its node and its binding: its claims are told where they are needed, and it is bound when they have their volumes.

In: the node that was chosen. Out: ``claimRef`` on volumes that suit, the annotation ``selected-node`` on claims that are to be
provisioned, and ``ready(pod)`` when all is bound, ``failed(pod, why)`` when that has not come about in ten minutes. What is lost in a
restart is found again in those objects.

Source: https://kubernetes.io/docs/concepts/storage/storage-classes/#volume-binding-mode
"""

from __future__ import annotations

from collections.abc import Callable

from server.cluster import volumes
from server.cluster.apiserver.client import Client
from server.cluster.clock import Clock, Timer
from server.cluster.objects import Key, annotations, key, replaced
from server.cluster.scheduler.plugins.volumes import Volumes
from server.cluster.scheduler.podinfo import PodInfo
from server.cluster.scheduler.snapshot import NodeInfo
from server.cluster.volumes import BOUND_BY_CONTROLLER, CLAIMS, SELECTED_NODE, VOLUMES

REACTION, TIMEOUT = 0.003, 600.0
TIMED_OUT = "binding volumes: context deadline exceeded"


class VolumeWait:
    def __init__(self, clock: Clock, client: Client, plugin: Volumes) -> None:
        self._clock = clock
        self._client = client
        self._plugin = plugin
        self._timers: dict[str, Timer] = {}
        self._pods: dict[str, tuple[PodInfo, Callable[[], None], Callable[[str], None]]] = {}
        self._awaited: dict[Key, dict[str, None]] = {}

    def __contains__(self, uid: str) -> bool:
        return uid in self._pods

    def stop(self) -> None:
        for timer in self._timers.values():
            timer.cancel()
        self._timers, self._pods, self._awaited = {}, {}, {}

    def begin(self, info: PodInfo, node: NodeInfo) -> str:
        """Tells volumes and claims what was decided; why it can no longer be done. ApiError if a write fails."""
        claims = self._plugin.claims_of(info)
        plan = self._plugin.decide(claims, node)
        if plan is None:
            return "binding volumes: the volumes that were found have gone"
        for claim, volume in plan.bind:
            changes = {("spec", "claimRef"): volumes.reference_to(claim)}
            if not volumes.refers_to(volume, claim):
                changes["metadata", "annotations"] = {**annotations(volume), BOUND_BY_CONTROLLER: "yes"}
            self._client.update(VOLUMES, replaced(volume, changes))
        for claim in plan.provision:
            if annotations(claim).get(SELECTED_NODE) != node.name:
                self._client.update(CLAIMS, replaced(claim, {("metadata", "annotations"): {**annotations(claim), SELECTED_NODE: node.name}}))
        return ""

    def bound(self, info: PodInfo) -> bool:
        return all(volumes.fully_bound(claim) for claim in self._plugin.claims_of(info))

    def wait(self, info: PodInfo, ready: Callable[[], None], failed: Callable[[str], None]) -> None:
        self._pods[info.uid] = (info, ready, failed)
        self._timers[info.uid] = self._clock.call_later(TIMEOUT, self._end, info.uid, TIMED_OUT)
        for claim in self._plugin.claims_of(info):
            self._awaited.setdefault(key(claim), {})[info.uid] = None

    def changed(self, claim: Key) -> None:
        """A claim has changed: perhaps the last that somebody waited for. It may be called from a watch."""
        for uid in self._awaited.get(claim, ()):
            self._clock.call_later(REACTION, self._look, uid)

    def forget(self, uid: str) -> None:
        """The pod is gone."""
        if self._pods.pop(uid, None) is not None:
            self._timers.pop(uid).cancel()
            for claim in [claim for claim, pods in self._awaited.items() if uid in pods]:
                del self._awaited[claim][uid]
                if not self._awaited[claim]:
                    del self._awaited[claim]

    def _look(self, uid: str) -> None:
        if uid not in self._pods:
            return
        info = self._pods[uid][0]
        claims = self._plugin.claims_of(info)
        if len(claims) < sum(not need.startswith("resource/") for need in info.requirements.claims):
            self._end(uid, "binding volumes: a persistentvolumeclaim has gone")
        elif all(volumes.fully_bound(claim) for claim in claims):
            self._end(uid, "")

    def _end(self, uid: str, why: str) -> None:
        _, ready, failed = self._pods[uid]
        self.forget(uid)
        if why:
            failed(why)
        else:
            ready()
