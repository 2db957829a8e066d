"""kubectl debug: a debugging container in a pod, a copy of a pod that can be looked into, a pod on a node.

In: pods or nodes, an image or what to change in the copy. Out: an ephemeral container, a copy, or a pod with the node's namespaces and disk;
with -i the conversation with it.

Source: https://kubernetes.io/docs/tasks/debug/debug-application/debug-running-pod/
"""

from __future__ import annotations

import json
import re
from collections.abc import Generator
from typing import Any

from server.cluster.apiserver import patch
from server.cluster.apiserver.request import STRATEGIC_PATCH
from server.cluster.errors import ApiError
from server.cluster.names import generate
from server.cluster.yamltext import load_yaml
from server.kubectl import attaching, debugprofiles, resources
from server.kubectl.attaching import Wish
from server.kubectl.command import FILENAME, Command
from server.kubectl.commands.run import IMAGE
from server.kubectl.context import Context
from server.kubectl.debugprofiles import COPY, EPHEMERAL, NODE, PROFILES
from server.kubectl.errors import CommandError, message_of, raise_all
from server.kubectl.flags import Flag, Flags
from server.kubectl.podchoice import DETACH_KEYS, STDIN, find_container
from server.kubectl.podspec import difference

Object = dict[str, Any]
Steps = Generator[Any, Any, Any]
TARGETING = ('Targeting container "{}". If you don\'t see processes from this container it may be because the container runtime doesn\'t support '
             "this feature.")
LEGACY = ('--profile=legacy is deprecated and planned to be removed in v1.39. It is recommended to specify other profile, for example '
          '"--profile=general".')
COPY_ONLY = ("replace", "same-node", "set-image", "keep-labels", "keep-annotations", "keep-liveness", "keep-readiness", "keep-startup")
PULL = ("", "Always", "IfNotPresent", "Never")
FIXED = ("name", "command", "image", "lifecycle", "volumeDevices")


def debug(ctx: Context, args: list[str], flags: Flags) -> Steps:
    names = args[:flags.dash] if flags.dash is not None else args
    command = args[flags.dash:] if flags.dash is not None else []
    _check(names, command, flags)
    if flags.profile == "legacy":
        ctx.err(LEGACY)
    custom = _custom(ctx, flags.custom)
    if flags.target and not flags.quiet:
        ctx.out(TARGETING.format(flags.target))
    targets = [name if "/" in name else f"pods/{name}" for name in names]
    found = resources.find(ctx, targets, filenames=flags.filename)
    errors = list(found.errors)
    for info in found.infos:
        try:
            yield from _one(ctx, info, command, flags, custom)
        except (ApiError, CommandError) as error:
            errors.append(error)
    raise_all(errors)


def _check(names: list[str], command: list[str], flags: Flags) -> None:
    copied = bool(flags["copy-to"])
    if copied and not flags.image and not flags["set-image"] and not command:
        raise CommandError("you must specify --image, --set-image or command arguments.")
    if copied and command and not flags.container and not flags.image:
        raise CommandError("you must specify an existing container or a new image when specifying args.")
    if copied and flags.target:
        raise CommandError("--target is incompatible with --copy-to. Use --share-processes instead.")
    for name in COPY_ONLY if not copied else ():
        if flags[name]:
            raise CommandError(f"--{name} may only be used with --copy-to.")
    if not copied and not flags.image:
        raise CommandError("you must specify --image when not using --copy-to.")
    if flags.image and not IMAGE.match(flags.image):
        raise CommandError(f'invalid image name "{flags.image}": invalid reference format')
    if not names and not flags.filename:
        raise CommandError("NAME or filename is required for debug")
    if flags["image-pull-policy"] not in PULL:
        raise CommandError(f"invalid image pull policy: {flags['image-pull-policy']}")
    for image in flags["set-image"].values():
        if not IMAGE.match(image):
            raise CommandError(f'invalid image name "{image}": invalid reference format')
    if flags.tty and not flags.stdin:
        raise CommandError("-i/--stdin is required for containers with -t/--tty=true")
    if flags.profile not in PROFILES:
        raise CommandError(f"unknown profile: {flags.profile}")
    for name in flags.env:
        if not re.match(r"[-._a-zA-Z][-._a-zA-Z0-9]*\Z", name):
            raise CommandError(f"invalid env: {name}")


def _custom(ctx: Context, path: str) -> Object:
    """The partial container spec of --custom."""
    if not path:
        return {}
    try:
        documents = load_yaml(ctx.files.read(path))
    except (FileNotFoundError, IsADirectoryError):
        raise CommandError(f"must pass a container spec json file for custom profile: open {path}: no such file or directory") from None
    found = documents[0].obj if documents and documents[0].error is None else None
    if not isinstance(found, dict):
        raise CommandError(f"{path} does not contain a valid container spec: it is no object")
    if any(found.get(field) for field in FIXED):
        raise CommandError("name, command, image, lifecycle and volume devices are not modifiable via custom profile")
    return found


def _one(ctx: Context, info: resources.Info, command: list[str], flags: Flags, custom: Object) -> Steps:
    key = info.resource.key
    if key == "nodes":
        pod, container = _on_node(ctx, info.object, command, flags, custom)
    elif key != "pods":
        version = f"{info.resource.group}/{info.resource.version}" if info.resource.group else f"/{info.resource.version}"
        raise CommandError(f'"{version}, Kind={info.resource.kind}" not supported by debug')
    elif flags["copy-to"]:
        pod, container = _copied(ctx, info.object, command, flags, custom)
    else:
        pod, container = _ephemeral(ctx, info.object, command, flags, custom)
    if container and (flags.attach if flags.changed("attach") else flags.stdin):
        wish = Wish(container, flags.stdin, flags.tty, flags.quiet, DETACH_KEYS.default, 0.0)
        meta = pod["metadata"]
        yield from attaching.attach_when_running(ctx, meta["namespace"], meta["name"], wish, _begun(ctx, container, flags.quiet))


def _begun(ctx: Context, name: str, quiet: bool) -> Any:
    """Whether the container runs or has run; says what keeps it waiting."""
    def begun(pod: Object) -> bool:
        state = attaching.state_of(pod, name)
        waiting = state.get("waiting") or {}
        if waiting.get("message") and not quiet:
            ctx.warn(f"container {name}: {waiting['message']}")
        return "running" in state or "terminated" in state

    return begun


def _debugger(base: Object, command: list[str], flags: Flags) -> Object:
    """The container with what the flags say of it."""
    made = dict(base)
    if command:
        made.pop("args", None)
        made["args" if flags["arguments-only"] else "command"] = command
    if flags.env:
        made["env"] = [{"name": name, "value": value} for name, value in sorted(flags.env.items())]
    if flags.image:
        made["image"] = flags.image
    if flags["image-pull-policy"]:
        made["imagePullPolicy"] = flags["image-pull-policy"]
    for field, wanted in (("stdin", flags.stdin), ("tty", flags.tty)):
        made.pop(field, None)
        if wanted:
            made[field] = True
    return made


def _default_name(ctx: Context, pod: Object, flags: Flags) -> str:
    if flags.container:
        return flags.container
    name = generate(ctx.api.server.random, "debugger-")
    while find_container(pod, name) is not None:
        name = generate(ctx.api.server.random, "debugger-")
    if not flags.quiet:
        ctx.out(f"Defaulting debug container name to {name}.")
    return name


def _with_custom(container: Object, custom: Object) -> Object:
    if not custom:
        return container
    pod = {"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [container]}}
    wanted = {"spec": {"containers": [{**custom, "name": container["name"]}]}}
    try:
        return patch.apply(STRATEGIC_PATCH, pod, json.dumps(wanted).encode(), "v1", "Pod")["spec"]["containers"][0]
    except ApiError as error:
        raise CommandError(f"error creating three way patch to add custom container: {message_of(error)}") from None


def _ephemeral(ctx: Context, pod: Object, command: list[str], flags: Flags, custom: Object) -> tuple[Object, str]:
    name, meta = _default_name(ctx, pod, flags), pod["metadata"]
    profile = PROFILES[flags.profile]
    container = _debugger({"name": name, "resources": {}, "terminationMessagePolicy": "File"}, command, flags)
    if flags.target:
        container["targetContainerName"] = flags.target
    container = _with_custom(debugprofiles.secured(container, profile, EPHEMERAL), custom)
    before = pod["spec"].get("ephemeralContainers") or []
    after = [*before, container]
    change: Object = {"ephemeralContainers": [difference({}, container)]}
    if before:
        change["$setElementOrder/ephemeralContainers"] = [{"name": each["name"]} for each in after]
    made = ctx.api.patch("pods", meta["namespace"], meta["name"], {"spec": change}, type="strategic", subresource="ephemeralcontainers")
    return made, name


def _copied(ctx: Context, pod: Object, command: list[str], flags: Flags, custom: Object) -> tuple[Object, str]:
    """A copy with a debugging container, or with one of its own changed."""
    meta = {"name": flags["copy-to"], "namespace": pod["metadata"]["namespace"]}
    meta |= {field: pod["metadata"][field] for field in ("labels", "annotations") if pod["metadata"].get(field)}
    spec = {key: value for key, value in pod["spec"].items() if key != "ephemeralContainers"}
    if flags.changed("share-processes"):
        spec["shareProcessNamespace"] = flags["share-processes"]
    if not flags["same-node"]:
        spec.pop("nodeName", None)
    images = flags["set-image"]
    spec["containers"] = [{**each, "image": images.get(each["name"]) or images.get("*") or each["image"]} for each in spec["containers"]]
    copy: Object = {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec}
    name = flags.container
    if not any(each["name"] == name for each in spec["containers"]):
        if not flags.image:
            if not images:
                raise CommandError("you must specify image when creating new container")
            return _replacing(ctx, pod, copy, flags), ""
        name = _default_name(ctx, copy, flags)
        spec["containers"].append({"name": name, "resources": {}, "terminationMessagePolicy": "File"})
    profile = PROFILES[flags.profile]
    spec["containers"] = [each if each["name"] != name else
                          _with_custom(debugprofiles.secured(_debugger(each, command, flags), profile, COPY), custom)
                          for each in spec["containers"]]
    keep = {flag.name: flags[flag.name] for flag in KEEP}
    return _replacing(ctx, pod, debugprofiles.of_copy(copy, profile, keep), flags), name


def _replacing(ctx: Context, pod: Object, copy: Object, flags: Flags) -> Object:
    meta = pod["metadata"]
    made = ctx.api.create("pods", meta["namespace"], copy)
    if flags.replace:
        ctx.api.delete("pods", meta["namespace"], meta["name"])
    return made


def _on_node(ctx: Context, node: Object, command: list[str], flags: Flags, custom: Object) -> tuple[Object, str]:
    node_name, name = node["metadata"]["name"], flags.container or "debugger"
    pod_name = generate(ctx.api.server.random, f"node-debugger-{node_name}-")
    if not flags.quiet:
        ctx.out(f"Creating debugging pod {pod_name} with container {name} on node {node_name}.")
    profile = PROFILES[flags.profile]
    container = _debugger({"name": name, "resources": {}, "terminationMessagePolicy": "File"}, command, flags)
    spec = debugprofiles.on_node({"containers": [debugprofiles.secured(container, profile, NODE)], "nodeName": node_name, "restartPolicy": "Never",
                                  "tolerations": [{"operator": "Exists"}]}, profile)
    spec["containers"] = [_with_custom(spec["containers"][0], custom)]
    meta = {"name": pod_name, "namespace": ctx.namespace, "labels": {"app.kubernetes.io/managed-by": "kubectl-debug"}}
    return ctx.api.create("pods", ctx.namespace, {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec}), name


KEEP = (
    Flag("keep-annotations", "", False, "With --copy-to: keep the pod's annotations."),
    Flag("keep-init-containers", "", True, "With --copy-to: run the pod's init containers."),
    Flag("keep-labels", "", False, "With --copy-to: keep the pod's labels."),
    Flag("keep-liveness", "", False, "With --copy-to: keep the pod's liveness probes."),
    Flag("keep-readiness", "", False, "With --copy-to: keep the pod's readiness probes."),
    Flag("keep-startup", "", False, "With --copy-to: keep the pod's startup probes."),
)
COMMANDS = (
    Command(
        "debug",
        debug,
        flags=(
            *KEEP, FILENAME[0], STDIN,
            Flag("arguments-only", "", False, "What stands behind -- are the container's args, not its command."),
            Flag("attach", "", False, "Attach once the container runs; so it is with -i."),
            Flag("container", "c", "", "The debugging container's name."),
            Flag("copy-to", "", "", "Copy the pod under this name."),
            Flag("custom", "", "", "A JSON or YAML file with a partial container spec that changes what the profile sets."),
            Flag("env", "", {}, "Environment variables of the container, name=value.", kind="map"),
            Flag("image", "", "", "The debugging container's image."),
            Flag("image-pull-policy", "", "", "The container's image pull policy."),
            Flag("profile", "", "general", '"general", "baseline", "restricted", "netadmin" or "sysadmin": what the container may do.'),
            Flag("quiet", "q", False, "Say nothing but what the session says."),
            Flag("replace", "", False, "With --copy-to: delete the original pod."),
            Flag("same-node", "", False, "With --copy-to: on the same node."),
            Flag("set-image", "", {}, "With --copy-to: images of containers, name=image; * stands for all.", kind="map"),
            Flag("share-processes", "", True, "With --copy-to: containers of the copy see each other's processes."),
            Flag("target", "", "", "Look at the processes of this container of the pod."),
            Flag("tty", "t", False, "Give the container a terminal."),
        ),
        short="Create debugging sessions for troubleshooting workloads and nodes",
        long="Debug with a container of your own: beside those of a running pod, in a copy of a pod, or on a node.",
        use="(POD | TYPE[[.VERSION].GROUP]/NAME) [ -- COMMAND [args...] ]",
        examples="# A container in a running pod, to type into\nkubectl debug web -it --image=busybox\n\n# A copy of a pod with another command\n"
                 "kubectl debug web -it --copy-to=web-debug --container=web -- sh\n\n# A copy with all images changed\n"
                 "kubectl debug web --copy-to=web-debug --set-image=*=busybox\n\n# On a node, whose disk is at /host\n"
                 "kubectl debug node/w1-k8s -it --image=busybox",
    ),
)
