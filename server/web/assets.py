"""The page's own files, compressed: a path below ``static/`` in; bytes as they are sent, with an entity tag to ask again by, out.

Each file is read and compressed once and kept while it is as it was on disk (so an edit needs only a reload), up to a bound in all. The
static imports of a module are found in its text: a page names them all in its head, and the browser need not find them one after another.
"""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
import posixpath
import re
from collections import OrderedDict
from pathlib import Path
from typing import Any, NamedTuple

from flask import Flask, Response, abort, request
from werkzeug.http import parse_accept_header, parse_etags, quote_etag

STATIC = Path(__file__).parents[2] / "static"
UNDER = "/static/"
PRIVATE = ("node_modules", ".")
MOST_KEPT = 16 * 1024 * 1024
LARGEST = 4 * 1024 * 1024
IMPORT = re.compile(r"""(?:^|[;}\n])\s*(?:import|export)\b[^"'();]*["'](\.[^"'\n]+)["']""")
TYPES = {".js": "text/javascript", ".mjs": "text/javascript", ".css": "text/css", ".json": "application/json", ".svg": "image/svg+xml",
         ".woff2": "font/woff2", ".ts": "text/plain", ".txt": "text/plain"}
DENSE = (".woff2", ".png")


class Asset(NamedTuple):
    """``packed`` is None where compressing gains nothing; ``imports`` are the paths that a module needs before it can run."""

    version: tuple[int, int]
    tag: str
    mimetype: str
    body: bytes
    packed: bytes | None
    imports: tuple[str, ...]


class Assets:
    """What is kept of a folder's files; the one that was not asked for the longest makes room."""

    def __init__(self, folder: Path, most: int = MOST_KEPT) -> None:
        self._folder = folder.resolve()
        self._most = most
        self._size = 0
        self._kept: OrderedDict[str, Asset] = OrderedDict()

    def get(self, name: str) -> Asset | None:
        """None for what is not there, or not to be seen."""
        name = posixpath.normpath(name)
        if any(part.startswith(PRIVATE) for part in name.split("/")) or "\0" in name:
            return None
        path = self._folder / name
        try:
            stat = path.stat()
            if not path.is_file() or stat.st_size > LARGEST or not path.resolve().is_relative_to(self._folder):
                return None
            version = (stat.st_mtime_ns, stat.st_size)
            kept = self._kept.get(name)
            if kept is None or kept.version != version:
                kept = _made(name, version, path.read_bytes())
                self._keep(name, kept)
        except OSError:
            return None
        self._kept.move_to_end(name)
        return kept

    def _keep(self, name: str, asset: Asset) -> None:
        before = self._kept.pop(name, None)
        self._size += _size(asset) - (_size(before) if before else 0)
        self._kept[name] = asset
        while self._size > self._most and len(self._kept) > 1:
            self._size -= _size(self._kept.popitem(last=False)[1])

    def modules(self, *entries: str) -> list[str]:
        """Every module that the entries need before they run, themselves among them, in the order in which they are found."""
        found: dict[str, None] = {}
        left = list(reversed(entries))
        while left:
            name = left.pop()
            if name in found or (asset := self.get(name)) is None:
                continue
            found[name] = None
            left += reversed(asset.imports)
        return list(found)


def _size(asset: Asset) -> int:
    return len(asset.body) + len(asset.packed or b"")


def _made(name: str, version: tuple[int, int], body: bytes) -> Asset:
    suffix = posixpath.splitext(name)[1]
    mimetype = TYPES.get(suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
    packed = gzip.compress(body, 9, mtime=0) if suffix not in DENSE else None
    imports = tuple(posixpath.normpath(posixpath.join(posixpath.dirname(name), found)) for found in IMPORT.findall(body.decode(errors="replace"))) \
        if suffix == ".js" else ()
    return Asset(version, hashlib.sha256(body).hexdigest()[:16], mimetype, body, packed if packed and len(packed) < len(body) else None, imports)


assets = Assets(STATIC)


def answered(body: bytes, mimetype: str, *, tag: str = "", packed: bytes | None = None) -> Response:
    """A response of these bytes: compressed for who takes that, empty for who has them already."""
    response = Response(mimetype=mimetype)
    taken = packed is not None and request.accept_encodings.quality("gzip") > 0
    if taken:
        response.headers["Content-Encoding"] = "gzip"
    response.headers["Vary"] = "Accept-Encoding"
    response.data = packed if taken else body
    if tag:
        response.set_etag(f"{tag}-gz" if taken else tag)
        response.headers["Cache-Control"] = "no-cache"
        response.make_conditional(request)
    return response


def packed_page(html: str) -> Response:
    """A page made for this request, compressed."""
    body = html.encode()
    return answered(body, "text/html", packed=gzip.compress(body, 6, mtime=0))


def serve(app: Flask) -> None:
    """Answers for what lies below ``/static/`` before Flask is asked: a page is many small files, and each would cost more than its bytes."""
    below = app.wsgi_app

    def application(environ: dict[str, Any], start_response: Any) -> Any:
        path = environ["PATH_INFO"]
        asset = assets.get(path.removeprefix(UNDER)) if path.startswith(UNDER) and environ["REQUEST_METHOD"] in ("GET", "HEAD") else None
        if asset is None:
            return below(environ, start_response)
        return _sent(asset, environ, start_response)

    def missing(filename: str) -> Response:
        abort(404)

    app.wsgi_app = application
    app.add_url_rule(f"{UNDER}<path:filename>", endpoint="static", view_func=missing)


def _sent(asset: Asset, environ: dict[str, Any], start_response: Any) -> list[bytes]:
    taken = asset.packed is not None and parse_accept_header(environ.get("HTTP_ACCEPT_ENCODING")).quality("gzip") > 0
    tag = f"{asset.tag}-gz" if taken else asset.tag
    headers = [("ETag", quote_etag(tag)), ("Cache-Control", "no-cache"), ("Vary", "Accept-Encoding"), ("X-Content-Type-Options", "nosniff")]
    if parse_etags(environ.get("HTTP_IF_NONE_MATCH")).contains_weak(tag):
        start_response("304 NOT MODIFIED", headers)
        return []
    body = asset.packed if taken else asset.body
    text = "; charset=utf-8" if asset.mimetype.startswith("text/") else ""
    headers += [("Content-Type", f"{asset.mimetype}{text}"), ("Content-Length", str(len(body)))]
    if taken:
        headers.append(("Content-Encoding", "gzip"))
    start_response("200 OK", headers)
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]
