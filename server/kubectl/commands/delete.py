"""kubectl delete: by name, by file, by selector, all; then waits until everything is gone.

In: types, names, files, selectors and how to delete. Out: a line an object, the deletes, and the wait.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from server.cluster.errors import ApiError
from server.kubectl import resources
from server.kubectl.command import ALL, ALL_NAMESPACES, DRY_RUN, FIELD_SELECTOR, FILENAME, SELECTOR, Command
from server.kubectl.context import Context
from server.kubectl.dryrun import SUFFIX, strategy
from server.kubectl.errors import CommandError, raise_all, when
from server.kubectl.flags import Flag, Flags
from server.kubectl.raw import raw_write
from server.kubectl.resources import Info
from server.kubectl.writing import wait_gone

CASCADE = Flag("cascade", "", "background", 'One of "background", "orphan", "foreground": what becomes of dependents.', no_value="background")
GRACE = Flag("grace-period", "", -1, "Seconds the object gets to end in order; negative leaves it to the object, 0 needs --force.")
FORCE = Flag("force", "", False, "Remove from the API at once, without waiting for what runs.")
TIMEOUT = Flag("timeout", "", 0.0, "How long to wait for a deletion; 0 leaves it to the size of the object.", kind="duration")
POLICIES = {"background": "Background", "orphan": "Orphan", "foreground": "Foreground"}
AT_ONCE = ("Immediate deletion does not wait for confirmation that the running resource has been terminated. The resource may continue to "
           "run on the cluster indefinitely.")


def delete(ctx: Context, args: list[str], flags: Flags) -> Generator[Any, Any, int | None]:
    if flags.raw:
        ctx.stdout.write(raw_write(ctx, "delete", flags.raw, None))
        return None
    dry_run = strategy(flags)
    grace = _grace(ctx, flags)
    policy = propagation(ctx, flags.cascade)
    if flags.output not in ("", "name"):
        raise CommandError(f"unexpected -o output mode: {flags.output}. We only support '-o name'")
    if flags.all and flags.selector:
        raise CommandError("setting 'all' parameter but found a non empty selector. ")
    if flags.all and flags.field_selector:
        raise CommandError("cannot set --all and --field-selector at the same time")
    found = resources.find(
        ctx, args, filenames=flags.filename, recursive=flags.recursive, kustomize=flags.kustomize, selector=flags.selector,
        field_selector=flags.field_selector, everything=flags.all, all_namespaces=flags.all_namespaces, types_alone=False, fetch=False,
    )
    errors = list(found.errors)
    infos = found.infos
    if flags.interactive and infos and not _confirmed(ctx, infos, (yield from ctx.read_stdin())):
        ctx.out("deletion is cancelled")
        return None
    many = flags.all or flags.selector or flags.field_selector
    ignore = flags.ignore_not_found or (many and not flags.changed("ignore-not-found"))
    waits = []
    for info in infos:
        try:
            uid = remove(ctx, info, dry_run, grace, policy)
            waits.append((info, uid))
        except (ApiError, CommandError) as error:
            if ignore and isinstance(error, ApiError) and error.reason == "NotFound":
                continue
            errors.append(when("deleting", info.source, error))
            continue
        _tell(ctx, info, flags, dry_run, grace)
    raise_all(errors)
    if not infos:
        ctx.out("No resources found")
    if flags.wait and dry_run == "none" and not (flags.force and grace == 0 and not flags.changed("wait")):
        yield from wait_gone(ctx, waits, flags.timeout)
    return None


def _grace(ctx: Context, flags: Flags) -> int | None:
    period = flags.grace_period
    if flags.now:
        if period != -1:
            raise CommandError("--now and --grace-period cannot be specified together")
        period = 1
    if flags.force:
        if period < 0:
            period = 0
        elif period > 0:
            raise CommandError("--force and --grace-period greater than 0 cannot be specified together")
        ctx.warn(AT_ONCE)
    elif period == 0:
        period = 1
    return None if period < 0 else period


def propagation(ctx: Context, cascade: str) -> str:
    if cascade in POLICIES:
        return POLICIES[cascade]
    if cascade in ("true", "false"):
        meant = "background" if cascade == "true" else "orphan"
        ctx.err(f"warning: --cascade={cascade} is deprecated (boolean value) and can be replaced with --cascade={meant}.")
        return POLICIES[meant]
    raise CommandError(f'invalid cascade value ({cascade}). Must be "background", "foreground", or "orphan"')


def remove(ctx: Context, info: Info, dry_run: str = "none", grace: int | None = None, policy: str = "") -> str:
    """Send the delete; the uid of what was deleted."""
    if not info.name:
        raise CommandError("resource name may not be empty")
    if dry_run == "client":
        return ""
    options: dict[str, Any] = {"propagationPolicy": policy} if policy else {}
    if grace is not None:
        options["gracePeriodSeconds"] = grace
    body = {"kind": "DeleteOptions", "apiVersion": "v1", **options}
    answer = ctx.api.delete(info.resource, info.namespace, info.name, body=body, dry_run=dry_run == "server")
    return (answer.get("metadata") or {}).get("uid") or (answer.get("details") or {}).get("uid", "")


def _tell(ctx: Context, info: Info, flags: Flags, dry_run: str, grace: int | None) -> None:
    if flags.output == "name":
        ctx.out(info.kind_name)
        return
    done = "force deleted" if grace == 0 else "deleted"
    where = f" from {info.namespace} namespace" if info.resource.namespaced else ""
    ctx.out(f'{info.typed} "{info.name}" {done}{where}{SUFFIX[dry_run]}')


def _confirmed(ctx: Context, infos: list[Info], answer: str) -> bool:
    ctx.out("You are about to delete the following " + f"{len(infos)} resource(s):")
    for info in infos:
        ctx.out(info.kind_name)
    ctx.stdout.write("Do you want to continue? (y/N): ")
    return answer.strip() in ("y", "Y")


COMMANDS = (
    Command(
        "delete",
        delete,
        flags=(
            ALL, ALL_NAMESPACES, CASCADE, DRY_RUN, FIELD_SELECTOR, *FILENAME, FORCE, GRACE, SELECTOR, TIMEOUT,
            Flag("ignore-not-found", "", False, "Count what does not exist as deleted; so it is with --all."),
            Flag("interactive", "i", False, "Ask before deleting."),
            Flag("now", "", False, "Ask for the end at once, as --grace-period=1 does."),
            Flag("output", "o", "", "-o name prints resource/name only."),
            Flag("raw", "", "", "Path to send a DELETE to."),
            Flag("wait", "", True, "Return only when everything is gone, finalizers included."),
        ),
        short="Delete resources by file names, stdin, resources and names, or by resources and label selector",
        use="([-f FILENAME] | [-k DIRECTORY] | TYPE [(NAME | -l label | --all)])",
        suggest_for=("rm",),
    ),
)
