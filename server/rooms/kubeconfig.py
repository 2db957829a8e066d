"""The kubeconfig of a room: its capability is in the server's URL, since kubectl sends no token over plain HTTP."""

from __future__ import annotations

import yaml

from server.rooms.room import Room


def of(room: Room, server: str) -> str:
    """YAML for ``kubectl --kubeconfig``."""
    context = f"podium-{room.name}"
    return yaml.safe_dump({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": context, "cluster": {"server": server}}],
        "users": [{"name": "kubernetes-admin", "user": {}}],
        "contexts": [{"name": context, "context": {"cluster": context, "user": "kubernetes-admin"}}],
        "current-context": context,
    }, sort_keys=False)
