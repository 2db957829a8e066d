"""kubectl logs: what containers have printed, through the pods/log subresource; of many pods with -l, as it comes with -f.

In: a pod, or something that has pods. Out: the text, perhaps each line with where it is from. Several followed logs are read
together, line by line as they come.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from typing import Any, NamedTuple

from server.cluster.errors import ApiError
from server.cluster.process import Channel, Take, TimedOut
from server.kubectl import resources
from server.kubectl.command import Command
from server.kubectl.context import Context
from server.kubectl.errors import CommandError, UsageError, message_of
from server.kubectl.flags import Flag, Flags, quoted
from server.kubectl.podchoice import awaited, container_of, pods_selector, worth_reading

Object = dict[str, Any]
USE = "[-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]"
EXPECTED = f"expected 'logs {USE}'.\nPOD or TYPE/NAME is a required argument for the logs command"
SELECTED_TAIL, RETRY = 10, 1.0
RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


class Source(NamedTuple):
    """One container's log."""

    pod: Object
    container: str

    @property
    def prefix(self) -> str:
        return f"[pod/{self.pod['metadata']['name']}/{self.container}] "


def logs(ctx: Context, args: list[str], flags: Flags) -> Generator[Any, Any, None]:
    container = _container(args, flags)
    if flags["pod-running-timeout"] <= 0:
        raise CommandError("--pod-running-timeout must be higher than zero")
    options = _options(flags, container)
    pods, all_pods = yield from _pods(ctx, args, flags)
    sources = [source for pod in pods for source in _sources(ctx, pod, container, flags["all-containers"], all_pods)]
    if flags.follow and len(sources) > 1:
        most = flags["max-log-requests"]
        if len(sources) > most:
            raise CommandError(f"you are attempting to follow {len(sources)} log streams, but maximum allowed concurrency is {most}, use "
                               "--max-log-requests to increase the limit")
    if flags.follow:
        yield from _followed(ctx, flags, sources, options)
        return
    for source in sources:
        try:
            text, _ = _open(ctx, source, options)
        except ApiError as error:
            if not flags["ignore-errors"]:
                raise
            ctx.out(f"error: {message_of(error)}")
            continue
        ctx.stdout.write(_prefixed(text, source, flags))


def _container(args: list[str], flags: Flags) -> str:
    """The rules of what may be combined, and the container that is named, if any."""
    if len(args) > 2 or (not args and not flags.selector):
        raise UsageError(EXPECTED)
    if len(args) == 1 and flags.selector:
        raise UsageError("only a selector (-l) or a POD name is allowed")
    container = args[1] if len(args) == 2 else flags.container
    if flags["since-time"] and flags.since:
        raise CommandError("at most one of `sinceTime` or `sinceSeconds` may be specified")
    if flags["all-containers"] and container:
        raise CommandError(f"--all-containers=true should not be specified with container name {container}")
    if flags.changed("container") and len(args) == 2:
        raise CommandError("only one of -c or an inline [CONTAINER] arg is allowed")
    for name, wrong, rule in (("limit-bytes", flags["limit-bytes"] < 0, "greater than 0"), ("since", flags.since < 0, "greater than 0"),
                              ("tail", flags.tail < -1, "greater than or equal to -1")):
        if wrong:
            raise CommandError(f"--{name} must be {rule}")
    return container


def _options(flags: Flags, container: str) -> dict[str, Any]:
    options: dict[str, Any] = {"follow": flags.follow, "previous": flags.previous, "timestamps": flags.timestamps}
    if flags["since-time"]:
        if not RFC3339.fullmatch(flags["since-time"]):
            told = quoted(flags["since-time"])
            raise CommandError(f'parsing time {told} as "2006-01-02T15:04:05Z07:00": cannot parse {told} as "2006"')
        options["since_time"] = flags["since-time"]
    if flags.since:
        options["since_seconds"] = int(flags.since + 0.5)
    if flags["limit-bytes"]:
        options["limit_bytes"] = flags["limit-bytes"]
    if flags.tail != -1:
        options["tail_lines"] = flags.tail
    elif flags.selector and not flags.changed("tail"):
        options["tail_lines"] = SELECTED_TAIL
    return options


def _pods(ctx: Context, args: list[str], flags: Flags) -> Generator[Any, Any, tuple[list[Object], bool]]:
    """The pods whose logs are meant, and whether all of an owner's pods are."""
    if flags.selector:
        pods = ctx.api.items("pods", ctx.namespace, label_selector=flags.selector)
        if not pods:
            ctx.err(f"No resources found in {ctx.namespace} namespace.")
        return pods, False
    target = args[0] if "/" in args[0] else f"pods/{args[0]}"
    try:
        info = resources.find(ctx, [target], stop_at_error=True).infos[0]
    except ApiError as error:
        if error.reason != "NotFound":
            raise
        raise CommandError(f'error from server (NotFound): {message_of(error)} in namespace "{ctx.namespace}"') from None
    if info.resource.key == "pods":
        return [info.object], False
    namespace, selector = info.namespace, pods_selector(info.object, info.resource.kind)
    pods = yield from awaited(ctx, namespace, selector, flags["pod-running-timeout"], worth_reading)
    if len(pods) > 1 and flags["all-pods"]:
        return pods, True
    if len(pods) > 1:
        ctx.err(f"Found {len(pods)} pods, using pod/{pods[0]['metadata']['name']}")
    return pods[:1], False


def _sources(ctx: Context, pod: Object, container: str, everything: bool, all_pods: bool) -> list[Source]:
    if everything:
        fields = ("initContainers", "containers", "ephemeralContainers")
        return [Source(pod, each["name"]) for field in fields for each in pod["spec"].get(field) or ()]
    return [Source(pod, container_of(pod, container, None if all_pods else ctx.err)["name"])]


def _open(ctx: Context, source: Source, options: dict[str, Any]) -> tuple[str, Channel | None]:
    """What is there of a log, and the channel of what comes."""
    meta = source.pod["metadata"]
    answer = ctx.api.request("get", "pods", meta["namespace"], meta["name"], subresource="log", container=source.container, **options)
    return answer.text or "", answer.stream


def _prefixed(text: str, source: Source, flags: Flags) -> str:
    if not (flags.prefix or flags["all-pods"]):
        return text
    return "".join(source.prefix + line for line in text.splitlines(keepends=True))


def _followed(ctx: Context, flags: Flags, sources: list[Source], options: dict[str, Any]) -> Generator[Any, Any, None]:
    """The logs as they come, all at once; one that cannot be read yet is asked for again every second."""
    merged, waiting, streams = Channel(1 << 18), list(sources), []
    again, deadline = ctx.clock.now, ctx.clock.now + flags["pod-running-timeout"]
    try:
        while waiting or streams:
            if waiting and ctx.clock.now >= again:
                waiting = [source for source in waiting if not _begun(ctx, flags, source, options, merged, streams)]
                again += RETRY
                if waiting and ctx.clock.now >= deadline:
                    raise CommandError("context deadline exceeded")
                if not streams and not waiting:
                    return
            try:
                source, text = yield Take(merged, max(0.0, again - ctx.clock.now) if waiting else None)
            except TimedOut:
                continue
            if isinstance(text, str):
                ctx.stdout.write(_prefixed(text, source, flags))
            else:
                streams.remove(text)
    finally:
        for stream in streams:
            stream.close()


def _begun(ctx: Context, flags: Flags, source: Source, options: dict[str, Any], merged: Channel, streams: list[Channel]) -> bool:
    """Shows what there is of a log and lets what comes run into `merged`; False if it must be asked for again."""
    try:
        text, stream = _open(ctx, source, options)
    except ApiError as error:
        if flags["ignore-errors"]:
            ctx.out(f"error: {message_of(error)}")
            return True
        ctx.err(message_of(error))
        return False
    ctx.stdout.write(_prefixed(text, source, flags))
    if stream is not None:
        streams.append(stream)
        _pour(source, stream, merged)
    return True


def _pour(source: Source, stream: Channel, into: Channel) -> None:
    """Whatever comes by one channel goes into the other, and last that it has ended."""
    def move() -> None:
        while stream.items:
            into.put((source, stream.items.popleft()))
        if stream.closed:
            stream.notify(None)
            into.put((source, stream))

    stream.notify(move)
    move()


COMMANDS = (
    Command("logs", logs, (
        Flag("all-containers", "", False, "Logs of all containers of the pods."),
        Flag("all-pods", "", False, "Logs of all pods; each line tells where it is from."),
        Flag("follow", "f", False, "Go on with what comes."),
        Flag("timestamps", "", False, "Put the time before each line."),
        Flag("limit-bytes", "", 0, "At most this many bytes; 0 means all."),
        Flag("previous", "p", False, "The log of the container's previous run."),
        Flag("tail", "", -1, "The last lines only; -1 means all, but 10 with a selector."),
        Flag("ignore-errors", "", False, "When following several logs, go on after an error."),
        Flag("since-time", "", "", "Only lines after this time (RFC3339)."),
        Flag("since", "", 0.0, "Only lines newer than this, such as 5s, 2m or 3h.", kind="duration"),
        Flag("container", "c", "", "This container's log."),
        Flag("insecure-skip-tls-verify-backend", "", False, "Do not check the kubelet's certificate."),
        Flag("pod-running-timeout", "", 20.0, "How long to wait until a pod is there.", kind="duration"),
        Flag("selector", "l", "", "Logs of the pods with these labels."),
        Flag("max-log-requests", "", 5, "How many logs may be followed at once."),
        Flag("prefix", "", False, "Put pod and container before each line.")),
        "Print the logs for a container in a pod", USE,
        "Print the logs of a container. If the pod has only one, it need not be named.",
        "  # A pod's log\n  kubectl logs web\n\n  # The last lines of all pods with a label\n  kubectl logs --tail=2 -l app=web\n\n"
        "  # What comes\n  kubectl logs -f web"),
)
