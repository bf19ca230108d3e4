"""All wishes for a realm, in the order in which they can be fulfilled; install and check."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from plugin.errors import ServiceError
from plugin.keycloak import flows, names
from plugin.keycloak.api_scope_items import ApiScopeItem
from plugin.keycloak.flow_items import BindingItem, FlowItem
from plugin.keycloak.group_items import GroupsItem
from plugin.keycloak.helpdesk_items import (
    CLIENT,
    OWN_CLIENT,
    ROLES,
    ClientItem,
    MailItem,
    ProfileItem,
    RoleItem,
    ServiceAccountItem,
)
from plugin.keycloak.hole_items import (
    BrokersItem,
    ClientFlowsItem,
    ErasuresItem,
    RegistrationFlowItem,
    ServiceItem,
    TransportItem,
)
from plugin.keycloak.items import BruteForceItem, ExtensionItem, LevelItem, RequiredActionItem
from plugin.keycloak.registration import Clients, RegistrationItem
from plugin.keycloak.scope_items import ScopeForAllItem, ScopeItem

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from plugin.keycloak.admin import RealmAdmin
    from plugin.keycloak.findings import Finding, Item, MendableItem


@dataclass(frozen=True, slots=True)
class Change:
    """What install did about one item."""

    name: str
    changed: bool
    seen: str


class RealmSetup:
    """The wishes for one realm and one service."""

    def __init__(
        self,
        admin: RealmAdmin,
        *,
        facestep_url: str,
        clients: Clients | None,
        helpdesk: bool = False,
        groups: Sequence[str] = (),
    ) -> None:
        self._admin = admin
        self._groups = groups
        self._helpdesk = helpdesk
        self._url = facestep_url.rstrip("/")
        self._clients = clients

    def check(self) -> list[Finding]:
        """Look at everything. Raises ServiceError when the realm cannot be read."""
        self._require_realm()
        return [item.look() for item in (ExtensionItem(self._admin), *self._mendable(), *self._by_hand())]

    def install(self) -> Iterator[Change]:
        """Mend what looks wrong and say so, item by item. A second run yields no change.

        Raises:
            ServiceError: extension_missing before anything is touched; keycloak_error if a change is not kept.
        """
        self._require_realm()
        extension = ExtensionItem(self._admin).look()
        if not extension.right:
            raise ServiceError("extension_missing", f"Keycloak has not loaded our extension; {extension.mend}")
        for item in self._mendable():
            before = item.look()
            if before.right:
                yield Change(item.name, changed=False, seen=before.seen)
                continue
            item.mend()
            after = item.look()
            if not after.right:
                raise ServiceError("keycloak_error", f"{item.name} {after.seen}, although it was just mended")
            yield Change(item.name, changed=True, seen=f"{before.seen} -> {after.seen}")

    def create_realm(self) -> bool:
        """Create the realm if it is missing; tell whether it was."""
        if self._admin.exists():
            return False
        self._admin.create({"enabled": True, "sslRequired": "external", "registrationAllowed": False})
        return True

    def _require_realm(self) -> None:
        if not self._admin.exists():
            raise ServiceError(
                "realm_missing", f"Keycloak has no realm {self._admin.realm!r}; create it, or use --create-realm"
            )

    def _mendable(self) -> Iterator[MendableItem]:
        """Yield in order: people need the action before they meet the step, a flow its steps before it is bound."""
        admin = self._admin
        yield RequiredActionItem(admin, names.REQUIRED_ACTION, names.REQUIRED_ACTION_NAME, default=False)
        yield RequiredActionItem(admin, "delete_credential", "Delete Credential", default=None)
        yield LevelItem(admin)
        yield ScopeItem(admin)
        yield ScopeForAllItem(admin)
        yield BruteForceItem(admin)
        if self._clients is not None:
            yield RegistrationItem(admin, self._clients)
        yield ClientItem(admin, OWN_CLIENT, self._url, page="me", service_account=False)
        if self._helpdesk:
            yield from (RoleItem(admin, role) for role in ROLES)
            yield ProfileItem(admin)
            yield ClientItem(admin, CLIENT, self._url, page="helpdesk", service_account=True)
            yield ServiceAccountItem(admin)
            yield ApiScopeItem(admin)
        for flow in (flows.browser_flow(self._url), flows.reset_flow(self._url), flows.grant_flow()):
            yield FlowItem(admin, flow)
            yield BindingItem(admin, flow)

    def _by_hand(self) -> Iterator[Item]:
        yield ClientFlowsItem(self._admin)
        yield BrokersItem(self._admin)
        yield RegistrationFlowItem(self._admin)
        yield TransportItem(self._admin)
        if self._helpdesk:
            yield MailItem(self._admin)
        if self._groups:
            yield GroupsItem(self._admin, self._groups)
        yield ErasuresItem(self._admin)
        yield ServiceItem(self._url)
