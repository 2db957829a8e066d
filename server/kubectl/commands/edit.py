"""kubectl edit: an object through an editor, and back as a patch.

In: objects and an editor (editor.py). Out: `edited`, or why not; what was saved and is not valid is opened again, with the reasons.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from server.cluster import schema
from server.cluster.errors import ApiError
from server.cluster.yamltext import load_yaml
from server.kubectl import printers, resources
from server.kubectl.client import compact
from server.kubectl.command import FILENAME, OUTPUT, SUBRESOURCE, VALIDATE, Command, field_manager
from server.kubectl.commands.create import SAVE_CONFIG
from server.kubectl.context import Context
from server.kubectl.dryrun import field_validation
from server.kubectl.editor import discard, run_editor
from server.kubectl.errors import CommandError, Exit, raise_all
from server.kubectl.flags import Flag, Flags
from server.kubectl.resources import Info
from server.kubectl.threeway import two_way
from server.kubectl.writing import annotated
from server.kubectl.yamlout import to_json, to_yaml

Object = dict[str, Any]
HEADER = """# Please edit the object below. Lines beginning with a '#' will be ignored,
# and an empty file will abort the edit. If an error occurs while saving this file will be
# reopened with the relevant failures.
#
"""


def edit(ctx: Context, args: list[str], flags: Flags) -> Generator[Any, Any, None]:
    if flags.output == "kyaml":
        raise CommandError("--output kyaml is not available in Podium's kubectl edit")
    if flags.output not in ("", "json", "yaml"):
        raise CommandError(f'unable to match a printer suitable for the output format "{flags.output}", allowed formats are: json,kyaml,yaml')
    found = resources.find(ctx, args, filenames=flags.filename, recursive=flags.recursive, kustomize=flags.kustomize, types_alone=True,
                           subresource=flags.subresource)
    raise_all(found.errors)
    if not found.infos:
        raise CommandError("edit cancelled, no objects found")
    for info in found.infos:
        yield from _edit_one(ctx, info, flags)


def _edit_one(ctx: Context, info: Info, flags: Flags) -> Generator[Any, Any, None]:
    original = printers.without_managed({"apiVersion": info.resource.api_version, "kind": info.resource.kind, **info.object})
    suffix = "json" if flags.output == "json" else "yaml"
    body = to_json(original) if suffix == "json" else to_yaml(original)
    unchanged, reasons, path = _without_comments(body), "", ""
    while True:
        try:
            edited, now = yield from run_editor(ctx, HEADER + reasons + body, suffix)
        except CommandError:
            _kept(ctx, path)
            raise
        content = _without_comments(edited)
        if reasons and content == body:
            _kept(ctx, now)
            raise CommandError("Edit cancelled, no valid changes were saved.")
        if path:
            discard(ctx, path)
        path, body = now, content
        if content == unchanged or not content.strip():
            discard(ctx, path)
            ctx.err("Edit cancelled, no changes made." if content == unchanged else "Edit cancelled, saved file was empty.")
            return
        reasons = _save(ctx, info, original, content, path, flags)
        if not reasons:
            discard(ctx, path)
            return


def _kept(ctx: Context, path: str) -> None:
    if path:
        ctx.err(f'A copy of your changes has been stored to "{path}"')


def _save(ctx: Context, info: Info, original: Object, content: str, path: str, flags: Flags) -> str:
    """Sends the change. "" when it is done, else why the editor is to be opened again; CommandError and Exit when that would not help."""
    documents = load_yaml(content)
    if not documents or documents[0].error is not None or not isinstance(documents[0].obj, dict):
        fault = documents[0].error if documents and documents[0].error is not None else "it is not an object"
        return _reason(f"The edited file had a syntax error: error parsing edited-file: {fault}", [])
    edited = annotated(documents[0].obj) if flags.save_config else documents[0].obj
    meta = edited.get("metadata")
    meta = meta if isinstance(meta, dict) else {}
    if (meta.get("name"), edited.get("kind"), edited.get("apiVersion")) != (info.name, original["kind"], original["apiVersion"]):
        _kept(ctx, path)
        raise CommandError("At least one of apiVersion, kind and name was changed")
    row = info.resource
    patch = two_way(original, edited, schema.for_kind(row.api_version, row.kind))
    if not patch:
        ctx.out(f"{info.kind_name} skipped")
        return ""
    if flags.output_patch:
        ctx.out(f"Patch: {compact(patch)}")
    try:
        after = ctx.api.patch(row, info.namespace, info.name, patch, type="strategic", subresource=flags.subresource,
                              field_manager=flags.field_manager, field_validation=field_validation(flags))
    except ApiError as error:
        if error.reason == "Invalid":
            ctx.err(f'error: {row.key} "{info.name}" is invalid')
            causes = [f"{cause.get('field', '')}: {cause.get('message', '')}" for cause in (error.details or {}).get("causes") or []]
            return _reason(f'{row.key} "{info.name}" was not valid', causes)
        if error.reason == "NotFound":
            ctx.err(f'error: {row.key} "{info.name}" could not be found on the server')
            ctx.err(f'The edits you made on deleted resources have been saved to "{path}"')
        else:
            ctx.err(f'error: {row.key} "{info.name}" could not be patched: {error.message}')
            ctx.err(f"You can run `kubectl replace -f {path}` to try this update again.")
        raise Exit(1) from None
    printers.for_objects(ctx, flags, "edited")(after, row)
    return ""


def _reason(head: str, causes: list[str]) -> str:
    """Why a file is opened again, as comments at its top."""
    lines = [f"{head}:" if causes else head, *(f"* {cause}" for cause in causes)]
    return "".join("# {}\n".format(line.replace("\n", "\n# ")) for line in lines) + "#\n"


def _without_comments(text: str) -> str:
    return "".join(line + "\n" for line in text.splitlines() if not line.startswith("#"))


COMMANDS = (
    Command(
        "edit",
        edit,
        flags=(
            field_manager("kubectl-edit"), *FILENAME, *OUTPUT, SAVE_CONFIG, SUBRESOURCE, VALIDATE,
            Flag("output-patch", "", False, "Print the patch that is sent."),
            Flag("windows-line-endings", "", False, "Give the editor Windows' line ends."),
        ),
        short="Edit a resource on the server",
        use="(RESOURCE/NAME | -f FILENAME)",
    ),
)
