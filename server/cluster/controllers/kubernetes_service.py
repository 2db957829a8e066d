"""The Service ``kubernetes``: where pods reach the API server.

In: deletions of the Service, its Endpoints or its EndpointSlice. Out: what is missing of them, made again at the API server's next
look, which it has every ten seconds. It is the API server that does this, so its writes are signed so.

Source: https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/
"""

from __future__ import annotations

from server.cluster.controllers.base import Controller
from server.cluster.objects import Key, Object, key, labels
from server.cluster.parts import Parts
from server.cluster.store import DELETED, Event

USER = "system:apiserver"
KEY = ("default", "kubernetes")
SLICES = "endpointslices.discovery.k8s.io"
RESOURCES = ("services", "endpoints", SLICES)
PERIOD = 10.0
_META = {"name": KEY[1], "namespace": KEY[0]}
_PORT = {"name": "https", "port": 6443, "protocol": "TCP"}


class KubernetesServiceController(Controller):
    name = component = "kube-apiserver"

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts)
        self.client = parts.client(self.name, USER)
        for resource in RESOURCES:
            self.watch(resource, self._on_change)

    def rebuild(self) -> None:
        """The slice outlives its Service: a look that a restart prevented is made up for."""
        if SLICES not in (missing := self._missing()) and missing:
            self._look_later()

    def _on_change(self, event: Event) -> None:
        if event.type == DELETED and key(event.object) == KEY:
            self._look_later(event)

    def _look_later(self, event: Event | None = None) -> None:
        self.enqueue(KEY, event, after=PERIOD - self.clock.now % PERIOD)

    def _missing(self) -> list[str]:
        return [resource for resource in RESOURCES if self.lister(resource).get(*KEY) is None]

    def reconcile(self, key: Key) -> None:
        wanted = objects(self.lister("nodes").list())
        for resource in self._missing():
            self.client.create(resource, wanted[resource])


def objects(nodes: list[Object]) -> dict[str, Object]:
    """The three of them, by resource, in a cluster of these nodes: the API server runs on the control plane."""
    address = _address(nodes)
    return {
        "services": {
            "metadata": {**_META, "labels": {"component": "apiserver", "provider": "kubernetes"}},
            "spec": {"type": "ClusterIP", "clusterIP": "10.96.0.1", "sessionAffinity": "None",
                     "ports": [{"name": "https", "port": 443, "targetPort": 6443, "protocol": "TCP"}]}},
        "endpoints": {
            "metadata": {**_META, "labels": {"endpointslice.kubernetes.io/skip-mirror": "true"}},
            "subsets": [{"addresses": [{"ip": address}], "ports": [_PORT]}]},
        SLICES: {
            "metadata": {**_META, "labels": {"kubernetes.io/service-name": KEY[1]}},
            "addressType": "IPv4", "endpoints": [{"addresses": [address], "conditions": {"ready": True}}], "ports": [_PORT]},
    }


def _address(nodes: list[Object]) -> str:
    control_planes = [node for node in nodes if "node-role.kubernetes.io/control-plane" in labels(node)]
    for node in control_planes or nodes:
        for entry in node["status"].get("addresses") or ():
            if entry["type"] == "InternalIP":
                return entry["address"]
    return "192.168.1.10"
