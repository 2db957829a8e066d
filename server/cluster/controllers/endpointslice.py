"""EndpointSlices: a Service's pods as kube-proxy and DNS read them.

In: what ``selected_pods`` says of a Service. Out: slices owned by the Service, packed by ``slice_packing``, in which each endpoint
says whether its pod is ready, still serving, and terminating. What is not ready is listed too, so that a client may decide; a
Service can ask for all to count as ready with ``publishNotReadyAddresses``, and for traffic to stay near with ``trafficDistribution``:
then ready endpoints carry hints.

Source: https://kubernetes.io/docs/concepts/services-networking/endpoint-slices/
"""

from __future__ import annotations

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
from server.cluster.controllers.slice_packing import Content, Endpoint, places, plan
from server.cluster.errors import ApiError
from server.cluster.objects import Key, Object, annotations, deleting, key, labels, name, owner_reference, uid
from server.cluster.parts import Parts
from server.cluster.store import ADDED, DELETED, Event

RESOURCE = "endpointslices.discovery.k8s.io"
MANAGED_BY, MANAGER = "endpointslice.kubernetes.io/managed-by", "endpointslice-controller.k8s.io"
SERVICE_NAME = "kubernetes.io/service-name"
ZONE = "topology.kubernetes.io/zone"


class EndpointSliceController(SelectedPodsController):
    name = "endpoint-slice-controller"

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts)
        self._slices = self.lister(RESOURCE)
        self._nodes = self.lister("nodes")
        self._places: dict[Key, dict[str, str]] = {}
        self.watch(RESOURCE, self._on_slice)

    def _on_slice(self, event: Event) -> None:
        """Somebody else changed or deleted a slice of this controller's."""
        if event.cause.client == self.name or event.type == ADDED:
            return
        where = (key(event.object)[0], labels(event.previous or event.object).get(SERVICE_NAME, ""))
        if self._services.get(*where) is not None and (event.type == DELETED or not deleting(event.object)):
            self.look_at_everything(where, event)

    def withdraw(self, key: Key) -> None:
        """The slices go with their owner."""
        self._places.pop(key, None)

    def publish(self, service: Object, pods: dict[str, Object | None], everything: bool) -> None:
        where = key(service)
        slices = [entry for entry in self._slices.by_owner(uid(service))
                  if labels(entry).get(MANAGED_BY) == MANAGER and not deleting(entry)]
        known = self._places.pop(where, None)
        if everything or known is None:
            known = places(slices)
        changes = {pod: self._endpoint(service, pods[pod]) for pod in pods}
        if everything:
            changes.update((pod, None) for pod in known if pod not in pods)
        planned = plan(slices, known, changes)
        labelled = _labels(service)
        trigger = self.trigger_time(service, pods)
        for entry in slices:
            content = planned.rewrite.get(name(entry))
            if content is None and name(entry) not in planned.delete and everything and labels(entry) != labelled:
                content = Content(entry.get("ports") or [], entry.get("endpoints") or [])
            if content is not None:
                self.client.update(RESOURCE, _slice(entry["metadata"], labelled, content, trigger))
                _settle(known, name(entry), content)
        for content in planned.create:
            created = self.client.create(RESOURCE, _slice(_new_metadata(service), labelled, content, trigger))
            _settle(known, name(created), content)
        for slice_name in planned.delete:
            self._delete(where[0], slice_name)
        for pod, wanted in changes.items():
            if wanted is None:
                known.pop(pod, None)
        self._places[where] = known

    def _delete(self, namespace: str, slice_name: str) -> None:
        try:
            self.client.delete(RESOURCE, namespace, slice_name)
        except ApiError as error:
            if error.code != 404:
                raise

    def _endpoint(self, service: Object, pod: Object | None) -> Endpoint | None:
        ip = (pod.get("status") or {}).get("podIP") if pod is not None else None
        if pod is None or not ip or podfacts.terminal(pod):
            return None
        serving, terminating = podfacts.ready(pod), deleting(pod)
        ready = service["spec"].get("publishNotReadyAddresses", False) or (serving and not terminating)
        node = podfacts.node(pod)
        endpoint: Object = {"addresses": [ip], "conditions": {"ready": ready, "serving": serving, "terminating": terminating},
                            "nodeName": node, "targetRef": target_reference(pod)}
        if own_name := hostname(service, pod):
            endpoint["hostname"] = own_name
        machine = self._nodes.get("", node)
        if machine is not None and (zone := labels(machine).get(ZONE)):
            endpoint["zone"] = zone
        if ready and (hints := _hints(service["spec"].get("trafficDistribution"), node, endpoint.get("zone"))):
            endpoint["hints"] = hints
        return Endpoint(ports(service, pod), endpoint)


def _hints(distribution: str | None, node: str | None, zone: str | None) -> Object:
    """For whom an endpoint is meant, where the Service asks for what is near."""
    if distribution not in ("PreferClose", "PreferSameZone", "PreferSameNode"):
        return {}
    return {**({"forZones": [{"name": zone}]} if zone else {}), **({"forNodes": [{"name": node}]} if distribution == "PreferSameNode" else {})}


def _labels(service: Object) -> dict[str, str]:
    labelled = {**labels(service), SERVICE_NAME: name(service), MANAGED_BY: MANAGER}
    labelled.pop(HEADLESS, None)
    if headless(service):
        labelled[HEADLESS] = ""
    return labelled


def _new_metadata(service: Object) -> Object:
    namespace, service_name = key(service)
    return {"generateName": f"{service_name}-", "namespace": namespace, "ownerReferences": [owner_reference(service)]}


def _slice(metadata: Object, labelled: dict[str, str], content: Content, trigger: str | None) -> Object:
    noted = {field: value for field, value in annotations({"metadata": metadata}).items() if field != LAST_CHANGE}
    if trigger is not None:
        noted[LAST_CHANGE] = trigger
    metadata = {**metadata, "labels": labelled, "annotations": noted}
    if not noted:
        del metadata["annotations"]
    return {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": metadata, "addressType": "IPv4",
            "endpoints": content.endpoints or None, "ports": content.ports or None}


def _settle(known: dict[str, str], slice_name: str, content: Content) -> None:
    for endpoint in content.endpoints:
        known[endpoint["targetRef"]["name"]] = slice_name
