"""Which objects a command line means: TYPE NAME..., TYPE/NAME, a,b,c, -f FILE, -l SELECTOR, --all.

In: arguments, flags and the context. Out: `Info`s, each a resource, a namespace, a name and, when asked for, the live object. It
is kubectl's resource builder, with its rules of what may be combined and its words for what may not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from server.cluster import schema
from server.cluster.apiserver.resources import VERSIONS, Resource, by_kind
from server.cluster.apiserver.typed import Decoder, TypeMismatch
from server.cluster.errors import ApiError
from server.kubectl import manifests
from server.kubectl.context import Context
from server.kubectl.errors import CommandError, no_resource_type, raise_all

Object = dict[str, Any]
MISSING = """You must provide one or more resources by argument or filename.
Example resource specifications include:
   '-f rsrc.yaml'
   '--filename=rsrc.json'
   '<resource> <name>'
   '<resource>'"""
# Order in which a category is expanded: discovery's, and within a group by name as the server lists them.
_GROUP_ORDER = ("", "apps", "autoscaling", "batch")


@dataclass
class Info:
    """One object meant: `object` is live or from the file; `source` the file's name or ""."""

    resource: Resource
    namespace: str
    name: str
    object: Object | None = None
    source: str = ""
    manifest: Object | None = None

    @property
    def kind_name(self) -> str:
        """`deployment.apps/web`, as confirmations print it."""
        return f"{typed(self.resource)}/{self.name}"

    @property
    def typed(self) -> str:
        return typed(self.resource)


@dataclass
class Found:
    """`single` says that one object was asked for, so that it prints as itself, not as a List; `errors` did not stop the rest."""

    infos: list[Info]
    single: bool = False
    errors: list[Exception] = field(default_factory=list)

    def __iter__(self) -> Iterator[Info]:
        return iter(self.infos)


def typed(resource: Resource) -> str:
    """`deployment.apps`, `pod`: the lower-case kind with its group."""
    return f"{resource.kind.lower()}.{resource.group}" if resource.group else resource.kind.lower()


def lookup(ctx: Context, word: str) -> Resource:
    """The resource a word names: plural, singular, short name or kind, with .VERSION.GROUP or .GROUP."""
    found = try_lookup(ctx, word)
    if found is None:
        raise no_resource_type(word.partition(".")[0])
    warn_if_ambiguous(ctx, word, found)
    return found


def warn_if_ambiguous(ctx: Context, word: str, found: Resource) -> None:
    """Says, once a command, what else a short name could have meant."""
    if word in found.short_names:
        others = {f"{row.plural}.{row.group}" for row in _served(ctx) if word in row.short_names and (row.plural, row.group) != (
            found.plural, found.group)}
        for other in sorted(others):
            ctx.warn_once(f'short name "{word}" could also match lower priority resource {other}')


def _served(ctx: Context) -> list[Resource]:
    return [*ctx.api.resources.values(), *VERSIONS.values()]


def try_lookup(ctx: Context, word: str) -> Resource | None:
    head, _, rest = word.lower().partition(".")
    rows = [row for row in (_served(ctx) if rest else ctx.api.resources.values()) if head in (row.plural, row.singular, row.kind.lower())]
    short = [row for row in _served(ctx) if head in row.short_names and row not in rows]
    if not rest:
        return next(iter((*rows, *short)), None)
    for row in rows:
        versioned = f"{row.version}.{row.group}" if row.group else row.version
        if rest in (versioned, row.group) or (row.group and row.group.startswith(rest + ".")):
            return row
    # behind a short name kubectl hears the group and forgets the version
    return next((row for row in short if row.group == rest or (row.group and rest.endswith(f".{row.group}"))
                 or row.group.startswith(f"{rest}.")), None)


def for_object(ctx: Context, obj: Object, source: str = "") -> Resource:
    """The resource of an object from a file."""
    version, kind = str(obj.get("apiVersion") or ""), str(obj.get("kind") or "")
    row = by_kind(version, kind)
    if row is not None and (row.stored or row.key in ctx.api.resources):
        return row
    meta = obj.get("metadata") if isinstance(obj.get("metadata"), dict) else {}
    raise CommandError(
        f'resource mapping not found for name: "{meta.get("name") or ""}" namespace: "{meta.get("namespace") or ""}" from "{source}": '
        f'no matches for kind "{kind}" in version "{version}"\nensure CRDs are installed first'
    )


def category(ctx: Context, word: str) -> list[Resource]:
    """The resources of a category such as `all`, in the order kubectl lists them."""
    rows = [row for row in ctx.api.resources.values() if word in row.categories]
    return sorted(rows, key=lambda row: (_GROUP_ORDER.index(row.group) if row.group in _GROUP_ORDER else len(_GROUP_ORDER), row.plural))


def explained(resource: Resource, selector: str, field_selector: str, error: ApiError) -> ApiError:
    """A list's failure with what was asked for, as kubectl words it."""
    if error.reason not in ("BadRequest", "NotFound"):
        return error
    version = f"{resource.group}/{resource.version}"
    what = f'"{version}, Resource={resource.plural}"'
    if selector or field_selector:
        text = f'Unable to find {what} that match label selector "{selector}", field selector "{field_selector}": {error.message}'
    else:
        text = f"Unable to list {what}: {error.message}"
    return ApiError(error.code, error.reason, text, error.details)


def split_types(text: str) -> list[str]:
    return list(dict.fromkeys(text.split(",")))


@dataclass
class Arguments:
    """The arguments, read but not looked up: types with names, types alone, or TYPE/NAME pairs."""

    types: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    pairs: list[tuple[str, str]] = field(default_factory=list)


def read_arguments(ctx: Context, args: list[str]) -> Arguments:
    if len(args) >= 2 and len(split_types(args[0])) > 1:
        args = [f"{one}/{name}" for one in split_types(args[0]) for name in args[1:]]
    slashes = sum("/" in arg for arg in args)
    if slashes and slashes != len(args):
        raise CommandError(
            "there is no need to specify a resource type as a separate argument when passing arguments in resource/name form (e.g. "
            "'kubectl get resource/<resource_name>' instead of 'kubectl get resource resource/<resource_name>'"
        )
    if slashes:
        return Arguments(pairs=[_pair(arg) for arg in args])
    if not args:
        return Arguments()
    types: list[str] = []
    for one in split_types(args[0]):
        expanded = category(ctx, one) if try_lookup(ctx, one) is None else []
        types += [row.key for row in expanded] or [one]
    return Arguments(types=list(dict.fromkeys(types)), names=list(args[1:]))


def _pair(arg: str) -> tuple[str, str]:
    parts = arg.split("/")
    if len(parts) != 2:
        raise CommandError("arguments in resource/name form may not have more than one slash")
    if not all(parts) or len(split_types(parts[0])) != 1:
        raise CommandError("arguments in resource/name form must have a single resource and name")
    return parts[0], parts[1]


def find(
    ctx: Context,
    args: list[str],
    *,
    filenames: list[str] = (),
    recursive: bool = False,
    kustomize: str = "",
    selector: str = "",
    field_selector: str = "",
    everything: bool = False,
    all_namespaces: bool = False,
    types_alone: bool = True,
    fetch: bool = True,
    validate: bool = False,
    subresource: str = "",
    stop_at_error: bool = False,
    local: bool = False,
    ignore_missing: bool = False,
) -> Found:
    """The objects meant.

    types_alone: a type without a name means all of that type (get does, delete does not).
    fetch: read each object from the server; without it Infos from files carry the file's object, others none.
    validate: say of documents without kind or apiVersion what client-side validation says (create, apply, replace).
    stop_at_error: raise the first failure; without it they are collected in `Found.errors`, the rest goes on.
    """
    if kustomize:
        refuse_kustomize(ctx, kustomize)
    arguments = read_arguments(ctx, args)
    namespace = "" if all_namespaces else ctx.namespace
    chosen = bool(selector or field_selector or everything)
    if filenames:
        found = _from_files(ctx, list(filenames), arguments, recursive, validate, local, selector)
    elif chosen or (types_alone and arguments.types and not arguments.names):
        found = _selected(ctx, arguments, namespace, selector, field_selector, subresource)
        return _finish(found, stop_at_error)
    elif arguments.pairs:
        rows = [(lookup(ctx, kind), name) for kind, name in arguments.pairs]
        found = Found([_named(ctx, row, name, all_namespaces) for row, name in rows], single=len(rows) == 1)
    elif arguments.names:
        if not arguments.types:
            raise CommandError("you must provide a resource and a resource name together")
        if len(arguments.types) > 1:
            raise CommandError("you must specify only one resource")
        row = lookup(ctx, arguments.types[0])
        found = Found([_named(ctx, row, name, all_namespaces) for name in arguments.names], single=len(arguments.names) == 1)
    elif arguments.types:
        for one in arguments.types:
            lookup(ctx, one)
        raise CommandError("resource(s) were provided, but no name was specified")
    else:
        raise CommandError(MISSING)
    if fetch and not local:
        found = _fetched(ctx, found, subresource, stop_at_error, ignore_missing)
    return _finish(found, stop_at_error)


def refuse_kustomize(ctx: Context, folder: str) -> None:
    names = ("kustomization.yaml", "kustomization.yml", "Kustomization")
    if any(ctx.files.exists(name if folder in (".", "./") else f"{folder.rstrip('/')}/{name}") for name in names):
        raise CommandError("kustomizations (-k) are not available in Podium")
    raise CommandError(
        f"unable to find one of 'kustomization.yaml', 'kustomization.yml' or 'Kustomization' in directory '{folder}'"
    )


def _finish(found: Found, stop_at_error: bool) -> Found:
    if stop_at_error:
        raise_all(found.errors[:1])
    return found


def _named(ctx: Context, row: Resource, name: str, all_namespaces: bool) -> Info:
    if row.namespaced and all_namespaces:
        raise CommandError("a resource cannot be retrieved by name across all namespaces")
    return Info(row, ctx.namespace if row.namespaced else "", name)


def _selected(ctx: Context, arguments: Arguments, namespace: str, selector: str, field_selector: str, subresource: str) -> Found:
    if arguments.names:
        raise CommandError("name cannot be provided when a selector is specified")
    if arguments.pairs:
        raise CommandError("selectors and the all flag cannot be used when passing resource/name arguments")
    if not arguments.types:
        raise CommandError("at least one resource must be specified to use a selector")
    if subresource:
        raise CommandError("subresource cannot be used when bulk resources are specified")
    rows = [lookup(ctx, one) for one in arguments.types]
    infos: list[Info] = []
    errors: list[Exception] = []
    for row in rows:
        try:
            items = ctx.api.items(row, namespace if row.namespaced else "", label_selector=selector, field_selector=field_selector)
        except ApiError as error:
            errors.append(explained(row, selector, field_selector, error))
            continue
        for item in items:
            obj = {"apiVersion": row.api_version, "kind": row.kind, **item}
            infos.append(Info(row, item["metadata"].get("namespace", ""), item["metadata"]["name"], obj))
    return Found(infos, errors=errors)


def _from_files(ctx: Context, names: list[str], arguments: Arguments, recursive: bool, validate: bool, local: bool,
                selector: str) -> Found:
    if arguments.types or arguments.names or arguments.pairs:
        raise CommandError("when paths, URLs, or stdin is provided as input, you may not specify resource arguments as well")
    found = Found([], single=len(names) == 1 and names[0] != "-")
    for source, text in manifests.sources(ctx, names, recursive):
        for document in manifests.parse(text, source, ctx.api.breathe):
            if isinstance(document, Exception):
                found.errors.append(document)
                break
            problem = manifests.require_kind(document) if validate else None
            if problem is None and not document.object.get("kind"):
                problem = manifests.undecodable(document)
            if problem is not None:
                found.errors.append(problem)
                break
            _add_documents(ctx, found, document, local)
    if selector:
        from server.cluster.selectors import parse

        wanted = parse(selector)
        found.infos = [info for info in found.infos if wanted.matches(info.object["metadata"].get("labels") or {})]
    return found


def _add_documents(ctx: Context, found: Found, document: manifests.Document, local: bool) -> None:
    for one in manifests.flattened(document):
        try:
            found.infos.append(from_document(ctx, one, local))
        except CommandError as error:
            found.errors.append(error)


def from_document(ctx: Context, document: manifests.Document, local: bool = False) -> Info:
    """An Info of one document: its resource, and its namespace as -n and the context say; `local` leaves the object as it is."""
    obj = document.object
    _check_metadata(document)
    row = for_object(ctx, obj, document.source)
    meta = obj.get("metadata") if isinstance(obj.get("metadata"), dict) else {}
    namespace = str(meta.get("namespace") or "") if row.namespaced else ""
    if row.namespaced:
        if ctx.namespace_given and namespace and namespace != ctx.namespace:
            raise CommandError(
                f'the namespace from the provided object "{namespace}" does not match the namespace "{ctx.namespace}". You must pass '
                f"'--namespace={namespace}' to perform this operation."
            )
        if not namespace and not local:
            namespace = ctx.namespace
            obj = {**obj, "metadata": {**meta, "namespace": namespace}}
    elif meta.get("namespace"):
        obj = {**obj, "metadata": {key: value for key, value in meta.items() if key != "namespace"}}
    return Info(row, namespace, str(meta.get("name") or ""), obj, document.source, obj)


def _check_metadata(document: manifests.Document) -> None:
    """kubectl reads the metadata of a document itself, and refuses what has the wrong type."""
    try:
        Decoder().decode({"metadata": document.object.get("metadata")}, schema.for_kind("v1", "ConfigMap"))
    except TypeMismatch as error:
        told = str(error).replace("field ConfigMap.", "field metadataOnlyObject.")
        raise CommandError(f'unable to decode "{document.source}": {told}') from None


def _fetched(ctx: Context, found: Found, subresource: str, stop_at_error: bool, ignore_missing: bool) -> Found:
    infos: list[Info] = []
    errors = list(found.errors)
    for info in found.infos:
        try:
            if not info.name:
                raise CommandError("resource name may not be empty")
            info.object = ctx.api.get(info.resource, info.namespace, info.name, subresource=subresource)
            infos.append(info)
        except (ApiError, CommandError) as error:
            if ignore_missing and isinstance(error, ApiError) and error.reason == "NotFound":
                continue
            errors.append(error)
            if stop_at_error:
                break
    return Found(infos, found.single, errors)
