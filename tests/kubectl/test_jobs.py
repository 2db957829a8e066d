"""Jobs and CronJobs in the terminal, on a whole cluster: the notes' own manifests, over time, and what is left of them afterwards."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from server.cluster.cluster import Cluster
from tests.kubectl.terminal import Terminal

CRON = """
apiVersion: batch/v1
kind: CronJob
metadata: {name: %s}
spec:
  schedule: "*/1 * * * *"
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: OnFailure
          containers:
          - {name: %s, image: busybox, imagePullPolicy: IfNotPresent, command: [/bin/sh, -c, "date; echo Hi"]}
"""
JOBS = """
apiVersion: batch/v1
kind: Job
metadata: {name: pi}
spec:
  completions: 3
  parallelism: 2
  backoffLimit: 2
  template: {spec: {restartPolicy: Never, containers: [{name: pi, image: busybox, command: [sh, -c, "echo 3.14; sleep 2"]}]}}
---
apiVersion: batch/v1
kind: Job
metadata: {name: bad-job}
spec:
  backoffLimit: 1
  template: {spec: {restartPolicy: Never, containers: [{name: c, image: busybox, command: [sh, -c, "exit 1"]}]}}
"""


@pytest.fixture
def terminal() -> Terminal:
    return Terminal(Cluster(seed=1, epoch=datetime(2026, 11, 21, 2, 55, 53, tzinfo=UTC)),
                    {"cronjob.yml": CRON % ("asdf", "Hello"), "fixed.yml": CRON % ("asdf", "hello"), "jobs.yml": JOBS})


def said(terminal: Terminal, line: str, **more) -> str:
    result = terminal.run(f"kubectl {line}", **more)
    assert not result.code, result
    return result.stdout


def test_the_notes_cron_job_is_refused_as_it_stands_and_runs_when_mended(terminal):
    refused = terminal.run("kubectl apply -f cronjob.yml")
    assert refused.code == 1 and refused.stderr.startswith(
        'The CronJob "asdf" is invalid: spec.jobTemplate.spec.template.spec.containers[0].name: Invalid value: "Hello": a lowercase RFC 1123 label')
    assert said(terminal, "apply -f fixed.yml") == "cronjob.batch/asdf created\n"
    assert said(terminal, "get cronjob asdf") == (
        "NAME   SCHEDULE      TIMEZONE   SUSPEND   ACTIVE   LAST SCHEDULE   AGE\n"
        "asdf   */1 * * * *   <none>     False     0        <none>          0s\n")
    rows = terminal.run("kubectl get cronjob -w", interrupt_after=75).stdout.splitlines()[1:]
    shown = [tuple(row.split()[8:10]) for row in rows]
    assert shown[:3] == [("0", "<none>"), ("1", "0s"), ("0", shown[2][1])] and re.fullmatch(r"[1-4]s", shown[2][1])
    assert rows[2].split()[:-1] == rows[3].split()[:-1]  # the Job is off the list, then its success is noted
    terminal.cluster.clock.run_for(300)
    jobs = [row.split() for row in said(terminal, "get jobs").splitlines()[1:]]
    assert [row[1:3] for row in jobs] == [["Complete", "1/1"]] * 3 and len(said(terminal, "get pods").splitlines()) == 4


def test_a_job_by_hand_from_a_cron_job_runs_and_has_a_log(terminal):
    said(terminal, "apply -f fixed.yml")
    assert said(terminal, "create job manual --from=cronjob/asdf") == "job.batch/manual created\n"
    terminal.cluster.clock.run_for(4)
    assert said(terminal, "logs job/manual").splitlines() == ["Sat Nov 21 02:55:54 UTC 2026", "Hi"]
    described = said(terminal, "describe job manual")
    assert "Annotations:      cronjob.kubernetes.io/instantiate: manual\nControlled By:    CronJob/asdf\n" in described
    assert "  Normal  Completed         " in described and "Pods Statuses:    0 Active (0 Ready) / 1 Succeeded / 0 Failed\n" in described
    assert "Warning  UnexpectedJob  " in said(terminal, "describe cronjob asdf")


def test_jobs_end_as_the_real_ones_do(terminal):
    said(terminal, "apply -f jobs.yml")
    assert said(terminal, "wait --for=condition=complete job/pi --timeout=20s") == "job.batch/pi condition met\n"
    assert said(terminal, "wait --for=condition=failed job/bad-job --timeout=30s") == "job.batch/bad-job condition met\n"
    rows = [row.split()[:3] for row in said(terminal, "get jobs").splitlines()]
    assert rows == [["NAME", "STATUS", "COMPLETIONS"], ["bad-job", "Failed", "0/1"], ["pi", "Complete", "3/3"]]
    described = said(terminal, "describe job bad-job")
    assert "Pods Statuses:    0 Active (0 Ready) / 0 Succeeded / 2 Failed\n" in described and "Completed At" not in described
    assert re.search(r"Warning  BackoffLimitExceeded  \d+s +job-controller  Job has reached the specified backoff limit\n", described)
    assert said(terminal, "delete job pi bad-job") == (
        'job.batch "pi" deleted from default namespace\njob.batch "bad-job" deleted from default namespace\n')
    terminal.cluster.clock.run_for(5)
    assert terminal.run("kubectl get pods").stderr == "No resources found in default namespace.\n"


def test_the_ways_to_make_one(terminal):
    assert said(terminal, "create job j1 --image=busybox -- date") == "job.batch/j1 created\n"
    assert said(terminal, 'create cronjob cj1 --image=busybox --schedule="*/5 * * * *" -- date') == "cronjob.batch/cj1 created\n"
    assert said(terminal, "create job j2 --image=busybox --dry-run=client -o yaml -- date +%s") == (
        "apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: j2\nspec:\n  template:\n    metadata: {}\n    spec:\n      containers:\n"
        "      - command:\n        - date\n        - +%s\n        image: busybox\n        name: j2\n        resources: {}\n"
        "      restartPolicy: Never\nstatus: {}\n")
    for line, fault in (
            ("create job j3", "error: either --image or --from must be specified\n"),
            ("create job j3 --from=cronjob/cj1 -- date", "error: cannot specify --from and command\n"),
            ("create job j3 --from=cronjob/none", 'Error from server (NotFound): cronjobs.batch "none" not found\n'),
            ("create job j3 --from=job/j1", "error: unknown object type *v1.Job\n"),
            ("create cronjob c --image=busybox", 'error: required flag(s) "schedule" not set\n'),
            ('create cronjob c --image=busybox --schedule="* * * *"', 'error: failed to create cronjob: CronJob.batch "c" is invalid: '
             'spec.schedule: Invalid value: "* * * *": expected exactly 5 fields, found 4: [* * * *]\n'),
            ("scale job j1 --replicas=2", "Error from server (NotFound): the server could not find the requested resource\n"),
            ("expose job j1 --port=80", "error: cannot expose a Job.batch\n")):
        result = terminal.run(f"kubectl {line}")
        assert (result.code, result.stderr) == (1, fault)


def test_an_indexed_jobs_containers_hear_of_their_index(terminal):
    terminal.files.files["indexed.yml"] = JOBS.split("---")[0].replace("backoffLimit: 2", "completionMode: Indexed").replace(
        "echo 3.14; sleep 2", "echo $JOB_COMPLETION_INDEX; hostname")
    said(terminal, "apply -f indexed.yml")
    said(terminal, "wait --for=condition=complete job/pi --timeout=60s")
    logs = sorted(said(terminal, f"logs {pod}").split() for pod in said(terminal, "get pods -o name -l job-name=pi").split())
    assert logs == [[str(number), f"pi-{number}"] for number in range(3)]
    assert "Completed Indexes:  0-2\n" in said(terminal, "describe job pi")


def test_suspending_a_cron_job_and_deleting_it(terminal):
    said(terminal, "apply -f fixed.yml")
    terminal.cluster.clock.run_for(70)
    assert said(terminal, "patch cronjob asdf -p '{\"spec\":{\"suspend\":true}}'") == "cronjob.batch/asdf patched\n"
    assert said(terminal, "get cj asdf").splitlines()[1].split()[:9] == ["asdf", "*/1", "*", "*", "*", "*", "<none>", "True", "0"]
    terminal.cluster.clock.run_for(300)
    assert len(said(terminal, "get jobs").splitlines()) == 3, "those of 02:56 and 02:57"
    assert said(terminal, "delete cronjob --all") == 'cronjob.batch "asdf" deleted from default namespace\n'
    terminal.cluster.clock.run_for(5)
    assert terminal.run("kubectl get pods,jobs,cronjobs").stdout == ""


def test_a_cluster_that_is_put_away_in_the_middle_goes_on(terminal):
    said(terminal, "apply -f jobs.yml")
    said(terminal, "apply -f fixed.yml")
    cluster = terminal.cluster
    for seconds in (0.3, 0.9, 1.1, 2.3, 7.0):
        cluster.clock.run_for(seconds)
        cluster = Cluster.restore(cluster.snapshot())
    cluster.clock.run_for(120)
    rows = {row.split()[0]: row.split()[1:3] for row in Terminal(cluster).run("kubectl get jobs").stdout.splitlines()[1:]}
    assert rows["pi"] == ["Complete", "3/3"] and rows["bad-job"] == ["Failed", "0/1"] and len(rows) == 5
    status = cluster.client().get("jobs.batch", "default", "pi")["status"]
    assert status["succeeded"] == 3 and len(Terminal(cluster).run("kubectl get pods -l job-name=pi -o name").stdout.split()) == 3


PI = """
apiVersion: batch/v1
kind: Job
metadata: {name: pi}
spec:
  backoffLimit: 4
  template:
    spec:
      restartPolicy: Never
      containers:
      - {name: pi, image: "perl:5.34.0", command: [perl, -Mbignum=bpi, -wle, "print bpi(2000)"]}
"""


def test_kubernetes_own_example_of_a_job_prints_pi(terminal):
    terminal.files.files["pi.yml"] = PI
    said(terminal, "apply -f pi.yml")
    said(terminal, "wait --for=condition=complete job/pi --timeout=120s")
    digits = said(terminal, "logs jobs/pi")
    assert digits.startswith("3.14159265358979323846264338327950288419716939937510582097494459230781640628620899862803482534211706798214808651328")
    assert len(digits) == 2002
