"""What our own pages need of a realm: a client each; for the helpdesk its roles, two attributes, and some rights.

A client proves itself with the key of our own /jwks (private_key_jwt): no shared secret exists. Its service account
may look people up and end their sessions; Keycloak has no narrower role for the latter than manage-users. Who has a
role, it tells to view-realm alone; when glass is broken they are written to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from plugin.keycloak.directory import ADDRESSES, MANAGER
from plugin.keycloak.findings import Finding
from plugin.keycloak.items import INSTALL

if TYPE_CHECKING:
    from plugin.keycloak.admin import RealmAdmin

CLIENT: Final = "facestep-helpdesk"
API_ROLE: Final = "facestep-helpdesk-api"
OWN_CLIENT: Final = "facestep-me"
ROLES: Final = {
    "facestep-helpdesk": "Opens cases of people who lost their factors",
    "facestep-helpdesk-approver": "Decides about what the helpdesk asks for",
    "facestep-helpdesk-breakglass": "Asks for and decides about emergencies, with a second person, and nothing else",
    API_ROLE: "For the service account of a ticket system: opens cases and asks, and decides nothing",
}
_MAY: Final = ("view-users", "manage-users", "view-realm")
_ATTRIBUTES: Final = {ADDRESSES: ("Further addresses", True), MANAGER: ("User name of the manager", False)}
_FOR_ADMINS: Final = {"view": ["admin"], "edit": ["admin"]}


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


class ClientItem:
    """A client with which people sign in to a page of ours; with a service account we ask the realm about people."""

    def __init__(
        self, admin: RealmAdmin, client_id: str, facestep_url: str, *, page: str, service_account: bool
    ) -> None:
        self.name = f"client {client_id!r}"
        self._admin = admin
        self._client_id = client_id
        self._wanted: dict[str, Any] = {
            "clientId": client_id,
            "enabled": True,
            "protocol": "openid-connect",
            "publicClient": False,
            "standardFlowEnabled": True,
            "implicitFlowEnabled": False,
            "directAccessGrantsEnabled": False,
            "serviceAccountsEnabled": service_account,
            "clientAuthenticatorType": "client-jwt",
            "redirectUris": [f"{facestep_url}/{page}/callback"],
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
        client = find_client(self._admin, self._client_id)
        if client is None:
            return self._wrong("is not there")
        wrong = [key for key, value in self._wanted.items() if client.get(key) != value]
        attributes = client.get("attributes", {})
        wrong += [key for key, value in self._attributes.items() if attributes.get(key) != value]
        return self._wrong(", ".join(wrong)) if wrong else Finding(self.name, right=True, seen="signs in with our key")

    def mend(self) -> None:
        """Create it, or correct what is wrong."""
        client = find_client(self._admin, self._client_id)
        if client is None:
            self._admin.post("/clients", {**self._wanted, "attributes": self._attributes})
            return
        attributes = {**client.get("attributes", {}), **self._attributes}
        self._admin.put(f"/clients/{client['id']}", {**client, **self._wanted, "attributes": attributes})

    def _wrong(self, seen: str) -> Finding:
        return Finding(self.name, right=False, seen=seen, mend=INSTALL)


class ServiceAccountItem:
    """What the client's service account may do: look people up, see who has a role, end sessions."""

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
        seen = f"lacks {', '.join(missing)}" if missing else "may look people up, see who has a role, and end sessions"
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


class ProfileItem:
    """The attributes that the helpdesk relies on, declared so that administrators alone see and write them.

    An attribute that people may write themselves would let them name their own manager, and mailboxes to be told.
    """

    name = "user attributes of the helpdesk"

    def __init__(self, admin: RealmAdmin) -> None:
        self._admin = admin

    def look(self) -> Finding:
        """Compare what the realm's user profile says of them."""
        stored = {one["name"]: one for one in self._profile()["attributes"]}
        wrong = [name for name in _ATTRIBUTES if not _is_for_admins(stored.get(name, {}))]
        seen = f"{', '.join(wrong)} not for administrators alone" if wrong else "written by administrators alone"
        return Finding(self.name, right=not wrong, seen=seen, mend=INSTALL if wrong else "")

    def mend(self) -> None:
        """Declare them; everything else of the profile stays."""
        profile = self._profile()
        others = [one for one in profile["attributes"] if one["name"] not in _ATTRIBUTES]
        ours = [
            {"name": name, "displayName": title, "multivalued": many, "permissions": dict(_FOR_ADMINS)}
            for name, (title, many) in _ATTRIBUTES.items()
        ]
        self._admin.put("/users/profile", {**profile, "attributes": [*others, *ours]})

    def _profile(self) -> dict[str, Any]:
        profile = self._admin.get("/users/profile")
        return {**profile, "attributes": profile.get("attributes", [])}


class MailItem:
    """The e-mail address, to which passes, links and codes go, is not people's own to change.

    Keycloak's shipped profile lets people edit it. A changed address is not verified and not written to; but whoever
    has borrowed a session can verify a mailbox of their own, and the old one does not hear of it.
    """

    name = "e-mail addresses"

    def __init__(self, admin: RealmAdmin) -> None:
        self._admin = admin

    def look(self) -> Finding:
        """Read who may edit it, and whether a changed one is verified."""
        profile = self._admin.get("/users/profile").get("attributes", [])
        own: dict[str, Any] = next((one for one in profile if one["name"] == "email"), {})
        if "user" not in own.get("permissions", {}).get("edit", []):
            return Finding(self.name, right=True, seen="written by administrators alone")
        verified = bool(self._admin.representation().get("verifyEmail"))
        seen = "people may change their own" + ("" if verified else ", and nothing verifies the new one")
        mend = "take 'user' out of who can edit the attribute email (Realm settings, User profile)"
        return Finding(self.name, right=False, seen=seen, mend=mend)


def _is_for_admins(attribute: dict[str, Any]) -> bool:
    permissions = attribute.get("permissions", {})
    return all(permissions.get(act) == who for act, who in _FOR_ADMINS.items())


def find_client(admin: RealmAdmin, client_id: str) -> dict[str, Any] | None:
    """Return the client with this id, or None."""
    return next(iter(admin.get(f"/clients?clientId={client_id}")), None)
