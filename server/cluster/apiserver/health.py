"""Is the API server well: what its health paths say.

In: a path (``/readyz``, ``/livez/etcd``), its query and ``ask()``, which asks the API server something only its store can answer.
Out: the code and text, or None where the path is no health path.

Source: https://kubernetes.io/docs/reference/using-api/health-checks/
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

NOT_FOUND = "404 page not found\n"
CHECKS = {"healthz": ("ping", "etcd"), "livez": ("ping", "etcd"), "readyz": ("ping", "etcd", "informer-sync", "shutdown")}


def health(path: str, query: dict[str, list[str]], ask: Callable[[], Any]) -> tuple[int, str] | None:
    """``ok``, one check, or (``?verbose``) a line for each; 500 with the lines when one fails."""
    name, _, check = path.strip("/").partition("/")
    if name not in CHECKS:
        return None
    checks = CHECKS[name]
    if check:
        if check not in checks:
            return 404, NOT_FOUND
        return (200, "ok") if _passes(ask) else (500, f"internal server error: {check} failed\n")
    excluded = set(query.get("exclude", ()))
    lines, healthy = [], True
    for entry in checks:
        if entry in excluded:
            lines.append(f"[+]{entry} excluded: ok")
        elif entry != "etcd" or _passes(ask):
            lines.append(f"[+]{entry} ok")
        else:
            healthy = False
            lines.append(f"[-]{entry} failed: reason withheld")
    if healthy and "verbose" not in query:
        return 200, "ok"
    lines.append(f"{name} check {'passed' if healthy else 'failed'}")
    return (200 if healthy else 500), "\n".join(lines) + "\n"


def _passes(ask: Callable[[], Any]) -> bool:
    try:
        ask()
    except Exception:
        return False
    return True
