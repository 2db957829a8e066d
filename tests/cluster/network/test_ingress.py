"""Ingress: who serves it, where requests for a host and a path go, what nginx says itself, what the controller writes and logs."""
# ruff: noqa: E501 -- a case is a row

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from server.cluster.apiserver.resources import by_kind
from server.cluster.cluster import Cluster
from server.cluster.network.ingress_routes import Config, Routes, config, serves
from server.cluster.network.source import OUTSIDE, in_pod
from server.cluster.network.walk import Walk

INGRESSES, CLASSES, POLICIES = (f"{kind}.networking.k8s.io" for kind in ("ingresses", "ingressclasses", "networkpolicies"))
MANIFESTS = Path(__file__).parents[3] / "server" / "rooms" / "manifests"
PREFIX = "nginx.ingress.kubernetes.io"
Object = dict[str, Any]


def path(where: str, service: str, kind: str = "Prefix", port: int | str = 80) -> Object:
    return {"path": where, "pathType": kind, "backend": {"service": {"name": service, "port": {"name" if isinstance(port, str) else "number": port}}}}


def ingress(name: str, *rules: tuple[str, list[Object]], annotations: dict[str, str] | None = None, **spec: object) -> Object:
    made = [{**({"host": host} if host else {}), "http": {"paths": paths}} for host, paths in rules]
    noted = {"annotations": {f"{PREFIX}/{key}": value for key, value in annotations.items()}} if annotations else {}
    return {"metadata": {"name": name, "namespace": "default", **noted}, "spec": {"ingressClassName": "nginx", **({"rules": made} if made else {}), **spec}}


class World:
    """A cluster with ingress-nginx, two Services, and somebody outside who asks the load balancer."""

    def __init__(self, manifest: str = "ingress-nginx.yaml", install: bool = True) -> None:
        self.cluster = Cluster(seed=3)
        self.client = self.cluster.client()
        for name, image, port in (("web", "nginx", 80), ("who", "traefik/whoami", 80), ("hello", "gcr.io/google-samples/hello-app:1.0", 8080)):
            self.client.create("deployments.apps", {"metadata": {"name": name, "namespace": "default"}, "spec": {
                "replicas": 2 if name == "web" else 1, "selector": {"matchLabels": {"app": name}},
                "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": [{"name": "c", "image": image, "ports": [
                    {"name": "http", "containerPort": port}]}]}}}})
            self.client.create("services", {"metadata": {"name": name, "namespace": "default"}, "spec": {
                "selector": {"app": name}, "ports": [{"name": "http", "port": 80, "targetPort": "http"}]}})
        if install:
            self.install(manifest)
        self.run(20)

    def install(self, manifest: str = "ingress-nginx.yaml", args: tuple[str, ...] = ()) -> None:
        for obj in yaml.safe_load_all((MANIFESTS / manifest).read_text()):
            if by_kind(obj["apiVersion"], obj["kind"]) is None:
                continue
            if obj["kind"] == "Deployment" and args:
                obj["spec"]["template"]["spec"]["containers"][0]["args"] += args
            self.client.create(by_kind(obj["apiVersion"], obj["kind"]).key, obj)

    def run(self, seconds: float) -> None:
        self.cluster.clock.run_for(seconds)

    def put(self, obj: Object) -> Object:
        return self.client.create(INGRESSES, obj)

    def get(self, name: str) -> Object:
        return self.cluster.api.lister(INGRESSES).get("default", name)

    def ask(self, host: str, where: str = "/", port: int = 80, **more: Any) -> Walk:
        return self.cluster.network.request(OUTSIDE, "192.168.1.200", port, path=where, headers={"Host": host, **more.pop("headers", {})}, **more)

    def controllers(self) -> list[Object]:
        return self.cluster.api.lister("pods").list("ingress-nginx")

    def log(self) -> list[str]:
        pod = self.controllers()[0]
        return [line.text for line in self.cluster.kubelets.runtime.logs("ingress-nginx", pod["metadata"]["name"], "controller")]

    def events(self, reason: str, name: str) -> list[Object]:
        return [event for event in self.cluster.api.lister("events").list() if event["reason"] == reason and event["involvedObject"]["name"] == name]


@pytest.fixture
def world() -> World:
    return World()


def test_without_a_controller_an_ingress_has_no_address_and_nobody_answers():
    world = World(install=False)
    world.put(ingress("web", ("a.example", [path("/", "web")])))
    world.run(120)
    assert world.get("web")["status"] == {"loadBalancer": {}} and world.events("Sync", "web") == []
    assert world.cluster.network.request(OUTSIDE, "192.168.1.200", 80, timeout=2, headers={"Host": "a.example"}).status is None
    world.install()
    world.run(40)
    assert world.ask("a.example").status == 200
    assert world.get("web")["status"]["loadBalancer"]["ingress"] == [{"ip": "192.168.1.200"}]


def test_a_request_goes_to_the_service_of_the_rule_and_the_walk_tells_how(world):
    world.put(ingress("web", ("a.example", [path("/", "web")]), ("b.example", [path("/who", "who")])))
    world.run(1)
    walk = world.ask("a.example")
    assert walk.status == 200 and "Welcome to nginx!" in walk.body and "Server" not in walk.headers
    assert [hop.kind for hop in walk.hops][-2:] == ["ingress", "pod"]
    assert walk.hops[-2].decision == "matches / (prefix) of Ingress default/web" and walk.hops[-1].what.startswith("default/web-")
    pods = {world.ask("a.example").hops[-1].what for _ in range(4)}
    assert len(pods) == 2
    seen = world.ask("b.example", "/who/am?i=1", headers={"X-Mine": "yes"}).body
    assert "GET /who/am?i=1 HTTP/1.1\nHost: b.example\n" in seen and "X-Forwarded-Proto: http\n" in seen and "X-Mine: yes\n" in seen
    assert re.search(r"X-Request-ID: [0-9a-f]{32}\n", seen) and "X-Real-IP: 203.0.113.10\n" in seen


# the rules of one host or several, what is asked, the path of the rule that answers
ROUTES = [
    ([("", ["/"])], "any.example", "/x", "/"), ([("a.example", ["/"])], "b.example", "/", None), ([("a.example", ["/"])], "A.Example", "/", "/"),
    ([("*.example", ["/"])], "a.example", "/", "/"), ([("*.example", ["/"])], "a.b.example", "/", None), ([("*.example", ["/"])], "example", "/", None),
    ([("*.example", ["/w"]), ("a.example", ["/a"])], "a.example", "/w", None), ([("", ["/all"]), ("a.example", ["/a"])], "b.example", "/all", "/all"),
    ([("a.example", ["/foo"])], "a.example", "/foo", "/foo"), ([("a.example", ["/foo"])], "a.example", "/foo/bar", "/foo/"),
    ([("a.example", ["/foo"])], "a.example", "/foobar", None), ([("a.example", ["/foo/"])], "a.example", "/foo/bar", "/foo/"),
    ([("a.example", ["/foo", "/foo/bar", "/"])], "a.example", "/foo/bar/baz", "/foo/bar/"), ([("a.example", ["/foo", "/"])], "a.example", "/fo", "/"),
    ([("a.example", ["=/foo", "/"])], "a.example", "/foo", "/foo"), ([("a.example", ["=/foo", "/"])], "a.example", "/foo/", "/"),
    ([("a.example", ["=/foo", "/foo"])], "a.example", "/foo", "/foo"), ([("a.example", ["~/foo"])], "a.example", "/foobar", "/foo"),
    ([("a.example", ["/Foo"])], "a.example", "/foo", None), ([("a.example", ["/foo/", "/"])], "a.example", "/foo", "/foo"),
    ([("a.example", ["/foo/", "=/foo"])], "a.example", "/foo", "/foo"), ([("a.example", ["~/foo/", "/"])], "a.example", "/foo/x", "/foo/"),
]


@pytest.mark.parametrize(("hosts", "host", "where", "found"), ROUTES)
def test_which_rule_a_request_meets(hosts, host, where, found):
    kinds = {"=": "Exact", "~": "ImplementationSpecific"}
    rules = [(name, [path(each.lstrip("=~"), "web", kinds.get(each[0], "Prefix")) for each in paths]) for name, paths in hosts]
    at = Routes([ingress("web", *rules)]).find(host, where)
    assert (at.path if at is not None else None) == found


def test_an_exact_path_comes_before_a_prefix_and_the_older_of_two_ingresses_wins():
    both = [path("/foo", "prefix"), path("/foo", "exact", "Exact")]
    assert Routes([ingress("web", ("a", both))]).find("a", "/foo").backend["service"]["name"] == "prefix"  # its own exact half came first
    assert Routes([ingress("web", ("a", both[::-1]))]).find("a", "/foo").backend["service"]["name"] == "exact"
    old, new = ingress("zoo", ("a", [path("/", "old")])), ingress("ant", ("a", [path("/", "new"), path("/n", "new")]))
    old["metadata"]["creationTimestamp"], new["metadata"]["creationTimestamp"] = "2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z"
    routes = Routes([new, old, ingress("aaa", ("a", [path("/c", "canary")]), annotations={"canary": "true"})])
    assert [routes.find("a", where).backend["service"]["name"] for where in ("/", "/n", "/c")] == ["old", "new", "old"]


def test_nginx_adds_the_slash_that_a_prefix_ends_with(world):
    world.put(ingress("web", ("a.example", [path("/foo/", "who"), path("/", "web")])))
    walk = world.ask("a.example", "/foo?q=1")
    assert (walk.status, walk.headers["Location"]) == (301, "http://a.example/foo/?q=1")
    assert "GET /foo/ HTTP/1.1" in world.ask("a.example", "/foo/").body


def test_a_default_backend_takes_what_no_rule_matches(world):
    world.put(ingress("rules", ("a.example", [path("/only", "web")]), defaultBackend={"service": {"name": "who", "port": {"number": 80}}}))
    world.run(1)
    assert "Hostname: who-" in world.ask("a.example", "/else").body and world.ask("b.example").status == 404
    world.put(ingress("all", defaultBackend={"service": {"name": "hello", "port": {"name": "http"}}}))
    world.run(1)
    assert "Hello, world!" in world.ask("b.example").body


def test_nginx_answers_404_without_a_rule_and_503_without_endpoints(world):
    world.put(ingress("web", ("a.example", [path("/", "web")]), ("b.example", [path("/", "nosuch")]), ("c.example", [path("/", "web", port=81)])))
    world.run(1)
    walk = world.ask("nobody.example")
    assert (walk.status, walk.headers["Content-Type"], walk.headers["Content-Length"]) == (404, "text/html", "146")
    assert walk.body == ("<html>\r\n<head><title>404 Not Found</title></head>\r\n<body>\r\n<center><h1>404 Not Found</h1></center>\r\n"
                         "<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n")
    for host in ("b.example", "c.example"):
        walk = world.ask(host)
        assert walk.status == 503 and "<title>503 Service Temporarily Unavailable</title>" in walk.body
    world.client.patch("deployments.apps", "default", "web", {"spec": {"replicas": 0}})
    world.run(10)
    assert world.ask("a.example").status == 503
    assert [line for line in world.log() if "default-web-80" in line][-1].rpartition(" ")[0].endswith("[default-web-80] [] - - - -")


def test_endpoints_that_refuse_make_a_502_and_silent_ones_a_504(world):
    world.client.create("services", {"metadata": {"name": "wrong", "namespace": "default"}, "spec": {"selector": {"app": "who"}, "ports": [
        {"port": 80, "targetPort": 9999}]}})
    world.put(ingress("web", ("a.example", [path("/", "wrong")]), ("b.example", [path("/", "who")])))
    world.run(1)
    walk = world.ask("a.example")
    assert walk.status == 502 and "<title>502 Bad Gateway</title>" in walk.body and walk.seconds < 1
    address = world.cluster.api.lister("endpointslices.discovery.k8s.io").list("default")[-1]["endpoints"][0]["addresses"][0]
    error, access = world.log()[-2:]
    assert "[error] 30#30: *1 connect() failed (111: Connection refused) while connecting to upstream, client: " in world.log()[-4]
    assert f'upstream: "http://{address}:9999/", host: "a.example"' in error
    assert re.search(rf'" 502 150 "-" "curl/8.5.0" \d+ 0\.\d{{3}} \[default-wrong-80\] \[\] {address}:9999, {address}:9999, {address}:9999 0, 0, 0 '
                     r"0\.\d{3}, 0\.\d{3}, 0\.\d{3} 502, 502, 502 [0-9a-f]{32}$", access)
    world.client.create(POLICIES, {"metadata": {"name": "deny", "namespace": "default"}, "spec": {"podSelector": {"matchLabels": {"app": "who"}}}})
    walk = world.ask("b.example")
    assert walk.status == 504 and "<title>504 Gateway Time-out</title>" in walk.body and 15 <= walk.seconds < 15.1
    assert "upstream timed out (110: Operation timed out) while connecting to upstream" in world.log()[-2]
    assert world.ask("b.example", timeout=3).error_text.startswith("curl: (28) Operation timed out after 3000 milliseconds")


def test_a_host_with_tls_is_sent_to_https_and_answers_there(world):
    world.put(ingress("web", ("a.example", [path("/", "web")]), ("b.example", [path("/", "web")]), tls=[{"hosts": ["a.example"], "secretName": "s"}]))
    world.run(1)
    walk = world.ask("a.example", "/x?y=1")
    assert (walk.status, walk.headers["Location"]) == (308, "https://a.example/x?y=1") and "308 Permanent Redirect" in walk.body
    assert world.ask("b.example").status == 200
    reach = world.cluster.network.workstation()
    secure = reach.request("192.168.1.200", 443, headers={"Host": "a.example"}, tls=True)
    assert secure.status == 200 and secure.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"
    plain = world.ask("a.example", port=443)
    assert plain.status == 400 and "The plain HTTP request was sent to HTTPS port" in plain.body
    assert reach.request("192.168.1.200", 80, headers={"Host": "a.example"}, tls=True).exit_code == 35
    world.put(ingress("off", ("c.example", [path("/", "web")]), tls=[{"hosts": ["c.example"]}], annotations={"ssl-redirect": "false"}))
    world.put(ingress("force", ("d.example", [path("/", "web")]), annotations={"force-ssl-redirect": "true"}))
    assert (world.ask("c.example").status, world.ask("d.example").status) == (200, 308)


@pytest.mark.parametrize(("pattern", "target", "asked", "seen"), [
    ("/api(/|$)(.*)", "/$2", "/api/v1/x?q=1", "/v1/x?q=1"), ("/api(/|$)(.*)", "/$2", "/API", "/"), ("/(v1|v2)/(.+)", "/$2/$1", "/v2/users", "/users/v2"),
    ("/old", "/new", "/old/deep", "/new"), ("/", "/base", "/x", "/base"), ("/x", "/$1", "/xyz", "/"),
])
def test_a_path_is_rewritten_by_its_pattern(world, pattern, target, asked, seen):
    world.put(ingress("web", ("a.example", [path(pattern, "who", "ImplementationSpecific")]), annotations={"rewrite-target": target}))
    assert f"GET {seen} HTTP/1.1\n" in world.ask("a.example", asked).body


def test_patterns_are_tried_longest_first_and_one_that_would_never_end_is_not_tried():
    rules = [path("/(.*)", "any", "ImplementationSpecific"), path("/items/([0-9]+)", "number", "ImplementationSpecific"),
             path("/(a+)+$", "endless", "ImplementationSpecific")]
    routes = Routes([ingress("web", ("a", rules), annotations={"use-regex": "true"})])
    assert [routes.find("a", where).backend["service"]["name"] for where in ("/items/7", "/items/x", f"/{'a' * 60}!")] == ["number", "any", "any"]
    beside = Routes([ingress("web", ("a", rules[:1]), annotations={"use-regex": "true"}), ingress("plain", ("a", [path("/plain/", "plain")]))])
    assert [beside.find("a", where).backend["service"]["name"] for where in ("/plain/x", "/PLAIN/x", "/plain")] == ["plain", "plain", "any"]


@pytest.mark.parametrize(("notes", "where", "status", "location"), [
    ({"app-root": "/home"}, "/", 302, "http://a.example/home"), ({"app-root": "/home"}, "/x", 404, None),
    ({"permanent-redirect": "https://b.example"}, "/x", 301, "https://b.example"), ({"temporal-redirect": "https://b.example"}, "/", 302, "https://b.example"),
    ({"permanent-redirect": "https://b.example", "permanent-redirect-code": "308"}, "/", 308, "https://b.example"),
    ({"whitelist-source-range": "10.0.0.0/8"}, "/", 403, None), ({"whitelist-source-range": "10.0.0.0/8,203.0.113.0/24"}, "/", 200, None),
    ({"denylist-source-range": "203.0.113.10"}, "/", 403, None),
])
def test_what_annotations_make_nginx_say(world, notes, where, status, location):
    world.put(ingress("web", ("a.example", [path("/", "web")]), annotations=notes))
    walk = world.ask("a.example", where)
    assert (walk.status, walk.headers.get("Location")) == (status, location)


def test_a_backend_by_another_name_is_resolved_by_the_controller(world):
    for name, target in (("alias", "who.default.svc.cluster.local"), ("far", "nosuch.example.invalid")):
        world.client.create("services", {"metadata": {"name": name, "namespace": "default"}, "spec": {"type": "ExternalName", "externalName": target}})
    world.put(ingress("web", ("a.example", [path("/", "alias")]), ("b.example", [path("/", "far")]), annotations={"upstream-vhost": "inner.example"}))
    assert "Host: inner.example\n" in world.ask("a.example").body
    assert world.ask("b.example").status == 502


# the controller's own words


def test_the_leader_publishes_the_address_once_a_minute_and_each_write_is_noticed(world):
    world.put(ingress("web", ("a.example", [path("/", "web")])))
    world.run(5)
    assert len(world.events("Sync", "web")) == 1 and world.get("web")["status"] == {"loadBalancer": {}}
    world.run(60)
    assert world.get("web")["status"] == {"loadBalancer": {"ingress": [{"ip": "192.168.1.200"}]}}
    event, = world.events("Sync", "web")
    assert (event["count"], event["message"], event["source"]["component"]) == (2, "Scheduled for sync", "nginx-ingress-controller")
    lease = world.cluster.api.lister("leases.coordination.k8s.io").get("ingress-nginx", "ingress-nginx-leader")
    assert lease["spec"]["holderIdentity"] == world.controllers()[0]["metadata"]["name"]
    assert world.events("RELOAD", lease["spec"]["holderIdentity"])[0]["message"] == "NGINX reload triggered due to a change in configuration"
    assert any('"updating Ingress status" namespace="default" ingress="web" currentValue=null newValue=[{"ip":"192.168.1.200"}]' in line for line in world.log())
    before = world.cluster.store.revision
    world.run(600)
    assert not list(world.cluster.store.since(before, INGRESSES))


def test_the_access_log_has_the_controllers_own_format(world):
    world.put(ingress("web", ("a.example", [path("/", "web")])))
    world.ask("a.example", "/?q")
    assert re.fullmatch(r'203\.0\.113\.10 - - \[01/Jan/2026:00:00:20 \+0000\] "GET /\?q HTTP/1\.1" 200 615 "-" "curl/8\.5\.0" \d+ 0\.\d{3} \[default-web-80\] '
                        r"\[\] 10\.244\.\d+\.\d+:80 615 0\.\d{3} 200 [0-9a-f]{32}", world.log()[-1])
    world.ask("nobody.example")
    assert re.search(r"\[upstream-default-backend\] \[\] 127\.0\.0\.1:8181 146 0\.\d{3} 404 [0-9a-f]{32}$", world.log()[-1])
    assert world.log()[1:3] == ["NGINX Ingress controller", "  Release:       v1.13.3"]


def test_an_ingress_of_another_class_is_not_served(world):
    world.client.create(CLASSES, {"metadata": {"name": "other"}, "spec": {"controller": "example.com/other"}})
    for name in ("other", "nosuch", None):
        made = ingress(f"for-{name}".lower(), (f"{name}.example".lower(), [path("/", "web")]))
        made["spec"] = {field: value for field, value in made["spec"].items() if field != "ingressClassName"} | ({"ingressClassName": name} if name else {})
        world.put(made)
    world.run(70)
    assert [world.ask(host).status for host in ("other.example", "nosuch.example", "none.example")] == [404, 404, 404]
    assert all(world.get(name)["status"] == {"loadBalancer": {}} for name in ("for-other", "for-nosuch", "for-none"))
    world.client.patch(INGRESSES, "default", "for-none", {"spec": {"ingressClassName": "nginx"}})
    assert world.ask("none.example").status == 200


@pytest.mark.parametrize(("argv", "spec", "annotation", "mine"), [
    ([], {"ingressClassName": "nginx"}, None, True), (["--controller-class=example.com/x"], {"ingressClassName": "nginx"}, None, False),
    ([], {}, "nginx", True), (["--ingress-class=inner"], {}, "nginx", False), (["--ingress-class=inner"], {}, "inner", True), ([], {}, None, False),
    (["--watch-ingress-without-class=true"], {}, None, True), (["--watch-ingress-without-class"], {}, None, True),
    (["--watch-namespace=other"], {"ingressClassName": "nginx"}, None, False), (["--watch-namespace", "default"], {"ingressClassName": "nginx"}, None, True),
])
def test_which_ingresses_a_controller_takes_by_its_flags(argv, spec, annotation, mine):
    obj = {"metadata": {"name": "i", "namespace": "default", "annotations": {"kubernetes.io/ingress.class": annotation} if annotation is not None else {}}, "spec": spec}
    assert serves(config(argv), obj, {"nginx": {"spec": {"controller": "k8s.io/ingress-nginx"}}}) == mine
    assert config([]) == Config()


def test_without_a_service_to_publish_the_address_is_that_of_the_replicas_machines():
    world = World("ingress-nginx-baremetal.yaml")
    world.put(ingress("web", ("a.example", [path("/", "web")])))
    world.run(70)
    node = world.controllers()[0]["spec"]["nodeName"]
    address = {"w1-k8s": "192.168.1.101", "w2-k8s": "192.168.1.102", "w3-k8s": "192.168.1.103"}[node]
    assert world.get("web")["status"]["loadBalancer"]["ingress"] == [{"ip": address}]
    port = world.cluster.api.lister("services").get("ingress-nginx", "ingress-nginx-controller")["spec"]["ports"][0]["nodePort"]
    assert world.cluster.network.request(OUTSIDE, "192.168.1.101", port, headers={"Host": "a.example"}).status == 200


def test_the_last_replica_takes_its_address_back_and_a_second_one_takes_over(world):
    world.put(ingress("web", ("a.example", [path("/", "web")])))
    world.client.patch("deployments.apps", "ingress-nginx", "ingress-nginx-controller", {"spec": {"replicas": 2}})
    world.run(80)
    assert world.get("web")["status"]["loadBalancer"] and len(world.events("Sync", "web")) == 2
    lease = world.cluster.api.lister("leases.coordination.k8s.io").get("ingress-nginx", "ingress-nginx-leader")
    world.client.delete("pods", "ingress-nginx", lease["spec"]["holderIdentity"])
    world.run(90)
    assert world.get("web")["status"]["loadBalancer"] == {"ingress": [{"ip": "192.168.1.200"}]}
    taken = world.cluster.api.lister("leases.coordination.k8s.io").get("ingress-nginx", "ingress-nginx-leader")["spec"]
    assert taken["holderIdentity"] in [pod["metadata"]["name"] for pod in world.controllers()] and taken["leaseTransitions"] == 1
    for replicas in (1, 0):
        world.client.patch("deployments.apps", "ingress-nginx", "ingress-nginx-controller", {"spec": {"replicas": replicas}})
        world.run(40)
    assert world.get("web")["status"] == {"loadBalancer": {}} and world.ask("a.example", timeout=2).status is None


def test_flags_and_options_that_nothing_follows_from_are_said_in_the_log():
    world = World(install=False)
    world.install(args=("--enable-ssl-passthrough", "--default-ssl-certificate=a/b"))
    world.client.patch("configmaps", "ingress-nginx", "ingress-nginx-controller", {"data": {"use-gzip": "true"}})
    world.run(40)
    said = [line.partition("podium] ")[2] for line in world.log() if "podium" in line]
    assert said == ['"--enable-ssl-passthrough is accepted, but nothing follows from it here"',
                    '"--default-ssl-certificate is accepted, but nothing follows from it here"',
                    '"use-gzip of the ConfigMap is accepted, but nothing follows from it here"']


def test_everything_goes_on_after_a_restart_in_the_middle(world):
    world.put(ingress("web", ("a.example", [path("/", "web")])))
    world.run(5)
    again = World(install=False)
    again.cluster = Cluster.restore(json.loads(json.dumps(world.cluster.snapshot())))
    again.client = again.cluster.client()
    assert again.ask("a.example").status == 200
    again.run(60)
    assert again.get("web")["status"]["loadBalancer"]["ingress"] == [{"ip": "192.168.1.200"}]
    assert sum(event["count"] for event in again.events("Sync", "web")) == 2
    pod = again.cluster.api.lister("pods").list("default")[0]["metadata"]["name"]
    inside = again.cluster.network.request(in_pod("default", pod), "ingress-nginx-controller.ingress-nginx", 80, headers={"Host": "a.example"})
    assert inside.status == 200


def test_a_quiet_controller_costs_nothing(world):
    world.put(ingress("web", ("a.example", [path("/", "web")])))
    world.run(300)
    before = world.cluster.clock.next_due()
    assert before is None or before > world.cluster.clock.now + 1
