"""kubectl events: events in order of time, of one object if wanted, and new ones as they come with --watch."""

from __future__ import annotations

from collections.abc import Generator
from datetime import datetime, timedelta
from typing import Any

from server.cluster.process import Closed, Take
from server.kubectl import printers, resources
from server.kubectl.command import ALL_NAMESPACES, CHUNK_SIZE, OUTPUT, Command
from server.kubectl.context import Context
from server.kubectl.describe.values import since
from server.kubectl.errors import CommandError, PlainError
from server.kubectl.flags import Flag, Flags
from server.kubectl.gosort import gosort
from server.kubectl.tabwriter import Tabs

Object = dict[str, Any]
HEADER = ("LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE")


def events(ctx: Context, args: list[str], flags: Flags) -> Generator[Any, Any, None]:
    for wanted in flags.types:
        if wanted.lower() not in ("normal", "warning"):
            raise CommandError("valid --types are Normal or Warning")
    selector = _about(ctx, flags["for"]) if flags["for"] else ""
    namespace = "" if flags["all-namespaces"] else ctx.namespace
    if flags.watch:
        yield from _watch(ctx, flags, namespace, selector)
        return
    found = [each for each in ctx.api.items("events", namespace, field_selector=selector) if _wanted(flags, each)]
    if not found:
        ctx.err("No events found." if flags["all-namespaces"] else f"No events found in {ctx.namespace} namespace.")
        return
    found = gosort(found, key=seen)
    if flags.output == "name":
        return
    if flags.output:
        listed = {"apiVersion": "v1", "items": [_typed(each) for each in found], "kind": "EventList", "metadata": {}}
        printers.for_objects(ctx, flags, "events")(listed, ctx.api.resources["events"])
        return
    tabs = Tabs()
    if not flags["no-headers"]:
        _header(tabs, flags)
    for each in found:
        tabs.row(*_row(ctx, flags, each))
    ctx.stdout.write(tabs.render())


def _about(ctx: Context, target: str) -> str:
    parts = target.split("/")
    if len(parts) > 2:
        raise CommandError("arguments in resource/name form may not have more than one slash")
    if len(parts) < 2:
        raise CommandError("--for must be in resource/name form")
    row = resources.try_lookup(ctx, parts[0])
    if row is None:
        raise PlainError(f'the server doesn\'t have a resource type "{parts[0]}"')
    return f"involvedObject.apiVersion={row.api_version},involvedObject.kind={row.kind},involvedObject.name={parts[1]}"


def _wanted(flags: Flags, event: Object) -> bool:
    return not flags.types or (event.get("type") or "").lower() in [wanted.lower() for wanted in flags.types]


def seen(event: Object) -> datetime:
    """When an event was last seen."""
    stamp = (event.get("series") or {}).get("lastObservedTime") or event.get("lastTimestamp") or event.get("eventTime")
    return datetime.fromisoformat(stamp) if stamp else datetime.fromisoformat("0001-01-01T00:00:00Z")


def _typed(event: Object) -> Object:
    return {"apiVersion": "v1", "kind": "Event", **event}


def _header(tabs: Tabs, flags: Flags) -> None:
    tabs.row(*(("NAMESPACE",) if flags["all-namespaces"] else ()), *HEADER)


def _row(ctx: Context, flags: Flags, event: Object) -> tuple[str, ...]:
    now = ctx.clock.epoch + timedelta(seconds=ctx.clock.now)
    series, count = event.get("series"), event.get("count") or 0
    first = event.get("eventTime") or event.get("firstTimestamp")
    if series:
        age = f"{since(now, series.get('lastObservedTime'))} (x{series.get('count', 0)} over {since(now, first)})"
    elif count > 1:
        age = f"{since(now, event.get('lastTimestamp'))} (x{count} over {since(now, first)})"
    else:
        age = since(now, first)
    involved = event.get("involvedObject") or {}
    about = f"{involved.get('kind', '')}/{involved.get('name', '')}"
    told = (age, event.get("type", ""), event.get("reason", ""), about, (event.get("message") or "").strip())
    return (event["metadata"].get("namespace", ""), *told) if flags["all-namespaces"] else told


def _watch(ctx: Context, flags: Flags, namespace: str, selector: str) -> Generator[Any, Any, None]:
    """Every event as it comes, with those that are there first; rows stay under the header of the first."""
    channel = ctx.api.watch("events", namespace, field_selector=selector)
    tabs, headed = Tabs(remember=True), flags["no-headers"]
    show = printers.for_objects(ctx, flags, "events") if flags.output else None
    try:
        while True:
            event = yield Take(channel)
            if event.type not in ("ADDED", "MODIFIED") or not _wanted(flags, event.object):
                continue
            if show is not None:
                show(_typed(event.object), ctx.api.resources["events"])
                continue
            if not headed:
                _header(tabs, flags)
                headed = True
            tabs.row(*_row(ctx, flags, event.object))
            ctx.stdout.write(tabs.render())
    except Closed:
        return
    finally:
        channel.close()


COMMANDS = (
    Command("events", events, (
        *OUTPUT, ALL_NAMESPACES, CHUNK_SIZE,
        Flag("watch", "w", False, "After listing, wait for more events."),
        Flag("for", "", "", "Only events about this object, as TYPE/NAME."),
        Flag("types", "", [], "Only events of these types: Normal, Warning."),
        Flag("no-headers", "", False, "Leave the header out.")),
        "List events", "[--for TYPE/NAME] [--watch] [--types=Normal,Warning]",
        "List events in the order in which they were last seen.",
        "  # Events of the namespace\n  kubectl events\n\n  # Of one pod, and those to come\n  kubectl events --for pod/web --watch",
        complete="none"),
)
