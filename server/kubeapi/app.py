"""The Kubernetes REST API of every room, as one WSGI application: ``/r/ROOM/k8s/KEY/...``.

In: HTTP requests of kubectl and other real clients. Out: what the room's API server answers, in the form the client accepts. It is
mounted below Flask (``mount``), since Flask would double the cost of a request. Nothing is decided here: path, query and media
types are turned into one ``Request``, and errors into Status objects.
"""

from __future__ import annotations

import gzip
import itertools
import logging
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from server.cluster.apiserver import query, routing
from server.cluster.apiserver.authorization import ADMIN
from server.cluster.apiserver.request import Request, Response
from server.cluster.apiserver.resources import RESOURCES
from server.cluster.errors import ApiError, Unreachable, bad_request, internal, no_such_resource, too_many_requests
from server.kubeapi import documents, media, streams, upgrades, wire
from server.kubeapi.rooms import Resolve, RoomLike
from server.kubeapi.wire import Environ, Headers, StartResponse

log = logging.getLogger(__name__)

WRITES = frozenset(("create", "update", "patch", "delete", "deletecollection"))
UPGRADED = frozenset(("exec", "attach", "portforward"))
MANY, TURN = 500, 0.002  # objects of an answer that is made in parts, and seconds that go into one
PLAIN = media.Media(media.JSON)  # the cheapest to write: its objects are encoded already
INCLUDES = ("None", "Metadata", "Object")


class KubeApi:
    """The WSGI application; ``resolve(room, key)`` gives the room. What is not ours goes to ``below``."""

    def __init__(self, resolve: Resolve, below: Callable[[Environ, StartResponse], Iterable[bytes]]) -> None:
        self.resolve = resolve
        self.below = below

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        path: str = environ["PATH_INFO"]
        if path.startswith("/r/"):
            parts = path.split("/", 5)
            if len(parts) > 4 and parts[3] == "k8s":
                return self._serve(environ, start_response, parts[2], parts[4], "/" + parts[5] if len(parts) > 5 else "/")
        return self.below(environ, start_response)

    def _serve(self, environ: Environ, start_response: StartResponse, name: str, key: str, path: str) -> Iterable[bytes]:
        exchange = _Exchange(environ, start_response, path)
        try:
            room = self._room(name, key)
            room.come_in()
            return exchange.run(room)
        except ApiError as error:
            return exchange.refuse(error)
        except Exception as error:
            if (code := getattr(error, "code", None)) in (429, 503):
                return exchange.refuse(too_many_requests(str(error), 1) if code == 429 else ApiError(503, "ServiceUnavailable", str(error)))
            log.exception("%s %s", environ["REQUEST_METHOD"], path)
            return exchange.refuse(internal(f"{type(error).__name__}: {error}"))

    def _room(self, name: str, key: str) -> RoomLike:
        try:
            room = self.resolve(name, key)
        except Exception as error:
            code = getattr(error, "code", None)
            if code is None:
                raise
            if code in (401, 403, 404):
                raise ApiError(401, "Unauthorized", "Unauthorized") from error
            raise ApiError(code, "ServiceUnavailable" if code == 503 else "", str(error)) from error
        room.touch()
        return room


def mount(app: Any, resolve: Resolve) -> KubeApi:
    """Puts the API before a Flask application's own routes and whatever already wraps them."""
    app.wsgi_app = KubeApi(resolve, app.wsgi_app)
    return app.wsgi_app


def _many(room: RoomLike, resource: str) -> bool:
    return resource in RESOURCES and len(room.cluster.api.lister(resource)) > MANY


def _paused(parts: Iterable[bytes], pause: Callable[[], None]) -> Iterator[bytes]:
    """Parts that are sent together as soon as a few milliseconds have gone into them; then others have their turn."""
    ready, end = [], time.perf_counter() + TURN
    for part in parts:
        ready.append(part)
        if time.perf_counter() > end:
            yield b"".join(ready)
            pause()
            ready, end = [], time.perf_counter() + TURN
    yield b"".join(ready)


class _Exchange:
    """One request and its answer."""

    def __init__(self, environ: Environ, start_response: StartResponse, path: str) -> None:
        self.environ = environ
        self.start_response = start_response
        self.path = path
        self.method: str = environ["REQUEST_METHOD"]
        text = environ.get("QUERY_STRING", "")
        self.query = query.parse(text) if text else {}
        self.user_agent: str = environ.get("HTTP_USER_AGENT", "")
        self.accept: str = environ.get("HTTP_ACCEPT", "")

    def run(self, room: RoomLike) -> Iterable[bytes]:
        target = routing.target(self.method, self.path)
        if target is None:
            return self._document(room)
        if target.subresource in UPGRADED:
            return self._upgrade(room, target)
        is_log = target.subresource == "log"
        form = media.Media(media.JSON) if is_log else media.accepted(self.accept)
        watching = target.verb == "list" and (target.watched or query.wants_watch(self.query))
        verb = "watch" if watching else target.verb
        writing = target.verb in WRITES
        options = query.options(self.query, verb)
        raw, content_type = wire.content(self.environ) if writing else (None, "")
        request = Request(
            verb, target.resource.key, target.namespace, target.name, target.subresource,
            raw=raw, content_type=content_type, options=options,
            client=wire.client_name(self.user_agent, options.field_manager),
            user=self.environ.get("HTTP_IMPERSONATE_USER") or ADMIN,
            table=self._included() if form.shape == "Table" else None, in_parts=MANY,
        )
        if watching:
            streams.watch(self.environ, room, request, form)
            return []
        room.wait_turn()
        if verb == "deletecollection" or (verb == "list" and _many(room, target.resource.key)):
            with room.long_turn():
                response = room.cluster.api.request(request)
        else:
            response = room.cluster.api.request(request)
        if writing and not options.dry_run:
            room.after_write()
        if response.count() > (MANY if form != PLAIN or self._takes_gzip() else 2 * MANY):
            return self._long_answer(room, response, form)
        return self._log(room, response) if is_log else self._answer(response, form)

    def _upgrade(self, room: RoomLike, target: routing.Target) -> Iterable[bytes]:
        """``exec``, ``attach``, ``portforward``: a conversation over this request's connection."""
        upgrades.check(self.environ, room, target.subresource)
        options = query.options(self.query, target.verb)
        request = Request(target.verb, target.resource.key, target.namespace, target.name, target.subresource, options=options,
                          client=wire.client_name(self.user_agent), user=self.environ.get("HTTP_IMPERSONATE_USER") or ADMIN)
        room.wait_turn()
        session = room.cluster.api.request(request).session
        room.instant()
        return upgrades.serve(self.environ, self.start_response, room, target.subresource, session, options)

    def _included(self) -> str:
        include = (self.query.get("includeObject") or [""])[0] or "Metadata"
        if include not in INCLUDES:
            raise bad_request(f'unrecognized includeObject value: "{include}"')
        return include

    def _document(self, room: RoomLike) -> Iterable[bytes]:
        found, api = None, room.cluster.api
        if api.outage is not None and isinstance(error := api.outage(Request("watch", "")), Unreachable):
            raise error
        if self.method in ("GET", "HEAD"):
            found = documents.find(self.path, self.query, self.accept, self.environ.get("HTTP_HOST", ""),
                                   room.cluster.store.revision, lambda: room.cluster.api.lister("namespaces").get("", "kube-system"),
                                   room.cluster.api.extended())
        if found is None:
            if documents.in_served_group(self.path):
                raise no_such_resource()
            return self._send(404, documents.TEXT, documents.NOT_FOUND.encode())
        headers = [("ETag", found.etag), ("Vary", "Accept")] if found.etag else []
        if found.etag and found.etag in self.environ.get("HTTP_IF_NONE_MATCH", ""):
            return self._send(304, found.type, b"", headers)
        if found.zipped is not None and self._takes_gzip():
            return self._send(found.code, found.type, found.zipped, [*headers, ("Content-Encoding", "gzip")])
        body = found.body
        if found.type == media.JSON and not found.etag and query.pretty(self.query, self.user_agent):
            body = media.pretty(body)
        return self._send(found.code, found.type, body, headers)

    def _log(self, room: RoomLike, response: Response) -> Iterable[bytes]:
        if response.stream is not None:
            streams.follow(self.environ, room, response)
            return []
        return self._send(response.code, "text/plain", (response.text or "").encode(), wire.warnings(response.warnings))

    def _answer(self, response: Response, form: media.Media) -> Iterable[bytes]:
        indent = query.pretty(self.query, self.user_agent)
        if form.type == media.JSON and not form.shape and not indent:
            body = response.json() + b"\n"
        else:
            body = media.encoded(media.shaped(response.object, form), form, indent)
        headers = wire.warnings(response.warnings)
        if len(body) >= documents.GZIP_FROM and self._takes_gzip():
            body = gzip.compress(body, 1)
            headers += [("Content-Encoding", "gzip"), ("Vary", "Accept-Encoding")]
        return self._send(response.code, form.type, body, headers)

    def _long_answer(self, room: RoomLike, response: Response, form: media.Media) -> Iterable[bytes]:
        """A large list or table, made while it is sent: nobody waits for all of it to be encoded."""
        indent = query.pretty(self.query, self.user_agent)
        if form.type == media.JSON and not form.shape and not indent:
            parts = itertools.chain(response.pieces(), (b"\n",))
        else:
            parts = media.pieces(media.shaped(response.object, form), form, indent)
        headers = wire.warnings(response.warnings)
        if self._takes_gzip():
            parts = wire.zipped(parts)
            headers += [("Content-Encoding", "gzip"), ("Vary", "Accept-Encoding")]
        return wire.send_pieces(self.environ, self.start_response, response.code, form.type, _paused(parts, room.pause), headers)

    def refuse(self, error: ApiError) -> Iterable[bytes]:
        """A Status: always JSON, whatever the client would rather have."""
        body = media.encoded(error.status(), media.Media(media.JSON), query.pretty(self.query, self.user_agent))
        return self._send(error.code, media.JSON, body, wire.retry_after(error))

    def _takes_gzip(self) -> bool:
        return "gzip" in self.environ.get("HTTP_ACCEPT_ENCODING", "")

    def _send(self, code: int, type_: str, body: bytes, headers: Headers | None = None) -> Iterable[bytes]:
        return wire.send(self.environ, self.start_response, code, type_, body, headers or [])
