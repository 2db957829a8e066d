"""kubectl options, help and completion: what can be typed.

In: the table of global flags and the tree of commands. Out: help text.
"""

from __future__ import annotations

from server.kubectl import help as manual
from server.kubectl.command import Command
from server.kubectl.context import Context
from server.kubectl.errors import CommandError, UsageError
from server.kubectl.flags import Flags
from server.kubectl.globalflags import GLOBAL_FLAGS

BASH = """# bash completion for kubectl
# Podium's terminal completes kubectl by itself: press Tab. For an alias: complete -o default -F __start_kubectl k
complete -o default -F __start_kubectl kubectl
"""
SHELLS = ("bash", "zsh", "fish", "powershell")


def options(ctx: Context, args: list[str], flags: Flags) -> None:
    ctx.stdout.write(manual.of_options(GLOBAL_FLAGS))


def help_(ctx: Context, args: list[str], flags: Flags) -> None:
    from server.kubectl.main import resolve

    path, command, rest = resolve(args)
    if rest:
        ctx.err(f"Unknown help topic [{' '.join(f'`{word}`' for word in args)}]")
    ctx.stdout.write(manual.of_command(path, command))


def completion(ctx: Context, args: list[str], flags: Flags) -> None:
    if not args:
        raise UsageError("Shell not specified.")
    if len(args) > 1:
        raise UsageError("Too many arguments. Expected only the shell type.")
    if args[0] not in SHELLS:
        raise UsageError(f'Unsupported shell type "{args[0]}".')
    if args[0] != "bash":
        raise CommandError(f"Podium's terminal is bash: there is no completion for {args[0]} here. A real kubectl prints it")
    ctx.stdout.write(BASH)


COMMANDS = (
    Command("options", options, hidden=True, use="[flags]", complete="none"),
    Command("help", help_, hidden=True, use="[command]", complete="none", unparsed=True),
    Command("completion", completion, short="Output shell completion code for the specified shell (bash, zsh, fish, or powershell)",
            use="SHELL", complete="none"),
)
