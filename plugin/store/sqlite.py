"""What is particular to SQLite: how a connection is set up, how a transaction begins, which errors mean "busy".

Rules:
 * A writing transaction takes the write lock when it begins (BEGIN IMMEDIATE). What it reads stays true until it
   commits, so "count the attempt, then compare" and "is this code unused, then use it" cannot be raced.
 * A commit is on the disk when it returns (synchronous=FULL): a used code must not be unused after a power cut. One
   that is only ORDERED is atomic, seen by all, and reaches the disk with the next one (sqlite.org/pragma.html).
 * Deleted rows are overwritten (secure_delete), and the file is readable by its owner only.

Not here: the same for PostgreSQL (postgresql.py).
"""

from __future__ import annotations

import sqlite3
import time
from typing import TYPE_CHECKING, Final

from sqlalchemy import Engine, create_engine, event

from plugin.errors import SettingsError
from plugin.store.kinds import Kind

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy.engine import URL


_PRAGMAS: Final = ("foreign_keys=ON", "secure_delete=ON", "trusted_schema=OFF")
_PRAGMA_OF: Final = {
    Kind.LASTING: "synchronous=FULL",
    Kind.ORDERED: "synchronous=NORMAL",
    Kind.READING: "query_only=ON",
}
_WAL_RETRY_S: Final = 0.02
_BUSY_CODES: Final = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_PRIMARY_CODE: Final = (
    0xFF  # extended result codes keep the primary code in their lowest byte (sqlite.org/rescode.html)
)


def open_engine(url: URL, kind: Kind, *, busy_timeout_s: float) -> Engine:
    """Return an engine for one kind of transactions, by the rules above. Nothing is opened yet.

    An engine a kind: asking each transaction for its kind, by SQLAlchemy's execution options, costs more than BEGIN.
    """
    if not url.database or url.database == ":memory:" or url.query:
        raise SettingsError("database_url must name a file: sqlite:////var/lib/facestep/facestep.db")
    engine = create_engine(
        url,
        connect_args={"timeout": busy_timeout_s},
        pool_timeout=busy_timeout_s,
        hide_parameters=True,  # an error message must not carry what was to be stored
    )
    begin = "BEGIN" if kind is Kind.READING else "BEGIN IMMEDIATE"
    event.listen(engine, "connect", lambda connection, _record: _set_up(connection, kind, busy_timeout_s))
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(begin))
    return engine


def create_file(path: Path) -> None:
    """Make an empty database file that only its owner may read, unless it is there already."""
    try:
        path.touch(mode=0o600, exist_ok=True)
    except OSError as exc:
        raise SettingsError(f"the database file {path} cannot be made: {exc.strerror}") from exc


def is_busy(original: BaseException | None) -> bool:
    """Tell whether somebody else held the lock for longer than the busy timeout."""
    code = getattr(original, "sqlite_errorcode", None)
    return code is not None and (code & _PRIMARY_CODE) in _BUSY_CODES


def _set_up(connection: sqlite3.Connection, kind: Kind, busy_timeout_s: float) -> None:
    connection.isolation_level = None  # the driver must not send a BEGIN of its own; the listener does
    connection.text_factory = _text
    _use_wal(connection, busy_timeout_s)
    for pragma in (*_PRAGMAS, _PRAGMA_OF[kind]):
        connection.execute(f"PRAGMA {pragma}")


def _use_wal(connection: sqlite3.Connection, busy_timeout_s: float) -> None:
    """Switch a new file to a write-ahead log, however many do so at once.

    Of several the losers are told that it is busy at once, whatever the timeout: waiting for each other's read locks
    would never end (sqlite.org/c3ref/busy_handler.html).
    """
    deadline = time.monotonic() + busy_timeout_s
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as exc:
            if not is_busy(exc) or time.monotonic() > deadline:
                raise
            time.sleep(_WAL_RETRY_S)
        else:
            return


def _text(stored: bytes) -> str:
    """Return any text, also what is not UTF-8: an edited row must fail its check, not the query."""
    return stored.decode("utf-8", "surrogateescape")
