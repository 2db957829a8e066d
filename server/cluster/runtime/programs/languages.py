"""Interpreters of languages that are not simulated, as far as they can be told honestly what they are asked.

``perl`` computes pi as in Kubernetes' own example of a Job; any other program that is handed to an interpreter is answered that Podium does
not run it, and files that are not there as the interpreter does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator
from typing import Any

from server.cluster.process import Gate, Pass
from server.cluster.runtime import perl
from server.cluster.runtime.proc import Proc
from server.cluster.runtime.program import Program

VERSIONS = {"python": "Python {tag}", "python3": "Python {tag}", "node": "v{tag}", "ruby": "ruby {tag}", "php": "PHP {tag} (cli)"}


def _perl(proc: Proc) -> Generator[Any, Any, int]:
    found = perl.answer(proc.argv)
    if found is None:
        return (yield from _interpreter(proc))
    yield from proc.sleep(found.seconds)
    proc.out(found.text)
    return 0


def _interpreter(proc: Proc) -> Generator[Any, Any, int]:
    """A console that is left open waits; a script that is not there is missed; anything else is refused."""
    words = proc.args
    if not words or words[0] in ("-i", "-a", "-l"):
        if proc.isatty(0):
            proc.err(f"podium: a {proc.name} console is not simulated\n")
            yield Pass(Gate())
        while (yield from proc.read(0)):
            pass
        return 0
    script = next((word for word in words if not word.startswith("-")), "")
    if words[0] in ("--version", "-V", "-v") and proc.name in VERSIONS:
        tag = re.match(r"[\d.]*", getattr(proc.machine, "tag", "")) or re.match("", "")
        proc.out(VERSIONS[proc.name].format(tag=tag[0] or "3") + "\n")
        return 0
    if not words[0].startswith("-") and not proc.files.kind(proc.path(script)):
        proc.err(f"Error: Cannot find module '{proc.path(script)}'\n" if proc.name == "node" else
                 f"{proc.name}: can't open file '{proc.path(script)}': [Errno 2] No such file or directory\n")
        return 1 if proc.name == "node" else 2
    proc.err(f'podium: "{proc.name} {words[0]}" is not simulated\n')
    return 127


_RUN: Callable[[Proc], Any] = _interpreter
PROGRAMS: dict[str, Program] = {"perl": Program(_perl, "state"),
                                **{name: Program(_RUN) for name in ("python", "python3", "node", "ruby", "irb", "jshell", "php", "zsh")}}
