"""What each machine's resolver asks, and what CoreDNS says."""

import pytest
from matrix_world import SOURCES, MatrixWorld, world_with

from server.cluster.network.resolver import ResolvConf
from server.cluster.network.source import in_pod

CLUSTER = ".default.svc.cluster.local."


@pytest.fixture(scope="module")
def world():
    """A StatefulSet-like pod, Services of every kind."""
    world = MatrixWorld("none")
    world.service("nginx", clusterIP="None")
    world.service("many", clusterIP="None", publishNotReadyAddresses=True)
    world.client.create("services", {"metadata": {"name": "two", "namespace": "default"}, "spec": {
        "clusterIP": "10.96.7.7", "selector": {"app": "web"}, "ports": [
            {"name": "http", "port": 80}, {"name": "dns", "port": 53, "protocol": "UDP"}]}})
    world.client.create("services", {"metadata": {"name": "alias", "namespace": "default"},
                                     "spec": {"type": "ExternalName", "externalName": "two.default.svc.cluster.local"}})
    world.client.create("services", {"metadata": {"name": "site", "namespace": "default"},
                                     "spec": {"type": "ExternalName", "externalName": "kubernetes.io"}})
    world.client.create("pods", {"metadata": {"name": "web-0", "namespace": "default", "labels": {"app": "web"}}, "spec": {
        "hostname": "web-0", "subdomain": "nginx", "containers": [{"name": "c", "image": "nginx"}]}})
    world.client.create("pods", {"metadata": {"name": "never", "namespace": "default", "labels": {"app": "web"}}, "spec": {
        "nodeName": "w3-k8s", "containers": [{"name": "c", "image": "nginx", "readinessProbe": {"httpGet": {"path": "/nosuch", "port": 80}}}]}})
    world.run(40)
    return world


def pod(world, **spec):
    """A client with DNS settings of its own."""
    name = f"client-{len(world.cluster.api.lister('pods').list())}"
    world.client.create("pods", {"metadata": {"name": name, "namespace": "default"}, "spec": {
        "nodeName": "w1-k8s", "containers": [{"name": "c", "image": "busybox", "command": ["sleep", "1d"]}], **spec}})
    world.run(10)
    return world.network.of_pod(("default", name))


def answers(world, name, type_="A", source="pod"):
    found = world.network.of(SOURCES[source]).lookup(name, type_)
    return found.status, sorted(record.data for record in found.records)


def address(world, name):
    return world.get("pods", name)["status"]["podIP"]


def test_what_coredns_answers(world):
    server, web0, never = (address(world, name) for name in ("server", "web-0", "never"))
    dashed = server.replace(".", "-")
    for question, expected in (
            (("two", "A"), ("NOERROR", ["10.96.7.7"])),
            (("two.default", "A"), ("NOERROR", ["10.96.7.7"])),
            (("kubernetes.default", "A"), ("NOERROR", ["10.96.0.1"])),
            (("two", "AAAA"), ("NOERROR", [])),
            (("nosuch", "A"), ("NXDOMAIN", [])),
            (("two.nosuch", "A"), ("NXDOMAIN", [])),
            (("nginx", "A"), ("NOERROR", sorted([server, web0]))),
            (("many", "A"), ("NOERROR", sorted([server, web0, never]))),
            (("web-0.nginx", "A"), ("NOERROR", [web0])),
            (("web-1.nginx", "A"), ("NXDOMAIN", [])),
            ((f"{dashed}.nginx", "A"), ("NOERROR", [server])),
            ((f"{dashed}.two", "A"), ("NOERROR", [server])),
            ((f"{dashed}.default.pod.cluster.local", "A"), ("NOERROR", [server])),
            (("1-2-3-4.other.pod.cluster.local", "A"), ("NOERROR", ["1.2.3.4"])),
            (("1-2-3-4.nosuch.pod.cluster.local", "A"), ("NXDOMAIN", [])),
            (("_http._tcp.two.default.svc.cluster.local", "SRV"), ("NOERROR", [f"0 100 80 two{CLUSTER}"])),
            (("_dns._udp.two.default.svc.cluster.local", "SRV"), ("NOERROR", [f"0 100 53 two{CLUSTER}"])),
            (("_dns._tcp.two.default.svc.cluster.local", "SRV"), ("NXDOMAIN", [])),
            (("two.default.svc.cluster.local", "SRV"), ("NOERROR", [f"0 50 53 two{CLUSTER}", f"0 50 80 two{CLUSTER}"])),
            (("_http._tcp.nginx.default.svc.cluster.local", "SRV"), ("NOERROR", sorted([
                f"0 50 80 {dashed}.nginx{CLUSTER}", f"0 50 80 web-0.nginx{CLUSTER}"]))),
            (("1.0.96.10.in-addr.arpa", "PTR"), ("NOERROR", ["kubernetes.default.svc.cluster.local."])),
            (("7.7.96.10.in-addr.arpa", "PTR"), ("NOERROR", [f"two{CLUSTER}"])),
            ((".".join(reversed(web0.split("."))) + ".in-addr.arpa", "PTR"), ("NOERROR", sorted(
                [f"web-0.nginx{CLUSTER}", *(f"{web0.replace('.', '-')}.{each}{CLUSTER}" for each in ("headless", "many", "two", "web"))]))),
            (("9.9.9.9.in-addr.arpa", "PTR"), ("NXDOMAIN", [])),
            (("alias", "A"), ("NOERROR", ["10.96.7.7", f"two{CLUSTER}"])),
            (("ext", "A"), ("NOERROR", ["db.nowhere.example."])),
            (("ext", "CNAME"), ("NOERROR", ["db.nowhere.example."])),
            (("site", "A"), ("NOERROR", ["15.197.167.90", "3.33.186.135", "kubernetes.io."])),
            (("dns-version.cluster.local", "TXT"), ("NOERROR", ['"1.1.0"'])),
            (("svc.cluster.local", "A"), ("NOERROR", [])),
            (("default.svc.cluster.local", "A"), ("NOERROR", [])),
            (("two.default.svc.cluster.local.", "A"), ("NOERROR", ["10.96.7.7"])),
            (("google.com", "A"), ("NOERROR", ["142.250.206.206"]))):
        assert (question, answers(world, *question)) == (question, expected)


def test_a_headless_service_without_ready_pods_has_no_name():
    world = world_with("not ready")
    assert answers(world, "headless") == ("NXDOMAIN", [])
    assert answers(world, "web")[0] == "NOERROR"


def test_the_authority_stands_where_there_is_no_answer(world):
    found = world.network.of(SOURCES["pod"]).lookup("nosuch.default.svc.cluster.local", search=False)
    assert found.status == "NXDOMAIN" and found.authority[0].type == "SOA" and found.authority[0].name == "cluster.local."
    srv = world.network.of(SOURCES["pod"]).lookup("_http._tcp.two.default.svc.cluster.local", "SRV")
    assert [record.data for record in srv.additional] == ["10.96.7.7"]


@pytest.mark.parametrize(("spec", "text"), [
    ({}, "search default.svc.cluster.local svc.cluster.local cluster.local\nnameserver 10.96.0.10\noptions ndots:5\n"),
    ({"hostNetwork": True}, "nameserver 192.168.1.1\n"),
    ({"dnsPolicy": "Default"}, "nameserver 192.168.1.1\n"),
    ({"hostNetwork": True, "dnsPolicy": "ClusterFirstWithHostNet"},
     "search default.svc.cluster.local svc.cluster.local cluster.local\nnameserver 10.96.0.10\noptions ndots:5\n"),
    ({"dnsPolicy": "None", "dnsConfig": {"nameservers": ["192.0.2.1"], "searches": ["ns1.svc.cluster-domain.example", "my.dns.search.suffix"],
                                         "options": [{"name": "ndots", "value": "2"}, {"name": "edns0"}]}},
     "search ns1.svc.cluster-domain.example my.dns.search.suffix\nnameserver 192.0.2.1\noptions ndots:2 edns0\n"),
    ({"dnsConfig": {"nameservers": ["1.1.1.1"], "searches": ["corp.example"], "options": [{"name": "ndots", "value": "1"}]}},
     "search default.svc.cluster.local svc.cluster.local cluster.local corp.example\nnameserver 10.96.0.10\nnameserver 1.1.1.1\n"
     "options ndots:1\n")])
def test_resolv_conf_follows_policy_and_config(world, spec, text):
    assert pod(world, **spec).resolv_conf() == text


def test_ndots_decides_what_is_asked_first(world):
    few = pod(world, dnsConfig={"options": [{"name": "ndots", "value": "1"}]})
    assert few.lookup("kubernetes.io").asked == ["kubernetes.io"]
    assert world.network.of(SOURCES["pod"]).lookup("kubernetes.io").asked == [
        "kubernetes.io.default.svc.cluster.local", "kubernetes.io.svc.cluster.local", "kubernetes.io.cluster.local", "kubernetes.io"]
    assert world.network.of(SOURCES["pod"]).lookup("kubernetes.io.").asked == ["kubernetes.io"]
    assert ResolvConf((), ("a", "b"), ("ndots:99",)).number("ndots", 1, 15) == 15


def test_a_server_that_is_not_there_takes_every_attempt(world):
    silent = pod(world, dnsPolicy="None", dnsConfig={"nameservers": ["10.244.77.7"], "options": [
        {"name": "timeout", "value": "1"}, {"name": "attempts", "value": "3"}]})
    found = silent.lookup("two")
    assert (found.status, found.fault, found.seconds) == ("", "Connection timed out", 3)
    assert pod(world, dnsPolicy="None", dnsConfig={"nameservers": ["192.168.1.77", "10.96.0.10"]}).lookup(
        "two.default.svc.cluster.local").status == "NOERROR", "the next server is asked"
    assert pod(world, dnsPolicy="None", dnsConfig={"nameservers": [address(world, "server")]}).lookup("two").fault == "Connection refused"


def test_coredns_without_a_way_out_says_servfail():
    world = MatrixWorld("none")
    world.client.create("networkpolicies.networking.k8s.io", {"metadata": {"name": "inside", "namespace": "kube-system"}, "spec": {
        "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}}, "policyTypes": ["Egress"], "egress": []}})
    assert answers(world, "google.com.") == ("SERVFAIL", [])
    assert answers(world, "web.default")[0] == "NOERROR"


def test_etc_hosts_names_the_pod_its_aliases_and_the_nodes(world):
    client = pod(world, hostAliases=[{"ip": "10.1.2.3", "hostnames": ["foo.remote", "bar.remote"]}])
    assert client.hosts().endswith("\n\n# Entries added by HostAliases.\n10.1.2.3\tfoo.remote\tbar.remote\n")
    assert client.resolve("bar.remote") == ("10.1.2.3",)
    stateful = world.network.of_pod(("default", "web-0"))
    assert f"{address(world, 'web-0')}\tweb-0.nginx.default.svc.cluster.local\tweb-0\n" in stateful.hosts()
    assert stateful.hosts().startswith("# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n")
    assert world.network.of_node("w1-k8s").resolve("w2-k8s") == ("192.168.1.102",)
    assert world.network.workstation().resolve("m-k8s") == ("192.168.1.10",)
    assert world.network.of(in_pod("default", "client")).resolve("w2-k8s") == ()


def test_addresses_come_in_another_order_each_time(world):
    reach = world.network.of(SOURCES["pod"])
    assert len({tuple(record.data for record in reach.lookup("many").records) for _ in range(40)}) > 1
