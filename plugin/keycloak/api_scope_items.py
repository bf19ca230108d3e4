"""The client scope that makes a ticket system's tokens good for the helpdesk's API, and for nothing else.

A ticket system is a client of the realm with a service account that has the role. Its tokens name our audience and
carry the role only with this scope, and name nobody else if the client's "full scope allowed" is off.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from plugin.keycloak.findings import Finding
from plugin.keycloak.helpdesk_items import API_ROLE, CLIENT
from plugin.keycloak.items import INSTALL

if TYPE_CHECKING:
    from plugin.keycloak.admin import RealmAdmin

SCOPE: Final = API_ROLE
_TYPE: Final = "oidc-audience-mapper"
_MAPPER: Final = {
    "included.client.audience": CLIENT,
    "access.token.claim": "true",
    "id.token.claim": "false",
    "introspection.token.claim": "true",
}


class ApiScopeItem:
    """The scope, its audience and its role. Which clients get it is the organisation's own choice."""

    name = f"client scope {SCOPE!r}"

    def __init__(self, admin: RealmAdmin) -> None:
        self._admin = admin

    def look(self) -> Finding:
        """Read the scope, its mapper and its role."""
        scope = self._find()
        if scope is None:
            return self._wrong("is not there")
        mapper = _mapper(scope)
        if mapper is None or any(mapper["config"].get(key) != value for key, value in _MAPPER.items()):
            return self._wrong("does not name our audience")
        if not self._has_role(scope):
            return self._wrong("does not carry the role")
        return Finding(self.name, right=True, seen="for the clients of ticket systems")

    def mend(self) -> None:
        """Create what is missing, correct what is wrong."""
        scope = self._find()
        if scope is None:
            attributes = {"include.in.token.scope": "false", "display.on.consent.screen": "false"}
            body = {"name": SCOPE, "protocol": "openid-connect", "attributes": attributes}
            scope = {"id": self._admin.post("/client-scopes", {**body, "description": "Calls the helpdesk's API"})}
        path, mapper = f"/client-scopes/{scope['id']}/protocol-mappers/models", _mapper(scope)
        wanted = {"name": "audience", "protocol": "openid-connect", "protocolMapper": _TYPE, "config": _MAPPER}
        if mapper is None:
            self._admin.post(path, wanted)
        else:
            self._admin.put(f"{path}/{mapper['id']}", {**mapper, **wanted})
        if not self._has_role(scope):
            role = self._admin.get(f"/roles/{API_ROLE}")
            self._admin.post(f"/client-scopes/{scope['id']}/scope-mappings/realm", [role])

    def _find(self) -> dict[str, Any] | None:
        return next((one for one in self._admin.get("/client-scopes") if one["name"] == SCOPE), None)

    def _has_role(self, scope: dict[str, Any]) -> bool:
        roles = self._admin.get(f"/client-scopes/{scope['id']}/scope-mappings/realm")
        return any(role["name"] == API_ROLE for role in roles)

    def _wrong(self, seen: str) -> Finding:
        return Finding(self.name, right=False, seen=seen, mend=INSTALL)


def _mapper(scope: dict[str, Any]) -> dict[str, Any] | None:
    return next((one for one in scope.get("protocolMappers", []) if one["protocolMapper"] == _TYPE), None)
