"""One file a command family. Each says what it offers in `COMMANDS`, a tuple of `command.Command`; `root()` makes the tree."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from server.kubectl.command import Command


@cache
def root() -> Command:
    found: list[Command] = []
    for module in pkgutil.iter_modules(__path__):
        found.extend(getattr(importlib.import_module(f"{__name__}.{module.name}"), "COMMANDS", ()))
    return Command("kubectl", commands=tuple(sorted(found, key=lambda command: command.name)), use="[flags]")
