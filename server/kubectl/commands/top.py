"""kubectl top: the CPU and memory that nodes, pods and containers use, as the metrics server tells.

In: NodeMetrics and PodMetrics of metrics.k8s.io, and for nodes what they could give. Out: a table that is not the server's: kubectl
formats, sorts and sums by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from server.cluster import quantity
from server.cluster.kubelet.backoff import duration
from server.kubectl.command import ALL_NAMESPACES, FIELD_SELECTOR, SELECTOR, Command
from server.kubectl.context import Context
from server.kubectl.errors import CommandError, UsageError
from server.kubectl.flags import Flag, Flags
from server.kubectl.gosort import gosort
from server.kubectl.tabwriter import Tabs

Object = dict[str, Any]
GROUP, NODES, PODS = "metrics.k8s.io", "nodes.metrics.k8s.io", "pods.metrics.k8s.io"
MEBI = 1024 * 1024
UNKNOWN, RULE = "<unknown>", "________"
OLD = 120.0
NODE_COLUMNS = ("NAME", "CPU(cores)", "CPU(%)", "MEMORY(bytes)", "MEMORY(%)")
POD_COLUMNS = ("NAME", "CPU(cores)", "MEMORY(bytes)")
NODE_SWAP, POD_SWAP = ("SWAP(bytes)", "SWAP(%)"), ("SWAP(bytes)",)  # no machine here has any, and no pod uses any
NO_SWAP = ("0Mi",)


class Usage:
    """Thousandths of cores, and bytes."""

    def __init__(self, *usages: Object) -> None:
        self.cpu = sum(quantity.parse(usage.get("cpu", "0")).nano for usage in usages)
        self.memory = sum(quantity.value(usage.get("memory", "0")) for usage in usages)

    @property
    def milli(self) -> int:
        return -(-self.cpu // 1_000_000)

    def cells(self, available: Object | None = None) -> list[str]:
        shares = {name: f"{int(used / whole * 100)}%" for name, used, whole in (
            ("cpu", self.milli, quantity.milli(available["cpu"])),
            ("memory", self.memory, quantity.value(available["memory"])))} if available else {}
        return [f"{self.milli}m", *([shares["cpu"]] if available else []), f"{self.memory // MEBI}Mi",
                *([shares["memory"]] if available else [])]


def _order(sort_by: str, usage: Callable[[Object], Usage], name: Callable[[Object], Any]) -> Callable[[Object], Any]:
    if sort_by == "cpu":
        return lambda entry: -usage(entry).milli
    return (lambda entry: -usage(entry).memory) if sort_by == "memory" else name


def _row(tabs: Tabs, *cells: str) -> None:
    """Every cell is ended by a tab, the last one too."""
    tabs.write("".join(f"{cell}\t" for cell in cells) + "\n")


def _checked(args: list[str], flags: Flags, what: str) -> str:
    """The name that was asked for, once everything about the command line is right."""
    if len(args) > 1:
        raise UsageError(f"{what} [NAME | -l label]")
    if flags["sort-by"] not in ("", "cpu", "memory"):
        raise CommandError("--sort-by accepts only cpu or memory")
    if args and (flags.selector or flags.get("field-selector")):
        raise CommandError(f"only one of NAME or {'--selector' if what == 'node' else 'selector'} can be provided")
    return args[0] if args else ""


def _require_metrics(ctx: Context) -> None:
    if not any(row.group == GROUP for row in ctx.api.resources.values()):
        raise CommandError("Metrics API not available")


def top_node(ctx: Context, args: list[str], flags: Flags) -> None:
    name = _checked(args, flags, "node")
    _require_metrics(ctx)
    if name:
        metrics, nodes = [ctx.api.get(NODES, "", name)], [ctx.api.get("nodes", "", name)]
    else:
        metrics = ctx.api.items(NODES, label_selector=flags.selector)
        if not metrics:
            raise CommandError("metrics not available yet")
        nodes = ctx.api.items("nodes", label_selector=flags.selector)
    field = "capacity" if flags["show-capacity"] else "allocatable"
    available = {node["metadata"]["name"]: node["status"][field] for node in nodes}
    tabs, swap = Tabs(), [UNKNOWN] * 2 if flags["show-swap"] else []
    if not flags["no-headers"]:
        _row(tabs, *NODE_COLUMNS, *(NODE_SWAP if swap else ()))
    for entry in gosort(metrics, _order(flags["sort-by"], lambda entry: Usage(entry["usage"]), lambda entry: entry["metadata"]["name"])):
        node = entry["metadata"]["name"]
        _row(tabs, node, *Usage(entry["usage"]).cells(available.pop(node, None)), *swap)
    for node in sorted(available):
        _row(tabs, node, *[UNKNOWN] * 4, *swap)
    ctx.stdout.write(tabs.render())


def top_pod(ctx: Context, args: list[str], flags: Flags) -> None:
    name = _checked(args, flags, "pod")
    _require_metrics(ctx)
    everywhere = flags["all-namespaces"]
    namespace = "" if everywhere else ctx.namespace
    chosen = {"label_selector": flags.selector, "field_selector": flags["field-selector"]}
    if name:
        metrics = [ctx.api.read(PODS, namespace, name)]
    else:
        metrics = ctx.api.items(PODS, namespace, **chosen)
    if not metrics:
        _explain(ctx, namespace, chosen)
        ctx.err("No resources found" if everywhere else f"No resources found in {namespace} namespace.")
        return
    ctx.stdout.write(_pods(metrics, flags, everywhere))


def _explain(ctx: Context, namespace: str, chosen: dict[str, str]) -> None:
    """Why there are none: there are no pods, or they are too young, or something is wrong."""
    pods = ctx.api.items("pods", namespace, **chosen)
    if not pods:
        return
    for pod in pods:
        meta = pod["metadata"]
        age = ctx.clock.now - ctx.clock.seconds(meta["creationTimestamp"])
        if age > OLD:
            raise CommandError(f"Metrics not available for pod {meta['namespace']}/{meta['name']}, age: {duration(age)}")
    raise CommandError("metrics not available yet")


def _total(pod: Object) -> Usage:
    return Usage(*(container["usage"] for container in pod["containers"]))


def _pods(metrics: list[Object], flags: Flags, everywhere: bool) -> str:
    tabs, swapped, swap = Tabs(), POD_SWAP if flags["show-swap"] else (), NO_SWAP if flags["show-swap"] else ()
    width = len(POD_COLUMNS) + len(swap)
    if not flags["no-headers"]:
        before = (*(("NAMESPACE",) if everywhere else ()), *(("POD",) if flags.containers else ()))
        width += len(before)
        _row(tabs, *before, *POD_COLUMNS, *swapped)

    def place(pod: Object) -> tuple[str, ...]:
        meta = pod["metadata"]
        return (meta["namespace"], meta["name"]) if everywhere else (meta["name"],)

    for pod in gosort(metrics, _order(flags["sort-by"], _total, place)):
        if not flags.containers:
            _row(tabs, *place(pod), *_total(pod).cells(), *swap)
            continue
        order = _order(flags["sort-by"], lambda entry: Usage(entry["usage"]), lambda entry: entry["name"])
        for container in gosort(pod["containers"], order):
            _row(tabs, *place(pod), container["name"], *Usage(container["usage"]).cells(), *swap)
    if flags.sum:
        _row(tabs, *[""] * (width - 2), RULE, RULE)
        _row(tabs, *[""] * (width - 3), "", *Usage(*(entry["usage"] for pod in metrics for entry in pod["containers"])).cells(), *swap)
    return tabs.render()


COMMON = (SELECTOR, Flag("sort-by", "", "", "Sort by cpu or memory."), Flag("no-headers", "", False, "Leave the header out."),
          Flag("show-swap", "", False, "Show swap memory too."),
          Flag("use-protocol-buffers", "", True, "Ask for protocol buffers."))
COMMANDS = (
    Command("top", short="Display resource (CPU/memory) usage", use="[flags]", commands=(
        Command("node", top_node, (*COMMON, Flag("show-capacity", "", False, "Count against capacity, not allocatable.")),
                "Display resource (CPU/memory) usage of nodes", "[NAME | -l label]", aliases=("nodes", "no")),
        Command("pod", top_pod, (*COMMON, FIELD_SELECTOR, ALL_NAMESPACES, Flag("containers", "", False, "One row a container."),
                                 Flag("sum", "", False, "A row with the sum.")),
                "Display resource (CPU/memory) usage of pods", "[NAME | -l label]", aliases=("pods", "po")),
    )),
)
