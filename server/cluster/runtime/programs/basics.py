"""The smallest programs: what they do needs neither files nor input.

Source: https://pubs.opengroup.org/onlinepubs/9799919799/idx/utilities.html
"""

from __future__ import annotations

import re
from collections.abc import Generator
from typing import Any

from server.cluster.process import Gate, Pass
from server.cluster.runtime.proc import Proc
from server.cluster.runtime.program import Program

UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}


def seconds(words: list[str]) -> float | None:
    """How long ``sleep WORDS`` takes: None is no duration.

    >>> seconds(["1.5m"]), seconds(["infinity"]), seconds(["x"])
    (90.0, inf, None)
    """
    total = 0.0
    for word in words:
        if word in ("infinity", "inf"):
            return float("inf")
        found = re.fullmatch(r"(\d{1,15}\.?\d{0,9}|\.\d{1,9})([smhd]?)", word)
        if found is None:
            return None
        total += float(found[1]) * UNITS[found[2]]
    return total if words else None


def sleep(proc: Proc) -> Generator[Any, Any, int]:
    length = seconds(proc.args)
    if length is None:
        proc.err(f"sleep: invalid number '{proc.args[0]}'\n" if proc.args else "BusyBox v1.36.1 multi-call binary.\n\n"
                 "Usage: sleep [N]...\n\nPause for a time equal to the total of the args given, where each arg can\n"
                 "have an optional suffix of (s)econds, (m)inutes, (h)ours, or (d)ays\n")
        return 1
    yield from proc.sleep(length)
    return 0


def usleep(proc: Proc) -> Generator[Any, Any, int]:
    number = proc.args[0] if proc.args else ""
    if not re.fullmatch(r"\d{1,15}", number):
        proc.err(f"usleep: invalid number '{number}'\n")
        return 1
    yield from proc.sleep(int(number) / 1_000_000)
    return 0


def pause(proc: Proc) -> Generator[Any, Any, int]:
    """It waits to be told to end."""
    yield Pass(Gate())
    return 0


PROGRAMS: dict[str, Program] = {
    "true": Program(lambda proc: 0), "false": Program(lambda proc: 1), "sleep": Program(sleep, "state"), "usleep": Program(usleep, "state"),
    "pause": Program(pause, "state"),
}
