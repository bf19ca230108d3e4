"""The public keys of identity providers: fetched from their JWKS, kept for minutes, refetched with a limit.

Rules:
 * Only asymmetric signature keys are taken: no shared secret, no weak RSA key, no encryption key.
 * A key id that occurs twice names no key.
 * An unknown key id causes one refetch at most every ten seconds: a stranger cannot make us hammer the provider.
 * No answer, no keys: the request is refused with 503. Old keys are not kept alive.

Not here: which JWKS belongs to whom (registry.py), signatures (jws.py).
"""

from __future__ import annotations

import base64
import json
import threading
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Protocol

import requests
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey, import_key

from plugin.errors import ClientRefused, ServiceError
from plugin.urls import is_loopback

if TYPE_CHECKING:
    from collections.abc import Mapping

PublicKey = RSAKey | ECKey | OKPKey

KEEP: Final = timedelta(minutes=5)
REFETCH: Final = timedelta(seconds=10)
RETRY: Final = timedelta(seconds=2)
"""After a failed fetch: long enough that waiting logins do not queue up behind a dead provider."""
FETCH_TIMEOUT_S: Final = 3.0
MAX_JWKS_BYTES: Final = 64 * 1024
MAX_KEYS: Final = 50
MIN_RSA_BITS: Final = 2048
"""NIST SP 800-131A."""
MAX_RSA_BITS: Final = 8192
"""A signature under a larger key costs milliseconds that a stranger could make us spend."""

_RSA_ALGS: Final = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"})
_CURVE_ALGS: Final = {
    "P-256": frozenset({"ES256"}),
    "P-384": frozenset({"ES384"}),
    "P-521": frozenset({"ES512"}),
    "Ed25519": frozenset({"EdDSA", "Ed25519"}),
}
ALGORITHMS: Final = tuple(sorted(_RSA_ALGS.union(*_CURVE_ALGS.values())))


class JwksFetcher(Protocol):
    """Production: HttpJwksFetcher. Tests: a fake with keys of its own."""

    def fetch(self, uri: str) -> bytes:
        """Return the document at `uri`, at most MAX_JWKS_BYTES. Raises ServiceError("keys_unavailable")."""


class HttpJwksFetcher:
    """Fetch over HTTP without redirects, with an overall deadline and a size limit."""

    def fetch(self, uri: str) -> bytes:
        """Return the document. Raises ServiceError."""
        deadline = time.monotonic() + FETCH_TIMEOUT_S
        body = bytearray()
        try:
            with requests.Session() as session:
                session.trust_env = not is_loopback(uri)  # a proxy of the environment cannot reach our own loopback
                with session.get(uri, timeout=FETCH_TIMEOUT_S, allow_redirects=False, stream=True) as response:
                    if response.status_code != requests.codes.ok:
                        raise ServiceError("keys_unavailable", f"status {response.status_code}")
                    for chunk in response.iter_content(chunk_size=8192):
                        body.extend(chunk)
                        if len(body) > MAX_JWKS_BYTES or time.monotonic() > deadline:
                            raise ServiceError("keys_unavailable", "the JWKS is too large or too slow")
        except requests.RequestException as exc:
            raise ServiceError("keys_unavailable", type(exc).__name__) from exc
        return bytes(body)


@dataclass(frozen=True, slots=True)
class SignatureKey:
    """One public key and the algorithms it may be used with."""

    key: PublicKey
    algorithms: frozenset[str]


def parse_jwks(document: bytes) -> dict[str, SignatureKey]:
    """Return the usable signature keys by key id. Raises ServiceError if the document is not a JWKS."""
    try:
        listed = json.loads(document)["keys"]
    except (ValueError, KeyError, TypeError) as exc:
        raise ServiceError("keys_unavailable", "the document is not a JWKS") from exc
    if not isinstance(listed, list) or len(listed) > MAX_KEYS:
        raise ServiceError("keys_unavailable", "the document is not a JWKS")
    found: dict[str, SignatureKey] = {}
    ambiguous: set[str] = set()
    for jwk in listed:
        kid = jwk.get("kid") if isinstance(jwk, dict) else None
        usable = _usable(jwk) if isinstance(kid, str) and kid else None
        if kid in found:
            ambiguous.add(kid)
        elif usable is not None and isinstance(kid, str):
            found[kid] = usable
    return {kid: key for kid, key in found.items() if kid not in ambiguous}


def _usable(jwk: Mapping[str, Any]) -> SignatureKey | None:
    if jwk.get("use", "sig") != "sig" or "d" in jwk:
        return None
    algorithms = _RSA_ALGS if jwk.get("kty") == "RSA" else _CURVE_ALGS.get(str(jwk.get("crv")), frozenset())
    if isinstance(jwk.get("alg"), str):
        algorithms &= {jwk["alg"]}
    if not algorithms or (jwk["kty"] == "RSA" and not MIN_RSA_BITS <= _bits(jwk.get("n")) <= MAX_RSA_BITS):
        return None
    public = {name: jwk[name] for name in ("kty", "n", "e", "crv", "x", "y") if name in jwk}
    try:
        key = import_key(public)
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    return SignatureKey(key, algorithms) if isinstance(key, RSAKey | ECKey | OKPKey) else None


def _bits(modulus: object) -> int:
    """Return the size of a JWK's `n`, or 0 if it is no number; looked at before a library works with it."""
    try:
        raw = base64.urlsafe_b64decode(str(modulus) + "==")
    except ValueError:
        return 0
    return int.from_bytes(raw, "big").bit_length()


@dataclass(slots=True)
class _Cached:
    """What we know of one JWKS; `lock` lets one thread fetch while the others wait for its answer."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    keys: dict[str, SignatureKey] = field(default_factory=dict)
    fetched: datetime | None = None
    tried: datetime | None = None


class KeyCache:
    """Keys by JWKS address; one cache a process."""

    def __init__(self, fetcher: JwksFetcher) -> None:
        self._fetcher = fetcher
        self._entries: dict[str, _Cached] = {}
        self._lock = threading.Lock()

    def key(self, jwks_uri: str, kid: str, *, now: datetime) -> SignatureKey:
        """Return the key that `kid` names.

        Raises:
            ClientRefused: the provider has no such key.
            ServiceError: the provider's keys cannot be read now.
        """
        with self._lock:
            entry = self._entries.setdefault(jwks_uri, _Cached())
        with entry.lock:
            if entry.fetched is None or now - entry.fetched >= KEEP:
                self._refetch(entry, jwks_uri, now=now, pause=RETRY)
            elif kid not in entry.keys and (entry.tried is None or now - entry.tried >= REFETCH):
                self._refetch(entry, jwks_uri, now=now, pause=REFETCH)
            if kid not in entry.keys:
                raise ClientRefused("client_refused", "kid_unknown")
            return entry.keys[kid]

    def _refetch(self, entry: _Cached, jwks_uri: str, *, now: datetime, pause: timedelta) -> None:
        if entry.tried is not None and now - entry.tried < pause and entry.fetched is None:
            raise ServiceError("keys_unavailable", "the last fetch failed a moment ago")
        entry.tried, entry.fetched, entry.keys = now, None, {}
        entry.keys = parse_jwks(self._fetcher.fetch(jwks_uri))
        entry.fetched = now
