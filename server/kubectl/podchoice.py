"""Which pod is meant, and which of its containers: as logs, exec, attach, cp and port-forward choose them.

In: an object that is a pod or has pods, and perhaps a container's name. Out: one pod, one container. A choice that the person did not make is
told on stderr.

Source: https://kubernetes.io/docs/reference/labels-annotations-taints/#kubectl-kubernetes-io-default-container
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

from server.cluster.process import Sleep
from server.kubectl import resources
from server.kubectl.context import Context
from server.kubectl.describe.values import selector_text
from server.kubectl.errors import CommandError
from server.kubectl.flags import Flag, quoted
from server.kubectl.resources import Info

Object = dict[str, Any]
DEFAULT_CONTAINER = "kubectl.kubernetes.io/default-container"
CONTAINER = Flag("container", "c", "", "The container that is meant; without it the one that the annotation kubectl.kubernetes.io/default-container "
                 "names, or the pod's first.")
RUNNING_TIMEOUT = Flag("pod-running-timeout", "", 60.0, "How long to wait until a pod is there, such as 5s, 2m or 3h.", kind="duration")
STDIN = Flag("stdin", "i", False, "Give stdin to the container.")
TTY = Flag("tty", "t", False, "Stdin is a terminal.")
QUIET = Flag("quiet", "q", False, "Print only what the remote session prints.")
DETACH_KEYS = Flag("detach-keys", "", "ctrl-p,ctrl-q", "The keys that leave the session without ending it.")


def all_containers(pod: Object) -> list[tuple[str, str]]:
    """(name, what is said after it) of main, init and ephemeral containers."""
    spec = pod["spec"]
    return [(each["name"], told) for field, told in (("containers", ""), ("ephemeralContainers", " (ephem)"), ("initContainers", " (init)"))
            for each in spec.get(field) or ()]


def find_container(pod: Object, name: str) -> Object | None:
    spec = pod["spec"]
    fields = ("containers", "initContainers", "ephemeralContainers")
    return next((each for field in fields for each in spec.get(field) or () if each["name"] == name), None)


def container_of(pod: Object, name: str, say: Callable[[str], Any] | None) -> Object:
    """The container that is named, or the one by default; ``say`` (None: nothing is said) tells of the latter."""
    meta, known = pod["metadata"], all_containers(pod)
    listed = ", ".join(f"{each}{told}" for each, told in known)
    preferred = (meta.get("annotations") or {}).get(DEFAULT_CONTAINER, "")
    if not name and preferred:
        if find_container(pod, preferred) is not None:
            name = preferred
        elif say is not None:
            say(f"Default container name {quoted(preferred)} not found in pod {meta['name']}")
    if not name:
        name = pod["spec"]["containers"][0]["name"]
        if len(known) > 1 and say is not None:
            say(f"Defaulted container {quoted(name)} out of: {listed}")
    found = find_container(pod, name)
    if found is None:
        raise CommandError(f"container {name} is not valid for pod {meta['name']} out of: {listed}")
    return found


def pods_selector(obj: Object, kind: str, what: str = "get the logs from") -> str:
    """The label selector of what has pods."""
    spec = obj.get("spec") or {}
    if kind == "Service":
        if not spec.get("selector"):
            name = obj["metadata"]["name"]
            raise CommandError(f"cannot {what} *v1.Service: invalid service '{name}': Service is defined without a selector")
        return selector_text({"matchLabels": spec["selector"]})
    selector = spec.get("selector")
    if kind == "ReplicationController":
        selector = {"matchLabels": selector}
    if not isinstance(selector, dict):
        go_type = f"*{obj['apiVersion'].rpartition('/')[2]}.{kind}"
        raise CommandError(f"cannot {what} {go_type}: selector for {go_type} not implemented")
    return selector_text(selector)


def awaited(ctx: Context, namespace: str, selector: str, limit: float, worth: Callable[[Object], Any]) -> Generator[Any, Any, list[Object]]:
    """The pods, best first; waits for the first of them to come."""
    deadline = ctx.clock.now + limit
    while True:
        pods = ctx.api.items("pods", namespace, label_selector=selector)
        if pods:
            return sorted(pods, key=worth)
        if ctx.clock.now >= deadline:
            raise CommandError("timed out waiting for the condition")
        yield Sleep(min(0.5, deadline - ctx.clock.now))


def _worth(pod: Object) -> tuple[Any, ...]:
    status = pod.get("status") or {}
    ready = next((each for each in status.get("conditions") or () if each["type"] == "Ready" and each["status"] == "True"), None)
    return (not (pod.get("spec") or {}).get("nodeName"), {"Running": 0, "Unknown": 1, "Pending": 2}.get(status.get("phase", ""), 0),
            ready is None, (ready or {}).get("lastTransitionTime") or "")


def worth_reading(pod: Object) -> tuple[Any, ...]:
    """The order in which pods are preferred for logs: assigned, running, ready, longest ready, most restarts, oldest."""
    return *_worth(pod), -_restarts(pod), pod["metadata"].get("creationTimestamp", "")


def worth_entering(pod: Object) -> tuple[Any, ...]:
    """The order in which pods are preferred to go into: the same, but with few restarts."""
    return *_worth(pod), _restarts(pod), pod["metadata"].get("creationTimestamp", "")


def _restarts(pod: Object) -> int:
    return max((each.get("restartCount", 0) for each in (pod.get("status") or {}).get("containerStatuses") or ()), default=0)


def attachable(ctx: Context, args: list[str], limit: float, filenames: list[str] = ()) -> Generator[Any, Any, tuple[Object, Info]]:
    """The pod that POD, TYPE/NAME, TYPE NAME or a file means, and what was named."""
    if len(args) == 1 and "/" not in args[0]:
        args = [f"pods/{args[0]}"]
    infos = resources.find(ctx, args, filenames=filenames, stop_at_error=True).infos
    if len(infos) > 1:
        raise CommandError("cannot exec into multiple objects at a time")
    info = infos[0]
    if info.resource.key == "pods":
        return info.object, info
    selector = pods_selector(info.object, info.resource.kind, "attach to")
    pods = yield from awaited(ctx, info.namespace, selector, limit, worth_entering)
    return pods[0], info
