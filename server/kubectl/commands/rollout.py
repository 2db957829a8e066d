"""kubectl rollout: status, history, undo, pause, resume, restart.

In: which objects, and for status a watch on them. Out: lines of progress as the Deployment's status changes, revisions kept in
ReplicaSets, or a patch that goes back to one. Revisions are numbers in ``deployment.kubernetes.io/revision``.
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
from server.kubectl.describe.workloads import HASH_LABEL, comparable_template, replica_sets_of
from server.kubectl.dryrun import strategy
from server.kubectl.errors import CommandError, message_of, raise_all
from server.kubectl.flags import Flag, Flags, quoted
from server.kubectl.resources import Found, Info
from server.kubectl.tabwriter import align

Object = dict[str, Any]
REVISION = "deployment.kubernetes.io/revision"
CHANGE_CAUSE = "kubernetes.io/change-cause"
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
        if info.resource.kind != "Deployment":
            raise CommandError(f"no status viewer has been implemented for {info.resource.kind}")
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
            text, done = deployment_status(event.object, flags.revision)
            ctx.stdout.write(text)
            if done or not flags.watch:
                return
    except TimedOut:
        raise CommandError("timed out waiting for the condition") from None
    except Closed:
        raise CommandError("watch closed before UntilWithoutRetry timeout") from None
    finally:
        events.close()


def deployment_status(deployment: Object, revision: int = 0) -> tuple[str, bool]:
    """What is said of a Deployment's rollout, and whether it is over."""
    meta, spec, current = deployment["metadata"], deployment["spec"], deployment.get("status") or {}
    if revision > 0:
        running = _revision(deployment) or 0
        if revision != running:
            raise CommandError(f"desired revision ({revision}) is different from the running revision ({running})")
    if meta.get("generation", 0) > current.get("observedGeneration", 0):
        return "Waiting for deployment spec update to be observed...\n", False
    name = quoted(meta["name"])
    if any(each["type"] == "Progressing" and each.get("reason") == "ProgressDeadlineExceeded" for each in current.get("conditions") or ()):
        raise CommandError(f"deployment {name} exceeded its progress deadline")
    wanted = spec.get("replicas", 1)
    updated, total, available = (current.get(field) or 0 for field in ("updatedReplicas", "replicas", "availableReplicas"))
    if updated < wanted:
        what = f"{updated} out of {wanted} new replicas have been updated"
    elif total > updated:
        what = f"{total - updated} old replicas are pending termination"
    elif available < updated:
        what = f"{available} of {updated} updated replicas are available"
    else:
        return f"deployment {name} successfully rolled out\n", True
    return f"Waiting for deployment {name} rollout to finish: {what}...\n", False


# history and undo --------------------------------------------------------------------------------------------------------

def history(ctx: Context, args: list[str], flags: Flags) -> None:
    if flags.revision < 0:
        raise CommandError(f"revision must be a positive integer: {flags.revision}")
    found = _chosen(ctx, args, flags)
    for info in found:
        _require_deployment(info, "error retrieving history for {}, {}", "no history viewer has been implemented for {}")
        kept = revisions(ctx, info)
        if flags.output:
            _print_revisions(ctx, flags, info, kept)
            continue
        told = f"with revision #{flags.revision}" if flags.revision else ""
        ctx.out(f"{info.kind_name} {told}\n{_history_text(kept, flags.revision)}")
    raise_all(found.errors)


def _require_deployment(info: Info, unknown: str, missing: str) -> None:
    row = info.resource
    if row.kind == "Deployment":
        return
    kind = quoted(f"{row.kind}.{row.group}" if row.group else row.kind)
    if row.kind in WORKLOADS:
        raise CommandError(missing.format(kind))
    raise CommandError(unknown.format(kind, f"no visitor method exists for {{{row.group} {row.kind}}}"))


def revisions(ctx: Context, info: Info) -> dict[int, Object]:
    """The Deployment's ReplicaSets by revision, lowest first."""
    deployment = ctx.api.get(info.resource, info.namespace, info.name)
    try:
        old, new = replica_sets_of(ctx.api, deployment)
    except ApiError as error:
        raise CommandError(f"failed to retrieve replica sets from deployment {info.name}: {message_of(error)}") from None
    numbered = {_revision(each): each for each in (*old, *([new] if new else []))}
    return {number: numbered[number] for number in sorted(key for key in numbered if key is not None)}


def _revision(obj: Object) -> int | None:
    text = annotations(obj).get(REVISION, "")
    return int(text) if text.lstrip("-").isdigit() else None


def _history_text(kept: dict[int, Object], revision: int) -> str:
    if not kept:
        return "No rollout history found."
    if not revision:
        lines = [f"{number}\t{annotations(each).get(CHANGE_CAUSE) or '<none>'}" for number, each in kept.items()]
        return align("\n".join(("REVISION\tCHANGE-CAUSE", *lines, "")))
    if revision not in kept:
        raise CommandError("unable to find the specified revision")
    template, cause = kept[revision]["spec"]["template"], annotations(kept[revision]).get(CHANGE_CAUSE)
    if cause:
        meta = template.get("metadata") or {}
        template = {**template, "metadata": {**meta, "annotations": {**(meta.get("annotations") or {}), CHANGE_CAUSE: cause}}}
    return _template_text(template)


def _template_text(template: Object) -> str:
    page = Page()
    describe_pod_template(template, page)
    return page.unaligned()


def _print_revisions(ctx: Context, flags: Flags, info: Info, kept: dict[int, Object]) -> None:
    if flags.revision and flags.revision not in kept:
        raise CommandError("unable to find the specified revision")
    show = printers.for_objects(ctx, flags, "")
    for number, each in kept.items():
        if flags.revision in (0, number):
            show(each, ctx.api.resources["replicasets.apps"])


def undo(ctx: Context, args: list[str], flags: Flags) -> None:
    mode = strategy(flags)
    found = _chosen(ctx, args, flags)
    errors = list(found.errors)
    for info in found:
        try:
            _require_deployment(info, "error retrieving rollbacker for {}, {}", "no rollbacker has been implemented for {}")
            printers.for_objects(ctx, flags, _roll_back(ctx, info, flags["to-revision"], mode))(info.object, info.resource)
        except (ApiError, CommandError) as error:
            errors.append(error)
    raise_all(errors)


def _roll_back(ctx: Context, info: Info, to: int, mode: str) -> str:
    """Puts the template of an earlier revision back; answers what has been done."""
    deployment = ctx.api.get(info.resource, info.namespace, info.name)
    if LAST_APPLIED in annotations(deployment):
        ctx.warn(UNDO_WARNING.format(info.resource.plural, info.name, LAST_APPLIED))
    kept = revisions(ctx, info)
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
            long="Look at the rollout of a Deployment, go back to an earlier revision, pause, resume or restart it.", commands=(
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
