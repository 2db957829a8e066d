"""The patch `kubectl apply` sends: what the manifest changes on the live object, and what it no longer names.

In: last-applied, the manifest and the live object, and the schema's type of them. Out: a strategic merge patch ({} when nothing is
to do). Lists with a merge key are matched element by element; the patch carries their order, deletions and `$retainKeys` as
Kubernetes' strategic merge patch has them.

Source: https://kubernetes.io/docs/tasks/manage-kubernetes-objects/declarative-config/#how-apply-calculates-differences-and-merges-changes
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from server.cluster.schema import Field, Type, inner
from server.kubectl.client import compact

Object = dict[str, Any]
ORDER, DELETE_SCALARS, RETAIN, DIRECTIVE = "$setElementOrder", "$deleteFromPrimitiveList", "$retainKeys", "$patch"


@dataclass(frozen=True)
class _Want:
    """Which half of the difference: what was changed or added, or what was deleted."""

    changes: bool
    deletions: bool


_CHANGES = _Want(changes=True, deletions=False)
_DELETIONS = _Want(changes=False, deletions=True)


def three_way(original: Object, modified: Object, current: Object, type_: Type | None) -> Object:
    delta = _diff(current, modified, type_, _CHANGES, retain=False)
    deletions = _diff(original, modified, type_, _DELETIONS, retain=False)
    return _merge(delta, deletions, type_)


def two_way(original: Object, modified: Object, type_: Type | None) -> Object:
    """Everything that leads from one object to another, as `kubectl edit` and `kubectl label` send it."""
    return _diff(original, modified, type_, _Want(True, True), retain=False)


def same(one: Any, other: Any) -> bool:
    if isinstance(one, str) and isinstance(other, str):
        return one == other
    return one is other or compact(one) == compact(other)


def _field(type_: Type | None, key: str) -> Field | None:
    return type_.fields.get(key) if type_ is not None and type_.kind == "object" else None


def _below(type_: Type | None, key: str) -> Type | None:
    """The type of what stands at a key."""
    if type_ is None:
        return None
    if type_.kind == "map":
        return type_.element
    field = _field(type_, key)
    return field.type if field else None


def _diff(original: Object, modified: Object, type_: Type | None, want: _Want, retain: bool) -> Object:
    patch: Object = {}
    for key in sorted(modified):
        new = modified[key]
        if key not in original or type(original[key]) is not type(new):
            if want.changes:
                patch[key] = new
            continue
        _diff_value(patch, key, original[key], new, type_, want)
    if want.deletions:
        patch.update({key: None for key in sorted(original) if key not in modified})
    if retain:
        kept = sorted(key for key, value in modified.items() if value is not None)
        cleared = any(value is not None and key not in modified for key, value in original.items())
        if kept and (patch or cleared):
            patch[RETAIN] = kept
    return patch


def _diff_value(patch: Object, key: str, old: Any, new: Any, type_: Type | None, want: _Want) -> None:
    field = _field(type_, key)
    strategies = field.strategies if field else ()
    below = _below(type_, key)
    if isinstance(new, dict) and "replace" not in strategies:
        inside = _diff(old, new, below, want, retain="retainKeys" in strategies)
        if inside:
            patch[key] = inside
    elif isinstance(new, list) and "merge" in strategies:
        _diff_lists(patch, key, old, new, field, want)
    elif want.changes and not same(old, new):
        patch[key] = new


def _diff_lists(patch: Object, key: str, old: list[Any], new: list[Any], field: Field, want: _Want) -> None:
    if not old:
        if new and want.changes:
            patch[key] = new
        return
    if isinstance((new or old)[0], dict) and field.merge_key:
        changed = _diff_maps(old, new, field, want)
        reordered = [item.get(field.merge_key) for item in old] != [item.get(field.merge_key) for item in new]
        if changed:
            patch[key] = changed
        if (want.changes and (changed or reordered)) or (want.deletions and changed):
            patch[f"{ORDER}/{key}"] = [{field.merge_key: item.get(field.merge_key)} for item in new]
        return
    added = [item for item in new if item not in old] if want.changes else []
    deleted = [item for item in old if item not in new] if want.deletions else []
    if added:
        patch[key] = added
    if deleted:
        patch[f"{DELETE_SCALARS}/{key}"] = deleted
    if deleted or (want.changes and old != new):
        patch[f"{ORDER}/{key}"] = new


def _diff_maps(old: list[Object], new: list[Object], field: Field, want: _Want) -> list[Object]:
    """Elements matched by merge key, in the order of keys as Kubernetes walks them, so that repeated keys meet one another."""
    merge_key, element, retain = field.merge_key, inner(field.type), "retainKeys" in field.strategies
    before = sorted(old, key=lambda item: str(item.get(merge_key)))
    order = sorted(range(len(new)), key=lambda index: str(new[index].get(merge_key)))
    changed: dict[int, Object] = {}
    deleted: list[Object] = []
    left = right = 0
    while left < len(before) or right < len(order):
        was = str(before[left].get(merge_key)) if left < len(before) else None
        now = str(new[order[right]].get(merge_key)) if right < len(order) else None
        if was is not None and was == now:
            inside = _diff(before[left], new[order[right]], element, want, retain)
            if inside:
                changed[order[right]] = {**inside, merge_key: new[order[right]][merge_key]}
            left, right = left + 1, right + 1
        elif was is None or (now is not None and now < was):
            if want.changes:
                changed[order[right]] = new[order[right]]
            right += 1
        else:
            if want.deletions:
                deleted.append({DIRECTIVE: "delete", merge_key: before[left].get(merge_key)})
            left += 1
    return [changed[index] for index in sorted(changed)] + deleted


def _merge(delta: Object, deletions: Object, type_: Type | None) -> Object:
    merged = dict(delta)
    for key, value in deletions.items():
        field = _field(type_, key)
        if key not in merged or value is None:
            merged[key] = value
        elif isinstance(value, dict) and isinstance(merged[key], dict):
            merged[key] = _merge(merged[key], value, _below(type_, key))
        elif isinstance(value, list) and isinstance(merged[key], list) and field is not None and field.merge_key:
            order = delta.get(f"{ORDER}/{key}") or deletions.get(f"{ORDER}/{key}") or []
            merged[key] = _ordered(_merge_lists(merged[key], value, field), order, field.merge_key)
    return merged


def _ordered(items: list[Object], order: list[Object], merge_key: str) -> list[Object]:
    """The elements in the manifest's order, then those to be deleted."""
    places = {compact(item.get(merge_key)): index for index, item in enumerate(order)}
    return sorted(items, key=lambda item: places.get(compact(item.get(merge_key)), len(places)))


def _merge_lists(delta: list[Object], deletions: list[Object], field: Field) -> list[Object]:
    merged = list(delta)
    for item in deletions:
        value = item.get(field.merge_key)
        place = next((index for index, other in enumerate(delta) if same(other.get(field.merge_key), value)), None)
        if place is None:
            merged.append(item)
        else:
            merged[place] = _merge(merged[place], item, inner(field.type))
    return merged
