"""What `kubectl create deployment|namespace|serviceaccount` make.

In: a name, flags, a command. Out: the object as kubectl sends it, without what the server adds.
"""

from __future__ import annotations

import re
from typing import Any

from server.cluster.names import generate
from server.kubectl.context import Context
from server.kubectl.errors import CommandError
from server.kubectl.flags import Flags

Object = dict[str, Any]


def deployment(ctx: Context, name: str, command: list[str], flags: Flags) -> Object:
    images = flags.image
    if len(images) > 1 and command:
        raise CommandError("cannot specify multiple --image options and command")
    labels = {"app": name}
    containers = [_container(ctx, image, command, flags.port) for image in images]
    return {
        "kind": "Deployment", "apiVersion": "apps/v1", "metadata": {"name": name, "labels": labels},
        "spec": {
            "replicas": flags.replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": containers}},
            "strategy": {},
        },
        "status": {},
    }


def _container(ctx: Context, image: str, command: list[str], port: int) -> Object:
    container: Object = {"name": _container_name(ctx, image), "image": image}
    if command:
        container["command"] = command
    if port >= 0:
        container["ports"] = [{"containerPort": port}]
    container["resources"] = {}
    return container


def _container_name(ctx: Context, image: str) -> str:
    """The image's last part without tag; made a name, and then unique, when it is none."""
    last = re.split(r"[:@]", image.rpartition("/")[2])[0]
    if "_" in last or "." in last:
        return generate(ctx.api.server.random, re.sub(r"[_.]", "-", last) + "-")
    return last


def namespace(ctx: Context, name: str, command: list[str], flags: Flags) -> Object:
    return {"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": name}, "spec": {}, "status": {}}


def service_account(ctx: Context, name: str, command: list[str], flags: Flags) -> Object:
    return {"kind": "ServiceAccount", "apiVersion": "v1", "metadata": {"name": name}}
