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
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import delete, select

from plugin.ceremonies.attempts import Counted
from plugin.ceremonies.types import Stage
from plugin.factors import lookup_secrets
from plugin.factors.spending import OnceOnly
from plugin.store.instants import to_ms
from plugin.store.integrity import sign
from plugin.store.tables import Invitation

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import ColumnElement

    from plugin.ceremonies.types import CeremonyView, Subject
    from plugin.settings import Settings

LENGTH: Final = 12


@dataclass(frozen=True, slots=True)
class IssuedInvitation:
    """A code to hand over; it is shown nowhere again."""

    code: str = field(repr=False)
    expires_at: datetime


class Invitations(OnceOnly):
    """Issue and redeem enrolment codes."""

    def __init__(self, *, settings: Settings, **parts: Any) -> None:
        super().__init__(**parts)
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
            self._attempts.reset(owner, [Counted.INVITATION, Counted.MAILED, Counted.FACE_ENROL], session=session)
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
        """Use up the code and move on to consent; the checks are spending.py's."""
        self._gate.require(view, Stage.INVITATION)
        spendable = self._spendable(
            view,
            code,
            counted=Counted.INVITATION,
            length=LENGTH,
            find=lambda session, _: session.scalar(select(Invitation).where(*_of(view.owner))),
            now=now,
        )
        return self._gate.accept(
            view, Counted.INVITATION, now=now, proven=None, within=spendable.use, event="invitation_used"
        )


def _of(owner: Subject) -> tuple[ColumnElement[bool], ...]:
    return (Invitation.issuer == owner.issuer, Invitation.subject == owner.subject)
