"""A pod's volumes: which cannot be mounted yet, and what is to be read in those that come from ConfigMaps and Secrets.

Source: https://kubernetes.io/docs/concepts/storage/volumes/
"""

from __future__ import annotations

from server.cluster.apiserver.server import ApiServer
from server.cluster.kubelet.environment import data_of
from server.cluster.objects import Object
from server.cluster.runtime.files import NotSimulated

TOKEN_VOLUME = "kube-api-access-"  # noqa: S105
WRITABLE = ("emptyDir",)


def missing(api: ApiServer, pod: Object) -> list[tuple[str, str]]:
    """(volume, why) for every volume that cannot be set up now."""
    faults = []
    for volume in pod["spec"].get("volumes") or ():
        if volume["name"].startswith(TOKEN_VOLUME):
            continue
        for kind, name, items, optional in _sources(volume):
            fault = "" if optional else _fault(api, pod["metadata"]["namespace"], kind, name, items)
            if fault:
                faults.append((volume["name"], fault))
                break
    return faults


def _sources(volume: Object) -> list[tuple[str, str, list[Object], bool]]:
    """(configmap or secret, name, items, optional) of what a volume is made from."""
    found = []
    for source in (volume, *((volume.get("projected") or {}).get("sources") or ())):
        for field, kind, key in (("configMap", "configmap", "name"), ("secret", "secret", "secretName" if source is volume else "name")):
            part = source.get(field)
            if part:
                found.append((kind, part.get(key, ""), part.get("items") or [], bool(part.get("optional"))))
    return found


def _fault(api: ApiServer, namespace: str, kind: str, name: str, items: list[Object]) -> str:
    obj = api.lister(f"{kind}s").get(namespace, name)
    if obj is None:
        return f'{kind} "{name}" not found'
    known = {**(obj.get("data") or {}), **(obj.get("binaryData") or {})}
    for item in items:
        if item["key"] not in known:
            return f"references non-existent {'config' if kind == 'configmap' else 'secret'} key: {item['key']}"
    return ""


def content(api: ApiServer, pod: Object, name: str) -> dict[str, str] | None:
    """The files of a volume that is made from objects; None for one that starts empty; NotSimulated for what lies outside."""
    volume = next((entry for entry in pod["spec"].get("volumes") or () if entry["name"] == name), None)
    if volume is None or any(kind in volume for kind in WRITABLE):
        return None
    sources = _sources(volume)
    if not sources:
        raise NotSimulated(f'the content of volume "{name}"')
    files: dict[str, str] = {}
    for kind, source, items, _ in sources:
        obj = api.lister(f"{kind}s").get(pod["metadata"]["namespace"], source)
        data = data_of(obj) if obj is not None else {}
        if items:
            files.update({item["path"]: data[item["key"]] for item in items if item["key"] in data})
        else:
            files.update(data)
    return files
