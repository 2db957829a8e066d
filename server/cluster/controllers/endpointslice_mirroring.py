"""EndpointSlices for Endpoints that people write themselves, for a Service without a selector.

In: Endpoints, and the Services of their names. Out: one slice for each subset, owned by the Endpoints, so that kube-proxy and DNS
find what was written by hand. Endpoints labelled ``endpointslice.kubernetes.io/skip-mirror`` bring their own slices.

Source: https://kubernetes.io/docs/concepts/services-networking/endpoint-slices/#endpointslice-mirroring
"""

from __future__ import annotations

from server.cluster.controllers.base import Controller
from server.cluster.errors import ApiError
from server.cluster.objects import Key, Object, annotations, key, labels, name, owner_reference, uid
from server.cluster.parts import Parts
from server.cluster.store import Event

RESOURCE = "endpointslices.discovery.k8s.io"
MANAGED_BY, MANAGER = "endpointslice.kubernetes.io/managed-by", "endpointslicemirroring-controller.k8s.io"
SERVICE_NAME, SKIP = "kubernetes.io/service-name", "endpointslice.kubernetes.io/skip-mirror"
NOT_COPIED = ("kubectl.kubernetes.io/last-applied-configuration",)
MOST_ADDRESSES = 1000


class EndpointSliceMirroringController(Controller):
    name = "endpoint-slice-mirroring-controller"
    reconciles = "endpoints"

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts)
        self._endpoints = self.lister("endpoints")
        self._services = self.lister("services")
        self._slices = self.lister(RESOURCE)
        self.watch("endpoints", self._on_change)
        self.watch("services", self._on_change)
        self.watch(RESOURCE, self._on_slice)

    def _on_change(self, event: Event) -> None:
        where = key(event.object)
        service = self._services.get(*where)
        if service is None or not service["spec"].get("selector"):
            self.enqueue(where, event)

    def _on_slice(self, event: Event) -> None:
        if event.cause.client != self.name and labels(event.object).get(MANAGED_BY) == MANAGER:
            self.enqueue((key(event.object)[0], labels(event.object).get(SERVICE_NAME, "")), event)

    def reconcile(self, key: Key) -> None:
        endpoints, service = self._endpoints.get(*key), self._services.get(*key)
        if endpoints is None:
            return
        mirrored = service is not None and not service["spec"].get("selector") and labels(endpoints).get(SKIP) != "true"
        wanted = _slices(endpoints) if mirrored else []
        there = [entry for entry in self._slices.by_owner(uid(endpoints)) if labels(entry).get(MANAGED_BY) == MANAGER]
        for content in wanted:
            current = next((entry for entry in there if entry["addressType"] == content["addressType"]), None)
            if current is None:
                self.client.create(RESOURCE, content)
                continue
            there.remove(current)
            metadata = {**current["metadata"], **{field: content["metadata"][field] for field in ("labels", "annotations")}}
            self.client.update(RESOURCE, {**content, "metadata": metadata})
        for surplus in there:
            self._delete(surplus)

    def _delete(self, entry: Object) -> None:
        try:
            self.client.delete(RESOURCE, *key(entry))
        except ApiError as error:
            if error.code != 404:
                raise


def _slices(endpoints: Object) -> list[Object]:
    namespace, endpoints_name = key(endpoints)
    metadata = {
        "generateName": f"{endpoints_name}-", "namespace": namespace, "ownerReferences": [owner_reference(endpoints)],
        "labels": {**labels(endpoints), SERVICE_NAME: name(endpoints), MANAGED_BY: MANAGER},
        "annotations": {field: value for field, value in annotations(endpoints).items() if field not in NOT_COPIED},
    }
    made = []
    for subset in endpoints.get("subsets") or ():
        addresses = [(address, ready) for field, ready in (("addresses", True), ("notReadyAddresses", False))
                     for address in subset.get(field) or ()]
        by_type: dict[str, list[Object]] = {}
        for address, ready in addresses[:MOST_ADDRESSES]:
            by_type.setdefault("IPv6" if ":" in address["ip"] else "IPv4", []).append(_endpoint(address, ready))
        ports = [{"name": port.get("name", ""), **port} for port in subset.get("ports") or ()]
        made += [{"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": metadata, "addressType": type_,
                  "endpoints": found, "ports": ports} for type_, found in by_type.items()]
    return made


def _endpoint(address: Object, ready: bool) -> Object:
    copied = {field: address[field] for field in ("hostname", "nodeName", "targetRef") if field in address}
    return {"addresses": [address["ip"]], "conditions": {"ready": ready}, **copied}
