"""Rooms on disk: SQLite holds every room's settings and every object of its store, as of its last flush.

One connection and one writer (two would block each other and the server with them). A flush writes what changed since the last
one in a single transaction; once it returns, the change survives ``kill -9``.

Source: https://www.sqlite.org/wal.html
"""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import orjson

SCHEMA = """
CREATE TABLE IF NOT EXISTS rooms (id TEXT PRIMARY KEY, meta BLOB NOT NULL, clock BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS objects (room TEXT NOT NULL, resource TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL,
  body BLOB NOT NULL, PRIMARY KEY (room, resource, namespace, name)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS histories (room TEXT PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS pasts (room TEXT NOT NULL, part INTEGER NOT NULL, number INTEGER NOT NULL, body BLOB NOT NULL,
  PRIMARY KEY (room, part, number)) WITHOUT ROWID;
"""
Row = tuple[str, str, str, bytes | None]
Past = tuple[int, int, bytes]  # the part of the past, which piece of it, and what it tells
PARTS = 5  # of a room's past: the oldest goes as a whole


class StorageError(Exception):
    """The data folder is of no use; the message says why."""


class Storage:
    """``folder`` is made if it is not there. StorageError if rooms cannot be kept in it."""

    def __init__(self, folder: str) -> None:
        try:
            Path(folder).mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(Path(folder) / "podium.sqlite3", isolation_level=None, check_same_thread=False)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")
            self._db.executescript(SCHEMA)
        except (OSError, sqlite3.Error) as error:
            raise StorageError(f"rooms cannot be kept in {folder!r}: {error}; choose another folder with --data") from error

    def rooms(self) -> list[str]:
        return [row[0] for row in self._db.execute("SELECT id FROM rooms ORDER BY id")]

    def create(self, room: str, meta: dict[str, Any], clock: dict[str, Any], rows: Iterable[Row]) -> None:
        """A new room, whole or not at all."""
        with _transaction(self._db):
            self._db.execute("INSERT INTO rooms VALUES (?, ?, ?)", (room, orjson.dumps(meta), orjson.dumps(clock)))
            self._write(room, rows)

    def flush(self, room: str, clock: dict[str, Any], rows: Iterable[Row], past: Past | None = None) -> None:
        """What changed: (resource, namespace, name, JSON), with None for what is gone; and how it came to that."""
        with _transaction(self._db):
            self._db.execute("UPDATE rooms SET clock = ? WHERE id = ?", (orjson.dumps(clock), room))
            self._write(room, rows)
            if past is not None:
                part, number, body = past
                self._db.execute("INSERT OR REPLACE INTO pasts VALUES (?, ?, ?, ?)", (room, part, number, zlib.compress(body, 1)))
                self._db.execute("DELETE FROM pasts WHERE room = ? AND part <= ?", (room, part - PARTS))

    def save_meta(self, room: str, meta: dict[str, Any]) -> None:
        self._db.execute("UPDATE rooms SET meta = ? WHERE id = ?", (orjson.dumps(meta), room))

    def _write(self, room: str, rows: Iterable[Row]) -> None:
        kept, gone = [], []
        for resource, namespace, name, body in rows:
            (gone.append((room, resource, namespace, name)) if body is None else kept.append((room, resource, namespace, name, body)))
        self._db.executemany("INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?, ?)", kept)
        if gone:
            self._db.executemany("DELETE FROM objects WHERE room = ? AND resource = ? AND namespace = ? AND name = ?", gone)

    def meta(self, room: str) -> dict[str, Any] | None:
        found = self._db.execute("SELECT meta FROM rooms WHERE id = ?", (room,)).fetchone()
        return orjson.loads(found[0]) if found is not None else None

    def load(self, room: str) -> tuple[dict[str, Any], dict[str, Any], list[Row]] | None:
        """(meta, clock, rows) of a room, None if there is no such room."""
        found = self._db.execute("SELECT meta, clock FROM rooms WHERE id = ?", (room,)).fetchone()
        if found is None:
            return None
        rows = self._db.execute("SELECT resource, namespace, name, body FROM objects WHERE room = ?", (room,)).fetchall()
        return orjson.loads(found[0]), orjson.loads(found[1]), rows

    def keep_history(self, room: str, history: bytes) -> None:
        """What the room was before, as of an orderly end."""
        with _transaction(self._db):
            self._db.execute("INSERT OR REPLACE INTO histories VALUES (?, ?)", (room, zlib.compress(history, 1)))
            self._db.execute("DELETE FROM pasts WHERE room = ?", (room,))

    def last_part(self, room: str) -> int:
        return self._db.execute("SELECT COALESCE(MAX(part), 0) FROM pasts WHERE room = ?", (room,)).fetchone()[0]

    def pasts(self, room: str) -> list[bytes]:
        """What was flushed since the last orderly end, the oldest first."""
        return [zlib.decompress(body) for (body,) in self._db.execute("SELECT body FROM pasts WHERE room = ? ORDER BY part, number", (room,))]

    def history(self, room: str) -> bytes | None:
        found = self._db.execute("SELECT body FROM histories WHERE room = ?", (room,)).fetchone()
        return zlib.decompress(found[0]) if found is not None else None

    def delete(self, room: str) -> None:
        with _transaction(self._db):
            self._db.execute("DELETE FROM histories WHERE room = ?", (room,))
            self._db.execute("DELETE FROM pasts WHERE room = ?", (room,))
            self._db.execute("DELETE FROM objects WHERE room = ?", (room,))
            self._db.execute("DELETE FROM rooms WHERE id = ?", (room,))

    def close(self) -> None:
        self._db.close()


class _transaction:  # noqa: N801 - reads as a word at its call
    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def __enter__(self) -> None:
        self._db.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: type | None, *_: object) -> None:
        if kind is None:
            try:
                self._db.execute("COMMIT")
            except sqlite3.Error:
                self._roll_back()
                raise
        else:
            self._roll_back()

    def _roll_back(self) -> None:
        """SQLite has rolled back by itself after some errors, a full disk among them."""
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")
