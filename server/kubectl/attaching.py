"""Attaching to a container's own process: for `kubectl attach`, and for what `run` and `debug` have just started.

In: a pod, the container's name, what of stdin and terminal is wanted. Out: the conversation, with kubectl's words before and after it.
What starts a pod waits for it first, shows what it has printed so far, and falls back to its log when it is already over.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from typing import Any

from server.cluster.errors import ApiError, not_found
from server.cluster.process import Closed, Take, TimedOut
from server.kubectl import conversation
from server.kubectl.context import Context
from server.kubectl.conversation import Ends
from server.kubectl.errors import CommandError, message_of
from server.kubectl.podchoice import container_of

Object = dict[str, Any]
Done = Callable[[Object], bool]
RECORDED = ("All commands and output from this session will be recorded in container logs, including credentials and sensitive information "
            "passed through the command prompt.\nIf you don't see a command prompt, try pressing enter.")
OVER = ("Succeeded", "Failed")


@dataclass(frozen=True)
class Wish:
    """What the person wants of the session; ``timeout`` 0 waits for ever."""

    container: str = ""
    stdin: bool = False
    tty: bool = False
    quiet: bool = False
    detach: str = ""
    timeout: float = 60.0


def attach(ctx: Context, pod: Object, wish: Wish) -> Generator[Any, Any, None]:
    phase, meta = (pod.get("status") or {}).get("phase"), pod["metadata"]
    if phase in OVER:
        raise CommandError(f"cannot attach a container in a completed pod; current phase is {phase}")
    say = None if wish.quiet else ctx.err
    try:
        container = container_of(pod, wish.container, say)
    except CommandError as error:
        raise CommandError(f"cannot attach to the container: {error.message}") from None
    tty = wish.tty
    if tty and not container.get("tty"):
        tty = False
        if say:
            say(f"error: Unable to use a TTY - container {container['name']} did not allocate one")
    ends = Ends.of(ctx, wish.stdin, tty or bool(container.get("tty")), wish.quiet)
    if say:
        say(RECORDED)
    ends = replace(ends, detach=conversation.detach_keys(wish.detach) if wish.stdin else "")
    session = conversation.ask(ctx, "attach", pod, container["name"], ends)
    yield from conversation.converse(ctx, session, ends)
    if ends.tty is not None and not wish.quiet:
        ctx.out(_over(pod, container["name"], meta))


def _over(pod: Object, container: str, meta: Object) -> str:
    again = f"'kubectl attach {meta['name']} -c {container} -n {meta['namespace']} -i -t'"
    if any(each["name"] == container for each in pod["spec"].get("ephemeralContainers") or ()):
        return f"Session ended, the ephemeral container will not be restarted but may be reattached using {again} if it is still running"
    return f"Session ended, resume using {again} command"


def attach_when_running(ctx: Context, namespace: str, name: str, wish: Wish, ready: Done | None = None) -> Generator[Any, Any, None]:
    """Waits for the pod; what it has printed by then is shown first, and is all there is to show when it is over."""
    pod = yield from awaited(ctx, namespace, name, wish.timeout, lambda pod: over(pod, wish.container) or (ready or running_and_ready)(pod))
    if over(pod, wish.container):
        _log(ctx, pod, wish)
        return
    if ready is None:
        _log(ctx, pod, wish)
    try:
        yield from attach(ctx, pod, wish)
    except (CommandError, ApiError) as error:
        ctx.err(f"warning: couldn't attach to pod/{name}, falling back to streaming logs: {message_of(error)}")
        _log(ctx, pod, wish)


def over(pod: Object, container: str = "") -> bool:
    """Whether the pod has ended, or the container of it that is meant."""
    return (pod.get("status") or {}).get("phase") in OVER or bool(container) and "terminated" in state_of(pod, container)


def state_of(pod: Object, container: str) -> Object:
    """The container's state as the pod's status has it."""
    status = pod.get("status") or {}
    kinds = ("containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses")
    return next((each.get("state") or {} for kind in kinds for each in status.get(kind) or () if each["name"] == container), {})


def running_and_ready(pod: Object) -> bool:
    status = pod.get("status") or {}
    return status.get("phase") == "Running" and any(
        each["type"] == "Ready" and each["status"] == "True" for each in status.get("conditions") or ())


def awaited(ctx: Context, namespace: str, name: str, limit: float, done: Done) -> Generator[Any, Any, Object]:
    """The pod as it was when it was so; follows it by watch."""
    deadline = ctx.clock.now + limit if limit else None
    events = ctx.api.watch("pods", namespace, field_selector=f"metadata.name={name}")
    try:
        while True:
            event = yield Take(events, None if deadline is None else max(0.0, deadline - ctx.clock.now))
            if event.type == "DELETED":
                raise not_found("pods", "")
            if event.type in ("ADDED", "MODIFIED") and done(event.object):
                return event.object
    except TimedOut:
        raise CommandError("timed out waiting for the condition") from None
    except Closed:
        raise CommandError("watch closed before UntilWithoutRetry timeout") from None
    finally:
        events.close()


def _log(ctx: Context, pod: Object, wish: Wish) -> None:
    """What the container has printed so far."""
    meta = pod["metadata"]
    name = wish.container or container_of(pod, "", None if wish.quiet else ctx.err)["name"]
    ctx.stdout.write(ctx.api.request("get", "pods", meta["namespace"], meta["name"], subresource="log", container=name).text or "")


