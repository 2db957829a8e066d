"""docker's ``--format``: Go templates as far as fields, ``json``, ``index`` and ``.Label`` go, and tables made of them.

In: a template and the rows it is for. Out: text; ``Wrong`` for an action that is none of these.

Source: https://docs.docker.com/engine/cli/formatting/
"""

from __future__ import annotations

import json
import re
from typing import Any

from server.cluster.nodes.containers import table
from server.cluster.nodes.options import Wrong
from server.cluster.runtime.proc import Proc

LEAST = 10
HEADS = {"ID": "CONTAINER ID", "Image": "IMAGE", "Command": "COMMAND", "CreatedAt": "CREATED AT", "RunningFor": "CREATED", "Ports": "PORTS",
         "State": "STATE", "Status": "STATUS", "Names": "NAMES", "Labels": "LABELS", "Repository": "REPOSITORY", "Tag": "TAG",
         "CreatedSince": "CREATED", "Size": "SIZE", "Name": "NAME", "CPUPerc": "CPU %", "MemUsage": "MEM USAGE / LIMIT", "MemPerc": "MEM %",
         "NetIO": "NET I/O", "BlockIO": "BLOCK I/O", "PIDs": "PIDS", "Container": "CONTAINER"}
_ACTION = re.compile(r"\{\{\s*(.*?)\s*\}\}")


def formatted(proc: Proc, form: str, rows: list[dict[str, Any]], heads: dict[str, str] = HEADS) -> int:
    """Prints rows by a ``--format``: a Go template of fields, ``table`` before it for a head, or ``json``."""
    if form == "json":
        form = "{{json .}}"
    if form.startswith("table"):
        form = form.removeprefix("table").lstrip(" ").replace("\\t", "\t").replace("\\n", "\n")
        head = _ACTION.sub(lambda found: heads.get(found[1].lstrip("."), _label_head(found[1])), form)
        proc.out(table([tuple(line.split("\t")) for line in (head, *(filled(form, row) for row in rows))], LEAST))
        return 0
    form = form.replace("\\t", "\t").replace("\\n", "\n")
    proc.out("".join(f"{filled(form, row)}\n" for row in rows))
    return 0


def _label_head(action: str) -> str:
    label = re.fullmatch(r'\.Label "([^"]*)"', action)
    return re.split(r"[./]", label[1])[-1] if label else action


def filled(form: str, data: Any) -> str:
    """The template with what its actions stand for."""
    return _ACTION.sub(lambda found: _value(found[1], data), form)


def _value(action: str, data: Any) -> str:
    label = re.fullmatch(r'\.Label "([^"]*)"', action)
    if label and "_labels" in data:
        return data["_labels"].get(label[1], "")
    as_json = re.fullmatch(r"json (\..*)", action)
    index = re.fullmatch(r'index (\.[\w.]*) "([^"]*)"', action)
    if index:
        found = _path(data, index[1])
        return _printed(found.get(index[2], "") if isinstance(found, dict) else "")
    if as_json:
        found = _path(data, as_json[1])
        shown = {key: value for key, value in found.items() if not key.startswith("_")} if isinstance(found, dict) else found
        return json.dumps(shown, separators=(",", ":"), ensure_ascii=False)
    if not re.fullmatch(r"\.[\w.]*", action):
        raise Wrong(f"template parsing error: podium: {{{{{action}}}}} is not simulated: fields, json, index and .Label are")
    return _printed(_path(data, action))


def _path(data: Any, path: str) -> Any:
    for name in path.strip(".").split(".") if path.strip(".") else ():
        if not isinstance(data, dict) or name not in data:
            raise Wrong(f'template: :1:2: executing "" at <{path}>: map has no entry for key "{name}"')
        data = data[name]
    return data


def _printed(value: Any) -> str:
    if isinstance(value, dict):
        return "map[" + " ".join(f"{key}:{_printed(each)}" for key, each in sorted(value.items())) + "]"
    if isinstance(value, list):
        return "[" + " ".join(map(_printed, value)) + "]"
    return {True: "true", False: "false", None: "<nil>"}.get(value, str(value)) if isinstance(value, bool | None) else str(value)
