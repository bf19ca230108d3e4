"""As much of a Kubernetes API server as a vault's Kubernetes auth method asks: TokenReview.

It believes the tokens it made itself, so that who may log in is decided as in a cluster: by the API server's word.
"""

from __future__ import annotations

import json
import secrets
import time
from base64 import urlsafe_b64encode
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tests.fakes.vault_answers import Asked, answering

if TYPE_CHECKING:
    from collections.abc import Iterator

NAMESPACE, ACCOUNT = "identity", "facestep"
AUDIENCE = "https://kubernetes.default.svc"


class TokenReviews:
    """Makes service account tokens, and says of a token whether it is one of them."""

    def __init__(self) -> None:
        self.url = ""
        self._made: dict[str, dict[str, Any]] = {}

    def token(self, account: str = ACCOUNT) -> str:
        """Return a new token of a service account."""
        uid = secrets.token_hex(8)
        claims = {
            "iss": AUDIENCE,
            "sub": f"system:serviceaccount:{NAMESPACE}:{account}",
            "aud": [AUDIENCE],
            "iat": int(time.time()) - 5,
            "nbf": int(time.time()) - 5,
            "exp": int(time.time()) + 600,
            "kubernetes.io": {"namespace": NAMESPACE, "serviceaccount": {"name": account, "uid": uid}},
        }
        # a vault reads the claims, and leaves the signature to the API server
        token = ".".join(_part(part) for part in ({"alg": "RS256", "typ": "JWT"}, claims, uid))
        self._made[token] = {"username": claims["sub"], "uid": uid, "groups": ["system:serviceaccounts"]}
        return token

    def answer(self, asked: Asked) -> tuple[int, Any, dict[str, str]]:
        user = self._made.get(asked.body["spec"]["token"])
        status = {"authenticated": user is not None} | ({"user": user, "audiences": [AUDIENCE]} if user else {})
        kind = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview"}
        return 201, {**kind, "status": status}, {"Content-Type": "application/json"}


@contextmanager
def token_reviews() -> Iterator[TokenReviews]:
    """Yield the server, on a free loopback port."""
    reviews = TokenReviews()
    with answering(reviews.answer) as (url, _):
        reviews.url = url
        yield reviews


def _part(part: object) -> str:
    return urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()
