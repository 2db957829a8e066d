"""nginx's configuration: its files in, the servers that they describe out, or the [emerg] line with which nginx refuses them.

Only what a server block needs to answer is kept; a directive that nginx knows but Podium does not act on is refused with a clear word,
but for those that change nothing that can be seen here (``TUNING``).

Source: https://nginx.org/en/docs/dirindex.html
"""

from __future__ import annotations

import fnmatch
import posixpath
import re
from collections.abc import Callable
from dataclasses import dataclass, field

MAIN, ROOT = "/etc/nginx/nginx.conf", "/usr/share/nginx/html"
PREFIX = "/etc/nginx"
WORD = r"""((?:\\.|\$\{\w+\}|[^\s{};"'#\\])(?:\\.|\$\{\w+\}|[^\s{};\\])*)"""
TOKEN = re.compile(r"""\s+|#[^\n]*|([{};])|"((?:\\.|[^"\\])*)"|'((?:\\.|[^'\\])*)'|""" + WORD, re.S)
ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}
MOST_DIRECTIVES, DEEPEST = 2_000, 8
BLOCKS = {"events": ("main",), "http": ("main",), "server": ("http",), "location": ("server", "location"), "upstream": ("http",),
          "types": ("http", "server", "location"), "stream": ("main",), "map": ("http",), "if": ("server", "location"),
          "limit_except": ("location",)}


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


ACTED = _words("listen server_name root index location return proxy_pass try_files error_page autoindex alias include add_header default_type "
               "proxy_set_header deny allow internal server upstream")
TUNING = _words("""
    user worker_processes worker_connections error_log pid access_log log_format sendfile tcp_nopush tcp_nodelay keepalive_timeout
    keepalive_requests gzip gzip_types gzip_vary gzip_proxied gzip_comp_level gzip_min_length gzip_buffers gzip_http_version gzip_static
    types_hash_max_size types_hash_bucket_size server_tokens client_max_body_size client_body_buffer_size client_header_buffer_size
    large_client_header_buffers client_body_timeout client_header_timeout send_timeout server_names_hash_bucket_size server_names_hash_max_size
    proxy_http_version proxy_read_timeout proxy_connect_timeout proxy_send_timeout proxy_buffering proxy_buffer_size proxy_buffers
    proxy_busy_buffers_size proxy_redirect proxy_cache_bypass proxy_next_upstream proxy_hide_header worker_rlimit_nofile multi_accept use daemon
    master_process charset expires etag if_modified_since log_not_found reset_timedout_connection open_file_cache open_file_cache_valid
    open_file_cache_min_uses open_file_cache_errors resolver resolver_timeout ssl_certificate ssl_certificate_key ssl_protocols ssl_ciphers
    ssl_prefer_server_ciphers ssl_session_cache ssl_session_timeout ssl_session_tickets http2 underscores_in_headers ignore_invalid_headers
    port_in_redirect absolute_redirect server_name_in_redirect variables_hash_max_size variables_hash_bucket_size map_hash_bucket_size
    accept_mutex worker_shutdown_timeout env load_module limit_rate least_conn ip_hash keepalive zone client_body_temp_path proxy_temp_path
    fastcgi_temp_path uwsgi_temp_path scgi_temp_path merge_slashes chunked_transfer_encoding
""")


class ConfigError(Exception):
    """``str()`` is what stands behind ``nginx: [emerg]``."""


@dataclass
class Directive:
    name: str
    words: list[str]
    path: str
    line: int
    block: list[Directive] | None = None


@dataclass
class Location:
    """``kind``: "" prefix, "^~", "=", "~" or "~*"."""

    kind: str
    path: str
    values: dict[str, list[list[str]]] = field(default_factory=dict)
    inner: list[Location] = field(default_factory=list)
    named: bool = False


@dataclass
class Block:
    """One server: its ports (with the default one marked), names, and what holds where no location says otherwise."""

    ports: dict[int, bool]
    names: list[str]
    values: dict[str, list[list[str]]]
    locations: list[Location]
    tls: set[int]


@dataclass
class Config:
    servers: list[Block]
    upstreams: dict[str, list[tuple[str, str]]]
    files: dict[str, str]

    @property
    def ports(self) -> tuple[int, ...]:
        return tuple(dict.fromkeys(port for server in self.servers for port in server.ports))


def load(read: Callable[[str], str | None], names: Callable[[str], list[str] | None]) -> Config:
    """Reads from the main file on. ConfigError."""
    files: dict[str, str] = {}
    tree = _parse(MAIN, read, names, files, 0)
    config = Config([], {}, files)
    for directive in tree:
        _check(directive, "main")
        if directive.name == "http":
            inherited: dict[str, list[list[str]]] = {}
            for inner in directive.block or ():
                if inner.name not in ("server", "upstream", "types", "map"):
                    inherited.setdefault(inner.name, []).append(inner.words)
            for inner in directive.block or ():
                if inner.name == "server":
                    config.servers.append(_server(inner, inherited))
                elif inner.name == "upstream":
                    config.upstreams[inner.words[0]] = [(each.words[0], f"{each.path}:{each.line}") for each in inner.block or ()
                                                        if each.name == "server"]
    return config


def _parse(path: str, read: Callable[[str], str | None], names: Callable[[str], list[str] | None], files: dict[str, str],
           depth: int) -> list[Directive]:
    text = read(path)
    if text is None or depth > DEEPEST:
        raise ConfigError(f'open() "{path}" failed (2: No such file or directory)')
    files[path] = text
    stack: list[list[Directive]] = [[]]
    words: list[str] = []
    at, line = 0, 1
    count = 0
    while at < len(text):
        found = TOKEN.match(text, at)
        if found is None:
            raise ConfigError(f'unexpected end of file, expecting ";" or "}}" in {path}:{line}')
        line_here = line
        line += found[0].count("\n")
        at = found.end()
        word = next((group for group in found.groups()[1:] if group is not None), None)
        if word is not None:
            words.append(re.sub(r"\\([\"'\\ ;{}nrt])", lambda escape: ESCAPES.get(escape[1], escape[1]), word))
        elif found[1] == ";":
            if not words:
                raise ConfigError(f'unexpected ";" in {path}:{line_here}')
            if words[0] == "include":
                stack[-1].extend(_included(words, path, line_here, read, names, files, depth))
            else:
                stack[-1].append(Directive(words[0], words[1:], path, line_here))
            words = []
            count += 1
        elif found[1] == "{":
            if not words:
                raise ConfigError(f'unexpected "{{" in {path}:{line_here}')
            block = Directive(words[0], words[1:], path, line_here, [])
            stack[-1].append(block)
            stack.append(block.block)
            words = []
            count += 1
        elif found[1] == "}":
            if words:
                raise ConfigError(f'unexpected "}}" in {path}:{line_here}')
            if len(stack) == 1:
                raise ConfigError(f'unexpected "}}" in {path}:{line_here}')
            stack.pop()
        if count > MOST_DIRECTIVES or len(stack) > DEEPEST:
            raise ConfigError(f"too many directives in {path}:{line_here}")
    if words or len(stack) > 1:
        raise ConfigError(f'unexpected end of file, expecting {chr(34) + ";" + chr(34) + " or " if words else ""}"}}" in {path}:{line}')
    return stack[0]


def _included(words: list[str], path: str, line: int, read: Callable[[str], str | None], names: Callable[[str], list[str] | None],
              files: dict[str, str], depth: int) -> list[Directive]:
    if len(words) != 2:
        raise ConfigError(f'invalid number of arguments in "include" directive in {path}:{line}')
    pattern = posixpath.join(PREFIX, words[1])
    if pattern.endswith("/mime.types") or pattern.endswith("_params"):
        return []
    if not any(letter in pattern for letter in "*?["):
        return _parse(pattern, read, names, files, depth + 1)
    folder = posixpath.dirname(pattern)
    found = [posixpath.join(folder, name) for name in names(folder) or ()]
    return [each for name in sorted(found) if fnmatch.fnmatchcase(posixpath.basename(name), posixpath.basename(pattern)) and read(name) is not None
            for each in _parse(name, read, names, files, depth + 1)]


def _check(directive: Directive, context: str) -> None:
    name, place = directive.name, f"in {directive.path}:{directive.line}"
    if name in BLOCKS:
        if directive.block is None:
            if not (name == "server" and context == "upstream"):
                raise ConfigError(f'directive "{name}" has no opening "{{" {place}')
        elif context not in BLOCKS[name]:
            raise ConfigError(f'"{name}" directive is not allowed here {place}')
        if name in ("stream", "map", "if", "limit_except"):
            raise ConfigError(f'"{name}" is not simulated {place}')
        if name == "types":
            return
    elif name not in ACTED and name not in TUNING:
        raise ConfigError(f'unknown directive "{name}" {place}')
    elif directive.block is not None:
        raise ConfigError(f'directive "{name}" is not terminated by ";" {place}')
    elif name in ("listen", "server_name") and context != "server" or name in ("root", "index", "return", "try_files", "add_header") \
            and context in ("main", "upstream"):
        raise ConfigError(f'"{name}" directive is not allowed here {place}')
    elif not directive.words and name not in ("internal", "least_conn", "ip_hash"):
        raise ConfigError(f'invalid number of arguments in "{name}" directive {place}')
    for inner in directive.block or ():
        _check(inner, name)


def _server(block: Directive, inherited: dict[str, list[list[str]]]) -> Block:
    values: dict[str, list[list[str]]] = {}
    server = Block({}, [], values, [], set())
    for inner in block.block or ():
        if inner.name == "location":
            server.locations.append(_location(inner))
        elif inner.name == "listen":
            _listen(server, inner)
        elif inner.name == "server_name":
            server.names += inner.words
        else:
            _keep(values, inner)
    server.ports = server.ports or {80: False}
    server.values = {**inherited, **values}
    return server


def _listen(server: Block, directive: Directive) -> None:
    word, marks = directive.words[0], directive.words[1:]
    port = word.rpartition(":")[2] if ":" in word and not word.endswith("]") else word if word.isdigit() else "80"
    if not port.isdigit() or not 0 < int(port) < 65536:
        raise ConfigError(f'invalid port in "{word}" of the "listen" directive in {directive.path}:{directive.line}')
    server.ports[int(port)] = server.ports.get(int(port), False) or "default_server" in marks or "default" in marks
    if "ssl" in marks:
        server.tls.add(int(port))


def _location(block: Directive) -> Location:
    words = block.words
    place = f"in {block.path}:{block.line}"
    if not 1 <= len(words) <= 2:
        raise ConfigError(f'invalid number of arguments in "location" directive {place}')
    kind, path = (words[0], words[1]) if len(words) == 2 else ("", words[0])
    if len(words) == 1 and (found := re.match(r"(=|~\*|~|\^~)(.+)", path)):
        kind, path = found[1], found[2]
    if kind not in ("", "=", "~", "~*", "^~"):
        raise ConfigError(f'invalid location modifier "{kind}" {place}')
    if kind in ("~", "~*"):
        try:
            re.compile(path)
        except re.error as error:
            raise ConfigError(f'pcre2_compile() failed: {error} in "{path}" {place}') from None
    location = Location(kind, path, named=path.startswith("@"))
    for inner in block.block or ():
        if inner.name == "location":
            location.inner.append(_location(inner))
        else:
            _keep(location.values, inner)
    return location


def _keep(values: dict[str, list[list[str]]], directive: Directive) -> None:
    """``allow`` and ``deny`` hold in the order in which they stand."""
    if directive.name in ("allow", "deny"):
        values.setdefault("access", []).append([directive.name, *directive.words])
    elif directive.name == "proxy_pass":
        values.setdefault(directive.name, []).append([*directive.words, f"{directive.path}:{directive.line}"])
    else:
        values.setdefault(directive.name, []).append(directive.words)


def hosts(config: Config) -> list[tuple[str, str]]:
    """(name, where it stands) of the servers that requests are passed to; names with variables are looked up when they are needed."""
    found = [(name, place) for servers in config.upstreams.values() for name, place in servers]

    def below(locations: list[Location]) -> None:
        for each in locations:
            found.extend((words[0].partition("://")[2].partition("/")[0], words[-1]) for words in each.values.get("proxy_pass", [])
                         if "$" not in words[0])
            below(each.inner)

    for server in config.servers:
        below(server.locations)
    return [(name.rpartition(":")[0] or name if name.rpartition(":")[2].isdigit() else name, place) for name, place in found
            if name and name not in config.upstreams]


def from_data(files: dict[str, str]) -> Config:
    """What nginx has loaded, whatever its files say now."""
    def names(folder: str) -> list[str]:
        return [posixpath.basename(path) for path in files if posixpath.dirname(path) == folder]
    return load(files.get, names)
