"""Making rooms, their pages, and what is typed there: manifests, command lines, addresses."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, g, render_template, request

from server.rooms import apply, browser, kubeconfig
from server.rooms.room import RoomError
from server.web import asked, assets

http = Blueprint("pages", __name__)


@http.get("/")
def index() -> str:
    return render_template("index.html", nonce=g.nonce)


@http.get("/healthz")
def healthz() -> dict[str, str]:
    return {"status": "ok"}


@http.post("/api/rooms")
def create_room() -> tuple[dict[str, str], int]:
    data = asked.body()
    room = asked.podium().rooms.create(
        preset=asked.given(data, "preset", str, "a string") or "", seed=data.get("seed"),
        speed=data["speed"] if data.get("speed") is not None else 1.0, nodes=data.get("nodes"), who=request.remote_addr or "",
        metrics_server=asked.given(data, "metrics_server", bool, "true or false") or False)
    return asked.links(room), 201


@http.post("/r/<name>/fork")
def fork_room(name: str) -> tuple[dict[str, str], int]:
    """A new room that goes on from where this one was at a revision, or is now."""
    live, data = asked.live(name), asked.body()
    revision = asked.given(data, "revision", int, "a revision")
    speed, paused = asked.given(data, "speed", (int, float), "a number"), asked.given(data, "paused", bool, "true or false")
    room = asked.podium().rooms.fork(
        lambda: live.pasts.fork(revision), live.room.speed if speed is None else speed, bool(paused), request.remote_addr or "")
    return asked.links(room), 201


@http.get("/r/<name>", strict_slashes=False)
def page(name: str) -> Any:
    try:
        room = asked.room(name)
    except RoomError as error:
        return render_template("index.html", nonce=g.nonce, problem=error.code, reason=str(error)), error.code
    first = assets.assets.modules("js/theme.js", "js/wire.js", "js/first.js")
    later = [module for module in assets.assets.modules("js/room.js") if module not in first]
    return assets.packed_page(render_template(
        "room.html", room=room.name, key=room.key, nonce=g.nonce, modules=first, later=later,
        language=request.accept_languages.best_match(("en", "ko"), "en")))


@http.get("/r/<name>/kubeconfig")
def get_kubeconfig(name: str) -> Response:
    room = asked.room(name)
    text = kubeconfig.of(room, f"{asked.base()}/r/{room.name}/k8s/{room.key}")
    return Response(text, mimetype="application/yaml", headers={"Content-Disposition": f'attachment; filename="podium-{room.name}.yaml"'})


@http.post("/r/<name>/apply")
def post_apply(name: str) -> dict[str, Any]:
    room = asked.room(name)
    text = asked.text("YAML")
    with room.asked():
        return {"results": apply.apply(room, text, request.args.get("dry_run", "") in ("1", "true"), apply.source(request.args.get("file", "")))}


@http.post("/r/<name>/terminal")
def post_terminal(name: str) -> dict[str, Any]:
    live = asked.live(name)
    live.room.wait_turn()
    data = asked.body()
    line, revision = asked.given(data, "line", str, "a string"), asked.given(data, "revision", int, "a revision")
    if line is None:
        raise RoomError("line is missing: the command to run")
    terminal = live.http_terminal(f"{asked.base()}/r/{live.room.name}/k8s/{live.room.key}", revision)
    try:
        return terminal.run(line)
    finally:
        if revision is not None:
            terminal.leave()


@http.post("/r/<name>/browse")
def post_browse(name: str) -> dict[str, Any]:
    live, data = asked.live(name), asked.body()
    url, insecure = asked.given(data, "url", str, "a string"), asked.given(data, "insecure", bool, "true or false")
    if url is None:
        raise RoomError("url is missing: the address to open")
    with live.room.turn():
        seen = live.room.while_still(browser.browse, live.workstation(), url, bool(insecure))
    live.room.after_write()
    return seen
