from __future__ import annotations

from controllers_world import DEPLOYMENT, SERVICE, World
from hypothesis import given
from hypothesis import strategies as st

from server.cluster.controllers.slice_packing import MOST_ENDPOINTS, Endpoint, places, plan, pod_of

WEB_POD = """
apiVersion: v1
kind: Pod
metadata: {name: NAME, namespace: default, labels: {app: web}}
spec: {containers: [{name: web, image: nginx, ports: [{name: http, containerPort: PORT}]}]}
"""


def addresses(world, field="addresses", name="web"):
    return [address["targetRef"]["name"] for subset in world.get("endpoints", name).get("subsets", []) for address in subset.get(field, [])]


def published(world, service="web"):
    """Pod to conditions, over all slices."""
    return {endpoint["targetRef"]["name"]: endpoint["conditions"] for entry in world.slices(service)
            for endpoint in entry["endpoints"] or ()}


def test_ready_pods_of_a_service_are_its_endpoints(world):
    world.apply(DEPLOYMENT)
    world.apply(SERVICE)
    world.run()
    pods = [pod["metadata"]["name"] for pod in world.pods()]
    assert sorted(addresses(world)) == sorted(published(world)) == pods
    (entry,) = world.slices()
    assert entry["metadata"]["name"].startswith("web-") and len(entry["metadata"]["name"]) == len("web-xxxxx")
    assert entry["metadata"]["labels"] == {
        "team": "blue", "kubernetes.io/service-name": "web",
        "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io"}
    assert entry["addressType"] == "IPv4" and entry["ports"] == [{"name": "", "port": 80, "protocol": "TCP"}]
    pod = world.pods()[0]
    endpoint = next(found for found in entry["endpoints"] if found["targetRef"]["name"] == pod["metadata"]["name"])
    assert endpoint == {
        "addresses": [pod["status"]["podIP"]], "conditions": {"ready": True, "serving": True, "terminating": False},
        "nodeName": pod["spec"]["nodeName"],
        "targetRef": {"kind": "Pod", "namespace": "default", "name": pod["metadata"]["name"], "uid": pod["metadata"]["uid"]}}
    endpoints = world.get("endpoints", "web")
    assert endpoints["metadata"]["labels"] == {"team": "blue", "endpoints.kubernetes.io/managed-by": "endpoint-controller"}
    assert endpoints["subsets"][0]["ports"] == [{"port": 80, "protocol": "TCP"}]
    ips = [address["ip"] for address in endpoints["subsets"][0]["addresses"]]
    assert ips == sorted(ips)


def test_a_service_that_selects_nothing_has_an_empty_slice_which_its_first_pods_fill(world):
    world.apply(SERVICE)
    world.run(1)
    (entry,) = world.slices()
    assert (entry["endpoints"], entry["ports"]) == (None, None)
    assert "subsets" not in world.get("endpoints", "web")
    created = world.get("services", "web")["metadata"]["creationTimestamp"]
    assert entry["metadata"]["annotations"] == {"endpoints.kubernetes.io/last-change-trigger-time": created}
    world.apply(DEPLOYMENT)
    world.run()
    (filled,) = world.slices()
    assert filled["metadata"]["name"] == entry["metadata"]["name"] and len(filled["endpoints"]) == 3
    world.scale(0)
    world.run()
    (emptied,) = world.slices()
    assert emptied["metadata"]["name"] == entry["metadata"]["name"] and (emptied["endpoints"], emptied["ports"]) == (None, None)


def test_a_pod_that_is_not_ready_is_listed_as_such(world):
    world.apply(DEPLOYMENT)
    world.apply(SERVICE)
    world.run()
    sick = world.pods()[0]["metadata"]["name"]
    world.set_status(sick, ready=False)
    world.run(1)
    assert published(world)[sick] == {"ready": False, "serving": False, "terminating": False}
    assert addresses(world, "notReadyAddresses") == [sick] and len(addresses(world)) == 2


def test_a_terminating_pod_still_serves_but_is_not_ready(world):
    world.apply(DEPLOYMENT)
    world.apply(SERVICE)
    world.run()
    leaving = world.pods()[0]["metadata"]["name"]
    world.kubectl.delete("pods", "default", leaving)
    world.run(0.5)
    assert published(world)[leaving] == {"ready": False, "serving": True, "terminating": True}
    assert leaving not in addresses(world)
    world.run(5)
    assert leaving not in published(world)


def test_publish_not_ready_addresses_makes_all_count_as_ready(world):
    world.apply(SERVICE, publishNotReadyAddresses=True)
    world.apply(DEPLOYMENT)
    world.run()
    sick = world.pods()[0]["metadata"]["name"]
    world.set_status(sick, ready=False)
    world.run(1)
    assert published(world)[sick] == {"ready": True, "serving": False, "terminating": False}
    assert sick in addresses(world)


def test_ended_pods_are_no_endpoints(world):
    world.apply(SERVICE)
    world.apply(DEPLOYMENT)
    world.run()
    ended = world.pods()[0]["metadata"]["name"]
    world.set_status(ended, phase="Failed", ready=False)
    world.run(5)
    assert ended not in published(world) and ended not in addresses(world, "notReadyAddresses")


def test_named_target_ports_are_each_pods_own_and_part_the_slices(world):
    world.kubectl.create("services", {"metadata": {"name": "web", "namespace": "default"}, "spec": {
        "selector": {"app": "web"}, "ports": [{"name": "http", "port": 80, "targetPort": "http"}]}})
    for name, port in (("a", "8080"), ("b", "9090"), ("c", "8080")):
        world.apply(WEB_POD.replace("NAME", name).replace("PORT", port))
    world.run()
    by_port = {entry["ports"][0]["port"]: [pod_of(endpoint) for endpoint in entry["endpoints"]] for entry in world.slices()}
    assert {port: sorted(pods) for port, pods in by_port.items()} == {8080: ["a", "c"], 9090: ["b"]}
    assert [subset["ports"][0] for subset in world.get("endpoints", "web")["subsets"]] == [
        {"name": "http", "port": 8080, "protocol": "TCP"}, {"name": "http", "port": 9090, "protocol": "TCP"}]


def test_a_pod_without_the_named_port_is_left_out_of_endpoints_and_has_no_port_in_its_slice(world):
    world.kubectl.create("services", {"metadata": {"name": "web", "namespace": "default"}, "spec": {
        "selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": "admin"}]}})
    world.apply(WEB_POD.replace("NAME", "a").replace("PORT", "8080"))
    world.run()
    assert "subsets" not in world.get("endpoints", "web")
    assert [(entry["ports"], len(entry["endpoints"])) for entry in world.slices()] == [(None, 1)]


def test_headless_services_are_labelled_so(world):
    world.apply(SERVICE, clusterIP="None")
    world.apply(DEPLOYMENT)
    world.run()
    assert world.slices()[0]["metadata"]["labels"]["service.kubernetes.io/headless"] == ""
    assert world.get("endpoints", "web")["metadata"]["labels"]["service.kubernetes.io/headless"] == ""


def test_a_changed_selector_or_port_is_followed(world):
    world.apply(SERVICE)
    world.apply(DEPLOYMENT)
    world.run()
    world.patch("services", "web", {"spec": {"ports": [{"port": 8080, "targetPort": 8081}]}})
    world.run(1)
    assert world.slices()[0]["ports"][0]["port"] == 8081 and len(world.slices()) == 1
    world.patch("services", "web", {"spec": {"selector": {"app": "nothing"}}})
    world.run(1)
    assert published(world) == {} and addresses(world) == []


def test_a_relabelled_pod_leaves_one_service_for_another(world):
    world.apply(SERVICE)
    world.apply(SERVICE.replace("name: web", "name: spare").replace("app: web", "app: spare"))
    world.apply(WEB_POD.replace("NAME", "a").replace("PORT", "80"))
    world.run()
    world.patch("pods", "a", {"metadata": {"labels": {"app": "spare"}}})
    world.run(1)
    assert published(world) == {} and list(published(world, "spare")) == ["a"]
    assert addresses(world) == [] and addresses(world, name="spare") == ["a"]


def by_hand(world, **metadata):
    world.kubectl.create("services", {"metadata": {"name": "outside", "namespace": "default"}, "spec": {"ports": [{"port": 80}]}})
    world.kubectl.create("endpoints", {"metadata": {"name": "outside", "namespace": "default", **metadata}, "subsets": [
        {"addresses": [{"ip": "192.168.1.50"}], "notReadyAddresses": [{"ip": "192.168.1.51"}], "ports": [{"port": 80}]}]})
    world.run()


def test_endpoints_written_by_hand_for_a_service_without_a_selector_are_mirrored_and_left_alone(world):
    by_hand(world, labels={"from": "hand"})
    assert world.get("endpoints", "outside")["subsets"][0]["addresses"] == [{"ip": "192.168.1.50"}]
    (entry,) = world.slices("outside")
    assert entry["metadata"]["labels"] == {
        "from": "hand", "kubernetes.io/service-name": "outside",
        "endpointslice.kubernetes.io/managed-by": "endpointslicemirroring-controller.k8s.io"}
    assert entry["endpoints"] == [{"addresses": ["192.168.1.50"], "conditions": {"ready": True}},
                                  {"addresses": ["192.168.1.51"], "conditions": {"ready": False}}]
    assert entry["ports"] == [{"name": "", "port": 80, "protocol": "TCP"}]
    world.patch("endpoints", "outside", {"subsets": [{"addresses": [{"ip": "192.168.1.60"}], "ports": [{"port": 81}]}]})
    world.run(1)
    (changed,) = world.slices("outside")
    assert changed["metadata"]["name"] == entry["metadata"]["name"] and changed["ports"][0]["port"] == 81
    world.kubectl.delete("endpoints", "default", "outside")
    world.run(1)
    assert world.slices("outside") == []


def test_endpoints_that_bring_their_own_slices_are_not_mirrored(world):
    by_hand(world, labels={"endpointslice.kubernetes.io/skip-mirror": "true"})
    assert world.slices("outside") == []


def test_what_is_published_goes_with_the_service(world):
    world.apply(SERVICE)
    world.apply(DEPLOYMENT)
    world.run()
    world.kubectl.delete("services", "default", "web")
    world.run(1)
    assert world.slices() == [] and world.get("endpoints", "web") is None


def test_a_slice_or_endpoints_that_somebody_deletes_comes_back(world):
    world.apply(SERVICE)
    world.apply(DEPLOYMENT)
    world.run()
    before = published(world)
    world.kubectl.delete("endpointslices.discovery.k8s.io", "default", world.slices()[0]["metadata"]["name"])
    world.kubectl.delete("endpoints", "default", "web")
    world.run(1)
    assert published(world) == before and len(addresses(world)) == 3


def test_many_pods_are_packed_a_hundred_to_a_slice_in_few_writes():
    world = World(nodes=1)
    world.apply(SERVICE)
    world.apply(DEPLOYMENT, replicas=250)
    world.run(20)
    assert sorted(len(entry["endpoints"]) for entry in world.slices()) == [50, 100, 100]
    assert len(addresses(world)) == 250
    assert world.count_writes("endpointslices.discovery.k8s.io") < 12
    assert world.count_writes("endpoints") < 8


def test_one_pod_of_many_touches_one_slice():
    world = World(nodes=1)
    world.apply(SERVICE)
    world.apply(DEPLOYMENT, replicas=250)
    world.run(20)
    before = {entry["metadata"]["name"]: entry["metadata"]["resourceVersion"] for entry in world.slices()}
    world.set_status(world.pods()[17]["metadata"]["name"], ready=False)
    world.run(5)
    changed = [entry for entry in world.slices() if before[entry["metadata"]["name"]] != entry["metadata"]["resourceVersion"]]
    assert len(changed) == 1


def test_a_restart_writes_nothing(world):
    world.apply(SERVICE)
    world.apply(DEPLOYMENT)
    world.run()
    revision = world.store.revision
    again = world.restarted()
    again.run()
    assert again.store.revision == revision


# packing alone

PORTS = [[{"name": "", "port": port, "protocol": "TCP"}] for port in (80, 81)]


def wish(pod, ports, state=0):
    return Endpoint(ports, {"addresses": [f"10.0.0.{pod}"], "state": state, "targetRef": {"name": f"p{pod}"}})


def carried_out(slices, planned, counter):
    left = []
    for entry in slices:
        name = entry["metadata"]["name"]
        if name in planned.delete:
            continue
        content = planned.rewrite.get(name)
        left.append({**entry, "ports": content.ports, "endpoints": content.endpoints} if content is not None else entry)
    for content in planned.create:
        counter[0] += 1
        left.append({"metadata": {"name": f"s{counter[0]}"}, "ports": content.ports, "endpoints": content.endpoints})
    return left


change = st.tuples(st.integers(0, 260), st.sampled_from([None, (0, 0), (0, 1), (1, 0)]))


@given(st.lists(st.lists(change, max_size=120), min_size=1, max_size=6))
def test_any_sequence_of_changes_leaves_each_wish_in_exactly_one_slice(batches):
    slices, wanted, counter = [], {}, [0]
    for batch in batches:
        changes = {}
        for pod, state in batch:
            changes[f"p{pod}"] = wanted[f"p{pod}"] = None if state is None else wish(pod, PORTS[state[0]], state[1])
        planned = plan(slices, places(slices), changes)
        slices = carried_out(slices, planned, counter)
        found = [(pod_of(endpoint), entry["ports"], endpoint) for entry in slices for endpoint in entry["endpoints"]]
        assert sorted(pod for pod, _, _ in found) == sorted(pod for pod, wish_ in wanted.items() if wish_ is not None)
        assert all(wanted[pod] == Endpoint(ports, endpoint) for pod, ports, endpoint in found)
        assert all(len(entry["endpoints"]) <= MOST_ENDPOINTS for entry in slices)
        assert len(slices) == 1 or all(entry["endpoints"] for entry in slices)
        again = plan(slices, places(slices), dict(wanted.items()))
        assert (again.rewrite, again.create, again.delete) == ({}, [], [])
