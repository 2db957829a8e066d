"""How far and how fast an autoscaler may go: stabilization, rates of change, the least and the most.

In: what the metrics recommend, what they recommended before (``History``), what was scaled lately, and the rules. Out: a size, with
the conditions AbleToScale and ScalingLimited that explain it. The history is plain data: a recommendation that stands is one run
from its first to its last evaluation, so that nothing has to be noted while nothing changes.

Source: https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#configurable-scaling-behavior
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from server.cluster.objects import Object

PERIOD, DOWNSCALE_WINDOW = 15.0, 300
FACTOR, FEWEST = 2, 4
MOST_RUNS, MOST_CHANGES = 400, 400
EXACT = 1e-3


class Verdict(NamedTuple):
    """A condition's status, reason and message."""

    status: bool
    reason: str
    message: str


READY = Verdict(True, "ReadyForNewScale", "recommended size matches current size")
DOWN_STABILIZED = Verdict(True, "ScaleDownStabilized",
                          "recent recommendations were higher than current one, applying the highest recent recommendation")
UP_STABILIZED = Verdict(True, "ScaleUpStabilized",
                        "recent recommendations were lower than current one, applying the lowest recent recommendation")
WITHIN = ("DesiredWithinRange", "the desired count is within the acceptable range")
TOO_FEW = ("TooFewReplicas", "the desired replica count is less than the minimum replica count")
TOO_MANY = ("TooManyReplicas", "the desired replica count is more than the maximum replica count")
UP_LIMIT = ("ScaleUpLimit", "the desired replica count is increasing faster than the maximum scale rate")
DOWN_LIMIT = ("ScaleDownLimit", "the desired replica count is decreasing faster than the maximum scale rate")


class History:
    """``runs`` are [recommendation, first evaluation, last evaluation or None while it stands]; ``changes`` are [replicas, moment]."""

    def __init__(self, data: dict[str, Any] | None = None) -> None:
        data = data or {}
        self.runs: list[list[Any]] = [list(run) for run in data.get("runs", ())]
        self.changes: list[list[Any]] = [list(change) for change in data.get("changes", ())]

    def dump(self) -> dict[str, Any]:
        return {"runs": self.runs, "changes": self.changes}

    def begin(self, replicas: int, now: float) -> None:
        """The size that it finds counts as recommended."""
        if not self.runs:
            self.runs.append([replicas, now, now])

    def close(self, now: float) -> None:
        """The recommendation that stood was made for the last time one evaluation ago."""
        if self.runs and self.runs[-1][2] is None:
            self.runs[-1][2] = max(self.runs[-1][1], now - PERIOD)

    def recommend(self, replicas: int, now: float) -> None:
        if self.runs and self.runs[-1][2] is None and self.runs[-1][0] == replicas:
            return
        self.close(now)
        self.runs.append([replicas, now, None])

    def within(self, now: float, window: float) -> list[int]:
        """What was recommended later than ``window`` seconds ago and before this moment."""
        return [value for value, first, last in self.runs if _last(first, last, now) > now - window + EXACT]

    def changed(self, replicas: int, now: float) -> None:
        self.changes = [*self.changes[-MOST_CHANGES:], [replicas, now]]

    def added(self, now: float, period: float) -> int:
        return sum(change for change, at in self.changes if change > 0 and at > now - period + EXACT)

    def removed(self, now: float, period: float) -> int:
        return -sum(change for change, at in self.changes if change < 0 and at > now - period + EXACT)

    def forget(self, now: float, window: float, period: float) -> None:
        """Drops what can no longer matter; the last one stays, and says that this autoscaler is not new."""
        self.runs = [run for run in self.runs if run[2] is None or run[2] > now - window - PERIOD][-MOST_RUNS:] or self.runs[-1:]
        self.changes = [change for change in self.changes if change[1] > now - period - PERIOD]

    def next(self, now: float, windows: list[float], periods: list[float]) -> float | None:
        """The next moment at which something old stops to matter: None when nothing does."""
        current = self.runs[-1][0] if self.runs else None
        moments = [last + window for value, _, last in self.runs if last is not None and value != current for window in windows]
        moments += [at + period for _, at in self.changes for period in periods]
        return min((moment for moment in moments if moment > now - EXACT), default=None)


def _last(first: float, last: float | None, now: float) -> float:
    return last if last is not None else max(first, now - PERIOD)


class Size(NamedTuple):
    """The size to have, and why."""

    replicas: int
    able: Verdict
    limited: Verdict


def windows(behavior: Object | None) -> tuple[float, float]:
    """The stabilization windows, in seconds: (up, down)."""
    if behavior is None:
        return 0.0, float(DOWNSCALE_WINDOW)
    up, down = behavior["scaleUp"], behavior["scaleDown"]
    return float(up.get("stabilizationWindowSeconds") or 0), float(
        DOWNSCALE_WINDOW if down.get("stabilizationWindowSeconds") is None else down["stabilizationWindowSeconds"])


def periods(behavior: Object | None) -> list[float]:
    if behavior is None:
        return []
    return [float(policy["periodSeconds"]) for rules in ("scaleUp", "scaleDown") for policy in behavior[rules].get("policies") or ()]


def size(history: History, behavior: Object | None, current: int, desired: int, least: int, most: int, now: float) -> Size:
    """What becomes of a recommendation of ``desired``, which is noted."""
    up, down = windows(behavior)
    if behavior is None:
        stable = max([desired, *history.within(now, down)])
        able = DOWN_STABILIZED if stable != desired else READY
    else:
        floor = min([desired, *history.within(now, up)])
        ceiling = max([desired, *history.within(now, down)])
        stable = min(max(current, floor), ceiling)
        able = READY if stable == desired else UP_STABILIZED if desired >= current else DOWN_STABILIZED
    history.recommend(desired, now)
    replicas, why = _limited(current, stable, least, most) if behavior is None else _paced(history, behavior, current, stable, least, most, now)
    return Size(replicas, able, Verdict(replicas != stable, *why))


def _limited(current: int, desired: int, least: int, most: int) -> tuple[int, tuple[str, str]]:
    """Without a behavior: at most twice as many at once, or four."""
    limit = max(FACTOR * current, FEWEST)
    allowed, why = (limit, UP_LIMIT) if most > limit else (most, TOO_MANY)
    if desired < least:
        return least, TOO_FEW
    return (allowed, why) if desired > allowed else (desired, WITHIN)


def _paced(history: History, behavior: Object, current: int, desired: int, least: int, most: int, now: float) -> tuple[int, tuple[str, str]]:
    if desired > current:
        limit = max(up_limit(history, behavior["scaleUp"], current, now), current)
        allowed, why = (limit, UP_LIMIT) if most > limit else (most, TOO_MANY)
        if desired > allowed:
            return allowed, why
    elif desired < current:
        limit = min(down_limit(history, behavior["scaleDown"], current, now), current)
        allowed, why = (limit, DOWN_LIMIT) if least < limit else (least, TOO_FEW)
        if desired < allowed:
            return allowed, why
    return desired, WITHIN


def up_limit(history: History, rules: Object, current: int, now: float) -> int:
    """The most that the policies allow; of several the most generous one unless ``selectPolicy`` is Min."""
    def more(began: int, policy: Object) -> int:
        value = policy["value"]
        return began + value if policy["type"] == "Pods" else math.ceil(began * (1 + value / 100))

    limits = _limits(history, rules, current, now, more)
    return min(limits) if rules.get("selectPolicy") == "Min" else max(limits)


def down_limit(history: History, rules: Object, current: int, now: float) -> int:
    """The fewest that the policies allow."""
    def fewer(began: int, policy: Object) -> int:
        value = policy["value"]
        return began - value if policy["type"] == "Pods" else int(began * (1 - value / 100))

    limits = _limits(history, rules, current, now, fewer)
    return max(limits) if rules.get("selectPolicy") == "Min" else min(limits)


def _limits(history: History, rules: Object, current: int, now: float, allowed: Callable[[int, Object], int]) -> list[int]:
    """What each policy allows, by how many there were when its period began; Disabled allows nothing."""
    if rules.get("selectPolicy") == "Disabled":
        return [current]
    return [allowed(_at_begin(history, current, policy, now), policy) for policy in rules["policies"]]


def _at_begin(history: History, current: int, policy: Object, now: float) -> int:
    """How many there were when the policy's period began."""
    period = policy["periodSeconds"]
    return current - history.added(now, period) + history.removed(now, period)
