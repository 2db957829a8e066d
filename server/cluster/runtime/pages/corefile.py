"""A Corefile: which zones a CoreDNS serves, and by which plugins.

In: the text. Out: ``Config``: server blocks with their plugins as data, and what is asked for that nothing follows from here; or a
``CorefileError`` with the words of the program, which ends with them.

Source: https://coredns.io/manual/configuration/, https://coredns.io/plugins/
"""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache
from typing import NamedTuple

PATH = "/etc/coredns/Corefile"
DNS_PORT, TTL, HOSTS_TTL = 53, 5, 3600
LONGEST, MOST_TOKENS = 65_536, 5_000
FOLLOWED = {"errors", "log", "health", "ready", "kubernetes", "prometheus", "forward", "reload", "loadbalance", "loop", "cache", "hosts", "rewrite"}
KNOWN = FOLLOWED | {
    "acl", "any", "auto", "autopath", "azure", "bind", "bufsize", "cancel", "chaos", "clouddns", "debug", "dns64", "dnssec", "dnstap", "erratic",
    "etcd", "file", "geoip", "grpc", "header", "import", "k8s_external", "local", "metadata", "minimal", "multisocket", "nsid", "pprof", "quic",
    "root", "route53", "secondary", "sign", "template", "timeouts", "tls", "trace", "transfer", "tsig", "view", "whoami"}
PORTS = {"health": 8080, "ready": 8181, "prometheus": 9153}
KINDS = ("exact", "prefix", "suffix", "substring", "regex")


class CorefileError(Exception):
    """The argument is what the program says."""


class Rewrite(NamedTuple):
    """A name, of which ``pattern`` (by its ``kind``) becomes ``new``."""

    kind: str
    pattern: str
    new: str
    goes_on: bool


class Hosts(NamedTuple):
    zones: tuple[str, ...]
    names: dict[str, tuple[str, ...]]
    ttl: int
    falls: bool


class Kubernetes(NamedTuple):
    """``pods`` is disabled, insecure or verified; ``falls``: the zones in which others may know what it does not."""

    zones: tuple[str, ...]
    pods: str
    ttl: int
    falls: tuple[str, ...]


class Forward(NamedTuple):
    """``to`` are addresses with ports; none of them is the server's own /etc/resolv.conf."""

    zone: str
    to: tuple[tuple[str, int], ...]
    without: tuple[str, ...]


class Block(NamedTuple):
    zones: tuple[tuple[str, int], ...]
    plugins: frozenset[str]
    rewrites: tuple[Rewrite, ...]
    hosts: Hosts | None
    kubernetes: Kubernetes | None
    forwards: tuple[Forward, ...]


class Config(NamedTuple):
    """``beside`` are plugins and options that nothing follows from here."""

    blocks: tuple[Block, ...]
    beside: tuple[str, ...]

    def block(self, name: str, port: int) -> Block | None:
        """The one with the longest zone that a name without its last dot is in."""
        fitting = [(len(zone), -index, block) for index, block in enumerate(self.blocks) for zone, at in block.zones
                   if at == port and within(name, zone)]
        return max(fitting, key=lambda each: each[:2])[2] if fitting else None

    @property
    def ports(self) -> tuple[int, ...]:
        dns = [port for block in self.blocks for _, port in block.zones]
        return tuple(dict.fromkeys([*dns, *(port for plugin, port in PORTS.items() if any(plugin in block.plugins for block in self.blocks))]))


class _Token(NamedTuple):
    text: str
    line: int


Line = list[_Token]


def within(name: str, zone: str) -> bool:
    """
    >>> within("web.default", ""), within("a.example", "example"), within("example", "example"), within("anexample", "example")
    (True, True, True, False)
    """
    return not zone or name == zone or name.endswith(f".{zone}")


@lru_cache(maxsize=64)
def parsed(text: str) -> Config:
    """CorefileError."""
    if len(text) > LONGEST:
        raise _failed(1, f"longer than the {LONGEST} letters that this simulation takes")
    tokens = _tokens(text)
    blocks, beside, at = [], {}, 0
    while at < len(tokens):
        keys: list[_Token] = []
        while at < len(tokens) and tokens[at].text != "{":
            keys.append(tokens[at])
            at += 1
        if at == len(tokens):
            raise _failed(tokens[-1].line, "Unexpected EOF")
        lines, at = _body(tokens, at + 1)
        if not keys:
            raise _failed(tokens[at - 1].line, "Unexpected '{'")
        if keys[0].text.startswith("(") and keys[0].text.endswith(")"):
            beside[f"snippet {keys[0].text}"] = None
            continue
        blocks.append(_block(keys, lines, beside))
    return Config(tuple(blocks), tuple(beside))


def _tokens(text: str) -> list[_Token]:
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        for quoted, word in re.findall(r'"((?:\\.|[^"\\])*)"?|([^\s"]+)', re.sub(r"(^|\s)#.*", "", line)):
            found.append(_Token(word or quoted.replace('\\"', '"'), number))
            if len(found) > MOST_TOKENS:
                raise _failed(number, "too long for this simulation")
    return found


def _body(tokens: list[_Token], at: int) -> tuple[list[tuple[Line, list[Line]]], int]:
    """The plugins between two braces, each with its own block, and where that ends."""
    found: list[tuple[Line, list[Line]]] = []
    inner: list[Line] | None = None
    while at < len(tokens):
        token = tokens[at]
        at += 1
        if token.text == "}":
            if inner is None:
                return found, at
            inner = None
        elif token.text == "{":
            if not found or inner is not None:
                raise CorefileError(f"{PATH}:{token.line} - Syntax error: Unexpected token '{{', expecting '}}'")
            inner = found[-1][1]
        else:
            line = [token]
            while at < len(tokens) and tokens[at].line == token.line and tokens[at].text not in ("{", "}"):
                line.append(tokens[at])
                at += 1
            if inner is None:
                found.append((line, []))
            else:
                inner.append(line)
    raise _failed(tokens[-1].line, "Unexpected EOF")


def _block(keys: list[_Token], lines: list[tuple[Line, list[Line]]], beside: dict[str, None]) -> Block:
    zones = tuple(_zone(key) for key in keys)
    plugins: dict[str, None] = {}
    rewrites: list[Rewrite] = []
    forwards: list[Forward] = []
    hosts, kubernetes = None, None
    own = tuple(zone for zone, _ in zones)
    for line, options in lines:
        name = line[0].text
        if name not in KNOWN:
            raise _failed(line[0].line, f"Unknown directive '{name}'")
        if name not in FOLLOWED:
            beside[name] = None
        plugins[name] = None
        if name == "rewrite":
            rewrites.extend(_rewrites(line, options, beside))
        elif name == "hosts":
            hosts = _hosts(line, options, own, beside)
        elif name == "kubernetes":
            kubernetes = _kubernetes(line, options, own, beside)
        elif name == "forward":
            forwards.append(_forward(line, options))
    return Block(zones, frozenset(plugins), tuple(rewrites), hosts, kubernetes, tuple(forwards))


def _zone(key: _Token) -> tuple[str, int]:
    text = key.text.rstrip(",").removeprefix("dns://").lower()
    zone, colon, port = text.rpartition(":") if ":" in text else (text, "", "")
    if colon and not (port.isdecimal() and len(port) < 6 and 0 < int(port) < 65536):
        raise CorefileError(f"{PATH}:{key.line} - Error during parsing: invalid port: {port}")
    return zone.strip("."), int(port) if port else DNS_PORT


def _rewrites(line: Line, options: list[Line], beside: dict[str, None]) -> list[Rewrite]:
    words = [token.text for token in line[1:]]
    goes_on = bool(words) and words[0] == "continue"
    if words and words[0] in ("stop", "continue"):
        words = words[1:]
    inner = [[token.text for token in option] for option in options]
    for option in [words, *inner]:
        if option and option[0] == "name":
            kind, rest = (option[1], option[2:]) if len(option) > 1 and option[1] in KINDS else ("exact", option[1:])
            if len(rest) < 2:
                raise CorefileError("plugin/rewrite: few arguments provided: expected at least 2 for name rules")
            if kind == "regex":
                return [Rewrite(kind, rest[0], rest[1], goes_on)]
            return [Rewrite(kind, rest[0].lower().strip("." if kind != "suffix" else "") or ".", rest[1].lower(), goes_on)]
    if words or inner:
        beside[f"rewrite {(words or inner[0])[0]}"] = None
    return []


def _hosts(line: Line, options: list[Line], own: tuple[str, ...], beside: dict[str, None]) -> Hosts:
    words = [token.text for token in line[1:]]
    if words and words[0].startswith("/"):
        beside["hosts FILE"] = None
        words = words[1:]
    names: dict[str, dict[str, None]] = {}
    ttl, falls = HOSTS_TTL, False
    for option in options:
        head, *rest = (token.text for token in option)
        if head == "fallthrough":
            falls = True
        elif head == "ttl":
            ttl = _ttl("hosts", option)
        elif head not in ("no_reverse", "reload"):
            try:
                ipaddress.ip_address(head)
            except ValueError:
                raise CorefileError(f"plugin/hosts: unknown property '{head}'") from None
            for name in rest:
                names.setdefault(name.lower().rstrip("."), {})[head] = None
    return Hosts(tuple(word.lower().strip(".") for word in words) or own, {name: tuple(found) for name, found in names.items()}, ttl, falls)


def _kubernetes(line: Line, options: list[Line], own: tuple[str, ...], beside: dict[str, None]) -> Kubernetes:
    zones = tuple(token.text.lower().strip(".") for token in line[1:]) or own
    pods, ttl, falls = "disabled", TTL, ()
    for option in options:
        head, *rest = (token.text for token in option)
        if head == "pods":
            if len(rest) != 1 or rest[0] not in ("disabled", "insecure", "verified"):
                raise CorefileError(f"plugin/kubernetes: wrong value for pods: {' '.join(rest)},  must be one of: disabled, verified, insecure")
            pods = rest[0]
        elif head == "ttl":
            ttl = _ttl("kubernetes", option)
        elif head == "fallthrough":
            falls = tuple(word.lower().strip(".") for word in rest) or zones
        elif head in ("endpoint", "tls", "kubeconfig", "apiserver_qps", "apiserver_burst", "apiserver_max_inflight", "namespaces", "labels",
                      "namespace_labels", "endpoint_pod_names", "noendpoints", "ignore", "startup_timeout", "multicluster", "upstream"):
            beside[f"kubernetes {head}"] = None
        else:
            raise CorefileError(f"plugin/kubernetes: unknown property '{head}'")
    return Kubernetes(zones, pods, ttl, falls)


def _ttl(plugin: str, option: Line) -> int:
    if len(option) != 2 or not option[1].text.isdecimal():
        raise CorefileError(f"plugin/{plugin}: {PATH}:{option[0].line} - Error during parsing: Wrong argument count or unexpected line ending "
                            f"after '{option[-1].text}'")
    if len(option[1].text) > 9 or int(option[1].text) > 3600:
        raise CorefileError(f"plugin/{plugin}: ttl must be in range [0, 3600]: {option[1].text}")
    return int(option[1].text)


def _forward(line: Line, options: list[Line]) -> Forward:
    words = [token.text for token in line[1:]]
    if len(words) < 2:
        raise CorefileError(f"plugin/forward: {PATH}:{line[0].line} - Error during parsing: Wrong argument count or unexpected line ending after "
                            f"'{line[-1].text}'")
    to: list[tuple[str, int]] = []
    for word in words[1:]:
        if word.startswith("/"):
            if word != "/etc/resolv.conf":
                raise CorefileError(f'plugin/forward: not an IP address or file: "{word}"')
            continue
        host, _, port = word.removeprefix("dns://").removeprefix("tls://").partition(":")
        try:
            ipaddress.IPv4Address(host)
        except ValueError:
            raise CorefileError(f'plugin/forward: not an IP address or file: "{word}"') from None
        to.append((host, int(port) if port.isdecimal() and len(port) < 6 else 853 if word.startswith("tls://") else DNS_PORT))
    without = tuple(token.text.lower().strip(".") for option in options if option[0].text == "except" for token in option[1:])
    return Forward(words[0].lower().strip("."), tuple(to), without)


def _failed(line: int, what: str) -> CorefileError:
    return CorefileError(f"{PATH}:{line} - Error during parsing: {what}")
