"""Agents of the helpdesk sign in at the realm: we are a relying party there (OpenID Connect, code flow).

Rules:
 * Code with PKCE (S256), through Authlib. The client is `facestep-helpdesk` and proves itself with private_key_jwt, by
   the key that our own /jwks shows: no shared secret exists.
 * State, nonce and verifier are worked out from one token in the browser's cookie, so a sign-in ends where it began,
   and nothing is stored until it has succeeded.
 * Only our own face step opens the helpdesk: the ID token must say `acr` "facestep", and that it happened just now.

Not here: what a signed-in agent may do (helpdesk/), sessions (helpdesk/sessions.py).
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64encode
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session

from plugin.ceremonies.levels import DEMANDED
from plugin.ceremonies.types import Subject
from plugin.doors import jws
from plugin.errors import ClientRefused, ServiceError
from plugin.urls import is_loopback

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from plugin.doors.registry import Registry
    from plugin.doors.signer import Signer

CLIENT_ID: Final = "facestep-helpdesk"
CALLBACK: Final = "/helpdesk/callback"
MAX_AGE: Final = timedelta(minutes=15)
"""So old may the face step be at the most when an agent signs in."""
_ID_TOKEN_LIFE: Final = timedelta(hours=1)
_ASSERTION_LIFE_S: Final = 60
_TIMEOUT_S: Final = 5


class AgentLogin:
    """Send an agent to the realm and believe what comes back, or not."""

    def __init__(
        self, *, realm: str, our_url: str, registry: Registry, signer: Signer, clock: Callable[[], datetime]
    ) -> None:
        self._realm = realm
        self._our_url = our_url
        self._registry = registry
        self._signer = signer
        self._clock = clock

    def begin(self, token: str) -> str:
        """Return the address to send the browser to, which holds `token` in a cookie."""
        with self._session() as session:
            url, _ = session.create_authorization_url(
                f"{self._realm}/protocol/openid-connect/auth",
                state=_derived(token, "state"),
                nonce=_derived(token, "nonce"),
                code_verifier=_derived(token, "verifier"),
                acr_values=next(iter(DEMANDED)),
                max_age=int(MAX_AGE.total_seconds()),
            )
        return str(url)

    def finish(self, token: str, *, state: str, code: str, now: datetime) -> Subject:
        """Return who has signed in.

        1. begun in this browser   2. the realm redeems the code for us, with our verifier
        3. signed by the realm for us, now (jws.verify)      4. an ID token, with our nonce
        5. the face step, at most 15 minutes ago

        Raises:
            ServiceError: helpdesk_login_refused, with the check; keycloak_unavailable.
        """
        if not token or not hmac.compare_digest(state, _derived(token, "state")):  # (1)
            raise _refused("state")
        id_token = self._redeem(token, code)  # (2)
        try:
            claims = jws.verify(  # (3)
                id_token,
                expected_typ="JWT",
                expected_issuer=self._realm,
                expected_audience=CLIENT_ID,
                key_for=lambda kid: self._registry.key(self._registry.get(self._realm), kid, now=now),
                max_age=_ID_TOKEN_LIFE,
                now=now,
            )
            claims.exactly("typ", "ID")  # (4)
            subject = claims.text("sub")
            nonce = claims.text("nonce")
        except ClientRefused as exc:
            raise _refused(exc.detail) from exc
        if not hmac.compare_digest(nonce, _derived(token, "nonce")):  # (4)
            raise _refused("nonce")
        self._check_face(claims, now=now)  # (5)
        return Subject(self._realm, subject)

    def service_token(self) -> dict[str, Any]:
        """Return an access token of our own service account at the realm. Raises ServiceError."""
        try:
            with self._session() as session:
                return dict(session.fetch_token(self._token_url, grant_type="client_credentials"))
        except (requests.RequestException, AuthlibBaseError) as exc:
            raise ServiceError("keycloak_unavailable", f"no service token: {type(exc).__name__}") from exc

    def _check_face(self, claims: jws.SignedClaims, *, now: datetime) -> None:
        if claims.values.get("acr") not in DEMANDED:
            raise _refused("acr")
        at = claims.values.get("auth_time")
        age = now.timestamp() - at if isinstance(at, int) else None
        if age is None or age > (MAX_AGE + jws.LEEWAY).total_seconds():
            raise _refused("auth_time")

    def _redeem(self, token: str, code: str) -> str:
        try:
            with self._session() as session:
                answer = session.fetch_token(
                    self._token_url,
                    grant_type="authorization_code",
                    code=code,
                    code_verifier=_derived(token, "verifier"),
                )
        except AuthlibBaseError as exc:
            raise _refused("code") from exc
        except requests.RequestException as exc:
            raise ServiceError("keycloak_unavailable", type(exc).__name__) from exc
        id_token = answer.get("id_token")
        if not isinstance(id_token, str):
            raise _refused("no_id_token")
        return id_token

    @property
    def _token_url(self) -> str:
        return f"{self._realm}/protocol/openid-connect/token"

    def _session(self) -> Any:
        session = OAuth2Session(
            CLIENT_ID,
            token_endpoint_auth_method=self._prove_ourselves,
            scope="openid",
            redirect_uri=self._our_url + CALLBACK,
            code_challenge_method="S256",
            default_timeout=_TIMEOUT_S,
        )
        session.trust_env = not is_loopback(self._realm)  # a proxy of the environment cannot reach our own loopback
        return session

    def _prove_ourselves(self, _client: Any, _method: str, uri: str, headers: Any, body: str) -> tuple[str, Any, str]:
        """Add our signed assertion to a token request (RFC 7523)."""
        now = int(self._clock().timestamp())
        claims = {"iss": CLIENT_ID, "sub": CLIENT_ID, "aud": self._realm, "jti": secrets.token_urlsafe(24)}
        assertion = self._signer.sign({**claims, "iat": now, "exp": now + _ASSERTION_LIFE_S})
        kind = "urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer"
        body = f"{body}&client_id={CLIENT_ID}&client_assertion_type={kind}&client_assertion={assertion}"
        headers["Content-Length"] = str(len(body))
        return uri, headers, body


def _derived(token: str, use: str) -> str:
    """Return 43 characters that only whoever holds the token can tell."""
    digest = hashlib.sha256(f"helpdesk {use} {token}".encode()).digest()
    return urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


def _refused(check: str) -> ServiceError:
    return ServiceError("helpdesk_login_refused", check)
