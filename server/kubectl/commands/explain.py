"""kubectl explain: a type's fields and what they mean, from Kubernetes' own schema.

In: TYPE or TYPE.FIELD.FIELD. Out: its description, and its fields with theirs; --recursive lists the whole tree of names.
"""

from __future__ import annotations

import re

from server.cluster import schema
from server.cluster.apiserver.resources import Resource, by_kind
from server.cluster.schema import Field, Type, inner
from server.kubectl import resources
from server.kubectl.command import Command
from server.kubectl.context import Context
from server.kubectl.errors import CommandError, PlainError
from server.kubectl.flags import Flag, Flags

WIDTH = 76
_NAMES = {"array": "", "map": "", "string": "string", "bytes": "string", "time": "string", "microtime": "string", "integer": "integer",
          "number": "number", "boolean": "boolean"}
_ENUM_SHOWN = 4


def explain(ctx: Context, args: list[str], flags: Flags) -> None:
    if not args:
        raise CommandError('You must specify the type of resource to explain. Use "kubectl api-resources" for a complete list of supported '
                           "resources.")
    if len(args) > 1:
        raise CommandError("We accept only this format: explain RESOURCE")
    if flags.output not in ("plaintext", "plaintext-openapiv2"):
        raise CommandError(f"unknown output format: {flags.output}" if flags.output else "output format cannot be empty")
    row, path = _asked(ctx, args[0], flags.api_version)
    type_ = schema.for_kind(row.api_version, row.kind)
    field: Field | None = None
    for step in path:
        owner = inner(field.type if field else type_)
        if step not in owner.fields:
            ctx.stdout.write(_head(row))
            raise CommandError(f'field "{step}" does not exist')
        field = owner.fields[step]
    ctx.stdout.write(_page(row, type_, field, flags.recursive))


def _asked(ctx: Context, text: str, api_version: str) -> tuple[Resource, list[str]]:
    steps = text.rstrip(".").split(".")
    if not steps[0]:
        raise CommandError("a resource must be present, got: /, Resource=")
    if not all(steps):
        raise CommandError("invalid jsonpath syntax, first node must be field node")
    for count in range(len(steps), 0, -1):
        word = ".".join(steps[:count])
        row = resources.try_lookup(ctx, word)
        if row is not None and (count == 1 or row.group):
            resources.warn_if_ambiguous(ctx, word, row)
            if api_version and (other := by_kind(api_version, row.kind)) is not None and other.plural == row.plural:
                row = other
            if api_version and api_version != row.api_version:
                raise CommandError(f'couldn\'t find resource for "{api_version}, Resource={row.plural}"')
            return row, steps[count:]
    raise PlainError(f'the server doesn\'t have a resource type "{steps[0]}"')


def _page(row: Resource, type_: Type, field: Field | None, recursive: bool) -> str:
    head = _head(row)
    shown = inner(field.type if field else type_)
    texts = [type_.description] if field is None else [field.description, shown.description]
    if field is not None:
        head += f"FIELD: {field.name} <{type_name(field.type)}>\n"
        values = _enum(field)
        head += "ENUM:\n" + "".join(f"    {value}\n" for value in values) + "\n" if values else "\n\n"
    described = "\n".join(dict.fromkeys(text for text in texts if text)) or "<empty>"
    head += "DESCRIPTION:\n" + _indented(described, 4) + "    \n"
    if not shown.fields:
        return head + "\n"
    body = _tree(shown, 1, (shown.name,)) if recursive else "".join(_entry(shown.fields[name]) for name in sorted(shown.fields))
    return f"{head}FIELDS:\n{body}\n"


def _head(row: Resource) -> str:
    return (f"GROUP:      {row.group}\n" if row.group else "") + f"KIND:       {row.kind}\nVERSION:    {row.version}\n\n"


def _entry(field: Field) -> str:
    return _line(field, "  ") + _indented(field.description or "<no description>", 4) + "\n"


def _line(field: Field, pad: str) -> str:
    line = f"{pad}{field.name}\t<{type_name(field.type)}>{_required(field)}\n"
    if values := _enum(field):
        line += f"{pad}enum: {', '.join(values[:_ENUM_SHOWN])}{', ....' if len(values) > _ENUM_SHOWN else ''}\n"
    return line


def _tree(type_: Type, depth: int, above: tuple[str, ...]) -> str:
    text = ""
    for name in sorted(type_.fields):
        field = type_.fields[name]
        text += _line(field, "  " * depth)
        below = inner(field.type)
        if below.fields and below.name not in above:
            text += _tree(below, depth + 1, (*above, below.name))
    return text


def _enum(field: Field) -> list[str]:
    """The values a field can have; an object's own kind and apiVersion are no choice."""
    if field.name in ("apiVersion", "kind") and len(field.enum) == 1:
        return []
    return [value or '""' for value in field.enum]


def _required(field: Field) -> str:
    return " -required-" if field.required else ""


def type_name(type_: Type) -> str:
    """`[]Container`, `map[string]string`, `IntOrString`: as explain prints it."""
    if type_.kind == "array":
        return f"[]{type_name(type_.element)}"
    if type_.kind == "map":
        return f"map[string]{type_name(type_.element)}"
    return _NAMES.get(type_.kind) or type_.short or "Object"


def _indented(text: str, indent: int) -> str:
    pad = " " * indent
    return "".join(f"{pad}{line}\n" for paragraph in text.split("\n") for line in _wrapped(paragraph))


def _wrapped(paragraph: str) -> list[str]:
    """Lines of at most 76 characters; blanks stay as they are but where a line ends, a word that is longer stands alone."""
    lines, current = [], ""
    for blank, word in re.findall(r"(\s*)(\S+)", paragraph):
        if current and len(current) + len(blank) + len(word) > WIDTH:
            lines.append(current)
            current = word
        else:
            current += blank + word
    return [*lines, current]


COMMANDS = (
    Command(
        "explain",
        explain,
        flags=(
            Flag("api-version", "", "", "group/version of the type."),
            Flag("output", "o", "plaintext", "plaintext or plaintext-openapiv2."),
            Flag("recursive", "", False, "List the whole tree of fields by name."),
        ),
        short="Get documentation for a resource",
        use="TYPE [--recursive=FALSE|TRUE] [--api-version=api-version-group] [-o|--output=plaintext|plaintext-openapiv2]",
    ),
)
