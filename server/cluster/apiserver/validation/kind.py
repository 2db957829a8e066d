"""How one kind is validated: a check for when it is made, one for when it is changed, one for when its status is written."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from server.cluster.apiserver.validation import meta
from server.cluster.apiserver.validation.fields import Errors, Object

Check = Callable[[Object], Errors]
Compare = Callable[[Object, Object], Errors]


class Kind(NamedTuple):
    """``update`` and ``status`` take the new version and the old one."""

    create: Check
    update: Compare = meta.update
    status: Compare | None = None
