"""Errors: how a fault of a field prints."""

from __future__ import annotations

import pytest

from server.cluster.errors import FieldError, no_such_resource


@pytest.mark.parametrize(("error", "message"), [
    (FieldError("Required value", "spec.containers"), "spec.containers: Required value"),
    (FieldError("Invalid value", "spec.replicas", -2, "must be greater than or equal to 0"),
     "spec.replicas: Invalid value: -2: must be greater than or equal to 0"),
    (FieldError("Invalid value", "metadata.name", "Bad_Name"), 'metadata.name: Invalid value: "Bad_Name"'),
    (FieldError("Forbidden", "spec.type", "x", "may not be used"), "spec.type: Forbidden: may not be used"),
    (FieldError("Too long", "metadata.name", "x" * 300, "may not be more than 253 bytes"),
     "metadata.name: Too long: may not be more than 253 bytes"),
    (FieldError("Too many", "spec.tolerations", 65, "must have at most 64 items"),
     "spec.tolerations: Too many: 65: must have at most 64 items"),
])
def test_a_fault_of_a_field_prints_its_value_unless_its_type_has_none(error, message):
    assert error.message() == message


def test_a_status_keeps_details_that_are_empty():
    assert no_such_resource().status()["details"] == {}
