"""Programs in pods as sources of traffic: whoever asks a Service or a pod often enough is a flow of the rate that was measured.

In: each request that a pod's program makes (``made``). Out: ``begin``, ``change`` and ``end`` of flows, told to ``Flows``: the rate of the
last few seconds stands for the next ones, and whoever has ceased is no source any more.
"""

from __future__ import annotations

from typing import Protocol

from server.cluster.clock import Clock
from server.cluster.network.flows import POD, SERVICE, Target
from server.cluster.objects import Key

FIRST_LOOK, LOOK, OFTEN = 1.0, 5.0, 2
MOST_MEASURED = 1000
Way = tuple[Key, Target]


class Flows(Protocol):
    """Who keeps the flows."""

    def measured(self, pod: Key, target: Target, rate: float, count: int) -> None:
        """A program makes so many requests a second; 0 when it has ceased."""
        ...


class _Program:
    """How often a pod asked since ``since``."""

    __slots__ = ("since", "count")

    def __init__(self, since: float) -> None:
        self.since, self.count = since, 0


class Programs:
    def __init__(self, clock: Clock, flows: Flows) -> None:
        self._clock = clock
        self._flows = flows
        self._measured: dict[Way, _Program] = {}

    def made(self, pod: Key, service: Key | None, asked: Key | None, port: int) -> None:
        """A program in ``pod`` has made a request, to a Service or else to a pod."""
        target = Target(SERVICE, service, port) if service is not None else Target(POD, asked, port) if asked is not None else None
        if target is None or asked == pod and service is None:
            return
        program = self._measured.get((pod, target))
        if program is None:
            if len(self._measured) >= MOST_MEASURED:
                return
            program = self.follow(pod, target, FIRST_LOOK)
        program.count += 1

    def follow(self, pod: Key, target: Target, length: float = LOOK) -> _Program:
        """Counts from now on, and tells after a while."""
        program = self._measured[pod, target] = _Program(self._clock.now)
        self._clock.call_later(length, self._look, (pod, target))
        return program

    def _look(self, way: Way) -> None:
        program, (pod, target) = self._measured.pop(way), way
        rate = float(f"{program.count / (self._clock.now - program.since):.2g}")
        if program.count:
            self.follow(pod, target)
        self._flows.measured(pod, target, rate, program.count)
