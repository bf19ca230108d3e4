"""Attempt counters of each factor of each subject. They live in the database: no new browser session resets them.

Rules (NIST SP 800-63B-4, 3.2.3 for the face with presentation attack detection, 3.2.2 and 4.2 for the others):
 * An attempt is counted *before* the comparison, in one statement; parallel tries cannot slip through.
 * After `consecutive` attempts without a success, at least 30 seconds lie between two attempts.
 * After `total` failures in all, the factor is off until it is enrolled again or an admin intervenes.
 * A success ends the run of failures and takes its own attempt back; earlier failures stay in the total.
 * Drawing a face challenge is an attempt, so that nobody can shop for an easy one.

Who is counted is the subject, never the address: an attacker has many addresses. That lets somebody who knows the
password lock the owner out for 30 seconds at a time; it never lets him in.

Not here: requests a second (Flask-Limiter, in front), Keycloak's own brute-force protection.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from sqlalchemy import case, update

from plugin.ceremonies.types import to_ms
from plugin.errors import LockedOut
from plugin.store.tables import Attempts as AttemptsRow

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session

    from plugin.ceremonies.types import Subject
    from plugin.store.database import Database

SPACING: Final = timedelta(seconds=30)


class Counted(StrEnum):
    """What is counted apart. A face that is being enrolled must not switch off the face that is used."""

    FACE = "face"
    FACE_ENROL = "face_enrol"
    TOTP = "totp"
    WEBAUTHN = "webauthn"
    RECOVERY = "recovery"
    INVITATION = "invitation"


@dataclass(frozen=True, slots=True)
class Limit:
    """How many attempts are free of delay, and how many failures switch the factor off."""

    consecutive: int
    total: int


LIMITS: Final[dict[Counted, Limit]] = {
    Counted.FACE: Limit(consecutive=10, total=100),
    Counted.FACE_ENROL: Limit(consecutive=10, total=100),
    Counted.TOTP: Limit(consecutive=5, total=50),
    Counted.WEBAUTHN: Limit(consecutive=5, total=50),
    Counted.RECOVERY: Limit(consecutive=5, total=50),
    Counted.INVITATION: Limit(consecutive=5, total=50),
}


class Attempts:
    """The counters of all subjects."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def take(self, subject: Subject, factor: Counted, *, now: datetime) -> None:
        """Count one attempt, or refuse it without counting.

        Raises:
            LockedOut: "locked_for_now" with the seconds to wait, or "factor_off".
        """
        limit = LIMITS[factor]
        with self._database.transaction() as session:
            if self._count(session, subject, factor, now=now):
                return
            row = session.get(AttemptsRow, _key(subject, factor))
            if row is None:
                session.add(_first(subject, factor))
                return
        if row.total >= limit.total:
            raise LockedOut("factor_off", retry_after_s=None)
        raise LockedOut("locked_for_now", retry_after_s=-(-(row.next_allowed_ms - to_ms(now)) // 1000))

    def _count(self, session: Session, subject: Subject, factor: Counted, *, now: datetime) -> bool:
        """Count in one guarded UPDATE: two tries that arrive together are two attempts, whatever they read before."""
        limit = LIMITS[factor]
        used_up = AttemptsRow.consecutive + 1 >= limit.consecutive
        counted = session.execute(
            update(AttemptsRow)
            .where(*_is(subject, factor))
            .where(AttemptsRow.total < limit.total, AttemptsRow.next_allowed_ms <= to_ms(now))
            .values(
                consecutive=AttemptsRow.consecutive + 1,
                total=AttemptsRow.total + 1,
                next_allowed_ms=case((used_up, to_ms(now + SPACING)), else_=0),
            ),
        )
        return bool(counted.rowcount == 1)  # type: ignore[attr-defined]

    def succeed(self, subject: Subject, factor: Counted, *, session: Session) -> None:
        """End the run of failures and take the successful attempt back, in the transaction that accepts the factor."""
        session.execute(
            update(AttemptsRow)
            .where(*_is(subject, factor))
            .where(AttemptsRow.total > 0)
            .values(consecutive=0, total=AttemptsRow.total - 1, next_allowed_ms=0),
        )

    def reset(self, subject: Subject, factors: Iterable[Counted], *, session: Session) -> None:
        """Start again at zero, inside the transaction that enrols the factor anew (or in which an admin acts)."""
        for factor in factors:
            row = session.get(AttemptsRow, _key(subject, factor))
            if row is not None:
                session.delete(row)


def _key(subject: Subject, factor: Counted) -> tuple[str, str, str]:
    return (subject.issuer, subject.subject, factor.value)


def _is(subject: Subject, factor: Counted) -> tuple[ColumnElement[bool], ...]:
    return (
        AttemptsRow.issuer == subject.issuer,
        AttemptsRow.subject == subject.subject,
        AttemptsRow.factor == factor.value,
    )


def _first(subject: Subject, factor: Counted) -> AttemptsRow:
    issuer, subject_id, name = _key(subject, factor)
    return AttemptsRow(issuer=issuer, subject=subject_id, factor=name, consecutive=1, total=1, next_allowed_ms=0)
