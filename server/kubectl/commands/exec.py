"""kubectl exec: another process in a running container.

In: a pod or what has pods, a command behind `--`. Out: the command's output as it comes, its exit code; with -i what is typed goes to it,
with -t through a terminal.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from server.kubectl import conversation
from server.kubectl.attaching import OVER
from server.kubectl.command import Command
from server.kubectl.context import Context
from server.kubectl.conversation import Ends
from server.kubectl.errors import CommandError, UsageError
from server.kubectl.flags import Flag, Flags
from server.kubectl.podchoice import CONTAINER, QUIET, RUNNING_TIMEOUT, STDIN, TTY, attachable, container_of

Object = dict[str, Any]
FILES = Flag("filename", "f", [], "A file that names the object to go into.")


def exec_(ctx: Context, args: list[str], flags: Flags) -> Generator[Any, Any, None]:
    target = args[:1] if flags.dash != 0 else []
    command = args[flags.dash:] if flags.dash is not None else []
    if flags.dash is None and (len(args) > 1 or args and flags.filename):
        raise UsageError("exec [POD] [COMMAND] is not supported anymore. Use exec [POD] -- [COMMAND] instead")
    if not target and not flags.filename:
        raise CommandError("pod, type/name or --filename must be specified")
    if not command:
        raise CommandError("you must specify at least one command for the container")
    if flags["pod-running-timeout"] <= 0:
        raise UsageError("--pod-running-timeout must be higher than zero")
    pod, _ = yield from attachable(ctx, target, flags["pod-running-timeout"], flags.filename)
    yield from execute(ctx, pod, flags.container, command, stdin=flags.stdin, tty=flags.tty, quiet=flags.quiet)


def execute(ctx: Context, pod: Object, container: str, command: list[str], *, stdin: bool = False, tty: bool = False, quiet: bool = False,
            ends: Ends | None = None) -> Generator[Any, Any, None]:
    """One command in the pod; `ends` are other streams than the terminal's."""
    phase = (pod.get("status") or {}).get("phase")
    if phase in OVER:
        raise CommandError(f"cannot exec into a container in a completed pod; current phase is {phase}")
    say = (lambda text: ends.err(text + "\n")) if ends is not None else ctx.err
    name = container_of(pod, container, None if quiet else say)["name"]
    ends = ends or Ends.of(ctx, stdin, tty, quiet)
    session = conversation.ask(ctx, "exec", pod, name, ends, command)
    yield from conversation.converse(ctx, session, ends)


COMMANDS = (
    Command(
        "exec",
        exec_,
        flags=(CONTAINER, FILES, RUNNING_TIMEOUT, QUIET, STDIN, TTY),
        short="Execute a command in a container",
        long="Run a command in a container.",
        use="(POD | TYPE/NAME) [-c CONTAINER] [flags] -- COMMAND [args...]",
        examples="# One command in a pod's container\nkubectl exec web -- date\n\n# A shell to type into\nkubectl exec -it web -- sh\n\n"
                 "# In a named container\nkubectl exec web -c sidecar -- ls /data\n\n# In the first pod of a deployment, of a service\n"
                 "kubectl exec deploy/web -- date\nkubectl exec svc/web -- date",
    ),
)
