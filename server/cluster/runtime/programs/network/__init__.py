"""The programs that look at the network or use it; each module has a ``PROGRAMS`` table of its own.

They know nothing of the network but what ``runtime.reach`` promises.
"""

from __future__ import annotations

from importlib import import_module

from server.cluster.runtime.program import Program

MODULES = ("wget", "curl", "names", "dig", "netcat", "ping", "links", "sockets", "daemons", "clients")

PROGRAMS: dict[str, Program] = {}
for _module in MODULES:
    PROGRAMS.update(import_module(f"{__name__}.{_module}").PROGRAMS)
