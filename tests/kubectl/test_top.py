"""kubectl top, autoscale, get and describe hpa: what they print, which was held against the real kubectl 1.36 on the same room."""

from __future__ import annotations

import json

import pytest
from terminal import Terminal

from server.cluster.cluster import Cluster

HPA_V1 = """
apiVersion: autoscaling/v1
kind: HorizontalPodAutoscaler
metadata: {name: one}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  maxReplicas: 3
  targetCPUUtilizationPercentage: 70
"""
HPA_V2 = """
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: many}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  minReplicas: 2
  maxReplicas: 9
  metrics:
  - {type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 50}}}
  - {type: Resource, resource: {name: memory, target: {type: AverageValue, averageValue: 200Mi}}}
  - {type: Pods, pods: {metric: {name: hits}, target: {type: AverageValue, averageValue: 1k}}}
  behavior:
    scaleDown: {stabilizationWindowSeconds: 60, policies: [{type: Pods, value: 1, periodSeconds: 30}]}
"""


@pytest.fixture
def terminal() -> Terminal:
    return Terminal(Cluster(seed=11, metrics_server=True), {"one.yaml": HPA_V1, "many.yaml": HPA_V2})


def said(terminal: Terminal, line: str) -> str:
    result = terminal.run(line)
    assert result.code == 0, result
    return result.stdout


def refused(terminal: Terminal, line: str) -> str:
    result = terminal.run(line)
    assert result.code == 1 and result.stdout == "", result
    return result.stderr


# top


def test_nodes_are_printed_with_shares_of_what_they_can_give(terminal):
    assert said(terminal, "kubectl top nodes").splitlines()[:2] == [
        "NAME     CPU(cores)   CPU(%)   MEMORY(bytes)   MEMORY(%)   ",
        "m-k8s    127m         6%       962Mi           24%         "]
    assert said(terminal, "kubectl top node m-k8s --no-headers --show-capacity") == "m-k8s   127m   6%    962Mi   23%   \n"
    by_memory = said(terminal, "kubectl top node --sort-by=memory --no-headers").split("\n")[:4]
    amounts = [int(line.split()[3].removesuffix("Mi")) for line in by_memory]
    assert amounts == sorted(amounts, reverse=True)


def test_pods_are_printed_by_namespace_label_and_container(terminal):
    lines = said(terminal, "kubectl top pod -n kube-system -l component=etcd --containers").splitlines()
    assert lines == ["POD          NAME   CPU(cores)   MEMORY(bytes)   ", "etcd-m-k8s   etcd   18m          46Mi            "]
    everywhere = said(terminal, "kubectl top pods -A --sort-by=cpu").splitlines()
    assert everywhere[0].split() == ["NAMESPACE", "NAME", "CPU(cores)", "MEMORY(bytes)"]
    assert everywhere[1].split()[1] == "kube-apiserver-m-k8s"


def test_the_sum_stands_under_a_rule(terminal):
    *rows, rule, total = said(terminal, "kubectl top pod -n kube-system --sum").splitlines()
    cpu = sum(int(row.split()[1].removesuffix("m")) for row in rows[1:])
    assert rule.split() == ["________", "________"]
    assert abs(int(total.split()[0].removesuffix("m")) - cpu) <= len(rows)


def test_a_room_without_metrics_server_has_no_metrics_api():
    terminal = Terminal(Cluster(seed=11))
    assert refused(terminal, "kubectl top nodes") == "error: Metrics API not available\n"
    assert refused(terminal, "kubectl top pods") == "error: Metrics API not available\n"


def test_a_metrics_server_that_is_down_is_unavailable(terminal):
    said(terminal, "kubectl scale deployment metrics-server -n kube-system --replicas=0")
    terminal.cluster.clock.run_for(40)
    assert refused(terminal, "kubectl top nodes") == (
        "Error from server (ServiceUnavailable): the server is currently unable to handle the request (get nodes.metrics.k8s.io)\n")


def test_young_pods_have_no_metrics_yet_and_an_empty_namespace_has_no_pods(terminal):
    result = terminal.run("kubectl top pods")
    assert (result.stdout, result.stderr, result.code) == ("", "No resources found in default namespace.\n", 0)
    said(terminal, "kubectl run web --image=nginx")
    terminal.cluster.clock.run_for(3)
    assert refused(terminal, "kubectl top pods") == "error: metrics not available yet\n"
    said(terminal, "kubectl run wrong --image=nginx:0.0.0")
    said(terminal, "kubectl delete pod web")
    terminal.cluster.clock.run_for(150)
    assert refused(terminal, "kubectl top pods").startswith("error: Metrics not available for pod default/wrong, age: 2m")


@pytest.mark.parametrize(("line", "message"), [
    ("top node a b", "error: node [NAME | -l label]\nSee 'kubectl top node -h' for help and examples\n"),
    ("top pod a -l x=y", "error: only one of NAME or selector can be provided\n"),
    ("top node a -l x=y", "error: only one of NAME or --selector can be provided\n"),
    ("top pod --sort-by=name", "error: --sort-by accepts only cpu or memory\n"),
    ("top pod nope", 'Error from server (NotFound): pods "default/nope" not found\n'),
    ("top node nope", 'Error from server (NotFound): nodes "nope" not found\n')])
def test_what_cannot_be_asked_is_refused_in_kubectls_words(terminal, line, message):
    assert refused(terminal, f"kubectl {line}") == message


def test_metrics_can_be_got_like_other_resources(terminal):
    lines = said(terminal, "kubectl get podmetrics -n kube-system").splitlines()
    assert lines[0].split() == ["NAME", "CPU", "MEMORY", "WINDOW"] and lines[1].split()[-1] == "15s"
    node = json.loads(said(terminal, "kubectl get nodes.metrics.k8s.io w1-k8s -o json"))
    assert (node["kind"], node["apiVersion"], node["window"]) == ("NodeMetrics", "metrics.k8s.io/v1beta1", "15s")


# autoscalers


@pytest.fixture
def scaled(terminal: Terminal) -> Terminal:
    said(terminal, "kubectl create deployment web --image=nginx --replicas=2")
    said(terminal, "kubectl set resources deployment web --requests=cpu=100m,memory=64Mi")
    terminal.cluster.clock.run_for(400)
    return terminal


def test_autoscale_says_what_it_did_and_get_shows_it(scaled):
    assert said(scaled, "kubectl autoscale deploy web --min=2 --max=5 --cpu=80%") == "horizontalpodautoscaler.autoscaling/web autoscaled\n"
    assert said(scaled, "kubectl get hpa").splitlines() == [
        "NAME   REFERENCE        TARGETS              MINPODS   MAXPODS   REPLICAS   AGE",
        "web    Deployment/web   cpu: <unknown>/80%   2         5         0          0s"]
    scaled.cluster.clock.run_for(20)
    assert said(scaled, "kubectl get hpa").splitlines()[1] == "web    Deployment/web   cpu: 1%/80%   2         5         2          20s"


def test_the_old_flag_is_deprecated_and_excludes_the_new_one(scaled):
    result = scaled.run("kubectl autoscale deploy web --max=3 --cpu-percent=50")
    assert result.stderr == ("Flag --cpu-percent has been deprecated, Use --cpu with percentage or resource quantity format "
                             "(e.g., '70%' for utilization or '500m' for milliCPU).\n")
    assert "--cpu-percent and --cpu are mutually exclusive" in refused(scaled, "kubectl autoscale deploy web --max=3 --cpu-percent=50 --cpu=5%")


@pytest.mark.parametrize(("flags", "target"), [
    ("--cpu=500m", {"type": "AverageValue", "averageValue": "500m"}), ("--cpu=500", {"type": "AverageValue", "averageValue": "500m"}),
    ("--cpu=1.5", {"type": "AverageValue", "averageValue": "1500u"}), ("--memory=200", {"type": "AverageValue", "averageValue": "200Mi"}),
    ("--memory=70%", {"type": "Utilization", "averageUtilization": 70})])
def test_amounts_without_a_unit_are_milli_and_mebi(scaled, flags, target):
    made = json.loads(said(scaled, f"kubectl autoscale deploy web --max=3 {flags} --dry-run=client -o json"))
    assert [metric["resource"]["target"] for metric in made["spec"]["metrics"]] == [target]


def test_describe_shows_metrics_behavior_conditions_and_events(scaled):
    said(scaled, "kubectl apply -f many.yaml")
    scaled.cluster.clock.run_for(20)
    text = said(scaled, "kubectl describe hpa many")
    assert "Metrics:                                               ( current / target )\n" in text
    assert "  resource cpu on pods  (as a percentage of request):  1% (1m) / 50%\n" in text
    assert "  resource memory on pods:                             3563520 / 200Mi\n" in text
    assert '  "hits" on pods:                                      <unknown> / 1k\n' in text
    assert ("  Scale Down:\n    Stabilization Window: 60 seconds\n    Select Policy: Max\n    Policies:\n"
            "      - Type: Pods  Value: 1  Period: 30 seconds\n") in text
    assert "Deployment pods:" in text and "FailedGetPodsMetric" in text
    assert said(scaled, "kubectl get hpa many").splitlines()[1].startswith(
        "many   Deployment/web   cpu: 1%/50%, memory: 3563520/200Mi + 1 more...   2         9 ")


def test_the_old_version_is_served_and_what_it_has_no_field_for_is_in_annotations(scaled):
    assert said(scaled, "kubectl apply -f one.yaml") == "horizontalpodautoscaler.autoscaling/one created\n"
    assert said(scaled, "kubectl apply -f one.yaml") == "horizontalpodautoscaler.autoscaling/one unchanged\n"
    stored = json.loads(said(scaled, "kubectl get hpa one -o json"))
    assert stored["apiVersion"] == "autoscaling/v2"
    assert stored["spec"]["metrics"] == [
        {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}}}]
    said(scaled, "kubectl patch horizontalpodautoscalers.v1.autoscaling one -p '{\"spec\":{\"targetCPUUtilizationPercentage\":30}}'")
    assert json.loads(said(scaled, "kubectl get hpa one -o json"))["spec"]["metrics"][0]["resource"]["target"]["averageUtilization"] == 30
    said(scaled, "kubectl delete hpa one")
    said(scaled, "kubectl apply -f many.yaml")
    scaled.cluster.clock.run_for(20)
    old = json.loads(said(scaled, "kubectl get horizontalpodautoscalers.v1.autoscaling many -o json"))
    assert old["apiVersion"] == "autoscaling/v1" and old["spec"]["targetCPUUtilizationPercentage"] == 50
    annotations = {name.rpartition("/")[2]: value for name, value in old["metadata"]["annotations"].items()}
    assert json.loads(annotations["metrics"]) == [
        {"type": "Resource", "resource": {"name": "memory", "targetAverageValue": "200Mi"}},
        {"type": "Pods", "pods": {"metricName": "hits", "targetAverageValue": "1k"}}]
    assert json.loads(annotations["behavior"])["scaleDown"]["stabilizationWindowSeconds"] == 60
    assert {entry["type"] for entry in json.loads(annotations["conditions"])} >= {"AbleToScale", "ScalingActive"}


def test_what_is_read_in_the_old_version_can_be_written_back_without_loss(scaled):
    said(scaled, "kubectl apply -f many.yaml")
    scaled.cluster.clock.run_for(20)
    before = json.loads(said(scaled, "kubectl get hpa many -o json"))
    old = said(scaled, "kubectl get horizontalpodautoscalers.v1.autoscaling many -o json")
    scaled.files.write("old.json", old)
    assert said(scaled, "kubectl replace -f old.json") == "horizontalpodautoscaler.autoscaling/many replaced\n"
    after = json.loads(said(scaled, "kubectl get hpa many -o json"))
    assert after["spec"] == before["spec"]


def test_api_versions_and_resources_list_what_is_served(terminal):
    versions = said(terminal, "kubectl api-versions").split()
    assert {"autoscaling/v1", "autoscaling/v2", "metrics.k8s.io/v1beta1", "events.k8s.io/v1"} <= set(versions)
    listed = [line.split() for line in said(terminal, "kubectl api-resources").splitlines()]
    assert ["nodes", "metrics.k8s.io/v1beta1", "false", "NodeMetrics"] in listed
    assert [row[2] for row in listed if row[0] == "horizontalpodautoscalers"] == ["autoscaling/v2"]
    assert "metrics.k8s.io/v1beta1" not in said(Terminal(Cluster(seed=1)), "kubectl api-versions").split()


def test_events_can_be_read_in_their_own_group(scaled):
    plain = said(scaled, "kubectl get events --no-headers")
    assert said(scaled, "kubectl get events.events.k8s.io --no-headers") == plain != ""
    event = json.loads(said(scaled, "kubectl get events.events.k8s.io -o json"))["items"][0]
    assert event["apiVersion"] == "events.k8s.io/v1" and {"regarding", "note", "deprecatedSource"} <= event.keys()


def test_the_example_installs_the_metrics_server():
    from tests.rooms.desk import Desk

    terminal = Desk(Cluster(seed=11))
    url = "https://github.com/kubernetes-sigs/metrics-server/releases/latest/download/components.yaml"
    assert "deployment.apps/metrics-server created" in said(terminal, f"kubectl apply -f {url}")
    terminal.cluster.clock.run_for(90)
    assert said(terminal, "kubectl top node --no-headers").count("\n") == 4
    assert "unchanged" in said(terminal, "kubectl apply -f metrics-server.yaml")
