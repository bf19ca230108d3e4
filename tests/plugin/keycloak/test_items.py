"""Items that a real Keycloak cannot easily be made to show; the others are in tests/integration/keycloak."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from plugin.errors import ServiceError
from plugin.keycloak.flows import browser_flow, grant_flow, reset_flow
from plugin.keycloak.group_items import GroupsItem
from plugin.keycloak.helpdesk_items import MailItem
from plugin.keycloak.hole_items import BrokersItem, ErasuresItem, RegistrationFlowItem
from plugin.keycloak.items import BruteForceItem, ExtensionItem, LevelItem
from plugin.keycloak.realm import RealmSetup

STEP = {"providerId": "facestep-authenticator", "requirement": "REQUIRED"}


@dataclass
class FakeRealm:
    """Answers what a test put there, like plugin.keycloak.admin.RealmAdmin."""

    realm: dict[str, Any] = field(default_factory=dict)
    answers: dict[str, Any] = field(default_factory=dict)
    there: bool = True

    def exists(self) -> bool:
        return self.there

    def representation(self) -> dict[str, Any]:
        return self.realm

    def get(self, path: str) -> Any:
        return self.answers[path]

    def find(self, path: str) -> Any:
        return self.answers.get(path)

    def update(self, changes: dict[str, Any]) -> None:
        self.realm.update(changes)

    def set_attribute(self, name: str, value: str) -> None:
        self.realm.setdefault("attributes", {})[name] = value


def test_every_flow_to_a_session_has_the_step_as_required_or_is_denied():
    for flow in (browser_flow("https://face.example"), reset_flow("https://face.example")):
        steps = [step for _, step in flow.lines() if step.provider == "facestep-authenticator"]
        assert [step.requirement for step in steps] == ["REQUIRED"]
        assert steps[0].config["facestep.url"] == "https://face.example"
    assert [step.provider for _, step in grant_flow().lines()] == ["deny-access-authenticator"]


@pytest.mark.parametrize("damaged", ["{", "[]", "null", ""])
def test_a_damaged_level_map_is_wrong_and_can_be_mended(damaged):
    realm = FakeRealm({"attributes": {"acr.loa.map": damaged}})
    assert not LevelItem(realm).look().right
    LevelItem(realm).mend()
    assert LevelItem(realm).look().right


@pytest.mark.parametrize(
    ("on", "factor", "right"), [(True, 10, True), (True, 100, True), (True, 101, False), (False, 3, False)]
)
def test_brute_force_protection_needs_a_sensible_number(on, factor, right):
    item = BruteForceItem(FakeRealm({"bruteForceProtected": on, "failureFactor": factor}))
    assert item.look().right is right


def test_waiting_erasures_are_shown_without_names():
    finding = ErasuresItem(FakeRealm({"attributes": {"facestep.erase.alice": "{}", "other": ""}})).look()
    assert not finding.right
    assert finding.seen == "1 waiting"


@pytest.mark.parametrize(
    ("executions", "right"), [([STEP], True), ([{**STEP, "requirement": "ALTERNATIVE"}], False), ([], False)]
)
def test_self_registration_needs_the_step_as_required(executions, right):
    realm = FakeRealm(
        {"registrationAllowed": True, "registrationFlow": "registration"},
        {"/authentication/flows/registration/executions": executions},
    )
    assert RegistrationFlowItem(realm).look().right is right


def test_a_broker_with_the_step_after_it_is_right():
    broker = {"alias": "partner", "enabled": True, "postBrokerLoginFlowAlias": "after partner"}
    realm = FakeRealm(
        answers={
            "/identity-provider/instances": [broker],
            "/authentication/flows/after%20partner/executions": [STEP],
        }
    )
    assert BrokersItem(realm).look().right


def test_without_the_extension_install_touches_nothing():
    realm = FakeRealm(answers={"/authentication/authenticator-providers": [{"id": "auth-cookie"}]})
    assert not ExtensionItem(realm).look().right
    with pytest.raises(ServiceError) as refused:
        list(RealmSetup(realm, facestep_url="https://face.example", clients=None).install())
    assert refused.value.code == "extension_missing"
    assert realm.realm == {}


def test_a_realm_that_is_not_there_is_said_so():
    with pytest.raises(ServiceError) as refused:
        RealmSetup(FakeRealm(there=False), facestep_url="https://face.example", clients=None).check()
    assert refused.value.code == "realm_missing"


@pytest.mark.parametrize(
    ("who", "verified", "seen"),
    [
        (["admin", "user"], False, "people may change their own, and nothing verifies the new one"),
        (["user"], True, "people may change their own"),
        (["admin"], False, "written by administrators alone"),
        ([], False, "written by administrators alone"),
    ],
)
def test_an_address_that_people_may_change_is_told(who, verified, seen):
    """A pass goes there, and whoever borrowed a session can verify a mailbox of their own."""
    profile = {"attributes": [{"name": "username"}, {"name": "email", "permissions": {"edit": who}}]}
    finding = MailItem(FakeRealm({"verifyEmail": verified}, {"/users/profile": profile})).look()
    assert finding.seen == seen
    assert finding.right is ("user" not in who)
    assert bool(finding.mend) is not finding.right


def test_a_group_that_the_policy_names_and_the_realm_does_not_know_is_said():
    realm = FakeRealm(answers={"/group-by-path/administrators": {"id": "1"}, "/group-by-path/a%20b/c": {"id": "2"}})
    assert GroupsItem(realm, ["/administrators", "/a b/c"]).look().right
    finding = GroupsItem(realm, ["/administrators", "/Administrators"]).look()
    assert not finding.right
    assert finding.seen == "not there: /Administrators"
    assert "helpdesk_policy_file" in finding.mend
