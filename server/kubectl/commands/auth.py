"""kubectl auth: who am I, what may I do. Both are asked of the API server, and where it has no such API, that is the answer."""

from __future__ import annotations

from typing import Any

from server.cluster.errors import ApiError
from server.kubectl import printers, resources
from server.kubectl.command import ALL_NAMESPACES, OUTPUT, Command
from server.kubectl.context import Context
from server.kubectl.describe.values import go_list
from server.kubectl.errors import CommandError, Exit, PlainError
from server.kubectl.flags import Flag, Flags
from server.kubectl.tabwriter import Tabs

Object = dict[str, Any]
REVIEWS = "selfsubjectreviews.authentication.k8s.io"
ACCESS = "selfsubjectaccessreviews.authorization.k8s.io"
NOT_ENABLED = "the selfsubjectreviews API is not enabled in the cluster"
VERBS = frozenset(("get", "list", "watch", "create", "update", "patch", "delete", "deletecollection", "use", "bind", "impersonate", "*", "approve",
                   "sign", "escalate", "attest"))
PATH_VERBS = frozenset(("get", "post", "put", "head", "options", "delete", "patch", "*"))
UNLISTED = ("users", "groups")  # what RBAC speaks of though no server lists it
RULES = "selfsubjectrulesreviews.authorization.k8s.io"


def whoami(ctx: Context, args: list[str], flags: Flags) -> None:
    try:
        review = ctx.api.create(REVIEWS, "", {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview", "metadata": {}})
    except ApiError as error:
        told = {404: NOT_ENABLED, 403: f"{NOT_ENABLED} or you do not have permission to call it"}.get(error.code)
        if told is None:
            raise
        raise CommandError(told) from None
    if flags.output:
        printers.for_objects(ctx, flags)(review)
        return
    user, tabs = review["status"]["userInfo"], Tabs()
    tabs.row("ATTRIBUTE", "VALUE")
    for label, field in (("Username", "username"), ("UID", "uid"), ("Groups", "groups")):
        if user.get(field):
            tabs.row(label, go_list(user[field]) if field == "groups" else user[field])
    for name in sorted(user.get("extra") or ()):
        tabs.row(f"Extra: {name}", go_list(user["extra"][name]))
    ctx.stdout.write(tabs.render())


def can_i(ctx: Context, args: list[str], flags: Flags) -> None:
    if flags.list:
        if args:
            raise CommandError("list option must be specified with no arguments")
        if flags.quiet or flags["all-namespaces"] or flags.subresource:
            raise CommandError("list option can't be specified with neither quiet, all-namespaces nor subresource options")
        _rules(ctx, flags)
        return
    if flags["no-headers"]:
        raise CommandError("--no-headers cannot be set without --list specified")
    if len(args) != 2:
        raise CommandError("you must specify two arguments: verb resource or verb resource/resourceName.\n"
                           "See 'kubectl auth can-i -h' for help and examples.")
    verb, target = args
    if target.startswith("/"):
        if flags.subresource:
            raise CommandError("--subresource can not be used with NonResourceURL")
        _known(ctx, verb, PATH_VERBS)
        attributes: dict[str, object] = {"nonResourceAttributes": {"path": target, "verb": verb}}
    else:
        kind, _, named = target.partition("/")
        row = resources.try_lookup(ctx, kind)
        if row is None and kind not in ("*", *UNLISTED):
            plural, _, group = kind.partition(".")
            ctx.err(f"Warning: the server doesn't have a resource type '{plural}'{_in_group(group)}\n")
        if row is not None and not row.namespaced and not flags["all-namespaces"]:
            ctx.err(f"Warning: resource '{row.plural}' is not namespace scoped{_in_group(row.group)}\n")
        _known(ctx, verb, VERBS)
        attributes = {"resourceAttributes": {
            "namespace": "" if flags["all-namespaces"] or (row is not None and not row.namespaced) else ctx.namespace, "verb": verb,
            "group": row.group if row else "", "resource": row.plural if row else kind, "subresource": flags.subresource,
            "name": named}}
    body = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "metadata": {}, "spec": attributes}
    status = _asked(ctx, ACCESS, body)
    told = [f"- {status[field]}" for field in ("reason", "evaluationError") if status.get(field)]
    if not flags.quiet:
        ctx.out(" ".join(["yes" if status["allowed"] else "no", *(told if not status["allowed"] else [])]))
    if not status["allowed"]:
        raise Exit(1)


def _in_group(group: str) -> str:
    return f" in group '{group}'" if group else ""


def _known(ctx: Context, verb: str, verbs: frozenset[str]) -> None:
    if verb not in verbs:
        ctx.err(f"Warning: verb '{verb}' is not a known verb\n")


def _asked(ctx: Context, resource: str, body: Object) -> Object:
    """A review's status. A server without the API answers with no more than 404, which kubectl tells in these words."""
    if resource not in ctx.api.resources:
        raise PlainError(f"Error from server (NotFound): the server could not find the requested resource (post {resource})")
    return ctx.api.create(resource, "", body)["status"]


def _rules(ctx: Context, flags: Flags) -> None:
    body = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectRulesReview", "metadata": {}, "spec": {"namespace": ctx.namespace}}
    status = _asked(ctx, RULES, body)
    if status.get("incomplete"):
        ctx.err(f"warning: the list may be incomplete: {status.get('evaluationError', '')}")
    tabs = Tabs()
    if not flags["no-headers"]:
        tabs.row("Resources", "Non-Resource URLs", "Resource Names", "Verbs")
    for rule in status.get("resourceRules") or ():
        for resource in rule.get("resources") or ():
            for group in rule.get("apiGroups") or ("",):
                tabs.row(f"{resource}.{group}" if group else resource, "[]", go_list(rule.get("resourceNames")), go_list(rule["verbs"]))
    for rule in status.get("nonResourceRules") or ():
        for path in rule.get("nonResourceURLs") or ():
            tabs.row("", f"[{path}]", "[]", go_list(rule["verbs"]))
    ctx.stdout.write(tabs.render())


COMMANDS = (
    Command("auth", short="Inspect authorization", use="[flags]", commands=(
        Command("can-i", can_i, (
            ALL_NAMESPACES, Flag("quiet", "q", False, "Tell by the exit code alone."),
            Flag("list", "", False, "Everything that is allowed."),
            Flag("subresource", "", "", "Ask about this subresource."), Flag("no-headers", "", False, "Leave the header out.")),
            "Check whether an action is allowed", "VERB [TYPE | TYPE/NAME | NONRESOURCEURL]"),
        Command("whoami", whoami, OUTPUT, "Experimental: Check self subject attributes", "", complete="none"),
    )),
)
