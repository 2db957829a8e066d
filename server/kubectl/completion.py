"""What Tab offers in the terminal: commands, flags, resource types, names, namespaces, files.

In: the line (with its leading `kubectl` or `k`), the cursor and the context. Out: where the word begins and the words it could become.
Everything comes from the declarations of commands and flags and from the API server.
"""

from __future__ import annotations

import shlex

from server.cluster.errors import ApiError
from server.kubectl import resources
from server.kubectl.command import Command
from server.kubectl.commands import root
from server.kubectl.context import Context
from server.kubectl.flags import Flag, Flags
from server.kubectl.globalflags import GLOBAL_FLAGS

_OUTPUTS = {"get": ("custom-columns=", "custom-columns-file=", "go-template=", "go-template-file=", "json", "jsonpath=", "jsonpath-as-json=",
                    "jsonpath-file=", "kyaml", "name", "wide", "yaml")}
_VALUES = {"dry-run": ("client", "none", "server"), "cascade": ("background", "foreground", "orphan"), "validate": ("ignore", "strict", "warn"),
           "restart": ("Always", "Never", "OnFailure"), "subresource": ("scale", "status")}
_MOST = 200


def complete(line: str, cursor: int, ctx: Context) -> tuple[int, list[str]]:
    """(where the word under the cursor begins, candidates for the whole word)."""
    before = line[:cursor]
    begin = max(before.rfind(blank) for blank in " \t") + 1
    word = before[begin:]
    words = _words(before[:begin])[1:]
    command, rest = _command(words)
    candidates = _candidates(ctx, command, rest, word)
    return begin, sorted({text for text in candidates if text.startswith(word)})[:_MOST]


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()


def _command(words: list[str]) -> tuple[Command, list[str]]:
    command, rest = root(), list(words)
    while command.commands and rest:
        position = next((index for index, word in enumerate(rest) if command.find(word)), None)
        if position is None:
            break
        command, rest = command.find(rest[position]), rest[:position] + rest[position + 1 :]
    return command, rest


def _candidates(ctx: Context, command: Command, words: list[str], word: str) -> list[str]:
    flags = Flags((*GLOBAL_FLAGS, *command.flags))
    if "--" in words:
        return []
    waiting = _waiting(flags, words)
    if waiting is not None:
        return _values(ctx, command, waiting)
    if word.startswith("-"):
        name, equals, _ = word[2:].partition("=")
        if word.startswith("--") and equals:
            flag = flags.lookup(name)
            return [f"--{name}={value}" for value in _values(ctx, command, flag)] if flag else []
        return [f"--{flag.name}" + ("=" if flag.value_when_bare is None else "") for flag in flags if not flag.hidden]
    args = _arguments(flags, words)
    subs = [sub.name for sub in command.commands if not sub.hidden] if not args else []
    if command.complete == "resources" and command.run is not None:
        return subs + _resources(ctx, command, args, word)
    return subs


def _waiting(flags: Flags, words: list[str]) -> Flag | None:
    """The flag whose value comes next."""
    if not words or not words[-1].startswith("-") or "=" in words[-1]:
        return None
    last = words[-1]
    flag = flags.lookup(last[2:]) if last.startswith("--") else flags.lookup_short(last[1]) if len(last) == 2 else None
    return flag if flag is not None and flag.value_when_bare is None else None


def _arguments(flags: Flags, words: list[str]) -> list[str]:
    args, position = [], 0
    while position < len(words):
        if words[position].startswith("-") and len(words[position]) > 1:
            position += 2 if _waiting(flags, words[: position + 1]) is not None else 1
        else:
            args.append(words[position])
            position += 1
    return args


def _values(ctx: Context, command: Command, flag: Flag) -> list[str]:
    if flag.name == "namespace":
        return _names(ctx, "namespaces", "")
    if flag.name in ("filename", "patch-file", "from-file", "from-env-file"):
        return _files(ctx)
    if flag.name == "output":
        return list(_OUTPUTS.get(command.name, ("go-template=", "json", "jsonpath=", "kyaml", "name", "yaml")))
    if flag.name == "context":
        return [entry["name"] for entry in ctx.kubeconfig.data["contexts"]]
    return list(_VALUES.get(flag.name, ()))


def _files(ctx: Context, folder: str = "") -> list[str]:
    found = []
    for entry in ctx.files.listdir(folder or "."):
        path = f"{folder}{entry.rstrip('/')}"
        try:
            ctx.files.read(path)
            found.append(path)
        except IsADirectoryError:
            found += [f"{path}/", *_files(ctx, f"{path}/")]
    return found


def _resources(ctx: Context, command: Command, args: list[str], word: str) -> list[str]:
    if command.name in ("logs", "exec", "attach", "port-forward", "cp") and not args:
        return _names(ctx, "pods", ctx.namespace)
    if command.name in ("cordon", "uncordon", "drain"):
        return _names(ctx, "nodes", "")
    if not args:
        kind, slash, _ = word.partition("/")
        if slash:
            row = resources.try_lookup(ctx, kind)
            return [f"{kind}/{name}" for name in _names(ctx, row.key, ctx.namespace if row.namespaced else "")] if row else []
        return [row.key for row in ctx.api.resources.values()] + sorted({name for row in ctx.api.resources.values() for name in row.categories})
    row = resources.try_lookup(ctx, args[0])
    if row is None or command.name == "explain":
        return []
    return [name for name in _names(ctx, row.key, ctx.namespace if row.namespaced else "") if name not in args[1:]]


def _names(ctx: Context, key: str, namespace: str) -> list[str]:
    try:
        return [item["metadata"]["name"] for item in ctx.api.items(key, namespace)]
    except ApiError:
        return []
