"""Every kubectl line that the menus can make of a room with one of everything: the room's own terminal takes it, and its way back."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from server.cluster.cluster import Cluster
from server.live.scene import Scene
from tests.rooms.desk import Desk

HERE = Path(__file__).parent
TEMPLATE = "template: {metadata: {labels: {app: NAME}}, spec: {containers: [{name: main, image: 'nginx:1.25'}, {name: side, image: redis}]}}"


def workload(kind: str, name: str, more: str = "", namespace: str = "default", version: str = "apps/v1") -> str:
    return (f"---\napiVersion: {version}\nkind: {kind}\nmetadata: {{name: {name}, namespace: {namespace}}}\nspec:\n  selector: "
            f"{'{app: NAME}' if version == 'v1' else '{matchLabels: {app: NAME}}'}\n  {TEMPLATE}\n{more}").replace("NAME", name)


MANIFESTS = "".join((
    "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n", workload("Deployment", "web", "  replicas: 2\n"),
    workload("Deployment", "cart", "  paused: true\n", "shop"), workload("StatefulSet", "db", "  serviceName: db\n"), workload("DaemonSet", "agent"),
    workload("ReplicaSet", "plain"), workload("ReplicationController", "old", version="v1"), """
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: tick}
spec:
  schedule: '0 0 1 1 *'
  jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: main, image: busybox, command: [date]}]}}}}
---
apiVersion: batch/v1
kind: Job
metadata: {name: long}
spec: {template: {spec: {restartPolicy: Never, containers: [{name: main, image: busybox, command: [sleep, '9999']}]}}}
---
apiVersion: v1
kind: PersistentVolume
metadata: {name: disk}
spec: {capacity: {storage: 1Gi}, accessModes: [ReadWriteOnce], hostPath: {path: /d}}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec: {storageClassName: '', accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {type: NodePort, selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: door}
spec: {defaultBackend: {service: {name: web, port: {number: 80}}}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: closed}
spec: {podSelector: {matchLabels: {app: cart}}}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: plain}
spec: {scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}, maxReplicas: 3}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: few}
spec: {minAvailable: 1, selector: {matchLabels: {app: web}}}
"""))
KINDS = {"Node", "Pod", "Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "ReplicationController", "Job", "CronJob", "Service", "Ingress",
         "NetworkPolicy", "HorizontalPodAutoscaler", "PodDisruptionBudget", "PersistentVolume", "PersistentVolumeClaim", "Namespace"}
ACTS = {"logs", "follow", "shell", "describe", "podsOn", "slices", "history", "status", "cordon", "uncordon", "drain",
        "taint", "untaint", "scale", "image",
        "pause", "resume", "undo",
        "restart", "autoscale", "run", "suspend", "unsuspend", "expose", "forward", "edit", "label", "annotate", "delete", "kill"}


def room() -> tuple[Desk, list[dict[str, Any]]]:
    """A workstation in a cluster with one of everything, and the lines that its menus make."""
    cluster = Cluster(seed=7)
    cluster.clock.run_for(5)
    desk = Desk(cluster)
    desk.workstation.files.write("/tmp/all.yaml", MANIFESTS)
    made = desk.run("kubectl apply -f /tmp/all.yaml")
    assert made.code == 0, made.stderr
    desk.pass_(40)
    for line in ("kubectl set image deployment/web main=nginx:1.27", "kubectl cordon w3-k8s", "kubectl taint nodes w2-k8s kept=here:PreferNoSchedule",
                 "kubectl create job tick-manual-1 --from=cronjob/tick", "kubectl patch cronjob tick -p '{\"spec\":{\"suspend\":true}}'",
                 "kubectl create cronjob tock --image=busybox --schedule='0 0 1 1 *' -- date"):
        assert desk.run(line).code == 0, line
    desk.pass_(40)
    scene = Scene(cluster)
    while scene.behind:
        scene.flush()
    told = subprocess.run(["node", "commands.js"], cwd=HERE, input=json.dumps(scene.things), capture_output=True, text=True, timeout=60, check=True)
    scene.close()
    return desk, json.loads(told.stdout)


def accepted(desk: Desk, one: dict[str, Any], line: str) -> str:
    """What is wrong with a line, if anything: an end other than 0, or, of one that stays, an end at all but of its own job."""
    result = desk.run(line, interrupt_after=6.0 if one["holds"] else None)
    if one["holds"] and result.code == 130:
        return ""
    return "" if result.code == 0 else f"{line}\n  {result.code}: {(result.stderr or result.stdout)[-300:]}"


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_the_terminal_takes_every_line_that_the_menus_make_and_every_way_back() -> None:
    desk, lines = room()
    assert {thing.split("/")[0] for one in lines for thing in one["things"]} >= KINDS
    assert {one["id"] for one in lines} >= ACTS
    assert not [one for one in lines if not one["line"]]
    wrong, ended, ran = [], set(), set()
    pods = sorted({thing for one in lines for thing in one["things"] if thing.startswith("Pod/")})

    def turn(one: dict[str, Any]) -> tuple[bool, ...]:
        """Pods first, for what is done with their owners makes others; what ends things last, half of the pods by force."""
        first = one["things"][0]
        return not first.startswith("Pod/"), one["ends"] or one["id"] == "drain", one["ends"], not first.startswith("ReplicaSet/"), \
            (one["id"] == "kill") != (first in pods[::2])

    for one in sorted(lines, key=turn):
        several = len(one["things"]) > 1
        if ended & set(one["things"]) or (several and one["id"] == "drain"):  # a budget keeps its last pod for ever
            continue
        if one["ends"] and one["things"][0].startswith("Pod/") and (several or "/tick-" in one["things"][0]):  # a complete Job's would not come back
            continue
        ran.add(one["id"])
        wrong.append(accepted(desk, one, one["line"]))
        if one["ends"]:
            ended |= set(one["things"])
        if one["back"]:
            wrong.append(accepted(desk, {"holds": False}, one["back"]))
    assert not [each for each in wrong if each], "\n".join(each for each in wrong if each)
    assert ran >= ACTS
