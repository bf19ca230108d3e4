"""People sign in at the realm, agents to the helpdesk and everybody to their own page: we are a relying party there.

Rules:
 * OpenID Connect, code with PKCE (S256), through Authlib. Each page is a client of its own and proves itself with
   private_key_jwt, by the key that our own /jwks shows: no shared secret exists.
 * State, nonce and verifier are worked out from one token in the browser's cookie, for one realm and one client, so a
   sign-in ends where it began, and nothing is stored until it has succeeded.
 * Only our own face step opens a page: the ID token must say `acr` "facestep", and that it happened just now.

Not here: what a signed-in agent may do (helpdesk/), what people see (pages/me.py), sessions (helpdesk/sessions.py).
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session

from plugin.audit.events import clean
from plugin.ceremonies.levels import DEMANDED
from plugin.ceremonies.types import Subject
from plugin.doors import jws
from plugin.errors import ClientRefused, ServiceError
from plugin.urls import is_loopback
from vault.encoding import canonical

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from plugin.doors.registry import Registry
    from plugin.doors.signer import Signer

MAX_AGE: Final = timedelta(minutes=15)
"""So old may the face step be at the most when somebody signs in."""
_ID_TOKEN_LIFE: Final = timedelta(hours=1)
_ASSERTION_LIFE_S: Final = 60
_TIMEOUT_S: Final = 5


@dataclass(frozen=True, slots=True)
class Application:
    """One of our pages as the realm knows it; `refused` is the code of our error when a sign-in is not accepted."""

    client_id: str
    callback: str
    refused: str


HELPDESK: Final = Application("facestep-helpdesk", "/helpdesk/callback", "helpdesk_login_refused")
OWN_PAGE: Final = Application("facestep-me", "/me/callback", "me_login_refused")


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Proof that somebody showed their face at the realm at `seen_at`; `name` is for showing only, maybe empty."""

    owner: Subject
    seen_at: datetime
    name: str


class RealmLogin:
    """Send somebody to the realm and believe what comes back, or not."""

    def __init__(
        self,
        application: Application,
        *,
        realm: str,
        our_url: str,
        registry: Registry,
        signer: Signer,
        clock: Callable[[], datetime],
    ) -> None:
        self._application = application
        self._realm = realm
        self._our_url = our_url
        self._registry = registry
        self._signer = signer
        self._clock = clock

    def begin(self, token: str, *, anew: bool = False) -> str:
        """Return the address to send the browser to, which holds `token` in a cookie.

        With `anew` the realm asks for everything again, whatever it remembers.
        """
        prompt = {"prompt": "login"} if anew else {}
        with self._session() as session:
            url, _ = session.create_authorization_url(
                f"{self._realm}/protocol/openid-connect/auth",
                state=self._derived(token, "state"),
                nonce=self._derived(token, "nonce"),
                code_verifier=self._derived(token, "verifier"),
                **prompt,
                acr_values=next(iter(DEMANDED)),
                max_age=int(MAX_AGE.total_seconds()),
            )
        return str(url)

    def began(self, token: str, *, state: str) -> bool:
        """Tell whether a sign-in with this state began here, in the browser that holds `token`."""
        return bool(token) and hmac.compare_digest(state.encode(), self._derived(token, "state").encode())

    def finish(self, token: str, *, state: str, code: str, now: datetime) -> Subject:
        """Return who has signed in; see `signed_in`."""
        return self.signed_in(token, state=state, code=code, now=now).owner

    def signed_in(self, token: str, *, state: str, code: str, now: datetime) -> SignedIn:
        """Return who has signed in.

        1. begun in this browser   2. the realm redeems the code for us, with our verifier
        3. signed by the realm for us, now (jws.verify)      4. an ID token, with our nonce
        5. the face step, at most 15 minutes ago

        Raises:
            ServiceError: the application's `refused`, with the check; keycloak_unavailable.
        """
        if not self.began(token, state=state):  # (1)
            raise self._refused("state")
        id_token = self._redeem(token, code)  # (2)
        try:
            claims = jws.verify(  # (3)
                id_token,
                expected_typ="JWT",
                expected_issuer=self._realm,
                expected_audience=self._application.client_id,
                key_for=lambda kid: self._registry.key(self._registry.get(self._realm), kid, now=now),
                max_age=_ID_TOKEN_LIFE,
                now=now,
            )
            claims.exactly("typ", "ID")  # (4)
            subject = claims.text("sub")
            nonce = claims.text("nonce")
        except ClientRefused as exc:
            raise self._refused(exc.detail) from exc
        if not hmac.compare_digest(nonce, self._derived(token, "nonce")):  # (4)
            raise self._refused("nonce")
        seen_at = self._check_face(claims, now=now)  # (5)
        name = claims.values.get("preferred_username", "")
        return SignedIn(
            Subject(self._realm, subject), seen_at, clean(name, length=255) if isinstance(name, str) else ""
        )

    def service_token(self) -> dict[str, Any]:
        """Return an access token of our own service account at the realm. Raises ServiceError."""
        try:
            with self._session() as session:
                return dict(session.fetch_token(self._token_url, grant_type="client_credentials"))
        except (requests.RequestException, AuthlibBaseError) as exc:
            raise ServiceError("keycloak_unavailable", f"no service token: {type(exc).__name__}") from exc

    def _check_face(self, claims: jws.SignedClaims, *, now: datetime) -> datetime:
        if claims.values.get("acr") not in DEMANDED:
            raise self._refused("acr")
        at = claims.values.get("auth_time")
        age = now.timestamp() - at if isinstance(at, int) else None
        if age is None or age > (MAX_AGE + jws.LEEWAY).total_seconds():
            raise self._refused("auth_time")
        return now - timedelta(seconds=max(0.0, age))

    def _redeem(self, token: str, code: str) -> str:
        try:
            with self._session() as session:
                answer = session.fetch_token(
                    self._token_url,
                    grant_type="authorization_code",
                    code=code,
                    code_verifier=self._derived(token, "verifier"),
                )
        except AuthlibBaseError as exc:
            raise self._refused("code") from exc
        except requests.RequestException as exc:
            raise ServiceError("keycloak_unavailable", type(exc).__name__) from exc
        id_token = answer.get("id_token")
        if not isinstance(id_token, str):
            raise self._refused("no_id_token")
        return id_token

    @property
    def _token_url(self) -> str:
        return f"{self._realm}/protocol/openid-connect/token"

    def _session(self) -> Any:
        session = OAuth2Session(
            self._application.client_id,
            token_endpoint_auth_method=self._prove_ourselves,
            scope="openid",
            redirect_uri=self._our_url + self._application.callback,
            code_challenge_method="S256",
            default_timeout=_TIMEOUT_S,
        )
        session.trust_env = not is_loopback(self._realm)  # a proxy of the environment cannot reach our own loopback
        return session

    def _prove_ourselves(self, _client: Any, _method: str, uri: str, headers: Any, body: str) -> tuple[str, Any, str]:
        """Add our signed assertion to a token request (RFC 7523)."""
        now = int(self._clock().timestamp())
        client = self._application.client_id
        claims = {"iss": client, "sub": client, "aud": self._realm, "jti": secrets.token_urlsafe(24)}
        assertion = self._signer.sign({**claims, "iat": now, "exp": now + _ASSERTION_LIFE_S})
        kind = "urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer"
        body = f"{body}&client_id={client}&client_assertion_type={kind}&client_assertion={assertion}"
        headers["Content-Length"] = str(len(body))
        return uri, headers, body

    def _derived(self, token: str, use: str) -> str:
        """Return 43 characters that only whoever holds the token can tell; others for each realm and client."""
        digest = hashlib.sha256(canonical(self._application.client_id, self._realm, use, token)).digest()
        return urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")

    def _refused(self, check: str) -> ServiceError:
        return ServiceError(self._application.refused, check)
