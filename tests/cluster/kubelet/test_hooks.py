"""postStart and preStop, and what a kubelet refuses to take."""

import pytest

from server.cluster.errors import ApiError
from tests.kubectl.terminal import Terminal

SERVER = {"image": "nginx", "ports": [{"containerPort": 80}]}
SLEEP = {"image": "busybox", "command": ["sleep", "3600"]}


def test_a_container_counts_as_running_when_its_post_start_hook_is_done(bench):
    bench.pod("web", {**SERVER, "lifecycle": {"postStart": {"sleep": {"seconds": 6}}}})
    bench.run(6)
    assert bench.reason("web") == "ContainerCreating" and bench.status("web")["phase"] == "Pending"
    assert ("Started", "Container started") in bench.events("web")
    bench.run(6)
    assert bench.reason("web") == "running" and bench.conditions("web")["Ready"] == "True"


def test_a_failed_post_start_hook_is_said_without_what_it_printed(bench):
    bench.pod("web", {**SERVER, "lifecycle": {"postStart": {"exec": {"command": ["cat", "/nosuch"]}}}})
    bench.run(20)
    events = bench.events("web")
    assert ("FailedPostStartHook", "PostStartHook failed") in events and ("Killing", "FailedPostStartHook") in events
    assert bench.container("web")["restartCount"] >= 1


def test_a_container_that_was_to_start_again_is_shown_as_ended_once_its_pod_stops(bench):
    failing = {**SERVER, "lifecycle": {"postStart": {"exec": {"command": ["false"]}}}}
    bench.pod("web", failing, {**SLEEP, "name": "other"}, restartPolicy="OnFailure", terminationGracePeriodSeconds=4)
    states = bench.seen("web", lambda event: [next(iter(entry["state"])) for entry in event.object["status"].get("containerStatuses") or ()])
    bench.until(lambda: bench.status("web").get("containerStatuses") and any(reason == "FailedPostStartHook" for reason, _ in bench.events("web")))
    bench.until(lambda: not bench.cluster.kubelets.runtime.container("default", "web", "c").running)
    bench.kubectl.delete("pods", "default", "web")
    bench.run(20)
    assert bench.get("web") is None and states[-1] == ["terminated", "terminated"]


def test_sigterm_waits_for_the_pre_stop_hook(bench):
    polite = "trap 'echo heard; exit 0' TERM; while true; do sleep 1; done"
    bench.pod("polite", {"image": "busybox", "command": ["sh", "-c", polite], "lifecycle": {"preStop": {"sleep": {"seconds": 6}}}})
    bench.run(10)
    bench.kubectl.delete("pods", "default", "polite")
    container = bench.cluster.kubelets.runtime.container("default", "polite", "c")
    bench.run(5)
    assert container.running and not [line for line in container.log.all() if line.text == "heard"]
    bench.run(5)
    assert bench.get("polite") is None


def test_a_hook_that_outlasts_the_grace_period_leaves_two_seconds(bench):
    bench.pod("slow", {**SLEEP, "lifecycle": {"preStop": {"sleep": {"seconds": 4}}}}, terminationGracePeriodSeconds=4)
    bench.run(10)
    bench.kubectl.delete("pods", "default", "slow")
    bench.run(5.5)
    assert bench.get("slow") is not None
    bench.run(2)
    assert bench.get("slow") is None


def test_now_means_two_seconds(bench):
    bench.pod("slow", SLEEP)
    bench.run(10)
    Terminal(bench.cluster).run("kubectl delete pod slow --now --wait=false")
    bench.run(1.5)
    assert bench.get("slow") is not None
    bench.run(2)
    assert bench.get("slow") is None


def refused(bench, name):
    status = bench.status(name)
    return status["phase"], status["reason"], status["message"]


def test_a_kubelet_does_not_take_a_pod_whose_node_port_is_taken(bench):
    port = {"image": "nginx", "ports": [{"containerPort": 80, "hostPort": 8080}]}
    bench.pod("first", port)
    bench.pod("second", port)
    bench.run(10)
    assert refused(bench, "second") == ("Failed", "NodePorts", "Pod was rejected: Predicate NodePorts failed: node(s) didn't have free ports "
                                        "for the requested pod ports")
    assert ("NodePorts", "Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports") in bench.events("second")
    bench.kubectl.delete("pods", "default", "first")
    bench.run(5)
    bench.pod("third", port)
    bench.run(10)
    assert bench.status("third")["phase"] == "Running"


def test_a_kubelet_does_not_take_a_pod_that_its_node_does_not_fit(bench):
    term = {"matchExpressions": [{"key": "disktype", "operator": "In", "values": ["ssd"]}]}
    bench.pod("affine", SERVER, affinity={"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}})
    bench.run(3)
    assert refused(bench, "affine")[1:] == ("NodeAffinity", "Pod was rejected: Predicate NodeAffinity failed: node(s) didn't match Pod's node "
                                            "affinity/selector")
    bench.cluster.components.stop("kube-controller-manager")
    bench.kubectl.patch("nodes", "", "w1-k8s", {"spec": {"taints": [{"key": "k", "value": "v", "effect": "NoExecute"}]}}, "merge")
    bench.pod("tainted", SERVER)
    bench.run(1)
    assert ("TaintToleration", "Predicate TaintToleration failed: node(s) had taints that the pod didn't tolerate") in bench.events("tainted")


def test_gates_of_readiness_are_waited_for(bench):
    bench.pod("web", SERVER, readinessGates=[{"conditionType": "example.com/ok"}])
    bench.run(10)
    found = {entry["type"]: entry for entry in bench.status("web")["conditions"]}
    assert found["ContainersReady"]["status"] == "True" and found["Ready"]["status"] == "False"
    assert found["Ready"]["message"] == 'corresponding condition of pod readiness gate "example.com/ok" does not exist.'
    pod = bench.get("web")
    conditions = [*pod["status"]["conditions"], {"type": "example.com/ok", "status": "True", "lastProbeTime": None, "lastTransitionTime": None}]
    bench.kubectl.update("pods", {**pod, "status": {**pod["status"], "conditions": conditions}}, "status")
    bench.run(3)
    assert bench.conditions("web")["Ready"] == "True"


def test_a_stop_signal_is_dropped_as_its_feature_is_off(bench):
    bench.pod("web", {**SERVER, "lifecycle": {"stopSignal": "SIGUSR1", "preStop": {"sleep": {"seconds": 1}}}})
    assert bench.get("web")["spec"]["containers"][0]["lifecycle"] == {"preStop": {"sleep": {"seconds": 1}}}


def test_a_runtime_class_that_is_not_there_is_refused(bench):
    with pytest.raises(ApiError) as caught:
        bench.pod("web", SERVER, runtimeClassName="gvisor")
    assert caught.value.message == 'pods "web" is forbidden: pod rejected: RuntimeClass "gvisor" not found'


def test_what_is_not_acted_on_is_warned_of(bench):
    manifest = ("apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  setHostnameAsFQDN: true\n"
                "  containers: [{name: c, image: nginx}]\n")
    terminal = Terminal(bench.cluster, {"pod.yaml": manifest})
    result = terminal.run("kubectl apply -f pod.yaml")
    assert result.stdout == "pod/web created\n"
    assert result.stderr == "Warning: podium: spec.setHostnameAsFQDN is accepted, but nothing follows from it here\n"


def test_root_may_be_forbidden(bench):
    bench.pod("root", SERVER, securityContext={"runAsNonRoot": True})
    bench.run(10)
    uid = bench.get("root")["metadata"]["uid"]
    message = f'container has runAsNonRoot and image will run as root (pod: "root_default({uid})", container: c)'
    assert bench.reason("root") == "CreateContainerConfigError" and bench.container("root")["state"]["waiting"]["message"] == message
    assert ("Failed", f"Error: {message}") in bench.events("root")


def test_the_resources_of_the_pod_as_a_whole_decide_its_quality_of_service(bench):
    both = {"cpu": "100m", "memory": "64Mi"}
    bench.pod("whole", SERVER, resources={"limits": both})
    assert bench.status("whole")["qosClass"] == "Guaranteed" and bench.get("whole")["spec"]["resources"]["requests"] == both
    bench.pod("some", {**SERVER, "resources": {"requests": {"cpu": "30m"}}}, resources={"limits": {"cpu": "100m"}})
    assert bench.status("some")["qosClass"] == "Burstable" and bench.get("some")["spec"]["resources"]["requests"] == {"cpu": "30m"}
