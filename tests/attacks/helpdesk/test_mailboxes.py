"""Somebody who has borrowed a session puts another mailbox on record, to have the pass sent there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from plugin.errors import ServiceError
from plugin.helpdesk import letters
from plugin.helpdesk.types import AGENT_ROLE, CaseState
from plugin.keycloak.directory import ADDRESSES, KeycloakDirectory
from tests.plugin.factors.world import REALM
from tests.plugin.helpdesk.office import ListedPeople, open_office
from tests.plugin.helpdesk.own_way import OwnWay

if TYPE_CHECKING:
    from plugin.helpdesk.types import OnRecord


class PeopleOfKeycloak(ListedPeople):
    """People as the real directory reads them from Keycloak's answers; `users` holds what Keycloak would say of one."""

    def __init__(self, **reading: Any) -> None:
        super().__init__()
        self.users: dict[str, dict[str, Any]] = {}
        self.directory = KeycloakDirectory(REALM, token=dict, clock=lambda: None, **reading)
        self.directory._connected = lambda: self

    def find(self, name: str) -> OnRecord | None:
        return self.directory.find(name)

    def person(self, subject: str) -> OnRecord | None:
        return self.directory.person(subject)

    def get_users(self, query: dict[str, Any]) -> list[dict[str, Any]]:
        return [self.get_user(one.owner.subject) for one in self.people.values() if one.name == query["username"]]

    def get_user(self, subject: str) -> dict[str, Any]:
        one = self.people[subject]
        own, *further = one.addresses
        user = {"id": subject, "username": one.name, "enabled": one.enabled, "email": own, "emailVerified": True}
        return {
            **user,
            "attributes": {ADDRESSES: further, "facestepManager": [one.manager]},
            **self.users.get(subject, {}),
        }

    def get_user_groups(self, subject: str) -> list[dict[str, str]]:
        return []

    def get_composite_realm_roles_of_user(self, subject: str) -> list[dict[str, str]]:
        return [{"name": role} for role in self.people[subject].roles]


@pytest.fixture
def people():
    return PeopleOfKeycloak()


@pytest.fixture
def alice(world):
    person = world.person().has_face()
    world.passes(seconds=3600)
    return person


@pytest.fixture
def office(world, people, alice):
    return open_office(world, people=people)


def changes_their_address(people, name="alice", address="thief@evil.example"):
    """What Keycloak says after somebody changed the address in the account console."""
    people.users[f"{name}-id"] = {"email": address, "emailVerified": False}


def test_an_unverified_mailbox_gets_no_pass(office, world, people):
    case = office.asked()
    changes_their_address(people)
    with pytest.raises(ServiceError, match="no_address"):
        office.agrees(case)
    assert world.audited("pass_issued") == []
    assert {to for to, *_ in office.letters.sent} == {"alice@example.org"}  # the check's link, from before


def test_no_other_mailbox_stands_in_for_one_that_is_not_verified(office, people):
    """Else who can read one of the further addresses would choose that the pass goes there."""
    changes_their_address(people)
    case = office.opens()
    with pytest.raises(ServiceError, match="no_address"):
        office.parts.face_checks.ask(office.agent(), case.id, now=office.world.now)
    assert office.letters.sent == []


def test_an_unverified_mailbox_gets_no_code_for_a_new_face(office, alice, people):
    way = OwnWay(office, alice)
    way.logs_in()
    way.begins_new_face()
    way.gives_phone()
    changes_their_address(people)
    assert way.browser.call("recovery/mail").get_json()["error"] == "no_mailbox"
    assert office.letters.sent == []


def test_a_manager_whose_mailbox_is_not_verified_is_not_asked(office, people):
    changes_their_address(people, "mia")
    with pytest.raises(ServiceError, match="no_manager"):
        office.asks_manager(office.opens())
    assert office.letters.sent == []


def test_the_other_mailboxes_still_hear(office, alice, people):
    case = office.asked()
    office.agrees(case)
    changes_their_address(people)
    office.letters.sent.clear()
    office.parts.aftermath.inform(alice.owner, letters.used(), now=office.world.now)
    assert {to for to, *_ in office.letters.sent} == {"alice@home.example"}


def test_an_address_that_is_not_verified_still_tells_that_two_accounts_are_one(office, people):
    """A rogue agent's second account does not become somebody else by losing the mark."""
    case = office.asked()
    people.change("bob", addresses=("ADA@example.org",))
    changes_their_address(people, "bob", "ADA@example.org")
    with pytest.raises(ServiceError, match="same_person"):
        office.agrees(case)


def test_where_administrators_alone_write_addresses_all_count(world):
    people = PeopleOfKeycloak(unverified_count=True)
    world.person().has_face()
    office = open_office(world, people=people)
    changes_their_address(people, address="alice@ldap.example")
    assert office.agrees(office.asked()).state is CaseState.ISSUED
    assert office.letters.to("alice@ldap.example")


def test_anything_but_true_is_not_verified(people, office):
    for said in (None, "true", 1, "false"):
        people.users["alice-id"] = {"emailVerified": said}
        assert people.person("alice-id").mailbox == ""
    people.users["alice-id"] = {"emailVerified": True}
    assert people.person("alice-id").mailbox == "alice@example.org"
    assert people.person("ada-id").roles == {AGENT_ROLE}
