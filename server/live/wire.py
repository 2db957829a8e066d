"""The JSON module that Socket.IO is given: orjson behind the two functions of the standard library's that it calls."""

from __future__ import annotations

from typing import Any

import orjson


def dumps(value: Any, **_: Any) -> str:
    return orjson.dumps(value).decode()


def loads(text: str | bytes, **_: Any) -> Any:
    return orjson.loads(text)
