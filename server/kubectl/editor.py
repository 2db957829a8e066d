"""The editor that kubectl edit runs: KUBE_EDITOR, EDITOR or vi, a program of the machine that kubectl runs on, on a file in /tmp.

In: a text. Out: what the editor left, and the file's path, which is there until ``discard``. An editor that is not there, and one that
fails, are errors in kubectl's words; then the file stays.

Source: https://kubernetes.io/docs/reference/kubectl/generated/kubectl_edit/
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from server.cluster.runtime.program import ExecFault
from server.cluster.runtime.streams import Fault
from server.kubectl.context import Context
from server.kubectl.errors import CommandError
from server.kubectl.flags import quoted


def run_editor(ctx: Context, text: str, suffix: str = "yaml") -> Generator[Any, Any, tuple[str, str]]:
    """Opens the text as a file and waits for the editor: (what is in the file then, its path)."""
    editor = ctx.env.get("KUBE_EDITOR") or ctx.env.get("EDITOR") or "vi"
    path = _fresh(ctx, suffix)
    ctx.files.write(path, text)
    words = [word for word in editor.split(" ") if word]
    said = quoted(editor)
    if " " in editor and any(letter in editor for letter in "\"'\\"):
        shell = ctx.env.get("SHELL") or "/bin/bash"
        words, said = [shell, "-c", f"{editor} {quoted(path)}"], quoted(f"{shell} -c {editor}")
    else:
        words.append(path)
    if ctx.proc is None:
        raise CommandError(f"unable to launch the editor {said}")
    try:
        code = yield from ctx.proc.wait(ctx.proc.spawn(words))
    except ExecFault:
        raise CommandError(f"unable to launch the editor {said}") from None
    except Fault as fault:
        raise CommandError(f"there was a problem with the editor {said}: {fault}") from None
    if code:
        raise CommandError(f"there was a problem with the editor {said}")
    return ctx.files.read(path), path


def discard(ctx: Context, path: str) -> None:
    """Removes the file of an edit that came to its end."""
    if ctx.proc is not None:
        ctx.proc.files.remove(path)


def _fresh(ctx: Context, suffix: str) -> str:
    number = 1000 + ctx.api.server.store.revision
    while ctx.files.exists(path := f"/tmp/kubectl-edit-{number}.{suffix}"):
        number += 1
    return path
