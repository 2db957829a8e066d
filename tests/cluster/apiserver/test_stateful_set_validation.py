"""StatefulSets and ControllerRevisions on their way into the store: defaults, faults, what may change."""
# ruff: noqa: E501 -- messages are kept whole, so that they can be searched for

import pytest

from server.cluster.apiserver import validation
from server.cluster.objects import replaced
from tests.cluster.apiserver.objects import errors, made

NOT_NEGATIVE = "must be greater than or equal to 0"
ONLY = ("spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', "
        "'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden")
CLAIM = "volumeClaimTemplates: [{metadata: {name: data}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}]"
MOUNTED = "{metadata: {labels: {app: x}}, spec: {containers: [{name: c, image: nginx, volumeMounts: [{name: data, mountPath: /d}]}]}}"


def stateful_set(spec: str = "", name: str = "t", template: str = "{metadata: {labels: {app: x}}, spec: {containers: [{name: c, image: nginx}]}}",
                 selector: str = "{matchLabels: {app: x}}") -> str:
    return (f"{{apiVersion: apps/v1, kind: StatefulSet, metadata: {{name: {name}}}, spec: {{selector: {selector}, template: {template}"
            f"{', ' + spec if spec else ''}}}}}")


def test_a_set_is_filled_with_kubernetes_defaults():
    _, obj = made(stateful_set(CLAIM))
    spec = obj["spec"]
    assert {field: spec[field] for field in spec if field not in ("template", "selector", "volumeClaimTemplates")} == {
        "podManagementPolicy": "OrderedReady", "replicas": 1, "revisionHistoryLimit": 10,
        "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}},
        "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"}}
    assert spec["volumeClaimTemplates"] == [{
        "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data"}, "status": {"phase": "Pending"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}, "volumeMode": "Filesystem"}}]
    assert spec["template"]["spec"]["restartPolicy"] == "Always"


def test_on_delete_gets_no_rolling_update():
    assert made(stateful_set("updateStrategy: {type: OnDelete}"))[1]["spec"]["updateStrategy"] == {"type": "OnDelete"}


@pytest.mark.parametrize(("text", "found"), [
    (stateful_set(), []),
    (stateful_set(CLAIM, template=MOUNTED), []),
    (stateful_set(template=MOUNTED), ['spec.template.spec.containers[0].volumeMounts[0].name: Not found: "data"']),
    (stateful_set("podManagementPolicy: Random"), ['spec.podManagementPolicy: Invalid value: "Random": must be \'OrderedReady\' or \'Parallel\'']),
    (stateful_set("updateStrategy: {type: Recreate}"), ['spec.updateStrategy: Invalid value: {"type":"Recreate"}: must be \'RollingUpdate\' or \'OnDelete\'']),
    (stateful_set("updateStrategy: {type: OnDelete, rollingUpdate: {partition: 1}}"),
     ['spec.updateStrategy.rollingUpdate: Invalid value: {"partition":1}: only allowed for updateStrategy \'RollingUpdate\'']),
    (stateful_set("updateStrategy: {rollingUpdate: {partition: -1}}"), [f"spec.updateStrategy.rollingUpdate.partition: Invalid value: -1: {NOT_NEGATIVE}"]),
    (stateful_set("updateStrategy: {rollingUpdate: {maxUnavailable: 0}}"), ["spec.updateStrategy.rollingUpdate.maxUnavailable: Invalid value: 0: cannot be 0"]),
    (stateful_set("updateStrategy: {rollingUpdate: {maxUnavailable: 120%}}"),
     ['spec.updateStrategy.rollingUpdate.maxUnavailable: Invalid value: "120%": must not be greater than 100%']),
    (stateful_set("persistentVolumeClaimRetentionPolicy: {whenScaled: Keep}"),
     ['spec.persistentVolumeClaimRetentionPolicy.whenScaled: Unsupported value: "Keep": supported values: "Delete", "Retain"']),
    (stateful_set("replicas: -1, minReadySeconds: -2, ordinals: {start: -3}"),
     [f"spec.replicas: Invalid value: -1: {NOT_NEGATIVE}", f"spec.minReadySeconds: Invalid value: -2: {NOT_NEGATIVE}",
      f"spec.ordinals.start: Invalid value: -3: {NOT_NEGATIVE}"]),
    (stateful_set(selector="{}"), ["spec.selector: Invalid value: {}: empty selector is invalid for statefulset"]),
    (stateful_set(selector="{matchLabels: {app: z}}"),
     ['spec.template.metadata.labels: Invalid value: {"app":"x"}: `selector` does not match template `labels`']),
    (stateful_set(template="{metadata: {labels: {app: x}}, spec: {restartPolicy: Never, containers: [{name: c, image: nginx}]}}"),
     ['spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"']),
])
def test_faults_are_found_in_kubernetes_words(text, found):
    assert errors(text) == found


def test_a_set_needs_a_name_that_can_be_a_host_name_and_so_does_its_service():
    assert errors(stateful_set(name="a.b"))[0].startswith('metadata.name: Invalid value: "a.b": must not contain dots')
    assert errors(stateful_set("serviceName: Nginx"))[0].startswith('spec.serviceName: Invalid value: "Nginx": a lowercase RFC 1123 label')


def changed(path: tuple[str, ...], value: object) -> list[str]:
    key, old = made(stateful_set(CLAIM + ", serviceName: s", template=MOUNTED))
    return [error.message() for error in validation.validate_update(key, replaced(old, {path: value}), old)]


@pytest.mark.parametrize(("path", "value"), [
    (("spec", "replicas"), 7), (("spec", "ordinals"), {"start": 2}), (("spec", "minReadySeconds"), 3), (("spec", "revisionHistoryLimit"), 1),
    (("spec", "updateStrategy"), {"type": "OnDelete"}), (("spec", "template", "metadata", "annotations"), {"a": "b"}),
    (("spec", "persistentVolumeClaimRetentionPolicy", "whenDeleted"), "Delete"), (("metadata", "labels"), {"a": "b"}),
    (("metadata", "finalizers"), ["example.com/held"]),
])
def test_what_may_change(path, value):
    assert changed(path, value) == []


def test_a_list_that_is_empty_is_as_good_as_none():
    key, old = made(stateful_set())
    assert not validation.validate_update(key, replaced(old, {("spec", "volumeClaimTemplates"): []}), old)


@pytest.mark.parametrize(("path", "value"), [
    (("spec", "serviceName"), "other"), (("spec", "podManagementPolicy"), "Parallel"), (("spec", "volumeClaimTemplates"), None),
    (("spec", "selector"), {"matchLabels": {"app": "x"}, "matchExpressions": [{"key": "app", "operator": "Exists"}]}),
])
def test_what_may_not_change(path, value):
    assert changed(path, value)[-1] == ONLY


def status(new: dict, old: dict) -> list[str]:
    return [error.message() for error in validation.validate_status("statefulsets.apps", {"status": new}, {"status": old})]


def test_no_count_of_a_status_is_above_the_whole_and_collisions_only_grow():
    assert status({"replicas": 1, "readyReplicas": 2, "collisionCount": 1}, {"collisionCount": 2}) == [
        "status.readyReplicas: Invalid value: 2: cannot be greater than status.replicas",
        "status.collisionCount: Invalid value: 1: cannot be decremented"]
    assert status({"replicas": 3, "readyReplicas": 1, "availableReplicas": 2, "updatedReplicas": 3}, {}) == [
        "status.availableReplicas: Invalid value: 2: cannot be greater than status.readyReplicas"]


def test_a_negative_history_limit_is_warned_of():
    key, obj = made(stateful_set("revisionHistoryLimit: -1"))
    assert validation.warnings(key, obj) == [
        "spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended"]


REVISION = "{apiVersion: apps/v1, kind: ControllerRevision, metadata: {name: r}, revision: 1, data: {spec: {a: 1}}}"


def test_a_revision_needs_data_which_never_change():
    assert errors(REVISION) == []
    assert errors(REVISION.replace(", data: {spec: {a: 1}}", "").replace("revision: 1", "revision: -1")) == [
        "data: Required value: data is mandatory", f"revision: Invalid value: -1: {NOT_NEGATIVE}"]
    key, old = made(REVISION)
    assert [error.message() for error in validation.validate_update(key, {**old, "data": {"b": 2}}, old)] == [
        'data: Invalid value: {"b":2}: field is immutable']
    assert not validation.validate_update(key, {**old, "revision": 2}, old)
