"""A container's environment: what its ``env`` and ``envFrom`` mean, and what is missing for it.

``missing`` is asked before every start and gives the kubelet's words for a ConfigMap, Secret or key that is not there; ``resolved``
is asked only when a program looks at its environment.

Source: https://kubernetes.io/docs/tasks/inject-data-application/define-environment-variable-container/
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from typing import Any, NamedTuple

from server.cluster import quantity
from server.cluster.apiserver.server import ApiServer
from server.cluster.objects import Object
from server.cluster.runtime import packages

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_KINDS = (("configMapKeyRef", "configmaps", "configmap", "ConfigMap"), ("secretKeyRef", "secrets", "secret", "Secret"))
_FROM = (("configMapRef", "configmaps", "configmap"), ("secretRef", "secrets", "secret"))
_ROW = re.compile(r"([^\s=#][^=\s]*)='([^']*)'[ \t]*(?:#[^\n]*)?(?=\n|$)")
_REFERENCE = re.compile(r"\$\$|\$\(([-._a-zA-Z][-._a-zA-Z0-9]*)\)")


def refers(container: Object) -> bool:
    """Whether the container needs anything that may be missing."""
    return bool(container.get("envFrom")) or any("valueFrom" in entry for entry in container.get("env") or ())


class Place(NamedTuple):
    """Where a pod runs: its addresses, its node, that node's allocatable, the moment of its container's start (Services that came
    later are not seen), and ``file(volume, path)``, the text of a file in one of its volumes (None: not there)."""

    ip: str
    host_ip: str
    node: str
    allocatable: dict[str, str]
    since: str
    file: Callable[[str, str], str | None]


def missing(api: ApiServer, pod: Object, container: Object, place: Place) -> str:
    """Why the container cannot be configured; "" if it can."""
    namespace = pod["metadata"]["namespace"]
    for source in container.get("envFrom") or ():
        for field, resource, word in _FROM:
            reference = source.get(field)
            if reference and not reference.get("optional") and api.lister(resource).get(namespace, reference.get("name", "")) is None:
                return f'{word} "{reference.get("name", "")}" not found'
    for entry in container.get("env") or ():
        source = entry.get("valueFrom") or {}
        for field, resource, word, kind in _KINDS:
            reference = source.get(field)
            if not reference or reference.get("optional"):
                continue
            found = api.lister(resource).get(namespace, reference.get("name", ""))
            if found is None:
                return f'{word} "{reference.get("name", "")}" not found'
            if reference["key"] not in data_of(found):
                return f"couldn't find key {reference['key']} in {kind} {namespace}/{reference['name']}"
        if "fileKeyRef" in source and (fault := _file_fault(pod, source["fileKeyRef"], place)):
            return fault
    return ""


def _file_fault(pod: Object, reference: Object, place: Place) -> str:
    if all(volume["name"] != reference["volumeName"] for volume in pod["spec"].get("volumes") or ()):
        return f'cannot find the volume "{reference["volumeName"]}" referenced by FileKeyRef'
    text = place.file(reference["volumeName"], reference["path"])
    known = env_file(text) if text is not None else None
    if known is None:
        return "couldn't parse env file"
    if reference["key"] not in known and not reference.get("optional"):
        return f'environment variable key "{reference["key"]}" not found in file'
    return ""


def env_file(text: str) -> dict[str, str] | None:
    """The variables of a file of ``NAME='value'`` rows; None if it is not one.

    >>> env_file("# a file\\nA='one'\\nB='t w o' # so\\n"), env_file("A=one")
    ({'A': 'one', 'B': 't w o'}, None)
    """
    values, rest = {}, text
    while rest := rest.lstrip(" \t\n"):
        if rest.startswith("#"):
            rest = rest.partition("\n")[2]
            continue
        found = _ROW.match(rest)
        if found is None:
            return None
        values[found[1]] = found[2]
        rest = rest[found.end():]
    return values


def data_of(obj: Object) -> dict[str, str]:
    """The text of a ConfigMap's or Secret's keys."""
    if obj["kind"] == "ConfigMap":
        return obj.get("data") or {}
    return {key: base64.b64decode(value or "").decode("utf-8", "replace") for key, value in (obj.get("data") or {}).items()}


def resolved(api: ApiServer, pod: Object, container: Object, place: Place) -> dict[str, str]:
    """Every variable as the container sees it: the runtime's and the image's own, and over them the kubelet's, which alone may be named
    in others."""
    own = {"PATH": PATH, "HOSTNAME": hostname(pod, place.node), **packages.environment_of(container.get("image", ""))}
    values: dict[str, str] = {}
    if pod["spec"].get("enableServiceLinks", True):
        values.update(service_links(api, pod["metadata"]["namespace"], place.since))
    else:
        values.update(_service(api.lister("services").get("default", "kubernetes")))
    namespace = pod["metadata"]["namespace"]
    for source in container.get("envFrom") or ():
        for field, resource, _ in _FROM:
            if field in source:
                found = api.lister(resource).get(namespace, source[field].get("name", ""))
                for key, value in (data_of(found) if found else {}).items():
                    values[source.get("prefix", "") + key] = value
    given: dict[str, str] = {}
    for entry in container.get("env") or ():
        value = _value(api, pod, container, entry, place)
        if value is not None:
            given[entry["name"]] = value if entry.get("valueFrom") else expanded(value, {**values, **given})
    return {**own, **values, **given, "HOME": given.get("HOME", values.get("HOME", "/root"))}


def known(values: dict[str, str], container: Object) -> dict[str, str]:
    """Of a container's variables those that its command may name: not what the runtime or the image gives."""
    if container.get("envFrom"):
        return values
    given = {entry["name"] for entry in container.get("env") or ()}
    own = {"PATH", "HOSTNAME", "HOME", *packages.environment_of(container.get("image", ""))} - given
    return {name: value for name, value in values.items() if name not in own}


def expands(words: tuple[str, ...], container: Object) -> bool:
    """Whether the words may name variables that the kubelet knows; ``$(date)`` is the shell's own affair."""
    names = {entry["name"] for entry in container.get("env") or ()}
    found = [reference[1] for word in words if "$" in word for reference in _REFERENCE.finditer(word)]
    return any(name is None or name in names or name.isupper() or bool(container.get("envFrom")) for name in found)


def expanded(text: str, values: dict[str, str]) -> str:
    """``$(NAME)`` replaced by what is known, ``$$`` by ``$``.

    >>> expanded("$(A)-$(B)-$$(A)", {"A": "1"})
    '1-$(B)-$(A)'
    """
    return _REFERENCE.sub(lambda found: "$" if found[1] is None else values.get(found[1], found[0]), text)


def hostname(pod: Object, node: str = "") -> str:
    """What the pod's machine is called."""
    spec = pod["spec"]
    if spec.get("hostNetwork") and node:
        return node
    return spec.get("hostnameOverride") or (spec.get("hostname") or pod["metadata"]["name"])[:63]


def _value(api: ApiServer, pod: Object, container: Object, entry: Object, place: Place) -> str | None:
    source = entry.get("valueFrom")
    if not source:
        return entry.get("value") or ""
    if "fieldRef" in source:
        return field(pod, source["fieldRef"].get("fieldPath", ""), place)
    if "resourceFieldRef" in source:
        return resource(pod, container, source["resourceFieldRef"], place.allocatable)
    if "fileKeyRef" in source:
        text = place.file(source["fileKeyRef"]["volumeName"], source["fileKeyRef"]["path"])
        return ((env_file(text) if text is not None else None) or {}).get(source["fileKeyRef"]["key"])
    for kind, name, _, _ in _KINDS:
        if kind in source:
            found = api.lister(name).get(pod["metadata"]["namespace"], source[kind].get("name", ""))
            return data_of(found).get(source[kind]["key"]) if found else None
    return None


def resource(pod: Object, container: Object, reference: Object, allocatable: dict[str, str]) -> str:
    """A request or limit of a container, counted in the divisor and rounded up; a limit it does not have is the node's allocatable."""
    named = reference.get("containerName")
    spec = pod["spec"]
    if named and named != container["name"]:
        container = next((entry for entry in (*spec["containers"], *(spec.get("initContainers") or ())) if entry["name"] == named), container)
    section, _, name = reference.get("resource", "").partition(".")
    amount = ((container.get("resources") or {}).get(section) or {}).get(name)
    if amount is None:
        amount = allocatable.get(name, "0") if section == "limits" else "0"
    divisor = quantity.parse(reference.get("divisor") or "1").nano or quantity.NANO
    return str(-(-quantity.parse(amount).nano // divisor))


def field(pod: Object, path: str, place: Place) -> str:
    """A field of the pod, as the downward API gives it."""
    known = {"status.podIP": place.ip, "status.podIPs": place.ip, "status.hostIP": place.host_ip, "status.hostIPs": place.host_ip}
    if path in known:
        return known[path]
    found = re.fullmatch(r"metadata\.(labels|annotations)\['(.+)'\]", path)
    if found:
        return (pod["metadata"].get(found[1]) or {}).get(found[2], "")
    value: Any = pod
    for step in path.split("."):
        value = value.get(step, "") if isinstance(value, dict) else ""
    return str(value)


def service_links(api: ApiServer, namespace: str, since: str) -> dict[str, str]:
    """The variables that name ``kubernetes`` and the Services that were in the namespace by then."""
    values = _service(api.lister("services").get("default", "kubernetes"))
    for service in api.lister("services").list(namespace):
        if service["metadata"]["creationTimestamp"] <= since:
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
