"""Which Ingresses an ingress-nginx controller serves, and where a request for a host and a path goes.

In: the controller's own flags, IngressClasses, Ingresses. Out: ``Routes.find(host, path)``: the ``Location`` of the server block that the
host has, chosen as nginx chooses (exact, then the longest prefix; where a regular expression is used for a host, by the first of its
paths that matches, longest first), or None for the default backend. Rules of one host are merged; of two equal paths the older wins. A
canary has no locations of its own: it stands beside the one that has its host and path.

Source: https://kubernetes.github.io/ingress-nginx/user-guide/ingress-path-matching/
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import accumulate, pairwise
from typing import NamedTuple

from server.cluster.objects import Key, Object, annotations, key
from server.cluster.patterns import LONGEST_PATTERN, LONGEST_TOGETHER, MOST_TOGETHER, Trials

PREFIX = "nginx.ingress.kubernetes.io/"
CLASS_ANNOTATION = "kubernetes.io/ingress.class"
CATCH_ALL = "_"


class Config(NamedTuple):
    """What the controller was started with."""

    controller: str = "k8s.io/ingress-nginx"
    annotation: str = "nginx"
    without_class: bool = False
    namespace: str = ""
    publish_service: Key | None = None
    publish_address: tuple[str, ...] = ()
    internal_address: bool = False
    update_status: bool = True
    election: str = "ingress-nginx-leader"
    default_service: Key | None = None


class Canary(NamedTuple):
    """Another backend for some of a location's requests, and the annotations that say for which."""

    ingress: Key
    backend: Object
    notes: dict[str, str]


class Location(NamedTuple):
    """``kind`` is exact, prefix or regex, or slash: nginx adds the slash that a prefix ends with; ``backend`` is what the Ingress says of it;
    ``redirects`` to https unless it came by that; ``said`` is the path as the Ingress has it."""

    path: str
    kind: str
    ingress: Key
    backend: Object
    notes: dict[str, str]
    redirects: bool
    said: tuple[str, str] = ("", "")
    canary: Canary | None = None


class Server(NamedTuple):
    """One host: its locations in nginx's order, and whether there is a certificate for it."""

    name: str
    locations: tuple[Location, ...]
    tls: bool


MOST_ALIASES = 32


def config(argv: Iterable[str]) -> Config:
    """The flags of ``/nginx-ingress-controller``."""
    flags = given_flags(argv)
    return Config(
        flags.get("controller-class", "k8s.io/ingress-nginx"), flags.get("ingress-class", "nginx"),
        _true(flags.get("watch-ingress-without-class")), flags.get("watch-namespace", ""), _key(flags.get("publish-service", "")),
        tuple(each for each in flags.get("publish-status-address", "").split(",") if each), _true(flags.get("report-node-internal-ip-address")),
        _true(flags.get("update-status", "true")), flags.get("election-id", "ingress-nginx-leader"),
        _key(flags.get("default-backend-service", "")))


def given_flags(argv: Iterable[str]) -> dict[str, str]:
    """
    >>> given_flags(["/nginx-ingress-controller", "--ingress-class=a", "--election-id", "b", "--update-status"])
    {'ingress-class': 'a', 'election-id': 'b', 'update-status': 'true'}
    """
    flags: dict[str, str] = {}
    for word, following in pairwise((*argv, "--")):
        if word.startswith("--") and word != "--":
            name, given, value = word[2:].partition("=")
            flags[name] = value if given else "true" if following.startswith("-") else following
    return flags


def _true(value: str | None) -> bool:
    return value in ("true", "1", "t", "T", "TRUE", "True")


def _key(text: str) -> Key | None:
    namespace, slash, name = text.partition("/")
    return (namespace, name) if slash else None


def serves(settings: Config, ingress: Object, classes: dict[str, Object]) -> bool:
    """Whether an Ingress is this controller's: by its class, by the old annotation, or because it names none."""
    if settings.namespace and ingress["metadata"]["namespace"] != settings.namespace:
        return False
    named = ingress["spec"].get("ingressClassName")
    if named is not None:
        found = classes.get(named)
        return found is not None and (found.get("spec") or {}).get("controller") == settings.controller
    annotated = annotations(ingress).get(CLASS_ANNOTATION)
    return annotated in ("", settings.annotation) if annotated is not None else settings.without_class


class Routes:
    """The server blocks that some Ingresses make."""

    def __init__(self, ingresses: Iterable[Object]) -> None:
        locations: dict[str, dict[tuple[str, str], Location]] = {}
        secured: dict[str, None] = {}
        regular: dict[str, None] = {}
        aliases: dict[str, str] = {}
        self.default: Location | None = None
        self.elsewhere: dict[str, str] = {}
        canaries: list[Object] = []
        for ingress in sorted(ingresses, key=lambda each: (each["metadata"].get("creationTimestamp", ""), key(each))):
            notes = _notes(ingress)
            if notes.get("canary") == "true":
                canaries.append(ingress)
                continue
            spec = ingress["spec"]
            hosts = dict.fromkeys(host for entry in spec.get("tls") or () for host in entry.get("hosts") or ())
            secured.update(hosts)
            by_regex = "rewrite-target" in notes or notes.get("use-regex") == "true"
            for rule in spec.get("rules") or ():
                host = rule.get("host") or CATCH_ALL
                known = locations.setdefault(host, {})
                redirects = notes.get("force-ssl-redirect") == "true" or host in hosts and notes.get("ssl-redirect") != "false"
                if by_regex:
                    regular[host] = None
                for path in (rule.get("http") or {}).get("paths") or ():
                    for at in _locations(path, ingress, notes, redirects, by_regex):
                        known.setdefault((at.kind, at.path), at)
                if spec.get("defaultBackend") is not None:
                    known.setdefault(("prefix", "/"), Location("/", "prefix", key(ingress), spec["defaultBackend"], notes, redirects))
                for alias in _words(notes.get("server-alias", "")):
                    aliases.setdefault(alias, host)
                if notes.get("from-to-www-redirect") == "true" and host != CATCH_ALL:
                    self.elsewhere[host.removeprefix("www.") if host.startswith("www.") else f"www.{host}"] = host
            if not spec.get("rules") and spec.get("defaultBackend") is not None and self.default is None:
                self.default = Location("/", "prefix", key(ingress), spec["defaultBackend"], notes, False)
        _beside(canaries, locations)
        self.servers = {host: Server(host, _ordered(known.values(), host in regular), host in secured) for host, known in locations.items()}
        for alias, host in aliases.items():
            self.servers.setdefault(alias, self.servers[host])

    def server(self, host: str) -> Server | None:
        """A name's own server block, else that of the wildcard one label above, else the one for all names."""
        host = host.lower().rstrip(".")
        label, _, parent = host.partition(".")
        found = self.servers.get(host) or (self.servers.get(f"*.{parent}") if parent and re.fullmatch(r"[\w-]+", label) else None)
        return found or self.servers.get(CATCH_ALL)

    def find(self, host: str, path: str) -> Location | None:
        """None is the default backend."""
        server = self.server(host)
        trials = Trials()
        found = next((at for at in server.locations if _matches(at, path, trials)), None) if server is not None else None
        return found or self.default


def _beside(canaries: list[Object], locations: dict[str, dict[tuple[str, str], Location]]) -> None:
    """Canaries join the locations that have their host and path, one to each."""
    said: dict[tuple[str, tuple[str, str]], list[tuple[str, str]]] = {}
    for host, known in locations.items() if canaries else ():
        for where, at in known.items():
            said.setdefault((host, at.said), []).append(where)
    for ingress in canaries:
        made = Canary(key(ingress), {}, _notes(ingress))
        for rule in ingress["spec"].get("rules") or ():
            host = rule.get("host") or CATCH_ALL
            for path in (rule.get("http") or {}).get("paths") or ():
                for where in said.get((host, _said(path)), ()):
                    at = locations[host][where]
                    if at.canary is None and at.backend != path["backend"]:
                        locations[host][where] = at._replace(canary=made._replace(backend=path["backend"]))


def _said(path: Object) -> tuple[str, str]:
    return path["pathType"], path.get("path") or "/"


def _words(text: str) -> list[str]:
    return [word.strip().lower() for word in text.split(",") if word.strip()][:MOST_ALIASES]


def _notes(ingress: Object) -> dict[str, str]:
    return {name.removeprefix(PREFIX): value for name, value in annotations(ingress).items() if name.startswith(PREFIX)}


def _locations(path: Object, ingress: Object, notes: dict[str, str], redirects: bool, by_regex: bool) -> list[Location]:
    """A Prefix is two locations: the path itself and what is below it."""
    kind, where = _said(path)
    backend, of, said = path["backend"], key(ingress), _said(path)
    if kind == "Exact":
        return [Location(where, "exact", of, backend, notes, redirects, said)]
    below = where if where.endswith("/") or kind == "ImplementationSpecific" else f"{where}/"
    found = [Location(below, "prefix", of, backend, notes, redirects, said)]
    if where == "/" or by_regex:
        return [found[0]._replace(path=where)]
    if where != below:
        return [Location(where, "exact", of, backend, notes, redirects, said), *found]
    return [Location(where[:-1], "slash", of, backend, notes, redirects, said), *found] if where.endswith("/") else found


def _ordered(locations: Iterable[Location], regular: bool) -> tuple[Location, ...]:
    longest_first = sorted(locations, key=lambda at: -len(at.path))
    if regular:
        found = [at._replace(kind="regex") for at in longest_first if at.kind != "slash" and len(at.path) <= LONGEST_PATTERN][:MOST_TOGETHER]
        letters = accumulate(len(at.path) for at in found)
        return tuple(at for at, together in zip(found, letters, strict=True) if together <= LONGEST_TOGETHER)
    return tuple(sorted(longest_first, key=lambda at: ("exact", "slash", "prefix").index(at.kind)))


def _matches(at: Location, path: str, trials: Trials) -> bool:
    if at.kind == "regex":
        return trials.match(at.path, path) is not None
    return path.startswith(at.path) if at.kind == "prefix" else path == at.path
