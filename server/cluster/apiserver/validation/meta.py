"""Validation that every object's metadata passes: names, labels, annotations, owners, finalizers.

Source: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/object-meta/
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from server.cluster import names
from server.cluster.apiserver.defaults.filling import Memory
from server.cluster.apiserver.validation import bounds
from server.cluster.apiserver.validation.fields import Errors, Object, faults, forbidden, invalid, label_1123, labels, required, too_long

NameRule = Callable[[str], list[str]]
MAX_ANNOTATIONS = 256 * 1024
STANDARD_FINALIZERS = ("kubernetes", "orphan", "foregroundDeletion")
_PATH = "metadata"


def create(obj: Object, rule: NameRule, *, namespaced: bool) -> Errors:
    """The metadata of a new object."""
    return () if _fine(obj["metadata"], rule, namespaced) else _create(obj["metadata"], rule, namespaced)


def _fine(meta: Object, rule: NameRule, namespaced: bool) -> bool:
    """Whether ``_create`` would surely have nothing to say: nearly always, and many times cheaper to find out."""
    name, generate, namespace = meta.get("name"), meta.get("generateName"), meta.get("namespace")
    return bool(
        name and not rule(name) and not (generate and _ruled(rule, _completed(generate)))
        and (namespace and _is_namespace(namespace) if namespaced else not namespace)
        and not meta.get("finalizers") and not meta.get("annotations")
        and not (meta.get("labels") and _label_errors.get(meta["labels"]))
        and not (meta.get("ownerReferences") and _owner_errors.get(meta["ownerReferences"])))


def _create(meta: Object, rule: NameRule, namespaced: bool) -> Errors:
    if generate := meta.get("generateName"):
        yield from faults("metadata.generateName", generate, _ruled(rule, _completed(generate)))
    if not meta.get("name"):
        yield required("metadata.name", "name or generateName is required")
    else:
        yield from faults("metadata.name", meta["name"], rule(meta["name"]))
    if namespaced:
        if not meta.get("namespace"):
            yield required("metadata.namespace")
        elif not _is_namespace(meta["namespace"]):
            yield from label_1123("metadata.namespace", meta["namespace"])
    elif meta.get("namespace"):
        yield forbidden("metadata.namespace", "not allowed on this type")
    yield from _common(meta)
    finalizers = meta.get("finalizers") or []
    for value in finalizers:
        yield from faults("metadata.finalizers", value, names.qualified_name(value))
    if "orphan" in finalizers and "foregroundDeletion" in finalizers:
        yield invalid("metadata.finalizers", finalizers, "finalizer orphan and foregroundDeletion cannot be both set")
    for index, value in enumerate(finalizers):
        if "/" not in value and value not in STANDARD_FINALIZERS:
            yield invalid(f"metadata.finalizers[{index}]", value, "name is neither a standard finalizer name nor is it fully qualified")


@lru_cache(maxsize=4096)
def _ruled(rule: NameRule, text: str) -> tuple[str, ...]:
    return tuple(rule(text))


@lru_cache(maxsize=4096)
def _is_namespace(name: str) -> bool:
    return not names.label(name)


def _completed(generate: str) -> str:
    """A generateName as it may end: a trailing dash is followed by letters."""
    return generate[:-1] + "a" if generate.endswith("-") else generate


def update(new: Object, old: Object) -> Errors:
    """The metadata of a new version. What may never change the server keeps by itself."""
    meta, was = new["metadata"], old["metadata"]
    if was.get("deletionTimestamp"):
        added = [value for value in meta.get("finalizers") or () if value not in (was.get("finalizers") or ())]
        if added:
            shown = ", ".join(f'"{value}"' for value in sorted(added))
            yield forbidden("metadata.finalizers", "no new finalizers can be added if the object is being deleted, found new finalizers "
                            f"[]string{{{shown}}}")
    if (meta.get("labels") is was.get("labels") and meta.get("annotations") is was.get("annotations")
            and meta.get("ownerReferences") is was.get("ownerReferences")):
        return
    yield from _common(meta)


def _common(meta: Object) -> Errors:
    if given := meta.get("labels"):
        yield from _label_errors.get(given)
    yield from annotations(f"{_PATH}.annotations", meta.get("annotations"))
    if references := meta.get("ownerReferences"):
        yield from _owner_errors.get(references)


# labels and owners are the same objects for all pods of a template: their errors are remembered by identity
_label_errors = Memory(lambda given: bounds.of_list(given, f"{_PATH}.labels", bounds.LABELS) or list(labels(f"{_PATH}.labels", given)))
_owner_errors = Memory(lambda references: list(_owners(references)))


def annotations(path: str, value: dict[str, str] | None) -> Errors:
    size = 0
    for key, text in (value or {}).items():
        yield from faults(path, key, names.qualified_name(key.lower()))
        size += len(key) + len(text) if text.isascii() else len(key) + len(text.encode("utf-8", "surrogatepass"))
    if size > MAX_ANNOTATIONS:
        yield too_long(path, MAX_ANNOTATIONS)


def _owners(references: list[Object]) -> Errors:
    path, controller = f"{_PATH}.ownerReferences", ""
    for reference in references:
        if not reference.get("apiVersion", "").rpartition("/")[2]:
            yield invalid(f"{path}.apiVersion", reference.get("apiVersion", ""), "version must not be empty")
        for field in ("kind", "name", "uid"):
            if not reference.get(field):
                yield invalid(f"{path}.{field}", reference.get(field, ""), "must not be empty")
        if (reference.get("apiVersion"), reference.get("kind")) == ("v1", "Event"):
            yield invalid(path, reference, "/v1, Kind=Event is disallowed from being an owner")
        if reference.get("controller"):
            if controller:
                yield invalid(path, references, 'Only one reference can have Controller set to true. Found "true" in references for '
                              f"{controller} and {reference.get('name', '')}")
            controller = controller or reference.get("name", "")
