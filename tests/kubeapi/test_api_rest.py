"""Requests over HTTP: paths, verbs, media types, errors."""

import gzip
import json

import pytest
import yaml

from server.cluster.apiserver import door
from tests.kubectl.terminal import Terminal

CONFIG = "/api/v1/namespaces/default/configmaps"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json"


def config_map(name="settings", **data):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data or {"color": "blue"}}


def test_an_object_is_created_read_replaced_patched_and_deleted(ask, room):
    made = ask("POST", CONFIG, config_map())
    assert made.status_code == 201 and made.json["metadata"]["namespace"] == "default"
    assert ask("GET", f"{CONFIG}/settings").json == made.json

    changed = {**made.json, "data": {"color": "red"}}
    assert ask("PUT", f"{CONFIG}/settings", changed).json["data"] == {"color": "red"}
    patched = ask("PATCH", f"{CONFIG}/settings", data=b'{"data":{"size":"xl"}}', headers={"Content-Type": "application/merge-patch+json"})
    assert patched.json["data"] == {"color": "red", "size": "xl"}

    gone = ask("DELETE", f"{CONFIG}/settings")
    assert gone.status_code == 200 and gone.json["status"] == "Success"
    missing = ask("GET", f"{CONFIG}/settings")
    assert missing.status_code == 404 and missing.json == {
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": 'configmaps "settings" not found',
        "reason": "NotFound", "details": {"name": "settings", "kind": "configmaps"}, "code": 404}


def test_a_write_is_made_safe_before_it_is_answered_and_a_read_or_dry_run_is_not(ask, room):
    before = room.written
    ask("POST", CONFIG, config_map())
    assert room.written == before + 1
    ask("GET", f"{CONFIG}/settings")
    assert ask("POST", f"{CONFIG}?dryRun=All", config_map("other")).status_code == 201
    assert ask("GET", f"{CONFIG}/other").status_code == 404
    assert ask("POST", CONFIG, config_map()).status_code == 409
    assert room.written == before + 1


def test_a_list_is_of_one_namespace_or_of_all(ask):
    ask("POST", CONFIG, config_map("a"))
    ask("POST", "/api/v1/namespaces/kube-system/configmaps", config_map("b"))
    everywhere = ask("GET", "/api/v1/configmaps").json
    assert everywhere["kind"] == "ConfigMapList" and [item["metadata"]["name"] for item in everywhere["items"]] == ["a", "b"]
    assert [item["metadata"]["name"] for item in ask("GET", CONFIG).json["items"]] == ["a"]
    assert ask("GET", "/api/v1/configmaps?fieldSelector=metadata.name%3Db").json["items"][0]["metadata"]["namespace"] == "kube-system"


def test_pages_carry_on_from_each_other(ask):
    for name in ("a", "b", "c"):
        ask("POST", CONFIG, config_map(name))
    first = ask("GET", f"{CONFIG}?limit=2").json
    assert first["metadata"]["remainingItemCount"] == 1
    rest = ask("GET", f"{CONFIG}?limit=2&continue={first['metadata']['continue']}").json
    assert [item["metadata"]["name"] for item in rest["items"]] == ["c"] and "continue" not in rest["metadata"]


def test_yaml_goes_in_and_comes_out(ask):
    body = yaml.safe_dump(config_map()).encode()
    made = ask("POST", CONFIG, data=body, headers={"Content-Type": "application/yaml", "Accept": "application/yaml"})
    assert made.status_code == 201 and made.content_type == "application/yaml"
    assert yaml.safe_load(made.data)["data"] == {"color": "blue"}


def test_a_table_is_printed_for_who_asks_for_one(ask):
    ask("POST", CONFIG, config_map())
    table = ask("GET", CONFIG, headers={"Accept": TABLE}).json
    assert (table["kind"], table["apiVersion"]) == ("Table", "meta.k8s.io/v1") and table["metadata"]["resourceVersion"]
    assert table["rows"][0]["cells"] == ["settings", 1, "0s"]
    assert table["rows"][0]["object"]["kind"] == "PartialObjectMetadata"
    whole = ask("GET", f"{CONFIG}/settings?includeObject=Object", headers={"Accept": TABLE}).json
    assert whole["rows"][0]["object"]["data"] == {"color": "blue"}
    assert ask("GET", f"{CONFIG}?includeObject=None", headers={"Accept": TABLE}).json["rows"][0]["object"] is None
    old = ask("GET", CONFIG, headers={"Accept": "application/json;as=Table;v=v1beta1;g=meta.k8s.io"}).json
    assert old["apiVersion"] == "meta.k8s.io/v1beta1"
    assert ask("GET", f"{CONFIG}/none", headers={"Accept": TABLE}).json["kind"] == "Status"


def test_only_metadata_is_sent_to_who_asks_for_no_more(ask):
    ask("POST", CONFIG, config_map())
    one = ask("GET", f"{CONFIG}/settings", headers={"Accept": "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"}).json
    assert one["kind"] == "PartialObjectMetadata" and "data" not in one and one["metadata"]["name"] == "settings"
    many = ask("GET", CONFIG, headers={"Accept": "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"}).json
    assert many["kind"] == "PartialObjectMetadataList" and many["items"][0]["metadata"]["name"] == "settings"


@pytest.mark.parametrize(("accept", "code"), [
    ("application/vnd.kubernetes.protobuf", 406), ("text/html", 406), ("application/json;as=Nonsense;g=meta.k8s.io;v=v1", 406),
    ("application/vnd.kubernetes.protobuf,application/json", 200), ("*/*", 200), ("", 200),
])
def test_an_answer_in_a_form_we_do_not_have_is_refused_unless_json_will_do(ask, accept, code):
    answer = ask("GET", CONFIG, headers={"Accept": accept})
    assert answer.status_code == code
    if code == 406:
        assert answer.json["reason"] == "NotAcceptable"


@pytest.mark.parametrize("type_", ["application/cbor", "text/plain", "application/x-www-form-urlencoded"])
def test_a_body_of_an_unknown_type_is_refused(ask, type_):
    answer = ask("POST", CONFIG, data=b"{}", headers={"Content-Type": type_})
    assert (answer.status_code, answer.json["reason"]) == (415, "UnsupportedMediaType")
    assert answer.json["message"].startswith("the body of the request was in an unknown format - accepted media types include: ")


def test_a_body_of_more_than_three_mebibytes_is_refused_and_changes_nothing(ask):
    answer = ask("POST", CONFIG, config_map(big="x" * (3 << 20)))
    assert answer.status_code == 413
    assert answer.json["message"] == "Request entity too large: limit is 3145728" and answer.json["reason"] == "RequestEntityTooLarge"
    assert ask("GET", CONFIG).json["items"] == []


@pytest.mark.parametrize(("method", "path", "code"), [
    ("GET", "/api/v1/namespaces/default/nosuch", 404), ("GET", "/apis/nosuch", 404), ("GET", "/apis/nosuch/v1/things", 404),
    ("GET", "/apis/apps/v2/deployments", 404), ("GET", "/api/v1/namespaces/default/nodes", 404), ("GET", "/api/v1/pods/web", 404),
    ("GET", "/api/v1/namespaces/default/pods/web/nosuch", 404), ("GET", "/api/v1/namespaces/default/pods/a/b/c", 404),
    ("PATCH", "/api/v1/namespaces/default/pods/web/scale", 404), ("GET", "/nosuch", 404), ("POST", "/version", 404), ("GET", "/api/v2", 404),
    ("POST", "/api/v1/pods", 405), ("DELETE", "/api/v1/pods", 405), ("POST", f"{CONFIG}/settings", 405), ("PUT", CONFIG, 405),
    ("DELETE", "/api/v1/namespaces", 405), ("PUT", "/api/v1/namespaces/default/pods/web/eviction", 405), ("OPTIONS", CONFIG, 405),
])
def test_what_is_not_there_is_not_found_and_what_makes_no_sense_is_not_allowed(ask, method, path, code):
    answer = ask(method, path)
    assert answer.status_code == code
    if code == 405:
        assert answer.json["reason"] == "MethodNotAllowed"
    elif path.startswith(("/api/", "/apis/apps/")):
        assert answer.json == {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "reason": "NotFound", "code": 404,
                               "message": "the server could not find the requested resource", "details": {}}
    else:
        assert answer.data == b"404 page not found\n"


def test_a_namespace_can_be_told_from_what_is_in_one(ask):
    assert ask("GET", "/api/v1/namespaces/default").json["kind"] == "Namespace"
    assert ask("GET", "/api/v1/namespaces/default/status").json["kind"] == "Namespace"
    assert ask("GET", "/api/v1/namespaces/default/pods").json["kind"] == "PodList"


@pytest.mark.parametrize(("query", "message"), [
    ("limit=abc", 'strconv.ParseInt: parsing "abc": invalid syntax'),
    ("timeoutSeconds=1.5", 'strconv.ParseInt: parsing "1.5": invalid syntax'),
    ("limit=99999999999999999999", 'strconv.ParseInt: parsing "99999999999999999999": value out of range'),
    ("resourceVersion=5&continue=abc", "specifying resource version is not allowed when using continue"),
])
def test_a_query_that_is_no_value_is_a_bad_request(ask, query, message):
    answer = ask("GET", f"{CONFIG}?{query}")
    assert (answer.status_code, answer.json["message"]) == (400, message)


@pytest.mark.parametrize(("method", "query", "message"), [
    ("POST", "dryRun=Some", 'CreateOptions.meta.k8s.io "" is invalid: dryRun: Unsupported value: "Some": supported values: "All"'),
    ("POST", "fieldValidation=Maybe", 'CreateOptions.meta.k8s.io "" is invalid: fieldValidation: Unsupported value: "Maybe": '
     'supported values: "", "Ignore", "Strict", "Warn"'),
    ("GET", "resourceVersionMatch=Exact", 'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: '
     "resourceVersionMatch is forbidden unless resourceVersion is provided"),
    ("GET", "sendInitialEvents=true", 'ListOptions.meta.k8s.io "" is invalid: sendInitialEvents: Forbidden: '
     "sendInitialEvents is forbidden for list"),
    ("GET", "watch=1&sendInitialEvents=true", 'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: '
     "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"),
])
def test_options_that_contradict_each_other_are_invalid(ask, method, query, message):
    answer = ask(method, f"{CONFIG}?{query}", config_map() if method == "POST" else None)
    assert (answer.status_code, answer.json["reason"], answer.json["message"]) == (422, "Invalid", message)


def test_unknown_fields_are_dropped_with_a_warning_header_or_refused(ask):
    body = {**config_map(), "colour": "blue"}
    warned = ask("POST", CONFIG, body)
    assert warned.status_code == 201 and warned.headers.getlist("Warning") == ['299 - "unknown field \\"colour\\""']
    assert "colour" not in warned.json
    strict = ask("POST", f"{CONFIG}?fieldValidation=Strict", body)
    assert strict.status_code == 400 and 'strict decoding error: unknown field "colour"' in strict.json["message"]


def test_a_deprecated_kind_warns_at_every_use(ask):
    assert ask("GET", "/api/v1/endpoints").headers["Warning"] == (
        '299 - "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"')


def test_the_client_of_a_write_is_known_by_its_user_agent(ask, room):
    causes = []
    room.cluster.api.watch("configmaps", lambda event: causes.append(event.cause))
    ask("POST", f"{CONFIG}?fieldManager=kubectl-create", config_map(),
        headers={"User-Agent": "kubectl/v1.36.3 (linux/amd64) kubernetes/0f29094"})
    ask("POST", f"{CONFIG}?fieldManager=my-tool", config_map("other"), headers={"User-Agent": ""})
    assert [(cause.client, cause.verb, cause.user) for cause in causes] == [
        ("kubectl", "create", "kubernetes-admin"), ("my-tool", "create", "kubernetes-admin")]


def test_somebody_else_may_do_nothing(ask):
    answer = ask("GET", CONFIG, headers={"Impersonate-User": "jane"})
    assert answer.status_code == 403
    assert 'User "jane" cannot list resource "configmaps" in API group "" in the namespace "default"' in answer.json["message"]


def test_a_wrong_key_or_room_is_unauthorized_and_other_paths_are_not_ours(ask):
    for root in ("/r/room/k8s/wrong", "/r/other/k8s/key"):
        answer = ask("GET", "/api/v1/pods", root=root)
        assert (answer.status_code, answer.json["reason"]) == (401, "Unauthorized")
    assert ask("GET", "/scene", root="/r/room").data == b"below"


def test_a_fault_of_ours_is_an_internal_error_and_the_next_request_is_served(ask, room):
    room.after_write = lambda: 1 / 0
    answer = ask("POST", CONFIG, config_map())
    assert (answer.status_code, answer.json["reason"]) == (500, "InternalError")
    assert ask("GET", CONFIG).status_code == 200


def test_curl_and_browsers_get_indented_json_and_programs_do_not(ask):
    assert ask("GET", CONFIG, headers={"User-Agent": "curl/8.0"}).data.startswith(b"{\n  ")
    assert ask("GET", f"{CONFIG}?pretty=true").data.startswith(b"{\n  ")
    for path in (CONFIG, "/api", f"{CONFIG}/nosuch"):  # as a real server ends them: the indented without, the compact with a newline
        assert ask("GET", path, headers={"User-Agent": "curl/8.0"}).data.endswith(b"\n}"), path
        assert ask("GET", path).data.count(b"\n") == 1 and ask("GET", path).data.endswith(b"}\n"), path
    assert ask("GET", f"{CONFIG}?pretty=false", headers={"User-Agent": "curl/8.0"}).data.count(b"\n") == 1


def test_a_negative_limit_limits_nothing(ask):
    for name in ("a", "b"):
        ask("POST", CONFIG, {"metadata": {"name": name}})
    assert [each["metadata"]["name"] for each in ask("GET", f"{CONFIG}?limit=-1").json["items"]] == ["a", "b"]


def test_the_version_is_one_whoever_asks_and_always_indented(room, ask):
    told = ask("GET", "/version").data.decode()
    assert told.startswith('{\n  "major": "1"') and told.endswith("\n}")
    assert door.answer(room.cluster.api, "GET", "/version", {}, "")[2] == told
    assert Terminal(room.cluster).run("kubectl get --raw /version").stdout == told
    assert json.loads(Terminal(room.cluster).run("kubectl version -o json").stdout)["serverVersion"] == json.loads(told)


def test_a_big_answer_is_zipped_for_who_can_unzip_it(ask):
    ask("POST", CONFIG, config_map(big="x" * 200_000))
    plain = ask("GET", f"{CONFIG}/settings")
    zipped = ask("GET", f"{CONFIG}/settings", headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in plain.headers and zipped.headers["Content-Encoding"] == "gzip"
    assert json.loads(gzip.decompress(zipped.data)) == plain.json and len(zipped.data) < len(plain.data) / 10
    assert "Content-Encoding" not in ask("GET", "/api/v1/namespaces/default", headers={"Accept-Encoding": "gzip"}).headers


def test_head_is_a_get_without_its_body(ask):
    answer = ask("HEAD", "/api/v1/namespaces/default")
    assert answer.status_code == 200 and answer.data == b"" and int(answer.headers["Content-Length"]) > 100


def test_a_room_has_only_so_many_streams(ask, room):
    room.feeds = set(range(2000))
    answer = ask("GET", f"{CONFIG}?watch=1")
    assert (answer.status_code, answer.json["reason"]) == (429, "TooManyRequests") and answer.headers["Retry-After"] == "5"
