"""Bodies off the wire: what is accepted, and the API server's own words for what is not (golden transcripts of v1.36)."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.cluster.apiserver.decode import MAX_BYTES, decode, decode_delete_options, decode_patched
from server.cluster.errors import ApiError

JSON, YAML = "application/json", "application/yaml"
POD = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "t"}, "spec": {"containers": [{"name": "c", "image": "nginx"}]}}


def refused(body, kind="Pod", version="v1", content_type=JSON, validation="Strict"):
    raw = body if isinstance(body, bytes) else json.dumps(body, sort_keys=True).encode()
    with pytest.raises(ApiError) as error:
        decode(raw, content_type, kind, version, validation)
    return error.value


def with_container(**fields):
    return {**POD, "spec": {"containers": [{"name": "c", "image": "nginx", **fields}]}}


DEPLOYMENT = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "t"}, "spec": {
    "selector": {"matchLabels": {"app": "x"}},
    "template": {"metadata": {"labels": {"app": "x"}}, "spec": {"containers": [{"name": "c", "image": "nginx"}]}}}}
STRING_INTO = "json: cannot unmarshal {} into Go struct field {} of type {}"

WRONG_TYPES = [
    ("err-envint", with_container(env=[{"name": "A", "value": 1}]), "number", "EnvVar.spec.containers.env.value", "string"),
    ("metadata is text", {**POD, "metadata": "name t"}, "string", "Pod.metadata", "v1.ObjectMeta"),
    ("spec is text", {**POD, "spec": "x"}, "string", "Pod.spec", "v1.PodSpec"),
    ("containers is an object", {**POD, "spec": {"containers": {}}}, "object", "PodSpec.spec.containers", "[]v1.Container"),
    ("a container is text", {**POD, "spec": {"containers": ["nginx"]}}, "string", "PodSpec.spec.containers", "v1.Container"),
    ("labels is text", {**POD, "metadata": {"labels": "x"}}, "string", "ObjectMeta.metadata.labels", "map[string]string"),
    ("port is text", with_container(ports=[{"containerPort": "80"}]), "string", "ContainerPort.spec.containers.ports.containerPort",
     "int32"),
    ("command is text", with_container(command="sh"), "string", "Container.spec.containers.command", "[]string"),
    ("policy is a number", with_container(imagePullPolicy=1), "number", "Container.spec.containers.imagePullPolicy", "v1.PullPolicy"),
    ("requests is a list", with_container(resources={"requests": []}), "array", "ResourceRequirements.spec.containers.resources.requests",
     "v1.ResourceList"),
    ("hostNetwork is text", {**POD, "spec": {"hostNetwork": "yes"}}, "string", "PodSpec.spec.hostNetwork", "bool"),
    ("probe port is a boolean", with_container(livenessProbe={"httpGet": {"port": True}}), "bool",
     "HTTPGetAction.spec.containers.livenessProbe.httpGet.port", "int32"),
    ("uid is a fraction", {**POD, "spec": {"securityContext": {"runAsUser": 1.5}}}, "number 1.5",
     "PodSecurityContext.spec.securityContext.runAsUser", "int64"),
]


@pytest.mark.parametrize(("body", "found", "field", "go"), [row[1:] for row in WRONG_TYPES], ids=[row[0] for row in WRONG_TYPES])
def test_a_wrong_type_is_told_in_the_decoders_words(body, found, field, go):
    error = refused(body)
    assert error.code == 400
    assert error.message == f'Pod in version "v1" cannot be handled as a Pod: {STRING_INTO.format(found, field, go)}'


@pytest.mark.parametrize(("change", "message"), [
    ({"replicas": "three"}, STRING_INTO.format("string", "DeploymentSpec.spec.replicas", "int32")),
    ({"replicas": 99999999999}, STRING_INTO.format("number 99999999999", "DeploymentSpec.spec.replicas", "int32")),
    ({"template": {"metadata": {"labels": {"app": True}}}},
     STRING_INTO.format("bool", "ObjectMeta.spec.template.metadata.labels", "string")),
    ({"containers": [], "foo": 1}, 'strict decoding error: unknown field "spec.containers", unknown field "spec.foo"'),
])
def test_a_deployments_faults_are_told_in_the_decoders_words(change, message):
    error = refused({**DEPLOYMENT, "spec": {**DEPLOYMENT["spec"], **change}}, "Deployment", "apps/v1")
    assert error.message == f'Deployment in version "v1" cannot be handled as a Deployment: {message}'


def test_a_quantity_is_checked_and_spelt_canonically():
    error = refused(with_container(resources={"requests": {"cpu": "100x"}}))
    assert error.message.endswith("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'")
    pod, _ = decode(json.dumps(with_container(resources={"limits": {"cpu": 0.5, "memory": "1024Mi"}})).encode(), JSON, "Pod", "v1")
    assert pod["spec"]["containers"][0]["resources"]["limits"] == {"cpu": "500m", "memory": "1Gi"}


def test_secret_data_is_base64():
    error = refused({"kind": "Secret", "apiVersion": "v1", "data": {"a": "not base64!"}}, "Secret")
    assert error.message == 'Secret in version "v1" cannot be handled as a Secret: illegal base64 data at input byte 3'


UNKNOWN = {**POD, "spec": {"containerz": [{"name": "c"}], "containers": [{"name": "c", "image": "nginx", "imagePullPolice": "Always"}]}}


def test_unknown_fields_are_refused_warned_of_or_dropped_as_asked():
    assert refused(UNKNOWN).message == ('Pod in version "v1" cannot be handled as a Pod: strict decoding error: unknown field '
                                        '"spec.containers[0].imagePullPolice", unknown field "spec.containerz"')
    raw = json.dumps(UNKNOWN, sort_keys=True).encode()
    warned, warnings = decode(raw, JSON, "Pod", "v1", "Warn")
    assert warnings == ['unknown field "spec.containers[0].imagePullPolice"', 'unknown field "spec.containerz"']
    ignored, silence = decode(raw, JSON, "Pod", "v1", "Ignore")
    assert silence == []
    assert warned == ignored == POD


def test_repeated_fields_are_found_and_the_last_one_wins():
    raw = b'{"metadata":{"name":"a","name":"b","labels":{"x":"1","x":"2"}},"spec":{"nodeName":"a","nodeName":"b"}}'
    pod, warnings = decode(raw, JSON, "Pod", "v1", "Warn")
    assert warnings == ['duplicate field "metadata.name"', 'duplicate field "metadata.labels.x"', 'duplicate field "spec.nodeName"']
    assert (pod["metadata"], pod["spec"]["nodeName"]) == ({"name": "b", "labels": {"x": "2"}}, "b")
    error = refused(b"metadata:\n  name: a\n  name: b\n", content_type=YAML)
    assert error.message.endswith('strict decoding error: yaml: unmarshal errors:\n  line 3: key "name" already set in map')


@pytest.mark.parametrize(("raw", "message"), [
    (b"", "couldn't get version/kind; json parse error: unexpected end of JSON input (<empty>)"),
    (b"{bad", "couldn't get version/kind; json parse error: invalid character 'b' looking for beginning of object key string ({bad)"),
    (b"abc", "couldn't get version/kind; json parse error: invalid character 'a' looking for beginning of value (616263)"),
    (b'{"a":1}x', "couldn't get version/kind; json parse error: invalid character 'x' after top-level value ({\"a\":1}x)"),
    (b'{"a" 1}', "couldn't get version/kind; json parse error: invalid character '1' after object key ({\"a\" 1})"),
    (b'[1 2]', "couldn't get version/kind; json parse error: invalid character '2' after array element (5b3120325d)"),
    (b'{"a":1 "b":2}',
     "couldn't get version/kind; json parse error: invalid character '\"' after object key:value pair ({\"a\":1 \"b\":2})"),
    (b'{"a":nul}', "couldn't get version/kind; json parse error: invalid character '}' in literal null (expecting 'l') ({\"a\":nul})"),
])
def test_broken_json_is_told_as_go_tells_it(raw, message):
    assert refused(raw).message == f"the object provided is unrecognized (must be of type Pod): {message}"


def test_another_kind_or_version_is_refused():
    assert refused(DEPLOYMENT).message == (
        'Deployment in version "v1" cannot be handled as a Pod: converting (v1.Deployment) to (core.Pod): unknown conversion')
    assert refused({"kind": "Foo", "apiVersion": "v1"}).message.startswith(
        'Foo in version "v1" cannot be handled as a Pod: no kind "Foo" is registered for version "v1" in scheme')
    autoscaler = {"kind": "HorizontalPodAutoscaler", "apiVersion": "autoscaling/v1"}
    assert refused(autoscaler, "HorizontalPodAutoscaler", "autoscaling/v2").message == (
        "the API version in the data (autoscaling/v1) does not match the expected API version (autoscaling/v2)")


def test_a_body_may_be_yaml_and_kind_and_version_may_be_left_out():
    pod, _ = decode(b"metadata: {name: t}\nspec:\n  containers:\n  - {name: c, image: nginx}\n", YAML, "Pod", "v1", "Strict")
    assert pod == POD


def test_what_go_would_not_print_again_is_dropped():
    body = {**POD, "metadata": {"name": "t", "labels": {}, "annotations": None, "creationTimestamp": None}, "spec": {
        "hostNetwork": False, "automountServiceAccountToken": False, "nodeName": "", "volumes": [{"name": "v", "emptyDir": {}}],
        "containers": [{"name": "c", "image": "nginx", "env": [], "tty": False, "resources": {}, "securityContext": {"privileged": False},
                        "livenessProbe": {"initialDelaySeconds": 0, "exec": {"command": ["x", ""]}}}]}}
    pod, _ = decode(json.dumps(body).encode(), JSON, "Pod", "v1", "Strict")
    assert pod["metadata"] == {"name": "t"}
    assert pod["spec"] == {
        "automountServiceAccountToken": False, "volumes": [{"name": "v", "emptyDir": {}}],
        "containers": [{"name": "c", "image": "nginx", "resources": {}, "securityContext": {"privileged": False},
                        "livenessProbe": {"exec": {"command": ["x", ""]}}}]}


def test_size_and_format_are_bounded():
    assert refused(b" " * (MAX_BYTES + 1)).code == 413
    assert refused(b"\x00k8s", content_type="application/vnd.kubernetes.protobuf").code == 415
    assert refused(b"{}", content_type="text/html").code == 415
    assert refused(b"\xff\xfe{}").code == 400


@pytest.mark.parametrize("raw", [b"[" * 1_000_000, b'{"a":' * 100_000, b'{"spec":{"containers":[' + b"{}," * 300_000 + b"{}]}}x",
                                 b'"' + b"a" * 10**6])
def test_hostile_json_is_refused_quickly(raw):
    start = time.process_time()
    assert refused(raw).code == 400
    assert time.process_time() - start < 5


def test_delete_options_are_read_from_json_and_yaml():
    assert decode_delete_options(b"") == {}
    assert decode_delete_options(b'{"kind":"DeleteOptions","apiVersion":"v1","gracePeriodSeconds":0}')["gracePeriodSeconds"] == 0
    assert decode_delete_options(b"propagationPolicy: Orphan\n")["propagationPolicy"] == "Orphan"
    assert decode_delete_options(b'{"kind":"DeleteOptions","apiVersion":"apps/v1","gracePeriodSeconds":5}')["gracePeriodSeconds"] == 5
    with pytest.raises(ApiError):
        decode_delete_options(b'{"gracePeriodSeconds":"soon"}')


STRATEGIC, MERGE = "application/strategic-merge-patch+json", "application/merge-patch+json"


@pytest.mark.parametrize(("patch", "why"), [
    ({"spec": {"replicas": "abc"}}, 'patch: Invalid value: "map[spec:map[replicas:abc]]": unrecognized type: int32'),
    ({"metadata": {"labels": {"a": True}}}, 'patch: Invalid value: "map[metadata:map[labels:map[a:true]]]": unrecognized type: string'),
    ({"spec": {"foo": 1}}, 'patch: Invalid value: "map[spec:map[foo:1]]": strict decoding error: unknown field "spec.foo"'),
])
def test_a_patch_that_makes_an_object_wrong_is_blamed(patch, why):
    patched = {**DEPLOYMENT, **{key: {**DEPLOYMENT[key], **value} for key, value in patch.items()}}
    with pytest.raises(ApiError) as error:
        decode_patched(STRATEGIC, patched, json.dumps(patch).encode(), "Deployment", "apps/v1", "Strict")
    assert (error.value.code, error.value.reason) == (422, "Invalid")
    assert error.value.message == f' "" is invalid: {why}'


def test_a_patched_object_keeps_the_parts_that_did_not_change():
    patched = {**DEPLOYMENT, "metadata": {"name": "t", "labels": {"a": "b", "c": None}}}
    decoded, _ = decode_patched(MERGE, patched, b"{}", "Deployment", "apps/v1")
    assert decoded["spec"] is DEPLOYMENT["spec"]
    assert decoded["metadata"]["labels"] == {"a": "b", "c": ""}


def test_what_a_patch_says_twice_is_noted():
    raw = b'{"metadata":{"labels":{"a":"1","a":"2"}},"spec":{"template":{"spec":{"containers":[{"name":"c","name":"c"}]}}}}'
    _, warnings = decode_patched(STRATEGIC, DEPLOYMENT, raw, "Deployment", "apps/v1", "Warn")
    assert warnings == ['duplicate field "metadata.labels.a"', 'duplicate field "spec.template.spec.containers[0].name"']


VALUES = st.recursive(st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["", "a", "1", "x y"]),
                      lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
                          st.sampled_from(["name", "spec", "containers", "metadata", "labels", "image", "ports", "env", "resources",
                                           "limits", "cpu", "volumes", "x"]), inner, max_size=4), max_leaves=15)


@given(VALUES)
def test_any_json_is_either_decoded_or_refused_as_a_bad_request(value):
    raw = json.dumps(value).encode()
    try:
        pod, _ = decode(raw, JSON, "Pod", "v1", "Warn")
    except ApiError as error:
        assert error.code == 400
    else:
        again, warnings = decode(json.dumps(pod).encode(), JSON, "Pod", "v1", "Strict")
        assert (again, warnings) == (pod, [])
