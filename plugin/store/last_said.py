"""The newest entry of the audit log about a person among some events, as a statement that is built once.

Whoever asks does so in the caller's transaction, often at every step of a ceremony, while every other writer waits. So
the index of the log by person and event must answer, in a time that does not grow with the log: of_log() keeps the
database from walking the log backwards instead. The log is chained: an entry that somebody deletes is noticed by
`facestep audit verify`.

Not here: what follows from it (cooling.py, stopped.py, suspended.py, overtaken.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import bindparam, select

from plugin.store.tables import AuditEntry

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Select


def of_log() -> ColumnElement[bool]:
    """Return the condition that an entry is of the service's own stream, as the log's primary key cannot serve it.

    SQLite has no numbers about the rows and believes that a stream holds ten: it would go through all of it, newest
    first, for a person of whom it finds nothing (sqlite.org/optoverview.html, "Disqualifying WHERE Clause Terms").
    """
    return AuditEntry.stream.concat("") == "service"


OF_PERSON: Final = (
    of_log(),
    AuditEntry.issuer == bindparam("of_issuer"),
    AuditEntry.subject == bindparam("of_subject"),
)


def of_person(issuer: str, subject: str) -> dict[str, str]:
    """Return the parameters that say whom a statement is about."""
    return {"of_issuer": issuer, "of_subject": subject}


def newest(*events: str) -> Select[int, str, int]:
    """Return the statement for seq, event and at_ms of the newest of these entries about a person."""
    columns = select(AuditEntry.seq, AuditEntry.event, AuditEntry.at_ms)
    return columns.where(*OF_PERSON, AuditEntry.event.in_(events)).order_by(AuditEntry.seq.desc()).limit(1)
