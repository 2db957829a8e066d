"""DaemonSets in a whole cluster: bound by the default scheduler, run by kubelets, and the system's own agents."""

from __future__ import annotations

import json

import pytest
import yaml
from daemon_world import DAEMON_SET, images

from server.cluster.cluster import Cluster
from server.cluster.controllers import podfacts
from server.cluster.machines import NodeSpec, with_workers
from server.cluster.objects import name, owners
from tests.kubectl.terminal import Terminal


@pytest.fixture
def cluster() -> Cluster:
    return Cluster(seed=3)


def manifest(image: str = "nginx:1.27", **spec) -> dict:
    made = yaml.safe_load(DAEMON_SET)
    made["spec"]["template"]["spec"]["containers"][0]["image"] = image
    made["spec"] |= spec
    return made


def agents(cluster: Cluster, app: str = "agent", namespace: str = "default") -> dict[str, dict]:
    """The running pods by node; each node has at most one."""
    pods = [pod for pod in cluster.api.lister("pods").list(namespace) if owners(pod) and owners(pod)[0]["name"] == app
            and podfacts.active(pod) and podfacts.ready(pod)]
    found = {podfacts.node(pod): pod for pod in pods}
    assert len(found) == len(pods)
    return found


def test_kube_proxy_and_calico_are_daemon_sets_on_every_node_with_the_control_plane(cluster):
    terminal = Terminal(cluster)
    assert terminal.run("kubectl get daemonset -n kube-system").stdout.splitlines()[1:] == [
        "calico-node   4         4         4       4            4           kubernetes.io/os=linux   61m",
        "kube-proxy    4         4         4       4            4           kubernetes.io/os=linux   61m"]
    for agent in ("kube-proxy", "calico-node"):
        found = agents(cluster, agent, "kube-system")
        assert sorted(found) == ["m-k8s", "w1-k8s", "w2-k8s", "w3-k8s"]
        for pod in found.values():
            assert pod["spec"]["hostNetwork"] and pod["spec"]["priority"] == 2000001000
            assert "kubernetes.io/config.mirror" not in (pod["metadata"].get("annotations") or {})


def test_a_node_that_joins_gets_its_agents_and_costs_nothing_afterwards(cluster):
    cluster.add_node(NodeSpec("w4-k8s", "192.168.1.104"))
    cluster.clock.run_for(120)
    assert "w4-k8s" in agents(cluster, "kube-proxy", "kube-system") and "w4-k8s" in agents(cluster, "calico-node", "kube-system")
    revision = cluster.store.revision
    cluster.clock.run_for(900)
    assert cluster.store.revision - revision < 5


def test_workers_get_a_pod_and_the_tainted_control_plane_only_when_it_is_tolerated(cluster):
    kubectl = cluster.client()
    kubectl.create("daemonsets.apps", manifest())
    cluster.clock.run_for(30)
    assert sorted(agents(cluster)) == ["w1-k8s", "w2-k8s", "w3-k8s"]
    kubectl.patch("daemonsets.apps", "default", "agent", {"spec": {"template": {"spec": {"tolerations": [
        {"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}]}}}})
    cluster.clock.run_for(120)
    assert sorted(agents(cluster)) == ["m-k8s", "w1-k8s", "w2-k8s", "w3-k8s"]


def test_a_cordoned_node_gets_its_pod_too(cluster):
    terminal = Terminal(cluster)
    terminal.run("kubectl cordon w2-k8s")
    cluster.client().create("daemonsets.apps", manifest())
    cluster.clock.run_for(30)
    assert sorted(agents(cluster)) == ["w1-k8s", "w2-k8s", "w3-k8s"]


def test_a_pod_that_does_not_fit_its_node_stays_pending_there_and_comes_when_there_is_room(cluster):
    kubectl = cluster.client()
    kubectl.create("pods", {"metadata": {"name": "big", "namespace": "default"}, "spec": {"nodeName": "w1-k8s", "containers": [
        {"name": "c", "image": "nginx", "resources": {"requests": {"cpu": "1500m"}}}]}})
    made = manifest()
    made["spec"]["template"]["spec"]["containers"][0]["resources"] = {"requests": {"cpu": "1"}}
    kubectl.create("daemonsets.apps", made)
    cluster.clock.run_for(30)
    assert sorted(agents(cluster)) == ["w2-k8s", "w3-k8s"]
    status = kubectl.get("daemonsets.apps", "default", "agent")["status"]
    assert (status["desiredNumberScheduled"], status["currentNumberScheduled"], status["numberReady"]) == (3, 3, 2)
    waiting = next(pod for pod in cluster.api.lister("pods").list("default") if podfacts.phase(pod) == "Pending")
    assert "Insufficient cpu" in waiting["status"]["conditions"][0]["message"]
    kubectl.delete("pods", "default", "big")
    cluster.clock.run_for(60)
    assert sorted(agents(cluster)) == ["w1-k8s", "w2-k8s", "w3-k8s"]


def test_a_cluster_put_away_in_the_middle_of_an_update_finishes_it(cluster):
    kubectl = cluster.client()
    kubectl.create("daemonsets.apps", manifest())
    cluster.clock.run_for(30)
    kubectl.update("daemonsets.apps", manifest("nginx:1.28") | {"metadata": kubectl.get("daemonsets.apps", "default", "agent")["metadata"]})
    cluster.clock.run_for(2)
    restored = Cluster.restore(json.loads(json.dumps(cluster.snapshot())))
    for each in (cluster, restored):
        each.clock.run_for(120)
        assert images(list(agents(each).values())) == ["nginx:1.28"] * 3
        assert each.client().get("daemonsets.apps", "default", "agent")["status"]["updatedNumberScheduled"] == 3


def test_each_pod_is_scheduled_by_a_look_at_its_own_node_only():
    cluster = Cluster(seed=1, nodes=with_workers(30))
    cluster.client().create("daemonsets.apps", manifest())
    cluster.clock.run_for(60)
    assert len(agents(cluster)) == 30
    named = [verdicts for verdicts in cluster.scheduler.framework._verdicts.values() if verdicts.named is not None]
    assert named and all(len(verdicts.feasible) <= 1 for verdicts in named)
    assert {sum(generation >= 0 for generation in verdicts._generations) for verdicts in named} == {1}


def test_drain_leaves_daemons_alone_or_refuses(cluster):
    terminal = Terminal(cluster)
    cluster.client().create("daemonsets.apps", manifest())
    cluster.clock.run_for(30)
    mine = name(agents(cluster)["w1-k8s"])
    theirs = [name(agents(cluster, agent, "kube-system")["w1-k8s"]) for agent in ("calico-node", "kube-proxy")]
    listed = f"default/{mine}, kube-system/{theirs[0]}, kube-system/{theirs[1]}"
    refused = terminal.run("kubectl drain w1-k8s")
    assert refused.code == 1 and refused.stderr.splitlines() == [
        'error: unable to drain node "w1-k8s" due to error: cannot delete DaemonSet-managed Pods (use --ignore-daemonsets to ignore): '
        f"{listed}, continuing command...",
        "There are pending nodes to be drained:", " w1-k8s",
        f"cannot delete DaemonSet-managed Pods (use --ignore-daemonsets to ignore): {listed}"]
    done = terminal.run("kubectl drain w1-k8s --ignore-daemonsets")
    assert (done.code, done.stderr) == (0, f"Warning: ignoring DaemonSet-managed Pods: {listed}\n")
    assert done.stdout.endswith("node/w1-k8s drained\n") and mine not in done.stdout
    cluster.clock.run_for(60)
    assert name(agents(cluster)["w1-k8s"]) == mine


def test_rollout_history_undo_and_restart_by_kubectl(cluster):
    terminal = Terminal(cluster)
    cluster.client().create("daemonsets.apps", manifest())
    cluster.clock.run_for(30)
    assert terminal.run("kubectl rollout status ds/agent").stdout == 'daemon set "agent" successfully rolled out\n'
    terminal.run("kubectl set image ds/agent agent=nginx:1.28")
    told = terminal.run("kubectl rollout status ds/agent").stdout.splitlines()
    assert told[0] in ("Waiting for daemon set spec update to be observed...",
                       'Waiting for daemon set "agent" rollout to finish: 0 out of 3 new pods have been updated...')
    assert 'Waiting for daemon set "agent" rollout to finish: 2 of 3 updated pods are available...' in told
    assert told[-1] == 'daemon set "agent" successfully rolled out'
    history = terminal.run("kubectl rollout history ds/agent").stdout
    assert history == "daemonset.apps/agent \nREVISION  CHANGE-CAUSE\n1         <none>\n2         <none>\n\n"
    assert terminal.run("kubectl rollout undo ds/agent").stdout == "daemonset.apps/agent rolled back\n"
    cluster.clock.run_for(120)
    assert images(list(agents(cluster).values())) == ["nginx:1.27"] * 3
    before = sorted(name(pod) for pod in agents(cluster).values())
    assert terminal.run("kubectl rollout restart ds/agent").stdout == "daemonset.apps/agent restarted\n"
    cluster.clock.run_for(120)
    assert not set(before) & {name(pod) for pod in agents(cluster).values()}
    terminal.run("""kubectl patch ds agent -p '{"spec":{"updateStrategy":{"type":"OnDelete","rollingUpdate":null}}}'""")
    assert terminal.run("kubectl rollout status ds/agent").stderr == (
        "error: rollout status is only available for RollingUpdate strategy type\n")
    assert terminal.run("kubectl scale ds agent --replicas=2").stderr == (
        "Error from server (NotFound): the server could not find the requested resource\n")


def test_describe_tells_how_many_nodes_have_their_pod(cluster):
    terminal = Terminal(cluster)
    made = manifest()
    made["spec"]["template"]["spec"]["nodeSelector"] = {"kubernetes.io/hostname": "w1-k8s"}
    cluster.client().create("daemonsets.apps", made)
    cluster.clock.run_for(5)
    pod = name(agents(cluster)["w1-k8s"])
    text = terminal.run("kubectl describe ds agent").stdout
    assert text.startswith("Name:           agent\nNamespace:      default\nSelector:       app=agent\n"
                           "Node-Selector:  kubernetes.io/hostname=w1-k8s\nLabels:         <none>\n"
                           "Annotations:    deprecated.daemonset.template.generation: 1\nDesired Number of Nodes Scheduled: 1\n"
                           "Current Number of Nodes Scheduled: 1\nNumber of Nodes Scheduled with Up-to-date Pods: 1\n"
                           "Number of Nodes Scheduled with Available Pods: 1\nNumber of Nodes Misscheduled: 0\n"
                           "Pods Status:  1 Running / 0 Waiting / 0 Succeeded / 0 Failed\nPod Template:\n  Labels:  app=agent\n")
    assert text.endswith(f"  Normal  SuccessfulCreate  5s    daemonset-controller  Created pod: {pod}\n")


def test_a_replication_controller_by_kubectl(cluster):
    terminal = Terminal(cluster)
    cluster.client().create("replicationcontrollers", {"metadata": {"name": "web", "namespace": "default"}, "spec": {
        "replicas": 2, "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "nginx", "image": "nginx"}]}}}})
    cluster.clock.run_for(10)
    assert terminal.run("kubectl get rc -o wide").stdout == (
        "NAME   DESIRED   CURRENT   READY   AGE   CONTAINERS   IMAGES   SELECTOR\n"
        "web    2         2         2       10s   nginx        nginx    app=web\n")
    assert "Replicas:     2 current / 2 desired\nPods Status:  2 Running / 0 Waiting / 0 Succeeded / 0 Failed\n" in terminal.run(
        "kubectl describe rc web").stdout
    assert terminal.run("kubectl scale rc web --replicas=3").stdout == "replicationcontroller/web scaled\n"
    cluster.clock.run_for(10)
    assert terminal.run("kubectl get rc --no-headers").stdout == "web   3     3     3     20s\n"
    assert "selector:\n    app: web\n" in terminal.run("kubectl expose rc web --port=80 --dry-run=client -o yaml").stdout
    assert terminal.run("kubectl logs rc/web").code == 0


def test_a_dotted_name_and_a_template_worth_a_word_are_warned_of(cluster):
    terminal = Terminal(cluster)
    env = [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c", "image": "nginx", "env": env}]}}
    for kind, version, given, at in (("ReplicationController", "v1", {"spec": {"template": template}}, "template.spec"),
                                     ("PodTemplate", "v1", {"template": template}, "template.spec"),
                                     ("DaemonSet", "apps/v1", {"spec": {"selector": {"matchLabels": {"app": "web"}}, "template": template}},
                                      "spec.template.spec")):
        terminal.files.write("x.json", json.dumps({"apiVersion": version, "kind": kind, "metadata": {"name": "a.b"}, **given}))
        told = terminal.run("kubectl create -f x.json").stderr.splitlines()
        assert told[-1] == (f'Warning: {at}.containers[0].env[1]: hides previous definition of "A", which may be dropped when using apply')
        assert (kind == "ReplicationController") == any("a DNS label is recommended" in line for line in told)
