"""An ordinary application of the realm: public client, code flow, PKCE. Nothing listens; tests read the address."""

from __future__ import annotations

import base64
import hashlib
import secrets
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import requests
from joserfc import jwt
from joserfc.jwk import KeySet

CLIENT_ID = "application"
REDIRECT = "http://localhost:9/callback"


@dataclass(frozen=True)
class Login:
    """One login that the application began."""

    url: str
    nonce: str
    state: str
    verifier: str


def begin(issuer: str, **wishes: str | None) -> Login:
    """Return the login and where to send the browser; `wishes` are further parameters, such as acr_values."""
    verifier, nonce, state = (secrets.token_urlsafe(32) for _ in range(3))
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    asked = {
        "client_id": CLIENT_ID,
        "response_type": "code",
        "scope": "openid",
        "redirect_uri": REDIRECT,
        "nonce": nonce,
        "state": state,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
        **{name: value for name, value in wishes.items() if value},
    }
    return Login(f"{issuer}/protocol/openid-connect/auth?{urlencode(asked)}", nonce, state, verifier)


def tokens(issuer: str, login: Login, arrived_at: str) -> dict[str, str]:
    """Exchange the code that the browser came back with."""
    answer = parse_qs(urlsplit(arrived_at).query)
    assert answer["state"] == [login.state], "the answer belongs to another login"
    form = {
        "grant_type": "authorization_code",
        "client_id": CLIENT_ID,
        "code": answer["code"][0],
        "redirect_uri": REDIRECT,
        "code_verifier": login.verifier,
    }
    return dict(requests.post(f"{issuer}/protocol/openid-connect/token", data=form, timeout=20).json())


def claims(issuer: str, login: Login, id_token: str) -> dict[str, Any]:
    """Return the claims of the id_token, checked as an application should."""
    keys = KeySet.import_key_set(requests.get(f"{issuer}/protocol/openid-connect/certs", timeout=20).json())
    token = jwt.decode(id_token, keys, algorithms=["RS256"])
    jwt.JWTClaimsRegistry(
        iss={"essential": True, "value": issuer},
        aud={"essential": True, "value": CLIENT_ID},
        nonce={"essential": True, "value": login.nonce},
    ).validate(token.claims)
    return dict(token.claims)
