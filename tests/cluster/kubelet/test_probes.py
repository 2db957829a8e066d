"""What probes ask and what follows from the answers."""

SLEEP = {"command": ["sh", "-c", "sleep 3600"]}


def test_a_passing_readiness_probe_makes_ready_at_once(bench):
    bench.pod("web", {"image": "nginx", "readinessProbe": {"httpGet": {"path": "/", "port": 80}, "periodSeconds": 2}})
    bench.run(4)
    assert bench.conditions("web")["Ready"] == "True"
    assert not any(reason == "Unhealthy" for reason, _ in bench.events("web"))


def test_readiness_waits_for_its_initial_delay(bench):
    bench.pod("web", {"image": "nginx", "readinessProbe": {"httpGet": {"path": "/", "port": 80}, "initialDelaySeconds": 20}})
    bench.run(15)
    assert bench.status("web")["phase"] == "Running" and bench.conditions("web")["Ready"] == "False"
    bench.run(15)
    assert bench.conditions("web")["Ready"] == "True"


def test_a_probe_that_passes_schedules_nothing_more(bench):
    bench.run(60)
    bench.pod("web", {"image": "nginx", "livenessProbe": {"httpGet": {"path": "/", "port": 80}},
                      "readinessProbe": {"tcpSocket": {"port": 80}}})
    bench.run(30)
    worker = bench.cluster.kubelets.worker("default", "web")
    assert worker.due == {} and worker.wakes_at is None
    assert not [key for key, _ in bench.cluster.store.state.items("pod/")]


def test_a_wrong_path_and_a_closed_port_are_told_as_the_kubelet_does(bench):
    bench.pod("path", {"image": "nginx", "readinessProbe": {"httpGet": {"path": "/nosuch", "port": 80}, "periodSeconds": 2}})
    bench.pod("port", {"image": "nginx", "readinessProbe": {"httpGet": {"path": "/", "port": 8080}, "periodSeconds": 2}})
    bench.pod("socket", {"image": "redis", "readinessProbe": {"tcpSocket": {"port": 80}, "periodSeconds": 2}})
    bench.run(20)
    ip = {name: bench.status(name)["podIP"] for name in ("port", "socket")}
    assert bench.events("path")["Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 404"] >= 5
    refused = f'Readiness probe failed: Get "http://{ip["port"]}:8080/": dial tcp {ip["port"]}:8080: connect: connection refused'
    assert ("Unhealthy", refused) in bench.events("port")
    assert ("Unhealthy", f"Readiness probe failed: dial tcp {ip['socket']}:80: connect: connection refused") in bench.events("socket")


def test_a_failure_that_cannot_change_becomes_rare(bench):
    bench.pod("web", {"image": "nginx", "readinessProbe": {"httpGet": {"path": "/nosuch", "port": 80}, "periodSeconds": 1}})
    bench.run(120)
    worker = bench.cluster.kubelets.worker("default", "web")
    assert worker.wakes_at - bench.cluster.clock.now > 60


def test_a_failing_liveness_probe_restarts_the_container(bench):
    bench.pod("unlive", {"image": "nginx", "livenessProbe": {"exec": {"command": ["cat", "/tmp/nofile"]}, "periodSeconds": 3,
                                                            "failureThreshold": 2}})
    bench.run(30)
    events = bench.events("unlive")
    assert ("Unhealthy", "Liveness probe failed: cat: /tmp/nofile: No such file or directory") in events
    assert ("Killing", "Container c failed liveness probe, will be restarted") in events
    assert bench.container("unlive")["restartCount"] >= 2


def test_the_exec_liveness_example_of_the_documentation_restarts_after_its_file_is_gone(bench):
    bench.pod("liveness", {
        "image": "registry.k8s.io/busybox:1.27.2", "args": ["/bin/sh", "-c", "touch /tmp/healthy; sleep 30; rm -f /tmp/healthy; sleep 600"],
        "livenessProbe": {"exec": {"command": ["cat", "/tmp/healthy"]}, "initialDelaySeconds": 5, "periodSeconds": 5}})
    bench.run(35)
    assert bench.container("liveness")["restartCount"] == 0 and "running" in bench.container("liveness")["state"]
    bench.run(50)
    assert bench.container("liveness")["restartCount"] == 1
    assert bench.events("liveness")["Unhealthy", "Liveness probe failed: cat: can't open '/tmp/healthy': No such file or directory"] == 3


def test_the_http_liveness_example_fails_after_ten_seconds(bench):
    bench.pod("liveness", {"image": "registry.k8s.io/e2e-test-images/agnhost:2.40", "args": ["liveness"], "livenessProbe": {
        "httpGet": {"path": "/healthz", "port": 8080}, "initialDelaySeconds": 3, "periodSeconds": 3}})
    bench.run(30)
    assert bench.container("liveness")["restartCount"] == 1
    assert ("Unhealthy", "Liveness probe failed: HTTP probe failed with statuscode: 500") in bench.events("liveness")


def test_a_startup_probe_holds_the_others_back(bench):
    bench.pod("slow", {"command": ["sh", "-c", "sleep 10; touch /tmp/up; sleep 600"],
                       "startupProbe": {"exec": {"command": ["cat", "/tmp/up"]}, "periodSeconds": 2, "failureThreshold": 10},
                       "livenessProbe": {"exec": {"command": ["cat", "/tmp/up"]}, "periodSeconds": 1, "failureThreshold": 1}})
    bench.run(8)
    assert bench.container("slow")["started"] is False and bench.conditions("slow")["Ready"] == "False"
    bench.run(12)
    assert bench.container("slow")["started"] is True and bench.container("slow")["restartCount"] == 0
    assert bench.conditions("slow")["Ready"] == "True"


def test_readiness_follows_a_file(bench):
    bench.pod("flip", {"command": ["sh", "-c", "while true; do touch /tmp/ok; sleep 10; rm /tmp/ok; sleep 10; done"],
                       "readinessProbe": {"exec": {"command": ["ls", "/tmp/ok"]}, "periodSeconds": 1, "failureThreshold": 2}})
    seen = bench.seen("flip", lambda event: next(
        (entry["status"] for entry in event.object["status"].get("conditions", ()) if entry["type"] == "Ready"), ""))
    bench.run(50)
    assert "".join(value[0] for value in seen if value).startswith("FTFTF")


def test_a_probe_command_that_is_not_in_the_image_errs(bench):
    bench.pod("web", {"image": "nginx", "readinessProbe": {"exec": {"command": ["nosuchcmd"]}}})
    bench.run(10)
    message = next(text for reason, text in bench.events("web") if reason == "Unhealthy")
    assert message.startswith("Readiness probe errored and resulted in unknown state: rpc error: code = ")
    assert message.endswith('exec: "nosuchcmd": executable file not found in $PATH: unknown')


def test_a_named_port_is_found(bench):
    bench.pod("web", {"image": "nginx", "ports": [{"name": "http", "containerPort": 80}],
                      "readinessProbe": {"httpGet": {"path": "/", "port": "http"}}})
    bench.run(5)
    assert bench.conditions("web")["Ready"] == "True"


def test_a_grpc_probe_needs_a_server_that_speaks_it(bench):
    probe = {"grpc": {"port": 5000}, "periodSeconds": 2}
    bench.pod("speaks", {"image": "registry.k8s.io/e2e-test-images/agnhost:2.40", "command": ["/agnhost", "grpc-health-checking"],
                         "readinessProbe": probe})
    bench.pod("web", {"image": "nginx", "readinessProbe": {**probe, "grpc": {"port": 80}}})
    bench.run(20)
    assert bench.conditions("speaks")["Ready"] == "True" and bench.conditions("web")["Ready"] == "False"
    ip = bench.status("web")["podIP"]
    assert ("Unhealthy", f'Readiness probe failed: timeout: failed to connect service "{ip}:80" within 1s: context deadline exceeded') \
        in bench.events("web")


def test_https_to_a_plain_server_and_an_unknown_port_name_are_told_as_the_kubelet_does(bench):
    bench.pod("tls", {"image": "nginx", "livenessProbe": {"httpGet": {"path": "/", "port": 80, "scheme": "HTTPS"}, "periodSeconds": 2}})
    bench.pod("name", {"image": "nginx", "readinessProbe": {"httpGet": {"path": "/", "port": "web"}, "periodSeconds": 2}})
    bench.run(10)
    ip = bench.status("tls")["podIP"]
    assert ("Unhealthy", f'Liveness probe failed: Get "https://{ip}:80/": http: server gave HTTP response to HTTPS client') in bench.events("tls")
    assert ("Unhealthy", 'Readiness probe errored and resulted in unknown state: strconv.Atoi: parsing "web": invalid syntax') \
        in bench.events("name")


def test_an_exec_probe_that_takes_too_long_fails(bench):
    bench.pod("slow", {**SLEEP, "livenessProbe": {"exec": {"command": ["sleep", "5"]}, "periodSeconds": 4, "timeoutSeconds": 1}})
    bench.run(8)
    assert ("Unhealthy", 'Liveness probe failed: command timed out: "sleep 5" timed out after 1s') in bench.events("slow")


def test_a_probes_own_grace_period_comes_before_the_pods(bench):
    bench.pod("slow", {**SLEEP, "livenessProbe": {"exec": {"command": ["false"]}, "periodSeconds": 1, "failureThreshold": 1,
                                                  "initialDelaySeconds": 5, "terminationGracePeriodSeconds": 4}})
    bench.until(lambda: any(reason == "Killing" for reason, _ in bench.events("slow")), 30)
    bench.run(3)
    assert bench.container("slow")["restartCount"] == 0
    bench.run(4)
    assert bench.container("slow")["lastState"]["terminated"]["exitCode"] == 137 and bench.container("slow")["restartCount"] == 1


def test_readiness_needs_as_many_successes_as_it_says(bench):
    bench.pod("web", {"image": "nginx", "readinessProbe": {"tcpSocket": {"port": 80}, "periodSeconds": 5, "successThreshold": 3}})
    bench.until(lambda: bench.status("web")["phase"] == "Running", 30)
    bench.run(8)
    assert bench.conditions("web")["Ready"] == "False"
    bench.run(8)
    assert bench.conditions("web")["Ready"] == "True"
