"""Whatever is asked, in whatever order, settles to what the objects say; and on the way a rollout keeps its bounds."""

from __future__ import annotations

from controllers_world import DEPLOYMENT, SERVICE, World
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.cluster.controllers import podfacts, rollout

IMAGES = ("nginx:1.1", "nginx:1.2", "nginx:1.3")
steps = st.lists(st.tuples(
    st.sampled_from(["scale", "image", "delete pod", "relabel pod", "delete set", "scale set", "pause", "resume", "fail pod",
                     "sicken pod", "delete service", "restart rollout"]),
    st.integers(0, 9), st.sampled_from([0.0, 0.004, 0.02, 0.7, 3.0, 20.0])), max_size=12)
fences = st.sampled_from([("25%", "25%"), (1, 0), (0, 1), ("50%", 0), (2, "40%"), ("100%", "100%")])


def do(world: World, what: str, number: int) -> None:
    pods, sets = world.active(), world.replica_sets()
    pod = pods[number % len(pods)]["metadata"]["name"] if pods else None
    chosen = sets[number % len(sets)]["metadata"]["name"] if sets else None
    if what == "scale":
        world.scale(number)
    elif what == "image":
        world.set_image(IMAGES[number % 3])
    elif what in ("pause", "resume"):
        world.patch("deployments.apps", "web", {"spec": {"paused": what == "pause"}})
    elif what == "restart rollout":
        world.patch("deployments.apps", "web", {"spec": {"template": {"metadata": {"annotations": {"restartedAt": str(number)}}}}})
    elif what == "delete set" and chosen:
        world.kubectl.delete("replicasets.apps", "default", chosen, propagation=("Background", "Foreground")[number % 2])
    elif what == "scale set" and chosen:
        world.scale(number, chosen, "replicasets.apps")
    elif what == "delete service" and world.get("services", "web"):
        world.kubectl.delete("services", "default", "web")
        world.apply(SERVICE)
    elif pod and what == "delete pod":
        world.kubectl.delete("pods", "default", pod)
    elif pod and what == "relabel pod":
        world.patch("pods", pod, {"metadata": {"labels": {"app": "other"}}})
    elif pod and what == "fail pod":
        world.set_status(pod, phase="Failed", ready=False)
    elif pod and what == "sicken pod":
        world.set_status(pod, ready=False)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps, fences)
def test_any_sequence_of_acts_ends_with_exactly_the_desired_pods(acts, fence):
    world = World()
    world.apply(SERVICE)
    world.apply(DEPLOYMENT, strategy={"type": "RollingUpdate", "rollingUpdate": {"maxSurge": fence[0], "maxUnavailable": fence[1]}})
    for what, number, wait in acts:
        do(world, what, number)
        world.run(wait)
    world.patch("deployments.apps", "web", {"spec": {"paused": False}})
    for pod in world.active():
        if not podfacts.ready(pod) and podfacts.phase(pod) == "Running":
            world.set_status(pod["metadata"]["name"], ready=True)
    world.run(120)

    wanted, image = rollout.size(world.deployment()), world.deployment()["spec"]["template"]["spec"]["containers"][0]["image"]
    own = [pod for pod in world.active() if pod["metadata"]["labels"]["app"] == "web"]
    assert [pod["spec"]["containers"][0]["image"] for pod in own] == [image] * wanted
    status = world.deployment()["status"]
    assert rollout.complete(world.deployment(), status) or not wanted
    assert [status.get(field, 0) for field in ("replicas", "updatedReplicas", "readyReplicas", "unavailableReplicas")] == [
        wanted, wanted, wanted, 0]
    uids = {entry["metadata"]["uid"] for entry in world.replica_sets()}
    assert all(pod["metadata"]["ownerReferences"][0]["uid"] in uids for pod in own)
    published = sorted(endpoint["targetRef"]["name"] for entry in world.slices() for endpoint in entry["endpoints"] or ())
    assert published == sorted(pod["metadata"]["name"] for pod in own)
    subsets = world.get("endpoints", "web").get("subsets") or []
    assert sorted(address["targetRef"]["name"] for subset in subsets for address in subset["addresses"]) == published
    assert world.clock.run_until_idle()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.sampled_from(IMAGES), st.sampled_from([0.004, 0.02, 0.7, 1.3, 5.0])), min_size=1, max_size=5),
       st.integers(1, 9), fences, st.sampled_from([0, 2]))
def test_a_rollout_keeps_its_bounds_at_every_event(images, replicas, fence, min_ready):
    """Pods that are not being deleted never number more than the surge allows, nor available ones fewer than the floor.

    With minReadySeconds only for one rollout at a time: of a half-available ReplicaSet that a second one makes smaller, Kubernetes
    may take an available pod, since its ranking knows of ready but not of available.
    """
    world = World()
    world.apply(DEPLOYMENT, replicas=replicas, minReadySeconds=min_ready,
                strategy={"type": "RollingUpdate", "rollingUpdate": {"maxSurge": fence[0], "maxUnavailable": fence[1]}})
    world.run(60)
    ceiling = replicas + rollout.max_surge(world.deployment())
    floor = rollout.min_available(world.deployment())
    seen = []

    def look(event) -> None:
        pods = world.active()
        available = [pod for pod in pods if (at := podfacts.available_at(pod, min_ready, world.clock)) is not None
                     and at <= world.clock.now]
        seen.append((len(pods), len(available)))

    world.api.watch("pods", look)
    for image, wait in images[:1] if min_ready else images:
        world.set_image(image)
        world.run(wait)
    world.run(120)
    assert all(count <= ceiling for count, _ in seen)
    assert all(available >= floor for _, available in seen)
    assert rollout.complete(world.deployment(), world.deployment()["status"])
