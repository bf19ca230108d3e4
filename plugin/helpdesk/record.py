"""What an agent sees of a person's factors: what there is, since when, last used, and what failed within a day.

Never a secret, picture, score or code of a check.

A person sees the same of themselves, and their passkeys and consent besides.

Not here: the export of everything (factors/held.py).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import func, select

from plugin.ceremonies.attempts import Counted
from plugin.factors.totp import STEP_S
from plugin.store.instants import from_ms, to_ms
from plugin.store.tables import AuditEntry, Consent, RecoveryCode, Reference, TotpSecret, WebauthnCredential

if TYPE_CHECKING:
    from collections.abc import Iterable

    from plugin.ceremonies.types import Subject
    from plugin.store.database import Database

_FACTORS: Final = frozenset(Counted)
_DAY: Final = timedelta(days=1)
_FAILURES: Final = {"factor_refused": "", "face_refused": "face", "locked_out": "wait"}
"""What failed, by event; which factor was refused, the entry says."""
MOST_FAILURES: Final = 1000
"""So many entries are read; locks and limits let far fewer happen."""


@dataclass(frozen=True, slots=True)
class Failure:
    """What failed, how often, and when last: a factor as the log names it, face, wait (too many tries), or other."""

    what: str
    count: int
    last: datetime


@dataclass(frozen=True, slots=True)
class Record:
    """Plain facts about the factors of one person; None where there is no such factor."""

    app_since: datetime | None
    app_used: datetime | None
    passkeys: int
    passkey_used: datetime | None
    codes_left: int
    face_since: datetime | None
    face_until: datetime | None
    failures: tuple[Failure, ...]


@dataclass(frozen=True, slots=True)
class Passkey:
    """One passkey, for its owner: since when, when last used, and whether its maker keeps a copy."""

    since: datetime
    last_used: datetime | None
    backed_up: bool
    transports: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Holdings:
    """What only the person sees of themselves, besides the Record."""

    passkeys: tuple[Passkey, ...]
    consent_version: str
    consent_since: datetime | None


def holdings_of(owner: Subject, *, database: Database) -> Holdings:
    """Return a person's passkeys, oldest first, and the consent that counts."""
    mine = {"issuer": owner.issuer, "subject": owner.subject}
    keys = select(WebauthnCredential).filter_by(**mine).order_by(WebauthnCredential.created_ms)
    given = select(Consent).filter_by(**mine, withdrawn_ms=None).order_by(Consent.given_ms.desc()).limit(1)
    with database.reading() as session:
        passkeys, consent = session.scalars(keys).all(), session.scalar(given)
    return Holdings(
        passkeys=tuple(
            Passkey(from_ms(one.created_ms), _at(one.last_used_ms), one.backed_up, tuple(one.transports))
            for one in passkeys
        ),
        consent_version=consent.text_version if consent else "",
        consent_since=_at(consent.given_ms if consent else None),
    )


def record_of(owner: Subject, *, database: Database, now: datetime) -> Record:
    """Return the record of one person, in one snapshot."""
    mine = {"issuer": owner.issuer, "subject": owner.subject}
    with database.reading() as session:
        app = session.execute(select(TotpSecret.created_ms, TotpSecret.last_step).filter_by(**mine)).first()
        keys = session.execute(select(func.count(), func.max(WebauthnCredential.last_used_ms)).filter_by(**mine)).one()
        codes = session.scalar(select(func.count()).select_from(RecoveryCode).filter_by(**mine, used_ms=None))
        face = session.execute(select(Reference.created_ms, Reference.expires_ms).filter_by(**mine)).first()
        failed = session.execute(
            select(AuditEntry.event, AuditEntry.at_ms, AuditEntry.details)
            .filter_by(**mine)
            .where(AuditEntry.event.in_(_FAILURES), AuditEntry.at_ms > to_ms(now - _DAY))
            .order_by(AuditEntry.at_ms.desc())
            .limit(MOST_FAILURES)
        ).all()
    return Record(
        app_since=_at(app[0] if app else None),
        app_used=used_at(app[1]) if app else None,
        passkeys=int(keys[0]),
        passkey_used=_at(keys[1]),
        codes_left=codes or 0,
        face_since=_at(face[0] if face else None),
        face_until=_at(face[1] if face else None),
        failures=_summed((_what(event, details), from_ms(at_ms)) for event, at_ms, details in failed),
    )


def used_at(step: int) -> datetime:
    """Return when an authenticator app's code of this step was shown: the last one taken is its last use."""
    return datetime.fromtimestamp(step * STEP_S, tz=UTC)


def has_usable_face(owner: Subject, *, database: Database, now: datetime) -> bool:
    """Tell whether this person has a face that is not past its time; whether the row is ours is the camera's part."""
    query = select(Reference.expires_ms).filter_by(issuer=owner.issuer, subject=owner.subject)
    with database.reading() as session:
        expires_ms = session.scalar(query)
    return expires_ms is not None and to_ms(now) < expires_ms


def _summed(failed: Iterable[tuple[str, datetime]]) -> tuple[Failure, ...]:
    """Sum up (what, when), newest first, by what failed."""
    when: dict[str, list[datetime]] = {}
    for what, at in failed:
        when.setdefault(what, []).append(at)
    return tuple(Failure(what, len(times), times[0]) for what, times in when.items())


def _what(event: str, stored: str) -> str:
    """Return what failed; of an edited entry (`facestep audit verify` says so) only that it did."""
    if known := _FAILURES[event]:
        return known
    try:
        details = json.loads(stored)
    except ValueError:
        return "other"
    factor = details.get("factor") if isinstance(details, dict) else None
    return factor if factor in _FACTORS else "other"


def _at(milliseconds: Any) -> datetime | None:
    return None if milliseconds is None else from_ms(int(milliseconds))
