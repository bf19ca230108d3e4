"""The other wishes for a realm: required action, levels, claims, protection."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from plugin.keycloak import names
from plugin.keycloak.findings import Finding

if TYPE_CHECKING:
    from plugin.keycloak.admin import RealmAdmin

INSTALL: Final = "run `facestep keycloak install`"


class _RealmItem:
    name = ""

    def __init__(self, admin: RealmAdmin) -> None:
        self._admin = admin

    def _finding(self, *, right: bool, seen: str, mend: str = INSTALL) -> Finding:
        return Finding(self.name, right=right, seen=seen, mend="" if right else mend)


class ExtensionItem(_RealmItem):
    """Keycloak has loaded our jar. Only an admin of the server can mend this."""

    name = "Keycloak extension"

    def look(self) -> Finding:
        """Ask Keycloak which authenticators it knows."""
        known = {one["id"] for one in self._admin.get("/authentication/authenticator-providers")}
        right = names.AUTHENTICATOR in known
        mend = "copy facestep-keycloak.jar into Keycloak's providers/ folder, run `kc.sh build`, start Keycloak again"
        return self._finding(right=right, seen="loaded" if right else "not loaded", mend=mend)


class RequiredActionItem(_RealmItem):
    """A required action is registered and switched on."""

    def __init__(self, admin: RealmAdmin, action: str, title: str, *, default: bool | None) -> None:
        super().__init__(admin)
        self.name = f"required action {action!r}"
        self._action = action
        self._title = title
        self._default = default

    def look(self) -> Finding:
        """Read its switches."""
        stored = self._stored()
        if stored is None:
            return self._finding(right=False, seen="is not registered")
        if not stored["enabled"]:
            return self._finding(right=False, seen="is switched off")
        if self._default is not None and stored["defaultAction"] is not self._default:
            return self._finding(right=False, seen="is given to every new user")
        return self._finding(right=True, seen="is switched on")

    def mend(self) -> None:
        """Register it and switch it on."""
        if self._stored() is None:
            body = {"providerId": self._action, "name": self._title}
            self._admin.post("/authentication/register-required-action", body)
        stored = self._stored() or {}
        wanted = stored if self._default is None else {**stored, "defaultAction": self._default}
        self._admin.put(f"/authentication/required-actions/{self._action}", {**wanted, "enabled": True})

    def _stored(self) -> dict[str, Any] | None:
        actions = self._admin.get("/authentication/required-actions")
        return next((one for one in actions if one["providerId"] == self._action), None)


class LevelItem(_RealmItem):
    """The class `facestep` means our level, so that a client can ask for it and read it."""

    name = "acr to level"
    _ATTRIBUTE: Final = "acr.loa.map"

    def look(self) -> Finding:
        """Read the realm's map."""
        level = self._map().get(names.ACR)
        right = level is not None and int(level) == names.LEVEL
        seen = f"{names.ACR} = {level}" if level is not None else f"{names.ACR} is not in the map"
        return self._finding(right=right, seen=seen)

    def mend(self) -> None:
        """Add ours and keep the others."""
        self._admin.set_attribute(self._ATTRIBUTE, json.dumps({**self._map(), names.ACR: names.LEVEL}))

    def _map(self) -> dict[str, Any]:
        try:
            stored = json.loads(self._admin.representation().get("attributes", {}).get(self._ATTRIBUTE) or "{}")
        except ValueError:
            return {}
        return stored if isinstance(stored, dict) else {}


class BruteForceItem(_RealmItem):
    """Keycloak counts wrong tries too. It is off in a new realm."""

    name = "brute-force protection"

    def look(self) -> Finding:
        """Read the switch and the number."""
        realm = self._admin.representation()
        factor = int(realm.get("failureFactor", 0))
        if not realm.get("bruteForceProtected"):
            return self._finding(right=False, seen="off")
        return self._finding(right=0 < factor <= names.MOST_FAILURES, seen=f"locks after {factor} wrong tries")

    def mend(self) -> None:
        """Switch it on with our number."""
        self._admin.update({"bruteForceProtected": True, "failureFactor": names.FAILURE_FACTOR})
