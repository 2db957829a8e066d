"""The examples that the editor offers: each is applied to a cluster and does what its sentence says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from server.cluster.apiserver.resources import RESOURCES
from server.cluster.cluster import Cluster
from server.cluster.yamltext import load_yaml
from server.rooms import gallery
from tests.rooms.desk import Desk

EXAMPLES = gallery.examples()
MADE_BY_THE_CLUSTER = {"Event", "Node", "ComponentStatus", "CSINode", "VolumeAttachment", "Lease", "ControllerRevision", "Endpoints"}
TROUBLE = {
    "healthy-service.yaml", "trouble-bad-image.yaml", "trouble-pending.yaml", "crash-loop.yaml", "trouble-no-endpoints.yaml", "rollout-stuck.yaml",
    "node-lost.yaml", "policy-blocks.yaml"}


@pytest.fixture(scope="module")
def cluster() -> Cluster:
    return Cluster(seed=5)


@pytest.mark.parametrize("example", EXAMPLES, ids=[f"{one['category']}/{one['name']}" for one in EXAMPLES])
def test_each_example_is_applied_or_refused_for_its_mistake(example):
    desk = Desk(Cluster(seed=5))
    desk.workstation.files.write("/root/it.yaml", example["yaml"])
    done = desk.run("kubectl apply -f it.yaml")
    if example.get("mistake"):
        assert done.code != 0
    else:
        assert (done.code, done.stderr) == (0, ""), done.stdout + done.stderr
        assert len(re.findall(r" (?:created|configured|unchanged)$", done.stdout, re.MULTILINE)) == len(load_yaml(example["yaml"]))


def test_there_is_an_example_of_every_kind_that_people_make():
    shown = {document.obj["kind"] for one in EXAMPLES for document in load_yaml(one["yaml"]) if isinstance(document.obj, dict)}
    assert {row.kind for row in RESOURCES.values()} - MADE_BY_THE_CLUSTER - shown == set()


def test_every_manifest_of_the_workstation_and_every_situation_of_the_page_is_among_them():
    names = {one["name"] for one in EXAMPLES}
    assert {path.name for path in (Path(gallery.__file__).parents[1] / "examples").glob("*.y*ml")} <= names
    assert not TROUBLE - {one["name"] for one in EXAMPLES if one["category"] == "trouble"}


def test_each_says_in_both_languages_what_it_is_and_no_file_is_forgotten():
    assert all(one["about"]["en"] and re.search(r"[가-힣]|kiamol", one["about"]["ko"]) for one in EXAMPLES)
    assert len({(one["category"], one["name"]) for one in EXAMPLES}) == len(EXAMPLES)
    folder = Path(gallery.__file__).parent
    assert {path.name for path in folder.glob("*/*.yaml")} <= {one["name"] for one in EXAMPLES}
