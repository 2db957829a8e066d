"""kubectl taint: adds, changes and removes taints of nodes.

In: KEY=VALUE:EFFECT, KEY:EFFECT or, to remove, KEY- and KEY:EFFECT-. Out: the node's new list of taints through the API.
"""

from __future__ import annotations

from typing import Any

from server.cluster import names
from server.cluster.errors import ApiError
from server.cluster.objects import replaced
from server.kubectl import printers, resources
from server.kubectl.command import ALL, DRY_RUN, OUTPUT, OVERWRITE, SELECTOR, VALIDATE, Command, field_manager
from server.kubectl.context import Context
from server.kubectl.describe.node import taint_text
from server.kubectl.dryrun import strategy
from server.kubectl.errors import CommandError, UsageError, raise_all
from server.kubectl.flags import Flags, quoted
from server.kubectl.resources import Info

Taint = dict[str, Any]
EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")


def taint(ctx: Context, args: list[str], flags: Flags) -> None:
    targets, specs = _split(args)
    if not targets:
        raise CommandError("one or more resources must be specified as <resource> <name>")
    if not specs:
        raise CommandError("at least one taint update is required")
    added, removed = parse(specs)
    if resources.lookup(ctx, targets[0].lower()).key != "nodes":
        raise CommandError(f"invalid resource type {targets[0].lower()}, only node types are supported")
    both = [f"{gone['key']}={gone.get('effect', '')}" for new in added for gone in removed
            if new["key"] == gone["key"] and gone.get("effect") in (None, new["effect"])]
    if both:
        raise CommandError(f"can not both modify and remove the following taint(s) in the same command: {', '.join(both)}")
    if flags.all and flags.selector:
        raise CommandError("setting 'all' parameter with a non empty selector is prohibited")
    chosen = flags.all or flags.selector
    if not chosen and len(targets) < 2:
        raise CommandError("at least one resource name must be specified since 'all' parameter is not set")
    found = resources.find(ctx, ["nodes"] if chosen else ["nodes", *targets[1:]], selector=flags.selector, everything=flags.all,
                           types_alone=False)
    errors = list(found.errors)
    for info in found:
        try:
            _taint(ctx, flags, info, added, removed)
        except (ApiError, CommandError) as error:
            errors.append(error)
    raise_all(errors)


def _split(args: list[str]) -> tuple[list[str], list[str]]:
    targets: list[str] = []
    specs: list[str] = []
    for arg in args:
        if "=" in arg or ":" in arg or arg.endswith("-"):
            specs.append(arg)
        elif specs:
            raise CommandError(f"all resources must be specified before taint changes: {arg}")
        else:
            targets.append(arg)
    return targets, specs


def parse(specs: list[str]) -> tuple[list[Taint], list[Taint]]:
    """(taints to add, taints to remove); a taint to remove may lack its effect.

    >>> parse(["key=value:NoSchedule", "old-"])
    ([{'key': 'key', 'effect': 'NoSchedule', 'value': 'value'}], [{'key': 'old'}])
    """
    added: list[Taint] = []
    removed: list[Taint] = []
    for spec in specs:
        if spec.endswith("-"):
            one = _parse(spec[:-1])
            removed.append({field: one[field] for field in ("key", "effect") if field in one})
            continue
        one = _parse(spec)
        if "effect" not in one:
            raise UsageError(f"invalid taint spec: {spec}")
        if any((one["key"], one["effect"]) == (other["key"], other["effect"]) for other in added):
            told = f"{{{one['key']} {one.get('value', '')} {one['effect']} <nil>}}"
            raise UsageError(f"duplicated taints with the same key and effect: {told}")
        added.append(one)
    return added, removed


def _parse(spec: str) -> Taint:
    parts = spec.split(":")
    pair = parts[0].split("=") if len(parts) == 2 else [parts[0]]
    if len(parts) > 2 or len(pair) > 2:
        raise UsageError(f"invalid taint spec: {spec}")
    one: Taint = {"key": pair[0]}
    if len(parts) == 2:
        if parts[1] not in EFFECTS:
            raise UsageError(f"invalid taint effect: {parts[1]}, unsupported taint effect")
        one["effect"] = parts[1]
    faults = names.label_value(pair[1]) if len(pair) == 2 else []
    faults = faults or names.qualified_name(pair[0])
    if faults:
        raise UsageError(f"invalid taint spec: {spec}, {'; '.join(faults)}")
    if len(pair) == 2 and pair[1]:
        one["value"] = pair[1]
    return one


def _same(left: Taint, right: Taint) -> bool:
    return (left["key"], left.get("effect")) == (right["key"], right.get("effect"))


def _taint(ctx: Context, flags: Flags, info: Info, added: list[Taint], removed: list[Taint]) -> None:
    old = (info.object.get("spec") or {}).get("taints") or []
    if not flags.overwrite:
        taken = [new["key"] for new in added for each in old if _same(new, each)]
        if taken:
            raise CommandError(f"node {info.name} already has {','.join(taken)} taint(s) with same effect(s) and --overwrite is false")
    wanted = added + [each for each in old if not any(_same(new, each) for new in added)]
    grown = len(wanted) != len(old)
    errors: list[Exception] = []
    dropped = False
    for gone in removed:
        kept = [each for each in wanted if not (_same(gone, each) if "effect" in gone else gone["key"] == each["key"])]
        dropped = len(kept) != len(wanted)
        if not dropped:
            errors.append(CommandError(f"taint {quoted(taint_text(gone))} not found"))
        wanted = kept
    raise_all(errors)
    told = "modified" if flags.overwrite or (grown and dropped) else "tainted" if grown else "untainted"
    mode = strategy(flags)
    after = replaced(info.object, {("spec", "taints"): wanted})
    if mode != "client":
        after = ctx.api.patch("nodes", "", info.name, {"spec": {"taints": wanted or None}}, "merge", dry_run=mode == "server",
                              field_manager=flags["field-manager"])
    if flags.output:
        printers.for_objects(ctx, flags, told)(after, info.resource)
    else:
        ctx.out(f"node/{info.name} {told}")


COMMANDS = (
    Command("taint", taint, (*OUTPUT, SELECTOR, ALL, OVERWRITE, DRY_RUN, VALIDATE, field_manager("kubectl-taint")),
            "Update the taints on one or more nodes", "NODE NAME KEY_1=VAL_1:TAINT_EFFECT_1 ... KEY_N=VAL_N:TAINT_EFFECT_N",
            "A taint is a key, a value and an effect: NoSchedule, PreferNoSchedule or NoExecute. Pods that do not tolerate it stay away.",
            "  # Keep pods off a node\n  kubectl taint nodes w1-k8s dedicated=special-user:NoSchedule\n\n"
            "  # Remove that taint\n  kubectl taint nodes w1-k8s dedicated:NoSchedule-"),
)
