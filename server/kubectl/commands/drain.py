"""kubectl drain: cordons a node and moves its pods away, through evictions where the API has them, else by deletion.

In: nodes and what may be lost (--force, --delete-emptydir-data, --ignore-daemonsets). Out: nothing is touched while a pod stands in
the way; else each pod is evicted and waited for on the virtual clock.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, NamedTuple

from server.cluster.errors import ApiError
from server.cluster.objects import annotations, controller_of, key, name, namespace, uid
from server.cluster.process import Sleep
from server.kubectl import printers
from server.kubectl.command import DRY_RUN, SELECTOR, Command
from server.kubectl.commands.cordon import nodes, set_schedulable
from server.kubectl.context import Context
from server.kubectl.dryrun import strategy
from server.kubectl.errors import PlainError, message_of
from server.kubectl.flags import Flag, Flags, format_duration

Object = dict[str, Any]
MIRROR = "kubernetes.io/config.mirror"
RETRY, POLL = 5.0, 1.0


class Verdict(NamedTuple):
    """Whether a pod goes, and what is to be said of it; ``fatal`` keeps the whole node from being drained."""

    goes: bool
    message: str = ""
    fatal: bool = False


GOES = Verdict(True)


def verdict(ctx: Context, flags: Flags, pod: Object) -> Verdict:
    """The rules in kubectl's order; the last one that says something is heard, the first that keeps the pod ends it."""
    ended = (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")
    owner = controller_of(pod)
    told = GOES
    if _long_deleted(ctx, flags, pod):
        return Verdict(False)
    if owner is not None and owner["kind"] == "DaemonSet" and not ended:
        told = _of_daemon_set(ctx, flags, pod, owner)
        if not told.goes:
            return told
    if MIRROR in annotations(pod):
        return Verdict(False)
    told = GOES
    local = any("emptyDir" in volume for volume in (pod.get("spec") or {}).get("volumes") or ())
    if local and not ended and not flags["delete-emptydir-data"]:
        return Verdict(False, "cannot delete Pods with local storage (use --delete-emptydir-data to override)", True)
    if owner is None and not ended:
        if not flags.force:
            return Verdict(False, "cannot delete Pods that declare no controller (use --force to override)", True)
        told = Verdict(True, "deleting Pods that declare no controller")
    return told


def _of_daemon_set(ctx: Context, flags: Flags, pod: Object, owner: Object) -> Verdict:
    try:
        ctx.api.get("daemonsets.apps", pod["metadata"]["namespace"], owner["name"])
    except ApiError as error:
        if error.reason == "NotFound" and flags.force:
            return Verdict(True, message_of(error))
        return Verdict(False, f"cannot delete {message_of(error)}", True)
    if not flags["ignore-daemonsets"]:
        return Verdict(False, "cannot delete DaemonSet-managed Pods (use --ignore-daemonsets to ignore)", True)
    return Verdict(False, "ignoring DaemonSet-managed Pods")


def _long_deleted(ctx: Context, flags: Flags, pod: Object) -> bool:
    limit, deleted = flags["skip-wait-for-delete-timeout"], pod["metadata"].get("deletionTimestamp")
    return bool(limit > 0 and deleted and ctx.clock.now - ctx.clock.seconds(deleted) > limit)


class Plan(NamedTuple):
    pods: list[Object]
    warnings: str
    faults: list[str]


def plan(ctx: Context, flags: Flags, node: str) -> Plan:
    """Which pods of the node go, what to warn of, and what forbids it all."""
    going: list[Object] = []
    warnings: dict[str, list[str]] = {}
    faults: dict[str, list[str]] = {}
    for pod in ctx.api.items("pods", "", field_selector=f"spec.nodeName={node}", label_selector=flags["pod-selector"]):
        told = verdict(ctx, flags, pod)
        if told.goes:
            going.append(pod)
        if told.message:
            (faults if told.fatal else warnings).setdefault(told.message, []).append("/".join(key(pod)))
    return Plan(going, "; ".join(_listed(warnings)), _listed(faults))


def _listed(groups: dict[str, list[str]]) -> list[str]:
    return [f"{message}: {', '.join(pods)}" for message, pods in groups.items()]


def drain(ctx: Context, args: list[str], flags: Flags) -> Generator[Any, Any, None]:
    infos = nodes(ctx, args, flags, "drain NODE")
    set_schedulable(ctx, flags, infos, True)
    failures: list[list[str]] = []
    pending: list[str] = []
    for info in infos:
        faults = yield from _drain(ctx, flags, info.name)
        if not faults:
            printers.for_objects(ctx, flags, "drained")(info.object, info.resource)
            continue
        listed = faults[0] if len(faults) == 1 else f"[{', '.join(faults)}]"
        ctx.err(f'error: unable to drain node "{info.name}" due to error: {listed}, continuing command...')
        failures.append(faults)
        pending.append(info.name)
    if pending:
        ctx.err("There are pending nodes to be drained:")
        for node in pending:
            ctx.err(f" {node}")
        raise PlainError("\n".join(fault for faults in failures for fault in faults))


def _drain(ctx: Context, flags: Flags, node: str) -> Generator[Any, Any, list[str]]:
    """Moves the node's pods away; answers with what went wrong."""
    planned = plan(ctx, flags, node)
    if planned.faults:
        return planned.faults
    if planned.warnings:
        ctx.warn(planned.warnings)
    mode = strategy(flags)
    if mode != "none":
        suffix = "dry run" if mode == "client" else "server dry run"
        for pod in planned.pods:
            ctx.out(f"evicting pod {'/'.join(key(pod))} ({suffix})")
        return []
    faults = yield from _remove(ctx, flags, planned.pods)
    if faults:
        left = plan(ctx, flags, node).pods
        if left:
            listed = faults[0] if len(faults) == 1 else f"[{', '.join(faults)}]"
            ctx.err(f'There are pending pods in node "{node}" when an error occurred: {listed}')
            for pod in left:
                ctx.err(f"pod/{name(pod)}")
    return faults


def _remove(ctx: Context, flags: Flags, pods: list[Object]) -> Generator[Any, Any, list[str]]:
    """Evicts (or deletes) all the pods together, then waits until they are gone; an eviction that is refused for now is tried again."""
    evict = not flags["disable-eviction"] and ctx.api.resources["pods"].subresource("eviction") is not None
    deadline = ctx.clock.now + flags.timeout if flags.timeout else None
    faults: list[str] = []
    due = {uid(pod): (ctx.clock.now, pod) for pod in pods}
    waiting: list[Object] = []
    while due or waiting:
        for identity, (moment, pod) in list(due.items()):
            if moment > ctx.clock.now:
                continue
            del due[identity]
            again = _ask(ctx, flags, pod, evict, faults, waiting)
            if again:
                due[identity] = (ctx.clock.now + RETRY, pod)
        waiting = [pod for pod in waiting if not _gone(ctx, flags, pod, evict)]
        if not due and not waiting:
            break
        if deadline is not None and ctx.clock.now >= deadline:
            limit = format_duration(flags.timeout)
            faults += [f'error when evicting pods/"{name(pod)}" -n "{namespace(pod)}": global timeout reached: {limit}'
                       for _, pod in due.values()]
            faults += [f'error when waiting for pod "{name(pod)}" in namespace "{namespace(pod)}" to terminate: context deadline exceeded'
                       for pod in waiting]
            break
        yield Sleep(POLL)
    return faults


def _ask(ctx: Context, flags: Flags, pod: Object, evict: bool, faults: list[str], waiting: list[Object]) -> bool:
    """One eviction or deletion; True when it must be tried again later."""
    space, pod_name = key(pod)
    grace = {"gracePeriodSeconds": flags["grace-period"]} if flags["grace-period"] >= 0 else {}
    try:
        if evict:
            ctx.out(f"evicting pod {space}/{pod_name}")
            body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod_name, "namespace": space},
                    "deleteOptions": grace}
            ctx.api.request("create", "pods", space, pod_name, subresource="eviction", body=body)
        else:
            ctx.api.delete("pods", space, pod_name, grace_period_seconds=grace.get("gracePeriodSeconds"))
    except ApiError as error:
        if error.code == 404:
            return False
        if evict and error.code == 429:
            ctx.err(f'error when evicting pods/"{pod_name}" -n "{space}" (will retry after 5s): {message_of(error)}')
            return True
        faults.append(f'error when evicting pods/"{pod_name}" -n "{space}": {message_of(error)}' if evict else message_of(error))
        return False
    waiting.append(pod)
    return False


def _gone(ctx: Context, flags: Flags, pod: Object, evicted: bool) -> bool:
    space, pod_name = key(pod)
    try:
        present = ctx.api.get("pods", space, pod_name)
    except ApiError as error:
        if error.code != 404:
            raise
        present = None
    if present is None or uid(present) != uid(pod):
        ctx.out(f"pod/{pod_name} {'evicted' if evicted else 'deleted'}")
        return True
    if _long_deleted(ctx, flags, present):
        ctx.out(f'pod "{pod_name}" has DeletionTimestamp older than {flags["skip-wait-for-delete-timeout"]} seconds, skipping')
        return True
    return False


COMMANDS = (
    Command("drain", drain, (
        SELECTOR, DRY_RUN,
        Flag("force", "", False, "Go on even if there are pods that no controller would make again."),
        Flag("ignore-daemonsets", "", False, "Leave pods of DaemonSets where they are."),
        Flag("delete-emptydir-data", "", False, "Go on even if there are pods with emptyDir volumes, whose data is lost."),
        Flag("grace-period", "", -1, "Seconds each pod is given to end; negative leaves it to the pod."),
        Flag("timeout", "", 0.0, "How long to wait before giving up; zero waits for ever.", kind="duration"),
        Flag("pod-selector", "", "", "Only pods with these labels."),
        Flag("disable-eviction", "", False, "Delete pods instead of evicting them, past any PodDisruptionBudget."),
        Flag("skip-wait-for-delete-timeout", "", 0, "Do not wait for pods that were deleted more than this many seconds ago.")),
        "Drain node in preparation for maintenance", "NODE",
        "Cordon a node and evict the pods on it.", "  # Empty a node\n  kubectl drain w1-k8s --ignore-daemonsets"),
)
