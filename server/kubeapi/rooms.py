"""What the REST API needs of a room; whoever keeps rooms hands it a ``resolve(room, key)`` that gives one."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from server.cluster.cluster import Cluster


class RoomLike(Protocol):
    """``feeds`` are the open watches and followed logs: the room ends them (``end()``) when it has to go."""

    cluster: Cluster
    feeds: set[Any]

    def touch(self) -> None:
        """Somebody is here."""

    def instant(self) -> None:
        """Lets happen what is due now, whether time passes or not."""

    def come_in(self) -> None:
        """Returns once the room may have another request served. An exception with a ``code`` says that too many wait."""

    def pause(self) -> None:
        """Lets others have their turn, in the middle of what takes long."""

    def wait_turn(self) -> None:
        """Returns once the room may have another request served and none of its reactions is half done."""

    def long_turn(self) -> AbstractContextManager[None]:
        """A turn for one that may take long: others are served meanwhile."""

    def after_write(self) -> None:
        """Called before a write is acknowledged; the write is safe when it returns. An exception with a ``code`` says that it is not."""


# Raises an exception with a ``code`` (an HTTP status) when the room or the key does not exist.
Resolve = Callable[[str, str], RoomLike]
