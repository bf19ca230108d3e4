"""People of a Keycloak realm for the helpdesk, through python-keycloak and the helpdesk client's service account.

Rules:
 * Every question goes to Keycloak: who was demoted or locked a moment ago is.
 * A user name is compared exactly; there is no search, and no listing but of who has a role.
 * An e-mail address counts as somebody's mailbox if Keycloak marks it as verified, which it no longer does when people
   change it themselves. Where administrators alone write addresses, the settings may say that all count.
 * What Keycloak or the network refuse becomes ServiceError("keycloak_unavailable"): nobody is let through unasked.

Not here: what the roles allow (helpdesk/desk.py).
"""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from keycloak import KeycloakAdmin, KeycloakOpenIDConnection
from keycloak.exceptions import KeycloakError

from plugin.ceremonies.types import Subject
from plugin.errors import ServiceError
from plugin.helpdesk.types import Holder, OnRecord
from plugin.keycloak.role_members import members_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from datetime import datetime

ADDRESSES: Final = "facestepAddresses"
"""User attribute with further addresses of a person; the realm's own e-mail address comes first."""
MANAGER: Final = "facestepManager"
"""User attribute with the exact user name of a person's manager. Only administrators may write either of the two:
`facestep keycloak install --helpdesk` declares them so (helpdesk_items.py)."""
CREDENTIAL: Final = "facestep"
"""The type of our credential there (FaceCredentialModel.java)."""
OFFLINE: Final = "Offline Token"
"""What Keycloak lists among somebody's consents for a client that holds an offline session."""
_TIMEOUT_S: Final = 5
_NOT_FOUND: Final = 404
_SPARE_S: Final = 15


class KeycloakDirectory:
    """helpdesk.types.Directory over one realm; `token` asks for a fresh access token of the service account."""

    def __init__(
        self,
        issuer: str,
        *,
        token: Callable[[], dict[str, Any]],
        clock: Callable[[], datetime],
        manager_attribute: str = MANAGER,
        unverified_count: bool = False,
    ) -> None:
        server, _, realm = issuer.rpartition("/realms/")
        self._issuer, self._server, self._realm = issuer, server, realm
        self._token = token
        self._manager = manager_attribute
        self._unverified_count = unverified_count
        self._clock = clock
        self._lock = threading.Lock()
        self._admin: KeycloakAdmin | None = None
        self._good_until = 0.0

    def find(self, name: str) -> OnRecord | None:
        """Return the one person with exactly this user name."""
        found = self._ask(lambda admin: admin.get_users({"username": name, "exact": True}))
        exact = [one for one in found if one.get("username", "").casefold() == name.casefold()]
        return self._on_record(exact[0]) if len(exact) == 1 else None

    def person(self, subject: str) -> OnRecord | None:
        """Return the person with this id."""
        found = self._ask(lambda admin: admin.get_user(subject), missing_is_none=True)
        return self._on_record(found) if found else None

    def holders(self, roles: Collection[str]) -> tuple[Holder, ...]:
        """Return whoever has one of these realm roles, is enabled and can be written to."""
        found = self._ask(lambda admin: members_of(admin, roles))
        holders = (
            Holder(Subject(self._issuer, str(one["id"])), self._addresses(one)[0])
            for one in found
            if one.get("enabled")
        )
        return tuple(one for one in holders if one.addresses)

    def end_sessions(self, subject: str) -> None:
        """End all sessions, offline ones too.

        A log-out makes Keycloak refuse offline tokens of the seconds before, compared in whole seconds: one that was
        issued or refreshed within the very second of the log-out lives on. So the offline sessions are taken away too,
        client by client, as revoking a consent does; in this order, since no session is left that could make new ones.
        """
        self._ask(lambda admin: admin.user_logout(subject))
        for one in self._ask(lambda admin: admin.user_consents(subject)):
            if any(grant.get("key") == OFFLINE for grant in one.get("additionalGrants", [])):
                client = quote(str(one["clientId"]), safe="")
                self._ask(partial(_revoke, subject=subject, client=client), missing_is_none=True)

    def forget_face(self, subject: str) -> None:
        """Delete the credential that says so; Keycloak then asks for an enrolment at the next login."""
        for one in self._ask(lambda admin: admin.get_credentials(subject)):
            if one.get("type") == CREDENTIAL:
                self._ask(partial(_delete_credential, subject=subject, credential=str(one["id"])))

    def _on_record(self, user: dict[str, Any]) -> OnRecord:
        subject = str(user["id"])
        groups = self._ask(lambda admin: admin.get_user_groups(subject))
        roles = self._ask(lambda admin: admin.get_composite_realm_roles_of_user(subject))
        managers = (user.get("attributes") or {}).get(self._manager, [])
        addresses, unverified = self._addresses(user)
        return OnRecord(
            owner=Subject(self._issuer, subject),
            name=str(user["username"]),
            addresses=addresses,
            groups=tuple(str(one["path"]) for one in groups),
            roles=frozenset(str(one["name"]) for one in roles),
            enabled=bool(user.get("enabled")),
            manager=str(managers[0]) if len(managers) == 1 else "",
            unverified=unverified,
        )

    def _addresses(self, user: dict[str, Any]) -> tuple[tuple[str, ...], str]:
        """Return where to write to this user, and their own address if it may not be written to."""
        own, further = str(user.get("email") or ""), (user.get("attributes") or {}).get(ADDRESSES, [])
        counts = self._unverified_count or user.get("emailVerified") is True
        addresses = dict.fromkeys(one for one in (own if counts else "", *further) if one)
        return tuple(addresses), "" if counts else own

    def _ask(self, question: Callable[[KeycloakAdmin], Any], *, missing_is_none: bool = False) -> Any:
        try:
            return question(self._connected())
        except KeycloakError as exc:
            if missing_is_none and exc.response_code == _NOT_FOUND:
                return None
            raise ServiceError("keycloak_unavailable", f"{type(exc).__name__} {exc.response_code or ''}") from exc

    def _connected(self) -> KeycloakAdmin:
        """Return a connection whose token is good for some seconds more."""
        with self._lock:
            now = self._clock().timestamp()
            if self._admin is None or now >= self._good_until:
                token = self._token()
                self._admin = KeycloakAdmin(
                    connection=KeycloakOpenIDConnection(
                        server_url=self._server + "/", realm_name=self._realm, token=token, timeout=_TIMEOUT_S
                    )
                )
                self._good_until = now + int(token["expires_in"]) - _SPARE_S
            return self._admin


def _revoke(admin: KeycloakAdmin, *, subject: str, client: str) -> None:
    admin.revoke_consent(subject, client)


def _delete_credential(admin: KeycloakAdmin, *, subject: str, credential: str) -> None:
    admin.delete_credential(subject, credential)
