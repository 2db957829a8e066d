"""Why a Service, its endpoints or an Ingress answers, or does not: labels one letter off, pods that are not ready, ports that nobody listens on.

Source: https://kubernetes.io/docs/tasks/debug/debug-application/debug-service/
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any

from server.cluster.cluster import Cluster
from server.cluster.objects import Object, condition_true, labels
from server.live import records
from server.live.records import thing_id
from server.live.why import pods, probes, remedies, requests, rollouts
from server.live.why.telling import MOST_LOOKED_AT, Aid, Reason, aid, fact, names, pairs, reason, scope, selected, step

Told = tuple[str, list[Reason]]
SLICES, CLASSES = "endpointslices.discovery.k8s.io", "ingressclasses.networking.k8s.io"
MOST_PODS = 20


def service(cluster: Cluster, obj: Object) -> Told:
    spec, meta = obj["spec"], obj["metadata"]
    if spec.get("type") == "ExternalName":
        return "here", [
            reason("external-name", {"name": spec.get("externalName", "")}, [fact(obj, "spec.externalName", spec.get("externalName", ""))])
        ]
    record = records.service(cluster, obj)
    ready = [entry for entry in record["endpoints"] if entry["ready"]]
    found: list[Reason] = []
    question = "here"
    if not ready:
        found = _no_endpoints(cluster, obj, record)
        question = "here" if found[0]["code"] == "manual-endpoints" else "noEndpoints"
    elif (deaf := _named(cluster, obj) or _deaf(cluster, obj, ready)) is not None:
        question = "noAnswer"
        found = [deaf]
    outside = _outside(cluster, obj, ready)
    if outside and question == "here":
        question = "outside"
    failing = requests.at(cluster, thing_id("Service", meta["namespace"], meta["name"]))
    if failing and question == "here":
        question = "noAnswer"
    found += [*outside, *failing]
    return question, found or [
        reason(
            "serves",
            {"count": len(ready), "selector": pairs(spec.get("selector") or {}) or "-"},
            [
                fact(obj, "spec.selector", pairs(spec.get("selector") or {})),
                *(fact(pod, "status.podIP", _ip(pod)) for pod in _pods(cluster, ready[:4])),
            ],
        )
    ]


def _no_endpoints(cluster: Cluster, obj: Object, record: dict[str, Any]) -> list[Reason]:
    spec, meta = obj["spec"], obj["metadata"]
    selector = spec.get("selector") or {}
    if not selector:
        if record["endpoints"] or _manual(cluster, obj):
            return [reason("manual-endpoints", {}, [fact(obj, "spec.selector", "-")])]
        return [
            reason(
                "no-selector",
                {"name": meta["name"]},
                [fact(obj, "spec.selector", "-")],
                [aid("set-selector", f"kubectl edit service {meta['name']}{scope(obj)}")],
            )
        ]
    matching = selected(cluster.api.lister("pods"), meta["namespace"], selector)
    alive = [pod for pod in matching if (pod.get("status") or {}).get("phase") not in ("Succeeded", "Failed")]
    if alive:
        named = _unnamed(obj, alive)
        if named is not None:
            return [named]
        if any(condition_true(pod, "Ready") for pod in alive) and not cluster.components.healthy("kube-controller-manager"):
            return [rollouts.standstill()]
        return [_not_ready(cluster, obj, alive)]
    if matching:
        ended = [fact(pod, "status.phase", (pod.get("status") or {}).get("phase", "")) for pod in matching[:6]]
        return [reason("all-ended", {"count": len(matching), "pods": names(pod["metadata"]["name"] for pod in matching)}, ended)]
    asleep = _asleep(cluster, meta["namespace"], selector)
    if asleep is not None:
        return [asleep]
    near = record.get("near") or []
    if near:
        return [_near(obj, selector, one) for one in near]
    return [
        reason(
            "no-match",
            {"selector": selector, "shown": pairs(selector)},
            [fact(obj, "spec.selector", pairs(selector))],
            [aid("list-labels", f"kubectl get pods --show-labels{scope(obj)}")],
        )
    ]


def _asleep(cluster: Cluster, namespace: str, selector: dict[str, str]) -> Reason | None:
    """A workload whose pods it would select, if there were any."""
    for resource in ("deployments.apps", "statefulsets.apps", "replicasets.apps", "replicationcontrollers", "daemonsets.apps"):
        for one in cluster.api.lister(resource).list(namespace)[:MOST_LOOKED_AT]:
            made = (one["spec"].get("template") or {}).get("metadata", {}).get("labels") or {}
            if any(made.get(key) != value for key, value in selector.items()):
                continue
            kind, name = one["kind"], one["metadata"]["name"]
            if one["spec"].get("replicas") == 0:
                again = aid("scale-up", f"kubectl scale {kind.lower()} {name} --replicas=1{scope(one)}")
                return reason("scaled-to-zero", {"kind": kind, "name": name}, [fact(one, "spec.replicas", 0)], [again])
            inner = {"inner": [told[0]]} if (told := rollouts.told(cluster, one)) else {}
            return reason("no-pods-yet", {"kind": kind, "name": name}, [fact(one, "spec.template.metadata.labels", pairs(selector))]) | inner
    return None


def _ip(pod: Object) -> str:
    return (pod.get("status") or {}).get("podIP", "")


def _pods(cluster: Cluster, ready: list[dict[str, Any]]) -> list[Object]:
    lister = cluster.api.lister("pods")
    return [pod for entry in ready if (pod := lister.get(*entry["pod"].split("/")[1:])) is not None]


def _near(obj: Object, selector: dict[str, str], one: dict[str, Any]) -> Reason:
    """A pod that one label keeps out."""
    key, have = one["key"], one.get("have")
    fixed = ",".join(f"{name}={value}" for name, value in {**selector, key: have}.items())
    aids = [aid("fix-selector", f"kubectl set selector service {obj['metadata']['name']} '{fixed}'{scope(obj)}")] if have else []
    facts = [fact(obj, f"spec.selector{step(key)}", one["want"]), fact(one["pod"], f"metadata.labels{step(key)}", have or "-")]
    return reason("near-miss", {**one, "have": have or "-"}, facts, aids)


def _manual(cluster: Cluster, obj: Object) -> bool:
    meta = obj["metadata"]
    return any(
        one.get("endpoints")
        for one in cluster.api.lister(SLICES).list(meta["namespace"])
        if labels(one).get("kubernetes.io/service-name") == meta["name"]
    )


def _not_ready(cluster: Cluster, obj: Object, matching: list[Object]) -> Reason:
    """Pods match, none of them is ready: what is the matter with the first."""
    bad = pods.unready(cluster, matching)[:MOST_PODS] or matching[:MOST_PODS]
    inner = pods.first(cluster, bad[0])
    return reason(
        "none-ready",
        {"count": len(matching), "pods": names(pod["metadata"]["name"] for pod in bad)},
        [fact(pod, "status.conditions[Ready].status", "False") for pod in bad[:6]],
    ) | ({"inner": [inner]} if inner is not None else {})


def _named(cluster: Cluster, obj: Object) -> Reason | None:
    if all(isinstance(port.get("targetPort"), int) for port in obj["spec"].get("ports") or ()):
        return None
    return _unnamed(obj, selected(cluster.api.lister("pods"), obj["metadata"]["namespace"], obj["spec"].get("selector") or {})[:MOST_PODS])


def _unnamed(obj: Object, matching: list[Object]) -> Reason | None:
    """A targetPort by name that no container gives its port."""
    for index, port in enumerate(obj["spec"].get("ports") or ()):
        target = port.get("targetPort")
        if isinstance(target, str) and not target.isdigit():
            known = {entry.get("name") for pod in matching for one in pod["spec"]["containers"] for entry in one.get("ports") or ()} - {None}
            if matching and target not in known:
                offered = [
                    entry.get("name") or entry["containerPort"] for one in matching[0]["spec"]["containers"] for entry in one.get("ports") or ()
                ]
                return reason(
                    "named-port",
                    {"port": target, "known": names(sorted(known)) or "-", "pod": matching[0]["metadata"]["name"]},
                    [
                        fact(obj, f"spec.ports[{index}].targetPort", target),
                        fact(matching[0], "spec.containers[0].ports", names(sorted(known)) or "-"),
                    ],
                    [_aim(obj, index, offered[0] if offered else port["port"])],
                )
    return None


def _deaf(cluster: Cluster, obj: Object, ready: list[dict[str, Any]]) -> Reason | None:
    """Endpoints are there, but nothing listens on the port that they are sent to."""
    lister = cluster.api.lister("pods")
    seen = [pod for entry in ready[:MOST_PODS] if (pod := lister.get(*entry["pod"].split("/")[1:])) is not None]
    for index, port in enumerate(obj["spec"].get("ports") or ()):
        if port.get("protocol", "TCP") != "TCP":
            continue
        target = port.get("targetPort", port["port"])
        for pod in seen:
            number = _number(pod, target)
            if number is None or not cluster.kubelets.reachable(pod["spec"]["nodeName"]) or cluster.kubelets.runtime.listening(pod, number):
                continue
            heard = probes.listening(cluster, pod)
            return reason(
                "wrong-port",
                {"port": port["port"], "target": number, "pod": pod["metadata"]["name"], "listens": heard or "-"},
                [fact(obj, f"spec.ports[{index}].targetPort", target), fact(pod, "spec.containers[0].ports", heard or "-")],
                [_aim(obj, index, int(heard.split(",")[0])) if heard else None],
            )
    return None


def _aim(obj: Object, index: int, target: int | str) -> Aid:
    """Another target for one of its ports."""
    return aid("fix-port", remedies.patch(f"service/{obj['metadata']['name']}", obj, ("replace", f"/spec/ports/{index}/targetPort", target)))


def _number(pod: Object, target: Any) -> int | None:
    if isinstance(target, int):
        return target
    if str(target).isdigit():
        return int(target)
    return next(
        (entry["containerPort"] for one in pod["spec"]["containers"] for entry in one.get("ports") or () if entry.get("name") == target), None
    )


def _outside(cluster: Cluster, obj: Object, ready: list[dict[str, Any]]) -> list[Reason]:
    """What keeps it from those outside: no address yet, or no node that lets them in."""
    spec, found = obj["spec"], []
    given = ((obj.get("status") or {}).get("loadBalancer") or {}).get("ingress")
    if spec.get("type") == "LoadBalancer" and not given:
        balancer = cluster.network.load_balancer
        if spec.get("loadBalancerClass"):
            found.append(
                reason("balancer-class", {"class": spec["loadBalancerClass"]}, [fact(obj, "spec.loadBalancerClass", spec["loadBalancerClass"])])
            )
        elif not balancer.on:
            ports = names(str(port.get("nodePort", "")) for port in spec.get("ports") or ())
            found.append(
                reason(
                    "no-balancer",
                    {"ports": ports},
                    [fact(obj, "status.loadBalancer", "-"), fact(obj, "spec.ports[0].nodePort", ports)],
                    [aid("node-port")],
                )
            )
        elif spec.get("loadBalancerIP"):
            proof = [fact(obj, "spec.loadBalancerIP", spec["loadBalancerIP"])]
            any_ = aid("any-address", remedies.patch(f"service/{obj['metadata']['name']}", obj, ("remove", "/spec/loadBalancerIP", None)))
            found.append(reason("balancer-address", {"address": spec["loadBalancerIP"]}, proof, [any_]))
        else:
            found.append(reason("balancer-full", {"count": len(balancer.pool)}, [fact(obj, "status.loadBalancer", "-")]))
    if spec.get("type") in ("NodePort", "LoadBalancer"):
        nodes = cluster.api.lister("nodes").list()
        up = [node for node in nodes if condition_true(node, "Ready")]
        if not up:
            found.append(reason("no-node", {"count": len(nodes)}, [fact(node, "status.conditions[Ready].status", "False") for node in nodes[:4]]))
        elif spec.get("externalTrafficPolicy") == "Local" and ready:
            lister = cluster.api.lister("pods")
            with_pods = {pod["spec"].get("nodeName") for entry in ready if (pod := lister.get(*entry["pod"].split("/")[1:])) is not None}
            without = [node["metadata"]["name"] for node in up if node["metadata"]["name"] not in with_pods]
            if without:
                found.append(
                    reason(
                        "local-policy",
                        {"nodes": names(without), "with": names(sorted(with_pods))},
                        [fact(obj, "spec.externalTrafficPolicy", "Local")],
                    )
                )
    return found


def endpoints(cluster: Cluster, obj: Object) -> Told:
    """An Endpoints or EndpointSlice: it is as its Service and its pods are."""
    meta = obj["metadata"]
    name = meta["name"] if obj["kind"] == "Endpoints" else labels(obj).get("kubernetes.io/service-name", "")
    owner = cluster.api.lister("services").get(meta["namespace"], name)
    if owner is None:
        return "here", [reason("endpoints-alone", {"service": name or "-"}, [fact(obj, "metadata.labels", name)])]
    question, found = service(cluster, owner)
    if not owner["spec"].get("selector"):
        return question, found
    of = reason("endpoints-of", {"service": name}, [fact(owner, "spec.selector", pairs(owner["spec"]["selector"]))])
    return question, [of, *found] if question == "here" else [*found, of]


def _changed(obj: Object, path: str, value: Any) -> str:
    return remedies.patch(f"ingress/{obj['metadata']['name']}", obj, ("replace", f"/{remedies.pointer(path)}", value))


def _class(obj: Object, classes: list[Object], op: str) -> Aid:
    """One of the classes that there are, or a controller that brings one."""
    if not classes:
        return aid("ingress-controller")
    change = (op, "/spec/ingressClassName", classes[0]["metadata"]["name"])
    return aid("name-class", remedies.patch(f"ingress/{obj['metadata']['name']}", obj, change))


def ingress(cluster: Cluster, obj: Object) -> Told:
    spec, meta = obj.get("spec") or {}, obj["metadata"]
    found: list[Reason] = []
    classes = cluster.api.lister(CLASSES)
    wanted = spec.get("ingressClassName") or (meta.get("annotations") or {}).get("kubernetes.io/ingress.class")
    known = names(one["metadata"]["name"] for one in classes.list())
    if not wanted:
        found.append(
            reason("ingress-no-class", {"known": known or "-"}, [fact(obj, "spec.ingressClassName", "-")], [_class(obj, classes.list(), "add")])
        )
    elif classes.get("", wanted) is None and spec.get("ingressClassName"):
        found.append(
            reason(
                "ingress-unknown-class",
                {"class": wanted, "known": known or "-"},
                [fact(obj, "spec.ingressClassName", wanted)],
                [_class(obj, classes.list(), "replace")],
            )
        )
    backends = [
        (f"spec.rules[{index}].http.paths[{number}].backend.service", path["backend"])
        for index, rule in enumerate(spec.get("rules") or ())
        for number, path in enumerate((rule.get("http") or {}).get("paths") or ())
    ]
    if spec.get("defaultBackend"):
        backends.append(("spec.defaultBackend.service", spec["defaultBackend"]))
    for path, backend in backends[:MOST_PODS]:
        name, port = (backend.get("service") or {}).get("name", ""), (backend.get("service") or {}).get("port") or {}
        target = cluster.api.lister("services").get(meta["namespace"], name)
        if target is None:
            there = [one["metadata"]["name"] for one in cluster.api.lister("services").list(meta["namespace"])[:MOST_LOOKED_AT]]
            meant = get_close_matches(name, there, 1, 0.6)
            aids = [aid("meant-service", _changed(obj, f"{path}.name", meant[0]), name=meant[0])] if meant else []
            listed = aid("services", f"kubectl get services{scope(obj)}")
            found.append(reason("ingress-no-service", {"service": name}, [fact(obj, f"{path}.name", name)], [*aids, listed]))
            continue
        asked = port.get("name") or port.get("number")
        if asked is not None and not any(asked in (one.get("name"), one["port"]) for one in target["spec"].get("ports") or ()):
            offered = names(str(one["port"]) for one in target["spec"].get("ports") or ())
            found.append(
                reason(
                    "ingress-no-port",
                    {"service": name, "port": asked, "known": offered},
                    [fact(obj, f"{path}.port", asked), fact(target, "spec.ports", offered)],
                    [aid("fix-backend-port", _changed(obj, f"{path}.port", {"number": target["spec"]["ports"][0]["port"]}))],
                )
            )
            continue
        question, inner = service(cluster, target)
        if question in ("noEndpoints", "noAnswer"):
            found.append(reason("ingress-backend", {"service": name}, [fact(obj, f"{path}.name", name)]) | {"inner": inner[:1]})
    if found:
        return "noAnswer", found
    given = names(str(one.get("ip") or one.get("hostname")) for one in ((obj.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ())
    if not given:
        return "noAnswer", [
            reason("ingress-no-address", {"class": wanted or "-"}, [fact(obj, "status.loadBalancer", "-")], [aid("ingress-controller")])
        ]
    return "here", [reason("ingress-serves", {"address": given, "count": len(backends)}, [fact(obj, "status.loadBalancer.ingress", given)])]
