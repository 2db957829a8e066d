"""The revisions that ``kubectl rollout history`` shows and ``undo`` goes back to, whatever keeps them.

In: a workload. Out: its revisions by number, lowest first. A Deployment keeps them as ReplicaSets, which carry the number in an
annotation; StatefulSets and DaemonSets as ControllerRevisions, whose ``data`` is the patch that puts the template back.

Source: https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/controller-revision-v1/
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from server.cluster.errors import ApiError
from server.cluster.objects import annotations, controller_of
from server.kubectl.context import Context
from server.kubectl.describe.values import selector_text
from server.kubectl.describe.workloads import comparable_template, replica_sets_of
from server.kubectl.errors import CommandError, message_of
from server.kubectl.resources import Info
from server.kubectl.rolloutstatus import revision_of

Object = dict[str, Any]
CHANGE_CAUSE = "kubernetes.io/change-cause"
SPOKEN_OF = {"StatefulSet": "Statefulset"}


class Revision(NamedTuple):
    """``kept`` is the ReplicaSet or ControllerRevision; ``template`` is shown by ``--revision``, ``shown`` of the kind ``resource`` by
    ``-o``."""

    kept: Object
    template: Object
    shown: Object
    resource: str

    @property
    def cause(self) -> str:
        return annotations(self.kept).get(CHANGE_CAUSE) or "<none>"


Revisions = dict[int, Revision]


def of_deployment(ctx: Context, info: Info) -> Revisions:
    deployment = ctx.api.get(info.resource, info.namespace, info.name)
    try:
        old, new = replica_sets_of(ctx.api, deployment)
    except ApiError as error:
        raise CommandError(f"failed to retrieve replica sets from deployment {info.name}: {message_of(error)}") from None
    numbered = {revision_of(each): each for each in (*old, *([new] if new else []))}
    return {number: Revision(numbered[number], _with_cause(numbered[number]), numbered[number], "replicasets.apps")
            for number in sorted(key for key in numbered if key is not None)}


def _with_cause(replica_set: Object) -> Object:
    """The template, with why it came about noted on it."""
    template, cause = replica_set["spec"]["template"], annotations(replica_set).get(CHANGE_CAUSE)
    if not cause:
        return template
    meta = template.get("metadata") or {}
    return {**template, "metadata": {**meta, "annotations": {**(meta.get("annotations") or {}), CHANGE_CAUSE: cause}}}


def of_controller_revisions(ctx: Context, info: Info) -> Revisions:
    """Those of a StatefulSet or DaemonSet."""
    kind = info.resource.kind
    try:
        workload = ctx.api.get(info.resource, info.namespace, info.name)
    except ApiError as error:
        raise CommandError(f"failed to retrieve {SPOKEN_OF.get(kind, kind)} {info.name}: {message_of(error)}") from None
    try:
        listed = ctx.api.items("controllerrevisions.apps", info.namespace, label_selector=selector_text(workload["spec"].get("selector")))
    except ApiError as error:
        raise CommandError(f"unable to find history controlled by {kind} {info.name}: {message_of(error)}") from None
    found: Revisions = {}
    for each in sorted(listed, key=lambda each: each.get("revision", 0)):
        owner = controller_of(each)
        if owner is not None and owner["uid"] == workload["metadata"]["uid"]:
            template = {field: value for field, value in each["data"]["spec"]["template"].items() if field != "$patch"}
            applied = {**workload, "spec": {**workload["spec"], "template": template}}
            found[each.get("revision", 0)] = Revision(each, template, applied, info.resource.key)
    return found


KEEPERS: dict[str, Callable[[Context, Info], Revisions]] = {
    "Deployment": of_deployment,
    "StatefulSet": of_controller_revisions,
    "DaemonSet": of_controller_revisions,
}


def roll_back(ctx: Context, info: Info, to: int, mode: str, template_text: Callable[[Object], str]) -> str:
    """Puts a template back that a ControllerRevision keeps; answers what has been done."""
    kept = of_controller_revisions(ctx, info)
    if to < 0 or (to and to not in kept):
        raise CommandError(f"unable to find specified revision {to} in history")
    if not to and len(kept) < 2:
        raise CommandError("no last revision to roll back to")
    chosen = kept[to or sorted(kept)[-2]]
    if mode == "client":
        return f"will roll back to {template_text(chosen.template)}"
    workload = ctx.api.get(info.resource, info.namespace, info.name)
    if comparable_template(chosen.template) == comparable_template(workload["spec"]["template"]):
        return f"skipped rollback (current template already matches revision {to})"
    try:
        ctx.api.patch(info.resource, info.namespace, info.name, chosen.kept["data"], "strategic", dry_run=mode == "server")
    except ApiError as error:
        raise CommandError(f"failed restoring revision {to}: {message_of(error)}") from None
    return "rolled back"
