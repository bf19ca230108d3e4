"""The client scope that puts `amr` into tokens, for every client of the realm, those to come included."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from plugin.keycloak import names
from plugin.keycloak.findings import Finding
from plugin.keycloak.items import INSTALL

if TYPE_CHECKING:
    from plugin.keycloak.admin import RealmAdmin

_MAPPER: Final = {
    "facestep.max.age": str(names.MAX_AGE_S),
    "id.token.claim": "true",
    "access.token.claim": "true",
    "introspection.token.claim": "true",
}


class ScopeItem:
    """The scope `facestep` with our mapper."""

    name = f"client scope {names.SCOPE!r}"

    def __init__(self, admin: RealmAdmin) -> None:
        self._admin = admin

    def look(self) -> Finding:
        """Read the scope and its mapper."""
        scope = find_scope(self._admin)
        if scope is None:
            return self._wrong("is not there")
        mapper = _mapper(scope)
        if mapper is None:
            return self._wrong("has no mapper for amr")
        if wrong := [key for key, value in _MAPPER.items() if mapper["config"].get(key) != value]:
            return self._wrong(f"mapper: {', '.join(wrong)}")
        return Finding(self.name, right=True, seen="puts amr into tokens")

    def mend(self) -> None:
        """Create what is missing, correct what is wrong."""
        scope = find_scope(self._admin)
        if scope is None:
            attributes = {"include.in.token.scope": "false", "display.on.consent.screen": "false"}
            body = {"name": names.SCOPE, "protocol": "openid-connect", "attributes": attributes}
            scope = {
                "id": self._admin.post("/client-scopes", {**body, "description": "How a person proved to be present"})
            }
        mapper = _mapper(scope)
        path = f"/client-scopes/{scope['id']}/protocol-mappers/models"
        wanted = {
            "name": "facestep amr",
            "protocol": "openid-connect",
            "protocolMapper": names.AMR_MAPPER,
            "config": _MAPPER,
        }
        if mapper is None:
            self._admin.post(path, wanted)
        else:
            self._admin.put(f"{path}/{mapper['id']}", {**mapper, "config": {**mapper["config"], **_MAPPER}})

    def _wrong(self, seen: str) -> Finding:
        return Finding(self.name, right=False, seen=seen, mend=INSTALL)


class ScopeForAllItem:
    """The scope is a default of the realm, and of every OpenID client that is already there."""

    name = f"clients have scope {names.SCOPE!r}"

    def __init__(self, admin: RealmAdmin) -> None:
        self._admin = admin

    def look(self) -> Finding:
        """Count who has it."""
        if not self._is_default():
            return Finding(self.name, right=False, seen="is not a default of the realm", mend=INSTALL)
        without = [client["clientId"] for client in self._clients_without()]
        seen = f"missing in {', '.join(sorted(without)[:5])}" if without else "default, and in every client"
        return Finding(self.name, right=not without, seen=seen, mend=INSTALL if without else "")

    def mend(self) -> None:
        """Give it to all."""
        scope = find_scope(self._admin)
        if scope is None:
            return
        if not self._is_default():
            self._admin.put(f"/default-default-client-scopes/{scope['id']}", {})
        for client in self._clients_without():
            self._admin.put(f"/clients/{client['id']}/default-client-scopes/{scope['id']}", {})

    def _is_default(self) -> bool:
        return any(one["name"] == names.SCOPE for one in self._admin.get("/default-default-client-scopes"))

    def _clients_without(self) -> list[dict[str, Any]]:
        """Return clients that get tokens for people and do not have the scope; a bearer-only client gets none."""
        return [
            client
            for client in self._admin.get("/clients")
            if client.get("protocol", "openid-connect") == "openid-connect"
            and not client.get("bearerOnly")
            and names.SCOPE not in client.get("defaultClientScopes", [])
        ]


def find_scope(admin: RealmAdmin) -> dict[str, Any] | None:
    """Return our client scope, or None."""
    return next((one for one in admin.get("/client-scopes") if one["name"] == names.SCOPE), None)


def _mapper(scope: dict[str, Any]) -> dict[str, Any] | None:
    mappers = scope.get("protocolMappers", [])
    return next((one for one in mappers if one["protocolMapper"] == names.AMR_MAPPER), None)
