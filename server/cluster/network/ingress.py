"""ingress-nginx: what a pod that runs the controller's image answers, and what it asks of the Services behind it.

In: a request that has come to such a pod (``answer``, called by the container runtime). Out: the answer of an endpoint of the Service that
the Ingresses name, fetched by way of the pod's own network, or nginx's own page: 404 where no rule matches, 503 without endpoints, 502
where they refuse, 504 where they are silent, 308 to https; and the line in the controller's access log. It goes round an endpoint that
fails, three tries in all, as nginx does.

Source: https://kubernetes.github.io/ingress-nginx/user-guide/nginx-configuration/annotations/
"""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from server.cluster.apiserver.server import ApiServer
from server.cluster.network.ingress_routes import Config, Location, Routes, config, matched, serves
from server.cluster.network.proxy import Proxy
from server.cluster.network.walk import NOT_TLS, SILENCE, Hop, Walk
from server.cluster.objects import Key, Object, key
from server.cluster.runtime.pages.site import Relayed, page
from server.cluster.store import DELETED, Event

if TYPE_CHECKING:
    from server.cluster.runtime.container import Container

IMAGE = "registry.k8s.io/ingress-nginx/controller"
INGRESSES, CLASSES = "ingresses.networking.k8s.io", "ingressclasses.networking.k8s.io"
HTTP, HTTPS, WEBHOOK, HEALTH = 80, 443, 8443, 10254
TRIES, CONNECT_SECONDS, READ_SECONDS = 3, 5.0, 60.0
TITLES = {301: "Moved Permanently", 302: "Found", 308: "Permanent Redirect", 400: "Bad Request", 403: "Forbidden", 404: "Not Found",
          502: "Bad Gateway", 503: "Service Temporarily Unavailable", 504: "Gateway Time-out"}
HSTS = {"Strict-Transport-Security": "max-age=31536000; includeSubDomains"}
HIDDEN = ("server", "date", "connection")
DEFAULT_BACKEND = "upstream-default-backend"
CONFIGS_KEPT = 16


class Asked(NamedTuple):
    """A request as the controller sees it."""

    method: str
    path: str
    headers: dict[str, str]
    host: str
    client: str
    scheme: str
    id: str
    body: str
    log: bool


class Upstream(NamedTuple):
    """A Service's port as the controller knows it, and who serves it: (address, port)."""

    name: str
    peers: tuple[tuple[str, int], ...]


class Attempt(NamedTuple):
    address: str
    status: int
    seconds: float
    size: int


class IngressNginx:
    """``controllers`` are the pods that run the image; their routes are worked out when they are first asked for."""

    def __init__(self, api: ApiServer, proxy: Proxy) -> None:
        self._api = api
        self._proxy = proxy
        self._routes: dict[Config, Routes] = {}
        self._turns: dict[tuple[Key, str], int] = {}
        self._requests = 0
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

    def answer(self, container: Container, port: int, method: str, path: str, headers: dict[str, str], client: str, log: bool,
               body: str = "", tls: bool = False) -> Relayed:
        """``Runtime.relay``."""
        settings = config(container.argv)
        if port == HEALTH:
            return _health(path)
        if port == WEBHOOK or port == HTTPS and not tls:
            return _plain_to_tls(port)
        self._requests += log
        scheme = "https" if tls else "http"
        asked = Asked(method, path, headers, _host(headers), client or container.ip, scheme, self._request_id(container), body, log)
        return _Request(self, container, settings, asked).answer()

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

    def turn(self, container: Container, upstream: Upstream) -> int:
        """Round robin: whose turn it is in one controller."""
        where = (container.sandbox.key, upstream.name)
        turn = self._turns.get(where, -1) + 1
        if len(self._turns) > 4096:
            self._turns.clear()
        self._turns[where] = turn
        return turn % len(upstream.peers)


class _Request:
    """One request on its way through the controller."""

    def __init__(self, parent: IngressNginx, container: Container, settings: Config, asked: Asked) -> None:
        self.parent, self.container, self.settings, self.asked = parent, container, settings, asked
        self.hops: list[Hop] = []
        self.attempts: list[Attempt] = []
        self.seconds = 0.0
        self.upstream = DEFAULT_BACKEND

    def answer(self) -> Relayed:
        asked, path = self.asked, self.asked.path.partition("?")[0]
        routes = self.parent.routes(self.settings)
        at = routes.find(asked.host, path)
        if at is None:
            return self._default()
        self._hop(f"{asked.host}{path}", f"matches {at.path} ({at.kind}) of Ingress {'/'.join(at.ingress)}", at)
        upstream = self.parent.upstream(at.ingress[0], at.backend, at.notes)
        self.upstream = upstream.name
        own = self._own_answer(at, path, routes)
        if own is not None:
            return own
        if not upstream.peers:
            self._hop(upstream.name, "has no active endpoint", at)
            return self._page(503)
        return self._fetch(at, upstream)

    def _own_answer(self, at: Location, path: str, routes: Routes) -> Relayed | None:
        """What nginx says without asking anybody."""
        notes, asked = at.notes, self.asked
        if at.kind == "slash":
            return self._redirect(301, f"{asked.scheme}://{asked.headers.get('Host', asked.host)}{path}/{asked.path[len(path):]}")
        if at.redirects and asked.scheme == "http":
            return self._redirect(308, f"https://{asked.host}{asked.path}")
        server = routes.server(asked.host)
        if path == "/" and server is not None and (root := next((each.notes["app-root"] for each in server.locations if "app-root" in each.notes),
                                                                "")):
            return self._redirect(302, f"{asked.scheme}://{asked.headers.get('Host', asked.host)}{root}")
        allowed = notes.get("whitelist-source-range") or notes.get("allowlist-source-range")
        if allowed and not _within(asked.client, allowed) or _within(asked.client, notes.get("denylist-source-range", "")):
            return self._page(403)
        if "temporal-redirect" in notes:
            return self._redirect(302, notes["temporal-redirect"])
        if "permanent-redirect" in notes:
            return self._redirect(_code(notes.get("permanent-redirect-code"), 301), notes["permanent-redirect"])
        return None

    def _default(self) -> Relayed:
        """No rule matches: the controller's own 404, or the Service that it was given for that."""
        self._hop(f"{self.asked.host}{self.asked.path}", "matches no rule: the default backend answers", None)
        if self.settings.default_service is not None:
            namespace, name = self.settings.default_service
            service = self.parent._api.lister("services").get(namespace, name)
            ports = (service["spec"].get("ports") or []) if service is not None else []
            if ports:
                backend = {"service": {"name": name, "port": {"number": ports[0]["port"]}}}
                upstream = self.parent.upstream(namespace, backend, {})._replace(name=DEFAULT_BACKEND)
                if upstream.peers:
                    return self._fetch(None, upstream)
        status, headers, body = _error_page(404)
        self.attempts.append(Attempt("127.0.0.1:8181", 404, 0.001, len(body)))
        return self._finish(status, headers, body)

    # upstream

    def _fetch(self, at: Location | None, upstream: Upstream) -> Relayed:
        notes = at.notes if at is not None else {}
        network, first = self.container.network(), self.parent.turn(self.container, upstream)
        connect = _seconds(notes.get("proxy-connect-timeout"), CONNECT_SECONDS)
        read = _seconds(notes.get("proxy-read-timeout"), READ_SECONDS)
        secure = notes.get("backend-protocol", "HTTP").upper() in ("HTTPS", "GRPCS")
        for number in range(TRIES):
            host, port = upstream.peers[(first + number) % len(upstream.peers)]
            walk: Walk = network.request(host, port, self.asked.method, self._rewritten(at), None, self._headers(notes), self.asked.log,
                                         **({"body": self.asked.body} if self.asked.body else {}), **({"tls": True} if secure else {}))
            self.hops.extend(walk.hops)
            silent = walk.error is not None and walk.fault == SILENCE
            waited = min(walk.seconds, read if walk.status is not None else connect) if walk.error is None or silent else walk.seconds
            self.seconds += waited
            late = walk.status is not None and walk.seconds > read
            address = f"{walk.address or host}:{port}"
            if walk.error is None and walk.status is not None and not late:
                self.attempts.append(Attempt(address, walk.status, waited, len(walk.body.encode())))
                return self._passed(walk)
            self.attempts.append(Attempt(address, 504 if silent or late else 502, waited, 0))
            self._complain(walk, address, silent, late)
            if late or self.asked.method not in ("GET", "HEAD", "PUT", "DELETE", "OPTIONS") and walk.exit_code not in (7, 28):
                break
        return self._page(self.attempts[-1].status)

    def _rewritten(self, at: Location | None) -> str:
        """The path that the endpoint is asked for."""
        target = at.notes.get("rewrite-target") if at is not None else None
        path, mark, query = self.asked.path.partition("?")
        if not target or at is None or target == at.path:
            return self.asked.path
        match = matched(at.path, path)
        if match is None:
            return self.asked.path
        new = re.sub(r"\$(\d)", lambda name: (match[int(name[1])] or "") if int(name[1]) <= (match.re.groups or 0) else "", target)
        return f"{new or '/'}{mark}{query}"

    def _headers(self, notes: dict[str, str]) -> dict[str, str]:
        """What goes on to the endpoint: the client's own headers, after nginx's."""
        asked = self.asked
        port = str(HTTPS if asked.scheme == "https" else HTTP)
        mine = {"Host": notes.get("upstream-vhost") or asked.headers.get("Host", asked.host), "X-Request-ID": asked.id, "X-Real-IP": asked.client,
                "X-Forwarded-For": asked.client, "X-Forwarded-Host": asked.headers.get("Host", asked.host), "X-Forwarded-Port": port,
                "X-Forwarded-Proto": asked.scheme, "X-Forwarded-Scheme": asked.scheme, "X-Scheme": asked.scheme}
        lower = {name.lower() for name in (*mine, "Connection")}
        return {**mine, **{name: value for name, value in asked.headers.items() if name.lower() not in lower}}

    def _passed(self, walk: Walk) -> Relayed:
        kept = {name: value for name, value in walk.headers.items() if name.lower() not in HIDDEN}
        return self._finish(walk.status or 200, kept, walk.body)

    # nginx's own

    def _page(self, status: int) -> Relayed:
        return self._finish(*_error_page(status))

    def _redirect(self, status: int, location: str) -> Relayed:
        self._hop(self.asked.host, f"{status} to {location}", None)
        code, headers, body = _error_page(status)
        return self._finish(code, {**headers, "Location": location}, body)

    def _finish(self, status: int, headers: dict[str, str], body: str) -> Relayed:
        asked = self.asked
        sent = {"Date": f"{self.container.time():%a, %d %b %Y %H:%M:%S} GMT", **headers, "Connection": "keep-alive",
                **(HSTS if asked.scheme == "https" else {})}
        if asked.log:
            self._log(status, body)
        return Relayed(status, sent, "" if asked.method == "HEAD" else body, self.seconds * 1000, self.hops)

    def _log(self, status: int, body: str) -> None:
        """ingress-nginx's own access format."""
        asked, headers = self.asked, {name.lower(): value for name, value in self.asked.headers.items()}
        line = f"{asked.method} {asked.path} HTTP/1.1"
        length = len(line) + 2 + sum(len(name) + len(value) + 4 for name, value in asked.headers.items()) + 2 + len(asked.body.encode())
        tried = self.attempts
        upstream = (", ".join(each.address for each in tried), ", ".join(str(each.size) for each in tried),
                    ", ".join(f"{each.seconds:.3f}" for each in tried), ", ".join(str(each.status) for each in tried)) if tried else ("-",) * 4
        self._say(f'{asked.client} - - [{self.container.time():%d/%b/%Y:%H:%M:%S} +0000] "{line}" {status} '
                  f'{0 if asked.method == "HEAD" else len(body.encode())} "{headers.get("referer", "-")}" "{headers.get("user-agent", "-")}" '
                  f'{length} {self.seconds:.3f} [{self.upstream}] [] {" ".join(upstream)} {asked.id}', "stdout")

    def _complain(self, walk: Walk, address: str, silent: bool, late: bool) -> None:
        """The line in nginx's error log."""
        if not self.asked.log:
            return
        why = "upstream timed out (110: Operation timed out) while reading response header from upstream" if late \
            else "upstream timed out (110: Operation timed out) while connecting to upstream" if silent \
            else "SSL_do_handshake() failed (SSL: error:0A00010B:SSL routines::wrong version number) while SSL handshaking to upstream" \
            if walk.fault == NOT_TLS \
            else "upstream prematurely closed connection while reading response header from upstream" if walk.connected \
            else f"connect() failed ({_errno(walk.fault)}: {walk.fault}) while connecting to upstream"
        self._say(f'{self.container.time():%Y/%m/%d %H:%M:%S} [error] 30#30: *{self.parent._requests} {why}, client: {self.asked.client}, '
                  f'server: {self.asked.host}, request: "{self.asked.method} {self.asked.path} HTTP/1.1", upstream: '
                  f'"http://{address}{self.asked.path}", host: "{self.asked.headers.get("Host", self.asked.host)}"', "stderr")

    def _say(self, text: str, stream: str) -> None:
        self.container.log.add(self.container.now(), text, stream)
        self.container.log.flush()

    def _hop(self, what: str, decision: str, at: Location | None) -> None:
        detail: dict[str, Any] | None = {"ingress": "/".join(at.ingress), "path": at.path, "kind": at.kind} if at is not None else None
        self.hops.append(Hop("ingress", what, decision, detail))


def _error_page(status: int) -> tuple[int, dict[str, str], str]:
    title = f"{status} {TITLES[status]}"
    return page(status, f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n<hr><center>nginx"
                        "</center>\r\n</body>\r\n</html>\r\n")


def _plain_to_tls(port: int) -> Relayed:
    if port == WEBHOOK:
        return Relayed(*page(400, "Client sent an HTTP request to an HTTPS server.\n", "text/plain; charset=utf-8"))
    said = "The plain HTTP request was sent to HTTPS port"
    return Relayed(*page(400, f"<html>\r\n<head><title>400 {said}</title></head>\r\n<body>\r\n<center><h1>400 Bad Request</h1></center>\r\n"
                              f"<center>{said}</center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"))


def _health(path: str) -> Relayed:
    route = path.partition("?")[0]
    if route == "/healthz":
        return Relayed(*page(200, "ok", "text/plain; charset=utf-8"))
    return Relayed(*page(404, "404 page not found\n", "text/plain; charset=utf-8"))


def _host(headers: dict[str, str]) -> str:
    return next((value for name, value in headers.items() if name.lower() == "host"), "").partition(":")[0]


def _within(client: str, ranges: str) -> bool:
    try:
        return any(ipaddress.ip_address(client) in ipaddress.ip_network(each.strip(), strict=False) for each in ranges.split(",") if each.strip())
    except ValueError:
        return False


def _seconds(text: str | None, default: float) -> float:
    return float(text) if text is not None and text.isdecimal() and 0 < int(text) <= 3600 else default


def _code(text: str | None, default: int) -> int:
    return int(text) if text in ("301", "302", "308") else default


def _errno(fault: str) -> int:
    return {"Connection refused": 111, "No route to host": 113, "Network is unreachable": 101}.get(fault, 111)
