"""The last attempt to schedule each pod, as data for "Why is it there?" and "Why is it pending?".

Source: https://kubernetes.io/docs/concepts/scheduling-eviction/scheduling-framework/
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from server.cluster.objects import Key
from server.cluster.scheduler.plugins.plugin import Rejection

KEPT = 10_000


@dataclass(frozen=True, slots=True)
class Attempt:
    """``rejections``: node -> (plugin, reasons). ``scores``: plugin -> (0..100, weight) of the chosen node, ``total`` their weighted sum;
    ``scored`` nodes were compared and ``tied`` had the best total, of which chance chose. ``message`` says why there is no node."""

    uid: str
    pod: Key
    number: int
    time: float
    node: str | None
    rejections: dict[str, tuple[str, tuple[str, ...]]]
    scores: dict[str, tuple[int, int]]
    total: int
    scored: int
    tied: int
    message: str


class Attempts:
    def __init__(self) -> None:
        self._kept: OrderedDict[str, tuple] = OrderedDict()

    def note(self, uid: str, pod: Key, number: int, time: float, node: str | None, rejections: dict[str, Rejection],
             scores: tuple = (), total: int = 0, scored: int = 0, tied: int = 0, message: str = "") -> None:
        kept = self._kept
        kept[uid] = (pod, number, time, node, rejections, scores, total, scored, tied, message)
        if len(kept) > KEPT:
            kept.popitem(last=False)

    def get(self, uid: str) -> Attempt | None:
        found = self._kept.get(uid)
        if found is None:
            return None
        pod, number, time, node, rejections, scores, total, scored, tied, message = found
        return Attempt(uid, pod, number, time, node,
                       {name: (rejection.plugin, rejection.reasons) for name, rejection in rejections.items()},
                       {name: (score, weight) for name, score, weight in scores}, total, scored, tied, message)

    def forget(self, uid: str) -> None:
        self._kept.pop(uid, None)

    def clear(self) -> None:
        self._kept.clear()
