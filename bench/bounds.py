"""What one room can do to others: a big room's readers and writers come fifty at a time, and another room is asked something meanwhile.

For each attack: the longest that one green thread kept the loop and how many kept it for more than 20 ms (CPU time: see ``bench.stretches``),
how long a round of the loop is for who comes at any moment, what was answered, and how long the other room's requests took. ``--only``
names some of the attacks, ``--where`` tells whose code the long stretches were. ``watches_held`` keeps watches open while all pods are made
anew, ``joins`` has browsers come, one after the other, and ``slow_tables`` are readers of large tables that take nothing. At the end the
memory, before, after and some time later.
"""

from __future__ import annotations

import argparse
import http.client
import json
import random
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import cycle
from typing import Any, NamedTuple

from bench.pods import deployment, service
from bench.server import new_room, post

JSON = {"Content-Type": "application/json", "Accept": "application/json"}
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
METER_PAUSE = 0.02
RESTART = "kubectl rollout restart deployment"


class Ask(NamedTuple):
    method: str
    path: str
    body: bytes | None = None
    headers: dict[str, str] = JSON


class Big:
    """The room that attacks: many pods behind Services, and what one has to know of it to ask much."""

    def __init__(self, base: str, pods: int, each: int = 100) -> None:
        self.made = new_room(base, seed=5, nodes=max(4, pods // 60))
        self.base, self.key, self.sets = base, self.made["key"], max(1, pods // each)
        self.path = f"/r/{self.made['room']}"
        self.kubernetes = urllib.parse.urlsplit(self.made["kubernetes"]).path
        self.each = each
        for start in range(0, self.sets, 40):
            self._post("/apply", self.manifests(range(start, min(start + 40, self.sets)), each))
        for _ in range(40):
            self._post("/clock", '{"advance": 15}')
            if self._ready() >= self.sets * each:
                break
        self._post("/clock", '{"advance": 60}')
        told = self._get("/timeline")
        self.first, self.last = told["first"], told["last"]
        self.things = list(self._get("/scene")["things"])
        self.pods = [thing for thing in self.things if thing.startswith("Pod/default/")]
        self.acts = [act["revision"] for act in self._get("/acts")["acts"] if act.get("revision")]

    def manifests(self, numbers: Any, replicas: int) -> str:
        return "\n---\n".join(json.dumps({"apiVersion": version, "kind": kind, **make}) for number in numbers for version, kind, make in (
            ("apps/v1", "Deployment", deployment(replicas, f"d{number}")), ("v1", "Service", service(f"d{number}"))))

    def _ready(self) -> int:
        return sum(one["status"].get("readyReplicas", 0) for one in json.loads(
            fetched(self.base, Ask("GET", f"{self.kubernetes}/apis/apps/v1/namespaces/default/deployments"))[1])["items"])

    def _post(self, path: str, body: str) -> Any:
        return post(f"{self.base}{self.path}{path}?key={self.key}", body)

    def _get(self, path: str) -> Any:
        return json.loads(fetched(self.base, self.get(path))[1])

    def get(self, path: str, **query: Any) -> Ask:
        return Ask("GET", f"{self.path}{path}?{urllib.parse.urlencode({'key': self.key, **query}, doseq=True)}")

    def send(self, path: str, body: str, **query: Any) -> Ask:
        return Ask("POST", self.get(path, **query).path, body.encode())

    def typed(self, line: str, **more: Any) -> Ask:
        return self.send("/terminal", json.dumps({"line": line, **more}))

    def api(self, path: str, accept: str = "application/json", **headers: str) -> Ask:
        return Ask("GET", self.kubernetes + path, None, {"Accept": accept, **headers})


def attacks(big: Big) -> dict[str, list[Ask]]:
    """What each attack asks for, again and again."""
    chance = random.Random(1)
    revisions = [chance.randint(big.first, big.last) for _ in range(200)]
    things, pods = chance.sample(big.things, min(600, len(big.things))), chance.sample(big.pods, min(600, len(big.pods)))
    measured = [thing for thing in things if thing.split("/")[0] in ("Deployment", "Node", "Pod")]
    core = "/api/v1/pods"
    widest = "\n---\n".join(json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": f"wide-{number}"},
                                        "data": {f"key-{one}": "x" * 40 for one in range(40)}}) for number in range(150))
    deep = json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "deep"}, "data": {f"k{one}": "y" * 30 for one in range(6000)}})
    return {
        "scene_at_many_revisions": [big.get("/scene", revision=one) for one in revisions],
        "scene_at_one_revision": [big.get("/scene", revision=revisions[0])],
        "scene_now": [big.get("/scene")],
        "why": [big.get("/why", id=thing) for thing in things],
        "inspect": [big.get("/inspect", id=thing) for thing in things],
        "inspect_the_past": [big.get("/inspect", id=thing, revision=revision) for revision in revisions[:3] for thing in pods[:60]],
        "replay": [big.get("/replay", revision=one) for one in revisions],
        "replay_of_acts": [big.get("/replay", revision=one) for one in big.acts],
        "acts": [big.get("/acts")],
        "timeline": [big.get("/timeline")],
        "export": [big.get("/export")],
        "objects": [big.get("/objects", resource=kind, limit=500) for kind in ("pods", "events", "endpointslices.discovery.k8s.io")],
        "metrics": [big.get("/metrics", id=thing, since=0) for thing in measured],
        "near": [big.get("/near", ids=",".join(chance.sample(big.pods, 60))) for _ in range(100)],
        "names": [big.get("/names", kind="Pod", labels=1)],
        "diff": [big.send("/diff", big.manifests(range(big.sets), 50))],
        "dry_run": [big.send("/apply", big.manifests(range(big.sets), 50), dry_run=1)],
        "apply_wide": [big.send("/apply", widest)],
        "apply_deep": [big.send("/apply", deep)],
        "get_sort": [big.typed("kubectl get pods -A -o yaml | sort | tail -n 3")],
        "get_wide": [big.typed("kubectl get pods -A -o wide --sort-by=.status.podIP | awk '{print $7}' | sort | uniq -c")],
        "describe_all": [big.typed("kubectl describe pods | grep -c Node")],
        "jsonpath": [big.typed("kubectl get pods -A -o jsonpath='{range .items[*]}{.metadata.name}{\"\\n\"}{end}' | wc -l")],
        "loops": [big.typed("i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; echo $i")],
        "get_in_the_past": [big.typed("kubectl get pods -A -o json | grep -c phase", revision=revision) for revision in revisions[:3]],
        "list_json": [big.api(core)],
        "list_gzip": [big.api(core, **{"Accept-Encoding": "gzip"})],
        "list_pretty": [big.api(f"{core}?pretty=true")],
        "list_table": [big.api(core, TABLE)],
        "list_yaml": [big.api(core, "application/yaml")],
        "table_yaml": [big.api(core, TABLE.replace("json", "yaml", 1))],
        "list_events": [big.api("/api/v1/events")],
        "list_selected": [big.api(f"{core}?labelSelector=app%21%3Dd1&fieldSelector=status.phase%3DRunning")],
        "list_metadata": [big.api(core, "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io")],
        "watch_from_the_start": [big.api(f"{core}?watch=1&timeoutSeconds=2")],
        "watch_as_table": [big.api(f"{core}?watch=1&timeoutSeconds=2", TABLE)],
        "openapi": [big.api("/openapi/v2"), big.api("/openapi/v3/apis/apps/v1")],
        "examples": [big.get("/examples"), big.get("/schema"), big.get("/schema", definition="Pod")],
        "fork": [big.send("/fork", "{}")],
    }


def held(big: Big, ask: Ask, end: float) -> int:
    """Sends a request, and reads what comes until then."""
    parts = urllib.parse.urlsplit(big.base)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=300)
    connection.request(ask.method, ask.path, ask.body, ask.headers)
    answer = connection.getresponse()
    while time.monotonic() < end and answer.read1(1 << 16):
        pass
    connection.close()
    return answer.status


def unread(big: Big, ask: Ask, end: float) -> int:
    """Sends a request and takes nothing of its answer until then."""
    parts = urllib.parse.urlsplit(big.base)
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        taken.connect((parts.hostname, parts.port))
        told = "".join(f"{name}: {value}\r\n" for name, value in {"Host": parts.netloc, **ask.headers}.items())
        taken.sendall(f"{ask.method} {ask.path} HTTP/1.1\r\n{told}\r\n".encode())
        time.sleep(max(0.0, end - time.monotonic()))
        return int(taken.recv(12).split()[1])


def joined(big: Big) -> int:
    """Comes as a browser does, until it has the scene."""
    import socketio  # the meter, a process of its own for each attack, starts without it

    from server.live import wire

    client, shown = socketio.Client(reconnection=False, json=wire), threading.Event()
    client.on("snapshot", lambda _: shown.set())
    try:
        client.connect(big.base, auth={"room": big.made["room"], "key": big.key}, transports=["websocket"], wait_timeout=60)
        client.emit("join", {"since": None})
        return 200 if shown.wait(60) else 0
    except socketio.exceptions.ConnectionError:
        return 503
    finally:
        client.disconnect()


def lasting(big: Big) -> dict[str, Callable[[float], int]]:
    """Attacks that are no request after the other: what one reader does, until a moment."""
    watch = big.api("/api/v1/pods?watch=1")
    table, listed = big.api("/api/v1/pods?watch=1", TABLE), big.api("/api/v1/pods", TABLE)
    return {"watches_held": lambda end: held(big, watch, end), "table_watches_held": lambda end: held(big, table, end),
            "joins": lambda end: joined(big), "slow_tables": lambda end: unread(big, listed, end)}


def fetched(base: str, ask: Ask, connection: http.client.HTTPConnection | None = None) -> tuple[int, bytes]:
    parts = urllib.parse.urlsplit(base)
    own = connection or http.client.HTTPConnection(parts.hostname, parts.port, timeout=300)
    own.request(ask.method, ask.path, ask.body, ask.headers)
    answer = own.getresponse()
    return answer.status, answer.read()


def meter(url: str, asked: list[str]) -> None:
    """A process of its own: asks one after the other until its input ends, then tells how long each took."""
    taken: list[float] = []
    ended = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=120)
    for path in asked:
        fetched(url, Ask("GET", path), connection)
    print("ready", flush=True)
    for path in cycle(asked):
        if taken and ended.is_set():
            break
        began = time.perf_counter()
        fetched(url, Ask("GET", path), connection)
        taken.append(time.perf_counter() - began)
        time.sleep(METER_PAUSE)
    taken.sort()
    print(json.dumps({name: round(taken[int((len(taken) - 1) * share)] * 1000, 1) for name, share in (("p50", 0.5), ("p95", 0.95), ("worst", 1))}))


@contextmanager
def running(*arguments: str) -> Iterator[tuple[str, int]]:
    """(base URL, process id) of a server that notes its stretches."""
    with tempfile.TemporaryDirectory() as data:
        process = subprocess.Popen([sys.executable, "-m", "bench.stretches", "--data", data, *arguments], stdout=subprocess.PIPE, text=True)
        try:
            yield process.stdout.readline().rsplit(" ", 1)[-1].strip(), process.pid
        finally:
            process.terminate()
            process.wait(60)


def resident(pid: int) -> int:
    with open(f"/proc/{pid}/statm") as file:
        return round(int(file.read().split()[1]) * 4096 / 1e6)


def attacked(base: str, other: dict[str, str], asks: list[Ask], readers: int, seconds: float,
             does: Callable[[float], int] | None = None) -> dict[str, Any]:
    """One attack and what came of it: each reader asks one after the other, or ``does`` something until the end."""
    path = f"/r/{other['room']}/objects?key={other['key']}"
    watching = subprocess.Popen([sys.executable, "-m", "bench.bounds", base, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    watching.stdout.readline()
    fetched(base, Ask("GET", "/bench/told"))
    answers: Counter[int] = Counter()
    chosen, lock, end = cycle(asks), threading.Lock(), time.monotonic() + seconds

    def ask() -> None:
        while time.monotonic() < end:
            try:
                if does is None:
                    with lock:
                        one = next(chosen)
                    status, _ = fetched(base, one)
                else:
                    status = does(end)
            except (OSError, http.client.HTTPException):
                status = 0
            answers[status] += 1

    threads = [threading.Thread(target=ask) for _ in range(readers)]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    time.sleep(seconds)
    for thread in threads:
        thread.join()
    lasted = time.monotonic() - began
    latency = json.loads(watching.communicate("")[0])
    told = json.loads(fetched(base, Ask("GET", "/bench/told"))[1])
    return {**told, "seconds": round(lasted, 1), "answers": dict(answers), **{f"other_{name}": value for name, value in latency.items()}}


def run(arguments: list[str], say: Callable[[str], None] = lambda line: print(line, file=sys.stderr, flush=True)) -> dict[str, Any]:
    parser = argparse.ArgumentParser(prog="python -m bench bounds")
    parser.add_argument("--pods", type=int, default=600)
    parser.add_argument("--readers", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--rest", type=float, default=70.0)
    parser.add_argument("--only", default="")
    parser.add_argument("--where", action="store_true")
    options = parser.parse_args(arguments)
    found: dict[str, Any] = {}
    with running() as (base, pid):
        other = new_room(base, seed=1)
        began = resident(pid)
        big = Big(base, options.pods)
        time.sleep(3)
        grown = resident(pid)
        table, long = attacks(big), lasting(big)
        chosen = [name for name in options.only.split(",") if name] or [*table, *long]
        found["nobody"] = attacked(base, other, [], 0, options.seconds)
        for name in chosen:
            if name.endswith("watches_held"):
                fetched(base, big.typed(RESTART))
            one = found[name] = attacked(base, other, table.get(name, []), options.readers, options.seconds, long.get(name))
            where = one.pop("where")
            one["memory_mb"] = resident(pid)
            say(f"{name:26} longest {one['longest']:7} ms, over 20 ms {one['over']:4}, round 95 % {one['round_95']:6} "
                f"worst {one['round_longest']:6}, other {one['other_p50']:6} {one['other_p95']:6} {one['other_worst']:6} ms, "
                f"{one['answers']} in {one['seconds']} s, {one['memory_mb']} MB")
            if options.where:
                for place, longest, times in where:
                    say(f"     {longest:7} ms, {times:4} x {place}")
        found["nobody"].pop("where")
        attacked_now = resident(pid)
        time.sleep(options.rest)
        rested = resident(pid)
    worst = max((name for name in chosen), key=lambda name: found[name]["longest"])
    return {"pods": len(big.pods), "readers": options.readers, "worst": worst, "longest_ms": found[worst]["longest"],
            "over_20_ms": sum(found[name]["over"] for name in chosen), "round_95_ms": max(found[name]["round_95"] for name in chosen),
            "memory_mb": {"empty": began, "grown": grown, "attacked": attacked_now, "rested": rested}, "attacks": found}


if __name__ == "__main__":
    meter(sys.argv[1], sys.argv[2:])
