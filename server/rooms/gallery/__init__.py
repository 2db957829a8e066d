"""The examples that the editor offers: for each its category, a sentence in each language and its manifest; as JSON bytes that all rooms share.

``index.json`` orders them. A name alone is a file of the category's folder, whose first two lines are the sentences; an entry with ``file``
is one of the workstation's own examples. ``mistake`` marks those that the API server is meant to refuse.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from server.rooms.definitions import Bundle, bundled
from server.rooms.files import examples as given

HERE = Path(__file__).parent
LANGUAGES = ("en", "ko")


@cache
def examples() -> list[dict[str, Any]]:
    """In order: name, category, ``about`` by language, yaml, and ``mistake`` where there is one. Not to be changed."""
    own = {one["name"]: one["yaml"] for one in given()}
    found = []
    for category, entries in json.loads((HERE / "index.json").read_text()).items():
        for entry in entries:
            if isinstance(entry, str):
                found.append({"name": f"{entry}.yaml", "category": category, **_read(HERE / category / f"{entry}.yaml")})
            else:
                found.append({"name": entry["file"], "category": category, "about": {language: entry[language] for language in LANGUAGES},
                              "yaml": own[entry["file"]], **({"mistake": True} if entry.get("mistake") else {})})
    return found


def _read(path: Path) -> dict[str, Any]:
    *heads, text = path.read_text().split("\n", len(LANGUAGES))
    return {"about": {language: head.removeprefix(f"# {language}: ") for language, head in zip(LANGUAGES, heads, strict=True)}, "yaml": text}


@cache
def bundle() -> Bundle:
    return bundled(examples())
