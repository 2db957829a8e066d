"""CoreDNS goes by its Corefile: what an edit of the ConfigMap makes of names, when it takes effect, and how a bad one is refused."""
# ruff: noqa: E501 -- a case is a row

from __future__ import annotations

import json
import re

import pytest
from matrix_world import SOURCES, MatrixWorld

from server.cluster.cluster import Cluster
from server.cluster.runtime.pages import coredns
from server.cluster.runtime.pages.corefile import CorefileError, parsed

TAIL = """    kubernetes cluster.local in-addr.arpa ip6.arpa {
       pods insecure
       fallthrough in-addr.arpa ip6.arpa
       ttl 30
    }
    forward . /etc/resolv.conf
    cache 30
    reload
    loadbalance
}
"""
HEAD = ".:53 {\n    errors\n    health\n    ready\n"


class World(MatrixWorld):
    def __init__(self) -> None:
        super().__init__("none")

    def edit(self, text: str, wait: float = 200) -> None:
        self.client.patch("configmaps", "kube-system", "coredns", {"data": {"Corefile": text}})
        self.run(wait)

    def ask(self, name: str, type_: str = "A", search: bool = False):
        return self.network.of(SOURCES["pod"]).lookup(name, type_, search)

    def servers(self) -> list[dict]:
        return [pod for pod in self.cluster.api.lister("pods").list("kube-system") if pod["metadata"]["name"].startswith("coredns-")]

    def logs(self) -> list[str]:
        return [line.text for pod in self.servers()
                for line in self.cluster.kubelets.runtime.logs("kube-system", pod["metadata"]["name"], "coredns")]

    def restart(self) -> None:
        for pod in self.servers():
            self.client.delete("pods", "kube-system", pod["metadata"]["name"])
        self.run(90)


@pytest.fixture
def world() -> World:
    return World()


def web(world: World) -> str:
    return world.get("services", "web")["spec"]["clusterIP"]


def test_the_corefile_of_kubeadm_costs_nothing_and_is_what_stands_for_none(world):
    assert parsed(world.get("configmaps", "coredns", "kube-system")["data"]["Corefile"]) == parsed(coredns.PLAIN)
    assert all(world.cluster.kubelets.runtime.container("kube-system", pod["metadata"]["name"], "coredns").held == {} for pod in world.servers())
    assert parsed(coredns.PLAIN).ports == (53, 8080, 8181, 9153)


def test_an_edit_takes_effect_after_the_volume_and_the_plugin_have_looked(world):
    world.edit(HEAD + "    rewrite name shop.example web.default.svc.cluster.local\n" + TAIL, wait=1)
    assert world.ask("shop.example").status == "NXDOMAIN"
    world.run(200)
    found = world.ask("shop.example")
    assert (found.status, found.addresses, found.records[0].name) == ("NOERROR", (web(world),), "shop.example.")
    log = world.logs()
    assert log.count("[INFO] Reloading") == log.count("[INFO] Reloading complete") == 2
    assert sum(bool(re.fullmatch(r"\[INFO\] plugin/reload: Running configuration SHA512 = [0-9a-f]{128}", line)) for line in log) == 2
    assert world.network.request(SOURCES["pod"], "shop.example", 80).status == 200


REWRITES = [
    ("name suffix .shop.example .default.svc.cluster.local", "web.shop.example"), ("name prefix my- web.", "my-default.svc.cluster.local"),
    (r"name regex (.*)\.in\.example {1}.default.svc.cluster.local", "web.in.example"), ("name substring --- .default.", "web---svc.cluster.local"),
    ("name exact a.b web.default.svc.cluster.local", "a.b"), ("continue name e.f c.d\n    rewrite name c.d web.default.svc.cluster.local", "e.f"),
    ("stop {\n        name regex (.*)\\.x web.default.svc.cluster.local answer auto\n    }", "any.x"),
]


@pytest.fixture(scope="module")
def shared():
    return World()


@pytest.mark.parametrize(("rule", "name"), REWRITES)
def test_names_are_rewritten(shared, rule, name):
    assert shared.ask(name).addresses == ()
    shared.edit(HEAD + f"    rewrite {rule}\n" + TAIL)
    assert shared.ask(name).addresses == (web(shared),) and shared.ask("web.default.svc.cluster.local").addresses == (web(shared),)


@pytest.mark.parametrize(("falls", "other"), [("fallthrough", "NOERROR"), ("", "NXDOMAIN")])
def test_hosts_come_before_everything_else_and_others_only_if_they_fall_through(shared, falls, other):
    shared.edit(HEAD + f"    hosts {{\n        10.0.0.1 db.example db2.example\n        10.0.0.2 db.example\n        ttl 60\n        {falls}\n    }}\n" + TAIL)
    found = shared.ask("db.example")
    assert sorted(found.addresses) == ["10.0.0.1", "10.0.0.2"] and found.records[0].ttl == 60
    assert [shared.ask("db2.example").addresses, shared.ask("db.example", "TXT").addresses] == [("10.0.0.1",), ()]
    assert shared.ask("web.default.svc.cluster.local").status == other and shared.ask("kubernetes.io").status == other


def test_a_zone_of_its_own_has_its_own_plugins(shared):
    shared.edit(HEAD + TAIL + "example.org {\n    hosts {\n        10.9.9.9 a.example.org\n    }\n}\n")
    assert [shared.ask(name).status for name in ("a.example.org", "b.example.org", "example.com")] == ["NOERROR", "NXDOMAIN", "NOERROR"]
    shared.edit("cluster.local:53 {\n    health\n    ready\n" + TAIL)
    assert [shared.ask(name).status for name in ("web.default.svc.cluster.local", "example.com")] == ["NOERROR", "REFUSED"]


def test_a_stub_domain_is_asked_of_the_server_that_has_it(shared):
    shared.client.create("configmaps", {"metadata": {"name": "own", "namespace": "default"}, "data": {
        "Corefile": "corp.example {\n    hosts {\n        10.7.7.7 wiki.corp.example\n    }\n}\n"}})
    shared.client.create("pods", {"metadata": {"name": "own", "namespace": "default"}, "spec": {
        "nodeName": "w3-k8s", "volumes": [{"name": "c", "configMap": {"name": "own"}}], "containers": [{
            "name": "coredns", "image": "coredns/coredns:1.11.1", "args": ["-conf", "/etc/coredns/Corefile"], "volumeMounts": [{"name": "c", "mountPath": "/etc/coredns"}]}]}})
    shared.run(30)
    address = shared.get("pods", "own")["status"]["podIP"]
    shared.edit(HEAD + TAIL + f"corp.example:53 {{\n    errors\n    forward . {address}\n}}\nfar.example:53 {{\n    errors\n    forward . 10.255.0.53\n}}\n")
    assert shared.ask("wiki.corp.example").addresses == ("10.7.7.7",) and shared.ask("nosuch.corp.example").status == "NXDOMAIN"
    far = shared.ask("a.far.example")
    assert far.status == "SERVFAIL" and 5 <= far.seconds < 5.1
    assert any(line.startswith("[ERROR] plugin/errors: 2 a.far.example. A: read udp ") for line in shared.logs())


@pytest.mark.parametrize(("said", "real", "unreal"), [("insecure", "NOERROR", "NOERROR"), ("verified", "NOERROR", "NXDOMAIN"), ("disabled", "NXDOMAIN", "NXDOMAIN")])
def test_pods_have_names_as_the_file_says(shared, said, real, unreal):
    shared.edit(HEAD + TAIL.replace("insecure", said).replace("ttl 30", "ttl 7"))
    address = shared.get("pods", "server")["status"]["podIP"].replace(".", "-")
    assert [shared.ask(f"{each}.default.pod.cluster.local").status for each in (address, "1-2-3-4")] == [real, unreal]
    assert shared.ask("web.default.svc.cluster.local").records[0].ttl == 7


def test_without_the_kubernetes_plugin_the_clusters_names_are_nobodys(shared):
    shared.edit(HEAD + "    forward . /etc/resolv.conf\n    reload\n}\n")
    assert shared.ask("web.default.svc.cluster.local").status == "NXDOMAIN" and shared.ask("kubernetes.io").status == "NOERROR"
    shared.edit(HEAD + TAIL.replace("cluster.local", "corp.internal"))
    assert [shared.ask(f"web.default.svc.{zone}").addresses for zone in ("corp.internal", "cluster.local")] == [(web(shared),), ()]


def test_the_log_plugin_writes_each_question_down_and_a_look_is_none(world):
    world.edit(HEAD + "    log\n" + TAIL)
    assert world.ask("web.default", search=True).addresses == (web(world),)
    lines = [line for line in world.logs() if '"A IN' in line]
    assert [re.search(r'^\[INFO\] 10\.244\.\d+\.\d+:\d+ - \d+ "A IN (\S+) udp \d+ false 512" (\w+) qr,aa,rd \d+ 0\.\d{9}s$', line).groups() for line in sorted(lines, key=len)][-1][1] in ("NOERROR", "NXDOMAIN")
    assert len(lines) == 2 and sum(" NOERROR " in line for line in lines) == 1


def test_a_bad_file_is_refused_while_it_runs_and_ends_the_program_when_it_starts(world):
    world.edit(HEAD + "    fowrard . 8.8.8.8\n" + TAIL)
    fault = "/etc/coredns/Corefile:5 - Error during parsing: Unknown directive 'fowrard'"
    assert world.logs().count(f"[ERROR] Restart failed: {fault}") == 2 and world.ask("web.default.svc.cluster.local").addresses == (web(world),)
    world.restart()
    assert all(pod["status"]["containerStatuses"][0]["restartCount"] >= 2 and not pod["status"]["containerStatuses"][0]["ready"] for pod in world.servers())
    assert fault in world.logs() and world.ask("web.default.svc.cluster.local").fault == "Connection refused"
    world.edit(HEAD + TAIL, wait=400)
    assert world.ask("web.default.svc.cluster.local").addresses == (web(world),)


def test_without_the_reload_plugin_only_a_restart_helps(world):
    world.edit(HEAD + TAIL.replace("    reload\n", ""))
    world.edit(HEAD + "    rewrite name a.b web.default.svc.cluster.local\n" + TAIL, wait=600)
    assert world.ask("a.b").addresses == ()
    world.restart()
    assert world.ask("a.b").addresses == (web(world),)


def test_a_server_without_the_ready_plugin_never_gets_ready(world):
    world.edit(HEAD.replace("    ready\n", "") + TAIL)
    world.restart()
    assert {each["status"] for pod in world.servers() for each in pod["status"]["conditions"] if each["type"] == "Ready"} == {"False"}
    assert world.ask("web.default.svc.cluster.local").fault == "Connection refused"


def test_what_was_loaded_is_loaded_after_a_restart_of_the_simulation_and_what_was_not_comes_later(world):
    world.edit(HEAD + "    rewrite name a.b web.default.svc.cluster.local\n" + TAIL)
    world.edit(HEAD + "    rewrite name c.d web.default.svc.cluster.local\n" + TAIL, wait=0)
    world.cluster = Cluster.restore(json.loads(json.dumps(world.cluster.snapshot())))
    world.network, world.client = world.cluster.network, world.cluster.client()
    assert [bool(world.ask(name).addresses) for name in ("a.b", "c.d")] == [True, False]
    world.run(200)
    assert [bool(world.ask(name).addresses) for name in ("a.b", "c.d")] == [False, True]


def test_steady_traffic_hears_of_a_new_name(world):
    world.network.traffic.aim("http://shop.example/", None, 10, "Pod/default/client")
    assert world.network.traffic.sources()[0]["failed"] == 10
    world.edit(HEAD + "    rewrite name shop.example web.default.svc.cluster.local\n" + TAIL)
    assert world.network.traffic.sources()[0]["ok"] == 10


@pytest.mark.parametrize(("text", "fault"), [
    (".:53 {\n    errors\n", "/etc/coredns/Corefile:2 - Error during parsing: Unexpected EOF"),
    (".:53 {\n    forward . dns.example\n}", 'plugin/forward: not an IP address or file: "dns.example"'),
    (".:53 {\n    forward .\n}", "plugin/forward: /etc/coredns/Corefile:2 - Error during parsing: Wrong argument count or unexpected line ending after '.'"),
    (".:x {\n}", "/etc/coredns/Corefile:1 - Error during parsing: invalid port: x"),
    (".:53 {\n    hosts {\n        web.example 10.0.0.1\n    }\n}", "plugin/hosts: unknown property 'web.example'"),
    (".:0000019999 {\n}", "/etc/coredns/Corefile:1 - Error during parsing: invalid port: 0000019999"),
    (f". {{\n    hosts {{\n        ttl {'1' * 5_000}\n    }}\n}}", f"plugin/hosts: ttl must be in range [0, 3600]: {'1' * 5_000}"),
    ('"' + '\\"' * 30_000, "/etc/coredns/Corefile:1 - Error during parsing: Unexpected EOF"),
    ("# x\n" * 250_000, "/etc/coredns/Corefile:1 - Error during parsing: longer than the 65536 letters that this simulation takes"),
    (".:53 {\n    rewrite name a\n}", "plugin/rewrite: few arguments provided: expected at least 2 for name rules"),
])
def test_what_a_corefile_may_not_say(text, fault):
    with pytest.raises(CorefileError) as raised:
        parsed(text)
    assert str(raised.value) == fault


def test_what_nothing_follows_from_is_told(world):
    assert parsed(".:53 {\n    template ANY ANY x {\n        answer \"a\"\n    }\n    rewrite type A AAAA\n    kubernetes {\n        namespaces a\n    }\n}").beside == (
        "template", "rewrite type", "kubernetes namespaces")
    world.edit(HEAD + "    autopath @kubernetes\n" + TAIL)
    assert world.logs().count("[WARNING] podium: autopath is accepted, but nothing follows from it here") == 2


def test_a_name_that_rules_make_too_long_fails_and_grows_no_further(shared):
    shared.edit(HEAD + "    rewrite continue name substring a aa\n" * 100 + TAIL)
    assert shared.ask("a.example").status == "SERVFAIL" and shared.ask("web.default.svc.cluster.local").status == "SERVFAIL"
    shared.edit(HEAD + TAIL)
    assert shared.ask("web.default.svc.cluster.local").status == "NOERROR"
