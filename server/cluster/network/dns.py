"""Cluster DNS: names of Services and pods, as CoreDNS answers them.

``lookup`` is what a program in a pod gets, search domains included; ``query`` answers one full name. A Service's name leads to its
cluster address, a headless one's to its ready pods, each of which also has a name of its own if it has a hostname; an ExternalName is
another name. Everything else does not exist: there is no internet here.

Source: https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/
"""

from __future__ import annotations

import ipaddress
from typing import NamedTuple

from server.cluster.apiserver.server import ApiServer
from server.cluster.network.proxy import SERVICE_NAME, SLICES
from server.cluster.objects import Object
from server.cluster.selectors import from_labels

DOMAIN = "cluster.local"
DOTS = 5


class Answer(NamedTuple):
    """``name`` is the full name that was found, ``canonical`` what it stands for (an ExternalName's target). ``exists`` without
    addresses: the name is known but has none."""

    name: str
    addresses: tuple[str, ...] = ()
    canonical: str | None = None
    exists: bool = True


class Dns:
    def __init__(self, api: ApiServer) -> None:
        self._api = api

    def search_domains(self, namespace: str) -> list[str]:
        """The ``search`` line of a pod's resolv.conf."""
        return [f"{namespace}.svc.{DOMAIN}", f"svc.{DOMAIN}", DOMAIN]

    def server(self) -> str | None:
        """The address of the cluster's DNS Service."""
        service = self._api.lister("services").get("kube-system", "kube-dns")
        return service["spec"].get("clusterIP") if service is not None else None

    def lookup(self, name: str, namespace: str) -> Answer:
        """What a pod of a namespace resolves a name to."""
        absolute = name.endswith(".")
        bare = name.rstrip(".").lower()
        names = [bare] if absolute else [f"{bare}.{domain}" for domain in self.search_domains(namespace)]
        if not absolute:
            names = [bare, *names] if bare.count(".") >= DOTS else [*names, bare]
        for candidate in names:
            answer = self.query(candidate)
            if answer.exists:
                return answer
        return Answer(bare, exists=False)

    def query(self, name: str) -> Answer:
        """One full name."""
        nothing = Answer(name, exists=False)
        if not name.endswith(f".{DOMAIN}"):
            return nothing
        labels = name[:-len(DOMAIN) - 1].split(".")
        if len(labels) >= 3 and labels[-1] == "svc":
            service = self._api.lister("services").get(labels[-2], labels[-3])
            return self._service(name, service, labels[:-3]) if service is not None else nothing
        if len(labels) == 3 and labels[-1] == "pod":
            return self._pod(name, labels[0], labels[1])
        return nothing

    def _service(self, name: str, service: Object, before: list[str]) -> Answer:
        spec = service["spec"]
        nothing = Answer(name, exists=False)
        if spec.get("type") == "ExternalName":
            return Answer(name, canonical=spec.get("externalName", "")) if not before else nothing
        if spec.get("clusterIP") == "None":
            return self._headless(name, service, before)
        return Answer(name, tuple(spec.get("clusterIPs") or [spec["clusterIP"]])) if not before else nothing

    def _headless(self, name: str, service: Object, before: list[str]) -> Answer:
        """A headless Service's pods, or the one called by its hostname."""
        meta = service["metadata"]
        if len(before) > 1:
            return Answer(name, exists=False)
        found: dict[str, None] = {}
        for entry in self._api.lister(SLICES).select(meta["namespace"], from_labels({SERVICE_NAME: meta["name"]})):
            for endpoint in entry.get("endpoints") or ():
                ready = (endpoint.get("conditions") or {}).get("ready", True) is not False
                called = endpoint.get("hostname") or endpoint["addresses"][0].replace(".", "-")
                if ready and (not before or called == before[0]):
                    found.update(dict.fromkeys(endpoint["addresses"]))
        return Answer(name, tuple(found), exists=bool(found) or not before)

    def _pod(self, name: str, dashed: str, namespace: str) -> Answer:
        address = dashed.replace("-", ".")
        try:
            ipaddress.IPv4Address(address)
        except ValueError:
            return Answer(name, exists=False)
        known = self._api.lister("namespaces").get("", namespace) is not None
        return Answer(name, (address,)) if known else Answer(name, exists=False)
