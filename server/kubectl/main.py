"""kubectl's entry: finds the command, parses its flags, runs it, says how it failed.

In: the words after `kubectl` and the terminal's Context. Out: a program on the virtual clock that returns the exit code. It
follows cobra: global flags may stand anywhere, groups of commands print help when called bare, a mistyped command gets
suggestions, a wrong flag points to `--help`.
"""

from __future__ import annotations

import inspect
from collections.abc import Generator
from typing import Any

from server.cluster.errors import ApiError
from server.cluster.process import Interrupted
from server.kubectl import help as manual
from server.kubectl.command import Command
from server.kubectl.commands import root
from server.kubectl.context import Context
from server.kubectl.dryrun import deprecation
from server.kubectl.errors import CommandError, Errors, Exit, UsageError, render
from server.kubectl.flags import FlagError, Flags, HelpRequested
from server.kubectl.globalflags import GLOBAL_FLAGS, enter


def run(argv: list[str], ctx: Context) -> Generator[Any, Any, int]:
    """Run one command line; `argv` is what follows the word kubectl."""
    session = ctx
    try:
        path, command, words = resolve(argv)
        ctx.command_path = " ".join(path)
        flags = Flags((*GLOBAL_FLAGS, *command.flags))
        try:
            args = words if command.unparsed and not {"-h", "--help"} & {*words} else flags.parse(words, command.interspersed)
        except HelpRequested:
            ctx.stdout.write(manual.of_command(path, command))
            return 0
        for flag in flags:
            if flag.deprecated and flags.changed(flag.name):
                ctx.err(f"Flag --{flag.name} has been deprecated, {flag.deprecated}")
        session = enter(ctx, flags, frozenset(flag.name for flag in command.flags))
        session.command_path = ctx.command_path
        if command.run is None:
            return _group(session, path, command, args)
        missing = [flag.name for flag in command.flags if flag.required and not flags.changed(flag.name)]
        if missing:
            listed = ", ".join(f'"{name}"' for name in missing)
            raise CommandError(f"required flag(s) {listed} not set")
        if old := deprecation(flags):
            session.err(f"W{session.clock.microtime()} {old}")
        if "-" in (flags.get("filename") or ()):
            yield from session.read_stdin()
        yield from session.read_pages(flags.get("filename") or [])
        code = command.run(session, args, flags)
        if inspect.isgenerator(code):
            code = yield from code
        if session.warnings_as_errors and session.warned:
            raise CommandError("warnings received from the server")
        return code or 0
    except Interrupted as caught:
        return 128 + getattr(caught, "signal", 2)
    except (ApiError, CommandError, Errors, Exit) as error:
        return _fail(session, error)


def resolve(argv: list[str]) -> tuple[list[str], Command, list[str]]:
    """The command's path, the command, and the words left for its flags and arguments."""
    command, path, words = root(), ["kubectl"], list(argv)
    while command.commands:
        position = _first_argument(command, words)
        sub = command.find(words[position]) if position is not None else None
        if sub is None:
            break
        command = sub
        path.append(sub.name)
        words = words[:position] + words[position + 1 :]
    if len(path) == 1:
        position = _first_argument(command, words)
        if position is not None:
            raise _unknown(command, words[position])
    return path, command, words


def _first_argument(command: Command, words: list[str]) -> int | None:
    """Where the first word is that is neither a flag nor a flag's value."""
    known = Flags((*GLOBAL_FLAGS, *command.flags))
    position = 0
    while position < len(words):
        word = words[position]
        if word == "--":
            return None
        if word.startswith("--"):
            flag = known.lookup(word[2:])
            takes_next = "=" not in word and flag is not None and flag.value_when_bare is None
        elif len(word) > 1 and word[0] == "-":
            flag = known.lookup_short(word[1])
            takes_next = len(word) == 2 and flag is not None and flag.value_when_bare is None
        else:
            return position
        position += 2 if takes_next else 1
    return None


# How a group of commands called bare shows its help: on which stream and with which exit code; others on stderr with 1.
_BARE = {"kubectl": ("stdout", 0), "rollout": ("stdout", 1), "certificate": ("stdout", 0)}


def _group(ctx: Context, path: list[str], command: Command, args: list[str]) -> int:
    if args:
        raise UsageError(f'unknown command "{" ".join(args)}"')
    stream, code = _BARE.get(path[-1], ("stderr", 1))
    getattr(ctx, stream).write(manual.of_command(path, command))
    return code


def _unknown(command: Command, word: str) -> CommandError:
    if word in manual.SHORTS:
        return CommandError(f'"kubectl {word}" is not available in Podium yet')
    names = [*manual.SHORTS, "alpha", "help", "options"]
    near = sorted({name for name in names if _near(word, name)} | {sub.name for sub in command.commands if word in sub.suggest_for})
    text = f'unknown command "{word}" for "kubectl"'
    if near:
        text += "\n\nDid you mean this?\n" + "\n".join(f"\t{name}" for name in near)
    return CommandError(text)


def _near(word: str, name: str) -> bool:
    return name.lower().startswith(word.lower()) or _distance(word.lower(), name.lower()) <= 2


def _distance(a: str, b: str) -> int:
    """Levenshtein's."""
    row = list(range(len(b) + 1))
    for i, letter in enumerate(a, 1):
        row, above = [i], row
        for j, other in enumerate(b, 1):
            row.append(min(above[j] + 1, row[-1] + 1, above[j - 1] + (letter != other)))
    return row[-1]


def _fail(ctx: Context, error: Exception) -> int:
    if isinstance(error, FlagError):
        error = CommandError(f"{error.message}\nSee '{ctx.command_path} --help' for usage.")
    elif isinstance(error, UsageError):
        error = CommandError(f"{error.message}\nSee '{ctx.command_path} -h' for help and examples", error.code)
    text, code = render(error)
    if text:
        ctx.stderr.write(text + "\n" if not text.endswith("\n") else text)
    return code


