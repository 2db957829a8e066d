"""kubectl diff: what `kubectl apply` would change, as a unified diff.

In: manifests. Out: the difference between the live object and what a server-side dry run of the apply answers; exit 1 if there is one.
"""

from __future__ import annotations

import difflib
from typing import Any

from server.cluster.errors import ApiError
from server.kubectl import resources
from server.kubectl.command import FILENAME, SELECTOR, Command, field_manager
from server.kubectl.commands.apply import MANAGER, live_object, patch_for
from server.kubectl.context import Context
from server.kubectl.errors import CommandError, Errors, UsageError, raise_all, render
from server.kubectl.flags import Flag, Flags
from server.kubectl.printers import without_managed
from server.kubectl.resources import Info
from server.kubectl.writing import LAST_APPLIED, last_applied
from server.kubectl.yamlout import to_yaml

Object = dict[str, Any]


def diff(ctx: Context, args: list[str], flags: Flags) -> int:
    """Exit code 0 for no difference, 1 for one, 2 for a failure."""
    try:
        return int(_diff(ctx, args, flags))
    except (ApiError, CommandError, Errors) as error:
        if isinstance(error, UsageError):
            raise UsageError(error.message, code=2) from None
        ctx.stderr.write(render(error)[0].rstrip("\n") + "\n")
        return 2


def _diff(ctx: Context, args: list[str], flags: Flags) -> bool:
    if args:
        raise UsageError(f"Unexpected args: [{' '.join(args)}]")
    for name in ("server-side", "prune", "force-conflicts"):
        if flags[name]:
            raise CommandError(f"--{name} is not available in Podium yet")
    if not flags.filename and not flags.kustomize:
        raise CommandError("must specify one of -f and -k")
    found = resources.find(ctx, [], filenames=flags.filename, recursive=flags.recursive, kustomize=flags.kustomize, selector=flags.selector,
                           fetch=False, validate=True)
    raise_all(found.errors)
    random = ctx.api.server.store.revision
    folders = (f"/tmp/LIVE-{1_000_000_000 + random}", f"/tmp/MERGED-{2_000_000_000 + random}")
    texts = [(_file_name(info), *_versions(ctx, info, flags)) for info in found.infos]
    changed = False
    for name, live, merged in sorted(texts):
        if live != merged:
            changed = True
            ctx.stdout.write(_unified(ctx, [f"{folder}/{name}" for folder in folders], live, merged))
    return changed


def versions(ctx: Context, info: Info, flags: Flags, **more: Any) -> tuple[Object | None, Object]:
    """The live object, None if there is none, and what the API server's dry run of the apply answers; ``more`` options go with it."""
    modified = _plain(info.manifest)
    options = {"dry_run": True, "field_manager": flags.field_manager, **more}
    live = live_object(ctx, info)
    if live is None:
        merged = ctx.api.create(info.resource, info.namespace, modified, **options)
    else:
        patch = patch_for(info, last_applied(live), modified, live)
        merged = live
        if patch:
            merged = ctx.api.patch(info.resource, info.namespace, info.name, patch, type="strategic", **options)
    if info.resource.key == "secrets" and not flags.show_secrets:
        live, merged = _masked(live, merged)
    return live, merged


def _versions(ctx: Context, info: Info, flags: Flags) -> tuple[str, str]:
    """The live object and the merged one as YAML; "" for one that does not exist."""
    live, merged = versions(ctx, info, flags)
    absent = "null\n" if info.resource.key == "secrets" and not flags.show_secrets else ""
    keep = flags.show_managed_fields
    return tuple(absent if obj is None else to_yaml(obj if keep else without_managed(obj)) for obj in (live, merged))


def _plain(manifest: Object) -> Object:
    """The manifest without a last-applied annotation: a diff leaves the live one as it is."""
    meta = manifest.get("metadata") or {}
    annotations = {key: value for key, value in (meta.get("annotations") or {}).items() if key != LAST_APPLIED}
    return {**manifest, "metadata": {**meta, "annotations": annotations}}


def _masked(live: Object | None, merged: Object) -> tuple[Object | None, Object]:
    """Secrets' values as asterisks that still tell whether they change."""
    before, after = (live or {}).get("data") or {}, merged.get("data") or {}
    shown_before = {key: "***" if after.get(key, value) == value else "*** (before)" for key, value in before.items()}
    shown_after = {key: "***" if before.get(key, value) == value else "*** (after)" for key, value in after.items()}
    return ({**live, "data": shown_before} if live and before else live), ({**merged, "data": shown_after} if after else merged)


def _file_name(info: Info) -> str:
    row = info.resource
    group = f"{row.group}.{row.version}" if row.group else row.version
    return f"{group}.{row.kind}.{info.namespace}.{info.name}"


def _unified(ctx: Context, paths: list[str], live: str, merged: str) -> str:
    stamp = f"{ctx.clock.microtime().replace('T', ' ')[:-1]}000 +0000"
    lines = difflib.unified_diff(live.splitlines(), merged.splitlines(), paths[0], paths[1], stamp, stamp, lineterm="")
    return "\n".join([f"diff -u -N {paths[0]} {paths[1]}", *lines]) + "\n"


COMMANDS = (
    Command(
        "diff",
        diff,
        flags=(
            *FILENAME, field_manager(MANAGER), SELECTOR,
            Flag("concurrency", "", 1, "How many objects to look at together."),
            Flag("force-conflicts", "", False, "Server-side apply only."),
            Flag("prune", "", False, "Show what --prune would delete."),
            Flag("prune-allowlist", "", [], "Kinds that --prune may delete.", kind="array"),
            Flag("server-side", "", False, "Merge on the server."),
            Flag("show-managed-fields", "", False, "Keep managedFields."),
            Flag("show-secrets", "", False, "Show secrets' values."),
        ),
        short="Diff the live version against a would-be applied version",
        use="-f FILENAME",
    ),
)
