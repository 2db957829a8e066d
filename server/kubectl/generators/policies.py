"""What `kubectl create poddisruptionbudget|priorityclass` make.

In: a name and flags. Out: the object as kubectl sends it, without what the server adds.
"""

from __future__ import annotations

import re
from typing import Any

from server.cluster import selectors
from server.cluster.selectors import ABSENT, DOUBLE_EQUALS, EQUALS, EXISTS, IN, NOT_IN, SelectorError
from server.kubectl.context import Context
from server.kubectl.errors import CommandError
from server.kubectl.flags import Flags, quoted

Object = dict[str, Any]
_AMOUNT = re.compile("[0-9]+%?")
_OPERATORS = {IN: "In", NOT_IN: "NotIn", EXISTS: "Exists", ABSENT: "DoesNotExist"}


def disruption_budget(ctx: Context, name: str, command: list[str], flags: Flags) -> Object:
    least, most = flags["min-available"], flags["max-unavailable"]
    if not flags.selector:
        raise CommandError("a selector must be specified")
    if not least and not most:
        raise CommandError("one of min-available or max-unavailable must be specified")
    if least and most:
        raise CommandError("min-available and max-unavailable cannot be both specified")
    flag, text = ("min-available", least) if least else ("max-unavailable", most)
    if not _AMOUNT.fullmatch(text):
        raise CommandError(f"invalid format specified for {flag}")
    field = "minAvailable" if least else "maxUnavailable"
    return {
        "kind": "PodDisruptionBudget", "apiVersion": "policy/v1", "metadata": {"name": name},
        "spec": {field: text if text.endswith("%") else int(text), "selector": _label_selector(flags.selector)},
        "status": {"disruptionsAllowed": 0, "currentHealthy": 0, "desiredHealthy": 0, "expectedPods": 0},
    }


def _label_selector(text: str) -> Object:
    """A selector as text, as a LabelSelector object."""
    try:
        requirements = selectors.parse(text).requirements
    except SelectorError as error:
        raise CommandError(f"couldn't parse the selector string {quoted(text)}: {error}") from None
    exact: dict[str, str] = {}
    expressions: list[Object] = []
    for key, operator, values in requirements:
        if operator in (EQUALS, DOUBLE_EQUALS):
            exact[key] = values[0]
        elif operator in _OPERATORS:
            expressions.append({"key": key, "operator": _OPERATORS[operator], **({"values": list(values)} if values else {})})
        else:
            raise CommandError(f"{quoted(operator)} isn't supported in label selectors")
    return {**({"matchLabels": exact} if exact else {}), **({"matchExpressions": expressions} if expressions else {})}


def priority_class(ctx: Context, name: str, command: list[str], flags: Flags) -> Object:
    return {
        "kind": "PriorityClass", "apiVersion": "scheduling.k8s.io/v1", "metadata": {"name": name}, "value": flags.value,
        **({"globalDefault": True} if flags["global-default"] else {}),
        **({"description": flags.description} if flags.description else {}), "preemptionPolicy": flags["preemption-policy"],
    }
