"""Nodes grouped by a label, and how many pods of some kind run in each group.

A ``Tally`` counts pods by node (slot); asked by a ``Topology`` (all nodes by the value of one label) it also counts them by domain, and
keeps both as pods come and go, so that no attempt has to add up the nodes of a zone again.

Source: https://kubernetes.io/docs/concepts/scheduling-eviction/topology-spread-constraints/
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from server.cluster.scheduler.snapshot import NodeInfo


class Topology:
    """``values``: the label's value by slot (None: no label, or no node); ``slots``: the nodes of each value; ``missing``: nodes without."""

    __slots__ = ("values", "slots", "missing")

    def __init__(self, key: str, nodes: Iterable[NodeInfo]) -> None:
        self.values: list[str | None] = [node.labels.get(key) if node.node is not None else None for node in nodes]
        self.slots: dict[str, list[int]] = {}
        self.missing: set[int] = set()
        for node, value in zip(nodes, self.values, strict=True):
            if value is not None:
                self.slots.setdefault(value, []).append(node.slot)
            elif node.node is not None:
                self.missing.add(node.slot)


class Domains:
    """``sums``: pods by value, where there are any; ``occupied``: the nodes of those values."""

    __slots__ = ("topology", "sums", "occupied")

    def __init__(self, topology: Topology, on: Iterable[tuple[int, int]]) -> None:
        self.topology = topology
        self.sums: dict[str, int] = {}
        self.occupied: set[int] = set()
        for slot, number in on:
            self.change(slot, number)

    def change(self, slot: int, by: int) -> None:
        value = self.topology.values[slot]
        if value is None:
            return
        before = self.sums.get(value, 0)
        if before + by:
            self.sums[value] = before + by
            if not before:
                self.occupied.update(self.topology.slots[value])
        else:
            del self.sums[value]
            self.occupied.difference_update(self.topology.slots[value])


class Tally:
    """``on``: numbers by slot, as a list or, where few nodes have any, as a dict without zeros."""

    __slots__ = ("on", "domains")

    def __init__(self, on: list[int] | dict[int, int]) -> None:
        self.on = on
        self.domains: dict[str, Domains] = {}

    def pairs(self) -> Iterable[tuple[int, int]]:
        """(slot, number) where there are any."""
        if isinstance(self.on, dict):
            return self.on.items()
        return [(slot, number) for slot, number in enumerate(self.on) if number]

    def change(self, slot: int, by: int) -> None:
        on = self.on
        if type(on) is list:
            on[slot] += by
        elif number := on.get(slot, 0) + by:
            on[slot] = number
        else:
            del on[slot]
        for domains in self.domains.values():
            domains.change(slot, by)
