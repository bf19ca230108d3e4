"""A code that is mailed to the address on record: the second proof before a changed face is enrolled anew.

Rules:
 * Twelve signs, 60 bits (NIST SP 800-63B-4 4.2 asks for six digits, and allows a mailed code a day).
 * It lies hashed in the ceremony that asked for it, sealed with the ceremony's id and version: no other ceremony and no
   other person can use it, and it ends with the ceremony, 25 minutes after the beginning.
 * A newer one replaces it. Tries are counted in the database before they are compared.

Not here: who may have one, how often, and how it travels (helpdesk/own_recovery.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from plugin.ceremonies.attempts import Counted
from plugin.ceremonies.types import Stage
from plugin.factors import lookup_secrets
from plugin.factors.gate import Gate

if TYPE_CHECKING:
    from datetime import datetime

    from plugin.ceremonies.attempts import Attempts
    from plugin.ceremonies.service import Ceremonies
    from plugin.ceremonies.types import AuditSink, CeremonyView
    from vault.interface import Sealer

LENGTH: Final = 12
PART: Final = "mailed_code"


class MailedCodes:
    """Draw and redeem."""

    def __init__(self, *, ceremonies: Ceremonies, sealer: Sealer, attempts: Attempts, audit: AuditSink) -> None:
        self._gate = Gate(ceremonies=ceremonies, sealer=sealer, attempts=attempts, audit=audit)
        self._ceremonies = ceremonies

    def draw(self, view: CeremonyView, *, now: datetime) -> tuple[str, CeremonyView]:
        """Return a new code as people read it, in place of an older one, and the ceremony that remembers it."""
        self._gate.require(view, Stage.MAILED_CODE)
        code = lookup_secrets.draw(LENGTH)
        scratch = self._ceremonies.scratch(view).with_part(PART, lookup_secrets.hashed(code).encode("ascii"))
        return lookup_secrets.grouped(code), self._ceremonies.save_scratch(view, scratch, now=now)

    def withdraw(self, view: CeremonyView, *, now: datetime) -> None:
        """Forget the code: it could not be sent."""
        self._ceremonies.save_scratch(view, self._ceremonies.scratch(view).without(PART), now=now)

    def was_drawn(self, view: CeremonyView) -> bool:
        """Tell whether a code waits to be entered."""
        return self._ceremonies.scratch(view).get(PART) is not None

    def redeem(self, view: CeremonyView, typed: str, *, now: datetime) -> CeremonyView:
        """Use the code up and move on to consent.

        1. at the stage      2. it can be a code (else not worth an attempt)      3. attempt counted
        4. it fits (Argon2id; a decoy if none was sent); the move forgets it, and of two requests one moves
        """
        self._gate.require(view, Stage.MAILED_CODE)  # (1)
        meant = lookup_secrets.normal(typed, length=LENGTH)
        if meant is None:  # (2)
            self._gate.refuse(view, Counted.MAILED, "mailed_code_malformed", now=now)
        self._gate.take(view, Counted.MAILED, now=now)  # (3)
        kept = self._ceremonies.scratch(view).get(PART)
        if not lookup_secrets.fits(meant, kept.decode("ascii") if kept is not None else None):  # (4)
            self._gate.refuse(view, Counted.MAILED, "mailed_code_wrong", now=now)
        return self._gate.accept(view, Counted.MAILED, now=now, proven=None, within=lambda _session: None)
