"""Which nodes will not do, and what is said about it."""

HELPLESS = "no new claims to deallocate, preemption: 0/{0} nodes are available: {0} Preemption is not helpful for scheduling."


def test_a_pod_goes_to_a_worker_and_says_so(four_nodes):
    four_nodes.pod("web")
    four_nodes.settle()
    node = four_nodes.where("web")
    assert node in ("w1-k8s", "w2-k8s", "w3-k8s")
    [event] = four_nodes.events("web")
    assert (event["type"], event["reason"], event["message"]) == ("Normal", "Scheduled", f"Successfully assigned default/web to {node}")
    assert event["reportingComponent"] == "default-scheduler"


def test_a_pod_that_asks_for_too_much_stays_pending_with_the_reason(four_nodes):
    four_nodes.pod("unsched", requests={"cpu": "100"})
    four_nodes.settle()
    message = "0/4 nodes are available: 1 node(s) had untolerated taint(s), 3 Insufficient cpu. " + HELPLESS.format(4)
    assert four_nodes.where("unsched") is None
    [condition] = four_nodes.get("unsched")["status"]["conditions"]
    assert {**condition, "lastTransitionTime": ""} == {
        "type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message, "lastProbeTime": None,
        "lastTransitionTime": "", "observedGeneration": 1}
    [event] = four_nodes.events("unsched")
    assert (event["type"], event["reason"], event["message"]) == ("Warning", "FailedScheduling", message)


def test_two_shortages_on_one_node_are_both_counted(four_nodes):
    four_nodes.pod("big", requests={"cpu": "100", "memory": "500Gi"})
    four_nodes.settle()
    assert four_nodes.message("big") == ("0/4 nodes are available: 1 node(s) had untolerated taint(s), 3 Insufficient cpu, "
                                         "3 Insufficient memory. " + HELPLESS.format(4))


def test_reasons_are_sorted_as_text_so_ten_comes_before_two(plane):
    for number in range(10):
        plane.node(f"small-{number}", cpu="1")
    plane.node("a", cpu="8", labels={"gpu": "yes"}, unschedulable=True)
    plane.node("b", cpu="8", unschedulable=True)
    plane.pod("web", requests={"cpu": "4"})
    plane.settle()
    assert plane.message("web").startswith("0/12 nodes are available: 10 Insufficient cpu, 2 node(s) were unschedulable. ")


def test_without_lower_priorities_a_full_node_has_no_victims(four_nodes):
    for number in range(3):
        four_nodes.pod(f"fat-{number}", requests={"cpu": "1500m"})
    four_nodes.settle()
    four_nodes.pod("late", requests={"cpu": "1"})
    four_nodes.settle()
    assert four_nodes.message("late") == (
        "0/4 nodes are available: 1 node(s) had untolerated taint(s), 3 Insufficient cpu. no new claims to deallocate, preemption: "
        "0/4 nodes are available: 1 Preemption is not helpful for scheduling, 3 No preemption victims found for incoming pod.")


def test_no_nodes_at_all(plane):
    plane.pod("web")
    plane.settle()
    assert plane.message("web") == "no nodes available to schedule pods"
    plane.node("w1-k8s")
    plane.settle(2)
    assert plane.where("web") == "w1-k8s"


def test_a_node_holds_no_more_pods_than_it_may(plane):
    plane.node("one", pods="2")
    for name in ("a", "b", "c"):
        plane.pod(name)
    plane.settle()
    assert [plane.where(name) for name in ("a", "b", "c")] == ["one", "one", None]
    assert plane.message("c").startswith("0/1 nodes are available: 1 Too many pods. ")


def test_a_node_selector_waits_for_the_label(four_nodes):
    four_nodes.pod("nodesel", nodeSelector={"disktype": "ssd"})
    four_nodes.settle(5)
    assert four_nodes.message("nodesel") == (
        "0/4 nodes are available: 1 node(s) had untolerated taint(s), 3 node(s) didn't match Pod's node affinity/selector. "
        + HELPLESS.format(4))
    four_nodes.client.patch("nodes", "", "w2-k8s", {"metadata": {"labels": {"disktype": "ssd"}}})
    four_nodes.settle()
    assert four_nodes.where("nodesel") == "w2-k8s"


def test_required_node_affinity_takes_any_of_its_terms(four_nodes):
    terms = [{"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In", "values": ["w3-k8s"]}]},
             {"matchExpressions": [{"key": "nosuch", "operator": "Exists"}]}]
    four_nodes.pod("web", affinity={"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}})
    four_nodes.settle()
    assert four_nodes.where("web") == "w3-k8s"


def test_a_pod_that_names_its_node_is_refused_by_the_others_in_one_word(four_nodes):
    terms = [{"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["w1-k8s"]}]}]
    four_nodes.pod("daemon", requests={"cpu": "50"}, affinity={
        "nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}})
    four_nodes.settle()
    assert four_nodes.message("daemon") == (
        "0/4 nodes are available: 1 Insufficient cpu, 3 node(s) didn't satisfy plugin(s) [NodeAffinity]. " + HELPLESS.format(4))


def test_a_toleration_opens_the_control_plane(four_nodes):
    four_nodes.pod("web", nodeSelector={"kubernetes.io/hostname": "m-k8s"},
                   tolerations=[{"key": "node-role.kubernetes.io/control-plane", "operator": "Exists", "effect": "NoSchedule"}])
    four_nodes.settle()
    assert four_nodes.where("web") == "m-k8s"


def test_an_uncordoned_node_takes_the_pod_that_waited(plane):
    plane.node("one", unschedulable=True)
    plane.pod("web")
    plane.settle(3)
    assert plane.message("web") == "0/1 nodes are available: 1 node(s) were unschedulable. " + HELPLESS.format(1)
    plane.client.patch("nodes", "", "one", {"spec": {"unschedulable": None}})
    plane.settle(2)
    assert plane.where("web") == "one"


def test_two_pods_cannot_have_the_same_host_port_on_a_node(plane):
    plane.node("one")
    for name in ("a", "b"):
        plane.client.create("pods", {"metadata": {"name": name, "namespace": "default"}, "spec": {"containers": [
            {"name": "c", "image": "nginx", "ports": [{"containerPort": 80, "hostPort": 8080}]}]}})
    plane.settle()
    assert plane.where("a") == "one" and plane.where("b") is None
    assert plane.message("b").startswith("0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports. ")
    plane.client.delete("pods", "default", "a", grace_period=0)
    plane.settle(2)
    assert plane.where("b") == "one"


def test_extended_resources_count(plane):
    plane.node("plain")
    plane.node("gpu", extended={"nvidia.com/gpu": "1"})
    for name in ("a", "b"):
        plane.client.create("pods", {"metadata": {"name": name, "namespace": "default"}, "spec": {"containers": [
            {"name": "c", "image": "x", "resources": {"requests": {"nvidia.com/gpu": "1"}, "limits": {"nvidia.com/gpu": "1"}}}]}})
    plane.settle()
    assert plane.where("a") == "gpu"
    assert plane.message("b").startswith("0/2 nodes are available: 2 Insufficient nvidia.com/gpu. ")


def test_init_containers_count_with_their_largest_and_sidecars_with_all(plane):
    plane.node("one", cpu="1")
    plane.client.create("pods", {"metadata": {"name": "init", "namespace": "default"}, "spec": {
        "initContainers": [{"name": "i", "image": "x", "resources": {"requests": {"cpu": "900m"}}}],
        "containers": [{"name": "c", "image": "x", "resources": {"requests": {"cpu": "300m"}}}]}})
    plane.settle()
    assert plane.where("init") == "one"
    plane.pod("second", requests={"cpu": "200m"})
    plane.settle()
    assert plane.where("second") is None


def test_a_claim_that_does_not_exist_keeps_the_pod_pending(four_nodes):
    four_nodes.pod("db", volumes=[{"name": "data", "persistentVolumeClaim": {"claimName": "nfs-pvc"}}])
    four_nodes.settle()
    assert four_nodes.message("db") == '0/4 nodes are available: persistentvolumeclaim "nfs-pvc" not found. ' + HELPLESS.format(4)


def test_a_pod_of_another_scheduler_stays_pending_in_silence(four_nodes):
    four_nodes.pod("web", schedulerName="mine")
    four_nodes.settle(10)
    assert four_nodes.where("web") is None
    assert four_nodes.events("web") == []
    assert "conditions" not in four_nodes.get("web")["status"]


def test_required_spread_keeps_the_skew(plane):
    for number, zone in ((1, "a"), (2, "a"), (3, "b")):
        plane.node(f"n{number}", labels={"zone": zone})
    plane.node("nozone")
    constraint = {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule",
                  "labelSelector": {"matchLabels": {"app": "web"}}}
    for number in range(6):
        plane.pod(f"web-{number}", labels={"app": "web"}, topologySpreadConstraints=[constraint])
    plane.settle()
    counts = plane.spread("web-")
    assert counts["n3"] == 3 and counts["n1"] + counts["n2"] == 3
    plane.client.patch("nodes", "", "n3", {"spec": {"unschedulable": True}})
    plane.pod("web-6", labels={"app": "web"}, topologySpreadConstraints=[constraint])
    plane.settle()
    plane.pod("web-7", labels={"app": "web"}, topologySpreadConstraints=[constraint])
    plane.settle()
    assert plane.message("web-7").startswith(
        "0/4 nodes are available: 1 node(s) didn't match pod topology spread constraints (missing required label), "
        "1 node(s) were unschedulable, 2 node(s) didn't match pod topology spread constraints. ")


def test_anti_affinity_gives_each_node_one(four_nodes):
    affinity = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [
        {"labelSelector": {"matchLabels": {"app": "web"}}, "topologyKey": "kubernetes.io/hostname"}]}}
    for number in range(4):
        four_nodes.pod(f"web-{number}", labels={"app": "web"}, affinity=affinity)
    four_nodes.settle()
    assert four_nodes.spread("web-") == {"w1-k8s": 1, "w2-k8s": 1, "w3-k8s": 1, None: 1}
    waiting = next(f"web-{number}" for number in range(4) if four_nodes.where(f"web-{number}") is None)
    assert four_nodes.message(waiting) == (
        "0/4 nodes are available: 1 node(s) had untolerated taint(s), 3 node(s) didn't match pod anti-affinity rules. no new claims to "
        "deallocate, preemption: 0/4 nodes are available: 1 Preemption is not helpful for scheduling, 3 No preemption victims found "
        "for incoming pod.")
    four_nodes.client.delete("pods", "default", next(f"web-{n}" for n in range(4) if f"web-{n}" != waiting), grace_period=0)
    four_nodes.settle(3)
    assert four_nodes.where(waiting) is not None


def test_a_running_pods_anti_affinity_keeps_others_away(plane):
    plane.node("one")
    plane.pod("loner", labels={"app": "loner"}, affinity={"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [
        {"labelSelector": {"matchLabels": {"noisy": "yes"}}, "topologyKey": "kubernetes.io/hostname"}]}})
    plane.settle()
    plane.pod("quiet")
    plane.pod("noisy", labels={"noisy": "yes"})
    plane.settle()
    assert plane.where("quiet") == "one"
    assert plane.message("noisy").startswith("0/1 nodes are available: 1 node(s) didn't satisfy existing pods anti-affinity rules. ")


def test_affinity_follows_its_friend_and_the_first_may_be_its_own(four_nodes):
    affinity = {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [
        {"labelSelector": {"matchLabels": {"app": "db"}}, "topologyKey": "kubernetes.io/hostname"}]}}
    four_nodes.pod("web", affinity=affinity)
    four_nodes.settle()
    assert four_nodes.message("web") == ("0/4 nodes are available: 1 node(s) had untolerated taint(s), 3 node(s) didn't match pod "
                                         "affinity rules. " + HELPLESS.format(4))
    four_nodes.pod("db", labels={"app": "db"}, affinity=affinity)
    four_nodes.settle(3)
    assert four_nodes.where("web") == four_nodes.where("db") is not None


def test_affinity_does_not_see_other_namespaces_unless_asked(four_nodes):
    four_nodes.pod("db", namespace="other", labels={"app": "db"})
    term = {"labelSelector": {"matchLabels": {"app": "db"}}, "topologyKey": "kubernetes.io/hostname"}
    required = "requiredDuringSchedulingIgnoredDuringExecution"
    four_nodes.pod("here", affinity={"podAffinity": {required: [term]}})
    four_nodes.pod("there", affinity={"podAffinity": {required: [{**term, "namespaces": ["other"]}]}})
    four_nodes.pod("anywhere", affinity={"podAffinity": {required: [{**term, "namespaceSelector": {}}]}})
    four_nodes.settle()
    home = four_nodes.where("db", "other")
    assert (four_nodes.where("here"), four_nodes.where("there"), four_nodes.where("anywhere")) == (None, home, home)
