"""kubectl autoscale: makes a HorizontalPodAutoscaler for something that can be scaled, in the API servers that serve that kind."""

from __future__ import annotations

from typing import Any

from server.cluster import quantity
from server.kubectl import printers, resources
from server.kubectl.command import DRY_RUN, FILENAME, OUTPUT, Command, field_manager
from server.kubectl.context import Context
from server.kubectl.dryrun import strategy
from server.kubectl.errors import CommandError, PlainError, raise_all
from server.kubectl.flags import Flag, Flags
from server.kubectl.resources import Info

Object = dict[str, Any]
AUTOSCALERS = "horizontalpodautoscalers.autoscaling"


def autoscale(ctx: Context, args: list[str], flags: Flags) -> None:
    if flags.max < 1:
        raise CommandError(f"--max=MAXPODS is required and must be at least 1, max: {flags.max}")
    if flags.max < flags.min:
        raise CommandError(f"--max=MAXPODS must be larger or equal to --min=MINPODS, max: {flags.max}, min: {flags.min}")
    found = resources.find(ctx, args, filenames=flags.filename, recursive=flags.recursive, kustomize=flags.kustomize, types_alone=False)
    mode = strategy(flags)
    show = printers.for_objects(ctx, flags, "autoscaled" if mode == "none" else "created")
    for info in found:
        if info.resource.subresource("scale") is None:
            row = info.resource
            raise CommandError(f"cannot autoscale a {row.kind}: could not find scale subresource for {row.group}/{row.version}, "
                               f"Resource={row.plural} in discovery information")
        made = _autoscaler(info, flags)
        if mode != "client":
            if AUTOSCALERS not in ctx.api.resources:
                raise PlainError(f"Error from server (NotFound): the server could not find the requested resource (post {AUTOSCALERS})")
            made = ctx.api.create(AUTOSCALERS, info.namespace, made, dry_run=mode == "server", field_manager=flags["field-manager"])
        show(made)
    raise_all(found.errors)


def _autoscaler(info: Info, flags: Flags) -> Object:
    spec: Object = {"maxReplicas": flags.max, "metrics": [],
                    "scaleTargetRef": {"apiVersion": info.resource.api_version, "kind": info.resource.kind, "name": info.name}}
    if flags.min > 0:
        spec["minReplicas"] = flags.min
    for name in ("cpu", "memory"):
        wanted = flags[name] or (f"{flags['cpu-percent']}%" if name == "cpu" and flags.changed("cpu-percent") else "")
        if wanted:
            spec["metrics"].append({"type": "Resource", "resource": {"name": name, "target": _target(name, wanted)}})
    return {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": flags.name or info.name}, "spec": spec}


def _target(name: str, wanted: str) -> Object:
    """
    >>> _target("cpu", "80%"), _target("memory", "200Mi")
    ({'type': 'Utilization', 'averageUtilization': 80}, {'type': 'AverageValue', 'averageValue': '200Mi'})
    """
    if wanted.endswith("%") and wanted[:-1].isdigit():
        return {"type": "Utilization", "averageUtilization": int(wanted[:-1])}
    try:
        return {"type": "AverageValue", "averageValue": quantity.canonical(wanted)}
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
