"""kubectl wait: until a condition is met, a JSONPath has a value, an object is there or gone.

In: objects and --for, which may be given several times. Out: "condition met" for each; the time limit is counted on the virtual
clock and holds for the whole command. Changes come by watch.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

from server.cluster.errors import ApiError
from server.cluster.process import Closed, Sleep, Take, TimedOut
from server.kubectl import printers, resources
from server.kubectl.command import ALL, ALL_NAMESPACES, FIELD_SELECTOR, FILENAME, LOCAL, OUTPUT, SELECTOR, Command
from server.kubectl.context import Context
from server.kubectl.errors import CommandError, raise_all
from server.kubectl.flags import Flag, Flags, quoted
from server.kubectl.govalue import sprint
from server.kubectl.jsonpath import JsonPath, JsonPathError, relaxed
from server.kubectl.resources import Found, Info

Object = dict[str, Any]
Check = Callable[[Object], bool]
WEEK, POLL = 168 * 3600.0, 0.5
TIMED_OUT = "timed out waiting for the condition"
FORMAT = "jsonpath wait format must be --for=jsonpath='{.status.readyReplicas}'=3 or --for=jsonpath='{.status.readyReplicas}'"


def wait(ctx: Context, args: list[str], flags: Flags) -> Generator[Any, Any, None]:
    wanted = flags["for"]
    if not wanted:
        raise CommandError("unrecognized condition: []")
    checks = [check_of(each) for each in wanted]
    limit = WEEK if flags.timeout < 0 else flags.timeout
    deadline = ctx.clock.now + limit
    show = printers.for_objects(ctx, flags, "condition met")
    if "create" in wanted:
        yield from _created(ctx, args, flags, deadline)
    found = _find(ctx, args, flags)
    gone = all(each == "delete" for each in wanted)
    errors = [each for each in found.errors if not (gone and isinstance(each, ApiError) and each.reason == "NotFound")]
    raise_all(errors if not found.infos else [])
    if not found.infos and not gone:
        raise CommandError("no matching resources found")
    for info in found:
        for name, check in zip(wanted, checks, strict=True):
            try:
                final = yield from _until(ctx, info, name, check, deadline, limit)
            except CommandError as error:
                errors.append(error)
                break
            show(final, info.resource)
    raise_all(errors)


def _find(ctx: Context, args: list[str], flags: Flags) -> Found:
    return resources.find(ctx, args, filenames=flags.filename, recursive=flags.recursive, selector=flags.selector,
                          field_selector=flags["field-selector"], everything=flags.all, all_namespaces=flags["all-namespaces"],
                          types_alone=False, local=flags.local)


def _created(ctx: Context, args: list[str], flags: Flags, deadline: float) -> Generator[Any, Any, None]:
    """Asks twice a second until everything asked for is there."""
    while True:
        found = _find(ctx, args, flags)
        missing = [each for each in found.errors if isinstance(each, ApiError) and each.reason == "NotFound"]
        raise_all([each for each in found.errors if each not in missing])
        if found.infos and not missing:
            return
        if ctx.clock.now >= deadline:
            raise CommandError(TIMED_OUT)
        yield Sleep(min(POLL, deadline - ctx.clock.now))


def check_of(wanted: str) -> Check | None:
    """What --for asks of an object; None where it is enough that the object is gone, or there."""
    if wanted.lower() in ("delete", "create"):
        return None
    if wanted.startswith("condition="):
        name, equals, value = wanted.removeprefix("condition=").partition("=")
        return _condition(name, value if equals else "true")
    if wanted.startswith("jsonpath="):
        return _json_path(wanted.removeprefix("jsonpath="))
    raise CommandError(f"unrecognized condition: {quoted(wanted)}")


def _condition(name: str, value: str) -> Check:
    def check(obj: Object) -> bool:
        status = obj.get("status") or {}
        for each in status.get("conditions") or ():
            if each["type"].casefold() == name.casefold():
                observed = each.get("observedGeneration", status.get("observedGeneration"))
                generation = obj["metadata"].get("generation")
                if observed is not None and generation is not None and observed < generation:
                    return False
                return each["status"].casefold() == value.casefold()
        return False

    return check


def _json_path(text: str) -> Check:
    parts = split_on_single_equals(text)
    if len(parts) > 2:
        raise CommandError(FORMAT)
    if not parts[0]:
        raise CommandError("jsonpath expression cannot be empty")
    value = parts[1].strip("'\"") if len(parts) == 2 else None
    if value == "":
        raise CommandError("jsonpath wait has to have a value after equal sign, like --for=jsonpath='{.status.readyReplicas}'=3")
    try:
        path = JsonPath(relaxed(parts[0]))
    except JsonPathError as error:
        raise CommandError(str(error)) from None

    def check(obj: Object) -> bool:
        try:
            found = path.results(obj)
        except JsonPathError as error:
            raise CommandError(str(error)) from None
        if not found or not found[0]:
            return False
        if len(found) > 1:
            raise CommandError("given jsonpath expression matches more than one list")
        if len(found[0]) > 1:
            raise CommandError("given jsonpath expression matches more than one value")
        if value is None:
            return True
        if isinstance(found[0][0], dict | list):
            raise CommandError("jsonpath leads to a nested object or list which is not supported")
        return sprint(found[0][0]).strip() == value.strip()

    return check


def split_on_single_equals(text: str) -> list[str]:
    """
    >>> split_on_single_equals("{.a[?(@.b==1)].c}=2")
    ['{.a[?(@.b==1)].c}', '2']
    """
    parts, at = [""], 0
    while at < len(text):
        if text.startswith("==", at):
            parts[-1] += "=="
            at += 2
        elif text[at] == "=":
            parts.append("")
            at += 1
        else:
            parts[-1] += text[at]
            at += 1
    return parts


def _until(ctx: Context, info: Info, wanted: str, check: Check | None, deadline: float, limit: float) -> Generator[Any, Any, Object]:
    """The object as it was when what is wanted of it came true."""
    target = f"{info.resource.plural}/{info.name}"
    if wanted.lower() == "create":
        return info.object
    if not limit:
        return _at_once(ctx, info, check, target)
    if ctx.clock.now >= deadline:
        raise CommandError(f"{TIMED_OUT} on {target}")
    events = ctx.api.watch(info.resource, info.namespace, field_selector=f"metadata.name={info.name}")
    try:
        present = ctx.api.find(info.resource, info.namespace, info.name)
        if check is None and present is None:
            return info.object
        if present is None:
            raise CommandError(f'{info.resource.key} "{info.name}" not found')
        while True:
            event = yield Take(events, max(0.0, deadline - ctx.clock.now))
            if check is None:
                if event.type == "DELETED":
                    return present
            elif event.type in ("ADDED", "MODIFIED") and check(event.object):
                return event.object
    except TimedOut:
        raise CommandError(f"{TIMED_OUT} on {target}") from None
    except Closed:
        raise CommandError(f"watch of {target} was closed") from None
    finally:
        events.close()


def _at_once(ctx: Context, info: Info, check: Check | None, target: str) -> Object:
    """What a time limit of nil means: look once."""
    present = ctx.api.find(info.resource, info.namespace, info.name)
    if check is None:
        if present is None:
            return info.object
    elif present is None:
        return ctx.api.get(info.resource, info.namespace, info.name)
    elif check(present):
        return present
    raise CommandError(f"condition not met for {target}")


COMMANDS = (
    Command("wait", wait, (
        *OUTPUT, *FILENAME, SELECTOR, FIELD_SELECTOR, ALL, ALL_NAMESPACES, LOCAL,
        Flag("for", "", [], "What to wait for: create, delete, condition=NAME[=VALUE], jsonpath='{EXPRESSION}'[=VALUE].", kind="array"),
        Flag("timeout", "", 30.0, "How long to wait; zero looks once, negative waits a week.", kind="duration")),
        "Wait for a specific condition on one or many resources",
        "([-f FILENAME] | resource.group/resource.name | resource.group [(-l label | --all)]) "
        "[--for=create|--for=delete|--for condition=available|--for=jsonpath='{}'[=value]]",
        "Wait until every object meets what --for says.",
        "  # Until a pod is ready\n  kubectl wait --for=condition=Ready pod/web\n\n"
        "  # Until it runs\n  kubectl wait --for=jsonpath='{.status.phase}'=Running pod/web\n\n"
        "  # Until it is gone\n  kubectl wait --for=delete pod/web --timeout=60s", suggest_for=("list", "ps")),
)
