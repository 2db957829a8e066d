"""kubectl cordon and uncordon: whether new pods may be put on a node."""

from __future__ import annotations

from collections.abc import Callable

from server.cluster.errors import ApiError
from server.kubectl import printers, resources
from server.kubectl.command import DRY_RUN, SELECTOR, Command
from server.kubectl.context import Context
from server.kubectl.dryrun import strategy
from server.kubectl.errors import CommandError, UsageError, message_of, raise_all
from server.kubectl.flags import Flags
from server.kubectl.resources import Info


def nodes(ctx: Context, args: list[str], flags: Flags, use: str) -> list[Info]:
    """The nodes meant by names, TYPE/NAME or a selector."""
    if not args and not flags.changed("selector"):
        raise UsageError(f"USAGE: {use} [flags]")
    if args and flags.selector:
        raise UsageError("error: cannot specify both a node name and a --selector option")
    if flags.selector:
        found = resources.find(ctx, ["nodes"], selector=flags.selector)
    else:
        found = resources.find(ctx, [arg if "/" in arg else f"nodes/{arg}" for arg in args])
    raise_all(found.errors)
    for info in found:
        if info.resource.key != "nodes":
            row = info.resource
            raise CommandError(f'error: expected resource of type node, got "{row.group}/{row.version}, Resource={row.plural}"')
    return found.infos


def set_schedulable(ctx: Context, flags: Flags, infos: list[Info], unschedulable: bool) -> None:
    """Cordons or uncordons each node and says so; one that cannot be changed does not stop the others."""
    mode, done = strategy(flags), "cordoned" if unschedulable else "uncordoned"
    for info in infos:
        if bool((info.object.get("spec") or {}).get("unschedulable")) == unschedulable:
            printers.for_objects(ctx, flags, f"already {done}")(info.object, info.resource)
            continue
        try:
            if mode != "client":
                patch = {"spec": {"unschedulable": True if unschedulable else None}}
                info.object = ctx.api.patch("nodes", "", info.name, patch, "strategic", dry_run=mode == "server")
        except ApiError as error:
            ctx.err(f'error: unable to {done.removesuffix("ed")} node "{info.name}": {message_of(error)}')
            continue
        printers.for_objects(ctx, flags, done)(info.object, info.resource)


def _command(name: str, unschedulable: bool) -> Callable[[Context, list[str], Flags], None]:
    def run(ctx: Context, args: list[str], flags: Flags) -> None:
        set_schedulable(ctx, flags, nodes(ctx, args, flags, f"{name} NODE"), unschedulable)

    return run


COMMANDS = (
    Command("cordon", _command("cordon", True), (SELECTOR, DRY_RUN), "Mark node as unschedulable", "NODE"),
    Command("uncordon", _command("uncordon", False), (SELECTOR, DRY_RUN), "Mark node as schedulable", "NODE"),
)
