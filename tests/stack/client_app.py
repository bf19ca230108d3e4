"""An ordinary OpenID Connect client of the realm, as any application behind Keycloak would be: public, code flow, PKCE.

It checks the id_token as a client should: signature by the realm's keys, issuer, audience, nonce.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import requests
from joserfc import jwt
from joserfc.jwk import KeySet

CLIENT_ID = "demo-app"


@dataclass(frozen=True, slots=True)
class Login:
    """One authorization request of the client."""

    url: str
    redirect_uri: str
    nonce: str
    state: str
    verifier: str = field(repr=False)


class _Welcome(BaseHTTPRequestHandler):
    """Where the browser comes back to; the code in the address is read from the browser, not here."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.end_headers()
        self.wfile.write(b"This is the application.")

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


class ClientApp:
    """The application; `issuer` is the realm. Listens on loopback until closed."""

    def __init__(self, *, issuer: str) -> None:
        self.issuer = issuer
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Welcome)
        self.redirect_uri = f"http://localhost:{self._server.server_port}/callback"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def begin(self, *, acr: str | None = None, prompt: str | None = None, action: str | None = None) -> Login:
        """Return where to send the browser; `action` is one that Keycloak offers to applications (kc_action)."""
        verifier, nonce, state = (secrets.token_urlsafe(32) for _ in range(3))
        digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        query = {
            "client_id": CLIENT_ID,
            "response_type": "code",
            "scope": "openid",
            "redirect_uri": self.redirect_uri,
            "nonce": nonce,
            "state": state,
            "code_challenge": digest,
            "code_challenge_method": "S256",
            **({"acr_values": acr} if acr else {}),
            **({"prompt": prompt} if prompt else {}),
            **({"kc_action": action} if action else {}),
        }
        url = f"{self.issuer}/protocol/openid-connect/auth?{urlencode(query)}"
        return Login(url=url, redirect_uri=self.redirect_uri, nonce=nonce, state=state, verifier=verifier)

    def finish(self, login: Login, arrived_at: str) -> dict[str, Any]:
        """Exchange the code the browser came back with and return the verified claims of the id_token."""
        answer = {key: values[0] for key, values in parse_qs(urlsplit(arrived_at).query).items()}
        assert answer.get("state") == login.state, "the answer belongs to another login"
        tokens = requests.post(
            f"{self.issuer}/protocol/openid-connect/token",
            data={
                "grant_type": "authorization_code",
                "client_id": CLIENT_ID,
                "code": answer["code"],
                "redirect_uri": login.redirect_uri,
                "code_verifier": login.verifier,
            },
            timeout=60,
        ).json()
        keys = KeySet.import_key_set(requests.get(f"{self.issuer}/protocol/openid-connect/certs", timeout=60).json())
        token = jwt.decode(tokens["id_token"], keys, algorithms=["RS256", "ES256", "PS256"])
        jwt.JWTClaimsRegistry(
            iss={"essential": True, "value": self.issuer},
            aud={"essential": True, "value": CLIENT_ID},
            nonce={"essential": True, "value": login.nonce},
        ).validate(token.claims)
        return dict(token.claims)
