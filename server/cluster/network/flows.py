"""Traffic as data: a source with its target and rate (``Flow``), and the shares of its requests with how each ends (``Path``).

Source: https://kubernetes.io/docs/reference/networking/virtual-ips/
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from server.cluster.clock import Timer
from server.cluster.network.source import OUTSIDE, Source, in_pod
from server.cluster.objects import Key

Record = dict[str, Any]
SERVICE, POD, NODE, URL = "Service", "Pod", "Node", "URL"
LONGEST = 500


class Target(NamedTuple):
    """What is asked: a Service, a pod or a node by name, or a URL; ``host`` and ``path`` are a URL's."""

    kind: str
    key: Key
    port: int
    host: str = ""
    path: str = "/"

    @property
    def id(self) -> str:
        """As the page names it."""
        if self.kind == URL:
            return f"http://{self.host}:{self.port}{self.path}"
        return f"{self.kind}/{self.key[0]}/{self.key[1]}"

    @property
    def service(self) -> Key | None:
        return self.key if self.kind == SERVICE else None


class Path(NamedTuple):
    """A share of a source's requests: where they end and how; ``port`` is that of the server that answered, ``ms`` the way there and
    back and ``status`` its answer; ``host`` and ``asked`` are the name and port in the request;
    ``through`` are servers that passed it on."""

    share: float
    pod: Key | None
    node: str | None
    ms: float
    error: dict[str, str] | None
    port: int = 0
    status: int | None = None
    service: Key | None = None
    host: str = ""
    asked: int = 0
    through: tuple[tuple[Key, int], ...] = ()

    @property
    def way(self) -> tuple:
        return self.pod, self.node, self.port, self.error and self.error["text"]


class Flow:
    """One source, with how its requests go now and how many went each way until then. ``program`` says that it is a program in a pod whose
    requests were counted, and not somebody's wish; ``resumed`` that it goes on as it did before a restart, which is yet to be found out."""

    def __init__(self, name: str, target: Target, rate: float, source: Source = OUTSIDE, program: bool = False) -> None:
        self.name, self.target, self.rate, self.program = name, target, rate, program
        self.source = Source("outside", name) if source.kind == "outside" else source
        self.paths: list[Path] = []
        self.record: Record = {}
        self.counts: dict[tuple, float] = {}
        self.since = 0.0
        self.resumed = False
        self.timer: Timer | None = None

    @property
    def pod(self) -> Key | None:
        return (self.source.namespace, self.source.name) if self.source.kind == "pod" else None

    def kept(self) -> Record:
        """What the state remembers of it."""
        return {"target": self.target.id, "port": self.target.port, "rate": self.rate,
                **({"source": pod_id(self.pod)} if self.pod is not None else {}), **({"program": True} if self.program else {})}


def taken_up(name: str, kept: Record) -> Flow:
    """A flow from the state, also as earlier versions wrote it."""
    if "service" in kept:
        pod = kept.get("pod")
        return Flow(name, Target(SERVICE, (kept["namespace"], kept["service"]), kept["port"]), kept["rate"],
                    in_pod(*pod) if pod else OUTSIDE, bool(pod))
    return Flow(name, parse_target(kept["target"], kept["port"]), kept["rate"], parse_source(kept.get("source", "")), kept.get("program", False))


def parse_target(text: str, port: int | None) -> Target:
    """``namespace/name`` of a Service, ``Kind/namespace/name``, or ``http://host:port/path``; port 0 is not known yet. ValueError.

    >>> parse_target("default/web", 80).id, parse_target("Node//w1-k8s", 30000).key, parse_target("http://shop.local/cart", None).path
    ('Service/default/web', ('', 'w1-k8s'), '/cart')
    """
    if len(text) > LONGEST:
        raise ValueError(f"the target must be at most {LONGEST} characters long")
    if "://" in text:
        return _url(text, port)
    words = text.split("/")
    if words[0] in (SERVICE, POD, NODE) and len(words) == 3:
        kind, namespace, name = words
    elif len(words) <= 2:
        kind, (namespace, name) = SERVICE, (words if len(words) == 2 else ("", text))
    else:
        raise ValueError("the target must be a Service, a Pod or a Node as Kind/namespace/name, or http://host:port/path")
    if not name:
        raise ValueError("the target must be a Service as namespace/name")
    return Target(kind, ("" if kind == NODE else namespace or "default", name), port or 0)


def _url(text: str, port: int | None) -> Target:
    try:
        parts = urlsplit(text)
        number = port or parts.port or 80
    except ValueError:
        raise ValueError(f"{text!r} is no URL") from None
    if parts.scheme != "http":
        raise ValueError("only http:// can be asked")
    if not parts.hostname or not re.fullmatch(r"[a-z0-9.-]{1,253}", parts.hostname):
        raise ValueError(f"{text!r} has no host")
    return Target(URL, ("", parts.hostname), number, parts.hostname, (parts.path or "/") + (f"?{parts.query}" if parts.query else ""))


def parse_source(text: str) -> Source:
    """"" is outside, ``Pod/namespace/name`` a pod. ValueError."""
    if text in ("", "outside"):
        return OUTSIDE
    words = text.removeprefix("Pod/").split("/")
    if len(words) != 2 or not words[1] or len(text) > LONGEST:
        raise ValueError("the source must be outside or a pod as Pod/namespace/name")
    return in_pod(words[0] or "default", words[1])


def pod_id(pod: Key | None) -> str | None:
    return f"Pod/{pod[0]}/{pod[1]}" if pod is not None else None
