"""The line of the editor that an error marks: of what does not fit its type, of what lacks its key, of a kind that there is not."""

from __future__ import annotations

from urllib.parse import quote

import pytest

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 2
  selector:
    matchLabels:
      app: web
  template:
    metadata:
      labels:
        app: web
    spec:
      containers:
      - name: first
        image: nginx
      - name: second
        image: nginx
        command: [sleep, "1000"]
"""
WRONG = [
    ("replicas: 2", "replicas: two", "spec.replicas"),
    ("image: nginx\n        command", "image: nginx\n        ports: 80\n        command", "spec.template.spec.containers[1].ports"),
    ("image: nginx\n        command", "image: nginx\n        resources: {limits: {cpu: lots}}\n        command",
     "spec.template.spec.containers[1].resources.limits.cpu"),
    ("command: [sleep, \"1000\"]", "command: [sleep, 1000]", "spec.template.spec.containers[1].command[1]"),
    ("  name: web\nspec", "  name: web\n  labels: {canary: on, app: web}\nspec", "metadata.labels.canary"),
    ("kind: Deployment", "kind: Deploiment", "kind"),
    ("apiVersion: apps/v1", "apiVersion: v1", "apiVersion"),
    ("apiVersion: apps/v1", "apiVersion: apps/v7", "apiVersion"),
    ("  name: web\nspec", "  name: web\n  namespace: nowhere\nspec", "metadata.namespace"),
]


@pytest.fixture(scope="module")
def fresh(server):
    return server.room()


@pytest.fixture(scope="module")
def there(server):
    """A room in which the Deployment is already: a second apply is a patch, of which the API server tells less."""
    room = server.room()
    assert room.ask("POST", "/apply", DEPLOYMENT)[1]["results"][0]["ok"]
    return room


@pytest.mark.parametrize("before", ["nothing", "the same"])
@pytest.mark.parametrize(("right", "wrong", "field"), WRONG, ids=[f"{wrong[1][:24]!r}" for wrong in WRONG])
def test_an_error_is_marked_at_the_line_that_it_is_about(fresh, there, before, right, wrong, field):
    room = there if before == "the same" else fresh
    text = DEPLOYMENT.replace(right, wrong)
    result = room.ask("POST", "/apply", text, dry_run="1")[1]["results"][0]
    changed = next(number for number, (old, new) in enumerate(zip(DEPLOYMENT.splitlines(), text.splitlines(), strict=False), 1) if old != new)
    assert (result["field"], result["line"]) == (field, changed), result["error"]


def test_an_element_without_its_key_is_marked_not_the_whole(there):
    text = DEPLOYMENT.replace("      - name: second\n        image", "      - image")
    result = there.ask("POST", "/apply", text, dry_run="1")[1]["results"][0]
    assert "does not contain declared merge key: name" in result["error"]
    assert (result["field"], result["line"]) == ("spec.template.spec.containers[1]", 18)


def test_the_difference_marks_the_same_line(there):
    result = there.ask("POST", "/diff", DEPLOYMENT.replace("replicas: 2", "replicas: two"))[1]["documents"][0]
    assert result["line"] == 6, result


def test_each_of_several_errors_of_one_document_is_marked(fresh):
    text = DEPLOYMENT.replace("replicas: 2", "replicas: -2").replace("      - name: second\n", "      - name: SECOND\n")
    result = fresh.ask("POST", "/apply", text, dry_run="1")[1]["results"][0]
    assert [(mark["line"], mark["error"].split(":")[0]) for mark in result["marks"]] == [
        (6, "spec.replicas"), (18, "spec.template.spec.containers[1].name")]
    text = DEPLOYMENT.replace("  replicas: 2", "  replica: 2").replace("command:", "comand:")
    result = fresh.ask("POST", "/apply", text, dry_run="1")[1]["results"][0]
    assert sorted((mark["line"], mark["error"]) for mark in result["marks"]) == [
        (6, 'unknown field "spec.replica"'), (20, 'unknown field "spec.template.spec.containers[1].comand"')]
    assert "marks" not in fresh.ask("POST", "/apply", DEPLOYMENT.replace("replicas: 2", "replicas: -2"), dry_run="1")[1]["results"][0]


@pytest.mark.parametrize(("file", "called"), [
    ("my web.yml", "my web.yml"), ("k8s/웹.yaml", "k8s/웹.yaml"), ("", "manifest.yaml"), ("-f", "manifest.yaml"), ("http://a/b.yml", "manifest.yaml"),
    ("a*.yml", "manifest.yaml"), ("x/", "manifest.yaml"), ("a\nb", "manifest.yaml"), ("n" * 201, "manifest.yaml")])
def test_an_error_names_the_file_that_was_applied(fresh, file, called):
    def error(text):
        return fresh.ask("POST", "/apply", text, dry_run="1", file=quote(file))[1]["results"][0]["error"]

    assert f'error when creating "{called}": ' in error(DEPLOYMENT.replace("replicas", "replica"))
    assert f' from "{called}": no matches for kind' in error(DEPLOYMENT.replace("kind: Deployment", "kind: Deploiment"))
    assert error("a: b: c\n").startswith(f"error: error parsing {called}: ")
