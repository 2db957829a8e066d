"""Errors are values of one family: an ``ApiError`` knows its HTTP status, reason, causes and field paths, and prints as the
``Status`` object Kubernetes answers with. Field errors print as its validation does.

Source: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

CAUSE_REASONS = {
    "Required value": "FieldValueRequired",
    "Invalid value": "FieldValueInvalid",
    "Unsupported value": "FieldValueNotSupported",
    "Duplicate value": "FieldValueDuplicate",
    "Forbidden": "FieldValueForbidden",
    "Not found": "FieldValueNotFound",
    "Too long": "FieldValueTooLong",
    "Too many": "FieldValueTooMany",
    "Internal error": "InternalError",
}
SILENT = ("Required value", "Forbidden", "Too long", "Internal error")
OMITTED = object()


class FieldError(NamedTuple):
    """One fault of one field.

    >>> FieldError("Invalid value", "spec.replicas", -2, "must be greater than or equal to 0").message()
    'spec.replicas: Invalid value: -2: must be greater than or equal to 0'
    """

    type: str
    field: str
    value: Any = None
    detail: str = ""

    def body(self) -> str:
        """The message without its field."""
        text = self.type
        if self.type not in SILENT and self.value is not OMITTED:
            text += f": {_shown(self.value)}"
        return f"{text}: {self.detail}" if self.detail else text

    def message(self) -> str:
        return f"{self.field}: {self.body()}"

    def cause(self) -> dict[str, str]:
        return {"reason": CAUSE_REASONS.get(self.type, "FieldValueInvalid"), "message": self.body(), "field": self.field}


def _shown(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


class ApiError(Exception):
    """What the API server answers when it does not do what was asked."""

    def __init__(self, code: int, reason: str, message: str, details: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details

    def status(self) -> dict[str, Any]:
        """The ``Status`` object."""
        status: dict[str, Any] = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": self.message}
        if self.reason:
            status["reason"] = self.reason
        if self.details is not None:
            status["details"] = self.details
        status["code"] = self.code
        return status


class Unreachable(ApiError):
    """There was no answer: nobody could be asked. ``message`` is what a client says who tried."""

    def __init__(self, message: str) -> None:
        super().__init__(503, "ServiceUnavailable", message)


def refused(address: str) -> Unreachable:
    """The machine is there, but nothing listens on the API server's port."""
    return Unreachable(f"The connection to the server {address} was refused - did you specify the right host or port?")


def no_answer(address: str) -> Unreachable:
    """The machine does not answer."""
    return Unreachable(f"Unable to connect to the server: dial tcp {address}: i/o timeout")


def storage_timed_out() -> ApiError:
    """The API server runs, but etcd does not."""
    return ApiError(500, "", "etcdserver: request timed out")


def _details(resource: str, name: str = "") -> dict[str, Any]:
    plural, _, group = resource.partition(".")
    details = {"name": name} if name else {}
    if group:
        details["group"] = group
    return {**details, "kind": plural}


def not_found(resource: str, name: str) -> ApiError:
    return ApiError(404, "NotFound", f'{resource} "{name}" not found', _details(resource, name))


def no_such_resource() -> ApiError:
    return ApiError(404, "NotFound", "the server could not find the requested resource", {})


def already_exists(resource: str, name: str) -> ApiError:
    return ApiError(409, "AlreadyExists", f'{resource} "{name}" already exists', _details(resource, name))


def conflict(resource: str, name: str, why: str) -> ApiError:
    return ApiError(409, "Conflict", f'Operation cannot be fulfilled on {resource} "{name}": {why}', _details(resource, name))


def modified(resource: str, name: str) -> ApiError:
    return conflict(resource, name, "the object has been modified; please apply your changes to the latest version and try again")


def invalid(kind: str, name: str, errors: list[FieldError], group: str = "") -> ApiError:
    """422 with a cause for each field."""
    messages = list(dict.fromkeys(error.message() for error in errors))
    listed = messages[0] if len(messages) == 1 else f"[{', '.join(messages)}]"
    shown = f"{kind}.{group}" if group else kind
    named = {"name": name} if name else {}
    details = {**named, **({"group": group} if group else {}), "kind": kind, "causes": [error.cause() for error in errors]}
    return ApiError(422, "Invalid", f'{shown} "{name}" is invalid: {listed}', details)


def bad_request(message: str) -> ApiError:
    return ApiError(400, "BadRequest", message)


def forbidden(resource: str, name: str, why: str) -> ApiError:
    shown = f'{resource} "{name}"' if name else resource
    return ApiError(403, "Forbidden", f"{shown} is forbidden: {why}", _details(resource, name))


def method_not_allowed(resource: str, verb: str) -> ApiError:
    return ApiError(405, "MethodNotAllowed", "the server does not allow this method on the requested resource", {"kind": resource})


def past(resource: str, revision: int) -> ApiError:
    """Nothing can be done in what has been."""
    return ApiError(405, "MethodNotAllowed", f"this is the cluster as it was at revision {revision}: it can be read, not changed", {"kind": resource})


def gone(asked: int, oldest: int) -> ApiError:
    return ApiError(410, "Expired", f"too old resource version: {asked} ({oldest})")


def expired_continue() -> ApiError:
    return ApiError(410, "Expired", "The provided continue parameter is too old to display a consistent list result. You can start a new "
                    "list without the continue parameter.")


def too_large_resource_version(asked: int, current: int) -> ApiError:
    return ApiError(504, "Timeout", f"Too large resource version: {asked}, current: {current}",
                    {"causes": [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}], "retryAfterSeconds": 1})


def request_too_large(limit: int) -> ApiError:
    return ApiError(413, "RequestEntityTooLarge", f"Request entity too large: limit is {limit}")


def unsupported_media_type(accepted: tuple[str, ...]) -> ApiError:
    return ApiError(415, "UnsupportedMediaType", "the body of the request was in an unknown format - accepted media types include: "
                    + ", ".join(accepted))


def internal(message: str) -> ApiError:
    return ApiError(500, "InternalError", f"Internal error occurred: {message}", {"causes": [{"message": message}]})


def too_many_requests(message: str, retry_after: int = 1) -> ApiError:
    return ApiError(429, "TooManyRequests", message, {"retryAfterSeconds": retry_after})
