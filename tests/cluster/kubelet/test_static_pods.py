"""Static pods: a manifest on a machine, a pod that runs, a mirror that shows it."""

import pytest

from server.cluster.cluster import Cluster
from server.cluster.kubelet.static_pods import HASH, MIRROR
from tests.kubectl.terminal import Terminal

MANIFEST = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "static-web", "labels": {"role": "myrole"}},
            "spec": {"containers": [{"name": "web", "image": "nginx", "ports": [{"name": "web", "containerPort": 80}]}]}}


@pytest.fixture
def static(bench):
    bench.cluster.kubelets.static.put("w1-k8s", MANIFEST)
    bench.run(10)
    return bench


def test_a_manifest_becomes_a_pod_that_a_mirror_shows(static):
    pod = static.get("static-web-w1-k8s")
    assert pod["status"]["phase"] == "Running" and static.conditions("static-web-w1-k8s")["Ready"] == "True"
    annotations, meta = pod["metadata"]["annotations"], pod["metadata"]
    assert annotations[MIRROR] == annotations[HASH] != meta["uid"] and annotations["kubernetes.io/config.source"] == "file"
    assert meta["ownerReferences"][0]["kind"] == "Node" and meta["labels"] == {"role": "myrole"}
    assert pod["spec"]["tolerations"] == [{"effect": "NoExecute", "operator": "Exists"}]
    assert "Container started" in Terminal(static.cluster).run("kubectl describe pod static-web-w1-k8s").stdout
    assert static.cluster.kubelets.runtime.listening(pod, 80)


def test_deleting_the_mirror_makes_a_new_one_and_the_containers_run_on(static):
    before = static.get("static-web-w1-k8s")
    static.kubectl.delete("pods", "default", "static-web-w1-k8s")
    static.run(2)
    after = static.get("static-web-w1-k8s")
    assert after["metadata"]["uid"] != before["metadata"]["uid"] and "deletionTimestamp" not in after["metadata"]
    assert after["status"]["containerStatuses"] == before["status"]["containerStatuses"]
    assert static.cluster.kubelets.runtime.listening(after, 80)


def test_a_forced_delete_does_no_more(static):
    id_ = static.container("static-web-w1-k8s")["containerID"]
    static.kubectl.delete("pods", "default", "static-web-w1-k8s", grace_period=0)
    static.run(2)
    assert static.container("static-web-w1-k8s")["containerID"] == id_


def test_moving_the_manifest_away_stops_the_pod_and_putting_it_back_starts_it(static):
    statics = static.cluster.kubelets.static
    statics.remove("w1-k8s", "static-web")
    static.run(5)
    assert static.get("static-web-w1-k8s") is None and statics.manifests("w1-k8s") == {}
    assert static.cluster.kubelets.nodes["w1-k8s"].used == (0, 0, 0)
    statics.put("w1-k8s", MANIFEST)
    static.run(5)
    assert static.status("static-web-w1-k8s")["phase"] == "Running"


def test_another_manifest_of_the_name_replaces_the_pod(static):
    changed = {**MANIFEST, "spec": {"containers": [{"name": "web", "image": "httpd"}]}}
    static.cluster.kubelets.static.put("w1-k8s", changed)
    static.run(15)
    assert static.container("static-web-w1-k8s")["image"] == "docker.io/library/httpd:latest"


def test_a_static_pod_survives_restarts_of_the_process_with_and_without_its_mirror(static):
    id_ = static.container("static-web-w1-k8s")["containerID"]
    static.kubectl.delete("pods", "default", "static-web-w1-k8s", grace_period=0)
    assert static.get("static-web-w1-k8s") is None
    for _ in range(2):
        static.cluster = Cluster.restore(static.cluster.snapshot())
        static.run(2)
    assert static.container("static-web-w1-k8s")["containerID"] == id_ and static.container("static-web-w1-k8s")["restartCount"] == 0


def test_a_component_whose_container_dies_is_down_until_it_runs_again():
    cluster = Cluster(seed=1)
    kubelets, components = cluster.kubelets, cluster.components
    heard = []
    kubelets.static.on_change(heard.append)
    for again in (1, 2):
        assert kubelets.kill_container("kube-system", "kube-scheduler-m-k8s", "kube-scheduler")
        assert not components.healthy("kube-scheduler") and not kubelets.static.runs("kube-scheduler")
        assert cluster.run_until(lambda: components.healthy("kube-scheduler"), 30)
        status = cluster.api.lister("pods").get("kube-system", "kube-scheduler-m-k8s")["status"]
        assert status["containerStatuses"][0]["restartCount"] == again
    assert heard == ["kube-scheduler"] * 4


def test_an_api_server_that_dies_comes_back_by_itself():
    cluster = Cluster(seed=1)
    cluster.kubelets.kill_container("kube-system", "kube-apiserver-m-k8s", "kube-apiserver")
    assert Terminal(cluster).run("kubectl get pods").code == 1
    cluster.clock.run_for(5)
    assert Terminal(cluster).run("kubectl get pods").code == 0
    cluster.clock.run_for(5)
    assert cluster.api.lister("pods").get("kube-system", "kube-apiserver-m-k8s")["status"]["containerStatuses"][0]["restartCount"] == 1


def test_a_component_that_is_stopped_has_no_pod():
    cluster = Cluster(seed=1)
    cluster.components.stop("kube-scheduler")
    cluster.clock.run_for(10)
    pods = cluster.api.lister("pods")
    assert pods.get("kube-system", "kube-scheduler-m-k8s") is None
    cluster.components.begin("kube-scheduler")
    cluster.clock.run_for(30)
    assert pods.get("kube-system", "kube-scheduler-m-k8s")["status"]["phase"] == "Running" and cluster.components.healthy("kube-scheduler")
