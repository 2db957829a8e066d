"""kubectl scale: a new number of replicas, written through the scale subresource, on conditions if wanted.

In: objects and --replicas, perhaps --current-replicas. Out: "scaled" for each; with --timeout the command waits until the
number is reached.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from server.cluster.errors import ApiError
from server.cluster.objects import replaced
from server.cluster.process import Sleep
from server.kubectl import printers, resources
from server.kubectl.command import ALL, DRY_RUN, FILENAME, OUTPUT, SELECTOR, Command
from server.kubectl.context import Context
from server.kubectl.dryrun import strategy
from server.kubectl.errors import CommandError, raise_all
from server.kubectl.flags import Flag, Flags
from server.kubectl.resources import Info

Object = dict[str, Any]


def scale(ctx: Context, args: list[str], flags: Flags) -> Generator[Any, Any, None]:
    if flags.replicas < 0:
        raise CommandError("The --replicas=COUNT flag is required, and COUNT must be greater than or equal to 0")
    if flags["current-replicas"] < -1:
        raise CommandError("The --current-replicas must specify an integer of -1 or greater")
    mode = strategy(flags)
    found = resources.find(ctx, args, filenames=flags.filename, recursive=flags.recursive, kustomize=flags.kustomize,
                           selector=flags.selector, everything=flags.all, types_alone=False)
    if flags["resource-version"] and len(found.infos) > 1:
        raise CommandError("cannot use --resource-version with multiple resources")
    if not found.infos and not found.errors:
        raise CommandError("no objects passed to scale")
    show = printers.for_objects(ctx, flags, "scaled")
    for info in found:
        if mode != "client":
            _scale(ctx, flags, info, mode == "server")
            if flags.timeout and mode == "none":
                yield from _reached(ctx, flags, info)
        show(replaced(info.object, {("spec", "replicas"): flags.replicas}), info.resource)
    raise_all(found.errors)


def _scale(ctx: Context, flags: Flags, info: Info, dry_run: bool) -> None:
    conditional = flags["current-replicas"] != -1 or flags["resource-version"]
    if not conditional:
        ctx.api.patch(info.resource, info.namespace, info.name, {"spec": {"replicas": flags.replicas}}, "merge", subresource="scale",
                      dry_run=dry_run)
        return
    present = ctx.api.get(info.resource, info.namespace, info.name, subresource="scale")
    size, version = present["spec"].get("replicas", 0), present["metadata"].get("resourceVersion", "")
    if flags["current-replicas"] not in (-1, size):
        raise CommandError(f"Expected replicas to be {flags['current-replicas']}, was {size}")
    if flags["resource-version"] not in ("", version):
        raise CommandError(f"Expected resource version to be {flags['resource-version']}, was {version}")
    ctx.api.update(info.resource, info.namespace, info.name, replaced(present, {("spec", "replicas"): flags.replicas}),
                   subresource="scale", dry_run=dry_run)


def _reached(ctx: Context, flags: Flags, info: Info) -> Generator[Any, Any, None]:
    """Asks every second whether the scale says that the wanted number is there."""
    deadline = ctx.clock.now + flags.timeout
    while True:
        try:
            present = ctx.api.get(info.resource, info.namespace, info.name, subresource="scale")
        except ApiError as error:
            if error.code == 404:
                return
            raise
        if present["spec"].get("replicas", 0) == (present.get("status") or {}).get("replicas", 0):
            return
        if ctx.clock.now >= deadline:
            raise CommandError(f'timed out waiting for "{info.name}" to be synced')
        yield Sleep(min(1.0, deadline - ctx.clock.now))


COMMANDS = (
    Command("scale", scale, (
        *OUTPUT, *FILENAME, SELECTOR, ALL, DRY_RUN,
        Flag("replicas", "", 0, "The new number of replicas.", required=True),
        Flag("current-replicas", "", -1, "Scale only if this is the present number; -1 means whatever it is."),
        Flag("resource-version", "", "", "Scale only if this is the resource version."),
        Flag("timeout", "", 0.0, "How long to wait until the number is reached (1s, 2m, 3h); zero does not wait.", kind="duration")),
        "Set a new size for a deployment, replica set, or replication controller",
        "[--resource-version=version] [--current-replicas=count] --replicas=COUNT (-f FILENAME | TYPE NAME)",
        "Set a new number of replicas, if wanted only when the present number or resource version is the expected one.",
        "  # Five replicas\n  kubectl scale --replicas=5 deployment/web\n\n  # Only if there are three now\n"
        "  kubectl scale --current-replicas=3 --replicas=5 deployment/web"),
)
