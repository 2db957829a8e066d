"""Volumes made of objects: ConfigMaps, Secrets, the pod's own fields, and projections of several of them in one directory.

In: the pod and one of its volumes. Out: ``missing`` (what is not there that must be), ``references`` (which objects it is made of) and
``content`` (its files by path).

Source: https://kubernetes.io/docs/concepts/storage/projected-volumes/
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator

from server.cluster import quantity
from server.cluster.apiserver.server import ApiServer
from server.cluster.kubelet.environment import data_of
from server.cluster.objects import Object

Key = tuple[str, str]
WORDS = {"configmap": "config", "secret": "secret"}


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


def content(api: ApiServer, pod: Object, volume: Object, ip: str = "", instead: dict[Key, Object] | None = None) -> dict[str, str]:
    """Text by path; ``instead`` gives objects as they were."""
    files: dict[str, str] = {}
    for kind, source, name in _parts(volume):
        if kind == "downwardAPI":
            files.update({item["path"]: _field(pod, item, ip) for item in source.get("items") or ()})
        elif kind == "serviceAccountToken":
            files[source.get("path", "token")] = _token(pod)
        else:
            key = (f"{kind}s", name)
            obj = (instead or {}).get(key) or api.lister(key[0]).get(pod["metadata"]["namespace"], name)
            data = {**data_of(obj), **_binary(obj)} if obj is not None else {}
            items = source.get("items")
            files.update({item["path"]: data[item["key"]] for item in items if item["key"] in data} if items else data)
    return files


def _binary(obj: Object) -> dict[str, str]:
    """The binary keys of a ConfigMap, as far as they are text."""
    return {key: base64.b64decode(value).decode("utf-8", "replace") for key, value in (obj.get("binaryData") or {}).items()}


def _token(pod: Object) -> str:
    """Something that looks like a token and opens nothing."""
    return f"simulated-token-of-{pod['spec'].get('serviceAccountName', 'default')}"


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
