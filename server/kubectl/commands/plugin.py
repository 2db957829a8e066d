"""kubectl plugin: lists programs called kubectl-NAME on the PATH. The terminal has none."""

from __future__ import annotations

from server.kubectl.command import Command
from server.kubectl.context import Context
from server.kubectl.errors import CommandError
from server.kubectl.flags import Flag, Flags


def list_plugins(ctx: Context, args: list[str], flags: Flags) -> None:
    raise CommandError("unable to find any kubectl plugins in your PATH")


COMMANDS = (
    Command("plugin", short="Provides utilities for interacting with plugins", use="[flags]", commands=(
        Command("list", list_plugins, (Flag("name-only", "", False, "Names without their paths."),),
                "List all visible plugin executables on a user's PATH", complete="none"),)),
)
