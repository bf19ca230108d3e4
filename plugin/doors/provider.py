"""The OpenID provider's routes: metadata, keys, authorize, token.

Rules:
 * /authorize never redirects to an address that was not verified: every refusal is an error page of ours.
 * Each parameter occurs once; /token takes a form body and no query string.
 * Every refusal leaves an audit entry with the name of its check.

Not here: the flow itself (authorization.py), what a signed request must say (signed_request.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749.errors import InvalidRequestError
from flask import Blueprint, Response, g, jsonify, redirect, request

from plugin.doors.authorization import FacestepServer
from plugin.doors.keys import ALGORITHMS
from plugin.doors.parameters import check_none, check_once
from plugin.doors.refusals import audit_refused_request
from plugin.doors.registry import AUTH_METHOD, GRANT_TYPE
from plugin.doors.signer import ALGORITHM
from plugin.errors import ClientRefused
from plugin.web.context import now, services
from plugin.web.cookies import set_browser_token

if TYPE_CHECKING:
    from werkzeug.wrappers import Response as AnyResponse

bp: Final = Blueprint("provider", __name__)
server: Final = FacestepServer()
_CACHE_S: Final = 300


def metadata(issuer: str) -> dict[str, object]:
    """Return what OpenID Connect Discovery and RFC 8414 ask for."""
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/authorize",
        "token_endpoint": f"{issuer}/token",
        "jwks_uri": f"{issuer}/jwks",
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": [GRANT_TYPE],
        "scopes_supported": ["openid"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [ALGORITHM],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": [AUTH_METHOD],
        "token_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
        "request_parameter_supported": True,
        "request_uri_parameter_supported": False,
        "require_signed_request_object": True,
        "request_object_signing_alg_values_supported": list(ALGORITHMS),
        "claims_parameter_supported": False,
        "claims_supported": [
            *("iss", "aud", "sub", "exp", "iat", "jti", "nonce", "amr", "acr"),
            *("auth_time", "purpose", "reference_id"),
        ],
    }


@bp.get("/.well-known/openid-configuration")
def openid_configuration() -> Response:
    """Describe this provider."""
    return _cacheable(jsonify(metadata(services().settings.issuer)))


@bp.get("/jwks")
def jwks() -> Response:
    """Publish the keys that sign our id_tokens."""
    return _cacheable(jsonify(services().signer.public_jwks()))


@bp.get("/authorize")
def authorize() -> AnyResponse:
    """Begin a ceremony for a signed request."""
    try:
        check_once(request.args, required=("client_id", "request"))
        check_none(request.args.getlist("request_uri"), check="request_uri")
        server.get_consent_grant()
    except ClientRefused as exc:
        _audit_authorize(exc.detail)
        raise
    except OAuth2Error as exc:  # a check of Authlib's grant, after all of ours
        _audit_authorize(str(exc.error))
        raise ClientRefused("client_refused", str(exc.error)) from exc
    settings = services().settings
    services().housekeeping.sweep(now=now())
    ceremony = services().ceremonies.begin(g.verified_request, now=now())
    response = redirect(f"/ceremony/{ceremony.id}", code=303)
    secure = settings.issuer.startswith("https:")
    set_browser_token(response, ceremony, max_age_s=settings.ceremony_ttl_s, secure=secure)  # type: ignore[arg-type]
    return response


@bp.post("/token")
def token() -> Response:
    """Redeem a result code for an id_token."""
    try:
        check_none(request.args, check="query_string")
        check_once(request.form)
    except ClientRefused as exc:
        error = InvalidRequestError("Each parameter belongs into the form body, once.")
        error.check = exc.detail
        refused: Response = server.handle_error_response(server.create_oauth2_request(None), error)
        return refused
    response: Response = server.create_token_response()
    return response


def _audit_authorize(check: str) -> None:
    client_id = request.args.get("client_id", "")
    known = check != "client_unknown" and server.query_client(client_id) is not None
    audit_refused_request(check, door="authorize", issuer=client_id if known else "")


def _cacheable(response: Response) -> Response:
    response.headers["Cache-Control"] = f"public, max-age={_CACHE_S}"
    return response
