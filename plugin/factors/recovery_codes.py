"""Ten recovery codes to print: a look-up secret (NIST SP 800-63B-4 3.1.2), for the day the phone is gone.

Rules:
 * Sixteen signs: the first names the code within its set (a selector, not secret), fifteen are the secret: 75 bits.
   With the selector one Argon2id run tells, where trying all ten would cost ten.
 * Shown until the person says they are saved, then never again; a new set replaces the old one.
 * Good once. Of two requests with the same code one wins.
 * Replaced after use (NIST SP 800-63B-4 4.2): a recovery makes a new set; a login in which a code was used, or any
   later one until it is done, ends with the offer of a new set, not while the person cools down.

Not here: how codes look and are hashed (lookup_secrets.py).
"""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from sqlalchemy import delete, select

from plugin.ceremonies.attempts import Counted
from plugin.ceremonies.types import Amr, Purpose, Stage
from plugin.errors import CeremonyRefused
from plugin.factors import lookup_secrets
from plugin.factors.spending import OnceOnly
from plugin.store.cooling import is_cooling
from plugin.store.instants import to_ms
from plugin.store.integrity import sign
from plugin.store.tables import RecoveryCode
from vault.encoding import canonical

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session

    from plugin.ceremonies.types import CeremonyView, Subject
    from plugin.factors.spending import Spendable

COUNT: Final = 10
LENGTH: Final = 16
PART: Final = "recovery_codes"


@dataclass(frozen=True, slots=True)
class ShownCodes:
    """The codes, as people read them."""

    codes: tuple[str, ...] = field(repr=False)
    view: CeremonyView


class RecoveryCodes(OnceOnly):
    """Hand out and verify recovery codes."""

    def show(self, view: CeremonyView, *, now: datetime) -> ShownCodes:
        """Draw ten codes, or return those that wait to be saved: a reload must not make the written ones useless."""
        self._gate.require(view, Stage.DONE if view.purpose is Purpose.LOGIN else Stage.RECOVERY_CODES)
        scratch = self._ceremonies.scratch(view)
        waiting = scratch.get(PART)
        if waiting is None:
            waiting = " ".join(_drawn()).encode("ascii")
            view = self._ceremonies.save_scratch(view, scratch.with_part(PART, waiting), now=now)
        codes = waiting.decode("ascii").split(" ")
        return ShownCodes(codes=tuple(lookup_secrets.grouped(code) for code in codes), view=view)

    def acknowledge(self, view: CeremonyView, *, now: datetime) -> CeremonyView:
        """Store the codes that were shown, hashed, in place of any older set, and move on."""
        self._gate.require(view, Stage.RECOVERY_CODES)
        rows = self._shown(view, now=now)

        def within(session: Session) -> None:
            self._put(view.owner, rows, session=session)

        return self._gate.accept(
            view,
            Counted.RECOVERY,
            now=now,
            proven=None,
            within=within,
            event="recovery_codes_issued",
            details={"count": len(rows)},
        )

    def verify(self, view: CeremonyView, code: str, *, now: datetime) -> CeremonyView:
        """Use up one code in place of the possession factor, and move on; the checks are spending.py's.

        Where a changed face is to be enrolled, the lost possession factor will be replaced too.
        """
        spendable = self._spend(view, code, now=now)
        if view.purpose is Purpose.NEW_FACE:
            return self._recover(view, spendable, to=Purpose.START_OVER, proven=(Amr.OTP.value,), now=now)
        return self._gate.accept(view, Counted.RECOVERY, now=now, proven=Amr.OTP.value, within=spendable.use)

    def replace_lost(self, view: CeremonyView, code: str, *, now: datetime) -> CeremonyView:
        """Use up one code to turn the login into a recovery: the enrolled face, then a new possession factor."""
        if view.purpose is not Purpose.LOGIN:
            raise CeremonyRefused("ceremony_refused", "no_recovery_in_an_enrolment")
        return self._recover(view, self._spend(view, code, now=now), to=Purpose.RECOVER, now=now)

    def are_used(self, owner: Subject, *, cool_down_h: int, now: datetime) -> bool:
        """Tell whether a new set should be offered: a code of this one is used, and factors may be changed."""
        who = {"issuer": owner.issuer, "subject": owner.subject}
        used = select(RecoveryCode.id).filter_by(**who).where(RecoveryCode.used_ms.is_not(None)).limit(1)
        with self._database.reading() as session:
            if session.scalar(used) is None:
                return False
            return not is_cooling(session, **who, hours=cool_down_h, now=now)

    def replace_used(self, view: CeremonyView, *, now: datetime) -> str:
        """Store the codes that were shown at the end of a login and return its result code: both or neither."""
        self._gate.require(view, Stage.DONE)
        rows = self._shown(view, now=now)

        def within(session: Session) -> None:
            self._put(view.owner, rows, session=session)
            self._log_issued(view.owner, rows, session=session, now=now)

        return self._ceremonies.issue_code(view, now=now, within=within)

    def renew(self, owner: Subject, *, now: datetime) -> tuple[str, ...]:
        """Return a new set in place of the old one, for somebody who has just shown the face (pages/me.py)."""
        codes = _drawn()
        rows = [self._new_row(owner, code, now=now) for code in codes]
        with self._database.transaction() as session:
            self._put(owner, rows, session=session)
            self._log_issued(owner, rows, session=session, now=now)
        return tuple(lookup_secrets.grouped(code) for code in codes)

    def _log_issued(self, owner: Subject, rows: list[RecoveryCode], *, session: Session, now: datetime) -> None:
        self._audit.append(
            "recovery_codes_issued",
            at=now,
            issuer=owner.issuer,
            subject=owner.subject,
            details={"factor": Counted.RECOVERY.value, "count": len(rows)},
            session=session,
        )

    def _shown(self, view: CeremonyView, *, now: datetime) -> list[RecoveryCode]:
        """Return the rows of the codes that this ceremony has shown. Raises FactorRejected, audited, if none were."""
        waiting = self._ceremonies.scratch(view).get(PART)
        if waiting is None:
            self._gate.refuse(view, Counted.RECOVERY, "recovery_not_shown", now=now)
        return [self._new_row(view.owner, code, now=now) for code in waiting.decode("ascii").split(" ")]

    def _spend(self, view: CeremonyView, code: str, *, now: datetime) -> Spendable:
        self._gate.require(view, Stage.POSSESSION)
        return self._spendable(
            view,
            code,
            counted=Counted.RECOVERY,
            length=LENGTH,
            find=lambda session, meant: session.get(RecoveryCode, _row_id(view.owner, meant[0])),
            now=now,
        )

    def _recover(
        self, view: CeremonyView, spendable: Spendable, *, to: Purpose, now: datetime, proven: tuple[str, ...] = ()
    ) -> CeremonyView:
        details = {"factor": Counted.RECOVERY.value, "purpose": to.value}
        return self._turn(
            view,
            spendable,
            counted=Counted.RECOVERY,
            to=to,
            event="factor_accepted",
            details=details,
            now=now,
            proven=proven,
        )

    def _put(self, owner: Subject, rows: list[RecoveryCode], *, session: Session) -> None:
        """Store a set in place of any older one."""
        mine = (RecoveryCode.issuer == owner.issuer, RecoveryCode.subject == owner.subject)
        session.execute(delete(RecoveryCode).where(*mine))
        session.add_all(rows)
        self._attempts.reset(owner, [Counted.RECOVERY], session=session)

    def _new_row(self, owner: Subject, code: str, *, now: datetime) -> RecoveryCode:
        row = RecoveryCode(
            id=_row_id(owner, code[0]),
            issuer=owner.issuer,
            subject=owner.subject,
            code_hash=lookup_secrets.hashed(code),
            created_ms=to_ms(now),
            used_ms=None,
        )
        sign(row, sealer=self._sealer)
        return row


def _drawn() -> list[str]:
    return [selector + lookup_secrets.draw(LENGTH - 1) for selector in lookup_secrets.ALPHABET[:COUNT]]


def _row_id(owner: Subject, selector: str) -> str:
    """Return where a subject's code with this selector lies. Nothing in it is secret."""
    place = hashlib.sha256(canonical("recovery code", owner.issuer, owner.subject, selector)).digest()
    return urlsafe_b64encode(place).rstrip(b"=").decode("ascii")
