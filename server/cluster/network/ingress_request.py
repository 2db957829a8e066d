"""One request on its way through an ingress-nginx controller: what it meets, who answers it, and the lines that it leaves in the logs.

In: the request as the controller sees it, and the routes. Out: ``answer``. Its fellow is ``ingress``, which has what outlives a request.

Source: https://kubernetes.github.io/ingress-nginx/user-guide/nginx-configuration/annotations/
"""

from __future__ import annotations

import hashlib
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from server.cluster.network import ingress_gates as gates
from server.cluster.network.ingress_pages import error_page
from server.cluster.network.ingress_routes import Config, Location, Routes
from server.cluster.network.walk import NOT_TLS, SILENCE, Hop, Walk
from server.cluster.patterns import Trials
from server.cluster.runtime.pages.site import Relayed, http_time

if TYPE_CHECKING:
    from server.cluster.network.ingress import IngressNginx
    from server.cluster.runtime.container import Container

HTTP, HTTPS = 80, 443
TRIES, CONNECT_SECONDS, READ_SECONDS = 3, 5.0, 60.0
HSTS = {"Strict-Transport-Security": "max-age=31536000; includeSubDomains"}
HIDDEN = ("server", "date", "connection")
DEFAULT_BACKEND = "upstream-default-backend"
LONGEST_TARGET = 1024  # letters of a rewrite-target, each two of which may stand for a whole path


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


class Request:
    """One request on its way through the controller."""

    def __init__(self, parent: IngressNginx, container: Container, settings: Config, asked: Asked) -> None:
        self.parent, self.container, self.settings, self.asked = parent, container, settings, asked
        self.hops: list[Hop] = []
        self.attempts: list[Attempt] = []
        self.seconds = 0.0
        self.upstream, self.alternative = DEFAULT_BACKEND, ""
        self.chance = parent.chance(asked.log)
        self.extra: dict[str, str] = {}

    def answer(self) -> Relayed:
        asked, path = self.asked, self.asked.path.partition("?")[0]
        routes = self.parent.routes(self.settings)
        if (named := routes.elsewhere.get(asked.host)) is not None:
            return self._redirect(308, f"{asked.scheme}://{named}{asked.path}")
        at = routes.find(asked.host, path)
        if at is None:
            return self._default()
        self._hop(f"{asked.host}{path}", f"matches {at.path} ({at.kind}) of Ingress {'/'.join(at.ingress)}", at)
        self.extra = gates.cors(at.notes, asked.headers)
        upstream = self._chosen(at)
        own = self._own_answer(at, path, routes)
        if own is not None:
            return own
        if not upstream.peers:
            self._hop(upstream.name, "has no active endpoint", at)
            return self._page(503)
        return self._fetch(at, upstream)

    def overrun(self) -> Relayed:
        """It has come here by way of the controller again and again, until that has no connection left."""
        self._hop(self.asked.host, "comes back to the controller for ever", None)
        self._error("16384 worker_connections are not enough while connecting to upstream")
        return self._page(500)

    def _chosen(self, at: Location) -> Upstream:
        """The rule's backend, or the canary's beside it; one without endpoints may have somebody to stand in for it."""
        upstream = self.parent.upstream(at.ingress[0], at.backend, at.notes)
        self.upstream = upstream.name
        if not upstream.peers and "default-backend" in at.notes:
            return self._stand_in(at) or upstream
        if at.canary is None or not upstream.peers:
            return upstream
        canary = self.parent.upstream(at.canary.ingress[0], at.canary.backend, at.canary.notes)
        share = gates.canary_share(at.canary.notes, self.asked.headers) if canary.peers else 0.0
        options = [(taken, part) for taken, part in ((upstream, 1.0 - share), (canary, share)) if part > 0]
        if self.chance.pick(options) is not canary:
            return upstream
        self.alternative = canary.name
        self._hop(canary.name, f"is the canary of Ingress {'/'.join(at.canary.ingress)}", at)
        return canary

    def _stand_in(self, at: Location) -> Upstream | None:
        name = at.notes["default-backend"]
        service = self.parent._api.lister("services").get(at.ingress[0], name)
        ports = (service["spec"].get("ports") or []) if service is not None else []
        if not ports:
            return None
        backend = {"service": {"name": name, "port": {"number": ports[0]["port"]}}}
        return self.parent.upstream(at.ingress[0], backend, {})._replace(name=f"custom-default-backend-{at.ingress[0]}-{name}")

    def _own_answer(self, at: Location, path: str, routes: Routes) -> Relayed | None:
        """What nginx says without asking anybody, in the order in which it comes to that."""
        notes, asked = at.notes, self.asked
        if at.kind == "slash":
            return self._redirect(301, f"{asked.scheme}://{asked.headers.get('Host', asked.host)}{path}/{asked.path[len(path):]}")
        if (most := gates.body_limit(notes)) and len(asked.body.encode()) > most:
            self._hop(asked.host, f"takes bodies of at most {most} bytes", at)
            return self._page(413)
        if at.redirects and asked.scheme == "http":
            return self._redirect(308, f"https://{asked.host}{asked.path}")
        server = routes.server(asked.host)
        if path == "/" and server is not None and (root := next((each.notes["app-root"] for each in server.locations if "app-root" in each.notes),
                                                                "")):
            return self._redirect(302, f"{asked.scheme}://{asked.headers.get('Host', asked.host)}{root}")
        if "temporal-redirect" in notes:
            return self._redirect(302, notes["temporal-redirect"])
        if "permanent-redirect" in notes:
            return self._redirect(_code(notes.get("permanent-redirect-code"), 301), notes["permanent-redirect"])
        if asked.method == "OPTIONS" and self.extra:
            return self._finish(204, {"Content-Type": "text/plain charset=UTF-8", "Content-Length": "0"}, "")
        return self._refused(at)

    def _refused(self, at: Location) -> Relayed | None:
        """Too many, from the wrong place, or without the password."""
        notes, asked = at.notes, self.asked
        for limit in gates.limits(notes, asked.client):
            if not self._within_limit(at, limit):
                self._hop(asked.host, f"takes {limit.rate:g} requests a second from {asked.client}, and {limit.burst} more at once: refused", at)
                self._error(f'limiting requests, excess: {limit.burst}.000 by zone "{"_".join(at.ingress)}_{limit.name}"')
                return self._page(503)
        allowed = notes.get("whitelist-source-range") or notes.get("allowlist-source-range")
        if allowed and not gates.within(asked.client, allowed) or gates.within(asked.client, notes.get("denylist-source-range", "")):
            self._hop(asked.host, f"{asked.client} is not let in", at)
            self._error("access forbidden by rule")
            return self._page(403)
        return self._unauthorized(at) if notes.get("auth-type") == "basic" else None

    def _within_limit(self, at: Location, limit: gates.Limit) -> bool:
        if self.chance.rate is None:
            return self.parent.buckets.takes((self.container.sandbox.key, at.ingress, self.asked.client), limit, self.container.now())
        taken = min(1.0, limit.rate / self.chance.rate) if self.chance.rate else 1.0
        return self.chance.pick([(held, part) for held, part in ((True, taken), (False, 1.0 - taken)) if part > 0])

    def _unauthorized(self, at: Location) -> Relayed | None:
        notes = at.notes
        data = self.parent.secret(at.ingress[0], notes.get("auth-secret", ""))
        file = gates.users(notes, data) if data is not None else None
        if file is None:
            self._hop(self.asked.host, f"has no passwords: secret {notes.get('auth-secret', '')!r} cannot be read", at)
            return self._page(503)
        let_in = gates.lets_in(file, self.asked.headers)
        if let_in:
            return None
        if let_in is None:
            self._say("podium: the password is kept as bcrypt or crypt, which is not tried here: use htpasswd -m or {SHA}", "stderr")
        self._hop(self.asked.host, "asks for a name and a password", at)
        status, headers, body = error_page(401)
        realm = notes.get("auth-realm", "")
        return self._finish(status, {**headers, "WWW-Authenticate": f'Basic realm="{realm}"'}, body)

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
        status, headers, body = error_page(404)
        self.attempts.append(Attempt("127.0.0.1:8181", 404, 0.001, len(body)))
        return self._finish(status, headers, body)

    # upstream

    def _fetch(self, at: Location | None, upstream: Upstream) -> Relayed:
        notes = at.notes if at is not None else {}
        network, first = self.container.network(), self._first(at, upstream)
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
                if walk.status in _codes(notes) and (instead := self._instead(at, walk.status)) is not None:
                    return instead
                return self._passed(walk)
            self.attempts.append(Attempt(address, 504 if silent or late else 502, waited, 0))
            self._complain(walk, address, silent, late)
            if late or self.asked.method not in ("GET", "HEAD", "PUT", "DELETE", "OPTIONS") and walk.exit_code not in (7, 28):
                break
        return self._page(self.attempts[-1].status)

    def _first(self, at: Location | None, upstream: Upstream) -> int:
        """The endpoint that is asked first: the one that the client is tied to, that a text leads to, or whose turn it is."""
        notes, asked = at.notes if at is not None else {}, self.asked
        facts = {"uri": asked.path, "path": asked.path.partition("?")[0], "host": asked.host, "client": asked.client, "method": asked.method,
                 "scheme": asked.scheme}
        if name := gates.sticks(notes):
            known = gates.cookie(asked.headers, name)
            if known is None:
                known = self._tied(at, name, upstream)
                if self.chance.rate is not None:
                    return self.chance.pick([(number, 1.0) for number in range(len(upstream.peers))])
            return gates.nearest(known, upstream.peers)
        if (text := gates.hashed_by(notes, facts, asked.headers)) is not None:
            return gates.nearest(text, upstream.peers)
        return self.parent.turn(self.container, upstream, self.chance)

    def _tied(self, at: Location, name: str, upstream: Upstream) -> str:
        """The value of a new cookie, which leads to the same endpoint each time; the answer brings it."""
        backend = hashlib.md5(upstream.name.encode(), usedforsecurity=False).hexdigest()
        value = f"{self.container.now():.3f}.{self.parent._requests}.30.0|{backend}"
        seconds = at.notes.get("session-cookie-expires", "")
        ends = http_time(self.container.time() + timedelta(seconds=int(seconds))) if seconds.isdecimal() and len(seconds) < 9 else ""
        self.extra["Set-Cookie"] = gates.new_cookie(at.notes, name, value, at.said[1] or "/", ends)
        return value

    def _instead(self, at: Location, status: int) -> Relayed | None:
        """The error is told to the Ingress's default backend, whose answer goes out."""
        upstream = self._stand_in(at) if "default-backend" in at.notes else None
        if upstream is None or not upstream.peers:
            return None
        service = at.backend.get("service") or {}
        port = service.get("port") or {}
        asked = self.asked
        told = {"X-Code": str(status), "X-Format": gates.header(asked.headers, "accept") or "", "X-Original-URI": asked.path,
                "X-Namespace": at.ingress[0], "X-Ingress-Name": at.ingress[1], "X-Service-Name": service.get("name", ""),
                "X-Service-Port": str(port.get("number") or port.get("name", "")), "X-Request-ID": asked.id}
        host, number = upstream.peers[self.parent.turn(self.container, upstream, self.chance)]
        walk = self.container.network().request(host, number, asked.method, "/", None, {**self._headers({}), **told}, asked.log)
        self.hops.extend(walk.hops)
        self.attempts.append(Attempt(f"{host}:{number}", walk.status or 502, walk.seconds, len(walk.body.encode())))
        return self._passed(walk) if walk.status is not None else self._page(502)

    def _rewritten(self, at: Location | None) -> str:
        """The path that the endpoint is asked for."""
        target = at.notes.get("rewrite-target") if at is not None else None
        path, mark, query = self.asked.path.partition("?")
        if not target or at is None or target == at.path:
            return self.asked.path
        match = Trials().match(at.path, path)
        if match is None:
            return self.asked.path
        new = re.sub(r"\$(\d)", lambda name: (match[int(name[1])] or "") if int(name[1]) <= (match.re.groups or 0) else "", target[:LONGEST_TARGET])
        return f"{new or '/'}{mark}{query}"

    def _headers(self, notes: dict[str, str]) -> dict[str, str]:
        """What goes on to the endpoint: the client's own headers, after nginx's."""
        asked = self.asked
        port = str(HTTPS if asked.scheme == "https" else HTTP)
        mine = {"Host": notes.get("upstream-vhost") or asked.headers.get("Host", asked.host), "X-Request-ID": asked.id, "X-Real-IP": asked.client,
                "X-Forwarded-For": asked.client, "X-Forwarded-Host": asked.headers.get("Host", asked.host), "X-Forwarded-Port": port,
                "X-Forwarded-Proto": asked.scheme, "X-Forwarded-Scheme": asked.scheme, "X-Scheme": asked.scheme}
        if "x-forwarded-prefix" in notes:
            mine["X-Forwarded-Prefix"] = notes["x-forwarded-prefix"]
        lower = {name.lower() for name in (*mine, "Connection")}
        return {**mine, **{name: value for name, value in asked.headers.items() if name.lower() not in lower}}

    def _passed(self, walk: Walk) -> Relayed:
        kept = {name: value for name, value in walk.headers.items() if name.lower() not in HIDDEN}
        return self._finish(walk.status or 200, kept, walk.body)

    # nginx's own

    def _page(self, status: int) -> Relayed:
        return self._finish(*error_page(status))

    def _redirect(self, status: int, location: str) -> Relayed:
        self._hop(self.asked.host, f"{status} to {location}", None)
        code, headers, body = error_page(status)
        return self._finish(code, {**headers, "Location": location}, body)

    def _finish(self, status: int, headers: dict[str, str], body: str) -> Relayed:
        asked = self.asked
        sent = {"Date": f"{self.container.time():%a, %d %b %Y %H:%M:%S} GMT", **headers, "Connection": "keep-alive",
                **self.extra, **(HSTS if asked.scheme == "https" else {})}
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
                  f'{length} {self.seconds:.3f} [{self.upstream}] [{self.alternative}] {" ".join(upstream)} {asked.id}', "stdout")

    def _complain(self, walk: Walk, address: str, silent: bool, late: bool) -> None:
        """The line in nginx's error log."""
        why = "upstream timed out (110: Operation timed out) while reading response header from upstream" if late \
            else "upstream timed out (110: Operation timed out) while connecting to upstream" if silent \
            else "SSL_do_handshake() failed (SSL: error:0A00010B:SSL routines::wrong version number) while SSL handshaking to upstream" \
            if walk.fault == NOT_TLS \
            else "upstream prematurely closed connection while reading response header from upstream" if walk.connected \
            else f"connect() failed ({_errno(walk.fault)}: {walk.fault}) while connecting to upstream"
        self._error(why, f', upstream: "http://{address}{self.asked.path}"')

    def _error(self, why: str, beside: str = "") -> None:
        asked = self.asked
        if asked.log:
            self._say(f'{self.container.time():%Y/%m/%d %H:%M:%S} [error] 30#30: *{self.parent._requests} {why}, client: {asked.client}, '
                      f'server: {asked.host}, request: "{asked.method} {asked.path} HTTP/1.1"{beside}, host: '
                      f'"{asked.headers.get("Host", asked.host)}"', "stderr")

    def _say(self, text: str, stream: str) -> None:
        self.container.log.add(self.container.now(), text, stream)
        self.container.log.flush()

    def _hop(self, what: str, decision: str, at: Location | None) -> None:
        detail: dict[str, Any] | None = {"ingress": "/".join(at.ingress), "path": at.path, "kind": at.kind} if at is not None else None
        self.hops.append(Hop("ingress", what, decision, detail))


def _seconds(text: str | None, default: float) -> float:
    return float(text) if text is not None and text.isdecimal() and 0 < int(text) <= 3600 else default


def _code(text: str | None, default: int) -> int:
    return int(text) if text in ("301", "302", "308") else default


def _codes(notes: dict[str, str]) -> tuple[int, ...]:
    """The answers that ``custom-http-errors`` takes out of an endpoint's hands."""
    return tuple(int(word) for word in notes.get("custom-http-errors", "").replace(" ", "").split(",") if word.isdecimal() and len(word) == 3)


def _errno(fault: str) -> int:
    return {"Connection refused": 111, "No route to host": 113, "Network is unreachable": 101}.get(fault, 111)
