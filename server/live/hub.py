"""The live wire: who is in which room, the scene's diffs to all of them, and their terminals.

Everyone in a room hears the same ordered diffs, encoded once; a browser that finds a gap asks for the scene again. A room whose page
nobody has open keeps no scene.
"""

from __future__ import annotations

import time
from typing import Any

from flask import request
from flask_socketio import ConnectionRefusedError, SocketIO, emit, join_room

from server.cluster.process import Channel, Process
from server.kubectl.completion import complete
from server.live.scene import Scene
from server.rooms.files import Files
from server.rooms.manager import Rooms
from server.rooms.room import Room, RoomError
from server.rooms.terminal import Terminal

FLUSH_EVERY = 0.075
MAX_TERMINALS = 8
MAX_INPUT = 64 * 1024


class RoomLive:
    """What a room has beside its cluster while people look at it. Made with the room, asleep until somebody joins."""

    def __init__(self, socketio: SocketIO, room: Room) -> None:
        self._socketio = socketio
        self.room = room
        self.files = Files()
        self._scene: Scene | None = None
        self._http: Terminal | None = None
        self._flushed = 0.0
        room.on_tick.append(self._tick)
        room.changed.append(self.tell_clock)

    @property
    def scene(self) -> Scene:
        """The scene as of now; what others have not been told yet goes to them first."""
        if self._scene is None:
            self._scene = Scene(self.room.cluster)
        else:
            self._broadcast()
        return self._scene

    def http_terminal(self, server_url: str) -> Terminal:
        """The session that all ``POST /terminal`` lines share."""
        if self._http is None:
            self._http = Terminal(self.room, self.files, server_url)
        return self._http

    def snapshot(self) -> dict[str, Any]:
        return {"room": self.room.name, **self.scene.snapshot(), "clock": {"paused": self.room.paused, "speed": self.room.speed}}

    def _tick(self) -> None:
        now = time.monotonic()
        if self._scene is None or now - self._flushed < FLUSH_EVERY:
            return
        self._flushed = now
        if self.room.people:
            self._broadcast()
        else:
            self._scene.close()
            self._scene = None

    def _broadcast(self) -> None:
        for diff in self._scene.flush():
            self._socketio.emit("diff", diff, to=self.room.name)

    def tell_clock(self) -> None:
        self._socketio.emit("clock", self.room.clock(), to=self.room.name)

    def tell_people(self) -> None:
        self._socketio.emit("people", {"count": len(self.room.people)}, to=self.room.name)


class Person:
    """One browser in a room: its terminal session and the commands that run in it."""

    def __init__(self, live: RoomLive, server_url: str) -> None:
        self.live = live
        self.terminal = Terminal(live.room, live.files, server_url)
        self.running: dict[str, tuple[Process, Channel]] = {}

    def leave(self) -> None:
        for process, _ in list(self.running.values()):
            process.interrupt()


def attach(socketio: SocketIO, rooms: Rooms, lives: dict[str, RoomLive], server_url: Any) -> None:
    """Registers the Socket.IO events."""
    people: dict[str, Person] = {}

    def person() -> Person | None:
        found = people.get(request.sid)
        if found is not None:
            found.live.room.touch()
        return found

    @socketio.on("connect")
    def _connect(auth: Any = None) -> None:
        auth = auth if isinstance(auth, dict) else {}
        try:
            room = rooms.get(str(auth.get("room", "")), str(auth.get("key", "")))
        except RoomError as error:
            raise ConnectionRefusedError(str(error)) from None
        if len(room.people) >= room.settings.max_people:
            raise ConnectionRefusedError(f"this room holds at most {room.settings.max_people} people")
        live = lives[room.name]
        people[request.sid] = room.people[request.sid] = Person(live, server_url(room))
        join_room(room.name)
        live.tell_people()

    @socketio.on("disconnect")
    def _disconnect(*_: Any) -> None:
        found = people.pop(request.sid, None)
        if found is not None:
            found.live.room.people.pop(request.sid, None)
            found.leave()
            found.live.tell_people()

    @socketio.on("join")
    def _join(data: Any = None) -> None:
        found = person()
        if found is not None:
            since = data.get("since") if isinstance(data, dict) else None
            snapshot = found.live.snapshot()
            if since is None or since != snapshot["revision"] or data.get("scene") != snapshot["scene"]:
                emit("snapshot", snapshot)
            emit("clock", found.live.room.clock())
            emit("people", {"count": len(found.live.room.people)})

    @socketio.on("resync")
    def _resync(*_: Any) -> None:
        found = person()
        if found is not None:
            emit("snapshot", found.live.snapshot())

    @socketio.on("terminal.start")
    def _start(data: Any) -> None:
        found = person()
        if found is None or not isinstance(data, dict) or not isinstance(data.get("line"), str):
            return
        sid, name = request.sid, str(data.get("id", ""))[:64]

        def say(stream: str, text: str) -> None:
            socketio.emit("terminal.output", {"id": name, "stream": stream, "data": text}, to=sid)

        def left(code: int) -> None:
            found.running.pop(name, None)
            socketio.emit("terminal.exit", {"id": name, "code": code}, to=sid)

        if len(found.running) >= MAX_TERMINALS or name in found.running:
            say("stderr", f"podium: {MAX_TERMINALS} commands are running in this terminal already\n")
            left(1)
            return
        stdin = Channel(1000)
        try:
            process = found.terminal.start(data["line"], lambda text: say("stdout", text), lambda text: say("stderr", text), left, stdin)
        except RoomError as error:
            say("stderr", f"podium: {error}\n")
            left(1)
            return
        if process.alive:
            found.running[name] = (process, stdin)

    @socketio.on("terminal.interrupt")
    def _interrupt(data: Any) -> None:
        found = person()
        if found is not None and isinstance(data, dict) and (entry := found.running.get(str(data.get("id")))):
            entry[0].interrupt()

    @socketio.on("terminal.input")
    def _input(data: Any) -> None:
        found = person()
        if found is None or not isinstance(data, dict) or not isinstance(data.get("data"), str):
            return
        entry = found.running.get(str(data.get("id")))
        if entry is not None and len(data["data"]) <= MAX_INPUT:
            entry[1].put(data["data"])
            found.live.room.instant()

    @socketio.on("terminal.complete")
    def _complete(data: Any) -> dict[str, Any]:
        found = person()
        line = data.get("line") if isinstance(data, dict) else None
        if found is None or not isinstance(line, str) or len(line) > found.live.room.settings.max_line:
            return {"from": 0, "candidates": []}
        cursor = data.get("cursor")
        start, candidates = complete(line, cursor if isinstance(cursor, int) else len(line), found.terminal.context())
        return {"from": start, "candidates": candidates[:200]}
