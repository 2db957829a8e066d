"""The query of a request: text in, ``Options`` out, or the error that the real API server answers for what is no value."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

from server.cluster.apiserver.request import DEFAULT_OPTIONS, Options
from server.cluster.errors import FieldError, bad_request, invalid

META_GROUP = "meta.k8s.io"
FIELD_MANAGER_LIMIT = 128
MAX_INT = 2**63 - 1
OPTIONS_KIND = {"create": "CreateOptions", "update": "UpdateOptions", "patch": "PatchOptions", "delete": "DeleteOptions",
                "deletecollection": "DeleteOptions", "list": "ListOptions", "watch": "ListOptions"}
VALIDATIONS = ("", "Ignore", "Strict", "Warn")


def _integer(text: str) -> int:
    digits = text[1:] if text[:1] in "+-" else text
    if not (digits.isascii() and digits.isdecimal()):
        raise bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax')
    value = int(text)
    if not -MAX_INT - 1 <= value <= MAX_INT:
        raise bad_request(f'strconv.ParseInt: parsing "{text}": value out of range')
    return value


def _boolean(text: str) -> bool:
    return text.lower() not in ("false", "0")


# parameter: the option it sets and how it is read
_PARAMETERS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "labelSelector": ("label_selector", str),
    "fieldSelector": ("field_selector", str),
    "limit": ("limit", _integer),
    "continue": ("continue_", str),
    "resourceVersion": ("resource_version", str),
    "resourceVersionMatch": ("resource_version_match", str),
    "timeoutSeconds": ("timeout_seconds", _integer),
    "allowWatchBookmarks": ("allow_watch_bookmarks", _boolean),
    "sendInitialEvents": ("send_initial_events", _boolean),
    "fieldValidation": ("field_validation", str),
    "fieldManager": ("field_manager", str),
    "gracePeriodSeconds": ("grace_period_seconds", _integer),
    "propagationPolicy": ("propagation_policy", str),
    "orphanDependents": ("orphan_dependents", _boolean),
    "container": ("container", str),
    "follow": ("follow", _boolean),
    "previous": ("previous", _boolean),
    "tailLines": ("tail_lines", _integer),
    "limitBytes": ("limit_bytes", _integer),
    "sinceSeconds": ("since_seconds", _integer),
    "sinceTime": ("since_time", str),
    "timestamps": ("timestamps", _boolean),
    **{name: (name, _boolean) for name in ("stdin", "stdout", "stderr", "tty")},
}


def parse(text: str) -> dict[str, list[str]]:
    """The query by parameter."""
    found: dict[str, list[str]] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        found.setdefault(name, []).append(value)
    return found


def options(query: dict[str, list[str]], verb: str) -> Options:
    """What a query asks for. ApiError for a value that cannot be."""
    if not query:
        return DEFAULT_OPTIONS
    found = Options()
    for name, values in query.items():
        parameter = _PARAMETERS.get(name)
        if parameter is not None and values[0]:
            setattr(found, parameter[0], parameter[1](values[0]))
    errors = _faults(found, query, verb)
    if errors:
        raise invalid(OPTIONS_KIND.get(verb, "GetOptions"), "", errors, META_GROUP)
    found.command = list(query.get("command", ()))
    found.ports = [int(text) for text in query.get("ports", ()) if text.isdigit()]
    found.dry_run = query.get("dryRun") == ["All"]
    found.field_validation = found.field_validation or "Warn"
    if found.continue_ and found.resource_version not in ("", "0"):
        raise bad_request("specifying resource version is not allowed when using continue")
    return found


def wants_watch(query: dict[str, list[str]]) -> bool:
    return "watch" in query and _boolean(query["watch"][0])


def pretty(query: dict[str, list[str]], user_agent: str) -> bool:
    """Whether the answer is for human eyes: as asked for, else if a command-line HTTP tool or a browser asks."""
    if "pretty" in query:
        return _boolean(query["pretty"][0])
    return user_agent.startswith(("curl", "Wget", "Mozilla/5.0"))


def _faults(found: Options, query: dict[str, list[str]], verb: str) -> list[FieldError]:
    if verb in ("list", "watch"):
        return _list_faults(found, verb)
    errors = [FieldError("Unsupported value", "dryRun", value, 'supported values: "All"')
              for value in query.get("dryRun", ()) if value and value != "All"]
    if verb in ("create", "update", "patch"):
        if len(found.field_manager.encode()) > FIELD_MANAGER_LIMIT:
            errors.append(FieldError("Too long", "fieldManager", None, f"may not be more than {FIELD_MANAGER_LIMIT} bytes"))
        if found.field_validation not in VALIDATIONS:
            shown = ", ".join(f'"{value}"' for value in VALIDATIONS)
            errors.append(FieldError("Unsupported value", "fieldValidation", found.field_validation, f"supported values: {shown}"))
    return errors


def _list_faults(found: Options, verb: str) -> list[FieldError]:
    match = found.resource_version_match
    if found.send_initial_events is not None:
        if verb == "list":
            return [FieldError("Forbidden", "sendInitialEvents", None, "sendInitialEvents is forbidden for list")]
        if match != "NotOlderThan":
            return [FieldError("Forbidden", "resourceVersionMatch", None,
                               "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan")]
        if found.send_initial_events and not found.allow_watch_bookmarks:
            return [FieldError("Forbidden", "sendInitialEvents", None, "sendInitialEvents requires setting allowWatchBookmarks to true")]
        return []
    if not match:
        return []
    errors = []
    if verb == "watch":
        errors.append(FieldError("Forbidden", "resourceVersionMatch", None, "resourceVersionMatch is forbidden for watch"))
    if not found.resource_version:
        errors.append(FieldError("Forbidden", "resourceVersionMatch", None,
                                 "resourceVersionMatch is forbidden unless resourceVersion is provided"))
    if found.continue_:
        errors.append(FieldError("Forbidden", "resourceVersionMatch", None, "resourceVersionMatch is forbidden when continue is provided"))
    if match not in ("Exact", "NotOlderThan"):
        errors.append(FieldError("Unsupported value", "resourceVersionMatch", match, 'supported values: "Exact", "NotOlderThan", ""'))
    elif match == "Exact" and found.resource_version == "0":
        errors.append(FieldError("Forbidden", "resourceVersionMatch", None,
                                 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'))
    return errors


