"""Everything that people made, as YAML: what is in it, what is not, and that it makes the same again."""

from __future__ import annotations

import pytest

from server.cluster.apiserver.resources import RESOURCES
from server.cluster.cluster import Cluster
from server.cluster.yamltext import load_yaml
from server.rooms import export, gallery
from tests.rooms.desk import Desk

TROUBLESOME = {"metrics-server.yaml", "rollout-stuck.yaml"}


def applied(desk: Desk, text: str, flags: str = "") -> None:
    desk.workstation.files.write("/root/it.yaml", text)
    done = desk.run(f"kubectl apply {flags} -f it.yaml")
    assert (done.code, done.stderr) == (0, ""), done.stdout + done.stderr


def exported(desk: Desk, **which) -> str:
    return export.export(desk.cluster, **which)


def objects(text: str) -> dict[tuple[str, str, str], dict]:
    return {(one.obj["kind"], one.obj["metadata"].get("namespace", ""), one.obj["metadata"]["name"]): one.obj for one in load_yaml(text)}


def test_a_new_room_has_nothing_to_export():
    assert exported(Desk(Cluster(seed=3))) == ""


def test_what_all_the_examples_make_is_exported_and_makes_the_same_in_a_new_room():
    first, second = Desk(Cluster(seed=3)), Desk(Cluster(seed=4))
    wanted = set()
    for number, example in enumerate(one for one in gallery.examples() if not one.get("mistake") and one["name"] not in TROUBLESOME):
        placed = "  namespace:" in example["yaml"]
        namespace = "" if placed else f"n{number}"
        if namespace:
            first.run(f"kubectl create ns {namespace}")
            first.pass_(1)
        applied(first, example["yaml"], f"-n {namespace}" if namespace else "")
        wanted |= {(one.obj["kind"], one.obj["metadata"]["name"]) for one in load_yaml(example["yaml"])}
    first.pass_(90)
    text = exported(first)
    assert wanted - {(kind, name) for kind, _, name in objects(text)} == set()
    assert {(kind, name) for kind, _, name in objects(text)} - wanted == {("Namespace", f"n{number}") for number in range(200)} & {
        (kind, name) for kind, _, name in objects(text)}
    for word in ("status:", "resourceVersion", "uid:", "creationTimestamp", "nodeName: w", "clusterIP: 10."):
        assert word not in text, word
    namespaces, _, rest = text.partition("---\napiVersion: scheduling")
    applied(second, namespaces)
    second.pass_(5)
    applied(second, f"apiVersion: scheduling{rest}")
    second.pass_(90)
    assert exported(second) == text


def test_defaults_are_not_in_it_and_what_was_changed_is():
    desk = Desk(Cluster(seed=3))
    applied(desk, next(one["yaml"] for one in gallery.examples() if one["name"] == "nginx-deploy.yml"))
    desk.run("kubectl scale deployment nginx-deploy --replicas=5; kubectl set image deploy/nginx-deploy nginx=nginx:1.28; "
             "kubectl annotate deploy nginx-deploy why=because")
    deployment = objects(exported(desk))["Deployment", "default", "nginx-deploy"]
    assert deployment["spec"] == {"replicas": 5, "selector": {"matchLabels": {"app": "nginx"}}, "template": {
        "metadata": {"labels": {"app": "nginx"}},
        "spec": {"containers": [{"name": "nginx", "image": "nginx:1.28", "imagePullPolicy": "Always", "ports": [{"containerPort": 80}]}]}}}
    assert deployment["metadata"]["annotations"] == {"why": "because"}


def test_a_namespace_or_a_few_objects_alone_and_namespaces_first():
    desk = Desk(Cluster(seed=3))
    desk.run("kubectl create ns b; kubectl create ns a; kubectl create cm x -n a --from-literal=k=v; kubectl create cm y -n b; "
             "kubectl create deploy d -n a --image=nginx")
    desk.pass_(10)
    text = exported(desk)
    assert [one.obj["kind"] for one in load_yaml(text)][:2] == ["Namespace", "Namespace"]
    assert set(objects(exported(desk, namespace="a"))) == {("Namespace", "", "a"), ("ConfigMap", "a", "x"), ("Deployment", "a", "d")}
    assert set(objects(exported(desk, chosen=frozenset({"ConfigMap/b/y"})))) == {("ConfigMap", "b", "y")}


def test_what_the_cluster_makes_is_not_in_it():
    desk = Desk(Cluster(seed=3))
    desk.run("kubectl create deploy d --image=nginx --replicas=3; kubectl expose deploy d --port=80; "
             "kubectl run one --image=busybox -- sleep infinity; kubectl create job j --image=busybox -- true")
    desk.pass_(30)
    found = objects(exported(desk))
    assert set(found) == {("Deployment", "default", "d"), ("Service", "default", "d"), ("Pod", "default", "one"), ("Job", "default", "j")}
    assert "clusterIP" not in found["Service", "default", "d"]["spec"]
    assert set(found["Pod", "default", "one"]["spec"]) == {"containers"}
    assert {row.kind for row in RESOURCES.values()} > {kind for kind, _, _ in found}


def test_more_than_one_text_should_hold_is_refused(monkeypatch):
    desk = Desk(Cluster(seed=3))
    desk.run("kubectl create cm a; kubectl create cm b")
    monkeypatch.setattr(export, "MOST", 1)
    with pytest.raises(Exception, match="more than 1 objects") as refused:
        exported(desk)
    assert refused.value.code == 413
