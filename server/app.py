"""The web application: pages, the rooms' HTTP interface, the Kubernetes API and Socket.IO wired together, and nothing else."""

from __future__ import annotations

import secrets
from typing import Any

import orjson
from flask import Blueprint, Flask, Response, current_app, g, render_template, request
from flask.json.provider import JSONProvider
from flask_socketio import SocketIO

from server import green, kubeapi
from server.cluster import schema
from server.cluster.network.traffic import HIGHEST_RATE
from server.live import inspect, wire
from server.live.hub import RoomLive, attach
from server.rooms import apply, browser, files, kubeconfig, machines
from server.rooms.manager import Rooms
from server.rooms.room import Room, RoomError
from server.settings import Settings

DISCARDED = 8
TARGETS = "a Service as namespace/name, Pod/namespace/name, Node//name or http://host:port/path"
rooms_http = Blueprint("rooms", __name__)
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

    def loads(self, s: str | bytes, **_: Any) -> Any:
        return orjson.loads(s)


class Podium:
    """What a running server consists of; kept on the Flask application as ``app.podium``."""

    def __init__(self, settings: Settings, socketio: SocketIO) -> None:
        self.settings = settings
        self.socketio = socketio
        self.lives: dict[str, RoomLive] = {}
        self.rooms = Rooms(settings, self._opened)

    def _opened(self, room: Room) -> None:
        self.lives[room.name] = RoomLive(self.socketio, room)
        room.on_close.append(lambda: self.lives.pop(room.name))

    def close(self) -> None:
        self.rooms.close()


def create_app(settings: Settings) -> Flask:
    """The Flask application, with Socket.IO and the Kubernetes API below it in ``app.wsgi_app``."""
    app = Flask("server", static_folder="../static", template_folder="../templates")
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body
    app.json = Json(app)
    socketio = SocketIO(app, async_mode="eventlet", ping_interval=10, ping_timeout=10, max_http_buffer_size=MAX_PACKET,
                        http_compression=False, json=wire)
    app.podium = Podium(settings, socketio)
    app.register_blueprint(rooms_http)
    app.before_request(_nonce)
    app.before_request(_fair)
    app.before_request(_bounded)
    app.after_request(_secured)
    app.register_error_handler(RoomError, lambda error: ({"error": str(error)}, error.code))
    app.register_error_handler(413, lambda error: ({"error": f"the request is larger than {settings.max_body} bytes"}, 413))
    app.register_error_handler(500, lambda error: ({"error": "something broke inside Podium; the server's log says what"}, 500))
    app.register_error_handler(404, lambda error: ({"error": "there is nothing at this address"}, 404))
    app.register_error_handler(405, lambda error: ({"error": "this address does not take that method"}, 405))
    app.register_error_handler(400, lambda error: ({"error": error.description}, 400))
    attach(socketio, app.podium.rooms, app.podium.lives, lambda room: f"{_base()}/r/{room.name}/k8s/{room.key}")
    kubeapi.mount(app, app.podium.rooms.get)
    app.wsgi_app = _without_deflate(app.wsgi_app)
    schema.definitions()
    return app


def _without_deflate(below: Any) -> Any:
    """WebSocket compression costs more than it saves here (see README): it is never agreed to. What Socket.IO serves before Flask sees
    it lets others have their turn, too."""

    def application(environ: dict[str, Any], start_response: Any) -> Any:
        environ.pop("HTTP_SEC_WEBSOCKET_EXTENSIONS", None)
        environ["wsgi.input_terminated"] = True  # the server ends a body where it ends, be its length told or not
        if environ["PATH_INFO"].startswith("/socket.io/"):
            green.sleep(0)
        return below(environ, start_response)

    return application


def _nonce() -> None:
    g.nonce = secrets.token_urlsafe(16)


def _fair() -> tuple[dict[str, str], int] | None:
    """A connection that is never idle lets others have their turn, and pages of other sites make nothing here."""
    green.sleep(0)
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


def _podium() -> Podium:
    return current_app.podium


def _room(name: str) -> Room:
    return _podium().rooms.get(name, request.args.get("key"))


def _live(name: str) -> RoomLive:
    return _podium().lives[_room(name).name]


def _base() -> str:
    return (current_app.podium.settings.public_url or request.host_url).rstrip("/")


def _body() -> dict[str, Any]:
    """The request's JSON object; an empty body is an empty object."""
    if not request.get_data(cache=True).strip():
        return {}
    data = request.get_json(force=True, silent=True)
    if not isinstance(data, dict):
        raise RoomError("the body must be a JSON object")
    return data


def _given(data: dict[str, Any], name: str, kinds: type | tuple[type, ...], what: str) -> Any:
    value = data.get(name)
    if value is not None and (not isinstance(value, kinds) or (isinstance(value, bool) and kinds is not bool)):
        raise RoomError(f"{name} must be {what}")
    return value


@rooms_http.get("/")
def index() -> str:
    return render_template("index.html", nonce=g.nonce)


@rooms_http.get("/healthz")
def healthz() -> dict[str, str]:
    return {"status": "ok"}


@rooms_http.post("/api/rooms")
def create_room() -> tuple[dict[str, str], int]:
    data = _body()
    room = _podium().rooms.create(
        preset=_given(data, "preset", str, "a string") or "", seed=data.get("seed"),
        speed=data["speed"] if data.get("speed") is not None else 1.0, nodes=data.get("nodes"), who=request.remote_addr or "",
        metrics_server=_given(data, "metrics_server", bool, "true or false") or False)
    base = _base()
    return {"room": room.name, "key": room.key, "url": f"{base}/r/{room.name}?key={room.key}",
            "kubernetes": f"{base}/r/{room.name}/k8s/{room.key}"}, 201


@rooms_http.get("/r/<name>")
def page(name: str) -> str:
    try:
        room = _room(name)
    except RoomError as error:
        return render_template("index.html", nonce=g.nonce, problem=str(error)), error.code
    return render_template("room.html", room=room.name, key=room.key, nonce=g.nonce)


@rooms_http.get("/r/<name>/kubeconfig")
def get_kubeconfig(name: str) -> Response:
    room = _room(name)
    text = kubeconfig.of(room, f"{_base()}/r/{room.name}/k8s/{room.key}")
    return Response(text, mimetype="application/yaml", headers={"Content-Disposition": f'attachment; filename="podium-{room.name}.yaml"'})


@rooms_http.post("/r/<name>/apply")
def post_apply(name: str) -> dict[str, Any]:
    room = _room(name)
    try:
        text = request.get_data().decode()
    except UnicodeDecodeError:
        raise RoomError("the YAML is not UTF-8 text") from None
    with room.asked():
        return {"results": apply.apply(room, text, dry_run=request.args.get("dry_run", "") in ("1", "true"))}


@rooms_http.post("/r/<name>/terminal")
def post_terminal(name: str) -> dict[str, Any]:
    live = _live(name)
    live.room.wait_turn()
    line = _given(_body(), "line", str, "a string")
    if line is None:
        raise RoomError("line is missing: the command to run")
    return live.http_terminal(f"{_base()}/r/{live.room.name}/k8s/{live.room.key}").run(line)


@rooms_http.post("/r/<name>/browse")
def post_browse(name: str) -> dict[str, Any]:
    live, data = _live(name), _body()
    url, insecure = _given(data, "url", str, "a string"), _given(data, "insecure", bool, "true or false")
    if url is None:
        raise RoomError("url is missing: the address to open")
    with live.room.turn():
        seen = live.room.while_still(browser.browse, live.workstation(), url, bool(insecure))
    live.room.after_write()
    return seen


@rooms_http.get("/r/<name>/scene")
def get_scene(name: str) -> dict[str, Any]:
    return _live(name).snapshot()


@rooms_http.post("/r/<name>/clock")
def post_clock(name: str) -> dict[str, Any]:
    room = _room(name)
    data = _body()
    paused, speed = _given(data, "paused", bool, "true or false"), _given(data, "speed", (int, float), "a number")
    advance = _given(data, "advance", (int, float), "a number of seconds")
    if paused is not None or speed is not None:
        room.set_clock(paused, speed)
    if data.get("step"):
        room.step()
    if advance is not None:
        room.advance(advance)
    return room.clock()


@rooms_http.post("/r/<name>/traffic")
def post_traffic(name: str) -> dict[str, Any]:
    room, data = _room(name), _body()
    target, port, source = _aimed(data)
    rate = _given(data, "rate", (int, float), "requests per second")
    if not target or rate is None:
        raise RoomError(f"target ({TARGETS}) and rate (requests per second) are needed")
    if not 0 <= rate <= HIGHEST_RATE:
        raise RoomError(f"rate must be from 0 to {HIGHEST_RATE:.0f} requests per second")
    try:
        with room.turn():
            identity = room.cluster.network.traffic.aim(target, port, float(rate), source)
    except ValueError as error:
        raise RoomError(str(error)) from None
    room.after_write()
    return {"id": identity, "target": target, "rate": rate}


@rooms_http.get("/r/<name>/traffic")
def get_traffic(name: str) -> dict[str, Any]:
    room = _room(name)
    with room.turn():
        traffic = room.cluster.network.traffic
        return {"sources": [{**source, "counts": traffic.counts(source["name"])} for source in traffic.sources()]}


@rooms_http.post("/r/<name>/traffic/follow")
def post_follow(name: str) -> dict[str, Any]:
    """One request, with everything that was decided on its way."""
    room, data = _room(name), _body()
    target, port, source = _aimed(data)
    if not target:
        raise RoomError(f"target ({TARGETS}) is needed")
    try:
        with room.turn():
            followed = room.cluster.network.traffic.follow(target, port, source)
    except ValueError as error:
        raise RoomError(str(error)) from None
    room.after_write()
    return followed


@rooms_http.post("/r/<name>/load-balancer")
def post_load_balancer(name: str) -> dict[str, Any]:
    """Whether the cluster has a load balancer: without one, Services of that type wait for their address."""
    room = _room(name)
    on = _given(_body(), "on", bool, "true or false")
    with room.turn():
        balancer = room.cluster.network.load_balancer
        if on is not None:
            balancer.switch(on)
        answer = {"on": balancer.on, "pool": [balancer.pool[0], balancer.pool[-1]]}
    room.after_write()
    return answer


def _aimed(data: dict[str, Any]) -> tuple[str | None, int | None, str]:
    """(target, port, source) of a body about traffic."""
    return (_given(data, "target", str, TARGETS), _given(data, "port", int, "a port number"),
            _given(data, "source", str, "outside, or a pod as Pod/namespace/name") or "")


@rooms_http.get("/r/<name>/chaos")
def get_chaos(name: str) -> dict[str, Any]:
    room = _room(name)
    with room.turn():
        chaos = room.cluster.chaos
        return {"kinds": chaos.kinds(), "active": chaos.active(), "acts": chaos.acts()}


@rooms_http.post("/r/<name>/chaos")
def post_chaos(name: str) -> dict[str, Any]:
    room, data = _room(name), _body()
    fault, target = _given(data, "fault", str, "the name of a fault"), _given(data, "target", str, "what it is to strike")
    if not fault or not target:
        raise RoomError("fault and target are needed")
    params = {field: value for field, value in data.items() if field not in ("fault", "target", "by")}
    with room.turn():
        record = _chaos(room, lambda chaos: chaos.inject(fault, target, _by(data), **params))
    room.after_write()
    return record


@rooms_http.delete("/r/<name>/chaos")
def delete_chaos(name: str) -> dict[str, Any]:
    room, identity = _room(name), request.args.get("id", "")
    with room.turn():
        healed = _chaos(room, lambda chaos: [chaos.heal(identity)] if identity else chaos.heal_all())
    room.after_write()
    return {"healed": healed}


def _chaos(room: Room, function: Any) -> Any:
    """What ``function(chaos)`` gives, while nothing in the cluster is half done."""
    try:
        return room.while_still(function, room.cluster.chaos)
    except ValueError as error:
        raise RoomError(str(error)) from None


def _by(data: dict[str, Any]) -> str:
    return (_given(data, "by", str, "a name") or "")[:100]


@rooms_http.get("/r/<name>/nodes")
def get_nodes(name: str) -> dict[str, Any]:
    room = _room(name)
    with room.turn():
        return {"nodes": machines.shown(room.cluster)}


@rooms_http.post("/r/<name>/nodes")
def post_nodes(name: str) -> dict[str, Any]:
    room, data = _room(name), _body()
    with room.turn():
        done = room.while_still(machines.act, room.cluster, data, room.settings.max_nodes, _by(data))
    room.after_write()
    return done


@rooms_http.get("/r/<name>/inspect")
def get_inspect(name: str) -> dict[str, Any]:
    room = _room(name)
    with room.turn():
        found = room.while_still(inspect.inspect, room.cluster, request.args.get("id", ""))
    if found is None:
        raise RoomError("there is no such thing in this cluster", 404)
    return found


@rooms_http.get("/r/<name>/examples")
def get_examples(name: str) -> list[dict[str, str]]:
    return files.examples()


@rooms_http.get("/r/<name>/files")
def get_files(name: str) -> dict[str, Any]:
    live = _live(name)
    with live.room.turn():
        return {"files": files.listing(live.workstation().files)}


@rooms_http.get("/r/<name>/files/<path:file>")
def get_file(name: str, file: str) -> Response:
    live = _live(name)
    with live.room.turn():
        return Response(files.read(live.workstation().files, file), mimetype="text/plain")


@rooms_http.put("/r/<name>/files/<path:file>")
def put_file(name: str, file: str) -> dict[str, str]:
    live = _live(name)
    try:
        text = request.get_data().decode()
    except UnicodeDecodeError:
        raise RoomError("the file is not UTF-8 text") from None
    with live.room.turn():
        files.write(live.workstation().files, file, text)
    live.room.after_write()
    return {"name": file}


@rooms_http.delete("/r/<name>/files/<path:file>")
def delete_file(name: str, file: str) -> dict[str, str]:
    live = _live(name)
    with live.room.turn():
        files.remove(live.workstation().files, file)
    live.room.after_write()
    return {"deleted": file}


