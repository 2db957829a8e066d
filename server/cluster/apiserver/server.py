"""The API server: the one door to a cluster.

Every request, whoever makes it, goes through ``ApiServer.request``: authentication and authorization, decoding (for what comes off
the wire), defaulting, admission, validation, storage, and from there to whoever watches. Reads come from the watch cache.
What a kind does beyond the common path is in ``strategies`` (its own fields), ``subresources`` and ``deletion``.

Source: https://kubernetes.io/docs/reference/using-api/api-concepts/
"""

from __future__ import annotations

import random as random_module
from collections.abc import Callable
from typing import Any, Protocol

from server.cluster.apiserver import (
    admission,
    authorization,
    decode,
    defaults,
    deletion,
    listing,
    patch,
    strategies,
    subresources,
    validation,
    versions,
)
from server.cluster.apiserver.cache import Lister
from server.cluster.apiserver.expiry import EventExpiry
from server.cluster.apiserver.heard import HeardRequests
from server.cluster.apiserver.owned_pods import OwnedPods
from server.cluster.apiserver.priorities import Priorities
from server.cluster.apiserver.quota import Quota
from server.cluster.apiserver.request import JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH, Options, Request, Response
from server.cluster.apiserver.resources import EXTENSIONS, RESOURCES, VERSIONS, Resource
from server.cluster.apiserver.services import ServiceAllocator
from server.cluster.clock import Clock
from server.cluster.errors import (
    ApiError,
    already_exists,
    bad_request,
    conflict,
    invalid,
    method_not_allowed,
    modified,
    no_such_resource,
    not_found,
    past,
    unsupported_media_type,
)
from server.cluster.names import generate
from server.cluster.objects import Object
from server.cluster.process import Channel
from server.cluster.store import Cause, Record, Store, Watch, Watcher

PATCH_TYPES = (JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH)
READS = frozenset(("get", "list", "watch"))
REVIEWS = frozenset(("authorization.k8s.io", "authentication.k8s.io"))
GENERATE_TRIES = 8
KEPT_BYTES = 64 * 1024
MAX_OBJECTS, MAX_BYTES = 1_000_000, 256 * 1024 * 1024
NOT_FOR_CLIENTS = frozenset(("deletionTimestamp", "deletionGracePeriodSeconds", "selfLink", "generation", "managedFields"))
_UUID_4 = 4 << 76 | 2 << 62
_UUID_RANDOM = ~(15 << 76 | 3 << 62)


class Extension(Protocol):
    """A server behind this one that answers for a group."""

    def installed(self) -> bool: ...

    def request(self, resource: Resource, request: Request) -> Response: ...


class ApiServer:
    """One cluster's API server over its store.

    ``present(resource, obj)`` may refresh what is only computed when somebody looks (a node's heartbeat); None leaves all as stored.
    ``logs`` answers the ``log`` subresource of pods; the kubelets set it. ``breathe()`` is called before each request of the cluster's
    own parts, so that whoever runs the clock can do something else in the middle of a long reaction.
    ``outage(request)`` says why there is no answer while the server or its etcd is down, ``storing()`` whether etcd runs; ``virtual`` gives
    the objects of resources that are made when somebody looks; ``read_only`` is set for a cluster that is looked at as it was; ``streams`` are
    the watches and logs that clients read; ``heard`` is what people asked that left no revision.
    """

    def __init__(self, clock: Clock, store: Store, random: random_module.Random, breathe: Callable[[], None] | None = None) -> None:
        self.clock = clock
        self.store = store
        self.random = random
        self._listers = {key: Lister(store, key, breathe) for key in RESOURCES}
        self.owned_pods = OwnedPods(store)
        self.services = ServiceAllocator(self)
        self.priorities = Priorities(self)
        self.expiry = EventExpiry(self)
        self.quota = Quota(store, MAX_OBJECTS, MAX_BYTES)
        self.present: Callable[[str, Object], Object] | None = None
        self.logs: Any = None
        self.sessions: Any = None
        self.extensions: dict[str, Extension] = {}
        self.breathe = breathe
        self.storing: Callable[[], bool] = lambda: True
        self.outage: Callable[[Request], ApiError | None] | None = None
        self.read_only = False
        self.virtual: dict[str, Callable[[], list[Object]]] = {}
        self.streams: dict[int, Channel] = {}
        self.heard = HeardRequests()
        self._verbs = {
            "get": self._get, "list": self._list, "watch": self._watch, "create": self._create, "update": self._update,
            "patch": self._patch, "delete": self._delete, "deletecollection": self._delete_collection,
        }

    def lister(self, resource: str) -> Lister:
        return self._listers[resource]

    def streaming(self, channel: Channel) -> Channel:
        """Notes a stream that a client reads, so that it ends with the server."""
        ended, self.streams[id(channel)] = channel.on_close, channel

        def close() -> None:
            self.streams.pop(id(channel), None)
            if ended is not None:
                ended()

        channel.on_close = close
        return channel

    def drop_streams(self) -> None:
        """The server is gone: so are the connections to it."""
        for channel in list(self.streams.values()):
            channel.close()

    def watch(self, resource: str | None, callback: Watcher) -> Watch:
        """Every change of a resource (None: of all) from now on, told in the instant it happens; ``callback`` may not write."""
        return self.store.watch(resource, callback)

    def request(self, request: Request) -> Response:
        """Does what is asked or raises ``ApiError``; a request that fails leaves the store as it was."""
        if self.heard.of_people(request):
            return self.heard.ask(self._answered, request, self.clock.now, lambda: self.store.revision)
        return self._answered(request)

    def _answered(self, request: Request) -> Response:
        if self.outage is not None and (error := self.outage(request)) is not None:
            raise error
        if self.read_only and request.verb not in READS and not request.options.dry_run and request.resource.partition(".")[2] not in REVIEWS:
            raise past(request.resource, self.store.revision)
        resource = RESOURCES.get(request.resource)
        if resource is None:
            return self._elsewhere(request)
        authorization.authorize(request, resource)
        if request.verb == "patch" and request.content_type not in PATCH_TYPES:
            raise unsupported_media_type(PATCH_TYPES)
        if request.subresource:
            row = resource.subresource(request.subresource)
            if row is None:
                raise no_such_resource()
            if request.verb not in row.verbs:
                raise method_not_allowed(resource.plural, request.verb)
            response = subresources.handle(self, resource, request)
        else:
            if request.verb not in resource.verbs:
                raise method_not_allowed(resource.plural, request.verb)
            response = self._verbs[request.verb](resource, request)
        if resource.deprecated and resource.deprecated not in response.warnings:
            response.warnings.append(resource.deprecated)
        return response

    def _elsewhere(self, request: Request) -> Response:
        """What is kept in another version, or known to a server behind this one."""
        resource = VERSIONS.get(request.resource) or EXTENSIONS.get(request.resource)
        extension = self.extensions.get(resource.group) if resource is not None else None
        if resource is None or not (resource.stored or (extension is not None and extension.installed())):
            raise no_such_resource()
        authorization.authorize(request, resource)
        if request.verb not in resource.verbs:
            raise method_not_allowed(resource.plural, request.verb)
        return versions.handle(self, resource, request) if resource.stored else extension.request(resource, request)

    def extended(self) -> tuple[str, ...]:
        """The groups of the servers behind this one that are installed."""
        return tuple(group for group, extension in self.extensions.items() if extension.installed())

    # reading

    def current(self, resource: Resource, namespace: str, name: str) -> Record:
        """The stored record, or ApiError 404."""
        if resource.key in self.virtual:
            return listing.virtual_record(self, resource, name)
        record = self.store.get(resource.key, (namespace if resource.namespaced else "", name))
        if record is None:
            raise not_found(resource.key, name)
        return record

    def _get(self, resource: Resource, request: Request) -> Response:
        listing.check_resource_version(self.store, request.options)
        return self.answer(resource, request, self.current(resource, request.namespace, request.name))

    def _list(self, resource: Resource, request: Request) -> Response:
        return listing.list_objects(self, resource, request)

    def _watch(self, resource: Resource, request: Request) -> Response:
        return listing.watch_objects(self, resource, request)

    def answer(self, resource: Resource, request: Request, record: Record, code: int = 200, warnings: list[str] | None = None) -> Response:
        """One object as the client wants it: plain or as a table."""
        if resource.key in listing.PRESENTED and self.present is not None and \
                (shown := self.present(resource.key, record.object)) is not record.object:
            record = Record(shown, record.revision)
        if request.table is not None:
            return Response(code, listing.table(self, resource, [record.object], request.table), warnings or [])
        return Response(code, record.object, warnings or [], record)

    # writing

    def cause(self, request: Request, verb: str = "") -> Cause:
        asked = request if request.raw is None or len(request.raw) <= KEPT_BYTES else None
        return Cause(request.client, request.user, verb or request.verb, request.because, self.clock.now, asked)

    def decoded(self, request: Request, kind: str, api_version: str) -> tuple[Object, list[str]]:
        """The request's body as an object, and the warnings that decoding it gave."""
        if request.raw is None:
            if not isinstance(request.body, dict):
                raise bad_request("the request needs an object as its body")
            return request.body, []
        return decode.decode(request.raw, request.content_type, kind, api_version, request.options.field_validation)

    def _create(self, resource: Resource, request: Request) -> Response:
        """Names, defaults, admits, validates and stores a new object."""
        obj, warnings = self.decoded(request, resource.kind, resource.api_version)
        meta = dict(obj.get("metadata") or {})
        if meta.get("resourceVersion"):
            raise bad_request("resourceVersion should not be set on objects to be created")
        namespace = self._namespace_of(resource, request, meta)
        generated = not meta.get("name") and meta.get("generateName")
        if generated:
            meta["name"] = generate(self.random, generated)
        if not NOT_FOR_CLIENTS.isdisjoint(meta):
            meta = {field: value for field, value in meta.items() if field not in NOT_FOR_CLIENTS}
        meta["uid"] = self.new_uid()
        meta["creationTimestamp"] = self.clock.timestamp()
        obj = {**obj, "kind": resource.kind, "apiVersion": resource.api_version, "metadata": meta}
        obj = strategies.prepare_create(self, resource, defaults.apply(resource.key, obj))
        self.quota.admit_object()
        admission.check_create(self, resource, obj)
        errors = validation.validate_create(resource.key, obj)
        if errors:
            raise invalid(resource.kind, meta.get("name", ""), errors, resource.group)
        obj, undo = strategies.complete_create(self, resource, admission.mutate(self, resource, obj), request.options.dry_run)
        tries, key = GENERATE_TRIES, (namespace, meta["name"])
        while self.store.get(resource.key, key) is not None:
            tries -= 1
            if not generated or not tries:
                undo()
                raise already_exists(resource.key, key[1])
            key = (namespace, generate(self.random, generated))
            obj = {**obj, "metadata": {**obj["metadata"], "name": key[1]}}
        warnings = warnings + validation.warnings(resource.key, obj) if request.raw is not None else warnings
        if request.options.dry_run:
            return self.answer(resource, request, Record(obj, 0), 201, warnings)
        if request.raw is not None:
            self.quota.admit_bytes(resource.key, key, len(request.raw))
        record = self.store.put(resource.key, key, obj, self.cause(request))
        return self.answer(resource, request, record, 201, warnings)

    def new_uid(self) -> str:
        """A random (version 4) UUID."""
        digits = (self.random.getrandbits(128) & _UUID_RANDOM | _UUID_4).to_bytes(16).hex()
        return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"

    def _namespace_of(self, resource: Resource, request: Request, meta: dict) -> str:
        if not resource.namespaced:
            meta.pop("namespace", None)
            return ""
        namespace = request.namespace or meta.get("namespace") or ""
        if not namespace:
            raise bad_request("an empty namespace may not be set during creation")
        if meta.get("namespace", namespace) != namespace:
            raise bad_request("the namespace of the provided object does not match the namespace sent on the request")
        meta["namespace"] = namespace
        return namespace

    def _update(self, resource: Resource, request: Request) -> Response:
        obj, warnings = self.decoded(request, resource.kind, resource.api_version)
        meta = obj.get("metadata") or {}
        name = request.name or meta.get("name", "")
        if meta.get("name", name) != name:
            raise bad_request(f"the name of the object ({meta['name']}) does not match the name on the URL ({name})")
        namespace = request.namespace or meta.get("namespace", "")
        if meta.get("namespace", namespace) != namespace:
            raise bad_request("the namespace of the provided object does not match the namespace sent on the request")
        return self.replace(resource, request, self.current(resource, namespace, name), obj, warnings)

    def _patch(self, resource: Resource, request: Request) -> Response:
        record = self.current(resource, request.namespace, request.name)
        patched, warnings = self.patched(resource, request, record.object, resource.kind, resource.api_version)
        return self.replace(resource, request, record, patched, warnings)

    def patched(self, resource: Resource, request: Request, old: Object, kind: str, api_version: str) -> tuple[Object, list[str]]:
        """``old`` with the request's patch applied, decoded as ``kind``."""
        new = patch.apply(request.content_type, old, request.raw if request.raw is not None else request.body, api_version, kind)
        if request.raw is not None and new is not old:
            return decode.decode_patched(request.content_type, new, request.raw, kind, api_version, request.options.field_validation)
        return new, []

    def replace(self, resource: Resource, request: Request, record: Record, obj: Object, warnings: list[str],
                *, status: bool = False, prepare: Callable[[Object, Object], Object] | None = None,
                validate: Callable[[Object, Object], list] | None = None) -> Response:
        """Stores a new version of ``record``. ``status`` writes only the status, else everything but it; ``prepare(new, old)`` is
        what a subresource puts in the place of the kind's own strategy."""
        old = record.object
        was, meta = old["metadata"], obj.get("metadata") or {}
        asked = meta.get("resourceVersion")
        if asked and asked != was["resourceVersion"]:
            raise modified(resource.key, was["name"])
        if meta.get("uid") and meta["uid"] != was["uid"]:
            raise conflict(resource.key, was["name"],
                           f"Precondition failed: UID in precondition: {meta['uid']}, UID in object meta: {was['uid']}")
        if status:
            new = strategies.with_status(resource, obj, old)
        else:
            meta = strategies.kept_metadata(meta, was)
            new = defaults.apply(resource.key, {**obj, "kind": resource.kind, "apiVersion": resource.api_version, "metadata": meta})
            new = prepare(new, old) if prepare is not None else strategies.prepare_update(self, resource, new, old)
        if new is old or not status and new == old:
            return self.answer(resource, request, record, 200, warnings)
        admission.check_update(self, resource, new)
        if validate is not None:
            errors = validate(new, old)
        else:
            errors = (validation.validate_status if status else validation.validate_update)(resource.key, new, old)
        if errors:
            raise invalid(resource.kind, was["name"], errors, resource.group)
        undo = (lambda: None) if status else strategies.complete_update(self, resource, new, old, request.options.dry_run)
        warnings = warnings + validation.warnings(resource.key, new) if request.raw is not None and not status else warnings
        if request.options.dry_run:
            undo()
            return self.answer(resource, request, Record(new, record.revision), 200, warnings)
        key = (was.get("namespace", ""), was["name"])
        if request.raw is not None:
            self.quota.admit_bytes(resource.key, key, len(request.raw))
        if deletion.finished(resource, new):
            self.remove(resource, old, self.cause(request))
            return self.answer(resource, request, Record(new, record.revision), 200, warnings)
        stored = self.store.put(resource.key, key, new, self.cause(request))
        return self.answer(resource, request, stored, 200, warnings)

    # deleting

    def _delete(self, resource: Resource, request: Request) -> Response:
        admission.check_delete(resource, request.name)
        record = self.current(resource, request.namespace, request.name)
        return deletion.delete(self, resource, request, record, self.delete_options(request))

    def delete_options(self, request: Request) -> Options:
        return deletion.options(request, decode.decode_delete_options(request.raw) if request.raw else request.body)

    def _delete_collection(self, resource: Resource, request: Request) -> Response:
        options = self.delete_options(request)
        listed = listing.list_objects(self, resource, request)
        for record in listed.records or []:
            if self.breathe is not None:
                self.breathe()
            deletion.delete(self, resource, request, record, options)
        return listed

    def remove(self, resource: Resource, obj: Object, cause: Cause) -> Record:
        """Takes an object out of the store."""
        meta = obj["metadata"]
        strategies.removed(self, resource, obj)
        return self.store.delete(resource.key, (meta.get("namespace", ""), meta["name"]), cause)
