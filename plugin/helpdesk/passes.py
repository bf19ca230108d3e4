"""Passes: what opens one recovery, sent to the person's addresses on record and seen by no agent.

Rules:
 * Sixteen signs of an alphabet in which nothing looks alike: 80 bits. Stored with Argon2id.
 * One a person at a time, for one case, good once, 10 minutes to 8 hours.
 * A pass opens a recovery in a login, after the password: then the live face must be the enrolled one before anything
   changes, and only setting up a new factor leads on. A pass is no possession factor and never appears in `amr`.
 * A try is counted before it is compared; a miss costs as much time as a hit.
 * A pass that was used or withdrawn opens nothing when its row is put back: the audit log has the last word.

Not here: who may have one (desk.py), how it travels (letters.py), what follows (ceremonies/stages.py).
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final

from sqlalchemy import delete, select

from plugin.ceremonies.attempts import Counted
from plugin.ceremonies.types import Purpose, Stage, Subject
from plugin.errors import CeremonyRefused
from plugin.factors import lookup_secrets
from plugin.factors.spending import OnceOnly
from plugin.helpdesk.last_word import PutBack, is_issued
from plugin.store.helpdesk_tables import HelpdeskPass
from plugin.store.instants import to_ms
from plugin.store.integrity import sign

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlalchemy.orm import Session

    from plugin.ceremonies.types import CeremonyView
    from plugin.factors.spending import Spendable

LENGTH: Final = 16


class Passes(OnceOnly):
    """Issue, withdraw and redeem."""

    def new(self, owner: Subject, *, case_id: str, expires_at: datetime, now: datetime) -> tuple[str, HelpdeskPass]:
        """Return a new pass as people read it, and its signed row, which opens nothing until it is put."""
        code = lookup_secrets.draw(LENGTH)
        row = HelpdeskPass(
            id=secrets.token_urlsafe(32),
            issuer=owner.issuer,
            subject=owner.subject,
            case_id=case_id,
            code_hash=lookup_secrets.hashed(code),
            created_ms=to_ms(now),
            expires_ms=to_ms(expires_at),
            used_ms=None,
        )
        sign(row, sealer=self._sealer)
        return lookup_secrets.grouped(code), row

    def put(self, row: HelpdeskPass, *, session: Session) -> None:
        """Store a new pass in place of any other of this person, in the caller's transaction."""
        owner = Subject(row.issuer, row.subject)
        self.withdraw(owner, session=session)
        session.add(row)
        self._attempts.reset(owner, [Counted.PASS], session=session)

    def withdraw(self, owner: Subject, *, session: Session) -> None:
        """Take the pass of this person back, in the caller's transaction."""
        session.execute(
            delete(HelpdeskPass).where(HelpdeskPass.issuer == owner.issuer, HelpdeskPass.subject == owner.subject)
        )

    def redeem(
        self,
        view: CeremonyView,
        code: str,
        *,
        network: str = "",
        also: Callable[[Session], None] | None = None,
        now: datetime,
    ) -> tuple[CeremonyView, str]:
        """Use up the pass; return the ceremony, now a recovery at the face, and the case that the pass was for.

        A login at possession; the other checks are spending.py's. The pass is used, the login turned and
        `also` written: all or nothing.
        """
        self._gate.require(view, Stage.POSSESSION)
        if view.purpose is not Purpose.LOGIN:
            raise CeremonyRefused("ceremony_refused", "no_recovery_in_an_enrolment")
        spendable = self._newest(view, code, now=now)
        case_id: str = spendable.row.case_id
        recovering = self._turn(
            view,
            spendable,
            counted=Counted.PASS,
            to=Purpose.RECOVER,
            event="pass_accepted",
            details={"case": case_id, "network": network},
            also=also,
            now=now,
        )
        return recovering, case_id

    def _newest(self, view: CeremonyView, code: str, *, now: datetime) -> Spendable:
        """Return the pass of this code, if issuing it is the log's last word. Raises PutBack, audited."""
        newest: list[bool] = []

        def find(session: Session, _meant: str) -> HelpdeskPass | None:
            row = session.scalar(select(HelpdeskPass).filter_by(issuer=view.issuer, subject=view.subject))
            newest.append(row is not None and is_issued(session, row))
            return row

        spendable = self._spendable(view, code, counted=Counted.PASS, length=LENGTH, find=find, now=now)
        if not newest[-1]:
            details = {"table": HelpdeskPass.__tablename__, "check": "not_the_newest"}
            self._gate.log("integrity_failed", view, now=now, details=details)
            raise PutBack(HelpdeskPass.__tablename__)
        return spendable
