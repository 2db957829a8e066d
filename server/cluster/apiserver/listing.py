"""Lists and watches: selectors, pages, tables, and the order in which a watcher hears of what.

A list is answered from the watch cache and a page that continues one from history, so that all pages show the same revision. A
watch starts from a revision (410 if that is compacted), or with what exists; an object that comes to match or stops matching its
selectors is told as added or deleted.

Source: https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable
from typing import TYPE_CHECKING

from server.cluster import field_selectors, selectors
from server.cluster.apiserver import tables
from server.cluster.apiserver.request import Options, Request, Response
from server.cluster.apiserver.resources import Resource
from server.cluster.errors import ApiError, bad_request, expired_continue, not_found, too_large_resource_version
from server.cluster.field_selectors import FieldSelector
from server.cluster.objects import Key, Object, key
from server.cluster.process import Channel
from server.cluster.store import ADDED, BOOKMARK, DELETED, Cause, Event, Record, Store

if TYPE_CHECKING:
    from server.cluster.apiserver.server import ApiServer

WATCH_QUEUE = 50_000
INITIAL_END = {"k8s.io/initial-events-end": "true"}
Match = Callable[[Object], bool]


def table(api: ApiServer, resource: Resource, objects: list[Object], include: str, later: bool = False) -> Object:
    """The server-printed table of some objects; its rows may be made ``later``."""
    return tables.render(resource.key, objects, now=api.clock.now, clock=api.clock, include_object=include, breathe=api.breathe, later=later)


def check_resource_version(store: Store, options: Options) -> int | None:
    """The revision a read asks for; ApiError for one that is not a number or not there yet."""
    asked = options.resource_version
    if asked in ("", "0"):
        return None
    if not asked.isdecimal():
        raise bad_request(f'resourceVersion: Invalid value: "{asked}": strconv.ParseUint: parsing "{asked}": invalid syntax')
    revision = int(asked)
    if revision > store.revision:
        raise too_large_resource_version(revision, store.revision)
    return revision


def list_objects(api: ApiServer, resource: Resource, request: Request) -> Response:
    """One page or all of a list, as objects or as a table."""
    options = request.options
    namespace = request.namespace or None
    selector, fields = _selectors(resource, options)
    revision = api.store.revision
    asked = None if options.continue_ else check_resource_version(api.store, options)
    if options.continue_:
        revision, after = _read_continue(options.continue_)
        records = _records_at(api, resource, namespace, selector, revision, after)
    elif options.resource_version_match == "Exact" and asked is not None:
        revision = asked
        records = _records_at(api, resource, namespace, selector, revision, None)
    elif resource.key in api.virtual:
        records = [Record(obj, revision) for obj in api.virtual[resource.key]()
                   if selector is None or selector.matches(obj["metadata"].get("labels") or {})]
    elif resource.key == "events" and fields is not None and selector is None and (uid := fields.exact("involvedObject.uid")):
        records = api.lister(resource.key).records_about(uid, namespace)
    else:
        records = api.lister(resource.key).records(namespace, selector)
    if fields is not None:
        records = [record for record in records if fields.matches(record.object)]
    meta: Object = {"resourceVersion": str(revision)}
    if 0 < options.limit < len(records):
        last = records[options.limit - 1].object["metadata"]
        if not (selector or fields):
            meta["remainingItemCount"] = len(records) - options.limit
        records = records[: options.limit]
        meta["continue"] = _continue(revision, (last.get("namespace", ""), last["name"]))
    if api.present is not None and resource.key in PRESENTED:
        records = [_presented(api, resource, record) for record in records]
    if request.table is not None:
        answer = table(api, resource, [record.object for record in records], request.table,
                       request.in_parts is not None and len(records) > request.in_parts)
        return Response(200, {**answer, "metadata": meta}, [], None)
    body = {"kind": f"{resource.kind}List", "apiVersion": resource.api_version, "metadata": meta, "items": [r.object for r in records]}
    return Response(200, body, [], None, records=records)


def virtual_record(api: ApiServer, resource: Resource, name: str) -> Record:
    """One object that is made when somebody looks. ApiError 404 if there is none of that name."""
    for obj in api.virtual[resource.key]():
        if obj["metadata"]["name"] == name:
            return Record(obj, api.store.revision)
    raise not_found(resource.key, name)


def _selectors(resource: Resource, options: Options) -> tuple[selectors.Selector | None, FieldSelector | None]:
    try:
        return (selectors.parse(options.label_selector) if options.label_selector else None,
                field_selectors.parse(options.field_selector, resource.key) if options.field_selector else None)
    except selectors.SelectorError as error:
        raise bad_request(str(error)) from None


PRESENTED = ("nodes", "leases.coordination.k8s.io")


def _presented(api: ApiServer, resource: Resource, record: Record) -> Record:
    shown = api.present(resource.key, record.object)
    return record if shown is record.object else Record(shown, record.revision)


def _records_at(api: ApiServer, resource: Resource, namespace: str | None, selector: selectors.Selector | None, revision: int,
                after: Key | None) -> list[Record]:
    try:
        then = api.store.table_at(resource.key, revision)
    except ApiError:
        raise expired_continue() from None
    return [
        record for key, record in sorted(then.items())
        if (namespace is None or key[0] == namespace) and (after is None or key > after)
        and (selector is None or selector.matches(record.object["metadata"].get("labels") or {}))
    ]


def _continue(revision: int, last: Key) -> str:
    token = {"v": "meta.k8s.io/v1", "rv": revision, "start": f"{last[0]}/{last[1]}\x00"}
    return base64.urlsafe_b64encode(json.dumps(token, separators=(",", ":")).encode()).decode().rstrip("=")


def _read_continue(token: str) -> tuple[int, Key]:
    try:
        data = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        namespace, _, name = data["start"].rstrip("\x00").rpartition("/")
        return int(data["rv"]), (namespace, name)
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error):
        raise bad_request("continue key is not valid: unable to decode the continue token") from None


def watch_objects(api: ApiServer, resource: Resource, request: Request) -> Response:
    """A channel of events for this client; it is closed when the reader is too slow, and stops costing when it is closed."""
    options = request.options
    matches = _matcher(resource, request)
    channel = Channel(WATCH_QUEUE)
    streaming_list = options.send_initial_events is True
    if streaming_list and options.resource_version_match != "NotOlderThan":
        raise bad_request("ListOptions.meta.k8s.io \"\" is invalid: resourceVersionMatch: Forbidden: sendInitialEvents requires "
                          "setting resourceVersionMatch to NotOlderThan")
    revision = check_resource_version(api.store, options)
    if streaming_list or (revision is None and options.send_initial_events is None):
        for record in api.lister(resource.key).records(request.namespace or None):
            if matches(record.object):
                channel.put(Event(ADDED, resource.key, key(record.object), record, None, Cause()))
        if streaming_list:
            channel.put(bookmark(resource, api.store.revision, INITIAL_END))
    elif revision is not None:
        for event in api.store.since(revision, resource.key):
            if (seen := _seen(event, matches)) is not None:
                channel.put(seen)

    def on_event(event: Event) -> None:
        if (seen := _seen(event, matches)) is not None:
            channel.put(seen)

    watch = api.store.watch(resource.key, on_event)
    channel.on_close = watch.stop
    return Response(200, {}, [], None, stream=api.streaming(channel))


def bookmark(resource: Resource, revision: int, annotations: dict[str, str] | None = None) -> Event:
    """Tells a watcher how far it is."""
    meta: Object = {"resourceVersion": str(revision)}
    if annotations:
        meta["annotations"] = annotations
    obj = {"kind": resource.kind, "apiVersion": resource.api_version, "metadata": meta}
    return Event(BOOKMARK, resource.key, ("", ""), Record(obj, revision), None, Cause())


def _matcher(resource: Resource, request: Request) -> Match:
    selector, fields = _selectors(resource, request.options)
    namespace, name = request.namespace, request.name

    def matches(obj: Object) -> bool:
        meta = obj["metadata"]
        return (
            (not namespace or meta.get("namespace") == namespace)
            and (not name or meta["name"] == name)
            and (selector is None or selector.matches(meta.get("labels") or {}))
            and (fields is None or fields.matches(obj))
        )

    return matches


def _seen(event: Event, matches: Match) -> Event | None:
    """The event as one watcher sees it."""
    if event.type == ADDED:
        return event if matches(event.object) else None
    before = event.previous is not None and matches(event.previous)
    if event.type == DELETED:
        return event if before else None
    now = matches(event.object)
    if now:
        return event if before else event.as_type(ADDED)
    if before:
        meta = {**event.previous["metadata"], "resourceVersion": str(event.revision)}
        return event.as_type(DELETED, {**event.previous, "metadata": meta})
    return None

