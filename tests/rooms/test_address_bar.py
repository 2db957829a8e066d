"""The page's address bar: what a browser outside of the cluster gets, and how it words what goes wrong."""

from __future__ import annotations

import pytest

from server.cluster.cluster import Cluster
from server.rooms.browser import browse
from server.rooms.room import RoomError
from tests.rooms.desk import Desk


@pytest.fixture(scope="module")
def desk():
    desk = Desk(Cluster(seed=8))
    desk.run("kubectl create deployment web --image=nginx; kubectl expose deployment web --port=80 --type=NodePort --name=np\n"
             "kubectl expose deployment web --port=80 --type=LoadBalancer --name=lb")
    desk.pass_(20)
    return desk


def of(desk, path):
    return desk.said(f"kubectl get {path}")


def test_a_node_port_and_a_load_balancer_answer_with_the_way_there(desk):
    port, address = of(desk, "svc np -o jsonpath='{.spec.ports[0].nodePort}'"), of(desk, "svc lb -o jsonpath='{.status.loadBalancer.ingress[0].ip}'")
    for url in (f"192.168.1.101:{port}", f"http://w2-k8s:{port}/", f"http://{address}"):
        seen = browse(desk.workstation, url)
        assert (seen["status"], seen["error"]) == (200, None) and "Welcome to nginx!" in seen["body"]
        assert seen["hops"][-1]["decision"] == "answers 200" and seen["ms"] > 0
    assert browse(desk.workstation, f"192.168.1.101:{port}/nothing")["status"] == 404


@pytest.mark.parametrize(("url", "code"), [
    ("192.168.1.101:31999", "ERR_CONNECTION_REFUSED"), ("nosuch.example", "ERR_NAME_NOT_RESOLVED"), ("10.96.0.1", "ERR_CONNECTION_TIMED_OUT"),
    ("https://192.168.1.10:6443/version", "ERR_CERT_AUTHORITY_INVALID"), ("localhost:8080", "ERR_CONNECTION_REFUSED"),
    ("192.168.1.101:22", "ERR_UNSAFE_PORT"),
])
def test_failures_have_a_browsers_names(desk, url, code):
    seen = browse(desk.workstation, url)
    assert seen["error"]["code"] == code and seen["status"] is None


def test_one_may_go_on_where_nobody_vouches_for_the_certificate(desk):
    assert browse(desk.workstation, "https://192.168.1.10:6443/version", insecure=True)["status"] is not None


def test_names_in_the_workstations_hosts_file_are_found(desk):
    port = of(desk, "svc np -o jsonpath='{.spec.ports[0].nodePort}'")
    desk.run("echo '192.168.1.102 shop.example.com shop' >> /etc/hosts")
    seen = browse(desk.workstation, f"http://shop.example.com:{port}/")
    assert seen["status"] == 200 and seen["address"] == "192.168.1.102"


def test_a_machine_that_is_off_is_not_reached(desk):
    port = of(desk, "svc np -o jsonpath='{.spec.ports[0].nodePort}'")
    fault = desk.cluster.chaos.inject("power", "w3-k8s")
    seen = browse(desk.workstation, f"192.168.1.103:{port}")
    desk.cluster.chaos.heal(fault["id"])
    assert seen["error"]["code"] in ("ERR_ADDRESS_UNREACHABLE", "ERR_CONNECTION_TIMED_OUT")


@pytest.mark.parametrize("url", ["", "   ", "ftp://x/", "javascript:alert(1)", "http://", "http://a:99999/", "x" * 3000, "http://a b/", "file:///etc/passwd"])
def test_what_is_no_address_is_refused(desk, url):
    with pytest.raises(RoomError):
        browse(desk.workstation, url)
