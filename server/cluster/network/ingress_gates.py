"""What an Ingress's annotations make of one request before and beside its way: a canary, a limit, a password, CORS, a cookie that sticks.

In: the annotations without their prefix and the request's headers. Out: plain answers to plain questions; ``ingress`` puts them together.

Source: https://kubernetes.github.io/ingress-nginx/user-guide/nginx-configuration/annotations/
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import ipaddress
import re
from functools import lru_cache
from typing import NamedTuple, TypeVar

from server.cluster.network.passwords import is_password
from server.cluster.patterns import Trials

T = TypeVar("T")
Notes = dict[str, str]
BODY_SIZE, BURST = 1 << 20, 5
SIZES = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
MOST_BUCKETS, MOST_RANGES, LONGEST_HASHED = 4096, 1000, 256
COOKIE = "INGRESSCOOKIE"
CORS_METHODS = "GET, PUT, POST, DELETE, PATCH, OPTIONS"
CORS_HEADERS = "DNT,Keep-Alive,User-Agent,X-Requested-With,If-Modified-Since,Cache-Control,Content-Type,Range,Authorization"
CORS_AGE = "1728000"
VARIABLES = {"request_uri": "uri", "uri": "path", "host": "host", "remote_addr": "client", "binary_remote_addr": "client",
             "request_method": "method", "scheme": "scheme"}


def header(headers: dict[str, str], called: str) -> str | None:
    called = called.lower()
    return next((value for name, value in headers.items() if name.lower() == called), None)


def cookie(headers: dict[str, str], called: str) -> str | None:
    """
    >>> cookie({"Cookie": "a=1; canary=always"}, "canary"), cookie({}, "a")
    ('always', None)
    """
    for part in (header(headers, "cookie") or "").split(";"):
        name, equals, value = part.strip().partition("=")
        if equals and name == called:
            return value
    return None


# canaries

def canary_share(notes: Notes, headers: dict[str, str]) -> float:
    """How much of such requests goes to the canary: a header decides before a cookie, and both before the weight.

    >>> canary_share({"canary-by-header": "X", "canary-weight": "20"}, {"x": "always"}), canary_share({"canary-weight": "20"}, {})
    (1.0, 0.2)
    """
    by_header = notes.get("canary-by-header")
    value = header(headers, by_header) if by_header else None
    if value is not None:
        wanted, pattern = notes.get("canary-by-header-value"), notes.get("canary-by-header-pattern")
        if wanted:
            if value == wanted:
                return 1.0
        elif pattern:
            if Trials().match(f".*(?:{pattern})", value, 0):
                return 1.0
        elif value in ("always", "never"):
            return float(value == "always")
    by_cookie = notes.get("canary-by-cookie")
    if by_cookie and (said := cookie(headers, by_cookie)) in ("always", "never"):
        return float(said == "always")
    total = _number(notes.get("canary-weight-total"), 100) or 100
    return min(1.0, _number(notes.get("canary-weight"), 0) / total)


# limits

class Limit(NamedTuple):
    """``rate`` requests a second, and ``burst`` more at once."""

    name: str
    rate: float
    burst: int


def limits(notes: Notes, client: str) -> list[Limit]:
    """
    >>> limits({"limit-rps": "2", "limit-rpm": "30"}, "10.0.0.1")
    [Limit(name='rps', rate=2.0, burst=10), Limit(name='rpm', rate=0.5, burst=150)]
    """
    if within(client, notes.get("limit-whitelist") or notes.get("limit-allowlist") or ""):
        return []
    times = _number(notes.get("limit-burst-multiplier"), BURST) or BURST
    found = ((name, _number(notes.get(f"limit-{name}"), 0), seconds) for name, seconds in (("rps", 1), ("rpm", 60)))
    return [Limit(name, each / seconds, each * times) for name, each, seconds in found if each]


class Buckets:
    """What has flowed in and not yet out, as nginx counts it: requests over the rate wait in a bucket, and are refused when it is full."""

    def __init__(self) -> None:
        self._kept: dict[tuple, tuple[float, float]] = {}

    def takes(self, where: tuple, limit: Limit, now: float) -> bool:
        excess, last = self._kept.pop((*where, limit.name), (-1.0, now))
        excess = max(0.0, excess - limit.rate * (now - last)) + 1.0 if excess >= 0 else 0.0
        taken = excess <= limit.burst + 1e-9
        self._kept[(*where, limit.name)] = (excess, now) if taken else (excess - 1.0, now)
        if len(self._kept) > MOST_BUCKETS:
            del self._kept[next(iter(self._kept))]
        return taken


def body_limit(notes: Notes) -> int:
    """The longest body that is taken; 0 is any.

    >>> body_limit({}), body_limit({"proxy-body-size": "8k"}), body_limit({"proxy-body-size": "0"})
    (1048576, 8192, 0)
    """
    found = re.fullmatch(r"(\d{1,9})([kKmMgG]?)", notes.get("proxy-body-size", ""))
    return int(found[1]) * SIZES[found[2].lower()] if found else BODY_SIZE


# who may

def within(client: str, ranges: str) -> bool:
    try:
        address = ipaddress.ip_address(client)
        return any(address in network for network in _networks(ranges))
    except ValueError:
        return False


@lru_cache(maxsize=256)
def _networks(ranges: str) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    """ValueError."""
    words = [word for each in ranges.split(",", MOST_RANGES)[:MOST_RANGES] if (word := each.strip())]
    return tuple(ipaddress.ip_network(word, strict=False) for word in words)


def credentials(headers: dict[str, str]) -> tuple[str, str] | None:
    """The name and password of a Basic Authorization header.

    >>> credentials({"Authorization": "Basic Zm9vOmJhcg=="}), credentials({"Authorization": "Bearer x"})
    (('foo', 'bar'), None)
    """
    kind, _, text = (header(headers, "authorization") or "").partition(" ")
    try:
        said = base64.b64decode(text, validate=True).decode("utf-8", "replace") if kind.lower() == "basic" else ""
    except (binascii.Error, ValueError):
        return None
    user, colon, password = said.partition(":")
    return (user, password) if colon else None


def users(notes: Notes, data: dict[str, str]) -> str | None:
    """The htpasswd file that a secret holds; None if it holds none."""
    if notes.get("auth-secret-type") == "auth-map":
        return "".join(f"{name}:{_plain(value)}\n" for name, value in sorted(data.items()))
    return _plain(data["auth"]) if "auth" in data else None


def lets_in(file: str, headers: dict[str, str]) -> bool | None:
    """None: the password is kept in a way that is not tried here."""
    said = credentials(headers)
    return is_password(file, *said) if said is not None else False


def _plain(value: str) -> str:
    try:
        return base64.b64decode(value).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return ""


# CORS

def cors(notes: Notes, headers: dict[str, str]) -> dict[str, str]:
    """The headers that let a page of another origin read the answer; none if it may not.

    >>> cors({"enable-cors": "true", "cors-allow-origin": "https://*.a.example"}, {"Origin": "https://b.a.example"})["Access-Control-Allow-Origin"]
    'https://b.a.example'
    """
    if notes.get("enable-cors") != "true":
        return {}
    allowed = [each.strip() for each in notes.get("cors-allow-origin", "*").split(",") if each.strip()] or ["*"]
    origin = header(headers, "origin") or ""
    if "*" in allowed:
        origin = "*"
    elif not any(_is_origin(each, origin) for each in allowed):
        return {}
    return {"Access-Control-Allow-Origin": origin,
            **({"Access-Control-Allow-Credentials": "true"} if notes.get("cors-allow-credentials") != "false" else {}),
            "Access-Control-Allow-Methods": notes.get("cors-allow-methods", CORS_METHODS),
            "Access-Control-Allow-Headers": notes.get("cors-allow-headers", CORS_HEADERS),
            **({"Access-Control-Expose-Headers": notes["cors-expose-headers"]} if "cors-expose-headers" in notes else {}),
            "Access-Control-Max-Age": notes.get("cors-max-age", CORS_AGE)}


def _is_origin(allowed: str, origin: str) -> bool:
    first, star, rest = allowed.lower().partition("*.")
    origin = origin.lower()
    return origin == first if not star else origin.startswith(first) and origin.endswith(f".{rest}") \
        and re.fullmatch(r"[a-z0-9-]+", origin[len(first):len(origin) - len(rest) - 1]) is not None


# which endpoint

def sticks(notes: Notes) -> str:
    """The name of the cookie that ties a client to an endpoint; "" for none."""
    return notes.get("session-cookie-name", COOKIE) if notes.get("affinity") == "cookie" else ""


def nearest(text: str, peers: tuple[T, ...]) -> int:
    """Which of the peers a text always leads to; when one goes only its own texts go elsewhere."""
    return max(range(len(peers)), key=lambda index: hashlib.md5(f"{text}|{peers[index]}".encode(), usedforsecurity=False).digest())


def new_cookie(notes: Notes, name: str, value: str, path: str, expires: str) -> str:
    """The ``Set-Cookie`` header; ``expires`` is the moment that ``session-cookie-expires`` leads to."""
    said = [f"{name}={value}", *([f"Expires={expires}"] if expires else ()),
            *([f"Max-Age={notes['session-cookie-max-age']}"] if "session-cookie-max-age" in notes else ()),
            *([f"Domain={notes['session-cookie-domain']}"] if "session-cookie-domain" in notes else ()),
            f"Path={notes.get('session-cookie-path') or path}", *(["Secure"] if notes.get("session-cookie-secure") == "true" else ()), "HttpOnly",
            *([f"SameSite={notes['session-cookie-samesite']}"] if "session-cookie-samesite" in notes else ())]
    return "; ".join(said)


def hashed_by(notes: Notes, facts: dict[str, str], headers: dict[str, str]) -> str | None:
    """What ``upstream-hash-by`` comes to for a request; None without it.

    >>> hashed_by({"upstream-hash-by": "$request_uri$http_x_id"}, {"uri": "/a?b"}, {"X-Id": "7"})
    '/a?b7'
    """
    text = notes.get("upstream-hash-by")
    if not text:
        return None
    return re.sub(r"\$\{?(\w+)\}?", lambda found: _variable(found[1], facts, headers), text[:LONGEST_HASHED])


def _variable(name: str, facts: dict[str, str], headers: dict[str, str]) -> str:
    kind, _, rest = name.partition("_")
    if kind == "http" and rest:
        return header(headers, rest.replace("_", "-")) or ""
    if kind == "cookie" and rest:
        return cookie(headers, rest) or ""
    if kind == "arg" and rest:
        given = (part.partition("=") for part in facts.get("uri", "").partition("?")[2].split("&"))
        return next((value for key, _, value in given if key == rest), "")
    return facts.get(VARIABLES.get(name, ""), "")


def _number(text: str | None, default: int) -> int:
    return int(text) if text is not None and text.isdecimal() and len(text) < 10 else default
