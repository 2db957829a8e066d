"""kubectl replace: an object by the whole of what a file says; with --force by deleting and creating it.

In: manifests. Out: `replaced` for each.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from server.cluster.errors import ApiError
from server.kubectl import printers, resources
from server.kubectl.command import DRY_RUN, FILENAME, OUTPUT, SUBRESOURCE, VALIDATE, Command, field_manager
from server.kubectl.commands.create import SAVE_CONFIG
from server.kubectl.commands.delete import AT_ONCE, CASCADE, FORCE, GRACE, TIMEOUT, propagation, remove
from server.kubectl.context import Context
from server.kubectl.dryrun import field_validation, strategy
from server.kubectl.errors import CommandError, raise_all, when
from server.kubectl.flags import Flag, Flags
from server.kubectl.raw import raw_write
from server.kubectl.writing import saved, wait_gone


def replace(ctx: Context, args: list[str], flags: Flags) -> Generator[Any, Any, None]:
    if not flags.filename and not flags.kustomize:
        raise CommandError("must specify one of -f and -k")
    if flags.grace_period >= 0 and not flags.force:
        raise CommandError("--grace-period must have --force specified")
    if flags.timeout and not flags.force:
        raise CommandError("--timeout must have --force specified")
    if flags.raw:
        from server.kubectl.manifests import sources

        ctx.stdout.write(raw_write(ctx, "update", flags.raw, sources(ctx, flags.filename)[0][1]))
        return
    validation, dry_run = field_validation(flags), strategy(flags)
    show = printers.for_objects(ctx, flags, "replaced")
    found = resources.find(ctx, [], filenames=flags.filename, recursive=flags.recursive, kustomize=flags.kustomize, fetch=False,
                           validate=validation != "Ignore")
    options = {"dry_run": dry_run == "server", "field_manager": flags.field_manager, "field_validation": validation}
    errors = list(found.errors)
    if flags.force and not errors:
        yield from _delete_first(ctx, found.infos, flags, dry_run)
    for info in found.infos:
        obj = saved(info.manifest, flags.save_config)
        try:
            if dry_run != "client" and flags.force:
                obj = ctx.api.create(info.resource, info.namespace, obj, **options)
            elif dry_run != "client":
                if not info.name:
                    raise CommandError("resource name may not be empty")
                obj = ctx.api.update(info.resource, info.namespace, info.name, obj, subresource=flags.subresource, **options)
        except (ApiError, CommandError) as error:
            errors.append(when("replacing", info.source, error) if not flags.force else error)
            continue
        show(obj, info.resource)
    raise_all(errors)


def _delete_first(ctx: Context, infos: list[resources.Info], flags: Flags, dry_run: str) -> Generator[Any, Any, None]:
    grace = flags.grace_period if flags.grace_period >= 0 else None
    if grace == 0:
        ctx.warn(AT_ONCE)
    waits = []
    for info in infos:
        try:
            uid = remove(ctx, info, dry_run, grace, propagation(ctx, flags.cascade))
        except ApiError as error:
            if error.reason == "NotFound":
                continue
            raise
        where = f" from {info.namespace} namespace" if info.resource.namespaced else ""
        ctx.out(f'{info.typed} "{info.name}" {"force deleted" if grace == 0 else "deleted"}{where}')
        waits.append((info, uid))
    if dry_run == "none":
        yield from wait_gone(ctx, waits, flags.timeout)


COMMANDS = (
    Command(
        "replace",
        replace,
        flags=(
            CASCADE, DRY_RUN, field_manager("kubectl-replace"), *FILENAME, FORCE, GRACE, *OUTPUT, SAVE_CONFIG, SUBRESOURCE, TIMEOUT, VALIDATE,
            Flag("raw", "", "", "Path to PUT to."),
            Flag("wait", "", False, "Wait until what is deleted is gone."),
        ),
        short="Replace a resource by file name or stdin",
        use="-f FILENAME",
    ),
)
