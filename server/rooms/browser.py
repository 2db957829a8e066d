"""The page's address bar: what a browser on the student's own computer gets from an address.

In: a URL. Out: status, headers and body as they came, or the error that a browser shows, with every hop of the way. The computer stands
outside of the cluster: it reaches machines and load balancers, not pods; names are looked up in the workstation's /etc/hosts, then among
the hosts of Ingresses, then in DNS; ``localhost`` is the workstation, where a ``kubectl port-forward`` listens.

Source: https://chromium.googlesource.com/chromium/src/+/main/net/base/net_error_list.h
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urljoin, urlsplit

from server.cluster.network.source import OUTSIDE
from server.cluster.network.walk import REASONS, Walk
from server.rooms.room import RoomError

if TYPE_CHECKING:
    from server.rooms.workstation import Workstation

LONGEST_URL, LARGEST_BODY, MOST_REDIRECTS, MOST_HOPS = 2048, 256 * 1024, 20, 60
LOCAL = ("localhost", "127.0.0.1", "[::1]")
PORTS = {"http": 80, "https": 443}
UNSAFE = frozenset({1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104, 109, 110, 111, 113,
                    115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515, 526, 530, 531, 532, 540, 548, 554, 556,
                    563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667,
                    6668, 6669, 6679, 6697, 10080})
FAULTS = {"Connection refused": "ERR_CONNECTION_REFUSED", "Connection timed out": "ERR_CONNECTION_TIMED_OUT",
          "No route to host": "ERR_ADDRESS_UNREACHABLE", "Network is unreachable": "ERR_ADDRESS_UNREACHABLE",
          "Name does not resolve": "ERR_NAME_NOT_RESOLVED", "Empty reply from server": "ERR_EMPTY_RESPONSE",
          "Connection reset by peer": "ERR_CONNECTION_RESET", "wrong version number": "ERR_SSL_PROTOCOL_ERROR"}
HEADERS = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36",
           "Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


def browse(workstation: Workstation, url: str, insecure: bool = False) -> dict[str, Any]:
    """Goes to an address and on to where it redirects; ``insecure`` goes on where nobody vouches for a certificate."""
    url, hops, ms = _whole(url), [], 0.0
    for _ in range(MOST_REDIRECTS):
        parts = urlsplit(url)
        port = parts.port or PORTS[parts.scheme]
        if port in UNSAFE:
            return _failed(url, "ERR_UNSAFE_PORT", "", hops, ms)
        walk = _request(workstation, parts.hostname or "", port, parts)
        ms += walk.ms
        hops.extend({"kind": hop.kind, "what": hop.what, "decision": hop.decision} for hop in walk.hops[:MOST_HOPS - len(hops)])
        if walk.status is None:
            code = FAULTS.get(walk.fault) or ("ERR_INVALID_HTTP_RESPONSE" if walk.connected else "ERR_FAILED")
            return _failed(url, code, walk.error_text, hops, ms, walk)
        if parts.scheme == "https" and not insecure:
            return _failed(url, "ERR_CERT_AUTHORITY_INVALID", "", hops, ms, walk)
        target = next((value for name, value in walk.headers.items() if name.lower() == "location"), "")
        if walk.status not in (301, 302, 303, 307, 308) or not target:
            return {"url": url, "address": walk.address, "status": walk.status, "reason": REASONS.get(walk.status, ""), "headers": walk.headers,
                    "body": walk.body[:LARGEST_BODY], "error": None, "hops": hops, "ms": round(ms, 2)}
        url = _whole(urljoin(url, target))
    return _failed(url, "ERR_TOO_MANY_REDIRECTS", "", hops, ms)


def _whole(url: str) -> str:
    """What was typed as a whole URL. RoomError for what is none.

    >>> _whole("192.168.1.101:30000"), _whole("web.example.com/a b?c=d#e")
    ('http://192.168.1.101:30000/', 'http://web.example.com/a%20b?c=d')
    """
    url = url.strip()
    if not url or len(url) > LONGEST_URL:
        raise RoomError(f"an address has from 1 to {LONGEST_URL} characters")
    if "://" not in url:
        url = f"http://{url}"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise RoomError(f"{url}: this is no address") from None
    if parts.scheme not in PORTS or not parts.hostname or any(letter.isspace() or ord(letter) < 32 for letter in parts.hostname):
        raise RoomError(f"{url}: only http:// and https:// addresses can be opened")
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=-._~") + (f"?{quote(parts.query, safe='=&%/:?@!$+,;-._~')}" if parts.query else "")
    return f"{parts.scheme}://{parts.hostname}{f':{port}' if port else ''}{path}"


def _request(workstation: Workstation, host: str, port: int, parts: Any) -> Walk:
    network = workstation.cluster.network
    local = host in LOCAL
    address = "localhost" if local else _address(workstation, host)
    machine = network.workstation() if local else network.of(OUTSIDE)
    shown = host if port == PORTS[parts.scheme] else f"{host}:{port}"
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    return machine.request(address, port, "GET", path, None, {**HEADERS, "Host": shown}, tls=parts.scheme == "https")


def _address(workstation: Workstation, host: str) -> str:
    """What a name leads to; the name itself if only DNS may know it."""
    for line in (workstation.files.read("/etc/hosts") or "").splitlines():
        words = line.partition("#")[0].split()
        if host in words[1:]:
            return words[0]
    return next(iter(workstation.cluster.network.ingress_addresses(host)), host)


def _failed(url: str, code: str, text: str, hops: list[dict[str, str]], ms: float, walk: Walk | None = None) -> dict[str, Any]:
    return {"url": url, "address": walk.address if walk is not None else "", "status": None, "reason": "", "headers": {}, "body": "",
            "error": {"code": code, "text": text}, "hops": hops, "ms": round(ms, 2)}
