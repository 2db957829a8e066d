"""The scene: everything the canvas draws, kept up with the store and told as ordered diffs.

A store event marks what it touches; ``flush`` projects what is marked, once however often it changed, and gives the difference as
operations with a revision of the scene's own. A thing that would be drawn the same again is no operation. Revisions count within
one instance: who comes back with another instance's gets the whole scene anew.
"""

from __future__ import annotations

import secrets
from itertools import islice
from typing import Any

from server.cluster.apiserver.resources import RESOURCES
from server.cluster.cluster import Cluster
from server.cluster.components import COMPONENTS
from server.cluster.store import DELETED, Event
from server.live import networking, records, workloads
from server.live.records import Record, id_of, thing_id

MAX_OPS, MAX_SIGNALS, MAX_PROJECTED = 1_500, 200, 250
PROJECTIONS = {**records.PROJECTIONS, **workloads.PROJECTIONS, **networking.PROJECTIONS}
KINDS = {RESOURCES[key].kind: key for key in PROJECTIONS}
UNDRAWN_SIGNALS = ("events", "leases.coordination.k8s.io")


class Scene:
    """Follows one cluster until ``close``. It begins empty, with everything marked: ``flush`` until it is no longer ``behind``."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.instance = secrets.token_hex(8)
        self.revision = 0
        self.things: dict[str, Record] = {}
        self._marked: dict[str, None] = {}
        self._signals: list[dict[str, Any]] = []
        self._watch = cluster.api.watch(None, self._on_event)
        cluster.network.traffic.on_change(self._on_traffic)
        cluster.network.traffic.on_walk(self._on_walk)
        for resource in PROJECTIONS:
            for obj in cluster.api.lister(resource).list():
                self._marked[id_of(obj)] = None
        for name in COMPONENTS:
            self._marked[thing_id("Component", "", name)] = None
        cluster.components.on_change(self._on_component)
        cluster.kubelets.on_change(self._on_machine)
        cluster.chaos.on_change(self._on_chaos)
        self._on_chaos()
        self._on_traffic()

    @property
    def behind(self) -> bool:
        """Whether something has changed that no flush has told yet."""
        return bool(self._marked or self._signals)

    def close(self) -> None:
        self._watch.stop()
        self.cluster.network.traffic.off(self._on_traffic, self._on_walk)
        self.cluster.components.off(self._on_component)
        self.cluster.kubelets.off(self._on_machine)
        self.cluster.chaos.off(self._on_chaos)

    def snapshot(self) -> dict[str, Any]:
        """All of it, as of the last flush."""
        clock = self.cluster.clock
        return {"scene": self.instance, "revision": self.revision, "storeRevision": self.cluster.store.revision, "time": clock.now,
                "epoch": clock.timestamp(0), "things": self.things}

    # what marks what

    def _on_event(self, event: Event) -> None:
        resource, obj = event.resource, event.object
        meta = obj["metadata"]
        if resource in PROJECTIONS:
            self._marked[id_of(obj)] = None
        if resource == "pods":
            self._mark_around_pod(event)
        elif resource == "events" and (about := obj["involvedObject"]).get("kind") == "Pod":
            # what its kubelet waits for may change without its status, but not without an Event
            self._marked[thing_id("Pod", about.get("namespace", ""), about.get("name", ""))] = None
        elif resource == "nodes":
            self._mark_pods_of(event)
        elif resource == "storageclasses.storage.k8s.io":
            for claim in self.cluster.api.lister("persistentvolumeclaims").list():
                if not claim["spec"].get("volumeName"):
                    self._marked[id_of(claim)] = None
        elif resource == "endpointslices.discovery.k8s.io":
            self._mark_service(meta["namespace"], (meta.get("labels") or {}).get("kubernetes.io/service-name"))
        if resource not in UNDRAWN_SIGNALS and len(self._signals) < MAX_SIGNALS:
            cause = event.cause
            self._signals.append({
                "type": "request", "at": self.cluster.clock.now, "client": cause.client, "verb": cause.verb,
                "thing": thing_id(obj["kind"], meta.get("namespace", ""), meta["name"]), "revision": event.revision,
                **({"because": cause.because} if cause.because is not None else {})})

    def _mark_around_pod(self, event: Event) -> None:
        node = event.object["spec"].get("nodeName")
        before = event.previous
        if node and (before is None or event.type == DELETED or before["spec"].get("nodeName") != node
                     or (before.get("status") or {}).get("phase") != (event.object.get("status") or {}).get("phase")):
            self._marked[thing_id("Node", "", node)] = None
        if before is None or event.type == DELETED or before["metadata"].get("labels") is not event.object["metadata"].get("labels"):
            namespace = event.object["metadata"]["namespace"]
            for service in self.cluster.api.lister("services").list(namespace):
                if not self.things.get(id_of(service), {}).get("endpoints"):
                    self._marked[id_of(service)] = None

    def _mark_pods_of(self, event: Event) -> None:
        before = event.previous
        if before is not None and event.type != DELETED and (before.get("status") or {}).get("conditions") is \
                (event.object.get("status") or {}).get("conditions"):
            return
        for pod in self.cluster.api.lister("pods").by_node(event.object["metadata"]["name"]):
            self._marked[id_of(pod)] = None

    def _mark_service(self, namespace: str, name: str | None) -> None:
        if name:
            self._marked[thing_id("Service", namespace, name)] = None

    def _on_component(self, name: str) -> None:
        self._marked[thing_id("Component", "", name)] = None

    def _on_machine(self, name: str) -> None:
        self._marked[thing_id("Node", "", name)] = None

    def _on_chaos(self) -> None:
        for thing in [thing for thing in self.things if thing.startswith("Fault/")]:
            self._marked[thing] = None
        for record in self.cluster.chaos.active():
            self._marked[thing_id("Fault", "", str(record["number"]))] = None

    def _on_traffic(self) -> None:
        for thing in [thing for thing in self.things if thing.startswith("Traffic/")]:
            self._marked[thing] = None
        for source in self.cluster.network.traffic.sources():
            self._marked[thing_id("Traffic", "", source["name"])] = None

    def _on_walk(self, walk: dict[str, Any]) -> None:
        if len(self._signals) < MAX_SIGNALS:
            self._signals.append({"type": "walk", **walk})

    # what comes of it

    def flush(self, most: int = MAX_PROJECTED) -> list[dict[str, Any]]:
        """Diffs since the last flush, each of a bounded size; none when nothing happened. Only so many things are projected at once:
        what is left stays marked, and its record is then that of the next flush."""
        ops = []
        marked = list(islice(self._marked, most))
        sources = {thing_id("Traffic", "", source["name"]): source for source in self.cluster.network.traffic.sources()}
        for thing in marked:
            del self._marked[thing]
            record = self._project(thing, sources)
            known = self.things.get(thing)
            if record is None:
                if known is not None:
                    del self.things[thing]
                    ops.append(["del", thing])
            elif record != known:
                self.things[thing] = record
                ops.append(["set", thing, record])
        signals, self._signals = self._signals, []
        if not ops and not signals:
            return []
        chunks = [ops[start:start + MAX_OPS] for start in range(0, len(ops), MAX_OPS)] or [[]]
        diffs = []
        for index, chunk in enumerate(chunks):
            diffs.append({"scene": self.instance, "from": self.revision, "to": self.revision + 1, "time": self.cluster.clock.now, "ops": chunk,
                          "signals": signals if index == 0 else []})
            self.revision += 1
        return diffs

    def _project(self, thing: str, sources: dict[str, Record]) -> Record | None:
        kind, namespace, name = thing.split("/", 2)
        if kind == "Traffic":
            source = sources.get(thing)
            return {"kind": "Traffic", **source} if source is not None else None
        if kind == "Component":
            return {"kind": "Component", "name": name, "healthy": self.cluster.components.healthy(name)}
        if kind == "Fault":
            return records.fault(self.cluster, name)
        resource = KINDS[kind]
        obj = self.cluster.api.lister(resource).get(namespace, name)
        return PROJECTIONS[resource](self.cluster, obj) if obj is not None else None
