"""kubectl proxy: the API on a port of this machine, for whatever speaks HTTP there.

In: a port, prefixes, what to accept and to refuse. Out: a listener that lives as long as the command; each request goes to the API server as
the person at the terminal, and files are served from a folder if one is given.

Source: https://kubernetes.io/docs/tasks/extend-kubernetes/http-proxy-access-api/
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Generator
from typing import Any
from urllib.parse import unquote, urlsplit

from server.cluster.errors import ApiError
from server.cluster.network.http_talk import HttpTalk
from server.cluster.process import Gate, Pass
from server.cluster.runtime.programs.regex import BadPattern, Regex
from server.cluster.runtime.programs.regex import compile as compile_regex
from server.kubectl.command import Command
from server.kubectl.commands.portforward import listen
from server.kubectl.context import Context
from server.kubectl.errors import CommandError
from server.kubectl.flags import Flag, Flags
from server.kubectl.raw import raw_request

Answer = tuple[int, dict[str, str], str]
VERBS = {"GET": "get", "HEAD": "get", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
PRETTY = ("curl", "Wget", "Mozilla/5.0")
PLAIN = {"Content-Type": "text/plain; charset=utf-8", "X-Content-Type-Options": "nosniff"}
TYPES = {".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8",
         ".json": "application/json", ".txt": "text/plain; charset=utf-8", ".svg": "image/svg+xml"}


def proxy(ctx: Context, args: list[str], flags: Flags) -> Generator[Any, Any, None]:
    if args:
        raise CommandError(f'unknown command "{args[0]}" for "kubectl proxy"')
    if flags["unix-socket"]:
        raise CommandError("--unix-socket is not available in Podium's terminal: there are no sockets in its files")
    if flags.www and not ctx.files.exists(flags.www):
        ctx.err(f"Failed to stat static file directory {flags.www}: stat {flags.www}: no such file or directory")
    filters = _Filters(flags)
    if not 0 <= flags.port <= 65535:
        raise CommandError(f"listen tcp: address {flags.port}: invalid port")
    try:
        port = listen(ctx, flags.port, [flags.address], lambda number: lambda client: HttpTalk(
            lambda method, path, headers, body: answer(ctx, flags, filters, method, path, headers, body), lambda: "kubectl"))
    except CommandError as error:
        if "bind: " not in error.message:
            raise
        raise CommandError(f"listen tcp {flags.address}:{flags.port}: bind: address already in use") from None
    ctx.out(f"Starting to serve on {flags.address}:{port}")
    yield Pass(Gate())


class _Filters:
    """What is let through: by host, path and method."""

    def __init__(self, flags: Flags) -> None:
        self.off = flags["disable-filter"]
        self.hosts, self.paths = self._expressions(flags["accept-hosts"]), self._expressions(flags["accept-paths"])
        self.never, self.methods = self._expressions(flags["reject-paths"]), self._expressions(flags["reject-methods"])

    def _expressions(self, text: str) -> list[Regex]:
        found = []
        for word in text.split(",")[:20]:
            try:
                found.append(compile_regex(word, extended=True))
            except BadPattern as error:
                raise CommandError(f"error parsing regexp: {error}: `{word}`") from None
        return found

    def accept(self, method: str, path: str, host: str) -> bool:
        if self.off:
            return True
        name = host.rpartition(":")[0] if re.search(r":\d+$", host) else host
        return not _any(self.never, path) and _any(self.paths, path) and _any(self.hosts, name) and not _any(self.methods, method)


def _any(expressions: list[Regex], text: str) -> bool:
    return any(each.search(text[:4096]) is not None for each in expressions)


def _prefix(text: str) -> str:
    return "/" + text.strip("/") + "/" if text.strip("/") else "/"


def answer(ctx: Context, flags: Flags, filters: _Filters, method: str, path: str, headers: dict[str, str], body: str) -> Answer:
    lower = {name.lower(): value for name, value in headers.items()}
    address = urlsplit(path)
    if flags.www and address.path.startswith(_prefix(flags["www-prefix"])):
        return _file(ctx, flags.www, unquote(address.path[len(_prefix(flags["www-prefix"])):]))
    prefix = _prefix(flags["api-prefix"])
    if not address.path.startswith(prefix):
        return 404, PLAIN, "404 page not found\n"
    asked = "/" + path[len(prefix):]
    if not filters.accept(method, urlsplit(asked).path, lower.get("host", "")):
        return 403, PLAIN, "Forbidden\n"
    if method not in VERBS:
        return 405, PLAIN, "Method Not Allowed\n"
    status, value = 200, None
    try:
        value = raw_request(ctx, VERBS[method], asked, body or None, lower.get("content-type", ""))
        status = 201 if method == "POST" else 200
    except ApiError as error:
        status, value = error.code, error.status()
    if isinstance(value, str):
        return status, PLAIN, value
    pretty = lower.get("user-agent", "").startswith(PRETTY)
    text = json.dumps(value, indent=2, ensure_ascii=False) if pretty else json.dumps(value, separators=(",", ":"), ensure_ascii=False) + "\n"
    return status, {"Content-Type": "application/json"}, text


def _file(ctx: Context, folder: str, path: str) -> Answer:
    full = posixpath.normpath(posixpath.join(folder, path.lstrip("/")))
    if full != posixpath.normpath(folder) and not full.startswith(posixpath.normpath(folder).rstrip("/") + "/") and folder not in (".", "./"):
        return 404, PLAIN, "404 page not found\n"
    try:
        return 200, {"Content-Type": TYPES.get(posixpath.splitext(full)[1], "text/plain; charset=utf-8")}, ctx.files.read(full)
    except IsADirectoryError:
        names = ctx.files.listdir(full)
        if "index.html" in names:
            return 200, {"Content-Type": TYPES[".html"]}, ctx.files.read(posixpath.join(full, "index.html"))
        listed = "".join(f'<a href="{name}">{name}</a>\n' for name in names)
        return 200, {"Content-Type": TYPES[".html"]}, f"<!doctype html>\n<pre>\n{listed}</pre>\n"
    except FileNotFoundError:
        return 404, PLAIN, "404 page not found\n"


COMMANDS = (
    Command(
        "proxy",
        proxy,
        flags=(
            Flag("accept-hosts", "", r"^localhost$,^127\.0\.0\.1$,^\[::1\]$", "Regular expressions of the hosts that may be asked for."),
            Flag("accept-paths", "", "^.*", "Regular expressions of the paths that may be asked for."),
            Flag("address", "", "127.0.0.1", "The address to serve on."),
            Flag("api-prefix", "", "/", "The prefix under which the API is served."),
            Flag("append-server-path", "", False, "Put the path of the kubeconfig's server before each request's; it has none here."),
            Flag("disable-filter", "", False, "Let everything through."),
            Flag("keepalive", "", 0.0, "How often a silent connection is looked after.", kind="duration"),
            Flag("port", "p", 8001, "The port to serve on; 0 takes any free one."),
            Flag("reject-methods", "", "^$", "Regular expressions of methods that are refused."),
            Flag("reject-paths", "", "^/api/.*/pods/.*/exec,^/api/.*/pods/.*/attach", "Regular expressions of paths that are refused even so."),
            Flag("unix-socket", "u", "", "A socket to serve on."),
            Flag("www", "w", "", "Serve the files of this directory too."),
            Flag("www-prefix", "P", "/static/", "The prefix under which the files are served."),
        ),
        short="Run a proxy to the Kubernetes API server",
        long="Serve the Kubernetes API on a port of this machine, and files of a directory if one is given.",
        use="[--port=PORT] [--www=static-dir] [--www-prefix=prefix] [--api-prefix=prefix]",
        examples="# The whole API at localhost:8001\nkubectl proxy\n\n# On any free port\nkubectl proxy --port=0\n\n"
                 "# Under another prefix\nkubectl proxy --api-prefix=/k8s-api\n\n# Files too\nkubectl proxy --www=./site",
        complete="none",
    ),
)
