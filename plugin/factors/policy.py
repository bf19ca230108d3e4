"""Which proofs make a login, and which of them a person can give.

Rules:
 * Possession first, then the face: a biometric counts only together with a physical authenticator
   (NIST SP 800-63B-4 3.2.3, OWASP ASVS 5.0 6.5.7). ceremonies/stages.py enforces the order and refuses a result
   without both; nothing here can loosen that.
 * What counts as possession, and as which `amr` (RFC 8176):
     TOTP                 "otp"
     passkey, one device  "hwk"
     passkey, synced      "swk"
     saved recovery code  "otp": a look-up secret is something you have (NIST SP 800-63B-4 3.1.2), each code is a
                          one-time password, and RFC 8176 has no name of its own for it. The audit log keeps them apart.
 * A password never counts, and an invitation opens an enrolment only.

Not here: levels (`acr`, ceremonies/stages.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from plugin.store.tables import RecoveryCode, TotpSecret, WebauthnCredential

if TYPE_CHECKING:
    from plugin.ceremonies.types import Subject
    from plugin.store.database import Database


@dataclass(frozen=True, slots=True)
class PossessionOptions:
    """Which ways to offer on the page. Shown to who has already given the password at the identity provider."""

    totp: bool
    webauthn: bool
    recovery: bool


def available(owner: Subject, *, database: Database) -> PossessionOptions:
    """Return what this subject can use. One who has nothing is offered TOTP, and fails at it like anybody else."""
    mine = {"issuer": owner.issuer, "subject": owner.subject}
    queries = (
        select(TotpSecret.id).filter_by(**mine),
        select(WebauthnCredential.id).filter_by(**mine),
        select(RecoveryCode.id).filter_by(**mine, used_ms=None),
    )
    with database.reading() as session:
        totp, webauthn, recovery = (session.scalar(query.limit(1)) is not None for query in queries)
    return PossessionOptions(totp=totp or not webauthn, webauthn=webauthn, recovery=recovery)
