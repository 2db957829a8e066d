"""kubectl get: tables, or objects in another format, once or as they change.

In: types, names, files, selectors. Out: text on stdout; `No resources found` on stderr. Tables come from the API server.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from server.cluster.apiserver.resources import Resource
from server.cluster.errors import ApiError
from server.cluster.process import Closed, Take
from server.cluster.store import BOOKMARK
from server.kubectl import printers, resources, tables
from server.kubectl.client import compact
from server.kubectl.command import ALL_NAMESPACES, CHUNK_SIZE, FIELD_SELECTOR, FILENAME, SELECTOR, SUBRESOURCE, TEMPLATE, Command
from server.kubectl.context import Context
from server.kubectl.errors import CommandError, Errors, UsageError, raise_all
from server.kubectl.flags import Flag, Flags
from server.kubectl.human import TableOptions, TablePrinter
from server.kubectl.raw import raw_get

Object = dict[str, Any]


def get(ctx: Context, args: list[str], flags: Flags) -> Generator[Any, Any, int | None]:
    if flags.raw:
        _check_raw(args, flags)
        ctx.stdout.write(raw_get(ctx, flags.raw))
        return None
    _check(ctx, args, flags)
    printer = printers.choose(ctx, flags, printers.GET_FORMATS)
    if flags.watch or flags.watch_only:
        return (yield from _watch(ctx, args, flags, printer))
    if printer is not None:
        _objects(ctx, args, flags, printer)
    else:
        _tables(ctx, args, flags)
    return None


def _check(ctx: Context, args: list[str], flags: Flags) -> None:
    if not args and not flags.filename and not flags.kustomize:
        ctx.err('You must specify the type of resource to get. Use "kubectl api-resources" for a complete list of supported resources.\n')
        raise UsageError('Required resource not specified.\nUse "kubectl explain <resource>" for a detailed description of that resource '
                         "(e.g. kubectl explain pods).")
    if flags.output_watch_events and not (flags.watch or flags.watch_only):
        raise CommandError("--output-watch-events option can only be used with --watch or --watch-only")
    if not flags.server_print:
        raise CommandError("--server-print=false is not available in Podium: tables come from the API server")
    if flags.sort_by and (flags.watch or flags.watch_only):
        ctx.err("warning: --watch requested, --sort-by will be ignored for watch events received")
    if flags.show_labels and flags.output not in ("", "wide"):
        raise CommandError("--show-labels option cannot be used with " + flags.output.partition("=")[0] + " printer")


def _check_raw(args: list[str], flags: Flags) -> None:
    if flags.watch or flags.watch_only or flags.selector or flags.field_selector:
        raise CommandError("--raw may not be specified with other flags that filter the server request or alter the output")
    if flags.output:
        raise CommandError("--raw and --output are mutually exclusive")
    if args:
        raise CommandError("arguments may not be passed when --raw is specified")


def _find(ctx: Context, args: list[str], flags: Flags, **more: Any) -> resources.Found:
    return resources.find(
        ctx, args, filenames=flags.filename, recursive=flags.recursive, kustomize=flags.kustomize, selector=flags.selector,
        field_selector=flags.field_selector, all_namespaces=flags.all_namespaces, subresource=flags.subresource, **more,
    )


# objects in another format


def _objects(ctx: Context, args: list[str], flags: Flags, printer: printers.Printer) -> None:
    found = _find(ctx, args, flags, ignore_missing=flags.ignore_not_found)
    errors = found.errors
    objects = [info.object for info in found.infos]
    if found.single and not objects:
        if errors:
            raise_all(errors)
        return
    if flags.sort_by and objects:
        objects = tables.sort_objects(objects, flags.sort_by, ctx.api.breathe)
    if errors and not objects:
        raise_all(errors)
    printer.print(objects[0] if found.single and len(objects) == 1 else printers.list_of(objects))
    printer.flush()
    raise_all(errors)


# tables


def _tables(ctx: Context, args: list[str], flags: Flags) -> None:
    listed, errors = _listed(ctx, args, flags)
    kinds = list(dict.fromkeys(entry.resource.key for entry in listed))
    with_kind = flags.show_kind or len(kinds) > 1
    namespaced = not flags.all_namespaces and all(entry.resource.namespaced for entry in listed)
    printer: TablePrinter | None = None
    last: Resource | None = None
    written = False
    if flags.sort_by and len(listed) > 1:
        raise tables.nowhere(flags.sort_by)
    for entry in listed:
        table = tables.sort_rows(entry.table, flags.sort_by, ctx.api.breathe) if flags.sort_by else entry.table
        if printer is None or entry.resource is not last:
            written |= _flush(ctx, printer, written and not flags.no_headers)
            printer, last = TablePrinter(entry.resource, _options(flags, entry.resource, with_kind), ctx.api.breathe), entry.resource
        printer.add(table)
    written |= _flush(ctx, printer, written and not flags.no_headers)
    if not written and not flags.ignore_not_found and not errors:
        ctx.err(f"No resources found in {ctx.namespace} namespace." if namespaced else "No resources found")
    if errors and flags.filename:
        raise Errors(errors)
    raise_all(errors)


def _flush(ctx: Context, printer: TablePrinter | None, separate: bool) -> bool:
    text = printer.flush() if printer is not None else ""
    if text:
        ctx.stdout.write(("\n" if separate else "") + text)
    return bool(text)


def _options(flags: Flags, resource: Resource, with_kind: bool) -> TableOptions:
    return TableOptions(
        wide=flags.output == "wide",
        no_headers=flags.no_headers,
        with_namespace=flags.all_namespaces and resource.namespaced,
        with_kind=with_kind,
        show_labels=flags.show_labels,
        label_columns=tuple(flags.label_columns),
        events=flags.output_watch_events,
    )


def _listed(ctx: Context, args: list[str], flags: Flags) -> tuple[list[tables.Listed], list[Exception]]:
    """A table for each type asked for as a whole, and for each object asked for by name."""
    include = "Object" if flags.sort_by else "Metadata"
    if not flags.filename and not flags.kustomize:
        arguments = resources.read_arguments(ctx, args)
        if arguments.types and not arguments.names:
            return _whole_types(ctx, arguments.types, flags, include)
    found = _find(ctx, args, flags, fetch=False)
    listed, errors = [], list(found.errors)
    for info in found.infos:
        try:
            if not info.name:
                raise CommandError("resource name may not be empty")
            table = ctx.api.get(info.resource, info.namespace, info.name, subresource=flags.subresource, table=include)
            listed.append(tables.Listed(info.resource, table))
        except ApiError as error:
            if not (flags.ignore_not_found and error.reason == "NotFound"):
                errors.append(error)
        except CommandError as error:
            errors.append(error)
    return listed, errors


def _whole_types(ctx: Context, types: list[str], flags: Flags, include: str) -> tuple[list[tables.Listed], list[Exception]]:
    if flags.subresource:
        raise CommandError("subresource cannot be used when bulk resources are specified")
    rows = [resources.lookup(ctx, one) for one in types]
    namespace = "" if flags.all_namespaces else ctx.namespace
    listed, errors = [], []
    for row in rows:
        try:
            table = ctx.api.list(row, namespace if row.namespaced else "", table=include, label_selector=flags.selector,
                                 field_selector=flags.field_selector)
            listed.append(tables.Listed(row, table))
        except ApiError as error:
            errors.append(resources.explained(row, flags.selector, flags.field_selector, error))
    return listed, errors


# watching


def _watch(ctx: Context, args: list[str], flags: Flags, printer: printers.Printer | None) -> Generator[Any, Any, int | None]:
    row, namespace, name = _watched(ctx, args, flags)
    selectors = {"label_selector": flags.selector, "field_selector": flags.field_selector}
    human = TablePrinter(row, _options(flags, row, flags.show_kind)) if printer is None else None

    def show(obj: Object, event: str) -> None:
        if human is not None:
            human.add(tables.of_event(ctx, row, obj), event)
        elif flags.output_watch_events and flags.output == "json":
            ctx.out(f'{{"type":"{event}","object":{compact(printers.without_managed(obj))}}}')
        elif flags.output_watch_events and flags.output in ("yaml", "kyaml"):
            printer.print({"object": obj, "type": event})
        else:
            printer.print(obj)

    def flush() -> None:
        if human is None:
            printer.flush()
        elif text := human.flush():
            ctx.stdout.write(text)

    if name:
        existing = [ctx.api.get(row, namespace, name)]
        revision = str(ctx.api.server.store.revision)
        selectors["field_selector"] = f"metadata.name={name}"
    else:
        try:
            listed = ctx.api.list(row, namespace, **selectors)
        except ApiError as error:
            raise resources.explained(row, flags.selector, flags.field_selector, error) from None
        existing, revision = listed["items"], listed["metadata"]["resourceVersion"]
    if not flags.watch_only:
        for obj in existing:
            show(_typed(row, obj), "ADDED")
        flush()
    stream = ctx.api.watch(row, namespace, resource_version=revision, **selectors)
    try:
        while True:
            event = yield Take(stream)
            if event.type != BOOKMARK:
                show(_typed(row, event.object), event.type)
                flush()
    except Closed:
        return None
    finally:
        stream.close()


def _typed(row: Resource, obj: Object) -> Object:
    return obj if "kind" in obj else {"apiVersion": row.api_version, "kind": row.kind, **obj}


def _watched(ctx: Context, args: list[str], flags: Flags) -> tuple[Resource, str, str]:
    """The one resource type, namespace and perhaps name to watch."""
    if flags.filename:
        infos = _find(ctx, args, flags, fetch=False, stop_at_error=True).infos
        if len(infos) != 1:
            raise CommandError(
                f"watch is only supported on individual resources and resource collections - {len(infos)} resources were found")
        return infos[0].resource, infos[0].namespace, infos[0].name
    arguments = resources.read_arguments(ctx, args)
    kinds = list(dict.fromkeys([*arguments.types, *(kind for kind, _ in arguments.pairs)]))
    if len(kinds) != 1:
        raise CommandError("you may only specify a single resource type")
    row = resources.lookup(ctx, kinds[0])
    names = arguments.names or [name for _, name in arguments.pairs]
    if len(names) > 1:
        raise CommandError(
            f"watch is only supported on individual resources and resource collections - {len(names)} resources were found")
    if names and row.namespaced and flags.all_namespaces:
        raise CommandError("a resource cannot be retrieved by name across all namespaces")
    namespace = "" if flags.all_namespaces or not row.namespaced else ctx.namespace
    return row, namespace, names[0] if names else ""


COMMANDS = (
    Command(
        "get",
        get,
        flags=(
            ALL_NAMESPACES, CHUNK_SIZE, FIELD_SELECTOR, *FILENAME, SELECTOR, SUBRESOURCE, TEMPLATE,
            Flag("allow-missing-template-keys", "", True, "Let templates name fields that are not there."),
            Flag("ignore-not-found", "", False, "Say nothing of named objects that do not exist."),
            Flag("label-columns", "L", [], "Show these labels as columns; comma separated, may be repeated."),
            Flag("no-headers", "", False, "Print no header row."),
            Flag("output", "o", "", "Output format: json, yaml, kyaml, name, go-template, go-template-file, template, templatefile, jsonpath, "
                 "jsonpath-as-json, jsonpath-file, custom-columns, custom-columns-file, wide."),
            Flag("output-watch-events", "", False, "With --watch, print what kind of event it was."),
            Flag("raw", "", "", "Path to ask the server for, printed as it answers."),
            Flag("server-print", "", True, "Let the server make the table."),
            Flag("show-kind", "", False, "Put the type before each name."),
            Flag("show-labels", "", False, "Show all labels as the last column."),
            Flag("show-managed-fields", "", False, "Keep managedFields in JSON and YAML output."),
            Flag("sort-by", "", "", "JSONPath of the field to sort lists by."),
            Flag("watch", "w", False, "After listing, print every change."),
            Flag("watch-only", "", False, "Print every change without listing first."),
        ),
        short="Display one or many resources",
        use="[(-o|--output=)json|yaml|kyaml|name|go-template|go-template-file|template|templatefile|jsonpath|jsonpath-as-json|jsonpath-file|"
            "custom-columns|custom-columns-file|wide] (TYPE[.VERSION][.GROUP] [NAME | -l label] | TYPE[.VERSION][.GROUP]/NAME ...) [flags]",
        suggest_for=("list", "ps"),
    ),
)
