"""The workstation's files over HTTP, and the pages of the world outside."""

from __future__ import annotations

import pytest

from server.cluster.cluster import Cluster
from server.rooms import files, pages
from server.rooms.room import RoomError
from tests.rooms.desk import Desk

KIAMOL = "https://raw.githubusercontent.com/sixeyed/kiamol/master/ch02/pod.yaml"
METRICS = "https://github.com/kubernetes-sigs/metrics-server/releases/latest/download/components.yaml"
INGRESS = "https://raw.githubusercontent.com/kubernetes/ingress-nginx/controller-v1.13.3/deploy/static/provider/cloud/deploy.yaml"


@pytest.fixture(scope="module")
def desk():
    return Desk(Cluster(seed=6))


def test_the_editors_files_are_the_shells(desk):
    disk = desk.workstation.files
    files.write(disk, "lessons/one.yaml", "kind: Pod\n")
    assert desk.said("cat lessons/one.yaml") == "kind: Pod\n"
    desk.run("echo more >> lessons/one.yaml; mkdir -p .hidden; echo x > .hidden/x; echo y > /tmp/y")
    assert files.read(disk, "lessons/one.yaml") == "kind: Pod\nmore\n"
    names = [entry["name"] for entry in files.listing(disk)]
    assert "lessons/one.yaml" in names and "pod.yaml" in names and not any("hidden" in name or "tmp" in name for name in names)
    files.remove(disk, "lessons/one.yaml")
    assert desk.run("ls lessons/one.yaml").code == 2


@pytest.mark.parametrize("name", ["../etc/passwd", "/etc/passwd", "..", "", "a/../../x", "x\0y"])
def test_what_lies_elsewhere_is_neither_read_nor_written(desk, name):
    for act in (lambda: files.read(desk.workstation.files, name), lambda: files.write(desk.workstation.files, name, "")):
        with pytest.raises(RoomError):
            act()


def test_a_file_that_is_too_large_or_in_a_files_place_is_refused(desk):
    disk = desk.workstation.files
    with pytest.raises(RoomError):
        files.write(disk, "pod.yaml/inner", "x")
    with pytest.raises(RoomError) as missing:
        files.read(disk, "none.yaml")
    assert missing.value.code == 404


# pages


def test_the_pages_of_the_notes_and_the_first_add_ons_answer_without_a_network(desk):
    assert desk.said(f"kubectl apply -f {KIAMOL}") == "pod/hello-kiamol-3 created\n"
    assert "deployment.apps/metrics-server created" in desk.said(f"kubectl apply -f {METRICS}")
    assert desk.said(f"kubectl create -f {INGRESS}").count("created") == 6
    desk.pass_(60)
    assert desk.said("kubectl get ingressclass -o name") == "ingressclass.networking.k8s.io/nginx\n"
    assert desk.said("kubectl get svc -n ingress-nginx -o jsonpath='{.items[0].spec.type}'") == "LoadBalancer"
    assert desk.said("kubectl get pods -n ingress-nginx --no-headers | grep -c 1/1") == "1\n"
    assert desk.said(f"kubectl delete -f {KIAMOL}") == 'pod "hello-kiamol-3" deleted from default namespace\n'
    assert desk.said("kubectl top node --no-headers | wc -l") == "4\n"


def test_without_the_switch_other_pages_are_not_read(desk):
    said = desk.run("kubectl apply -f https://raw.githubusercontent.com/a/b/main/c.yaml")
    assert said.code == 1 and said.stderr.startswith("Unable to connect to the server: dial tcp: lookup raw.githubusercontent.com: no such host")


@pytest.mark.parametrize("url", ["https://example.com/x.yaml", "https://github.com/a/b/blob/main/x.yaml", "http://127.0.0.1/x",
                                 "https://raw.githubusercontent.com:8443/a/b", "https://u:p@raw.githubusercontent.com/a/b",
                                 "https://raw.githubusercontent.com.evil.example/a", "https://raw.githubusercontent.com@evil.example/a"])
def test_other_places_are_never_asked(desk, url):
    assert pages.allowed(url) == ""
    reader = Desk(desk.cluster, fetch=True)
    assert "cannot be reached from this workstation" in reader.run(f"kubectl apply -f '{url}'").stderr


class Answers:
    """GitHub, as far as the reader sees it."""

    asked: list[tuple[str, str]] = []
    pages: dict[str, tuple[int, dict[str, str], bytes]] = {}

    def __init__(self, host, timeout):
        self.host = host

    def request(self, method, target, headers):
        self.asked.append((self.host, target))
        self.target = target

    def getresponse(self):
        status, headers, body = self.pages[f"{self.host}{self.target}"]

        class Response:
            reason = {200: "OK", 404: "Not Found"}.get(status, "Found")
            getheader = staticmethod(lambda name: headers.get(name))
            read = staticmethod(lambda most: body[:most])

        Response.status = status
        return Response

    def close(self):
        pass


@pytest.fixture
def github(monkeypatch):
    monkeypatch.setattr(pages.http.client, "HTTPSConnection", Answers)
    Answers.asked, Answers.pages = [], {}
    return Answers


POD = b"apiVersion: v1\nkind: Pod\nmetadata: {name: %s}\nspec: {containers: [{name: a, image: nginx}]}\n"
RAW = "raw.githubusercontent.com"


def test_a_raw_file_is_read_by_way_of_its_redirects(github):
    github.pages = {"github.com/a/b/raw/main/p.yaml": (302, {"Location": f"https://{RAW}/a/b/main/p.yaml"}, b""),
                    f"{RAW}/a/b/main/p.yaml": (200, {}, POD % b"far")}
    assert pages._read("https://github.com/a/b/raw/main/p.yaml") == (POD % b"far").decode()
    assert github.asked == [("github.com", "/a/b/raw/main/p.yaml"), (RAW, "/a/b/main/p.yaml")]


@pytest.mark.parametrize(("answer", "said"), [
    ((404, {}, b""), "server reported 404 Not Found, status code=404"),
    ((302, {"Location": "http://169.254.169.254/latest"}, b""), "the redirect leads away"),
    ((302, {"Location": f"https://{RAW}/a"}, b""), "stopped after 3 redirects"),
    ((200, {}, b"x" * (1024 * 1024 + 1)), "larger than 1048576 bytes"),
])
def test_what_goes_wrong_there_is_told(github, answer, said):
    github.pages = {f"{RAW}/a": answer}
    with pytest.raises(pages.CommandError, match=said):
        pages._read(f"https://{RAW}/a")
