"""Texts that are open in one person's editor on the page, each while a program waits for it: `vi`, and `kubectl edit` that runs it.

In: a file's path and its text. Out: what it was saved as, by the ``Channel`` that the program waits at: a text, or None when its tab was
closed without. ``send(event, data)`` reaches the page: `edit` opens {name[, id, text, fresh]}, `edit.over` says that nobody waits any more.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from server.cluster.process import Channel
from server.rooms import files

MOST_TEXT = 128 * 1024


class Editing:
    def __init__(self, send: Callable[[str, Any], None]) -> None:
        self._send = send
        self._waiting: dict[str, Channel] = {}
        self._count = 0

    def show(self, path: str) -> bool:
        """Opens a file of the workstation's home, for which nobody waits; False if it lies elsewhere."""
        name = files.name_of(path)
        if name:
            self._send("edit", {"name": name})
        return bool(name)

    def open(self, path: str, text: str | None) -> tuple[str, Channel]:
        """(what the edit is called, where its end is told); no text: the file is not there yet."""
        self._count += 1
        name = f"{self._count}"
        channel = self._waiting[name] = Channel(1)
        self._send("edit", {"name": files.name_of(path) or path, "id": name, "text": text or "", "fresh": text is None})
        return name, channel

    def done(self, name: str, text: str | None) -> bool:
        """The person has saved it, or closed it; False if nobody waits for it."""
        channel = self._waiting.pop(name, None)
        return channel is not None and channel.put((text,))

    def forget(self, name: str) -> None:
        """The program waits no more."""
        if self._waiting.pop(name, None) is not None:
            self._send("edit.over", {"id": name})
