"""Overtaken: since a ceremony began, another one has bound something, or the person has stopped everything.

By the order of the audit log, not by clocks: several hosts write it.

Not here: what is refused (ceremonies/cooldown.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import bindparam, select

from plugin.store.cooling import BOUND
from plugin.store.last_said import OF_PERSON, newest, of_person
from plugin.store.stopped import STOPPED
from plugin.store.tables import AuditEntry

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

_BEGUN: Final = "ceremony_begun"
_NEWEST: Final = newest(BOUND, STOPPED).where(AuditEntry.ceremony_id != bindparam("of_ceremony"))
_BEGUN_AFTER: Final = (
    select(AuditEntry.seq)
    .where(
        *OF_PERSON,
        AuditEntry.event == _BEGUN,
        AuditEntry.ceremony_id == bindparam("of_ceremony"),
        AuditEntry.seq > bindparam("after"),
    )
    .limit(1)
)


def overtaken_by(session: Session, *, issuer: str, subject: str, ceremony_id: str) -> str | None:
    """Return what has overtaken this ceremony, BOUND or STOPPED; None if nothing has.

    A ceremony whose beginning the log does not know counts as older.
    """
    known = {**of_person(issuer, subject), "of_ceremony": ceremony_id}
    newest = session.execute(_NEWEST, known).first()
    if newest is None or session.scalar(_BEGUN_AFTER, {**known, "after": newest.seq}) is not None:
        return None
    return str(newest.event)
