"""Which field of a manifest an error is about: the one that it names, or the one that does not fit its type, for which Kubernetes names none."""

from __future__ import annotations

import re
from typing import Any

from server.cluster import schema
from server.cluster.apiserver.typed import misfit

MOST_FAULTS = 50
_UNKNOWN = re.compile(r'(?:unknown|duplicate) field "([^"]+)"')
_UNDECODED = re.compile(r" cannot be handled as a | is invalid: patch: Invalid value: |unable to decode \"")
_KEYLESS = re.compile(r"does not contain declared merge key: (\w+)")
_NO_KIND = re.compile(r'no matches for kind "[^"]*" in version "')
_NO_NAMESPACE = re.compile(r'namespaces "[^"]*" not found')
_NAMED = re.compile(
    r"(?:^|[\[\s*])([a-zA-Z][\w\-]*(?:\.[\w\-/]+|\[[^\]]+\])*): (?:Invalid value|Required value|Unsupported value|Duplicate value|"
    r"Forbidden|Too long|Too many|Not found)")


def field_of(error: str, obj: Any = None) -> str | None:
    """The path, as validation writes it, of what is wrong in ``obj``; None where an error is about the whole.

    >>> field_of('The Deployment "x" is invalid: spec.replicas: Invalid value: -2: must be greater than or equal to 0')
    'spec.replicas'
    """
    if found := _UNKNOWN.search(error):
        return found[1]
    obj = obj if isinstance(obj, dict) else {}
    type_ = schema.for_kind(str(obj.get("apiVersion")), str(obj.get("kind")))
    if _UNDECODED.search(error):
        return misfit(obj, type_) if type_ else None
    if found := _KEYLESS.search(error):
        return _keyless(obj, type_, found[1], "") if type_ else None
    if _NO_KIND.search(error):
        return "apiVersion" if _known_elsewhere(obj) else "kind"
    if _NO_NAMESPACE.search(error):
        return "metadata.namespace"
    found = _NAMED.search(error)
    return found[1] if found else None


def faults_of(error: str) -> list[tuple[str, str]]:
    """Each of several faults that one error tells, with the path of its field.

    >>> faults_of('strict decoding error: unknown field "spec.a", unknown field "spec.b"')
    [('unknown field "spec.a"', 'spec.a'), ('unknown field "spec.b"', 'spec.b')]
    """
    if found := [(match[0], match[1]) for match in _UNKNOWN.finditer(error)]:
        return found[:MOST_FAULTS]
    parts = [line[2:] for line in error.split("\n") if line.startswith("* ")]
    return [(part, named[1]) for part in parts[:MOST_FAULTS] if (named := _NAMED.search(part))]


def _known_elsewhere(obj: dict[str, Any]) -> bool:
    """Whether the kind is one of another version, or the version none at all."""
    gvks = schema.gvks()
    versions = {f"{group}/{version}" if group else version for group, version, _ in gvks}
    return obj.get("apiVersion") not in versions or any(kind == obj.get("kind") for _, _, kind in gvks)


def _keyless(value: Any, type_: schema.Type, key: str, path: str) -> str | None:
    """The first element of a list that lacks the key it is known by."""
    if type_.kind == "object" and isinstance(value, dict):
        parts = [(value[name], field.type, f"{path}.{name}" if path else name) for name, field in type_.fields.items() if name in value]
    elif type_.kind == "array" and isinstance(value, list):
        parts = [(item, type_.element, f"{path}[{index}]") for index, item in enumerate(value)]
        for item, element, place in parts:
            if isinstance(item, dict) and key not in item and key in element.fields:
                return place
    else:
        return None
    return next((place for part in parts if (place := _keyless(part[0], part[1], key, part[2]))), None)
