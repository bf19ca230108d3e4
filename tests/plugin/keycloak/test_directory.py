"""What ends at Keycloak with a recovery, by the calls that the directory makes; a real one is asked in integration."""

from __future__ import annotations

import pytest
from keycloak.exceptions import KeycloakDeleteError

from plugin.errors import ServiceError
from plugin.keycloak.directory import KeycloakDirectory
from tests.plugin.factors.world import REALM


class ScriptedAdmin:
    """The calls of python-keycloak that end sessions, for somebody with these consents."""

    def __init__(self, consents: list[dict], *, fails: int = 0) -> None:
        self.calls: list[tuple[str, ...]] = []
        self._consents = consents
        self._fails = fails

    def user_logout(self, subject: str) -> None:
        self.calls.append(("logout", subject))

    def user_consents(self, subject: str) -> list[dict]:
        self.calls.append(("consents", subject))
        return self._consents

    def revoke_consent(self, subject: str, client: str) -> None:
        if self._fails:
            raise KeycloakDeleteError("scripted", response_code=self._fails)
        self.calls.append(("revoke", subject, client))


@pytest.fixture
def directory():
    return KeycloakDirectory(REALM, token=dict, clock=lambda: None)


OFFLINE = {"clientId": "https://app.example.org/x", "additionalGrants": [{"client": "1", "key": "Offline Token"}]}
CONSENT = {"clientId": "portal", "grantedClientScopes": ["profile"], "additionalGrants": []}


def test_offline_sessions_are_taken_away_after_the_log_out_and_consents_stay(directory):
    admin = ScriptedAdmin([CONSENT, OFFLINE, {"clientId": "old"}])
    directory._connected = lambda: admin
    directory.end_sessions("alice-id")
    revoked = ("revoke", "alice-id", "https%3A%2F%2Fapp.example.org%2Fx")
    assert admin.calls == [("logout", "alice-id"), ("consents", "alice-id"), revoked]


def test_one_that_has_gone_meanwhile_is_no_fault_and_one_that_stays_is(directory):
    directory._connected = lambda: ScriptedAdmin([OFFLINE], fails=404)
    directory.end_sessions("alice-id")
    directory._connected = lambda: ScriptedAdmin([OFFLINE], fails=403)
    with pytest.raises(ServiceError) as refused:
        directory.end_sessions("alice-id")
    assert refused.value.code == "keycloak_unavailable"
