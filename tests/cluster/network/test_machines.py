"""The network as the programs of a pod, a node and the workstation find it."""

import pytest
from matrix_world import HOME, SOURCES, MatrixWorld, world_with

from server.cluster.network.http_talk import HttpTalk
from server.cluster.runtime.reach import ConnectionReset
from server.cluster.runtime.serving import Listener


@pytest.fixture(scope="module")
def world():
    return world_with("none")


def reach(world, source):
    return world.network.of(SOURCES[source])


def test_a_pod_has_one_address_and_one_way_out(world):
    lo, eth0 = reach(world, "pod").interfaces()
    assert (lo.name, lo.address) == ("lo", "127.0.0.1/8")
    address = world.get("pods", "client")["status"]["podIP"]
    assert (eth0.index, eth0.name, eth0.address, eth0.mtu) == (2, "eth0", f"{address}/32", 1500)
    assert [tuple(route[:3]) for route in reach(world, "pod").routes()] == [("default", "169.254.1.1", "eth0"), ("169.254.1.1", "", "eth0")]
    other_end = next(link for link in reach(world, "node").interfaces() if link.index == eth0.peer)
    assert other_end.name.startswith("cali") and other_end.peer == eth0.index and other_end.mac == "ee:ee:ee:ee:ee:ee"


def test_a_node_has_a_route_to_each_of_its_pods_and_to_every_other_nodes(world):
    routes = {route.target: route for route in reach(world, "node").routes()}
    assert routes["default"].via == "192.168.1.1" and routes["192.168.1.0/24"].source == "192.168.1.101"
    assert routes["10.244.2.0/24"].via == "192.168.1.102" and "10.244.1.0/24" not in routes
    assert routes[world.get("pods", "client")["status"]["podIP"]].device.startswith("cali")
    assert reach(world, "host-pod").interfaces() == reach(world, "node").interfaces()


def test_the_workstation_reaches_the_cluster_by_the_control_plane(world):
    routes = {route.target: route.via for route in reach(world, "workstation").routes()}
    assert routes["10.96.0.0/12"] == routes["10.244.0.0/16"] == "192.168.1.10"
    assert [echo.address for echo in reach(world, "workstation").trace(world.address)] == ["192.168.1.10", "192.168.1.102", world.address]


def test_pings_count_the_machines_on_the_way(world):
    neighbour = next(pod for pod in world.cluster.api.lister("pods").by_node("w1-k8s") if pod["metadata"]["namespace"] == "other")
    for source, target, ttl in (("pod", world.address, 62), ("pod", neighbour["status"]["podIP"], 63), ("node", world.address, 63),
                                ("pod", "192.168.1.101", 64), ("pod", "192.168.1.102", 63), ("node", "192.168.1.102", 64),
                                ("pod", "127.0.0.1", 64), ("workstation", "192.168.1.102", 64)):
        echo = reach(world, source).ping(target)
        assert (echo.address, echo.ttl, echo.fault) == (target, ttl, "") and 0 < echo.ms < 2, (source, target)
    hops = reach(world, "pod").trace(world.address)
    assert [hop.address for hop in hops] == ["192.168.1.101", "192.168.1.102", world.address]
    assert hops[0].ms < hops[2].ms


def test_what_does_not_answer_a_ping(world):
    pod = reach(world, "pod")
    assert pod.ping("web.default").address == world.target("cluster-ip")[0] and pod.ping("web.default").ms is None
    assert pod.ping("nosuch").fault == "bad address"
    assert pod.ping("192.168.1.77").fault == "Destination Host Unreachable"
    assert pod.ping("google.com").fault == "Destination Net Unreachable"
    assert pod.ping("headless.default").ms is not None
    assert reach(world_with("node down"), "pod").ping(world.address).fault == "Destination Host Unreachable"
    assert reach(world_with("policy ingress"), "pod-other-ns").ping(world.address)[1:4:2] == (None, "")
    assert reach(world_with("policy egress"), "pod").ping("192.168.1.102").ms is None, "a rule for ports lets no echo through"


def test_a_conversation_with_a_web_server(world):
    walk, talk = reach(world, "pod").talk("web.default", 80)
    assert walk.error is None and walk.connected
    out = talk.send(b"GET / HTTP/1.1\r\nHost: web\r\n\r\n")
    assert out.startswith(b"HTTP/1.1 200 OK\r\nServer: nginx/") and b"Welcome to nginx!" in out and not talk.closed
    walk, talk = reach(world, "pod").talk("192.168.1.103", 31999)
    assert talk is None and walk.fault == "Connection refused"
    walk, talk = reach(world, "pod").talk("192.168.1.103", 22)
    assert talk.finish().startswith(b"SSH-2.0-OpenSSH")


@pytest.mark.parametrize("fault", ["node down", "node cut"])
def test_a_conversation_is_reset_when_the_other_end_is_gone(fault):
    world = MatrixWorld("none")
    _, talk = reach(world, "pod").talk("web.default", 80)
    assert talk.send(b"GET / HTTP/1.1\r\nHost: web\r\n\r\n")
    world.cluster.chaos.inject("power" if fault == "node down" else "network", HOME)
    with pytest.raises(ConnectionReset):
        talk.send(b"GET / HTTP/1.1\r\nHost: web\r\n\r\n")
    assert talk.closed


def test_a_conversation_survives_that_its_pod_is_not_ready_but_not_its_death():
    world = MatrixWorld("none")
    _, talk = reach(world, "pod").talk("web.default", 80)
    world.cluster.chaos.inject("probe", "Pod/default/server", probe="readiness", result="fail")
    world.run(10)
    assert reach(world, "pod").connect("web.default", 80).fault == "Connection refused"
    assert talk.send(b"GET / HTTP/1.1\r\nHost: web\r\n\r\n"), "what is open is drained"
    world.client.delete("pods", "default", "server", grace_period=0)
    world.run(5)
    with pytest.raises(ConnectionReset):
        talk.send(b"GET / HTTP/1.1\r\nHost: web\r\n\r\n")


def test_https_is_spoken_by_the_api_server_and_not_by_nginx(world):
    pod = reach(world, "pod")
    refused = pod.request("kubernetes.default", 443, tls=True, path="/api")
    assert refused.status == 403 and 'User \\"system:anonymous\\" cannot get path \\"/api\\"' in refused.body
    assert pod.request("kubernetes.default", 443, tls=True, path="/healthz").body == "ok"
    assert pod.request("kubernetes.default", 443).status == 400
    wrong = pod.request("web.default", 80, tls=True)
    assert (wrong.exit_code, wrong.fault) == (35, "wrong version number")
    assert pod.request("192.168.1.102", 10250, tls=True).status == 401


def test_a_pod_that_may_send_nothing_does_not_reach_the_api_server_either():
    walk = reach(world_with("policy dns"), "pod").request("10.96.0.1", 443, tls=True, timeout=1)
    assert walk.exit_code == 28 and walk.error["hop"] == "policy"


def test_the_nfs_server_is_there(world):
    assert reach(world, "pod").connect("211.183.3.100", 2049).error is None and reach(world, "node").ping("211.183.3.100").ttl == 63
    assert reach(world, "pod").connect("211.183.3.100", 80).fault == "Connection refused"


def test_without_its_api_server_the_port_is_refused():
    world = MatrixWorld("none")
    world.cluster.chaos.inject("component", "kube-apiserver")
    assert reach(world, "pod").request("10.96.0.1", 443, tls=True).fault == "Connection refused"
    assert reach(world, "pod").connect("192.168.1.102", 10250).error is None


def test_programs_that_people_start_on_a_machine_take_connections(world):
    listeners = {8000: Listener((8000,), 0.0, handler=lambda client: HttpTalk(lambda *asked: (200, {}, f"for {client}")))}
    desk = world.network.workstation(listeners.get)
    assert desk.request("localhost", 8000).body == "for 127.0.0.1"
    assert desk.request("127.0.0.1", 8001).fault == "Connection refused"
    assert world.network.of_node("w1-k8s").request("192.168.1.5", 8000).body == "for 192.168.1.101"
    assert world.network.of_pod(("default", "client")).request("localhost", 8000).fault == "Connection refused"
    world.network.of_node("w3-k8s", listeners.get)
    assert desk.request("w3-k8s", 8000).body == "for 192.168.1.5"


def test_a_host_port_is_of_one_protocol_and_one_address():
    world = MatrixWorld("none")
    world.client.create("pods", {"metadata": {"name": "edge", "namespace": "default"}, "spec": {"nodeName": "w3-k8s", "containers": [
        {"name": "c", "image": "nginx", "ports": [{"containerPort": 80, "hostPort": 8088},
                                                  {"containerPort": 80, "hostPort": 8089, "hostIP": "127.0.0.1", "protocol": "TCP"}]}]}})
    world.run(20)
    for source in ("outside", "workstation", "node", "pod", "host-pod"):
        assert reach(world, source).request("192.168.1.103", 8088).pod == ("default", "edge")
        assert reach(world, source).request("192.168.1.103", 8089).fault == "Connection refused"
    assert world.network.of_node("w3-k8s").request("localhost", 8089).status == 200
    assert reach(world, "pod").connect("192.168.1.103", 8088, protocol="UDP").fault == "Connection refused"


def test_a_pod_that_is_gone_sends_nothing(world):
    walk = world.network.of_pod(("default", "never-was")).request(world.address, 80, timeout=1)
    assert walk.exit_code == 28 and walk.hops[0].decision == "is no more"
