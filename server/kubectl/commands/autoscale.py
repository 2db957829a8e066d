"""kubectl autoscale: makes a HorizontalPodAutoscaler for something that can be scaled, in the API servers that serve that kind."""

from __future__ import annotations

from typing import Any

from server.cluster import quantity
from server.cluster.errors import ApiError
from server.kubectl import printers, resources
from server.kubectl.command import DRY_RUN, FILENAME, OUTPUT, Command, field_manager
from server.kubectl.context import Context
from server.kubectl.dryrun import strategy
from server.kubectl.errors import CommandError, raise_all
from server.kubectl.flags import Flag, Flags
from server.kubectl.resources import Info

Object = dict[str, Any]
AUTOSCALERS, AUTOSCALERS_V1 = "horizontalpodautoscalers.autoscaling", "horizontalpodautoscalers.v1.autoscaling"
UNITS = {"cpu": "m", "memory": "Mi"}


def autoscale(ctx: Context, args: list[str], flags: Flags) -> None:
    if flags.max < 1:
        raise CommandError(f"--max=MAXPODS is required and must be at least 1, max: {flags.max}")
    if flags.max < flags.min:
        raise CommandError(f"--max=MAXPODS must be larger or equal to --min=MINPODS, max: {flags.max}, min: {flags.min}")
    found = resources.find(ctx, args, filenames=flags.filename, recursive=flags.recursive, kustomize=flags.kustomize, types_alone=False)
    if flags.changed("cpu") and flags.changed("cpu-percent"):
        raise CommandError("--cpu-percent and --cpu are mutually exclusive")
    mode = strategy(flags)
    show = printers.for_objects(ctx, flags, "created" if mode == "client" else "autoscaled", typed=mode == "client")
    errors = list(found.errors)
    for info in found:
        try:
            show(_made(ctx, info, flags, mode))
        except (ApiError, CommandError) as error:
            errors.append(error)
    raise_all(errors)


def _made(ctx: Context, info: Info, flags: Flags, mode: str) -> Object:
    """The autoscaler of one object, created unless only the client is to try."""
    if info.resource.subresource("scale") is None:
        row = info.resource
        raise CommandError(f"cannot autoscale a {row.kind}: could not find scale subresource for {row.group}/{row.version}, "
                           f"Resource={row.plural} in discovery information")
    made = _autoscaler(info, flags)
    if mode == "client":
        return made
    options = {"dry_run": mode == "server", "field_manager": flags["field-manager"]}
    try:
        return ctx.api.create(AUTOSCALERS, info.namespace, made, **options)
    except ApiError:
        return ctx.api.create(AUTOSCALERS_V1, info.namespace, _autoscaler_v1(made, flags), **options)


def _autoscaler_v1(made: Object, flags: Flags) -> Object:
    """What kubectl tries when the server will not have it: the same in the version that knows a percentage of CPU and nothing else."""
    told = "failed to create autoscaling/v2 HPA and the configuration is incompatible with autoscaling/v1: "
    if not flags.cpu:
        raise CommandError(f"{told}empty input")
    if flags.memory or not flags.cpu.endswith("%"):
        raise CommandError(f"{told}%!w(<nil>)")
    spec = {field: value for field, value in made["spec"].items() if field != "metrics"}
    percent = int(flags.cpu[:-1])
    return {"apiVersion": "autoscaling/v1", "kind": made["kind"], "metadata": made["metadata"],
            "spec": {**spec, **({"targetCPUUtilizationPercentage": percent} if percent > 0 else {})}}


def _autoscaler(info: Info, flags: Flags) -> Object:
    spec: Object = {"scaleTargetRef": {"kind": info.resource.kind, "name": info.name, "apiVersion": info.resource.api_version}}
    if flags.min > 0:
        spec["minReplicas"] = flags.min
    spec["maxReplicas"] = flags.max
    metrics = []
    for name in ("cpu", "memory"):
        wanted = flags[name] or (f"{flags['cpu-percent']}%" if name == "cpu" and flags.changed("cpu-percent") else "")
        if wanted:
            metrics.append({"type": "Resource", "resource": {"name": name, "target": _target(name, wanted)}})
    if metrics:
        spec["metrics"] = metrics
    return {"kind": "HorizontalPodAutoscaler", "apiVersion": "autoscaling/v2", "metadata": {"name": flags.name or info.name}, "spec": spec,
            "status": {"desiredReplicas": 0, "currentMetrics": None}}


def _target(name: str, wanted: str) -> Object:
    """
    >>> _target("cpu", "80%"), _target("memory", "200")
    ({'type': 'Utilization', 'averageUtilization': 80}, {'type': 'AverageValue', 'averageValue': '200Mi'})
    """
    if wanted.endswith("%"):
        if not wanted[:-1].isdigit():
            raise CommandError(f"invalid percentage value: {wanted[:-1]}")
        return {"type": "Utilization", "averageUtilization": int(wanted[:-1])}
    try:
        return {"type": "AverageValue", "averageValue": quantity.canonical(wanted + (UNITS[name] if wanted[-1:].isdigit() else ""))}
    except quantity.QuantityError:
        raise CommandError(f"invalid resource {name} value: {wanted}") from None


COMMANDS = (
    Command("autoscale", autoscale, (
        *OUTPUT, *FILENAME, DRY_RUN, field_manager("kubectl-autoscale"),
        Flag("min", "", -1, "The fewest pods; the server's default if negative."),
        Flag("max", "", -1, "The most pods.", required=True),
        Flag("cpu", "", "", "CPU to aim at, such as 80% or 500m."), Flag("memory", "", "", "Memory to aim at, such as 80% or 200Mi."),
        Flag("cpu-percent", "", -1, "CPU to aim at, in percent of what is requested.", deprecated="Use --cpu with percentage or resource "
             "quantity format (e.g., '70%' for utilization or '500m' for milliCPU)."),
        Flag("name", "", "", "Name of the new object; by default that of what is scaled.")),
        "Auto-scale a deployment, replica set, stateful set, or replication controller",
        "(-f FILENAME | TYPE NAME | TYPE/NAME) [--min=MINPODS] --max=MAXPODS [--cpu=CPU]"),
)
