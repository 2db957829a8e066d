"""Bodies in protobuf, as kubectl and Go clients send them."""

import base64
import json
import struct

import pytest

from server.cluster import schema
from server.cluster.errors import ApiError
from server.kubeapi import openapi_protobuf, protobuf

# what kubectl 1.36 sends for `kubectl create configmap a --from-literal=a=1`
RECORDED = bytes.fromhex(
    "6b3873000a0f0a0276311209436f6e6669674d6170121b0a110a016112001a0022002a0032003800420012060a016112013"
    "11a002200")


def varint(value):
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*out, value))


def part(number, value):
    """A field: bytes, text or a message are length-delimited, integers are varints."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value & 2**64 - 1)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def body(api_version, kind, *parts):
    return b"k8s\x00" + part(1, part(1, api_version) + part(2, kind)) + part(2, b"".join(parts)) + part(3, "") + part(4, "")


def decoded(*arguments):
    return json.loads(protobuf.to_json(body(*arguments)))


def named(name):
    return part(1, part(1, name) + part(8, b""))


def test_what_kubectl_sends_is_read_and_what_is_empty_in_it_left_out():
    made = json.loads(protobuf.to_json(RECORDED))
    assert made == {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"a": "1"}}


def test_a_pod_with_all_that_is_peculiar_to_the_wire():
    quantity = part(1, part(1, "cpu") + part(2, part(1, "100m")))
    probe = part(1, part(2, part(1, "/ready") + part(2, part(1, 1) + part(2, 0) + part(3, "web")))) + part(2, 5)
    port = part(1, "web") + part(2, 0) + part(3, 80) + part(4, "TCP") + part(5, "")
    variable = part(1, "A") + part(2, "")
    container = part(1, "c") + part(2, "nginx") + part(6, port) + part(8, quantity) + part(11, probe) + part(16, 0) + part(7, variable)
    volume = part(1, "data") + part(2, part(2, part(1, "")))
    security = part(2, 1000) + part(3, 0)
    spec = part(1, volume) + part(2, container) + part(4, 0) + part(14, security) + part(11, 0)
    pod = decoded("v1", "Pod", named("web"), part(2, spec))
    assert pod["spec"] == {
        "volumes": [{"name": "data", "emptyDir": {}}],
        "containers": [{"name": "c", "image": "nginx", "ports": [{"name": "web", "containerPort": 80, "protocol": "TCP"}],
                        "resources": {"limits": {"cpu": "100m"}}, "env": [{"name": "A"}],
                        "readinessProbe": {"httpGet": {"path": "/ready", "port": "web"}, "initialDelaySeconds": 5}}],
        "terminationGracePeriodSeconds": 0, "securityContext": {"runAsUser": 1000, "runAsNonRoot": False}}


def test_numbers_bytes_times_and_pointers_to_nothing():
    secret = decoded("v1", "Secret", named("s"), part(2, part(1, "k") + part(2, b"\xff")))
    assert secret["data"] == {"k": base64.b64encode(b"\xff").decode()}
    spec = part(1, "w1") + part(2, 40) + part(3, part(1, 60) + part(2, 1500))
    lease = decoded("coordination.k8s.io/v1", "Lease", named("l"), part(2, spec))
    assert lease["spec"] == {"holderIdentity": "w1", "leaseDurationSeconds": 40, "acquireTime": "1970-01-01T00:01:00.000001Z"}
    deployment = decoded("apps/v1", "Deployment", named("d"), part(2, part(1, 0)))
    assert deployment["spec"]["replicas"] == 0
    scale = decoded("autoscaling/v1", "Scale", named("d"), part(2, part(1, -3)))
    assert scale["spec"]["replicas"] == -3
    options = decoded("v1", "DeleteOptions", part(1, 0), part(4, "Foreground"))
    assert options == {"apiVersion": "v1", "kind": "DeleteOptions", "gracePeriodSeconds": 0, "propagationPolicy": "Foreground"}


@pytest.mark.parametrize("raw", [
    b"nonsense", b"k8s\x00", RECORDED[:-5], body("v1", "Nonsense"), b"k8s\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
    body("v1", "ConfigMap", part(1, 7)), body("v1", "ConfigMap", part(1, part(1, b"\xff\xfe"))),
    body("v1", "Pod", part(2, struct.pack("<B", 0x0B))),
])
def test_bytes_that_are_no_object_are_a_bad_request(raw):
    with pytest.raises(ApiError) as refused:
        protobuf.to_json(raw)
    assert refused.value.code == 400


def test_every_field_of_the_table_is_one_that_the_schema_knows():
    """The other way round too: what the schema has can be said on the wire."""
    for message in ("core.v1.Pod", "core.v1.Container", "apps.v1.DeploymentSpec", "core.v1.Service", "core.v1.PodSpec", "core.v1.Volume"):
        fields = schema.definition(f"io.k8s.api.{message}").fields
        assert flattened(message) == set(fields) - {"apiVersion", "kind"}


def flattened(message):
    names = set()
    for field in protobuf._messages()[message].values():
        names |= flattened(field.kind) if field.rule == "+" else {field.name}
    return names


def test_a_config_map_sent_in_protobuf_is_created_and_bad_bytes_change_nothing(ask):
    headers = {"Content-Type": "application/vnd.kubernetes.protobuf", "Accept": "application/vnd.kubernetes.protobuf,application/json"}
    made = ask("POST", "/api/v1/namespaces/default/configmaps?fieldValidation=Strict", data=RECORDED, headers=headers)
    assert made.status_code == 201 and made.content_type == "application/json" and made.json["data"] == {"a": "1"}
    assert ask("POST", "/api/v1/namespaces/default/configmaps", data=b"k8s\x00\x0a", headers=headers).status_code == 400
    assert len(ask("GET", "/api/v1/configmaps").json["items"]) == 1


def test_openapi_v2_in_protobuf_holds_every_definition(ask):
    answer = ask("GET", "/openapi/v2", headers={"Accept": openapi_protobuf.ACCEPTED})
    assert answer.content_type == "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
    document = ask("GET", "/openapi/v2").json
    top = list(protobuf._fields(answer.data))
    assert dict(top)[1] == b"2.0"
    paths = [dict(protobuf._fields(value))[1].decode() for number, value in protobuf._fields(dict(top)[8]) if number == 2]
    definitions = [dict(protobuf._fields(value))[1].decode() for _, value in protobuf._fields(dict(top)[9])]
    assert paths == list(document["paths"]) and definitions == list(document["definitions"])
