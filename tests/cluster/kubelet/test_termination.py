"""How pods end."""

SERVER = {"image": "nginx", "ports": [{"containerPort": 80}]}


def deleted(bench, name, **options):
    bench.kubectl.delete("pods", "default", name, **options)


def test_a_deleted_server_passes_through_completed_and_is_gone_within_two_seconds(bench):
    bench.pod("web", SERVER)
    bench.run(10)
    seen = bench.seen("web", lambda event: (event.type, event.object["status"]["phase"], bench_reason(event.object)))
    deleted(bench, "web")
    bench.run(2)
    assert seen == [("MODIFIED", "Running", "running"), ("MODIFIED", "Succeeded", "Completed"), ("DELETED", "Succeeded", "Completed")]
    assert bench.get("web") is None
    assert ("Killing", "Stopping container c") in bench.events("web")


def bench_reason(pod):
    state = pod["status"]["containerStatuses"][0]["state"]
    kind = next(iter(state))
    return state[kind].get("reason", kind)


def test_a_program_that_does_not_hear_sigterm_is_killed_when_the_grace_period_ends(bench):
    bench.pod("loop", {"command": ["sh", "-c", "while true; do date; sleep 5; done"]})
    bench.run(10)
    seen = bench.seen("loop", lambda event: event.object["status"]["containerStatuses"][0]["state"].get("terminated", {}).get("exitCode"))
    deleted(bench, "loop")
    bench.run(29)
    assert bench.get("loop") is not None and "running" in bench.container("loop")["state"]
    bench.run(3)
    assert bench.get("loop") is None and seen[-1] == 137


def test_the_grace_period_can_be_shortened_by_a_second_delete(bench):
    bench.pod("loop", {"command": ["sleep", "3600"]})
    bench.run(10)
    deleted(bench, "loop")
    bench.run(5)
    deleted(bench, "loop", grace_period=2)
    bench.run(3)
    assert bench.get("loop") is None


def test_a_forced_delete_is_immediate_and_frees_the_address(bench):
    bench.pod("web", SERVER)
    bench.run(10)
    ip = bench.status("web")["podIP"]
    deleted(bench, "web", grace_period=0)
    assert bench.get("web") is None
    bench.run(1)
    assert bench.cluster.network.addresses.node_of(ip) is None
    assert bench.cluster.kubelets.nodes["w1-k8s"].used == (0, 0, 0)


def test_a_trap_lets_a_script_end_by_itself(bench):
    bench.pod("polite", {"command": ["sh", "-c", "trap 'echo bye; exit 0' TERM; while true; do sleep 1; done"]})
    bench.run(10)
    deleted(bench, "polite")
    bench.run(4)
    assert bench.get("polite") is None


def test_a_pre_stop_sleep_delays_the_end(bench):
    bench.pod("web", {**SERVER, "lifecycle": {"preStop": {"exec": {"command": ["sleep", "8"]}}}})
    bench.run(10)
    deleted(bench, "web")
    bench.run(7)
    assert bench.get("web") is not None
    bench.run(4)
    assert bench.get("web") is None


def test_a_pod_whose_image_never_came_can_be_deleted(bench):
    bench.pod("bad", {"image": "nginx:1.200"})
    bench.run(20)
    seen = bench.seen("bad", lambda event: (event.object["status"]["phase"], bench_reason(event.object)))
    deleted(bench, "bad")
    bench.run(2)
    assert bench.get("bad") is None and seen[-1] == ("Failed", "ContainerStatusUnknown")


def test_a_pod_that_waits_for_a_volume_can_be_deleted(bench):
    bench.pod("nomount", SERVER, volumes=[{"name": "v", "secret": {"secretName": "late"}}])
    bench.run(5)
    deleted(bench, "nomount")
    bench.run(2)
    assert bench.get("nomount") is None


def test_an_active_deadline_fails_the_pod(bench):
    bench.pod("late", SERVER, activeDeadlineSeconds=10)
    bench.run(15)
    status = bench.status("late")
    assert (status["phase"], status["reason"]) == ("Failed", "DeadlineExceeded")
    assert status["message"] == "Pod was active on the node longer than the specified deadline"


def test_sidecars_are_stopped_after_the_other_containers(bench):
    bench.pod("both", SERVER, initContainers=[{"name": "side", "image": "redis", "restartPolicy": "Always"}])
    bench.run(15)
    seen = bench.seen("both", lambda event: tuple(next(iter(event.object["status"][field][0]["state"]))
                                                  for field in ("containerStatuses", "initContainerStatuses")))
    deleted(bench, "both")
    bench.run(5)
    assert seen == [("running", "running"), ("terminated", "running"), ("terminated", "terminated")]


def test_a_failing_post_start_hook_kills_the_container(bench):
    bench.pod("web", {**SERVER, "lifecycle": {"postStart": {"exec": {"command": ["cat", "/nosuch"]}}}})
    bench.run(10)
    assert any(reason == "FailedPostStartHook" for reason, _ in bench.events("web"))
    assert bench.container("web")["restartCount"] >= 1


def test_a_script_that_ends_badly_while_it_is_deleted_leaves_a_failed_pod(bench):
    bench.pod("short", {"command": ["sh", "-c", "sleep 12; exit 4"]})
    bench.run(10)
    seen = bench.seen("short", lambda event: event.object["status"]["phase"])
    deleted(bench, "short")
    bench.run(10)
    assert bench.get("short") is None and seen[-1] == "Failed"


def test_an_http_hook_that_nobody_answers_fails(bench):
    bench.pod("web", {**SERVER, "lifecycle": {"preStop": {"httpGet": {"path": "/bye", "port": 8080}}}})
    bench.run(10)
    deleted(bench, "web")
    bench.run(3)
    assert any((reason, message) == ("FailedPreStopHook", "PreStopHook failed") for reason, message in bench.events("web"))


def test_a_shell_that_became_a_server_hears_sigterm_and_one_that_waits_for_it_does_not(bench):
    bench.pod("exec", {"image": "nginx", "command": ["sh", "-c", "echo start; exec nginx -g 'daemon off;'"]})
    bench.pod("child", {"image": "nginx", "command": ["sh", "-c", "echo start; nginx -g 'daemon off;'"]})
    bench.run(10)
    assert bench.cluster.kubelets.runtime.listening(bench.get("child"), 80)
    for name in ("exec", "child"):
        deleted(bench, name)
    bench.run(5)
    assert bench.get("exec") is None and bench.get("child") is not None
