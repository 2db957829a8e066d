"""successPolicy: an indexed Job may be a success before all its indexes are.

In: the policy and the indexes that have succeeded. Out: the message of the first rule that is met: enough indexes, all of certain
indexes, or enough of certain indexes.

Source: https://kubernetes.io/docs/concepts/workloads/controllers/job/#success-policy
"""

from __future__ import annotations

from server.cluster.controllers.job_indexes import Intervals, parsed, total
from server.cluster.objects import Object


def met(policy: Object | None, completions: int, succeeded: Intervals) -> str:
    """What the Job's condition says; "" if no rule is met."""
    for index, rule in enumerate((policy or {}).get("rules") or () if succeeded else ()):
        if _rule_met(rule, completions, succeeded):
            return f"Matched rules at index {index}"
    return ""


def _rule_met(rule: Object, completions: int, succeeded: Intervals) -> bool:
    count = rule.get("succeededCount")
    if rule.get("succeededIndexes") is None:
        return count is not None and total(succeeded) >= count
    wanted = parsed(rule["succeededIndexes"], completions)
    reached = overlap(wanted, succeeded)
    return bool(wanted) and (reached == total(wanted) or (count is not None and reached >= count))


def overlap(first: Intervals, second: Intervals) -> int:
    """How many indexes are in both.

    >>> overlap([(0, 4), (8, 9)], [(3, 8)])
    3
    """
    return sum(max(0, min(a[1], b[1]) - max(a[0], b[0]) + 1) for a in first for b in second)
