"""CronJobs: a Job each time the schedule says so, in its time zone, with what was missed made up for once."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from job_world import JobWorld

from server.cluster.clock import Clock
from server.cluster.controllers.cronjob_schedule import InvalidSchedule, missed, seconds_to_next
from server.cluster.cron import location, parse
from server.cluster.objects import controller_of

MINUTE = 60
START = 1767225600 // 60


@pytest.fixture
def world() -> JobWorld:
    return JobWorld()


def started(world: JobWorld, name: str = "tick") -> list[str]:
    """The Jobs that were ever made, by their minute."""
    return [message.rpartition("-")[2] for _, reason, message, _ in world.events(name) if reason == "SuccessfulCreate"]


def test_a_job_is_made_each_minute_and_named_after_it(world):
    world.cron_job()
    world.run(130)
    assert started(world) == [str(START + 1), str(START + 2)]
    job = world.get(f"tick-{START + 1}")
    assert controller_of(job)["name"] == "tick"
    assert job["metadata"]["annotations"] == {"batch.kubernetes.io/cronjob-scheduled-timestamp": "2026-01-01T00:01:00Z"}
    assert world.cron()["status"]["lastScheduleTime"] == "2026-01-01T00:02:00Z"
    assert world.cron()["status"]["lastSuccessfulTime"] > "2026-01-01T00:02:00Z"
    assert world.reasons("tick")[:2] == ["SuccessfulCreate", "SawCompletedJob"]
    assert world.events("tick")[1][2] == f"Saw completed job: tick-{START + 1}, condition: Complete"


def test_active_lists_what_runs_and_nothing_else(world):
    world.run_for = 90
    world.cron_job()
    world.run(2 * MINUTE + 5)
    active = world.cron()["status"]["active"]
    assert [entry["name"] for entry in active] == [f"tick-{START + 1}", f"tick-{START + 2}"]
    assert active[0] == {"kind": "Job", "apiVersion": "batch/v1", "namespace": "default", "name": f"tick-{START + 1}",
                         "uid": world.get(f"tick-{START + 1}")["metadata"]["uid"], "resourceVersion": active[0]["resourceVersion"]}
    world.kubectl.delete("jobs.batch", "default", f"tick-{START + 1}", propagation="Background")
    world.run(1)
    assert [entry["name"] for entry in world.cron()["status"]["active"]] == [f"tick-{START + 2}"]
    assert ("Normal", "MissingJob", f"Active job went missing: tick-{START + 1}", 1) in world.events("tick")


def test_labels_and_annotations_of_the_job_template_are_passed_on(world):
    world.kubectl.create("cronjobs.batch", {"metadata": {"name": "tick", "namespace": "default"}, "spec": {
        "schedule": "* * * * *", "timeZone": "Asia/Seoul", "jobTemplate": {"metadata": {"labels": {"a": "b"}, "annotations": {"c": "d"}}, "spec": {
            "template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "busybox"}]}}}}}})
    world.run(70)
    meta = world.get(f"tick-{START + 1}")["metadata"]
    assert meta["labels"] == {"a": "b"}
    assert meta["annotations"] == {"c": "d", "batch.kubernetes.io/cronjob-scheduled-timestamp": "2026-01-01T09:01:00+09:00"}


def test_three_successful_and_one_failed_job_are_kept(world):
    world.cron_job()
    world.run(6 * MINUTE + 20)
    assert world.jobs() == [f"tick-{START + number}" for number in (4, 5, 6)]
    assert ("Normal", "SuccessfulDelete", f"Deleted job tick-{START + 1}", 1) in world.events("tick")
    world.ends = lambda pod: 1
    world.patch("tick", "cronjobs.batch", jobTemplate={"spec": {"backoffLimit": 0}})
    world.run(5 * MINUTE)
    failed = [name for name in world.jobs() if "Failed" in world.conditions(name)]
    assert len(failed) == 1 and len(world.jobs()) == 4
    assert any("condition: Failed" in message for _, _, message, _ in world.events("tick"))


def test_the_history_limits_can_be_changed_and_be_nil(world):
    world.cron_job(successfulJobsHistoryLimit=0)
    world.run(3 * MINUTE + 20)
    assert world.jobs() == [] and len(started(world)) == 3


def test_suspend_keeps_new_ones_from_starting(world):
    world.cron_job()
    world.run(70)
    world.patch("tick", "cronjobs.batch", suspend=True)
    world.run(5 * MINUTE)
    assert len(started(world)) == 1
    world.patch("tick", "cronjobs.batch", suspend=False)
    world.run(1)
    assert started(world)[1:] == [str(START + 6)], "what was missed is made up for once"


def test_forbid_waits_for_the_one_before(world):
    world.run_for = 150
    world.cron_job(concurrencyPolicy="Forbid")
    world.run(2 * MINUTE + 30)
    assert len(started(world)) == 1
    assert ("Normal", "JobAlreadyActive", "Not starting job because prior execution is running and concurrency policy is Forbid") in [
        event[:3] for event in world.events("tick")]
    world.run(90)
    assert len(started(world)) == 2


def test_replace_stops_the_one_before(world):
    world.run_for = 1000
    world.cron_job(concurrencyPolicy="Replace")
    world.run(2 * MINUTE + 30)
    assert world.jobs() == [f"tick-{START + 2}"] and len(world.active()) == 1
    assert [entry["name"] for entry in world.cron()["status"]["active"]] == [f"tick-{START + 2}"]


def test_a_controller_that_was_away_starts_only_the_last_missed_one(world):
    world.cron_job()
    world.run(70)
    for controller in world.controllers:
        controller.stop()
    world.run(10 * MINUTE)
    for controller in world.controllers:
        controller.start()
    world.run(1)
    assert started(world) == [str(START + 1), str(START + 11)] and "TooManyMissedTimes" not in world.reasons("tick")


def test_more_than_a_hundred_missed_times_are_complained_of(world):
    world.cron_job()
    world.run(1)
    for controller in world.controllers:
        controller.stop()
    world.run(200 * MINUTE)
    for controller in world.controllers:
        controller.start()
    world.run(1)
    assert ("Warning", "TooManyMissedTimes",
            "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew", 1) in world.events("tick")
    assert started(world) == [str(START + 200)]


def test_what_is_later_than_its_deadline_is_not_started(world):
    world.cron_job(schedule="0 * * * *", startingDeadlineSeconds=100)
    world.run(1)
    for controller in world.controllers:
        controller.stop()
    world.run(65 * MINUTE)
    for controller in world.controllers:
        controller.start()
    world.run(5)
    assert started(world) == []
    world.run(56 * MINUTE)
    assert started(world) == [str(START + 120)]


def test_a_time_zone_moves_the_hour(world):
    world.cron_job(schedule="0 9 * * *", timeZone="Asia/Seoul")
    world.run(23 * 3600)
    assert started(world) == [], "09:00 in Seoul is midnight UTC, which is a day away"
    world.run(3600 + 10)
    assert started(world) == [str(START + 24 * 60)]


def test_between_two_moments_nothing_happens():
    world = JobWorld()
    world.cron_job(schedule="@yearly")
    world.run(10)
    due, revision = world.clock.next_due(), world.store.revision
    assert due is not None and due > 360 * 86400
    world.run(30 * 86400)
    assert world.store.revision == revision


def test_a_schedule_that_never_comes_is_reported_once_and_waits_for_nobody(world):
    world.cron_job(schedule="0 0 30 2 *")
    world.run(3000)
    assert world.events("tick") == [("Warning", "InvalidSchedule", "invalid schedule: 0 0 30 2 * : time difference between two schedules is "
                                     "less than 1 second", 1)]


def test_a_new_schedule_counts_from_now_on(world):
    world.cron_job(schedule="@yearly")
    world.run(30)
    world.patch("tick", "cronjobs.batch", schedule="*/1 * * * *")
    world.run(MINUTE)
    assert started(world) == [str(START + 1)]


def test_a_job_made_by_hand_is_not_the_schedules(world):
    cron_job = world.cron_job(schedule="@yearly")
    world.kubectl.create("jobs.batch", {"metadata": {"name": "manual", "namespace": "default", "ownerReferences": [
        {"apiVersion": "batch/v1", "kind": "CronJob", "name": "tick", "uid": cron_job["metadata"]["uid"], "controller": True}]},
        "spec": cron_job["spec"]["jobTemplate"]["spec"]})
    world.run(20)
    reasons = world.events("tick")
    assert {(event[0], event[1], event[2]) for event in reasons} == {
        ("Warning", "UnexpectedJob", "Saw a job that the controller did not create or forgot: manual")}
    assert "active" not in world.cron()["status"] and world.cron()["status"]["lastSuccessfulTime"]


def test_deleting_a_cron_job_takes_its_jobs_and_pods_along(world):
    world.cron_job()
    world.run(130)
    world.kubectl.delete("cronjobs.batch", "default", "tick")
    world.run(200)
    assert world.jobs() == [] and world.pods() == []


def test_a_restored_cluster_goes_on_with_the_schedule(world):
    world.cron_job()
    world.run(100)
    restored = world.restart()
    restored.run(60)
    assert started(restored) == [str(START + 1), str(START + 2)]


# the arithmetic

def cron_job(last: str, **spec) -> dict:
    return {"metadata": {"creationTimestamp": last}, "spec": spec, "status": {"lastScheduleTime": last}}


def test_missed_times_are_reckoned_without_counting_them():
    now = datetime(2026, 6, 1, 12, 0, 30, tzinfo=UTC)
    found = missed(cron_job("2020-01-01T00:00:00Z"), now, parse("* * * * *"), UTC, within_deadline=True)
    assert found.latest == datetime(2026, 6, 1, 12, tzinfo=UTC) and found.count == 3_374_640


def test_an_uneven_schedule_still_finds_its_last_time():
    now = datetime(2026, 11, 24, 7, 0, tzinfo=UTC)
    found = missed(cron_job("2026-11-20T16:00:00Z"), now, parse("30 6-16/4 * * 1-5"), UTC, within_deadline=True)
    assert found.latest == datetime(2026, 11, 24, 6, 30, tzinfo=UTC)


def test_every_counts_from_the_last_run():
    now = datetime(2026, 1, 1, 1, 0, 5, tzinfo=UTC)
    found = missed(cron_job("2026-01-01T00:00:10Z"), now, parse("@every 7m"), UTC, within_deadline=True)
    assert found.latest == datetime(2026, 1, 1, 0, 56, 10, tzinfo=UTC)


def test_what_never_comes_is_an_error_and_has_no_next():
    now = Clock().epoch
    with pytest.raises(InvalidSchedule):
        missed(cron_job("2026-01-01T00:00:00Z"), now, parse("0 0 31 4 *"), UTC, within_deadline=True)
    assert seconds_to_next(cron_job("2026-01-01T00:00:00Z"), now, parse("0 0 31 4 *"), location("Asia/Seoul")) is None
