"""Validation of ``metav1.Condition`` lists, the form of conditions that newer kinds share.

Source: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/condition/
"""

from __future__ import annotations

import re

from server.cluster.apiserver.validation.fields import Errors, Object, duplicate, invalid, label_name, not_negative, required, too_long, unsupported

STATUSES = ("False", "True", "Unknown")
LONGEST_REASON, LONGEST_MESSAGE = 1024, 32 * 1024
_REASON = "[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?"
_REASON_FAULT = ("a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric characters or '_,:', "
                 f"and must end with an alphanumeric character or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName',  or 'ReasonA,ReasonB',  or "
                 f"'ReasonA:ReasonB', regex used for validation is '{_REASON}')")


def conditions(items: list[Object] | None, path: str) -> Errors:
    seen: set[str] = set()
    for index, entry in enumerate(items or ()):
        at, kind = f"{path}[{index}]", entry.get("type", "")
        if kind in seen:
            yield duplicate(f"{at}.type", kind)
        seen.add(kind)
        yield from _condition(entry, kind, at)


def _condition(entry: Object, kind: str, at: str) -> Errors:
    yield from label_name(f"{at}.type", kind) if kind else [required(f"{at}.type", "must be set")]
    if entry.get("status") not in STATUSES:
        yield unsupported(f"{at}.status", entry.get("status", ""), STATUSES)
    yield from not_negative(f"{at}.observedGeneration", entry.get("observedGeneration"))
    if not entry.get("lastTransitionTime"):
        yield required(f"{at}.lastTransitionTime", "must be set")
    reason = entry.get("reason", "")
    if not reason:
        yield required(f"{at}.reason", "must be set")
    elif len(reason) > LONGEST_REASON:
        yield too_long(f"{at}.reason", LONGEST_REASON)
    elif not re.fullmatch(_REASON, reason):
        yield invalid(f"{at}.reason", reason, _REASON_FAULT)
    if len(entry.get("message", "")) > LONGEST_MESSAGE:
        yield too_long(f"{at}.message", LONGEST_MESSAGE)
