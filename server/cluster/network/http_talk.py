"""HTTP/1.x over a conversation: the bytes that a client sends in, the bytes that a web server answers out.

``HttpTalk`` is the ``Talk`` of a server that only knows whole requests: it puts them together from whatever pieces come (also several at
once, and bodies in chunks), asks ``serve(method, path, headers, body)``, and writes the answers; a connection stays open as HTTP says.
What is no request is refused as nginx does it, under the name that the server gives itself.

Source: https://httpwg.org/specs/rfc9112.html
"""

from __future__ import annotations

import re
from collections.abc import Callable

from server.cluster.network.walk import REASONS

Answer = tuple[int, dict[str, str], str]
Serve = Callable[[str, str, dict[str, str], str], Answer]
LONGEST_HEAD, LONGEST_LINE, LONGEST_BODY, MOST_HEADERS = 32_768, 8_192, 1_048_576, 100
_LINE = re.compile(r"([A-Z][A-Z_-]{0,31}) (\S+)(?: HTTP/(\d)\.(\d))?")
_HEADER = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*")
_CHUNK = re.compile(rb"([0-9a-fA-F]{1,8})[^\r\n]{0,200}\r?\n")
PAGES = {400: "400 Bad Request", 405: "405 Not Allowed", 411: "411 Length Required", 413: "413 Request Entity Too Large",
         414: "414 Request-URI Too Large", 431: "400 Request Header Or Cookie Too Large", 501: "501 Not Implemented",
         505: "505 HTTP Version Not Supported"}


class BadRequest(Exception):
    """No request that the server could answer; the argument is the status."""


class _Head:
    """A request as far as its headers."""

    def __init__(self, method: str, path: str, version: tuple[int, int] | None, headers: dict[str, str]) -> None:
        self.method, self.path, self.version, self.headers = method, path, version, headers
        self.lower = {name.lower(): value for name, value in headers.items()}

    @property
    def keeps(self) -> bool:
        """Whether the connection stays open after the answer."""
        said = self.lower.get("connection", "").lower()
        return said != "close" if self.version is not None and self.version >= (1, 1) else said == "keep-alive" and self.version is not None


class HttpTalk:
    """``called`` is the server's name in its own error pages."""

    def __init__(self, serve: Serve, called: Callable[[], str] = lambda: "nginx") -> None:
        self.closed = False
        self._serve = serve
        self._called = called
        self._buffer = b""
        self._head: _Head | None = None
        self._length: int | None = None
        self._chunks: list[bytes] | None = None

    def send(self, data: bytes) -> bytes:
        if self.closed:
            return b""
        self._buffer += data
        out = b""
        try:
            while not self.closed and (answered := self._step()) is not None:
                out += answered
        except BadRequest as fault:
            out += self._refusal(fault.args[0])
        return out

    def finish(self) -> bytes:
        """A request that is not whole is never answered."""
        self.closed = True
        self._buffer = b""
        return b""

    def _step(self) -> bytes | None:
        """What the bytes that are there lead to; None if more are needed."""
        if self._head is None:
            return self._take_head()
        body = self._take_chunked() if self._chunks is not None else self._take_sized()
        return self._answer(self._head, body) if body is not None else None

    def _take_head(self) -> bytes | None:
        self._buffer = self._buffer.lstrip(b"\r\n")
        end = re.search(rb"\r?\n\r?\n", self._buffer)
        line = self._buffer.partition(b"\n")[0]
        if len(line) > LONGEST_LINE:
            raise BadRequest(414)
        if b"\n" in self._buffer and (old := re.fullmatch(rb"GET (\S+)\r?", line)):
            self._head, self._length, self._buffer = _Head("GET", old[1].decode("latin-1"), None, {}), 0, b""
            return b""
        if b"\n" in self._buffer and not _LINE.fullmatch(line.rstrip(b"\r").decode("latin-1")):
            raise BadRequest(400)
        if end is None:
            if len(self._buffer) > LONGEST_HEAD:
                raise BadRequest(431)
            return None
        if end.start() > LONGEST_HEAD:
            raise BadRequest(431)
        text, self._buffer = self._buffer[:end.start()].decode("latin-1"), self._buffer[end.end():]
        head = self._head = _parsed(text)
        coding = head.lower.get("transfer-encoding", "").lower()
        if coding and coding != "chunked":
            raise BadRequest(501)
        self._chunks = [] if coding else None
        length = head.lower.get("content-length", "0")
        if not length.isdecimal():
            raise BadRequest(400)
        self._length = int(length[:12])
        if self._length > LONGEST_BODY:
            raise BadRequest(413)
        waits = head.lower.get("expect", "").lower() == "100-continue" and (coding or self._length)
        return b"HTTP/1.1 100 Continue\r\n\r\n" if waits else b""

    def _take_sized(self) -> bytes | None:
        length = self._length or 0
        if len(self._buffer) < length:
            return None
        body, self._buffer = self._buffer[:length], self._buffer[length:]
        return body

    def _take_chunked(self) -> bytes | None:
        while True:
            found = _CHUNK.match(self._buffer)
            if found is None:
                if b"\n" in self._buffer or len(self._buffer) > LONGEST_LINE:
                    raise BadRequest(400)
                return None
            size = int(found[1], 16)
            if size + sum(map(len, self._chunks)) > LONGEST_BODY:
                raise BadRequest(413)
            rest = self._buffer[found.end():]
            if not size:
                end = re.match(rb"(?:[^\r\n]+\r?\n){0,100}\r?\n", rest)
                if end is None:
                    if len(rest) > LONGEST_HEAD:
                        raise BadRequest(400)
                    return None
                self._buffer = rest[end.end():]
                return b"".join(self._chunks)
            if len(rest) < size + 2:
                return None
            if not rest[size:].startswith(b"\r\n"):
                raise BadRequest(400)
            self._chunks.append(rest[:size])
            self._buffer = rest[size + 2:]

    def _answer(self, head: _Head, body: bytes) -> bytes:
        self._head, self._chunks, self._length = None, None, None
        status, headers, text = self._serve(head.method, head.path, head.headers, body.decode("utf-8", "replace"))
        content = text.encode()
        if head.version is None:
            self.closed = True
            return content
        self.closed = not head.keeps or headers.get("Connection", "").lower() == "close"
        lines = {name: value for name, value in headers.items() if name.lower() != "connection"}
        if "Content-Length" not in lines and status not in (204, 304):
            lines["Content-Length"] = str(len(content))
        lines["Connection"] = "close" if self.closed else "keep-alive"
        return _written(status, lines, b"" if head.method == "HEAD" or status in (204, 304) else content)

    def _refusal(self, status: int) -> bytes:
        self.closed = True
        self._buffer = b""
        title, called = PAGES[status], self._called()
        page = (f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n"
                f"<hr><center>{called}</center>\r\n</body>\r\n</html>\r\n").encode()
        return _written(400 if status == 431 else status, {"Server": called, "Content-Type": "text/html", "Content-Length": str(len(page)),
                                                           "Connection": "close"}, page)


def _parsed(text: str) -> _Head:
    lines = re.split(r"\r?\n", text)
    found = _LINE.fullmatch(lines[0])
    if found is None or len(lines) > MOST_HEADERS:
        raise BadRequest(400)
    version = (int(found[3]), int(found[4])) if found[3] else None
    if version is not None and version[0] != 1:
        raise BadRequest(505)
    headers: dict[str, str] = {}
    for line in lines[1:]:
        header = _HEADER.fullmatch(line)
        if header is None or len(line) > LONGEST_LINE:
            raise BadRequest(400)
        headers[header[1]] = header[2]
    head = _Head(found[1], found[2], version, headers)
    if version == (1, 1) and "host" not in head.lower:
        raise BadRequest(400)
    return head


def _written(status: int, headers: dict[str, str], content: bytes) -> bytes:
    reason = REASONS.get(status) or PAGES.get(status, "").partition(" ")[2]
    head = "".join(f"{line}\r\n" for line in (f"HTTP/1.1 {status} {reason}".rstrip(), *(f"{name}: {value}" for name, value in headers.items())))
    return head.encode("latin-1", "replace") + b"\r\n" + content
