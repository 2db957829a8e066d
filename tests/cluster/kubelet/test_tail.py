"""``tail`` in containers: sidecars that show what their neighbour writes."""

from server.cluster.cluster import Cluster
from tests.cluster.inside import ran

WRITER = 'i=0; while true; do echo "line $i" >> /var/log/1.log; i=$((i+1)); sleep 1; done'


def counter(*tail):
    mounts = [{"name": "varlog", "mountPath": "/var/log"}]
    return {"metadata": {"name": "counter", "namespace": "default"}, "spec": {"volumes": [{"name": "varlog", "emptyDir": {}}], "containers": [
        {"name": "count", "image": "busybox:1.28", "args": ["/bin/sh", "-c", WRITER], "volumeMounts": mounts},
        {"name": "log", "image": "busybox:1.28", "args": ["/bin/sh", "-c", " ".join(tail)], "volumeMounts": mounts}]}}


def lines(cluster):
    return [line.text for line in cluster.kubelets.runtime.logs("default", "counter", "log")]


def test_a_sidecar_streams_what_its_neighbour_writes():
    cluster = Cluster(seed=1)
    cluster.client().create("pods", counter("tail", "-n+1", "-F", "/var/log/1.log"))
    cluster.clock.run_for(12)
    seen = [line for line in lines(cluster) if line.startswith("line")]
    assert len(seen) >= 8 and seen == [f"line {number}" for number in range(len(seen))]


def test_following_goes_on_after_a_restart_where_it_was():
    cluster = Cluster(seed=1)
    cluster.client().create("pods", counter("tail", "-n+1", "-F", "/var/log/1.log"))
    cluster.clock.run_for(12)
    again = Cluster.restore(cluster.snapshot())
    again.clock.run_for(5)
    seen = [line for line in lines(again) if line.startswith("line")]
    assert len(seen) >= 13 and seen == [f"line {number}" for number in range(len(seen))]


def test_tail_without_follow_prints_the_end_and_ends():
    assert ran("for i in 1 2 3 4; do echo $i >> /tmp/f; done; tail -n 2 /tmp/f; tail -1 /tmp/f; tail -n +4 /tmp/f; tail -c 2 /tmp/f") == (
        ["3", "4", "4", "4", "4"], 0)
    assert ran("tail /tmp/none") == (["tail: can't open '/tmp/none': No such file or directory", "tail: no files"], 1)


def test_tail_follows_several_files_and_says_which_it_shows():
    assert ran("touch /tmp/a /tmp/b; tail -f /tmp/a /tmp/b & sleep 1; echo one > /tmp/a; sleep 2; echo two > /tmp/b; sleep 2; kill %1") == (
        ["==> /tmp/a <==", "", "==> /tmp/b <==", "", "==> /tmp/a <==", "one", "", "==> /tmp/b <==", "two"], 0)
