"""The life of a reference after its enrolment: the reminder, the end of its time, and the proof of both in the log.

Rules:
 * Past its time a reference lets nobody in (vault/references.py). For the days of grace it is still held, only to be
   compared with the face that takes its place; then it is deleted, with an audit entry each.
 * Deleting is safe to repeat and to interrupt: a batch is one transaction, deletions and entries together.
 * Whose reference was deleted so needs an invitation to enrol again (ceremonies/service.py): there is no face left
   that the new one could be compared with.

BIPA 15(a) asks for destruction within three years of the last interaction; time and grace together are at most that,
from the enrolment on (plugin/settings.py).

Not here: erasure on request (enrolment.py, audit/erasure.py), what is held about a person (held.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import delete, func, select

from plugin.ceremonies.types import Purpose
from plugin.store.history import EXPIRED
from plugin.store.instants import from_ms, to_ms
from plugin.store.tables import Reference

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.orm import Session

    from plugin.ceremonies.types import AuditSink, CeremonyView
    from plugin.settings import Settings
    from plugin.store.database import Database

BATCH: Final = 500


@dataclass(frozen=True, slots=True)
class Listed:
    """One reference as administrators see it; nothing of the face."""

    reference_id: str
    issuer: str
    subject: str
    created_at: datetime
    expires_at: datetime


class Lifecycle:
    """Remind, list and expire."""

    def __init__(self, *, database: Database, audit: AuditSink, settings: Settings) -> None:
        self._database = database
        self._audit = audit
        self._reminder = timedelta(days=settings.reference_reminder_days)
        self._grace = timedelta(days=settings.reference_grace_days)

    def renew_by(self, view: CeremonyView, *, now: datetime) -> datetime | None:
        """Return until when this person must renew the face, if that is soon; None otherwise."""
        if view.purpose is not Purpose.LOGIN:
            return None
        query = select(Reference.expires_ms).filter_by(issuer=view.issuer, subject=view.subject)
        with self._database.reading() as session:
            expires_ms = session.scalar(query)
        if expires_ms is None or to_ms(now + self._reminder) < expires_ms:
            return None
        return from_ms(expires_ms)

    def remind(self, view: CeremonyView, *, now: datetime) -> bool:
        """Tell whether the person should be reminded now; if so, the log says that it was done."""
        until = self.renew_by(view, now=now)
        if until is None:
            return False
        self._audit.append(
            "reference_expiring",
            at=now,
            issuer=view.issuer,
            subject=view.subject,
            ceremony_id=view.id,
            details={"expires_ms": to_ms(until)},
        )
        return True

    def ending(self, *, before: datetime, limit: int) -> list[Listed]:
        """Return the references whose time is over before then, soonest first."""
        query = select(Reference).where(Reference.expires_ms <= to_ms(before))
        with self._database.reading() as session:
            rows = session.scalars(query.order_by(Reference.expires_ms, Reference.id).limit(limit)).all()
        return [
            Listed(row.id, row.issuer, row.subject, from_ms(row.created_ms), from_ms(row.expires_ms)) for row in rows
        ]

    def count_due(self, *, now: datetime) -> int:
        """Return how many references `expire` would delete."""
        query = select(func.count()).select_from(Reference).where(Reference.expires_ms <= to_ms(now - self._grace))
        with self._database.reading() as session:
            return session.scalar(query) or 0

    def expire(self, *, now: datetime, report: Callable[[int], None] = lambda _: None) -> int:
        """Delete what is past its time and its grace; return how many went. `report` hears the count so far."""
        gone = 0
        while batch := self._expire_batch(now=now):
            gone += batch
            report(gone)
        return gone

    def _expire_batch(self, *, now: datetime) -> int:
        due = select(Reference).where(Reference.expires_ms <= to_ms(now - self._grace)).limit(BATCH)
        with self._database.transaction() as session:
            rows = session.scalars(due).all()
            for row in rows:
                session.execute(delete(Reference).where(Reference.id == row.id))
                self._log_expired(row, now=now, session=session)
        return len(rows)

    def _log_expired(self, row: Reference, *, now: datetime, session: Session) -> None:
        self._audit.append(
            EXPIRED,
            at=now,
            issuer=row.issuer,
            subject=row.subject,
            details={"reference_id": row.id, "expires_ms": row.expires_ms, "reason": "retention"},
            session=session,
        )
