"""Autoscalers in a whole cluster: load comes, pods come; load goes, pods go after five minutes; and every reason for doing nothing."""

from __future__ import annotations

import pytest

from server.cluster.cluster import Cluster
from server.cluster.controllers.horizontalpodautoscaler import HorizontalPodAutoscalerController
from server.cluster.errors import ApiError

HPA = "horizontalpodautoscalers.autoscaling"
NO_API = ("failed to get cpu utilization: unable to get metrics for resource cpu: unable to fetch metrics from resource metrics API: "
          "the server could not find the requested resource (get pods.metrics.k8s.io)")


@pytest.fixture
def cluster() -> Cluster:
    return Cluster(seed=3, metrics_server=True)


def deployment(cluster: Cluster, name: str = "php", replicas: int = 1, image: str = "registry.k8s.io/hpa-example", command=None,
               requests: dict | None = None, limits: dict | None = None) -> None:
    requests = {"cpu": "200m", "memory": "64Mi"} if requests is None else requests
    container = {"name": "main", "image": image, "resources": {"requests": requests, "limits": limits or {}},
                 **({"command": command} if command else {})}
    cluster.client().create("deployments.apps", {"metadata": {"name": name, "namespace": "default"}, "spec": {
        "replicas": replicas, "selector": {"matchLabels": {"app": name}}, "template": {
            "metadata": {"labels": {"app": name}}, "spec": {"containers": [container]}}}})
    cluster.client().create("services", {"metadata": {"name": name, "namespace": "default"}, "spec": {
        "selector": {"app": name}, "ports": [{"port": 80}]}})


def autoscaler(cluster: Cluster, name: str = "php", least: int = 1, most: int = 10, kind: str = "Deployment", target: str = "", **spec) -> None:
    reference = {"apiVersion": "apps/v1", "kind": kind, "name": target or name}
    spec.setdefault("metrics", [resource("cpu", 50)])
    cluster.client().create(HPA, {"metadata": {"name": name, "namespace": "default"}, "spec": {
        "scaleTargetRef": reference, "minReplicas": least, "maxReplicas": most, **spec}})


def resource(name: str, percent: int) -> dict:
    return {"type": "Resource", "resource": {"name": name, "target": {"type": "Utilization", "averageUtilization": percent}}}


def get(cluster: Cluster, name: str = "php") -> dict:
    return cluster.client().get(HPA, "default", name)


def condition(cluster: Cluster, type_: str, name: str = "php") -> tuple[str, str, str]:
    found = next(entry for entry in get(cluster, name)["status"]["conditions"] if entry["type"] == type_)
    return found["status"], found["reason"], found["message"]


def replicas(cluster: Cluster, name: str = "php") -> int:
    return cluster.client().get("deployments.apps", "default", name)["spec"]["replicas"]


def events(cluster: Cluster, name: str = "php") -> list[tuple[str, str, str]]:
    found = [event for event in cluster.client().list("events", "default") if event["involvedObject"]["kind"] == "HorizontalPodAutoscaler"
             and event["involvedObject"]["name"] == name]
    return [(event["type"], event["reason"], event["message"]) for event in found]


def controller(cluster: Cluster) -> HorizontalPodAutoscalerController:
    return next(entry for entry in cluster.controllers if isinstance(entry, HorizontalPodAutoscalerController))


def looks(cluster: Cluster) -> list[float]:
    """The moments at which the controller looks, from now on."""
    found, one = [], controller(cluster)
    look = one._look
    one._look = lambda key, obj: (found.append(cluster.clock.now), look(key, obj))[1]
    return found


# the loop


def test_load_makes_pods_and_its_end_takes_them_away_after_five_minutes(cluster):
    deployment(cluster)
    cluster.clock.run_for(60)
    autoscaler(cluster)
    cluster.clock.run_for(120)
    assert replicas(cluster) == 1
    cluster.network.traffic.aim("default/php", 80, 10)  # 600m of CPU: six pods at 50% of 200m
    cluster.clock.run_for(300)
    assert replicas(cluster) == 7
    status = get(cluster)["status"]
    assert status["currentMetrics"] == [{"type": "Resource", "resource": {"name": "cpu", "current": {
        "averageUtilization": 43, "averageValue": "87m"}}}]
    settled = cluster.clock.now
    cluster.clock.run_for(900)
    assert replicas(cluster) == 7 and condition(cluster, "AbleToScale") == ("True", "ReadyForNewScale", "recommended size matches current size")
    cluster.network.traffic.aim("default/php", 80, 0)
    cluster.clock.run_for(290)
    assert replicas(cluster) == 7
    assert condition(cluster, "AbleToScale") == (
        "True", "ScaleDownStabilized", "recent recommendations were higher than current one, applying the highest recent recommendation")
    cluster.clock.run_for(40)
    assert replicas(cluster) == 1
    told = [message for _, reason, message in events(cluster) if reason == "SuccessfulRescale"]
    assert told[0].endswith("; reason: cpu resource utilization (percentage of request) above target")
    assert told[-1] == "New size: 1; reason: All metrics below target"
    assert cluster.clock.seconds(get(cluster)["status"]["lastScaleTime"]) > settled


def test_without_a_behavior_it_at_most_doubles_or_makes_four(cluster):
    deployment(cluster, limits={"cpu": "1"})
    autoscaler(cluster, most=40)
    cluster.clock.run_for(60)
    cluster.network.traffic.aim("default/php", 80, 100)
    sizes = []
    for _ in range(12):
        cluster.clock.run_for(15)
        sizes.append(replicas(cluster))
    steps = list(dict.fromkeys(sizes))
    assert steps[0] in (1, 4) and all(after <= max(2 * before, 4) for before, after in zip(steps, steps[1:], strict=False))


def test_it_looks_every_fifteen_seconds_from_its_creation_on_and_not_at_all_while_nothing_changes(cluster):
    deployment(cluster)
    cluster.clock.run_for(400)
    autoscaler(cluster)
    born, moments = cluster.clock.seconds(get(cluster)["metadata"]["creationTimestamp"]), looks(cluster)
    cluster.clock.run_for(1200)
    quiet, revision = len(moments), cluster.store.revision
    cluster.clock.run_for(1200)
    assert len(moments) == quiet < 6 and cluster.store.revision == revision
    cluster.network.traffic.aim("default/php", 80, 10)
    cluster.clock.run_for(120)
    assert len(moments) > quiet
    assert all((moment - born) % 15 == pytest.approx(0, abs=0.01) for moment in moments)
    assert len(set(moments)) == len(moments)


def test_looking_always_comes_to_the_same_as_looking_when_something_may_have_changed(monkeypatch):
    def story(eager: bool) -> list[tuple[int, str]]:
        with monkeypatch.context() as patched:
            if eager:
                patched.setattr(HorizontalPodAutoscalerController, "_again", lambda self, spec, history, found, rescaled: self.clock.now + 15)
            cluster = Cluster(seed=9, metrics_server=True)
            deployment(cluster)
            autoscaler(cluster, behavior={"scaleDown": {"stabilizationWindowSeconds": 120, "policies": [
                {"type": "Pods", "value": 2, "periodSeconds": 60}]}})
            seen = []
            for rate in (0, 8, 20, 3, 12, 0):
                cluster.network.traffic.aim("default/php", 80, rate)
                for _ in range(40):
                    cluster.clock.run_for(7.5)
                    seen.append((replicas(cluster), str(get(cluster)["status"].get("conditions"))))
            return seen

    assert story(eager=False) == story(eager=True)


# bounds


def test_too_many_and_too_few_are_brought_back_without_asking_metrics(cluster):
    deployment(cluster, "many", replicas=5)
    deployment(cluster, "few", replicas=1)
    autoscaler(cluster, "many", most=3)
    autoscaler(cluster, "few", least=4)
    cluster.clock.run_for(20)
    assert (replicas(cluster, "many"), replicas(cluster, "few")) == (3, 4)
    assert events(cluster, "many") == [("Normal", "SuccessfulRescale", "New size: 3; reason: Current number of replicas above Spec.MaxReplicas")]
    assert events(cluster, "few") == [("Normal", "SuccessfulRescale", "New size: 4; reason: Current number of replicas below Spec.MinReplicas")]
    assert condition(cluster, "AbleToScale", "few") == ("True", "SucceededRescale", "the HPA controller was able to update the target scale to 4")


def test_more_load_than_the_most_pods_can_bear_is_said(cluster):
    deployment(cluster)
    autoscaler(cluster, most=3)
    cluster.clock.run_for(60)
    cluster.network.traffic.aim("default/php", 80, 50)
    cluster.clock.run_for(240)
    assert replicas(cluster) == 3
    assert condition(cluster, "ScalingLimited") == ("True", "TooManyReplicas", "the desired replica count is more than the maximum replica count")


def test_a_workload_of_zero_is_left_alone_until_somebody_scales_it(cluster):
    deployment(cluster, replicas=0)
    autoscaler(cluster)
    cluster.clock.run_for(40)
    assert replicas(cluster) == 0
    assert condition(cluster, "ScalingActive") == (
        "False", "ScalingDisabled", "scaling is disabled since the replica count of the target is zero")
    cluster.client().patch("deployments.apps", "default", "php", {"spec": {"replicas": 2}})
    cluster.clock.run_for(90)
    assert condition(cluster, "ScalingActive")[1] == "ValidMetricFound"


def test_a_person_who_scales_is_overruled_at_the_next_look(cluster):
    deployment(cluster)
    autoscaler(cluster, most=3)
    cluster.clock.run_for(400)
    cluster.client().patch("deployments.apps", "default", "php", {"spec": {"replicas": 8}})
    cluster.clock.run_for(16)
    assert replicas(cluster) == 3


# behavior


def test_pods_policies_bound_each_period(cluster):
    deployment(cluster, limits={"cpu": "1"})
    autoscaler(cluster, most=20, behavior={"scaleUp": {"policies": [{"type": "Pods", "value": 2, "periodSeconds": 60}]}})
    cluster.clock.run_for(60)
    cluster.network.traffic.aim("default/php", 80, 20)
    sizes = []
    for _ in range(20):
        cluster.clock.run_for(15)
        sizes.append(replicas(cluster))
    assert sizes[-1] > 6
    assert all(sizes[at + 3] - sizes[at] <= 2 for at in range(len(sizes) - 3))


def test_a_direction_can_be_disabled(cluster):
    deployment(cluster, replicas=4)
    autoscaler(cluster, behavior={"scaleDown": {"selectPolicy": "Disabled"}})
    cluster.clock.run_for(900)
    assert replicas(cluster) == 4
    assert condition(cluster, "ScalingLimited") == (
        "True", "ScaleDownLimit", "the desired replica count is decreasing faster than the maximum scale rate")


def test_a_short_window_scales_down_sooner(cluster):
    deployment(cluster, replicas=4)
    cluster.clock.run_for(400)
    autoscaler(cluster, behavior={"scaleDown": {"stabilizationWindowSeconds": 0}})
    cluster.clock.run_for(16)
    assert replicas(cluster) == 1


def test_a_window_for_scaling_up_waits_for_load_that_lasts(cluster):
    deployment(cluster)
    cluster.clock.run_for(400)
    autoscaler(cluster, behavior={"scaleUp": {"stabilizationWindowSeconds": 120}})
    cluster.clock.run_for(60)
    cluster.network.traffic.aim("default/php", 80, 10)
    cluster.clock.run_for(100)
    assert replicas(cluster) == 1 and condition(cluster, "AbleToScale")[1] == "ScaleUpStabilized"
    cluster.clock.run_for(90)
    assert replicas(cluster) > 1


def test_a_tolerance_of_its_own_decides_what_is_close_enough(cluster):
    for name in ("plain", "patient"):
        deployment(cluster, name)
        cluster.clock.run_for(1)
        cluster.network.traffic.aim(f"default/{name}", 80, 2)  # 120m, 60% of what is requested
    cluster.clock.run_for(400)
    autoscaler(cluster, "plain", most=4)
    autoscaler(cluster, "patient", most=4, behavior={"scaleUp": {"tolerance": "0.3"}})
    cluster.clock.run_for(60)
    assert (replicas(cluster, "plain"), replicas(cluster, "patient")) == (2, 1)


# metrics


def test_memory_counts_and_of_several_metrics_the_largest_proposal(cluster):
    deployment(cluster, image="polinux/stress", command=["stress", "--vm", "1", "--vm-bytes", "160M", "--vm-hang", "0"],
               requests={"cpu": "100m", "memory": "64Mi"})
    cluster.clock.run_for(400)
    autoscaler(cluster, most=6, metrics=[resource("cpu", 50), resource("memory", 100)])
    cluster.clock.run_for(20)
    assert replicas(cluster) == 3
    assert events(cluster)[-1][2] == "New size: 3; reason: memory resource utilization (percentage of request) above target"


def test_an_average_value_is_a_target_too(cluster):
    deployment(cluster)
    cluster.clock.run_for(10)
    cluster.network.traffic.aim("default/php", 80, 10)
    cluster.clock.run_for(400)
    autoscaler(cluster, metrics=[{"type": "Resource", "resource": {"name": "cpu", "target": {"type": "AverageValue", "averageValue": "150m"}}}])
    cluster.clock.run_for(20)
    assert replicas(cluster) == 4 and events(cluster)[-1][2] == "New size: 4; reason: cpu resource above target"


def test_one_container_can_be_the_measure(cluster):
    deployment(cluster)
    cluster.client().patch("deployments.apps", "default", "php", {"spec": {"template": {"spec": {"containers": [
        {"name": "side", "image": "redis"}]}}}}, type="strategic")
    cluster.clock.run_for(400)
    target = {"type": "Utilization", "averageUtilization": 50}
    autoscaler(cluster, metrics=[{"type": "ContainerResource", "containerResource": {"name": "cpu", "container": "main", "target": target}}])
    cluster.network.traffic.aim("default/php", 80, 10)
    cluster.clock.run_for(240)
    assert replicas(cluster) in (6, 7)
    current = get(cluster)["status"]["currentMetrics"][0]["containerResource"]
    assert current["container"] == "main" and 40 < current["current"]["averageUtilization"] <= 55
    assert "cpu container resource utilization (percentage of request) above target" in events(cluster)[-1][2]


def test_a_container_that_is_not_there_is_named(cluster):
    deployment(cluster)
    cluster.clock.run_for(60)
    autoscaler(cluster, metrics=[{"type": "ContainerResource", "containerResource": {
        "name": "cpu", "container": "nope", "target": {"type": "Utilization", "averageUtilization": 50}}}])
    cluster.clock.run_for(20)
    pod = cluster.client().list("pods", "default")[0]["metadata"]["name"]
    assert condition(cluster, "ScalingActive")[1:] == (
        "FailedGetContainerResourceMetric", "the HPA was unable to compute the replica count: failed to get cpu utilization: unable to get "
        f"metrics for resource cpu: failed to get container metrics: container nope not present in metrics for pod default/{pod}")


# what fails, and how it is said


def test_without_a_metrics_server_nothing_is_known():
    cluster = Cluster(seed=3)
    deployment(cluster, replicas=2)
    autoscaler(cluster)
    cluster.clock.run_for(16)
    status = get(cluster)["status"]
    assert (status["currentReplicas"], status["desiredReplicas"], status["currentMetrics"]) == (2, 0, [{"type": ""}])
    assert condition(cluster, "AbleToScale") == ("True", "SucceededGetScale", "the HPA controller was able to get the target's current scale")
    assert condition(cluster, "ScalingActive") == (
        "False", "FailedGetResourceMetric", f"the HPA was unable to compute the replica count: {NO_API}")
    assert events(cluster) == [
        ("Warning", "FailedGetResourceMetric", NO_API),
        ("Warning", "FailedComputeMetricsReplicas",
         f"invalid metrics (1 invalid out of 1), first error is: failed to get cpu resource metric value: {NO_API}")]


def test_failures_are_counted_every_fifteen_seconds_and_rarely_once_nobody_hears_them():
    cluster = Cluster(seed=3)
    deployment(cluster, replicas=2)
    autoscaler(cluster)
    moments = looks(cluster)
    cluster.clock.run_for(16 + 5 * 15)
    counts = [event["count"] for event in cluster.client().list("events", "default") if event["reason"] == "FailedGetResourceMetric"]
    assert counts == [6] and len(moments) == 6
    cluster.clock.run_for(3600)
    assert len(moments) < 30


def test_it_goes_on_as_soon_as_metrics_are_there():
    cluster = Cluster(seed=3)
    deployment(cluster)
    autoscaler(cluster)
    cluster.clock.run_for(1000)
    from server.cluster import bootstrap
    bootstrap.metrics_server(cluster.parts)
    cluster.clock.run_for(90)
    assert condition(cluster, "ScalingActive")[1] == "ValidMetricFound"


def test_pods_that_request_no_cpu_make_it_unknown(cluster):
    deployment(cluster, requests={})
    cluster.clock.run_for(60)
    autoscaler(cluster)
    cluster.clock.run_for(20)
    pod = cluster.client().list("pods", "default")[0]["metadata"]["name"]
    why = f"failed to get cpu utilization: missing request for cpu in container main of Pod {pod}"
    assert condition(cluster, "ScalingActive") == ("False", "FailedGetResourceMetric", f"the HPA was unable to compute the replica count: {why}")
    assert replicas(cluster) == 1


def test_pods_too_young_for_metrics_make_it_wait(cluster):
    cluster.clock.run_until((cluster.clock.now // 15 + 1) * 15 + 10)
    deployment(cluster, replicas=2)
    autoscaler(cluster)
    cluster.clock.run_for(15.1)
    message = condition(cluster, "ScalingActive")[2]
    assert "no metrics returned from resource metrics API" in message or "did not receive metrics for targeted pods" in message
    cluster.clock.run_for(120)
    assert condition(cluster, "ScalingActive")[0] == "True"


@pytest.mark.parametrize(("metric", "reason", "message", "outer"), [
    ({"type": "Pods", "pods": {"metric": {"name": "hits"}, "target": {"type": "AverageValue", "averageValue": "10"}}},
     "FailedGetPodsMetric", "unable to get metric hits: unable to fetch metrics from custom metrics API: no custom metrics API "
     "(custom.metrics.k8s.io) registered", "failed to get pods metric value: "),
    ({"type": "Object", "object": {"metric": {"name": "hits"}, "describedObject": {"kind": "Service", "name": "php", "apiVersion": "v1"},
                                   "target": {"type": "Value", "value": "10"}}},
     "FailedGetObjectMetric", "unable to get metric hits: Service on default php/unable to fetch metrics from custom metrics API: no custom "
     "metrics API (custom.metrics.k8s.io) registered", "failed to get object metric value: "),
    ({"type": "External", "external": {"metric": {"name": "queue"}, "target": {"type": "Value", "value": "10"}}},
     "FailedGetExternalMetric", "unable to get external metric default/queue/nil: unable to fetch metrics from external metrics API: the "
     "server could not find the requested resource (get queue.external.metrics.k8s.io)",
     "failed to get queue external metric value: failed to get external metric queue: ")])
def test_metrics_that_nobody_serves_say_so(cluster, metric, reason, message, outer):
    deployment(cluster)
    cluster.clock.run_for(60)
    autoscaler(cluster, metrics=[metric])
    cluster.clock.run_for(16)
    assert condition(cluster, "ScalingActive") == ("False", reason, f"the HPA was unable to compute the replica count: {message}")
    assert ("Warning", "FailedComputeMetricsReplicas",
            f"invalid metrics (1 invalid out of 1), first error is: {outer}{message}") in events(cluster)


def test_with_one_metric_missing_it_scales_up_but_not_down(cluster):
    missing = {"type": "Pods", "pods": {"metric": {"name": "hits"}, "target": {"type": "AverageValue", "averageValue": "10"}}}
    deployment(cluster, replicas=3)
    cluster.clock.run_for(400)
    autoscaler(cluster, metrics=[missing, resource("cpu", 50)])
    cluster.clock.run_for(700)
    assert replicas(cluster) == 3 and condition(cluster, "ScalingActive")[1] == "FailedGetPodsMetric"
    cluster.network.traffic.aim("default/php", 80, 20)
    cluster.clock.run_for(330)
    assert replicas(cluster) > 3


def test_targets_that_cannot_be_scaled_are_reported(cluster):
    autoscaler(cluster, "missing")
    autoscaler(cluster, "unknown", kind="Banana")
    cluster.clock.run_for(16)
    assert condition(cluster, "AbleToScale", "missing") == (
        "False", "FailedGetScale", 'the HPA controller was unable to get the target\'s current scale: deployments.apps "missing" not found')
    assert condition(cluster, "AbleToScale", "unknown")[2].endswith('no matches for kind "Banana" in group "apps"')
    assert events(cluster, "missing")[0] == ("Warning", "FailedGetScale", 'deployments.apps "missing" not found')


def test_two_autoscalers_over_the_same_pods_are_ambiguous(cluster):
    deployment(cluster)
    autoscaler(cluster, "a", target="php")
    autoscaler(cluster, "b", target="php")
    cluster.clock.run_for(40)
    assert condition(cluster, "ScalingActive", "b") == (
        "False", "AmbiguousSelector", "pods by selector app=php are controlled by multiple HPAs: [default/a default/b]")
    cluster.client().delete(HPA, "default", "a")
    cluster.clock.run_for(400)
    assert condition(cluster, "ScalingActive", "b")[0] == "True"


# restarts


@pytest.mark.parametrize("after", [5, 100, 290])
def test_a_restart_loses_neither_recommendations_nor_pace(after):
    def story(restart: str) -> list[int]:
        cluster = Cluster(seed=5, metrics_server=True)
        deployment(cluster)
        autoscaler(cluster)
        cluster.clock.run_for(60)
        cluster.network.traffic.aim("default/php", 80, 10)
        cluster.clock.run_for(240)
        cluster.network.traffic.aim("default/php", 80, 0)
        cluster.clock.run_for(after)
        if restart == "cluster":
            cluster = Cluster.restore(cluster.snapshot())
        elif restart == "controller":
            controller(cluster).stop()
            controller(cluster).start()
        sizes = []
        for _ in range(30):
            cluster.clock.run_for(15)
            sizes.append(replicas(cluster))
        return sizes

    whole = story("")
    assert story("controller") == whole and story("cluster") == whole and whole[-1] == 1


def test_a_controller_that_was_down_catches_up(cluster):
    deployment(cluster)
    autoscaler(cluster)
    cluster.clock.run_for(60)
    controller(cluster).stop()
    cluster.network.traffic.aim("default/php", 80, 10)
    cluster.clock.run_for(300)
    assert replicas(cluster) == 1
    controller(cluster).start()
    cluster.clock.run_for(120)
    assert replicas(cluster) == 7


def test_what_it_remembered_goes_with_the_autoscaler(cluster):
    deployment(cluster)
    autoscaler(cluster)
    cluster.clock.run_for(60)
    assert cluster.store.state.items("autoscaler/")
    cluster.client().delete(HPA, "default", "php")
    cluster.clock.run_for(1)
    assert not cluster.store.state.items("autoscaler/")


# the object


def invalid(cluster: Cluster, **spec) -> str:
    with pytest.raises(ApiError) as caught:
        autoscaler(cluster, "bad", **spec)
    return caught.value.message.removeprefix('HorizontalPodAutoscaler.autoscaling "bad" is invalid: ')


def test_faults_are_told_in_the_api_servers_words(cluster):
    assert invalid(cluster, least=0) == (
        "[spec.minReplicas: Invalid value: 0: must be greater than or equal to 1, spec.metrics: Forbidden: must specify at least one Object or "
        "External metric to support scaling to zero replicas]")
    assert invalid(cluster, least=5, most=2) == "spec.maxReplicas: Invalid value: 2: must be greater than or equal to `minReplicas`"
    assert invalid(cluster, metrics=[resource("cpu", 0)]) == (
        "spec.metrics[0].resource.target.averageUtilization: Invalid value: 0: must be greater than 0")
    assert invalid(cluster, metrics=[{"type": "Resource"}]) == (
        "spec.metrics[0].resource: Required value: must populate information for the given metric source")
    assert invalid(cluster, behavior={"scaleUp": {"policies": [{"type": "Pod", "value": 0, "periodSeconds": 4000}]}}) == (
        '[spec.behavior.scaleUp.policies[0].type: Unsupported value: "Pod": supported values: "Percent", "Pods", '
        "spec.behavior.scaleUp.policies[0].value: Invalid value: 0: must be greater than zero, "
        "spec.behavior.scaleUp.policies[0].periodSeconds: Invalid value: 4000: must be less than or equal to 1800]")
    assert invalid(cluster, behavior={"scaleDown": {"stabilizationWindowSeconds": 3601}}) == (
        "spec.behavior.scaleDown.stabilizationWindowSeconds: Invalid value: 3601: must be less than or equal to 3600")


def test_what_is_left_out_is_filled_in(cluster):
    made = cluster.client().create(HPA, {"metadata": {"name": "web", "namespace": "default"}, "spec": {
        "scaleTargetRef": {"kind": "Deployment", "name": "web"}, "maxReplicas": 3, "behavior": {"scaleDown": {"selectPolicy": "Min"}}}})
    assert made["spec"]["minReplicas"] == 1
    assert made["spec"]["metrics"] == [resource("cpu", 80)]
    assert made["spec"]["behavior"]["scaleUp"] == {"stabilizationWindowSeconds": 0, "selectPolicy": "Max", "policies": [
        {"type": "Pods", "value": 4, "periodSeconds": 15}, {"type": "Percent", "value": 100, "periodSeconds": 15}]}
    assert made["spec"]["behavior"]["scaleDown"] == {"selectPolicy": "Min", "policies": [{"type": "Percent", "value": 100, "periodSeconds": 15}]}
    assert made["status"] == {"currentMetrics": None, "desiredReplicas": 0}
