"""Erase a person: everything that identifies them goes, and the log says so, in one transaction.

Goes: the face reference, TOTP secret, passkeys, recovery codes, invitations, cases, links, passes and sessions of the
helpdesk, sessions of their own page, links that stop a recovery, and running ceremonies with their result codes, so
that a login or enrolment under way cannot bring anything back.

Stays:
 * failure counters: else an attacker who can bring about an erasure would get fresh attempts, at the invitation for
   one; a new invitation or a newly set up factor resets its own counter (ceremonies/attempts.py);
 * consents, marked withdrawn: proof that there was one is owed even after it ended (GDPR 7(1)); no biometric data;
 * audit entries: what was decided, with scores but never a vector or picture.

What is deleted is overwritten in the database file (secure_delete). Copies in backups stay sealed, and stay until the
backups expire.

Not here: who may ask for it (doors/erase.py, factors/enrolment.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

from sqlalchemy import CursorResult, Executable, delete, update

from plugin.store.helpdesk_tables import HelpdeskCase, HelpdeskPass, HelpdeskSession
from plugin.store.instants import to_ms
from plugin.store.letters import HelpdeskLetter
from plugin.store.link_tables import HelpdeskLink
from plugin.store.me_tables import MeSession, StopLink
from plugin.store.tables import (
    Ceremony,
    Consent,
    Invitation,
    RecoveryCode,
    Reference,
    ResultCode,
    TotpSecret,
    WebauthnCredential,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy.orm import Session

    from plugin.audit.events import Detail

_GONE: Final[dict[str, type[Any]]] = {
    "references": Reference,
    "totp_secrets": TotpSecret,
    "webauthn_credentials": WebauthnCredential,
    "recovery_codes": RecoveryCode,
    "invitations": Invitation,
    "ceremonies": Ceremony,
    "result_codes": ResultCode,
    "helpdesk_cases": HelpdeskCase,
    "helpdesk_links": HelpdeskLink,
    "helpdesk_passes": HelpdeskPass,
    "helpdesk_sessions": HelpdeskSession,
    "helpdesk_letters": HelpdeskLetter,
    "me_sessions": MeSession,
    "stop_links": StopLink,
}


@dataclass(frozen=True, slots=True)
class Erased:
    """Proof that nothing of the subject is left; `rows` says how many of what there were."""

    issuer: str
    subject: str
    rows: Mapping[str, int]

    @property
    def anything(self) -> bool:
        """True if there was anything to erase."""
        return any(self.rows.values())


def erase_subject(session: Session, *, audit: _Log, issuer: str, subject: str, now: datetime) -> Erased:
    """Delete everything of (issuer, subject) in the caller's transaction. Safe to repeat: only what went is logged."""
    rows = {
        name: _count(session, delete(table).where(table.issuer == issuer, table.subject == subject))
        for name, table in _GONE.items()
    }
    open_consents = (Consent.issuer == issuer, Consent.subject == subject, Consent.withdrawn_ms.is_(None))
    withdrawn = update(Consent).where(*open_consents).values(withdrawn_ms=to_ms(now))
    rows["consents_withdrawn"] = _count(session, withdrawn)
    erased = Erased(issuer=issuer, subject=subject, rows=rows)
    if erased.anything:
        details: dict[str, Detail] = dict(rows)
        audit.append("erased", at=now, issuer=issuer, subject=subject, details=details, session=session)
    return erased


class _Log(Protocol):
    """The part of log.AuditLog that is needed here."""

    def append(
        self,
        event: str,
        *,
        at: datetime,
        issuer: str,
        subject: str,
        details: dict[str, Detail],
        session: Session,
    ) -> object: ...


def _count(session: Session, statement: Executable) -> int:
    return cast("CursorResult[Any]", session.execute(statement)).rowcount
