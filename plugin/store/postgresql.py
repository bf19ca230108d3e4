"""What is particular to PostgreSQL: how a connection is set up, how a transaction begins, what its errors mean.

Rules:
 * One writer at a time, as with SQLite: a writing transaction takes an advisory lock of this database when it begins
   and holds it until it has committed. "Count the attempt, then compare", "is this code unused, then use it", "read
   the last entry, chain the next one to it" and "delete everything of this person" were written for that. Row locks
   alone would let a reference be stored while its owner is erased.
 * It works at READ COMMITTED, where each statement sees what was committed before it. At REPEATABLE READ or
   SERIALIZABLE the snapshot would be taken by the very statement that waits for the lock, and be old when it has it;
   a failed transaction would have to be run again, which a `with` block cannot be.
 * A commit is on the disk when it returns, whatever the server's default (synchronous_commit=on). One that is only
   ORDERED is seen by all and reaches the disk with the next: the log is written in order.
 * A reader has one snapshot (REPEATABLE READ) and may not write.
 * Who holds the lock and says nothing for half a minute is disconnected by the server: a host that was lost must not
   stop all others.
 * The way to the server is encrypted and its name checked, unless it is on this machine.

What it costs: one commit after the other, so a server's flush and its distance bound what all hosts write together
(docs/operations.md has a figure). The lock is free to everybody who may connect: give no strangers a role here.

Not here: roles and grants (roles.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import create_engine, event, text

from plugin.errors import SettingsError
from plugin.store.kinds import Kind
from plugin.urls import is_loopback_host

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine
    from sqlalchemy.engine import URL, ExceptionContext

WRITER_LOCK: Final = int.from_bytes(b"facestep", "big")
"""The key of the advisory lock; advisory locks of other databases on the same server have nothing to do with it."""

_SILENT_HOLDER_S: Final = 30  # the longest transaction takes milliseconds; the vault's longest answer 30 s (settings)
_CONNECT_S: Final = 5
_POOL: Final = 5  # connections kept for each kind; a worker has four threads unless told otherwise
_BUSY: Final = frozenset({"55P03", "40P01", "40001", "53300", "57014"})
"""lock_not_available, deadlock_detected, serialization_failure, too_many_connections, query_canceled
(postgresql.org/docs/current/errcodes-appendix.html)."""
_DENIED: Final = "42501"  # insufficient_privilege
_DRIVERS: Final = frozenset({"postgresql", "postgresql+psycopg"})
_ALLOWED: Final = frozenset(
    {"host", "port", "passfile", "sslmode", "sslrootcert", "sslcert", "sslkey", "target_session_attrs"}
)
_TRUE_TLS: Final = "verify-full"


def checked_url(url: URL) -> URL:
    """Return the URL with driver and TLS settled, or raise SettingsError."""
    if url.drivername not in _DRIVERS:
        raise SettingsError(f"database_url: use postgresql://, not {url.drivername}://")
    if not url.database or not _hosts(url):
        raise SettingsError("database_url must name host and database: postgresql://facestep@db.example.org/facestep")
    unknown = sorted(set(url.query) - _ALLOWED)
    if unknown:
        raise SettingsError(f"database_url: {unknown[0]} is not understood; known are {', '.join(sorted(_ALLOWED))}")
    url = url.set(drivername="postgresql+psycopg")
    if all(_is_here(host) for host in _hosts(url)):
        return url
    if url.query.get("sslmode", _TRUE_TLS) != _TRUE_TLS:
        raise SettingsError(f"database_url: sslmode must be {_TRUE_TLS} unless the server is on this machine")
    return url.update_query_dict({"sslmode": _TRUE_TLS})


def open_engine(url: URL, kind: Kind, *, busy_timeout_s: float) -> Engine:
    """Return an engine for one kind of transactions, by the rules above. Nothing is opened yet."""
    settings = {
        "lock_timeout": int(busy_timeout_s * 1000),
        "idle_in_transaction_session_timeout": _SILENT_HOLDER_S * 1000,
        "synchronous_commit": "off" if kind is Kind.ORDERED else "on",
        "default_transaction_read_only": "on" if kind is Kind.READING else "off",
        "client_encoding": "utf8",
    }
    engine = create_engine(
        url,
        isolation_level="REPEATABLE READ" if kind is Kind.READING else "READ COMMITTED",
        connect_args={
            "options": " ".join(f"-c {name}={value}" for name, value in settings.items()),
            "connect_timeout": _CONNECT_S,
            "application_name": f"facestep {kind.value}",
        },
        pool_size=_POOL,
        pool_timeout=busy_timeout_s,
        pool_pre_ping=True,  # a server that was restarted must not cost the next person a login
        hide_parameters=True,  # an error message must not carry what was to be stored
    )
    if kind is not Kind.READING:
        event.listen(engine, "begin", _take_writer_lock)
    event.listen(engine, "handle_error", _without_values)
    return engine


def is_busy(original: BaseException | None) -> bool:
    """Tell whether waiting would help: a lock that did not come free, or no free connection."""
    return _state(original) in _BUSY


def is_denied(original: BaseException | None) -> bool:
    """Tell whether the database's role may not do what was asked."""
    return _state(original) == _DENIED


def is_nul(original: BaseException | None) -> bool:
    """Tell whether the driver refused a text for a NUL in it; it does so before it asks the server."""
    return _state(original) is None and type(original).__name__ == "DataError" and "NUL" in str(original)


def check_encoding(connection: Connection) -> None:
    """Raise SettingsError unless every text can be stored as it is."""
    encoding = connection.scalar(text("SHOW server_encoding"))
    if encoding != "UTF8":
        raise SettingsError(f"the database has the encoding {encoding}; make it with ENCODING 'UTF8'")


def _state(original: BaseException | None) -> str | None:
    return getattr(original, "sqlstate", None)


def _take_writer_lock(connection: Connection) -> None:
    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITER_LOCK})")


def _without_values(context: ExceptionContext) -> None:
    """Take PostgreSQL's DETAIL line out of an error: it repeats the row that was refused."""
    known, original = context.sqlalchemy_exception, context.original_exception
    primary = getattr(getattr(original, "diag", None), "message_primary", None)
    if known is not None and primary is not None:
        original.args = (primary,)
        known.args = (f"({type(original).__name__}) {primary}",)


def _hosts(url: URL) -> list[str]:
    """Return every host that the driver may talk to; a socket's folder is one too."""
    named = url.query.get("host", ())
    several = (named,) if isinstance(named, str) else named
    listed = [host for names in several for host in names.split(",")]
    return [*listed, *([url.host] if url.host else [])]


def _is_here(host: str) -> bool:
    bare = host.rsplit(":", 1)[0] if host.count(":") == 1 else host
    return not bare or bare.startswith("/") or is_loopback_host(bare)
