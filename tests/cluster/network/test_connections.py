"""Where a single request goes, and how it fails."""

from server.cluster.network.source import OUTSIDE, in_pod, on_node


def test_every_node_answers_on_the_node_port(web):
    for node in ("192.168.1.10", "192.168.1.101", "192.168.1.102", "192.168.1.103"):
        walk = web.curl(node, web.node_port())
        assert walk.status == 200 and "Welcome to nginx!" in walk.body and walk.error is None
        assert walk.service == ("default", "web") and walk.numbers == [web.node_port(), 8080, 80]


def test_requests_are_spread_over_the_endpoints(web):
    pods = {web.curl("192.168.1.101", web.node_port()).pod for _ in range(40)}
    assert pods == {("default", pod["metadata"]["name"]) for pod in web.pods()}


def test_a_cluster_address_works_from_nodes_and_pods_and_not_from_outside(web):
    address = web.get_service()["spec"]["clusterIP"]
    assert web.curl(address, 8080).status == 200
    assert web.curl(address, 8080, web.inside()).status == 200
    walk = web.curl(address, 8080, OUTSIDE, timeout=5)
    assert walk.exit_code == 28 and walk.error_text == "curl: (28) Connection timed out after 5000 milliseconds" and walk.seconds == 5


def test_without_patience_a_silent_address_takes_two_minutes(web):
    walk = web.curl("10.96.200.200", 80)
    assert walk.error_text == "curl: (28) Failed to connect to 10.96.200.200 port 80 after 131072 ms: Couldn't connect to server"


def test_a_service_without_endpoints_refuses(world):
    world.service()
    world.settle(2)
    walk = world.curl("192.168.1.101", world.node_port())
    port = world.node_port()
    assert walk.error == {"hop": "endpoints",
                          "text": f"curl: (7) Failed to connect to 192.168.1.101 port {port} after 0 ms: Couldn't connect to server"}
    assert walk.exit_code == 7


def test_a_wrong_target_port_is_refused_by_the_pod(world):
    world.deployment()
    world.service(target=8888)
    world.settle()
    walk = world.curl(world.get_service()["spec"]["clusterIP"], 8080)
    assert walk.error["hop"] == "pod" and walk.exit_code == 7 and walk.pod is not None


def test_a_port_nobody_has_is_refused_by_the_node(web):
    walk = web.curl("192.168.1.101", 1234)
    assert walk.error == {"hop": "node", "text": "curl: (7) Failed to connect to 192.168.1.101 port 1234 after 0 ms: "
                                                 "Couldn't connect to server"}


def test_localhost_on_the_terminals_node_has_the_node_port_too(web):
    assert web.curl("localhost", web.node_port()).status == 200


def test_a_pods_address_leads_to_it_and_a_lost_one_nowhere(web):
    pod = web.pods()[0]
    address = pod["status"]["podIP"]
    assert web.curl(address, 80).pod == ("default", pod["metadata"]["name"])
    web.client.delete("pods", "default", pod["metadata"]["name"], grace_period=0)
    web.settle(5)
    walk = web.curl(address, 80)
    assert walk.error_text == f"curl: (7) Failed to connect to {address} port 80 after 3070 ms: Couldn't connect to server"


def test_names_resolve_in_pods_and_not_on_nodes(web):
    inside = web.inside()
    for name in ("web", "web.default", "web.default.svc", "web.default.svc.cluster.local", "web.default.svc.cluster.local."):
        assert web.curl(name, 8080, inside).status == 200
    assert web.curl("nosuch", 8080, inside).error == {"hop": "dns", "text": "curl: (6) Could not resolve host: nosuch"}
    assert web.curl("web", 8080).error_text == "curl: (6) Could not resolve host: web"
    assert web.curl("w1-k8s", web.node_port()).status == 200


def test_without_dns_servers_no_name_resolves(web):
    inside = web.inside()
    web.client.patch("services", "kube-system", "kube-dns", {"spec": {"selector": {"k8s-app": "nobody"}}})
    web.settle(5)
    walk = web.curl("web", 8080, inside)
    assert walk.error_text == "curl: (6) Could not resolve host: web" and walk.hops[-1].decision == "no DNS server answers"


def test_local_traffic_policy_drops_where_there_is_no_endpoint(world):
    world.deployment(replicas=1)
    world.service(externalTrafficPolicy="Local")
    world.settle()
    [pod] = world.pods()
    home = pod["spec"]["nodeName"]
    for number in (1, 2, 3):
        walk = world.curl(f"192.168.1.10{number}", world.node_port(), OUTSIDE, timeout=3)
        assert (walk.status == 200) == (home == f"w{number}-k8s")
        assert walk.error is None or walk.error["hop"] == "endpoints" and walk.exit_code == 28


def test_client_affinity_sticks_to_one_pod(world):
    world.deployment(replicas=3)
    world.service(sessionAffinity="ClientIP")
    world.settle()
    address = world.get_service()["spec"]["clusterIP"]
    assert len({world.curl(address, 8080, on_node("w1-k8s")).pod for _ in range(20)}) == 1
    assert len({world.curl(address, 8080, on_node(node)).pod for node in ("w1-k8s", "w2-k8s", "w3-k8s", "m-k8s") for _ in range(3)}) > 1


def test_a_load_balancer_gives_an_address_that_answers(world):
    world.deployment()
    world.service(kind="LoadBalancer", port=80)
    world.settle()
    assert world.get_service()["status"]["loadBalancer"] == {"ingress": [{"ip": "192.168.1.200", "ipMode": "VIP"}]}
    for source in (None, OUTSIDE, world.inside()):
        assert world.curl("192.168.1.200", 80, source).status == 200


def test_the_next_load_balancer_gets_the_next_address_and_freed_ones_are_reused(world):
    for name in ("a", "b"):
        world.service(name, kind="LoadBalancer")
    world.settle(2)
    addresses = [world.get_service(name)["status"]["loadBalancer"]["ingress"][0]["ip"] for name in ("a", "b")]
    assert addresses == ["192.168.1.200", "192.168.1.201"]
    world.client.delete("services", "default", "a")
    world.client.patch("services", "default", "b", {"spec": {"type": "ClusterIP"}})
    world.settle(2)
    assert world.get_service("b")["status"]["loadBalancer"] == {}
    world.service("c", kind="LoadBalancer")
    world.settle(2)
    assert world.get_service("c")["status"]["loadBalancer"]["ingress"][0]["ip"] == "192.168.1.200"


def test_without_the_load_balancer_the_address_stays_pending(world):
    world.network.load_balancer.stop()
    world.service(kind="LoadBalancer")
    world.settle(5)
    assert not world.get_service()["status"]["loadBalancer"]
    world.network.load_balancer.start()
    world.settle(5)
    assert world.get_service()["status"]["loadBalancer"]["ingress"]


def test_the_api_server_speaks_https_only(world):
    walk = world.curl("10.96.0.1", 443)
    assert (walk.status, walk.body) == (400, "Client sent an HTTP request to an HTTPS server.\n")


def test_what_speaks_no_http_gives_an_empty_reply(world):
    world.deployment("redis", 1, 6379, "redis")
    world.service("redis", "ClusterIP", 6379, 6379)
    world.settle()
    walk = world.curl(world.get_service("redis")["spec"]["clusterIP"], 6379)
    assert walk.error_text == "curl: (52) Empty reply from server" and walk.exit_code == 52


def test_neither_a_node_that_is_down_nor_its_pods_can_be_reached(web):
    there = web.pods()[0]
    node = there["spec"]["nodeName"]
    other = next(name for name in ("w1-k8s", "w2-k8s", "w3-k8s") if name != node)
    web.network.places.reachable = lambda name: name != node
    walk = web.curl(web.network.places.address_of(node), web.node_port())
    assert walk.error["hop"] == "node" and walk.exit_code == 7 and 3 < walk.seconds < 4
    seen = [web.curl(web.network.places.address_of(other), web.node_port()) for _ in range(30)]
    lost = [walk for walk in seen if walk.error is not None]
    assert lost and all(walk.pod == ("default", there["metadata"]["name"]) and walk.fault == "No route to host" for walk in lost)
    assert any(walk.status == 200 for walk in seen)


def test_a_request_leaves_a_line_in_the_pods_log(web):
    walk = web.curl(web.get_service()["spec"]["clusterIP"], 8080, path="/nosuch")
    assert walk.status == 404 and walk.head().startswith("HTTP/1.1 404 Not Found\r\n")
    lines = [line.text for line in web.cluster.kubelets.runtime.logs(*walk.pod, "c")]
    assert any("GET /nosuch HTTP/1.1" in line and " 404 " in line for line in lines)


def test_a_host_port_answers_on_the_pods_node_only(world):
    world.client.create("pods", {"metadata": {"name": "edge", "namespace": "default"}, "spec": {
        "nodeSelector": {"kubernetes.io/hostname": "w2-k8s"},
        "containers": [{"name": "c", "image": "nginx", "ports": [{"containerPort": 80, "hostPort": 8088}]}]}})
    world.settle()
    assert world.curl("192.168.1.102", 8088).pod == ("default", "edge")
    assert world.curl("192.168.1.101", 8088).exit_code == 7


def test_a_pod_reaches_itself_on_localhost(web):
    source = in_pod("default", web.pods()[0]["metadata"]["name"])
    assert web.curl("localhost", 80, source).status == 200
    assert web.curl("127.0.0.1", 81, source).exit_code == 7
