"""The web application: pages, the rooms' HTTP interface, the Kubernetes API and Socket.IO wired together, and nothing else."""

from __future__ import annotations

import secrets
from typing import Any

import orjson
from flask import Flask, Response, current_app, g, request
from flask.json.provider import JSONProvider
from flask_socketio import SocketIO

from server import green, kubeapi, web
from server.cluster import schema
from server.live import wire
from server.live.hub import RoomLive, attach
from server.rooms.manager import Rooms
from server.rooms.past import Shelf
from server.rooms.room import Room, RoomError
from server.settings import Settings
from server.web import asked, assets

DISCARDED = 8
SECURITY = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "SAMEORIGIN",
}
CSP = ("default-src 'self'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
       "font-src 'self'; connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'self'")
MAX_PACKET = 512 * 1024


class Json(JSONProvider):
    """orjson for Flask: ten times as fast, and no NaN."""

    def dumps(self, obj: Any, **_: Any) -> str:
        return orjson.dumps(obj).decode()

    def response(self, *args: Any, **kwargs: Any) -> Response:
        return Response(orjson.dumps(self._prepare_response_obj(args, kwargs)), mimetype="application/json")

    def loads(self, s: str | bytes, **_: Any) -> Any:
        return orjson.loads(s)


class Podium:
    """What a running server consists of; kept on the Flask application as ``app.podium``."""

    def __init__(self, settings: Settings, socketio: SocketIO) -> None:
        self.settings = settings
        self.socketio = socketio
        self.lives: dict[str, RoomLive] = {}
        self.shelf = Shelf()
        self.rooms = Rooms(settings, self._opened)

    def _opened(self, room: Room) -> None:
        self.lives[room.name] = RoomLive(self.socketio, room, self.shelf)
        room.on_close.append(lambda: self.lives.pop(room.name))

    def close(self) -> None:
        self.rooms.close()


def create_app(settings: Settings) -> Flask:
    """The Flask application, with Socket.IO and the Kubernetes API below it in ``app.wsgi_app``."""
    app = Flask("server", static_folder=None, template_folder="../templates")
    assets.serve(app)
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body
    app.json = Json(app)
    socketio = SocketIO(app, async_mode="eventlet", ping_interval=10, ping_timeout=10, max_http_buffer_size=MAX_PACKET,
                        http_compression=False, json=wire)
    app.podium = Podium(settings, socketio)
    for blueprint in web.BLUEPRINTS:
        app.register_blueprint(blueprint)
    app.before_request(_nonce)
    app.before_request(_of_this_site)
    app.before_request(_bounded)
    app.after_request(_secured)
    app.register_error_handler(RoomError, lambda error: ({"error": str(error)}, error.code))
    app.register_error_handler(413, lambda error: ({"error": f"the request is larger than {settings.max_body} bytes"}, 413))
    app.register_error_handler(500, lambda error: ({"error": "something broke inside Podium; the server's log says what"}, 500))
    app.register_error_handler(404, lambda error: ({"error": "there is nothing at this address"}, 404))
    app.register_error_handler(405, lambda error: ({"error": "this address does not take that method"}, 405))
    app.register_error_handler(400, lambda error: ({"error": error.description}, 400))
    attach(socketio, app.podium.rooms, app.podium.lives, lambda room: f"{asked.base()}/r/{room.name}/k8s/{room.key}")
    kubeapi.mount(app, app.podium.rooms.get)
    app.wsgi_app = _in_turn(app.wsgi_app, app.podium.rooms)
    schema.definitions()
    return app


def _in_turn(below: Any, rooms: Rooms) -> Any:
    """Before anything is done for a request it waits for its turn: a connection that is never idle holds up nobody, and the requests of one
    room share that room's time. WebSocket compression costs more than it saves here (see README): it is never agreed to."""

    def application(environ: dict[str, Any], start_response: Any) -> Any:
        environ.pop("HTTP_SEC_WEBSOCKET_EXTENSIONS", None)
        environ["wsgi.input_terminated"] = True  # the server ends a body where it ends, be its length told or not
        path: str = environ["PATH_INFO"]
        parts = path.split("/", 4) if path.startswith("/r/") else ()
        room = rooms.awake(parts[2]) if parts else None
        if room is None:
            green.sleep(0)
        elif parts[3:4] != ["k8s"]:  # the Kubernetes API waits by itself: it refuses in Kubernetes' words
            try:
                room.come_in()
            except RoomError as error:
                return _refused(error, start_response)
        return below(environ, start_response)

    return application


def _refused(error: RoomError, start_response: Any) -> list[bytes]:
    body = orjson.dumps({"error": str(error)})
    start_response(f"{error.code} Too Many Requests",
                   [("Content-Type", "application/json"), ("Content-Length", str(len(body))), ("Retry-After", "1"), *SECURITY.items()])
    return [body]


def _nonce() -> None:
    g.nonce = secrets.token_urlsafe(16)


def _of_this_site() -> tuple[dict[str, str], int] | None:
    """Pages of other sites make nothing here."""
    if request.method not in ("GET", "HEAD", "OPTIONS") and request.headers.get("Sec-Fetch-Site") == "cross-site":
        return {"error": "requests from other sites are not taken"}, 403
    return None


def _bounded() -> tuple[dict[str, str], int] | None:
    """A body that is too large is read and thrown away (up to a limit), so that its sender gets to hear why it was refused."""
    limit = current_app.config["MAX_CONTENT_LENGTH"]
    if (request.content_length or 0) <= limit:
        return None
    left = min(request.content_length, DISCARDED * limit)
    while left > 0 and (chunk := request.environ["wsgi.input"].read(min(left, 65_536))):
        left -= len(chunk)
    return {"error": f"the request is larger than {limit} bytes"}, 413


def _secured(response: Response) -> Response:
    response.headers.update(SECURITY)
    if response.mimetype == "text/html":
        response.headers["Content-Security-Policy"] = CSP.format(nonce=g.nonce)
        response.headers["Cache-Control"] = "no-store"
    elif request.path.startswith("/static/"):
        response.headers["Cache-Control"] = "no-cache"
    return response
