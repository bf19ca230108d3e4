"""Cool-down: for a time after a recovery, what an impostor would do next is not possible.

The audit log says when a recovery bound a new factor ("recovery_bound"); it is chained, so a row that somebody deletes
to end a cool-down early is noticed by `facestep audit verify`.

Not here: what is refused (ceremonies/cooldown.py).
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import bindparam, select

from plugin.store.instants import from_ms, to_ms
from plugin.store.tables import AuditEntry

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session

BOUND: Final = "recovery_bound"
FACE_REPLACED: Final = "face_replaced"
_BEGUN: Final = "ceremony_begun"
_OF: Final = (
    AuditEntry.stream == "service",
    AuditEntry.issuer == bindparam("of_issuer"),
    AuditEntry.subject == bindparam("of_subject"),
)
_BOUND_AT: Final = (
    select(AuditEntry.at_ms).where(*_OF, AuditEntry.event == BOUND).order_by(AuditEntry.seq.desc()).limit(1)
)
_BOUND_BY_ANOTHER: Final = (
    select(AuditEntry.seq)
    .where(*_OF, AuditEntry.event == BOUND, AuditEntry.ceremony_id != bindparam("of_ceremony"))
    .order_by(AuditEntry.seq.desc())
    .limit(1)
)
_BEGUN_AFTER: Final = (
    select(AuditEntry.seq)
    .where(
        *_OF,
        AuditEntry.event == _BEGUN,
        AuditEntry.ceremony_id == bindparam("of_ceremony"),
        AuditEntry.seq > bindparam("after"),
    )
    .limit(1)
)
"""Built once, since every step of a ceremony asks; the index of the log by person and event answers."""


def is_cooling(session: Session, *, issuer: str, subject: str, hours: int, now: datetime) -> bool:
    """Tell whether this person recovered less than `hours` ago."""
    return cooling_until(session, issuer=issuer, subject=subject, hours=hours, now=now) is not None


def cooling_until(session: Session, *, issuer: str, subject: str, hours: int, now: datetime) -> datetime | None:
    """Return when changes are possible again, or None if they are."""
    bound_ms = session.scalar(_BOUND_AT, {"of_issuer": issuer, "of_subject": subject})
    if bound_ms is None or to_ms(now - timedelta(hours=hours)) >= bound_ms:
        return None
    return from_ms(bound_ms) + timedelta(hours=hours)


def is_overtaken(session: Session, *, issuer: str, subject: str, ceremony_id: str) -> bool:
    """Tell whether another ceremony of this person has bound something since this one began.

    By the order of the log, not by clocks: several hosts write it. A ceremony whose beginning it does not know is one.
    """
    known = {"of_issuer": issuer, "of_subject": subject, "of_ceremony": ceremony_id}
    bound = session.scalar(_BOUND_BY_ANOTHER, known)
    return bound is not None and session.scalar(_BEGUN_AFTER, {**known, "after": bound}) is None
