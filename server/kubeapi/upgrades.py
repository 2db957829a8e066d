"""``exec``, ``attach`` and ``port-forward`` for real clients: HTTP requests that become two-way connections.

In: a request that asks for an upgrade and the ``Session`` or ``PortForward`` that the API server answered with. Out: the bytes between
them, over a WebSocket (``v5.channel.k8s.io`` and ``v4``: a byte before each message names its stream; port-forward tunnels SPDY) or
SPDY/3.1 itself. Text of programs and bytes of clients are the same but for the encoding (``surrogateescape``).

Source: https://kubernetes.io/docs/reference/using-api/ (KEP-4006, KEP-3157), RFC 6455
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Any

import orjson

from server import green
from server.cluster.apiserver.request import Options
from server.cluster.errors import ApiError, bad_request, too_many_requests
from server.cluster.runtime.session import Session
from server.kubeapi import spdy, wire
from server.kubeapi.rooms import RoomLike

log = logging.getLogger(__name__)

CHANNELS = ("v5.channel.k8s.io", "v4.channel.k8s.io")
TUNNEL, FORWARD = "SPDY/3.1+portforward.k8s.io", "portforward.k8s.io"
EXEC_PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io", "v3.channel.k8s.io")
STDIN, STDOUT, STDERR, ERROR, RESIZE, CLOSE = 0, 1, 2, 3, 4, 255
_KNOWN = {(True, "websocket"): (TUNNEL, *CHANNELS), (True, "spdy"): (FORWARD,), (False, "websocket"): CHANNELS, (False, "spdy"): EXEC_PROTOCOLS}
MOST_PORTS = 64
STREAMS_WITHIN = 30.0
PATIENCE = 4 * 3600.0
MOST_CONNECTIONS = 200
TYPED = 1024  # characters that a terminal is given at once: it looks at each


_open = green.Counter()  # how many such connections each room has


def wanted(environ: wire.Environ) -> str:
    """websocket | spdy | "": what the client wants its connection to become."""
    asked = environ.get("HTTP_UPGRADE", "").lower()
    return asked.partition("/")[0] if asked in ("websocket", "spdy/3.1") else ""


def check(environ: wire.Environ, room: RoomLike, what: str) -> None:
    """ApiError for a request that cannot be upgraded, before anything is started for it."""
    how = wanted(environ)
    if not how:
        raise bad_request("unable to upgrade: missing upgrade headers in request")
    if not _same_origin(environ):
        raise ApiError(403, "Forbidden", "connections of other sites' pages are not taken")
    offered = _offered(environ, "HTTP_SEC_WEBSOCKET_PROTOCOL" if how == "websocket" else "HTTP_X_STREAM_PROTOCOL_VERSION")
    known = _KNOWN[(what == "portforward", how)]
    if offered and not any(name in offered for name in known):
        raise ApiError(403 if how == "spdy" else 400, "BadRequest", "unable to upgrade: unable to negotiate protocol: client supports "
                       f"[{' '.join(offered)}], server supports [{' '.join(known)}]")
    if _open.of(room) >= MOST_CONNECTIONS:
        raise too_many_requests(f"this room has {MOST_CONNECTIONS} open sessions already; please try again later", 5)


def _offered(environ: wire.Environ, header: str) -> list[str]:
    return [word.strip() for word in environ.get(header, "").split(",") if word.strip()]


def _same_origin(environ: wire.Environ) -> bool:
    """A browser names the page that it connects from; other clients name none."""
    origin = environ.get("HTTP_ORIGIN", "")
    return not origin or origin.partition("//")[2] == environ.get("HTTP_HOST", "")


def serve(environ: wire.Environ, start_response: wire.StartResponse, room: RoomLike, what: str, session: Any, options: Options) -> Iterable[bytes]:
    """Carries the conversation that ``options`` asked for until it is over."""
    websocket, held = wanted(environ) == "websocket", _Held(session)
    with _open.one(room):
        room.feeds.add(held)
        try:
            if what == "portforward":
                carry: Callable[..., None] = lambda read, write: _forward(room, session, read, write)  # noqa: E731
                if websocket:
                    return green.websocket_served(
                        environ, start_response, (TUNNEL, *CHANNELS), lambda socket: carry(_bytes_of(socket), socket.send)
                        if socket.protocol == TUNNEL else _port_channels(room, session, socket, options.ports[:MOST_PORTS]))
                return green.upgraded(environ, "SPDY/3.1", [("X-Stream-Protocol-Version", FORWARD)], carry)
            if websocket:
                outputs = [number for number, asked in ((STDOUT, options.stdout), (STDERR, options.stderr)) if asked]
                return green.websocket_served(environ, start_response, CHANNELS, lambda socket: _over_channels(room, session, socket, outputs))
            offered = _offered(environ, "HTTP_X_STREAM_PROTOCOL_VERSION")
            chosen = next((name for name in EXEC_PROTOCOLS if name in offered), EXEC_PROTOCOLS[-1])
            return green.upgraded(environ, "SPDY/3.1", [("X-Stream-Protocol-Version", chosen)],
                                  lambda read, write: _over_spdy(room, session, read, write, options))
        finally:
            room.feeds.discard(held)
            held.end()
            room.instant()


class _Held:
    """An open conversation, as the room has it among its feeds."""

    def __init__(self, session: Any) -> None:
        self._session = session

    def end(self) -> None:
        self._session.close()


def _bytes_of(socket: Any) -> Callable[[], bytes]:
    def read() -> bytes:
        while (message := socket.receive()) is not None:
            if message:  # kubectl sends empty messages that mean nothing
                return message
        return b""

    return read


# exec and attach


class _Pump:
    """Takes a session's output to the client in a green thread of its own; ``send(stream, bytes)`` is the client's way to take it."""

    def __init__(self, session: Session, send: Callable[[str, bytes], None]) -> None:
        self._session = session
        self._send = send
        self._news = green.Signal()
        session.output.notify(self._news.set)
        self._news.set()

    def run(self) -> None:
        """Until the session is over or the client gone (OSError)."""
        output = self._session.output
        while True:
            while output.items:
                item = output.items.popleft()
                self._session.took(item)
                self._send(item[0], item[1].encode("utf-8", "surrogateescape"))
                green.sleep(0)
            if output.closed:
                return
            self._news.wait(PATIENCE)


def _typed(room: RoomLike, session: Session, data: bytes) -> None:
    """What the client has sent goes in, waiting while the process has not read what came before."""
    text = data.decode("utf-8", "surrogateescape")
    size = TYPED if session.tty is not None else max(1, len(text))
    for at in range(0, len(text), size):
        while not session.send(text[at:at + size]) and not session.output.closed:
            green.sleep(0.02)
        room.instant()
        if at + size < len(text):
            green.sleep(0)
    room.touch()


def _resized(session: Session, data: bytes) -> None:
    try:
        size = orjson.loads(data)
        session.resize(int(size["Width"]), int(size["Height"]))
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        return


def _over_channels(room: RoomLike, session: Session, socket: Any, outputs: list[int]) -> None:
    def reading() -> None:
        while (message := socket.receive()) is not None:
            if isinstance(message, str):
                message = message.encode()
            channel, data = message[:1], message[1:]
            if channel == bytes([STDIN]) and data:
                _typed(room, session, data)
            elif channel == bytes([RESIZE]):
                _resized(session, data)
            elif channel == bytes([CLOSE]) and data[:1] == bytes([STDIN]):
                session.close_stdin()
                room.instant()
        session.close()
        room.instant()

    reader = green.spawn(reading)
    try:
        for number in outputs:
            socket.send(bytes([number]))
        _Pump(session, lambda stream, data: socket.send(bytes([STDOUT if stream == "stdout" else STDERR]) + data)).run()
        if session.status is not None:
            socket.send(bytes([ERROR]) + orjson.dumps(session.status))
    except OSError:
        pass
    finally:
        reader.kill()


def _over_spdy(room: RoomLike, session: Session, read: Callable[[], bytes], write: Callable[[bytes], None], options: Options) -> None:
    expected = 1 + options.stdin + options.stdout + options.stderr
    streams: dict[str, spdy.Stream] = {}
    complete = green.Event()

    def opened(stream: spdy.Stream) -> None:
        kind = stream.headers.get("streamtype", "")
        streams[kind] = stream
        if kind == "stdin":
            green.spawn(typing, stream)
        elif kind == "resize":
            green.spawn(sizing, stream)
        if sum(name != "resize" for name in streams) >= expected and not complete.ready():
            complete.send()

    def typing(stream: spdy.Stream) -> None:
        while data := stream.receive():
            _typed(room, session, data)
        session.close_stdin()
        room.instant()

    def sizing(stream: spdy.Stream) -> None:
        while data := stream.receive():
            for line in data.splitlines():
                _resized(session, line)

    def reading() -> None:
        connection.run()
        session.close()
        room.instant()

    connection = spdy.Connection(read, write, opened)
    reader = green.spawn(reading)
    try:
        if not green.wait_for(complete, STREAMS_WITHIN):
            return
        _Pump(session, lambda stream, data: streams[stream].send(data) if stream in streams else None).run()
        if session.status is not None and "error" in streams:
            done = b"" if session.status["status"] == "Success" else orjson.dumps(session.status)
            streams["error"].send(done, end=True)
        for name in ("stdout", "stderr"):
            if name in streams:
                streams[name].send(b"", end=True)
        with green.Timeout(1, False):
            reader.wait()
    except OSError:
        pass
    finally:
        reader.kill()


# port-forward


def _forward(room: RoomLike, forward: Any, read: Callable[[], bytes], write: Callable[[bytes], None]) -> None:
    pairs: dict[str, dict[str, spdy.Stream]] = {}

    def opened(stream: spdy.Stream) -> None:
        request = stream.headers.get("requestid", "")
        pair = pairs.setdefault(request, {})
        pair[stream.headers.get("streamtype", "")] = stream
        if "data" in pair and "error" in pair:
            del pairs[request]
            green.spawn(_connection, room, forward, pair["data"], pair["error"])

    spdy.Connection(read, write, opened).run()


def _connection(room: RoomLike, forward: Any, data: spdy.Stream, error: spdy.Stream) -> None:
    """One connection to a port of the pod."""
    try:
        try:
            talk = forward.connect(int(data.headers.get("port", "0")))
        except (ApiError, ValueError) as fault:
            error.send(str(getattr(fault, "message", fault)).encode(), end=True)
            data.send(b"", end=True)
            return
        error.send(b"", end=True)
        while not talk.closed and (received := data.receive()):
            room.touch()
            if answer := talk.send(received):
                data.send(answer)
            room.instant()
        data.send(b"" if talk.closed else talk.finish(), end=True)
        room.instant()
    except OSError:
        pass
    except Exception:
        log.exception("a forwarded connection broke")


def _port_channels(room: RoomLike, forward: Any, socket: Any, ports: list[int]) -> None:
    """The older form, for one connection to each port that the request names: two channels a port, data and error, each of which begins
    with the port's number."""
    talks: dict[int, Any] = {}
    try:
        for number, port in enumerate(ports):
            for channel in (2 * number, 2 * number + 1):
                socket.send(bytes([channel]) + port.to_bytes(2, "little"))
            try:
                talks[2 * number] = forward.connect(port)
            except ApiError as fault:
                socket.send(bytes([2 * number + 1]) + fault.message.encode())
        while (message := socket.receive()) is not None:
            talk = talks.get(message[0]) if message else None
            if talk is not None and len(message) > 1 and (answer := talk.send(message[1:])):
                socket.send(message[:1] + answer)
            room.instant()
            if talks and all(each.closed for each in talks.values()):
                return
    except OSError:
        pass
