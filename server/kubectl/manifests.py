"""Objects from files: -f FILE, -f DIRECTORY, -f -, several documents, JSON or YAML.

In: names as typed and the terminal's file system. Out: `Document`s, each an object and its source's name as errors quote it.
A broken document is reported after the good ones before it, as kubectl does.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from server.cluster.yamltext import load_yaml
from server.kubectl.client import compact
from server.kubectl.context import Context
from server.kubectl.errors import CommandError, PlainError, message_of

_EXTENSIONS = (".json", ".yaml", ".yml")


@dataclass(frozen=True)
class Document:
    """`source` is what error messages quote."""

    object: dict[str, Any]
    source: str


def sources(ctx: Context, names: list[str], recursive: bool = False) -> list[tuple[str, str]]:
    """(name, text) of each file; raises if a name leads nowhere."""
    return [entry for name in names for entry in _sources(ctx, name, recursive)]


def _sources(ctx: Context, name: str, recursive: bool) -> list[tuple[str, str]]:
    if name == "-":
        return [("STDIN", ctx.stdin_text or "")]
    if name.startswith(("http://", "https://")):
        return [(name, _page(ctx, name))]
    try:
        return [(name, ctx.files.read(name))]
    except IsADirectoryError:
        return _directory(ctx, name.rstrip("/"), recursive)
    except FileNotFoundError:
        matches = _glob(ctx, name)
        if matches:
            return [(match, ctx.files.read(match)) for match in matches]
        raise CommandError(f'the path "{name}" does not exist') from None


def _page(ctx: Context, url: str) -> str:
    if url in ctx.pages:
        return ctx.pages[url]
    try:
        return ctx.files.read(url)
    except FileNotFoundError:
        host = re.sub(r"^https?://([^/]*).*", r"\1", url)
        raise PlainError(f"The connection to the server {host} was refused - did you specify the right host or port?") from None


def _directory(ctx: Context, path: str, recursive: bool) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for entry in sorted(ctx.files.listdir(path)):
        inner = entry.rstrip("/") if path in (".", "") else f"{path}/{entry.rstrip('/')}"
        try:
            if entry.endswith(_EXTENSIONS):
                found.append((inner, ctx.files.read(inner)))
            elif recursive:
                ctx.files.read(inner)
        except IsADirectoryError:
            if recursive:
                found += _directory(ctx, inner, recursive)
    if not found and not recursive:
        listed = ", ".join(_EXTENSIONS)
        raise CommandError(f"error reading [{path}]: recognized file extensions are [{listed}]")
    return found


def _glob(ctx: Context, pattern: str) -> list[str]:
    if not any(letter in pattern for letter in "*?["):
        return []
    folder, slash, last = pattern.rpartition("/")
    try:
        return sorted(f"{folder}{slash}{entry}" for entry in ctx.files.listdir(folder or ".") if fnmatch.fnmatchcase(entry, last))
    except (FileNotFoundError, NotADirectoryError):
        return []


def parse(text: str, source: str, breathe: Callable[[], None]) -> Iterator[Document | Exception]:
    for loaded in load_yaml(text, breathe=breathe):
        if loaded.error is not None:
            yield CommandError(f"error parsing {source}: {message_of(loaded.error)}")
            return
        if not isinstance(loaded.obj, dict):
            yield CommandError(f"error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {_json_kind(loaded.obj)} into Go value "
                               "of type map[string]interface {}")
            return
        yield Document(loaded.obj, source)


def flattened(document: Document) -> list[Document]:
    """A List's items as documents of their own."""
    obj = document.object
    if str(obj.get("kind", "")).endswith("List") and isinstance(obj.get("items"), list):
        return [Document(item, document.source) for item in obj["items"] if isinstance(item, dict)]
    return [document]


def require_kind(document: Document) -> Exception | None:
    """What client-side validation says of a document that does not say what it is."""
    missing = [f"{field} not set" for field in ("apiVersion", "kind") if not document.object.get(field)]
    if not missing:
        return None
    told = missing[0] if len(missing) == 1 else f"[{', '.join(missing)}]"
    return CommandError(
        f'error validating "{document.source}": error validating data: {told}; if you choose to ignore these errors, turn validation '
        "off with --validate=false"
    )


def undecodable(document: Document) -> Exception:
    return CommandError(f"unable to decode \"{document.source}\": Object 'Kind' is missing in '{compact(document.object)}'")


def _json_kind(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    return "array" if isinstance(value, list) else "string" if isinstance(value, str) else "number"
