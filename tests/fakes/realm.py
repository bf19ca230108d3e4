"""An identity provider that signs with real keys, and the JWKS that shows them. Neither touches the network."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import count
from typing import TYPE_CHECKING, Any

from joserfc import jws
from joserfc.jwk import ECKey, OKPKey, RSAKey

from plugin.errors import ServiceError

if TYPE_CHECKING:
    from collections.abc import Mapping

SERVICE = "https://face.example"
VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
_numbers = count(1)


class Clock:
    """Stands still until it is told otherwise."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def pass_seconds(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class FakeJwks:
    """The production protocol JwksFetcher over documents in memory; counts its calls."""

    def __init__(self) -> None:
        self.documents: dict[str, bytes] = {}
        self.calls: list[str] = []

    def fetch(self, uri: str) -> bytes:
        self.calls.append(uri)
        if uri not in self.documents:
            raise ServiceError("keys_unavailable", "nobody answers")
        return self.documents[uri]


@cache
def rsa_key(name: str) -> RSAKey:
    return RSAKey.generate_key(2048, private=True, auto_kid=False)


@cache
def ec_key(name: str, curve: str = "P-256") -> ECKey:
    return ECKey.generate_key(curve, private=True)


@cache
def ed_key(name: str) -> OKPKey:
    return OKPKey.generate_key("Ed25519", private=True)


@dataclass
class Realm:
    """One realm of a Keycloak: it signs requests, assertions, and everybody's tokens with the same key."""

    issuer: str
    clock: Clock
    key: Any = None
    kid: str = "realm-key"
    alg: str = "RS256"
    extra_jwks: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.key = self.key or rsa_key(self.issuer)

    @property
    def jwks_uri(self) -> str:
        return f"{self.issuer}/protocol/openid-connect/certs"

    @property
    def redirect_uri(self) -> str:
        return f"{self.issuer}/login-actions/authenticate?session_code=abc&execution=e1&tab_id=t1"

    def jwk(self, **more: Any) -> dict[str, Any]:
        return {**self.key.as_dict(private=False), "kid": self.kid, "use": "sig", "alg": self.alg, **more}

    def publish(self, jwks: FakeJwks) -> None:
        jwks.documents[self.jwks_uri] = json.dumps({"keys": [self.jwk(), *self.extra_jwks]}).encode()

    def seconds(self, offset: float = 0) -> int:
        return int(self.clock().timestamp() + offset)

    def request_claims(self, **changes: Any) -> dict[str, Any]:
        """Return the claims of a good request; a change to None removes the claim."""
        claims = {
            "iss": self.issuer,
            "client_id": self.issuer,
            "aud": SERVICE,
            "iat": self.seconds(),
            "exp": self.seconds(120),
            "jti": f"request-{next(_numbers):08}",
            "response_type": "code",
            "scope": "openid",
            "redirect_uri": self.redirect_uri,
            "state": "s" * 22,
            "nonce": "n" * 22,
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            "acr_values": "facestep",
            "sub": "user-1",
            "preferred_username": "ada",
            "purpose": "login",
        }
        return _without_none({**claims, **changes})

    def assertion_claims(self, **changes: Any) -> dict[str, Any]:
        claims = {
            "iss": self.issuer,
            "sub": self.issuer,
            "aud": SERVICE,
            "iat": self.seconds(),
            "exp": self.seconds(60),
            "jti": f"assertion-{next(_numbers):08}",
        }
        return _without_none({**claims, **changes})

    def sign(self, claims: Mapping[str, Any], *, typ: str | None, **header: Any) -> str:
        merged = _without_none({"alg": self.alg, "kid": self.kid, "typ": typ, **header})
        return sign_raw(json.dumps(claims).encode(), merged, self.key)

    def request(self, **changes: Any) -> str:
        return self.sign(self.request_claims(**changes), typ="oauth-authz-req+jwt")

    def assertion(self, **changes: Any) -> str:
        return self.sign(self.assertion_claims(**changes), typ="client-authentication+jwt")


def sign_raw(payload: bytes, header: Mapping[str, Any], key: RSAKey | ECKey | OKPKey) -> str:
    """Sign under whatever header there is, as an attacker's own tool would."""
    signed = f"{_b64(json.dumps(header).encode())}.{_b64(payload)}"
    return f"{signed}.{_b64(jws.JWSRegistry.algorithms[header['alg']].sign(signed.encode(), key))}"


def hmac_signed(payload: bytes, header: Mapping[str, Any], secret: bytes) -> str:
    """A token under a shared secret, which may be somebody's public key."""
    signed = f"{_b64(json.dumps(header).encode())}.{_b64(payload)}"
    return f"{signed}.{_b64(hmac.digest(secret, signed.encode(), 'sha' + header['alg'][2:]))}"


def unsigned(payload: bytes, header: Mapping[str, Any]) -> str:
    """A token with an empty signature."""
    return f"{_b64(json.dumps(header).encode())}.{_b64(payload)}."


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _without_none(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
