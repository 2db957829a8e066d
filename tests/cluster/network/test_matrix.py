"""Source x target x fault -> outcome, with curl's exact words.

``ok`` is an answer; what fails says where: ``refused``, ``no route`` (after three seconds), ``timeout`` (after the last SYN), ``no network`` and
``no name``, each at the hop that is to blame. ``-`` is not asked.
"""

import re

import pytest
from matrix_world import SOURCES, world_with

TABLE = """
fault          | source       | pod-ip            | cluster-ip         | name              | headless          | node-port          | no-port        | ext-name | internet
none           | outside      | timeout node      | timeout service    | no name           | no name           | ok                 | refused node   | no name  | no network
none           | workstation  | ok                | ok                 | no name           | no name           | ok                 | refused node   | no name  | no network
none           | node         | ok                | ok                 | no name           | no name           | ok                 | refused node   | no name  | no network
none           | pod          | ok                | ok                 | ok                | ok                | ok                 | refused node   | no name  | no network
none           | pod-other-ns | ok                | ok                 | ok                | ok                | ok                 | refused node   | no name  | no network
none           | host-pod     | ok                | ok                 | no name           | no name           | ok                 | refused node   | no name  | no network
no endpoints   | outside      | timeout node      | timeout service    | no name           | no name           | refused endpoints  | refused node   | no name  | -
no endpoints   | workstation  | ok                | refused endpoints  | no name           | no name           | refused endpoints  | refused node   | no name  | -
no endpoints   | node         | ok                | refused endpoints  | no name           | no name           | refused endpoints  | refused node   | no name  | -
no endpoints   | pod          | ok                | refused endpoints  | refused endpoints | no name           | refused endpoints  | refused node   | no name  | -
no endpoints   | pod-other-ns | ok                | refused endpoints  | refused endpoints | no name           | refused endpoints  | refused node   | no name  | -
no endpoints   | host-pod     | ok                | refused endpoints  | no name           | no name           | refused endpoints  | refused node   | no name  | -
not ready      | outside      | timeout node      | timeout service    | no name           | no name           | refused endpoints  | -              | -        | -
not ready      | workstation  | ok                | refused endpoints  | no name           | no name           | refused endpoints  | -              | -        | -
not ready      | node         | ok                | refused endpoints  | no name           | no name           | refused endpoints  | -              | -        | -
not ready      | pod          | ok                | refused endpoints  | refused endpoints | no name           | refused endpoints  | -              | -        | -
not ready      | pod-other-ns | ok                | refused endpoints  | refused endpoints | no name           | refused endpoints  | -              | -        | -
not ready      | host-pod     | ok                | refused endpoints  | no name           | no name           | refused endpoints  | -              | -        | -
wrong port     | outside      | timeout node      | timeout service    | no name           | no name           | refused pod        | -              | -        | -
wrong port     | workstation  | ok                | refused pod        | no name           | no name           | refused pod        | -              | -        | -
wrong port     | node         | ok                | refused pod        | no name           | no name           | refused pod        | -              | -        | -
wrong port     | pod          | ok                | refused pod        | refused pod       | ok                | refused pod        | -              | -        | -
wrong port     | pod-other-ns | ok                | refused pod        | refused pod       | ok                | refused pod        | -              | -        | -
wrong port     | host-pod     | ok                | refused pod        | no name           | no name           | refused pod        | -              | -        | -
node down      | outside      | timeout node      | timeout service    | no name           | no name           | no route node      | refused node   | no name  | no network
node down      | workstation  | no route node     | no route node      | no name           | no name           | no route node      | refused node   | no name  | no network
node down      | node         | no route node     | no route node      | no name           | no name           | no route node      | refused node   | no name  | no network
node down      | pod          | no route node     | no route node      | no route node     | no route node     | no route node      | refused node   | no name  | no network
node down      | pod-other-ns | no route node     | no route node      | no route node     | no route node     | no route node      | refused node   | no name  | no network
node down      | host-pod     | no route node     | no route node      | no name           | no name           | no route node      | refused node   | no name  | no network
node cut       | outside      | timeout node      | timeout service    | no name           | no name           | no route node      | -              | -        | -
node cut       | workstation  | no route node     | no route node      | no name           | no name           | no route node      | -              | -        | -
node cut       | node         | no route node     | no route node      | no name           | no name           | no route node      | -              | -        | -
node cut       | pod          | no route node     | no route node      | no route node     | no route node     | no route node      | -              | -        | -
node cut       | host-pod     | no route node     | no route node      | no name           | no name           | no route node      | -              | -        | -
policy ingress | outside      | timeout node      | timeout service    | no name           | no name           | timeout policy     | refused node   | -        | -
policy ingress | workstation  | timeout policy    | timeout policy     | no name           | no name           | timeout policy     | refused node   | -        | -
policy ingress | node         | timeout policy    | timeout policy     | no name           | no name           | timeout policy     | refused node   | -        | -
policy ingress | pod          | ok                | ok                 | ok                | ok                | timeout policy     | refused node   | -        | -
policy ingress | pod-other-ns | timeout policy    | timeout policy     | timeout policy    | timeout policy    | timeout policy     | refused node   | -        | -
policy ingress | host-pod     | timeout policy    | timeout policy     | no name           | no name           | timeout policy     | refused node   | -        | -
policy egress  | node         | ok                | ok                 | no name           | no name           | ok                 | refused node   | -        | no network
policy egress  | pod          | timeout policy    | timeout policy     | timeout policy    | timeout policy    | timeout policy     | timeout policy | no name  | timeout policy
policy egress  | pod-other-ns | ok                | ok                 | ok                | ok                | ok                 | refused node   | no name  | no network
policy egress  | host-pod     | ok                | ok                 | no name           | no name           | ok                 | refused node   | -        | no network
policy dns     | pod          | timeout policy    | timeout policy     | no name           | no name           | timeout policy     | timeout policy | no name  | no name
policy dns     | pod-other-ns | ok                | ok                 | ok                | ok                | ok                 | refused node   | no name  | no network
no CoreDNS     | outside      | timeout node      | timeout service    | no name           | no name           | ok                 | -              | no name  | no network
no CoreDNS     | node         | ok                | ok                 | no name           | no name           | ok                 | -              | no name  | no network
no CoreDNS     | pod          | ok                | ok                 | no name           | no name           | ok                 | -              | no name  | no name
no CoreDNS     | pod-other-ns | ok                | ok                 | no name           | no name           | ok                 | -              | no name  | no name
no CoreDNS     | host-pod     | ok                | ok                 | no name           | no name           | ok                 | -              | no name  | no network
terminating    | outside      | timeout node      | timeout service    | no name           | no name           | ok                 | -              | -        | -
terminating    | workstation  | ok                | ok                 | no name           | no name           | ok                 | -              | -        | -
terminating    | pod          | ok                | ok                 | ok                | no name           | ok                 | -              | -        | -
terminating    | pod-other-ns | ok                | ok                 | ok                | no name           | ok                 | -              | -        | -
terminating    | host-pod     | ok                | ok                 | no name           | no name           | ok                 | -              | -        | -
"""  # noqa: E501

HEAD, *ROWS = [[cell.strip() for cell in line.split("|")] for line in TABLE.strip().splitlines()]
CELLS = [(row[0], row[1], target, outcome) for row in ROWS for target, outcome in zip(HEAD[2:], row[2:], strict=True) if outcome != "-"]
FAILED = r"curl: \({code}\) Failed to connect to {host} port {port} after (\d+) ms: Couldn't connect to server"
CODES = {"refused": 7, "no route": 7, "no network": 7, "timeout": 28}
AFTER = {"refused": (0, 10), "no route": (3070, 3085), "no network": (0, 20), "timeout": (131072, 131090)}
FAULTS = {"refused": "Connection refused", "no route": "No route to host", "no network": "Network is unreachable",
          "timeout": "Connection timed out", "no name": "Name does not resolve"}


def outcome_of(text: str) -> tuple[str, str]:
    """(what, hop) of a cell."""
    if text in ("ok", "no name", "no network"):
        return text, {"no name": "dns", "no network": "node"}.get(text, "")
    what, _, hop = text.rpartition(" ")
    return what, hop


@pytest.mark.parametrize(("fault", "source", "target", "outcome"), CELLS)
def test_every_way_ends_as_it_really_does(fault, source, target, outcome):
    world = world_with(fault)
    what, hop = outcome_of(outcome)
    host, port = world.target(target)
    walk = world.ask(source, target)
    if what == "ok":
        assert (walk.status, walk.error_text, walk.exit_code) == (200, "", 0) and "Welcome to nginx!" in walk.body
        return
    assert walk.error is not None and walk.error["hop"] == hop and walk.fault == FAULTS[what] and walk.status is None
    if what == "no name":
        assert (walk.exit_code, walk.error_text) == (6, f"curl: (6) Could not resolve host: {host}")
        return
    found = re.fullmatch(FAILED.format(code=CODES[what], host=re.escape(host), port=port), walk.error_text)
    least, most = AFTER[what]
    assert found and least <= int(found[1]) <= most and walk.exit_code == CODES[what]


@pytest.mark.parametrize(("fault", "source", "target", "outcome"), [cell for cell in CELLS if cell[3].startswith("timeout")])
def test_a_limit_ends_the_wait_for_packets_that_vanish(fault, source, target, outcome):
    walk = world_with(fault).ask(source, target, timeout=2)
    assert (walk.exit_code, walk.error_text, walk.seconds) == (28, "curl: (28) Connection timed out after 2000 milliseconds", 2)


def test_the_table_asks_every_source_and_every_fault():
    assert {row[1] for row in ROWS} == set(SOURCES) and len({row[0] for row in ROWS}) == 11


def test_names_that_nobody_answers_for_take_as_long_as_the_resolver_tries():
    world = world_with("policy dns")
    walk = world.ask("pod", "name")
    assert walk.seconds == 10 and any(hop.kind == "policy" for hop in walk.hops)
    assert world.ask("pod", "name", timeout=3).error_text == "curl: (28) Resolving timed out after 3000 milliseconds"
    assert world_with("no CoreDNS").ask("pod", "name").seconds < 0.1, "a Service without endpoints refuses at once"


def test_each_walk_tells_its_decisions():
    walk = world_with("none").ask("pod", "name")
    assert [hop.kind for hop in walk.hops] == ["dns", "dns", "service", "pod"]
    server, dns, service, pod = walk.hops
    assert re.fullmatch(r"kube-system/coredns-\w+-\w+", server.what) and server.decision == "is asked by way of 10.96.0.10"
    assert dns.detail["asked"] == ["web.default.default.svc.cluster.local", "web.default.svc.cluster.local"]
    assert service.detail["why"] == "at random" and service.detail["mode"] == "iptables" and service.detail["node"] == "w1-k8s"
    assert (pod.what, pod.decision) == ("default/server", "answers 200")
    denied = world_with("policy ingress").ask("pod-other-ns", "pod-ip").hops[-1]
    assert (denied.kind, denied.what, denied.detail["direction"]) == ("policy", "default/closed", "ingress")
