"""Users, clients and events of a test realm, through Keycloak's admin API. For tests and the demo only."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from keycloak import KeycloakAdmin

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.stack.keycloak import Keycloak

ENROL = "facestep-enrol"


class People:
    """What an admin would click together in the console."""

    def __init__(self, keycloak: Keycloak) -> None:
        self._keycloak = keycloak

    @contextmanager
    def _admin(self, realm: str) -> Iterator[KeycloakAdmin]:
        admin = KeycloakAdmin(
            server_url=self._keycloak.url,
            username=self._keycloak.admin_user,
            password=self._keycloak.admin_password,
            user_realm_name="master",
            realm_name=realm,
        )
        try:
            yield admin
        finally:
            admin.connection._s.close()

    def create_user(self, realm: str, username: str, password: str, *, must_enrol: bool) -> str:
        """Create a user with a password and return the subject id; `must_enrol` puts the enrolment before him."""
        with self._admin(realm) as admin:
            return str(
                admin.create_user(
                    {
                        "username": username,
                        "enabled": True,
                        "email": f"{username}@example.org",
                        "emailVerified": True,
                        "firstName": username.title(),
                        "lastName": "Example",
                        "requiredActions": [ENROL] if must_enrol else [],
                        "credentials": [{"type": "password", "value": password, "temporary": False}],
                    },
                ),
            )

    def give_role(self, realm: str, subject: str, role: str) -> None:
        """Give a user a role of the realm."""
        with self._admin(realm) as admin:
            admin.assign_realm_roles(subject, [admin.get_realm_role(role)])

    def sessions(self, realm: str, subject: str) -> int:
        """Return how many sessions a user has."""
        with self._admin(realm) as admin:
            return len(admin.get_sessions(subject))

    def create_public_client(self, realm: str, client_id: str, *, redirect_uri: str) -> None:
        """Create an ordinary client: public, authorization code with PKCE."""
        with self._admin(realm) as admin:
            admin.create_client(
                {
                    "clientId": client_id,
                    "publicClient": True,
                    "standardFlowEnabled": True,
                    "redirectUris": [redirect_uri],
                    "attributes": {"pkce.code.challenge.method": "S256"},
                },
            )

    def credentials(self, realm: str, subject: str) -> list[dict[str, Any]]:
        """Return what Keycloak holds about a user's credentials."""
        with self._admin(realm) as admin:
            return list(admin.get_credentials(subject))

    def events(self, realm: str, kind: str, *, subject: str) -> list[dict[str, Any]]:
        """Return the realm's stored login events of one kind about one user, newest first."""
        with self._admin(realm) as admin:
            return list(admin.get_events({"type": kind, "user": subject}))

    def keep_events(self, realm: str) -> None:
        """Let the realm store its login events."""
        with self._admin(realm) as admin:
            admin.update_realm(realm, {**admin.get_realm(realm), "eventsEnabled": True})

    def failures(self, realm: str, subject: str) -> int:
        """Return Keycloak's own count of failures of a user."""
        with self._admin(realm) as admin:
            return int(admin.get_bruteforce_detection_status(subject)["numFailures"])
