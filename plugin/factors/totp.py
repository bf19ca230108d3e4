"""Time-based one-time passwords (RFC 6238): six digits, 30 seconds, SHA-1, as every authenticator app speaks it.

Rules:
 * A secret counts only after a code made with it was entered; until then it lies in the ceremony's scratch.
 * A step is accepted once. We remember the step, never the digits; parallel requests race for one UPDATE.
 * One step before and after now is accepted (RFC 6238 5.2; the code lives at most 90 seconds).
 * All three steps are compared, in constant time, whichever fits.

Not here: attempt limits (ceremonies/attempts.py), the QR picture (api/).
"""

from __future__ import annotations

import hmac
import re
import secrets
from base64 import b32encode
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, cast

import pyotp
from sqlalchemy import bindparam, delete, select, update

from plugin.ceremonies.attempts import Counted
from plugin.ceremonies.types import Amr, Stage
from plugin.factors.gate import Gate, UsedMeanwhile
from plugin.store.instants import to_ms
from plugin.store.integrity import sign
from plugin.store.tables import TotpSecret
from vault.interface import Ciphertext, Context, Purpose
from vault.rows import row_mac

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlalchemy import RowMapping, Table
    from sqlalchemy.orm import Session

    from plugin.ceremonies.attempts import Attempts
    from plugin.ceremonies.service import Ceremonies
    from plugin.ceremonies.types import AuditSink, CeremonyView, Subject
    from vault.interface import Sealer

STEP_S: Final = 30
WINDOW: Final = 1
SECRET_BYTES: Final = 20  # RFC 4226 4, R6: 160 bits, the length of the HMAC
ISSUER_NAME: Final = "Facestep"
PART: Final = "totp"
_CODE: Final = re.compile(r"[0-9]{6}")

_TABLE: Final = cast("Table", TotpSecret.__table__)
_OWNED: Final = (_TABLE.c.issuer == bindparam("of_issuer"), _TABLE.c.subject == bindparam("of_subject"))
_FIND: Final = select(_TABLE).where(*_OWNED)
_REMOVE: Final = delete(_TABLE).where(*_OWNED)
_USE_STEP: Final = update(_TABLE).where(
    _TABLE.c.id == bindparam("of_id"), _TABLE.c.last_step == bindparam("of_last_step")
)


@dataclass(frozen=True, slots=True)
class TotpSetup:
    """What the person's app needs; shown while the set-up is open, never again."""

    otpauth_uri: str = field(repr=False)
    secret: str = field(repr=False)
    view: CeremonyView


class TotpFactor:
    """Set up and verify one TOTP secret a subject."""

    def __init__(
        self,
        *,
        ceremonies: Ceremonies,
        sealer: Sealer,
        attempts: Attempts,
        audit: AuditSink,
        random_bytes: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        self._gate = Gate(ceremonies=ceremonies, sealer=sealer, attempts=attempts, audit=audit)
        self._ceremonies = ceremonies
        self._sealer = sealer
        self._attempts = attempts
        self._random_bytes = random_bytes

    def begin_setup(self, view: CeremonyView, *, now: datetime) -> TotpSetup:
        """Draw a secret, or return the one that waits for its code: a reload must not make the scanned one useless."""
        self._gate.require(view, Stage.POSSESSION_SETUP)
        scratch = self._ceremonies.scratch(view)
        waiting = scratch.get(PART)
        if waiting is None:
            waiting = b32encode(self._random_bytes(SECRET_BYTES))
            view = self._ceremonies.save_scratch(view, scratch.with_part(PART, waiting), now=now)
        secret = waiting.decode("ascii")
        uri = pyotp.TOTP(secret).provisioning_uri(name=view.display_name or view.subject, issuer_name=ISSUER_NAME)
        return TotpSetup(otpauth_uri=uri, secret=secret, view=view)

    def confirm_setup(self, view: CeremonyView, code: str, *, now: datetime) -> CeremonyView:
        """Store the waiting secret, in place of an older one, once the app has shown that it holds it.

        Not counted as an attempt: the secret was shown to this very person a moment ago, there is nothing to guess.
        """
        self._gate.require(view, Stage.POSSESSION_SETUP)
        waiting = self._ceremonies.scratch(view).get(PART)
        if waiting is None:
            self._gate.refuse(view, Counted.TOTP, "totp_not_begun", now=now)
        step = _matching_step(waiting.decode("ascii"), _normal(code), now=now)
        if step is None:
            self._gate.refuse(view, Counted.TOTP, "totp_wrong", now=now)
        row = self._new_row(view.owner, waiting, last_step=step, now=now)

        def within(session: Session) -> None:
            session.execute(_REMOVE, _of(view.owner))
            session.add(row)
            self._attempts.reset(view.owner, [Counted.TOTP], session=session)

        return self._gate.accept(view, Counted.TOTP, now=now, proven=Amr.OTP.value, within=within, event="factor_added")

    def verify(self, view: CeremonyView, code: str, *, now: datetime) -> CeremonyView:
        """Accept the code of a step that was not accepted before, and move on.

        0. at the possession stage            3. a secret is enrolled, and is as we wrote it
        1. six digits (not worth an attempt)  4. the code fits one of three steps
        2. attempt counted                    5. the step is newer than the last accepted one, even if two race

        Raises:
            FactorRejected, LockedOut, CeremonyRefused: as errors.py says; the audit log has the check.
        """
        self._gate.require(view, Stage.POSSESSION)  # (0)
        digits = _normal(code)
        if digits is None:  # (1)
            self._gate.refuse(view, Counted.TOTP, "totp_malformed", now=now)
        row = self._gate.take(view, Counted.TOTP, now=now, read=lambda session: _find(session, view.owner))  # (2)
        if row is None:  # (3)
            self._gate.refuse(view, Counted.TOTP, "not_enrolled", now=now)
        columns = self._gate.believed(_TABLE, row, view, now=now)
        secret = self._sealer.open(
            Ciphertext(columns["sealed_secret"]),
            context=context_of(view.owner),
            associated_data=bound_to(columns["id"]),
        )
        step = _matching_step(secret.decode("ascii"), digits, now=now)
        if step is None:  # (4)
            self._gate.refuse(view, Counted.TOTP, "totp_wrong", now=now)
        if step <= columns["last_step"]:  # (5)
            self._gate.refuse(view, Counted.TOTP, "totp_reused", now=now)
        used = {
            "of_id": columns["id"],
            "of_last_step": columns["last_step"],
            "last_step": step,
            "mac": row_mac(self._sealer, table=_TABLE.name, columns={**columns, "last_step": step}),
        }

        def within(session: Session) -> None:
            done = session.execute(_USE_STEP, used)
            if done.rowcount != 1:  # type: ignore[attr-defined]  # (5)
                raise UsedMeanwhile("totp_reused")

        return self._gate.accept(view, Counted.TOTP, now=now, proven=Amr.OTP.value, within=within)

    def _new_row(self, owner: Subject, secret: bytes, *, last_step: int, now: datetime) -> TotpSecret:
        row_id = secrets.token_urlsafe(32)
        row = TotpSecret(
            id=row_id,
            issuer=owner.issuer,
            subject=owner.subject,
            sealed_secret=self._sealer.seal(secret, context=context_of(owner), associated_data=bound_to(row_id)),
            last_step=last_step,
            created_ms=to_ms(now),
        )
        sign(row, sealer=self._sealer)
        return row


def _normal(code: str) -> str | None:
    """Return the six digits; people type the gap that apps show."""
    digits = code.replace(" ", "")
    return digits if _CODE.fullmatch(digits) else None


def _matching_step(secret: str, digits: str | None, *, now: datetime) -> int | None:
    """Return the newest step within the window whose code this is, or None."""
    if digits is None:
        return None
    current = to_ms(now) // 1000 // STEP_S
    totp = pyotp.TOTP(secret, interval=STEP_S)
    found = None
    for step in range(current - WINDOW, current + WINDOW + 1):
        if hmac.compare_digest(totp.generate_otp(step), digits):
            found = step
    return found


def _find(session: Session, owner: Subject) -> RowMapping | None:
    return session.execute(_FIND, _of(owner)).mappings().first()


def _of(owner: Subject) -> dict[str, str]:
    return {"of_issuer": owner.issuer, "of_subject": owner.subject}


def context_of(owner: Subject) -> Context:
    """Return whose key the secret is sealed with."""
    return Context(issuer=owner.issuer, subject=owner.subject, purpose=Purpose.FACTOR_SECRET)


def bound_to(row_id: str) -> bytes:
    """Return the associated data of the secret of this row."""
    return f"totp|{row_id}".encode()
