"""The batch group at the API's door: defaults, generated selectors, validation in Kubernetes' words, what may change, tables, deletion."""
# ruff: noqa: E501 -- messages are kept whole, so that they can be searched for

from __future__ import annotations

import json
import random

import pytest

from server.cluster import yamltext
from server.cluster.apiserver import tables
from server.cluster.apiserver.request import Options, Request
from server.cluster.apiserver.server import ApiServer
from server.cluster.clock import Clock
from server.cluster.errors import ApiError
from server.cluster.store import Store

POD = "template: {spec: {restartPolicy: Never, containers: [{name: c, image: busybox}]}}"
RESOURCE = {"Job": "jobs.batch", "CronJob": "cronjobs.batch"}


class Api:
    def __init__(self) -> None:
        self.clock = Clock()
        self.server = ApiServer(self.clock, Store(), random.Random(1))
        self.ask("create", "namespaces", body={"metadata": {"name": "default"}})

    def ask(self, verb, resource, name="", body=None, **more):
        return self.server.request(Request(verb, resource, "default", name, raw=json.dumps(body).encode() if body is not None else None,
                                           content_type=more.pop("content_type", "application/json"), client="kubectl", user="kubernetes-admin", **more))

    def create(self, text: str):
        obj = yamltext.load_yaml(text)[0].obj
        return self.ask("create", RESOURCE[obj["kind"]], body=obj)

    def patch(self, resource, name, patch, **more):
        return self.ask("patch", resource, name, patch, content_type="application/merge-patch+json", **more)


@pytest.fixture
def api() -> Api:
    return Api()


def job(spec: str = "", name: str = "t", pod: str = POD) -> str:
    return f"{{apiVersion: batch/v1, kind: Job, metadata: {{name: {name}}}, spec: {{{spec + ', ' if spec else ''}{pod}}}}}"


def cron(spec: str = "", schedule: str = "* * * * *", name: str = "t", inner: str = POD) -> str:
    return (f"{{apiVersion: batch/v1, kind: CronJob, metadata: {{name: {name}}}, spec: {{schedule: {schedule!r}, {spec + ', ' if spec else ''}"
            f"jobTemplate: {{spec: {{{inner}}}}}}}}}")


def refused(api: Api, call) -> list[str]:
    with pytest.raises(ApiError) as raised:
        call()
    assert raised.value.code == 422
    return [f"{cause['field']}: {cause['message']}" for cause in raised.value.details["causes"]]


@pytest.mark.parametrize(("given", "expected"), [
    ("", (1, 1, 6)), ("parallelism: 3", (3, None, 6)), ("completions: 3", (1, 3, 6)),
    ("completionMode: Indexed, completions: 2, backoffLimitPerIndex: 1", (1, 2, 2147483647)), ("backoffLimit: 0", (1, 1, 0))])
def test_what_a_job_does_not_say_is_filled_in(api, given, expected):
    spec = api.create(job(given)).object["spec"]
    assert (spec["parallelism"], spec.get("completions"), spec["backoffLimit"]) == expected
    assert (spec["suspend"], spec["manualSelector"], spec["podReplacementPolicy"]) == (False, False, "TerminatingOrFailed")


def test_a_cron_jobs_job_gets_its_pods_defaults_only(api):
    spec = api.create(cron()).object["spec"]
    assert (spec["concurrencyPolicy"], spec["suspend"], spec["successfulJobsHistoryLimit"], spec["failedJobsHistoryLimit"]) == ("Allow", False, 3, 1)
    assert set(spec["jobTemplate"]["spec"]) == {"template"} and spec["jobTemplate"]["spec"]["template"]["spec"]["dnsPolicy"] == "ClusterFirst"


def test_labels_that_the_user_gives_stay_and_the_jobs_own_are_added(api):
    made = api.create(job(pod=POD.replace("template: {", "template: {metadata: {labels: {x: yy}}, "))).object
    uid = made["metadata"]["uid"]
    assert made["spec"]["template"]["metadata"]["labels"] == {
        "batch.kubernetes.io/controller-uid": uid, "batch.kubernetes.io/job-name": "t", "controller-uid": uid, "job-name": "t", "x": "yy"}
    assert made["metadata"]["labels"] == {"x": "yy"}, "a Job has the labels its template had when it was sent"


@pytest.mark.parametrize(("text", "messages"), [
    (job(pod="template: {spec: {containers: [{name: c, image: busybox}]}}"),
     ['spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"']),
    (job(pod=POD.replace("Never", "Sometimes")), [
        'spec.template.spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "OnFailure", "Never"',
        'spec.template.spec.restartPolicy: Unsupported value: "Sometimes": supported values: "OnFailure", "Never"']),
    (job("parallelism: -1, completions: -2, backoffLimit: -3, ttlSecondsAfterFinished: -4, activeDeadlineSeconds: -5"), [
        f"spec.{field}: Invalid value: {value}: must be greater than or equal to 0" for field, value in
        (("parallelism", -1), ("completions", -2), ("activeDeadlineSeconds", -5), ("backoffLimit", -3), ("ttlSecondsAfterFinished", -4))]),
    (job("completionMode: Indexed, parallelism: 1"), ["spec.completions: Required value: when completion mode is Indexed"]),
    (job("completionMode: Twice"), ['spec.completionMode: Unsupported value: "Twice": supported values: "NonIndexed", "Indexed"']),
    (job("backoffLimitPerIndex: 1, maxFailedIndexes: 2"), [
        "spec.backoffLimitPerIndex: Invalid value: 1: requires indexed completion mode", "spec.maxFailedIndexes: Invalid value: 2: requires indexed completion mode"]),
    (job("completionMode: Indexed, completions: 2, maxFailedIndexes: 3"), [
        "spec.backoffLimitPerIndex: Required value: when maxFailedIndexes is specified",
        "spec.maxFailedIndexes: Invalid value: 3: must be less than or equal to completions"]),
    (job("successPolicy: {rules: [{succeededCount: 1}]}"),
     ['spec.successPolicy: Invalid value: {"rules":[{"succeededCount":1}]}: requires indexed completion mode']),
    (job("completionMode: Indexed, completions: 3, successPolicy: {rules: []}"),
     ["spec.successPolicy.rules: Required value: at least one rules must be specified when the successPolicy is specified"]),
    (job('completionMode: Indexed, completions: 3, successPolicy: {rules: [{succeededIndexes: "0,2-1"}, {succeededIndexes: "5"}, {succeededCount: 4}, {}]}'), [
        'spec.successPolicy.rules[0].succeededIndexes: Invalid value: "0,2-1": error parsing succeededIndexes: non-increasing order, previous: 2, current: 1',
        'spec.successPolicy.rules[1].succeededIndexes: Invalid value: "5": error parsing succeededIndexes: too large index: "5"',
        "spec.successPolicy.rules[2].succeededCount: Invalid value: 4: must be less than or equal to 3 (the number of specified completions)",
        "spec.successPolicy.rules[3]: Required value: at least one of succeededCount or succeededIndexes must be specified"]),
    (job("podFailurePolicy: {rules: [{action: FailJob}, {action: FailIndex, onExitCodes: {operator: In, values: [3, 1]}}, "
         "{action: Nap, onExitCodes: {containerName: x, operator: Is, values: []}, onPodConditions: [{type: DisruptionTarget, status: Maybe}]}]}"), [
        "spec.podFailurePolicy.rules[0]: Invalid value: specifying one of OnExitCodes and OnPodConditions is required",
        'spec.podFailurePolicy.rules[1].action: Invalid value: "FailIndex": requires the backoffLimitPerIndex to be set',
        "spec.podFailurePolicy.rules[1].onExitCodes.values: Invalid value: [3,1]: must be ordered",
        'spec.podFailurePolicy.rules[2].action: Unsupported value: "Nap": supported values: "Count", "FailIndex", "FailJob", "Ignore"',
        'spec.podFailurePolicy.rules[2].onExitCodes.operator: Unsupported value: "Is": supported values: "In", "NotIn"',
        'spec.podFailurePolicy.rules[2].onExitCodes.containerName: Invalid value: "x": must be one of the container or initContainer names in the pod template',
        "spec.podFailurePolicy.rules[2].onExitCodes.values: Invalid value: []: at least one value is required",
        'spec.podFailurePolicy.rules[2].onPodConditions[0].status: Unsupported value: "Maybe": supported values: "False", "True", "Unknown"',
        "spec.podFailurePolicy.rules[2]: Invalid value: specifying both OnExitCodes and OnPodConditions is not supported"]),
    (job("podFailurePolicy: {rules: [{action: Ignore, onPodConditions: [{type: DisruptionTarget}]}]}", pod=POD.replace("Never", "OnFailure")),
     ['spec.template.spec.restartPolicy: Invalid value: "OnFailure": only "Never" is supported when podFailurePolicy is specified']),
    (job("podReplacementPolicy: Soon"), ['spec.podReplacementPolicy: Unsupported value: "Soon": supported values: "Failed", "TerminatingOrFailed"']),
    (job("manualSelector: true"), ["spec.selector: Required value"]),
    (cron(schedule="* * * *"), ['spec.schedule: Invalid value: "* * * *": expected exactly 5 fields, found 4: [* * * *]']),
    (cron(schedule=""), ["spec.schedule: Required value"]),
    (cron(schedule="TZ=UTC 0 * * * *"), ['spec.schedule: Invalid value: "TZ=UTC 0 * * * *": cannot use TZ or CRON_TZ in schedule, use timeZone field instead']),
    (cron("timeZone: Mars/Base"), ['spec.timeZone: Invalid value: "Mars/Base": unknown time zone Mars/Base']),
    (cron("timeZone: ''"), ['spec.timeZone: Invalid value: "": timeZone must be nil or non-empty string']),
    (cron("timeZone: Local"), ['spec.timeZone: Invalid value: "Local": timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones']),
    (cron("concurrencyPolicy: Never, startingDeadlineSeconds: -1, failedJobsHistoryLimit: -1"), [
        "spec.startingDeadlineSeconds: Invalid value: -1: must be greater than or equal to 0",
        'spec.concurrencyPolicy: Unsupported value: "Never": supported values: "Allow", "Forbid", "Replace"',
        "spec.failedJobsHistoryLimit: Invalid value: -1: must be greater than or equal to 0"]),
    (cron(inner="selector: {matchLabels: {a: b}}, manualSelector: true, " + POD), [
        'spec.jobTemplate.spec.selector: Invalid value: {"matchLabels":{"a":"b"}}: `selector` will be auto-generated',
        'spec.jobTemplate.spec.manualSelector: Unsupported value: true: supported values: "nil", "false"']),
    (cron(name="c" * 53), [f'metadata.name: Invalid value: "{"c" * 53}": must be no more than 52 characters']),
])
def test_what_is_refused_and_in_which_words(api, text, messages):
    assert refused(api, lambda: api.create(text)) == messages


def test_an_indexed_job_whose_pods_could_have_no_hostname_is_refused(api):
    name = "j" * 62
    assert refused(api, lambda: api.create(job("completionMode: Indexed, completions: 10", name))) == [
        f'metadata.name: Invalid value: "{name}": will not able to create pod with invalid DNS label: {name}-9']


def test_what_may_not_change(api):
    api.create(job("completions: 3, parallelism: 2"))
    found = refused(api, lambda: api.patch("jobs.batch", "t", {"spec": {
        "completions": 5, "backoffLimitPerIndex": None, "template": {"spec": {"priorityClassName": "x"}}, "managedBy": "a.b/c"}}))
    assert found[0] == "spec.completions: Invalid value: 5: field is immutable"
    assert found[1].startswith('spec.template: Invalid value: {"labels":{"batch.kubernetes.io/controller-uid":') and found[1].endswith("field is immutable")
    assert '"Spec":{"Volumes":null,"InitContainers":null,"Containers":[{"Name":"c","Image":"busybox"' in found[1]
    assert found[2:] == ['spec.managedBy: Invalid value: "a.b/c": field is immutable']
    assert api.patch("jobs.batch", "t", {"spec": {"parallelism": 7, "suspend": True, "activeDeadlineSeconds": 5}}).object["metadata"]["generation"] == 2


def test_an_indexed_jobs_size_changes_as_a_whole(api):
    api.create(job("completionMode: Indexed, completions: 3, parallelism: 3"))
    assert refused(api, lambda: api.patch("jobs.batch", "t", {"spec": {"completions": 5}})) == [
        "spec.completions: Invalid value: 5: can only be modified in tandem with spec.parallelism"]
    assert api.patch("jobs.batch", "t", {"spec": {"completions": 5, "parallelism": 5}}).code == 200


TRUE = {"status": "True", "lastProbeTime": None, "lastTransitionTime": "2026-01-01T00:00:00Z"}


@pytest.mark.parametrize(("before", "status", "messages"), [
    ({}, {"conditions": [{"type": "Complete", **TRUE}]}, [
        "status.completionTime: Required value: completionTime is required for Complete jobs",
        "status.conditions: Invalid value: cannot set Complete=True condition without the SuccessCriteriaMet=true condition",
        "status.startTime: Required value: startTime is required for finished job"]),
    ({}, {"active": 1, "ready": 2}, ["status.ready: Invalid value: 2: cannot set more ready pods than active"]),
    ({"succeeded": 3, "failed": 2}, {"succeeded": 1, "failed": 1}, [
        "status.failed: Invalid value: 1: cannot decrease the failed counter", "status.succeeded: Invalid value: 1: cannot decrease the succeeded counter"]),
    ({"startTime": "2026-01-01T00:00:00Z"}, {"startTime": "2026-01-01T00:00:05Z"},
     ["status.startTime: Required value: startTime cannot be removed for unsuspended job"]),
    ({}, {"completedIndexes": "0"}, ['status.completedIndexes: Invalid value: "0": cannot set non-empty completedIndexes when non-indexed completion mode']),
    ({}, {"uncountedTerminatedPods": {"succeeded": ["a", "a"], "failed": [""]}}, [
        'status.uncountedTerminatedPods.succeeded[1]: Duplicate value: "a"',
        'status.uncountedTerminatedPods.failed[0]: Invalid value: "": must not be empty']),
])
def test_a_status_has_to_make_sense(api, before, status, messages):
    api.create(job("completions: 5"))
    if before:
        api.patch("jobs.batch", "t", {"status": before}, subresource="status")
    assert refused(api, lambda: api.patch("jobs.batch", "t", {"status": status}, subresource="status")) == messages


def test_a_raw_delete_keeps_the_pods_and_warns_of_it(api):
    api.create(job())
    answer = api.ask("delete", "jobs.batch", "t")
    assert answer.warnings == ["child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set "
                               "propagationPolicy=Orphan to suppress this warning"]
    assert answer.object["metadata"]["finalizers"] == ["orphan"]
    api.create(job(name="u"))
    assert api.ask("delete", "jobs.batch", "u", options=Options(propagation_policy="Background")).warnings == []


def test_a_name_that_makes_bad_hostnames_is_warned_of(api):
    assert api.create(job(name="a.b")).warnings == [
        "metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended: [must not contain dots]"]
    assert api.create(cron(name="a.b")).warnings


@pytest.mark.parametrize(("resource", "file"), [("jobs.batch", "jobs"), ("cronjobs.batch", "cronjobs")])
def test_columns_are_those_of_a_real_server(resource, file):
    path = f"/work/shared/golden/api/tables/apis_batch_v1_{file}.json"
    try:
        with open(path) as golden:
            expected = json.load(golden)["columnDefinitions"]
    except FileNotFoundError:
        pytest.skip("the golden files are not here")
    found = tables.render(resource, [], 0.0, Clock())["columnDefinitions"]
    assert [{**column, "description": ""} for column in found] == [{**column, "description": ""} for column in expected]


@pytest.mark.parametrize(("spec", "status", "cells"), [
    ({"completions": 3}, {}, ["Running", "0/3", ""]),
    ({"parallelism": 4}, {"succeeded": 1, "startTime": "2026-01-01T00:00:00Z"}, ["Running", "1/1 of 4", "90s"]),
    ({"parallelism": 1}, {"startTime": "2026-01-01T00:00:00Z", "completionTime": "2026-01-01T00:00:03Z",
                          "conditions": [{"type": "SuccessCriteriaMet", "status": "True"}, {"type": "Complete", "status": "True"}]},
     ["Complete", "0/1", "3s"]),
    ({"completions": 1}, {"conditions": [{"type": "FailureTarget", "status": "True"}]}, ["FailureTarget", "0/1", ""]),
    ({"completions": 1}, {"conditions": [{"type": "Suspended", "status": "True"}]}, ["Suspended", "0/1", ""]),
    ({"completions": 1}, {"conditions": [{"type": "Failed", "status": "True"}]}, ["Failed", "0/1", ""]),
])
def test_what_a_job_shows_in_its_row(spec, status, cells):
    obj = {"metadata": {"name": "t", "creationTimestamp": "2026-01-01T00:00:00Z"}, "spec": {"template": {"spec": {"containers": []}}, **spec},
           "status": status}
    row = tables.render("jobs.batch", [obj], 90.0, Clock())["rows"][0]["cells"]
    assert row[1:4] == cells
