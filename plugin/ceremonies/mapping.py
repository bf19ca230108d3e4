"""Between a verified request, a row of `ceremonies` and what a request may believe of it.

Not here: transactions, MACs (service.py).
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from plugin.ceremonies.types import CeremonyView, Purpose, Stage
from plugin.store.instants import from_ms, to_ms
from plugin.store.tables import Ceremony
from vault.interface import Ciphertext, Context
from vault.interface import Purpose as KeyPurpose

if TYPE_CHECKING:
    from collections.abc import Mapping
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


def view_of(columns: Mapping[str, Any]) -> CeremonyView:
    """Return what one request may believe of a row's columns, whose MAC has been checked."""
    return CeremonyView(
        id=columns["id"],
        purpose=Purpose(columns["purpose"]),
        stage=Stage(columns["stage"]),
        issuer=columns["issuer"],
        subject=columns["subject"],
        redirect_uri=columns["redirect_uri"],
        state=columns["state"],
        nonce=columns["nonce"],
        code_challenge=columns["code_challenge"],
        acr=columns["acr"],
        display_name=columns["display_name"],
        locale=columns["locale"],
        amr=tuple(columns["amr"]),
        reference_id=columns["reference_id"],
        version=columns["version"],
        created_at=from_ms(columns["created_ms"]),
        expires_at=from_ms(columns["expires_ms"]),
        sealed_scratch=Ciphertext(columns["sealed_scratch"]) if columns["sealed_scratch"] else None,
        columns=columns,
    )


def digest(token: str) -> bytes:
    """Return the hash a token is stored as; 256 random bits need no salt and no stretching."""
    return hashlib.sha256(token.encode()).digest()


def sealed_to(view: CeremonyView, version: int) -> dict[str, Any]:
    """Return what the scratch of this version is bound to, as the sealer's arguments."""
    context = Context(issuer=view.issuer, subject=view.subject, purpose=KeyPurpose.CEREMONY)
    return {"context": context, "associated_data": f"scratch|{view.id}|{version}".encode()}
