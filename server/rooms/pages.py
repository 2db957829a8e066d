"""The pages of the world outside that the workstation's kubectl can read: bundled manifests, and raw files of GitHub.

In: an address. Out: its text, or the error that kubectl prints. What the notes and the first add-ons are applied from answers without a
network. Anything else is asked for by the server itself, of two hosts only, in a green thread of its own beside the room's clock, with
bounds on redirects, size and time; ``PODIUM_FETCH=0`` turns that off.

Source: https://kubernetes.io/docs/tasks/manage-kubernetes-objects/declarative-config/
"""

from __future__ import annotations

import http.client
import re
import socket
from collections.abc import Callable, Generator
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

from server import green
from server.cluster.process import Channel, Take
from server.kubectl.errors import CommandError, PlainError

MANIFESTS = Path(__file__).parent / "manifests"
# what an address names, and the file that answers
BUNDLED = (
    (re.compile(r"(raw\.githubusercontent\.com/sixeyed/kiamol/|github\.com/sixeyed/kiamol/raw/)(master|main)/ch02/pod\.yaml"), "kiamol-pod.yaml"),
    (re.compile(r"github\.com/kubernetes-sigs/metrics-server/releases/(latest/download|download/[\w.-]+)/components\.yaml"),
     "metrics-server.yaml"),
    (re.compile(r"(raw\.githubusercontent\.com/kubernetes/ingress-nginx/|github\.com/kubernetes/ingress-nginx/raw/)[\w.-]+/deploy/static/"
                r"provider/cloud/deploy\.yaml"), "ingress-nginx.yaml"),
    (re.compile(r"(raw\.githubusercontent\.com/kubernetes/ingress-nginx/|github\.com/kubernetes/ingress-nginx/raw/)[\w.-]+/deploy/static/"
                r"provider/baremetal/deploy\.yaml"), "ingress-nginx-baremetal.yaml"),
)
HOSTS = {"raw.githubusercontent.com": re.compile(r"/.+"), "github.com": re.compile(r"/[^/]+/[^/]+/raw/.+")}
MOST_REDIRECTS, LARGEST, PATIENCE = 3, 1024 * 1024, 10.0
MOST_AT_ONCE = 4
_PLACES = green.Lock(MOST_AT_ONCE)
Fetch = Callable[[str], Generator[Any, Any, str]]


def fetcher(enabled: bool, instant: Callable[[], None]) -> Fetch:
    """``instant()`` lets the room go on when an answer has come."""

    def fetch(url: str) -> Generator[Any, Any, str]:
        text = bundled(url)
        if text is not None:
            return text
        host = allowed(url)
        if not host:
            raise PlainError(f"Unable to connect to the server: podium: {urlsplit(url).hostname or url} cannot be reached from this "
                             "workstation; kubectl reads https://raw.githubusercontent.com/... and https://github.com/OWNER/REPO/raw/...")
        if not enabled:
            raise PlainError(f"Unable to connect to the server: dial tcp: lookup {host}: no such host (podium: this server does not read "
                             "pages of the world outside)")
        channel = Channel(1)
        green.soon(_answer, url, channel, instant)
        answer = yield Take(channel)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return fetch


def bundled(url: str) -> str | None:
    """The manifest of our own that answers for an address."""
    parts = urlsplit(url)
    place = f"{parts.hostname}{parts.path}"
    name = next((name for pattern, name in BUNDLED if pattern.fullmatch(place)), None)
    return _manifest(name) if name is not None else None


@cache
def _manifest(name: str) -> str:
    return (MANIFESTS / name).read_text()


def allowed(url: str) -> str:
    """The host that an address is asked of; "" if it must not be asked for."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return ""
    pattern = HOSTS.get(parts.hostname or "")
    right = parts.scheme in ("http", "https") and port is None and parts.username is None and parts.password is None
    return parts.hostname if right and pattern is not None and pattern.fullmatch(parts.path) else ""


def _answer(url: str, channel: Channel, instant: Callable[[], None]) -> None:
    if not _PLACES.acquire(blocking=False):
        answer: str | Exception = PlainError("Unable to connect to the server: podium: too many pages are being read at once; try again")
    else:
        try:
            answer = green.within(PATIENCE, _read, url)
        except CommandError as error:
            answer = error
        except (TimeoutError, green.Timeout):
            answer = PlainError("Unable to connect to the server: context deadline exceeded (Client.Timeout exceeded while awaiting headers)")
        except socket.gaierror:
            answer = PlainError(f"Unable to connect to the server: dial tcp: lookup {allowed(url)}: no such host")
        except (OSError, http.client.HTTPException, ValueError) as error:
            answer = PlainError(f"Unable to connect to the server: dial tcp {allowed(url)}:443: {error}")
        finally:
            _PLACES.release()
    channel.put(answer)
    instant()


def _read(url: str) -> str:
    asked = url
    for _ in range(MOST_REDIRECTS + 1):
        host = allowed(asked)
        if not host:
            raise PlainError(f'Unable to connect to the server: Get "{asked}": podium: the redirect leads away from GitHub\'s raw files')
        connection = http.client.HTTPSConnection(host, timeout=PATIENCE)
        try:
            parts = urlsplit(asked)
            target = quote(parts.path, safe="/%:@!$&'()*+,;=-._~") + (f"?{quote(parts.query, safe='=&%-._~')}" if parts.query else "")
            connection.request("GET", target, headers={"User-Agent": "podium", "Accept-Encoding": "identity"})
            response = connection.getresponse()
            if response.status in (301, 302, 303, 307, 308):
                asked = urljoin(asked, response.getheader("Location") or "")
                continue
            if response.status != 200:
                raise CommandError(f'unable to read URL "{url}", server reported {response.status} {response.reason}, '
                                   f"status code={response.status}")
            body = response.read(LARGEST + 1)
        finally:
            connection.close()
        if len(body) > LARGEST:
            raise CommandError(f'unable to read URL "{url}": podium: it is larger than {LARGEST} bytes')
        return body.decode(errors="replace")
    raise PlainError(f'Unable to connect to the server: Get "{asked}": stopped after {MOST_REDIRECTS} redirects')
