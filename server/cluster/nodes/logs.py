"""A container's log as the runtime's own tools print it: from a point on, with times, and on and on.

In: a container. Out: its lines on the stream that they were written to.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from server.cluster.process import Channel, Closed, Take
from server.cluster.runtime.container import Container
from server.cluster.runtime.logs import Line
from server.cluster.runtime.proc import Proc

UNREAD = 10_000


def show_log(proc: Proc, container: Container, tail: int, timestamps: bool, follow: bool) -> Generator[Any, Any, None]:
    """``tail`` negative: all that is kept."""
    lines = container.log.all()
    for line in lines[max(0, len(lines) - tail):] if tail >= 0 else lines:
        _print(proc, line, timestamps)
        if proc.spins():
            yield from proc.breathe()
    if not follow or not container.running:
        return
    channel = Channel(UNREAD)
    stop = container.log.subscribe(lambda line: channel.put(line) if line is not None else channel.close())
    try:
        while True:
            _print(proc, (yield Take(channel)), timestamps)
    except Closed:
        return
    finally:
        stop()


def _print(proc: Proc, line: Line, timestamps: bool) -> None:
    stamp = proc.system.clock.microtime(line.time).replace("Z", "000Z") + " " if timestamps else ""
    proc.write(2 if line.stream == "stderr" else 1, f"{stamp}{line.text}\n")
