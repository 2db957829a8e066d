"""What `kubectl create ingress` makes.

In: rules as `host/path=service:port[,tls[=secret]]`. Out: the Ingress; a path that ends in `*` is a prefix, any other is exact.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from server.kubectl.context import Context
from server.kubectl.errors import CommandError
from server.kubectl.flags import Flags

Object = dict[str, Any]
_RULE = re.compile(r"(?P<host>[\w*.-]*)/(?P<path>[^,=\n]*)=(?P<service>[\w-]+):(?P<port>[\w-]+)", re.ASCII)
_NUMBER = re.compile(r"[+-]?[0-9]+")
NEITHER = ("not enough information provided: every ingress has to either specify a default-backend (which catches all traffic) or a list of "
           "rules (which catch specific paths)")


def ingress(ctx: Context, name: str, command: list[str], flags: Flags) -> Object:
    if not flags["default-backend"] and not flags.rule:
        raise CommandError(NEITHER)
    rules = [_rule(text) for text in flags.rule]
    for text in flags.annotation:
        if "=" not in text:
            raise CommandError(f"annotation {text} is invalid and should be in format key=[value]")
    default = flags["default-backend"]
    if default and default.count(":") != 1:
        raise CommandError("default-backend should be in format servicename:serviceport")
    annotations = dict(text.split("=", 1) for text in flags.annotation)
    hosts, secrets = _rules(rules), _tls(rules)
    return {
        "kind": "Ingress", "apiVersion": "networking.k8s.io/v1",
        "metadata": {"name": name, **({"annotations": annotations} if annotations else {})},
        "spec": {**({"ingressClassName": flags["class"]} if flags["class"] else {}),
                 **({"defaultBackend": _backend(*default.split(":"))} if default else {}),
                 **({"rules": hosts} if hosts else {}), **({"tls": secrets} if secrets else {})},
        "status": {"loadBalancer": {}},
    }


class _Rule(NamedTuple):
    """``secret`` is None without TLS, "" for the controller's own certificate."""

    host: str
    path: str
    service: str
    port: str
    secret: str | None


def _rule(text: str) -> _Rule:
    """Only the beginning has to be right: what follows a port's first separator is passed over, and one comma, whatever comes after it,
    means TLS."""
    found = _RULE.match(text)
    if found is None:
        raise CommandError(f"rule {text} is invalid and should be in format host/path=svcname:svcport[,tls[=secret]]")
    route, *more = text.split(",")
    port = route.split("=")[1].split(":")[1]
    return _Rule(found["host"], f"/{found['path']}", found["service"], port, (*more[0].split("="), "")[1] if len(more) == 1 else None)


def _rules(rules: list[_Rule]) -> list[Object]:
    """One rule a host, in the order that the hosts come up."""
    by_host: dict[str, list[Object]] = {}
    for rule in rules:
        by_host.setdefault(rule.host, []).append({
            "backend": _backend(rule.service, rule.port), "path": rule.path.removesuffix("*"),
            "pathType": "Prefix" if rule.path.endswith("*") else "Exact"})
    return [{**({"host": host} if host else {}), "http": {"paths": paths}} for host, paths in by_host.items()]


def _tls(rules: list[_Rule]) -> list[Object]:
    """One entry a secret; a host is served by the first that names it."""
    entries: list[tuple[str, list[str]]] = []
    seen: dict[str, None] = {}
    for host, secret in ((rule.host, rule.secret) for rule in rules):
        if secret is None or host in seen:
            continue
        seen[host] = None
        known = next((hosts for named, hosts in entries if named == secret), None)
        if known is not None:
            known.append(host)
        elif host or secret:
            entries.append((secret, [host] if host else []))
    return [{**({"hosts": hosts} if hosts else {}), **({"secretName": secret} if secret else {})} for secret, hosts in entries]


def _backend(service: str, port: str) -> Object:
    number = int(port) if _NUMBER.fullmatch(port) and abs(int(port)) < 2 ** 31 else None
    if number == 0:
        given: Object = {}
    else:
        given = {"name": port} if number is None else {"number": number}
    return {"service": {"name": service, "port": given}}
