"""HTTP's small change: bodies in, header lines out, who is asking."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from http import HTTPStatus
from typing import Any

from server.cluster.errors import ApiError, bad_request, request_too_large
from server.kubeapi import protobuf

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Headers = list[tuple[str, str]]

MAX_BODY = 3 * 1024 * 1024
DISCARD = 16 * MAX_BODY
PIECE = 64 * 1024
JSON = "application/json"
NO_SNIFF = ("X-Content-Type-Options", "nosniff")
_STATUS_LINES = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}


def body(environ: Environ) -> bytes:
    """The request's body. ApiError 413 for one that is too large; it is read away first, so that the client hears of it."""
    stream = environ["wsgi.input"]
    length = environ.get("CONTENT_LENGTH")
    try:
        if length is None:
            data = stream.read(MAX_BODY + 1)
        elif int(length) <= MAX_BODY:
            return stream.read(int(length))
        else:
            data = b"x" * (MAX_BODY + 1)
    except (OSError, ValueError) as error:
        raise bad_request(f"the request's body could not be read: {error}") from error
    if len(data) > MAX_BODY:
        _discard(stream)
        raise request_too_large(MAX_BODY)
    return data


def _discard(stream: Any) -> None:
    left = DISCARD
    while left > 0 and (piece := stream.read(PIECE)):
        left -= len(piece)


def content_type(environ: Environ) -> str:
    """The Content-Type header, "" if there is none (the server library would make it text/plain)."""
    given = environ.get("CONTENT_TYPE") or ""
    if given == "text/plain" and "headers_raw" in environ and not any(name.lower() == "content-type" for name, _ in environ["headers_raw"]):
        return ""
    return given.partition(";")[0].strip().lower()


def content(environ: Environ) -> tuple[bytes, str]:
    """The body and its media type; protobuf has become JSON."""
    type_, data = content_type(environ), body(environ)
    return (protobuf.to_json(data), JSON) if type_ == protobuf.MEDIA_TYPE and data else (data, type_)


@lru_cache(maxsize=512)
def client_name(user_agent: str, field_manager: str = "") -> str:
    """Who asks: ``kubectl`` for ``kubectl/v1.36.3 (linux/amd64)``, else the field manager."""
    return user_agent.partition("/")[0].strip() or field_manager or "http"


def warnings(texts: list[str]) -> Headers:
    """A ``Warning`` header for each text, as RFC 7234 writes it."""
    return [("Warning", f'299 - "{_quoted(text)}"') for text in texts]


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ").replace("\r", " ")
    return escaped.encode("utf-8").decode("latin-1")


def send(environ: Environ, start_response: StartResponse, code: int, type_: str, data: bytes, headers: Headers) -> Iterable[bytes]:
    """A whole answer."""
    start_response(_STATUS_LINES.get(code, f"{code} Unknown"),
                   [("Content-Type", type_), ("Cache-Control", "no-cache, private"), NO_SNIFF, ("Content-Length", str(len(data))), *headers])
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [data]


def send_pieces(environ: Environ, start_response: StartResponse, code: int, type_: str, parts: Iterable[bytes], headers: Headers) -> Iterable[bytes]:
    """A large answer, made while it is sent."""
    start_response(_STATUS_LINES.get(code, f"{code} Unknown"), [("Content-Type", type_), ("Cache-Control", "no-cache, private"), NO_SNIFF, *headers])
    return [] if environ["REQUEST_METHOD"] == "HEAD" else parts


def zipped(parts: Iterable[bytes]) -> Iterator[bytes]:
    """Compressed as they come."""
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    for part in parts:
        for start in range(0, len(part), PIECE):
            if packed := packer.compress(part[start:start + PIECE]):
                yield packed
    yield packer.flush()


def retry_after(error: ApiError) -> Headers:
    seconds = (error.details or {}).get("retryAfterSeconds")
    return [("Retry-After", str(seconds))] if seconds else []
