"""The service knows the realm: its issuer is among the registered clients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol
from urllib.parse import quote

import requests

from plugin.errors import ServiceError
from plugin.keycloak.findings import Finding

if TYPE_CHECKING:
    from plugin.keycloak.admin import RealmAdmin


class Clients(Protocol):
    """What this item needs of the registry of identity providers."""

    def knows(self, issuer: str) -> bool:
        """Tell whether the issuer is registered with the addresses of a Keycloak realm."""

    def add(self, issuer: str) -> None:
        """Register it with those addresses."""


class RegistrationItem:
    """The realm is registered with the service whose database we can reach."""

    name = "realm known to Facestep"

    def __init__(self, admin: RealmAdmin, clients: Clients) -> None:
        self._admin = admin
        self._clients = clients

    def look(self) -> Finding:
        """Look for the realm's issuer."""
        issuer = realm_issuer(self._admin)
        known = self._clients.knows(issuer)
        mend = f"run `facestep clients add --issuer {issuer}` beside the service, or install with --register"
        return Finding(
            self.name, right=known, seen=issuer if known else f"{issuer} is not registered", mend="" if known else mend
        )

    def mend(self) -> None:
        """Register it."""
        self._clients.add(realm_issuer(self._admin))


def realm_issuer(admin: RealmAdmin) -> str:
    """Return the issuer as browsers see it; behind a proxy it is not the server's address.

    Raises:
        ServiceError: keycloak_unavailable.
    """
    url = f"{admin.server}/realms/{quote(admin.realm)}/.well-known/openid-configuration"
    try:
        answer = requests.get(url, timeout=10, allow_redirects=False)
        return str(answer.json()["issuer"])
    except (requests.RequestException, ValueError, KeyError) as exc:
        raise ServiceError("keycloak_unavailable", f"{url} does not answer") from exc
