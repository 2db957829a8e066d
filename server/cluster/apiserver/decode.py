"""Off the wire: a request's body in, an object of the kind that was asked for out, with the warnings strict decoding would give.

Bodies are JSON or YAML. Wrong types are refused in the words of the API server's own decoder; fields that Kubernetes does not have are
dropped and, as ``fieldValidation`` asks, refused (Strict), warned of (Warn) or passed over (Ignore). Size, depth and the expansion of YAML
aliases are bounded before anything is built.
"""

from __future__ import annotations

import json
import re
from typing import Any

from server.cluster import gojson, schema, yamltext
from server.cluster.apiserver.request import STRATEGIC_PATCH
from server.cluster.apiserver.strategic import go_print
from server.cluster.apiserver.typed import Decoder, TypeMismatch
from server.cluster.errors import ApiError, FieldError, bad_request, request_too_large, unsupported_media_type
from server.cluster.gotypes import NAMED_TYPES
from server.cluster.yamltext import load_yaml

__all__ = ["decode", "decode_delete_options", "decode_object", "decode_patched", "load_yaml"]

MAX_BYTES = 3 * 1024 * 1024
JSON, YAML, PROTOBUF = "application/json", "application/yaml", "application/vnd.kubernetes.protobuf"
ACCEPTED = (JSON, YAML, PROTOBUF)
_NO_KIND = ('struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }')
_SCHEME = "pkg/api/legacyscheme/scheme.go:30"

Object = dict[str, Any]


def decode(raw: bytes, content_type: str, kind: str, api_version: str, field_validation: str = "Warn") -> tuple[Object, list[str]]:
    """A body as an object of a kind. ApiError 400 in the server's words, 413 when too large, 415 for an unknown format."""
    if len(raw) > MAX_BYTES:
        raise request_too_large(MAX_BYTES)
    media = content_type.partition(";")[0].strip().lower()
    if media and media not in (JSON, YAML, "text/yaml", "application/x-yaml"):
        raise unsupported_media_type(ACCEPTED)
    text = _text(raw, kind)
    repeated: list[str] = []
    if media in ("", JSON):
        value = _json(text, raw, kind)
    else:
        value, repeated = _yaml(text, raw, kind)
    if not isinstance(value, dict):
        found = {list: "array", str: "string", bool: "bool", type(None): "null"}.get(type(value), "number")
        raise _unrecognized(kind, f"couldn't get version/kind; json parse error: json: cannot unmarshal {found} into Go value of type "
                            f"{_NO_KIND}", raw)
    _check_kind(value, kind, api_version, raw)
    return _decoded(value, kind, api_version, field_validation, repeated)


def decode_object(value: Object, kind: str, api_version: str, field_validation: str = "Warn") -> tuple[Object, list[str]]:
    """The same for what is JSON already: a patched object."""
    return _decoded(value, kind, api_version, field_validation, [])


def decode_patched(content_type: str, value: Object, patch: bytes, kind: str, api_version: str,
                   field_validation: str = "Warn") -> tuple[Object, list[str]]:
    """A patched object, its faults blamed on the patch as the server does: ApiError 422."""
    try:
        decoded, warnings = _decoded(value, kind, api_version, field_validation, [], _repeated(gojson.loads(patch.decode()), ""))
        return _sharing(decoded, value), warnings
    except ApiError as error:
        why = error.message.partition(f" cannot be handled as a {kind}: ")[2]
        if not why:
            raise
        if content_type == STRATEGIC_PATCH:
            shown, why = go_print(gojson.loads(patch.decode())), _CONVERTED.sub(_converted, why)
        else:
            shown = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
        fault = FieldError("Invalid value", "patch", shown, why)
        raise ApiError(422, "Invalid", f' "" is invalid: {fault.message()}', {"causes": [fault.cause()]}) from None


def _repeated(value: Any, path: str) -> list[str]:
    """What a patch says twice."""
    found: list[str] = []
    if isinstance(value, gojson.Repeating):
        names = [name for name, _ in value.pairs]
        found += dict.fromkeys(f'duplicate field "{path}{name}"' for index, name in enumerate(names) if name in names[:index])
    if isinstance(value, dict):
        for name, item in value.items():
            found += _repeated(item, f"{path}{name}.")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            found += _repeated(item, f"{path.removesuffix('.')}[{index}].")
    return found


def _sharing(new: Any, known: Any) -> Any:
    """``new`` with the parts that are as they were taken from ``known``, so that they keep their identity."""
    if new == known:
        return known
    if isinstance(new, dict) and isinstance(known, dict):
        return {key: _sharing(item, known.get(key)) for key, item in new.items()}
    return new


_CONVERTED = re.compile(r"json: cannot unmarshal (\w+).* into Go struct field \S+ of type (\S.*)")
_SOURCES = {"object": "map", "array": "slice", "number": "int64"}
_STRING_TYPES = frozenset(NAMED_TYPES.values()) - {"v1.ResourceList"}


def _converted(found: re.Match[str]) -> str:
    """The complaint of the converter that a strategic merge goes through, in the place of the JSON decoder's."""
    source, type_ = _SOURCES.get(found[1], found[1]), found[2]
    if type_.startswith("[]") and type_ != "[]uint8":
        return f"cannot restore slice from {source}"
    if type_.startswith("map[") or type_ == "v1.ResourceList":
        return f"cannot restore map from {source}"
    if "." in type_ and type_ not in _STRING_TYPES:
        return f"cannot restore struct from: {source}"
    return f"unrecognized type: {'string' if type_ in _STRING_TYPES else type_}"


def decode_delete_options(raw: bytes) -> Object:
    """The body of a delete, JSON or YAML; {} when there is none."""
    if not raw.strip():
        return {}
    media = JSON if raw.lstrip()[:1] in (b"{", b"[") else YAML
    value, _ = decode(raw, media, "DeleteOptions", "v1", "Ignore")
    return value


def _text(raw: bytes, kind: str) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        raise _unrecognized(kind, "couldn't get version/kind; json parse error: invalid UTF-8", raw) from None


def _json(text: str, raw: bytes, kind: str) -> Any:
    try:
        return gojson.loads(text)
    except gojson.JsonError as error:
        raise _unrecognized(kind, f"couldn't get version/kind; json parse error: {error}", raw) from None


def _yaml(text: str, raw: bytes, kind: str) -> tuple[Any, list[str]]:
    try:
        value, repeated = yamltext.load_document(text)
    except yamltext.YamlError as error:
        problem = error.message.removeprefix("error converting YAML to JSON: ")
        raise _unrecognized(kind, f"couldn't get version/kind; json parse error: {problem}", raw) from None
    return _sorted(value), [f'line {found.line}: key "{found.key}" already set in map' for found in repeated]


def _sorted(value: Any) -> Any:
    """Keys in order, as they come out of the server's YAML to JSON conversion; it decides which fault is the first."""
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(item) for item in value] if isinstance(value, list) else value


def _check_kind(value: Object, kind: str, api_version: str, raw: bytes) -> None:
    said_kind, said_version = value.get("kind") or kind, value.get("apiVersion") or api_version
    for name, said in (("apiVersion", said_version), ("kind", said_kind)):
        if not isinstance(said, str):
            found = {list: "array", dict: "object", bool: "bool"}.get(type(said), "number")
            raise _unrecognized(kind, f"couldn't get version/kind; json parse error: json: cannot unmarshal {found} into Go struct field "
                                f".{name} of type string", raw)
    if said_version.count("/") > 1:
        raise _unrecognized(kind, f"couldn't get version/kind; json parse error: unexpected GroupVersion string: {said_version}", raw)
    if (said_kind, said_version) == (kind, api_version) or (said_kind == kind and _is_options(kind)):
        return
    group, _, version = said_version.rpartition("/")
    if schema.for_gvk(group, version, said_kind) is None and not _is_options(said_kind):
        raise _cannot(said_kind, version, kind, f'no kind "{said_kind}" is registered for version "{said_version}" in scheme "{_SCHEME}"')
    if said_kind != kind:
        internal = _internal_package(api_version)
        raise _cannot(said_kind, version, kind, f"converting ({version}.{said_kind}) to ({internal}.{kind}): unknown conversion")
    raise bad_request(f"the API version in the data ({said_version}) does not match the expected API version ({api_version})")


def _is_options(kind: str) -> bool:
    return kind in ("DeleteOptions", "CreateOptions", "UpdateOptions", "PatchOptions")


def _internal_package(api_version: str) -> str:
    group = api_version.rpartition("/")[0]
    return group.partition(".")[0] or "core"


def _decoded(value: Object, kind: str, api_version: str, field_validation: str, repeated: list[str],
             noted: list[str] | None = None) -> tuple[Object, list[str]]:
    group, _, version = api_version.rpartition("/")
    type_ = schema.for_gvk(group, version, kind) or (schema.for_gvk("", "v1", kind) if _is_options(kind) else None)
    if type_ is None:
        raise bad_request(f'no kind "{kind}" is registered for version "{api_version}" in scheme "{_SCHEME}"')
    decoder = Decoder()
    try:
        decoded = decoder.decode(value, type_)
    except TypeMismatch as error:
        raise _cannot(kind, version, kind, str(error)) from None
    decoded = {"kind": kind, "apiVersion": api_version, **{key: item for key, item in decoded.items() if key not in ("kind", "apiVersion")}}
    if field_validation == "Ignore":
        return decoded, []
    strict = [f"yaml: unmarshal errors:\n  {fault}" for fault in repeated[:1]] + (noted or []) + decoder.strict
    if len(repeated) > 1:
        strict[0] = "yaml: unmarshal errors:\n" + "\n".join(f"  {fault}" for fault in repeated)
    if strict and field_validation == "Strict":
        raise _cannot(kind, version, kind, f"strict decoding error: {', '.join(strict)}")
    return decoded, strict


def _cannot(said_kind: str, version: str, kind: str, why: str) -> ApiError:
    return bad_request(f'{said_kind} in version "{version}" cannot be handled as a {kind}: {why}')


def _unrecognized(kind: str, why: str, raw: bytes) -> ApiError:
    return bad_request(f"the object provided is unrecognized (must be of type {kind}): {why} ({_summary(raw)})")


def _summary(raw: bytes, longest: int = 30) -> str:
    if not raw:
        return "<empty>"
    shown = raw[:longest].decode("utf-8", "replace") if raw[:1] == b"{" else raw[:longest].hex()
    return f"{shown} ..." if len(raw) > longest else shown
