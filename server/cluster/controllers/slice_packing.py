"""How a Service's endpoints are spread over EndpointSlices: at most a hundred in each, and few slices touched by a change.

``plan`` takes the slices there are and what became of some pods, and says which slices to rewrite, create and delete. An endpoint
stays where it is; new ones go into slices that are being rewritten anyway, then into the fullest with room for all, then into new
ones. A slice holds endpoints of one set of ports. A Service without endpoints keeps one empty slice.

Source: https://kubernetes.io/docs/concepts/services-networking/endpoint-slices/#distribution-of-endpointslices
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from server.cluster.objects import Object, name

MOST_ENDPOINTS = 100


class Endpoint(NamedTuple):
    """What a pod wants published."""

    ports: list[Object]
    endpoint: Object


class Content(NamedTuple):
    ports: list[Object]
    endpoints: list[Object]


class Plan(NamedTuple):
    """Slices by name to rewrite and to delete, and the contents of new ones."""

    rewrite: dict[str, Content]
    create: list[Content]
    delete: list[str]


def pod_of(endpoint: Object) -> str:
    return (endpoint.get("targetRef") or {}).get("name", "")


def places(slices: Iterable[Object]) -> dict[str, str]:
    """The slice each pod is in."""
    return {pod_of(endpoint): name(entry) for entry in slices for endpoint in entry.get("endpoints") or ()}


def plan(slices: list[Object], where: dict[str, str], changes: dict[str, Endpoint | None]) -> Plan:
    """``where`` is ``places(slices)``, which callers keep; ``changes`` is what each changed pod wants now (None: nothing)."""
    by_name = {name(entry): entry for entry in slices}
    touched: dict[str, dict[str, Object]] = {name(entry): {} for entry in slices if not entry.get("endpoints")}
    arrivals: dict[str, list[Object]] = {}
    listening: dict[str, list[Object]] = {}

    def contents(slice_name: str) -> dict[str, Object]:
        known = touched.get(slice_name)
        if known is None:
            known = touched[slice_name] = {pod_of(endpoint): endpoint for endpoint in by_name[slice_name]["endpoints"]}
        return known

    for pod, wanted in changes.items():
        place = where.get(pod)
        if place in by_name:
            here = contents(place)
            if wanted is not None and wanted.ports == (by_name[place].get("ports") or []):
                here[pod] = wanted.endpoint
                continue
            here.pop(pod, None)
        if wanted is not None:
            group = repr(wanted.ports)
            arrivals.setdefault(group, []).append(wanted.endpoint)
            listening[group] = wanted.ports

    create: list[Content] = []
    for group, endpoints in arrivals.items():
        create += _place(by_name, touched, listening[group], endpoints)
    return _finish(by_name, touched, create)


def _place(by_name: dict[str, Object], touched: dict[str, dict[str, Object]], ports: list[Object],
           endpoints: list[Object]) -> list[Content]:
    """Puts new endpoints of one set of ports into slices; the contents of the slices that must be made are the answer."""
    alike = [slice_name for slice_name, entry in by_name.items() if (entry.get("ports") or []) == ports]
    left = list(endpoints)
    for slice_name in sorted((entry for entry in alike if entry in touched), key=lambda entry: -len(touched[entry])):
        room = MOST_ENDPOINTS - len(touched[slice_name])
        touched[slice_name].update((pod_of(endpoint), endpoint) for endpoint in left[:max(0, room)])
        left = left[max(0, room):]
    made = []
    while len(left) >= MOST_ENDPOINTS:
        made.append(Content(ports, left[:MOST_ENDPOINTS]))
        left = left[MOST_ENDPOINTS:]
    if not left:
        return made
    fitting = [entry for entry in alike if entry not in touched and len(by_name[entry]["endpoints"]) + len(left) <= MOST_ENDPOINTS]
    if not fitting:
        return [*made, Content(ports, left)]
    fullest = max(fitting, key=lambda entry: len(by_name[entry]["endpoints"]))
    touched[fullest] = {pod_of(endpoint): endpoint for endpoint in [*by_name[fullest]["endpoints"], *left]}
    return made


def _finish(by_name: dict[str, Object], touched: dict[str, dict[str, Object]], create: list[Content]) -> Plan:
    """Slices left empty take up what would be new ones; one stays, empty, when nothing else would."""
    rewrite = {slice_name: Content(by_name[slice_name].get("ports") or [], list(endpoints.values()))
               for slice_name, endpoints in touched.items() if endpoints}
    empty = [slice_name for slice_name, endpoints in touched.items() if not endpoints]
    if len(empty) == len(by_name) and not create:
        create = [Content([], [])]
    create = list(create)
    while empty and create:
        rewrite[empty.pop(0)] = create.pop()
    changed = {slice_name: content for slice_name, content in rewrite.items()
               if content != (by_name[slice_name].get("ports") or [], by_name[slice_name].get("endpoints") or [])}
    return Plan(changed, create, empty)
