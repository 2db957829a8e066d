"""Field selectors: a client's string in, a ``FieldSelector`` that answers ``matches`` out.

Which fields a kind can be selected by is in ``FIELDS``; every kind by its name and namespace. Parse errors are worded as the API server
words them. Parsing is cached by text.

Source: https://kubernetes.io/docs/concepts/overview/working-with-objects/field-selectors/
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

from server.cluster.selectors import SelectorError


class FieldTerm(NamedTuple):
    """One comparison of a field selector."""

    field: str
    operator: str
    value: str


_META = ("metadata.name", "metadata.namespace")
FIELDS: dict[str, tuple[str, ...]] = {
    "pods": (*_META, "spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName", "spec.hostNetwork",
             "status.phase", "status.podIP", "status.podIPs", "status.nominatedNodeName"),
    "nodes": ("metadata.name", "spec.unschedulable"),
    "namespaces": ("metadata.name", "status.phase"),
    "secrets": (*_META, "type"),
    "services": (*_META, "spec.clusterIP", "spec.type"),
    "replicationcontrollers": (*_META, "status.replicas"),
    "events": (*_META, "involvedObject.kind", "involvedObject.namespace", "involvedObject.name", "involvedObject.uid",
               "involvedObject.apiVersion", "involvedObject.resourceVersion", "involvedObject.fieldPath", "reason",
               "reportingComponent", "source", "type"),
}


class FieldSelector(NamedTuple):
    """A conjunction of field comparisons."""

    terms: tuple[FieldTerm, ...] = ()

    @property
    def empty(self) -> bool:
        return not self.terms

    def exact(self, field: str) -> str | None:
        """The value the field must have, if the selector says so: lets an index serve it."""
        return next((t.value for t in self.terms if t.field == field and t.operator == "="), None)

    def matches(self, obj: dict[str, Any], namespaced: bool = True) -> bool:
        return all((field_value(obj, term.field) == term.value) == (term.operator == "=") for term in self.terms)

    def __str__(self) -> str:
        return ",".join(f"{t.field}{t.operator}{_escaped(t.value)}" for t in self.terms)


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace(",", "\\,").replace("=", "\\=")


_SPECIAL_FIELDS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "spec.hostNetwork": lambda o: bool(o.get("spec", {}).get("hostNetwork")),
    "spec.unschedulable": lambda o: bool(o.get("spec", {}).get("unschedulable")),
    "source": lambda o: (o.get("source") or {}).get("component") or o.get("reportingComponent", ""),
    "status.podIPs": lambda o: ",".join(ip.get("ip", "") for ip in o.get("status", {}).get("podIPs") or ()),
}


def field_value(obj: dict[str, Any], field: str) -> str:
    """A field as field selectors see it; what is absent is the empty string."""
    special = _SPECIAL_FIELDS.get(field)
    value: Any = obj
    if special:
        value = special(obj)
    else:
        for step in field.split("."):
            value = value.get(step) if isinstance(value, dict) else None
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _split_terms(text: str) -> list[str]:
    terms, current, escaped = [], "", False
    for char in text:
        if escaped:
            current, escaped = current + "\\" + char, False
        elif char == "\\":
            escaped = True
        elif char == ",":
            terms.append(current)
            current = ""
        else:
            current += char
    return [*terms, current + ("\\" if escaped else "")]


@lru_cache(maxsize=2048)
def parse(text: str, resource: str = "") -> FieldSelector:
    """A field selector's string, checked against what the resource supports.

    >>> parse("status.phase!=Running", "pods").matches({"status": {"phase": "Pending"}})
    True
    >>> parse("spec.foo=bar", "pods")
    Traceback (most recent call last):
        ...
    server.cluster.selectors.SelectorError: field label not supported: spec.foo
    """
    terms = []
    for part in _split_terms(text):
        if not part:
            continue
        operator = min((at, -len(sign), sign) for sign in ("!=", "==", "=") if (at := part.find(sign)) >= 0)[2] \
            if "=" in part else ""
        if not operator:
            raise SelectorError(f"invalid selector: '{text}'; can't understand '{part}'")
        field, _, value = part.partition(operator)
        supported = FIELDS.get(resource, _META)
        if resource and field not in supported:
            if resource in FIELDS:
                raise SelectorError(f"field label not supported: {field}")
            raise SelectorError(f'"{field}" is not a known field selector: only "metadata.name", "metadata.namespace"')
        value = re.sub(r"\\([\\,=])", r"\1", value)
        terms.append(FieldTerm(field, "!=" if operator == "!=" else "=", value))
    return FieldSelector(tuple(terms))
