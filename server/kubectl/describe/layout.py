"""The page a describer writes on: lines of cells, indented by level, with columns that line up as kubectl's do.

In: ``page.field("Name", "web")``, ``page.row(1, "Type", "Status")``; out: ``page.text()``. Cells end at a tab; a column is a run
of neighbouring lines that all have that cell, and is as wide as its widest one plus two spaces (Go's text/tabwriter, elastic
tab stops). What a user may have put into a value cannot move the reader's cursor: escape characters are shown, not sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from server.kubectl.tabwriter import align

INDENT = "  "
NONE = "<none>"
UNSET = "<unset>"
LONGEST_ANNOTATION = 140
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


class Page:
    """Collects lines; ``text()`` lines them up.

    >>> page = Page()
    >>> page.fields((("Name", "web"), ("Namespace", "default")))
    >>> page.row(0, "Conditions:")
    >>> page.row(1, "Type", "Status")
    >>> print(page.text(), end="")
    Name:       web
    Namespace:  default
    Conditions:
      Type  Status
    """

    def __init__(self) -> None:
        self._done: list[str] = []
        self._lines: list[str] = []

    def row(self, level: int, *cells: Any) -> None:
        """One line: its cells, the first one indented."""
        line = INDENT * level + "\t".join(str(cell) for cell in cells)
        self._lines.append(line.replace("\x1b", "^[").replace("\r", "\\r"))

    def field(self, label: str, value: Any, level: int = 0) -> None:
        self.row(level, f"{label}:", value)

    def fields(self, pairs: Iterable[tuple[str, Any]], level: int = 0) -> None:
        for label, value in pairs:
            self.field(label, value, level)

    def table(self, header: Iterable[str], rules: Iterable[str], rows: Iterable[Iterable[Any]], level: int = 1) -> None:
        self.row(level, *header)
        self.row(level, *rules)
        for row in rows:
            self.row(level, *row)

    def many(self, label: str, values: list[str]) -> None:
        """A field with a line for each value."""
        self.row(0, f"{label}:", values[0] if values else NONE)
        for value in values[1:]:
            self.row(0, "", value)

    def labels(self, label: str, values: Mapping[str, str] | None) -> None:
        self.many(label, [f"{key}={values[key]}" for key in sorted(values)] if values else [])

    def annotations(self, values: Mapping[str, str] | None, label: str = "Annotations") -> None:
        """Long or many-line values go on lines of their own; what kubectl apply remembers is left out."""
        lines: list[str] = []
        for key in sorted(values or ()):
            if key == LAST_APPLIED:
                continue
            value = str(values[key]).removesuffix("\n")
            if len(value.encode()) + len(key.encode()) + 2 <= LONGEST_ANNOTATION and "\n" not in value:
                lines.append(f"{key}: {value}")
            else:
                lines.append(f"{key}:")
                lines.extend(f"  {shortened(part, LONGEST_ANNOTATION - 2)}" for part in value.split("\n"))
        self.many(label, lines)

    def flush(self) -> None:
        """Ends every column here."""
        if self._lines:
            self._done.append(align("\n".join(self._lines)))
            self._lines = []

    def unaligned(self) -> str:
        """The lines since the last flush, with their tabs."""
        return "".join(f"{line}\n" for line in self._lines)

    def text(self) -> str:
        self.flush()
        return "".join(f"{part}\n" for part in self._done)


def shortened(text: str, limit: int) -> str:
    """At most so many bytes, then three dots."""
    raw = text.encode()
    return text if len(raw) <= limit else raw[:limit].decode(errors="replace") + "..."
