"""Volumes made of objects: ConfigMaps, Secrets, the pod's own fields, and projections of several of them in one directory.

In: the pod and one of its volumes. Out: ``missing`` (what is not there that must be), ``references`` (which objects it is made of) and
``content`` (its files by path).

Source: https://kubernetes.io/docs/concepts/storage/projected-volumes/
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from datetime import datetime

from server.cluster import quantity
from server.cluster.apiserver import authentication
from server.cluster.apiserver.server import ApiServer
from server.cluster.inodes import Node, changed, decoded, node
from server.cluster.objects import Object

Key = tuple[str, str]
WORDS = {"configmap": "config", "secret": "secret"}
MODE = 0o644


def _parts(volume: Object) -> Iterator[tuple[str, Object, str]]:
    """(kind of source, source, the name of the object it is made from)."""
    inner = (volume["projected"].get("sources") or []) if "projected" in volume else [volume]
    for part in inner:
        for kind, source in part.items():
            if kind == "configMap":
                yield "configmap", source, source.get("name", "")
            elif kind == "secret":
                yield "secret", source, source.get("secretName") or source.get("name", "")
            elif kind in ("downwardAPI", "serviceAccountToken"):
                yield kind, source, ""


def references(volume: Object) -> list[Key]:
    """(configmaps or secrets, name) of every object that a volume is made of."""
    return [(f"{kind}s", name) for kind, _, name in _parts(volume) if kind in WORDS]


def missing(api: ApiServer, pod: Object, volume: Object) -> str:
    """What is not there, in the kubelet's words; "" when nothing is missing."""
    for kind, source, name in _parts(volume):
        if kind not in WORDS or source.get("optional"):
            continue
        obj = api.lister(f"{kind}s").get(pod["metadata"]["namespace"], name)
        if obj is None:
            return f'{kind} "{name}" not found'
        known = {**(obj.get("data") or {}), **(obj.get("binaryData") or {})}
        for item in source.get("items") or ():
            if item["key"] not in known:
                return f"references non-existent {WORDS[kind]} key: {item['key']}"
    return ""


def content(api: ApiServer, pod: Object, volume: Object, ip: str = "", instead: dict[Key, Object] | None = None) -> dict[str, Node]:
    """Files by path; ``instead`` gives objects as they were."""
    files: dict[str, Node] = {}
    for kind, source, name in _parts(volume):
        if kind == "downwardAPI":
            files.update({item["path"]: _field(pod, item, ip) for item in source.get("items") or ()})
        elif kind == "serviceAccountToken":
            files[source.get("path", "token")] = authentication.issue(api, pod, source.get("audience", ""))
        else:
            key = (f"{kind}s", name)
            obj = (instead or {}).get(key) or api.lister(key[0]).get(pod["metadata"]["namespace"], name)
            data = _data(obj) if obj is not None else {}
            items = source.get("items")
            files.update({item["path"]: data[item["key"]] for item in items if item["key"] in data} if items else data)
    return files


def modes(volume: Object) -> dict[str, int]:
    """The mode of each file by its path, "" for all others: of its item, of its volume, else what is usual."""
    whole = next((volume[kind] for kind in ("configMap", "secret", "projected", "downwardAPI") if kind in volume), {})
    found = {"": whole.get("defaultMode", MODE)}
    for _, source, _ in _parts(volume):
        found.update({item["path"]: item["mode"] for item in source.get("items") or () if item.get("mode") is not None})
    return found


def atomic(files: dict[str, Node], given: dict[str, int], when: datetime, salt: str, group: int | None) -> dict[str, Node]:
    """The files as the kubelet's atomic writer lays them out: in a directory named after the moment at which they were written, to which
    ``..data`` leads, and from there a link for each name. An fsGroup owns all, and may read."""
    suffix = str(int(hashlib.sha256(f"{salt} {sorted(files)}".encode()).hexdigest()[:8], 16))
    folder, stamp = f"..{when:%Y_%m_%d_%H_%M_%S}.{suffix}", when.timestamp()
    shared = {"gid": group} if group is not None else {}
    made: dict[str, Node] = {f"/{folder}/": {"mtime": stamp, "mode": 0o2755 if group is not None else 0o755, **shared},
                             "/..data": {"link": folder, "mtime": stamp}}
    for path, found in files.items():
        mode = given.get(path, given[""])
        mode |= 0o440 if group is not None else 0
        made[f"/{folder}/{path}"] = changed(found, mode=mode, mtime=stamp, **shared)
        top = path.partition("/")[0]
        made[f"/{top}"] = {"link": f"..data/{top}", "mtime": stamp}
    return made


def _data(obj: Object) -> dict[str, Node]:
    """What the keys of a ConfigMap or Secret hold."""
    coded = obj.get("binaryData") if obj["kind"] == "ConfigMap" else obj.get("data")
    plain: dict[str, Node] = dict(obj.get("data") or {}) if obj["kind"] == "ConfigMap" else {}
    return {**plain, **{key: _decoded(value or "") for key, value in (coded or {}).items()}}


def _decoded(value: str) -> Node:
    text = decoded(base64.b64decode(value))
    return node(text) if any("\udc80" <= char <= "\udcff" for char in text) else text


def _field(pod: Object, item: Object, ip: str) -> str:
    if "resourceFieldRef" in item:
        return _resource(pod, item["resourceFieldRef"])
    path, meta = (item.get("fieldRef") or {}).get("fieldPath", ""), pod["metadata"]
    for field in ("labels", "annotations"):
        values = meta.get(field) or {}
        if path == f"metadata.{field}":
            return "\n".join(f"{key}={json.dumps(values[key], ensure_ascii=False)}" for key in sorted(values))
        if path.startswith(f"metadata.{field}['"):
            return values.get(path[len(f"metadata.{field}['"):-2], "")
    return str(meta.get(path.removeprefix("metadata."), ""))


def _resource(pod: Object, reference: Object) -> str:
    """An amount in units of its divisor, rounded up; a limit that is not set is what the node can give, which a pod sees as 0 here."""
    container = next((entry for entry in (*pod["spec"]["containers"], *(pod["spec"].get("initContainers") or ()))
                      if entry["name"] == reference.get("containerName")), {})
    section, _, name = reference.get("resource", "").partition(".")
    amount = quantity.parse(((container.get("resources") or {}).get(section) or {}).get(name, "0")).nano
    divisor = quantity.parse(reference.get("divisor") or "0").nano or quantity.NANO
    return str(-(-amount // divisor))
