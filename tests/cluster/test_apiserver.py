"""The request pipeline by itself: no controller, scheduler or kubelet runs here."""

import random

import orjson
import pytest

from server.cluster.apiserver.request import Options, Request
from server.cluster.apiserver.server import ApiServer
from server.cluster.clock import Clock
from server.cluster.errors import ApiError
from server.cluster.parts import Parts
from server.cluster.store import Store

ADMIN = "kubernetes-admin"
POD = {"metadata": {"name": "web", "namespace": "default", "labels": {"app": "web"}}, "spec": {"containers": [{"name": "c", "image": "nginx"}]}}


@pytest.fixture
def parts():
    clock, store, chance = Clock(), Store(), random.Random(1)
    parts = Parts(clock, ApiServer(clock, store, chance), chance, store.state)
    client = parts.client("kubectl", ADMIN)
    for name in ("default", "dev"):
        client.create("namespaces", {"metadata": {"name": name}})
        client.create("serviceaccounts", {"metadata": {"name": "default", "namespace": name}})
    return parts


@pytest.fixture
def kubectl(parts):
    return parts.client("kubectl", ADMIN)


def ask(parts, verb, resource, namespace="default", name="", user=ADMIN, raw=None, **options):
    body = orjson.dumps(raw) if isinstance(raw, dict) else raw
    return parts.api.request(Request(verb, resource, namespace, name, raw=body, content_type="application/json", options=Options(**options),
                                     user=user, client="test"))


def error_of(call, *arguments, **keywords):
    with pytest.raises(ApiError) as caught:
        call(*arguments, **keywords)
    return caught.value


def test_a_created_pod_is_named_defaulted_admitted_and_pending(kubectl):
    pod = kubectl.create("pods", POD)
    assert pod["status"]["phase"] == "Pending"
    assert pod["metadata"]["uid"] and pod["metadata"]["creationTimestamp"] == "2026-01-01T00:00:00Z"
    assert pod["spec"]["containers"][0]["imagePullPolicy"] == "Always"
    assert pod["spec"]["serviceAccountName"] == "default"
    assert pod["spec"]["volumes"][0]["name"].startswith("kube-api-access-")
    assert [entry["tolerationSeconds"] for entry in pod["spec"]["tolerations"]] == [300, 300]


def test_the_object_that_was_sent_is_left_alone(kubectl):
    before = orjson.dumps(POD)
    kubectl.create("pods", POD)
    assert orjson.dumps(POD) == before


def test_generated_names_have_five_letters_and_never_collide(kubectl):
    names = {kubectl.create("configmaps", {"metadata": {"generateName": "x-", "namespace": "default"}})["metadata"]["name"] for _ in range(50)}
    assert len(names) == 50
    assert {len(name) for name in names} == {7}


def test_a_new_replica_set_says_that_it_has_no_replica(kubectl):
    created = kubectl.create("replicasets.apps", {
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {"selector": {"matchLabels": {"app": "web"}},
                 "template": {"metadata": {"labels": {"app": "web"}}, "spec": POD["spec"]}}, "status": {"readyReplicas": 3}})
    assert created["status"] == {"replicas": 0}


@pytest.mark.parametrize("name", ["default", "kube-system", "kube-public"])
def test_the_namespaces_of_the_system_may_not_be_deleted(kubectl, name):
    error = error_of(kubectl.delete, "namespaces", "", name)
    assert (error.code, error.message) == (403, f'namespaces "{name}" is forbidden: this namespace may not be deleted')
    kubectl.delete("namespaces", "", "dev")


def test_nothing_can_be_created_in_a_namespace_that_is_not_there(kubectl):
    error = error_of(kubectl.create, "configmaps", {"metadata": {"name": "x", "namespace": "nosuch"}})
    assert (error.code, error.message) == (404, 'namespaces "nosuch" not found')


def test_a_second_object_of_the_same_name_is_refused(kubectl):
    kubectl.create("pods", POD)
    error = error_of(kubectl.create, "pods", POD)
    assert (error.code, error.reason, error.message) == (409, "AlreadyExists", 'pods "web" already exists')


def test_an_update_with_an_old_resource_version_conflicts(kubectl):
    old = kubectl.create("configmaps", {"metadata": {"name": "x", "namespace": "default"}, "data": {"a": "1"}})
    kubectl.update("configmaps", {**old, "data": {"a": "2"}})
    error = error_of(kubectl.update, "configmaps", {**old, "data": {"a": "3"}})
    assert error.code == 409
    assert "the object has been modified; please apply your changes to the latest version and try again" in error.message


def test_a_write_that_changes_nothing_makes_no_revision(parts, kubectl):
    old = kubectl.create("configmaps", {"metadata": {"name": "x", "namespace": "default"}, "data": {"a": "1"}})
    revision = parts.api.store.revision
    kubectl.update("configmaps", old)
    kubectl.patch("configmaps", "default", "x", {"data": {"a": "1"}})
    assert parts.api.store.revision == revision


def test_a_spec_change_counts_a_generation_and_a_status_change_does_not(kubectl):
    kubectl.create("replicasets.apps", {
        "metadata": {"name": "rs", "namespace": "default"},
        "spec": {"replicas": 1, "selector": {"matchLabels": {"a": "b"}},
                 "template": {"metadata": {"labels": {"a": "b"}}, "spec": POD["spec"]}}})
    changed = kubectl.patch("replicasets.apps", "default", "rs", {"spec": {"replicas": 2}})
    assert changed["metadata"]["generation"] == 2
    same = kubectl.patch("replicasets.apps", "default", "rs", {"status": {"replicas": 2}, "spec": {"replicas": 9}}, subresource="status")
    assert (same["metadata"]["generation"], same["spec"]["replicas"], same["status"]["replicas"]) == (2, 2, 2)


def test_deleting_a_bound_pod_gives_its_containers_their_grace_period(parts, kubectl):
    kubectl.create("pods", POD)
    kubectl.bind("default", "web", "w1")
    parts.clock.run_for(10)
    marked = kubectl.delete("pods", "default", "web")["metadata"]
    assert (marked["deletionTimestamp"], marked["deletionGracePeriodSeconds"]) == ("2026-01-01T00:00:40Z", 30)
    shorter = kubectl.delete("pods", "default", "web", grace_period=5)["metadata"]
    assert (shorter["deletionTimestamp"], shorter["deletionGracePeriodSeconds"]) == ("2026-01-01T00:00:15Z", 5)
    kubectl.delete("pods", "default", "web", grace_period=0)
    assert error_of(kubectl.get, "pods", "default", "web").message == 'pods "web" not found'


def test_an_unbound_pod_goes_at_once(kubectl):
    kubectl.create("pods", POD)
    kubectl.delete("pods", "default", "web")
    assert kubectl.list("pods", "default") == []


def test_finalizers_hold_an_object_until_the_last_is_gone(kubectl):
    kubectl.create("configmaps", {"metadata": {"name": "x", "namespace": "default", "finalizers": ["example.com/a"]}})
    kubectl.delete("configmaps", "default", "x")
    held = kubectl.get("configmaps", "default", "x")
    assert held["metadata"]["deletionTimestamp"]
    kubectl.patch("configmaps", "default", "x", {"metadata": {"finalizers": None}})
    assert error_of(kubectl.get, "configmaps", "default", "x").code == 404


def test_whoever_takes_the_last_finalizer_off_removes_the_object_in_one_write(kubectl):
    kubectl.create("configmaps", {"metadata": {"name": "x", "namespace": "default", "finalizers": ["example.com/a"]}})
    kubectl.delete("configmaps", "default", "x")
    before = kubectl.api.store.revision
    answer = kubectl.patch("configmaps", "default", "x", {"metadata": {"finalizers": None}})
    assert "finalizers" not in answer["metadata"]
    assert [event.type for event in kubectl.api.store.since(before)] == ["DELETED"]


@pytest.mark.parametrize(("policy", "finalizer"), [("Foreground", "foregroundDeletion"), ("Orphan", "orphan")])
def test_deletion_policies_are_finalizers(kubectl, policy, finalizer):
    kubectl.create("configmaps", {"metadata": {"name": "x", "namespace": "default"}})
    kubectl.delete("configmaps", "default", "x", propagation=policy)
    assert kubectl.get("configmaps", "default", "x")["metadata"]["finalizers"] == [finalizer]


def test_a_precondition_on_the_uid_is_held(kubectl):
    kubectl.create("configmaps", {"metadata": {"name": "x", "namespace": "default"}})
    error = error_of(kubectl.delete, "configmaps", "default", "x", uid="other")
    assert error.code == 409 and "Precondition failed: UID in precondition: other" in error.message


def test_a_pod_is_bound_once(kubectl):
    kubectl.create("pods", POD)
    kubectl.bind("default", "web", "w1")
    pod = kubectl.get("pods", "default", "web")
    assert pod["spec"]["nodeName"] == "w1" and pod["status"]["conditions"][0]["type"] == "PodScheduled"
    assert 'already assigned to node "w1"' in error_of(kubectl.bind, "default", "web", "w2").message


def test_pages_of_a_list_show_one_revision(parts, kubectl):
    for number in range(5):
        kubectl.create("configmaps", {"metadata": {"name": f"c{number}", "namespace": "dev"}})
    first = ask(parts, "list", "configmaps", "dev", limit=2).object
    assert [item["metadata"]["name"] for item in first["items"]] == ["c0", "c1"]
    assert first["metadata"]["remainingItemCount"] == 3
    kubectl.create("configmaps", {"metadata": {"name": "c2a", "namespace": "dev"}})
    kubectl.delete("configmaps", "dev", "c4")
    second = ask(parts, "list", "configmaps", "dev", continue_=first["metadata"]["continue"]).object
    assert [item["metadata"]["name"] for item in second["items"]] == ["c2", "c3", "c4"]
    assert second["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]


def test_selectors_choose(parts, kubectl):
    kubectl.create("pods", POD)
    kubectl.create("pods", {**POD, "metadata": {"name": "db", "namespace": "default", "labels": {"app": "db", "tier": "x"}}})

    def names(**options):
        return [item["metadata"]["name"] for item in ask(parts, "list", "pods", **options).object["items"]]

    assert names(label_selector="app=web") == ["web"]
    assert names(label_selector="app in (web,db),!tier") == ["web"]
    assert names(field_selector="metadata.name=db") == ["db"]
    assert names(field_selector="status.phase!=Pending") == []
    assert error_of(ask, parts, "list", "pods", field_selector="spec.foo=bar").message == "field label not supported: spec.foo"


def test_a_list_is_the_bytes_of_its_objects(parts, kubectl):
    kubectl.create("pods", POD)
    response = ask(parts, "list", "pods")
    assert orjson.loads(response.json()) == response.object
    assert ask(parts, "list", "secrets").json().endswith(b'"items":[]}')


def test_a_watch_tells_who_comes_into_view_and_who_leaves(parts, kubectl):
    kubectl.create("pods", POD)
    stream = ask(parts, "watch", "pods", label_selector="app=web").stream
    kubectl.create("pods", {**POD, "metadata": {"name": "other", "namespace": "default"}})
    kubectl.patch("pods", "default", "other", {"metadata": {"labels": {"app": "web"}}})
    kubectl.patch("pods", "default", "other", {"metadata": {"labels": {"app": "no"}}})
    kubectl.delete("pods", "default", "web")
    seen = [(event.type, event.object["metadata"]["name"]) for event in stream.items]
    assert seen == [("ADDED", "web"), ("ADDED", "other"), ("DELETED", "other"), ("DELETED", "web")]


def test_a_watch_from_a_revision_misses_and_doubles_nothing(parts, kubectl):
    kubectl.create("pods", POD)
    revision = ask(parts, "list", "pods").object["metadata"]["resourceVersion"]
    kubectl.patch("pods", "default", "web", {"metadata": {"labels": {"x": "y"}}})
    stream = ask(parts, "watch", "pods", resource_version=revision).stream
    kubectl.delete("pods", "default", "web")
    assert [event.type for event in stream.items] == ["MODIFIED", "DELETED"]


def test_a_watch_list_begins_with_what_is_there_and_a_bookmark(parts, kubectl):
    kubectl.create("pods", POD)
    stream = ask(parts, "watch", "pods", send_initial_events=True, resource_version_match="NotOlderThan", allow_watch_bookmarks=True).stream
    assert [event.type for event in stream.items] == ["ADDED", "BOOKMARK"]
    assert stream.items[1].object["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}


def test_a_closed_watch_costs_nothing_more(parts, kubectl):
    stream = ask(parts, "watch", "pods").stream
    stream.close()
    kubectl.create("pods", POD)
    assert not stream.items
    assert parts.api.store._watchers["pods"].count(stream) == 0


def test_a_dry_run_answers_and_stores_nothing(parts, kubectl):
    revision = parts.api.store.revision
    raw = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}, "spec": {"type": "NodePort", "ports": [{"port": 80, "nodePort": 30123}]}}
    assert ask(parts, "create", "services", raw=raw, dry_run=True).object["spec"]["clusterIP"]
    assert parts.api.store.revision == revision
    assert ask(parts, "create", "services", raw=raw).code == 201


def test_node_ports_are_checked_and_given_back(parts, kubectl):
    def service(name, port):
        return {"metadata": {"name": name, "namespace": "default"}, "spec": {"type": "NodePort", "ports": [{"port": 80, "nodePort": port}]}}

    kubectl.create("services", service("a", 30123))
    assert error_of(kubectl.create, "services", service("b", 30123)).message == (
        'Service "b" is invalid: spec.ports[0].nodePort: Invalid value: 30123: provided port is already allocated')
    assert "The range of valid ports is 30000-32767" in error_of(kubectl.create, "services", service("b", 80)).message
    kubectl.delete("services", "default", "a")
    kubectl.create("services", service("b", 30123))


def test_low_addresses_and_ports_are_left_to_those_who_ask_for_them_by_number(kubectl):
    def made(number):
        ports = [{"name": f"p{port}", "port": port} for port in range(1, 101)]
        return kubectl.create("services", {"metadata": {"name": f"s{number}", "namespace": "default"}, "spec": {"type": "NodePort", "ports": ports}})

    services = [made(number) for number in range(26)]
    given = {port["nodePort"] for service in services for port in service["spec"]["ports"]}
    assert len(given) == 2600 and min(given) >= 30086 and max(given) <= 32767
    assert all(tuple(map(int, service["spec"]["clusterIP"].split("."))) > (10, 96, 1, 0) for service in services)
    last = {port["nodePort"] for port in made(26)["spec"]["ports"]}
    assert len(last) == 100 and sum(port < 30086 for port in last) == 18 and not last & given


def test_a_service_keeps_what_it_was_given_when_a_client_leaves_it_out(kubectl):
    made = kubectl.create("services", {"metadata": {"name": "a", "namespace": "default"}, "spec": {"type": "NodePort", "ports": [{"port": 80}]}})
    again = kubectl.update("services", {"metadata": {"name": "a", "namespace": "default", "labels": {"x": "y"}},
                                        "spec": {"type": "NodePort", "ports": [{"port": 80}]}})
    assert again["spec"]["clusterIP"] == made["spec"]["clusterIP"]
    assert again["spec"]["ports"] == made["spec"]["ports"]
    plain = kubectl.patch("services", "default", "a", {"spec": {"type": "ClusterIP"}})
    assert "nodePort" not in plain["spec"]["ports"][0]


def test_scale_speaks_of_nothing_but_size(parts, kubectl):
    kubectl.create("deployments.apps", {
        "metadata": {"name": "d", "namespace": "default"},
        "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": {"metadata": {"labels": {"a": "b"}}, "spec": POD["spec"]}}})
    scale = kubectl.patch("deployments.apps", "default", "d", {"spec": {"replicas": 4}}, subresource="scale")
    assert (scale["kind"], scale["spec"]["replicas"], scale["status"]["selector"]) == ("Scale", 4, "a=b")
    assert kubectl.get("deployments.apps", "default", "d")["spec"]["replicas"] == 4


def test_who_has_no_rights_is_told_in_the_authorizers_words(parts):
    error = error_of(ask, parts, "list", "pods", user="jane")
    assert (error.code, error.message) == (
        403, 'pods is forbidden: User "jane" cannot list resource "pods" in API group "" in the namespace "default"')


def test_causes_are_kept_with_every_revision(parts, kubectl):
    kubectl.because = 7
    kubectl.create("pods", POD)
    event = parts.api.store.event_at(parts.api.store.revision)
    assert event.cause[:5] == ("kubectl", ADMIN, "create", 7, parts.clock.now)


def test_events_are_forgotten_after_an_hour(parts, kubectl):
    pod = kubectl.create("pods", POD)
    recorder = parts.recorder(kubectl, "test")
    recorder.record(pod, "Normal", "Hello", "world")
    parts.clock.run_for(1800)
    recorder.record(pod, "Normal", "Again", "world")
    parts.clock.run_for(1801)
    assert [event["reason"] for event in kubectl.list("events", "default")] == ["Again"]
    parts.clock.run_for(1800)
    assert kubectl.list("events", "default") == []
    assert parts.clock.next_due() is None


def test_the_same_event_is_counted_and_a_flood_is_combined(parts, kubectl):
    pod = kubectl.create("pods", POD)
    recorder = parts.recorder(kubectl, "test")
    for _ in range(3):
        recorder.record(pod, "Normal", "Pulling", "the same")
    assert [event["count"] for event in kubectl.list("events", "default")] == [3]
    for number in range(40):
        recorder.record(pod, "Normal", "Created", f"number {number}")
    events = kubectl.list("events", "default")
    assert sum(event["message"].startswith("(combined from similar events)") for event in events) == 1
    assert sum(event["count"] for event in events) == 25


def test_server_side_apply_is_refused_by_its_media_type(parts):
    request = Request("patch", "configmaps", "default", "nosuch", raw=b"{}", content_type="application/apply-patch+yaml", user=ADMIN)
    error = error_of(parts.api.request, request)
    assert (error.code, error.reason) == (415, "UnsupportedMediaType")


def test_a_cluster_holds_so_many_objects_and_bytes_and_then_says_what_etcd_says(parts, kubectl):
    def config_map(name, size):
        return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"a": "x" * size}}

    quota = parts.api.quota
    quota.size = 1_000_000
    ask(parts, "create", "configmaps", raw=config_map("a", 600_000))
    assert error_of(ask, parts, "create", "configmaps", raw=config_map("b", 600_000)).message == "etcdserver: mvcc: database space exceeded"
    kubectl.delete("configmaps", "default", "a")
    ask(parts, "create", "configmaps", raw=config_map("b", 600_000))
    quota.size = 10_000_000
    assert error_of(ask, parts, "create", "configmaps", raw=config_map("c", 1_600_000)).code in (413, 422, 500)
    quota.objects = parts.api.store.count
    assert error_of(ask, parts, "create", "configmaps", raw=config_map("d", 1)).message == "etcdserver: mvcc: database space exceeded"


def test_writing_a_large_object_over_and_over_costs_history_not_memory(parts):
    parts.api.quota.size = 3_000_000
    raw = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"a": "x" * 500_000}}
    ask(parts, "create", "configmaps", raw=raw)
    for number in range(40):
        ask(parts, "update", "configmaps", name="a", raw={**raw, "data": {"a": "x" * 500_000, "n": str(number)}})
    assert len(parts.api.store._log) < 10


def test_an_event_that_was_forgotten_is_told_anew(parts, kubectl):
    pod = kubectl.create("pods", POD)
    recorder = parts.recorder(kubectl, "test")
    recorder.record(pod, "Normal", "Hello", "world")
    parts.clock.run_for(4000)
    assert kubectl.list("events", "default") == []
    recorder.record(pod, "Normal", "Hello", "world")
    assert [event["count"] for event in kubectl.list("events", "default")] == [1]
