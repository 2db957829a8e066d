"""Tables for people: the API server's Table printed with kubectl's columns, labels, kinds and namespaces.

In: Tables (columns, rows) and what the flags ask to add. Out: aligned text. Widths are remembered from flush to flush, so rows of a
watch line up with their header as long as they fit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from server.cluster.apiserver.resources import Resource
from server.kubectl.breath import Breathe, alone
from server.kubectl.govalue import sprint
from server.kubectl.resources import typed
from server.kubectl.tabwriter import Tabs

Object = dict[str, Any]
EVENT_WIDTH = len("MODIFIED")
_CONTROL = {code: f"^{chr(code + 64)}" for code in range(32) if chr(code) not in "\n\t\r"}


@dataclass(frozen=True)
class TableOptions:
    wide: bool = False
    no_headers: bool = False
    with_namespace: bool = False
    with_kind: bool = False
    show_labels: bool = False
    label_columns: tuple[str, ...] = ()
    events: bool = False


class TablePrinter:
    """Prints Tables of one resource; the header comes before the first row."""

    def __init__(self, resource: Resource, options: TableOptions, breathe: Breathe = alone):
        self._breathe = breathe
        self._resource = resource
        self._options = options
        self._tabs = Tabs(remember=True)
        self._header_due = not options.no_headers

    def add(self, table: Object, event: str = "") -> None:
        columns = table["columnDefinitions"]
        shown = [index for index, column in enumerate(columns) if self._options.wide or not column.get("priority")]
        if self._header_due and table["rows"]:
            self._header_due = False
            self._tabs.row(*self._header([columns[index]["name"] for index in shown]))
        for row in table["rows"]:
            self._breathe()
            self._tabs.row(*self._row(row, columns, shown, event))

    def flush(self) -> str:
        return self._tabs.render(self._breathe)

    def _header(self, names: list[str]) -> list[str]:
        options = self._options
        front = ([f"{'EVENT':<{EVENT_WIDTH}}"] if options.events else []) + (["NAMESPACE"] if options.with_namespace else [])
        back = [label.rpartition("/")[2].upper() for label in options.label_columns] + (["LABELS"] if options.show_labels else [])
        return front + [name.upper() for name in names] + back

    def _row(self, row: Object, columns: list[Object], shown: list[int], event: str) -> list[str]:
        options = self._options
        meta = (row.get("object") or {}).get("metadata") or {}
        labels = meta.get("labels") or {}
        cells = [f"{event:<{EVENT_WIDTH}}"] if options.events else []
        if options.with_namespace:
            cells.append(meta.get("namespace", ""))
        for position, index in enumerate(shown):
            text = _cell(row["cells"][index])
            if position == 0 and options.with_kind and columns[index]["name"] == "Name":
                text = f"{typed(self._resource)}/{text}"
            cells.append(text)
        cells += [labels.get(label, "") for label in options.label_columns]
        if options.show_labels:
            cells.append(",".join(f"{key}={labels[key]}" for key in sorted(labels)) or "<none>")
        return cells


def _cell(value: Any) -> str:
    text = sprint(value)
    for stop in "\n\r\f":
        if stop in text:
            text = text[: text.index(stop)] + "..."
    return text.translate(_CONTROL)
