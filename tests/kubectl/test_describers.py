"""Descriptions of objects that use every corner of their kind, against what the real kubectl v1.36.3 printed for the same objects
(``described/``; times and ages aside)."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from server.cluster import field_selectors, selectors
from server.cluster.errors import ApiError, not_found
from server.kubectl.describe import Scope, describe
from server.kubectl.describe.layout import Page
from tests.kubectl.world import normal

FOLDER = Path(__file__).parent / "described"
GIVEN = json.loads((FOLDER / "objects.json").read_text())
PRINTED = dict(part.split("\n", 1) for part in ("\n" + (FOLDER / "printed.txt").read_text()).split("\n$ ")[1:])
UNSERVED = ("resourcequotas", "limitranges")


class Objects:
    """Answers from the file as the API server would."""

    def items(self, resource: str, namespace: str = "", label_selector: str = "", field_selector: str = "") -> list[dict[str, Any]]:
        if resource in UNSERVED:
            raise ApiError(404, "NotFound", "the server could not find the requested resource")
        labels, fields = selectors.parse(label_selector), field_selectors.parse(field_selector)
        return [obj for obj in GIVEN["objects"].get(resource, []) if (not namespace or obj["metadata"].get("namespace") == namespace)
                and labels.matches(obj["metadata"].get("labels")) and fields.matches(obj)]

    def read(self, resource: str, namespace: str, name: str) -> dict[str, Any]:
        for obj in self.items(resource, namespace):
            if obj["metadata"]["name"] == name:
                return obj
        raise not_found(resource, name)


@pytest.mark.parametrize("line", list(PRINTED))
def test_an_object_is_described_as_the_real_kubectl_describes_it(line: str) -> None:
    _, _, resource, name, *more = line.split()
    objects = Objects()
    obj = objects.read(resource, more[1] if more else "", name)
    text = describe(obj, Scope(objects, datetime.fromisoformat(GIVEN["now"])))
    assert normal(text.rstrip("\n")) == normal(PRINTED[line].rstrip("\n"))


def test_columns_line_up_per_run_of_neighbouring_lines() -> None:
    page = Page()
    page.fields((("Name", "web"), ("Namespace", "default")))
    page.row(0, "Conditions:")
    page.table(("Type", "Status"), ("----", "------"), [("PodScheduled ", "True ")])
    assert page.text() == (
        "Name:       web\nNamespace:  default\nConditions:\n  Type           Status\n  ----           ------\n  PodScheduled   True \n")


def test_a_value_cannot_send_escape_sequences_to_the_reader_s_terminal() -> None:
    page = Page()
    page.field("Message", "\x1b[2Jgone\rback")
    assert page.text() == "Message:  ^[[2Jgone\\rback\n"


def test_long_annotations_are_cut_and_what_apply_remembers_is_left_out() -> None:
    page = Page()
    page.annotations({"kubectl.kubernetes.io/last-applied-configuration": "{}", "long": "x" * 300, "short": "y"})
    assert page.text() == f"Annotations:  long:\n{' ' * 14}  {'x' * 138}...\n{' ' * 14}short: y\n"
