"""Authlib's authorization server, filled in with our clients, codes and tokens.

What is Authlib's: the order of the endpoints, the grant, client authentication by method, the errors of RFC 6749 and
the place where an id_token joins the token response.

What is ours, and why:
 * Request objects: Authlib's rfc9101 verifies a signature but neither `typ` nor one-time ids, so signed_request.py
   verifies them at the same hook.
 * private_key_jwt: the same verification, for the same reason.
 * Codes and PKCE: ceremonies/codes.py consumes a code before judging it, in one statement; Authlib looks first and
   deletes later, which lets two requests win.

Not here: HTTP routes (provider.py).
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.integrations.flask_oauth2.requests import FlaskOAuth2Payload, FlaskOAuth2Request
from authlib.oauth2.rfc6749 import OAuth2Request
from authlib.oauth2.rfc6749.errors import InvalidClientError, InvalidGrantError, InvalidRequestError
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from authlib.oidc.core.grants import OpenIDCode
from flask import g, request

from plugin.doors import jws
from plugin.doors.id_token import id_token_claims
from plugin.doors.refusals import audit_refused_request
from plugin.doors.registry import AUTH_METHOD
from plugin.errors import ClientRefused
from plugin.web.context import now, services

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Response

    from plugin.ceremonies.types import RedeemedResult
    from plugin.doors.registry import RegisteredClient

ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class FacestepServer(AuthorizationServer):  # type: ignore[misc]  # Authlib is untyped
    """Stateless: everything it needs is in the services of the running application."""

    def __init__(self) -> None:
        super().__init__(query_client=_query_client, save_token=_keep_no_token)
        self.scopes_supported = ["openid"]
        self.register_hook("before_get_authorization_grant", _read_signed_request)
        self.register_client_auth_method(AUTH_METHOD, authenticate_client)
        self.register_token_generator("default", _new_token)
        self.register_grant(CodeGrant, [IdToken(require_nonce=True)])

    def create_oauth2_request(self, request: object) -> OAuth2Request:  # noqa: ARG002  (Authlib's signature)
        """Wrap the current request. Its address is ours from the settings; the Host header decides nothing."""
        return _Request()

    def handle_error_response(self, request: OAuth2Request, error: Any) -> Response:
        """Answer as RFC 6749, 5.2 says, and write down what was refused (codes are written down by ceremonies/)."""
        if not isinstance(error, InvalidGrantError):
            issuer = g.get("authenticated_client", "")
            audit_refused_request(getattr(error, "check", error.error), door="token", issuer=issuer)
        response: Response = super().handle_error_response(request, error)
        return response


class _Request(FlaskOAuth2Request):  # type: ignore[misc]
    def __init__(self) -> None:
        uri = services().settings.issuer + request.path
        OAuth2Request.__init__(self, method=request.method, uri=uri, headers=request.headers)
        self._request = request
        self.payload = FlaskOAuth2Payload(request)


class CodeGrant(AuthorizationCodeGrant):  # type: ignore[misc]
    """The code flow over our ceremonies. Codes are issued when a ceremony is done, not by Authlib."""

    TOKEN_ENDPOINT_AUTH_METHODS: Final = [AUTH_METHOD]

    def query_authorization_code(self, code: str, client: RegisteredClient) -> RedeemedCode:
        """Redeem the code: it is consumed here, whatever comes of it."""
        form = self.request.form
        for name in ("redirect_uri", "code_verifier"):
            if not form.get(name):
                raise InvalidRequestError(f"Missing '{name}' in request.")
        try:
            result = services().ceremonies.redeem(
                code,
                client=client.issuer,
                redirect_uri=form["redirect_uri"],
                code_verifier=form["code_verifier"],
                now=now(),
            )
        except ClientRefused as exc:
            raise InvalidGrantError("The code is not valid.") from exc
        return RedeemedCode(result, redirect_uri=form["redirect_uri"])

    def delete_authorization_code(self, authorization_code: RedeemedCode) -> None:
        """Do nothing: redeeming has already consumed the code."""

    def authenticate_user(self, authorization_code: RedeemedCode) -> str:
        """Return whom the code is about."""
        return authorization_code.result.subject


@dataclass(frozen=True, slots=True)
class RedeemedCode:
    """A redeemed result in the shape that Authlib's grant asks for."""

    result: RedeemedResult
    redirect_uri: str

    def get_redirect_uri(self) -> str:
        """Return the address that redeeming has compared."""
        return self.redirect_uri

    def get_scope(self) -> str:
        """Return the only scope there is; without it no id_token would be made."""
        return "openid"


class IdToken(OpenIDCode):  # type: ignore[misc]
    """Adds the id_token to the token response."""

    def exists_nonce(self, nonce: str, request: OAuth2Request) -> bool:  # noqa: ARG002  (Authlib's signature)
        """Say no: a request object works once (seen.py), so its nonce does too."""
        return False

    def encode_id_token(self, token: dict[str, Any], request: OAuth2Request) -> str:  # noqa: ARG002
        """Sign what the redeemed result proves."""
        settings = services().settings
        claims = id_token_claims(
            request.authorization_code.result,
            issuer=settings.issuer,
            ttl_s=settings.result_ttl_s,
            jti=secrets.token_urlsafe(24),
            now=now(),
        )
        return services().signer.sign(claims)


def authenticate_client(_query_client: object, request: OAuth2Request) -> RegisteredClient:
    """Return the client that signed the assertion in the form (RFC 7521, 4.2). Raises InvalidClientError."""
    form = request.form
    assertion = form.get("client_assertion", "")
    try:
        if form.get("client_assertion_type") != ASSERTION_TYPE or not assertion:
            raise jws.refuse("no_client_assertion")
        client = services().messages.client(assertion, client_id=jws.claimed_issuer(assertion), now=now())
        if form.get("client_id", client.issuer) != client.issuer:
            raise jws.refuse("client_id")
    except ClientRefused as exc:
        error = InvalidClientError(status_code=401, description="The client assertion is not valid.")
        error.check = exc.detail
        raise error from exc
    g.authenticated_client = client.issuer  # for the audit entry of a later refusal, and for web/limits.py
    return client


def _read_signed_request(_server: FacestepServer, request: OAuth2Request) -> None:
    """Replace the plain parameters by the verified ones, so that Authlib's grant sees nothing else."""
    client_id = request.payload.data["client_id"]
    verified = services().messages.request(request.payload.data["request"], client_id=client_id, now=now())
    g.verified_request = verified
    request.payload = BasicOAuth2Payload(
        {
            "client_id": verified.issuer,
            "response_type": "code",
            "scope": "openid",
            "redirect_uri": verified.redirect_uri,
            "state": verified.state,
            "nonce": verified.nonce,
        }
    )


def _query_client(client_id: str) -> RegisteredClient | None:
    try:
        return services().registry.get(client_id)
    except ClientRefused:
        return None


def _new_token(**_: object) -> dict[str, str | int]:
    """Return the token response; RFC 6749 demands an access token, ours opens nothing and is kept nowhere."""
    return {
        "token_type": "Bearer",
        "access_token": secrets.token_urlsafe(32),
        "expires_in": services().settings.result_ttl_s,
        "scope": "openid",
    }


_keep_no_token: Callable[..., None] = lambda *_: None  # noqa: E731  (nothing accepts the access token)
