"""kubectl kustomize: builds a kustomization. Podium builds none; a directory without one fails as it does with kubectl."""

from __future__ import annotations

from server.kubectl.command import Command
from server.kubectl.context import Context
from server.kubectl.errors import CommandError
from server.kubectl.flags import Flag, Flags
from server.kubectl.resources import refuse_kustomize


def kustomize(ctx: Context, args: list[str], flags: Flags) -> None:
    if len(args) > 1:
        raise CommandError("specify one path to kustomization.yaml")
    refuse_kustomize(ctx, args[0] if args else ".")


COMMANDS = (
    Command("kustomize", kustomize, (Flag("output", "o", "", "Write to this file."),),
            "Build a kustomization target from a directory or URL", "DIR", complete="files"),
)
