"""Discovery, OpenAPI, version and health over HTTP."""

import gzip
import json

import pytest

from server.cluster.apiserver import openapi
from server.cluster.apiserver.resources import RESOURCES, VERSIONS

AGGREGATED = ("application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,"
              "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json")


def test_plain_discovery_lists_exactly_what_is_served(ask):
    assert ask("GET", "/api").json["versions"] == ["v1"]
    listed = [("", ask("GET", "/api/v1").json)]
    for group in ask("GET", "/apis").json["groups"]:
        assert ask("GET", f"/apis/{group['name']}").json["preferredVersion"] == group["preferredVersion"]
        listed.append((group["name"], ask("GET", f"/apis/{group['preferredVersion']['groupVersion']}").json))
    kinds = {(group, entry["name"]): entry for group, document in listed for entry in document["resources"]}
    rows = (*RESOURCES.values(), *VERSIONS.values())
    served = {(row.group, row.plural) for row in rows}
    served |= {(row.group, f"{row.plural}/{sub.name}") for row in rows for sub in row.subresources}
    assert set(kinds) == served
    assert kinds["", "pods/eviction"] == {"name": "pods/eviction", "singularName": "", "namespaced": True, "group": "policy",
                                          "version": "v1", "kind": "Eviction", "verbs": ["create"]}
    assert kinds["", "configmaps"]["storageVersionHash"] == "qFsyl6wFWjQ="
    assert kinds["apps", "deployments"]["storageVersionHash"] == "8aSe+NMegvE="


def test_everything_listed_can_be_asked_for(ask):
    for row in RESOURCES.values():
        root = f"/apis/{row.group}/{row.version}" if row.group else f"/api/{row.version}"
        assert ask("GET", f"{root}/{row.plural}").json["kind"] == f"{row.kind}List"


def test_aggregated_discovery_says_the_same_in_one_document(ask):
    core = ask("GET", "/api", headers={"Accept": AGGREGATED})
    assert core.content_type == "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
    assert core.json["kind"] == "APIGroupDiscoveryList" and core.json["apiVersion"] == "apidiscovery.k8s.io/v2"
    pods = next(entry for entry in core.json["items"][0]["versions"][0]["resources"] if entry["resource"] == "pods")
    assert (pods["scope"], pods["shortNames"], pods["categories"], pods["singularResource"]) == ("Namespaced", ["po"], ["all"], "pod")
    groups = ask("GET", "/apis", headers={"Accept": AGGREGATED}).json["items"]
    assert [entry["metadata"]["name"] for entry in groups] == [
        "apps", "events.k8s.io", "autoscaling", "batch", "networking.k8s.io", "policy", "storage.k8s.io", "scheduling.k8s.io", "coordination.k8s.io",
        "discovery.k8s.io"]
    scalers = next(entry for entry in groups if entry["metadata"]["name"] == "autoscaling")
    assert [version["version"] for version in scalers["versions"]] == ["v2", "v1"]
    assert ask("GET", "/apis", headers={"Accept": "application/json"}).json["kind"] == "APIGroupList"
    assert ask("GET", "/apis", headers={"Accept": AGGREGATED.split(",", 1)[1]}).json["kind"] == "APIGroupList"


def test_a_document_that_the_client_has_is_not_sent_again(ask):
    first = ask("GET", "/apis", headers={"Accept": AGGREGATED})
    again = ask("GET", "/apis", headers={"Accept": AGGREGATED, "If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304 and again.data == b""


def test_openapi_v3_has_a_document_for_each_group_and_its_hash(ask):
    paths = ask("GET", "/openapi/v3").json["paths"]
    assert set(paths) == {"api/v1", *(f"apis/{group}/v1" for group in (
        "apps", "autoscaling", "batch", "coordination.k8s.io", "discovery.k8s.io", "events.k8s.io", "networking.k8s.io", "policy",
        "scheduling.k8s.io", "storage.k8s.io")), "apis/autoscaling/v2"}
    for name, entry in paths.items():
        path, _, digest = entry["serverRelativeURL"].partition("?hash=")
        assert path == f"/openapi/v3/{name}"
        answer = ask("GET", entry["serverRelativeURL"])
        assert answer.json["openapi"] == "3.0.0" and answer.headers["ETag"] == f'"{digest}"'
    zipped = ask("GET", "/openapi/v3/api/v1", headers={"Accept-Encoding": "gzip"})
    assert json.loads(gzip.decompress(zipped.data))["info"]["title"] == "Kubernetes"


def test_kubectl_finds_in_openapi_how_to_patch_and_that_fields_are_validated(ask):
    document = ask("GET", "/openapi/v3/apis/apps/v1").json
    patch = document["paths"]["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"]["patch"]
    assert patch["x-kubernetes-group-version-kind"] == {"group": "apps", "version": "v1", "kind": "Deployment"}
    assert {"fieldValidation", "dryRun"} <= {parameter["name"] for parameter in patch["parameters"]}
    assert "application/strategic-merge-patch+json" in patch["requestBody"]["content"]
    spec = document["components"]["schemas"]["io.k8s.api.core.v1.PodSpec"]["properties"]
    assert spec["containers"]["x-kubernetes-patch-merge-key"] == "name"
    assert spec["nodeName"]["type"] == "string"


@pytest.mark.parametrize("build", [openapi.document_v2, *(lambda gv=gv: openapi.document_v3(*gv) for gv in openapi.group_versions())])
def test_every_reference_in_openapi_leads_somewhere(build):
    text = json.dumps(build())
    document = json.loads(text)
    schemas = document.get("definitions") or document["components"]["schemas"]
    references = {part.split('"')[0].rsplit("/", 1)[1] for part in text.split('"$ref": "')[1:]}
    assert references and references <= set(schemas)
    assert '"null"' not in text and "$defs" not in text


def test_openapi_v2_is_one_document(ask):
    answer = ask("GET", "/openapi/v2", headers={"Accept": "application/json"})
    assert answer.json["swagger"] == "2.0" and "io.k8s.api.core.v1.Pod" in answer.json["definitions"]
    refused = ask("GET", "/openapi/v2", headers={"Accept": "text/html"})
    assert (refused.status_code, refused.json["reason"]) == (406, "NotAcceptable")


def test_the_version_is_that_of_the_kubernetes_it_behaves_as(ask):
    version = ask("GET", "/version").json
    assert (version["major"], version["minor"], version["gitVersion"]) == ("1", "36", "v1.36.2")
    assert all(version[field] for field in ("gitCommit", "gitTreeState", "buildDate", "goVersion", "compiler", "platform"))


def test_health_is_ok_in_one_word_line_by_line_or_check_by_check(ask, room):
    for path in ("/healthz", "/livez", "/readyz", "/readyz/etcd", "/livez/ping"):
        assert ask("GET", path).data == b"ok"
    assert ask("GET", "/livez?verbose").data == b"[+]ping ok\n[+]etcd ok\nlivez check passed\n"
    assert ask("GET", "/readyz?verbose&exclude=etcd").data.splitlines()[1] == b"[+]etcd excluded: ok"
    assert ask("GET", "/healthz/nosuch").status_code == 404
    room.cluster.api.lister = lambda resource: 1 / 0
    failing = ask("GET", "/healthz")
    assert failing.status_code == 500 and b"[-]etcd failed" in failing.data


def test_the_root_lists_paths_that_answer(ask):
    for path in ask("GET", "/").json["paths"]:
        assert ask("GET", path).status_code == 200, path
