"""kubectl patch: a JSON, merge or strategic patch of named objects.

In: objects and the patch, as JSON or YAML. Out: `patched`, or `patched (no change)`.
"""

from __future__ import annotations

import json
from typing import Any

from server.cluster.apiserver import patch as server_patch
from server.cluster.errors import ApiError
from server.cluster.yamltext import YamlError, load_document
from server.kubectl import printers, resources
from server.kubectl.client import PATCH_TYPES
from server.kubectl.command import DRY_RUN, FILENAME, LOCAL, OUTPUT, SUBRESOURCE, Command, field_manager
from server.kubectl.context import Context
from server.kubectl.dryrun import strategy
from server.kubectl.errors import CommandError, UsageError, message_of, raise_all
from server.kubectl.flags import Flag, Flags, quoted
from server.kubectl.resources import Info
from server.kubectl.threeway import same

Object = dict[str, Any]


def patch(ctx: Context, args: list[str], flags: Flags) -> None:
    if flags.type not in PATCH_TYPES:
        raise CommandError(f"--type must be one of [json merge strategic], not {quoted(flags.type)}")
    if flags.patch and flags.patch_file:
        raise CommandError("cannot specify --patch and --patch-file together")
    if not flags.patch and not flags.patch_file:
        raise CommandError("must specify --patch or --patch-file containing the contents of the patch")
    if flags.local and not flags.filename:
        raise UsageError("cannot specify --local and resources" if args else "--filename must be specified when --local=true")
    body = _body(ctx, flags)
    dry_run = strategy(flags)
    show = {changed: printers.for_objects(ctx, flags, "patched" if changed else "patched (no change)", mark_dry_run=False)
            for changed in (True, False)}
    found = resources.find(ctx, args, filenames=flags.filename, recursive=flags.recursive, kustomize=flags.kustomize, types_alone=False,
                           subresource=flags.subresource, fetch=not flags.local and dry_run == "client", local=flags.local)
    errors = list(found.errors)
    if not found.infos and not errors:
        raise CommandError("no objects passed to patch")
    for info in found.infos:
        try:
            before, after = _patched(ctx, info, flags, body, dry_run)
        except (ApiError, CommandError) as error:
            errors.append(error)
            continue
        show[before is None or not same(before, after)](after, None if flags.subresource == "scale" else info.resource)
    raise_all(errors)


def _body(ctx: Context, flags: Flags) -> Any:
    text = flags.patch
    if flags.patch_file:
        try:
            text = ctx.files.read(flags.patch_file)
        except (FileNotFoundError, IsADirectoryError):
            raise CommandError(f"unable to read patch file: open {flags.patch_file}: no such file or directory") from None
    if text.lstrip().startswith("{"):
        return text
    try:
        body = load_document(text)[0]
    except YamlError as error:
        problem = message_of(error).removeprefix("error converting YAML to JSON: ")
        raise CommandError(f"unable to parse {quoted(text)}: {problem}") from None
    return json.dumps(body) if isinstance(body, str) else body


def _patched(ctx: Context, info: Info, flags: Flags, body: Any, dry_run: str) -> tuple[Object | None, Object]:
    """The object before (None when not known) and after."""
    if flags.local or dry_run == "client":
        row = info.resource
        after = server_patch.apply(PATCH_TYPES[flags.type], info.object, body.encode() if isinstance(body, str) else body, row.api_version, row.kind)
        return info.object, after
    before = ctx.api.get(info.resource, info.namespace, info.name, subresource=flags.subresource)
    after = ctx.api.patch(info.resource, info.namespace, info.name, body, type=flags.type, subresource=flags.subresource,
                          dry_run=dry_run == "server", field_manager=flags.field_manager)
    return before, after


COMMANDS = (
    Command(
        "patch",
        patch,
        flags=(
            DRY_RUN, field_manager("kubectl-patch"), *FILENAME, LOCAL, *OUTPUT, SUBRESOURCE,
            Flag("patch", "p", "", "The patch, as JSON or YAML."),
            Flag("patch-file", "", "", "File with the patch."),
            Flag("type", "", "strategic", "The kind of patch: json, merge or strategic."),
        ),
        short="Update fields of a resource",
        use="(-f FILENAME | TYPE NAME) [-p PATCH|--patch-file FILE]",
    ),
)
