"""kubectl attach: to the process that a container runs.

In: a pod or what has pods. Out: what the container's process prints from now on; with -i what is typed goes to it.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from server.kubectl import attaching
from server.kubectl.attaching import Wish
from server.kubectl.command import Command
from server.kubectl.context import Context
from server.kubectl.errors import CommandError, UsageError
from server.kubectl.flags import Flags
from server.kubectl.podchoice import CONTAINER, DETACH_KEYS, QUIET, RUNNING_TIMEOUT, STDIN, TTY, attachable


def attach(ctx: Context, args: list[str], flags: Flags) -> Generator[Any, Any, None]:
    if not args:
        raise CommandError("at least 1 argument is required for attach")
    if len(args) > 2:
        raise CommandError(f"expected POD, TYPE/NAME, or TYPE NAME, (at most 2 arguments) saw {len(args)}: [{' '.join(args)}]")
    if flags["pod-running-timeout"] <= 0:
        raise UsageError("--pod-running-timeout must be higher than zero")
    pod, _ = yield from attachable(ctx, args, flags["pod-running-timeout"])
    yield from attaching.attach(ctx, pod, wish_of(flags))


def wish_of(flags: Flags, container: str = "") -> Wish:
    return Wish(container or flags.get("container") or "", flags.stdin, flags.tty, flags.quiet, flags.get("detach-keys") or "",
                flags.get("pod-running-timeout") or 60.0)


COMMANDS = (
    Command(
        "attach",
        attach,
        flags=(CONTAINER, DETACH_KEYS, RUNNING_TIMEOUT, QUIET, STDIN, TTY),
        short="Attach to a running container",
        long="Attach to the process that runs in a container.",
        use="(POD | TYPE/NAME) -c CONTAINER",
        examples="# See what a pod prints from now on\nkubectl attach web\n\n# Type to it, through a terminal\nkubectl attach web -c shell -i -t\n\n"
                 "# The first pod of a ReplicaSet\nkubectl attach rs/web",
    ),
)
