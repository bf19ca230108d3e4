"""The signed request that opens a ceremony (RFC 9101) and the signed assertion that authenticates a client (RFC 7523).

Rules:
 * The request object is the whole request: plain parameters beside it are ignored, a missing or unknown claim
   refuses it.
 * State, nonce and PKCE challenge are always there; there is no lax mode.
 * The id (jti) is taken last, when everything else is right, and works once for both kinds of message.

Not here: signatures (jws.py), redirect addresses (redirects.py).
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from plugin.ceremonies.types import Purpose, VerifiedRequest
from plugin.doors import jws
from plugin.doors.redirects import MAX_URI_CHARS, check_redirect_uri

if TYPE_CHECKING:
    from datetime import datetime

    from plugin.doors.jws import SignedClaims
    from plugin.doors.registry import RegisteredClient, Registry
    from plugin.doors.seen import SeenJtis

REQUEST_TYP: Final = "oauth-authz-req+jwt"
ASSERTION_TYP: Final = "client-authentication+jwt"
REQUEST_MAX_AGE: Final = timedelta(minutes=5)
ASSERTION_MAX_AGE: Final = timedelta(seconds=60)
_COMMON: Final = frozenset({"iss", "aud", "exp", "iat", "nbf", "jti"})
_REQUEST_CLAIMS: Final = _COMMON | {
    "client_id",
    "response_type",
    "scope",
    "redirect_uri",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
    "acr_values",
    "sub",
    "preferred_username",
    "purpose",
    "ui_locales",
}
_ASSERTION_CLAIMS: Final = _COMMON | {"sub"}
_TOKEN: Final = r"[\x21-\x7e]+"  # noqa: S105  (visible ASCII, as RFC 6749 appendix A has it for state and code)
_ACR: Final = r"([\x21-\x7e]+( [\x21-\x7e]+)*)?"
_S256: Final = r"[A-Za-z0-9_-]{43}"
_LANGUAGES: Final = r"[A-Za-z0-9 -]*"


class SignedMessages:
    """Verifies both kinds of message against the registry; shared by /authorize, /token and /idp/erase."""

    def __init__(self, *, registry: Registry, seen: SeenJtis, audience: str) -> None:
        self._registry = registry
        self._seen = seen
        self._audience = audience

    def request(self, message: str, *, client_id: str, now: datetime) -> VerifiedRequest:
        """Return the request that `client_id` signed.

        1. jws.verify             signed by this client, for us, now, and meant as a request
        2. no unknown claim
        3. client_id inside       equals the one outside (RFC 9101, 5)
        4. kind of flow           code, openid, PKCE S256
        5. redirect address       under the registered prefix
        6. state, nonce, challenge, subject, purpose: there and well formed
        7. first use

        Raises:
            ClientRefused: the name of the failed check in `detail`.
        """
        client = self._registry.get(client_id)
        claims = self._verify(message, client, typ=REQUEST_TYP, max_age=REQUEST_MAX_AGE, now=now)  # (1)
        claims.nothing_but(_REQUEST_CLAIMS)  # (2)
        claims.exactly("client_id", client.issuer)  # (3)
        claims.exactly("response_type", "code")  # (4)
        claims.exactly("scope", "openid")
        claims.exactly("code_challenge_method", "S256")
        if "iat" not in claims.values:
            raise jws.refuse("iat")
        redirect_uri = claims.text("redirect_uri", high=MAX_URI_CHARS)
        check_redirect_uri(redirect_uri, expected_prefix=client.redirect_prefix)  # (5)
        request = VerifiedRequest(  # (6)
            issuer=client.issuer,
            subject=claims.text("sub"),
            purpose=Purpose(claims.text("purpose", pattern="login|enrol")),
            redirect_uri=redirect_uri,
            state=claims.text("state", low=16, high=1024, pattern=_TOKEN),
            nonce=claims.text("nonce", low=16, pattern=_TOKEN),
            code_challenge=claims.text("code_challenge", pattern=_S256),
            acr=claims.text("acr_values", low=0, pattern=_ACR).partition(" ")[0],
            display_name=claims.text("preferred_username", low=0),
            locale=claims.text("ui_locales", low=0, high=35, pattern=_LANGUAGES)
            if "ui_locales" in claims.values
            else "",
            jti=claims.text("jti", low=8, pattern=_TOKEN),
        )
        self._take(claims, client, now=now)  # (7)
        return request

    def client(self, assertion: str, *, client_id: str, now: datetime) -> RegisteredClient:
        """Return the client that signed `assertion`; `client_id` only says whose keys to try.

        Raises:
            ClientRefused: the name of the failed check in `detail`.
        """
        client = self._registry.get(client_id)
        claims = self._verify(assertion, client, typ=ASSERTION_TYP, max_age=ASSERTION_MAX_AGE, now=now)
        claims.nothing_but(_ASSERTION_CLAIMS)
        claims.exactly("sub", client.issuer)
        claims.text("jti", low=8, pattern=_TOKEN)
        self._take(claims, client, now=now)
        return client

    def _verify(
        self, message: str, client: RegisteredClient, *, typ: str, max_age: timedelta, now: datetime
    ) -> SignedClaims:
        return jws.verify(
            message,
            expected_typ=typ,
            expected_issuer=client.issuer,
            expected_audience=self._audience,
            key_for=lambda kid: self._registry.key(client, kid, now=now),
            max_age=max_age,
            now=now,
        )

    def _take(self, claims: SignedClaims, client: RegisteredClient, *, now: datetime) -> None:
        self._seen.take(client.issuer, claims.text("jti"), expires=claims.expires, now=now)
