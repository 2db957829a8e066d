"""The Events part of a description: the events about one object, oldest first, as a table.

In: an object or a reference to one; out: lines on the page. How often and how long ago is told as "6s (x2 over 22s)", and an event
about one container names it before the message.
"""

from __future__ import annotations

from typing import Any

from server.cluster.errors import ApiError
from server.kubectl.describe.layout import NONE, Page
from server.kubectl.describe.scope import Object, Scope
from server.kubectl.describe.values import since
from server.kubectl.gosort import gosort

MIRROR = "kubernetes.io/config.mirror"
COLUMNS = ("Type", "Reason", "Age", "From", "Message")
RULES = ("----", "------", "----", "----", "-------")


def events_about(scope: Scope, namespace: str, involved: dict[str, str]) -> list[Object]:
    """The events whose involvedObject has these fields; none when they cannot be listed."""
    selector = ",".join(f"involvedObject.{field}={value}" for field, value in sorted(involved.items()))
    try:
        return scope.api.items("events", namespace, field_selector=selector)
    except ApiError:
        return []


def describe_events_of(obj: Object, scope: Scope, page: Page, *, any_kind: bool = False) -> None:
    """Those of a mirror pod bear the uid of the static pod it stands for."""
    if not scope.show_events:
        return
    meta = obj["metadata"]
    namespace = meta.get("namespace", "")
    involved = {"name": meta["name"], "namespace": namespace}
    uid = (meta.get("annotations") or {}).get(MIRROR) or meta.get("uid")
    if uid:
        involved["uid"] = uid
    if not any_kind:
        involved["kind"] = obj["kind"]
    write_events(events_about(scope, namespace, involved), scope, page)


def write_events(events: list[Object], scope: Scope, page: Page) -> None:
    if not events:
        page.field("Events", NONE)
        return
    page.flush()
    page.row(0, "Events:")
    page.table(COLUMNS, RULES, (_row(event, scope) for event in gosort(events, key=last_seen)))


def last_seen(event: Object) -> str:
    """The time events are sorted by. One that has only an eventTime, as the scheduler's, comes first."""
    return event.get("lastTimestamp") or ""


def _row(event: Object, scope: Scope) -> tuple[Any, ...]:
    first = since(scope.now, event.get("eventTime") or event.get("firstTimestamp"))
    series, count = event.get("series"), event.get("count") or 0
    if series:
        age = f"{since(scope.now, series.get('lastObservedTime'))} (x{series.get('count', 0)} over {first})"
    elif count > 1:
        age = f"{since(scope.now, event.get('lastTimestamp'))} (x{count} over {first})"
    else:
        age = first
    source = (event.get("source") or {}).get("component") or event.get("reportingComponent") or ""
    message = (event.get("message") or "").strip()
    part = (event.get("involvedObject") or {}).get("fieldPath")
    return event.get("type", ""), event.get("reason", ""), age, source, f"{part}: {message}" if part else message
