"""Between a verified request, a row of `ceremonies` and what a request may believe of it.

Not here: transactions, MACs (service.py).
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from plugin.ceremonies.types import CeremonyView, Purpose, Stage, from_ms, to_ms
from plugin.store.tables import Ceremony
from vault.interface import Ciphertext

if TYPE_CHECKING:
    from datetime import datetime

    from plugin.ceremonies.types import NewCeremony, VerifiedRequest


def new_row(
    request: VerifiedRequest, new: NewCeremony, *, stage: Stage, now: datetime, expires_at: datetime
) -> Ceremony:
    """Return the row of a ceremony that begins; its MAC is the caller's."""
    return Ceremony(
        id=new.id,
        issuer=request.issuer,
        subject=request.subject,
        purpose=request.purpose.value,
        stage=stage.value,
        browser_hash=digest(new.browser_token),
        redirect_uri=request.redirect_uri,
        state=request.state,
        nonce=request.nonce,
        code_challenge=request.code_challenge,
        acr=request.acr,
        display_name=request.display_name,
        locale=request.locale,
        amr=[],
        reference_id=None,
        sealed_scratch=None,
        version=0,
        created_ms=to_ms(now),
        expires_ms=to_ms(expires_at),
        ended_ms=None,
    )


def view_of(row: Ceremony) -> CeremonyView:
    """Return what one request may believe; the MAC has been checked."""
    return CeremonyView(
        id=row.id,
        purpose=Purpose(row.purpose),
        stage=Stage(row.stage),
        issuer=row.issuer,
        subject=row.subject,
        redirect_uri=row.redirect_uri,
        state=row.state,
        nonce=row.nonce,
        code_challenge=row.code_challenge,
        acr=row.acr,
        display_name=row.display_name,
        locale=row.locale,
        amr=tuple(row.amr),
        reference_id=row.reference_id,
        version=row.version,
        created_at=from_ms(row.created_ms),
        expires_at=from_ms(row.expires_ms),
        sealed_scratch=Ciphertext(row.sealed_scratch) if row.sealed_scratch else None,
    )


def digest(token: str) -> bytes:
    """Return the hash a token is stored as; 256 random bits need no salt and no stretching."""
    return hashlib.sha256(token.encode()).digest()
