"""Copy-on-write helpers of defaulting: a dict in, the same dict or a new one with something filled in out."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

Object = dict[str, Any]


def filled(obj: Object, defaults: Object) -> Object:
    """
    >>> port = {"port": 80, "protocol": "TCP"}
    >>> filled(port, {"protocol": "TCP"}) is port, filled({"port": 80}, {"protocol": "TCP"})
    (True, {'port': 80, 'protocol': 'TCP'})
    """
    if defaults.keys() <= obj.keys():
        return obj
    return {**obj, **{field: value for field, value in defaults.items() if field not in obj}}


def with_field(obj: Object, field: str, default: Callable[[Any], Any]) -> Object:
    """``default`` applied to a field, if it is there."""
    value = obj.get(field)
    if value is None:
        return obj
    new = default(value)
    return obj if new is value else {**obj, field: new}


def each(default: Callable[[Object], Object]) -> Callable[[list[Object]], list[Object]]:
    """``default`` applied to every entry of a list; what is no object is left for validation."""

    def apply(items: list[Object]) -> list[Object]:
        new = [default(item) if isinstance(item, dict) else item for item in items]
        return items if all(was is now for was, now in zip(items, new, strict=True)) else new

    return apply


class Memory:
    """Results by the identity of what they were made from, which is held so that its identity stays its own."""

    def __init__(self, make: Callable[[Any], Any], size: int = 512) -> None:
        self._make = make
        self._size = size
        self._known: OrderedDict[int, tuple[Any, Any]] = OrderedDict()

    def get(self, source: Any) -> Any:
        known = self._known.get(id(source))
        if known is not None and known[0] is source:
            return known[1]
        made = self._make(source)
        self.put(source, made)
        return made

    def put(self, source: Any, made: Any) -> None:
        self._known[id(source)] = (source, made)
        if len(self._known) > self._size:
            self._known.popitem(last=False)
