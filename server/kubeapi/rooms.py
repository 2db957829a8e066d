"""What the REST API needs of a room; whoever keeps rooms hands it a ``resolve(room, key)`` that gives one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from server.cluster.cluster import Cluster


class RoomLike(Protocol):
    """``streams`` counts the open watches and followed logs: while it is not 0 the room stays awake."""

    cluster: Cluster
    streams: int

    def touch(self) -> None:
        """Somebody is here."""

    def after_write(self) -> None:
        """Called before a write is acknowledged; the write is safe when it returns."""


# Raises an exception with a ``code`` (an HTTP status) when the room or the key does not exist.
Resolve = Callable[[str, str], RoomLike]
