"""The cluster as it was: what a store can tell of its past, looking at a revision, and going on from one."""

from __future__ import annotations

import gc
import json
import sys
import weakref

import pytest

from server.cluster.cluster import Cluster
from server.cluster.errors import ApiError
from server.cluster.store import HISTORY, Cause, State, Store
from tests.kubectl.terminal import Terminal


def deployment(name="web", replicas=3, image="nginx", command=None):
    container = {"name": "c", "image": image, **({"command": command} if command else {})}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "namespace": "default"},
            "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": name}},
                     "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container]}}}}


@pytest.fixture
def told():
    """A cluster with some history, and what it was at each of its revisions: (cluster, {revision: (objects, state)})."""
    cluster = Cluster(seed=3)
    seen = {}

    def plain(store):
        return json.dumps({resource: [record.object for _, record in sorted(table.items())]
                           for resource, table in sorted(store._tables.items()) if table}, sort_keys=True)

    objects = {cluster.store.revision: plain(cluster.store)}

    publish = cluster.store._publish

    def published(event):
        seen[event.revision - 1] = (objects.pop(event.revision - 1), json.dumps(dict(cluster.store.state.items())))
        objects[event.revision] = plain(cluster.store)
        publish(event)

    cluster.store._publish = published
    client = cluster.client()
    client.create("deployments.apps", deployment())
    client.create("deployments.apps", deployment("loop", 1, "busybox", ["sh", "-c", "while true; do date; echo x >> /tmp/f; sleep 1; done"]))
    client.create("deployments.apps", deployment("crash", 1, "busybox", ["sh", "-c", "echo ends; exit 1"]))
    cluster.clock.run_for(40)
    client.patch("deployments.apps", "default", "web", {"spec": {"replicas": 1}})
    cluster.clock.run_for(20)
    cluster.store._publish = publish
    return cluster, seen


def test_a_store_tells_every_kept_revision_as_it_was(told):
    cluster, seen = told
    assert len(seen) > 80
    for revision, (objects, state) in list(seen.items())[::7]:
        past = cluster.store.at(revision)
        assert past.revision == revision
        assert json.dumps(past.dump()["objects"], sort_keys=True) == objects
        assert json.dumps(past.dump()["state"], sort_keys=True) == json.dumps(json.loads(state), sort_keys=True)
        assert past.count == sum(len(table) for table in past.dump()["objects"].values())
        assert past.event_at(revision).revision == revision and past.event_at(revision + 1) is None


def test_the_past_is_another_store_and_leaves_the_present_alone(told):
    cluster, _ = told
    before = json.dumps(cluster.store.dump(), sort_keys=True)
    past = cluster.store.at(cluster.store.revision - 30)
    past.put("configmaps", ("default", "x"), {"kind": "ConfigMap", "metadata": {"name": "x", "namespace": "default"}}, Cause())
    past.state.set("pod/x", {"a": 1})
    assert json.dumps(cluster.store.dump(), sort_keys=True) == before


def test_what_is_compacted_away_or_yet_to_come_cannot_be_told():
    store = Store(history=10)
    for number in range(40):
        store.put("configmaps", ("", f"c{number % 3}"), {"kind": "ConfigMap", "metadata": {"name": f"c{number % 3}"}}, Cause(at=number))
    assert store.earliest > 0 and store.at(store.earliest).revision == store.earliest
    for revision in (store.earliest - 1, store.revision + 1):
        with pytest.raises(ApiError) as refused:
            store.at(revision)
        assert refused.value.code == 410


def test_what_state_was_is_bounded_in_bytes_and_says_where_it_begins():
    revision = 0
    state = State(lambda: revision)
    large = "x" * 100_000
    for revision in range(1000):  # noqa: B007 - read by the state
        state.set("a", f"{revision}{large}")
    assert sum(len(kept or b"") for _, _, kept in state._replaced) <= HISTORY
    assert 0 < state.earliest < 1000
    assert state.at(state.earliest)["a"].startswith(str(state.earliest)) and state.at(state.earliest + 5)["a"].startswith(str(state.earliest + 5))


def test_a_value_that_changes_often_in_one_revision_is_kept_once():
    state = State(lambda: 7)
    for number in range(1000):
        state.set("log/x", number)
    assert len(state._replaced) == 1 and state.at(6) == {} and state.at(7) == {"log/x": 999}


def test_looking_at_the_past_shows_it_and_nothing_happens_there(told):
    cluster, seen = told
    revision = next(number for number in sorted(seen) if any(
        row["metadata"]["name"] == "web" and row["status"].get("readyReplicas") == 3
        for row in json.loads(seen[number][0]).get("deployments.apps", ())))
    past = cluster.at(revision)
    assert past.store.revision == revision and past.clock.now == cluster.store.event_at(revision).cause.at
    assert "3/3" in Terminal(past).run("kubectl get deployment web").stdout
    assert "1/1" in Terminal(cluster).run("kubectl get deployment web").stdout
    past.clock.run_for(3600)
    assert past.store.revision == revision


@pytest.mark.parametrize("line", ["kubectl delete pod --all", "kubectl run x --image=nginx", "kubectl scale deployment web --replicas=9",
                                  "kubectl label node w1-k8s a=b", "kubectl exec deploy/loop -- date", "kubectl cordon w1-k8s"])
def test_the_past_is_read_only_and_says_so(told, line):
    cluster, _ = told
    revision = cluster.store.revision - 20
    past = cluster.at(revision)
    terminal = Terminal(past)
    assert f"the cluster as it was at revision {revision}: it can be read, not changed" in terminal.run(line).stderr
    assert past.store.revision == revision


def test_logs_in_the_past_end_at_its_moment(told):
    cluster, _ = told
    revision = cluster.store.revision - 25
    past = cluster.at(revision)
    lines = Terminal(past).run("kubectl logs deploy/loop").stdout.splitlines()
    now = Terminal(cluster).run("kubectl logs deploy/loop").stdout.splitlines()
    assert 0 < len(lines) < len(now) and now[:len(lines)] == lines
    assert len(lines) <= past.clock.now + 1


def test_a_moment_between_two_revisions_can_be_looked_at(told):
    cluster, seen = told
    gaps = [(cluster.moment(number), cluster.moment(number + 1), number)
            for number in range(min(seen), cluster.store.revision)]
    begin, end, revision = max(gaps, key=lambda gap: gap[1] - gap[0])
    assert cluster.at(revision, (begin + end) / 2).clock.now == pytest.approx((begin + end) / 2)
    assert cluster.at(revision, end + 1000).clock.now == end and cluster.at(revision, -9999).clock.now == begin


@pytest.mark.parametrize("back", [0, 10, 30, 60, 90])
def test_a_fork_goes_on_from_then_and_comes_to_what_its_objects_ask_for(told, back):
    cluster, _ = told
    revision = cluster.store.revision - back
    before = json.dumps(cluster.store.dump(), sort_keys=True)
    fork = cluster.fork(revision)
    assert fork.store.revision == revision
    wanted = {row["metadata"]["name"]: row["spec"]["replicas"] for row in fork.api.lister("deployments.apps").list("default")}
    fork.clock.run_for(120)
    for name in set(wanted) - {"crash"}:
        status = fork.api.lister("deployments.apps").get("default", name)["status"]
        assert status.get("readyReplicas") == wanted[name], name
    fork.client().create("deployments.apps", deployment("new", 2))
    fork.clock.run_for(30)
    assert fork.api.lister("deployments.apps").get("default", "new")["status"]["readyReplicas"] == 2
    assert json.dumps(cluster.store.dump(), sort_keys=True) == before


def test_a_cluster_that_is_taken_up_with_its_history_can_tell_of_it(told):
    cluster, seen = told
    cluster.kubelets.runtime.settle()
    history, snapshot = cluster.store.memory(60, 10**9), json.loads(json.dumps(cluster.snapshot()))
    again = Cluster.restore({**snapshot, "history": history})
    assert again.store.earliest == cluster.store.revision - 60
    for revision in range(again.store.earliest, cluster.store.revision, 7):
        assert again.store.at(revision).dump() == json.loads(json.dumps(cluster.store.at(revision).dump())), revision
    for revision in range(again.store.earliest + 1, cluster.store.revision + 1):
        one, other = cluster.store.event_at(revision), again.store.event_at(revision)
        assert (one.type, one.key, one.object, one.previous, one.cause[:5]) == (other.type, other.key, other.object, other.previous, other.cause[:5])
    assert again.at(again.store.earliest + 3).store.revision == again.store.earliest + 3


def test_a_history_of_another_moment_is_not_taken(told):
    cluster, _ = told
    history = cluster.store.memory(60, 10**9)
    cluster.client().create("configmaps", {"kind": "ConfigMap", "metadata": {"name": "later", "namespace": "default"}})
    again = Cluster.restore({**json.loads(json.dumps(cluster.snapshot())), "history": history})
    assert again.store.earliest == cluster.store.revision


def test_a_history_is_bounded_in_bytes(told):
    cluster, _ = told
    assert len(cluster.store.memory(10**9, 50_000)) < 400_000
    assert len(cluster.store.memory(10**9, 10**9)) > 500_000


def test_traffic_is_there_at_once_after_a_restart_and_in_the_past():
    cluster = Cluster(seed=4)
    terminal = Terminal(cluster)
    terminal.run("kubectl create deployment web --image=nginx")
    terminal.run("kubectl expose deployment web --port=80")
    cluster.clock.run_for(20)
    cluster.network.traffic.aim("default/web", None, 50.0)
    terminal.run("kubectl create configmap x")
    cluster.clock.run_for(5)
    told = cluster.network.traffic.sources()
    assert told[0]["ok"] == 50
    for other in (Cluster.restore(cluster.snapshot()), cluster.at(cluster.store.revision)):
        assert other.network.traffic.sources() == told


def test_what_a_server_held_is_told_as_it_was():
    cluster = Cluster(seed=4)
    terminal = Terminal(cluster)
    terminal.run("kubectl run cache --image=redis")
    cluster.clock.run_for(20)
    terminal.run("kubectl exec cache -- redis-cli set a 1")
    cluster.client().create("configmaps", {"kind": "ConfigMap", "metadata": {"name": "x", "namespace": "default"}})
    revision = cluster.store.revision
    cluster.client().create("configmaps", {"kind": "ConfigMap", "metadata": {"name": "y", "namespace": "default"}})
    terminal.run("kubectl exec cache -- redis-cli set a 2")
    for at, value in ((revision, "1"), (cluster.store.revision, "2")):
        assert value in Terminal(cluster.fork(at)).run("kubectl exec cache -- redis-cli get a").stdout


def test_a_fork_restarts_no_container_that_ran(told):
    cluster, _ = told
    revision = cluster.store.revision - 5
    fork = cluster.fork(revision)
    fork.clock.run_for(60)
    pods = [pod for pod in fork.api.lister("pods").list("default") if not pod["metadata"]["name"].startswith("crash")]
    assert pods and all(status["restartCount"] == 0 for pod in pods for status in pod["status"]["containerStatuses"])


def test_looking_at_the_past_and_forking_change_nothing_of_what_comes():
    def lived(looks):
        cluster = Cluster(seed=9)
        terminal = Terminal(cluster)
        for number, line in enumerate(("kubectl create deployment web --image=nginx --replicas=3", "kubectl run cache --image=redis",
                                       "kubectl exec cache -- redis-cli set a 1", "kubectl scale deployment web --replicas=1",
                                       "kubectl run crash --image=busybox -- false", "kubectl delete pod cache")):
            terminal.run(line)
            for part in range(4):
                cluster.clock.run_for(1.3 + number)
                if looks:
                    past = cluster.at(cluster.store.revision - 7 * part)
                    Terminal(past).run("kubectl get pods -A -o yaml; kubectl logs deploy/web; echo x > f")
                    cluster.fork().clock.run_for(20)
                    cluster.fork(cluster.store.revision - part).clock.run_for(5)
        return json.dumps(cluster.snapshot(), sort_keys=True)

    assert lived(True) == lived(False)


def test_a_past_that_nobody_looks_at_any_more_is_gone_without_a_look_at_all_objects_and_the_present_goes_on(told, monkeypatch):
    cluster, _ = told
    broken = []
    monkeypatch.setattr(sys, "unraisablehook", broken.append)
    before, breaths = cluster.snapshot(), []
    past = cluster.at(cluster.store.revision - 20)
    assert past.client().list("pods", "kube-system")
    parts = [weakref.ref(part) for part in (past, past.api, past.store, past.network, past.kubelets, past.scheduler, *past.controllers,
                                            *(past.api.lister(resource) for resource in ("pods", "events")))]
    gc.disable()
    try:
        past.close(lambda: breaths.append(1))
        del past
        assert [part for part in parts if part() is not None and vars(part())] == []
        assert sum(part() is None for part in parts) > 0.9 * len(parts)
    finally:
        gc.enable()
    assert breaths and not broken
    assert cluster.snapshot() == before
    assert "1/1" in Terminal(cluster).run("kubectl get deployment web").stdout
