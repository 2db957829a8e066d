"""The words of ages, pods, services and selectors that every list shows."""

import pytest

from server.cluster import printing
from server.cluster.clock import Clock


@pytest.mark.parametrize(("seconds", "shown"), [
    (-5, "<invalid>"), (-1.5, "0s"), (-0.5, "0s"), (0, "0s"), (0.9, "0s"), (63, "63s"),
    (119.9, "119s"), (120, "2m"), (121, "2m1s"), (303, "5m3s"),
    (599, "9m59s"), (600, "10m"), (659, "10m"), (3600, "60m"), (10799, "179m"), (10800, "3h"), (10860, "3h1m"), (28799, "7h59m"),
    (28800, "8h"), (172799, "47h"), (172800, "2d"), (183600, "2d3h"), (691199, "7d23h"), (691200, "8d"), (63071999, "729d"),
    (63072000, "2y"), (63072000 + 86400, "2y1d"), (252288000, "8y"), (999999999, "31y"),
])
def test_a_duration_is_shown_in_at_most_two_units(seconds, shown):
    assert printing.duration(seconds) == shown


def test_an_age_is_reckoned_in_virtual_time_and_an_object_without_birth_has_none():
    clock = Clock(now=100.0)
    assert printing.age(clock.timestamp(37.0), clock.now, clock) == "63s"
    assert printing.age(None, clock.now, clock) == "<unknown>"


def running(name="main", ready=True, restarts=0, finished=None):
    entry = {"name": name, "ready": ready, "restartCount": restarts, "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}}}
    return {**entry, "lastState": {"terminated": {"exitCode": 1, "finishedAt": finished}}} if finished else entry


def waiting(reason, name="main", restarts=0):
    return {"name": name, "ready": False, "restartCount": restarts, "state": {"waiting": {"reason": reason}}}


def ended(name="main", **how):
    return {"name": name, "ready": False, "restartCount": 0, "state": {"terminated": how}}


def pod(*containers, phase="Running", init=(), init_spec=(), ready=None, initialized=None, deleting=False, reason="", gates=(), count=None):
    conditions = [{"type": type_, "status": str(value)} for type_, value in (("Ready", ready), ("Initialized", initialized))
                  if value is not None]
    return {
        "metadata": {"name": "web", "namespace": "default", **({"deletionTimestamp": "2026-01-01T00:00:30Z"} if deleting else {})},
        "spec": {"containers": [{"name": entry["name"]} for entry in containers] or [{"name": "main"}] * (count or 1),
                 "initContainers": list(init_spec) or [{"name": entry["name"]} for entry in init]},
        "status": {"phase": phase, "conditions": conditions + list(gates), "containerStatuses": list(containers),
                   "initContainerStatuses": list(init), **({"reason": reason} if reason else {})},
    }


GATED = {"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"}
SIDECAR = ({"name": "proxy", "restartPolicy": "Always"},)


@pytest.mark.parametrize(("obj", "ready", "status", "restarts"), [
    (pod(phase="Pending"), "0/1", "Pending", 0),
    (pod(phase="Pending", gates=[GATED]), "0/1", "SchedulingGated", 0),
    (pod(waiting("ContainerCreating"), phase="Pending"), "0/1", "ContainerCreating", 0),
    (pod(waiting("ImagePullBackOff"), phase="Pending"), "0/1", "ImagePullBackOff", 0),
    (pod(running()), "1/1", "Running", 0),
    (pod(running(ready=False)), "0/1", "Running", 0),
    (pod(running("a"), running("b", restarts=2)), "2/2", "Running", 2),
    (pod(waiting("CrashLoopBackOff", restarts=4)), "0/1", "CrashLoopBackOff", 4),
    (pod(ended(exitCode=0, reason="Completed"), phase="Succeeded"), "0/1", "Completed", 0),
    (pod(ended(exitCode=1, reason="Error"), phase="Failed"), "0/1", "Error", 0),
    (pod(ended(exitCode=137, reason="OOMKilled")), "0/1", "OOMKilled", 0),
    (pod(ended(exitCode=3), phase="Failed"), "0/1", "ExitCode:3", 0),
    (pod(ended(exitCode=137, signal=9), phase="Failed"), "0/1", "Signal:9", 0),
    (pod(phase="Failed", reason="Evicted"), "0/1", "Evicted", 0),
    # the first container that has something to say says it
    (pod(waiting("CrashLoopBackOff", "a"), waiting("ErrImagePull", "b")), "0/2", "CrashLoopBackOff", 0),
    # one container is through, another goes on
    (pod(ended("a", exitCode=0, reason="Completed"), running("b"), ready=True), "1/2", "Running", 0),
    (pod(ended("a", exitCode=0, reason="Completed"), running("b"), ready=False), "1/2", "NotReady", 0),
    # init containers
    (pod(waiting("PodInitializing"), phase="Pending", init=[running("i")]), "0/1", "Init:0/1", 0),
    (pod(waiting("PodInitializing"), phase="Pending", init=[waiting("PodInitializing", "i")]), "0/1", "Init:0/1", 0),
    (pod(waiting("PodInitializing"), phase="Pending", init=[ended("i", exitCode=0, reason="Completed"), running("j")]),
     "0/1", "Init:1/2", 0),
    (pod(waiting("PodInitializing"), phase="Pending", init=[ended("i", exitCode=0, reason="Completed")]), "0/1", "PodInitializing", 0),
    (pod(waiting("PodInitializing"), phase="Pending", init=[waiting("CrashLoopBackOff", "i", 3)]), "0/1", "Init:CrashLoopBackOff", 3),
    (pod(waiting("PodInitializing"), phase="Pending", init=[ended("i", exitCode=1, reason="Error")]), "0/1", "Init:Error", 0),
    (pod(waiting("PodInitializing"), phase="Pending", init=[ended("i", exitCode=7)]), "0/1", "Init:ExitCode:7", 0),
    (pod(waiting("PodInitializing"), phase="Pending", init=[ended("i", exitCode=137, signal=9)]), "0/1", "Init:Signal:9", 0),
    # restarts of init containers count only until they are through, those of sidecars always
    (pod(running(restarts=1), init=[{**ended("i", exitCode=0, reason="Completed"), "restartCount": 5}]), "1/1", "Running", 1),
    (pod(running(restarts=1), init_spec=SIDECAR, init=[{**running("proxy", restarts=2), "started": True}], initialized=True),
     "2/2", "Running", 3),
    (pod(waiting("PodInitializing"), phase="Pending", init_spec=SIDECAR, init=[{**running("proxy", ready=False), "started": False}]),
     "0/2", "Init:0/1", 0),
    # deleting
    (pod(running(), deleting=True), "1/1", "Terminating", 0),
    (pod(phase="Pending", deleting=True), "0/1", "Terminating", 0),
    (pod(ended(exitCode=0, reason="Completed"), phase="Succeeded", deleting=True), "0/1", "Completed", 0),
    (pod(running(), deleting=True, reason="NodeLost"), "1/1", "Unknown", 0),
    (pod(running(), reason="NodeLost"), "1/1", "NodeLost", 0),
])
def test_a_pod_is_summed_up_from_its_containers(obj, ready, status, restarts):
    said = printing.pod_status(obj)
    assert (said.ready, said.status, said.restarts) == (ready, status, restarts)


def test_restarts_say_how_long_ago_the_last_container_ended():
    clock = Clock(now=60.0)
    first, last = clock.timestamp(10), clock.timestamp(55)
    twice = printing.pod_status(pod(running("a", restarts=1, finished=last), running("b", restarts=1, finished=first)))
    assert twice.restarts_column(clock.now, clock) == "2 (5s ago)"
    assert printing.pod_status(pod(running())).restarts_column(clock.now, clock) == "0"
    assert printing.pod_status(pod(running(restarts=3))).restarts_column(clock.now, clock) == "3"


@pytest.mark.parametrize(("conditions", "unschedulable", "shown"), [
    ([{"type": "Ready", "status": "True"}], False, "Ready"),
    ([{"type": "Ready", "status": "False"}], False, "NotReady"),
    ([{"type": "Ready", "status": "Unknown"}], False, "NotReady"),
    ([], False, "Unknown"),
    ([{"type": "MemoryPressure", "status": "False"}, {"type": "Ready", "status": "True"}], True, "Ready,SchedulingDisabled"),
])
def test_a_node_is_ready_or_not_and_says_when_it_is_cordoned(conditions, unschedulable, shown):
    node = {"metadata": {"name": "w1"}, "spec": {"unschedulable": True} if unschedulable else {}, "status": {"conditions": conditions}}
    assert printing.node_status(node) == shown


def test_the_roles_of_a_node_come_from_its_labels():
    labels = {"node-role.kubernetes.io/control-plane": "", "node-role.kubernetes.io/": "", "kubernetes.io/role": "etcd", "app": "x"}
    assert printing.node_roles({"metadata": {"labels": labels}}) == ["control-plane", "etcd"]
    assert printing.node_roles({"metadata": {}}) == []


@pytest.mark.parametrize(("spec", "ingress", "shown"), [
    ({"type": "ClusterIP"}, [], "<none>"),
    ({"type": "NodePort", "externalIPs": ["10.1.1.1", "10.1.1.2"]}, [], "10.1.1.1,10.1.1.2"),
    ({"type": "LoadBalancer"}, [], "<pending>"),
    ({"type": "LoadBalancer"}, [{"ip": "192.168.1.12"}, {"ip": "192.168.1.11"}], "192.168.1.11,192.168.1.12"),
    ({"type": "LoadBalancer"}, [{"hostname": "lb.example.com"}], "lb.example.com"),
    ({"type": "LoadBalancer", "externalIPs": ["10.1.1.1"]}, [{"ip": "192.168.1.11"}], "192.168.1.11,10.1.1.1"),
    ({"type": "ExternalName", "externalName": "db.example.com"}, [], "db.example.com"),
])
def test_what_outsiders_reach_a_service_by(spec, ingress, shown):
    assert printing.service_external_ip({"spec": spec, "status": {"loadBalancer": {"ingress": ingress}}}) == shown


def test_the_ports_of_a_service():
    ports = [{"port": 80, "nodePort": 30210, "protocol": "TCP"}, {"port": 53, "protocol": "UDP"}]
    assert printing.service_ports({"spec": {"ports": ports}}) == "80:30210/TCP,53/UDP"
    assert printing.service_ports({"spec": {}}) == "<none>"


@pytest.mark.parametrize(("subsets", "shown"), [
    ([], "<none>"),
    ([{"addresses": [{"ip": "10.0.0.1"}], "ports": [{"port": 80}]}], "10.0.0.1:80"),
    ([{"addresses": [{"ip": "10.0.0.1"}, {"ip": "10.0.0.2"}], "ports": [{"name": "a", "port": 80}, {"name": "b", "port": 443}]}],
     "10.0.0.1:80,10.0.0.2:80,10.0.0.1:443 + 1 more..."),
    ([{"addresses": [{"ip": "10.0.0.1"}]}], "10.0.0.1"),
    ([{"notReadyAddresses": [{"ip": "10.0.0.1"}], "ports": [{"port": 80}]}], ""),
    ([{"addresses": [{"ip": "fd00::1"}], "ports": [{"port": 80}]}], "[fd00::1]:80"),
])
def test_endpoints_are_listed_up_to_three(subsets, shown):
    assert printing.endpoints({"subsets": subsets}) == shown


def test_a_selector_as_text_is_in_order_of_key():
    selector = {"matchLabels": {"tier": "front", "app": "web"},
                "matchExpressions": [{"key": "env", "operator": "In", "values": ["prod", "dev"]},
                                     {"key": "old", "operator": "DoesNotExist"}, {"key": "new", "operator": "Exists"},
                                     {"key": "zone", "operator": "NotIn", "values": ["a"]}]}
    assert printing.selector(selector) == "app=web,env in (dev,prod),new,!old,tier=front,zone notin (a)"
    assert printing.selector(None) == "<none>"


def test_an_event_recorded_as_a_series_takes_its_last_time_and_count_from_it():
    series = {"eventTime": "2026-01-01T00:00:01Z", "series": {"count": 7, "lastObservedTime": "2026-01-01T00:00:09Z"}}
    assert printing.event_times(series) == ("2026-01-01T00:00:01Z", "2026-01-01T00:00:09Z", 7)
    assert printing.event_times({"firstTimestamp": "a", "lastTimestamp": "b", "count": 3}) == ("a", "b", 3)
    assert printing.event_times({"eventTime": "a"}) == ("a", "a", 1)
