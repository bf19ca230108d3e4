"""What an agent sees of a person's factors: what there is, since when, last used. Never a secret, picture or score.

A person sees the same of themselves, and their passkeys and consent besides.

Not here: the export of everything (factors/held.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import func, select

from plugin.store.instants import from_ms, to_ms
from plugin.store.tables import AuditEntry, Consent, RecoveryCode, Reference, TotpSecret, WebauthnCredential

if TYPE_CHECKING:
    from datetime import datetime

    from plugin.ceremonies.types import Subject
    from plugin.store.database import Database

_DAY: Final = timedelta(days=1)
_FAILURES: Final = ("factor_refused", "face_refused", "locked_out")


@dataclass(frozen=True, slots=True)
class Record:
    """Plain facts about the factors of one person; None where there is no such factor."""

    app_since: datetime | None
    passkeys: int
    passkey_used: datetime | None
    codes_left: int
    face_since: datetime | None
    face_until: datetime | None
    failures_today: int


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
        app = session.scalar(select(TotpSecret.created_ms).filter_by(**mine))
        keys = session.execute(select(func.count(), func.max(WebauthnCredential.last_used_ms)).filter_by(**mine)).one()
        codes = session.scalar(select(func.count()).select_from(RecoveryCode).filter_by(**mine, used_ms=None))
        face = session.execute(select(Reference.created_ms, Reference.expires_ms).filter_by(**mine)).first()
        failures = session.scalar(
            select(func.count())
            .select_from(AuditEntry)
            .filter_by(**mine)
            .where(AuditEntry.event.in_(_FAILURES), AuditEntry.at_ms > to_ms(now - _DAY))
        )
    return Record(
        app_since=_at(app),
        passkeys=int(keys[0]),
        passkey_used=_at(keys[1]),
        codes_left=codes or 0,
        face_since=_at(face[0] if face else None),
        face_until=_at(face[1] if face else None),
        failures_today=failures or 0,
    )


def has_usable_face(owner: Subject, *, database: Database, now: datetime) -> bool:
    """Tell whether this person has a face that is not past its time; whether the row is ours is the camera's part."""
    query = select(Reference.expires_ms).filter_by(issuer=owner.issuer, subject=owner.subject)
    with database.reading() as session:
        expires_ms = session.scalar(query)
    return expires_ms is not None and to_ms(now) < expires_ms


def _at(milliseconds: Any) -> datetime | None:
    return None if milliseconds is None else from_ms(int(milliseconds))
