"""Patches: what each kind of patch makes of an object, what is shared, what is refused and in which words."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.cluster import schema
from server.cluster.apiserver import patch
from server.cluster.apiserver.request import JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH
from server.cluster.errors import ApiError
from server.kubectl.threeway import two_way


def apply(kind, old, change, version="apps/v1", of="Deployment"):
    before = json.dumps(old)
    new = patch.apply(kind, old, json.dumps(change).encode(), version, of)
    assert json.dumps(old) == before, "the old object was changed"
    return new


def refused(kind, old, change, version="apps/v1", of="Deployment"):
    raw = change if isinstance(change, bytes) else json.dumps(change).encode()
    with pytest.raises(ApiError) as error:
        patch.apply(kind, old, raw, version, of)
    return error.value


def container(name, **fields):
    return {"name": name, "image": name, **fields}


def deployment(*containers, **spec):
    return {"metadata": {"name": "d", "labels": {"a": "1"}}, "spec": {
        "replicas": 1, **spec, "template": {"spec": {"containers": list(containers)}}}}


def strategic(old, spec):
    return apply(STRATEGIC_PATCH, old, {"spec": {"template": {"spec": spec}}})["spec"]["template"]["spec"]


# strategic merge ---------------------------------------------------------------------------------------------------------

def test_containers_merge_by_name_and_the_rest_is_shared():
    old = deployment(container("a"), container("b"))
    new = apply(STRATEGIC_PATCH, old, {"spec": {"template": {"spec": {"containers": [{"name": "b", "image": "x"}]}}}})
    assert [c["image"] for c in new["spec"]["template"]["spec"]["containers"]] == ["a", "x"]
    assert new["metadata"] is old["metadata"]
    assert new["spec"]["template"]["spec"]["containers"][0] is old["spec"]["template"]["spec"]["containers"][0]


def test_a_patch_that_changes_nothing_gives_the_very_same_object():
    old = deployment(container("a"))
    for change in ({}, {"spec": {"replicas": 1}}, {"metadata": {"labels": {"z": None}}}):
        assert apply(STRATEGIC_PATCH, old, change) is old
        assert apply(MERGE_PATCH, old, change) is old
    assert apply(STRATEGIC_PATCH, old, {"spec": {"template": {"spec": {"containers": [{"name": "a"}]}}}}) is old
    assert apply(JSON_PATCH, old, [{"op": "replace", "path": "/spec/replicas", "value": 1}]) is old


def test_true_is_not_one():
    old = deployment(container("a"))
    assert apply(MERGE_PATCH, old, {"spec": {"replicas": True}}) is not old
    assert apply(STRATEGIC_PATCH, old, {"spec": {"replicas": True}}) is not old
    assert apply(JSON_PATCH, old, [{"op": "replace", "path": "/spec/replicas", "value": True}]) is not old


def test_a_new_container_comes_first_unless_an_order_is_set():
    old = deployment(container("a"))
    assert [c["name"] for c in strategic(old, {"containers": [container("b")]})["containers"]] == ["b", "a"]
    ordered = strategic(old, {"containers": [container("b")], "$setElementOrder/containers": [{"name": "a"}, {"name": "b"}]})
    assert [c["name"] for c in ordered["containers"]] == ["a", "b"]
    assert not any(key.startswith("$") for key in ordered)


def test_directives_delete_and_replace():
    old = deployment(container("a", env=[{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]), container("b"))
    assert [c["name"] for c in strategic(old, {"containers": [{"$patch": "delete", "name": "a"}]})["containers"]] == ["b"]
    assert strategic(old, {"containers": [{"$patch": "replace"}, container("z")]})["containers"] == [container("z")]
    new = strategic(old, {"containers": [{"name": "a", "env": [{"name": "A", "$patch": "delete"}, {"name": "C", "value": "3"}]}]})
    assert [e["name"] for e in new["containers"][0]["env"]] == ["C", "B"]
    assert strategic(old, {"$patch": "replace", "nodeName": "n"}) == {"nodeName": "n"}
    assert apply(STRATEGIC_PATCH, old, {"metadata": {"labels": {"$patch": "delete"}}})["metadata"]["labels"] == {}


def test_lists_of_scalars_merge_as_sets_where_the_schema_says_so():
    old = {"metadata": {"finalizers": ["a/x", "b/y"]}}
    assert apply(STRATEGIC_PATCH, old, {"metadata": {"finalizers": ["c/z", "a/x"]}})["metadata"]["finalizers"] == ["c/z", "a/x", "b/y"]
    gone = {"metadata": {"$deleteFromPrimitiveList/finalizers": ["a/x"]}}
    assert apply(STRATEGIC_PATCH, old, gone)["metadata"]["finalizers"] == ["b/y"]
    old = deployment(container("a", command=["x", "y"]))
    assert strategic(old, {"containers": [{"name": "a", "command": ["z"]}]})["containers"][0]["command"] == ["z"]


def test_retain_keys_clears_the_other_strategy():
    old = deployment(strategy={"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}})
    new = apply(STRATEGIC_PATCH, old, {"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}})
    assert new["spec"]["strategy"] == {"type": "Recreate"}


def test_volumes_retain_only_the_source_that_is_given():
    old = deployment(container("a"))
    old["spec"]["template"]["spec"]["volumes"] = [{"name": "v", "emptyDir": {}}]
    new = strategic(old, {"volumes": [{"name": "v", "$retainKeys": ["name", "hostPath"], "hostPath": {"path": "/x"}}]})
    assert new["volumes"] == [{"name": "v", "hostPath": {"path": "/x"}}]


def test_service_ports_merge_by_port():
    old = {"spec": {"ports": [{"port": 80, "targetPort": 80}, {"port": 443}]}}
    new = apply(STRATEGIC_PATCH, old, {"spec": {"ports": [{"port": 80, "targetPort": 8080}]}}, "v1", "Service")
    assert new["spec"]["ports"] == [{"port": 80, "targetPort": 8080}, {"port": 443}]


def test_new_content_loses_its_nulls_and_directives():
    new = apply(STRATEGIC_PATCH, {"spec": {}}, {"spec": {"strategy": {"type": "x", "rollingUpdate": None, "$retainKeys": ["type"]}}})
    assert new == {"spec": {"strategy": {"type": "x"}}}


def test_an_element_without_its_merge_key_is_told_as_go_tells_it():
    change = {"spec": {"template": {"spec": {"containers": [{"image": "x", "tty": True}]}}}}
    error = refused(STRATEGIC_PATCH, deployment(container("a")), change)
    assert error.message == "map: map[image:x tty:true] does not contain declared merge key: name"


def some(values, key=str):
    return st.lists(values, min_size=1, unique_by=key)


ENV = some(st.builds(lambda name, value: {"name": name, "value": value}, st.sampled_from("PQR"), st.sampled_from("12")),
           lambda variable: variable["name"])
PORTS = some(st.sampled_from([{"containerPort": 80}, {"containerPort": 81}]))
CONTAINERS = st.fixed_dictionaries({"name": st.sampled_from("abcd"), "image": st.sampled_from("xyz")}, optional={
    "env": ENV, "ports": PORTS, "command": some(st.sampled_from("xyz")), "resources": st.just({}), "tty": st.booleans()})
VOLUMES = st.builds(lambda name, source: {"name": name, **source}, st.sampled_from("uvw"),
                    st.sampled_from([{"emptyDir": {}}, {"hostPath": {"path": "/"}}]))
SPECS = st.fixed_dictionaries({"containers": some(CONTAINERS, lambda c: c["name"])}, optional={
    "nodeSelector": st.dictionaries(st.sampled_from("ab"), st.sampled_from("12")),
    "volumes": some(VOLUMES, lambda volume: volume["name"]),
    "tolerations": some(st.sampled_from([{"key": "a"}, {"key": "b"}])),
    "hostNetwork": st.booleans(),
})


@settings(max_examples=150, deadline=None)
@given(SPECS, SPECS)
def test_the_difference_of_two_objects_leads_from_one_to_the_other(old, new):
    old, new = {"spec": old}, {"spec": new}
    before = json.dumps(old)
    change = two_way(old, new, schema.for_kind("v1", "Pod"))
    assert patch.apply(STRATEGIC_PATCH, old, change, "v1", "Pod") == new
    assert json.dumps(old) == before


JSON = st.recursive(st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from("ab"),
                    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3), max_leaves=10)
OBJECTS = st.dictionaries(st.sampled_from("abc"), JSON, max_size=3)


@given(OBJECTS, OBJECTS)
def test_a_merge_patch_follows_the_rfc(old, change):
    def merged(target, patched):
        if not isinstance(patched, dict):
            return patched
        target = dict(target) if isinstance(target, dict) else {}
        for key, value in patched.items():
            if value is None:
                target.pop(key, None)
            else:
                target[key] = merged(target.get(key), value)
        return target

    new = apply(MERGE_PATCH, old, change)
    assert new == merged(old, change)
    assert apply(MERGE_PATCH, new, {}) is new


# JSON patch --------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("operations", "expected"), [
    ([{"op": "add", "path": "/b", "value": 1}], {"a": [1, 2], "b": 1}),
    ([{"op": "add", "path": "/a/0", "value": 0}], {"a": [0, 1, 2]}),
    ([{"op": "add", "path": "/a/-", "value": 3}], {"a": [1, 2, 3]}),
    ([{"op": "replace", "path": "/a/1", "value": {"x": None}}], {"a": [1, {"x": None}]}),
    ([{"op": "remove", "path": "/a/0"}], {"a": [2]}),
    ([{"op": "move", "from": "/a", "path": "/b"}], {"b": [1, 2]}),
    ([{"op": "copy", "from": "/a/0", "path": "/b"}], {"a": [1, 2], "b": 1}),
    ([{"op": "test", "path": "/a/0", "value": 1}, {"op": "add", "path": "/c~1d~0e", "value": 1}], {"a": [1, 2], "c/d~e": 1}),
])
def test_a_json_patch_does_what_the_rfc_says(operations, expected):
    assert apply(JSON_PATCH, {"a": [1, 2]}, operations) == expected


@pytest.mark.parametrize("operations", [
    [{"op": "remove", "path": "/nosuch"}], [{"op": "replace", "path": "/nosuch", "value": 1}], [{"op": "test", "path": "/a", "value": 1}],
    [{"op": "add", "path": "/x/y", "value": 1}], [{"op": "add", "path": "/a/9", "value": 1}], [{"op": "frob", "path": "/a"}],
    [{"op": "add", "path": "a", "value": 1}], [{"op": "move", "from": "/a", "path": "/a/0"}], [{"op": "remove", "path": ""}],
    [{"op": "replace", "path": "", "value": 1}], [{"op": "test", "path": "/a/0", "value": True}], [{"op": "add"}],
    [{"op": "add", "path": "/a" + "/0" * 200, "value": 1}],
])
def test_a_json_patch_that_does_not_fit_is_refused_as_the_server_refuses_it(operations):
    error = refused(JSON_PATCH, {"a": [1, 2]}, operations)
    assert (error.code, error.reason) == (422, "Invalid")
    assert error.message == "the server rejected our request due to an error in our request"


def test_patches_are_bounded():
    error = refused(JSON_PATCH, {}, [{"op": "add", "path": "/a", "value": 1}] * 10_001)
    assert (error.code, error.message) == (
        413, "Request entity too large: The allowed maximum operations in a JSON patch is 10000, got 10001")
    doubling = [{"op": "add", "path": "/a", "value": {}}] + [{"op": "copy", "from": "/a", "path": f"/a/{n}"} for n in range(60)]
    assert refused(JSON_PATCH, {}, doubling).code == 422
    assert refused(MERGE_PATCH, {}, b'{"a":"' + b"x" * (patch.MAX_BYTES + 1) + b'"}').code == 413
    assert refused(MERGE_PATCH, {}, b'{"a":' * 10_000).code == 400


@pytest.mark.parametrize(("kind", "raw", "message"), [
    (STRATEGIC_PATCH, b"{bad", "invalid character 'b' looking for beginning of object key string"),
    (STRATEGIC_PATCH, b"[]", "json: cannot unmarshal array into Go value of type map[string]interface {}"),
    (MERGE_PATCH, b"{bad", "error decoding patch: invalid character 'b' looking for beginning of object key string"),
    (MERGE_PATCH, b"3", "error decoding patch: json: cannot unmarshal number into Go value of type map[string]interface {}"),
    (JSON_PATCH, b"{}", "json: cannot unmarshal object into Go value of type jsonpatch.Patch"),
])
def test_what_is_no_patch_is_a_bad_request(kind, raw, message):
    error = refused(kind, {}, raw)
    assert (error.code, error.message) == (400, message)
