"""A kubectl command that prints many objects lets others have their turn between them, and prints what it would have anyway."""

import json

import pytest
import yaml

from server.cluster.apiserver.client import Client
from server.kubectl.yamlout import sorted_keys
from tests.kubectl import world
from tests.kubectl.terminal import Terminal

MANY = 40
COMMANDS = (
    "get configmaps", "get configmaps -o wide --sort-by=.metadata.name", "get configmaps -o yaml", "get configmaps -o yaml --sort-by=.metadata.name",
    "get configmaps -o kyaml", "get configmaps -o custom-columns=N:.metadata.name", "describe configmaps", "describe configmaps many-",
)


@pytest.fixture
def cluster():
    made = world.build()
    client, data = Client(made.api, "tester", "kubernetes-admin"), {f"key-{one}": "x\ny" for one in range(30)}
    for number in range(MANY):
        meta = {"name": f"many-{number}", "namespace": "default"}
        client.create("configmaps", {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": data})
    return made


def counted(cluster, line):
    breaths = []
    cluster.api.breathe = lambda: breaths.append(1)
    told = Terminal(cluster).run(f"kubectl {line}")
    assert told.code == 0, told.stderr
    return len(breaths), told.stdout


@pytest.mark.parametrize("line", COMMANDS)
def test_others_have_their_turn_at_every_object(cluster, line):
    breaths, text = counted(cluster, line)
    assert breaths >= MANY and text.count("many-") >= MANY


@pytest.mark.parametrize("line", ["get configmaps -o json", "get configmaps -o 'jsonpath={range .items[*]}{.data}{.metadata.name}{end}'",
                                  "get configmaps -o jsonpath-as-json={.items[*].data}"])
def test_others_have_their_turn_in_the_middle_of_it(cluster, monkeypatch, line):
    monkeypatch.setattr("server.kubectl.yamlout.PARTS", 50)
    monkeypatch.setattr("server.kubectl.jsonpath.BREATH", 20)
    breaths, _ = counted(cluster, line)
    assert breaths > 5


def test_a_list_as_yaml_is_the_document_that_json_tells(cluster):
    assert yaml.safe_load(counted(cluster, "get configmaps -o yaml")[1]) == json.loads(counted(cluster, "get configmaps -o json")[1])


def test_the_order_of_keys_does_not_come_from_who_asked_before(cluster):
    assert sorted_keys({"b10": 1, "b9": 2, "-": 3}) == sorted_keys({"b9": 2, "-": 3, "b10": 1}) == ["-", "b9", "b10"]
