"""Endpoints: the old, single list of a Service's pods, kept for clients that have not moved to EndpointSlices.

In: what ``selected_pods`` says of a Service. Out: one Endpoints object of the Service's name, in which pods with the same ports form
a subset of ready and not-ready addresses. Terminating and ended pods are left out. At most a thousand addresses fit.

Source: https://kubernetes.io/docs/concepts/services-networking/service/#endpoints
"""

from __future__ import annotations

from operator import attrgetter
from typing import NamedTuple

from server.cluster.apiserver.defaults.filling import Memory
from server.cluster.controllers import podfacts
from server.cluster.controllers.selected_pods import (
    HEADLESS,
    LAST_CHANGE,
    SelectedPodsController,
    headless,
    hostname,
    ports,
    target_reference,
)
from server.cluster.errors import ApiError
from server.cluster.objects import Key, Object, annotations, key, labels
from server.cluster.parts import Parts
from server.cluster.store import DELETED, Event

MANAGED_BY = "endpoints.kubernetes.io/managed-by"
OVER_CAPACITY = "endpoints.kubernetes.io/over-capacity"
MOST_ADDRESSES = 1000


class Entry(NamedTuple):
    """A pod's place in the list, which is sorted by ``order``: (IP, uid)."""

    order: tuple[str, str]
    ports: tuple[tuple[tuple[str, object], ...], ...]
    ready: bool
    address: Object


_ORDER = attrgetter("order")


class EndpointsController(SelectedPodsController):
    name = "endpoint-controller"

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts)
        self._endpoints = self.lister("endpoints")
        self._entries: dict[Key, dict[str, Entry]] = {}
        self.watch("endpoints", self._on_endpoints)

    def _on_endpoints(self, event: Event) -> None:
        """Somebody else changed or deleted what this controller keeps."""
        theirs = event.cause.client != self.name and (event.type == DELETED or MANAGED_BY in labels(event.object))
        if theirs and self._services.get(*key(event.object)) is not None:
            self.look_at_everything(key(event.object), event)

    def withdraw(self, key: Key) -> None:
        self._entries.pop(key, None)
        if self._endpoints.get(*key) is None:
            return
        try:
            self.client.delete("endpoints", *key)
        except ApiError as error:
            if error.code != 404:
                raise

    def publish(self, service: Object, pods: dict[str, Object | None], everything: bool) -> None:
        where = key(service)
        entries = {} if everything else self._entries.get(where, {})
        for name, pod in pods.items():
            entry = _entry(service, pod) if pod is not None else None
            if entry is not None:
                entries[name] = entry
            else:
                entries.pop(name, None)
        self._entries[where] = entries
        listed = sorted(entries.values(), key=_ORDER)
        self._write(service, _subsets(_within_capacity(listed)), len(listed) > MOST_ADDRESSES, self.trigger_time(service, pods))

    def _write(self, service: Object, subsets: list[Object], over_capacity: bool, trigger: str | None) -> None:
        namespace, name = key(service)
        current = self._endpoints.get(namespace, name)
        labelled = {**labels(service), MANAGED_BY: "endpoint-controller"}
        if headless(service):
            labelled[HEADLESS] = ""
        noted = dict(annotations(current)) if current is not None else {}
        noted.pop(LAST_CHANGE, None)
        noted.pop(OVER_CAPACITY, None)
        if over_capacity:
            noted[OVER_CAPACITY] = "truncated"
        told = (subsets, labelled, noted.get(OVER_CAPACITY))
        if current is not None and (current.get("subsets") or [], labels(current), annotations(current).get(OVER_CAPACITY)) == told:
            return
        if trigger is not None:
            noted[LAST_CHANGE] = trigger
        metadata = {**(current["metadata"] if current is not None else {"name": name, "namespace": namespace}), "labels": labelled}
        metadata.pop("annotations", None)
        if noted:
            metadata["annotations"] = noted
        endpoints: Object = {"apiVersion": "v1", "kind": "Endpoints", "metadata": metadata}
        if subsets:
            endpoints["subsets"] = subsets
        if current is None:
            self.client.create("endpoints", endpoints)
        else:
            self.client.update("endpoints", endpoints)


def _entry(service: Object, pod: Object) -> Entry | None:
    ip = (pod.get("status") or {}).get("podIP")
    published = service["spec"].get("publishNotReadyAddresses", False)
    if not ip or podfacts.terminal(pod) or ("deletionTimestamp" in pod["metadata"] and not published):
        return None
    listening = ports(service, pod)
    if not listening and not headless(service):
        return None
    address: Object = {"ip": ip, "nodeName": podfacts.node(pod), "targetRef": target_reference(pod)}
    if name := hostname(service, pod):
        address["hostname"] = name
    return Entry((ip, pod["metadata"]["uid"]), _hashable.get(listening), published or podfacts.ready(pod), address)


_hashable = Memory(lambda listening: tuple(tuple(sorted(port.items())) for port in listening))


def _within_capacity(entries: list[Entry]) -> list[Entry]:
    """Ready ones have precedence."""
    if len(entries) <= MOST_ADDRESSES:
        return entries
    kept = sorted(entries, key=lambda entry: not entry.ready)[:MOST_ADDRESSES]
    return sorted(kept, key=_ORDER)


def _subsets(entries: list[Entry]) -> list[Object]:
    """One subset for each set of ports, addresses in order of IP."""
    subsets: dict[tuple, Object] = {}
    for entry in entries:
        subset = subsets.get(entry.ports)
        if subset is None:
            subset = subsets[entry.ports] = {"ports": [_unnamed(dict(port)) for port in entry.ports]} if entry.ports else {}
        subset.setdefault("addresses" if entry.ready else "notReadyAddresses", []).append(entry.address)
    return [subsets[listening] for listening in sorted(subsets, key=repr)]


def _unnamed(port: Object) -> Object:
    return port if port["name"] else {field: value for field, value in port.items() if field != "name"}
