"""The database: one way to open it, one kind of transaction, one way to bring its tables up to date.

Rules:
 * Everything that belongs together is written inside one `transaction()`; it commits as a whole or not at all.
 * A transaction never opens another one: what must commit together takes the caller's session.
 * A lock that does not come free in time is "store_busy", any other trouble underneath is "store_unavailable".
   A broken constraint (IntegrityError) is the caller's to interpret: it is how "already used" shows.
 * Text that cannot be kept is "bad_request", and nothing is written; requests are stopped earlier (plugin/storable.py).
 * The service starts only on the revision it was written for.

Not here: tables (tables.py), queries (each package keeps its own), what is particular to SQLite (sqlite.py) and to
PostgreSQL (postgresql.py).
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy.engine import make_url
from sqlalchemy.exc import (
    ArgumentError,
    DataError,
    DBAPIError,
    IntegrityError,
    NoSuchModuleError,
    ProgrammingError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import Session

from plugin.errors import ServiceError, SettingsError
from plugin.store import postgresql, revisions, roles, sqlite
from plugin.store.kinds import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    from sqlalchemy import Connection
    from sqlalchemy.engine import URL

BUSY_TIMEOUT_S: Final = 5.0  # well above the longest transaction (milliseconds), well below a person's patience

MIGRATION_PATIENCE: Final = 12  # busy timeouts: a migration waits for another worker's, which may take a minute

_inside: ContextVar[bool] = ContextVar("facestep_inside_transaction", default=False)


class Database:
    """Opened once a process; safe to use from many threads."""

    def __init__(self, url: str, *, busy_timeout_s: float = BUSY_TIMEOUT_S) -> None:
        try:
            parsed = make_url(url)
        except (ArgumentError, NoSuchModuleError) as exc:
            raise SettingsError("database_url is not an SQLAlchemy URL; for example sqlite:///facestep.db") from exc
        self._url, self._backend = _backend_of(parsed)
        self._engine, self._ordered_engine, self._reading_engine = (
            self._backend.open_engine(self._url, kind, busy_timeout_s=busy_timeout_s) for kind in Kind
        )
        self._migration_timeout_s = MIGRATION_PATIENCE * busy_timeout_s
        self._file = Path(self._url.database or "") if self._backend is sqlite else None

    def __repr__(self) -> str:
        return f"Database({self._engine.url.render_as_string(hide_password=True)!r})"

    @contextmanager
    def transaction(self, *, lasting: bool = True) -> Iterator[Session]:
        """Yield a session that holds the write lock; commit at the end, roll back on any exception.

        Args:
            lasting: the commit is on the disk when this returns. False only for what a lasting transaction follows
                before anything is answered: that one carries this one to the disk with it.

        Raises:
            ServiceError: store_busy or store_unavailable; nothing was written.
        """
        if _inside.get():
            raise RuntimeError("a transaction inside a transaction: pass the caller's session instead")
        engine = self._engine if lasting else self._ordered_engine
        token = _inside.set(True)
        try:
            with self._mapped_errors(), Session(engine, expire_on_commit=False) as session, session.begin():
                session.connection()  # takes the write lock now, so that the first read is already under it
                yield session
        finally:
            _inside.reset(token)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Yield a session on one consistent snapshot; writers are not kept waiting, and a write is refused."""
        with (
            self._mapped_errors(),
            Session(self._reading_engine, expire_on_commit=False, autoflush=False) as session,
        ):
            yield session

    def migrate(self) -> str:
        """Bring the tables to the revision this version needs, all or nothing; return that revision.

        Under the writers' own lock: nobody writes meanwhile, and of several that migrate one does and the others wait.
        """
        if self._file is not None:
            sqlite.create_file(self._file)
        patient = self._backend.open_engine(self._url, Kind.LASTING, busy_timeout_s=self._migration_timeout_s)
        try:
            with self._mapped_errors(), patient.begin() as connection:
                self._check_server(connection)
                return revisions.upgrade(connection)
        finally:
            patient.dispose()

    def check(self) -> None:
        """Raise SettingsError unless the tables are exactly those this version was written for."""
        needed = revisions.newest()
        found = None
        if self._file is None or self._file.is_file():
            with self._mapped_errors(), self._reading_engine.connect() as connection:
                self._check_server(connection)
                found = revisions.current(connection)
        if found != needed:
            raise SettingsError(
                f"the database is at revision {found or 'none'}, this version needs {needed}; "
                "run `facestep database migrate`",
            )

    def rights_too_many(self) -> list[str]:
        """Return what our role may do to the audit log besides adding to it; a file has no roles."""
        if self._backend is not postgresql:
            return []
        with self._mapped_errors(), self._reading_engine.connect() as connection:
            return roles.rights_too_many(connection)

    def _check_server(self, connection: Connection) -> None:
        if self._backend is postgresql:
            postgresql.check_encoding(connection)

    @contextmanager
    def _mapped_errors(self) -> Iterator[None]:
        try:
            yield
        except (IntegrityError, ProgrammingError, DataError) as exc:
            if self._backend is postgresql and postgresql.is_denied(exc.orig):
                raise ServiceError("store_denied", _said(exc)) from exc
            if self._backend is postgresql and postgresql.is_nul(exc.orig):
                raise ServiceError("bad_request", "a text holds NUL") from exc
            raise  # a constraint or a mistake of ours, never a state of the database
        except UnicodeEncodeError as exc:
            raise ServiceError("bad_request", "a text holds half of a surrogate pair") from exc
        except DBAPIError as exc:
            busy = self._backend.is_busy(exc.orig)
            raise ServiceError("store_busy" if busy else "store_unavailable", _said(exc)) from exc
        except PoolTimeoutError as exc:
            raise ServiceError("store_busy", "no free connection") from exc

    def close(self) -> None:
        """Close every pooled connection."""
        for engine in (self._engine, self._ordered_engine, self._reading_engine):
            engine.dispose()


def _said(error: DBAPIError) -> str:
    return f"{type(error.orig).__name__}: {error.orig}"


def _backend_of(url: URL) -> tuple[URL, ModuleType]:
    """Return the URL as it will be used, and the module that knows its database."""
    name = url.get_backend_name()
    if name == "sqlite":
        return url, sqlite
    if name == "postgresql":
        return postgresql.checked_url(url), postgresql
    raise SettingsError(f"database_url: {name} is not supported; use sqlite:///FILE or postgresql://USER@HOST/NAME")
