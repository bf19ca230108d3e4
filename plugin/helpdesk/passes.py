"""Passes: what opens one recovery, sent to the person's addresses on record and seen by no agent.

Rules:
 * Sixteen signs of an alphabet in which nothing looks alike: 80 bits. Stored with Argon2id.
 * One a person at a time, for one case, good once, 10 minutes to 8 hours.
 * A pass opens a recovery in a login, after the password: then the live face must be the enrolled one before anything
   changes, and only setting up a new factor leads on. A pass is no possession factor and never appears in `amr`.
 * A try is counted before it is compared; a miss costs as much time as a hit.

Not here: who may have one (desk.py), how it travels (letters.py), what follows (ceremonies/stages.py).
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final

from sqlalchemy import delete, select, update

from plugin.ceremonies.attempts import Counted
from plugin.ceremonies.types import Purpose, Stage, Subject
from plugin.errors import CeremonyRefused
from plugin.factors import lookup_secrets
from plugin.factors.gate import Gate, UsedMeanwhile
from plugin.store.helpdesk_tables import HelpdeskPass
from plugin.store.instants import to_ms
from plugin.store.integrity import mac_of, sign

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session

    from plugin.ceremonies.attempts import Attempts
    from plugin.ceremonies.service import Ceremonies
    from plugin.ceremonies.types import AuditSink, CeremonyView
    from plugin.store.database import Database
    from vault.interface import Sealer

LENGTH: Final = 16


class Passes:
    """Issue, withdraw and redeem."""

    def __init__(
        self, *, ceremonies: Ceremonies, database: Database, sealer: Sealer, attempts: Attempts, audit: AuditSink
    ) -> None:
        self._gate = Gate(ceremonies=ceremonies, sealer=sealer, attempts=attempts, audit=audit)
        self._ceremonies = ceremonies
        self._database = database
        self._sealer = sealer
        self._attempts = attempts

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

    def redeem(self, view: CeremonyView, code: str, *, now: datetime) -> tuple[CeremonyView, str]:
        """Use up the pass; return the ceremony, now a recovery at the face, and the case that the pass was for.

        1. a login at possession                         4. the pass fits (Argon2id; a decoy if there is none)
        2. it can be a pass (else not worth an attempt)  5. not expired
        3. attempt counted                               6. not used before, even if two race
        """
        self._gate.require(view, Stage.POSSESSION)  # (1)
        if view.purpose is not Purpose.LOGIN:
            raise CeremonyRefused("ceremony_refused", "no_recovery_in_an_enrolment")
        meant = lookup_secrets.normal(code, length=LENGTH)
        if meant is None:  # (2)
            self._gate.refuse(view, Counted.PASS, "pass_malformed", now=now)
        self._gate.take(view, Counted.PASS, now=now)  # (3)
        with self._database.reading() as session:
            row = session.scalar(select(HelpdeskPass).filter_by(issuer=view.issuer, subject=view.subject))
        if row is not None:
            self._gate.believe(row, view, now=now)
        if not lookup_secrets.fits(meant, row.code_hash if row is not None else None) or row is None:  # (4)
            self._gate.refuse(view, Counted.PASS, "pass_wrong", now=now)
        if to_ms(now) >= row.expires_ms:  # (5)
            self._gate.refuse(view, Counted.PASS, "pass_expired", now=now)
        if row.used_ms is not None:  # (6)
            self._gate.refuse(view, Counted.PASS, "pass_used", now=now)
        try:
            return self._use(view, row, now=now), row.case_id
        except UsedMeanwhile as exc:
            self._gate.refuse(view, Counted.PASS, exc.check, now=now)

    def _use(self, view: CeremonyView, row: HelpdeskPass, *, now: datetime) -> CeremonyView:
        """Mark the pass as used and turn the login into a recovery: both or neither."""
        changes: dict[str, object] = {"used_ms": to_ms(now)}
        changes["mac"] = mac_of(row, sealer=self._sealer, changed=changes)

        def within(session: Session) -> None:
            unused = (HelpdeskPass.id == row.id, HelpdeskPass.used_ms.is_(None), HelpdeskPass.mac == row.mac)
            done = session.execute(update(HelpdeskPass).where(*unused).values(**changes))
            if done.rowcount != 1:  # type: ignore[attr-defined]  # (6)
                raise UsedMeanwhile("pass_used")
            self._attempts.succeed(view.owner, Counted.PASS, session=session)
            self._gate.log("pass_accepted", view, now=now, details={"case": row.case_id}, session=session)

        return self._ceremonies.recover(view, now=now, within=within)
