"""Arguments of commands that change keys: resources first, then KEY=VALUE and KEY-.

In: the arguments as typed. Out: those that name objects, and the changes; kubectl's errors for what is neither. Used by label,
annotate and set.
"""

from __future__ import annotations

from server.kubectl.errors import CommandError


def split(args: list[str], what: str) -> tuple[list[str], list[str]]:
    """(resources, changes).

    >>> split(["pod", "web", "a=b", "c-"], "label")
    (['pod', 'web'], ['a=b', 'c-'])
    """
    resources: list[str] = []
    changes: list[str] = []
    for arg in args:
        if ("=" in arg and arg[0] != "=") or (arg.endswith("-") and arg != "-"):
            changes.append(arg)
        elif changes:
            raise CommandError(f"all resources must be specified before {what} changes: {arg}")
        else:
            resources.append(arg)
    return resources, changes


def parse(changes: list[str], what: str, removable: bool) -> tuple[dict[str, str], list[str]]:
    """(values to set, keys to remove)."""
    values: dict[str, str] = {}
    removed: list[str] = []
    invalid: list[str] = []
    for change in changes:
        key, equals, value = change.partition("=")
        if equals and key:
            values[key] = value
        elif removable and change.endswith("-") and change != "-":
            removed.append(change[:-1])
        else:
            invalid.append(change)
    if invalid:
        raise CommandError(f"invalid {what} format: {', '.join(invalid)}")
    return values, removed
