"""Ten recovery codes to print: a look-up secret (NIST SP 800-63B-4 3.1.2), for the day the phone is gone.

Rules:
 * Sixteen signs: the first names the code within its set (a selector, not secret), fifteen are the secret: 75 bits.
   With the selector one Argon2id run tells, where trying all ten would cost ten.
 * Shown until the person says they are saved, then never again; a new set replaces the old one.
 * Good once. Of two requests with the same code one wins.

Not here: how codes look and are hashed (lookup_secrets.py).
"""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from sqlalchemy import delete, update

from plugin.ceremonies.attempts import Counted
from plugin.ceremonies.types import Amr, Stage
from plugin.factors import lookup_secrets
from plugin.factors.gate import Gate, UsedMeanwhile
from plugin.store.instants import to_ms
from plugin.store.integrity import mac_of, sign
from plugin.store.tables import RecoveryCode
from vault.encoding import canonical

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session

    from plugin.ceremonies.attempts import Attempts
    from plugin.ceremonies.service import Ceremonies
    from plugin.ceremonies.types import AuditSink, CeremonyView, Subject
    from plugin.store.database import Database
    from vault.interface import Sealer

COUNT: Final = 10
LENGTH: Final = 16
PART: Final = "recovery_codes"


@dataclass(frozen=True, slots=True)
class ShownCodes:
    """The codes, as people read them."""

    codes: tuple[str, ...] = field(repr=False)
    view: CeremonyView


class RecoveryCodes:
    """Hand out and verify recovery codes."""

    def __init__(
        self, *, ceremonies: Ceremonies, database: Database, sealer: Sealer, attempts: Attempts, audit: AuditSink
    ) -> None:
        self._gate = Gate(ceremonies=ceremonies, sealer=sealer, attempts=attempts, audit=audit)
        self._ceremonies = ceremonies
        self._database = database
        self._sealer = sealer
        self._attempts = attempts

    def show(self, view: CeremonyView, *, now: datetime) -> ShownCodes:
        """Draw ten codes, or return those that wait to be saved: a reload must not make the written ones useless."""
        self._gate.require(view, Stage.RECOVERY_CODES)
        scratch = self._ceremonies.scratch(view)
        waiting = scratch.get(PART)
        if waiting is None:
            codes = [selector + lookup_secrets.draw(LENGTH - 1) for selector in lookup_secrets.ALPHABET[:COUNT]]
            waiting = " ".join(codes).encode("ascii")
            view = self._ceremonies.save_scratch(view, scratch.with_part(PART, waiting), now=now)
        codes = waiting.decode("ascii").split(" ")
        return ShownCodes(codes=tuple(lookup_secrets.grouped(code) for code in codes), view=view)

    def acknowledge(self, view: CeremonyView, *, now: datetime) -> CeremonyView:
        """Store the codes that were shown, hashed, in place of any older set, and move on."""
        self._gate.require(view, Stage.RECOVERY_CODES)
        waiting = self._ceremonies.scratch(view).get(PART)
        if waiting is None:
            self._gate.refuse(view, Counted.RECOVERY, "recovery_not_shown", now=now)
        rows = [self._new_row(view.owner, code, now=now) for code in waiting.decode("ascii").split(" ")]

        def within(session: Session) -> None:
            session.execute(
                delete(RecoveryCode).where(RecoveryCode.issuer == view.issuer, RecoveryCode.subject == view.subject)
            )
            session.add_all(rows)
            self._attempts.reset(view.owner, [Counted.RECOVERY], session=session)

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
        """Use up one code in place of the possession factor, and move on.

        1. at the possession stage                       4. the secret part fits (Argon2id, once)
        2. it can be a code (else not worth an attempt)  5. not used before, even if two race
        3. attempt counted
        """
        self._gate.require(view, Stage.POSSESSION)  # (1)
        meant = lookup_secrets.normal(code, length=LENGTH)
        if meant is None:  # (2)
            self._gate.refuse(view, Counted.RECOVERY, "recovery_malformed", now=now)
        self._gate.take(view, Counted.RECOVERY, now=now)  # (3)
        with self._database.reading() as session:
            row = session.get(RecoveryCode, _row_id(view.owner, meant[0]))
        if row is not None:
            self._gate.believe(row, view, now=now)
        if not lookup_secrets.fits(meant, row.code_hash if row is not None else None) or row is None:  # (4)
            self._gate.refuse(view, Counted.RECOVERY, "recovery_wrong", now=now)
        if row.used_ms is not None:  # (5)
            self._gate.refuse(view, Counted.RECOVERY, "recovery_used", now=now)
        changes: dict[str, object] = {"used_ms": to_ms(now)}
        changes["mac"] = mac_of(row, sealer=self._sealer, changed=changes)

        def within(session: Session) -> None:
            unused = (RecoveryCode.id == row.id, RecoveryCode.used_ms.is_(None), RecoveryCode.mac == row.mac)
            done = session.execute(update(RecoveryCode).where(*unused).values(**changes))
            if done.rowcount != 1:  # type: ignore[attr-defined]  # (5)
                raise UsedMeanwhile("recovery_used")

        return self._gate.accept(view, Counted.RECOVERY, now=now, proven=Amr.OTP.value, within=within)

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


def _row_id(owner: Subject, selector: str) -> str:
    """Return where a subject's code with this selector lies. Nothing in it is secret."""
    place = hashlib.sha256(canonical("recovery code", owner.issuer, owner.subject, selector)).digest()
    return urlsafe_b64encode(place).rstrip(b"=").decode("ascii")
