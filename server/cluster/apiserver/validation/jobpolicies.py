"""Validation of what a Job says about its pods' ends: podFailurePolicy, successPolicy, and index lists such as ``0,2-5``.

Source: https://kubernetes.io/docs/concepts/workloads/controllers/job/#pod-failure-policy
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from server.cluster import names
from server.cluster.apiserver.validation.fields import Errors, FieldError, Object, duplicate, faults, invalid, not_negative, required, unsupported
from server.cluster.errors import OMITTED

ACTIONS = ("Count", "FailIndex", "FailJob", "Ignore")
OPERATORS = ("In", "NotIn")
STATUSES = ("False", "True", "Unknown")
MOST_RULES, MOST_VALUES, MOST_PATTERNS = 20, 255, 20
LONGEST_INDEXES = 64 * 1024
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")


class IndexFault(ValueError):
    """An index list that is none, in Kubernetes' words."""


def pod_failure(spec: Object, path: str) -> Errors:
    rules = spec["podFailurePolicy"].get("rules") or []
    yield from _too_many(f"{path}.rules", rules, MOST_RULES)
    pod = (spec.get("template") or {}).get("spec") or {}
    containers = [each.get("name") for field in ("containers", "initContainers") for each in pod.get(field) or ()]
    for index, rule in enumerate(rules):
        yield from _failure_rule(spec, rule, f"{path}.rules[{index}]", containers)


def _too_many(path: str, items: list, most: int) -> Iterator[FieldError]:
    if len(items) > most:
        yield FieldError("Too many", path, len(items), f"must have at most {most} items")


def _valid(values: tuple[str, ...]) -> str:
    return "valid values: [" + " ".join(f'"{value}"' for value in values) + "]"


def _failure_rule(spec: Object, rule: Object, path: str, containers: list[str]) -> Errors:
    action, codes, patterns = rule.get("action", ""), rule.get("onExitCodes"), rule.get("onPodConditions") or []
    if not action:
        yield required(f"{path}.action", _valid(ACTIONS))
    elif action == "FailIndex":
        if spec.get("backoffLimitPerIndex") is None:
            yield invalid(f"{path}.action", action, "requires the backoffLimitPerIndex to be set")
    elif action not in ACTIONS:
        yield unsupported(f"{path}.action", action, ACTIONS)
    if codes is not None:
        yield from _exit_codes(codes, f"{path}.onExitCodes", containers)
    yield from _too_many(f"{path}.onPodConditions", patterns, MOST_PATTERNS)
    for index, pattern in enumerate(patterns):
        yield from _pattern(pattern, f"{path}.onPodConditions[{index}]")
    if codes is not None and patterns:
        yield invalid(path, OMITTED, "specifying both OnExitCodes and OnPodConditions is not supported")
    if codes is None and not patterns:
        yield invalid(path, OMITTED, "specifying one of OnExitCodes and OnPodConditions is required")


def _pattern(pattern: Object, path: str) -> Errors:
    kind, status = pattern.get("type", ""), pattern.get("status", "")
    yield from faults(f"{path}.type", kind, names.qualified_name(kind))
    if not status:
        yield required(f"{path}.status", _valid(STATUSES))
    elif status not in STATUSES:
        yield unsupported(f"{path}.status", status, STATUSES)


def _exit_codes(codes: Object, path: str, containers: list[str]) -> Errors:
    operator, values, container = codes.get("operator", ""), codes.get("values") or [], codes.get("containerName")
    if not operator:
        yield required(f"{path}.operator", _valid(OPERATORS))
    elif operator not in OPERATORS:
        yield unsupported(f"{path}.operator", operator, OPERATORS)
    if container is not None and container not in containers:
        yield invalid(f"{path}.containerName", container, "must be one of the container or initContainer names in the pod template")
    if not values:
        yield invalid(f"{path}.values", codes.get("values"), "at least one value is required")
    yield from _too_many(f"{path}.values", values, MOST_VALUES)
    seen: set[int] = set()
    for index, value in enumerate(values):
        if operator == "In" and value == 0:
            yield invalid(f"{path}.values[{index}]", value, "must not be 0 for the In operator")
        if value in seen:
            yield duplicate(f"{path}.values[{index}]", value)
        seen.add(value)
    if values != sorted(values):
        yield invalid(f"{path}.values", values, "must be ordered")


def success(spec: Object, path: str) -> Errors:
    rules = spec["successPolicy"].get("rules") or []
    if not rules:
        yield required(f"{path}.rules", "at least one rules must be specified when the successPolicy is specified")
    yield from _too_many(f"{path}.rules", rules, MOST_RULES)
    for index, rule in enumerate(rules):
        yield from _success_rule(spec.get("completions") or 0, rule, f"{path}.rules[{index}]")


def _success_rule(completions: int, rule: Object, path: str) -> Errors:
    count, indexes, total = rule.get("succeededCount"), rule.get("succeededIndexes"), 0
    if count is None and indexes is None:
        yield required(path, "at least one of succeededCount or succeededIndexes must be specified")
    if indexes is not None:
        if len(indexes) > LONGEST_INDEXES:
            yield FieldError("Too long", f"{path}.succeededIndexes", "", f"may not be more than {LONGEST_INDEXES} bytes")
        try:
            total = sum(last - first + 1 for first, last in intervals(indexes, completions))
        except IndexFault as fault:
            yield invalid(f"{path}.succeededIndexes", indexes, f"error parsing succeededIndexes: {fault}")
    if count is not None:
        at = f"{path}.succeededCount"
        yield from not_negative(at, count)
        if count > completions:
            yield invalid(at, count, f"must be less than or equal to {completions} (the number of specified completions)")
        if indexes is not None and count > total:
            yield invalid(at, count, f"must be less than or equal to {total} (the number of indexes in the specified succeededIndexes field)")


def intervals(text: str, completions: int) -> list[tuple[int, int]]:
    """The intervals of an index list. IndexFault if it is not in order, or beyond the Job's size.

    >>> intervals("0,2-4", 5)
    [(0, 0), (2, 4)]
    """
    found: list[tuple[int, int]] = []
    for part in text.split(",") if text else ():
        first, last = _interval(part, completions)
        if found and found[-1][1] >= first:
            raise IndexFault(f"non-increasing order, previous: {found[-1][1]}, current: {first}")
        found.append((first, last))
    return found


def _interval(part: str, completions: int) -> tuple[int, int]:
    limits = part.split("-")
    if len(limits) > 2:
        raise IndexFault(f'the fragment "{part}" violates the requirement that an index interval can have at most two parts separated by \'-\'')
    numbers = []
    for limit in limits:
        if not _INTEGER.fullmatch(limit):
            raise IndexFault(f'cannot convert string to integer for index: "{limit}"')
        if int(limit) >= completions:
            raise IndexFault(f'too large index: "{limit}"')
        numbers.append(int(limit))
    if len(numbers) > 1 and numbers[0] >= numbers[1]:
        raise IndexFault(f"non-increasing order, previous: {numbers[0]}, current: {numbers[1]}")
    return numbers[0], numbers[-1]
