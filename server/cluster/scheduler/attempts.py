"""Attempts to schedule each pod, as data for "Why is it there?" and "Why is it pending?".

An attempt comes in as what the framework worked with (lists by slot, shared as far as they can be) and is only turned into names and
words when somebody asks. The last ``PER_POD`` attempts of the last ``KEPT`` pods are remembered, and of these as many with the scores of
every node as fit into ``CELLS`` numbers; older ones keep their outcome.

Source: https://kubernetes.io/docs/concepts/scheduling-eviction/scheduling-framework/
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from server.cluster.objects import Key
from server.cluster.scheduler.framework import Misfit, Placement, Trace
from server.cluster.scheduler.plugins.plugin import Rejection
from server.cluster.scheduler.verdicts import BALANCE, FIT

KEPT, PER_POD, CELLS = 10_000, 5, 500_000


@dataclass(frozen=True, slots=True)
class NodeScore:
    """``plugins``: plugin -> (raw, 0..100, weighted); ``total`` is the sum of the weighted ones."""

    total: int
    plugins: dict[str, tuple[int, int, int]]


@dataclass(frozen=True, slots=True)
class Attempt:
    """``rejections``: node -> (plugin, reasons), of the ``tried`` of all ``nodes``; ``feasible``: the nodes that were scored, {} once that is
    forgotten; ``scores``: plugin -> (0..100, weight) of the chosen ``node``, ``total`` their weighted sum. ``scored`` nodes were compared and
    ``tied`` had the best total, of which chance chose. ``message`` says why there is no node, ``nominated`` which node is being cleared
    and ``victims`` (namespace, name, priority) of whom."""

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
    nodes: int = 0
    tried: int = 0
    feasible: dict[str, NodeScore] = field(default_factory=dict)
    nominated: str | None = None
    victims: tuple[tuple[str, str, int], ...] = ()

    @property
    def untried(self) -> int:
        """Nodes that were not looked at, enough others having been found."""
        return self.nodes - self.tried


class _Kept:
    """What is not said is as the class has it: most attempts find a node at once."""

    misfit: Misfit | None = None
    names: list[str] = []
    message = ""
    nominated: str | None = None
    victims: tuple[tuple[str, str, int], ...] = ()
    summary: tuple = ()

    def __init__(self, pod: Key, number: int, time: float, found: Placement | None = None) -> None:
        self.pod, self.number, self.time, self.found = pod, number, time, found


class Attempts:
    def __init__(self) -> None:
        self._pods: OrderedDict[str, list[_Kept]] = OrderedDict()
        self._detailed: deque[tuple[_Kept, int]] = deque()
        self._cells = 0

    def placed(self, uid: str, pod: Key, number: int, time: float, found: Placement) -> None:
        cells = (len(found.parts) + 3) * len(found.window)
        if found.trace.checks:
            cells += sum([len(check.slots) for check in found.trace.checks])
        self._keep(uid, _Kept(pod, number, time, found), cells)

    def failed(self, uid: str, pod: Key, number: int, time: float, misfit: Misfit, names: list[str], message: str,
               nominated: str | None, victims: tuple[tuple[str, str, int], ...]) -> None:
        kept = _Kept(pod, number, time)
        kept.misfit, kept.names, kept.message, kept.nominated, kept.victims = misfit, names, message, nominated, victims
        self._keep(uid, kept, len(misfit.by_node))

    def _keep(self, uid: str, kept: _Kept, cells: int) -> None:
        pods = self._pods
        known = pods.get(uid)
        if known is None:
            pods[uid] = [kept]
            if len(pods) > KEPT:
                pods.popitem(last=False)
        else:
            known.append(kept)
            if len(known) > PER_POD:
                del known[0]
        self._detailed.append((kept, cells))
        self._cells += cells
        while self._cells > CELLS and len(self._detailed) > 1:
            old, freed = self._detailed.popleft()
            self._cells -= freed
            _forget_details(old)

    def get(self, uid: str) -> Attempt | None:
        """The last attempt."""
        known = self._pods.get(uid)
        return _told(uid, known[-1]) if known else None

    def all(self, uid: str) -> list[Attempt]:
        """The last few, oldest first."""
        return [_told(uid, kept) for kept in self._pods.get(uid, ())]

    def forget(self, uid: str) -> None:
        self._pods.pop(uid, None)

    def clear(self) -> None:
        self._pods.clear()
        self._detailed.clear()
        self._cells = 0


def _forget_details(kept: _Kept) -> None:
    if kept.found is not None:
        score, weights = _score(kept.found, kept.found.chosen)
        trace = kept.found.trace
        kept.summary = (kept.found.node.name, _chosen(score, weights), score.total, len(kept.found.window), kept.found.tied,
                        len(trace.order), trace.tried)
        kept.found = None
    elif kept.misfit is not None:
        kept.summary = (None, {}, 0, 0, 0, kept.misfit.nodes, kept.misfit.nodes)
        kept.misfit, kept.names = None, []


def _told(uid: str, kept: _Kept) -> Attempt:
    if kept.found is not None:
        return _told_placed(uid, kept, kept.found)
    if kept.misfit is None:
        node, scores, total, scored, tied, nodes, tried = kept.summary
        return Attempt(uid, kept.pod, kept.number, kept.time, node, {}, scores, total, scored, tied, kept.message, nodes, tried,
                       nominated=kept.nominated, victims=kept.victims)
    misfit = kept.misfit
    rejections = {kept.names[slot]: (why.plugin, why.reasons) for slot, why in misfit.by_node.items()}
    return Attempt(uid, kept.pod, kept.number, kept.time, None, rejections, {}, 0, 0, 0, kept.message, misfit.nodes, misfit.nodes,
                   nominated=kept.nominated, victims=kept.victims)


def _told_placed(uid: str, kept: _Kept, found: Placement) -> Attempt:
    trace = found.trace
    score, weights = _score(found, found.chosen)
    feasible = {trace.names[slot]: _score(found, place)[0] for place, slot in enumerate(found.window)}
    rejections = {trace.names[slot]: (why.plugin, why.reasons) for slot, why in _rejections(trace)}
    return Attempt(uid, kept.pod, kept.number, kept.time, found.node.name, rejections, _chosen(score, weights), score.total, len(found.window),
                   found.tied, "", len(trace.order), trace.tried, feasible)


def _chosen(score: NodeScore, weights: dict[str, int]) -> dict[str, tuple[int, int]]:
    return {plugin: (normalized, weights[plugin]) for plugin, (_, normalized, _) in score.plugins.items()}


def _score(found: Placement, place: int) -> tuple[NodeScore, dict[str, int]]:
    """One node's scores, and the plugins' weights."""
    fit = found.fit[place]
    rows = [(part.plugin, part.weight, part.raw if type(part.raw) is int else part.raw[place],
             part.normalized if type(part.normalized) is int else part.normalized[place]) for part in found.parts]
    balance = found.base[place] - fit
    rows += [(FIT.name, FIT.weight, fit, fit), (BALANCE.name, BALANCE.weight, balance, balance)]
    plugins = {plugin: (raw, normalized, normalized * weight) for plugin, weight, raw, normalized in rows}
    return NodeScore(sum(weighted for _, _, weighted in plugins.values()), plugins), {plugin: weight for plugin, weight, _, _ in rows}


def _rejections(trace: Trace) -> Iterator[tuple[int, Rejection]]:
    """The verdicts of the nodes that were tried, as the order of nodes has them."""
    end = trace.start + trace.tried
    wrapped = end - len(trace.order)
    for position, slot in enumerate(trace.order):
        if not (trace.start <= position < end or position < wrapped):
            continue
        why = trace.rejections[slot] if slot < len(trace.rejections) else None
        if why is None:
            why = next((check.rejection for check in trace.checks if check.refuses(slot)), None)
        if why is not None:
            yield slot, why
