"""Defaulting, against what a real v1.36 cluster stored for the same manifests."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.cluster.apiserver import defaults
from tests.cluster.apiserver.objects import POD_SPECS, deployment, made, pod, service


def test_a_deployment_is_filled_in_as_kubernetes_fills_it_in():
    _, obj = made(deployment())
    assert obj["spec"] == {
        "replicas": 1, "revisionHistoryLimit": 10, "progressDeadlineSeconds": 600, "selector": {"matchLabels": {"app": "x"}},
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}},
        "template": {"metadata": {"labels": {"app": "x"}}, "spec": {
            "containers": [{"name": "c", "image": "nginx", "imagePullPolicy": "Always", "resources": {},
                            "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File"}],
            "dnsPolicy": "ClusterFirst", "restartPolicy": "Always", "schedulerName": "default-scheduler", "securityContext": {},
            "terminationGracePeriodSeconds": 30}}}


def test_recreate_has_no_rolling_update():
    assert made(deployment(strategy="type: Recreate"))[1]["spec"]["strategy"] == {"type": "Recreate"}


def test_a_pod_besides_gets_service_links_requests_from_limits_and_host_ports():
    resources = "resources: {limits: {cpu: 1, memory: 1Gi}, requests: {cpu: 500m}}"
    _, obj = made(pod("hostNetwork: true", f"ports: [{{containerPort: 80}}], {resources}"))
    spec, container = obj["spec"], obj["spec"]["containers"][0]
    assert spec["enableServiceLinks"] is True
    assert container["resources"] == {"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "500m", "memory": "1Gi"}}
    assert container["ports"] == [{"containerPort": 80, "hostPort": 80, "protocol": "TCP"}]


@pytest.mark.parametrize(("volume", "filled"), [
    ("{name: v}", {"emptyDir": {}}),
    ("{name: v, secret: {secretName: s}}", {"secret": {"secretName": "s", "defaultMode": 420}}),
    ("{name: v, configMap: {name: s, defaultMode: 256}}", {"configMap": {"name": "s", "defaultMode": 256}}),
    ("{name: v, hostPath: {path: /x}}", {"hostPath": {"path": "/x", "type": ""}}),
    ("{name: v, emptyDir: {}}", {"emptyDir": {}}),
    ("{name: v, downwardAPI: {items: [{path: a, fieldRef: {fieldPath: metadata.name}}]}}",
     {"downwardAPI": {"defaultMode": 420, "items": [{"path": "a", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.name"}}]}}),
    ("{name: v, projected: {sources: [{serviceAccountToken: {path: t}}]}}",
     {"projected": {"defaultMode": 420, "sources": [{"serviceAccountToken": {"path": "t", "expirationSeconds": 3600}}]}}),
])
def test_volumes_are_filled_in(volume, filled):
    assert made(pod(f"volumes: [{volume}]"))[1]["spec"]["volumes"] == [{"name": "v", **filled}]


def test_probes_hooks_and_environment_are_filled_in():
    _, obj = made(pod(container="livenessProbe: {httpGet: {port: 80}}, readinessProbe: {grpc: {port: 1}, periodSeconds: 3}, "
                      "lifecycle: {preStop: {httpGet: {port: 1}}}, env: [{name: A, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}]"))
    container = obj["spec"]["containers"][0]
    assert container["livenessProbe"] == {"httpGet": {"path": "/", "port": 80, "scheme": "HTTP"}, "timeoutSeconds": 1, "periodSeconds": 10,
                                          "successThreshold": 1, "failureThreshold": 3}
    assert container["readinessProbe"] == {"grpc": {"port": 1, "service": ""}, "timeoutSeconds": 1, "periodSeconds": 3,
                                           "successThreshold": 1, "failureThreshold": 3}
    assert container["lifecycle"]["preStop"]["httpGet"] == {"path": "/", "port": 1, "scheme": "HTTP"}
    assert container["env"][0]["valueFrom"]["fieldRef"]["apiVersion"] == "v1"


@pytest.mark.parametrize(("image", "policy"), [
    ("nginx", "Always"), ("nginx:latest", "Always"), ("nginx:1.27", "IfNotPresent"), ("host:5000/nginx", "Always"),
    ("host:5000/nginx:1", "IfNotPresent"), ("nginx@sha256:" + "0" * 64, "IfNotPresent"),
    ("nginx:latest@sha256:" + "0" * 64, "IfNotPresent"),
])
def test_the_pull_policy_goes_by_the_tag(image, policy):
    text = f'{{apiVersion: v1, kind: Pod, metadata: {{name: t}}, spec: {{containers: [{{name: c, image: "{image}"}}]}}}}'
    assert made(text)[1]["spec"]["containers"][0]["imagePullPolicy"] == policy


def test_the_two_names_of_a_service_account_agree():
    spec = made(pod("serviceAccount: robot"))[1]["spec"]
    assert (spec["serviceAccountName"], spec["serviceAccount"]) == ("robot", "robot")


@pytest.mark.parametrize(("given_spec", "filled"), [
    ("ports: [{port: 80}]", {"type": "ClusterIP", "internalTrafficPolicy": "Cluster", "sessionAffinity": "None",
                             "ports": [{"port": 80, "targetPort": 80, "protocol": "TCP"}]}),
    ("type: NodePort, ports: [{port: 8080, targetPort: http, nodePort: 31472}]",
     {"type": "NodePort", "externalTrafficPolicy": "Cluster", "internalTrafficPolicy": "Cluster", "sessionAffinity": "None",
      "ports": [{"port": 8080, "targetPort": "http", "nodePort": 31472, "protocol": "TCP"}]}),
    ("type: LoadBalancer, externalTrafficPolicy: Local, ports: [{port: 1}]",
     {"type": "LoadBalancer", "externalTrafficPolicy": "Local", "internalTrafficPolicy": "Cluster", "sessionAffinity": "None",
      "allocateLoadBalancerNodePorts": True, "ports": [{"port": 1, "targetPort": 1, "protocol": "TCP"}]}),
    ("type: ExternalName, externalName: example.com", {"type": "ExternalName", "externalName": "example.com", "sessionAffinity": "None"}),
    ("sessionAffinity: ClientIP", {"type": "ClusterIP", "internalTrafficPolicy": "Cluster", "sessionAffinity": "ClientIP",
                                   "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 10800}}}),
])
def test_services_are_filled_in_by_their_type(given_spec, filled):
    assert made(service(given_spec))[1]["spec"] == filled


def test_the_other_kinds():
    namespace = made("{apiVersion: v1, kind: Namespace, metadata: {name: dev}}")[1]
    assert namespace["metadata"]["labels"] == {"kubernetes.io/metadata.name": "dev"}
    secret = made("{apiVersion: v1, kind: Secret, metadata: {name: s}, data: {a: YQ==, b: eA==}, stringData: {b: hé}}")[1]
    assert (secret["type"], secret["data"], "stringData" in secret) == ("Opaque", {"a": "YQ==", "b": "aMOp"}, False)
    endpoints = made("{apiVersion: v1, kind: Endpoints, metadata: {name: e}, subsets: [{ports: [{port: 1}]}]}")[1]
    assert endpoints["subsets"][0]["ports"] == [{"port": 1, "protocol": "TCP"}]
    node = made("{apiVersion: v1, kind: Node, metadata: {name: node}, status: {capacity: {cpu: 2}}}")[1]
    assert node["status"]["allocatable"] == {"cpu": "2"}


def test_pods_of_one_template_share_one_defaulted_spec():
    template = made(deployment())[1]["spec"]["template"]
    first = defaults.apply("pods", {"metadata": {"name": "a"}, "spec": template["spec"]})
    second = defaults.apply("pods", {"metadata": {"name": "b"}, "spec": template["spec"]})
    assert first["spec"] is second["spec"]
    assert first["spec"]["containers"] is template["spec"]["containers"]


@settings(deadline=None)
@given(POD_SPECS, st.sampled_from(["pods", "deployments.apps"]))
def test_defaulting_changes_nothing_it_was_given_and_is_done_once(spec, key):
    obj = {"metadata": {"name": "t"}, "spec": spec if key == "pods" else {"template": {"spec": spec}}}
    before = json.dumps(obj)
    done = defaults.apply(key, obj)
    assert json.dumps(obj) == before
    assert defaults.apply(key, done) is done
    fresh = json.loads(json.dumps(done))
    assert defaults.apply(key, fresh) == done
