"""Quantities, selectors and names: the small vocabularies, against what Kubernetes says."""

import doctest
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.cluster import field_selectors, gojson, names, quantity, schema, selectors, yamltext
from server.cluster.apiserver import patch, strategic, typed
from server.cluster.apiserver.defaults import filling, pods


@pytest.mark.parametrize("module", [quantity, selectors, names, schema, yamltext, gojson, patch, strategic, typed, filling, pods],
                         ids=lambda module: module.__name__)
def test_the_examples_in_the_docstrings_hold(module):
    result = doctest.testmod(module)
    assert result.attempted and not result.failed


# quantities --------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("text", "canonical", "milli", "value"), [
    ("0", "0", 0, 0), ("0.0", "0", 0, 0), ("-0", "0", 0, 0), ("0.5", "500m", 500, 1), ("1.5", "1500m", 1500, 2), (".5", "500m", 500, 1),
    ("5.", "5", 5000, 5), ("+2", "2", 2000, 2), ("1000m", "1", 1000, 1), ("1024Mi", "1Gi", 1073741824000, 1 << 30),
    ("0.5Gi", "512Mi", 536870912000, 1 << 29), ("1e3", "1e3", 1000000, 1000), ("1E", "1E", 10**21, 10**18), ("12E2", "1200", 1200000, 1200),
    ("100M", "100M", 10**11, 10**8), ("1000M", "1G", 10**12, 10**9), ("1023Ki", "1023Ki", 1047552000, 1047552), ("512", "512", 512000, 512),
    ("0.1Ki", "102400m", 102400, 103), ("1n", "1n", 1, 1), ("0.1n", "1n", 1, 1), ("-1Gi", "-1Gi", -1073741824000, -(1 << 30)),
    ("-500m", "-500m", -500, -1), ("1e-3", "1e-3", 1, 1),
    ("99999999999999999999", "9223372036854775807", 9223372036854775807000, 2**63 - 1),
])
def test_a_quantity_has_one_spelling_and_exact_values(text, canonical, milli, value):
    assert quantity.canonical(text) == canonical
    assert (quantity.milli(text), quantity.value(text)) == (milli, value)


@pytest.mark.parametrize(("text", "message"), [
    ("", quantity.FORMAT_WRONG), ("100x", quantity.FORMAT_WRONG), ("1GBB", quantity.FORMAT_WRONG), ("1.2.3", quantity.FORMAT_WRONG),
    ("1 Gi", quantity.FORMAT_WRONG), ("abc", quantity.FORMAT_WRONG), ("1Gk", quantity.SUFFIX_WRONG), ("1ee", quantity.SUFFIX_WRONG),
    (".", quantity.NUMERIC_WRONG), ("1" * 300, quantity.FORMAT_WRONG),
])
def test_what_is_no_quantity_says_why(text, message):
    with pytest.raises(quantity.QuantityError) as error:
        quantity.parse(text)
    assert str(error.value) == message


@given(st.integers(-10**15, 10**15), st.sampled_from(["", "n", "u", "m", "k", "M", "G", "Ki", "Mi", "Gi", "e3", "e-3"]))
def test_the_canonical_spelling_keeps_the_amount_and_is_its_own(number, suffix):
    amount = quantity.parse(f"{number}{suffix}")
    again = quantity.parse(str(amount))
    assert again.nano == amount.nano
    assert str(again) == str(amount)


# selectors ---------------------------------------------------------------------------------------------------------------

LABELS = {"app": "web", "tier": "front", "n": "5"}


@pytest.mark.parametrize(("text", "matches"), [
    ("", True), ("app", True), ("!app", False), ("!x", True), ("app=web", True), ("app==web", True), ("app!=web", False), ("x!=web", True),
    ("app in (web,db)", True), ("app notin (web)", False), ("x notin (a)", True), ("x in (a)", False), ("n>4", True), ("n<4", False),
    ("app=web,tier=front", True), ("app=web,tier=back", False), ("app in ()", False), ("in in (a)", False), (" app = web , tier ", True),
    ("x=", False), ("n>5", False), ("app>1", False),
])
def test_a_label_selector_matches(text, matches):
    assert selectors.parse(text).matches(LABELS) is matches


@pytest.mark.parametrize(("text", "message"), [
    ("app in multi", "unable to parse requirement: found 'multi' expected: '('"),
    ("a b", "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"),
    ("a,", "found '', expected: identifier after ','"),
    (",a", "found ',', expected: !, identifier, or 'end of string'"),
    ("a=b c", "found 'c', expected: ',' or 'end of string'"),
    ("a in (b c)", "unable to parse requirement: found 'c', expected: ',' or ')'"),
    ("a=(", "unable to parse requirement: found '(', expected: identifier"),
    ("!=b", "found '!=', expected: !, identifier, or 'end of string'"),
    ("n>x", "unable to parse requirement: values[0]: Invalid value: \"x\": for 'Gt', 'Lt' operators, the value must be an integer"),
])
def test_a_bad_label_selector_says_what_was_found(text, message):
    with pytest.raises(selectors.SelectorError) as error:
        selectors.parse(text)
    assert str(error.value) == message


def test_a_bad_key_or_value_in_a_selector_is_named():
    with pytest.raises(selectors.SelectorError, match=r'<nil>: Invalid value: "a_": name part must consist of'):
        selectors.parse("a_=b")
    with pytest.raises(selectors.SelectorError, match=r'values\[0\]\[a\]: Invalid value: "b_": a valid label must be'):
        selectors.parse("a=b_")


def test_selector_objects_match_as_their_strings_do():
    selector = {"matchLabels": {"app": "web"}, "matchExpressions": [
        {"key": "tier", "operator": "In", "values": ["front", "back"]}, {"key": "x", "operator": "DoesNotExist"}]}
    built = selectors.from_object(selector)
    assert built.matches(LABELS)
    assert not built.matches({**LABELS, "x": ""})
    assert built.exact == (("app", "web"),)
    assert str(built) == "app=web,tier in (back,front),!x"
    assert selectors.from_object(selector) is built
    assert selectors.from_object(None).matches({}) is False
    assert selectors.from_object({}).matches({}) is True


def test_exact_pairs_serve_an_index_and_the_rest_is_still_checked():
    selector = selectors.parse("a=1,b in (2),c in (3,4),d!=5")
    assert selector.exact == (("a", "1"), ("b", "2"))
    assert selector.matches({"a": "1", "b": "2", "c": "4"})
    assert not selector.matches({"a": "1", "b": "2", "c": "5"})
    assert not selectors.parse("a=1,a=2").matches({"a": "1"})


@given(st.dictionaries(st.sampled_from("abc"), st.sampled_from("xyz")), st.dictionaries(st.sampled_from("abc"), st.sampled_from("xyz")))
def test_a_map_selects_what_contains_it(wanted, labels):
    assert selectors.from_labels(wanted).matches(labels) == (wanted.items() <= labels.items())


@pytest.mark.parametrize(("text", "resource", "matches"), [
    ("status.phase=Running", "pods", True), ("status.phase!=Running", "pods", False), ("spec.nodeName=", "pods", True),
    ("metadata.name=web,status.phase==Running", "pods", True), ("spec.hostNetwork=false", "pods", True),
])
def test_a_field_selector_matches(text, resource, matches):
    pod = {"metadata": {"name": "web"}, "spec": {}, "status": {"phase": "Running"}}
    assert field_selectors.parse(text, resource).matches(pod) is matches


@pytest.mark.parametrize(("text", "resource", "message"), [
    ("spec.foo=bar", "pods", "field label not supported: spec.foo"),
    ("status.phase", "pods", "invalid selector: 'status.phase'; can't understand 'status.phase'"),
    ("spec.x=1", "deployments.apps", '"spec.x" is not a known field selector: only "metadata.name", "metadata.namespace"'),
])
def test_a_bad_field_selector_says_why(text, resource, message):
    with pytest.raises(selectors.SelectorError) as error:
        field_selectors.parse(text, resource)
    assert str(error.value) == message


def test_escapes_in_field_values_are_read():
    assert field_selectors.parse(r"metadata.name=a\,b\=c", "pods").terms == (("metadata.name", "=", "a,b=c"),)


# names -------------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("check", "text", "count"), [
    (names.label, "web-1", 0), (names.label, "Web", 1), (names.label, "-a", 1), (names.label, "a" * 64, 1), (names.label, "", 1),
    (names.label_1035, "1a", 1), (names.subdomain, "a.b", 0), (names.subdomain, "a..b", 1), (names.qualified_name, "example.com/x", 0),
    (names.qualified_name, "/x", 1), (names.qualified_name, "a/", 2), (names.qualified_name, "UP.com/x", 1), (names.label_value, "", 0),
    (names.label_value, "a b", 1), (names.config_key, "..", 1), (names.config_key, "..a", 1), (names.config_key, "a/b", 1),
    (names.env_name, "1-A b", 0), (names.env_name, "A=B", 1), (names.env_name, "", 1), (names.port_name, "80", 1),
    (names.port_name, "a--b", 1), (names.port_name, "-a", 1), (names.port_number, 0, 1), (names.port_number, 65535, 0),
])
def test_names_are_checked(check, text, count):
    assert len(check(text)) == count


def test_generated_names_fit_and_come_from_the_given_random():
    name = names.generate(random.Random(7), "a" * 80)
    assert len(name) == 63
    assert name == names.generate(random.Random(7), "a" * 80)
    assert set(name[-5:]) <= set(names.ALPHABET)


def test_a_template_hash_depends_on_content_and_collisions_only():
    first, second = {"spec": {"b": 1, "a": [1]}}, {"spec": {"a": [1], "b": 1}}
    assert names.template_hash(first) == names.template_hash(second)
    assert names.template_hash(first, 1) != names.template_hash(first)
    assert 1 <= len(names.template_hash(first)) <= 10


# types -------------------------------------------------------------------------------------------------------------------

def test_types_tell_merge_keys_and_go_names():
    spec = schema.for_kind("apps/v1", "Deployment").field("spec").type
    assert spec.field("replicas").type.go == "int32"
    assert spec.field("strategy").strategies == ("retainKeys",)
    containers = schema.walk(spec, ("template", "spec", "containers"))
    assert (containers.merge_key, containers.strategies, containers.list_keys, containers.type.go) == (
        "name", ("merge",), ("name",), "[]v1.Container")
    assert schema.walk(spec, ("template", "spec", "restartPolicy")).type.go == "v1.RestartPolicy"
    ports = schema.walk(schema.for_kind("v1", "Service"), ("spec", "ports"))
    assert (ports.merge_key, ports.list_keys) == ("port", ("port", "protocol"))


def test_a_path_that_does_not_exist_is_named():
    with pytest.raises(KeyError, match="nosuch"):
        schema.walk(schema.for_kind("v1", "Pod"), ("spec", "nosuch"))
    assert schema.for_kind("extensions/v1beta1", "Deployment") is None


def test_every_kind_can_be_built_and_walked():
    for gvk in schema.gvks():
        type_ = schema.for_gvk(*gvk)
        assert type_ is not None
        assert all(field.type.kind for field in type_.fields.values())
