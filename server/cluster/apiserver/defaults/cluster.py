"""Defaults of the remaining core kinds: Namespace, Node, Secret, Event."""

from __future__ import annotations

import base64
from typing import Any

from server.cluster.apiserver.defaults.filling import filled, with_field

Object = dict[str, Any]

NAME_LABEL = "kubernetes.io/metadata.name"
_EVENT = {"reportingComponent": "", "reportingInstance": "", "source": {}, "eventTime": None, "firstTimestamp": None, "lastTimestamp": None}


def namespace(obj: Object) -> Object:
    meta = obj.get("metadata") or {}
    labels = meta.get("labels") or {}
    if meta.get("name") and labels.get(NAME_LABEL) != meta["name"]:
        obj = {**obj, "metadata": {**meta, "labels": {**labels, NAME_LABEL: meta["name"]}}}
    return filled(obj, {"spec": {}})


def node(obj: Object) -> Object:
    obj = filled(obj, {"spec": {}, "status": {}})
    return with_field(obj, "status", _node_status)


def _node_status(status: Object) -> Object:
    return filled(status, {"allocatable": status["capacity"]}) if status.get("capacity") else status


def secret(obj: Object) -> Object:
    """``stringData`` is written only: it ends in ``data``."""
    text = obj.get("stringData")
    if text is not None:
        encoded = {key: base64.b64encode(value.encode("utf-8", "surrogatepass")).decode() for key, value in text.items()}
        data = {**(obj.get("data") or {}), **encoded}
        obj = {field: value for field, value in obj.items() if field != "stringData"}
        if data:
            obj["data"] = data
    return filled(obj, {"type": "Opaque"})


def event(obj: Object) -> Object:
    return filled(obj, _EVENT)
