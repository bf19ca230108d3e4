"""What the helpdesk needs of a realm: two roles, one client, and what that client's service account may do.

The client proves itself with the key of our own /jwks (private_key_jwt): no shared secret exists. Its service account
may look people up and end their sessions; Keycloak has no narrower role for the latter than manage-users.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from plugin.keycloak.findings import Finding
from plugin.keycloak.items import INSTALL

if TYPE_CHECKING:
    from plugin.keycloak.admin import RealmAdmin

CLIENT: Final = "facestep-helpdesk"
ROLES: Final = {
    "facestep-helpdesk": "Opens cases of people who lost their factors",
    "facestep-helpdesk-approver": "Decides about what the helpdesk asks for",
}
_MAY: Final = ("view-users", "manage-users")


class RoleItem:
    """A realm role of the helpdesk. Who gets it is the organisation's own choice."""

    def __init__(self, admin: RealmAdmin, role: str) -> None:
        self.name = f"role {role!r}"
        self._admin = admin
        self._role = role

    def look(self) -> Finding:
        """Look for the role."""
        right = self._admin.find(f"/roles/{self._role}") is not None
        seen = "is there" if right else "is not there"
        return Finding(self.name, right=right, seen=seen, mend="" if right else INSTALL)

    def mend(self) -> None:
        """Create it."""
        self._admin.post("/roles", {"name": self._role, "description": ROLES[self._role]})


class HelpdeskClientItem:
    """The client with which agents sign in, and with which we ask the realm about people."""

    name = f"client {CLIENT!r}"

    def __init__(self, admin: RealmAdmin, facestep_url: str) -> None:
        self._admin = admin
        self._wanted: dict[str, Any] = {
            "clientId": CLIENT,
            "enabled": True,
            "protocol": "openid-connect",
            "publicClient": False,
            "standardFlowEnabled": True,
            "implicitFlowEnabled": False,
            "directAccessGrantsEnabled": False,
            "serviceAccountsEnabled": True,
            "clientAuthenticatorType": "client-jwt",
            "redirectUris": [f"{facestep_url}/helpdesk/callback"],
            "webOrigins": [],
        }
        self._attributes = {
            "use.jwks.url": "true",
            "jwks.url": f"{facestep_url}/jwks",
            "token.endpoint.auth.signing.alg": "ES256",
            "pkce.code.challenge.method": "S256",
        }

    def look(self) -> Finding:
        """Compare the client with what it should be."""
        client = find_client(self._admin, CLIENT)
        if client is None:
            return self._wrong("is not there")
        wrong = [key for key, value in self._wanted.items() if client.get(key) != value]
        attributes = client.get("attributes", {})
        wrong += [key for key, value in self._attributes.items() if attributes.get(key) != value]
        return self._wrong(", ".join(wrong)) if wrong else Finding(self.name, right=True, seen="signs in with our key")

    def mend(self) -> None:
        """Create it, or correct what is wrong."""
        client = find_client(self._admin, CLIENT)
        if client is None:
            self._admin.post("/clients", {**self._wanted, "attributes": self._attributes})
            return
        attributes = {**client.get("attributes", {}), **self._attributes}
        self._admin.put(f"/clients/{client['id']}", {**client, **self._wanted, "attributes": attributes})

    def _wrong(self, seen: str) -> Finding:
        return Finding(self.name, right=False, seen=seen, mend=INSTALL)


class ServiceAccountItem:
    """What the client's service account may do: look people up, end their sessions."""

    name = f"service account of {CLIENT!r}"

    def __init__(self, admin: RealmAdmin) -> None:
        self._admin = admin

    def look(self) -> Finding:
        """Compare its roles."""
        client = find_client(self._admin, CLIENT)
        if client is None or not client.get("serviceAccountsEnabled"):
            return Finding(self.name, right=False, seen="is not there", mend=INSTALL)
        has = {one["name"] for one in self._admin.get(self._path(client))}
        missing = [role for role in _MAY if role not in has]
        seen = f"lacks {', '.join(missing)}" if missing else "may look people up and end their sessions"
        return Finding(self.name, right=not missing, seen=seen, mend=INSTALL if missing else "")

    def mend(self) -> None:
        """Give it the roles."""
        client, management = find_client(self._admin, CLIENT), find_client(self._admin, "realm-management")
        if client is None or management is None:
            return
        roles = [self._admin.get(f"/clients/{management['id']}/roles/{role}") for role in _MAY]
        self._admin.post(self._path(client), roles)

    def _path(self, client: dict[str, Any]) -> str:
        user = self._admin.get(f"/clients/{client['id']}/service-account-user")
        management = find_client(self._admin, "realm-management") or {}
        return f"/users/{user['id']}/role-mappings/clients/{management.get('id', '')}"


def find_client(admin: RealmAdmin, client_id: str) -> dict[str, Any] | None:
    """Return the client with this id, or None."""
    return next(iter(admin.get(f"/clients?clientId={client_id}")), None)
