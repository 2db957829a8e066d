"""The live wire with real Socket.IO clients: what they hear, what they may ask, and what a bad one can do to the others."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from urllib.parse import urlsplit

import engineio
import pytest
import socketio

from tests.rooms.conftest import Server

WAIT = 20


class InOrder(engineio.Client):
    """Hears one message after another, as a browser does; by itself it gives each a thread."""

    def _trigger_event(self, event, *args, run_async=False, **kwargs):
        return super()._trigger_event(event, *args, run_async=False, **kwargs)


class Client(socketio.Client):
    def _engineio_client_class(self):
        return InOrder


class Browser:
    """A client that keeps its scene as the page does: a snapshot, then diffs that must join on."""

    def __init__(self, room, key=None):
        self.heard = []
        self.things, self.revision, self.gaps = {}, None, 0
        self.changed = threading.Condition()
        self.client = Client(reconnection=False)
        for name in ("snapshot", "diff", "clock", "people", "terminal.output", "terminal.exit", "terminal.taken", "edit", "edit.over", "files"):
            self.client.on(name, lambda data, name=name: self._hear(name, data))
        self.client.connect(room.server.base, auth={"room": room.name, "key": room.key if key is None else key}, transports=["websocket"])

    def _hear(self, name, data):
        with self.changed:
            self.heard.append((name, data))
            if name == "snapshot":
                self.things, self.revision = dict(data["things"]), data["revision"]
            elif name == "diff" and self.revision is not None:
                if data["from"] != self.revision:
                    self.gaps += 1
                for op in data["ops"]:
                    if op[0] == "set":
                        self.things[op[1]] = op[2]
                    else:
                        self.things.pop(op[1])
                self.revision = data["to"]
            self.changed.notify_all()

    def until(self, done, what="it"):
        with self.changed:
            assert self.changed.wait_for(done, WAIT), f"waited in vain for {what}; heard {[name for name, _ in self.heard]}"

    def all(self, name):
        return [data for heard, data in self.heard if heard == name]

    def join(self):
        self.client.emit("join", {"since": None})
        self.until(lambda: self.revision is not None, "a snapshot")

    def exits(self, name):
        return [data["code"] for data in self.all("terminal.exit") if data["id"] == name]

    def printed(self, name):
        return "".join(data["data"] for data in self.all("terminal.output") if data["id"] == name).replace("\r\n", "\n")

    def run(self, name, line):
        self.client.emit("terminal.start", {"id": name, "line": line})
        self.until(lambda: self.exits(name), f"the end of {line}")
        return self.printed(name)


@pytest.fixture
def room(server):
    return server.room(seed=5)


@pytest.fixture
def browsers(room):
    made = []

    def browser(of=None, **options):
        made.append(Browser(of or room, **options))
        return made[-1]

    yield browser
    for one in made:
        one.client.disconnect()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    running = Server(tmp_path_factory.mktemp("data"))
    yield running
    running.stop()


def settled(room):
    """The scene over HTTP, with the room's clock stopped."""
    return room.scene()


def test_two_browsers_see_the_same_and_what_the_server_sees(room, browsers):
    first = browsers()
    first.join()
    room.run("kubectl create deployment web --image=nginx --replicas=5")
    second = browsers()
    second.join()
    room.advance(30)
    room.run("kubectl scale deployment web --replicas=2")
    room.advance(60)
    room.ask("POST", "/clock", {"paused": True})
    truth = settled(room)
    assert sum(name.startswith("Pod/default/web-") for name in truth) == 2
    for one in (first, second):
        one.until(lambda one=one: one.things == truth, "the scene of the server")
        assert one.gaps == 0


def test_who_comes_back_with_the_present_revision_gets_no_snapshot_and_who_asks_gets_one(room, browsers):
    room.ask("POST", "/clock", {"paused": True})
    one = browsers()
    one.join()
    told = one.all("snapshot")[0]
    one.client.emit("join", {"since": one.revision, "scene": told["scene"]})
    one.until(lambda: len(one.all("clock")) >= 2, "the clock")
    assert len(one.all("snapshot")) == 1
    one.client.emit("resync", {})
    one.until(lambda: len(one.all("snapshot")) == 2, "a second snapshot")
    assert one.all("snapshot")[1]["things"] == told["things"]


def test_a_browser_that_asks_for_the_scene_again_and_again_gets_it_once_a_while(room, browsers):
    one = browsers()
    one.join()
    for _ in range(60):
        one.client.emit("resync", {})
    one.until(lambda: len(one.all("snapshot")) >= 2, "another snapshot")
    assert one.run("t", "echo hello") == "hello\n"
    assert len(one.all("snapshot")) <= 4


def test_a_wrong_key_and_an_unknown_room_are_refused(room, browsers, server):
    for key in ("wrong", "", "\udc80"):
        with pytest.raises(socketio.exceptions.ConnectionError):
            browsers(key=key)
    assert server.ask("GET", "/healthz")[0] == 200


def test_the_terminal_prints_ends_and_is_stopped(room, browsers):
    one = browsers()
    assert "w1-k8s" in one.run("a", "kubectl get nodes")
    one.client.emit("terminal.start", {"id": "b", "line": "kubectl get pods -A -w"})
    one.until(lambda: "kube-system" in one.printed("b"), "the first lines")
    one.client.emit("terminal.interrupt", {"id": "b"})
    one.until(lambda: one.exits("b"), "the end of the watch")
    assert one.exits("b") == [130]
    assert one.run("c", "nosuch") == "bash: nosuch: command not found\n" and one.exits("c") == [127]


def test_what_is_typed_reaches_the_command_and_its_keys_are_signals(room, browsers):
    one = browsers()
    one.client.emit("terminal.start", {"id": "t", "line": "cat; echo over", "columns": 100, "rows": 30})
    one.client.emit("terminal.input", {"id": "t", "data": "hello\r"})
    one.until(lambda: one.printed("t") == "hello\nhello\n", "the echo and the answer")
    one.client.emit("terminal.input", {"id": "t", "data": "\x04"})
    one.until(lambda: one.exits("t") == [0], "the end of input")
    assert one.printed("t").endswith("over\n")
    one.client.emit("terminal.start", {"id": "s", "line": "sleep 1000"})
    one.client.emit("terminal.input", {"id": "s", "data": "\x03"})
    one.until(lambda: one.exits("s") == [130], "Ctrl-C")
    one.client.emit("terminal.start", {"id": "r", "line": "ssh w1-k8s"})
    one.until(lambda: "root@w1-k8s" in one.printed("r"), "the prompt of the node")
    one.client.emit("terminal.resize", {"id": "r", "columns": 60, "rows": 20})
    one.client.emit("terminal.input", {"id": "r", "data": "hostname; exit\r"})
    one.until(lambda: one.exits("r") == [0], "the way back")


def test_a_command_that_is_not_whole_waits_and_several_lines_are_taken_one_by_one(room, browsers):
    one = browsers()
    one.client.emit("terminal.start", {"id": "a", "line": "for i in 1 2"})
    one.until(lambda: one.all("terminal.taken"), "the shell's word")
    assert one.all("terminal.taken") == [{"id": "a", "lines": 0, "more": True}] and not one.exits("a")
    assert one.run("b", "for i in 1 2\ndo echo $i; done\necho next") == "1\n2\n"
    assert one.all("terminal.taken")[-1] == {"id": "b", "lines": 2, "more": False}


def test_the_prompt_follows_the_directory(room, browsers):
    one = browsers()
    one.run("a", "mkdir -p x/y; cd x/y")
    one.run("b", "cd /etc")
    assert [exit["place"] for exit in one.all("terminal.exit")] == ["~/x/y", "/etc"]
    assert browsers().run("c", "pwd") == "/root\n"


def test_a_command_that_waits_for_an_edit_goes_on_when_its_person_has_saved(room, browsers):
    one, other = browsers(), browsers()
    one.client.emit("terminal.start", {"id": "a", "line": "vi /tmp/x; cat /tmp/x"})
    one.until(lambda: one.all("edit"), "the editor")
    assert one.all("edit") == [{"name": "/tmp/x", "id": "1", "text": "", "fresh": True}]
    for wrong in (None, 3, {}, {"id": "1", "text": 3}, {"id": "1", "text": "x" * 300_000}, {"id": "9", "text": "x"}):
        assert one.client.call("edit.done", wrong, timeout=WAIT) is False
    assert other.client.call("edit.done", {"id": "1", "text": "theirs\n"}, timeout=WAIT) is False
    assert one.client.call("edit.done", {"id": "1", "text": "mine\n"}, timeout=WAIT) is True
    one.until(lambda: one.exits("a") == [0], "the end")
    assert one.printed("a").endswith("mine\n")
    one.client.emit("terminal.start", {"id": "b", "line": "vi /tmp/x"})
    one.until(lambda: len(one.all("edit")) == 2, "the editor")
    one.client.emit("terminal.interrupt", {"id": "b"})
    one.until(lambda: one.all("edit.over") == [{"id": "2"}] and one.exits("b") == [130], "the interrupt")


def test_files_that_change_are_told_and_edit_opens_one_for_its_person_only(room, browsers):
    one, other = browsers(), browsers()
    one.run("a", "echo hi > note.txt; edit note.txt")
    one.until(lambda: one.all("edit") == [{"name": "note.txt"}], "the editor")
    other.until(lambda: {"changed": ["note.txt"]} in other.all("files"), "the change")
    assert not other.all("edit")
    room.ask("PUT", "/files/lesson/a.yaml", "kind: Pod\n")
    one.until(lambda: any("lesson/a.yaml" in told["changed"] for told in one.all("files")), "the new file")
    assert one.run("b", "cat lesson/a.yaml") == "kind: Pod\n"


def test_completion_answers(room, browsers):
    one = browsers()
    answer = one.client.call("terminal.complete", {"line": "kubectl get no", "cursor": 14}, timeout=WAIT)
    assert "nodes" in [candidate if isinstance(candidate, str) else candidate["text"] for candidate in answer["candidates"]]
    for wrong in (None, [], {"line": 5}, {"line": "x" * 100_000}, {"line": "kubectl ", "cursor": -5}, {"line": "kubectl ", "cursor": "x"}):
        assert "candidates" in one.client.call("terminal.complete", wrong, timeout=WAIT)


def test_a_browser_that_leaves_takes_its_commands_with_it(room, browsers):
    one = browsers()
    for number in range(8):
        one.client.emit("terminal.start", {"id": str(number), "line": "kubectl get pods -A -w"})
    one.client.emit("terminal.start", {"id": "one too many", "line": "echo hi"})
    one.until(lambda: one.exits("one too many"), "the refusal")
    assert "commands are running in this terminal already" in one.printed("one too many")
    one.client.disconnect()
    other = browsers()
    for number in range(8):
        assert other.run(str(number), "echo hi") == "hi\n"


def test_garbage_is_ignored_and_the_browser_stays(room, browsers):
    one = browsers()
    for event in ("join", "resync", "terminal.start", "terminal.input", "terminal.interrupt", "terminal.complete", "no.such.event", "connect"):
        for data in (None, 5, "x", [], [[]], {}, {"id": {}}, {"id": [], "line": "echo"}, {"line": None}, {"since": {}}, b"\x00\xff"):
            one.client.emit(event, data)
    assert one.run("still here", "echo yes") == "yes\n"


def test_people_are_counted(room, browsers):
    first = browsers()
    first.join()
    second = browsers()
    first.until(lambda: first.all("people")[-1:] == [{"count": 2}], "two people")
    second.client.disconnect()
    first.until(lambda: first.all("people")[-1:] == [{"count": 1}], "one person")


def test_the_clock_is_told_to_everyone(room, browsers):
    one = browsers()
    room.ask("POST", "/clock", {"speed": 7})
    one.until(lambda: any(clock["speed"] == 7 for clock in one.all("clock")), "the new speed")


def masked(opcode: int, data: bytes) -> bytes:
    size = bytes([0x80 | len(data)]) if len(data) < 126 else b"\xfe" + len(data).to_bytes(2, "big") if len(data) < 65_536 else \
        b"\xff" + len(data).to_bytes(8, "big")
    return bytes([0x80 | opcode]) + size + b"\0\0\0\0" + data


def raw(room, origin=None, takes=0) -> socket.socket:
    """A WebSocket by hand, in the room."""
    where = urlsplit(room.server.base)
    line = socket.socket()
    line.settimeout(WAIT)
    if takes:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, takes)
    line.connect((where.hostname, where.port))
    line.sendall(f"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: {where.netloc}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                 f"{f'Origin: {origin}' + chr(13) + chr(10) if origin else ''}"
                 "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode())
    answer = line.recv(4096)
    if b" 101 " in answer:
        line.sendall(masked(1, f'40{{"room":"{room.name}","key":"{room.key}"}}'.encode()))
    else:
        line.close()
        raise ConnectionRefusedError(answer)
    return line


def test_pages_of_other_sites_get_no_socket(room):
    with pytest.raises(ConnectionRefusedError):
        raw(room, origin="http://evil.example")
    raw(room, origin=room.server.base).close()


@pytest.mark.parametrize("frame", [masked(1, b"3"), masked(9, b"ping"), masked(1, b'42["resync",{}]'),
                                   masked(1, b'42["terminal.complete",{"line":"kubectl "}]')],
                         ids=["pongs", "pings", "resyncs", "completions"])
def test_a_flood_over_one_socket_holds_up_nobody_else(server, room, frame):
    innocent = server.room(seed=6)
    flooding = raw(room)
    stop = threading.Event()

    def flood():
        try:
            while not stop.is_set():
                flooding.sendall(frame * 200)
        except OSError:
            pass

    thread = threading.Thread(target=flood, daemon=True)
    thread.start()
    for _ in range(40):
        assert innocent.run("echo hi")["stdout"] == "hi\n"
    stop.set()
    with suppress(OSError):
        flooding.shutdown(socket.SHUT_RDWR)
    flooding.close()
    thread.join(WAIT)
    assert not thread.is_alive()


def test_a_message_that_is_too_large_ends_its_connection_only(server, room, browsers):
    one = browsers()
    line = raw(room)
    line.sendall(masked(1, b"x" * 600_000))
    line.settimeout(WAIT)
    with pytest.raises((ConnectionError, StopIteration)):
        while True:
            if not line.recv(65_536):
                raise StopIteration
    assert one.run("t", "echo hi") == "hi\n"


def test_a_browser_that_never_reads_is_dropped(server, browsers):
    room = server.room(seed=8)
    deaf = raw(room, takes=2048)
    one = browsers(room)
    one.join()
    one.until(lambda: one.all("people")[-1:] == [{"count": 2}], "the deaf one")

    line = "yes $(seq 1 2000) | head -c 4000000"
    for number in range(8):
        deaf.sendall(masked(1, f'42["terminal.start",{{"id":"{number}","line":"{line}"}}]'.encode()))
    one.until(lambda: one.all("people")[-1] == {"count": 1}, "its going")
    assert one.run("t", "echo hi") == "hi\n"
    deaf.close()
