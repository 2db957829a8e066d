"""Clusters put down as data and taken up again, at any moment and in the middle of an instant: scripts go on as if nothing had been."""

from __future__ import annotations

import json
import random

import pytest

from server.cluster.cluster import Cluster
from server.cluster.machines import with_workers

SCRIPTS = (
    'for i in 1 2 3 4 5 6; do echo $i; sleep 1; done',
    'i=0; while [ $i -lt 9 ]; do i=$((i+1)); echo n$i; sleep 0.7; done | grep -v 4',
    'seq 1 2000 | while read n; do [ $((n % 400)) -eq 0 ] && echo at $n; done',
    'yes line | head -n 5000 | wc -l',
    'seq 1 30000 | tail -n 2',
    'seq 1 9000 | sort -rn | head -n 3',
    '(sleep 3; echo late) & echo early; wait; echo both',
    "trap 'echo term; exit 4' TERM; (sleep 4; kill -TERM $$) & while true; do echo x; sleep 1; done",
    "trap 'echo usr; sleep 1; echo over' USR1; kill -USR1 $$; echo after",
    'for i in 1 2 3; do echo l$i; sleep 2; done > /tmp/f & sleep 1; tail -f /tmp/f | grep l',
    'touch /tmp/log; tail -f /tmp/log & for i in 1 2 3 4; do echo row $i >> /tmp/log; sleep 1; done; kill $!',
    'f() { echo $1; [ $1 -gt 0 ] && { sleep 1; f $(($1-1)); }; }; f 5',
    'x=$(sleep 2; echo inner; sleep 2); echo "[$x]"',
    'cat <<E | tr a-z A-Z\nhere $(sleep 1; echo doc)\nE',
    "awk 'BEGIN { for (i = 0; i < 30000; i++) s += i; print s }'",
    "printf '%s\\n' b a c | sort; echo done",
    'echo a > /data/a; for i in 1 2 3; do echo $i >> /data/a; sleep 1; done; cat /data/a',
    'while ! wget -q -O - http://$WEB_SERVICE_HOST/; do sleep 1; done | head -n 1',
    'for i in 1 2 3; do wget -q -O /dev/null http://$WEB_SERVICE_HOST && echo ok$i; sleep 2; done',
    'nc -l -p 9000 & sleep 1; echo hello | nc 127.0.0.1 9000; wait; echo talked',
    "timeout 2.6 sh -c 'while true; do echo t; sleep 1; done'; echo $?",
    'time sleep 2; date +%s > /tmp/d; cat /tmp/d',
    'ping -c 4 127.0.0.1 | grep -c seq',
    'read x; echo got $x',
    "head -c 200000 /dev/zero | tr '\\0' b | wc -c",
    "echo '\\303\\050' | od -c | head -n 1",
    "printf '\\377\\376' > /tmp/b; sleep 2; wc -c < /tmp/b",
    "seq 1 20000 | (sleep 2; sed -n '$p')",
    'seq 1 4000 | (sleep 2; uniq -c) | tail -n 1',
    'top -b -n 2 | grep -c PID',
    'mkfifo /tmp/p 2>/dev/null; find / -name passwd | xargs -n 1 echo found',
    'yes | (read a; sleep 2; read b; echo $a$b)',
    'dd if=/dev/zero of=/tmp/big bs=1M count=300 2>/dev/null; ls -s /tmp/big; rm /tmp/big',
    'i=0; until [ $i -ge 3000 ]; do i=$((i+1)); done; echo $i',
    "exec sh -c 'echo one; sleep 2; echo two'",
    'watch -n 1 -t echo w & sleep 3.5; kill $!',
    '{ echo a; sleep 1; echo b >&2; sleep 1; } 2>&1 | cat -n',
    'while true; do echo bg; sleep 1; done & p=$!; sleep 3.3; kill $p; wait $p; echo $?',
    "(trap '' TERM; sleep 5; echo survived) & sleep 1; kill $!; wait",
    "seq 1 5 | xargs -n 1 sh -c 'sleep 1; echo x$0'",
    "nohup sh -c 'sleep 2; echo nh' & sleep 1; wait",
    'sleep 2 | sleep 1; echo slept',
    'cat /proc/self/stat > /dev/null; ps | grep -c sleep',
    'set -e; sleep 1; false; echo never',
)
LENGTH = 60.0


def _began(script: str) -> Cluster:
    cluster = Cluster(seed=1, nodes=with_workers(1), system_pods=False)
    client = cluster.client()
    client.create("services", {"metadata": {"name": "web", "namespace": "default"}, "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]}})
    client.create("pods", {"metadata": {"name": "web", "namespace": "default", "labels": {"app": "web"}},
                           "spec": {"containers": [{"name": "c", "image": "nginx"}]}})
    client.create("pods", {"metadata": {"name": "box", "namespace": "default"}, "spec": {
        "restartPolicy": "OnFailure", "volumes": [{"name": "data", "emptyDir": {}}], "containers": [
            {"name": "c", "image": "busybox", "command": ["sh", "-c", script], "volumeMounts": [{"name": "data", "mountPath": "/data"}]}]}})
    return cluster


def _outcome(cluster: Cluster) -> tuple[list[str], str, list[int]]:
    status = cluster.api.lister("pods").get("default", "box")["status"]
    return ([line.text for line in cluster.kubelets.runtime.logs("default", "box", "c")], status["phase"],
            [entry["restartCount"] for entry in status["containerStatuses"]])


@pytest.mark.parametrize("script", SCRIPTS, ids=range(len(SCRIPTS)))
def test_a_script_prints_the_same_however_often_the_cluster_is_restarted(script: str) -> None:
    whole, cut, chance = _began(script), _began(script), random.Random(script)
    end = cut.clock.now + LENGTH
    for _ in range(chance.randint(2, 5)):
        cut.clock.run_for(chance.choice([0.02, 0.3, 0.7, 1.0, 1.3, 2.0, 3.1, 5.0]))
        for _ in range(chance.randint(0, 40)):
            if cut.clock.next_due() is not None:
                cut.clock.step()
        cut = Cluster.restore(json.loads(json.dumps(cut.snapshot())))
    end = max(end, cut.clock.now)
    whole.clock.run_until(end)
    cut.clock.run_until(end)
    assert _outcome(cut) == _outcome(whole)
