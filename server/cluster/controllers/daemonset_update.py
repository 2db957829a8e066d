"""The rolling update of a DaemonSet: which old pods may go now, and which nodes may have a new pod beside the old one.

In: how the nodes stand. Out: pods to delete and nodes to create pods on. Without surge the old pod goes first: unavailable ones at once,
available ones while no more than ``maxUnavailable`` nodes are without one. With surge the new pod comes first, on at most ``maxSurge``
nodes at a time, and the old one goes when the new one is available.

Source: https://kubernetes.io/docs/tasks/manage-daemon/update-daemon-set/
"""

from __future__ import annotations

from typing import NamedTuple

from server.cluster.controllers.daemonset_census import Census, surge, unavailable
from server.cluster.objects import Object


class Turn(NamedTuple):
    """What the update may do at this moment."""

    delete: list[Object]
    create: list[str]


def next_turn(census: Census) -> Turn:
    desired = census.count(run=True)
    allowed = surge(census.spec, desired)
    return _with_surge(census, desired, allowed) if allowed else _in_place(census, unavailable(census.spec, desired))


def _in_place(census: Census, allowed: int) -> Turn:
    """A node counts as unavailable unless just one pod is there and available: a new one, or an old one that waits for its turn."""
    missing = sum(number for standing, number in census.standings()
                  if standing.crowded or (standing.new, standing.old) not in ((True, None), (None, True)))
    replaced = census.nodes(crowded=False, new=None, old=False)
    candidates = census.nodes(max(0, allowed - missing), crowded=False, new=None, old=True)
    return Turn([census.old_pod(node) for node in (*replaced, *candidates)], [])


def _with_surge(census: Census, desired: int, allowed: int) -> Turn:
    """A node that should have no pod gives up its available one only when there are enough elsewhere."""
    surging = sum(number for standing, number in census.standings()
                  if standing.crowded or (standing.old is not None and standing.new is False))
    available = sum(number for standing, number in census.standings()
                    if not standing.crowded and (standing.old if standing.old is not None else standing.new))
    done = [*census.nodes(crowded=False, new=True, old=True), *census.nodes(crowded=False, new=True, old=False)]
    sunset = [*census.nodes(run=False, crowded=False, new=None, old=False),
              *census.nodes(max(0, available - desired), run=False, crowded=False, new=None, old=True)]
    lacking = census.nodes(run=True, crowded=False, new=None, old=False)
    candidates = census.nodes(max(0, allowed - surging), run=True, crowded=False, new=None, old=True)
    return Turn([census.old_pod(node) for node in (*done, *sunset)], [*lacking, *candidates])
