"""Our own signature: id_tokens are signed with ES256 by a key whose private half the sealer keeps.

Rules:
 * The key is created once, on the first start; the database's write lock decides between workers that start together.
 * The key id is the key's thumbprint (RFC 7638), and the private half opens only for that id: a public key that
   somebody writes into the table is never published.
 * Only keys that opened are in the JWKS.

Not here: what an id_token says (id_token.py).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey
from sqlalchemy import select

from plugin.errors import ServiceError
from plugin.store.instants import to_ms
from plugin.store.tables import SigningKey
from vault.interface import Ciphertext, Context, Purpose

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from plugin.store.database import Database
    from vault.interface import Sealer

ALGORITHM: Final = "ES256"


class Signer:
    """Signs with the newest key and publishes all of them."""

    def __init__(self, keys: list[ECKey]) -> None:
        if not keys:
            raise ServiceError("signing_key_missing", "there is no signing key")
        self._keys = keys

    def __repr__(self) -> str:
        return f"Signer(<{len(self._keys)} keys>)"

    @classmethod
    def open(cls, *, database: Database, sealer: Sealer, issuer: str, now: datetime) -> Signer:
        """Return the signer of this service; create its key if there is none.

        Raises:
            ServiceError: a stored key is not what its id says.
            VaultError: a stored key does not open.
        """
        if not _rows(database):
            _create(database=database, sealer=sealer, issuer=issuer, now=now)
        return cls([_open(row, sealer=sealer, issuer=issuer) for row in _rows(database)])

    @property
    def kid(self) -> str:
        """Return the id of the key that signs."""
        return self._keys[-1].thumbprint()

    def sign(self, claims: Mapping[str, Any], *, typ: str = "JWT") -> str:
        """Return a compact JWS over `claims`."""
        header = {"alg": ALGORITHM, "kid": self.kid, "typ": typ}
        return jwt.encode(header, dict(claims), self._keys[-1], algorithms=[ALGORITHM])

    def public_jwks(self) -> dict[str, list[dict[str, Any]]]:
        """Return the public halves, newest first."""
        return {"keys": [_public_jwk(key) for key in reversed(self._keys)]}


def _rows(database: Database) -> list[SigningKey]:
    with database.reading() as session:
        return list(session.scalars(select(SigningKey).order_by(SigningKey.created_ms, SigningKey.kid)))


def _create(*, database: Database, sealer: Sealer, issuer: str, now: datetime) -> None:
    key = ECKey.generate_key("P-256", private=True)
    kid = key.thumbprint()
    sealed = sealer.seal(
        json.dumps(key.as_dict(private=True)).encode(),
        context=context_of(issuer, kid),
        associated_data=bound_to(kid),
    )
    row = SigningKey(kid=kid, sealed_private_key=sealed, public_jwk=json.dumps(_public_jwk(key)), created_ms=to_ms(now))
    with (
        database.transaction() as session
    ):  # holds the write lock, so a worker that lost the race sees the winner's row
        if session.scalar(select(SigningKey.kid).limit(1)) is None:
            session.add(row)


def _open(row: SigningKey, *, sealer: Sealer, issuer: str) -> ECKey:
    private = sealer.open(
        Ciphertext(row.sealed_private_key),
        context=context_of(issuer, row.kid),
        associated_data=bound_to(row.kid),
    )
    try:
        key = ECKey.import_key(json.loads(private))
    except (JoseError, ValueError) as exc:
        raise ServiceError("signing_key_invalid", f"signing key {row.kid} does not parse") from exc
    if key.thumbprint() != row.kid or not key.is_private:
        raise ServiceError("signing_key_invalid", f"signing key {row.kid} is not the key its id says")
    return key


def _public_jwk(key: ECKey) -> dict[str, Any]:
    return {**key.as_dict(private=False), "kid": key.thumbprint(), "use": "sig", "alg": ALGORITHM}


def context_of(issuer: str, kid: str) -> Context:
    """Return whose key the secret is sealed with."""
    return Context(issuer=issuer, subject=kid, purpose=Purpose.SIGNING_KEY)


def bound_to(kid: str) -> bytes:
    """Return the associated data of the private key of this id."""
    return f"signing-key|{kid}".encode()
