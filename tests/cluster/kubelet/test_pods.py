"""From a bound pod to running containers, and what goes wrong on the way."""

import yaml

SERVER = {"image": "nginx:latest", "ports": [{"containerPort": 80}]}


def shell(script, **more):
    return {"command": ["sh", "-c", script], **more}


def test_a_server_is_told_of_when_it_is_taken_when_it_has_a_network_and_when_it_is_ready(bench):
    """As the transcript of `kubectl get pods -w` shows: ContainerCreating twice, then Running."""
    writes = bench.seen("web", lambda event: (event.cause.client, event.object["status"]))
    bench.pod("web", SERVER)
    bench.run(10)
    address = bench.status("web")["podIP"]
    told = [(status.get("podIP"), status["conditions"][0]["status"]) for client, status in writes if client == "kubelet"]
    assert told == [(None, "False"), (address, "True"), (address, "True")]
    assert bench.status("web")["phase"] == "Running"
    types = ["PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled"]
    assert list(bench.conditions("web").items()) == [(type_, "True") for type_ in types]


def test_a_started_pod_says_so_in_the_words_of_v1_36(bench):
    bench.pod("web", SERVER)
    bench.run(10)
    events = bench.events("web")
    assert ("Pulling", 'Pulling image "nginx:latest"') in events
    assert ("Created", "Container created") in events
    assert ("Started", "Container started") in events
    pulled = next(message for reason, message in events if reason == "Pulled")
    assert pulled.startswith('Successfully pulled image "nginx:latest" in 2.') and pulled.endswith(" bytes.")


def test_a_running_status_has_the_shape_of_a_real_one(bench):
    bench.pod("web", {**SERVER, "resources": {"requests": {"cpu": "50m"}, "limits": {"cpu": "200m", "memory": "64Mi"}}})
    bench.run(10)
    status = bench.status("web")
    container = status["containerStatuses"][0]
    assert container["image"] == "docker.io/library/nginx:latest"
    assert container["imageID"].startswith("docker.io/library/nginx@sha256:")
    assert container["containerID"].startswith("containerd://") and len(container["containerID"]) == len("containerd://") + 64
    assert container["allocatedResources"] == {"cpu": "50m", "memory": "64Mi"} == status["allocatedResources"]
    assert status["resources"]["limits"] == {"cpu": "200m", "memory": "64Mi"}
    assert status["hostIP"] == "192.168.1.101" and status["podIPs"] == [{"ip": status["podIP"]}]
    assert all(entry["observedGeneration"] == 1 for entry in status["conditions"])


def test_an_image_that_is_there_is_not_pulled_again_unless_asked_for(bench):
    bench.pod("first", SERVER)
    bench.run(10)
    bench.pod("second", {**SERVER, "imagePullPolicy": "IfNotPresent"})
    bench.run(5)
    assert ("Pulled", 'Container image "nginx:latest" already present on machine and can be accessed by the pod') in bench.events("second")


def test_pulls_of_one_node_wait_for_each_other(bench):
    bench.pod("a", {"image": "httpd"})
    bench.pod("b", {"image": "redis"})
    bench.run(15)
    pulled = [message for name in "ab" for reason, message in bench.events(name) if reason == "Pulled"]
    first, second = (message.partition(" in ")[2].partition(" including")[0].replace("(", "").split() for message in pulled)
    assert first[0] == first[1] and second[0] != second[1]


def test_a_tag_that_does_not_exist_ends_in_image_pull_back_off(bench):
    seen = bench.seen("web", lambda event: bench.reason("web") if event.object["status"].get("containerStatuses") else "")
    bench.pod("web", {"image": "nginx:1.200"})
    bench.run(60)
    assert [reason for reason in seen if reason] == ["ContainerCreating", "ErrImagePull", "ImagePullBackOff"]
    error = ('rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/nginx:1.200": failed to resolve '
             'reference "docker.io/library/nginx:1.200": docker.io/library/nginx:1.200: not found')
    events = bench.events("web")
    assert events["Failed", f'Failed to pull image "nginx:1.200": {error}'] >= 2
    assert events["Failed", "Error: ErrImagePull"] == events["Pulling", 'Pulling image "nginx:1.200"']
    assert ("BackOff", 'Back-off pulling image "nginx:1.200"') in events and ("Failed", "Error: ImagePullBackOff") in events
    assert bench.container("web")["state"]["waiting"]["message"] == f'Back-off pulling image "nginx:1.200": ErrImagePull: {error}'
    assert bench.status("web")["phase"] == "Pending" and bench.container("web")["imageID"] == ""


def test_pulls_that_fail_are_tried_less_and_less_often(bench):
    bench.pod("web", {"image": "nginx:1.200"})
    bench.run(600)
    early = bench.events("web")["Pulling", 'Pulling image "nginx:1.200"']
    bench.run(600)
    assert 5 <= early <= 9
    assert bench.events("web")["Pulling", 'Pulling image "nginx:1.200"'] - early <= 3


def test_an_invalid_image_name_is_told_as_such(bench):
    bench.pod("bad", {"image": "NGINX:latest"})
    bench.run(30)
    assert bench.reason("bad") == "InvalidImageName"
    message = ('Failed to apply default image tag "NGINX:latest": couldn\'t parse image name "NGINX:latest": invalid reference format: '
               "repository name (library/NGINX) must be lowercase")
    assert bench.events("bad")["InspectFailed", message] == bench.events("bad")["Failed", "Error: InvalidImageName"] == 4


def test_never_pulling_an_absent_image_fails(bench):
    bench.pod("never", {"image": "notlocal:1", "imagePullPolicy": "Never"})
    bench.run(3)
    assert bench.reason("never") == "ErrImageNeverPull"
    assert ("ErrImageNeverPull", 'Container image "notlocal:1" is not present with pull policy of Never') in bench.events("never")


def test_a_missing_config_map_of_the_environment_stops_creation_until_it_is_there(bench):
    bench.pod("nocm", {"image": "nginx", "envFrom": [{"configMapRef": {"name": "late"}}]})
    bench.run(10)
    assert bench.reason("nocm") == "CreateContainerConfigError"
    assert ("Failed", 'Error: configmap "late" not found') in bench.events("nocm")
    bench.kubectl.create("configmaps", {"metadata": {"name": "late", "namespace": "default"}, "data": {"a": "1"}})
    bench.run(20)
    assert bench.status("nocm")["phase"] == "Running"


def test_a_missing_key_is_named(bench):
    bench.kubectl.create("configmaps", {"metadata": {"name": "app", "namespace": "default"}, "data": {"a": "1"}})
    bench.pod("nokey", {"image": "nginx", "env": [{"name": "X", "valueFrom": {"configMapKeyRef": {"name": "app", "key": "b"}}}]})
    bench.run(10)
    assert ("Failed", "Error: couldn't find key b in ConfigMap default/app") in bench.events("nokey")


def test_a_missing_volume_keeps_the_pod_without_network_and_is_retried_more_and_more_slowly(bench):
    bench.pod("nomount", {"image": "nginx", "volumeMounts": [{"name": "v", "mountPath": "/v"}]}, volumes=[
        {"name": "v", "configMap": {"name": "late"}}])
    bench.run(29)
    message = 'MountVolume.SetUp failed for volume "v" : configmap "late" not found'
    assert bench.events("nomount") == {("FailedMount", message): 6}
    assert bench.conditions("nomount")["PodReadyToStartContainers"] == "False" and "podIP" not in bench.status("nomount")
    bench.run(100)
    assert any("Unable to attach or mount volumes: unmounted volumes=[v]" in text for _, text in bench.events("nomount"))
    bench.kubectl.create("configmaps", {"metadata": {"name": "late", "namespace": "default"}})
    bench.run(130)
    assert bench.status("nomount")["phase"] == "Running"


def test_a_command_that_the_image_does_not_have_cannot_be_started(bench):
    bench.pod("nocmd", {"command": ["nosuchcmd"]})
    bench.run(30)
    container = bench.container("nocmd")
    message = ('failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable '
               'to start container process: exec: "nosuchcmd": executable file not found in $PATH: unknown')
    assert container["state"]["waiting"] == {"reason": "RunContainerError", "message": message}
    assert container["lastState"]["terminated"]["exitCode"] == 128 and container["lastState"]["terminated"]["reason"] == "StartError"
    assert container["lastState"]["terminated"]["startedAt"] == "1970-01-01T00:00:00Z"
    assert container["restartCount"] == 2
    assert ("Failed", f"Error: {message}") in bench.events("nocmd")


def test_a_crashing_container_restarts_at_once_then_after_10_20_and_40_seconds(bench):
    bench.pod("crash", shell("echo boom; exit 3"))
    ends = bench.seen("crash", lambda event: (event.object["status"].get("containerStatuses") or [{}])[0].get("restartCount", 0))
    moments = []
    for count in range(1, 6):
        bench.until(lambda count=count: bool(ends) and ends[-1] >= count, 400)
        moments.append(bench.cluster.clock.now)
    gaps = [later - earlier for earlier, later in zip(moments, moments[1:], strict=False)]
    assert all(wait <= gap <= 1.5 * wait + 3 for wait, gap in zip((10, 20, 40, 80), gaps, strict=False)), gaps
    assert bench.status("crash")["phase"] == "Running"
    uid = bench.get("crash")["metadata"]["uid"]
    assert ("BackOff", f"Back-off restarting failed container c in pod crash_default({uid})") in bench.events("crash")


def test_a_long_back_off_shows_as_crash_loop_back_off(bench):
    bench.pod("crash", shell("exit 3"))
    bench.until(lambda: bench.status("crash").get("containerStatuses", [{}])[0].get("restartCount") == 3)
    bench.run(25)
    waiting = bench.container("crash")["state"]["waiting"]
    uid = bench.get("crash")["metadata"]["uid"]
    assert waiting == {"reason": "CrashLoopBackOff", "message": f"back-off 40s restarting failed container=c pod=crash_default({uid})"}
    assert bench.container("crash")["lastState"]["terminated"]["exitCode"] == 3
    assert 0 < bench.cluster.kubelets.progress(uid)["backoff"]["until"] - bench.cluster.clock.now < 40


def test_ten_good_minutes_forgive_a_crash(bench):
    bench.pod("slow", shell("sleep 700; exit 1"))
    bench.run(706)
    assert bench.container("slow")["restartCount"] == 1
    bench.run(705)
    assert bench.container("slow")["restartCount"] == 2
    bench.run(5)
    assert "running" in bench.container("slow")["state"]


def test_what_runs_once_completes_or_fails_as_its_exit_code_says(bench):
    bench.pod("done", shell("echo bye"), restartPolicy="Never")
    bench.pod("failed", shell("exit 2"), restartPolicy="Never")
    bench.run(10)
    assert bench.status("done")["phase"] == "Succeeded" and bench.reason("done") == "Completed"
    assert bench.status("failed")["phase"] == "Failed" and bench.reason("failed") == "Error"
    assert bench.container("failed")["state"]["terminated"]["exitCode"] == 2
    reasons = {entry["type"]: entry.get("reason") for entry in bench.status("done")["conditions"]}
    assert reasons["Ready"] == reasons["ContainersReady"] == "PodCompleted"
    assert bench.conditions("done")["PodReadyToStartContainers"] == "False" and bench.status("done")["podIP"]


def test_on_failure_restarts_only_what_failed(bench):
    bench.pod("retry", shell("exit 1"), restartPolicy="OnFailure")
    bench.pod("once", shell("exit 0"), restartPolicy="OnFailure")
    bench.run(30)
    assert bench.container("retry")["restartCount"] >= 1 and bench.status("retry")["phase"] == "Running"
    assert bench.container("once")["restartCount"] == 0 and bench.status("once")["phase"] == "Succeeded"


def test_busybox_without_a_command_completes_at_once(bench):
    bench.pod("plain", {}, restartPolicy="Never")
    bench.run(5)
    assert bench.reason("plain") == "Completed"


def test_init_containers_run_one_after_the_other_before_the_others(bench):
    init = [{"name": name, "image": "busybox", **shell("sleep 2")} for name in ("one", "two")]
    seen = bench.seen("multi", lambda event: tuple(next(iter(entry["state"])) for entry in (
        *event.object["status"].get("initContainerStatuses", ()), *event.object["status"].get("containerStatuses", ()))))
    bench.pod("multi", SERVER, initContainers=init)
    bench.run(20)
    assert ("terminated", "running", "waiting") in seen and ("running", "running", "waiting") not in seen
    assert bench.status("multi")["phase"] == "Running"
    assert bench.container("multi", field="initContainerStatuses")["ready"] is True


def test_a_failing_init_container_holds_everything_up(bench):
    bench.pod("initfail", SERVER, initContainers=[{"name": "i", "image": "busybox", **shell("exit 1")}])
    bench.run(20)
    assert bench.status("initfail")["phase"] == "Pending" and bench.reason("initfail") == "PodInitializing"
    initialized = next(entry for entry in bench.status("initfail")["conditions"] if entry["type"] == "Initialized")
    assert initialized["reason"] == "ContainersNotInitialized" and initialized["message"] == "containers with incomplete status: [i]"


def test_a_failing_init_container_of_a_pod_that_never_restarts_fails_it(bench):
    bench.pod("initfail", SERVER, restartPolicy="Never", initContainers=[{"name": "i", "image": "busybox", **shell("exit 1")}])
    bench.run(20)
    assert bench.status("initfail")["phase"] == "Failed"


def test_a_sidecar_starts_before_and_ends_after_the_work(bench):
    sidecar = {"name": "side", "image": "nginx", "restartPolicy": "Always"}
    bench.pod("job", shell("sleep 5"), restartPolicy="Never", initContainers=[sidecar])
    bench.until(lambda: "running" in (bench.status("job").get("containerStatuses") or [{"state": {}}])[0]["state"])
    assert "running" in bench.container("job", field="initContainerStatuses")["state"]
    bench.run(15)
    assert bench.status("job")["phase"] == "Succeeded"
    assert bench.reason("job", field="initContainerStatuses") == "Completed"


def test_memory_over_the_limit_is_killed(bench):
    bench.pod("hog", {"image": "polinux/stress", "command": ["stress"], "args": ["--vm", "1", "--vm-bytes", "250M"],
                      "resources": {"limits": {"memory": "100Mi"}}}, restartPolicy="Never")
    bench.run(10)

    assert bench.reason("hog") == "OOMKilled" and bench.container("hog")["state"]["terminated"]["exitCode"] == 137


def test_a_database_without_a_password_says_so_and_fails(bench):
    bench.pod("db", {"image": "mysql:8.0"}, restartPolicy="Never")
    bench.pod("good", {"image": "mysql:8.0", "env": [{"name": "MYSQL_ROOT_PASSWORD", "value": "x"}]}, restartPolicy="Never")
    bench.run(20)
    assert bench.status("db")["phase"] == "Failed" and bench.status("good")["phase"] == "Running"
    lines = [line.text for line in bench.cluster.kubelets.runtime.logs("default", "db", "c")]
    assert any("password option is not specified" in line for line in lines)


def test_what_cannot_be_simulated_fails_loudly(bench):
    bench.pod("mail", {"command": ["crond", "-f"]}, restartPolicy="Never")
    bench.run(5)
    assert bench.container("mail")["state"]["terminated"]["exitCode"] == 127
    assert [line.text for line in bench.cluster.kubelets.runtime.logs("default", "mail", "c")] == ['podium: "crond" is not simulated']


def test_changing_the_image_of_a_running_pod_restarts_its_container(bench):
    bench.pod("web", {"image": "kiamol/ch02-hello-kiamol"})
    bench.run(10)
    bench.kubectl.patch("pods", "default", "web", {"spec": {"containers": [{"name": "c", "image": "nginx:1.27"}]}}, type="strategic")
    bench.run(10)
    container = bench.container("web")
    assert container["restartCount"] == 1 and container["image"] == "docker.io/library/nginx:1.27" and container["ready"]
    assert ("Killing", "Container c definition changed, will be restarted") in bench.events("web")


def test_changing_a_bad_image_mends_the_pod(bench):
    bench.pod("web", {"image": "nginx:1.200"})
    bench.run(20)
    bench.kubectl.patch("pods", "default", "web", {"spec": {"containers": [{"name": "c", "image": "nginx:1.27"}]}}, type="strategic")
    bench.run(5)
    assert bench.status("web")["phase"] == "Running" and bench.container("web")["restartCount"] == 0


def test_a_pod_bound_to_a_node_without_room_is_rejected(bench):
    bench.pod("big", {"resources": {"requests": {"cpu": "4"}}})
    bench.run(2)
    status = bench.status("big")
    assert (status["phase"], status["reason"]) == ("Failed", "OutOfcpu")
    assert status["message"] == "Pod was rejected: Node didn't have enough resource: cpu, requested: 4000, used: 0, capacity: 2000"


def test_a_pod_bound_to_a_node_that_its_selector_forbids_is_rejected(bench):
    bench.pod("picky", {}, nodeSelector={"disk": "ssd"})
    bench.run(2)
    assert bench.status("picky")["reason"] == "NodeAffinity"


def test_every_pod_of_the_trouble_manifest_ends_as_on_a_real_cluster(bench):
    text = """
    crash: {command: [sh, -c, "echo boom; exit 3"]}
    unlive: {image: nginx, livenessProbe: {exec: {command: [cat, /tmp/nofile]}, periodSeconds: 3, failureThreshold: 2}}
    notready: {image: nginx, readinessProbe: {httpGet: {path: /nosuch, port: 80}, periodSeconds: 2}}
    """
    for name, container in yaml.safe_load(text).items():
        bench.pod(name, container)
    bench.run(30)
    assert bench.reason("crash") == "Error" and bench.container("crash")["restartCount"] == 2
    assert bench.container("unlive")["restartCount"] >= 2
    assert bench.status("notready")["phase"] == "Running" and bench.conditions("notready")["Ready"] == "False"
    ready = next(entry for entry in bench.status("notready")["conditions"] if entry["type"] == "Ready")
    assert ready["reason"] == "ContainersNotReady" and ready["message"] == "containers with unready status: [c]"


def test_an_image_that_runs_as_root_is_not_started_when_root_is_forbidden(bench):
    bench.pod("web", {**SERVER, "securityContext": {"runAsNonRoot": True}})
    bench.pod("user", {**SERVER, "securityContext": {"runAsNonRoot": True, "runAsUser": 1000}})
    bench.run(10)
    assert bench.reason("web") == "CreateContainerConfigError" and bench.status("user")["phase"] == "Running"
    uid = bench.get("web")["metadata"]["uid"]
    assert ("Failed", f'Error: container has runAsNonRoot and image will run as root (pod: "web_default({uid})", container: c)') in \
        bench.events("web")


def test_the_containers_of_a_pod_are_started_one_after_the_other(bench):
    bench.pod("two", {"name": "a", "image": "nginx"}, {"name": "b", "image": "redis"})
    bench.run(10)
    messages = [event["message"] for event in sorted(bench.cluster.api.lister("events").list(), key=lambda event: int(
        event["metadata"]["resourceVersion"])) if event["involvedObject"]["name"] == "two"]
    kinds = [message.split()[0] + (" " + message.split()[1] if message.startswith("Container") else "") for message in messages]
    assert kinds == ["Pulling", "Successfully", "Container created", "Container started"] * 2


def test_a_container_that_ends_as_it_begins_is_seen_running_once(bench):
    states = bench.seen("quick", lambda event: (event.object["status"]["phase"], *(
        next(iter(entry["state"])) for entry in event.object["status"].get("containerStatuses") or ())))
    bench.pod("quick", {"command": ["echo", "hi"]}, restartPolicy="Never")
    bench.run(10)
    assert states[-2:] == [("Running", "running"), ("Succeeded", "terminated")]
    ended = bench.container("quick")["state"]["terminated"]
    assert ended["startedAt"] == ended["finishedAt"]


def test_an_image_that_says_hello_and_goes_is_seen_running_too(bench):
    phases = bench.seen("hello", lambda event: event.object["status"]["phase"])
    bench.pod("hello", {"image": "hello-world"}, restartPolicy="Never")
    bench.run(10)
    assert phases[-2:] == ["Running", "Succeeded"]
