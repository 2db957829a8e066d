"""Jobs: pods until enough have succeeded, counted once each, with all their limits and policies."""

from __future__ import annotations

import pytest
from job_world import FINALIZER, JobWorld, pod_template

from server.cluster.errors import ApiError
from server.cluster.objects import key, replaced

INDEX = "batch.kubernetes.io/job-completion-index"
SUCCESS = ("True", "CompletionsReached", "Reached expected number of succeeded pods")


@pytest.fixture
def world() -> JobWorld:
    return JobWorld()


def index(pod: dict) -> str:
    return pod["metadata"]["annotations"][INDEX]


def test_a_job_makes_its_pods_counts_them_and_completes(world):
    world.job(completions=3, parallelism=2, backoffLimit=2)
    world.run(0.1)
    assert world.status()["active"] == 2 and world.status()["startTime"] and world.held()
    world.run(30)
    status = world.status()
    assert status["succeeded"] == 3 and status["completionTime"] > status["startTime"]
    assert world.conditions() == {"SuccessCriteriaMet": SUCCESS, "Complete": SUCCESS}
    assert {field: status.get(field) for field in ("active", "ready", "terminating", "failed", "uncountedTerminatedPods")} == {
        "active": None, "ready": 0, "terminating": 0, "failed": None, "uncountedTerminatedPods": {}}
    assert world.held() == [] and len(world.pods("Succeeded")) == 3
    assert world.reasons() == ["SuccessfulCreate"] * 3 + ["Completed"]
    assert world.events()[-1] == ("Normal", "Completed", "Job completed", 1)


def test_pods_carry_the_jobs_labels_old_and_new_and_the_finalizer(world):
    job = world.job()
    world.run(0.1)
    pod, = world.pods()
    assert pod["metadata"]["labels"] == {
        "batch.kubernetes.io/controller-uid": job["metadata"]["uid"], "batch.kubernetes.io/job-name": "work",
        "controller-uid": job["metadata"]["uid"], "job-name": "work"} == job["metadata"]["labels"]
    assert job["spec"]["selector"] == {"matchLabels": {"batch.kubernetes.io/controller-uid": job["metadata"]["uid"]}}
    assert pod["metadata"]["finalizers"] == [FINALIZER] and pod["metadata"]["name"].startswith("work-")


def test_ends_are_written_down_before_the_finalizer_comes_off_and_counted_after(world):
    seen = []
    world.api.watch("jobs.batch", lambda event: seen.append(event.object.get("status") or {}))
    world.job()
    world.run(20)
    noted = next(status for status in seen if (status.get("uncountedTerminatedPods") or {}).get("succeeded"))
    assert noted.get("succeeded") is None and "SuccessCriteriaMet" in [entry["type"] for entry in noted["conditions"]]
    after = seen[seen.index(noted) + 1]
    assert after["succeeded"] == 1 and after["uncountedTerminatedPods"] == {}


def test_a_crash_between_noting_and_counting_loses_and_doubles_nothing(world):
    """The status names the pods, one has lost its finalizer already: each counts once."""
    world.ends = lambda pod: None
    world.job(completions=3, parallelism=3)
    world.run(5)
    first, second, _ = pods = world.pods("Running")
    for controller in world.controllers:
        controller.stop()
    for pod in pods[:2]:
        world.end(pod["metadata"]["name"], 0)
    job = world.get()
    world.kubectl.update("jobs.batch", {**job, "status": {**job["status"], "uncountedTerminatedPods": {
        "succeeded": [first["metadata"]["uid"], second["metadata"]["uid"]]}}}, "status")
    pod = world.api.lister("pods").get(*key(first))
    world.kubectl.update("pods", replaced(pod, {("metadata", "finalizers"): None}))
    for controller in world.controllers:
        controller.start()
    world.run(3)
    assert world.status()["succeeded"] == 2 and world.status()["uncountedTerminatedPods"] == {}
    world.ends = lambda pod: 0
    world = world.restart()
    world.run(60)
    assert world.status()["succeeded"] == 3 and "Complete" in world.conditions() and len(world.pods()) == 3


def test_a_finalizer_that_no_job_will_take_off_comes_off(world):
    world.job()
    world.run(20)
    name = world.pods()[0]["metadata"]["name"]
    world.kubectl.patch("pods", "default", name, {"metadata": {"finalizers": [FINALIZER]}})
    world.run(1)
    assert world.held() == [] and world.status()["succeeded"] == 1
    world.ends = lambda pod: None
    world.job("left")
    world.run(3)
    for controller in world.controllers:
        controller.stop()
    world.kubectl.delete("jobs.batch", "default", "left", propagation="Background")
    for controller in world.controllers:
        controller.start()
    world.run(10)
    assert world.held() == [] and [pod["metadata"]["name"] for pod in world.pods()] == [name]


def test_failures_are_tried_again_after_ten_seconds_then_twenty_and_end_at_the_limit(world):
    world.ends = lambda pod: 1
    made = []
    world.api.watch("pods", lambda event: made.append(world.clock.now) if event.type == "ADDED" else None)
    world.job(backoffLimit=3)
    world.run(120)
    waits = [round(later - earlier) for earlier, later in zip(made, made[1:], strict=False)]
    assert waits == [12, 22, 42] and world.status()["failed"] == 4
    told = ("True", "BackoffLimitExceeded", "Job has reached the specified backoff limit")
    assert world.conditions() == {"FailureTarget": told, "Failed": told}
    assert world.events()[-1] == ("Warning", "BackoffLimitExceeded", "Job has reached the specified backoff limit", 1)
    assert world.held() == [] and "completionTime" not in world.status()


def test_the_back_off_outlives_a_restart_of_the_controller(world):
    world.ends = lambda pod: 1
    world.job(backoffLimit=5)
    world.run(16)
    assert len(world.pods()) == 2
    restored = world.restart()
    restored.run(5)
    assert len(restored.pods()) == 2, "the third try waits twenty seconds"
    restored.run(20)
    assert len(restored.pods()) == 3


def test_a_success_ends_the_back_off(world):
    codes = iter((1, 1, 0, 1, 0, 0))
    world.ends = lambda pod: next(codes)
    made = []
    world.api.watch("pods", lambda event: made.append(world.clock.now) if event.type == "ADDED" else None)
    world.job(completions=3, parallelism=1)
    world.run(200)
    assert [round(later - earlier) for earlier, later in zip(made, made[1:], strict=False)] == [12, 22, 4, 12, 4]
    assert world.status()["failed"] == 3 and "Complete" in world.conditions()


def test_restarts_of_containers_count_where_pods_restart_them(world):
    world.ends = lambda pod: None
    world.job(template=pod_template(restartPolicy="OnFailure"), backoffLimit=2)
    world.run(5)
    name = world.pods()[0]["metadata"]["name"]
    for restarts in (1, 2):
        assert "FailureTarget" not in world.conditions()
        world.set_status(name, containerStatuses=[{"name": "c", "image": "busybox", "imageID": "", "ready": False, "restartCount": restarts,
                                                   "state": {}}])
        world.run(5)
    assert world.conditions()["Failed"][1] == "BackoffLimitExceeded" and world.status()["failed"] == 1 and world.held() == []


def test_failed_comes_only_when_the_last_pod_has_gone(world):
    world.ends = lambda pod: None
    world.stop_delay = 20
    world.job(parallelism=2, completions=2, backoffLimit=0)
    world.run(5)
    world.end(world.pods("Running")[0]["metadata"]["name"], 1)
    world.run(5)
    assert "FailureTarget" in world.conditions() and "Failed" not in world.conditions() and world.status()["terminating"] == 1
    world.run(30)
    assert "Failed" in world.conditions() and world.status()["terminating"] == 0 and world.status()["failed"] == 2


def test_the_deadline_ends_a_job_that_runs_too_long(world):
    world.ends = lambda pod: None
    world.job(activeDeadlineSeconds=15)
    world.run(14)
    assert len(world.active()) == 1
    world.run(6)
    assert world.conditions()["Failed"] == ("True", "DeadlineExceeded", "Job was active longer than specified deadline")
    assert world.active() == [] and world.events()[-1][1] == "DeadlineExceeded"


def test_without_completions_the_first_success_lets_the_rest_run_out(world):
    world.ends = lambda pod: None
    world.job(parallelism=3)
    assert "completions" not in world.get()["spec"]
    world.run(5)
    pods = world.pods("Running")
    assert len(pods) == 3
    world.end(pods[0]["metadata"]["name"], 0)
    world.run(5)
    assert len(world.active()) == 2 and "Complete" not in world.conditions(), "no new one, and none is stopped"
    for pod in pods[1:]:
        world.end(pod["metadata"]["name"], 0)
    world.run(5)
    assert world.conditions()["Complete"] == SUCCESS and world.status()["succeeded"] == 3


def test_parallelism_can_be_changed_and_never_runs_more_than_are_needed(world):
    world.ends = lambda pod: None
    world.job(completions=4, parallelism=1)
    world.run(3)
    world.patch(parallelism=10)
    world.run(3)
    assert len(world.active()) == 4
    world.patch(parallelism=2)
    world.run(3)
    assert len(world.active()) == 2 and world.status().get("failed") is None, "surplus pods are not failures"
    world.patch(parallelism=0)
    world.run(5)
    assert world.active() == [] and world.status().get("active") is None


def test_a_suspended_job_starts_nothing_and_a_resumed_one_begins_its_time_anew(world):
    world.ends = lambda pod: None
    world.job(suspend=True, activeDeadlineSeconds=30)
    world.run(50)
    assert world.pods() == [] and "startTime" not in world.status()
    assert world.conditions() == {"Suspended": ("True", "JobSuspended", "Job suspended")}
    world.patch(suspend=False)
    world.run(3)
    started = world.status()["startTime"]
    assert len(world.active()) == 1 and world.conditions()["Suspended"] == ("False", "JobResumed", "Job resumed")
    world.run(20)
    world.patch(suspend=True)
    world.run(5)
    assert world.pods() == [] and "startTime" not in world.status() and world.status().get("failed") is None
    world.patch(suspend=False)
    world.run(20)
    assert world.status()["startTime"] > started and "Failed" not in world.conditions()
    assert [reason for reason in world.reasons() if "Succ" not in reason] == ["Suspended", "Resumed"]
    world.run(20)
    assert world.conditions()["Failed"][1] == "DeadlineExceeded"


def test_where_a_suspended_jobs_pods_go_and_what_they_ask_for_may_still_change(world):
    world.job(suspend=True)
    world.run(2)
    world.patch(template={"spec": {"nodeSelector": {"disk": "ssd"}, "containers": [
        {"name": "c", "image": "busybox", "resources": {"requests": {"cpu": "1"}}}]}})
    with pytest.raises(ApiError, match="field is immutable"):
        world.patch(template={"spec": {"containers": [{"name": "c", "image": "nginx"}]}})
    world.patch(suspend=False)
    world.run(2)
    assert world.pods()[0]["spec"]["nodeSelector"] == {"disk": "ssd"}
    with pytest.raises(ApiError, match="field is immutable"):
        world.patch(template={"spec": {"nodeSelector": {"disk": "hdd"}}})


def test_replacement_policy_failed_waits_until_a_pod_has_gone(world):
    world.ends = lambda pod: None
    world.stop_delay = 20
    world.job(podReplacementPolicy="Failed")
    world.run(5)
    world.kubectl.delete("pods", "default", world.pods()[0]["metadata"]["name"])
    world.run(10)
    assert len(world.pods()) == 1 and world.status()["terminating"] == 1
    world.run(30)
    assert len(world.active()) == 1 and world.status()["failed"] == 1


def test_by_default_a_deleted_pod_is_replaced_while_it_goes(world):
    world.ends = lambda pod: None
    world.stop_delay = 60
    world.job()
    world.run(5)
    world.kubectl.delete("pods", "default", world.pods()[0]["metadata"]["name"])
    world.run(20)
    assert len(world.active()) == 1 and len(world.pods()) == 2 and world.status()["failed"] == 1


def test_a_pod_that_is_gone_before_anyone_looked_is_still_counted(world):
    """Its finalizer keeps it until it is."""
    world.ends = lambda pod: None
    world.job(backoffLimit=6)
    world.run(5)
    pod = world.pods()[0]
    world.end(pod["metadata"]["name"], 0)
    world.kubectl.delete("pods", *key(pod), grace_period=0)
    assert world.api.lister("pods").get(*key(pod)) is not None
    world.run(3)
    assert world.status()["succeeded"] == 1 and "Complete" in world.conditions() and world.pods() == []


def test_an_orphan_that_is_selected_is_adopted_and_one_that_is_not_any_more_is_let_go(world):
    world.ends = lambda pod: None
    labels = {"app": "mine"}
    world.kubectl.create("pods", {"metadata": {"name": "found", "namespace": "default", "labels": labels},
                                  "spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "busybox"}]}})
    world.job(manualSelector=True, selector={"matchLabels": labels}, template={"metadata": {"labels": labels}, **pod_template()})
    world.run(5)
    assert [pod["metadata"]["name"] for pod in world.pods()] == ["found"] and world.held() == ["found"]
    world.kubectl.patch("pods", "default", "found", {"metadata": {"labels": {"app": "other"}}})
    world.run(5)
    found = world.api.lister("pods").get("default", "found")
    assert not found["metadata"].get("ownerReferences") and not found["metadata"].get("finalizers") and len(world.active()) == 2


def test_a_job_that_another_controller_manages_is_left_alone(world):
    world.job(managedBy="example.com/queue")
    world.run(30)
    assert world.pods() == [] and world.status() == {}


def test_a_refusal_is_reported_and_tried_again_a_second_later(world):
    account = world.kubectl.get("serviceaccounts", "default", "default")
    world.job(template=pod_template(serviceAccountName="robot"), parallelism=5, completions=5)
    world.run(0.5)
    assert [(type_, reason) for type_, reason, *_ in world.events()] == [("Warning", "FailedCreate")]
    assert "service account default/robot" in world.events()[0][2] and world.pods() == []
    world.kubectl.create("serviceaccounts", {"metadata": {"name": "robot", "namespace": account["metadata"]["namespace"]}})
    world.run(2)
    assert len(world.pods()) == 5


def test_a_finished_job_is_deleted_when_its_time_is_up_and_not_before(world):
    world.job(ttlSecondsAfterFinished=60)
    world.run(10)
    assert "Complete" in world.conditions()
    world.run(50)
    assert world.jobs() == ["work"] and world.clock.next_due() is not None
    world.run(15)
    assert world.jobs() == [] and world.pods() == []


def test_a_ttl_given_later_counts_from_the_end(world):
    world.job()
    world.run(100)
    world.patch(ttlSecondsAfterFinished=20)
    world.run(2)
    assert world.jobs() == []


def test_deleting_a_job_orphans_its_pods_unless_the_client_says_otherwise(world):
    world.ends = lambda pod: None
    for name, policy in (("kept", None), ("gone", "Background"), ("waited", "Foreground")):
        world.job(name)
        world.run(3)
        world.kubectl.delete("jobs.batch", "default", name, propagation=policy)
    world.run(10)
    assert world.jobs() == [] and [pod["metadata"]["name"][:4] for pod in world.pods()] == ["kept"] and world.held() == []


def test_a_thousand_completions_cost_what_changes_not_what_there_is():
    """The pods that a reconcile looks at are those that run, not those that are done."""
    world = JobWorld()
    looked = []
    job = next(controller for controller in world.controllers if controller.name == "job-controller")
    of = job._pods.of
    job._pods.of = lambda owner: looked.append(len(found := of(owner))) or found
    world.job(completions=300, parallelism=20)
    world.run(300)
    assert world.status()["succeeded"] == 300 and max(looked) <= 60
    assert world.clock.next_due() is None or world.clock.next_due() > world.clock.now


# indexed Jobs

def test_an_indexed_jobs_pods_know_their_index(world):
    world.ends = lambda pod: None
    world.job(completions=3, parallelism=3, completionMode="Indexed")
    world.run(2)
    pods = world.pods()
    assert [index(pod) for pod in pods] == ["0", "1", "2"] == [pod["metadata"]["labels"][INDEX] for pod in pods]
    assert [pod["spec"]["hostname"] for pod in pods] == ["work-0", "work-1", "work-2"]
    assert all(pod["metadata"]["name"].startswith(f"work-{number}-") for number, pod in enumerate(pods))
    assert pods[1]["spec"]["containers"][0]["env"] == [{"name": "JOB_COMPLETION_INDEX", "valueFrom": {"fieldRef": {
        "apiVersion": "v1", "fieldPath": f"metadata.labels['{INDEX}']"}}}]


def test_completed_indexes_are_written_as_ranges_and_a_failed_one_is_tried_again(world):
    tried = []
    world.ends = lambda pod: 1 if index(pod) == "3" and tried.append(1) is None and len(tried) == 1 else 0
    seen = []
    world.api.watch("jobs.batch", lambda event: seen.append((event.object.get("status") or {}).get("completedIndexes")))
    world.job(completions=8, parallelism=8, completionMode="Indexed")
    world.run(60)
    assert "0-2,4-7" in seen and world.status()["completedIndexes"] == "0-7" and world.status()["succeeded"] == 8
    assert world.status()["failed"] == 1 and "Complete" in world.conditions()


def test_each_index_has_its_own_tries(world):
    world.ends = lambda pod: 1 if index(pod) in ("1", "4") else 0
    world.job(completions=6, parallelism=3, completionMode="Indexed", backoffLimitPerIndex=1)
    assert world.get()["spec"]["backoffLimit"] == 2147483647
    world.run(60)
    status = world.status()
    assert (status["completedIndexes"], status["failedIndexes"], status["succeeded"], status["failed"]) == ("0,2,3,5", "1,4", 4, 4)
    assert world.conditions()["Failed"] == ("True", "FailedIndexes", "Job has failed indexes") and world.held() == []
    counts = sorted(pod["metadata"]["annotations"]["batch.kubernetes.io/job-index-failure-count"] for pod in world.pods("Failed"))
    assert counts == ["0", "0", "1", "1"]


def test_an_index_waits_for_its_own_failures_while_others_go_on(world):
    world.ends = lambda pod: 1 if index(pod) == "0" else 0
    world.job(completions=4, parallelism=2, completionMode="Indexed", backoffLimitPerIndex=5)
    world.run(11)
    assert world.status()["completedIndexes"] == "1-3" and len(world.pods("Failed")) == 1
    world.run(6)
    assert len(world.pods("Failed")) == 2


def test_too_many_failed_indexes_end_the_job_at_once(world):
    world.ends = lambda pod: 1
    world.job(completions=10, parallelism=3, completionMode="Indexed", backoffLimitPerIndex=0, maxFailedIndexes=2)
    world.run(60)
    assert world.conditions()["Failed"] == ("True", "MaxFailedIndexesExceeded", "Job has exceeded the specified maximal number of failed indexes")
    assert world.status()["failedIndexes"] == "0-2" and len(world.pods()) <= 4


def test_an_indexed_job_can_change_its_size(world):
    world.ends = lambda pod: 0 if int(index(pod)) < 2 else None
    world.job(completions=5, parallelism=5, completionMode="Indexed")
    world.run(10)
    assert world.status()["completedIndexes"] == "0,1"
    world.patch(completions=7, parallelism=7)
    world.run(5)
    assert sorted(index(pod) for pod in world.active()) == ["2", "3", "4", "5", "6"]
    world.patch(completions=2, parallelism=2)
    world.run(5)
    assert world.active() == [] and "Complete" in world.conditions() and world.status()["succeeded"] == 2


# policies

def failure_rule(action: str, **match) -> dict:
    return {"rules": [{"action": action, **match}]}


CODE_42 = {"onExitCodes": {"operator": "In", "values": [42]}}


def test_fail_job_ends_it_at_the_first_such_code(world):
    world.ends = lambda pod: 42
    world.job(backoffLimit=6, podFailurePolicy=failure_rule("FailJob", **CODE_42))
    world.run(20)
    name = world.pods()[0]["metadata"]["name"]
    assert world.conditions()["Failed"] == ("True", "PodFailurePolicy", f"Container c for pod default/{name} failed with exit code 42 matching "
                                                                        "FailJob rule at index 0")
    assert len(world.pods()) == 1 and world.status()["failed"] == 1


def test_ignore_does_not_count_a_disruption(world):
    world.ends = lambda pod: None
    world.job(backoffLimit=0, podFailurePolicy=failure_rule("Ignore", onPodConditions=[{"type": "DisruptionTarget"}]))
    assert world.get()["spec"]["podFailurePolicy"]["rules"][0]["onPodConditions"][0]["status"] == "True"
    assert world.get()["spec"]["podReplacementPolicy"] == "Failed"
    world.run(5)
    world.set_status(world.pods()[0]["metadata"]["name"], phase="Failed", conditions=[
        {"type": "DisruptionTarget", "status": "True", "lastTransitionTime": world.clock.timestamp()}])
    world.run(20)
    assert world.status().get("failed") is None and len(world.active()) == 1 and world.conditions() == {}


@pytest.mark.parametrize(("operator", "code", "limit_reached"), [("NotIn", 42, True), ("NotIn", 7, False), ("In", 42, False)])
def test_exit_codes_are_matched_by_operator(world, operator, code, limit_reached):
    world.ends = lambda pod: code
    world.job(backoffLimit=0, podFailurePolicy=failure_rule("Ignore", onExitCodes={"operator": operator, "values": [42]}))
    world.run(8)
    assert ("Failed" in world.conditions()) == limit_reached


def test_fail_index_spares_the_others(world):
    world.ends = lambda pod: 42 if index(pod) == "1" else 0
    world.job(completions=3, parallelism=3, completionMode="Indexed", backoffLimitPerIndex=5, podFailurePolicy=failure_rule("FailIndex", **CODE_42))
    world.run(30)
    assert world.status()["failedIndexes"] == "1" and world.status()["completedIndexes"] == "0,2" and world.status()["failed"] == 1


@pytest.mark.parametrize("rule", [{"succeededIndexes": "0,2"}, {"succeededCount": 2}, {"succeededIndexes": "0-3", "succeededCount": 2}])
def test_a_success_policy_ends_a_job_before_all_indexes_are_done(world, rule):
    world.ends = lambda pod: 0 if index(pod) in ("0", "2") else None
    world.job(completions=5, parallelism=5, completionMode="Indexed", successPolicy={"rules": [{"succeededCount": 5}, rule]})
    world.run(20)
    assert world.conditions()["Complete"] == ("True", "SuccessPolicy", "Matched rules at index 1")
    assert world.status()["completedIndexes"] == "0,2" and world.active() == [] and world.status().get("failed") is None
