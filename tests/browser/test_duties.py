"""The cards of the workloads and of storage, and the sentences that explain them, for the examples that the page offers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.browser.page import drawn, pods, post, select, things, until

pytestmark = pytest.mark.browser
EXAMPLES = Path(__file__).parents[2] / "server" / "rooms" / "examples"


def example(*names: str) -> str:
    return "\n---\n".join((EXAMPLES / name).read_text() for name in names)


BUDGET = """
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: web}
spec: {minAvailable: 3, selector: {matchLabels: {app: nginx}}}
"""
BATCH = """
apiVersion: batch/v1
kind: Job
metadata: {name: pages}
spec:
  completions: 4
  parallelism: 2
  completionMode: Indexed
  backoffLimitPerIndex: 0
  template:
    spec:
      restartPolicy: Never
      containers: [{name: w, image: busybox, command: [sh, -c, "if [ $JOB_COMPLETION_INDEX = 1 ]; then exit 1; fi; sleep 2"]}]
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: asleep}
spec:
  schedule: "0 3 * * *"
  suspend: true
  jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: w, image: busybox, command: [date]}]}}}}
"""


def test_a_stateful_set_a_daemon_set_and_a_claim_are_drawn_as_what_they_do(visit: Callable[..., Any], room: dict[str, str],
                                                                           picture: Callable[[Any, str], None]) -> None:
    post(room, "apply", example("pv.yaml", "nfs-pvc.yaml", "svc.yaml", "sfs.yaml", "daemonset.yml") + "\n---" + BUDGET)
    post(room, "clock", {"advance": 60, "paused": True})
    page = visit(room["url"])
    until(page, lambda: [one["state"] for one in pods(page).values()].count("ready") == 6, "three servers and an exporter on each worker")
    texts = drawn(page)
    assert {"StatefulSet · OrderedReady", "3/3", "0", "1", "2", "Service nginx", "PDB: 0 may go"} <= set(texts)
    assert {"DaemonSet · RollingUpdate", "3 nodes"} <= set(texts)
    assert {"Bound", "10Mi RWX", "nfs-pvc"} <= set(texts) and any(text.startswith("nfs-pv · ") and text.endswith(":/shared") for text in texts)
    picture(page, "12-duties")
    select(page, "StatefulSet/default/web")
    body = page.locator("#inspect-body")
    until(page, lambda: "PodDisruptionBudget" in body.inner_text(), "the budget beside its workload")
    body.get_by_role("button", name="web", exact=True).click()
    until(page, lambda: "0 may be evicted: 3 are healthy and 3 must stay" in body.inner_text(), "why a drain would wait")
    page.get_by_role("tab", name="Describe").click()
    until(page, lambda: "Allowed disruptions:  0" in body.inner_text(), "kubectl describe")


def test_jobs_and_cron_jobs_say_how_far_they_are_and_link_what_they_own(visit: Callable[..., Any], room: dict[str, str],
                                                                        picture: Callable[[Any, str], None]) -> None:
    post(room, "apply", example("testcron.yaml") + "\n---" + BATCH)
    post(room, "clock", {"advance": 130, "paused": True})
    page = visit(room["url"], theme="light", locale="ko-KR")
    until(page, lambda: things(page, "Job").get("Job/default/pages", {}).get("ended") == "failed", "the Job to end")
    texts = drawn(page)
    assert {"Job · Indexed", "3/4", "✓ 0,2,3  ✗ 1", "일시 중단됨", "0 3 * * *", "CronJob · Allow"} <= set(texts)
    kept = [name for name, job in things(page, "Job").items() if job.get("owner") == "CronJob/default/testcron"]
    assert len(kept) >= 2 and f"실행 기록 {len(kept)}개" in texts
    select(page, "Job/default/pages")
    body = page.locator("#inspect-body")
    until(page, lambda: "FailedIndexes): Job has failed indexes" in body.inner_text(), "why it failed")
    select(page, "CronJob/default/testcron")
    until(page, lambda: page.locator("ul.owned li").count() == len(kept), "the runs it keeps")
    page.locator("ul.owned button").first.click()
    until(page, lambda: page.locator("#panel-inspector h2").inner_text().startswith("testcron-"), "the run")
    picture(page, "13-batch-ko")


def test_an_autoscaler_stands_on_what_it_scales_and_says_why_it_does_nothing(visit: Callable[..., Any], room: dict[str, str]) -> None:
    post(room, "apply", example("autoscale.yaml"))
    post(room, "clock", {"advance": 40})
    page = visit(room["url"])
    until(page, lambda: any(one.get("blind") for one in things(page, "HorizontalPodAutoscaler").values()), "an autoscaler without metrics")
    assert {"HPA", "1", "10", "<unknown>"} <= set(drawn(page))
    select(page, "HorizontalPodAutoscaler/default/php-apache")
    body = page.locator("#inspect-body")
    until(page, lambda: "<unknown>: there is no metrics-server" in body.inner_text(), "the sentence")
    body.get_by_role("button", name="php-apache", exact=True).click()
    until(page, lambda: "HorizontalPodAutoscaler" in body.inner_text(), "its Deployment, which names it")


def test_a_claim_says_what_it_waits_for(visit: Callable[..., Any], room: dict[str, str]) -> None:
    claim_alone = example("local-path-pod.yaml").split("\n---\n")[0]
    post(room, "apply", example("local-path-class.yaml") + "\n---\n" + claim_alone)
    post(room, "apply", example("nfs-pvc.yaml").replace("spec:", "spec:\n  storageClassName: nowhere", 1))
    page = visit(room["url"])
    claim = "PersistentVolumeClaim/default/local-path-pvc"
    until(page, lambda: things(page, "PersistentVolumeClaim").get(claim, {}).get("waits"), "a claim without a consumer")
    assert {"waits for its first pod", "no class nowhere"} <= set(drawn(page))
    body = page.locator("#inspect-body")
    select(page, claim)
    until(page, lambda: "class local-path gives a volume when a pod uses the claim" in body.inner_text(), "the sentence")
    post(room, "apply", example("local-path-class.yaml").replace("name: local-path\n", "name: nowhere\n"))
    until(page, lambda: "no class nowhere" not in drawn(page), "the class to be seen")


def test_many_workloads_are_rows_that_tell_their_kind_and_pods(visit: Callable[..., Any], room: dict[str, str],
                                                               picture: Callable[[Any, str], None]) -> None:
    unbound = example("nfs-pvc.yaml").replace("spec:", "spec:\n  storageClassName: nowhere", 1)
    files = example("replicaset.yml", "daemonset.yml", "testcron.yaml", "pv.yaml", "deployment-fixed.yaml", "nginx-deploy.yml")
    post(room, "apply", "\n---\n".join((files, BATCH, unbound)))
    page = visit(room["url"])
    until(page, lambda: page.evaluate("podium.stage.layout.workloads.size") == 9, "nine cards")
    texts = drawn(page)
    assert {"rs", "ds", "cj", "deploy", "job", "pv", "pvc", "3-replicaset", "*/1 * * * * "} <= set(texts)
    picture(page, "14-rows")


def test_a_placed_pod_tells_the_points_of_each_node_and_the_winner(visit: Callable[..., Any], room: dict[str, str],
                                                                   picture: Callable[[Any, str], None]) -> None:
    post(room, "terminal", {"line": "kubectl run web --image=nginx"})
    post(room, "clock", {"advance": 5})
    for locale, question, words in (("en-US", "Why on", "4 of 4 nodes were looked at; 3 could take it"),
                                    ("ko-KR", "왜", "노드 4개 중 4개를 살폈고, 3개가 받을 수 있었습니다")):
        page = visit(room["url"], locale=locale)
        node = until(page, lambda page=page: things(page, "Pod").get("Pod/default/web", {}).get("node"), "a node")
        select(page, "Pod/default/web")
        answer = page.locator(".placed")
        until(page, answer.is_visible, "the question")
        assert question in answer.locator("summary").first.inner_text() and node in answer.locator("summary").first.inner_text()
        answer.locator("summary").first.click()
        assert words in answer.inner_text()
        rows = answer.locator(".scores tbody tr").all()
        assert len(rows) == 3 and node in rows[0].inner_text() and rows[0].get_attribute("class") == "winner"
        totals = [int(row.locator("td").last.inner_text()) for row in rows]
        assert totals[0] == max(totals) and totals[0] > 0
        assert "TaintToleration" in answer.inner_text()
        picture(page, f"15-placed-{locale}")
