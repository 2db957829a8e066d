"""Output formats: -o name, json, yaml, jsonpath, go-template, custom-columns, and the word a command says when it is done.

In: parsed flags and objects. Out: text on stdout. `choose` makes a printer of the flags; `for_objects` the one that confirms what
a command did (`deployment.apps/web scaled`) unless another output was asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from server.cluster.apiserver.resources import Resource, by_kind
from server.kubectl.breath import Breathe
from server.kubectl.client import compact
from server.kubectl.context import Context
from server.kubectl.customcolumns import CustomColumns
from server.kubectl.dryrun import SUFFIX, strategy
from server.kubectl.errors import CommandError
from server.kubectl.flags import Flags, quoted
from server.kubectl.gotemplate import GoTemplate, TemplateError
from server.kubectl.govalue import gosyntax, sprint
from server.kubectl.jsonpath import JsonPath, JsonPathError
from server.kubectl.kyaml import to_kyaml
from server.kubectl.tabwriter import DESCRIBE, GET, Tabs
from server.kubectl.yamlout import to_json, to_yaml

Object = dict[str, Any]
FORMATS = ("go-template", "go-template-file", "json", "jsonpath", "jsonpath-as-json", "jsonpath-file", "kyaml", "name", "template",
           "templatefile", "yaml")
GET_FORMATS = tuple(sorted((*FORMATS, "custom-columns", "custom-columns-file", "wide")))
_FILES = ("go-template-file", "templatefile", "jsonpath-file", "custom-columns-file")


class Printer:
    """Prints objects one after the other in one format."""

    def __init__(self, ctx: Context, render: Callable[[Object, int], str], flush: Callable[[], str] | None = None):
        self._ctx = ctx
        self._render = render
        self._flush = flush
        self._count = 0

    def print(self, obj: Object) -> None:
        text = self._render(obj, self._count)
        self._count += 1
        if text:
            self._ctx.stdout.write(text)

    def flush(self) -> None:
        if self._flush is not None and (text := self._flush()):
            self._ctx.stdout.write(text)


def choose(ctx: Context, flags: Flags, formats: tuple[str, ...] = FORMATS, typed: bool = False) -> Printer | None:
    """The printer that -o and --template ask for; None when no format was given (or `wide`, which is a table). `typed` objects print
    their fields in their own order where kubectl does so."""
    output = flags.output
    template = flags.get("template") or ""
    if not output and template:
        output = "go-template"
    if not output or (output == "wide" and "wide" in formats):
        return None
    name, equals, rest = output.partition("=")
    if name not in formats or (equals and name in ("json", "yaml", "kyaml", "name", "wide")):
        raise CommandError(
            f'unable to match a printer suitable for the output format "{output}", allowed formats are: {",".join(formats)}'
        )
    keep_managed = bool(flags.get("show-managed-fields"))
    if name in ("json", "yaml", "kyaml"):
        return Printer(ctx, _DOCUMENTS[name](ctx.api.breathe, keep_managed, typed))
    if name == "name":
        return Printer(ctx, lambda obj, _: "".join(f"{named(item)}\n" for item in items_of(obj)))
    return _templated(ctx, flags, name, rest or template)


def _templated(ctx: Context, flags: Flags, name: str, text: str) -> Printer:
    columns = name.startswith("custom-columns")
    if not text:
        raise CommandError("custom-columns format specified but no custom columns given" if columns else
                           "template format specified but no template given")
    if name in _FILES:
        try:
            content = ctx.files.read(text)
        except (FileNotFoundError, IsADirectoryError):
            raise CommandError(f"error reading {'template' if columns else '--template'} {text}, open {text}: no such file or directory\n") from None
        text = content
    allow_missing = bool(flags.get("allow-missing-template-keys", True))
    if columns:
        table = CustomColumns(text, bool(flags.get("no-headers")), from_file=name in _FILES)
        return Printer(ctx, lambda obj, count: table.add(items_of(obj), ctx.api.breathe), lambda: table.flush(ctx.api.breathe))
    if name.startswith("jsonpath"):
        return Printer(ctx, _jsonpath(ctx.api.breathe, text, allow_missing, as_json=name == "jsonpath-as-json"))
    return Printer(ctx, _go_template(ctx, text, allow_missing))


def _json(breathe: Breathe, keep_managed: bool, typed: bool) -> Callable[[Object, int], str]:
    return lambda obj, _: to_json(obj if keep_managed else without_managed(obj), in_order=typed, breathe=breathe)


def _yaml(breathe: Breathe, keep_managed: bool, typed: bool) -> Callable[[Object, int], str]:
    return lambda obj, count: ("---\n" if count else "") + to_yaml(obj if keep_managed else without_managed(obj), breathe)


def _kyaml(breathe: Breathe, keep_managed: bool, typed: bool) -> Callable[[Object, int], str]:
    return lambda obj, _: to_kyaml(obj if keep_managed else without_managed(obj), typed, breathe)


_DOCUMENTS = {"json": _json, "yaml": _yaml, "kyaml": _kyaml}


def _jsonpath(breathe: Breathe, text: str, allow_missing: bool, as_json: bool) -> Callable[[Object, int], str]:
    try:
        path = JsonPath(text, allow_missing)
    except JsonPathError as error:
        raise CommandError(f"error parsing jsonpath {text}, {error}") from None

    def render(obj: Object, _: int) -> str:
        try:
            return path.text(obj, as_json, breathe)
        except JsonPathError as error:
            raise CommandError(
                f"error executing jsonpath {quoted(text)}: Error executing template: {error}. Printing more information for debugging "
                f"the template:\n\ttemplate was:\n\t\t{text}\n\tobject given to jsonpath engine was:\n\t\t{gosyntax(obj)}\n\n\n"
            ) from None

    return render


def _go_template(ctx: Context, text: str, allow_missing: bool) -> Callable[[Object, int], str]:
    try:
        template = GoTemplate(text, allow_missing)
    except TemplateError as error:
        raise CommandError(f"error parsing template {text}, {error}") from None

    def render(obj: Object, _: int) -> str:
        try:
            return template.render(obj)
        except TemplateError as error:
            ctx.stdout.write(
                f"{error.given}Error executing template: {error}. Printing more information for debugging the template:\n"
                f"\ttemplate was:\n\t\t{text}\n"
                f"\traw data was:\n\t\t{compact(obj)}\n\tobject given to template engine was:\n\t\t{sprint(obj)}\n\n"
            )
            raise CommandError(f"error executing template {quoted(text)}: {error}") from None

    return render


def for_objects(ctx: Context, flags: Flags, operation: str = "", typed: bool = False, mark_dry_run: bool = True) -> Callable[..., None]:
    """`print(obj, resource=None)`: the object in the format asked for, else `kind.group/name OPERATION` with the dry run's mark."""
    suffix = SUFFIX[strategy(flags)] if mark_dry_run and "dry-run" in flags else ""
    done = f"{operation}{suffix}"
    printer = choose(ctx, flags, typed=typed) if "output" in flags else None

    def show(obj: Object, resource: Resource | None = None) -> None:
        if printer is not None:
            printer.print(obj)
            printer.flush()
        else:
            ctx.out(f"{named(obj, resource)} {done}".rstrip())

    show.asked = printer is not None
    return show


def named(obj: Object, resource: Resource | None = None) -> str:
    """`deployment.apps/web`"""
    kind, version = obj.get("kind") or "", obj.get("apiVersion") or ""
    row = resource if not kind else by_kind(version, kind)
    group = row.group if row is not None else version.rpartition("/")[0]
    kind = (kind or (row.kind if row else "")).lower()
    return f"{kind}.{group}/{obj['metadata']['name']}" if group else f"{kind}/{obj['metadata']['name']}"


def items_of(obj: Object) -> list[Object]:
    """The items of a List, or the object alone."""
    return obj["items"] if isinstance(obj.get("items"), list) and str(obj.get("kind", "")).endswith("List") else [obj]


def list_of(objects: list[Object]) -> Object:
    return {"apiVersion": "v1", "kind": "List", "metadata": {"resourceVersion": ""}, "items": objects}


def without_managed(obj: Object) -> Object:
    meta = obj.get("metadata")
    if isinstance(obj.get("items"), list) and str(obj.get("kind", "")).endswith("List"):
        return {**obj, "items": [without_managed(item) for item in obj["items"]]}
    if isinstance(obj.get("object"), dict) and "type" in obj:
        return {**obj, "object": without_managed(obj["object"])}
    if isinstance(meta, dict) and "managedFields" in meta:
        return {**obj, "metadata": {key: value for key, value in meta.items() if key != "managedFields"}}
    return obj


__all__ = ["DESCRIBE", "GET", "GET_FORMATS", "Printer", "Tabs", "choose", "for_objects", "items_of", "list_of", "named", "to_json", "to_yaml",
           "without_managed"]
