"""What commands that write share: the last-applied annotation, messages that quote a resource, waiting until something is gone.

In: Infos and objects. Out: annotated objects, texts, a program that waits.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from server.cluster.apiserver.resources import Resource
from server.cluster.process import Closed, Take, TimedOut
from server.kubectl.client import compact
from server.kubectl.context import Context
from server.kubectl.errors import CommandError
from server.kubectl.resources import Info

Object = dict[str, Any]
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
A_WEEK = 168 * 3600.0


def last_applied(obj: Object) -> str | None:
    return (obj["metadata"].get("annotations") or {}).get(LAST_APPLIED)


def without_last_applied(obj: Object) -> Object:
    meta = obj["metadata"]
    if LAST_APPLIED not in (meta.get("annotations") or {}):
        return obj
    annotations = {key: value for key, value in meta["annotations"].items() if key != LAST_APPLIED}
    return {**obj, "metadata": {**meta, "annotations": annotations}}


def annotated(obj: Object) -> Object:
    """The object with itself, as it stands without that annotation, in its last-applied annotation."""
    meta = obj.get("metadata") or {}
    annotations = {key: value for key, value in (meta.get("annotations") or {}).items() if key != LAST_APPLIED}
    text = compact({**obj, "metadata": {**meta, "annotations": annotations}}) + "\n"
    return {**obj, "metadata": {**meta, "annotations": {**annotations, LAST_APPLIED: text}}}


def saved(obj: Object, save: bool, typed: bool = False) -> Object:
    """For --save-config; an annotation that is there already is brought up to date in any case. A typed object is written with its
    fields in their order and without empty annotations."""
    if typed:
        if not save:
            return obj
        meta = obj["metadata"]
        text = compact(obj, in_order=True) + "\n"
        return {**obj, "metadata": {**meta, "annotations": {**(meta.get("annotations") or {}), LAST_APPLIED: text}}}
    has = LAST_APPLIED in ((obj.get("metadata") or {}).get("annotations") or {})
    return annotated(obj) if save or has else obj


def described(info: Info) -> str:
    """The resource as kubectl's errors spell it."""
    row = info.resource
    return (
        f'Resource: "{gvr(row)}", GroupVersionKind: "{row.group}/{row.version}, Kind={row.kind}"\n'
        f'Name: "{info.name}", Namespace: "{info.namespace}"'
    )


def gvr(row: Resource) -> str:
    return f"{row.group}/{row.version}, Resource={row.plural}"


def wait_gone(ctx: Context, waits: list[tuple[Info, str]], timeout: float = A_WEEK) -> Generator[Any, Any, None]:
    """Until each object, by uid, is gone; CommandError when the time is up."""
    end = ctx.clock.now + (timeout or A_WEEK)
    for info, uid in waits:
        yield from _gone(ctx, info, uid, end)


def _gone(ctx: Context, info: Info, uid: str, end: float) -> Generator[Any, Any, None]:
    row = info.resource
    revision = str(ctx.api.server.store.revision)
    obj = ctx.api.find(row, info.namespace, info.name)
    if obj is None or (uid and obj["metadata"]["uid"] != uid):
        return
    stream = ctx.api.watch(row, info.namespace, field_selector=f"metadata.name={info.name}", resource_version=revision)
    try:
        while True:
            event = yield Take(stream, timeout=max(0.0, end - ctx.clock.now))
            if event.type == "DELETED" and (not uid or event.object["metadata"]["uid"] == uid):
                return
    except TimedOut:
        raise CommandError(f"timed out waiting for the condition on {row.plural}/{info.name}") from None
    except Closed:
        return
    finally:
        stream.close()
