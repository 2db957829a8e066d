"""What the scheduler has kept up change by change is what it would find if it began anew."""

import random

import pytest

from server.cluster.scheduler.attempts import Attempts
from server.cluster.scheduler.framework import Misfit
from server.cluster.scheduler.podinfo import PodInfo
from server.cluster.scheduler.scheduler import Scheduler

ANTI = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [
    {"labelSelector": {"matchLabels": {"app": "solo"}}, "topologyKey": "kubernetes.io/hostname"}]}}
SPREAD = [{"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule", "labelSelector": {"matchLabels": {"app": "even"}}}]


def churn(plane, chance, steps, look=lambda: None):
    nodes, pods, made = [], [], 0
    for name in ("a", "b", "c", "d", "e", "f"):
        plane.node(name, cpu="1", pods="3", labels={"zone": "a" if name < "d" else "b"})
        nodes.append(name)
    for step in range(steps):
        if step % 4 == 3:
            look()
        action = chance.randrange(10)
        if action == 0 or not nodes:
            made += 1
            nodes.append(f"n{made}")
            plane.node(nodes[-1], cpu=chance.choice(["1", "2"]), pods=chance.choice(["3", "110"]),
                       labels={"zone": chance.choice("abc")} if chance.random() < 0.8 else {})
        elif action == 1:
            plane.client.patch("nodes", "", chance.choice(nodes), {"spec": {"unschedulable": chance.random() < 0.5}})
        elif action == 2:
            plane.client.patch("nodes", "", chance.choice(nodes), {"metadata": {"labels": {"zone": chance.choice("abc")}}})
        elif action == 3 and len(nodes) > 2 and chance.random() < 0.3:
            plane.client.delete("nodes", "", nodes.pop(chance.randrange(len(nodes))))
        elif action == 4 and pods:
            name = pods.pop(chance.randrange(len(pods)))
            plane.client.delete("pods", "default", name, grace_period=chance.choice([0, 30]))
        elif action == 5 and pods and plane.where(name := chance.choice(pods)):
            plane.finish(name)
            pods.remove(name)
        elif action == 6 and pods:
            app = chance.choice(["even", "solo", "x"])
            plane.client.patch("pods", "default", chance.choice(pods), {"metadata": {"labels": {"app": app}}})
        else:
            made += 1
            pods.append(f"p{made}")
            kind = chance.choice(["even", "solo", "plain"])
            extra = {"even": {"topologySpreadConstraints": SPREAD}, "solo": {"affinity": ANTI}, "plain": {}}[kind]
            plane.pod(pods[-1], labels={"app": kind}, requests=chance.choice([None, {"cpu": "300m"}, {"cpu": "5"}]), **extra)
        plane.settle(chance.choice([0.002, 0.5, 3]))


def facts(snapshot):
    return {info.name: (info.node is not None, info.used_cpu, info.used_memory, info.scored_cpu, info.scored_memory, sorted(info.pods),
                        dict(info.ports)) for info in snapshot.slots if info.node is not None or info.pods}


def verdict(scheduler, pod):
    found = scheduler.framework.place(PodInfo(pod))
    if isinstance(found, Misfit):
        return found.message()
    kept = Attempts()
    kept.placed("uid", ("default", "x"), 1, 0.0, found)
    told = kept.get("uid")
    return told.rejections, told.feasible, told.scores, told.total


@pytest.mark.parametrize("seed", range(12))
def test_caches_agree_with_a_fresh_start(new_plane, seed):
    plane = new_plane(seed)
    samples = [plane.pod(f"sample-{number}", labels={"app": app}, schedulerName="nobody", requests=requests, **extra)
               for number, (app, requests, extra) in enumerate((
                   ("even", None, {"topologySpreadConstraints": SPREAD}), ("solo", None, {"affinity": ANTI}), ("plain", None, {}),
                   ("plain", {"cpu": "300m"}, {}), ("even", {"cpu": "300m"}, {"topologySpreadConstraints": SPREAD})))]

    def look():
        fresh = Scheduler(plane.parts)
        fresh.start()
        fresh.stop()
        assert facts(plane.scheduler.snapshot) == facts(fresh.snapshot)
        waiting = [pod for pod in plane.api.lister("pods").list()
                   if not pod["spec"].get("nodeName") and pod["spec"]["schedulerName"] != "nobody"]
        assert {pod["metadata"]["uid"] for pod in waiting} == set(plane.scheduler.queue.entries)
        for pod in samples:
            assert verdict(plane.scheduler, pod) == verdict(fresh, pod)

    churn(plane, random.Random(seed), 100, look)


@pytest.mark.parametrize("seed", range(6))
def test_no_node_is_ever_overfull_and_no_rule_broken(new_plane, seed):
    plane, chance = new_plane(seed), random.Random(seed + 100)
    churn(plane, chance, 80)
    for info in plane.scheduler.snapshot.slots:
        if info.node is not None:
            assert info.used_cpu <= info.cpu and len(info.pods) <= info.pods_limit
