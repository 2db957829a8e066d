"""ReplicationControllers: what ReplicaSets were before Deployments came, and the same mechanism.

In: ReplicationControllers and pods. Out: pods made from the template, pods deleted, and the controller's status. Only the selector
differs: a plain map of labels, which may be changed later, where a ReplicaSet has an immutable LabelSelector.

Source: https://kubernetes.io/docs/concepts/workloads/controllers/replicationcontroller/
"""

from __future__ import annotations

from server.cluster.controllers.replicaset import ReplicaSetController


class ReplicationControllerController(ReplicaSetController):
    name = "replication-controller"
    reconciles = "replicationcontrollers"
    kind = "ReplicationController"
    tells_terminating = False
