"""The pieces of an answer, as plain data: a reason with what proves it and what would help.

In: codes, parameters, fields of objects. Out: dicts that go to the page as they are, which has the sentence of each code in its
languages. Whatever is listed is bounded here, so that an answer about the largest cluster is as short as one about the smallest.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from server.cluster.objects import Object, labels
from server.live.records import MESSAGE_LIMIT, id_of, thing_id

Reason = dict[str, Any]
Fact = dict[str, Any]
Aid = dict[str, Any]
MOST_FACTS, MOST_NAMES, MOST_LOOKED_AT, MOST_COMMAND = 12, 5, 2_000, 1_000


def reason(code: str, params: dict[str, Any] | None = None, facts: Iterable[Fact | None] = (), aids: Iterable[Aid | None] = ()) -> Reason:
    """``params`` fill the sentence ``because.CODE``; of ``facts`` and ``aids`` those that are None are left out."""
    return {
        "code": code,
        "params": params or {},
        "facts": [fact for fact in facts if fact is not None][:MOST_FACTS],
        "aids": [aid for aid in aids if aid is not None][:MOST_NAMES],
    }


def fact(thing: str | Object, path: str, value: Any, label: str = "") -> Fact:
    """A field that says so: ``path`` as in ``spec.containers[0].image`` or ``status.conditions[Ready].status`` (of a list the entry of that type);
    ``value`` as it is shown. What stands in no field has a ``label`` instead, which the page says as ``proof.LABEL``."""
    shown = value if isinstance(value, int | float | bool) else "" if value is None else str(value)[:MESSAGE_LIMIT]
    return {"thing": thing if isinstance(thing, str) else id_of(thing), "path": path, "value": shown, **({"label": label} if label else {})}


def aid(code: str, command: str = "", **params: Any) -> Aid:
    """What would help: the sentence ``aid.CODE``, and the command that does it or looks closer. One that is too long to be read is left out."""
    return {"code": code, "params": params, "command": command if len(command) <= MOST_COMMAND else ""}


def scope(obj: Object) -> str:
    """`` -n NAMESPACE`` where a command needs it."""
    namespace = obj["metadata"].get("namespace")
    return f" -n {namespace}" if namespace and namespace != "default" else ""


def names(things: Iterable[str], most: int = MOST_NAMES) -> str:
    """``a, b, c (+ 7)``."""
    all_ = list(things)
    return ", ".join(all_[:most]) + (f" (+ {len(all_) - most})" if len(all_) > most else "")


def pairs(wanted: dict[str, str]) -> str:
    return ", ".join(f"{key}={value}" for key, value in wanted.items())


def selected(lister: Any, namespace: str, selector: dict[str, str]) -> list[Object]:
    """Pods with all these labels, of the first so many."""
    return [pod for pod in lister.list(namespace)[:MOST_LOOKED_AT] if all(labels(pod).get(key) == value for key, value in selector.items())]


def step(key: str) -> str:
    """A key as a path has it, where it may hold dots.

    >>> step("app"), step("app.kubernetes.io/name")
    ('.app', '["app.kubernetes.io/name"]')
    """
    return f".{key}" if key.replace("_", "a").replace("-", "a").isalnum() else f'["{key}"]'


def owner_of(obj: Object) -> str:
    """The id of its controller; "" if it has none."""
    for reference in obj["metadata"].get("ownerReferences") or ():
        if reference.get("controller"):
            return thing_id(reference["kind"], obj["metadata"].get("namespace", ""), reference["name"])
    return ""
