"""Commands that a kubelet runs in a container for itself: exec probes and lifecycle hooks.

``run`` starts one beside what runs there and tells how it ended: its exit code and what it printed, that it took too long, or that it
could not be started.

Source: https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#probe-check-methods
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from server.cluster.kubelet import streaming
from server.cluster.runtime.container import Container
from server.cluster.runtime.session import Session
from server.cluster.runtime.streams import Fault

MOST_OUTPUT = 10 * 1024


class Done(NamedTuple):
    """``code`` None: it had not ended by the limit, and was killed. ``refused``: why it was not started. ``outside``: it may come out
    otherwise without anything in the pod having changed."""

    code: int | None
    text: str = ""
    refused: str = ""
    outside: bool = False


def run(container: Container, argv: list[str], limit: float, then: Callable[[Done], None]) -> None:
    """``then(done)`` is called once, at the earliest in another callback of this instant."""
    clock = container.clock
    session = Session()
    if not argv:
        clock.call_later(0, then, Done(None, refused="no command specified"))
        return
    container.outside = False
    text: list[str] = []

    def gather() -> None:
        while session.output.items:
            item = session.output.items.popleft()
            if sum(len(piece) for piece in text) < MOST_OUTPUT:
                text.append(item[1])
            session.took(item)

    def ended(code: int) -> None:
        timer.cancel()
        gather()
        then(Done(code, "".join(text)[:MOST_OUTPUT], outside=container.outside or clock.now > began))

    def too_long() -> None:
        proc.on_end = None
        session.end(0)
        if session in container.sessions:
            container.sessions.remove(session)
        for each in [each for each in container.system.procs.values() if each.group == proc.group and each.alive]:
            each.stop(137)
        then(Done(None, outside=True))

    began = clock.now
    try:
        proc = container.execute(argv, session, on_end=ended)
    except Fault as fault:
        clock.call_later(0, then, Done(None, refused=streaming.refused(container, argv[0], fault)))
        return
    session.output.notify(gather)
    timer = clock.call_later(limit, too_long)
