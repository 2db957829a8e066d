"""The one module that knows which green-thread library runs the server; nothing else imports eventlet.

In: an application and functions to run. Out: the few things the server needs of such a library: spawn, sleep, an
event, work in a real thread, a socket taken over for streaming, and a server that starts only on a free port and stops on
SIGTERM. Another library can take eventlet's place by giving these same names.

``patch()`` must be called before any other import that touches sockets or threads.
"""

from __future__ import annotations

import contextlib
import errno
import os
import resource
import signal
import socket as plain_socket
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

warnings.filterwarnings("ignore", message=r"\s*Eventlet is deprecated")

import eventlet  # noqa: E402
from eventlet import event, hubs, semaphore, websocket, wsgi  # noqa: E402

CONNECTIONS = 10_000
SPARE_FILES = 64
NO_PLACE = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.ECONNABORTED, errno.ECONNRESET, errno.EPIPE, errno.EPROTO)
RETRY = 0.1
HEADERS_WITHIN = 30
SILENT = 60
FRAME_PACE = 0.005
MOST_PIECES = 1_000
BACKLOG = 1_024
KEEP_ALIVE = 120
URL_LIMIT = 32_768
BUFFERED = 4 << 20
BURST = 64
LINGER = 5

Event = event.Event
Timeout = eventlet.Timeout
Lock = semaphore.Semaphore
spawn = eventlet.spawn
sleep = eventlet.sleep


class PortTaken(OSError):
    """Something listens there already."""


def patch() -> None:
    """Makes the standard library's sockets, threads and sleeps green, and its WebSockets fit for strangers."""
    eventlet.monkey_patch()
    sockets = websocket.RFC6455WebSocket
    receive = sockets._recv_frame

    def paced(self: Any, message: Any = None) -> Any:
        """A frame at a time with a short rest: a client that sends a flood holds up nobody but itself."""
        eventlet.sleep(FRAME_PACE)
        return receive(self, message)

    sockets._recv_frame, sockets._apply_mask, sockets.Message = paced, staticmethod(unmasked), _Message


def unmasked(data: bytes, mask: Sequence[int], length: int | None = None, offset: int = 0) -> bytes:
    """A WebSocket frame's bytes without their mask, a thousand times as fast as letter by letter.

    >>> unmasked(unmasked(b"hello world", (1, 2, 3, 4)), (1, 2, 3, 4), offset=0)
    b'hello world'
    """
    size = len(data) if length is None else length
    start = offset % 4
    turned = (bytes(mask[start:]) + bytes(mask[:start])) * (size // 4 + 1)
    return (int.from_bytes(data[:size], "little") ^ int.from_bytes(turned[:size], "little")).to_bytes(size, "little")


class _Message(websocket.RFC6455WebSocket.Message):
    """A message is bounded as a whole, not only each of its frames."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._size = 0

    def push(self, data: bytes, final: bool = False) -> None:
        self._size += len(data)
        if self._size > self.max_frame_length or (not data and len(self.data) > MOST_PIECES):
            raise websocket.FailedConnectionError(1009, f"messages are at most {self.max_frame_length} bytes")
        super().push(data, final)


def wait_for(happening: event.Event, timeout: float | None) -> bool:
    """Waits until an ``Event`` is sent; False if ``timeout`` seconds passed first."""
    ours = eventlet.Timeout(timeout)
    try:
        happening.wait()
    except eventlet.Timeout as timed_out:
        if timed_out is not ours:
            raise
        return False
    finally:
        ours.cancel()
    return True


def within(seconds: float, function: Callable[..., Any], *args: Any) -> Any:
    """What ``function`` gives; ``Timeout`` if that takes longer."""
    with eventlet.Timeout(seconds):
        return function(*args)


def soon(function: Callable[..., Any], *args: Any) -> None:
    """Runs ``function`` in a green thread of its own once the current one yields."""
    eventlet.spawn_n(function, *args)


def breather(turn: float, pause: Callable[[], None] = lambda: eventlet.sleep(0)) -> Callable[[], None]:
    """A function to be called again and again by long work: every ``turn`` seconds it lets others have theirs, by ``pause``."""
    last = time.perf_counter()

    def breathe() -> None:
        nonlocal last
        if time.perf_counter() - last > turn:
            pause()
            last = time.perf_counter()

    return breathe


class Share:
    """The time of one owner's green threads: however many they are, in a round of the loop they have so many ``seconds`` together, or
    the first of them has what it needs until it waits for something. Who comes first is served first. ``len`` is how many wait."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._waiting: deque[Any] = deque()
        self._called = False
        self._served = False
        self._ends = 0.0

    def __len__(self) -> int:
        return len(self._waiting)

    def wait(self) -> None:
        """Returns when it is the caller's turn, which it may be now."""
        if not self._served or time.perf_counter() >= self._ends:
            self.pause()

    def pause(self) -> None:
        """Lets others have their turn, the owner's among them."""
        hub, current = hubs.get_hub(), eventlet.getcurrent()
        self._waiting.append(current)
        if not self._called:
            self._called = True
            hub.schedule_call_global(0, self._round)
        try:
            hub.switch()
        except BaseException:
            with contextlib.suppress(ValueError):
                self._waiting.remove(current)
            raise

    def _round(self) -> None:
        """Runs in the hub's own thread: a thread that is switched to here comes back when it waits for something."""
        self._ends = time.perf_counter() + self._seconds
        try:
            self._served = True
            while self._waiting:
                self._waiting.popleft().switch()
                if time.perf_counter() >= self._ends:
                    break
        finally:
            self._served = False
            self._called = bool(self._waiting)
            if self._called:
                hubs.get_hub().schedule_call_global(0, self._round)


class Signal:
    """Wakes one green thread that waits; set while nobody waits, the next ``wait`` returns at once."""

    def __init__(self) -> None:
        self._set = False
        self._waiter: event.Event | None = None

    def set(self) -> None:
        self._set = True
        if self._waiter is not None and not self._waiter.ready():
            self._waiter.send()

    def wait(self, timeout: float | None = None) -> bool:
        """False if ``timeout`` seconds passed first."""
        if not self._set:
            self._waiter = Event()
            try:
                if not wait_for(self._waiter, timeout):
                    return False
            finally:
                self._waiter = None
        self._set = False
        return True


class Counter:
    """How many of something each owner has at this moment."""

    def __init__(self) -> None:
        self._counts: dict[int, int] = {}

    def of(self, owner: object) -> int:
        return self._counts.get(id(owner), 0)

    @contextmanager
    def one(self, owner: object) -> Iterator[None]:
        """One more while the block runs."""
        self._counts[id(owner)] = self.of(owner) + 1
        try:
            yield
        finally:
            left = self._counts[id(owner)] - 1
            if left:
                self._counts[id(owner)] = left
            else:
                del self._counts[id(owner)]


class WebSocket:
    """A WebSocket of a raw request. ``receive`` gives bytes, or None when it is over."""

    def __init__(self, below: Any) -> None:
        self._below = below
        self._lock = Lock()

    @property
    def protocol(self) -> str:
        return self._below.protocol or ""

    def receive(self) -> bytes | None:
        try:
            message = self._below.wait()
        except (OSError, websocket.ConnectionClosedError, websocket.FailedConnectionError):
            return None
        return message.encode() if isinstance(message, str) else message

    def send(self, data: bytes) -> None:
        """OSError when the client is gone."""
        with self._lock:
            self._below.send(data)


def websocket_served(environ: dict[str, Any], start_response: Any, protocols: Sequence[str], handler: Callable[[WebSocket], None]) -> Any:
    """Answers a WebSocket handshake and hands the connection to ``handler``; it is closed in order when that returns."""

    def handle(below: Any) -> None:
        try:
            handler(WebSocket(below))
        finally:
            with contextlib.suppress(OSError):
                below._send_closing_frame(True, close_data=(1000, b""))

    served = websocket.WebSocketWSGI(handle)
    served.supported_protocols, served.support_legacy_versions = list(protocols), False
    environ.pop("HTTP_SEC_WEBSOCKET_EXTENSIONS", None)
    return served(environ, start_response)


def upgraded(environ: dict[str, Any], protocol: str, headers: list[tuple[str, str]],
             handler: Callable[[Callable[[], bytes], Callable[[bytes], None]], None]) -> list[bytes]:
    """Turns a request's connection into one of another protocol: ``handler(read, write)`` has it from then on."""
    socket = environ["eventlet.input"].get_socket()
    socket.settimeout(None)
    lines = ["HTTP/1.1 101 Switching Protocols", "Connection: Upgrade", f"Upgrade: {protocol}", *(f"{name}: {value}" for name, value in headers)]
    socket.sendall("\r\n".join([*lines, "", ""]).encode("latin-1"))
    wsgi.WSGI_LOCAL.already_handled = True

    def read() -> bytes:
        eventlet.sleep(0)
        try:
            return socket.recv(65_536)
        except OSError:
            return b""

    handler(read, socket.sendall)
    with contextlib.suppress(OSError):
        socket.shutdown(plain_socket.SHUT_RDWR)
    return []


class Stream:
    """A chunked response written straight to the client's socket, so that headers go out at once and a write costs one system call.

    ``write`` never blocks: what the client does not take yet waits here (``blocked`` is then True) and ``on_drained()`` is
    called when it has gone. Whoever serves the request calls ``wait`` until the stream ends.
    """

    def __init__(self, environ: dict[str, Any], status: str, headers: list[tuple[str, str]]) -> None:
        self._socket = environ["eventlet.input"].get_socket()
        self._raw = self._socket.fd
        self._waiting: deque[memoryview] = deque()
        self._size = 0
        self._woken = Event()
        self._watcher = eventlet.spawn(self._watch_client)
        self._writer: Any = None
        self.on_drained: Callable[[], None] | None = None
        self.ended = False
        wsgi.WSGI_LOCAL.already_handled = True
        lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in headers)]
        self._send("\r\n".join([*lines, "Transfer-Encoding: chunked", "Connection: close", "", ""]).encode("latin-1"))

    @property
    def blocked(self) -> bool:
        return bool(self._waiting)

    def write(self, data: bytes) -> None:
        """Sends a chunk; who writes on while the stream is blocked, until some MiB have piled up, has it cut off."""
        if data and not self.ended:
            self._send(b"%x\r\n%b\r\n" % (len(data), data))

    def end(self) -> None:
        """Ends the stream in order, after what still waits to be sent."""
        if not self.ended:
            self._send(b"0\r\n\r\n")
            self.ended = True
            self._wake()

    def wait(self, timeout: float | None = None) -> bool:
        """Waits until the stream has ended or the client has gone; False if ``timeout`` seconds passed first."""
        return self.ended or wait_for(self._woken, timeout)

    def close(self) -> None:
        """Lets go of the socket; what waits to be sent is given a few seconds."""
        self.ended = True
        self.on_drained = None
        writer = self._writer
        if writer is not None:
            if self._waiting:
                with eventlet.Timeout(LINGER, False):
                    writer.wait()
            writer.kill()
        self._watcher.kill()

    def _send(self, data: bytes) -> None:
        if self._waiting:
            if self._size + len(data) > BUFFERED:
                return self._gone()
        else:
            try:
                sent = self._raw.send(data)
            except BlockingIOError:
                sent = 0
            except OSError:
                return self._gone()
            if sent == len(data):
                return None
            data = data[sent:]
        self._waiting.append(memoryview(data))
        self._size += len(data)
        if self._writer is None:
            self._writer = eventlet.spawn(self._drain)
        return None

    def _drain(self) -> None:
        try:
            while self._waiting:
                hubs.trampoline(self._raw.fileno(), write=True)
                self._push()
        except (OSError, hubs.IOClosed):
            return self._gone()
        self._writer = None
        if self.on_drained is not None and not self.ended:
            self.on_drained()
        return None

    def _push(self) -> None:
        while self._waiting:
            data = self._waiting[0]
            try:
                sent = self._raw.send(data)
            except BlockingIOError:
                return
            self._size -= sent
            if sent < len(data):
                self._waiting[0] = data[sent:]
            else:
                self._waiting.popleft()

    def _watch_client(self) -> None:
        """A client that leaves is noticed here, not at the next write: an idle watch would never write."""
        try:
            while not self.ended:
                hubs.trampoline(self._raw.fileno(), read=True)
                if self._raw.recv(1, plain_socket.MSG_PEEK) == b"":
                    break
                eventlet.sleep(1)
        except (OSError, hubs.IOClosed):
            pass
        self._gone()

    def _gone(self) -> None:
        self.ended = True
        self._waiting.clear()
        self._size = 0
        self._wake()

    def _wake(self) -> None:
        if not self._woken.ready():
            self._woken.send()


class Flusher:
    """Calls ``pump()`` of everything that was marked, together and once, as soon as the marking green thread yields.

    One change that a hundred watchers hear of is so written to a hundred sockets in one go, without a hundred switches.
    """

    def __init__(self) -> None:
        self._marked: dict[Any, None] = {}
        self._running = False

    def mark(self, pumped: Any) -> None:
        self._marked[pumped] = None
        if not self._running:
            self._running = True
            eventlet.spawn_n(self._run)

    def _run(self) -> None:
        try:
            done = 0
            while self._marked:
                pumped = next(iter(self._marked))
                del self._marked[pumped]
                pumped.pump()
                done += 1
                if done % BURST == 0:
                    eventlet.sleep(0)
        finally:
            self._running = False


def listen(host: str, port: int) -> Any:
    """A listening socket. ``PortTaken`` if anybody has the port: two servers that share one would split its clients."""
    family, *_, address = plain_socket.getaddrinfo(host, port, type=plain_socket.SOCK_STREAM)[0]
    try:
        listener = eventlet.listen(address, family, backlog=BACKLOG, reuse_port=False)
    except OSError as error:
        raise PortTaken(error.errno, f"cannot listen on {host}:{port}: {os.strerror(error.errno or 0)}") from error
    # inherited by every connection: an event must not wait for the client to acknowledge the one before
    listener.setsockopt(plain_socket.IPPROTO_TCP, plain_socket.TCP_NODELAY, 1)
    return listener


def serve(app: Callable[..., Any], host: str, port: int, *, on_listen: Callable[[int], None] | None = None,
          on_stop: Callable[[], None] | None = None) -> None:
    """Serves a WSGI application until SIGTERM or SIGINT, then calls ``on_stop``. ``on_listen(port)`` is told once it listens."""
    listener = listen(host, port)
    stopped = _stop_signal()
    server = eventlet.spawn(wsgi.server, _Listener(listener), app, max_size=_connections(), minimum_chunk_size=1, keepalive=KEEP_ALIVE,
                            url_length_limit=URL_LIMIT, socket_timeout=SILENT, protocol=_Protocol, log_output=False, debug=False)
    if on_listen is not None:
        on_listen(listener.getsockname()[1])
    stopped.wait()
    server.kill()
    listener.close()
    if on_stop is not None:
        on_stop()


def _connections() -> int:
    """How many connections there may be: as many as the system lets one process have files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CONNECTIONS + SPARE_FILES
    if soft < wanted and (hard == resource.RLIM_INFINITY or soft < hard):
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return max(1, min(CONNECTIONS, soft - SPARE_FILES))


class _Listener:
    """A listening socket whose ``accept`` outlives a connection that is gone already and a system that is out of files."""

    def __init__(self, below: Any) -> None:
        self._below = below

    def __getattr__(self, name: str) -> Any:
        return getattr(self._below, name)

    def accept(self) -> Any:
        while True:
            try:
                return self._below.accept()
            except OSError as error:
                if error.errno not in NO_PLACE:
                    raise
                eventlet.sleep(RETRY)


class _Protocol(wsgi.HttpProtocol):
    """Headers that trickle in are waited for only so long."""

    def parse_request(self) -> bool:
        understood = False
        with eventlet.Timeout(HEADERS_WITHIN, False):
            understood = super().parse_request()
        if not understood:
            self.close_connection = True
        return understood


def _stop_signal() -> event.Event:
    """An event that SIGTERM or SIGINT sends. A handler alone would run only when the hub wakes for something else."""
    stopped = Event()
    ours, theirs = plain_socket.socketpair()
    for end in (ours, theirs):
        end.setblocking(False)

    def wait() -> None:
        hubs.trampoline(ours.fileno(), read=True)
        if not stopped.ready():
            stopped.send()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
    eventlet.spawn(wait)
    stopped.sockets = (ours, theirs)
    return stopped
