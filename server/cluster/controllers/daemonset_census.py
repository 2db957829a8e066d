"""Which of a DaemonSet's nodes have which of its pods, counted as they change.

In: every change of its pods, and nodes that came, went or changed. Out: ``work`` (nodes that lack a pod or have one too many), and how
many nodes stand how, from which the status and the rolling update are reckoned. All nodes are looked at when the DaemonSet's spec is
new; from then on only those that something happened to, however many there are.

Source: https://kubernetes.io/docs/concepts/workloads/controllers/daemonset/
"""

from __future__ import annotations

from heapq import heappop, heappush, nsmallest
from math import inf
from typing import NamedTuple

from server.cluster import selectors
from server.cluster.apiserver.cache import Lister
from server.cluster.clock import Clock
from server.cluster.controllers import history, podfacts
from server.cluster.controllers.daemonset_placement import AWAY, Placement, Verdict, node_of
from server.cluster.controllers.rollout import scaled
from server.cluster.objects import Key, Object, controller_uid, deleting, key, labels, name, uid

FIRST_BACKOFF, LONGEST_BACKOFF = 1.0, 900.0


class Standing(NamedTuple):
    """How a node stands. ``scheduled``: it has a pod; ``ready``, ``available``, ``updated`` are those of its oldest one. ``new`` and
    ``old`` say whether its pod of the present template and that of an earlier one are available, None if there is none; ``crowded``:
    there are two of either."""

    run: bool
    scheduled: bool
    ready: bool
    available: bool
    updated: bool
    new: bool | None
    old: bool | None
    crowded: bool


class Work(NamedTuple):
    """What is to be done on a node: make a pod, or delete some; ``failed`` and ``ended`` ones with an event."""

    create: bool = False
    failed: tuple[Object, ...] = ()
    ended: tuple[Object, ...] = ()
    surplus: tuple[Object, ...] = ()


NOTHING = Work()


class Backoff:
    """How long a node's failed pods are left alone: a second, doubled at each failure, up to fifteen minutes."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, int, str], tuple[float, float]] = {}

    def until(self, where: tuple[str, int, str], now: float) -> float:
        """The moment until which nothing is done; not after now if something may be."""
        delay, since = self._known.get(where, (0.0, 0.0))
        return since + delay if now - since <= 2 * LONGEST_BACKOFF else now

    def raise_(self, where: tuple[str, int, str], now: float) -> None:
        delay, since = self._known.get(where, (0.0, 0.0))
        fresh = not delay or now - since > 2 * LONGEST_BACKOFF
        self._known[where] = (FIRST_BACKOFF if fresh else min(2 * delay, LONGEST_BACKOFF), now)

    def forget(self, owner: str) -> None:
        self._known = {where: entry for where, entry in self._known.items() if where[0] != owner}


class Census:
    """Of one DaemonSet at one version of its spec; ``digest`` is the label value of its present template."""

    def __init__(self, daemon_set: Object, digest: str, pods: Lister, nodes: Lister, clock: Clock, backoff: Backoff) -> None:
        self.spec, self.digest = daemon_set["spec"], digest
        self.placement = Placement(daemon_set)
        self.work: dict[str, Work] = {}
        self.strangers: dict[Key, None] = {}
        self._owner, self._observed = uid(daemon_set), daemon_set["metadata"].get("generation", 0)
        self._selector = selectors.from_object(self.spec["selector"])
        self._nodes, self._clock, self._backoff = nodes, clock, backoff
        self._surging = surge(self.spec, 1) > 0
        self._pods: dict[str, dict[Key, Object]] = {}
        self._where: dict[Key, str] = {}
        self._verdicts: dict[str, Verdict] = {}
        self._standings: dict[str, Standing] = {}
        self._alike: dict[Standing, dict[str, None]] = {}
        self._stale: dict[str, None] = {}
        self._due: list[tuple[float, str]] = []
        self._expected: dict[str, float] = {}
        for pod in pods.by_owner(self._owner):
            self.note(key(pod), pod)
        for node in nodes.list():
            self._stale[name(node)] = None

    # what happens

    def note(self, name: Key, pod: Object | None) -> None:
        """A pod is new, another or (None) gone."""
        self.strangers.pop(name, None)
        was = self._where.pop(name, None)
        if was is not None:
            del self._pods[was][name]
            self._stale[was] = None
        if pod is None or controller_uid(pod) != self._owner:
            return
        if not self._selector.matches(labels(pod)):
            self.strangers[name] = None
            return
        where = node_of(pod)
        if where is not None and not (deleting(pod) and podfacts.terminal(pod)):
            self._pods.setdefault(where, {})[name] = pod
            self._where[name] = where
            self._stale[where] = None

    def note_node(self, node: str) -> bool:
        """A node is new, another or gone; whether that matters here."""
        present = self._nodes.get("", node)
        before = self._verdicts.get(node, AWAY)
        matters = before != (self.placement.on(present) if present is not None else AWAY) or (present is None and node in self._standings)
        if matters:
            self._stale[node] = None
        return matters

    def refresh(self) -> None:
        """Brings ``work`` and the standings up to this moment."""
        while self._due and self._due[0][0] <= self._clock.now:
            node = heappop(self._due)[1]
            self._expected.pop(node, None)
            self._stale[node] = None
        stale, self._stale = sorted(self._stale), {}
        for node in stale:
            self._look(node)

    # what there is

    def count(self, **wanted: bool) -> int:
        """How many nodes stand so."""
        return sum(len(nodes) for standing, nodes in self._alike.items()
                   if all(getattr(standing, field) is value for field, value in wanted.items()))

    def standings(self) -> list[tuple[Standing, int]]:
        return [(standing, len(nodes)) for standing, nodes in self._alike.items() if nodes]

    def nodes(self, limit: int | None = None, **wanted: bool | None) -> list[str]:
        """The first ``limit`` nodes, by name, that stand so."""
        found = [node for standing, nodes in self._alike.items()
                 if all(getattr(standing, field) is value for field, value in wanted.items()) for node in nodes]
        return sorted(found) if limit is None else nsmallest(limit, found)

    def old_pod(self, node: str) -> Object:
        """The pod of an earlier template on a node that has just one."""
        return next(pod for pod in self._pods[node].values() if not deleting(pod) and not self._is_new(pod))

    def next_due(self) -> float | None:
        """The moment at which something will have changed by itself."""
        return self._due[0][0] if self._due else None

    def backoff_key(self, node: str) -> tuple[str, int, str]:
        return self._owner, self._observed, node

    # one node

    def _look(self, node: str) -> None:
        present, pods = self._nodes.get("", node), list(self._pods.get(node, {}).values())
        if present is None:
            self._verdicts.pop(node, None)
            verdict = AWAY
        else:
            verdict = self._verdicts[node] = self.placement.on(present)
        alive = [pod for pod in pods if not deleting(pod)]
        was = self._standings.pop(node, None)
        if was is not None:
            del self._alike[was][node]
        if verdict.run or pods:
            standing = self._standings[node] = self._standing(node, verdict, pods, alive)
            self._alike.setdefault(standing, {})[node] = None
        if not pods:
            self._pods.pop(node, None)
        work = self._gone(alive) if present is None else self._work(node, verdict, pods, alive)
        if work != NOTHING:
            self.work[node] = work
        else:
            self.work.pop(node, None)

    def _standing(self, node: str, verdict: Verdict, pods: list[Object], alive: list[Object]) -> Standing:
        new = [pod for pod in alive if self._is_new(pod)]
        old = [pod for pod in alive if not self._is_new(pod)]
        oldest = min(pods, key=_oldest_first) if pods else None
        return Standing(
            verdict.run, oldest is not None, oldest is not None and podfacts.ready(oldest),
            oldest is not None and self._available(oldest, node), oldest is not None and self._is_new(oldest),
            self._available(new[0], node) if new else None, self._available(old[0], node) if old else None, len(new) > 1 or len(old) > 1)

    def _work(self, node: str, verdict: Verdict, pods: list[Object], alive: list[Object]) -> Work:
        if verdict.run and not pods:
            return Work(create=True)
        if not verdict.stay:
            return Work(surplus=tuple(alive))
        failed = tuple(pod for pod in alive if podfacts.phase(pod) == "Failed")
        ended = tuple(pod for pod in alive if podfacts.phase(pod) == "Succeeded")
        if failed and (until := self._backoff.until(self.backoff_key(node), self._clock.now)) > self._clock.now:
            self._expect(until, node)
            failed = ()
        return Work(failed=failed, ended=ended, surplus=tuple(self._surplus(node, [pod for pod in alive if not podfacts.terminal(pod)])))

    def _surplus(self, node: str, running: list[Object]) -> list[Object]:
        """All but the oldest; when surging, also the oldest of the new template, until it is available."""
        running.sort(key=_oldest_first)
        if not self._surging or len(running) <= 1:
            return running[1:]
        new = next((pod for pod in running if self._is_new(pod)), None)
        old = next((pod for pod in running if not self._is_new(pod)), None)
        surplus = [pod for pod in running if pod is not new and pod is not old]
        if new is not None and old is not None and (not podfacts.ready(old) or self._available(new, node)):
            surplus.append(old)
        return surplus

    def _gone(self, alive: list[Object]) -> Work:
        """Of a node that no longer exists: nobody else deletes pods that were meant for it and never bound."""
        return Work(surplus=tuple(pod for pod in alive if not podfacts.node(pod)))

    def _is_new(self, pod: Object) -> bool:
        return labels(pod).get(history.POD_LABEL) == self.digest

    def _available(self, pod: Object, node: str) -> bool:
        moment = podfacts.available_at(pod, self.spec.get("minReadySeconds", 0), self._clock)
        if moment is not None and moment > self._clock.now:
            self._expect(moment, node)
            return False
        return moment is not None

    def _expect(self, moment: float, node: str) -> None:
        """The node is looked at again then."""
        if self._expected.get(node, inf) > moment:
            self._expected[node] = moment
            heappush(self._due, (moment, node))


def _oldest_first(pod: Object) -> tuple[bool, str, str]:
    """Bound pods before unbound ones, then by age, then by name."""
    return not podfacts.node(pod), pod["metadata"].get("creationTimestamp", ""), name(pod)


def surge(spec: Object, desired: int) -> int:
    """How many nodes may have a pod of each template at a time."""
    return _share(spec, "maxSurge", desired)


def unavailable(spec: Object, desired: int) -> int:
    """How many nodes may be without an available pod; one if nothing may be surplus either."""
    allowed = _share(spec, "maxUnavailable", desired)
    return 1 if desired and not allowed and not surge(spec, desired) else allowed


def _share(spec: Object, field: str, desired: int) -> int:
    strategy = spec.get("updateStrategy") or {}
    if strategy.get("type") != "RollingUpdate":
        return 0
    return scaled((strategy.get("rollingUpdate") or {}).get(field, 0), desired, up=True)
