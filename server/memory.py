"""When Python looks for cycles: young objects often and shortly, old ones seldom and when nobody waits.

In: ``begin()`` at the start, ``let_go(objects)`` when a room was put away, ``tidy(quiet)`` now and then. Stored objects are trees that
never change and form no cycles, and there are millions of them: a look at all takes seconds, in which nobody is served. So what
outlives one short look is set aside (``gc.freeze``), where no look finds it, until as much has come as there was, or rooms that were
put away have left cycles behind; then all is looked at once, in a quiet moment if there is one.

Source: https://docs.python.org/3/library/gc.html#gc.freeze
"""

from __future__ import annotations

import ctypes
import gc
from typing import Any

YOUNG, NEVER = 20_000, 1_000_000
LEAST, PATIENCE = 8_000_000, 3
PER_OBJECT = 100  # containers that an API object of a room takes, with what the cluster's parts keep of it


class _Books:
    """``grown`` is how many objects have come, or may have become garbage, since all were looked at; ``base`` is how many there were.
    ``freed`` says that much was given back since the system was last given what is free."""

    def __init__(self) -> None:
        self.grown = 0
        self.base = 0
        self.freed = False


_books = _Books()


def begin() -> None:
    gc.set_threshold(YOUNG, NEVER, NEVER)
    if _set_aside not in gc.callbacks:
        gc.callbacks.append(_set_aside)


def _set_aside(phase: str, info: dict[str, Any]) -> None:
    if phase == "stop" and info["generation"] == 0:
        _books.grown += YOUNG
        gc.freeze()


def let_go(objects: int) -> None:
    """So many API objects are garbage now, and may lie in cycles."""
    _books.grown += objects * PER_OBJECT
    _books.freed = True


def tidy(quiet: bool) -> bool:
    """Looks at everything if it is time; whether it did. What is free in between goes back to the system."""
    looked = _look(quiet)
    if _books.freed or looked:
        _books.freed = False
        _trim()
    return looked


def _look(quiet: bool) -> bool:
    enough = max(LEAST, _books.base)
    if _books.grown < (enough if quiet else PATIENCE * enough):
        return False
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    _books.grown, _books.base = 0, gc.get_freeze_count()
    return True


def _c_library() -> Any:
    try:
        return ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError):
        return None  # another system's library gives back what is free by itself, or not at all


_malloc_trim = _c_library()


def _trim() -> None:
    if _malloc_trim is not None:
        _malloc_trim(0)
