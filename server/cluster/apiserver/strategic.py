"""Strategic merge patch: an object, a patch and their type in; the merged object out, sharing what the patch did not touch.

Maps merge field by field. Lists that the schema marks ``merge`` merge by their merge key (or as sets, when they hold scalars); the others
are replaced. Directives: ``$patch`` (delete, replace), ``$retainKeys``, ``$deleteFromPrimitiveList/FIELD``, ``$setElementOrder/FIELD``.
"""

from __future__ import annotations

from typing import Any

from server.cluster.schema import Field, Type

PATCH, RETAIN = "$patch", "$retainKeys"
DELETE_FROM, SET_ORDER = "$deleteFromPrimitiveList/", "$setElementOrder/"


class PatchError(ValueError):
    """The patch cannot be applied. ``code``: 400 when its form is wrong, else 500, as the API server has it."""

    def __init__(self, message: str, code: int = 500) -> None:
        super().__init__(message)
        self.code = code


def merge_strategic(old: dict[str, Any], patch: dict[str, Any], type_: Type | None) -> dict[str, Any]:
    """``old`` with the patch applied; ``old`` itself if that changes nothing."""
    merged = _merge_map(old, patch, type_)
    return old if same(merged, old) else merged


def same(left: Any, right: Any) -> bool:
    """Equal, and ``1`` is not ``true``."""
    return left is right or (left == right and repr(left) == repr(right))


def _merge_map(old: dict[str, Any], patch: dict[str, Any], type_: Type | None) -> dict[str, Any]:
    if PATCH in patch:
        if patch[PATCH] == "replace":
            return _clean({key: value for key, value in patch.items() if key != PATCH})
        if patch[PATCH] == "delete":
            return {}
        if patch[PATCH] != "merge":
            raise PatchError(f"unknown patch type found: {patch[PATCH]}")
    new = dict(old)
    if RETAIN in patch:
        _retain(new, patch)
    for key, value in patch.items():
        if key.startswith(DELETE_FROM):
            field = key[len(DELETE_FROM):]
            if not isinstance(value, list):
                raise PatchError("$deleteFromPrimitiveList should be an array", 400)
            if isinstance(new.get(field), list):
                new[field] = [item for item in new[field] if item not in value]
        elif not key.startswith("$"):
            _merge_field(new, key, value, type_)
    for key, value in patch.items():
        if key.startswith(SET_ORDER):
            _order(new, old, key[len(SET_ORDER):], value, type_)
    return new


def _merge_field(new: dict[str, Any], key: str, value: Any, type_: Type | None) -> None:
    if value is None:
        new.pop(key, None)
        return
    had = new.get(key)
    field, inner = _field(type_, key)
    if isinstance(had, dict) and isinstance(value, dict):
        if field is not None and "replace" in field.strategies:
            new[key] = _clean(value)
        else:
            merged = _merge_map(had, value, inner)
            new[key] = had if same(merged, had) else merged
    elif isinstance(had, list) and isinstance(value, list):
        if field is not None and "merge" in field.strategies:
            new[key] = _merge_list(had, value, field, inner)
        else:
            new[key] = _clean(value)
    elif isinstance(value, dict) and value.get(PATCH) == "delete":
        new.pop(key, None)
    else:
        new[key] = _clean(value)


def _field(type_: Type | None, key: str) -> tuple[Field | None, Type | None]:
    if type_ is None:
        return None, None
    if type_.kind == "map":
        return None, type_.element
    field = type_.fields.get(key)
    return field, field.type if field is not None else None


def _clean(value: Any) -> Any:
    """New content: without nulls, directives, and list items that only say what to delete."""
    if isinstance(value, dict):
        return {key: _clean(item) for key, item in value.items() if item is not None and not key.startswith("$")}
    if isinstance(value, list):
        return [_clean(item) for item in value if not (isinstance(item, dict) and item.get(PATCH) == "delete")
                and not (isinstance(item, dict) and item == {PATCH: "replace"})]
    return value


def _retain(new: dict[str, Any], patch: dict[str, Any]) -> None:
    kept = patch[RETAIN]
    if not isinstance(kept, list):
        raise PatchError("invalid patch format of retainKeys", 400)
    for key, value in patch.items():
        if not key.startswith("$") and value is not None and key not in kept:
            raise PatchError("invalid patch format of retainKeys", 400)
    for key in [key for key in new if key not in kept]:
        del new[key]


def _merge_list(old: list[Any], patch: list[Any], field: Field, type_: Type | None) -> list[Any]:
    if not patch:
        return old
    if not all(isinstance(item, dict) for item in patch):
        if any(isinstance(item, dict | list) for item in patch):
            raise PatchError("list element types are not identical")
        merged = [*old, *(item for item in dict.fromkeys(patch) if item not in old)]
        return _ordered(merged, patch, old, "")
    key = field.merge_key
    if not key:
        raise PatchError(f"cannot merge lists without merge key for {field.name}")
    element = type_.element if type_ is not None else None
    if any(item.get(PATCH) == "replace" and len(item) == 1 for item in patch):
        return [_clean(item) for item in patch if PATCH not in item]
    merged, wanted = list(old), []
    for item in patch:
        if key not in item:
            raise PatchError(f"map: {go_print(item)} does not contain declared merge key: {key}")
        at = [index for index, known in enumerate(merged) if isinstance(known, dict) and known.get(key) == item[key]]
        if item.get(PATCH) == "delete":
            merged = [known for index, known in enumerate(merged) if index not in at]
            continue
        if item.get(PATCH) == "merge":
            raise PatchError("merging lists cannot yet be specified in the patch")
        wanted.append(item)
        if at:
            changed = _merge_map(merged[at[0]], item, element)
            merged[at[0]] = merged[at[0]] if same(changed, merged[at[0]]) else changed
        else:
            merged.append(_clean(item))
    return _ordered(merged, wanted, old, key)


def _order(new: dict[str, Any], old: dict[str, Any], name: str, order: Any, type_: Type | None) -> None:
    if not isinstance(order, list):
        raise PatchError("invalid patch format of setElementOrder list", 400)
    if not isinstance(new.get(name), list):
        return
    field, _ = _field(type_, name)
    key = field.merge_key if field is not None else ""
    before = old.get(name)
    new[name] = _ordered(new[name], order, before if isinstance(before, list) else [], key)


def _ordered(merged: list[Any], order: list[Any], before: list[Any], key: str) -> list[Any]:
    """What the patch names in the patch's order, the rest in the server's, woven together as they stood before."""

    def identity(item: Any) -> Any:
        return repr(item.get(key)) if key and isinstance(item, dict) else repr(item)

    rank = _ranks(map(identity, order))
    place = _ranks(map(identity, before))
    named = sorted((item for item in merged if identity(item) in rank), key=lambda item: rank[identity(item)])
    others = [item for item in merged if identity(item) not in rank]
    others.sort(key=lambda item: place.get(identity(item), len(before)))
    woven: list[Any] = []
    while named and others:
        left, right = place.get(identity(others[0])), place.get(identity(named[0]))
        woven.append(others.pop(0) if left is not None and right is not None and left < right else named.pop(0))
    return [*woven, *named, *others]


def _ranks(names: Any) -> dict[str, int]:
    ranks: dict[str, int] = {}
    for index, name in enumerate(names):
        ranks.setdefault(name, index)
    return ranks


def go_print(value: Any) -> str:
    """A value as Go's ``%v`` prints it.

    >>> go_print({"spec": {"replicas": 2, "paused": True}, "a": [1, None]})
    'map[a:[1 <nil>] spec:map[paused:true replicas:2]]'
    """
    if isinstance(value, dict):
        return "map[" + " ".join(f"{key}:{go_print(value[key])}" for key in sorted(value)) + "]"
    if isinstance(value, list):
        return "[" + " ".join(map(go_print, value)) + "]"
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
