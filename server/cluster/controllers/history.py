"""The history of a pod template, for StatefulSets and DaemonSets: one ControllerRevision for each template there has been.

In: a workload and its ControllerRevisions. Out: the revision of its present template, made, or numbered anew when a template is taken
up again, and old ones deleted. A revision's ``data`` is the strategic patch that would put its template back, which is how
``kubectl rollout undo`` works; revisions are told apart by that data, never by their names.

Source: https://kubernetes.io/docs/tasks/manage-daemon/rollback-daemon-set/#understanding-daemonset-revisions
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

from server.cluster.apiserver.cache import Lister
from server.cluster.apiserver.client import Client
from server.cluster.apiserver.defaults.filling import Memory
from server.cluster.controllers.ownership import Orphans, claim
from server.cluster.controllers.revisions import same
from server.cluster.errors import ApiError
from server.cluster.names import safe_encode
from server.cluster.objects import Object, controller_of, key, labels, name, namespace, owner_reference
from server.cluster.selectors import Selector

RESOURCE = "controllerrevisions.apps"
POD_LABEL = "controller-revision-hash"
HASH_LABEL = "controller.kubernetes.io/hash"
LONGEST_PREFIX = 223
_FNV_START, _FNV_PRIME = 2166136261, 16777619
_GO_ESCAPES = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}


def _patch(template: Object) -> Object:
    return {"spec": {"template": _in_order({**template, "$patch": "replace"})}}


def _in_order(value: Any) -> Any:
    """The same value with every object's fields in order, so that equal templates are equal to the byte: kubectl compares them so."""
    if isinstance(value, dict):
        return {field: _in_order(value[field]) for field in sorted(value)}
    return [_in_order(item) for item in value] if isinstance(value, list) else value


_patches = Memory(_patch)


def template_patch(workload: Object) -> Object:
    """The strategic patch that makes a workload's template this one: what a revision keeps in ``data``."""
    return _patches.get(workload["spec"]["template"])


def _template(data: Object) -> Object:
    return {field: value for field, value in data["spec"]["template"].items() if field != "$patch"}


_templates = Memory(_template)


def template(revision: Object) -> Object:
    """The pod template a revision keeps; the same object each time it is asked for."""
    return _templates.get(revision["data"])


def number(revision: Object) -> int:
    return revision.get("revision", 0)


def data_hash(data: Object, collisions: int | None = None) -> str:
    """The hash in a revision's name, made from its data as JSON.

    >>> data_hash({}), data_hash({}, 0)
    ('5894b84845', 'cccc864bc')
    """
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    for char, escape in _GO_ESCAPES.items():
        text = text.replace(char, escape)
    if collisions is not None:
        text += str(collisions)
    digest = _FNV_START
    for byte in text.encode("utf-8", "surrogatepass"):
        digest = (digest * _FNV_PRIME & 0xFFFFFFFF) ^ byte
    return safe_encode(str(digest))


def draft(owner: Object, digest: str, label: str, noted: dict[str, str]) -> Object:
    """A revision of the owner's present template, not stored and without a number. ``digest`` ends its name and is the value of its
    label ``label``; ``noted`` are its annotations."""
    template_labels = (owner["spec"]["template"].get("metadata") or {}).get("labels") or {}
    metadata: Object = {"name": f"{name(owner)[:LONGEST_PREFIX]}-{digest}", "namespace": namespace(owner),
                        "labels": {**template_labels, label: digest}, "ownerReferences": [owner_reference(owner)]}
    if noted:
        metadata["annotations"] = dict(noted)
    return {"apiVersion": "apps/v1", "kind": "ControllerRevision", "metadata": metadata, "data": template_patch(owner)}


def revisions(client: Client, lister: Lister, orphans: Orphans, owner: Object, selector: Selector, release: bool) -> list[Object]:
    """The owner's revisions, lowest number first, orphans that it selects among them from now on. ``release`` says whether those that it
    no longer selects are let go."""
    owned = [entry for entry in lister.by_owner(owner["metadata"]["uid"]) if release or selector.matches(labels(entry))]
    return ordered(claim(client, RESOURCE, owner, selector, owned, orphans.list(namespace(owner))))


def ordered(found: Iterable[Object]) -> list[Object]:
    """By number; of the same number by age, then by name."""
    return sorted(found, key=lambda entry: (number(entry), entry["metadata"].get("creationTimestamp", ""), name(entry)))


def equal(one: Object, other: Object) -> bool:
    """The revisions keep the same template."""
    return same(one["data"], other["data"])


def present(client: Client, lister: Lister, owner: Object, found: list[Object], wanted: Callable[[int], Object],
            collisions: int) -> tuple[Object, int]:
    """The stored revision of the owner's present template, with the highest number of all, and the number of collisions of names so far.
    ``found`` are the owner's revisions in order; ``wanted(collisions)`` is the draft of one that is missing."""
    data = template_patch(owner)
    if found and same(found[-1]["data"], data):
        return found[-1], collisions
    known = [entry for entry in found if same(entry["data"], data)]
    following = number(found[-1]) + 1 if found else 1
    if known:
        return client.update(RESOURCE, {**known[-1], "revision": following}), collisions
    return _create(client, lister, wanted, following, collisions)


def _create(client: Client, lister: Lister, wanted: Callable[[int], Object], following: int, collisions: int) -> tuple[Object, int]:
    """Stores the draft; while its name is taken by another template, under another name."""
    while True:
        sought = {**wanted(collisions), "revision": following}
        try:
            return client.create(RESOURCE, sought), collisions
        except ApiError as error:
            taken = lister.get(*key(sought))
            if error.reason != "AlreadyExists" or taken is None:
                raise
            if equal(taken, sought):
                if _left_behind(taken, sought):
                    raise
                return taken, collisions
        collisions += 1


def _left_behind(revision: Object, sought: Object) -> bool:
    """It belongs to an owner of the same name that is gone, and will be gone soon too."""
    was, now = controller_of(revision), controller_of(sought)
    return was is not None and now is not None and was["uid"] != now["uid"]


def truncate(client: Client, found: list[Object], live: set[str] | dict[str, Any], limit: int) -> None:
    """Deletes the oldest of the revisions that are not named in ``live``, until ``limit`` of them are left; a negative one keeps all."""
    if limit < 0:
        return
    unused = [entry for entry in found if name(entry) not in live]
    for entry in unused[:max(0, len(unused) - limit)]:
        client.delete(RESOURCE, *key(entry))
