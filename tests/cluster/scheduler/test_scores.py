"""Which of the nodes that will do is taken."""

from server.cluster.machines import with_workers

RS = "replicasets.apps"


def replica_set(plane, name="web"):
    made = plane.client.create(RS, {"metadata": {"name": name, "namespace": "default"}, "spec": {
        "replicas": 0, "selector": {"matchLabels": {"app": name}},
        "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": [{"name": "c", "image": "nginx"}]}}}})
    return {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": name, "uid": made["metadata"]["uid"], "controller": True}


def test_replicas_spread_over_the_nodes(four_nodes):
    owner = replica_set(four_nodes)
    for number in range(9):
        four_nodes.pod(f"web-{number}", labels={"app": "web"}, owner=owner)
    four_nodes.settle()
    assert four_nodes.spread("web-") == {"w1-k8s": 3, "w2-k8s": 3, "w3-k8s": 3}


def test_replicas_spread_over_zones_too(plane):
    for number, zone in ((1, "a"), (2, "a"), (3, "a"), (4, "b")):
        plane.node(f"n{number}", labels={"topology.kubernetes.io/zone": zone})
    owner = replica_set(plane)
    for number in range(2):
        plane.pod(f"web-{number}", labels={"app": "web"}, owner=owner)
    plane.settle()
    assert plane.spread("web-")["n4"] == 1


def test_the_emptier_node_wins_by_least_allocated(plane):
    plane.node("busy")
    plane.node("free")
    plane.pod("hog", requests={"cpu": "1500m", "memory": "3Gi"}, nodeSelector={"kubernetes.io/hostname": "busy"})
    plane.settle()
    pod = plane.pod("web", requests={"cpu": "100m", "memory": "100Mi"})
    plane.settle()
    assert plane.where("web") == "free"
    attempt = plane.scheduler.attempt(pod["metadata"]["uid"])
    assert attempt.node == "free" and attempt.rejections == {}
    # cpu (2000-100)/2000 = 95, memory (4096-100)/4096 = 97: (95+97)/2 = 96; fractions .05 and .0244: 100*(1-.0256/2) = 98
    assert attempt.scores == {"TaintToleration": (100, 3), "NodeResourcesFit": (96, 1), "NodeResourcesBalancedAllocation": (98, 1)}
    assert attempt.total == 494 and attempt.scored == 2 and attempt.tied == 1


def test_preferred_affinity_and_preferred_taints_weigh_in(plane):
    plane.node("plain")
    plane.node("ssd", labels={"disktype": "ssd"})
    plane.node("avoid", taints=[{"key": "slow", "value": "yes", "effect": "PreferNoSchedule"}])
    preferred = [{"weight": 10, "preference": {"matchExpressions": [{"key": "disktype", "operator": "In", "values": ["ssd"]}]}}]
    pod = plane.pod("web", affinity={"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": preferred}})
    plane.settle()
    assert plane.where("web") == "ssd"
    assert plane.scheduler.attempt(pod["metadata"]["uid"]).scores["NodeAffinity"] == (100, 2)
    for number in range(6):
        plane.pod(f"many-{number}")
    plane.settle()
    assert "avoid" not in plane.spread("many-")


def test_preferred_pod_affinity_pulls_and_anti_affinity_pushes(four_nodes):
    four_nodes.pod("db", labels={"app": "db"})
    four_nodes.settle()
    home = four_nodes.where("db")
    term = {"weight": 100, "podAffinityTerm": {"labelSelector": {"matchLabels": {"app": "db"}}, "topologyKey": "kubernetes.io/hostname"}}
    four_nodes.pod("near", affinity={"podAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [term]}})
    four_nodes.pod("far", affinity={"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [term]}})
    four_nodes.settle()
    assert four_nodes.where("near") == home and four_nodes.where("far") != home


def test_an_image_that_is_there_already_attracts(plane):
    plane.node("cold")
    plane.node("warm", images=[{"names": ["registry.k8s.io/big:1"], "sizeBytes": 2_000_000_000}])
    for number in range(3):
        plane.client.create("pods", {"metadata": {"name": f"p{number}", "namespace": "default"},
                                     "spec": {"containers": [{"name": "c", "image": "registry.k8s.io/big:1"}]}})
    plane.settle()
    assert plane.spread("p") == {"warm": 3}


def test_ties_are_broken_by_the_clusters_own_chance(new_plane):
    def run(seed):
        plane = new_plane(seed)
        plane.default_nodes()
        for number in range(12):
            plane.pod(f"web-{number}", namespace="other" if number % 2 else "default")
            plane.client.delete("pods", "other" if number % 2 else "default", f"web-{number}", grace_period=0) if number % 3 else None
        plane.settle()
        return [(pod["metadata"]["name"], pod["spec"].get("nodeName")) for pod in plane.api.lister("pods").list()]

    assert run(1) == run(1)
    assert len({tuple(run(seed)) for seed in range(8)}) > 1


def test_of_many_nodes_a_part_is_scored_and_the_next_attempt_goes_on_from_there(plane):
    for spec in with_workers(250)[1:]:
        plane.node(spec.name)
    uids = [plane.pod(f"web-{number}")["metadata"]["uid"] for number in range(40)]
    plane.settle()
    # 50 - 250/125 = 48 percent of 250
    assert [plane.scheduler.attempt(uid).scored for uid in uids] == [120] * 40
    assert len(plane.spread("web-")) == 40
