"""One HTTP request over a conversation: the bytes that go out, and what is made of those that come back.

Source: https://httpwg.org/specs/rfc9112.html
"""

from __future__ import annotations

import re
from typing import NamedTuple

from server.cluster.runtime.reach import Talk

NOT_ALLOWED = "Received HTTP/0.9 when not allowed"
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})[^\r\n]*\r?\n")
_END = re.compile(rb"\r?\n\r?\n")
MOST_CHUNKS = 10_000


class Response(NamedTuple):
    """``whole`` False: the server has not said all that it announced."""

    status: int
    headers: dict[str, str]
    body: str
    whole: bool = True


class NoResponse(Exception):
    """What came back is not HTTP; empty if nothing came."""


def written(method: str, path: str, headers: dict[str, str], body: str = "") -> bytes:
    content = body.encode()
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    if content and not any(name.lower() == "content-length" for name in headers):
        lines.append(f"Content-Length: {len(content)}")
    return "".join(f"{line}\r\n" for line in lines).encode("utf-8", "replace") + b"\r\n" + content


def ask(talk: Talk, method: str, path: str, headers: dict[str, str], body: str = "") -> Response:
    """Says the request and hears the answer. NoResponse."""
    said = talk.send(written(method, path, headers, body))
    if not said and not talk.closed:
        said = talk.finish()
    while said.startswith(b"HTTP/1.1 100 "):
        said = said[_END.search(said).end():] if _END.search(said) else b""
    return parsed(said, method)


def parsed(said: bytes, method: str = "GET") -> Response:
    """
    >>> parsed(b"HTTP/1.1 200 OK\\r\\nA: b\\r\\n\\r\\nhello").body
    'hello'
    """
    first, end = _STATUS.match(said), _END.search(said)
    if first is None or end is None:
        raise NoResponse(NOT_ALLOWED if said else "")
    headers = {}
    for line in said[first.end():end.start()].decode("latin-1").splitlines():
        name, _, value = line.partition(":")
        headers[name.strip()] = value.strip()
    status, content = int(first[1]), said[end.end():]
    lower = {name.lower(): value for name, value in headers.items()}
    if method == "HEAD" or status in (204, 304):
        return Response(status, headers, "")
    if lower.get("transfer-encoding", "").lower() == "chunked":
        content, whole = _joined(content)
    else:
        length = lower.get("content-length", "")
        whole = not length.isdecimal() or len(content) >= int(length[:12])
        content = content[:int(length[:12])] if length.isdecimal() else content
    return Response(status, headers, content.decode("utf-8", "replace"), whole)


def _joined(content: bytes) -> tuple[bytes, bool]:
    """The chunks of a body, and whether the last was among them."""
    out = []
    for _ in range(MOST_CHUNKS):
        found = re.match(rb"([0-9a-fA-F]{1,8})[^\r\n]*\r?\n", content)
        if found is None:
            return b"".join(out), False
        size = int(found[1], 16)
        if not size:
            return b"".join(out), True
        out.append(content[found.end():found.end() + size])
        content = content[found.end() + size:].removeprefix(b"\r\n")
    return b"".join(out), False
