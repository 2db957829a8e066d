"""Exponential back-off as the kubelet does it, as plain data: [seconds to wait, the moment it was last raised].

An entry doubles up to five minutes and starts anew when what it is asked about happened more than ten minutes after it was last
raised.

>>> raised(None, 0.0), raised([10.0, 0.0], 30.0), raised([10.0, 0.0], 700.0)
([10.0, 0.0], [20.0, 30.0], [10.0, 700.0])
"""

from __future__ import annotations

INITIAL, LONGEST = 10.0, 300.0
Entry = list[float]


def forgotten(entry: Entry | None, since: float) -> bool:
    """Whether an entry no longer counts for something that happened at ``since``."""
    return entry is None or since - entry[1] > 2 * LONGEST


def remaining(entry: Entry | None, since: float, now: float) -> float:
    """Seconds to wait still, counted from ``since``; 0 when it need not wait."""
    if forgotten(entry, since):
        return 0.0
    return max(0.0, since + entry[0] - now)


def raised(entry: Entry | None, now: float) -> Entry:
    return [INITIAL if forgotten(entry, now) else min(entry[0] * 2, LONGEST), now]


def duration(seconds: float) -> str:
    """As Go prints it, to the millisecond.

    >>> duration(0.0961), duration(1.5), duration(80), duration(300), duration(0)
    ('96ms', '1.5s', '1m20s', '5m0s', '0s')
    """
    whole = int(seconds * 1000 + 1e-6)
    if not whole:
        return "0s"
    if whole < 1000:
        return f"{whole}ms"
    minutes, rest = divmod(whole, 60_000)
    hours, minutes = divmod(minutes, 60)
    text = f"{rest / 1000:g}s" if rest % 1000 == 0 else f"{rest / 1000:.3f}".rstrip("0") + "s"
    return (f"{hours}h" if hours else "") + (f"{minutes}m" if minutes or hours else "") + text
