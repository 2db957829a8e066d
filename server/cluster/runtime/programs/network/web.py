"""What programs of the web have in common: addresses of pages, requests over the machine's network, errors in the C library's words.

Source: https://www.rfc-editor.org/rfc/rfc3986
"""

from __future__ import annotations

import base64
import re
from typing import NamedTuple
from urllib.parse import urljoin, urlsplit

from server.cluster.network.walk import CLOSED, CUT_OFF, NO_NETWORK, NO_ROUTE, SILENCE
from server.cluster.runtime.proc import Proc
from server.cluster.runtime.programs.network.common import Reply, image_of, network, reply

PORTS = {"http": 80, "https": 443}
MOST_REDIRECTS = 20
REDIRECTS = (301, 302, 303, 307, 308)
MUSL = {NO_ROUTE: "Host is unreachable", NO_NETWORK: "Network unreachable", SILENCE: "Operation timed out"}
ALPINES = ("alpine", "nicolaka/netshoot", "curlimages/curl", "praqma/network-multitool", "wbitt/network-multitool", "infoblox/dnstools")


class Url(NamedTuple):
    """``netloc`` as it was written, without user and password, which are ``user``."""

    scheme: str
    host: str
    port: int
    path: str
    netloc: str
    user: str

    @property
    def text(self) -> str:
        return f"{self.scheme}://{self.netloc}{self.path}"

    @property
    def tls(self) -> bool:
        return self.scheme == "https"

    def joined(self, location: str) -> str:
        """Where a redirect leads."""
        return urljoin(self.text, location)


def url(text: str) -> Url:
    """ValueError("port") or ValueError("url").

    >>> url("web:8080/a?b=1")[:4], url("https://u:p@[::1]/").port
    (('http', 'web', 8080, '/a?b=1'), 443)
    """
    found = re.fullmatch(r"(?:([A-Za-z][A-Za-z0-9+.-]*)://)?(?:([^@/?#]*)@)?([^/?#]*)([^#]*)(?:#.*)?", text, re.S)
    if found is None or any(letter in text for letter in " \n\r\t"):
        raise ValueError("url")
    scheme, user, netloc, path = (found[1] or "http").lower(), found[2] or "", found[3], found[4]
    try:
        parts = urlsplit(f"//{netloc}")
        host = parts.hostname or ""
    except ValueError:
        raise ValueError("url") from None
    try:
        port = parts.port
    except ValueError:
        raise ValueError("port") from None
    if not host:
        raise ValueError("url")
    return Url(scheme, host, port or PORTS.get(scheme, 80), path if path.startswith("/") else f"/{path}", netloc, user)


def basic(user: str) -> dict[str, str]:
    """The header that says who asks."""
    return {"Authorization": "Basic " + base64.b64encode(user.encode("utf-8", "surrogateescape")).decode()} if user else {}


def host_header(where: Url) -> str:
    return where.host if where.port == PORTS.get(where.scheme) else f"{where.host}:{where.port}"


def fetch(proc: Proc, where: Url, method: str, headers: dict[str, str], body: str = "", timeout: float | None = None,
          address: str = "", port: int = 0) -> Reply:
    """One request; ``address`` and ``port``: there, whatever the URL says."""
    given = {"Host": host_header(where), **headers}
    walk = network(proc).request(address or where.host, port or where.port, method=method, path=where.path, timeout=timeout, headers=given,
                                 body=body, tls=where.tls)
    return reply(walk)


def errno(proc: Proc, found: Reply) -> str:
    """Why there was no connection, as the C library of the image says it."""
    image = image_of(proc)
    musl = image is not None and (image.reference.familiar in ALPINES or "alpine" in image.reference.tag or "musl" in image.reference.tag)
    return MUSL.get(found.fault, found.fault) if musl else found.fault or "Connection refused"


def unheard(found: Reply) -> bool:
    """Whether the connection was made, but ended without an answer."""
    return found.fault in (CLOSED, CUT_OFF)
