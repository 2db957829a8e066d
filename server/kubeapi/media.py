"""Media types: what the client accepts, and answers put into that form.

In: the Accept header and API objects. Out: bytes as JSON or YAML, of the object itself or of what the client
wants to see of it (a Table, or only its metadata). Protobuf is refused, as Kubernetes refuses what it cannot do; clients that
prefer it name JSON as their second choice.

Source: https://kubernetes.io/docs/reference/using-api/api-concepts/#alternate-representations-of-resources
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

import orjson
import yaml

from server.cluster.errors import ApiError
from server.cluster.objects import Object

JSON, YAML = "application/json", "application/yaml"
ANSWERS = (JSON, YAML)
PIECE = 200  # objects of a list that are written at a time
SHAPES = ("Table", "PartialObjectMetadata", "PartialObjectMetadataList")


class Media(NamedTuple):
    """The form of an answer. ``shape`` is "" for the object itself, else one of ``SHAPES``; ``version`` is that of the shape."""

    type: str
    shape: str = ""
    version: str = "v1"


@lru_cache(maxsize=512)
def accepted(accept: str) -> Media:
    """The first form in an Accept header that can be had. ApiError 406 if there is none."""
    for clause in accept.split(",") if accept else (JSON,):
        type_, *parameters = (part.strip() for part in clause.split(";"))
        wanted = dict(parameter.split("=", 1) for parameter in parameters if "=" in parameter)
        if type_ in ("*/*", "application/*", JSON):
            form = JSON
        elif type_ == YAML:
            form = YAML
        else:
            continue
        shape = wanted.get("as", "")
        if not shape:
            return Media(form)
        if shape in SHAPES and wanted.get("g") == "meta.k8s.io" and wanted.get("v") in ("v1", "v1beta1"):
            return Media(form, shape, wanted["v"])
    raise not_acceptable(ANSWERS)


def not_acceptable(types: tuple[str, ...]) -> ApiError:
    return ApiError(406, "NotAcceptable", f"only the following media types are accepted: {', '.join(types)}")


def metadata_only(obj: Object, version: str = "v1") -> Object:
    """A PartialObjectMetadata, or the list of them for a list."""
    api_version = f"meta.k8s.io/{version}"
    if isinstance(obj.get("items"), list):
        items = [metadata_only(item, version) for item in obj["items"]]
        return {"kind": "PartialObjectMetadataList", "apiVersion": api_version, "metadata": obj["metadata"], "items": items}
    return {"kind": "PartialObjectMetadata", "apiVersion": api_version, "metadata": obj["metadata"]}


def shaped(obj: Object, media: Media) -> Object:
    """The object as the client wants to see it; a Status is always itself, and a Table has been made by the API server."""
    if obj.get("kind") == "Status":
        return obj
    if media.shape == "Table":
        return obj if media.version == "v1" else {**obj, "apiVersion": f"meta.k8s.io/{media.version}"}
    return metadata_only(obj, media.version) if media.shape else obj


def encoded(obj: Object, media: Media, indent: bool = False) -> bytes:
    if media.type == YAML:
        return yaml.dump(obj, Dumper=_Dumper, sort_keys=True, allow_unicode=True, default_flow_style=False, width=1 << 20).encode()
    if indent:
        return orjson.dumps(obj, option=orjson.OPT_INDENT_2)
    return orjson.dumps(obj, option=orjson.OPT_APPEND_NEWLINE)


def pieces(obj: Object, media: Media, indent: bool = False) -> Iterator[bytes]:
    """``encoded`` of a list or a table, a part at a time: others may have their turn in between."""
    name = "rows" if media.shape == "Table" else "items"
    found = obj.get(name)
    if not isinstance(found, Sequence) or not found:
        yield encoded(obj, media, indent)
    elif media.type == YAML:
        yield from _yaml_pieces(obj, name, found)
    elif indent:
        yield from _indented_pieces(obj, name, found)
    else:
        head = orjson.dumps({**{key: value for key, value in obj.items() if key != name}, name: []})
        yield head[:-2]
        for start in range(0, len(found), PIECE):
            yield (b"," if start else b"") + orjson.dumps(found[start:start + PIECE])[1:-1]
        yield head[-2:] + b"\n"


def _indented_pieces(obj: Object, name: str, found: Sequence[Object]) -> Iterator[bytes]:
    """An item is as far from the margin in a list of its own, in an object of its own, as in the whole."""
    head = encoded({**{key: value for key, value in obj.items() if key != name}, name: []}, Media(JSON), True)
    yield head[:head.rindex(b"]")] + b"\n"
    before, after = encoded({name: [0]}, Media(JSON), True).split(b"    0")
    for start in range(0, len(found), PIECE):
        whole = encoded({name: found[start:start + PIECE]}, Media(JSON), True)
        yield (b",\n" if start else b"") + whole[len(before):-len(after)]
    yield after


def _yaml_pieces(obj: Object, name: str, found: Sequence[Object]) -> Iterator[bytes]:
    """Keys are in order, and a list's items stand as far left as its key: what one is does not depend on what is around it."""
    for before in (True, False):
        if rest := {key: value for key, value in obj.items() if key != name and (key < name) == before}:
            yield encoded(rest, Media(YAML))
        if before:
            yield name.encode() + b":\n"
            for item in found:
                yield encoded([item], Media(YAML))


def pretty(body: bytes) -> bytes:
    """JSON for human eyes."""
    return orjson.dumps(orjson.loads(body), option=orjson.OPT_INDENT_2)


class _Dumper(yaml.CSafeDumper):
    """Objects share parts; YAML for Kubernetes has no anchors."""

    def ignore_aliases(self, data: object) -> bool:
        return True
