"""ingress-nginx: what a pod that runs the controller's image answers, and what it asks of the Services behind it.

In: a request that has come to such a pod (``answer``, called by the container runtime). Out: the answer of an endpoint of the Service that
the Ingresses name, fetched by way of the pod's own network, or nginx's own page: 404 where no rule matches, 503 without endpoints, 502
where they refuse, 504 where they are silent, 308 to https, what the annotations forbid; and the line in the controller's access log. It
goes round an endpoint that fails, three tries in all, as nginx does. What it leaves to chance (a canary's share, whose turn it is) is drawn
for a request that is made, and tried in every way where many are worked out at once (``deciding``).

Source: https://kubernetes.github.io/ingress-nginx/user-guide/nginx-configuration/annotations/
"""

from __future__ import annotations

import ipaddress
import random as random_module
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from server.cluster.apiserver.server import ApiServer
from server.cluster.network import ingress_gates as gates
from server.cluster.network.branching import Branches, Chance, Drawn
from server.cluster.network.ingress_pages import WEBHOOK, health, plain_to_tls
from server.cluster.network.ingress_request import HTTPS, Asked, Request, Upstream
from server.cluster.network.ingress_routes import Config, Routes, config, serves
from server.cluster.network.proxy import Proxy
from server.cluster.objects import Key, Object, key
from server.cluster.runtime.pages.site import Relayed
from server.cluster.store import DELETED, Event

if TYPE_CHECKING:
    from server.cluster.runtime.container import Container

IMAGE = "registry.k8s.io/ingress-nginx/controller"
INGRESSES, CLASSES = "ingresses.networking.k8s.io", "ingressclasses.networking.k8s.io"
HTTP, HEALTH = 80, 10254
CONFIGS_KEPT, DEEPEST = 16, 8


class IngressNginx:
    """``controllers`` are the pods that run the image; their routes are worked out when they are first asked for."""

    def __init__(self, api: ApiServer, proxy: Proxy, random: random_module.Random) -> None:
        self._api = api
        self._drawn = Drawn(random)
        self._deciding: Chance | None = None
        self.buckets = gates.Buckets()
        self._proxy = proxy
        self._routes: dict[Config, Routes] = {}
        self._turns: dict[tuple[Key, str], int] = {}
        self._requests = self._depth = 0
        self._started = False

    def start(self) -> None:
        if self._started:
            return
        self._started = True
        self._api.watch(INGRESSES, self._on_change)
        self._api.watch(CLASSES, self._on_change)

    def _on_change(self, event: Event) -> None:
        before, now = event.previous, event.object
        if event.type is not DELETED and before is not None and before["spec"] == now["spec"] \
                and before["metadata"].get("annotations") == now["metadata"].get("annotations"):
            return
        self._routes.clear()

    def routes(self, settings: Config) -> Routes:
        found = self._routes.get(settings)
        if found is None:
            if len(self._routes) >= CONFIGS_KEPT:
                self._routes.clear()
            found = self._routes[settings] = Routes(self.served(settings))
        return found

    def served(self, settings: Config) -> list[Object]:
        """The Ingresses of a controller."""
        classes = {each["metadata"]["name"]: each for each in self._api.lister(CLASSES).list()}
        return [ingress for ingress in self._api.lister(INGRESSES).list() if serves(settings, ingress, classes)]

    # a request

    @contextmanager
    def deciding(self, chance: Chance) -> Iterator[None]:
        """Requests and looks that are made meanwhile are some of many: ``chance`` makes their choices."""
        before, self._deciding = self._deciding, chance
        try:
            yield
        finally:
            self._deciding = before

    def chance(self, log: bool) -> Chance:
        return self._deciding or (self._drawn if log else Branches(0.0))

    def secret(self, namespace: str, text: str) -> dict[str, str] | None:
        """The data of a secret that an annotation names, perhaps with its namespace."""
        of, slash, name = text.partition("/")
        found = self._api.lister("secrets").get(*((of, name) if slash else (namespace, text)))
        return (found.get("data") or {}) if found is not None else None

    def answer(self, container: Container, port: int, method: str, path: str, headers: dict[str, str], client: str, log: bool,
               body: str = "", tls: bool = False) -> Relayed:
        """``Runtime.relay``."""
        settings = config(container.argv)
        if port == HEALTH:
            return health(path)
        if port == WEBHOOK or port == HTTPS and not tls:
            return plain_to_tls(port)
        self._requests += log
        scheme = "https" if tls else "http"
        asked = Asked(method, path, headers, _host(headers), client or container.ip, scheme, self._request_id(container), body, log)
        request = Request(self, container, settings, asked)
        if self._depth >= DEEPEST:
            return request.overrun()
        self._depth += 1
        try:
            return request.answer()
        finally:
            self._depth -= 1

    def _request_id(self, container: Container) -> str:
        """32 hexadecimal digits that no other request has."""
        number = int(ipaddress.ip_address(container.ip or "0.0.0.0")) << 64 | int(container.now() * 1e6) << 24 | self._requests & 0xFFFFFF
        return f"{number * 0x9E3779B97F4A7C15F39CC0605CEDC835 & (1 << 128) - 1:032x}"

    def upstream(self, namespace: str, backend: Object, notes: dict[str, str]) -> Upstream:
        """The ready endpoints of a backend's port, beginning with the one whose turn it is."""
        said = backend.get("service")
        if said is None:
            return Upstream("-", ())
        port = said.get("port") or {}
        name = f"{namespace}-{said['name']}-{port.get('name') or port.get('number', '')}"
        service = self._api.lister("services").get(namespace, said["name"])
        if service is None:
            return Upstream(name, ())
        spec = service["spec"]
        found = next((each for each in spec.get("ports") or () if each["port"] == port.get("number") or each.get("name") == port.get("name")
                      and port.get("name") or str(each.get("targetPort")) == str(port.get("number"))), None)
        if spec.get("type") == "ExternalName":
            number = (found or {}).get("targetPort") or port.get("number")
            return Upstream(name, ((spec["externalName"], number),) if isinstance(number, int) else ())
        if found is None:
            return Upstream(name, ())
        if notes.get("service-upstream") == "true" and spec.get("clusterIP") not in (None, "", "None"):
            return Upstream(name, ((spec["clusterIP"], found["port"]),))
        ready = [(each.address, each.port) for each in self._proxy.endpoints(key(service), found.get("name") or "") if each.ready]
        return Upstream(name, tuple(dict.fromkeys(ready)))

    def turn(self, container: Container, upstream: Upstream, chance: Chance) -> int:
        """Round robin: whose turn it is in one controller; many requests at once come to each as often."""
        if isinstance(chance, Branches):
            return chance.pick([(number, 1.0) for number in range(len(upstream.peers))])
        where = (container.sandbox.key, upstream.name)
        turn = self._turns.get(where, -1) + 1
        if len(self._turns) > 4096:
            self._turns.clear()
        self._turns[where] = turn
        return turn % len(upstream.peers)


def _host(headers: dict[str, str]) -> str:
    return next((value for name, value in headers.items() if name.lower() == "host"), "").partition(":")[0]
