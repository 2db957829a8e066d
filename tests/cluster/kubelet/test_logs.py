"""The log subresource."""

import pytest

from server.cluster.apiserver.request import Options, Request
from server.cluster.errors import ApiError


def logs(bench, name, **options):
    return bench.cluster.api.request(Request("get", "pods", "default", name, "log", options=Options(**options), client="kubectl",
                                             user="kubernetes-admin"))


def fault(bench, name, **options):
    with pytest.raises(ApiError) as caught:
        logs(bench, name, **options)
    return caught.value.message


def test_logs_are_what_the_container_printed(bench):
    bench.pod("once", {"command": ["sh", "-c", "echo one; sleep 2; echo two >&2"]}, restartPolicy="Never")
    bench.run(10)
    assert logs(bench, "once").text == "one\ntwo\n"
    assert logs(bench, "once", tail_lines=1).text == "two\n"
    assert logs(bench, "once", limit_bytes=3).text == "one"
    stamp, _, text = logs(bench, "once", timestamps=True).text.splitlines()[0].partition(" ")
    assert text == "one" and stamp.endswith("Z") and len(stamp) == len("2026-11-21T02:53:49.779603034Z")


def test_logs_since_leave_out_what_is_older(bench):
    bench.pod("loop", {"command": ["sh", "-c", "while true; do date; sleep 5; done"]})
    bench.run(60)
    assert len(logs(bench, "loop", since_seconds=11).text.splitlines()) in (2, 3)


def test_the_log_of_the_run_before_is_kept(bench):
    bench.pod("crash", {"command": ["sh", "-c", "hostname; date; exit 1"]})
    bench.run(25)
    now, before = logs(bench, "crash").text, logs(bench, "crash", previous=True).text
    assert now.startswith("crash\n") and before.startswith("crash\n") and now != before


def test_nginx_says_its_start_and_each_request(bench):
    bench.pod("web", {"image": "nginx"})
    bench.run(10)
    bench.cluster.kubelets.runtime.http(bench.get("web"), 80, "GET", "/", {"User-Agent": "curl/8"}, client="10.244.9.9")
    lines = logs(bench, "web").text.splitlines()
    assert lines[5] == "/docker-entrypoint.sh: Configuration complete; ready for start up"
    assert lines[-1].startswith("10.244.9.9 - - [") and lines[-1].endswith('"GET / HTTP/1.1" 200 615 "-" "curl/8" "-"')


def test_a_followed_log_brings_new_lines_and_ends_with_the_container(bench):
    bench.pod("loop", {"command": ["sh", "-c", "echo start; sleep 5; echo more; sleep 5"]}, restartPolicy="Never")
    bench.run(5)
    answer = logs(bench, "loop", follow=True)
    assert answer.text == "start\n"
    bench.run(3)
    assert list(answer.stream.items) == ["more\n"] and not answer.stream.closed
    bench.run(6)
    assert answer.stream.closed


def test_what_has_no_log_yet_says_why(bench):
    bench.pod("bad", {"image": "nginx:1.200"})
    bench.pod("nocm", {"image": "nginx", "envFrom": [{"configMapRef": {"name": "late"}}]})
    bench.run(8)
    assert fault(bench, "bad") == 'container "c" in pod "bad" is waiting to start: image can\'t be pulled'
    bench.run(15)
    assert fault(bench, "bad") == 'container "c" in pod "bad" is waiting to start: trying and failing to pull image'
    assert fault(bench, "nocm") == 'container "c" in pod "nocm" is waiting to start: CreateContainerConfigError'


def test_asking_for_what_is_not_there_is_a_bad_request(bench):
    bench.pod("two", {"image": "nginx"}, {"name": "side", "image": "nginx"})
    bench.run(10)
    assert fault(bench, "two", container="c", previous=True) == 'previous terminated container "c" in pod "two" not found'
    assert fault(bench, "two", container="nosuch") == "container nosuch is not valid for pod two"
    assert fault(bench, "two") == "a container name must be specified for pod two, choose one of: [c side]"


def test_a_silent_node_refuses_logs(bench):
    bench.pod("web", {"image": "nginx"})
    bench.run(10)
    bench.cluster.kubelets.stop_kubelet("w1-k8s")
    assert fault(bench, "web") == ('Get "https://192.168.1.101:10250/containerLogs/default/web/c": dial tcp 192.168.1.101:10250: connect: '
                                   "connection refused")
