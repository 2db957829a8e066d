"""The API from inside a pod: what the token in its volume opens, and what it does not.

Source: https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/
"""

import base64
import json

import pytest

from server.cluster.apiserver import authentication, door
from server.cluster.cluster import Cluster
from tests.rooms.desk import Desk

FOLDER = "/var/run/secrets/kubernetes.io/serviceaccount"
HEAD = ("APISERVER=https://kubernetes.default.svc; SERVICEACCOUNT=/var/run/secrets/kubernetes.io/serviceaccount; "
        "NAMESPACE=$(cat ${SERVICEACCOUNT}/namespace); TOKEN=$(cat ${SERVICEACCOUNT}/token); CACERT=${SERVICEACCOUNT}/ca.crt; ")
ALLOWED = 'curl -s --cacert ${CACERT} --header "Authorization: Bearer ${TOKEN}" -X GET ${APISERVER}'


@pytest.fixture(scope="module")
def desk() -> Desk:
    desk = Desk(Cluster(seed=4))
    desk.run("kubectl run client --image=curlimages/curl --command -- sleep 1d; kubectl wait --for=condition=Ready pod/client")
    return desk


def inside(desk: Desk, script: str):
    return desk.run(f"kubectl exec client -- sh -c '{HEAD}{script}'")


def asked(desk: Desk, script: str) -> dict:
    return json.loads(inside(desk, script).stdout)


def test_the_documentations_curl_lists_the_versions_of_the_api(desk: Desk) -> None:
    assert inside(desk, f"{ALLOWED}/api").stdout == (
        '{\n  "kind": "APIVersions",\n  "versions": [\n    "v1"\n  ],\n  "serverAddressByClientCIDRs": [\n    {\n'
        '      "clientCIDR": "0.0.0.0/0",\n      "serverAddress": "kubernetes.default.svc"\n    }\n  ]\n}')


def test_a_service_account_that_nobody_gave_a_role_may_list_no_pods(desk: Desk) -> None:
    said = asked(desk, ALLOWED + "/api/v1/namespaces/${NAMESPACE}/pods")
    assert (said["code"], said["reason"], said["details"]) == (403, "Forbidden", {"kind": "pods"})
    assert said["message"] == ('pods is forbidden: User "system:serviceaccount:default:default" cannot list resource "pods" in API group "" '
                               'in the namespace "default"')


def test_another_token_is_nobodys(desk: Desk) -> None:
    for header in ("Bearer nope", "Bearer ${TOKEN}x", "Basic YWRtaW46YWRtaW4="):
        said = asked(desk, f'curl -sk -H "Authorization: {header}" ${{APISERVER}}/api')
        assert (said["code"], said["reason"], said["message"]) == (401, "Unauthorized", "Unauthorized")


def test_without_a_token_there_is_health_and_version_and_no_more(desk: Desk) -> None:
    assert inside(desk, "curl -sk ${APISERVER}/healthz").stdout == "ok"
    assert asked(desk, "curl -sk ${APISERVER}/version")["gitVersion"] == "v1.36.2"
    assert asked(desk, "curl -sk ${APISERVER}/api")["message"] == 'forbidden: User "system:anonymous" cannot get path "/api"'
    assert asked(desk, "curl -sk ${APISERVER}/api/v1/nodes")["message"] == (
        'nodes is forbidden: User "system:anonymous" cannot list resource "nodes" in API group "" at the cluster scope')


def test_without_the_clusters_certificate_curl_believes_nobody(desk: Desk) -> None:
    assert inside(desk, "curl -s ${APISERVER}/api").code == 60


def test_discovery_is_for_whoever_has_a_token(desk: Desk) -> None:
    assert asked(desk, f"{ALLOWED}/apis/apps/v1")["groupVersion"] == "apps/v1"
    assert asked(desk, f"{ALLOWED}/nosuch")["message"] == 'forbidden: User "system:serviceaccount:default:default" cannot get path "/nosuch"'


def test_the_token_says_for_whom_it_is(desk: Desk) -> None:
    token = desk.run(f"kubectl exec client -- cat {FOLDER}/token").stdout
    claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    assert claims["sub"] == "system:serviceaccount:default:default"
    assert claims["kubernetes.io"]["pod"]["name"] == "client"
    assert claims["aud"] == ["https://kubernetes.default.svc.cluster.local"]


def test_a_token_ends_with_its_pod_and_holds_for_its_audience_only() -> None:
    cluster = Cluster(seed=4)
    client = cluster.client()
    client.create("pods", {"metadata": {"name": "a", "namespace": "default"}, "spec": {"containers": [{"name": "a", "image": "nginx"}]}})
    cluster.clock.run_for(20)
    pod = client.get("pods", "default", "a")

    def code(token: str) -> int:
        return door.answer(cluster.api, "GET", "/api", {"Authorization": f"Bearer {token}"}, "")[0]

    token = authentication.issue(cluster.api, pod)
    assert code(token) == 200
    assert code(authentication.issue(cluster.api, pod, "vault")) == 401
    assert code(authentication.issue(Cluster(seed=5).api, pod)) == 401
    client.delete("pods", "default", "a", grace_period=0)
    assert code(token) == 401


def test_what_may_do_everything_reads_lists_and_writes_through_the_door() -> None:
    cluster = Cluster(seed=4)
    cluster.client().create("serviceaccounts", {"metadata": {"name": "deployment-controller", "namespace": "kube-system"}})
    cluster.client().create("pods", {"metadata": {"name": "a", "namespace": "kube-system"}, "spec": {
        "serviceAccountName": "deployment-controller", "containers": [{"name": "a", "image": "nginx"}]}})
    cluster.clock.run_for(20)
    token = authentication.issue(cluster.api, cluster.client().get("pods", "kube-system", "a"))

    def ask(method: str, path: str, body: str = "", **headers: str) -> tuple[int, str]:
        status, _, text = door.answer(cluster.api, method, path, {"Authorization": f"Bearer {token}", **headers}, body)
        return status, text

    listed = json.loads(ask("GET", "/api/v1/nodes?limit=2")[1])
    assert listed["kind"] == "NodeList" and len(listed["items"]) == 2
    made = json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "made"}, "data": {"a": "b"}})
    assert ask("POST", "/api/v1/namespaces/default/configmaps", made, **{"Content-Type": "application/json"})[0] == 201
    assert ask("GET", "/api/v1/namespaces/default/configmaps/made")[0] == 200
    assert ask("GET", "/api/v1/namespaces/default/configmaps?watch=1")[0] == 400
    assert ask("DELETE", "/api/v1/namespaces/default/configmaps/made")[0] == 200
    assert ask("GET", "/api/v1/namespaces/default/configmaps/made")[0] == 404
