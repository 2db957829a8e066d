"""SPDY/3.1 as its server speaks it, as much as kubectl needs: many two-way streams over one connection.

In: the bytes of a connection that was upgraded (or tunnelled through a WebSocket). Out: a ``Stream`` for each that the client opens, with
its headers, told to ``on_stream``. The client's data waits in its stream until somebody takes it; when too much waits, nothing more is
read, so that a client which sends faster than it is served fills its own pipe and no other.

Source: https://www.chromium.org/spdy/spdy-protocol/spdy-protocol-draft3-1/ (``spdy_dictionary.bin`` is the dictionary of its section 2.6.10.1)
"""

from __future__ import annotations

import struct
import zlib
from collections import deque
from collections.abc import Callable
from pathlib import Path

from server import green

DICTIONARY = (Path(__file__).parent / "spdy_dictionary.bin").read_bytes()
SYN_STREAM, SYN_REPLY, RST_STREAM, SETTINGS, PING, GOAWAY, HEADERS, WINDOW_UPDATE = 1, 2, 3, 4, 6, 7, 8, 9
VERSION, FIN = 0x8003, 1
LARGEST_FRAME, LARGEST_HEADERS, MOST_HEADERS, MOST_STREAMS = 1 << 20, 64 * 1024, 64, 256
PIECE, WAITING, TURN = 16 * 1024, 1 << 20, 16  # TURN: frames after which others have theirs


class ProtocolError(Exception):
    """The peer does not speak SPDY, or asks for too much."""


class Stream:
    """One stream: ``headers`` as the client gave them, lower-case names."""

    def __init__(self, connection: Connection, number: int, headers: dict[str, str]) -> None:
        self._connection = connection
        self.number = number
        self.headers = headers
        self._data: deque[bytes] = deque()
        self._size = 0
        self._news = green.Signal()
        self._room = green.Signal()
        self._done = False
        self.ended = False

    def receive(self) -> bytes:
        """What the client sent next; b"" when it has said all, or is gone."""
        while not self._data:
            if self._done:
                return b""
            self._news.wait()
        data = self._data.popleft()
        self._size -= len(data)
        self._room.set()
        return data

    def send(self, data: bytes, end: bool = False) -> None:
        """Sends data; ``end``: and nothing after it. OSError when the client is gone."""
        if self.ended:
            return
        self.ended = end
        for at in range(0, len(data) or 1, PIECE):
            piece = data[at:at + PIECE]
            last = end and at + PIECE >= len(data)
            self._connection.write(struct.pack("!IBBH", self.number, FIN if last else 0, len(piece) >> 16, len(piece) & 0xFFFF) + piece)

    def taken(self, data: bytes) -> None:
        """Data that has come; waits when there is too much of it already."""
        while self._size >= WAITING and not self._done:
            self._room.wait()
        self._data.append(data)
        self._size += len(data)
        self._news.set()

    def done(self) -> None:
        """Nothing more will come."""
        self._done = True
        self._news.set()
        self._room.set()


class Connection:
    """``read()`` gives the next bytes (b"": the client is gone), ``write(bytes)`` sends some."""

    def __init__(self, read: Callable[[], bytes], write: Callable[[bytes], None], on_stream: Callable[[Stream], None]) -> None:
        self._read = read
        self._send = write
        self._on_stream = on_stream
        self._streams: dict[int, Stream] = {}
        self._buffer = bytearray()
        self._unpack = zlib.decompressobj(zdict=DICTIONARY)
        self._pack = zlib.compressobj(zdict=DICTIONARY)
        self._lock = green.Lock()

    def write(self, data: bytes) -> None:
        with self._lock:
            self._send(data)

    def run(self) -> None:
        """Reads until the client goes or breaks the protocol."""
        frames = 0
        try:
            while self._frame():
                frames += 1
                if frames % TURN == 0:
                    green.sleep(0)
        except (EOFError, OSError, ProtocolError, struct.error, zlib.error, UnicodeDecodeError):
            pass
        finally:
            for stream in self._streams.values():
                stream.done()

    def _take(self, size: int) -> bytes:
        while len(self._buffer) < size:
            data = self._read()
            if not data:
                raise EOFError
            self._buffer += data
        taken = bytes(self._buffer[:size])
        del self._buffer[:size]
        return taken

    def _frame(self) -> bool:
        head = self._take(8)
        flags, size = head[4], int.from_bytes(head[5:8], "big")
        if size > LARGEST_FRAME:
            raise ProtocolError
        body = self._take(size)
        if head[0] & 0x80:
            return self._control(int.from_bytes(head[2:4], "big"), flags, head, body)
        stream = self._streams.get(int.from_bytes(head[:4], "big"))
        if stream is not None:
            if body:
                stream.taken(body)
            if flags & FIN:
                stream.done()
        return True

    def _control(self, kind: int, flags: int, head: bytes, body: bytes) -> bool:
        if kind == SYN_STREAM:
            self._open(body, flags)
        elif kind == PING:
            self.write(head + body)
        elif kind == RST_STREAM:
            stream = self._streams.pop(int.from_bytes(body[:4], "big") & 0x7FFFFFFF, None)
            if stream is not None:
                stream.done()
        return kind != GOAWAY

    def _open(self, body: bytes, flags: int) -> None:
        number = int.from_bytes(body[:4], "big") & 0x7FFFFFFF
        if len(self._streams) >= MOST_STREAMS:
            self._streams = {key: stream for key, stream in self._streams.items() if not stream.ended}
            if len(self._streams) >= MOST_STREAMS:
                raise ProtocolError
        stream = self._streams[number] = Stream(self, number, self._headers(body[10:]))
        with self._lock:
            block = self._pack.compress(struct.pack("!I", 0)) + self._pack.flush(zlib.Z_SYNC_FLUSH)
            self._send(struct.pack("!HHI", VERSION, SYN_REPLY, 4 + len(block)) + struct.pack("!I", number) + block)
        if flags & FIN:
            stream.done()
        self._on_stream(stream)

    def _headers(self, block: bytes) -> dict[str, str]:
        raw = self._unpack.decompress(block, LARGEST_HEADERS)
        if self._unpack.unconsumed_tail:
            raise ProtocolError
        count = struct.unpack_from("!I", raw)[0]
        if count > MOST_HEADERS:
            raise ProtocolError
        at, words = 4, []
        for _ in range(2 * count):
            size = struct.unpack_from("!I", raw, at)[0]
            words.append(raw[at + 4:at + 4 + size].decode())
            at += 4 + size
        return {name.lower(): value for name, value in zip(words[::2], words[1::2], strict=True)}
