"""The real kubectl against a running room: every command family of the kinds that are served."""

from __future__ import annotations

import json
import re
import threading
from pathlib import Path

import pytest
import yaml

from tests.clients import tools
from tests.clients.conftest import Kubectl, Room

pytestmark = pytest.mark.clients

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: nginx-deploy
  labels:
    app: nginx
spec:
  replicas: 2
  selector:
    matchLabels:
      app: nginx
  template:
    metadata:
      labels:
        app: nginx
    spec:
      containers:
      - name: nginx
        image: nginx:latest
        ports:
        - containerPort: 80
"""
SERVICE = """\
apiVersion: v1
kind: Service
metadata:
  name: nginx-svc
  labels:
    app: nginx
spec:
  type: NodePort
  ports:
  - port: 8080
    nodePort: 31472
    targetPort: 80
  selector:
    app: nginx
"""


def rows(text: str) -> list[list[str]]:
    """A printed table, without its header."""
    return [line.split() for line in text.splitlines()[1:]]


@pytest.fixture
def deployed(kubectl: Kubectl) -> Kubectl:
    """A room where the notes' Deployment runs."""
    kubectl("apply", "-f", "-", stdin=DEPLOYMENT)
    kubectl("rollout", "status", "deploy/nginx-deploy", "--timeout=50s")
    return kubectl


def pod_names(kubectl: Kubectl, selector: str = "app=nginx") -> list[str]:
    return kubectl("get", "pods", "-l", selector, "-o", "jsonpath={.items[*].metadata.name}").split()


def test_a_new_room_is_a_cluster_of_four_ready_nodes(kubectl):
    nodes = rows(kubectl("get", "nodes"))
    assert [(node[0], node[1], node[2]) for node in nodes] == [
        ("m-k8s", "Ready", "control-plane"), ("w1-k8s", "Ready", "<none>"), ("w2-k8s", "Ready", "<none>"), ("w3-k8s", "Ready", "<none>")]
    assert all(re.fullmatch(r"v1\.36\.\d+", node[-1]) for node in nodes)
    wide = kubectl("get", "nodes", "-o", "wide")
    assert "192.168.1.10" in wide and "192.168.1.103" in wide and "KERNEL-VERSION" in wide
    described = kubectl("describe", "node", "m-k8s")
    assert "node-role.kubernetes.io/control-plane:NoSchedule" in described and "Allocated resources:" in described
    assert [row[0] for row in rows(kubectl("get", "ns"))] == ["default", "kube-node-lease", "kube-public", "kube-system"]
    assert rows(kubectl("get", "svc"))[0][:3] == ["kubernetes", "ClusterIP", "10.96.0.1"]
    assert all(row[2] == "Running" for row in rows(kubectl("get", "pods", "-n", "kube-system")))


def test_the_server_says_what_it_is_and_what_it_serves(kubectl):
    assert "Server Version: v1.36.2" in kubectl("version")
    assert json.loads(kubectl("version", "-o", "json"))["serverVersion"]["minor"] == "36"
    resources = {row[-1]: row for row in rows(kubectl("api-resources"))}
    assert resources["Pod"] == ["pods", "po", "v1", "true", "Pod"] and resources["Deployment"][2] == "apps/v1"
    assert kubectl("api-resources", "--namespaced=false", "-o", "name").split() == [
        "componentstatuses", "namespaces", "nodes", "persistentvolumes", "ingressclasses.networking.k8s.io",
        "priorityclasses.scheduling.k8s.io", "csidrivers.storage.k8s.io",
        "csinodes.storage.k8s.io", "storageclasses.storage.k8s.io", "volumeattachments.storage.k8s.io"]
    assert "apps/v1" in kubectl("api-versions").split()
    assert "is running at" in kubectl("cluster-info")
    assert kubectl("get", "--raw", "/readyz") == "ok"


def test_the_notes_deployment_and_service_are_applied_run_and_selected(deployed):
    kubectl = deployed
    assert kubectl("apply", "-f", "-", stdin=DEPLOYMENT) == "deployment.apps/nginx-deploy unchanged\n"
    assert kubectl("apply", "-f", "-", stdin=SERVICE) == "service/nginx-svc created\n"
    three = DEPLOYMENT.replace("replicas: 2", "replicas: 3")
    assert kubectl("apply", "-f", "-", stdin=three) == "deployment.apps/nginx-deploy configured\n"
    kubectl("wait", "deploy/nginx-deploy", "--for=jsonpath={.status.readyReplicas}=3", "--timeout=50s")
    assert rows(kubectl("get", "deploy", "nginx-deploy"))[0][:4] == ["nginx-deploy", "3/3", "3", "3"]
    service = rows(kubectl("get", "svc", "nginx-svc"))[0]
    assert (service[1], service[3], service[4]) == ("NodePort", "<none>", "8080:31472/TCP")
    pods = rows(kubectl("get", "pods", "-o", "wide", "-l", "app=nginx"))
    assert len(pods) == 3 and all(pod[1:4] == ["1/1", "Running", "0"] for pod in pods)
    addresses = sorted(f"{pod[5]}:80" for pod in pods)
    assert sorted(rows(kubectl("get", "ep", "nginx-svc"))[0][1].split(",")) == addresses
    slices = rows(kubectl("get", "endpointslices", "-l", "kubernetes.io/service-name=nginx-svc"))
    assert slices[0][1:3] == ["IPv4", "80"] and sorted(slices[0][3].split(",")) == sorted(pod[5] for pod in pods)
    everything = kubectl("get", "all")
    assert all(f"{kind}/nginx-" in everything for kind in ("pod", "service", "deployment.apps", "replicaset.apps"))


def test_an_object_is_printed_in_every_form(deployed):
    kubectl = deployed
    name = pod_names(kubectl)[0]
    assert f"pod/{name}" in kubectl("get", "pods", "-o", "name").split()
    assert json.loads(kubectl("get", "pod", name, "-o", "json"))["spec"]["containers"][0]["image"] == "nginx:latest"
    assert yaml.safe_load(kubectl("get", "pod", name, "-o", "yaml"))["metadata"]["name"] == name
    assert yaml.safe_load(kubectl("get", "pods", "-o", "yaml"))["kind"] == "List"
    assert name in kubectl("get", "pods", "-o", 'jsonpath={range .items[*]}{.metadata.name}{"\\n"}{end}').split()
    assert kubectl("get", "pods", "-o", "custom-columns=NAME:metadata.name,X:metadata.nosuch").splitlines()[1].split() == [name, "<none>"]
    assert name in kubectl("get", "pods", "-o", 'go-template={{range .items}}{{.metadata.name}} {{end}}').split()
    assert "app=nginx,pod-template-hash=" in kubectl("get", "pods", "--show-labels")
    assert rows(kubectl("get", "pods", "-L", "app"))[0][-1] == "nginx"
    assert not kubectl("get", "pods", "--no-headers").startswith("NAME")
    assert kubectl("get", "pods", "--sort-by=.metadata.name").splitlines()[1].split()[0] == sorted(pod_names(kubectl))[0]
    for kind in ("pod", "deploy", "rs"):
        assert "Name:  " in kubectl("describe", kind)


def test_a_watch_prints_changes_as_they_happen(deployed):
    kubectl = deployed
    watching = kubectl.start("get", "deploy", "nginx-deploy", "-w")
    too_long = threading.Timer(30, watching.kill)
    too_long.start()
    try:
        assert watching.stdout.readline().split()[0] == "NAME"
        assert watching.stdout.readline().split()[1] == "2/2"
        kubectl("scale", "deploy", "nginx-deploy", "--replicas=1")
        seen = []
        while not seen or seen[-1] != "1/1":
            line = watching.stdout.readline()
            assert line, f"the watch went silent after {seen}"
            seen.append(line.split()[1])
        assert seen[0] == "2/1"
    finally:
        too_long.cancel()
        watching.kill()
        watching.wait()


def test_objects_are_created_labelled_annotated_patched_edited_replaced_and_deleted(kubectl):
    assert kubectl("create", "configmap", "cm1", "--from-literal=a=1") == "configmap/cm1 created\n"
    assert kubectl("label", "cm", "cm1", "tier=front") == "configmap/cm1 labeled\n"
    assert kubectl("annotate", "cm", "cm1", "note=hello") == "configmap/cm1 annotated\n"
    assert kubectl("patch", "cm", "cm1", "-p", '{"data":{"b":"2"}}') == "configmap/cm1 patched\n"
    assert kubectl("patch", "cm", "cm1", "--type=merge", "-p", '{"data":{"b":null}}') == "configmap/cm1 patched\n"
    assert kubectl("patch", "cm", "cm1", "--type=json", "-p", '[{"op":"add","path":"/data/c","value":"3"}]') == "configmap/cm1 patched\n"
    assert kubectl("patch", "cm", "cm1", "-p", '{"data":{"c":"3"}}') == "configmap/cm1 patched (no change)\n"
    assert kubectl("edit", "cm", "cm1", environment={"KUBE_EDITOR": "sed -i s/hello/bye/"}) == "configmap/cm1 edited\n"
    found = json.loads(kubectl("get", "cm", "cm1", "-o", "json"))
    assert found["data"] == {"a": "1", "c": "3"} and found["metadata"]["labels"] == {"tier": "front"}
    assert found["metadata"]["annotations"] == {"note": "bye"}
    found["data"] = {"z": "26"}
    assert kubectl("replace", "-f", "-", stdin=json.dumps(found)) == "configmap/cm1 replaced\n"
    assert "the object has been modified" in kubectl.fails("replace", "-f", "-", stdin=json.dumps(found))
    assert kubectl("delete", "cm", "cm1") == 'configmap "cm1" deleted from default namespace\n'
    assert kubectl("create", "secret", "generic", "s1", "--from-literal=password=pw") == "secret/s1 created\n"
    assert rows(kubectl("get", "secret", "s1"))[0][:3] == ["s1", "Opaque", "1"]
    assert kubectl("create", "ns", "dev") == "namespace/dev created\n"
    assert kubectl("create", "sa", "builder", "-n", "dev") == "serviceaccount/builder created\n"
    assert kubectl("delete", "ns", "dev") == 'namespace "dev" deleted\n'
    assert "NotFound" in kubectl.fails("get", "ns", "dev")


def test_a_rollout_goes_on_is_looked_at_undone_paused_resumed_and_restarted(deployed):
    kubectl = deployed
    assert kubectl("set", "image", "deploy/nginx-deploy", "nginx=nginx:1.16.1") == "deployment.apps/nginx-deploy image updated\n"
    assert 'deployment "nginx-deploy" successfully rolled out' in kubectl("rollout", "status", "deploy/nginx-deploy", "--timeout=50s")
    history = kubectl("rollout", "history", "deploy/nginx-deploy")
    assert re.findall(r"^(\d+) ", history, re.MULTILINE) == ["1", "2"]
    assert "nginx:1.16.1" in kubectl("rollout", "history", "deploy/nginx-deploy", "--revision=2")
    assert "deployment.apps/nginx-deploy rolled back" in kubectl("rollout", "undo", "deploy/nginx-deploy")
    kubectl("rollout", "status", "deploy/nginx-deploy", "--timeout=50s")
    assert kubectl("get", "deploy", "nginx-deploy", "-o", "jsonpath={.spec.template.spec.containers[0].image}") == "nginx:latest"
    assert kubectl("rollout", "pause", "deploy/nginx-deploy") == "deployment.apps/nginx-deploy paused\n"
    kubectl("set", "image", "deploy/nginx-deploy", "nginx=nginx:1.27")
    assert "cannot rollback a paused deployment" in kubectl.fails("rollout", "undo", "deploy/nginx-deploy")
    assert kubectl("rollout", "resume", "deploy/nginx-deploy") == "deployment.apps/nginx-deploy resumed\n"
    assert kubectl("rollout", "restart", "deploy/nginx-deploy") == "deployment.apps/nginx-deploy restarted\n"
    assert "successfully rolled out" in kubectl("rollout", "status", "deploy/nginx-deploy", "--timeout=50s")


def test_an_image_that_does_not_exist_leaves_the_old_pods_running(deployed, room: Room):
    kubectl = deployed
    kubectl("set", "image", "deploy/nginx-deploy", "nginx=nginx:1.200")
    room.advance(60)
    states = sorted(pod[2] for pod in rows(kubectl("get", "pods")))
    assert states[1:] == ["Running", "Running"] and states[0] in ("ImagePullBackOff", "ErrImagePull")
    stuck = kubectl.run("rollout", "status", "deploy/nginx-deploy", "--timeout=1s")
    assert stuck.returncode == 1 and "1 out of 2 new replicas have been updated" in stuck.stdout and "timed out waiting" in stuck.stderr
    stuck_pod = next(pod[0] for pod in rows(kubectl("get", "pods")) if pod[2] == states[0])
    assert 'Back-off pulling image "nginx:1.200"' in kubectl("describe", "pod", stuck_pod)


def test_a_pod_is_run_exposed_waited_for_and_its_log_read(kubectl):
    assert kubectl("run", "nginx", "--image=nginx") == "pod/nginx created\n"
    assert kubectl("wait", "--for=condition=Ready", "pod/nginx", "--timeout=50s") == "pod/nginx condition met\n"
    assert kubectl("expose", "pod", "nginx", "--type=NodePort", "--port=80") == "service/nginx exposed\n"
    assert rows(kubectl("get", "service", "nginx"))[0][4].startswith("80:3")
    kubectl("run", "once", "--image=busybox", "--restart=Never", "--", "sh", "-c", "echo one; echo two")
    assert kubectl("wait", "--for=jsonpath={.status.phase}=Succeeded", "pod/once", "--timeout=50s") == "pod/once condition met\n"
    assert kubectl("logs", "once") == "one\ntwo\n"
    assert kubectl("logs", "once", "--tail=1") == "two\n"
    assert kubectl("logs", "-f", "once") == "one\ntwo\n"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\S+Z one", kubectl("logs", "once", "--timestamps").splitlines()[0])
    assert rows(kubectl("get", "pod", "once"))[0][1:3] == ["0/1", "Completed"]
    assert kubectl("delete", "pod", "once", "nginx") == (
        'pod "once" deleted from default namespace\npod "nginx" deleted from default namespace\n')


def test_a_followed_log_streams(kubectl):
    kubectl("run", "talker", "--image=busybox", "--restart=Never", "--", "sh", "-c", "for i in 1 2 3; do echo line $i; sleep 20; done")
    kubectl("wait", "--for=jsonpath={.status.phase}=Running", "pod/talker", "--timeout=50s")
    assert kubectl("logs", "-f", "talker") == "line 1\nline 2\nline 3\n"


def test_explain_reads_the_schema(kubectl):
    assert "FIELD: strategy <DeploymentStrategy>" in kubectl("explain", "deploy.spec.strategy")
    assert "enum: Recreate, RollingUpdate" in kubectl("explain", "deploy.spec.strategy")
    assert "imagePullPolicy\t<string>" in kubectl("explain", "pod.spec.containers")
    assert "terminationGracePeriodSeconds" in kubectl("explain", "pod", "--recursive")
    assert 'field "nosuch" does not exist' in kubectl.fails("explain", "pod.spec.nosuch")


def test_a_node_is_cordoned_drained_and_tainted(deployed):
    kubectl = deployed
    node = rows(kubectl("get", "pods", "-o", "wide"))[0][6]
    assert kubectl("cordon", node) == f"node/{node} cordoned\n"
    assert rows(kubectl("get", "node", node))[0][1] == "Ready,SchedulingDisabled"
    drained = kubectl("drain", node, "--ignore-daemonsets", "--delete-emptydir-data", "--force", "--timeout=50s")
    assert f"node/{node} drained" in drained
    kubectl("rollout", "status", "deploy/nginx-deploy", "--timeout=50s")
    assert node not in {row[6] for row in rows(kubectl("get", "pods", "-o", "wide", "-l", "app=nginx"))}
    assert kubectl("uncordon", node) == f"node/{node} uncordoned\n"
    assert kubectl("taint", "node", node, "dedicated=x:NoSchedule") == f"node/{node} tainted\n"
    assert "dedicated=x:NoSchedule" in kubectl("describe", "node", node)
    assert kubectl("taint", "node", node, "dedicated-") == f"node/{node} untainted\n"


def test_scaling_changes_how_many_there_are(deployed):
    kubectl = deployed
    assert kubectl("scale", "deploy/nginx-deploy", "--replicas=4") == "deployment.apps/nginx-deploy scaled\n"
    kubectl("rollout", "status", "deploy/nginx-deploy", "--timeout=50s")
    assert len(pod_names(kubectl)) == 4
    assert "expected replicas to be 9" in kubectl.fails("scale", "deploy/nginx-deploy", "--current-replicas=9", "--replicas=1").lower()
    assert "must be greater than or equal to 0" in kubectl.fails("patch", "deploy", "nginx-deploy", "-p", '{"spec":{"replicas":-1}}')
    kubectl("delete", "pods", "--all")
    kubectl("rollout", "status", "deploy/nginx-deploy", "--timeout=50s")
    assert len(pod_names(kubectl)) == 4


def test_deleting_with_orphans_leaves_the_dependents(deployed):
    kubectl = deployed
    kubectl("delete", "deploy", "nginx-deploy", "--cascade=orphan")
    assert len(rows(kubectl("get", "rs"))) == 1
    kubectl("delete", "rs", "--all", "--cascade=foreground")
    assert pod_names(kubectl) == []


def test_a_dry_run_and_a_diff_change_nothing(deployed):
    kubectl = deployed
    more = DEPLOYMENT.replace("replicas: 2", "replicas: 5")
    assert kubectl("apply", "--dry-run=server", "-f", "-", stdin=more) == "deployment.apps/nginx-deploy configured (server dry run)\n"
    different = kubectl.run("diff", "-f", "-", stdin=more)
    assert different.returncode == 1 and "-  replicas: 2\n+  replicas: 5" in different.stdout
    assert kubectl.run("diff", "-f", "-", stdin=DEPLOYMENT).returncode == 0
    assert rows(kubectl("get", "deploy"))[0][1] == "2/2"


@pytest.mark.parametrize(("arguments", "stdin", "said"), [
    (("get", "pod", "nosuch"), "", 'Error from server (NotFound): pods "nosuch" not found'),
    (("get", "nosuch"), "", 'error: the server doesn\'t have a resource type "nosuch"'),
    (("run", "Bad_Name", "--image=nginx"), "", 'metadata.name: Invalid value: "Bad_Name": a lowercase RFC 1123 subdomain must consist of'),
    (("apply", "-f", "-"), DEPLOYMENT.replace("image:", "imagee:"), 'unknown field "spec.template.spec.containers[0].imagee"'),
    (("apply", "-f", "-"), DEPLOYMENT.replace("replicas: 2", "replicas: two"), "cannot unmarshal string into Go struct field"),
    (("apply", "-f", "-"), DEPLOYMENT.replace("      app: nginx\n  template", "      app: other\n  template"),
     '`selector` does not match template `labels`'),
    (("create", "-f", "-"), "apiVersion: v1\nkind: Nonsense\nmetadata:\n  name: x\n", 'no matches for kind "Nonsense" in version "v1"'),
    (("logs", "nosuch"), "", 'error: error from server (NotFound): pods "nosuch" not found in namespace "default"'),
    (("get", "pods", "-l", "!!"), "", "unable to parse requirement"),
])
def test_errors_are_told_in_the_words_of_kubernetes(kubectl, arguments, stdin, said):
    assert said in kubectl.fails(*arguments, stdin=stdin)
    assert rows(kubectl("get", "all"))[0][0] == "service/kubernetes"


def test_an_older_kubectl_works_too(room, tmp_path: Path):
    program = tools.older_kubectl()
    if program is None:
        pytest.skip("no other kubectl on this machine")
    kubectl = Kubectl(program, room, tmp_path)
    assert kubectl("apply", "-f", "-", stdin=DEPLOYMENT) == "deployment.apps/nginx-deploy created\n"
    assert kubectl("apply", "-f", "-", stdin=SERVICE) == "service/nginx-svc created\n"
    kubectl("rollout", "status", "deploy/nginx-deploy", "--timeout=50s")
    assert rows(kubectl("get", "deploy"))[0][1] == "2/2"
    assert "FIELDS:" in kubectl("explain", "pod.spec")
    assert "Name:" in kubectl("describe", "deploy", "nginx-deploy")
    kubectl("delete", "-f", "-", stdin=DEPLOYMENT + "---\n" + SERVICE)
