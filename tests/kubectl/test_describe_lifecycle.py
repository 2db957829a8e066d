"""What describe and get print of init, ephemeral and resized containers."""

from server.cluster.cluster import Cluster
from server.cluster.machines import with_workers
from tests.kubectl.terminal import Terminal


def made(**spec):
    cluster = Cluster(seed=1, nodes=with_workers(1), system_pods=False)
    cluster.client().create("pods", {"metadata": {"name": "web", "namespace": "default"}, "spec": {"nodeName": "w1-k8s", **spec}})
    cluster.clock.run_for(15)
    return cluster, Terminal(cluster)


SERVER = {"name": "c", "image": "nginx:1.27", "resources": {"requests": {"cpu": "100m"}}}


def test_describe_shows_ephemeral_containers_and_their_events():
    cluster, terminal = made(containers=[SERVER])
    cluster.client().patch("pods", "default", "web", {"spec": {"ephemeralContainers": [
        {"name": "debugger", "image": "busybox:1.36", "command": ["sleep", "1000"]}]}}, "strategic", "ephemeralcontainers")
    cluster.clock.run_for(5)
    text = terminal.run("kubectl describe pod web").stdout
    part = text[text.index("Ephemeral Containers:"):text.index("Conditions:")]
    assert "  debugger:\n" in part and "State:          Running" in part and "Ready:          False" in part and "Restart Count:  0" in part
    assert "spec.ephemeralContainers{debugger}: Container started" in text
    assert terminal.run("kubectl get pod web --no-headers").stdout.split()[1:3] == ["1/1", "Running"]


def test_describe_shows_a_resize_that_waits():
    cluster, terminal = made(containers=[SERVER])
    patch = '{"spec":{"containers":[{"name":"c","resources":{"requests":{"cpu":"900"}}}]}}'
    answer = terminal.run(f"kubectl patch pod web --subresource resize -p '{patch}'")
    assert answer.stdout == "pod/web patched\n"
    cluster.clock.run_for(1)
    text = terminal.run("kubectl describe pod web").stdout
    assert "Conditions:\n  Type                        Status\n  PodResizePending            True \n  PodReadyToStartContainers   True \n" in text
    assert "Warning  ResizeInfeasible" in text


def test_a_sidecar_counts_in_the_ready_column():
    _, terminal = made(containers=[SERVER], initContainers=[{"name": "side", "image": "redis:7", "restartPolicy": "Always"},
                                                            {"name": "once", "image": "busybox:1.36", "command": ["true"]}])
    assert terminal.run("kubectl get pod web --no-headers").stdout.split()[1:3] == ["2/2", "Running"]
    text = terminal.run("kubectl describe pod web").stdout
    assert text.index("Init Containers:") < text.index("  side:") < text.index("  once:") < text.index("Containers:\n  c:")
