"""How what takes long lets others have their turn: it calls its ``breathe()`` between two objects."""

from __future__ import annotations

from collections.abc import Callable

Breathe = Callable[[], None]


def alone() -> None:
    """Nobody waits."""
