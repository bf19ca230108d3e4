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
_BOUND_AT: Final = (
    select(AuditEntry.at_ms)
    .where(
        AuditEntry.stream == "service",
        AuditEntry.issuer == bindparam("of_issuer"),
        AuditEntry.subject == bindparam("of_subject"),
        AuditEntry.event == BOUND,
    )
    .order_by(AuditEntry.seq.desc())
    .limit(1)
)


def is_cooling(session: Session, *, issuer: str, subject: str, hours: int, now: datetime) -> bool:
    """Tell whether this person recovered less than `hours` ago."""
    return cooling_until(session, issuer=issuer, subject=subject, hours=hours, now=now) is not None


def cooling_until(session: Session, *, issuer: str, subject: str, hours: int, now: datetime) -> datetime | None:
    """Return when changes are possible again, or None if they are."""
    bound_ms = session.scalar(_BOUND_AT, {"of_issuer": issuer, "of_subject": subject})
    if bound_ms is None or to_ms(now - timedelta(hours=hours)) >= bound_ms:
        return None
    return from_ms(bound_ms) + timedelta(hours=hours)
