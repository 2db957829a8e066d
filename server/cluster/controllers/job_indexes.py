"""The completion indexes of an indexed Job: which are done, which have failed for good, which are due.

Lists of indexes are kept as intervals and written as ``0,2-5``, so that a Job of a hundred thousand indexes has a short status. A pod
says which index it is for in an annotation, which a user may have spoiled: then it is for none.

Source: https://kubernetes.io/docs/concepts/workloads/controllers/job/#completion-mode
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from server.cluster.objects import Object, annotations

INDEX = "batch.kubernetes.io/job-completion-index"
FAILURES = "batch.kubernetes.io/job-index-failure-count"
IGNORED_FAILURES = "batch.kubernetes.io/job-index-ignored-failure-count"
VARIABLE = "JOB_COMPLETION_INDEX"
_NUMBER = re.compile("[0-9]{1,9}")
Intervals = list[tuple[int, int]]


def parsed(text: str | None, completions: int) -> Intervals:
    """The intervals of a list, as far as they are below ``completions``.

    >>> parsed("0,2-5,7", 5)
    [(0, 0), (2, 4)]
    """
    found: Intervals = []
    for part in (text or "").split(","):
        first, _, last = part.partition("-")
        if _NUMBER.fullmatch(first) and (not last or _NUMBER.fullmatch(last)) and int(first) < completions:
            found.append((int(first), min(int(last or first), completions - 1)))
    return merged(found)


def merged(*lists: Iterable[tuple[int, int]]) -> Intervals:
    """One list of everything that is in any of them.

    >>> merged([(0, 1), (5, 5)], [(2, 3)])
    [(0, 3), (5, 5)]
    """
    found: Intervals = []
    for first, last in sorted(interval for intervals in lists for interval in intervals):
        if found and first <= found[-1][1] + 1:
            found[-1] = found[-1][0], max(last, found[-1][1])
        else:
            found.append((first, last))
    return found


def single(indexes: Iterable[int]) -> Intervals:
    return [(index, index) for index in indexes]


def total(intervals: Intervals) -> int:
    return sum(last - first + 1 for first, last in intervals)


def has(intervals: Intervals, index: int) -> bool:
    return any(first <= index <= last for first, last in intervals)


def text(intervals: Intervals) -> str:
    """
    >>> text([(0, 0), (2, 3), (5, 9)])
    '0,2,3,5-9'
    """
    return ",".join(f"{first}" if first == last else f"{first},{last}" if last == first + 1 else f"{first}-{last}"
                    for first, last in intervals)


def free(taken: Intervals, count: int, completions: int) -> list[int]:
    """The lowest indexes that nobody has, at most ``count`` of them.

    >>> free([(0, 0), (2, 3)], 3, 6)
    [1, 4, 5]
    """
    found: list[int] = []
    candidate = 0
    for first, last in [*taken, (completions, completions)]:
        while candidate < min(first, completions) and len(found) < count:
            found.append(candidate)
            candidate += 1
        candidate = max(candidate, last + 1)
    return found


def index_of(pod: Object) -> int | None:
    """The index that the pod works on."""
    value = annotations(pod).get(INDEX, "")
    return int(value) if _NUMBER.fullmatch(value) else None


def failures(pod: Object) -> int:
    """How many pods of this index had failed when the pod was made, of those that count."""
    return _count(pod, FAILURES)


def all_failures(pod: Object) -> int:
    """Those that do not count included."""
    return _count(pod, FAILURES) + _count(pod, IGNORED_FAILURES)


def _count(pod: Object, annotation: str) -> int:
    value = annotations(pod).get(annotation, "")
    return int(value) if _NUMBER.fullmatch(value) else 0


def is_indexed(job: Object) -> bool:
    return job["spec"].get("completionMode") == "Indexed"


def limited_per_index(job: Object) -> bool:
    """Whether each index has its own number of tries."""
    return job["spec"].get("backoffLimitPerIndex") is not None
