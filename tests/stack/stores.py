"""The two databases as tests handle them: opened as the service opens them, and from beside, as others might."""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import psycopg

from plugin.store.database import Database
from plugin.store.postgresql import WRITER_LOCK
from tests.stack.database import migrated_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAMES = ("sqlite", "postgresql")


class SqliteStore:
    """A file that nobody else uses."""

    name = "sqlite"

    def __init__(self, folder: Path) -> None:
        self.path = folder / "facestep.db"
        self.url = f"sqlite:///{self.path}"

    def open(self, *, busy_timeout_s: float = 0.2) -> Database:
        return Database(self.url, busy_timeout_s=busy_timeout_s)

    @contextmanager
    def locked(self) -> Iterator[Any]:
        """Hold the write lock as another process; yields something with `execute`."""
        with closing(sqlite3.connect(self.path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            yield other

    def run(self, *statements: str) -> None:
        """Write past the service, as somebody with the file or the administrator's password."""
        with closing(sqlite3.connect(self.path)) as other, other:
            for statement in statements:
                other.execute(statement)

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.path)) as other:
            return other.execute(statement).fetchall()


class PostgresqlStore:
    """A database of a server that the whole test run shares."""

    name = "postgresql"

    def __init__(self, url: str) -> None:
        self.url = url

    def open(self, *, busy_timeout_s: float = 0.2) -> Database:
        return Database(self.url, busy_timeout_s=busy_timeout_s)

    @contextmanager
    def locked(self) -> Iterator[Any]:
        """Hold the write lock as another process; yields something with `execute`."""
        with psycopg.connect(self.url) as other:
            other.execute("SELECT pg_advisory_xact_lock(%s)", [WRITER_LOCK])
            yield other
            other.rollback()

    def run(self, *statements: str) -> None:
        """Write past the service, as somebody with the administrator's password."""
        with psycopg.connect(self.url, autocommit=True) as other:
            for statement in statements:
                other.execute(statement)

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url) as other:
            return other.execute(statement).fetchall()


Store = SqliteStore | PostgresqlStore


@contextmanager
def fresh_store(name: str, folder: Path, server: Any, *, migrated: bool = True) -> Iterator[Store]:
    """Yield a new database of this kind; `server` returns the PostgreSQL server when it is asked for."""
    if name == "sqlite":
        store = SqliteStore(folder)
        if migrated:
            store.path.touch(mode=0o600)
            store.path.write_bytes(migrated_file())
        yield store
        return
    with server().database(migrated=migrated) as url:
        yield PostgresqlStore(url)
