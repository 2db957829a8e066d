"""kubectl top: use of CPU and memory, which a metrics server would tell. Podium has none, and kubectl says so."""

from __future__ import annotations

from server.kubectl.command import ALL_NAMESPACES, FIELD_SELECTOR, SELECTOR, Command
from server.kubectl.context import Context
from server.kubectl.errors import CommandError
from server.kubectl.flags import Flag, Flags

METRICS = "metrics.k8s.io"


def top(ctx: Context, args: list[str], flags: Flags) -> None:
    if not any(row.group == METRICS for row in ctx.api.resources.values()):
        raise CommandError("Metrics API not available")
    raise CommandError("kubectl top is not available in Podium yet")


COMMON = (SELECTOR, Flag("sort-by", "", "", "Sort by cpu or memory."), Flag("no-headers", "", False, "Leave the header out."),
          Flag("use-protocol-buffers", "", True, "Ask for protocol buffers."))
COMMANDS = (
    Command("top", short="Display resource (CPU/memory) usage", use="[flags]", commands=(
        Command("node", top, (*COMMON, Flag("show-capacity", "", False, "Count against capacity, not allocatable.")),
                "Display resource (CPU/memory) usage of nodes", "[NAME | -l label]", aliases=("nodes", "no")),
        Command("pod", top, (*COMMON, FIELD_SELECTOR, ALL_NAMESPACES, Flag("containers", "", False, "One row a container."),
                             Flag("sum", "", False, "A row with the sum.")),
                "Display resource (CPU/memory) usage of pods", "[NAME | -l label]", aliases=("pods", "po")),
    )),
)
