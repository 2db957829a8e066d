"""Kubernetes' types: definition names, kinds and field paths in; fields, their types, merge keys and descriptions out.

The data are the v1.36 definitions in the package ``kubernetes-validate``. They are read once, at first use, in some 20 ms, and each
type is built when it is first asked for; all rooms share them. Decoding, patching, explain and OpenAPI walk these types, so a new
kind needs no code here.

>>> pod = for_kind("v1", "Pod")
>>> pod.go, pod.field("spec").type.field("containers").merge_key, walk(pod, ("spec", "containers", "image")).type.kind
('v1.Pod', 'name', 'string')
"""

from __future__ import annotations

import importlib.resources
import json
from functools import cache
from typing import Any, NamedTuple

from server.cluster import enums
from server.cluster.gotypes import NAMED_TYPES

VERSION = "v1.36.0"
_REF = "#/$defs/"
_SPECIAL = {
    "io.k8s.apimachinery.pkg.api.resource.Quantity": "quantity",
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": "int-or-string",
    "io.k8s.apimachinery.pkg.apis.meta.v1.Time": "time",
    "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime": "microtime",
}
_GO_SCALARS = {"string": "string", "boolean": "bool", "number": "float64", "bytes": "[]uint8"}


class Type:
    """One type. ``kind``: object map array string integer number boolean bytes time microtime quantity int-or-string raw."""

    __slots__ = ("_fields", "_properties", "_required", "description", "element", "go", "gvks", "kind", "name")

    def __init__(self, kind: str, name: str = "", go: str = "", element: Type | None = None, description: str = "",
                 gvks: tuple[tuple[str, str, str], ...] = (), properties: dict[str, Any] | None = None,
                 required: tuple[str, ...] = ()) -> None:
        self.kind = kind
        self.name = name
        self.go = go
        self.element = element
        self.description = description
        self.gvks = gvks
        self._properties = properties
        self._required = required
        self._fields: dict[str, Field] | None = None

    @property
    def short(self) -> str:
        """The name without its package: Go's struct name."""
        return self.name.rpartition(".")[2]

    @property
    def fields(self) -> dict[str, Field]:
        """The fields of an object type by name; {} for every other type."""
        if self._fields is None:
            self._fields = {
                name: _field(self.short, name, spec, name in self._required) for name, spec in (self._properties or {}).items()
            }
        return self._fields

    def field(self, name: str) -> Field:
        return self.fields[name]

    def __repr__(self) -> str:
        return f"Type({self.kind}, {self.name or self.go})"


class Field(NamedTuple):
    """A field of an object type, with what patches, apply and explain need to know of it."""

    name: str
    type: Type
    description: str
    required: bool
    enum: tuple[str, ...]
    merge_key: str
    strategies: tuple[str, ...]
    list_type: str
    list_keys: tuple[str, ...]
    map_type: str


@cache
def definitions() -> dict[str, Any]:
    """The definitions as published, by full name. Not to be changed."""
    folder = importlib.resources.files("kubernetes_validate") / "kubernetes-json-schema" / f"{VERSION}-local"
    return json.loads((folder / "_definitions.json").read_bytes())["$defs"]


@cache
def _kinds() -> dict[tuple[str, str, str], str]:
    kinds: dict[tuple[str, str, str], str] = {}
    for name, definition in definitions().items():
        gvks = definition.get("x-kubernetes-group-version-kind", ())
        for gvk in gvks:
            if len(gvks) == 1 or name.startswith("io.k8s.apimachinery"):
                kinds.setdefault((gvk["group"], gvk["version"], gvk["kind"]), name)
    return kinds


@cache
def definition(name: str) -> Type:
    """The type of a definition, by full name; KeyError if there is none."""
    raw = definitions()[name]
    short, package = name.rpartition(".")[2], name.split(".")[-2]
    go = f"{package}.{short}"
    gvks = tuple((g["group"], g["version"], g["kind"]) for g in raw.get("x-kubernetes-group-version-kind", ()))
    description = raw.get("description", "")
    if name in _SPECIAL:
        return Type(_SPECIAL[name], name, go, description=description)
    if "properties" not in raw:
        is_object = "StorageVersionSpec" in name or short in ("CustomResourceSubresourceStatus", "BasicSchedulingPolicy")
        return Type("object" if is_object else "raw", name, go, description=description, properties={})
    return Type("object", name, go, None, description, gvks, raw["properties"], tuple(raw.get("required", ())))


def for_gvk(group: str, version: str, kind: str) -> Type | None:
    """The type of a kind, None if Kubernetes v1.36 has no such kind."""
    name = _kinds().get((group, version, kind))
    return definition(name) if name else None


def for_kind(api_version: str, kind: str) -> Type | None:
    """The same by apiVersion ("v1", "apps/v1")."""
    group, _, version = api_version.rpartition("/")
    return for_gvk(group, version, kind)


def gvks() -> list[tuple[str, str, str]]:
    """Every (group, version, kind) there is, in order."""
    return sorted(_kinds())


def walk(type_: Type, path: tuple[str, ...] | list[str]) -> Field:
    """The field at a path of names; lists and maps are looked through. KeyError names the first step that does not exist."""
    field: Field | None = None
    for step in path:
        type_ = inner(type_)
        if step not in type_.fields:
            raise KeyError(step)
        field = type_.fields[step]
        type_ = field.type
    if field is None:
        raise KeyError("")
    return field


def inner(type_: Type) -> Type:
    """What a list or map is made of, at the bottom."""
    while type_.kind in ("array", "map") and type_.element is not None:
        type_ = type_.element
    return type_


def _field(owner: str, name: str, spec: dict[str, Any], required: bool) -> Field:
    return Field(
        name=name,
        type=_type(spec, owner, name),
        description=spec.get("description", ""),
        required=required,
        enum=enums.values(owner, name),
        merge_key=spec.get("x-kubernetes-patch-merge-key", ""),
        strategies=tuple(s for s in spec.get("x-kubernetes-patch-strategy", "").split(",") if s),
        list_type=spec.get("x-kubernetes-list-type", ""),
        list_keys=tuple(spec.get("x-kubernetes-list-map-keys", ())),
        map_type=spec.get("x-kubernetes-map-type", ""),
    )


def _type(spec: dict[str, Any], owner: str, name: str) -> Type:
    if "$ref" in spec:
        return definition(spec["$ref"].removeprefix(_REF))
    declared = spec.get("type")
    kinds = [declared] if isinstance(declared, str) else [kind for kind in declared or () if kind != "null"]
    kind = kinds[0] if kinds else "raw"
    named = NAMED_TYPES.get((owner, name), "")
    if kind == "array":
        element = _type(spec.get("items", {}), owner, f"{name}[]")
        return Type("array", go=named or f"[]{element.go}", element=element)
    if kind == "object":
        if "additionalProperties" not in spec:
            return Type("raw", go="map[string]interface {}")
        element = _type(spec["additionalProperties"], owner, f"{name}[]")
        return Type("map", go=named or f"map[string]{element.go}", element=element)
    if kind == "string" and spec.get("format") == "byte":
        kind = "bytes"
    if kind == "integer":
        return Type(kind, go=named or spec.get("format", "int64"))
    return Type(kind, go=named or _GO_SCALARS.get(kind, "interface {}"))
