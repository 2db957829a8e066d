"""kubectl set: image, env, resources, selector, serviceaccount.

In: objects that have a pod template (a Service for selector) and what to set. Out: a strategic merge patch for each that changes,
and nothing for one that is so already.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from server.cluster import quantity, selectors
from server.cluster.errors import ApiError
from server.cluster.objects import replaced
from server.kubectl import pairs, printers, resources
from server.kubectl.command import ALL, DRY_RUN, FILENAME, LOCAL, OUTPUT, SELECTOR, Command, field_manager
from server.kubectl.commands import setenv
from server.kubectl.context import Context
from server.kubectl.dryrun import strategy
from server.kubectl.errors import CommandError, message_of, raise_all
from server.kubectl.flags import Flag, Flags, quoted
from server.kubectl.podspec import changed_containers, containers_where, matching, patch_of, pod_spec, with_pod_spec
from server.kubectl.resources import Found, Info

Object = dict[str, Any]
OPERATORS = {"in": "In", "notin": "NotIn", "!=": "NotIn", "exists": "Exists", "!": "DoesNotExist", "gt": "Gt", "lt": "Lt"}
UNNAMED = "one or more resources must be specified as <resource> <name> or <resource>/<name>"


def find(ctx: Context, flags: Flags, targets: list[str]) -> Found:
    if flags.local and targets:
        raise CommandError("error: you must specify resources by --filename when --local is set.\n"
                           "Example resource specifications include:\n   '-f rsrc.yaml'\n   '--filename=rsrc.json'")
    found = resources.find(ctx, targets, filenames=flags.filename, recursive=flags.recursive, kustomize=flags.kustomize,
                           selector=flags.get("selector", ""), everything=flags.all, types_alone=False, local=flags.local)
    raise_all(found.errors)
    return found


def require(flags: Flags, targets: list[str]) -> None:
    if flags.all and flags.get("selector"):
        raise CommandError("cannot set --all and --selector at the same time")
    if not targets and not flags.filename and not flags.kustomize:
        raise CommandError(UNNAMED)
    if flags.local and strategy(flags) == "server":
        raise CommandError("cannot specify --local and --dry-run=server - did you mean --dry-run=client?")


def change(ctx: Context, flags: Flags, found: Found, done: str, failed: str, new_spec: Callable[[Object, list[Exception]], Object]) -> None:
    """Gives each object the pod spec that ``new_spec`` makes of its own; what it finds wrong it appends to the errors."""
    errors: list[Exception] = []
    show, mode = printers.for_objects(ctx, flags, done), strategy(flags)
    for info in found:
        try:
            spec = new_spec(pod_spec(info.object), errors)
        except CommandError as error:
            errors.append(CommandError(f"error: {info.resource.plural}/{info.name} {error.message}\n"))
            continue
        patch = patch_of(info.object, spec)
        if not patch:
            continue
        after = with_pod_spec(info.object, spec)
        if not flags.local and mode != "client":
            try:
                after = ctx.api.patch(info.resource, info.namespace, info.name, patch, "strategic", dry_run=mode == "server",
                                      field_manager=flags["field-manager"])
            except ApiError as error:
                errors.append(CommandError(f"{failed} {message_of(error)}"))
                continue
        show(after, info.resource)
    raise_all(errors)


def image(ctx: Context, args: list[str], flags: Flags) -> None:
    targets, specs = pairs.split(args, "image")
    images, _ = pairs.parse(specs, "image", removable=False)
    found = find(ctx, flags, targets)
    require(flags, targets)
    if not images:
        raise CommandError("at least one image update is required")
    if len(images) > 1 and "*" in images:
        raise CommandError("all containers are already specified by *, but saw more than one container_name=container_image pairs")

    def new_spec(spec: Object, errors: list[Exception]) -> Object:
        for container, chosen in images.items():
            def wanted(name: str, container: str = container) -> bool:
                return container in ("*", name)

            if not containers_where(spec, wanted):
                errors.append(CommandError(f"error: unable to find container named {quoted(container)}"))
            spec = changed_containers(spec, wanted, lambda each, chosen=chosen: {**each, "image": chosen})
        return spec

    change(ctx, flags, found, "image updated", "failed to patch image update to pod template:", new_spec)


def set_resources(ctx: Context, args: list[str], flags: Flags) -> None:
    found = find(ctx, flags, args)
    require(flags, args)
    if not flags.limits and not flags.requests:
        raise CommandError("you must specify an update to requests or limits (in the form of --requests/--limits)")
    amounts = {"limits": _amounts(flags.limits), "requests": _amounts(flags.requests)}
    wanted = matching(flags.containers)

    def new_spec(spec: Object, errors: list[Exception]) -> Object:
        if not containers_where(spec, wanted):
            errors.append(CommandError(f"error: unable to find container named {flags.containers}"))
        return changed_containers(spec, wanted, _with_amounts)

    def _with_amounts(container: Object) -> Object:
        own = dict(container.get("resources") or {})
        for field, values in amounts.items():
            if values:
                own[field] = {**(own.get(field) or {}), **values}
        return {**container, "resources": own}

    change(ctx, flags, found, "resource requirements updated", "failed to patch resources update to pod template", new_spec)


def _amounts(text: str) -> dict[str, str]:
    amounts: dict[str, str] = {}
    for statement in text.split(",") if text else ():
        parts = statement.split("=")
        if len(parts) != 2:
            raise CommandError(f"Invalid argument syntax {statement}, expected <resource>=<value>")
        try:
            amounts[parts[0]] = quantity.canonical(parts[1])
        except quantity.QuantityError as error:
            raise CommandError(str(error)) from None
    return amounts


def service_account(ctx: Context, args: list[str], flags: Flags) -> None:
    if not args:
        raise CommandError("serviceaccount is required")
    *targets, account = args

    def new_spec(spec: Object, errors: list[Exception]) -> Object:
        if spec.get("serviceAccountName") == account:
            return spec
        return {**spec, "serviceAccountName": account, "serviceAccount": account}

    found = find(ctx, flags, targets)
    same = [info for info in found if _account(info) == account]
    change(ctx, flags, found, "serviceaccount updated", "failed to patch ServiceAccountName", new_spec)
    show = printers.for_objects(ctx, flags, "serviceaccount updated")
    for info in same:
        show(info.object, info.resource)


def _account(info: Info) -> str | None:
    try:
        return pod_spec(info.object).get("serviceAccountName")
    except CommandError:
        return None


def selector(ctx: Context, args: list[str], flags: Flags) -> None:
    if not args:
        raise CommandError("one selector is required")
    *targets, expression = args
    try:
        wanted = selectors.parse(expression)
    except selectors.SelectorError as error:
        raise CommandError(f"couldn't parse the selector string {quoted(expression)}: {error}") from None
    found = find(ctx, flags, targets)
    errors = list(found.errors)
    mode, show = strategy(flags), printers.for_objects(ctx, flags, "selector updated")
    for info in found:
        if info.resource.kind != "Service":
            errors.append(CommandError("setting a selector is only supported for Services"))
            continue
        others = [each for each in wanted.requirements if each.operator not in ("=", "==")]
        if others:
            told = " ".join(f"{{{each.key} {OPERATORS[each.operator]} [{' '.join(each.values)}]}}" for each in others)
            errors.append(CommandError(f"match expression [{told}] not supported on this object"))
            continue
        labels = {each.key: each.values[0] for each in wanted.requirements}
        after = replaced(info.object, {("spec", "selector"): labels})
        if not flags.local and mode != "client":
            old = info.object["spec"].get("selector") or {}
            patch: Object = {"spec": {"selector": {**{key: None for key in old if key not in labels}, **labels}}}
            if flags["resource-version"]:
                patch["metadata"] = {"resourceVersion": flags["resource-version"]}
            try:
                after = ctx.api.patch(info.resource, info.namespace, info.name, patch, "strategic", dry_run=mode == "server",
                                      field_manager=flags["field-manager"])
            except ApiError as error:
                errors.append(error)
                continue
        show(after, info.resource)
    raise_all(errors)


def env(ctx: Context, args: list[str], flags: Flags) -> None:
    if flags.all and flags.selector:
        raise CommandError("cannot set --all and --selector at the same time")
    targets, specs = setenv.split(args)
    require(flags, targets)
    if flags.list and flags.output:
        raise CommandError("--list and --output may not be specified together")
    if flags["keys"] and not flags["from"]:
        raise CommandError("when specifying --keys, a configmap or secret must be provided with --from")
    variables, removed = setenv.parse([*flags.env, *specs])
    if flags["from"]:
        variables += setenv.imported(ctx, find(ctx, flags, [flags["from"]]), flags["keys"])
    variables = [{**each, "name": flags.prefix + each["name"]} for each in variables]
    found = find(ctx, flags, targets)
    wanted = matching(flags.containers)
    setenv.warn_of_none(ctx, found, wanted, flags.containers)
    if flags.list:
        setenv.listed(ctx, flags, found, wanted, variables, removed)
        return

    def new_spec(spec: Object, errors: list[Exception]) -> Object:
        if not flags.overwrite:
            for container in containers_where(spec, wanted):
                setenv.refuse_overwrites(container, variables)
        return changed_containers(spec, wanted, lambda each: setenv.updated(each, variables, removed))

    change(ctx, flags, found, "env updated", "failed to patch env update to pod template:", new_spec)


COMMON = (*OUTPUT, *FILENAME, ALL, LOCAL, DRY_RUN, field_manager("kubectl-set"))
CONTAINERS = Flag("containers", "c", "*", "Names of the containers to change; * stands for anything.")
COMMANDS = (
    Command("set", short="Set specific features on objects", use="SUBCOMMAND", long="Change what is often changed.", commands=(
        Command("env", env, (
            *COMMON, SELECTOR, CONTAINERS, Flag("env", "e", [], "KEY=VALUE to set in each container.", kind="array"),
            Flag("from", "", "", "ConfigMap or Secret, as TYPE/NAME, to take variables from."),
            Flag("keys", "", [], "Only these keys of --from."), Flag("prefix", "", "", "Put before the variables' names."),
            Flag("list", "", False, "Show the variables."), Flag("resolve", "", False, "Show values for references when listing."),
            Flag("overwrite", "", True, "Let variables that exist be replaced.")),
            "Update environment variables on a pod template", "RESOURCE/NAME KEY_1=VAL_1 ... KEY_N=VAL_N"),
        Command("image", image, (*COMMON, SELECTOR), "Update the image of a pod template",
                "(-f FILENAME | TYPE NAME) CONTAINER_NAME_1=CONTAINER_IMAGE_1 ... CONTAINER_NAME_N=CONTAINER_IMAGE_N"),
        Command("resources", set_resources, (
            *COMMON, SELECTOR, CONTAINERS, Flag("limits", "", "", "Limits, such as cpu=100m,memory=256Mi."),
            Flag("requests", "", "", "Requests, such as cpu=100m,memory=256Mi.")),
            "Update resource requests/limits on objects with pod templates",
            "(-f FILENAME | TYPE NAME)  ([--limits=LIMITS & --requests=REQUESTS]"),
        Command("selector", selector, (*COMMON, Flag("resource-version", "", "", "Change only if this is the resource version.")),
                "Set the selector on a resource", "(-f FILENAME | TYPE NAME) EXPRESSIONS [--resource-version=version]"),
        Command("serviceaccount", service_account, COMMON, "Update the service account of a resource",
                "(-f FILENAME | TYPE NAME) SERVICE_ACCOUNT", aliases=("sa",)),
    )),
)
