"""Ways around the face step that only an admin may close: it is a choice about other people's logins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import requests

from plugin.keycloak import names
from plugin.keycloak.findings import Finding

if TYPE_CHECKING:
    from plugin.keycloak.admin import RealmAdmin

_OURS = frozenset({names.BROWSER_FLOW, names.GRANT_FLOW})


class ClientFlowsItem:
    """No client has a login flow of its own without the step."""

    name = "no client goes around the flow"

    def __init__(self, admin: RealmAdmin) -> None:
        self._admin = admin

    def look(self) -> Finding:
        """Look for overrides."""
        flows = {one["id"]: one["alias"] for one in self._admin.get("/authentication/flows")}
        around = sorted(
            client["clientId"]
            for client in self._admin.get("/clients")
            for flow in client.get("authenticationFlowBindingOverrides", {}).values()
            if flow and flows.get(flow) not in _OURS
        )
        mend = "remove the authentication flow overrides of these clients (Advanced), or put Facestep into those flows"
        seen = f"own flow: {', '.join(around[:5])}" if around else "no overrides"
        return Finding(self.name, right=not around, seen=seen, mend=mend if around else "")


class BrokersItem:
    """A login that comes from another identity provider passes the step too, in the flow after it."""

    name = "brokered logins pass the step"

    def __init__(self, admin: RealmAdmin) -> None:
        self._admin = admin

    def look(self) -> Finding:
        """Look at each identity provider's post-login flow."""
        brokers = [one for one in self._admin.get("/identity-provider/instances") if one.get("enabled")]
        around = sorted(
            one["alias"] for one in brokers if not _has_step(self._admin, one.get("postBrokerLoginFlowAlias") or "")
        )
        mend = "give these identity providers a post login flow with Facestep as REQUIRED"
        seen = f"without: {', '.join(around[:5])}" if around else f"{len(brokers)} identity providers"
        return Finding(self.name, right=not around, seen=seen, mend=mend if around else "")


class RegistrationFlowItem:
    """Whoever registers himself does not get a first session without the step."""

    name = "self-registration passes the step"

    def __init__(self, admin: RealmAdmin) -> None:
        self._admin = admin

    def look(self) -> Finding:
        """Read the switch and the flow behind it."""
        realm = self._admin.representation()
        if not realm.get("registrationAllowed"):
            return Finding(self.name, right=True, seen="switched off")
        right = _has_step(self._admin, str(realm.get("registrationFlow") or ""))
        mend = "switch user registration off, or add Facestep as REQUIRED to the registration flow"
        seen = "in the registration flow" if right else "registration is on, its flow has no step"
        return Finding(self.name, right=right, seen=seen, mend="" if right else mend)


def _has_step(admin: RealmAdmin, alias: str) -> bool:
    executions: list[dict[str, Any]] = (
        admin.find(f"/authentication/flows/{quote(alias)}/executions") or [] if alias else []
    )
    return any(one.get("providerId") == names.AUTHENTICATOR and one["requirement"] == "REQUIRED" for one in executions)


class TransportItem:
    """Logins use TLS, at least from outside."""

    name = "TLS"

    def __init__(self, admin: RealmAdmin) -> None:
        self._admin = admin

    def look(self) -> Finding:
        """Read the realm's switch."""
        required = str(self._admin.representation().get("sslRequired"))
        right = required.lower() in {"external", "all"}
        return Finding(
            self.name,
            right=right,
            seen=f"required: {required}",
            mend="" if right else "set Require SSL to external or all",
        )


class ErasuresItem:
    """Deleted faces were erased at the service too."""

    name = "erasures"

    def __init__(self, admin: RealmAdmin) -> None:
        self._admin = admin

    def look(self) -> Finding:
        """Count what waits."""
        attributes = self._admin.representation().get("attributes", {})
        waiting = sum(1 for key in attributes if key.startswith(names.PENDING_ERASURE))
        mend = "start the service; Keycloak tries again every minute. Until then those faces are still stored"
        return Finding(self.name, right=not waiting, seen=f"{waiting} waiting", mend=mend if waiting else "")


class ServiceItem:
    """The service answers, and calls itself what the flow calls it."""

    name = "Facestep service"

    def __init__(self, url: str, *, timeout_s: float = 5.0) -> None:
        self._url = url
        self._timeout_s = timeout_s

    def look(self) -> Finding:
        """Ask it."""
        try:
            ready = requests.get(f"{self._url}/health/ready", timeout=self._timeout_s, allow_redirects=False)
            metadata = requests.get(
                f"{self._url}/.well-known/openid-configuration", timeout=self._timeout_s, allow_redirects=False
            ).json()
        except (requests.RequestException, ValueError):
            return Finding(self.name, right=False, seen=f"{self._url} does not answer", mend="run `facestep serve`")
        if ready.status_code != requests.codes.ok:
            return Finding(
                self.name, right=False, seen="is not ready", mend="look at /health/ready and the service's log"
            )
        issuer = metadata.get("issuer") if isinstance(metadata, dict) else None
        mend = "set the service's issuer, or --facestep-url, so that both are the same"
        right = issuer == self._url
        return Finding(self.name, right=right, seen=f"ready, issuer {issuer}", mend="" if right else mend)
