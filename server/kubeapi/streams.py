"""Answers that go on: watches and followed logs, written straight to the client's socket as the cluster runs.

In: a channel of the API server's and the form the client wants. Out: one line of JSON an event (or text as it is logged), bookmarks,
and an end when the time is up, when the client is gone, or when it reads too slowly. An event is encoded once for all its watchers,
and all that a change wakes are written to in one go.

Source: https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from typing import Any

import orjson

from server import green
from server.cluster.apiserver import listing, tables
from server.cluster.apiserver.request import Request, Response
from server.cluster.apiserver.resources import served
from server.cluster.apiserver.server import ApiServer
from server.cluster.errors import ApiError, internal, too_many_requests
from server.cluster.objects import Object
from server.cluster.process import Channel
from server.cluster.store import BOOKMARK, Event
from server.kubeapi import wire
from server.kubeapi.media import Media, metadata_only
from server.kubeapi.rooms import RoomLike

log = logging.getLogger(__name__)

BATCH = 128 * 1024
BOOKMARK_EVERY = 50.0
WATCH_LASTS = (1800.0, 3600.0)
FOR_EVER = 86_400.0
MOST_STREAMS = 2_000
Encode = Callable[[Any], bytes]

_flusher = green.Flusher()


class Feed:
    """Moves what a channel holds to a stream, as fast as the client takes it and no faster."""

    def __init__(self, channel: Channel, stream: green.Stream, encode: Encode, last_word: Callable[[str], bytes]) -> None:
        self.channel = channel
        self.stream = stream
        self._encode = encode
        self._last_word = last_word
        stream.on_drained = self.pump
        channel.notify(self._wake)

    def _wake(self) -> None:
        _flusher.mark(self)

    def pump(self) -> None:
        """Writes what there is. A fault ends this stream and no other."""
        try:
            self._pump()
        except Exception as error:
            log.exception("a stream broke")
            self.stream.write(_error(internal(f"{type(error).__name__}: {error}")))
            self.stream.end()

    def _pump(self) -> None:
        stream, items, encode = self.stream, self.channel.items, self._encode
        while items and not stream.blocked and not stream.ended:
            batch = [encode(items.popleft())]
            size = len(batch[0])
            while items and size < BATCH:
                batch.append(encode(items.popleft()))
                size += len(batch[-1])
            stream.write(batch[0] if len(batch) == 1 else b"".join(batch))
        if self.channel.closed and not items and not stream.ended:
            stream.write(self._last_word(self.channel.reason))
            stream.end()

    def idle(self) -> bool:
        return not self.channel.items and not self.stream.blocked

    def end(self) -> None:
        """Ends the stream in order: the client will come back."""
        self.stream.end()

    def close(self) -> None:
        self.channel.notify(None)
        self.channel.close()
        self.stream.close()


def watch(environ: wire.Environ, room: RoomLike, request: Request, media: Media) -> None:
    """Serves a watch until it ends. ApiError if it cannot begin; that its revision is gone is the stream's own first event."""
    api, options = room.cluster.api, request.options
    _check_room(room)
    try:
        response = api.request(request)
    except ApiError as error:
        if error.code != 410:
            raise
        response = Response(200, {}, stream=_refused(error))
    encode = _encoder(api, request, media)
    stream = green.Stream(environ, "200 OK", _headers(media.type, response))
    feed = Feed(response.stream, stream, encode, _dropped)
    lasts = options.timeout_seconds if options.timeout_seconds else random.uniform(*WATCH_LASTS)
    row = served(request.resource)

    def mark() -> None:
        if options.allow_watch_bookmarks and feed.idle():
            stream.write(encode(listing.bookmark(row, api.store.revision)))

    _serve(room, feed, lasts, mark)


def follow(environ: wire.Environ, room: RoomLike, response: Response) -> None:
    """Serves a followed log until the container ends or the client goes. ApiError when there are too many streams."""
    try:
        _check_room(room)
    except ApiError:
        response.stream.close()
        raise
    stream = green.Stream(environ, "200 OK", _headers("text/plain", response))
    if response.text:
        stream.write(response.text.encode())
    feed = Feed(response.stream, stream, _text, lambda _: b"")
    _serve(room, feed, FOR_EVER, lambda: None)


def _check_room(room: RoomLike) -> None:
    if len(room.feeds) >= MOST_STREAMS:
        raise too_many_requests(f"this room has {MOST_STREAMS} open watches and logs already; please try again later", 5)


def _serve(room: RoomLike, feed: Feed, lasts: float, mark: Callable[[], None]) -> None:
    end = time.monotonic() + lasts
    room.feeds.add(feed)
    try:
        feed.pump()
        while not feed.stream.wait(max(0.0, min(end - time.monotonic(), BOOKMARK_EVERY))):
            room.touch()
            mark()
            if time.monotonic() >= end:
                feed.stream.end()
    finally:
        room.feeds.discard(feed)
        feed.close()


def _headers(type_: str, response: Response) -> wire.Headers:
    return [("Content-Type", type_), ("Cache-Control", "no-cache, private"), wire.NO_SNIFF, *wire.warnings(response.warnings)]


def _text(item: Any) -> bytes:
    return item if isinstance(item, bytes) else str(item).encode()


def _refused(error: ApiError) -> Channel:
    channel = Channel()
    channel.put(error)
    channel.close()
    return channel


def _dropped(reason: str) -> bytes:
    """What a watcher hears last when the server ends the watch: one that was too slow has to list again."""
    if not reason:
        return b""
    return _error(ApiError(410, "Expired", f"the watch was ended by the server: {reason}"))


def _error(error: ApiError) -> bytes:
    return orjson.dumps({"type": "ERROR", "object": error.status()}, option=orjson.OPT_APPEND_NEWLINE)


def _encoder(api: ApiServer, request: Request, media: Media) -> Encode:
    if media.shape == "Table":
        return _TableEncoder(api, request, media)
    if media.shape:
        return lambda event: _error(event) if isinstance(event, ApiError) else _line(event, metadata_only(event.object, media.version))
    return lambda event: _error(event) if isinstance(event, ApiError) else event.wire()


def _line(event: Event, obj: Object) -> bytes:
    return orjson.dumps({"type": event.type, "object": obj}, option=orjson.OPT_APPEND_NEWLINE)


class _TableEncoder:
    """Each event as a table of one row; only the first carries the columns."""

    def __init__(self, api: ApiServer, request: Request, media: Media) -> None:
        self._api = api
        self._resource = request.resource
        self._include = request.table or "Metadata"
        self._version = media.version
        self._told = False

    def __call__(self, event: Event | ApiError) -> bytes:
        if isinstance(event, ApiError):
            return _error(event)
        clock = self._api.clock
        rows = () if event.type == BOOKMARK else (event.object,)
        table = tables.render(self._resource, rows, clock.now, clock, self._include)
        meta = event.object["metadata"]
        table["apiVersion"] = f"meta.k8s.io/{self._version}"
        table["metadata"] = {"resourceVersion": meta["resourceVersion"]}
        if event.type == BOOKMARK and "annotations" in meta:
            table["metadata"]["annotations"] = meta["annotations"]
        if self._told:
            table["columnDefinitions"] = None
        self._told = True
        return _line(event, table)
