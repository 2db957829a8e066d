"""Server-printed tables of every kind: columns and rows."""

import pytest

from server.cluster.apiserver import tables
from server.cluster.apiserver.resources import RESOURCES
from server.cluster.clock import Clock

# name:priority, as a v1.36 API server sends them
COLUMNS = {
    "namespaces": "Name:0 Status:0 Age:0",
    "nodes": "Name:0 Status:0 Roles:0 Age:0 Version:0 Internal-IP:1 External-IP:1 OS-Image:1 Kernel-Version:1 Container-Runtime:1",
    "pods": "Name:0 Ready:0 Status:0 Restarts:0 Age:0 IP:1 Node:1 Nominated Node:1 Readiness Gates:1",
    "services": "Name:0 Type:0 Cluster-IP:0 External-IP:0 Port(s):0 Age:0 Selector:1",
    "endpoints": "Name:0 Endpoints:0 Age:0",
    "endpointslices.discovery.k8s.io": "Name:0 AddressType:0 Ports:0 Endpoints:0 Age:0",
    "configmaps": "Name:0 Data:0 Age:0",
    "secrets": "Name:0 Type:0 Data:0 Age:0",
    "serviceaccounts": "Name:0 Age:0",
    "events": "Last Seen:0 Type:0 Reason:0 Object:0 Subobject:1 Source:1 Message:0 First Seen:1 Count:1 Name:1",
    "leases.coordination.k8s.io": "Name:0 Holder:0 Age:0",
    "deployments.apps": "Name:0 Ready:0 Up-to-date:0 Available:0 Age:0 Containers:1 Images:1 Selector:1",
    "replicasets.apps": "Name:0 Desired:0 Current:0 Ready:0 Age:0 Containers:1 Images:1 Selector:1",
    "componentstatuses": "Name:0 Status:0 Message:0 Error:0",
    "persistentvolumeclaims": "Name:0 Status:0 Volume:0 Capacity:0 Access Modes:0 StorageClass:0 VolumeAttributesClass:0 Age:0 VolumeMode:1",
    "persistentvolumes": (
        "Name:0 Capacity:0 Access Modes:0 Reclaim Policy:0 Status:0 Claim:0 StorageClass:0 "
        "VolumeAttributesClass:0 Reason:0 Age:0 VolumeMode:1"),
    "podtemplates": "Name:0 Containers:0 Images:0 Pod Labels:0",
    "replicationcontrollers": "Name:0 Desired:0 Current:0 Ready:0 Age:0 Containers:1 Images:1 Selector:1",
    "controllerrevisions.apps": "Name:0 Controller:0 Revision:0 Age:0",
    "daemonsets.apps": "Name:0 Desired:0 Current:0 Ready:0 Up-to-date:0 Available:0 Node Selector:0 Age:0 Containers:1 Images:1 Selector:1",
    "statefulsets.apps": "Name:0 Ready:0 Age:0 Containers:1 Images:1",
    "horizontalpodautoscalers.autoscaling": "Name:0 Reference:0 Targets:0 MinPods:0 MaxPods:0 Replicas:0 Age:0",
    "cronjobs.batch": "Name:0 Schedule:0 Timezone:0 Suspend:0 Active:0 Last Schedule:0 Age:0 Containers:1 Images:1 Selector:1",
    "jobs.batch": "Name:0 Status:0 Completions:0 Duration:0 Age:0 Containers:1 Images:1 Selector:1",
    "poddisruptionbudgets.policy": "Name:0 Min Available:0 Max Unavailable:0 Allowed Disruptions:0 Age:0",
    "priorityclasses.scheduling.k8s.io": "Name:0 Value:0 Global-Default:0 Age:0 PreemptionPolicy:0",
    "csidrivers.storage.k8s.io": "Name:0 AttachRequired:0 PodInfoOnMount:0 StorageCapacity:0 TokenRequests:0 RequiresRepublish:0 Modes:0 Age:0",
    "ingressclasses.networking.k8s.io": "Name:0 Controller:0 Parameters:0 Age:0",
    "ingresses.networking.k8s.io": "Name:0 Class:0 Hosts:0 Address:0 Ports:0 Age:0",
    "networkpolicies.networking.k8s.io": "Name:0 Pod-Selector:0 Age:0",
    "csinodes.storage.k8s.io": "Name:0 Drivers:0 Age:0",
    "storageclasses.storage.k8s.io": "Name:0 Provisioner:0 ReclaimPolicy:0 VolumeBindingMode:0 AllowVolumeExpansion:0 Age:0",
    "volumeattachments.storage.k8s.io": "Name:0 Attacher:0 PV:0 Node:0 Attached:0 Age:0",
}
NOW = 600.0


@pytest.fixture
def clock():
    return Clock(now=NOW)


def cells(resource, obj, clock, ago=63):
    obj["metadata"] = {"name": "it", "namespace": "default", "creationTimestamp": clock.timestamp(NOW - ago), **obj.get("metadata", {})}
    table = tables.render(resource, [obj], clock.now, clock)
    assert len(table["rows"][0]["cells"]) == len(table["columnDefinitions"])
    return table["rows"][0]["cells"]


def test_every_kind_has_a_table_of_its_own():
    assert set(COLUMNS) == set(RESOURCES)


@pytest.mark.parametrize("resource", COLUMNS)
def test_the_columns_are_those_of_kubernetes(resource, clock):
    columns = tables.render(resource, [], clock.now, clock)["columnDefinitions"]
    assert " ".join(f"{column['name']}:{column['priority']}" for column in columns) == COLUMNS[resource]
    assert all(column["description"] and column["type"] in ("string", "integer", "boolean") for column in columns)
    assert [column["name"] for column in columns if column["format"] == "name"] == ["Name"]


def test_a_column_that_is_a_field_is_described_as_the_field_is(clock):
    age = tables.render("pods", [], clock.now, clock)["columnDefinitions"][4]
    assert age["description"].startswith("CreationTimestamp is a timestamp representing the server time when this object was created.")


def template(*images):
    return {"spec": {"containers": [{"name": image.split(":")[0], "image": image} for image in images]}}


def test_namespaces(clock):
    assert cells("namespaces", {"status": {"phase": "Active"}}, clock) == ["it", "Active", "63s"]


def test_nodes(clock):
    node = {
        "metadata": {"labels": {"node-role.kubernetes.io/control-plane": ""}},
        "spec": {"unschedulable": True},
        "status": {"conditions": [{"type": "Ready", "status": "True"}], "addresses": [{"type": "InternalIP", "address": "192.168.1.10"}],
                   "nodeInfo": {"kubeletVersion": "v1.36.2", "osImage": "Debian", "kernelVersion": "6.18", "architecture": "amd64",
                                "containerRuntimeVersion": "containerd://2.1"}}}
    assert cells("nodes", node, clock) == ["it", "Ready,SchedulingDisabled", "control-plane", "63s", "v1.36.2", "192.168.1.10", "<none>",
                                           "Debian", "6.18 (amd64)", "containerd://2.1"]
    assert cells("nodes", {}, clock) == ["it", "Unknown", "<none>", "63s", "", "<none>", "<none>", "<unknown>", "<unknown>", "<unknown>"]


def test_pods(clock):
    pod = {
        "spec": {"nodeName": "w1", "containers": [{"name": "a"}],
                 "readinessGates": [{"conditionType": "x/ready"}, {"conditionType": "x/other"}]},
        "status": {"phase": "Running", "podIPs": [{"ip": "10.244.1.2"}], "podIP": "10.244.1.2", "nominatedNodeName": "w2",
                   "conditions": [{"type": "x/ready", "status": "True"}],
                   "containerStatuses": [{"name": "a", "ready": True, "restartCount": 2, "state": {"running": {}},
                                          "lastState": {"terminated": {"finishedAt": clock.timestamp(NOW - 5)}}}]}}
    assert cells("pods", pod, clock) == ["it", "1/1", "Running", "2 (5s ago)", "63s", "10.244.1.2", "w1", "w2", "1/2"]
    bare = {"spec": {"containers": [{"name": "a"}]}, "status": {"phase": "Pending"}}
    assert cells("pods", bare, clock)[5:] == ["<none>", "<none>", "<none>", "<none>"]


@pytest.mark.parametrize(("phase", "condition"), [
    ("Succeeded", {"type": "Completed", "status": "True", "reason": "Succeeded", "message": "The pod has completed successfully."}),
    ("Failed", {"type": "Completed", "status": "True", "reason": "Failed", "message": "The pod failed."}),
    ("Running", None),
])
def test_the_row_of_a_pod_that_has_ended_says_so_in_a_condition(phase, condition, clock):
    pod = {"metadata": {"name": "it"}, "spec": {"containers": []}, "status": {"phase": phase}}
    row = tables.render("pods", [pod], clock.now, clock)["rows"][0]
    assert row.get("conditions") == ([condition] if condition else None)


def test_services(clock):
    service = {"spec": {"type": "NodePort", "clusterIP": "10.96.0.9", "clusterIPs": ["10.96.0.9"], "selector": {"b": "2", "a": "1"},
                        "ports": [{"port": 80, "nodePort": 30000, "protocol": "TCP"}]}}
    assert cells("services", service, clock) == ["it", "NodePort", "10.96.0.9", "<none>", "80:30000/TCP", "63s", "a=1,b=2"]
    named = {"spec": {"type": "ExternalName", "externalName": "db.example.com"}}
    assert cells("services", named, clock) == ["it", "ExternalName", "<none>", "db.example.com", "<none>", "63s", "<none>"]


def test_endpoints_and_endpoint_slices(clock):
    endpoints = {"subsets": [{"addresses": [{"ip": f"10.0.0.{n}"} for n in range(1, 6)], "ports": [{"port": 80}]}]}
    assert cells("endpoints", endpoints, clock) == ["it", "10.0.0.1:80,10.0.0.2:80,10.0.0.3:80 + 2 more...", "63s"]
    piece = {"addressType": "IPv4", "ports": [{"name": "web", "port": 80}, {"name": "any", "port": None}, {"port": None, "name": None}],
             "endpoints": [{"addresses": ["10.0.0.1"]}, {"addresses": ["10.0.0.2"]}]}
    assert cells("endpointslices.discovery.k8s.io", piece, clock) == ["it", "IPv4", "80,any,*", "10.0.0.1,10.0.0.2", "63s"]
    assert cells("endpointslices.discovery.k8s.io", {"addressType": "IPv4"}, clock)[2:4] == ["<unset>", "<unset>"]


def test_config_maps_secrets_and_service_accounts(clock):
    assert cells("configmaps", {"data": {"a": "1"}, "binaryData": {"b": "AA=="}}, clock) == ["it", 2, "63s"]
    assert cells("secrets", {"type": "Opaque", "data": {"a": "MQ=="}}, clock) == ["it", "Opaque", 1, "63s"]
    assert cells("serviceaccounts", {}, clock) == ["it", "63s"]


def test_events(clock):
    event = {"type": "Warning", "reason": "BackOff", "message": "Back-off restarting failed container \n", "count": 4,
             "firstTimestamp": clock.timestamp(NOW - 300), "lastTimestamp": clock.timestamp(NOW - 20),
             "involvedObject": {"kind": "Pod", "name": "web", "fieldPath": "spec.containers{nginx}"},
             "source": {"component": "kubelet", "host": "w1"}}
    assert cells("events", event, clock) == ["20s", "Warning", "BackOff", "pod/web", "spec.containers{nginx}", "kubelet, w1",
                                             "Back-off restarting failed container", "5m", 4, "it"]
    new = {"type": "Normal", "reason": "Scheduled", "eventTime": clock.microtime(NOW - 9), "involvedObject": {"kind": "Pod", "name": "web"},
           "reportingComponent": "default-scheduler", "reportingInstance": "default-scheduler-m"}
    source = "default-scheduler, default-scheduler-m"
    assert cells("events", new, clock)[:9] == ["9s", "Normal", "Scheduled", "pod/web", "", source, "", "9s", 1]


def test_leases(clock):
    assert cells("leases.coordination.k8s.io", {"spec": {"holderIdentity": "w1-k8s"}}, clock) == ["it", "w1-k8s", "63s"]


def test_deployments_and_replica_sets(clock):
    spec = {"replicas": 4, "selector": {"matchLabels": {"app": "web"}}, "template": template("nginx:1.27", "busybox")}
    status = {"replicas": 5, "readyReplicas": 5, "updatedReplicas": 2, "availableReplicas": 3}
    assert cells("deployments.apps", {"spec": spec, "status": status}, clock) == [
        "it", "5/4", 2, 3, "63s", "nginx,busybox", "nginx:1.27,busybox", "app=web"]
    assert cells("deployments.apps", {"spec": {**spec, "replicas": 0}}, clock)[1:4] == ["0/0", 0, 0]
    assert cells("replicasets.apps", {"spec": spec, "status": status}, clock) == [
        "it", 4, 5, 5, "63s", "nginx,busybox", "nginx:1.27,busybox", "app=web"]


def test_a_kind_without_columns_of_its_own_shows_when_it_was_made(clock):
    assert cells("scales.autoscaling", {}, clock) == ["it", clock.timestamp(NOW - 63)]
