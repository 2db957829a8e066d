"""What a table of a kind is made of: its columns, each with where its description stands in the schema, and a function from object to cells.

The words in the cells come from ``server.cluster.printing``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from server.cluster import printing
from server.cluster.clock import Clock
from server.cluster.objects import Object

META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
CORE = "io.k8s.api.core.v1."


class Column(NamedTuple):
    """``said`` is ``definition:field`` for a description that the schema has, else the description itself.
    Columns of priority 1 are shown only with `-o wide`."""

    name: str
    said: str
    priority: int = 0
    type: str = "string"
    format: str = ""


class When(NamedTuple):
    """The moment that ages are reckoned at."""

    now: float
    clock: Clock

    def age(self, stamp: str | None) -> str:
        return printing.age(stamp, self.now, self.clock)

    def born(self, obj: Object) -> str:
        return printing.age(obj["metadata"].get("creationTimestamp"), self.now, self.clock)


class TableOf(NamedTuple):
    columns: tuple[Column, ...]
    cells: Callable[[Object, When], list[Any]]
    conditions: Callable[[Object], list[Object] | None] | None = None


NAME = Column("Name", f"{META}:name", format="name")
AGE = Column("Age", f"{META}:creationTimestamp")


def containers(template: Object | None) -> list[str]:
    """The containers of a pod template: their names and their images."""
    found = ((template or {}).get("spec") or {}).get("containers") or ()
    return [",".join(container["name"] for container in found), ",".join(container.get("image", "") for container in found)]


def template(spec: Object) -> list[str]:
    """The wide cells of a workload: containers, images and selector."""
    return [*containers(spec.get("template")), printing.selector(spec.get("selector"))]


def template_columns(selector: str) -> tuple[Column, ...]:
    """The columns of ``template``; ``selector`` is where the selector's description stands."""
    return (Column("Containers", "The containers of the pod template, by name.", 1),
            Column("Images", "The image of each container of the pod template.", 1), Column("Selector", selector, 1))
