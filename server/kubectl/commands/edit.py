"""kubectl edit: an object through an editor, and back as a patch.

In: objects and KUBE_EDITOR (or EDITOR). Out: `edited`, or why not. Podium's terminal has no screen editor: `cat`, `true` and
`sed -i s/OLD/NEW/` are built in, as scripts use them; the page's YAML editor is for the rest.
"""

from __future__ import annotations

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
from server.kubectl.editor import run_editor
from server.kubectl.errors import CommandError, Exit, raise_all, server_message
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


def edit(ctx: Context, args: list[str], flags: Flags) -> int | None:
    if flags.output not in ("", "json", "yaml"):
        raise CommandError("The flag 'output' must be one of yaml|json")
    found = resources.find(ctx, args, filenames=flags.filename, recursive=flags.recursive, kustomize=flags.kustomize, types_alone=True,
                           subresource=flags.subresource)
    raise_all(found.errors)
    if not found.infos:
        raise CommandError("edit cancelled, no objects found")
    for info in found.infos:
        _edit_one(ctx, info, flags)
    return None


def _edit_one(ctx: Context, info: Info, flags: Flags) -> None:
    original = printers.without_managed({"apiVersion": info.resource.api_version, "kind": info.resource.kind, **info.object})
    body = to_json(original) if flags.output == "json" else to_yaml(original)
    problems, last = "", ""
    while True:
        edited = run_editor(ctx, HEADER + problems + body)
        content = _without_comments(edited)
        if not content.strip():
            ctx.err("Edit cancelled, saved file was empty.")
            return
        if content == _without_comments(HEADER + body) and not problems:
            ctx.err("Edit cancelled, no changes made.")
            return
        if problems and content == last:
            _give_up(ctx, HEADER + problems + body, flags)
        last = content
        problem = _save(ctx, info, original, content, flags)
        if problem is None:
            return
        ctx.err(problem)
        first, _, rest = problem.removeprefix("error: ").partition("\n")
        problems = f"# {first}\n" + "".join(f"# {line}\n" for line in rest.splitlines()) + "#\n"
        body = content


def _give_up(ctx: Context, text: str, flags: Flags) -> None:
    suffix = "json" if flags.output == "json" else "yaml"
    path = f"/tmp/kubectl-edit-{1000 + ctx.api.server.store.revision}.{suffix}"
    ctx.files.write(path, text)
    ctx.err(f'A copy of your changes has been stored to "{path}"')
    ctx.err("error: Edit cancelled, no valid changes were saved.")
    raise Exit(1)


def _save(ctx: Context, info: Info, original: Object, content: str, flags: Flags) -> str | None:
    """Send the change; None when it is done, else what to say before the editor is opened again."""
    documents = load_yaml(content)
    if not documents or documents[0].error is not None or not isinstance(documents[0].obj, dict):
        return f'error: {info.resource.key} "{info.name}" is invalid'
    edited = annotated(documents[0].obj) if flags.save_config else documents[0].obj
    meta = edited.get("metadata") or {}
    if (meta.get("name"), edited.get("kind"), edited.get("apiVersion")) != (info.name, original["kind"], original["apiVersion"]):
        return f'error: {info.resource.key} "{info.name}" is invalid: the name, kind and apiVersion of an object cannot be edited'
    row = info.resource
    patch = two_way(original, edited, schema.for_kind(row.api_version, row.kind))
    if not patch:
        ctx.out(f"{info.kind_name} skipped")
        return None
    if flags.output_patch:
        ctx.out(f"Patch: {compact(patch)}")
    try:
        after = ctx.api.patch(row, info.namespace, info.name, patch, type="strategic", subresource=flags.subresource,
                              field_manager=flags.field_manager, field_validation=field_validation(flags))
    except ApiError as error:
        if error.reason == "Invalid":
            return f'error: {row.key} "{info.name}" is invalid'
        return server_message(error)
    printers.for_objects(ctx, flags, "edited")(after, row)
    return None


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
