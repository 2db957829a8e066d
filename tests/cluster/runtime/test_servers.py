"""How servers answer, through a running pod."""

import pytest

from server.cluster.cluster import Cluster
from server.cluster.machines import with_workers
from server.cluster.runtime.runtime import ConnectionRefused, NoHttp


def started(image, **more):
    cluster = Cluster(seed=1, nodes=with_workers(1), system_pods=False)
    spec = more.pop("pod", {})
    cluster.client().create("pods", {"metadata": {"name": "web", "namespace": "default"}, "spec": {
        "nodeName": "w1-k8s", "containers": [{"name": "c", "image": image, **more}], **spec}})
    cluster.clock.run_for(15)
    return cluster.kubelets.runtime, cluster.api.lister("pods").get("default", "web"), cluster


def get(image, port=80, path="/", **more):
    runtime, pod, _ = started(image, **more)
    status, _, body = runtime.http(pod, port, "GET", path, {})
    return status, body


def test_nginx_welcomes():
    status, body = get("nginx")
    assert status == 200 and "<title>Welcome to nginx!</title>" in body and len(body) == 615


def test_nginx_does_not_find_what_is_not_there():
    status, body = get("nginx", path="/nosuch")
    assert status == 404 and "404 Not Found" in body


def test_nginx_serves_what_was_written_to_its_root():
    write = ["sh", "-c", "echo hello > /usr/share/nginx/html/index.html"]
    status, body = get("nginx", lifecycle={"postStart": {"exec": {"command": write}}})
    assert (status, body) == (200, "hello\n")


def test_nginx_serves_a_config_map():
    cluster = Cluster(seed=1, nodes=with_workers(1), system_pods=False)
    client = cluster.client()
    client.create("configmaps", {"metadata": {"name": "page", "namespace": "default"}, "data": {"index.html": "from a map"}})
    client.create("pods", {"metadata": {"name": "web", "namespace": "default"}, "spec": {"nodeName": "w1-k8s", "containers": [
        {"name": "c", "image": "nginx", "volumeMounts": [{"name": "p", "mountPath": "/usr/share/nginx/html"}]}],
        "volumes": [{"name": "p", "configMap": {"name": "page"}}]}})
    cluster.clock.run_for(10)
    pod = cluster.api.lister("pods").get("default", "web")
    assert cluster.kubelets.runtime.http(pod, 80, "GET", "/", {})[2] == "from a map"


def test_a_sidecar_writes_what_nginx_serves():
    volume = {"volumes": [{"name": "www", "emptyDir": {}}]}
    writer = {"name": "writer", "image": "busybox", "command": ["sh", "-c", "echo from init > /out/index.html"],
              "volumeMounts": [{"name": "www", "mountPath": "/out"}]}
    mounts = [{"name": "www", "mountPath": "/usr/share/nginx/html"}]
    runtime, pod, _ = started("nginx", volumeMounts=mounts, pod={**volume, "initContainers": [writer]})
    assert runtime.http(pod, 80, "GET", "/", {})[::2] == (200, "from init\n")


def test_hello_kiamol_names_its_pod():
    status, body = get("kiamol/ch02-hello-kiamol")
    assert status == 200 and "Hello from Chapter 2!" in body and "<i>web</i>" in body


def test_an_unknown_application_answers_on_its_declared_port():
    assert get("me/app:1", 5000, ports=[{"containerPort": 5000}]) == (200, "Hello from web\n")


def test_http_echo_says_its_text():
    assert get("hashicorp/http-echo", 5678, args=["-text=hi there"]) == (200, "hi there\n")


def test_a_closed_port_refuses_and_a_database_does_not_speak_http():
    runtime, pod, _ = started("redis")
    with pytest.raises(ConnectionRefused):
        runtime.http(pod, 80, "GET", "/", {})
    with pytest.raises(NoHttp):
        runtime.http(pod, 6379, "GET", "/", {})
    assert runtime.listening(pod, 6379) and not runtime.listening(pod, 80)
