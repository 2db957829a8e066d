"""kubectl run: one pod from an image, and with --expose a Service for it.

In: a name, an image, a command. Out: the Pod created; with -i or --attach the conversation with it, whose end is the command's: the exit code
of a pod that is not restarted, and with --rm the pod is deleted.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from typing import Any

from server.cluster.errors import ApiError
from server.kubectl import attaching
from server.kubectl.command import DRY_RUN, FILENAME, OUTPUT, Command, field_manager
from server.kubectl.commands.attach import wish_of
from server.kubectl.commands.create import SAVE_CONFIG, finish
from server.kubectl.commands.delete import CASCADE, FORCE, GRACE, TIMEOUT, propagation, remove
from server.kubectl.context import Context
from server.kubectl.errors import CommandError, PlainError, UsageError
from server.kubectl.flags import Flag, Flags, parse_int
from server.kubectl.overrides import apply_overrides
from server.kubectl.podchoice import DETACH_KEYS
from server.kubectl.resources import Info
from server.kubectl.writing import saved

Object = dict[str, Any]
RESTART = ("Always", "OnFailure", "Never")
IMAGE = re.compile(
    r"(?:(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])(?:\.(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))*(?::[0-9]+)?/)?"
    r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*(?::[\w][\w.-]{0,127})?(?:@[A-Za-z][\w+.-]*:[0-9a-fA-F]{32,})?\Z"
)


def run(ctx: Context, args: list[str], flags: Flags) -> Generator[Any, Any, None]:
    command = args[1:]
    if not args or flags.dash == 0:
        raise UsageError("NAME is required for run")
    if flags.restart not in RESTART:
        raise UsageError(f"invalid restart policy: {flags.restart}")
    attach = flags.attach if flags.changed("attach") else flags.stdin
    if flags.rm and not attach:
        raise UsageError("--rm should only be used for attached containers")
    if flags.tty and not flags.stdin:
        raise UsageError("-i/--stdin is required for containers with -t/--tty=true")
    if attach and flags.dry_run != "none":
        raise UsageError("--dry-run=[server|client] can't be used with attached containers options (--attach, --stdin, or --tty)")
    if not flags.image:
        raise CommandError("--image is required")
    if not IMAGE.match(flags.image):
        raise CommandError(f'Invalid image name "{flags.image}": invalid reference format')
    if flags.expose and not flags.port:
        raise UsageError("--port must be set when exposing a service")
    if flags.filename or flags.kustomize:
        raise CommandError("-f and -k do nothing for kubectl run in Podium: use kubectl create -f")
    if flags["pod-running-timeout"] <= 0:
        raise UsageError("--pod-running-timeout must be higher than zero")
    pod = apply_overrides(_pod(args[0], command, flags), flags.overrides, flags.override_type)
    if flags.expose:
        finish(ctx, flags, _service(args[0], pod, flags), "")
        if flags.output and flags.output != "name":
            ctx.out("---\n---" if flags.output == "yaml" else "---")
    if not attach:
        finish(ctx, flags, pod, "")
        return
    made = ctx.api.create("pods", ctx.namespace, saved(pod, flags.save_config, typed=True), field_manager=flags["field-manager"],
                          field_validation="Strict")
    try:
        yield from _attached(ctx, made, flags)
    except (ApiError, CommandError):
        _removed(ctx, args[0], flags)
        raise
    _removed(ctx, args[0], flags)


def _attached(ctx: Context, pod: Object, flags: Flags) -> Generator[Any, Any, None]:
    """The conversation with the pod, and what became of it."""
    namespace, name = pod["metadata"]["namespace"], pod["metadata"]["name"]
    yield from attaching.attach_when_running(ctx, namespace, name, wish_of(flags))
    if flags["leave-stdin-open"] or flags.restart == "Always":
        return
    wanted = ("Succeeded",) if flags.restart == "OnFailure" else attaching.OVER
    last = yield from attaching.awaited(ctx, namespace, name, flags["pod-running-timeout"], lambda pod: pod["status"].get("phase") in wanted)
    if last["status"]["phase"] == "Failed":
        _failed(last, f"pod {namespace}/{name}")


def _failed(pod: Object, what: str) -> None:
    states = pod["status"].get("containerStatuses") or ()
    ended = states[0]["state"].get("terminated") if states else None
    if ended is None or not ended["exitCode"]:
        raise CommandError(f"{what} failed with unknown exit code")
    raise PlainError(f"{what} terminated ({ended.get('reason', '')})\n{ended.get('message', '')}", ended["exitCode"])


def _removed(ctx: Context, name: str, flags: Flags) -> None:
    """With --rm the pod goes, and the service if one was made. Ctrl-C leaves both."""
    if not flags.rm:
        return
    for key in ("pods", *(("services",) if flags.expose else ())):
        info = Info(ctx.api.resources[key], ctx.namespace, name)
        try:
            remove(ctx, info, policy=propagation(ctx, flags.cascade))
        except ApiError as error:
            if error.reason != "NotFound":
                raise
            continue
        if not flags.quiet:
            ctx.out(f'{info.typed} "{name}" deleted from {ctx.namespace} namespace')


def _pod(name: str, command: list[str], flags: Flags) -> Object:
    meta: Object = {"name": name, "labels": _labels(flags.labels) if flags.labels else {"run": name}}
    annotations = dict(_pair(text, "annotations") for text in flags.annotations)
    if annotations:
        meta["annotations"] = annotations
    container: Object = {"name": name, "image": flags.image}
    if command:
        container["command" if flags.command else "args"] = command
    if flags.port:
        container["ports"] = [{"containerPort": _port(flags.port)}]
    if flags.env:
        container["env"] = [_env(text) for text in flags.env]
    container["resources"] = {}
    if flags.image_pull_policy:
        container["imagePullPolicy"] = flags.image_pull_policy
    if flags.privileged:
        container["securityContext"] = {"privileged": True}
    if flags.stdin:
        container["stdin"] = True
        if not flags["leave-stdin-open"]:
            container["stdinOnce"] = True
    if flags.tty:
        container["tty"] = True
    spec = {"containers": [container], "restartPolicy": flags.restart, "dnsPolicy": "ClusterFirst"}
    return {"kind": "Pod", "apiVersion": "v1", "metadata": meta, "spec": spec, "status": {}}


def _service(name: str, pod: Object, flags: Flags) -> Object:
    port = _port(flags.port)
    return {
        "kind": "Service", "apiVersion": "v1", "metadata": {"name": name},
        "spec": {"ports": [{"protocol": "TCP", "port": port, "targetPort": port}], "selector": pod["metadata"]["labels"]},
        "status": {"loadBalancer": {}},
    }


def _port(text: str) -> int:
    try:
        return parse_int(text, 32)
    except ValueError as problem:
        raise CommandError(str(problem).replace("ParseInt", "Atoi")) from None


def _labels(text: str) -> dict[str, str]:
    """`a=b,c=d`"""
    found = {}
    for part in text.split(","):
        key, equals, value = part.partition("=")
        if not equals or not key:
            raise CommandError(f"unexpected label spec: {part}")
        found[key] = value
    return found


def _pair(text: str, what: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise CommandError(f"invalid {what} format: {text}")
    return key, value


def _env(text: str) -> Object:
    name, equals, value = text.partition("=")
    if not equals or not name or not re.match(r"[-._a-zA-Z][-._a-zA-Z0-9]*\Z", name):
        raise CommandError(f"invalid env: {text}")
    return {"name": name, "value": value} if value else {"name": name}


COMMANDS = (
    Command(
        "run",
        run,
        flags=(
            CASCADE, DRY_RUN, field_manager("kubectl-run"), *FILENAME, FORCE, GRACE, *OUTPUT, SAVE_CONFIG, TIMEOUT,
            Flag("annotations", "", [], "Annotations of the pod, key=value.", kind="array"),
            Flag("attach", "", False, "Attach to the pod once it runs."),
            Flag("command", "", False, "Take the extra arguments as the container's command, not its args."),
            DETACH_KEYS,
            Flag("env", "", [], "Environment variables, name=value.", kind="array"),
            Flag("expose", "", False, "Make a ClusterIP service for the pod too; needs --port."),
            Flag("image", "", "", "The container's image.", required=True),
            Flag("image-pull-policy", "", "", "The container's image pull policy."),
            Flag("labels", "l", "", "Labels of the pod, comma separated."),
            Flag("leave-stdin-open", "", False, "Keep stdin open after the first attach."),
            Flag("override-type", "", "merge", "How overrides are laid over the object: json, merge or strategic."),
            Flag("overrides", "", "", "JSON laid over the generated object."),
            Flag("pod-running-timeout", "", 60.0, "How long to wait for the pod to run.", kind="duration"),
            Flag("port", "", "", "The port the container serves."),
            Flag("privileged", "", False, "Run the container privileged."),
            Flag("quiet", "q", False, "Print no prompts."),
            Flag("restart", "", "Always", "The pod's restart policy: Always, OnFailure or Never."),
            Flag("rm", "", False, "Delete the pod when it ends; only when attached."),
            Flag("stdin", "i", False, "Keep stdin open."),
            Flag("tty", "t", False, "Give the container a terminal."),
            Flag("wait", "", False, "Wait until what is deleted is gone."),
        ),
        short="Run a particular image on the cluster",
        long="Create and run a particular image in a pod.",
        use='NAME --image=image [--env="key=value"] [--port=port] [--dry-run=server|client] [--overrides=inline-json] [--command] -- [COMMAND] '
            "[args...]",
        complete="none",
    ),
)
