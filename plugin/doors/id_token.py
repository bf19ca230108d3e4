"""What an id_token says: who proved to be present, how, when, and for which request.

Not here: its signature (signer.py), whether it is deserved (ceremonies/).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from plugin.ceremonies.types import Purpose

if TYPE_CHECKING:
    from datetime import datetime

    from plugin.ceremonies.types import RedeemedResult


def id_token_claims(result: RedeemedResult, *, issuer: str, ttl_s: int, jti: str, now: datetime) -> dict[str, Any]:
    """Return the claims for the client that redeemed `result`. No score and no name is among them."""
    issued = int(now.timestamp())
    claims: dict[str, Any] = {
        "iss": issuer,
        "aud": result.issuer,
        "sub": result.subject,
        "nonce": result.nonce,
        "purpose": result.purpose.value,
        "amr": list(result.amr),
        "auth_time": int(result.auth_time.timestamp()),
        "iat": issued,
        "exp": issued + ttl_s,
        "jti": jti,
    }
    if result.acr:
        claims["acr"] = result.acr
    if result.purpose is Purpose.ENROL and result.reference_id is not None:
        claims["reference_id"] = result.reference_id
    return claims
