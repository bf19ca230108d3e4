"""How often something may happen within some time, counted in the audit log.

Rules:
 * What counts is what was written down, so a limit holds for all workers and over restarts, and cannot be reset
   without breaking the log's chain.
 * The deed is written first and counted then: of parallel tries each sees the others.

Not here: guesses at a pass (ceremonies/attempts.py), requests a second (web/limits.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from plugin.store.instants import from_ms, to_ms
from plugin.store.tables import AuditEntry

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from sqlalchemy import Select
    from sqlalchemy.orm import Session

    from plugin.ceremonies.types import Subject

_STREAM = "service"


def exceeds(session: Session, event: str, *, owner: Subject, most: int, within: timedelta, now: datetime) -> bool:
    """Tell whether more than `most` entries of this event about `owner` are younger than `within`."""
    found = session.scalar(_about(event, owner).offset(most).limit(1))
    return found is not None and found > to_ms(now - within)


def last(session: Session, event: str, *, owner: Subject) -> datetime | None:
    """Return when this event was last written down about `owner`."""
    found = session.scalar(_about(event, owner).limit(1))
    return None if found is None else from_ms(found)


def _about(event: str, owner: Subject) -> Select[int]:
    return (
        select(AuditEntry.at_ms)
        .where(
            AuditEntry.stream == _STREAM,
            AuditEntry.issuer == owner.issuer,
            AuditEntry.subject == owner.subject,
            AuditEntry.event == event,
        )
        .order_by(AuditEntry.seq.desc())
    )
