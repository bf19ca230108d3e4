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
from typing import TYPE_CHECKING, Any, Final, cast

from sqlalchemy import and_, bindparam, case, update

from plugin.errors import LockedOut
from plugin.store import dialects
from plugin.store.instants import to_ms
from plugin.store.tables import Attempts as AttemptsRow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from sqlalchemy import Table
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
    PASS = "pass"  # noqa: S105  (names a factor)
    MAILED = "mailed_code"


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
    Counted.PASS: Limit(consecutive=5, total=50),
    Counted.MAILED: Limit(consecutive=5, total=50),
}


_COUNTERS: Final = cast("Table", AttemptsRow.__table__)
_THIS: Final = (
    _COUNTERS.c.issuer == bindparam("of_issuer"),
    _COUNTERS.c.subject == bindparam("of_subject"),
    _COUNTERS.c.factor == bindparam("of_factor"),
)
_NEXT_ALLOWED: Final = case(
    (_COUNTERS.c.consecutive + 1 >= bindparam("most_consecutive"), bindparam("spaced_ms")), else_=0
)


def _counting(insert: Callable[[Table], Any]) -> Any:
    """Return the one statement that counts an attempt, or changes nothing where none is allowed."""
    new = insert(_COUNTERS).values(
        issuer=bindparam("of_issuer"),
        subject=bindparam("of_subject"),
        factor=bindparam("of_factor"),
        consecutive=1,
        total=1,
        next_allowed_ms=0,
    )
    return new.on_conflict_do_update(
        index_elements=("issuer", "subject", "factor"),
        set_={
            "consecutive": _COUNTERS.c.consecutive + 1,
            "total": _COUNTERS.c.total + 1,
            "next_allowed_ms": _NEXT_ALLOWED,
        },
        where=and_(_COUNTERS.c.total < bindparam("most_total"), _COUNTERS.c.next_allowed_ms <= bindparam("now_ms")),
    ).execution_options(preserve_rowcount=True)  # SQLAlchemy forgets it after an INSERT


_COUNT: Final = dialects.for_each(_counting)
_SUCCEED: Final = (
    update(_COUNTERS)
    .where(*_THIS)
    .where(_COUNTERS.c.total > 0)
    .values(consecutive=0, total=_COUNTERS.c.total - 1, next_allowed_ms=0)
)
"""Built once: to build a statement costs many times what the database needs to run it."""


class Attempts:
    """The counters of all subjects."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def take(
        self, subject: Subject, factor: Counted, *, now: datetime, read: Callable[[Session], Any] | None = None
    ) -> Any:
        """Count one attempt, or refuse it without counting; return what `read` reads in the same transaction.

        Raises:
            LockedOut: "locked_for_now" with the seconds to wait, or "factor_off".
        """
        limit = LIMITS[factor]
        guard = {
            "most_total": limit.total,
            "most_consecutive": limit.consecutive,
            "now_ms": to_ms(now),
            "spaced_ms": to_ms(now + SPACING),
        }
        with self._database.transaction(lasting=False) as session:  # what is decided next is written, with its audit
            counted = session.execute(_COUNT[dialects.of(session)], {**_this(subject, factor), **guard})
            if counted.rowcount == 1:  # type: ignore[attr-defined]
                return read(session) if read is not None else None
            row = session.get_one(AttemptsRow, _key(subject, factor))
        if row.total >= limit.total:
            raise LockedOut("factor_off", retry_after_s=None)
        raise LockedOut("locked_for_now", retry_after_s=-(-(row.next_allowed_ms - to_ms(now)) // 1000))

    def succeed(self, subject: Subject, factor: Counted, *, session: Session) -> None:
        """End the run of failures and take the successful attempt back, in the transaction that accepts the factor."""
        session.execute(_SUCCEED, _this(subject, factor))

    def reset(self, subject: Subject, factors: Iterable[Counted], *, session: Session) -> None:
        """Start again at zero, inside the transaction that enrols the factor anew (or in which an admin acts)."""
        for factor in factors:
            row = session.get(AttemptsRow, _key(subject, factor))
            if row is not None:
                session.delete(row)


def _key(subject: Subject, factor: Counted) -> tuple[str, str, str]:
    return (subject.issuer, subject.subject, factor.value)


def _this(subject: Subject, factor: Counted) -> dict[str, str]:
    return {"of_issuer": subject.issuer, "of_subject": subject.subject, "of_factor": factor.value}
