"""Enrolment codes: an admin gives one to a person over another channel, before a first enrolment.

Why: who has stolen a password could otherwise enrol his own face and own the account for good.

Rules:
 * Twelve signs: 60 bits, and good for one subject only (NIST SP 800-63B-4 4.1 asks for 40 with an identifier).
 * One open code a subject; it expires, works once, and tries are counted.
 * Stored with Argon2id; seen once, by the admin who made it.

Not here: the command (commands/invite.py); sending it is the organisation's own second channel.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import delete, select, update

from plugin.ceremonies.attempts import Counted
from plugin.ceremonies.types import Stage
from plugin.factors import lookup_secrets
from plugin.factors.gate import Gate, UsedMeanwhile
from plugin.store.instants import to_ms
from plugin.store.integrity import mac_of, sign
from plugin.store.tables import Invitation

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session

    from plugin.ceremonies.attempts import Attempts
    from plugin.ceremonies.service import Ceremonies
    from plugin.ceremonies.types import AuditSink, CeremonyView, Subject
    from plugin.settings import Settings
    from plugin.store.database import Database
    from vault.interface import Sealer

LENGTH: Final = 12


@dataclass(frozen=True, slots=True)
class IssuedInvitation:
    """A code to hand over; it is shown nowhere again."""

    code: str = field(repr=False)
    expires_at: datetime


class Invitations:
    """Issue and redeem enrolment codes."""

    def __init__(
        self,
        *,
        ceremonies: Ceremonies,
        database: Database,
        sealer: Sealer,
        attempts: Attempts,
        audit: AuditSink,
        settings: Settings,
    ) -> None:
        self._gate = Gate(ceremonies=ceremonies, sealer=sealer, attempts=attempts, audit=audit)
        self._database = database
        self._sealer = sealer
        self._attempts = attempts
        self._audit = audit
        self._ttl = timedelta(seconds=settings.invitation_ttl_s)

    def issue(self, owner: Subject, *, now: datetime) -> IssuedInvitation:
        """Make a code in place of an open one. An admin does this, so tries at enrolling count from zero again."""
        code = lookup_secrets.draw(LENGTH)
        issued = IssuedInvitation(code=lookup_secrets.grouped(code), expires_at=now + self._ttl)
        row = Invitation(
            id=secrets.token_urlsafe(32),
            issuer=owner.issuer,
            subject=owner.subject,
            code_hash=lookup_secrets.hashed(code),
            created_ms=to_ms(now),
            expires_ms=to_ms(issued.expires_at),
            used_ms=None,
        )
        sign(row, sealer=self._sealer)
        with self._database.transaction() as session:
            session.execute(delete(Invitation).where(*_of(owner)))
            session.add(row)
            self._attempts.reset(owner, [Counted.INVITATION, Counted.FACE_ENROL], session=session)
            self._audit.append(
                "invitation_issued",
                at=now,
                issuer=owner.issuer,
                subject=owner.subject,
                details={"expires_ms": row.expires_ms},
                session=session,
            )
        return issued

    def redeem(self, view: CeremonyView, code: str, *, now: datetime) -> CeremonyView:
        """Use up the code and move on to consent.

        1. at the invitation stage                       4. the code fits (Argon2id; a decoy if there is none)
        2. it can be a code (else not worth an attempt)  5. not expired
        3. attempt counted                               6. not used before, even if two race
        """
        self._gate.require(view, Stage.INVITATION)  # (1)
        meant = lookup_secrets.normal(code, length=LENGTH)
        if meant is None:  # (2)
            self._gate.refuse(view, Counted.INVITATION, "invitation_malformed", now=now)
        self._gate.take(view, Counted.INVITATION, now=now)  # (3)
        with self._database.reading() as session:
            row = session.scalar(select(Invitation).where(*_of(view.owner)))
        if row is not None:
            self._gate.believe(row, view, now=now)
        if not lookup_secrets.fits(meant, row.code_hash if row is not None else None) or row is None:  # (4)
            self._gate.refuse(view, Counted.INVITATION, "invitation_wrong", now=now)
        if to_ms(now) >= row.expires_ms:  # (5)
            self._gate.refuse(view, Counted.INVITATION, "invitation_expired", now=now)
        if row.used_ms is not None:  # (6)
            self._gate.refuse(view, Counted.INVITATION, "invitation_used", now=now)
        changes: dict[str, object] = {"used_ms": to_ms(now)}
        changes["mac"] = mac_of(row, sealer=self._sealer, changed=changes)

        def within(session: Session) -> None:
            unused = (Invitation.id == row.id, Invitation.used_ms.is_(None), Invitation.mac == row.mac)
            done = session.execute(update(Invitation).where(*unused).values(**changes))
            if done.rowcount != 1:  # type: ignore[attr-defined]  # (6)
                raise UsedMeanwhile("invitation_used")

        return self._gate.accept(view, Counted.INVITATION, now=now, proven=None, within=within, event="invitation_used")


def _of(owner: Subject) -> tuple[ColumnElement[bool], ...]:
    return (Invitation.issuer == owner.issuer, Invitation.subject == owner.subject)
