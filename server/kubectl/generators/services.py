"""What `kubectl create service` makes.

In: a name and ports as text (`80`, `80:8080`, `80:http`). Out: the Service, selecting app=NAME.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from server.kubectl.context import Context
from server.kubectl.errors import CommandError
from server.kubectl.flags import Flags, quoted

Object = dict[str, Any]
_PORT_NAME = re.compile(r"(?=.*[a-z])[a-z0-9]([-a-z0-9]*[a-z0-9])?\Z")


def service(type_: str) -> Callable[[Context, str, list[str], Flags], Object]:
    def make(ctx: Context, name: str, command: list[str], flags: Flags) -> Object:
        cluster_ip = flags.get("clusterip") or ""
        if not flags.tcp and type_ != "ExternalName" and cluster_ip != "None":
            raise CommandError("at least one tcp port specifier must be provided")
        ports = [_port(text, flags.get("node-port") or 0) for text in flags.tcp]
        spec: Object = {"ports": ports} if ports else {}
        spec["selector"] = {"app": name}
        if cluster_ip:
            spec["clusterIP"] = cluster_ip
        spec["type"] = type_
        if type_ == "ExternalName":
            spec["externalName"] = flags.external_name
        return {"kind": "Service", "apiVersion": "v1", "metadata": {"name": name, "labels": {"app": name}}, "spec": spec,
                "status": {"loadBalancer": {}}}

    return make


def _port(text: str, node_port: int) -> Object:
    number, colon, target = text.partition(":")
    port = _number(number)
    shown = text.replace(":", "-") if colon else number
    entry: Object = {"name": shown, "protocol": "TCP", "port": port, "targetPort": _target(target) if colon else port}
    if node_port:
        entry["nodePort"] = node_port
    return entry


def _number(text: str) -> int:
    if not text.isdecimal():
        raise CommandError(f"strconv.ParseUint: parsing {quoted(text)}: invalid syntax")
    if int(text) > 65535:
        raise CommandError(f"strconv.ParseUint: parsing {quoted(text)}: value out of range")
    return int(text)


def _target(text: str) -> int | str:
    if text.isdecimal():
        if not 1 <= int(text) <= 65535:
            raise CommandError("must be between 1 and 65535, inclusive")
        return int(text)
    if not _PORT_NAME.match(text) or len(text) > 15 or "--" in text:
        raise CommandError("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
    return text
