"""What label and annotate share: which objects, setting and removing keys of one map in the metadata, and saying so.

In: a command's flags and the keys to set and remove. Out: a merge patch for each object through the API, or the map listed, or, with
--dry-run=client or --local, the object as it would be. The two differ in words, told by ``Words``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from server.cluster.errors import ApiError
from server.cluster.objects import replaced
from server.kubectl import printers, resources
from server.kubectl.command import ALL, ALL_NAMESPACES, DRY_RUN, FIELD_SELECTOR, FILENAME, LOCAL, OUTPUT, OVERWRITE, SELECTOR, field_manager
from server.kubectl.context import Context
from server.kubectl.dryrun import strategy
from server.kubectl.errors import CommandError, raise_all
from server.kubectl.flags import Flag, Flags
from server.kubectl.resources import Info

Object = dict[str, Any]


class Words(NamedTuple):
    """``field`` is the metadata's map; ``check`` raises when a key must not be overwritten; ``missing`` is said of a key that is not
    there to remove; ``done`` names what has happened, given the object before and after and what was asked."""

    noun: str
    field: str
    file: str
    check: Callable[[dict[str, str], dict[str, str]], None]
    missing: str
    done: Callable[[Object, Object, dict[str, str], list[str]], str]


def flags_of(manager: str) -> tuple[Flag, ...]:
    return (*OUTPUT, *FILENAME, SELECTOR, FIELD_SELECTOR, ALL, ALL_NAMESPACES, LOCAL, OVERWRITE, DRY_RUN, field_manager(manager),
            Flag("list", "", False, "Show what the object has."),
            Flag("resource-version", "", "", "Change the object only if this is its resource version."))


def require(flags: Flags, targets: list[str], changes: bool, words: Words) -> None:
    """The rules of what may be combined."""
    files = bool(flags.filename or flags.kustomize)
    if flags.list and flags.output:
        raise CommandError("--list and --output may not be specified together")
    if flags.all and (flags.selector or flags["field-selector"]):
        other = "selector" if flags.selector else "field-selector"
        raise CommandError(f"cannot set --all and --{other} at the same time")
    if flags.local:
        if strategy(flags) == "server":
            raise CommandError("cannot specify --local and --dry-run=server - did you mean --dry-run=client?")
        example = f"-f {words.file}.yaml or --filename={words.file}.json"
        if targets:
            raise CommandError(f"can only use local files by {example} when --local=true is set")
        if not files:
            raise CommandError(f"one or more files must be specified as {example}")
    elif not targets and not files:
        raise CommandError("one or more resources must be specified as <resource> <name> or <resource>/<name>")
    if not changes and not flags.list:
        raise CommandError(f"at least one {words.noun} update is required")


def change(ctx: Context, flags: Flags, targets: list[str], values: dict[str, str], removed: list[str], words: Words) -> None:
    require(flags, targets, bool(values or removed), words)
    found = resources.find(
        ctx, targets, filenames=flags.filename, recursive=flags.recursive, kustomize=flags.kustomize, selector=flags.selector,
        field_selector=flags["field-selector"], everything=flags.all, all_namespaces=flags["all-namespaces"], types_alone=False,
        local=flags.local,
    )
    if flags["resource-version"] and not found.single:
        raise CommandError("--resource-version may only be used with a single resource")
    errors = list(found.errors)
    for info in found:
        try:
            _change(ctx, flags, info, values, removed, words, found.single)
        except (ApiError, CommandError) as error:
            errors.append(error)
    raise_all(errors)


def _change(ctx: Context, flags: Flags, info: Info, values: dict[str, str], removed: list[str], words: Words, single: bool) -> None:
    before = info.object
    present = dict(before["metadata"].get(words.field) or {})
    real = not (flags.local or flags.list or strategy(flags) == "client")
    if real and words.missing:
        for key in removed:
            if key not in present:
                ctx.out(words.missing.format(key))
    if not flags.overwrite:
        words.check(present, values)
    wanted = {key: value for key, value in (present | values).items() if key not in removed}
    after = replaced(before, {("metadata", words.field): wanted})
    told = words.done(before, after, values, removed)
    if real and after != before:
        patch: Object = {**values, **{key: None for key in removed if key in present}}
        meta: Object = {words.field: patch} if patch else {}
        if flags["resource-version"]:
            meta["resourceVersion"] = flags["resource-version"]
        after = ctx.api.patch(info.resource, info.namespace, info.name, {"metadata": meta} if meta else {}, "merge",
                              dry_run=strategy(flags) == "server", field_manager=flags["field-manager"])
    if flags.list:
        _list(ctx, info, after["metadata"].get(words.field) or {}, words, single)
    else:
        printers.for_objects(ctx, flags, told)(after, info.resource)


def _list(ctx: Context, info: Info, values: dict[str, str], words: Words, single: bool) -> None:
    indent = "" if single else " "
    if not single:
        ctx.out(f"Listing {words.field} for {info.resource.kind}.{info.resource.group}/{info.name}:")
    for key in sorted(values):
        ctx.out(f"{indent}{key}={values[key]}")
