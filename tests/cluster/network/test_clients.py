"""Programs in pods that go out on the network, and the traffic that they make."""

import pytest

from server.cluster.cluster import Cluster


def pod(name, *command, image="busybox:1.28", **spec):
    return {"metadata": {"name": name, "namespace": "default"}, "spec": {
        "restartPolicy": "Never", "containers": [{"name": "c", "image": image, "command": list(command)}], **spec}}


def said(world, *command, image="busybox:1.28", seconds=20):
    """(log, exit code)."""
    world.client.create("pods", pod("asks", *command, image=image))
    world.settle(seconds)
    status = world.client.get("pods", "default", "asks")["status"]["containerStatuses"][0]["state"]
    lines = [line.text for line in world.cluster.kubelets.runtime.logs("default", "asks", "c")]
    return lines, status.get("terminated", {}).get("exitCode")


def cluster_ip(world):
    return world.get_service()["spec"]["clusterIP"]


def test_wget_prints_what_a_service_answers(web):
    lines, code = said(web, "wget", "-qO-", "http://web:8080")
    assert code == 0 and "<title>Welcome to nginx!</title>" in lines


def test_wget_says_where_it_connects_and_what_it_saves(web):
    lines, code = said(web, "sh", "-c", "wget web:8080 && test -s index.html", image="busybox:1.36")
    assert code == 0
    assert lines[0] == f"Connecting to web:8080 ({cluster_ip(web)}:8080)" and lines[-1] == "'index.html' saved"


@pytest.mark.parametrize(("command", "expected", "code"), [
    (("wget", "-q", "-O-", "http://nosuch"), ["wget: bad address 'nosuch'"], 1),
    (("wget", "-q", "-O-", "web:81", "-T", "5"), ["wget: can't connect to remote host ({ip}): Connection refused"], 1),
    (("wget", "-q", "--spider", "web:8080/nosuch"), ["wget: server returned error: HTTP/1.1 404 Not Found"], 1),
    (("wget", "-q", "-T", "2", "-O-", "10.244.1.250"), ["wget: download timed out"], 1),
    (("nc", "-zv", "web", "8080"), ["web ({ip}:8080) open"], 0),
    (("nc", "-z", "nosuch", "80"), ["nc: bad address 'nosuch'"], 1),
])
def test_a_client_fails_in_the_words_of_the_real_one(web, command, expected, code):
    if "web:81" in command:
        web.client.patch("services", "default", "web", {"spec": {"ports": [{"port": 81, "targetPort": 4444}]}})
        web.settle(5)
    lines, exit_code = said(web, *command)
    assert (lines, exit_code) == ([line.format(ip=cluster_ip(web)) for line in expected], code)


def test_curl_in_a_pod_shows_its_progress_unless_silenced(web):
    lines, code = said(web, "curl", "http://web:8080", image="curlimages/curl")
    assert code == 0 and any("% Total" in line for line in lines) and "<title>Welcome to nginx!</title>" in lines
    web.client.delete("pods", "default", "asks", grace_period=0)
    assert said(web, "curl", "-s", "-o", "/dev/null", "-w", "%{http_code}\\n", "http://web:8080/nosuch", image="nginx") == (["404"], 0)


def test_each_try_of_curl_has_the_whole_limit(web):
    lines, code = said(web, "curl", "-sS", "--retry", "2", "--max-time", "3", "http://10.244.1.250", image="curlimages/curl", seconds=30)
    assert lines[-1] == "curl: (28) Connection timed out after 3000 milliseconds" and code == 28


@pytest.mark.parametrize(("image", "name", "expected", "code"), [
    ("busybox:1.28", "web", ["Server:    10.96.0.10", "Address 1: 10.96.0.10 kube-dns.kube-system.svc.cluster.local", "",
                             "Name:      web", "Address 1: {ip} web.default.svc.cluster.local"], 0),
    ("busybox:1.28", "nosuch", ["Server:    10.96.0.10", "Address 1: 10.96.0.10 kube-dns.kube-system.svc.cluster.local", "",
                                "nslookup: can't resolve 'nosuch'"], 1),
    ("busybox:1.36", "web.default", ["Server:\t\t10.96.0.10", "Address:\t10.96.0.10:53", "",
                                     "** server can't find web.default: NXDOMAIN", "", "** server can't find web.default: NXDOMAIN", ""], 1),
    ("sysnet4admin/net-tools", "web", ["Server:\t\t10.96.0.10", "Address:\t10.96.0.10#53", "",
                                       "Name:\tweb.default.svc.cluster.local", "Address: {ip}", ""], 0),
])
def test_nslookup_prints_as_the_one_in_its_image(web, image, name, expected, code):
    lines, exit_code = said(web, "nslookup", name, image=image)
    assert [line.format(ip=cluster_ip(web)) for line in expected] == lines and exit_code == code


def test_an_init_container_waits_until_its_service_is_there(world):
    script = ("until nslookup later.$(cat /var/run/secrets/kubernetes.io/serviceaccount/namespace).svc.cluster.local; "
              "do echo waiting; sleep 2; done")
    world.client.create("pods", pod("app", "sleep", "3600", initContainers=[
        {"name": "init", "image": "busybox:1.28", "command": ["sh", "-c", script]}]))
    world.settle(20)
    lines = [line.text for line in world.cluster.kubelets.runtime.logs("default", "app", "init")]
    assert lines.count("waiting") > 5 and "nslookup: can't resolve 'later.default.svc.cluster.local'" in lines
    world.service("later")
    world.settle(10)
    assert world.client.get("pods", "default", "app")["status"]["phase"] == "Running"


def test_an_exec_probe_that_asks_the_network_is_asked_again_when_nothing_in_its_pod_changed(web):
    made = pod("asks", "sleep", "3600")
    made["spec"]["containers"][0]["readinessProbe"] = {
        "exec": {"command": ["wget", "-q", "--spider", "-T", "1", "http://web:8080"]}, "periodSeconds": 5, "failureThreshold": 1, "timeoutSeconds": 3}
    web.client.create("pods", made)
    web.settle(20)

    def ready():
        return web.client.get("pods", "default", "asks")["status"]["containerStatuses"][0]["ready"]

    assert ready()
    web.client.patch("deployments.apps", "default", "web", {"spec": {"replicas": 0}})
    web.settle(30)
    assert not ready()


LOAD = ("sh", "-c", "while sleep 0.01; do wget -q -O- http://web:8080; done")


def test_a_program_that_asks_often_is_a_source_of_traffic(web):
    walks = []
    web.network.traffic.on_walk(walks.append)
    web.client.create("pods", pod("load", *LOAD))
    web.settle(20)
    [record] = web.network.traffic.sources()
    assert record["source"] == "Pod/default/load" and record["target"] == "Service/default/web" and record["failed"] == 0
    assert 40 < record["rate"] < 100 and sum(path["rate"] for path in record["paths"]) == pytest.approx(record["rate"], rel=0.01)
    assert walks[-1]["source"] == "Pod/default/load" and len(walks) < 20 * 25
    web.network.traffic.aim("default/web", 8080, 0)
    assert web.network.traffic.sources(), "nobody can switch a pod's own requests off"
    web.client.delete("pods", "default", "load", grace_period=0)
    web.settle(20)
    assert web.network.traffic.sources() == []


def test_a_program_that_asks_now_and_then_is_none(web):
    web.client.create("pods", pod("slow", "sh", "-c", "while true; do wget -q -O- http://web:8080; sleep 5; done"))
    web.settle(40)
    assert web.network.traffic.sources() == []


def test_traffic_of_programs_goes_on_after_a_restart(web):
    web.client.create("pods", pod("load", *LOAD))
    web.settle(20)
    again = Cluster.restore(web.cluster.snapshot())
    again.clock.run_for(0.5)
    assert [record["source"] for record in again.network.traffic.sources()] == ["Pod/default/load"]
    again.clock.run_for(20)
    assert [record["source"] for record in again.network.traffic.sources()] == ["Pod/default/load"]


def test_an_answer_under_way_when_the_cluster_stops_is_printed_afterwards(web):
    web.client.create("pods", pod("asks", "sh", "-c", "sleep 5; wget -qO- http://10.244.1.250 ; echo then"))
    web.settle(9)
    assert not list(web.cluster.kubelets.runtime.logs("default", "asks", "c"))
    again = Cluster.restore(web.cluster.snapshot())
    again.clock.run_for(20)
    assert [line.text for line in again.kubelets.runtime.logs("default", "asks", "c")] == [
        "wget: can't connect to remote host (10.244.1.250): No route to host", "then"]


def test_the_load_generator_of_the_walkthrough_scales_its_target():
    cluster = Cluster(seed=1, metrics_server=True)
    client = cluster.client()
    labels = {"run": "php-apache"}
    client.create("deployments.apps", {"metadata": {"name": "php-apache", "namespace": "default"}, "spec": {
        "selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": {"containers": [{
            "name": "php-apache", "image": "registry.k8s.io/hpa-example", "ports": [{"containerPort": 80}],
            "resources": {"limits": {"cpu": "500m"}, "requests": {"cpu": "200m"}}}]}}}})
    client.create("services", {"metadata": {"name": "php-apache", "namespace": "default"},
                               "spec": {"ports": [{"port": 80}], "selector": labels}})
    client.create("horizontalpodautoscalers.autoscaling", {"metadata": {"name": "php-apache", "namespace": "default"}, "spec": {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "php-apache"}, "minReplicas": 1, "maxReplicas": 10,
        "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}}}]}})
    cluster.clock.run_for(60)
    client.create("pods", pod("load-generator", "/bin/sh", "-c", "while sleep 0.01; do wget -q -O- http://php-apache; done"))
    cluster.clock.run_for(240)
    assert 4 <= client.get("deployments.apps", "default", "php-apache")["spec"]["replicas"] <= 8
    client.delete("pods", "default", "load-generator", grace_period=0)
    cluster.clock.run_for(480)
    assert client.get("deployments.apps", "default", "php-apache")["spec"]["replicas"] == 1
