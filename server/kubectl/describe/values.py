"""How values look in a description: times, ages and lists, as Go and kubectl print them.

Times come as the API's strings; ages are counted on the cluster's own clock.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from email.utils import format_datetime
from typing import Any

from server.cluster import printing

ZERO_TIME = "Mon, 01 Jan 0001 00:00:00 +0000"


def date(timestamp: str | None) -> str:
    """
    >>> date("2026-11-21T02:53:18Z")
    'Sat, 21 Nov 2026 02:53:18 +0000'
    """
    return format_datetime(datetime.fromisoformat(timestamp)) if timestamp else ZERO_TIME


def since(now: datetime, timestamp: str | None) -> str:
    """The age of a time, "<unknown>" if it was never set."""
    return printing.duration((now - datetime.fromisoformat(timestamp)).total_seconds()) if timestamp else printing.UNKNOWN


def go_list(values: Iterable[Any] | None) -> str:
    """
    >>> go_list(["cat", "/tmp/ok"])
    '[cat /tmp/ok]'
    """
    return f"[{' '.join(str(value) for value in values or ())}]"


def go_bool(value: Any) -> str:
    return "true" if value else "false"


def selector_text(selector: dict[str, Any] | None) -> str:
    """A LabelSelector as ``-l`` takes it, "" for one that selects everything."""
    text = printing.selector(selector)
    return "" if text == printing.NONE else text
