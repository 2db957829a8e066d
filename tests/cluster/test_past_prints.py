"""What commands print of the past is what they printed then, and the picture is the one that was drawn then.

Run-time state is kept as it was at the end of each revision. Moments after which it changed before the next revision was written are left out.
"""

from __future__ import annotations

import json
from typing import Any

from server.cluster.cluster import Cluster
from server.live.scene import Scene
from tests.live.test_why import pod, service, shell, workload
from tests.rooms.desk import Desk

WORLD = workload("Deployment", "web", 2) + workload("Deployment", "crash", 1, shell("echo hi; sleep 5; exit 3")) \
    + workload("Deployment", "bad", 1, "image: 'nginx:9.99'") + pod("big", "image: nginx, resources: {requests: {cpu: 30}}") + service("web", "web") \
    + workload("Deployment", "probe", 1, "image: nginx, livenessProbe: {httpGet: {path: /x, port: 80}, periodSeconds: 3}")
ACTS = (("kubectl apply -f /tmp/it.yaml", 7.3), ("kubectl scale deployment web --replicas=4", 61), ("kubectl cordon w1-k8s", 61),
        ("kubectl delete pod -l app=crash --wait=false", 3), ("kubectl rollout restart deployment web", 20),
        ("kubectl patch service web -p '{\"spec\":{\"selector\":{\"app\":\"wep\"}}}'", 20), ("power", 61))
PRINTED = ("kubectl get all -A -o wide", "kubectl describe pods", "kubectl describe nodes", "kubectl describe svc,deploy,rs", "kubectl get events",
           "kubectl top pods -l app=web", "kubectl logs deploy/crash", "kubectl logs -l app=crash --previous", "kubectl get endpointslices,endpoints",
           "kubectl rollout history deployment web", "kubectl get pods --show-labels -o json", "date")


def done(desk: Desk, act: str, seconds: float) -> None:
    if act == "power":
        desk.cluster.chaos.inject("power", "w3-k8s")
    else:
        desk.run(act)
    desk.pass_(seconds)


def ended(cluster: Cluster, revision: int, noted: int) -> bool:
    """Whether nothing changed any more in a revision after so many values had been replaced."""
    return all(number > revision for number, *_ in cluster.store.state.noted_since(noted))


def begun(**more: Any) -> Desk:
    desk = Desk(Cluster(seed=1, **more))
    desk.workstation.files.write("/tmp/it.yaml", WORLD)
    return desk


def test_commands_print_what_they_printed_then() -> None:
    desk, seen = begun(metrics_server=True), []
    for act, seconds in ACTS:
        done(desk, act, seconds)
        for line in PRINTED:
            revision, text = desk.cluster.store.revision, desk.said(line)
            if desk.cluster.store.revision == revision:
                seen.append((revision, desk.cluster.clock.now, desk.cluster.store.state.noted, line, text))
    kept = [(revision, moment, line, text) for revision, moment, noted, line, text in seen if ended(desk.cluster, revision, noted)]
    assert len(kept) > 30 and {line for _, _, line, _ in kept} == set(PRINTED)
    for revision, moment, line, text in kept:
        assert Desk(desk.cluster.at(revision, moment)).said(line) == text, (revision, line)


def test_the_scene_of_a_revision_is_the_one_that_was_drawn() -> None:
    desk = begun()
    live, seen = Scene(desk.cluster), {}

    def drawn(scene: Scene, now: float) -> dict[str, Any]:
        """A wait that is over is drawn as none."""
        scene.flush()
        told = json.loads(json.dumps(scene.snapshot()))
        for thing in told["things"].values():
            if thing.get("backoff", {"until": now})["until"] <= now:
                thing.pop("backoff", None)
        return {name: value for name, value in told.items() if name not in ("scene", "revision")}

    for act, seconds in ACTS:
        done(desk, act, seconds / 2)
        for part in (0, seconds / 2):
            desk.pass_(part)
            now, store = desk.cluster.clock.now, desk.cluster.store
            seen[store.revision] = now, store.state.noted, drawn(live, now)
    kept = {revision: (now, told) for revision, (now, noted, told) in seen.items() if ended(desk.cluster, revision, noted)}
    assert len(kept) > 4
    for revision, (moment, told) in kept.items():
        assert drawn(Scene(desk.cluster.at(revision, moment)), moment) == told, revision


def test_forks_of_one_revision_have_one_future_and_begin_as_it_was() -> None:
    desk = begun()
    for act, seconds in ACTS[:3]:
        done(desk, act, seconds)
    for revision in (desk.cluster.store.revision - 10, None):
        at = desk.cluster.store.at(revision or desk.cluster.store.revision).dump()
        forks = [desk.cluster.fork(revision) for _ in range(2)]
        assert revision is not None or [json.dumps(fork.store.dump()) for fork in forks] == [json.dumps(at)] * 2
        assert [fork.store.dump()["objects"]["services"] for fork in forks] == [at["objects"]["services"]] * 2
        for fork in forks:
            done(Desk(fork), "kubectl scale deployment web --replicas=5", 60)
        assert json.dumps(forks[0].store.dump()) == json.dumps(forks[1].store.dump())
