"""YAML is read as kubectl reads it. The errors below are what kubectl v1.36 printed for each text."""

import time

import pytest

from server.cluster.yamltext import MAX_BYTES, load_document, load_yaml

YAML = "error converting YAML to JSON: yaml: "

FAULTS = [
    ("a: [1", "line 1: did not find expected ',' or ']'"),
    ("a: b: c", "mapping values are not allowed in this context"),
    ("a:\n  - b\n c: d", "line 2: did not find expected key"),
    ('a: "x\nb: 1', "line 3: found unexpected end of stream"),
    ("a:\n\t- b", "line 2: found character that cannot start any token"),
    ("- a\nb: c", "line 1: did not find expected '-' indicator"),
    ("a: *x", "unknown anchor 'x' referenced"),
    ("a: b\nfoo\nc: d", "line 3: could not find expected ':'"),
    ("a: @x", "found character that cannot start any token"),
    ("a: {b: c", "line 1: did not find expected ',' or '}'"),
    ("a: b\n  c: d", "line 2: mapping values are not allowed in this context"),
    ("a: &a [*a]", "anchor 'a' value contains itself"),
    ("%YAML 2.0\n---\na: b", "found incompatible YAML document"),
    ("a: - b", "block sequence entries are not allowed in this context"),
    ("? [a]\n: b", 'invalid map key: []interface {}{"a"}'),
    ('"a\\qb": c', "found unknown escape character"),
    ("a: \x01b", "control characters are not allowed"),
    ("a: {{ .Values.x }}", 'invalid map key: map[interface {}]interface {}{".Values.x":interface {}(nil)}'),
    ("apiVersion: v1\nkind: Pod\nmetadata:\n\tname: t\n", "line 4: found character that cannot start any token"),
    ("apiVersion: v1\nkind: Pod\nmetadata:\n  name: t\n labels:\n    app: x\n", "line 4: did not find expected key"),
]


@pytest.mark.parametrize(("text", "message"), FAULTS)
def test_a_syntax_fault_is_told_as_kubectl_tells_it(text, message):
    assert load_yaml(text)[-1].error.message == YAML + message


@pytest.mark.parametrize(("text", "message"), [
    ("{bad", "json: offset 2: invalid character 'b' looking for beginning of object key string"),
    ('{"a": "x', "unexpected EOF"),
    ("a: b\n--- foo\nc: d", "invalid Yaml document separator: foo"),
])
def test_a_fault_outside_yaml_proper_is_told_as_kubectl_tells_it(text, message):
    assert load_yaml(text)[-1].error.message == message


@pytest.mark.parametrize(("text", "value"), [
    ("y", True), ("No", False), ("on", True), ("OFF", False), ("tRue", "tRue"), ("~", None), ("nUll", "nUll"), ("'y'", "y"), ("0644", 420),
    ("0o14", 12), ("0b11", 3), ("0x1F", 31), ("-0x1", -1), ("1_000", 1000), ("08", 8), ("1e3", 1000), ("1.0", 1), ("1.5", 1.5), ("5.", 5),
    ("12:30:45", "12:30:45"), ("2001-01-01", "2001-01-01"), ("1e400", "1e400"), ("!!str 5", "5"), ('!!int "5"', 5), ("!!binary aGk=", "hi"),
    ("1.2.3", "1.2.3"), ("|\n  a\n  b", "a\nb\n"), (">\n  a\n  b", "a b\n"), ("0xG", "0xG"), ("", None),
])
def test_a_scalar_resolves_as_kubernetes_resolves_it(text, value):
    document = load_yaml(f"kind: x\na: {text}\n")[0]
    assert document.error is None
    assert document.obj["a"] == value
    assert type(document.obj["a"]) is type(value)


def test_documents_keep_their_place_and_their_fields():
    text = "# first\n---\napiVersion: v1\nspec:\n  ports:\n  - port: 80\n    name: http\n---\n\n---\nkind: B\nm: {a: [1, {b: 2}]}\n"
    first, second = load_yaml(text)
    assert first.line == 3
    assert first.position("spec.ports[0].name") == (7, 5)
    assert first.position("spec.ports[0].nodePort") == (6, 5)
    assert first.position("nosuch") == (3, 1)
    assert second.position("m.a[1].b") == (12, 13)
    assert second.obj == {"kind": "B", "m": {"a": [1, {"b": 2}]}}


def test_reading_stops_at_the_first_bad_document_and_counts_its_lines_from_its_own_start():
    good, bad = load_yaml("a: 1\n---\nb: 2\nc: [\n---\nd: 3\n")
    assert good.obj == {"a": 1}
    assert bad.error.message == YAML + "line 2: did not find expected node content"
    assert bad.error.line == 5


def test_of_a_repeated_key_only_the_last_values_fields_have_a_place():
    (document,) = load_yaml("a:\n  x: {z: 1}\n  w: 2\na:\n  b: 3\n")
    assert document.position("a.x.z") == document.position("a") == (4, 1) and document.position("a.b") == (5, 3)
    assert {path for path in document.marks if "\0key" not in path} == {(), ("a",), ("a", "b")}


def test_a_large_text_lets_others_have_their_turn_while_it_is_read():
    breaths = []
    load_yaml("".join(f"k{number}: 1\n" for number in range(4000)), breathe=lambda: breaths.append(1))
    assert len(breaths) > 10
    breaths.clear()
    load_yaml("---\n".join(f"k{number}: 1\n" for number in range(200)), breathe=lambda: breaths.append(1))
    assert len(breaths) >= 200


def test_a_repeated_key_is_accepted_noted_and_the_last_wins():
    document = load_yaml("a:\n  b: {c: 1}\n  b: 2\n")[0]
    assert document.obj == {"a": {"b": 2}}
    assert [(repeated.path, repeated.key, repeated.line, repeated.column) for repeated in document.repeated] == [(("a",), "b", 3, 3)]
    assert document.position("a.b.c") == (3, 3)


def test_merge_keys_and_anchors_are_followed():
    assert load_document("base: &b {x: 1, w: 2}\nz:\n  <<: *b\n  w: 3\n")[0] == {"base": {"x": 1, "w": 2}, "z": {"x": 1, "w": 3}}
    assert load_document("z: {<<: [{a: 1}, {a: 2, b: 3}]}")[0] == {"z": {"a": 1, "b": 3}}


def test_keys_become_text_as_in_json():
    assert load_document("1: a\ny: b\n1.5: c\n0x10: d\n")[0] == {"1": "a", "true": "b", "1.5": "c", "16": "d"}


BOMB = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{name}: &{name} [{','.join(['*' + before] * 10)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True))


DEEP_BY_ALIAS = "".join(f"a{n}: &a{n} {'[' * 40}{f'*a{n - 1}' if n else 'x'}{']' * 40}\n" for n in range(20))


@pytest.mark.parametrize("text", [
    BOMB, DEEP_BY_ALIAS,
    "[" * 50_000, "a: " + "{b: " * 5_000, "- " * 20_000, "x: &x {a: 1}\n" + "y: {<<: [" + "*x," * 5_000 + "*x]}\n", "- a\n" * 300_000,
    "a" * (MAX_BYTES + 1), "\x00", "\ud800", "? " * 3_000, "&a " * 2_000,
])
def test_hostile_text_is_refused_quickly(text):
    start = time.process_time()
    document = load_yaml(text)[-1]
    assert document.error is not None
    assert time.process_time() - start < 5
