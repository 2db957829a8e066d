"""kubectl describe: details of objects, with what belongs to them. A name that is not found may be a prefix.

In: objects in any of kubectl's ways. Out: one description each, two blank lines between them; events only of a single one, unless
--show-events says otherwise.
"""

from __future__ import annotations

from server.cluster.errors import ApiError
from server.kubectl import resources
from server.kubectl.command import ALL_NAMESPACES, CHUNK_SIZE, FILENAME, SELECTOR, Command
from server.kubectl.context import Context
from server.kubectl.describe import Scope
from server.kubectl.describe import describe as description
from server.kubectl.errors import CommandError, raise_all
from server.kubectl.flags import Flag, Flags

NO_TYPE = ('You must specify the type of resource to describe. Use "kubectl api-resources" for a complete list of supported '
           "resources.\n")


def describe(ctx: Context, args: list[str], flags: Flags) -> None:
    if not args and not flags.filename and not flags.kustomize:
        raise CommandError(NO_TYPE)
    found = resources.find(ctx, args, filenames=flags.filename, recursive=flags.recursive, kustomize=flags.kustomize,
                           selector=flags.selector, all_namespaces=flags["all-namespaces"])
    show_events = flags["show-events"]
    if not flags.changed("show-events"):
        show_events = len(found.infos) == 1 and not found.errors
    scope = Scope.at(ctx.api, ctx.clock, show_events)
    if len(args) == 2 and len(found.errors) == 1 and isinstance(found.errors[0], ApiError) and found.errors[0].reason == "NotFound":
        _describe_prefixed(ctx, args[0], args[1], scope, found.errors[0])
        return
    if not found.infos and not found.errors:
        ctx.err("No resources found" if flags["all-namespaces"] else f"No resources found in {ctx.namespace} namespace.")
    texts = []
    for info in found:
        ctx.api.breathe()
        texts.append(description({**info.object, "apiVersion": info.resource.api_version, "kind": info.resource.kind}, scope))
    ctx.stdout.write("\n\n".join(texts))
    raise_all(found.errors)


def _describe_prefixed(ctx: Context, kind: str, prefix: str, scope: Scope, missing: ApiError) -> None:
    found = resources.find(ctx, [kind], stop_at_error=True)
    matching = [info for info in found if info.name.startswith(prefix)]
    if not matching:
        raise missing
    for info in matching:
        ctx.api.breathe()
        ctx.out(description(info.object, scope))


COMMANDS = (
    Command("describe", describe, (
        *FILENAME, SELECTOR, ALL_NAMESPACES, CHUNK_SIZE,
        Flag("show-events", "", True, "Show events of what is described; by default only of a single object.")),
        "Show details of a specific resource or group of resources", "(-f FILENAME | TYPE [NAME_PREFIX | -l label] | TYPE/NAME)",
        "Show an object and what belongs to it, such as events and owners. Where no object has the name, all whose names begin with it "
        "are shown.",
        "  # One node\n  kubectl describe nodes w1-k8s\n\n  # One pod\n  kubectl describe pods/web\n\n  # By label\n"
        "  kubectl describe pods -l app=web", suggest_for=("inspect",)),
)
