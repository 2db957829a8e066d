"""--overrides of `kubectl run` and `kubectl expose`: JSON laid over the generated object.

In: the object, the override's text and type. Out: the merged object. A strategic merge is left to Podium's API server code.
"""

from __future__ import annotations

import json
from typing import Any

from server.cluster.apiserver import patch
from server.cluster.apiserver.request import JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH
from server.cluster.errors import ApiError
from server.kubectl.errors import CommandError

Object = dict[str, Any]
_TYPES = {"json": JSON_PATCH, "merge": MERGE_PATCH, "strategic": STRATEGIC_PATCH}


def apply_overrides(obj: Object, text: str, type_: str) -> Object:
    if not text:
        return obj
    if type_ not in _TYPES:
        raise CommandError(f"invalid override type: {type_}")
    try:
        value = json.loads(text)
    except ValueError:
        raise CommandError("Invalid JSON Patch") from None
    if type_ != "json" and not isinstance(value, dict):
        raise CommandError("Invalid JSON Patch")
    try:
        return patch.apply(_TYPES[type_], obj, text.encode(), obj["apiVersion"], obj["kind"])
    except ApiError as error:
        raise CommandError(error.message) from None
