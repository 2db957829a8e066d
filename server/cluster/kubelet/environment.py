"""A container's environment: what its ``env`` and ``envFrom`` mean, and what is missing for it.

``missing`` is asked before every start and gives the kubelet's words for a ConfigMap, Secret or key that is not there; ``resolved``
is asked only when a program looks at its environment.

Source: https://kubernetes.io/docs/tasks/inject-data-application/define-environment-variable-container/
"""

from __future__ import annotations

import base64
import re
from typing import Any

from server.cluster.apiserver.server import ApiServer
from server.cluster.objects import Object

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_KINDS = (("configMapKeyRef", "configmaps", "configmap", "ConfigMap"), ("secretKeyRef", "secrets", "secret", "Secret"))
_FROM = (("configMapRef", "configmaps", "configmap"), ("secretRef", "secrets", "secret"))
_REFERENCE = re.compile(r"\$\$|\$\(([-._a-zA-Z][-._a-zA-Z0-9]*)\)")


def refers(container: Object) -> bool:
    """Whether the container needs anything that may be missing."""
    return bool(container.get("envFrom")) or any("valueFrom" in entry for entry in container.get("env") or ())


def missing(api: ApiServer, namespace: str, container: Object) -> str:
    """Why the container cannot be configured; "" if it can."""
    for source in container.get("envFrom") or ():
        for field, resource, word in _FROM:
            reference = source.get(field)
            if reference and not reference.get("optional") and api.lister(resource).get(namespace, reference.get("name", "")) is None:
                return f'{word} "{reference.get("name", "")}" not found'
    for entry in container.get("env") or ():
        for field, resource, word, kind in _KINDS:
            reference = (entry.get("valueFrom") or {}).get(field)
            if not reference or reference.get("optional"):
                continue
            found = api.lister(resource).get(namespace, reference.get("name", ""))
            if found is None:
                return f'{word} "{reference.get("name", "")}" not found'
            if reference["key"] not in data_of(found):
                return f"couldn't find key {reference['key']} in {kind} {namespace}/{reference['name']}"
    return ""


def data_of(obj: Object) -> dict[str, str]:
    """The text of a ConfigMap's or Secret's keys."""
    if obj["kind"] == "ConfigMap":
        return obj.get("data") or {}
    return {key: base64.b64decode(value or "").decode("utf-8", "replace") for key, value in (obj.get("data") or {}).items()}


def resolved(api: ApiServer, pod: Object, container: Object, ip: str) -> dict[str, str]:
    """Every variable as the container sees it."""
    values = {"PATH": PATH, "HOSTNAME": hostname(pod)}
    if pod["spec"].get("enableServiceLinks", True):
        values.update(service_links(api, pod["metadata"]["namespace"]))
    else:
        values.update(_service(api.lister("services").get("default", "kubernetes")))
    namespace = pod["metadata"]["namespace"]
    for source in container.get("envFrom") or ():
        for field, resource, _ in _FROM:
            if field in source:
                found = api.lister(resource).get(namespace, source[field].get("name", ""))
                for key, value in (data_of(found) if found else {}).items():
                    values[source.get("prefix", "") + key] = value
    for entry in container.get("env") or ():
        value = _value(api, pod, container, entry, ip)
        if value is not None:
            values[entry["name"]] = expanded(value, values)
    values["HOME"] = "/root"
    return values


def expanded(text: str, values: dict[str, str]) -> str:
    """``$(NAME)`` replaced by what is known, ``$$`` by ``$``.

    >>> expanded("$(A)-$(B)-$$(A)", {"A": "1"})
    '1-$(B)-$(A)'
    """
    return _REFERENCE.sub(lambda found: "$" if found[1] is None else values.get(found[1], found[0]), text)


def hostname(pod: Object) -> str:
    return (pod["spec"].get("hostname") or pod["metadata"]["name"])[:63]


def _value(api: ApiServer, pod: Object, container: Object, entry: Object, ip: str) -> str | None:
    source = entry.get("valueFrom")
    if not source:
        return entry.get("value") or ""
    if "fieldRef" in source:
        return _field(pod, source["fieldRef"].get("fieldPath", ""), ip)
    if "resourceFieldRef" in source:
        section, _, name = source["resourceFieldRef"].get("resource", "").partition(".")
        return str(((container.get("resources") or {}).get(section) or {}).get(name, "0"))
    for field, resource, _, _ in _KINDS:
        if field in source:
            found = api.lister(resource).get(pod["metadata"]["namespace"], source[field].get("name", ""))
            return data_of(found).get(source[field]["key"]) if found else None
    return None


def _field(pod: Object, path: str, ip: str) -> str:
    if path == "status.podIP" or path == "status.podIPs":
        return ip
    found = re.fullmatch(r"metadata\.(labels|annotations)\['(.+)'\]", path)
    if found:
        return (pod["metadata"].get(found[1]) or {}).get(found[2], "")
    value: Any = pod
    for step in path.split("."):
        value = value.get(step, "") if isinstance(value, dict) else ""
    return str(value)


def service_links(api: ApiServer, namespace: str) -> dict[str, str]:
    """The variables that name the Services of the namespace, and ``kubernetes``."""
    values = _service(api.lister("services").get("default", "kubernetes"))
    for service in api.lister("services").list(namespace):
        values.update(_service(service))
    return values


def _service(service: Object | None) -> dict[str, str]:
    address = service["spec"].get("clusterIP") if service is not None else None
    if not address or address == "None":
        return {}
    base = service["metadata"]["name"].upper().replace("-", "_")
    ports = service["spec"].get("ports") or []
    values = {f"{base}_SERVICE_HOST": address}
    for number, port in enumerate(ports):
        protocol = port.get("protocol", "TCP")
        url = f"{protocol.lower()}://{address}:{port['port']}"
        if not number:
            values[f"{base}_SERVICE_PORT"] = str(port["port"])
            values[f"{base}_PORT"] = url
        if port.get("name"):
            values[f"{base}_SERVICE_PORT_{port['name'].upper().replace('-', '_')}"] = str(port["port"])
        prefix = f"{base}_PORT_{port['port']}_{protocol}"
        values.update({prefix: url, f"{prefix}_PROTO": protocol.lower(), f"{prefix}_PORT": str(port["port"]), f"{prefix}_ADDR": address})
    return values
