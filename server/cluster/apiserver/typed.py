"""Plain JSON values against Kubernetes' types: a value and a type in, the value as Go would hold it out, with Go's own complaints.

The API server is written in Go, and what a person sees of a wrong type is Go's decoder speaking (``json: cannot unmarshal string into Go
struct field DeploymentSpec.spec.replicas of type int32``). This walk says the same: it drops what a type has no field for (and notes
it), drops nulls and empty values that Go would not print again, spells quantities canonically, and raises on the first wrong type.
"""

from __future__ import annotations

import re
from typing import Any

from server.cluster import quantity
from server.cluster.gojson import Repeating
from server.cluster.schema import Type

_INT_LIMITS = {"int32": (1 << 31), "int64": (1 << 63)}
_TIME = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)")
_BASE64 = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
_GO_KINDS = {bool: "bool", str: "string", list: "array", dict: "object"}
_MAX_STRICT = 100

NULL_KEPT = {
    "PodCondition": ("lastProbeTime", "lastTransitionTime"),
    "Event": ("eventTime", "firstTimestamp", "lastTimestamp"),
    "ContainerStateTerminated": ("startedAt", "finishedAt"),
    "ContainerStateRunning": ("startedAt",),
    "NodeCondition": ("lastHeartbeatTime", "lastTransitionTime"),
}
"""Times that Go prints as null when they are zero."""

EMPTY_STRING_KEPT = {
    "PersistentVolumeClaimSpec": ("storageClassName", "volumeAttributesClassName"),
    "PersistentVolumeSpec": ("storageClassName",),
    "PodSpec": ("runtimeClassName",),
    "IngressSpec": ("ingressClassName",),
    "ServiceSpec": ("loadBalancerClass", "trafficDistribution"),
    "EndpointPort": ("name", "appProtocol"),
    "HostPathVolumeSource": ("type",),
    "CronJobSpec": ("timeZone",),
    "JobSpec": ("completionMode", "managedBy", "podReplacementPolicy"),
    "JobStatus": ("failedIndexes",),
    "PodFailurePolicyOnExitCodesRequirement": ("containerName",),
    "SuccessPolicyRule": ("succeededIndexes",),
    "LabelSelectorRequirement": ("key", "operator"),
    "ObjectReference": (),
}
"""Optional strings that are pointers in Go, so that "" is not the same as nothing."""

ZERO_DROPPED = {
    "ContainerPort": ("hostPort",),
    "ServicePort": ("nodePort",),
    "ServiceSpec": ("publishNotReadyAddresses", "healthCheckNodePort"),
    "DeploymentSpec": ("minReadySeconds", "paused"),
    "ReplicaSetSpec": ("minReadySeconds",),
    "StatefulSetSpec": ("minReadySeconds",),
    "DaemonSetSpec": ("minReadySeconds",),
    "PodSpec": ("hostNetwork", "hostPID", "hostIPC"),
    "Container": ("stdin", "stdinOnce", "tty"),
    "EphemeralContainer": ("stdin", "stdinOnce", "tty"),
    "VolumeMount": ("readOnly",),
    "Probe": ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"),
    "NodeSpec": ("unschedulable",),
    "ObjectMeta": ("generation",),
    "PersistentVolumeClaimVolumeSource": ("readOnly",),
    "NFSVolumeSource": ("readOnly",),
    "Event": ("count",),
    "EventSeries": ("count",),
    "DeploymentStatus": ("observedGeneration", "replicas", "updatedReplicas", "readyReplicas", "availableReplicas",
                         "unavailableReplicas"),
    "ReplicaSetStatus": ("fullyLabeledReplicas", "readyReplicas", "availableReplicas", "observedGeneration"),
    "JobStatus": ("active", "failed", "succeeded"),
    "ScaleSpec": ("replicas",),
    "PodCondition": ("observedGeneration",),
    "PodStatus": ("observedGeneration",),
    "ContainerStateTerminated": ("signal",),
}
"""Optional numbers and booleans that are plain values in Go: zero and absent are the same, and print as absent."""


class TypeMismatch(ValueError):
    """A value that does not fit its type; the message is the decoder's."""


class Decoder:
    """One walk over one object. ``strict`` collects what strict decoding would refuse."""

    def __init__(self) -> None:
        self.strict: list[str] = []
        self.fault: str | None = None

    def decode(self, value: Any, type_: Type) -> dict[str, Any]:
        """The object; TypeMismatch for the first value of a wrong type."""
        decoded = self._object(value, type_, "", "") if isinstance(value, dict) else self._wrong(value, type_.go, "", "")
        if self.fault is not None:
            raise TypeMismatch(self.fault)
        return decoded

    def _wrong(self, value: Any, go: str, owner: str, names: str, shown: str = "") -> None:
        if self.fault is None:
            kind = shown or _GO_KINDS.get(type(value), "number")
            if isinstance(value, Repeating):
                kind = "object"
            where = f"Go struct field {owner}.{names}" if owner else "Go value"
            self.fault = f"json: cannot unmarshal {kind} into {where} of type {go}"

    def _refuse(self, message: str) -> None:
        if self.fault is None:
            self.fault = message

    def _note(self, message: str) -> None:
        if message not in self.strict and len(self.strict) < _MAX_STRICT:
            self.strict.append(message)

    def _object(self, value: dict[str, Any], type_: Type, names: str, path: str) -> dict[str, Any]:
        fields, decoded = type_.fields, {}
        short = type_.short
        repeating = isinstance(value, Repeating)
        seen: set[str] = set()
        for key, item in (value.pairs if repeating else value.items()):
            place = f"{path}.{key}" if path else key
            field = fields.get(key)
            if repeating:
                if key in seen:
                    self._note(f'duplicate field "{place}"')
                seen.add(key)
            if field is None:
                self._note(f'unknown field "{place}"')
                continue
            if item is None:
                decoded.pop(key, None)
                if key in NULL_KEPT.get(short, ()):
                    decoded[key] = None
                continue
            kept = self._value(item, field.type, short, f"{names}.{key}" if names else key, place)
            if kept is None or _is_zero(kept, field.type, short, key, field.required):
                decoded.pop(key, None)
            else:
                decoded[key] = kept
        return decoded

    def _value(self, value: Any, type_: Type, owner: str, names: str, path: str) -> Any:
        """The value as kept; None when there is nothing to keep."""
        kind = type_.kind
        if kind == "string":
            return value if isinstance(value, str) else self._wrong(value, type_.go, owner, names)
        if kind == "object":
            return self._object(value, type_, names, path) if isinstance(value, dict) else self._wrong(value, type_.go, owner, names)
        if kind == "array":
            if not isinstance(value, list):
                return self._wrong(value, type_.go, owner, names)
            element = type_.element
            items = (self._item(item, element, owner, names, f"{path}[{index}]") for index, item in enumerate(value))
            return [_zero_of(element) if item is None else item for item in items]
        if kind == "map":
            return self._map(value, type_, owner, names, path)
        return getattr(self, "_" + kind.replace("-", "_"))(value, type_, owner, names)

    def _item(self, item: Any, element: Type, owner: str, names: str, path: str) -> Any:
        return None if item is None else self._value(item, element, owner, names, path)

    def _map(self, value: Any, type_: Type, owner: str, names: str, path: str) -> Any:
        if not isinstance(value, dict):
            return self._wrong(value, type_.go, owner, names)
        if isinstance(value, Repeating):
            seen: set[str] = set()
            for key, _ in value.pairs:
                if key in seen:
                    self._note(f'duplicate field "{path}.{key}"')
                seen.add(key)
        element, decoded = type_.element, {}
        for key, item in value.items():
            kept = self._item(item, element, owner, names, f"{path}.{key}")
            decoded[key] = _zero_of(element) if kept is None else kept
        return decoded

    def _raw(self, value: Any, type_: Type, owner: str, names: str) -> Any:
        return value

    def _boolean(self, value: Any, type_: Type, owner: str, names: str) -> Any:
        return value if isinstance(value, bool) else self._wrong(value, type_.go, owner, names)

    def _integer(self, value: Any, type_: Type, owner: str, names: str) -> Any:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return self._wrong(value, type_.go, owner, names)
        limit = _INT_LIMITS.get(type_.go, 1 << 63)
        if isinstance(value, float) or not -limit <= value < limit:
            return self._wrong(value, type_.go, owner, names, f"number {_number(value)}")
        return value

    def _number(self, value: Any, type_: Type, owner: str, names: str) -> Any:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return self._wrong(value, type_.go, owner, names)
        return value

    def _bytes(self, value: Any, type_: Type, owner: str, names: str) -> Any:
        if not isinstance(value, str):
            return self._wrong(value, type_.go, owner, names)
        at = illegal_base64(value)
        if at is not None:
            return self._refuse(f"illegal base64 data at input byte {at}")
        return value.replace("\n", "").replace("\r", "")

    def _quantity(self, value: Any, type_: Type, owner: str, names: str) -> Any:
        if isinstance(value, bool | dict | list):
            return self._refuse(quantity.FORMAT_WRONG)
        try:
            return quantity.canonical(_number(value) if isinstance(value, int | float) else value)
        except quantity.QuantityError as error:
            return self._refuse(str(error))

    def _int_or_string(self, value: Any, type_: Type, owner: str, names: str) -> Any:
        if isinstance(value, str):
            return value
        if isinstance(value, bool) or not isinstance(value, int | float):
            return self._wrong(value, "int32", owner, names)
        if isinstance(value, float) or not -(1 << 31) <= value < 1 << 31:
            return self._wrong(value, "int32", owner, names, f"number {_number(value)}")
        return value

    def _time(self, value: Any, type_: Type, owner: str, names: str) -> Any:
        if not isinstance(value, str):
            return self._wrong(value, "string", owner, names)
        fault = time_fault(value, '2006-01-02T15:04:05Z07:00')
        return self._refuse(fault) if fault else value

    def _microtime(self, value: Any, type_: Type, owner: str, names: str) -> Any:
        if not isinstance(value, str):
            return self._wrong(value, "string", owner, names)
        fault = time_fault(value, '2006-01-02T15:04:05.000000Z07:00')
        return self._refuse(fault) if fault else value


class _Placing(Decoder):
    """A decoder that also knows where in the object the first wrong value is."""

    place: str | None = None

    def _value(self, value: Any, type_: Type, owner: str, names: str, path: str) -> Any:
        kept = super()._value(value, type_, owner, names, path)
        if self.fault is not None and self.place is None:
            self.place = path
        return kept


def misfit(value: dict[str, Any], type_: Type) -> str | None:
    """The path of the first value that does not fit its type, None if all do.

    >>> from server.cluster.schema import for_kind
    >>> misfit({"spec": {"containers": [{"name": "a"}, {"name": "b", "ports": 80}]}}, for_kind("v1", "Pod"))
    'spec.containers[1].ports'
    """
    decoder = _Placing()
    try:
        decoder.decode(value, type_)
    except TypeMismatch:
        return decoder.place
    return None


def _is_zero(value: Any, type_: Type, owner: str, key: str, required: bool) -> bool:
    """Whether Go would leave the value out when it prints the object again."""
    kind = type_.kind
    if required:
        return False
    if kind in ("array", "map", "bytes"):
        return not value
    if kind == "string":
        return value == "" and key not in EMPTY_STRING_KEPT.get(owner, ())
    if kind in ("integer", "boolean"):
        return not value and key in ZERO_DROPPED.get(owner, ())
    return kind == "raw" and value == {}


def _zero_of(type_: Type) -> Any:
    return {"string": "", "bytes": "", "integer": 0, "number": 0, "boolean": False, "array": [], "quantity": "0"}.get(type_.kind, {})


def _number(value: int | float) -> str:
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e21:
        return str(int(value))
    return str(value)


def time_fault(text: str, layout: str) -> str:
    """What Go's time.Parse says of a text that is no RFC 3339 time; "" if it is one.

    >>> time_fault("soon", "2006-01-02T15:04:05Z07:00")
    'parsing time "soon" as "2006-01-02T15:04:05Z07:00": cannot parse "soon" as "2006"'
    """
    match = _TIME.fullmatch(text)
    if match:
        _, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
        for bad, what in ((not 1 <= month <= 12, "month"), (not 1 <= day <= 31, "day"), (hour > 23, "hour"), (minute > 59, "minute"),
                          (second > 59, "second")):
            if bad:
                return f'parsing time "{text}": {what} out of range'
        return ""
    rest = text
    for pattern, part in ((r"\d{4}", "2006"), ("-", "-"), (r"\d\d", "01"), ("-", "-"), (r"\d\d", "02"), ("T", "T"), (r"\d\d", "15"),
                          (":", ":"), (r"\d\d", "04"), (":", ":"), (r"\d\d(\.\d+)?", "05"), (r"Z|[+-]\d\d:\d\d", "Z07:00")):
        found = re.match(pattern, rest)
        if not found:
            return f'parsing time "{text}" as "{layout}": cannot parse "{rest}" as "{part}"'
        rest = rest[found.end():]
    return f'parsing time "{text}": extra text: "{rest}"'


def illegal_base64(text: str) -> int | None:
    """Where Go's base64 decoder stops; None if the text is base64.

    >>> illegal_base64("not base64!"), illegal_base64("aGk="), illegal_base64("aGk")
    (3, None, 0)
    """
    data = [(index, byte) for index, byte in enumerate(text.encode()) if byte not in b"\r\n"]
    total = len(text.encode())
    for start in range(0, len(data), 4):
        quantum = data[start:start + 4]
        for place, (index, byte) in enumerate(quantum):
            if byte in _BASE64:
                continue
            if byte != ord("=") or place < 2:
                return index
            if place == 2:
                if len(quantum) < 4:
                    return total
                if quantum[3][1] != ord("="):
                    return quantum[3][0] - 1 if quantum[3][0] else 0
            after = data[start + 4:]
            return after[0][0] if after else None
        if len(quantum) < 4:
            return total - len(quantum)
    return None
