"""The programs that machines have, by name; and, by the kit of an image, which of them it holds.

Each module has a ``PROGRAMS`` table; ``KITS`` says what is installed where. A name that a kit has but no module runs is told so when it
is called (``plans.UNSIMULATED``).
"""

from __future__ import annotations

from importlib import import_module

from server.cluster.runtime.program import Program
from server.cluster.runtime.programs.forgetting import LINES, PIECES, by_name

MODULES = (
    "basics", "shells", "runners", "repeaters", "languages", "network",
    "cats", "ends", "grep", "sed", "sorting", "lines", "columns", "layout", "sums", "seqs", "tr", "awk", "dumps", "compare", "pagers",
    "listing", "copying", "modes", "making", "stating", "space", "find", "archive", "compression",
    "dates", "machine", "processes", "signalling", "loads", "roots", "installing",
)

PROGRAMS: dict[str, Program] = {}
for _module in MODULES:
    PROGRAMS.update(import_module(f"{__name__}.{_module}").PROGRAMS)
PROGRAMS.update({name: PROGRAMS[name]._replace(forgets=by_name(name)) for name in (*LINES, *PIECES)})
