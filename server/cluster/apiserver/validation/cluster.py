"""Validation of the remaining core kinds: Namespace, Node, ConfigMap, Secret, ServiceAccount, Event; and of Lease.

Source: https://kubernetes.io/docs/reference/kubernetes-api/
"""

from __future__ import annotations

import base64
import binascii
import json

from server.cluster import names
from server.cluster.apiserver.validation import meta, scheduling
from server.cluster.apiserver.validation.fields import (
    Errors,
    Object,
    cidr,
    duplicate,
    faults,
    forbidden,
    immutable,
    invalid,
    not_negative,
    required,
    too_long,
    unsupported,
)
from server.cluster.apiserver.validation.resources import quantity_value

MAX_DATA = 1024 * 1024
FROZEN = "field is immutable when `immutable` is set"


# namespaces and nodes ----------------------------------------------------------------------------------------------------

def namespace(obj: Object) -> Errors:
    yield from meta.create(obj, names.label, namespaced=False)
    for value in (obj.get("spec") or {}).get("finalizers") or ():
        yield from faults("spec.finalizers", value, names.qualified_name(value))
        if "/" not in value and value not in meta.STANDARD_FINALIZERS:
            yield invalid("spec.finalizers", value, "name is neither a standard finalizer name nor is it fully qualified")


def namespace_status(new: Object, old: Object) -> Errors:
    phase, deleting = (new.get("status") or {}).get("phase", ""), bool(new["metadata"].get("deletionTimestamp"))
    if deleting and phase != "Terminating":
        yield invalid("status.Phase", phase, "may only be 'Terminating' if `deletionTimestamp` is not empty")
    elif not deleting and phase != "Active":
        yield invalid("status.Phase", phase, "may only be 'Active' if `deletionTimestamp` is empty")


def node(obj: Object) -> Errors:
    yield from meta.create(obj, names.subdomain, namespaced=False)
    yield from _node(obj)
    ranges = (obj.get("spec") or {}).get("podCIDRs") or []
    for index, value in enumerate(ranges):
        yield from cidr(f"spec.podCIDRs[{index}]", value)
        if value in ranges[:index]:
            yield duplicate(f"spec.podCIDRs[{index}]", value)


def node_update(new: Object, old: Object) -> Errors:
    yield from meta.update(new, old)
    spec, was = new.get("spec") or {}, old.get("spec") or {}
    if spec is was:
        return
    if was.get("podCIDRs") and was["podCIDRs"] != spec.get("podCIDRs"):
        yield forbidden("spec.podCIDRs", 'node updates may not change podCIDR except from "" to valid')
    if was.get("providerID") and was["providerID"] != spec.get("providerID"):
        yield forbidden("spec.providerID", 'node updates may not change providerID except from "" to valid')
    yield from _node(new)


def _node(obj: Object) -> Errors:
    yield from scheduling.taints((obj.get("spec") or {}).get("taints") or [], "metadata.taints")
    status = obj.get("status") or {}
    for field in ("capacity", "allocatable"):
        for name, value in (status.get(field) or {}).items():
            yield from quantity_value(name, value, f"status.{field}.{name}")


def node_status(new: Object, old: Object) -> Errors:
    status = new.get("status") or {}
    for field in ("capacity", "allocatable"):
        if status.get(field) is not (old.get("status") or {}).get(field):
            for name, value in (status.get(field) or {}).items():
                yield from quantity_value(name, value, f"status.{field}.{name}")
    seen: list[Object] = []
    for index, address in enumerate(status.get("addresses") or ()):
        if address in seen:
            yield duplicate(f"status.addresses[{index}]", address)
        seen.append(address)


# data --------------------------------------------------------------------------------------------------------------------

def config_map(obj: Object) -> Errors:
    yield from meta.create(obj, names.subdomain, namespaced=True)
    yield from _config_map(obj)


def config_map_update(new: Object, old: Object) -> Errors:
    yield from meta.update(new, old)
    if old.get("immutable"):
        if not new.get("immutable"):
            yield forbidden("immutable", FROZEN)
        for field in ("data", "binaryData"):
            if (new.get(field) or {}) != (old.get(field) or {}):
                yield forbidden(field, FROZEN)
    yield from _config_map(new)


def _config_map(obj: Object) -> Errors:
    text, binary = obj.get("data") or {}, obj.get("binaryData") or {}
    size = 0
    for key, value in text.items():
        yield from faults(f"data[{key}]", key, names.config_key(key))
        if key in binary:
            yield invalid(f"data[{key}]", key, "duplicate of key present in binaryData")
        size += len(value) if value.isascii() else len(value.encode("utf-8", "surrogatepass"))
    for key, value in binary.items():
        yield from faults(f"binaryData[{key}]", key, names.config_key(key))
        size += _decoded_size(value)
    if size > MAX_DATA:
        yield too_long("", MAX_DATA)


def secret(obj: Object) -> Errors:
    yield from meta.create(obj, names.subdomain, namespaced=True)
    yield from _secret(obj)


def secret_update(new: Object, old: Object) -> Errors:
    yield from meta.update(new, old)
    yield from immutable("type", new.get("type"), old.get("type"))
    if old.get("immutable"):
        if not new.get("immutable"):
            yield forbidden("immutable", FROZEN)
        if (new.get("data") or {}) != (old.get("data") or {}):
            yield forbidden("data", FROZEN)
    yield from _secret(new)


def _secret(obj: Object) -> Errors:
    data, kind = obj.get("data") or {}, obj.get("type", "")
    for key in data:
        yield from faults(f"data[{key}]", key, names.config_key(key))
    if sum(_decoded_size(value) for value in data.values()) > MAX_DATA:
        yield too_long("data", MAX_DATA)
    if kind == "kubernetes.io/service-account-token":
        if not (obj["metadata"].get("annotations") or {}).get("kubernetes.io/service-account.name"):
            yield required("metadata.annotations[kubernetes.io/service-account.name]")
    elif kind in _SECRET_JSON:
        yield from _json_secret(data, _SECRET_JSON[kind])
    elif kind == "kubernetes.io/basic-auth":
        if "username" not in data and "password" not in data:
            yield required("data[username]")
            yield required("data[password]")
    elif kind == "kubernetes.io/ssh-auth":
        if not data.get("ssh-privatekey"):
            yield required("data[ssh-privatekey]")
    elif kind == "kubernetes.io/tls":
        for key in ("tls.crt", "tls.key"):
            if key not in data:
                yield required(f"data[{key}]")


_SECRET_JSON = {"kubernetes.io/dockercfg": ".dockercfg", "kubernetes.io/dockerconfigjson": ".dockerconfigjson"}


def _json_secret(data: dict[str, str], key: str) -> Errors:
    if key not in data:
        yield required(f"data[{key}]")
        return
    try:
        json.loads(base64.b64decode(data[key]))
    except (ValueError, RecursionError):
        yield invalid(f"data[{key}]", "<secret contents redacted>", "invalid character in JSON")


def _decoded_size(value: str) -> int:
    try:
        return len(base64.b64decode(value))
    except (binascii.Error, ValueError):
        return len(value)


def service_account(obj: Object) -> Errors:
    yield from meta.create(obj, names.subdomain, namespaced=True)


# events and leases -------------------------------------------------------------------------------------------------------

def event(obj: Object) -> Errors:
    """Events of the old form are checked for little, for every client writes them: a name, a namespace that fits, a type."""
    yield from meta.create(obj, names.subdomain, namespaced=True)
    involved = obj.get("involvedObject") or {}
    namespace_name = involved.get("namespace") or "default"
    if namespace_name != obj["metadata"].get("namespace"):
        yield invalid("involvedObject.namespace", involved.get("namespace", ""), "does not match event.namespace")
    if obj.get("eventTime") is not None:
        if obj.get("type") not in ("Normal", "Warning"):
            yield invalid("type", obj.get("type", ""), "has invalid value: " + obj.get("type", ""))
        for field in ("reportingComponent", "reportingInstance", "action", "reason"):
            if not obj.get(field):
                yield required(field)


def lease(obj: Object) -> Errors:
    yield from meta.create(obj, names.subdomain, namespaced=True)
    yield from _lease(obj)


def lease_update(new: Object, old: Object) -> Errors:
    yield from meta.update(new, old)
    yield from _lease(new)


def _lease(obj: Object) -> Errors:
    spec = obj.get("spec") or {}
    duration, transitions = spec.get("leaseDurationSeconds"), spec.get("leaseTransitions")
    if duration is not None and duration <= 0:
        yield invalid("spec.leaseDurationSeconds", duration, "must be greater than 0")
    yield from not_negative("spec.leaseTransitions", transitions)
    if spec.get("strategy") is not None and not spec["strategy"]:
        yield unsupported("spec.strategy", spec["strategy"], ("OldestEmulationVersion",))
    if spec.get("preferredHolder") and not spec.get("strategy"):
        yield forbidden("spec.preferredHolder", "may only be specified if `strategy` is defined")
