"""kubectl rollout: status, history, undo, pause, resume, restart.

In: which objects, and for status a watch on them. Out: lines of progress as the workload's status changes (worded in
``rolloutstatus``), its revisions (found by ``history``), or a patch that goes back to one.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

from server.cluster.errors import ApiError
from server.cluster.objects import annotations
from server.cluster.process import Closed, Take, TimedOut
from server.kubectl import printers, resources
from server.kubectl.command import DRY_RUN, FILENAME, OUTPUT, SELECTOR, Command, field_manager
from server.kubectl.context import Context
from server.kubectl.describe.layout import LAST_APPLIED, Page
from server.kubectl.describe.pod import describe_pod_template
from server.kubectl.describe.workloads import HASH_LABEL, comparable_template
from server.kubectl.dryrun import strategy
from server.kubectl.errors import CommandError, message_of, raise_all
from server.kubectl.flags import Flag, Flags, quoted
from server.kubectl.goorder import in_go_order
from server.kubectl.history import KEEPERS, Revisions, of_deployment, roll_back
from server.kubectl.resources import Found, Info
from server.kubectl.rolloutstatus import REVISION, VIEWERS
from server.kubectl.tabwriter import align

Object = dict[str, Any]
RESTARTED_AT = "kubectl.kubernetes.io/restartedAt"
KEPT_ON_UNDO = (LAST_APPLIED, REVISION, "deployment.kubernetes.io/revision-history", "deployment.kubernetes.io/desired-replicas",
                "deployment.kubernetes.io/max-replicas", "deprecated.deployment.rollback.to")
RESTARTABLE = ("Deployment", "DaemonSet", "StatefulSet")
WORKLOADS = ("DaemonSet", "Deployment", "Job", "Pod", "ReplicaSet", "ReplicationController", "StatefulSet", "CronJob")
UNDO_WARNING = (
    "resource {}/{} was previously managed with 'kubectl apply'. Rolling back will not update the {} annotation, which may cause "
    "unexpected behavior on future 'kubectl apply' operations. Consider using 'kubectl apply' with your previous configuration file "
    "instead."
)


def _chosen(ctx: Context, args: list[str], flags: Flags, **more: Any) -> Found:
    if not args and not flags.filename and not flags.kustomize:
        raise CommandError("required resource not specified")
    return resources.find(ctx, args, filenames=flags.filename, recursive=flags.recursive, kustomize=flags.kustomize,
                          selector=flags.get("selector", ""), **more)


# status ------------------------------------------------------------------------------------------------------------------

def status(ctx: Context, args: list[str], flags: Flags) -> Generator[Any, Any, None]:
    found = _chosen(ctx, args, flags, stop_at_error=True)
    if flags.revision < 0:
        raise CommandError(f"revision must be a positive integer: {flags.revision}")
    if not found.infos:
        ctx.err(f"No resources found in {ctx.namespace} namespace.")
    for info in found:
        if info.resource.kind not in VIEWERS:
            group_kind = ".".join(filter(None, (info.resource.kind, info.resource.group)))
            raise CommandError(f"no status viewer has been implemented for {group_kind}")
        yield from _follow(ctx, info, flags)


def _follow(ctx: Context, info: Info, flags: Flags) -> Generator[Any, Any, None]:
    """Says how far the rollout is at every change, until it is done."""
    events = ctx.api.watch(info.resource, info.namespace, field_selector=f"metadata.name={info.name}")
    deadline = ctx.clock.now + flags.timeout if flags.timeout else None
    try:
        while True:
            event = yield Take(events, None if deadline is None else max(0.0, deadline - ctx.clock.now))
            if event.type == "DELETED":
                raise CommandError("object has been deleted")
            if event.type not in ("ADDED", "MODIFIED"):
                continue
            text, done = VIEWERS[info.resource.kind](event.object, flags.revision)
            ctx.stdout.write(text)
            if done or not flags.watch:
                return
    except TimedOut:
        raise CommandError("timed out waiting for the condition") from None
    except Closed:
        raise CommandError("watch closed before UntilWithoutRetry timeout") from None
    finally:
        events.close()


# history and undo --------------------------------------------------------------------------------------------------------

def history(ctx: Context, args: list[str], flags: Flags) -> None:
    if flags.revision < 0:
        raise CommandError(f"revision must be a positive integer: {flags.revision}")
    found = _chosen(ctx, args, flags)
    for info in found:
        _require_history(info, "error retrieving history for {}, {}", "no history viewer has been implemented for {}")
        kept = KEEPERS[info.resource.kind](ctx, info)
        if flags.output:
            _print_revisions(ctx, flags, kept)
            continue
        told = f"with revision #{flags.revision}" if flags.revision else ""
        ctx.out(f"{info.kind_name} {told}\n{_history_text(kept, flags.revision)}")
    raise_all(found.errors)


def _require_history(info: Info, unknown: str, missing: str) -> None:
    row = info.resource
    if row.kind in KEEPERS:
        return
    kind = quoted(f"{row.kind}.{row.group}" if row.group else row.kind)
    if row.kind in WORKLOADS:
        raise CommandError(missing.format(kind))
    raise CommandError(unknown.format(kind, f"no visitor method exists for {{{row.group} {row.kind}}}"))


def _history_text(kept: Revisions, revision: int) -> str:
    if not kept:
        return "No rollout history found."
    if not revision:
        lines = [f"{number}\t{each.cause}" for number, each in kept.items()]
        return align("\n".join(("REVISION\tCHANGE-CAUSE", *lines, "")))
    if revision not in kept:
        raise CommandError("unable to find the specified revision")
    return _template_text(kept[revision].template)


def _template_text(template: Object) -> str:
    page = Page()
    describe_pod_template(template, page)
    return page.unaligned()


def _print_revisions(ctx: Context, flags: Flags, kept: Revisions) -> None:
    if flags.revision and flags.revision not in kept:
        raise CommandError("unable to find the specified revision")
    show = printers.for_objects(ctx, flags, "", typed=True)
    for number, each in kept.items():
        if flags.revision in (0, number):
            show(in_go_order(each.shown), ctx.api.resources[each.resource])


def undo(ctx: Context, args: list[str], flags: Flags) -> None:
    mode = strategy(flags)
    found = _chosen(ctx, args, flags)
    errors = list(found.errors)
    for info in found:
        try:
            _require_history(info, "error retrieving rollbacker for {}, {}", "no rollbacker has been implemented for {}")
            printers.for_objects(ctx, flags, _roll_back(ctx, info, flags["to-revision"], mode))(info.object, info.resource)
        except (ApiError, CommandError) as error:
            errors.append(error)
    raise_all(errors)


def _roll_back(ctx: Context, info: Info, to: int, mode: str) -> str:
    """Puts the template of an earlier revision back; answers what has been done."""
    if LAST_APPLIED in annotations(info.object):
        ctx.warn(UNDO_WARNING.format(info.resource.plural, info.name, LAST_APPLIED))
    if info.resource.kind == "Deployment":
        return _roll_back_deployment(ctx, info, to, mode)
    return roll_back(ctx, info, to, mode, _template_text)


def _roll_back_deployment(ctx: Context, info: Info, to: int, mode: str) -> str:
    deployment = ctx.api.get(info.resource, info.namespace, info.name)
    kept = {number: each.kept for number, each in of_deployment(ctx, info).items()}
    if to < 0 or (to and to not in kept):
        raise CommandError(f"unable to find specified revision {to} in history")
    if not to and len(kept) < 2:
        raise CommandError(f"no rollout history found for deployment {quoted(info.name)}")
    chosen = kept[to or sorted(kept)[-2]]
    if mode == "client":
        return _template_text(chosen["spec"]["template"])
    if deployment["spec"].get("paused"):
        raise CommandError("you cannot rollback a paused deployment; resume it first with 'kubectl rollout resume' and try again")
    template = chosen["spec"]["template"]
    if comparable_template(template) == comparable_template(deployment["spec"]["template"]):
        return f"skipped rollback (current template already matches revision {to})"
    labels = {key: value for key, value in (template["metadata"].get("labels") or {}).items() if key != HASH_LABEL}
    told = {key: value for key, value in annotations(deployment).items() if key in KEPT_ON_UNDO}
    told |= {key: value for key, value in annotations(chosen).items() if key not in KEPT_ON_UNDO}
    patch = [
        {"op": "replace", "path": "/spec/template", "value": {**template, "metadata": {**template["metadata"], "labels": labels}}},
        {"op": "replace", "path": "/metadata/annotations", "value": told},
    ]
    try:
        ctx.api.patch(info.resource, info.namespace, info.name, patch, "json", dry_run=mode == "server")
    except ApiError as error:
        raise CommandError(f"failed restoring revision {to}: {message_of(error)}") from None
    return "rolled back"


# pause, resume, restart --------------------------------------------------------------------------------------------------

def _pause_patch(ctx: Context, obj: Object) -> Object:
    if obj["kind"] != "Deployment":
        raise CommandError("pausing is not supported")
    if obj["spec"].get("paused"):
        raise CommandError("is already paused")
    return {"spec": {"paused": True}}


def _resume_patch(ctx: Context, obj: Object) -> Object:
    if obj["kind"] != "Deployment":
        raise CommandError("resuming is not supported")
    if not obj["spec"].get("paused"):
        raise CommandError("is not paused")
    return {"spec": {"paused": None}}


def _restart_patch(ctx: Context, obj: Object) -> Object:
    if obj["kind"] not in RESTARTABLE:
        raise CommandError("restarting is not supported")
    if obj["spec"].get("paused"):
        raise CommandError("can't restart paused deployment (run rollout resume first)")
    now = ctx.clock.timestamp()
    if (obj["spec"]["template"]["metadata"].get("annotations") or {}).get(RESTARTED_AT) == now:
        return {}
    return {"spec": {"template": {"metadata": {"annotations": {RESTARTED_AT: now}}}}}


def _patching(done: str, patch_for: Callable[[Context, Object], Object]) -> Callable[[Context, list[str], Flags], None]:
    def run(ctx: Context, args: list[str], flags: Flags) -> None:
        found = _chosen(ctx, args, flags)
        if not found.infos and not found.errors:
            ctx.err(f"No resources found in {ctx.namespace} namespace.")
        errors = list(found.errors)
        show = printers.for_objects(ctx, flags, done)
        for info in found:
            try:
                show(_patched(ctx, flags, info, patch_for), info.resource)
            except CommandError as error:
                errors.append(error)
        raise_all(errors)

    return run


def _patched(ctx: Context, flags: Flags, info: Info, patch_for: Callable[[Context, Object], Object]) -> Object:
    try:
        patch = patch_for(ctx, info.object)
    except CommandError as problem:
        raise CommandError(f"error: {info.resource.key} {quoted(info.name)} {problem.message}") from None
    if not patch:
        raise CommandError(f"failed to create patch for {info.name}: if restart has already been triggered within the past second, "
                           "please wait before attempting to trigger another")
    try:
        return ctx.api.patch(info.resource, info.namespace, info.name, patch, "strategic", field_manager=flags["field-manager"])
    except ApiError as error:
        raise CommandError(f"failed to patch: {message_of(error)}") from None


USE = "(TYPE NAME | TYPE/NAME) [flags]"
CHANGING = (*OUTPUT, *FILENAME, SELECTOR, field_manager("kubectl-rollout"))
COMMANDS = (
    Command("rollout", short="Manage the rollout of a resource", use="SUBCOMMAND",
            long="Look at the rollout of a workload, go back to an earlier revision, pause, resume or restart it.", commands=(
        Command("history", history, (*OUTPUT, *FILENAME, SELECTOR, Flag("revision", "", 0, "Show this revision's pod template.")),
                "View rollout history", USE),
        Command("pause", _patching("paused", _pause_patch), CHANGING, "Mark the provided resource as paused", "RESOURCE"),
        Command("restart", _patching("restarted", _restart_patch), CHANGING, "Restart a resource", "RESOURCE"),
        Command("resume", _patching("resumed", _resume_patch), CHANGING, "Resume a paused resource", "RESOURCE"),
        Command("status", status, (
            *FILENAME, SELECTOR, Flag("watch", "w", True, "Watch the rollout until it is done."),
            Flag("revision", "", 0, "Insist on this revision; 0 means the latest."),
            Flag("timeout", "", 0.0, "How long to watch (1s, 2m, 3h); zero means for ever.", kind="duration")),
            "Show the status of the rollout", USE),
        Command("undo", undo, (
            *OUTPUT, *FILENAME, SELECTOR, DRY_RUN, Flag("to-revision", "", 0, "Revision to go back to; 0 means the previous.")),
                "Undo a previous rollout", USE))),
)
