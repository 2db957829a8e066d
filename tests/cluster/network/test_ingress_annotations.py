"""What ingress-nginx's annotations make of requests, one at a time and as flows with exact shares."""
# ruff: noqa: E501 -- a case is a row

from __future__ import annotations

import base64
import re
import subprocess
from collections import Counter

import pytest
from test_ingress import INGRESSES, World, ingress, path

from server.cluster.apiserver.validation.networking import warnings
from server.cluster.network import ingress_gates, ingress_routes
from server.cluster.network.branching import Branches
from server.cluster.network.ingress_gates import Buckets, canary_share, hashed_by, limits, nearest, within
from server.cluster.network.ingress_routes import Routes
from server.cluster.network.passwords import is_password, md5_crypt


@pytest.fixture(scope="module")
def shared():
    """A world whose tests each have a host of their own."""
    return World()


def canary(world: World, host: str, **notes: str) -> None:
    name = host.partition(".")[0]
    world.put(ingress(f"{name}-main", (host, [path("/", "web")])))
    world.put(ingress(f"{name}-canary", (host, [path("/", "who")]), annotations={"canary": "true", **notes}))
    world.run(1)


def went(walk) -> str:
    return walk.hops[-1].what.removeprefix("default/").partition("-")[0]


# canaries

BY_HEADER, BY_VALUE = {"canary-by-header": "X-New"}, {"canary-by-header": "X-New", "canary-by-header-value": "beta"}
BY_PATTERN, BY_COOKIE = {"canary-by-header": "X-New", "canary-by-header-pattern": "^v[2-9]$"}, {"canary-by-cookie": "new"}
CANARIES = [
    (BY_HEADER, {"X-New": "always"}, 1.0), (BY_HEADER, {"x-new": "never"}, 0.0), (BY_HEADER, {"X-New": "maybe"}, 0.0), (BY_HEADER, {}, 0.0),
    (BY_VALUE, {"X-New": "beta"}, 1.0), (BY_VALUE, {"X-New": "always"}, 0.0), (BY_PATTERN, {"X-New": "v3"}, 1.0), (BY_PATTERN, {"X-New": "V3"}, 0.0),
    (BY_PATTERN, {"X-New": "v1"}, 0.0), ({**BY_PATTERN, "canary-by-header-value": "x"}, {"X-New": "v3"}, 0.0), (BY_COOKIE, {"Cookie": "a=b; new=always"}, 1.0),
    (BY_COOKIE, {"Cookie": "new=never"}, 0.0), ({"canary-weight": "30"}, {}, 0.3), ({"canary-weight": "30", "canary-weight-total": "200"}, {}, 0.15),
    ({"canary-weight": "0"}, {}, 0.0), ({"canary-weight": "100"}, {}, 1.0), ({"canary-weight": "900"}, {}, 1.0), ({"canary-weight": "x"}, {}, 0.0),
    ({**BY_HEADER, **BY_COOKIE, "canary-weight": "50"}, {"X-New": "never", "Cookie": "new=always"}, 0.0),
    ({**BY_HEADER, **BY_COOKIE, "canary-weight": "50"}, {"X-New": "other", "Cookie": "new=always"}, 1.0),
    ({**BY_HEADER, **BY_COOKIE, "canary-weight": "50"}, {"Cookie": "new=other"}, 0.5),
]


@pytest.mark.parametrize(("notes", "headers", "share"), CANARIES)
def test_a_header_decides_before_a_cookie_and_both_before_the_weight(notes, headers, share):
    assert canary_share(notes, headers) == share


def test_a_canary_takes_whom_its_annotations_name_and_the_log_says_so(shared):
    canary(shared, "c1.example", **BY_VALUE)
    assert [went(shared.ask("c1.example", headers=headers)) for headers in ({}, {"X-New": "beta"})] == ["web", "who"]
    assert re.search(r"\[default-web-80\] \[default-who-80\] ", shared.log()[-1])
    walk = shared.ask("c1.example", headers={"X-New": "beta"})
    assert [hop.decision for hop in walk.hops if hop.kind == "ingress"] == [
        "matches / (prefix) of Ingress default/c1-main", "is the canary of Ingress default/c1-canary"]


def test_a_weight_draws_lots_for_single_requests(shared):
    canary(shared, "c2.example", **{"canary-weight": "25"})
    found = Counter(went(shared.ask("c2.example")) for _ in range(400))
    assert set(found) == {"web", "who"} and 70 <= found["who"] <= 130


def test_a_canary_without_endpoints_or_beside_no_rule_is_nobodys(shared):
    shared.put(ingress("c3-main", ("c3.example", [path("/", "web")])))
    shared.put(ingress("c3-canary", ("c3.example", [path("/", "nosuch")]), annotations={"canary": "true", "canary-weight": "100"}))
    shared.put(ingress("c4-canary", ("c4.example", [path("/", "who")]), annotations={"canary": "true", "canary-weight": "100"}))
    shared.run(1)
    assert went(shared.ask("c3.example")) == "web" and shared.ask("c4.example").status == 404
    main = ingress("a", ("h", [path("/", "web"), path("/x", "web")]))
    beside = ingress("b", ("h", [path("/x", "who"), path("/x", "who", "Exact")]), annotations={"canary": "true"})
    second = ingress("c", ("h", [path("/x", "third")]), annotations={"canary": "true"})
    routes = Routes([second, beside, main])
    assert [at.canary and at.canary.ingress[1] for at in (routes.find("h", "/"), routes.find("h", "/x"), routes.find("h", "/x/y"))] == [None, "b", "b"]


def test_steady_traffic_divides_exactly_by_the_weight(shared):
    canary(shared, "c5.example", **{"canary-weight": "10"})
    shared.run(70)
    traffic = shared.cluster.network.traffic
    name = traffic.aim("http://c5.example/", None, 1000)
    shared.run(10)
    rates = Counter()
    for way in traffic.sources()[0]["paths"]:
        rates[way["pod"].split("/")[2].partition("-")[0]] += way["rate"]
    assert rates == {"web": 900.0, "who": 100.0} and len(traffic.sources()[0]["paths"]) == 3
    counted = Counter()
    for each in traffic.counts(name):
        counted[each["pod"].split("/")[2].partition("-")[0]] += each["count"]
    assert counted["who"] / sum(counted.values()) == pytest.approx(0.1)
    shared.client.patch(INGRESSES, "default", "c5-canary", {"metadata": {"annotations": {"nginx.ingress.kubernetes.io/canary-weight": "50"}}})
    shared.run(1)
    assert sum(way["rate"] for way in traffic.sources()[0]["paths"] if "/who-" in way["pod"]) == 500
    traffic.remove(name)


def test_every_combination_of_choices_comes_up_once_with_its_share():
    branches, seen = Branches(5.0), []
    while True:
        first = branches.pick([("a", 1), ("b", 1)])
        seen.append((first + (branches.pick([("x", 3), ("y", 1)]) if first == "b" else ""), branches.share))
        if not branches.turn():
            break
    assert seen == [("a", 0.5), ("bx", 0.375), ("by", 0.125)]


# limits

def test_more_than_the_rate_and_the_burst_is_refused_until_the_bucket_has_run_down(shared):
    shared.put(ingress("l1", ("l1.example", [path("/", "web")]), annotations={"limit-rps": "1"}))
    shared.run(1)
    assert [shared.ask("l1.example").status for _ in range(8)] == [200] * 6 + [503] * 2
    assert 'limiting requests, excess: 5.000 by zone "default_l1_rps", client: 203.0.113.10' in shared.log()[-2]
    assert shared.ask("l1.example").hops[-1].decision == "takes 1 requests a second from 203.0.113.10, and 5 more at once: refused"
    shared.run(2)
    assert [shared.ask("l1.example").status for _ in range(3)] == [200, 200, 503]


def test_a_flow_over_the_limit_gets_the_limit_and_no_more(shared):
    shared.put(ingress("l2", ("l2.example", [path("/", "web")]), annotations={"limit-rps": "30"}))
    shared.run(70)
    traffic = shared.cluster.network.traffic
    name = traffic.aim("http://l2.example/", None, 120)
    shared.run(10)
    record = traffic.sources()[0]
    assert (record["ok"], record["failed"]) == (30.0, 90.0) and record["error"]["text"] == "HTTP 503"
    counts = Counter()
    for each in traffic.counts(name):
        counts[each["ok"]] += each["count"]
    assert counts[True] / (counts[True] + counts[False]) == pytest.approx(0.25)
    traffic.aim("http://l2.example/", None, 20)
    shared.run(1)
    assert (traffic.sources()[0]["ok"], traffic.sources()[0]["failed"]) == (20.0, 0.0)
    traffic.remove(name)


def test_limits_count_each_client_by_itself_and_spare_the_named_ones():
    (limit,), buckets = limits({"limit-rps": "1", "limit-burst-multiplier": "1"}, "10.0.0.1"), Buckets()
    assert [buckets.takes(("a",), limit, 0.0) for _ in range(3)] == [True, True, False] and buckets.takes(("b",), limit, 0.0)
    assert limits({"limit-rps": "1", "limit-whitelist": "10.0.0.0/8"}, "10.0.0.1") == []


@pytest.mark.parametrize(("size", "status"), [(None, 413), ("8m", 200), ("0", 200), ("1k", 413)])
def test_a_body_that_is_too_large_is_413(shared, size, status):
    host = f"size-{size}.example".lower()
    shared.put(ingress(f"size-{size}".lower(), (host, [path("/", "who")]), annotations={"proxy-body-size": size} if size else None))
    shared.run(1)
    walk = shared.cluster.network.workstation().request("192.168.1.200", 80, "POST", headers={"Host": host}, body="x" * ((1 << 20) + 1))
    assert walk.status == status and (status == 200 or "<title>413 Request Entity Too Large</title>" in walk.body)
    assert shared.cluster.network.workstation().request("192.168.1.200", 80, "POST", headers={"Host": host}, body="x" * 1000).status == 200


# passwords

@pytest.mark.parametrize(("kind", "scheme"), [("apr1", "$apr1$"), ("1", "$1$")])
@pytest.mark.parametrize("password", ["", "a", "fifteen letters", "sixteen letters!", "a much longer password than thirty-two letters"])
def test_passwords_are_hashed_as_openssl_hashes_them(kind, scheme, password):
    real = subprocess.run(["openssl", "passwd", f"-{kind}", "-salt", "s4Lt.8/x", "-stdin"], input=f"{password}\n", capture_output=True, text=True, check=True)
    assert real.stdout.strip() == md5_crypt(password.encode(), "s4Lt.8/x", scheme)


def test_only_the_right_password_is_one():
    file = "a:{PLAIN}one\n# b\nb:{SSHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=\nc:$2y$05$abcdefghijklmnopqrstuv\n"
    assert [is_password(file, *said) for said in (("a", "one"), ("a", "two"), ("nobody", "one"), ("b", "x"), ("c", "x"))] == [True, False, False, False, None]


def test_basic_auth_asks_for_a_password_and_lets_in_whom_the_secret_names(shared):
    kept = base64.b64encode(f"foo:{md5_crypt(b'bar', 'abcdefgh')}\n".encode()).decode()
    notes = {"auth-type": "basic", "auth-secret": "basic-auth", "auth-realm": "Authentication Required - foo"}
    shared.put(ingress("auth", ("auth.example", [path("/", "web")]), annotations=notes))
    shared.run(1)
    assert shared.ask("auth.example").status == 503, "a secret that is not there closes the way"
    shared.client.create("secrets", {"metadata": {"name": "basic-auth", "namespace": "default"}, "data": {"auth": kept}})
    walk = shared.ask("auth.example")
    assert (walk.status, walk.headers["WWW-Authenticate"]) == (401, 'Basic realm="Authentication Required - foo"')
    assert "<center><h1>401 Authorization Required</h1></center>" in walk.body
    said = {word: {"Authorization": "Basic " + base64.b64encode(word.encode()).decode()} for word in ("foo:bar", "foo:baz", "x:bar", "foo")}
    assert [shared.ask("auth.example", headers=headers).status for headers in said.values()] == [200, 401, 401, 401]
    shared.client.patch("secrets", "default", "basic-auth", {"data": {"auth": base64.b64encode(b"foo:$2y$05$x").decode()}})
    assert shared.ask("auth.example", headers=said["foo:bar"]).status == 401 and any("bcrypt" in line for line in shared.log()[-2:])


def test_steady_traffic_hears_of_a_password_that_was_taken_away(shared):
    shared.client.create("secrets", {"metadata": {"name": "later", "namespace": "default"}, "data": {"auth": ""}})
    shared.put(ingress("later", ("later.example", [path("/", "web")]), annotations={"auth-type": "basic", "auth-secret": "later"}))
    shared.run(70)
    traffic = shared.cluster.network.traffic
    name = traffic.aim("http://later.example/", None, 10)
    shared.run(1)
    assert traffic.sources()[0]["error"]["text"] == "HTTP 401"
    shared.client.delete("secrets", "default", "later")
    shared.run(1)
    assert traffic.sources()[0]["error"]["text"] == "HTTP 503"
    traffic.remove(name)


# CORS, cookies, names

def test_another_origin_may_read_what_cors_allows(shared):
    shared.put(ingress("cors", ("cors.example", [path("/", "web")]), annotations={"enable-cors": "true", "cors-allow-origin": "https://*.shop.example, https://one.example:8443"}))
    shared.run(1)
    walk = shared.ask("cors.example", headers={"Origin": "https://a.shop.example"})
    assert walk.status == 200 and walk.headers["Access-Control-Allow-Origin"] == "https://a.shop.example"
    assert walk.headers["Access-Control-Allow-Methods"] == "GET, PUT, POST, DELETE, PATCH, OPTIONS" and walk.headers["Access-Control-Max-Age"] == "1728000"
    for origin, allowed in (("https://one.example:8443", True), ("http://a.shop.example", False), ("https://a.b.shop.example", False), ("https://evilshop.example", False)):
        assert ("Access-Control-Allow-Origin" in shared.ask("cors.example", headers={"Origin": origin}).headers) is allowed
    ahead = shared.ask("cors.example", method="OPTIONS", headers={"Origin": "https://a.shop.example"})
    assert (ahead.status, ahead.body) == (204, "") and ahead.headers["Access-Control-Allow-Credentials"] == "true"


def test_a_cookie_ties_a_client_to_an_endpoint(shared):
    shared.put(ingress("sticky", ("sticky.example", [path("/", "web")]), annotations={"affinity": "cookie", "session-cookie-name": "route", "session-cookie-max-age": "60"}))
    shared.run(1)
    seen = set()
    for _ in range(12):
        first = shared.ask("sticky.example")
        found = re.fullmatch(r"(route=[\d.]+\|[0-9a-f]{32}); Max-Age=60; Path=/; HttpOnly", first.headers["Set-Cookie"])
        again = [shared.ask("sticky.example", headers={"Cookie": found[1]}) for _ in range(3)]
        assert {walk.hops[-1].what for walk in again} == {first.hops[-1].what} and all("Set-Cookie" not in walk.headers for walk in again)
        seen.add(first.hops[-1].what)
    assert len(seen) == 2


def test_a_text_leads_to_one_endpoint_and_stays_there_when_another_goes(shared):
    peers = tuple((f"10.0.0.{number}", 80) for number in range(6))
    for text in map(str, range(200)):
        at = peers[nearest(text, peers)]
        assert peers[:5][nearest(text, peers[:5])] == at or at == peers[5]
    shared.put(ingress("hash", ("hash.example", [path("/", "web")]), annotations={"upstream-hash-by": "$request_uri"}))
    shared.run(1)
    for each in range(8):
        assert len({shared.ask("hash.example", f"/?{each}").hops[-1].what for _ in range(3)}) == 1
    assert len({shared.ask("hash.example", f"/?{each}").hops[-1].what for each in range(20)}) == 2


def test_a_host_has_other_names(shared):
    shared.put(ingress("names", ("names.example", [path("/", "who")]), annotations={
        "server-alias": "other.example, third.example", "from-to-www-redirect": "true", "x-forwarded-prefix": "/p"}))
    shared.run(1)
    assert [shared.ask(host).status for host in ("other.example", "third.example", "fourth.example")] == [200, 200, 404]
    walk = shared.ask("www.names.example", "/x?y")
    assert (walk.status, walk.headers["Location"]) == (308, "http://names.example/x?y")
    assert "X-Forwarded-Prefix: /p\n" in shared.ask("names.example").body


def test_a_default_backend_stands_in_and_answers_errors(shared):
    shared.put(ingress("gone", ("gone.example", [path("/", "nosuch")]), annotations={"default-backend": "who"}))
    shared.put(ingress("errors", ("errors.example", [path("/", "web")]), annotations={"default-backend": "who", "custom-http-errors": "404,503"}))
    shared.run(1)
    assert "GET /x HTTP/1.1" in shared.ask("gone.example", "/x").body
    told = shared.ask("errors.example", "/nosuch")
    assert told.status == 200 and all(line in told.body for line in ("X-Code: 404\n", "X-Original-URI: /nosuch\n", "X-Ingress-Name: errors\n", "X-Service-Name: web\n"))
    assert "Welcome to nginx!" in shared.ask("errors.example").body


def test_redirects_come_before_the_gate_and_the_gate_before_the_password(shared):
    notes = {"whitelist-source-range": "10.0.0.0/8", "auth-type": "basic", "auth-secret": "nosuch"}
    shared.put(ingress("order1", ("order1.example", [path("/", "web")]), annotations=notes))
    shared.put(ingress("order2", ("order2.example", [path("/", "web")]), annotations={**notes, "permanent-redirect": "https://b.example"}))
    shared.run(1)
    assert [shared.ask(host).status for host in ("order1.example", "order2.example")] == [403, 301]


def test_an_ingress_that_leads_to_its_own_controller_ends_with_an_error_and_not_the_room():
    world = World()
    made = ingress("loop", ("loop.example", [path("/", "ingress-nginx-controller")]))
    made["metadata"]["namespace"] = "ingress-nginx"
    world.client.create(INGRESSES, made)
    world.run(1)
    assert world.ask("loop.example").status == 500
    assert any("worker_connections are not enough" in line for line in world.log())


def test_what_nothing_follows_from_is_said_and_what_is_followed_is_not():
    def said(notes):
        return list(warnings(ingress("a", ("h", [path("/", "web")]), annotations=notes) | {}))
    assert said({"canary": "true", "canary-weight": "5", "limit-rps": "3", "auth-type": "basic", "affinity": "cookie"}) == []
    assert said({"auth-type": "digest"}) == ["podium: annotation nginx.ingress.kubernetes.io/auth-type: nothing follows from 'digest' here, only from basic"]
    assert said({"auth-url": "http://x"}) == ["podium: annotation nginx.ingress.kubernetes.io/auth-url is accepted, but nothing follows from it here"]


# bounds

def test_many_canaries_cost_what_their_paths_cost(monkeypatch):
    said, asked = ingress_routes._said, []
    monkeypatch.setattr(ingress_routes, "_said", lambda path: (asked.append(1), said(path))[1])
    rows = [path(f"/{number}", "web", "Exact") for number in range(300)]
    routes = Routes([ingress("a", ("h", rows)), ingress("b", ("h", [{**row, "backend": {"service": {"name": "who", "port": {"number": 80}}}} for row in rows]), annotations={"canary": "true"})])
    assert all(at.canary is not None for at in routes.servers["h"].locations) and len(asked) < 2_000


def test_a_new_cookie_is_not_searched_for_among_all_endpoints(shared, monkeypatch):
    shared.put(ingress("tied", ("tied.example", [path("/", "web")]), annotations={"affinity": "cookie"}))
    shared.run(1)
    found, drawn = ingress_gates.nearest, []
    monkeypatch.setattr(ingress_gates, "nearest", lambda text, peers: (drawn.append(text), found(text, peers))[1])
    walks = [shared.ask("tied.example") for _ in range(20)]
    assert len(drawn) == 20 and {walk.status for walk in walks} == {200} and len({walk.hops[-1].what for walk in walks}) == 2


def test_what_an_annotation_makes_of_a_request_has_bounds(shared):
    assert len(hashed_by({"upstream-hash-by": "$request_uri" * 20_000}, {"uri": "/" + "x" * 8_000}, {})) < 200_000
    assert within("10.0.0.1", "1.1.1.1," * 20 + "10.0.0.0/8") and not within("10.0.0.1", "1.1.1.1," * 32_000 + "10.0.0.0/8") and not within("10.0.0.1", "x")
    shared.put(ingress("long", ("long.example", [path("/(.*)", "who", "ImplementationSpecific")]), annotations={"rewrite-target": "/" + "$1" * 100_000}))
    shared.run(1)
    assert len(shared.ask("long.example", "/" + "x" * 100).body) < 100_000


def test_a_password_that_is_no_base64_lets_nobody_in():
    assert is_password("a:{SSHA}\u00e9", "a", "b") is False and is_password("a:{SSHA}x", "a", "b") is False


def test_of_many_paths_that_are_no_expressions_a_few_are_told(shared):
    made = ingress("many", ("many.example", [path(f"/(a+)+{number}", "web", "ImplementationSpecific") for number in range(1_000)]), annotations={"use-regex": "true"})
    assert 1 < len(list(warnings(made))) <= 10


def test_a_path_that_is_too_long_for_an_expression_does_not_keep_the_others_from_being_followed():
    routes = Routes([ingress("a", ("h", [path("/" + "x" * 100_000, "web"), path("/a(.*)", "who")]), annotations={"use-regex": "true"})])
    assert routes.find("h", "/abc").path == "/a(.*)"
