"""kubectl debug: ephemeral containers, copies of pods, pods on nodes, and what each profile makes of them (checked against the real client)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from server.cluster.cluster import Cluster
from tests.kubectl.desk import Desk
from tests.kubectl.test_exec import PROMPTED
from tests.kubectl.test_golden import normal, transcript

PODS = """
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web}, annotations: {a: b}}
spec:
  containers:
  - {name: web, image: nginx, readinessProbe: {httpGet: {port: 80}}, livenessProbe: {httpGet: {port: 80}}}
"""
TRACE = {"capabilities": {"add": ["SYS_PTRACE"]}}
NET = {"capabilities": {"add": ["NET_ADMIN", "NET_RAW"]}}
RESTRICTED = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}, "runAsNonRoot": True,
              "seccompProfile": {"type": "RuntimeDefault"}}


@pytest.fixture
def desk() -> Desk:
    made = Desk(Cluster(seed=7), {"pods.yaml": PODS, "custom.yaml": "env: [{name: A, value: b}]\nsecurityContext: {runAsUser: 5}\n"})
    made.run("kubectl apply -f pods.yaml")
    made.cluster.clock.run_for(8)
    return made


def pod(desk: Desk, name: str) -> dict[str, Any]:
    return json.loads(desk.run(f"kubectl get pod {name} -o json").stdout)


def added(desk: Desk, flags: str) -> dict[str, Any]:
    """The ephemeral container that was made."""
    assert desk.run(f"kubectl debug web --image=busybox {flags}").code == 0
    return pod(desk, "web")["spec"]["ephemeralContainers"][-1]


def test_an_ephemeral_container_reads_as_on_a_real_cluster(desk: Desk) -> None:
    _, code, stdout, stderr = transcript("621")
    result = desk.run("kubectl debug web --image=busybox -- sleep 1")
    assert (normal(result.stdout), result.stderr, result.code) == (normal(stdout), stderr, code)


def test_a_session_in_a_running_pod(desk: Desk) -> None:
    seat = desk.sit("kubectl debug web -it --image=busybox -c dbg --target=web")
    assert seat.screen.startswith('Targeting container "web". If you don\'t see processes from this container it may be because the container '
                                  "runtime doesn't support this feature.\n" + PROMPTED)
    assert "hostname\nweb\n" in seat.type("hostname\r")
    assert seat.type("exit\r", 3).endswith(
        "Session ended, the ephemeral container will not be restarted but may be reattached using 'kubectl attach web -c dbg -n default -i -t' if "
        "it is still running\n")
    assert seat.code == 0
    container = pod(desk, "web")["spec"]["ephemeralContainers"][0]
    assert {key: container[key] for key in ("name", "image", "stdin", "tty", "targetContainerName", "securityContext")} == {
        "name": "dbg", "image": "busybox", "stdin": True, "tty": True, "targetContainerName": "web", "securityContext": TRACE}


@pytest.mark.parametrize(("profile", "context"), [
    ("general", TRACE), ("baseline", None), ("restricted", RESTRICTED), ("netadmin", NET), ("sysadmin", {"privileged": True}), ("legacy", None)])
def test_what_a_profile_lets_an_ephemeral_container_do(desk: Desk, profile: str, context: dict[str, Any] | None) -> None:
    assert added(desk, f"--profile={profile} -- sleep 1").get("securityContext") == context


def test_what_flags_make_of_the_container(desk: Desk) -> None:
    container = added(desk, "-c one --env=A=b,C=d --image-pull-policy=Never --arguments-only -- x y")
    assert (container["args"], "command" in container, container["imagePullPolicy"]) == (["x", "y"], False, "Never")
    assert container["env"] == [{"name": "A", "value": "b"}, {"name": "C", "value": "d"}]
    custom = added(desk, "-c two --custom=custom.yaml -- sleep 1")
    assert custom["env"] == [{"name": "A", "value": "b"}]
    assert custom["securityContext"] == {**TRACE, "runAsUser": 5}


def test_a_copy_with_a_debugging_container(desk: Desk) -> None:
    seat = desk.sit("kubectl debug web -it --copy-to=copy --image=busybox -c dbg")
    assert "hostname\ncopy\n" in seat.type("hostname\r")
    copied = pod(desk, "copy")
    assert [each["name"] for each in copied["spec"]["containers"]] == ["web", "dbg"]
    assert copied["spec"]["shareProcessNamespace"] is True
    assert copied["spec"]["containers"][1]["securityContext"] == TRACE
    assert not {"labels", "annotations"} & {*copied["metadata"]} or not copied["metadata"].get("labels")
    assert not {"readinessProbe", "livenessProbe"} & {*copied["spec"]["containers"][0]}


def test_what_of_a_copy_is_kept_or_changed(desk: Desk) -> None:
    node = pod(desk, "web")["spec"]["nodeName"]
    assert desk.run("kubectl debug web --copy-to=kept --keep-labels --keep-annotations --keep-readiness --same-node --share-processes=false "
                    "--image=busybox -- sleep 9").code == 0
    kept = pod(desk, "kept")
    assert (kept["metadata"]["labels"], kept["metadata"]["annotations"]["a"]) == ({"app": "web"}, "b")
    assert (kept["spec"]["nodeName"], kept["spec"]["shareProcessNamespace"]) == (node, False)
    assert "readinessProbe" in kept["spec"]["containers"][0] and "livenessProbe" not in kept["spec"]["containers"][0]
    assert desk.run("kubectl debug web --copy-to=imaged --set-image=*=busybox").stdout == ""
    imaged = pod(desk, "imaged")
    assert (imaged["spec"]["containers"][0]["image"], imaged["metadata"]["labels"]) == ("busybox", {"app": "web"})
    assert desk.run("kubectl debug web --copy-to=commanded --container=web --replace -- sleep 77").code == 0
    assert pod(desk, "commanded")["spec"]["containers"][0]["command"] == ["sleep", "77"]
    assert pod(desk, "web")["metadata"].get("deletionTimestamp")


def test_a_session_on_a_node(desk: Desk) -> None:
    seat = desk.sit("kubectl debug node/w1-k8s -it --image=busybox")
    assert normal(seat.screen.splitlines()[0]).startswith("Creating debugging pod node-debugger-WORKER-NAME with container debugger on node WORKER.")
    assert "hostname\nw1-k8s\n" in seat.type("hostname\r")
    made = next(each for each in desk.cluster.api.lister("pods").list("default") if each["metadata"]["name"].startswith("node-debugger-w1-k8s-"))
    assert made["metadata"]["labels"] == {"app.kubernetes.io/managed-by": "kubectl-debug"}
    spec = made["spec"]
    assert (spec["nodeName"], spec["hostPID"], spec["hostIPC"], spec["hostNetwork"], spec["restartPolicy"]) == ("w1-k8s", True, True, True, "Never")
    assert spec["volumes"][0]["hostPath"]["path"] == "/"
    assert spec["containers"][0]["volumeMounts"][0]["mountPath"] == "/host"
    assert {"operator": "Exists"} in spec["tolerations"]


@pytest.mark.parametrize(("profile", "host", "root", "context"), [
    ("baseline", None, 0, None), ("restricted", None, 0, RESTRICTED), ("netadmin", True, 0, NET), ("sysadmin", True, 1, {"privileged": True})])
def test_what_a_profile_makes_of_a_pod_on_a_node(desk: Desk, profile: str, host: bool | None, root: int, context: dict[str, Any] | None) -> None:
    desk.run(f"kubectl debug node/w2-k8s --image=busybox --profile={profile} -q -- sleep 1")
    spec = next(each for each in desk.cluster.api.lister("pods").list("default") if each["metadata"]["name"].startswith("node-debugger"))["spec"]
    assert (spec.get("hostPID"), sum("hostPath" in volume for volume in spec["volumes"])) == (host, root)
    assert spec["containers"][0].get("securityContext") == context


def test_the_old_profile_is_told_to_be_old(desk: Desk) -> None:
    assert desk.run("kubectl debug web --image=busybox -q --profile=legacy").stderr == (
        '--profile=legacy is deprecated and planned to be removed in v1.39. It is recommended to specify other profile, for example '
        '"--profile=general".\n')


@pytest.mark.parametrize(("words", "stderr"), [
    ("", "you must specify --image when not using --copy-to."), ("web", "you must specify --image when not using --copy-to."),
    ("--image=busybox", "NAME or filename is required for debug"), ("web --copy-to=x", "you must specify --image, --set-image or command arguments."),
    ("web --copy-to=x -- sleep 1", "you must specify an existing container or a new image when specifying args."),
    ("web --copy-to=x --target=w --image=a", "--target is incompatible with --copy-to. Use --share-processes instead."),
    ("web --same-node --image=b", "--same-node may only be used with --copy-to."), ("web --profile=list --image=x", "unknown profile: list"),
    ("web --image='Bad Image'", 'invalid image name "Bad Image": invalid reference format'),
    ("web --image=b --image-pull-policy=Foo", "invalid image pull policy: Foo"),
    ("web -t --image=b", "-i/--stdin is required for containers with -t/--tty=true"),
    ("web --image=b --custom=no", "must pass a container spec json file for custom profile: open no: no such file or directory"),
    ("svc/kubernetes --image=b", '"/v1, Kind=Service" not supported by debug')])
def test_what_it_refuses(desk: Desk, words: str, stderr: str) -> None:
    result = desk.run(f"kubectl debug {words}")
    assert (result.stdout, result.stderr, result.code) == ("", f"error: {stderr}\n", 1)


def test_what_the_api_refuses(desk: Desk) -> None:
    assert desk.run("kubectl debug nosuch --image=b").stderr == 'Error from server (NotFound): pods "nosuch" not found\n'
    assert desk.run("kubectl debug web --image=b --target=nope -q").stderr == (
        'The Pod "web" is invalid: spec.ephemeralContainers[0].targetContainerName: Not found: "nope"\n')
