"""kubectl proxy: the API over HTTP on a port of the workstation."""

from __future__ import annotations

import json
import re

import pytest

from server.cluster.cluster import Cluster
from tests.kubectl.desk import Desk
from tests.kubectl.test_golden import transcript


@pytest.fixture
def desk() -> Desk:
    return Desk(Cluster(seed=4), {"site/index.html": "hello\n", "secret.txt": "no\n"})


def asked(desk: Desk, flags: str, *words: str) -> list[str]:
    """What curl got from each of the proxy's addresses."""
    asks = "; echo '<>'; ".join(f"curl -s {word}" for word in words)
    result = desk.run(f"kubectl proxy {flags} > log & sleep 1; {asks}; kill %1; wait")
    assert desk.read("log").startswith("Starting to serve on ")
    return result.stdout.split("<>\n")


def test_it_reads_as_on_a_real_cluster(desk: Desk) -> None:
    line, _, stdout, _ = transcript("620")
    result = desk.run(re.sub(r"timeout 3 (.*); wait", r"\1; kill %1; wait", line))
    assert (result.stdout, result.stderr) == (stdout.replace("192.0.2.2:16443", "192.168.1.10:6443"), "")


def test_objects_are_read_written_and_refused_as_the_api_does(desk: Desk) -> None:
    url = "localhost:8001/api/v1/namespaces/default/configmaps"
    made = json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"a": "b"}})
    gone, created, listed, patched, deleted = asked(
        desk, "", f"{url}/c", f"-X POST -H 'Content-Type: application/json' -d '{made}' {url}", f"{url}?labelSelector=x",
        f"""-X PATCH -H 'Content-Type: application/merge-patch+json' -d '{{"data":{{"a":"z"}}}}' {url}/c""", f"-X DELETE {url}/c")
    assert json.loads(gone)["message"] == 'configmaps "c" not found'
    assert json.loads(created)["data"] == {"a": "b"}
    assert json.loads(listed)["items"] == []
    assert json.loads(patched)["data"] == {"a": "z"}
    assert json.loads(deleted)["status"] == "Success"
    assert desk.run("kubectl get cm c").code == 1


def test_what_its_filters_refuse(desk: Desk) -> None:
    forbidden, named, method, never = asked(
        desk, "--port=9000 --reject-methods=DELETE", "localhost:9000/api/v1/namespaces/default/pods/x/exec",
        "-H 'Host: example.com' localhost:9000/api", "-X DELETE localhost:9000/api/v1/namespaces/default", "localhost:9000/api/v1/pods?watch=1")
    assert (forbidden, named, method) == ("Forbidden\n",) * 3
    assert "kubectl get -w" in json.loads(never)["message"]


def test_prefixes_and_files(desk: Desk) -> None:
    root, api, file, index, outside = asked(
        desk, "--api-prefix=/k8s --www=./site", "localhost:8001/api", "localhost:8001/k8s/api", "localhost:8001/static/index.html",
        "localhost:8001/static/", "--path-as-is localhost:8001/static/../secret.txt")
    assert root == "404 page not found\n"
    assert json.loads(api)["kind"] == "APIVersions"
    assert (file, index) == ("hello\n", "hello\n")
    assert "no" not in outside.split()


def test_a_port_that_is_taken_and_any_free_one(desk: Desk) -> None:
    result = desk.run("kubectl proxy >/dev/null & sleep 1; kubectl proxy; kill %1")
    assert result.stderr == "error: listen tcp 127.0.0.1:8001: bind: address already in use\n"
    seat = desk.sit("kubectl proxy --port=0")
    assert re.fullmatch(r"Starting to serve on 127\.0\.0\.1:[345]\d{4}\n", seat.screen)
    seat.type("\x03")
    assert seat.code == 130


def test_a_pattern_that_cannot_be_is_told(desk: Desk) -> None:
    assert desk.run("kubectl proxy '--accept-hosts=('").stderr.startswith("error: error parsing regexp: ")
