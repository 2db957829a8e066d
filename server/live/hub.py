"""The live wire: who is in which room, the scene's diffs to all of them, and their terminals.

Everyone in a room hears the same ordered diffs, encoded once; a browser that finds a gap asks for the scene again. A room whose page
nobody has open keeps no scene.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import orjson
from flask import request
from flask_socketio import ConnectionRefusedError, SocketIO, emit, join_room

from server import green
from server.live.scene import Scene
from server.live.timeline import Timeline, write
from server.rooms import files, pages
from server.rooms.editing import MOST_TEXT, Editing
from server.rooms.manager import Rooms
from server.rooms.past import Past, Pasts, Shelf
from server.rooms.room import Room, RoomError
from server.rooms.terminal import Line, Terminal
from server.rooms.workstation import Workstation

FLUSH_EVERY = 0.075
MAX_TERMINALS = 8
MAX_INPUT = 64 * 1024
MOST_WAITING, MOST_BYTES = 300, 8 * 1024 * 1024  # what a browser has not taken yet; one that is further behind has to come back
SNAPSHOT_EVERY = 1.0
SCENE_LASTS = 5.0
FLUSHES = 1_000
DRAWN, ENCODED = 40, 500  # things of a past that are drawn, and written as JSON, before others have their turn


def _behind(connection: Any) -> bool:
    waiting = connection.queue.queue
    return len(waiting) > MOST_WAITING or sum(len(packet.data) for packet in waiting if packet and isinstance(packet.data, str)) > MOST_BYTES


def _size(data: dict[str, Any]) -> tuple[int, int]:
    """Columns and rows of a screen."""
    columns, rows = data.get("columns"), data.get("rows")
    return (columns if isinstance(columns, int) and columns > 0 else 80, rows if isinstance(rows, int) and rows > 0 else 24)


class RoomLive:
    """What a room has beside its cluster while people look at it. Made with the room, asleep until somebody joins."""

    def __init__(self, socketio: SocketIO, room: Room, shelf: Shelf | None = None) -> None:
        self._socketio = socketio
        self.room = room
        self._scene: Scene | None = None
        self._workstation: Workstation | None = None
        self.pasts = Pasts(room, shelf)
        self.timeline = Timeline(room.cluster)
        self._seen: dict[str, Any] = {}
        self._files_changed = False
        self._http: Terminal | None = None
        self._flushed = 0.0
        self._looked = 0.0
        self._counted = 0
        room.on_tick.append(self._tick)
        room.changed.append(self.tell_clock)
        room.on_close.append(self._close_scene)

    def scene(self) -> Scene:
        """The scene as of now; what others have not been told yet goes to them first. While a large one is drawn up, others have
        their turn."""
        if self._scene is None:
            self._scene = Scene(self.room.cluster)
        scene = self._scene
        self._looked = time.monotonic()
        for _ in range(FLUSHES):
            self._broadcast()
            if not scene.behind or scene is not self._scene:
                break
            self.room.pause()
        return scene

    def _close_scene(self) -> None:
        if self._scene is not None:
            self._scene.close()
            self._scene = None

    def past(self, revision: int, moment: float | None = None) -> dict[str, Any]:
        """The scene as it was at a kept revision."""
        past = self.pasts.at(revision, moment)
        with past.drawing:
            if past.scene is None:
                past.scene = self._drawn(past)
        return {"room": self.room.name, **past.scene, "clock": {"paused": True, "speed": self.room.speed},
                "past": {**(write(self.room.cluster, past.revision) or {}), "revision": past.revision, "time": past.cluster.clock.now,
                         "next": write(self.room.cluster, past.revision + 1)}}

    def _drawn(self, past: Past) -> dict[str, Any]:
        """The scene of a past, its things as they are sent, for whoever looks at it; others have their turn while it is drawn."""
        scene = Scene(past.cluster)
        for _ in range(FLUSHES):
            self.room.pause()
            scene.flush(DRAWN)
            if not scene.behind:
                break
        things = list(scene.things.items())
        parts = []
        for start in range(0, len(things), ENCODED):
            self.room.pause()
            parts.append(orjson.dumps(dict(things[start:start + ENCODED]))[1:-1])
        told = {**scene.snapshot(), "things": orjson.Fragment(b"{%b}" % b",".join(parts))}
        scene.close()
        return told

    def http_terminal(self, server_url: str, revision: int | None = None) -> Terminal:
        """The session that all ``POST /terminal`` lines share; each that is about the past has its own."""
        if revision is not None:
            past = self.pasts.of(revision)
            return Terminal(past, past.workstation(), server_url)
        if self._http is None:
            self._http = Terminal(self.room, self.workstation(), server_url)
        return self._http

    def workstation(self) -> Workstation:
        """The machine that everybody in the room sits at; switched on by the first who does."""
        if self._workstation is None:
            room = self.room
            fetch = pages.fetcher(bool(room.settings.fetch), room.instant)
            self._workstation = Workstation(room.cluster, fetch, lambda: room.paused)
            disks = room.cluster.parts.disks
            self._seen = dict(disks.files(files.DISK))
            disks.listen(files.DISK, self, self._touched)
        return self._workstation

    def _touched(self) -> None:
        self._files_changed = True

    def _tell_files(self) -> None:
        """Tells everybody which files of the workstation are not what they were."""
        self._files_changed = False
        now, before = self.room.cluster.parts.disks.files(files.DISK), self._seen
        changed = [path for path, node in now.items() if before.get(path) is not node] + [path for path in before if path not in now]
        self._seen = dict(now)
        names = sorted(files.name_of(path) for path in changed if files.name_of(path))
        if names:
            self._socketio.emit("files", {"changed": names[:files.SHOWN]}, to=self.room.name)

    def snapshot(self) -> dict[str, Any]:
        return {"room": self.room.name, **self.scene().snapshot(), "clock": {"paused": self.room.paused, "speed": self.room.speed}}

    def _tick(self) -> None:
        for person in tuple(self.room.people.values()):
            person.beat()
        now = time.monotonic()
        if now - self._flushed < FLUSH_EVERY:
            return
        self._flushed = now
        self.pasts.tidy()
        if len(self.room.people) != self._counted:
            self._counted = len(self.room.people)
            self._socketio.emit("people", {"count": self._counted}, to=self.room.name)
        if self._files_changed and self.room.people:
            self._tell_files()
        if self._scene is None:
            return
        if self.room.people:
            self._broadcast()
        elif now - self._looked > SCENE_LASTS:
            self._close_scene()

    def _broadcast(self) -> None:
        for diff in self._scene.flush() if self._scene is not None else ():
            self._socketio.emit("diff", diff, to=self.room.name)

    def tell_clock(self) -> None:
        self._socketio.emit("clock", self.room.clock(), to=self.room.name)


class Person:
    """One browser in a room: its terminal session and the commands that run in it. ``send(event, data)`` reaches it alone; ``behind()``
    says whether it takes too little of what it is sent, and ``drop()`` ends its connection."""

    def __init__(self, live: RoomLive, server_url: str, send: Callable[[str, Any], None], behind: Callable[[], bool],
                 drop: Callable[[], None]) -> None:
        self.live = live
        self._server_url = server_url
        self._terminal: Terminal | None = None
        self._aside: Terminal | None = None
        self._then: tuple[Past, Terminal] | None = None
        self.running: dict[str, Line] = {}
        self.starting: set[str] = set()
        self.send = send
        self.editing = Editing(send)
        self._behind = behind
        self._drop = drop
        self._said: list[dict[str, str]] = []
        self._shown = 0.0
        self._wants_scene = False

    @property
    def terminal(self) -> Terminal:
        """The person's session at the workstation."""
        if self._terminal is None:
            self._terminal = Terminal(self.live.room, self.live.workstation(), self._server_url, self.editing)
        return self._terminal

    @property
    def aside(self) -> Terminal:
        """A session beside the person's own, for what the page's panels run: it leaves the variables and jobs of theirs alone."""
        if self._aside is None:
            self._aside = Terminal(self.live.room, self.live.workstation(), self._server_url)
        return self._aside

    def session(self, name: str, revision: Any = None) -> Terminal:
        """Where a command of that id runs, on the cluster as it is or at a kept revision: an id that begins with @ is a panel's. RoomError
        if the revision cannot be looked at."""
        if revision is not None:
            if isinstance(revision, bool) or not isinstance(revision, int):
                raise RoomError("revision must be a whole number")
            return self._past_session(revision)
        return self.aside if name.startswith("@") else self.terminal

    def _past_session(self, revision: int) -> Terminal:
        """The person's session in the past; one at a time."""
        past = self.live.pasts.of(revision)
        if self._then is None or self._then[0] is not past:
            self._leave_past()
            self._then = past, Terminal(past, past.workstation(), self._server_url)
            past.on_close.append(self._leave_past)
        return self._then[1]

    def _leave_past(self) -> None:
        if self._then is not None:
            past, terminal = self._then
            self._then = None
            past.on_close.remove(self._leave_past)
            terminal.leave()

    def show(self) -> None:
        """Sends the scene, at once if the last time is a while ago."""
        if time.monotonic() - self._shown < SNAPSHOT_EVERY:
            self._wants_scene = True
            return
        self._wants_scene = False
        self._shown = time.monotonic()
        with self.live.room.turn():
            self.send("snapshot", self.live.snapshot())

    def say(self, name: str, stream: str, text: str) -> None:
        """What a command prints: what it prints in a row is sent together."""
        last = self._said[-1] if self._said else None
        if last is not None and last["id"] == name and last["stream"] == stream:
            last["data"] += text
        else:
            self._said.append({"id": name, "stream": stream, "data": text})

    def exited(self, name: str, code: int, unread: str, terminal: Terminal) -> None:
        self.tell()
        self.send("terminal.exit", {"id": name, "code": code, "place": terminal.place, **({"unread": unread} if unread else {})})

    def beat(self) -> None:
        """Called by the room's clock: what has come together goes out, unless nobody takes it."""
        if self._behind():
            self._said.clear()
            self._drop()
            return
        self.tell()
        if self._wants_scene and time.monotonic() - self._shown >= SNAPSHOT_EVERY:
            self._wants_scene = False
            green.soon(self.show)

    def tell(self) -> None:
        said, self._said = self._said, []
        for output in said:
            self.send("terminal.output", output)

    def leave(self) -> None:
        self._leave_past()
        for terminal in (self._terminal, self._aside):
            if terminal is not None:
                terminal.leave()


def attach(socketio: SocketIO, rooms: Rooms, lives: dict[str, RoomLive], server_url: Any) -> None:
    """Registers the Socket.IO events."""
    people: dict[str, Person] = {}
    engine = socketio.server.eio

    def connection(sid: str) -> Any:
        return engine.sockets.get(socketio.server.manager.eio_sid_from_sid(sid, "/"))

    def person() -> Person | None:
        found = people.get(request.sid)
        if found is not None:
            found.live.room.touch()
        return found

    def on(event: str) -> Callable[[Callable[[Any], Any]], None]:
        """A handler gets one value, whatever and however much a client sends."""
        return lambda handler: socketio.on(event)(lambda *sent: handler(sent[0] if sent else None))

    @socketio.on("connect")
    def _connect(auth: Any = None) -> None:
        auth = auth if isinstance(auth, dict) else {}
        try:
            room = rooms.get(str(auth.get("room", "")), str(auth.get("key", "")))
        except RoomError as error:
            raise ConnectionRefusedError(str(error), {"code": error.code}) from None
        if len(room.people) >= room.settings.max_people:
            raise ConnectionRefusedError(f"this room holds at most {room.settings.max_people} people", {"code": 503})
        sid = request.sid
        wire = connection(sid)
        people[sid] = room.people[sid] = Person(
            lives[room.name], server_url(room), lambda event, data: socketio.emit(event, data, to=sid), lambda: _behind(wire),
            lambda: wire.close(wait=False, abort=True))
        join_room(room.name)

    @socketio.on("disconnect")
    def _disconnect(*_: Any) -> None:
        found = people.pop(request.sid, None)
        if found is not None:
            found.live.room.people.pop(request.sid, None)
            found.leave()

    @on("join")
    def _join(data: Any) -> dict[str, Any] | None:
        found = person()
        if found is None:
            return None
        scene = found.live.scene()
        if not isinstance(data, dict) or data.get("since") != scene.revision or data.get("scene") != scene.instance:
            found.show()
        emit("clock", found.live.room.clock())
        emit("people", {"count": len(found.live.room.people)})
        return {"scene": scene.instance, "revision": scene.revision}

    @on("resync")
    def _resync(_: Any) -> None:
        found = person()
        if found is not None:
            found.show()

    @on("terminal.start")
    def _start(data: Any) -> None:
        found = person()
        if found is None or not isinstance(data, dict) or not isinstance(data.get("line"), str):
            return
        name = str(data.get("id", ""))[:64]
        found.live.room.wait_turn()
        try:
            terminal = found.session(name, data.get("revision"))
        except RoomError as error:
            emit("terminal.output", {"id": name, "stream": "stderr", "data": f"podium: {error}\n"})
            emit("terminal.exit", {"id": name, "code": 1})
            return
        if people.get(request.sid) is not found:
            found.leave()
            return
        begun = found.running.keys() | found.starting
        if len(begun) >= MAX_TERMINALS or name in begun:
            why = f"{name} is running already" if name in begun else f"{MAX_TERMINALS} commands are running in this terminal already"
            emit("terminal.output", {"id": name, "stream": "stderr", "data": f"podium: {why}\n"})
            if name not in begun:
                emit("terminal.exit", {"id": name, "code": 1})
            return

        def left(code: int) -> None:
            line = found.running.pop(name, None)
            found.exited(name, code, line.unread if line is not None else "", terminal)

        text, _ = terminal.take(data["line"])
        found.send("terminal.taken", {"id": name, "lines": text.count("\n") + 1 if text else 0, "more": not text and bool(data["line"].strip())})
        if not text:
            return
        columns, rows = _size(data)
        found.starting.add(name)
        try:
            line = terminal.start(text, lambda text: found.say(name, "stdout", text), lambda text: found.say(name, "stderr", text), left,
                                  typed=True, columns=columns, rows=rows)
        except RoomError as error:
            found.say(name, "stderr", f"podium: {error}\n")
            left(1)
            return
        finally:
            found.starting.discard(name)
        if not line.ended:
            found.running[name] = line

    @on("terminal.interrupt")
    def _interrupt(data: Any) -> None:
        found = person()
        if found is not None and isinstance(data, dict) and (entry := found.running.get(str(data.get("id")))):
            entry.hang_up() if str(data.get("id")).startswith("@") else entry.feed("\x03")

    @on("terminal.input")
    def _input(data: Any) -> None:
        found = person()
        if found is None or not isinstance(data, dict) or not isinstance(data.get("data"), str):
            return
        entry = found.running.get(str(data.get("id")))
        if entry is not None and len(data["data"]) <= MAX_INPUT:
            entry.feed(data["data"])
            found.tell()

    @on("edit.done")
    def _edited(data: Any) -> bool:
        found = person()
        text = data.get("text") if isinstance(data, dict) else ""
        if found is None or not isinstance(data, dict) or text is not None and (not isinstance(text, str) or len(text) > MOST_TEXT):
            return False
        heard = found.editing.done(str(data.get("id")), text)
        found.live.room.instant()
        return heard

    @on("terminal.resize")
    def _resize(data: Any) -> None:
        found = person()
        if found is not None and isinstance(data, dict) and (entry := found.running.get(str(data.get("id")))):
            entry.resize(*_size(data))

    @on("terminal.complete")
    def _complete(data: Any) -> dict[str, Any]:
        found = person()
        line = data.get("line") if isinstance(data, dict) else None
        if found is None or not isinstance(line, str) or len(line) > found.live.room.settings.max_line:
            return {"from": 0, "candidates": []}
        given = data.get("cursor")
        cursor = min(max(given, 0), len(line)) if isinstance(given, int) else len(line)
        with found.live.room.turn():
            try:
                terminal = found.session("", data.get("revision"))
            except RoomError:
                return {"from": cursor, "candidates": []}
            start, candidates = terminal.complete(line, cursor)
        return {"from": start, "candidates": candidates[:200]}
