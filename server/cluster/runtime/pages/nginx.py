"""nginx: a request in, what its configuration makes of it out: files of a directory, a ``return``, an answer fetched from another server.

Most containers have the configuration of the image and only answer with files (``plain``). One that is given files below /etc/nginx
keeps what it has loaded at its start or at its last reload (``held``), and goes by that.

Source: https://nginx.org/en/docs/http/request_processing.html, https://nginx.org/en/docs/http/ngx_http_core_module.html
"""

from __future__ import annotations

import ipaddress
import posixpath
import re
from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from server.cluster.runtime.pages import nginx_conf
from server.cluster.runtime.pages.nginx_conf import MAIN, Block, Config, ConfigError, Location
from server.cluster.runtime.pages.nginx_files import METHODS, Failed, Redirect, content, context, error, sent, version
from server.cluster.runtime.pages.site import Answer, Relayed, Site
from server.cluster.runtime.streams import Fault

MOST_TURNS = 10
KEPT = "nginx"


class Start(NamedTuple):
    """How a server begins: on which ports (``tls``: of these with TLS), or with which last words and exit code it does not."""

    ports: tuple[int, ...]
    lines: tuple[str, ...] = ()
    code: int | None = None
    tls: tuple[int, ...] = ()

    def fitted(self, server: Any) -> Any:
        """The server as it came up."""
        return server._replace(tls=self.tls) if self.tls else server


# its configuration


def begin(machine: Any, ports: tuple[int, ...]) -> Start:
    """Reads the configuration of a container that has one of its own; what was loaded before a restart of the simulation is loaded still."""
    if KEPT not in machine.held and not _own_configuration(machine):
        return Start(ports)
    try:
        config = loaded(machine) if KEPT in machine.held else checked(machine, read(machine))
    except ConfigError as fault:
        when = machine.time()
        return Start((), (f"{when:%Y/%m/%d %H:%M:%S} [emerg] 1#1: {fault}", f"nginx: [emerg] {fault}"), 1)
    machine.held[KEPT] = config.files
    return Start(config.ports or ports, tls=tuple(sorted({port for server in config.servers for port in server.tls})))


def checked(machine: Any, config: Config) -> Config:
    """What else must be there. ConfigError."""
    for server in config.servers:
        for name in ("ssl_certificate", "ssl_certificate_key") if server.tls else ():
            path = next((words[0] for words in server.values.get(name, [])), "")
            if not path:
                raise ConfigError(f'no "{name}" is defined for the "listen ... ssl" directive in {MAIN}')
            if machine.files.read(posixpath.join(nginx_conf.PREFIX, path)) is None:
                raise ConfigError(f'cannot load certificate{" key" if name.endswith("key") else ""} "{path}": BIO_new_file() failed (SSL: '
                                  f"error:80000002:system library::No such file or directory:calling fopen({path}, r) "
                                  "error:10000080:BIO routines::no such file)")
    for name, place in nginx_conf.hosts(config):
        if not machine.network().resolve(name):
            raise ConfigError(f'host not found in upstream "{name}" in {place}')
    return config


def _own_configuration(machine: Any) -> bool:
    return any(mount.path.startswith(nginx_conf.PREFIX) for mount in machine.launch.mounts) or any(
        path.startswith(nginx_conf.PREFIX) for path in machine.own_files)


def read(machine: Any) -> Config:
    """What the files say now. ConfigError."""
    return nginx_conf.load(machine.files.read, lambda folder: machine.files.names(folder) or [])


def loaded(machine: Any) -> Config:
    return _loaded(tuple(sorted(machine.held[KEPT].items())))


@lru_cache(maxsize=256)
def _loaded(files: tuple[tuple[str, str], ...]) -> Config:
    return nginx_conf.from_data(dict(files))


# answers


def answer(site: Site, method: str, path: str, headers: dict[str, str]) -> Answer:
    if KEPT in site.machine.held:
        return _Request(site, loaded(site.machine), method, path, headers).answer()
    try:
        if method not in METHODS:
            raise Failed(405)
        return content(site, method, nginx_conf.ROOT, unquote(path.partition("?")[0]), ["index.html", "index.htm"], False, "text/html")
    except Redirect as target:
        status, head, body = error(site, Failed(301))
        return status, {**head, "Location": f"http://{site.host or site.ip}{target}"}, body
    except Failed as failed:
        return error(site, failed)


class _Request:
    """One request under a configuration of one's own."""

    def __init__(self, site: Site, config: Config, method: str, path: str, headers: dict[str, str]) -> None:
        self.site = site
        self.config = config
        self.method = method
        self.full = path
        self.path = unquote(path.partition("?")[0])
        self.headers = headers
        self.lower = {name.lower(): value for name, value in headers.items()}
        self.server = self._server()
        self.groups: dict[str, str] = {}
        self.where: Location | None = None
        self.ms = 0.0
        self.hops: list[Any] = []

    def answer(self) -> Answer:
        found = self._turned()
        for words in self._values("add_header"):
            if len(words) > 1 and (found[0] in (200, 201, 204, 206, 301, 302, 303, 304, 307, 308) or words[-1] == "always"):
                found[1][words[0]] = self._filled(words[1])
        return Relayed(*found, ms=self.ms, hops=self.hops) if self.ms else found

    def _turned(self) -> Answer:
        """Inside nginx a request may go to another location: an index, an error page, the end of try_files."""
        path, override = self.path, 0
        for _ in range(MOST_TURNS):
            try:
                status, headers, body = self._at(path)
                return override or status, headers, body
            except Redirect as target:
                return self._moved(301, self._absolute(str(target)))
            except _Inside as turn:
                path = str(turn)
            except Failed as failed:
                page, code = self._error_page(failed.status)
                if page is None or override:
                    return error(self.site, failed)
                if re.match(r"https?://", page):
                    return self._moved(302, page)
                if failed.log:
                    error(self.site, failed)
                path, override, self.method = page, failed.status if code is None else code, "GET"
        return error(self.site, Failed(500, f"rewrite or internal redirection cycle while internally redirecting to \"{path}\""))

    # which block

    def _server(self) -> Block:
        host = self.lower.get("host", "").partition(":")[0].lower()
        here = [server for server in self.config.servers if self.site.port in server.ports] or self.config.servers
        for fits in (lambda name: name == host, lambda name: name.startswith("*.") and host.endswith(name[1:]),
                     lambda name: name.endswith(".*") and host.startswith(name[:-1]),
                     lambda name: name.startswith("~") and re.search(name[1:], host) is not None):
            found = next((server for server in here if any(fits(name.lower()) for name in server.names)), None)
            if found is not None:
                return found
        return next((server for server in here if server.ports.get(self.site.port)), here[0]) if here else Block({80: True}, [], {}, [], set())

    def _location(self, path: str, among: list[Location]) -> Location | None:
        """Exact, then the longest prefix unless a regular expression fits (``^~`` forbids those)."""
        if path.startswith("@"):
            return next((each for each in among if each.path == path), None)
        exact = next((each for each in among if each.kind == "=" and each.path == path), None)
        if exact is not None:
            return exact
        prefixes = [each for each in among if each.kind in ("", "^~") and not each.named and path.startswith(each.path)]
        longest = max(prefixes, key=lambda each: len(each.path), default=None)
        if longest is None or longest.kind != "^~":
            for each in among:
                if each.kind in ("~", "~*") and (found := re.search(each.path, path, re.I if each.kind == "~*" else 0)):
                    self.groups = {str(at): text or "" for at, text in enumerate(found.groups(), 1)} | found.groupdict("")
                    return each
        if longest is not None and longest.inner and (deeper := self._location(path, longest.inner)) is not None:
            return deeper
        return longest

    def _values(self, name: str) -> list[list[str]]:
        own = self.where.values.get(name) if self.where is not None else None
        return own if own is not None else self.server.values.get(name, [])

    def _value(self, name: str, default: str = "") -> str:
        found = self._values(name)
        return self._filled(found[-1][0]) if found and found[-1] else default

    # what it does

    def _at(self, path: str) -> Answer:
        self.where = self._location(path, self.server.locations)
        for words in [words for name in ("return",) for words in (self._values(name) if self.where is None or name in self.where.values
                                                                  else self.server.values.get(name, []))]:
            return self._returned(words)
        self._allowed()
        if self.where is not None and "proxy_pass" in self.where.values:
            return self._passed(path)
        if "try_files" in (self.where.values if self.where is not None else {}) or self._values("try_files"):
            return self._tried(path)
        return self._file(path)

    def _file(self, path: str) -> Answer:
        if self.method not in METHODS:
            raise Failed(405)
        alias = self.where.values.get("alias") if self.where is not None else None
        root = self._value("root", f"{nginx_conf.PREFIX}/html")
        if alias:
            root, path = self._filled(alias[-1][0]), path[len(self.where.path):]
        index = [self._filled(name) for words in self._values("index") for name in words] or ["index.html"]
        lists = self._value("autoindex", "off") == "on"
        found = content(self.site, self.method, root, path if path.startswith("/") or alias else f"/{path}", index, lists,
                         self._value("default_type", "application/octet-stream"))
        return found

    def _tried(self, path: str) -> Answer:
        *names, last = self._values("try_files")[-1]
        root = self._value("root", f"{nginx_conf.PREFIX}/html")
        for name in names:
            wanted = self._filled(name, path)
            full = posixpath.normpath(f"{root}/{wanted}")
            if wanted.endswith("/") and self.site.files.kind(full) == "directory" or not wanted.endswith("/") and \
                    self.site.files.kind(full) == "file":
                return self._file(wanted)
        if re.fullmatch(r"=\d{3}", last):
            raise Failed(int(last[1:]))
        raise _Inside(self._filled(last, path))

    def _returned(self, words: list[str]) -> Answer:
        if not words[0].isdigit():
            return self._moved(302, self._filled(words[0]))
        status, text = int(words[0]), self._filled(words[1]) if len(words) > 1 else ""
        if status in (301, 302, 303, 307, 308) and text:
            return self._moved(status, self._absolute(text))
        if len(words) > 1 or status < 300:
            return sent(self.site, status, text, self._value("default_type", "text/plain") if status != 204 else "text/plain")
        raise Failed(status)

    def _moved(self, status: int, target: str) -> Answer:
        found = error(self.site, Failed(status))
        return status, {**found[1], "Location": target}, found[2]

    def _absolute(self, target: str) -> str:
        return f"http://{self.lower.get('host', self.site.ip)}{target}" if target.startswith("/") else target

    def _allowed(self) -> None:
        """``allow`` and ``deny`` in their order."""
        values = self.where.values if self.where is not None else self.server.values
        for rule, network in values.get("access", []):
            if network == "all" or ipaddress.ip_address(self.site.client or "127.0.0.1") in ipaddress.ip_network(network, strict=False):
                if rule == "deny":
                    raise Failed(403, f"access forbidden by rule, {context(self.site, self.method, self.full, self._name())}")
                return

    def _name(self) -> str:
        return next(iter(self.server.names), "")

    def _error_page(self, status: int) -> tuple[str | None, int | None]:
        """(page, the status that it is sent with; None: the error's)."""
        for words in self._values("error_page"):
            *codes, page = words
            code = next((int(each[1:] or 200) for each in codes if each.startswith("=")), None)
            if str(status) in codes:
                return self._filled(page), code
        return None, None

    # another server

    def _passed(self, path: str) -> Answer:
        written = self.where.values["proxy_pass"][-1][0]
        target = urlsplit(self._filled(written))
        host, port = target.hostname or "", target.port or (443 if target.scheme == "https" else 80)
        upstream = self.config.upstreams.get(target.netloc)
        if target.path and self.where.kind == "":
            onward = target.path + path[len(self.where.path):]
        else:
            onward = target.path or path
        query = self.full.partition("?")[2]
        forwarded = {name: value for name, value in self.headers.items() if name.lower() not in ("connection", "keep-alive", "host")}
        forwarded["Host"] = target.netloc
        for words in self._values("proxy_set_header"):
            if len(words) > 1:
                forwarded[words[0]] = self._filled(words[1])
        for address, at in self._targets(upstream, host, port):
            try:
                walk = self.site.machine.network().request(address, at, method=self.method, path=onward + (f"?{query}" if query else ""),
                                                           timeout=60.0, headers=forwarded, body=self.site.body, tls=target.scheme == "https")
            except Fault:
                continue
            self.ms += walk.ms
            self.hops.extend(walk.hops)
            if walk.error is None:
                return walk.status, {"Server": f"nginx/{version(self.site.tag)}", **{
                    name: value for name, value in walk.headers.items() if name.lower() not in ("server", "connection")},
                    "Connection": "keep-alive"}, walk.body
            last = walk
        where = f'upstream: "{target.scheme}://{last.address or host}:{port}{onward}"'
        if last.error["hop"] == "dns":
            raise Failed(502, f"{host} could not be resolved (3: Host not found), {context(self.site, self.method, self.full, self._name())}")
        if "timed out" in last.fault:
            raise Failed(504, "upstream timed out (110: Operation timed out) while connecting to upstream, "
                          f"{context(self.site, self.method, self.full, self._name())}, {where}")
        raise Failed(502, f"connect() failed (111: {last.fault or 'Connection refused'}) while connecting to upstream, "
                      f"{context(self.site, self.method, self.full, self._name())}, {where}")

    def _targets(self, upstream: list[tuple[str, str]] | None, host: str, port: int) -> Iterator[tuple[str, int]]:
        """The servers of an upstream, beginning with another one each time."""
        if upstream is None:
            yield host, port
            return
        turns = self.site.machine.held.setdefault("turns", 0)
        self.site.machine.held["turns"] = (turns + 1) % max(1, len(upstream))
        for at in range(len(upstream)):
            name, _, number = upstream[(turns + at) % len(upstream)][0].partition(":")
            yield name, int(number) if number.isdigit() else 80

    def _filled(self, text: str, path: str = "") -> str:
        """With the values of the variables in it."""
        if "$" not in text:
            return text
        query = self.full.partition("?")[2]
        host = self.lower.get("host", self._name()).partition(":")[0]
        known = {"uri": path or self.path, "request_uri": self.full, "host": host, "args": query, "query_string": query, "is_args": "?" if query
                 else "", "scheme": "https" if self.site.tls else "http", "hostname": self.site.hostname, "remote_addr": self.site.client,
                 "server_addr": self.site.ip, "server_port": str(self.site.port), "server_name": self._name(), "request_method": self.method,
                 "http_host": self.lower.get("host", ""), "proxy_add_x_forwarded_for": ", ".join(
                     each for each in (self.lower.get("x-forwarded-for", ""), self.site.client) if each),
                 "request": f"{self.method} {self.full} HTTP/1.1", "document_uri": path or self.path, "nginx_version": version(self.site.tag),
                 "time_iso8601": f"{self.site.time():%Y-%m-%dT%H:%M:%S+00:00}", "server_protocol": "HTTP/1.1", "connection_upgrade": "close",
                 "time_local": f"{self.site.time():%d/%b/%Y:%H:%M:%S +0000}", "msec": f"{self.site.time().timestamp():.3f}",
                 "request_body": self.site.body, "proxy_host": "", "request_id": f"{hash_of(self.full, self.site.time()):032x}", **self.groups}

        def value(match: re.Match[str]) -> str:
            name = match[1] or match[2]
            if name in known:
                return known[name]
            if name.startswith("http_"):
                return self.lower.get(name[5:].replace("_", "-"), "")
            if name.startswith("arg_"):
                return next((each.partition("=")[2] for each in query.split("&") if each.partition("=")[0] == name[4:]), "")
            return ""

        return re.sub(r"\$(?:\{(\w+)\}|(\w+))", value, text)


class _Inside(Exception):
    """The request goes on at another path."""


def hash_of(text: str, when: datetime) -> int:
    return int.from_bytes(f"{text}{when}".encode()[-16:], "big")
