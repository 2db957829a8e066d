"""kubectl apply: makes what a manifest says, by the three-way merge of last-applied, manifest and live object.

In: manifests. Out: `created`, `configured` or `unchanged` for each, one request each at most. `view-last-applied`, `set-last-applied` and
`edit-last-applied` read and write the annotation the merge starts from.
"""

from __future__ import annotations

import json
from collections.abc import Generator
from typing import Any

from server.cluster import schema
from server.cluster.apiserver import patch as server_patch
from server.cluster.errors import ApiError
from server.cluster.yamltext import load_yaml
from server.kubectl import printers, resources
from server.kubectl.client import PATCH_TYPES, compact
from server.kubectl.command import ALL, DRY_RUN, FILENAME, OUTPUT, SELECTOR, SUBRESOURCE, VALIDATE, Command, field_manager
from server.kubectl.commands.delete import CASCADE, FORCE, GRACE, TIMEOUT, propagation, remove
from server.kubectl.context import Context
from server.kubectl.dryrun import field_validation, strategy
from server.kubectl.editor import discard, run_editor
from server.kubectl.errors import CommandError, Errors, UsageError, WrappedApiError, message_of, raise_all, when
from server.kubectl.flags import Flag, Flags
from server.kubectl.resources import Info
from server.kubectl.threeway import three_way
from server.kubectl.writing import LAST_APPLIED, annotated, described, last_applied, wait_gone, without_last_applied
from server.kubectl.yamlout import to_json, to_yaml

Object = dict[str, Any]
MANAGER = "kubectl-client-side-apply"
NO_ANNOTATION = (
    f"resource {{}} is missing the {LAST_APPLIED} annotation which is required by kubectl apply. kubectl apply should only be used on "
    "resources created declaratively by either kubectl create --save-config or kubectl apply. The missing annotation will be patched "
    "automatically."
)


def apply(ctx: Context, args: list[str], flags: Flags) -> Generator[Any, Any, int | None]:
    if args:
        raise UsageError(f"Unexpected args: [{' '.join(args)}]")
    if flags["force-conflicts"] and not flags["server-side"]:
        raise CommandError("--force-conflicts only works with --server-side")
    if flags["server-side"] and strategy(flags) == "client":
        raise CommandError("--dry-run=client doesn't work with --server-side (did you mean --dry-run=server instead?)")
    for name, what in (("server-side", "server-side apply"), ("prune", "pruning"), ("force-conflicts", "server-side apply")):
        if flags[name]:
            raise CommandError(f"--{name} is not available in Podium yet: {what}")
    if not flags.filename and not flags.kustomize:
        raise CommandError("must specify one of -f and -k")
    policy = propagation(ctx, flags.cascade)
    dry_run = strategy(flags)
    validation = field_validation(flags)
    show = {word: printers.for_objects(ctx, flags, word) for word in ("created", "configured", "unchanged")}
    found = resources.find(
        ctx, [], filenames=flags.filename, recursive=flags.recursive, kustomize=flags.kustomize, selector=flags.selector, fetch=False,
        validate=validation != "Ignore",
    )
    errors: list[Exception] = [Errors(found.errors)] if found.errors else []
    if not found.infos and not errors:
        raise CommandError("no objects passed to apply")
    printed: list[Object] = []
    for info in found.infos:
        try:
            word, obj = yield from _apply_one(ctx, info, flags, dry_run, validation, policy)
        except (ApiError, CommandError) as error:
            errors.append(error)
            continue
        if show[word].asked and flags.output != "name":
            printed.append(obj)
        else:
            show[word](obj, info.resource)
    if printed:
        show["created"](printed[0] if len(printed) == 1 else printers.list_of(printed))
    if errors:
        raise Errors(errors) if len(errors) > 1 or isinstance(errors[0], Errors) else errors[0]
    return None


def _apply_one(ctx: Context, info: Info, flags: Flags, dry_run: str, validation: str, policy: str,
               ) -> Generator[Any, Any, tuple[str, Object]]:
    manifest = info.manifest
    if not info.name and (generate := (manifest.get("metadata") or {}).get("generateName")):
        raise CommandError(f"from {generate}: cannot use generate name with apply")
    modified = annotated(manifest)
    try:
        live = live_object(ctx, info)
    except (ApiError, CommandError) as error:
        raise when_getting(info, error) from None
    options = {"dry_run": dry_run == "server", "field_manager": flags.field_manager, "field_validation": validation}
    if live is None:
        if dry_run == "client":
            return "created", modified
        try:
            return "created", ctx.api.create(info.resource, info.namespace, modified, **options)
        except ApiError as error:
            raise when("creating", info.source, error) from None
    original = last_applied(live)
    if original is None:
        ctx.warn(NO_ANNOTATION.format(f"{info.resource.plural}/{info.name}"))
    patch = patch_for(info, original, modified, live)
    if dry_run == "client":
        return "configured", server_patch.apply(PATCH_TYPES["strategic"], live, compact(patch).encode(), info.resource.api_version,
                                                info.resource.kind) if patch else live
    if not patch:
        _warn_if_deleting(ctx, info, live)
        return "unchanged", live
    try:
        obj = ctx.api.patch(info.resource, info.namespace, info.name, patch, type="strategic", **options)
    except ApiError as error:
        if not flags.force or error.reason not in ("Conflict", "Invalid"):
            raise when_patching(info, patch, when("patching", info.source, error)) from None
        obj = yield from _recreate(ctx, info, modified, flags, options, policy)
    _warn_if_deleting(ctx, info, obj)
    return "configured", obj


def patch_for(info: Info, original: str | None, modified: Object, live: Object) -> Object:
    """The patch, without what the live object says of itself anyway."""
    try:
        before = json.loads(original) if original else {}
    except ValueError:
        before = {}
    row = info.resource
    live = {"apiVersion": row.api_version, "kind": row.kind, **live}
    return three_way(before if isinstance(before, dict) else {}, modified, live, schema.for_kind(row.api_version, row.kind))


def live_object(ctx: Context, info: Info) -> Object | None:
    """The object as the server has it, None if it has none yet."""
    if not info.name:
        raise CommandError("resource name may not be empty")
    return ctx.api.find(info.resource, info.namespace, info.name)


def when_getting(info: Info, error: Exception) -> Exception:
    prefix = f'error when retrieving current configuration of:\n{described(info)}\nfrom server for: "{info.source}": '
    return _told(prefix, error)


def when_patching(info: Info, patch: Object, error: Exception) -> Exception:
    prefix = f'error when applying patch:\n{compact(patch)}\nto:\n{described(info)}\nfor: "{info.source}": '
    return _told(prefix, error)


def _told(prefix: str, error: Exception) -> Exception:
    return WrappedApiError(prefix, error) if isinstance(error, ApiError) else CommandError(prefix + message_of(error))


def _warn_if_deleting(ctx: Context, info: Info, obj: Object) -> None:
    if obj["metadata"].get("deletionTimestamp"):
        ctx.warn(f"Detected changes to resource {info.name} which is currently being deleted.")


def _recreate(ctx: Context, info: Info, modified: Object, flags: Flags, options: dict, policy: str) -> Generator[Any, Any, Object]:
    """--force: delete what cannot be patched, wait, create."""
    grace = flags.grace_period if flags.grace_period >= 0 else None
    uid = remove(ctx, info, grace=grace, policy=policy)
    if not options["dry_run"]:
        yield from wait_gone(ctx, [(info, uid)], flags.timeout)
    try:
        return ctx.api.create(info.resource, info.namespace, modified, **options)
    except ApiError as error:
        raise when("creating", info.source, error) from None


# the annotation itself


def view_last_applied(ctx: Context, args: list[str], flags: Flags) -> None:
    if flags.output not in ("yaml", "json"):
        raise UsageError(f"Unexpected -o output mode: {flags.output}, the flag 'output' must be one of yaml|json")
    for info in _chosen(ctx, args, flags):
        text = last_applied(info.object)
        if text is None:
            continue
        value = json.loads(text)
        ctx.stdout.write(to_yaml(value) if flags.output == "yaml" else to_json(value, indent=2))


def _chosen(ctx: Context, args: list[str], flags: Flags) -> list[Info]:
    found = resources.find(ctx, args, filenames=flags.filename, recursive=flags.recursive, kustomize=flags.kustomize,
                           selector=flags.selector, everything=flags.all, types_alone=False)
    raise_all(found.errors)
    return found.infos


def set_last_applied(ctx: Context, args: list[str], flags: Flags) -> None:
    if args:
        raise UsageError(f"Unexpected args: [{' '.join(args)}]")
    if not flags.filename:
        raise CommandError("must specify -f")
    dry_run = strategy(flags)
    show = printers.for_objects(ctx, flags, "configured")
    found = resources.find(ctx, [], filenames=flags.filename, recursive=flags.recursive, kustomize=flags.kustomize, fetch=False)
    raise_all(found.errors)
    for info in found.infos:
        live = ctx.api.get(info.resource, info.namespace, info.name)
        text = compact(without_last_applied(info.manifest)) + "\n"
        if last_applied(live) is None and not flags.create_annotation:
            raise CommandError(f"no last-applied-configuration annotation found on resource: {info.name}, to create the annotation, run "
                               "the command with --create-annotation")
        patch = {"metadata": {"annotations": {LAST_APPLIED: text}}}
        if dry_run != "client" and last_applied(live) != text:
            live = ctx.api.patch(info.resource, info.namespace, info.name, patch, dry_run=dry_run == "server")
        show(live, info.resource)


EDIT_HEADER = """# Please edit the 'last-applied-configuration' annotations below.
# Lines beginning with a '#' will be ignored, and an empty file will abort the edit.
#
"""


def edit_last_applied(ctx: Context, args: list[str], flags: Flags) -> Generator[Any, Any, None]:
    for info in _chosen(ctx, args, flags):
        text = last_applied(info.object)
        if text is None:
            raise CommandError(f"no last-applied-configuration annotation found on resource: {info.name}")
        before = EDIT_HEADER + to_yaml(json.loads(text))
        after, path = yield from run_editor(ctx, before)
        discard(ctx, path)
        if after == before:
            ctx.err("Edit cancelled, no changes made.")
            continue
        documents = load_yaml(after)
        if not documents or documents[0].error is not None or not isinstance(documents[0].obj, dict):
            raise CommandError(f'{info.resource.key} "{info.name}" is invalid')
        patch = {"metadata": {"annotations": {LAST_APPLIED: compact(documents[0].obj) + "\n"}}}
        ctx.api.patch(info.resource, info.namespace, info.name, patch, field_manager=flags.field_manager)
        ctx.out(f"{info.kind_name} edited")


COMMANDS = (
    Command(
        "apply",
        apply,
        flags=(
            ALL, CASCADE, DRY_RUN, field_manager(MANAGER), *FILENAME, FORCE, GRACE, *OUTPUT, SELECTOR, SUBRESOURCE, TIMEOUT, VALIDATE,
            Flag("force-conflicts", "", False, "Server-side apply only."),
            Flag("openapi-patch", "", True, "Reckon the patch with the server's schema."),
            Flag("overwrite", "", True, "Let the manifest win over changes made live."),
            Flag("prune", "", False, "Delete what manifests no longer name."),
            Flag("prune-allowlist", "", [], "Kinds that --prune may delete.", kind="array"),
            Flag("server-side", "", False, "Merge on the server."),
            Flag("wait", "", False, "Wait until what is deleted is gone."),
        ),
        commands=(
            Command("view-last-applied", view_last_applied,
                    flags=(ALL, *FILENAME, SELECTOR, Flag("output", "o", "yaml", "yaml or json.")),
                    short="View the latest last-applied-configuration annotations of a resource/object",
                    use="(TYPE [NAME | -l label] | TYPE/NAME | -f FILENAME)"),
            Command("edit-last-applied", edit_last_applied,
                    flags=(*FILENAME, field_manager(MANAGER), Flag("all", "", False, "Every object of the types.", hidden=True),
                           Flag("selector", "", "", "Label query.", hidden=True)),
                    short="Edit latest last-applied-configuration annotations of a resource/object", use="(RESOURCE/NAME | -f FILENAME)"),
            Command("set-last-applied", set_last_applied,
                    flags=(DRY_RUN, *FILENAME, *OUTPUT, Flag("create-annotation", "", False, "Make the annotation where there is none.")),
                    short="Set the last-applied-configuration annotation on a live object to match the contents of a file",
                    use="-f FILENAME"),
        ),
        short="Apply a configuration to a resource by file name or stdin",
        use="(-f FILENAME | -k DIRECTORY)",
    ),
)
