"""Which containers run again, when, and with what back-off."""

from server.cluster.cluster import Cluster


def shell(script, **more):
    return {"command": ["sh", "-c", script], **more}


def test_back_off_grows_to_five_minutes_and_is_said_in_the_status(bench):
    bench.pod("crash", shell("exit 3"))
    starts, seen = [], set()

    def note(event):
        state = event.object["status"]["containerStatuses"][0]["state"] if event.object["status"].get("containerStatuses") else {}
        ended = state.get("terminated")
        if ended and ended["startedAt"] not in seen:
            seen.add(ended["startedAt"])
            starts.append(bench.cluster.clock.seconds(ended["startedAt"]))

    bench.cluster.api.watch("pods", note)
    bench.run(1800)
    gaps = [after - before for before, after in zip(starts, starts[1:], strict=False)]
    assert gaps[0] <= 2 and all(low <= gap <= low * 1.6 + 3 for gap, low in zip(gaps[1:6], (10, 20, 40, 80, 160), strict=True))
    assert all(300 <= gap <= 400 for gap in gaps[6:])
    waiting = bench.container("crash")["state"]["waiting"]
    assert waiting["reason"] == "CrashLoopBackOff"
    uid = bench.get("crash")["metadata"]["uid"]
    assert waiting["message"] == f"back-off 5m0s restarting failed container=c pod=crash_default({uid})"
    assert ("BackOff", f"Back-off restarting failed container c in pod crash_default({uid})") in bench.events("crash")


def test_ten_minutes_of_running_make_the_back_off_begin_anew(bench):
    bench.pod("crash", shell("if [ -f /data/long ]; then sleep 700; rm /data/long; fi; exit 1", volumeMounts=[{"name": "d", "mountPath": "/data"}]),
              volumes=[{"name": "d", "emptyDir": {}}])
    bench.run(400)
    worker = bench.cluster.kubelets.worker("default", "crash")
    assert worker.cell("c").crash[0] >= 80
    worker.cell("c")
    bench.cluster.kubelets.runtime.container("default", "crash", "c").files.write("/data/long", "")
    bench.until(lambda: bench.reason("crash") == "running", 400)
    bench.until(lambda: bench.reason("crash") != "running", 800)
    bench.run(3)
    assert worker.cell("c").crash[0] == 10


def test_a_container_that_runs_out_of_memory_is_killed_and_backs_off(bench):
    """The second pod of the Kubernetes docs' memory task."""
    bench.pod("memory-demo-2", {"image": "polinux/stress", "resources": {"requests": {"memory": "50Mi"}, "limits": {"memory": "100Mi"}},
                                "command": ["stress"], "args": ["--vm", "1", "--vm-bytes", "250M", "--vm-hang", "1"]})
    bench.until(lambda: bench.status("memory-demo-2").get("containerStatuses") and bench.reason("memory-demo-2") == "OOMKilled", 30)
    ended = bench.container("memory-demo-2")["state"]["terminated"]
    assert (ended["exitCode"], ended["reason"]) == (137, "OOMKilled")
    bench.run(60)
    assert bench.reason("memory-demo-2") in ("OOMKilled", "CrashLoopBackOff") and bench.container("memory-demo-2")["restartCount"] >= 2
    assert bench.container("memory-demo-2")["lastState"]["terminated"]["reason"] == "OOMKilled"


def test_memory_below_the_limit_is_nobodys_business(bench):
    bench.pod("memory-demo", {"image": "polinux/stress", "resources": {"requests": {"memory": "100Mi"}, "limits": {"memory": "200Mi"}},
                              "command": ["stress"], "args": ["--vm", "1", "--vm-bytes", "150M", "--vm-hang", "1"]})
    bench.run(300)
    assert bench.status("memory-demo")["phase"] == "Running" and bench.container("memory-demo")["restartCount"] == 0


def test_a_containers_own_policy_comes_before_the_pods(bench):
    bench.pod("mixed", shell("sleep 5; exit 1", name="again", restartPolicy="Always"), shell("exit 0", name="once"), restartPolicy="Never")
    bench.run(60)
    assert bench.status("mixed")["phase"] == "Running"
    again, once = bench.status("mixed")["containerStatuses"]
    assert again["restartCount"] >= 1 and once["restartCount"] == 0 and once["state"]["terminated"]["reason"] == "Completed"


def test_a_rule_restarts_for_the_exit_codes_it_names(bench):
    rules = [{"action": "Restart", "exitCodes": {"operator": "In", "values": [42]}}]
    bench.pod("again", shell("exit 42", restartPolicy="Never", restartPolicyRules=rules), restartPolicy="Never")
    bench.pod("not", shell("exit 41", restartPolicy="Never", restartPolicyRules=rules), restartPolicy="Never")
    bench.run(30)
    assert bench.container("again")["restartCount"] >= 1 and bench.status("again")["phase"] == "Running"
    assert bench.container("not")["restartCount"] == 0 and bench.status("not")["phase"] == "Failed"


def test_all_containers_restart_when_a_rule_says_so(bench):
    rules = [{"action": "RestartAllContainers", "exitCodes": {"operator": "In", "values": [88]}}]
    bench.pod("job", {"name": "main", "image": "nginx"}, shell("sleep 20; exit 88", name="watcher", restartPolicy="Never", restartPolicyRules=rules),
              initContainers=[{"name": "prepare", "image": "busybox", **shell("true")}])
    bench.run(15)
    found = bench.conditions("job")
    assert found["AllContainersRestarting"] == "False" and found["Ready"] == "True"
    ip = bench.status("job")["podIP"]
    seen = bench.seen("job", lambda event: {entry["type"]: (entry["status"], entry.get("reason"))
                                            for entry in event.object["status"]["conditions"]}["AllContainersRestarting"])
    bench.run(15)
    assert seen[0] == ("True", "RestartAllContainersStarted") and seen[-1] == ("False", None)
    bench.run(5)
    counts = {entry["name"]: entry["restartCount"]
              for field in ("initContainerStatuses", "containerStatuses") for entry in bench.status("job")[field]}
    assert counts == {"main": 1, "watcher": 1, "prepare": 1} and bench.status("job")["podIP"] == ip
    assert bench.conditions("job")["Ready"] == "True"


def test_what_ends_together_with_the_container_that_restarts_all_is_shown_as_ended(bench):
    rules = [{"action": "RestartAllContainers", "exitCodes": {"operator": "In", "values": [88]}}]
    first = {"name": "first", "command": ["sh", "-c", "sleep 5; exit 88"], "restartPolicy": "OnFailure", "restartPolicyRules": rules}
    bench.pod("pod", first, {"name": "second", "command": ["sleep", "1000"]}, restartPolicy="Never")
    bench.until(lambda: bench.status("pod")["phase"] == "Running" and all(
        "running" in entry["state"] for entry in bench.status("pod")["containerStatuses"]))
    containers = [bench.cluster.kubelets.runtime.container("default", "pod", name) for name in ("first", "second")]
    bench.until(lambda: not containers[0].running)
    bench.cluster.kubelets.kill_container("default", "pod", "second")
    bench.until(lambda: "terminated" in bench.container("pod", 0)["state"])
    assert "terminated" in bench.container("pod", 1)["state"]



def test_a_pod_that_is_deleted_while_all_of_it_waits_to_restart_goes(bench):
    rules = [{"action": "RestartAllContainers", "exitCodes": {"operator": "In", "values": [88]}}]
    bench.pod("job", shell("sleep 5; exit 88", name="watcher", restartPolicy="Never", restartPolicyRules=rules), {"name": "main", "image": "nginx"})
    states = bench.seen("job", lambda event: [next(iter(entry["state"])) for entry in event.object["status"].get("containerStatuses") or ()])
    bench.until(lambda: bench.container("job")["state"].get("terminated") if bench.status("job").get("containerStatuses") else False)
    bench.until(lambda: "waiting" in bench.container("job")["state"])
    bench.kubectl.delete("pods", "default", "job", grace_period=1)
    bench.run(20)
    assert bench.get("job") is None and states[-1] == ["terminated", "terminated"]


def test_an_image_that_changes_restarts_only_its_container(bench):
    bench.pod("two", {"name": "a", "image": "nginx:1.27"}, {"name": "b", "image": "redis:7"})
    bench.run(15)
    bench.kubectl.patch("pods", "default", "two", {"spec": {"containers": [{"name": "a", "image": "nginx:1.28"}]}}, "strategic")
    bench.run(15)
    a, b = bench.status("two")["containerStatuses"]
    assert (a["restartCount"], b["restartCount"]) == (1, 0) and a["image"] == "docker.io/library/nginx:1.28"
    assert ("Killing", "Container a definition changed, will be restarted") in bench.events("two")


def test_a_deadline_that_is_shortened_counts_from_the_start(bench):
    bench.pod("late", {"image": "nginx"}, activeDeadlineSeconds=1000)
    bench.run(30)
    bench.kubectl.patch("pods", "default", "late", {"spec": {"activeDeadlineSeconds": 40}}, "merge")
    bench.run(5)
    assert bench.status("late")["phase"] == "Running"
    bench.run(10)
    assert bench.status("late")["reason"] == "DeadlineExceeded"


def test_restarts_are_the_same_after_a_restart_of_the_process(bench):
    bench.pod("crash", shell("sleep 1; exit 3"))
    bench.run(70)
    other = Cluster.restore(bench.cluster.snapshot())
    for cluster in (bench.cluster, other):
        cluster.clock.run_for(400)
    first, second = (cluster.api.lister("pods").get("default", "crash")["status"] for cluster in (bench.cluster, other))
    assert first == second
