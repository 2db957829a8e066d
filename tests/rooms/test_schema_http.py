"""What the editor asks the server for over HTTP: types, names, what Apply would change, examples, the export."""

from __future__ import annotations

import gzip
import json
import urllib.request

import pytest

from server.rooms import definitions
from server.web.assets import Assets
from tests.rooms.conftest import Server

DEPLOYMENT = ("apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  selector: {matchLabels: {app: web}}\n  template:\n"
              "    metadata:\n      labels: {app: web}\n    spec:\n      containers:\n      - {name: web, image: nginx}\n")
POD_SPEC = "io.k8s.api.core.v1.PodSpec"


def raw(server: Server, path: str, **headers: str):
    try:
        with urllib.request.urlopen(urllib.request.Request(server.base + path, headers=headers)) as answer:
            return answer.status, dict(answer.headers), answer.read()
    except urllib.error.HTTPError as error:
        return error.code, dict(error.headers), error.read()


@pytest.fixture(scope="module")
def room(server):
    return server.room(seed=3)


def test_every_kind_that_can_be_made_leads_to_its_types_and_every_type_to_the_next():
    kinds = json.loads(definitions.index().body)["kinds"]
    assert {"Deployment", "Service", "NetworkPolicy", "HorizontalPodAutoscaler"} <= {one["kind"] for one in kinds}
    for root in definitions.roots():
        types = json.loads(definitions.bundle(root).body)["types"]
        assert root in types
        for type_ in types.values():
            for field in type_["fields"].values():
                assert "of" not in field or field["of"] in types or field["of"] in definitions.roots()


def test_a_field_tells_its_type_whether_it_is_required_its_values_and_its_default():
    fields = {name: type_["fields"] for name, type_ in json.loads(definitions.bundle(POD_SPEC).body)["types"].items()}
    containers = {"type": "[]Container", "in": "l", "required": True, "of": "io.k8s.api.core.v1.Container"}
    assert fields[POD_SPEC]["containers"].items() >= containers.items()
    assert fields[POD_SPEC]["restartPolicy"]["enum"] == ["Always", "Never", "OnFailure"] and fields[POD_SPEC]["restartPolicy"]["default"] == "Always"
    assert fields["io.k8s.api.core.v1.ResourceRequirements"]["limits"].items() >= {"type": "map[string]quantity", "in": "m"}.items()


def test_types_are_sent_compressed_once_and_shared_by_all_rooms(server, room):
    path = f"/r/{room.name}/schema?key={room.key}&definition={POD_SPEC}"
    status, headers, body = raw(server, path, **{"Accept-Encoding": "gzip"})
    assert status == 200 and len(body) < 40_000 and json.loads(gzip.decompress(body))["root"] == POD_SPEC
    assert raw(server, path, **{"Accept-Encoding": "gzip", "If-None-Match": headers["Etag"]})[0] == 304
    assert json.loads(raw(server, path)[2])["root"] == POD_SPEC
    assert definitions.bundle(POD_SPEC) is definitions.bundle(POD_SPEC)
    assert room.ask("GET", "/schema", definition="io.k8s.api.core.v1.Container")[0] == 404


def test_names_labels_and_keys_come_from_the_live_cluster(room):
    room.run("kubectl create cm settings --from-literal=colour=red; kubectl run api --image=nginx --labels=app=api,tier=front")
    assert room.ask("GET", "/names", kind="ConfigMap", namespace="default")[1]["names"] == ["kube-root-ca.crt", "settings"]
    assert room.ask("GET", "/names", kind="ConfigMap", namespace="default", of="settings")[1]["names"] == ["colour"]
    assert room.ask("GET", "/names", kind="Pod", namespace="default", labels="1")[1]["labels"] == {"app": ["api"], "tier": ["front"]}
    assert room.ask("GET", "/names", kind="Node", namespace="default")[1]["names"] == ["m-k8s", "w1-k8s", "w2-k8s", "w3-k8s"]
    assert room.ask("GET", "/names", kind="Nonsense")[0] == 404


def test_the_difference_is_between_the_live_object_and_the_dry_run_and_nothing_is_written(room):
    text = DEPLOYMENT.replace("  selector", "  replicas: 1\n  selector", 1)
    assert room.ask("POST", "/diff", text.encode())[1]["documents"][0]["live"] == ""
    room.ask("POST", "/apply", text.encode())
    same = room.ask("POST", "/diff", text.encode())[1]["documents"][0]
    assert same["live"] == same["merged"] and "progressDeadlineSeconds: 600" in same["live"] and "status" not in same["live"]
    versions = (text.replace("replicas: 1", "replicas: 2"), text.replace("replicas: 1", "replicas: -1"), text.replace("replicas", "replica"),
                "kind: Nope\napiVersion: v1\n")
    changed, broken, misspelt, unknown = room.ask("POST", "/diff", "---\n".join(versions).encode())[1]["documents"]
    assert 'unknown field "spec.replica"' in misspelt["error"]
    before, after = changed["live"].splitlines(), changed["merged"].splitlines()
    assert [(one, other) for one, other in zip(before, after, strict=True) if one != other] == [("  replicas: 1", "  replicas: 2")]
    assert "spec.replicas: Invalid value" in broken["error"] and broken["line"] == 20
    assert "no matches for kind" in unknown["error"]
    assert room.run("kubectl get deploy web -o jsonpath={.spec.replicas}")["stdout"] == "1"


def test_secrets_are_masked_in_a_difference(room):
    text = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: s\nstringData:\n  a: one\n"
    room.ask("POST", "/apply", text.encode())
    shown = room.ask("POST", "/diff", text.replace("one", "two").encode())[1]["documents"][0]
    assert "b25l" not in shown["live"] and "dHdv" not in shown["merged"] and shown["live"] != shown["merged"]


def test_the_export_over_http_is_what_can_be_applied_to_another_room(server, room):
    status, text = room.ask("GET", "/export")
    assert status == 200 and "kind: Deployment" in text
    other = server.room(seed=4)
    assert all(one["ok"] for one in other.ask("POST", "/apply", text.encode())[1]["results"])
    assert other.ask("GET", "/export")[1] == text
    status, chosen = room.ask("GET", "/export", id="Deployment/default/web")
    assert status == 200 and chosen.count("kind:") == 1


def test_nothing_is_told_without_the_key(server, room):
    for path in ("schema", "names?kind=Pod", "export", "examples"):
        assert raw(server, f"/r/{room.name}/{path}")[0] in (403, 404)


# the page's own files


def test_files_are_sent_compressed_with_a_tag_and_nothing_that_is_not_the_pages(server):
    status, headers, body = raw(server, "/static/js/room.js", **{"Accept-Encoding": "gzip"})
    assert (status, headers["Content-Encoding"]) == (200, "gzip") and b"import" in gzip.decompress(body)
    assert raw(server, "/static/js/room.js", **{"Accept-Encoding": "gzip", "If-None-Match": headers["Etag"]})[0] == 304
    assert raw(server, "/static/js/room.js", **{"If-None-Match": headers["Etag"]})[0] == 200
    assert "Content-Encoding" not in raw(server, "/static/vendor/inter.woff2", **{"Accept-Encoding": "gzip"})[1]
    for path in ("vendor/node_modules/esbuild/package.json", "../server/app.py", "%2e%2e/server/app.py", "vendor/.gitignore", "js", "none.js"):
        assert raw(server, f"/static/{path}")[0] == 404, path


def test_an_edited_file_is_read_again_and_what_is_kept_is_bounded(tmp_path):
    (tmp_path / "a.js").write_text('import "./b.js";\nconst x = import("./later.js");\n')
    (tmp_path / "b.js").write_text('export{y}from"./c.js";/* import "./d.js" */')
    (tmp_path / "c.js").write_text("export const y = 1;\n")
    (tmp_path / "later.js").write_text("")
    kept = Assets(tmp_path, most=400)
    assert kept.modules("a.js") == ["a.js", "b.js", "c.js"]
    before = kept.get("c.js").tag
    (tmp_path / "c.js").write_text("export const y = 2222;\n" * 100)
    assert kept.get("c.js").tag != before
    assert kept._size <= 400 + 2300 and len(kept._kept) < 4
    (tmp_path / "out").symlink_to("/etc")
    assert kept.get("out/passwd") is None
