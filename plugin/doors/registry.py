"""Identity providers that may send people here, and their keys.

Rules:
 * A provider is its issuer URL; there is no shared secret to lose. Whoever controls the issuer's JWKS is the provider.
 * Addresses are https, or http on loopback; the redirect prefix ends with a slash, so that `/a` is not `/a-evil`.
 * An unknown provider is refused like any other bad request.

Not here: what a signed message must say (signed_request.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from authlib.oauth2.rfc6749 import ClientMixin
from sqlalchemy import delete, select

from plugin.doors.redirects import check_redirect_uri
from plugin.errors import ClientRefused, ServiceError
from plugin.store.instants import from_ms, to_ms
from plugin.store.tables import Client
from plugin.urls import is_secure

if TYPE_CHECKING:
    from datetime import datetime

    from plugin.audit.log import AuditLog
    from plugin.doors.keys import KeyCache, SignatureKey
    from plugin.store.database import Database

AUTH_METHOD: Final = "private_key_jwt"
GRANT_TYPE: Final = "authorization_code"


@dataclass(frozen=True, slots=True)
class RegisteredClient(ClientMixin):  # type: ignore[misc]  # Authlib is untyped
    """One identity provider; the methods are what Authlib's grants ask of a client."""

    issuer: str
    jwks_uri: str
    redirect_prefix: str
    created_at: datetime

    def get_client_id(self) -> str:
        """Return the client id, which is the issuer."""
        return self.issuer

    def get_allowed_scope(self, scope: str) -> str | None:
        """Return the only scope there is."""
        return "openid" if scope == "openid" else None

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        """Tell Authlib what redirects.py says."""
        try:
            check_redirect_uri(redirect_uri, expected_prefix=self.redirect_prefix)
        except ClientRefused:
            return False
        return True

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:  # noqa: ARG002  (Authlib's signature)
        """Allow the signed assertion and nothing else, at every endpoint."""
        return method == AUTH_METHOD

    def check_response_type(self, response_type: str) -> bool:
        """Allow the code flow only."""
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        """Allow no refresh token and no other grant."""
        return grant_type == GRANT_TYPE


class Registry:
    """The `clients` table, and the keys behind it."""

    def __init__(self, *, database: Database, keys: KeyCache, audit: AuditLog) -> None:
        self._database = database
        self._keys = keys
        self._audit = audit

    def get(self, issuer: str) -> RegisteredClient:
        """Return a registered provider. Raises ClientRefused."""
        with self._database.reading() as session:
            row = session.get(Client, issuer)
        if row is None:
            raise ClientRefused("client_refused", "client_unknown")
        return _client(row)

    def key(self, client: RegisteredClient, kid: str, *, now: datetime) -> SignatureKey:
        """Return the provider's key of that id. Raises ClientRefused or ServiceError("keys_unavailable")."""
        return self._keys.key(client.jwks_uri, kid, now=now)

    def list(self) -> list[RegisteredClient]:
        """Return all providers by issuer."""
        with self._database.reading() as session:
            return [_client(row) for row in session.scalars(select(Client).order_by(Client.issuer))]

    def add(self, issuer: str, *, jwks_uri: str = "", redirect_prefix: str = "", now: datetime) -> RegisteredClient:
        """Register a provider, or change its addresses. The defaults are those of a Keycloak realm.

        Raises:
            ServiceError: client_invalid, with the address that is wrong.
        """
        client = Client(
            issuer=issuer,
            jwks_uri=jwks_uri or f"{issuer}/protocol/openid-connect/certs",
            redirect_prefix=redirect_prefix or f"{issuer}/login-actions/",
            created_ms=to_ms(now),
        )
        _check(client)
        with self._database.transaction() as session:
            session.merge(client)
            details = {"jwks_uri": client.jwks_uri, "redirect_prefix": client.redirect_prefix}
            self._audit.append("client_added", at=now, issuer=issuer, details=details, session=session)
        return _client(client)

    def remove(self, issuer: str, *, now: datetime) -> None:
        """Remove a provider. Raises ServiceError("client_invalid") if it was not there."""
        with self._database.transaction() as session:
            gone: Any = session.execute(delete(Client).where(Client.issuer == issuer))
            if gone.rowcount != 1:
                raise ServiceError("client_invalid", f"{issuer} is not registered; see `facestep clients list`")
            self._audit.append("client_removed", at=now, issuer=issuer, session=session)


def _check(client: Client) -> None:
    for name in ("issuer", "jwks_uri", "redirect_prefix"):
        url: str = getattr(client, name)
        if not is_secure(url):
            raise ServiceError("client_invalid", f"{name} {url!r} must be an https URL (http only on loopback)")
    if client.issuer.endswith("/"):
        raise ServiceError("client_invalid", "issuer must not end with a slash")
    if not client.redirect_prefix.endswith("/") or urlsplit(client.redirect_prefix).query:
        raise ServiceError("client_invalid", "redirect_prefix must be a path that ends with a slash")
    try:
        check_redirect_uri(client.redirect_prefix, expected_prefix=client.redirect_prefix)
    except ClientRefused as exc:
        raise ServiceError("client_invalid", f"redirect_prefix is not plain ({exc.detail})") from exc


def _client(row: Client) -> RegisteredClient:
    return RegisteredClient(
        issuer=row.issuer,
        jwks_uri=row.jwks_uri,
        redirect_prefix=row.redirect_prefix,
        created_at=from_ms(row.created_ms),
    )
