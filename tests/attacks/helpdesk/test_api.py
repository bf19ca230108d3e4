"""Programs, and people who pretend to be one, at the helpdesk's API."""

from __future__ import annotations

import pytest

from plugin.doors.service_accounts import ServiceAccounts
from plugin.errors import ServiceError
from plugin.helpdesk.policy import Rule
from plugin.helpdesk.types import AGENT_ROLE, API_ROLE, APPROVER_ROLE
from tests.fakes.door import open_door
from tests.plugin.api.web import error_of, make_app
from tests.plugin.helpdesk.console import open_console
from tests.plugin.helpdesk.office import ListedPeople
from tests.plugin.helpdesk.program import Program

ASK_PASS = {"action": "pass", "target": ""}


@pytest.fixture
def tickets(office, world):
    office.allows(default=Rule(frozenset({"call_back"}), four_eyes=True))
    world.person().has_face()
    return Program(make_app(world), office)


class Realm:
    """A realm that signs tokens, and the one that checks them."""

    def __init__(self, folder) -> None:
        self.door = open_door(folder)
        self.people = ListedPeople()
        self.account = self.people.add("service-account-tickets", roles=[API_ROLE], addresses=[])
        parts = {"registry": self.door.services.registry, "audit": self.door.services.audit}
        self.accounts = ServiceAccounts(realm=self.door.realm.issuer, directory=self.people, **parts)

    def claims(self, **changes):
        realm = self.door.realm
        right = {
            "iss": realm.issuer,
            "aud": "facestep-helpdesk",
            "sub": self.account.owner.subject,
            "typ": "Bearer",
            "azp": "tickets",
            "preferred_username": "service-account-tickets",
            "realm_access": {"roles": [API_ROLE]},
            "iat": realm.seconds(),
            "exp": realm.seconds(300),
        }
        return {name: value for name, value in (right | changes).items() if value is not None}

    def knocks(self, token):
        return self.accounts.program(token, address="192.0.2.9", now=self.door.clock())

    def signed(self, *, header="JWT", by=None, **changes):
        return (by or self.door.realm).sign(self.claims(**changes), typ=header)


@pytest.fixture(scope="module")
def realm(tmp_path_factory):
    return Realm(tmp_path_factory.mktemp("door"))


def test_a_service_account_is_let_in(realm):
    program = realm.knocks(realm.signed())
    assert (program.program, program.may_ask, program.has(APPROVER_ROLE)) == (True, True, False)


@pytest.mark.parametrize(
    ("changes", "check"),
    [
        ({"aud": None}, "aud"),
        ({"aud": "account"}, "aud"),
        ({"aud": ["facestep-helpdesk", "another"]}, "aud"),
        ({"iss": "https://sso.example/realms/other"}, "iss"),
        ({"exp": 0}, "exp"),
        ({"typ": "ID"}, "typ"),
        ({"typ": None}, "typ"),
        ({"sid": "a-session-of-a-person"}, "session"),
        ({"session_state": "a-session"}, "session"),
        ({"preferred_username": "ada"}, "preferred_username"),
        ({"azp": "another"}, "preferred_username"),
        ({"azp": None}, "azp"),
        ({"realm_access": None}, "role"),
        ({"realm_access": {"roles": API_ROLE}}, "role"),
        ({"realm_access": {"roles": ["facestep-helpdesk", "facestep-helpdesk-approver"]}}, "role"),
        ({"sub": "nobody-id"}, "account"),
    ],
)
def test_any_other_token_is_none(realm, changes, check):
    with pytest.raises(ServiceError, match="api_token") as refused:
        realm.knocks(realm.signed(**changes))
    assert refused.value.detail == check


def test_a_token_that_was_made_for_hours_is_none(realm):
    with pytest.raises(ServiceError, match="api_token"):
        realm.knocks(realm.signed(exp=realm.door.realm.seconds(3600)))


def test_a_person_who_is_called_like_a_service_account_is_none(realm):
    """Whoever can choose a user name cannot choose whose account a client's is."""
    realm.people.add("service-account-mine", roles=[])
    changes = {"sub": "service-account-mine-id", "azp": "mine", "preferred_username": "service-account-mine"}
    with pytest.raises(ServiceError) as refused:
        realm.knocks(realm.signed(**changes))
    assert refused.value.detail == "role_now"


def test_a_token_of_another_realm_is_none(realm):
    other = realm.door.new_realm("https://sso.example/realms/other")
    for issuer in (other.issuer, realm.door.realm.issuer):
        with pytest.raises(ServiceError, match="api_token"):
            realm.knocks(realm.signed(by=other, iss=issuer))


def test_a_request_object_or_garbage_is_no_token(realm):
    for token in ("", "a.b.c", "x" * 9000, realm.signed(header="oauth-authz-req+jwt"), realm.signed() + "A"):
        with pytest.raises(ServiceError, match="api_token"):
            realm.knocks(token)


def test_an_account_that_was_switched_off_or_lost_the_role_is_out_at_once(realm):
    token = realm.signed()
    for changes in ({"enabled": False}, {"roles": frozenset()}):
        before = realm.people.person("service-account-tickets-id")
        realm.people.change("service-account-tickets", **changes)
        with pytest.raises(ServiceError, match="api_token"):
            realm.knocks(token)
        realm.people.people["service-account-tickets-id"] = before
    assert realm.door.services.audit.latest(limit=1)[0].details["check"] == "role_now"


def test_without_a_token_nothing_is_said(tickets):
    for headers in ({}, {"Authorization": "Basic dGlja2V0czp4"}, {"Authorization": "bearer tickets"}):
        answer = tickets.calls("/cases", {"name": "alice"}, token="", headers=headers)
        assert error_of(answer) == (401, "api_token")
        assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_session_of_an_agent_opens_nothing_here(tickets, office):
    ada = open_console(office, app=tickets.app)
    ada.signs_in("ada")
    tickets.client = ada.client
    assert error_of(tickets.calls("/cases", {"name": "alice"}, token="")) == (401, "api_token")


def test_a_program_cannot_approve_whatever_roles_it_has(tickets, office, world):
    office.people.change("service-account-tickets", roles=frozenset({API_ROLE, AGENT_ROLE, APPROVER_ROLE}))
    case = office.asked()
    program = office.parts.programs.program("tickets", address="", now=world.now)
    with pytest.raises(ServiceError, match="helpdesk_role"):
        office.desk.decide(program, case.id, agree=True, now=world.now)
    assert tickets.calls(f"/cases/{case.id}/decide", {"answer": "agree"}).status_code == 404
    assert office.desk.queue(program, now=world.now) == []


def test_a_program_cannot_sign_in_to_the_console_with_its_role(tickets, office):
    office.people.add("eve", roles=[API_ROLE])
    console = open_console(office, app=tickets.app)
    assert console.signs_in("eve").status_code == 403


def test_a_program_notes_no_proof_that_a_person_must(tickets, office):
    path = tickets.opens()
    assert error_of(tickets.calls(f"{path}/proofs", {"proof": "call_back"})) == (403, "not_for_programs")
    assert office.refusals() == ["not_for_programs"]


def test_what_a_program_asks_waits_even_where_policy_wants_two_eyes(tickets, office, world):
    office.allows(default=Rule(frozenset({"call_back"}), four_eyes=False), api_proofs=frozenset({"call_back"}))
    world.passes(seconds=8 * 86400)
    path = tickets.opens()
    tickets.calls(f"{path}/proofs", {"proof": "call_back"})
    assert tickets.calls(f"{path}/ask", ASK_PASS).get_json()["state"] == "waiting"
    assert tickets.calls(f"{tickets.opens()}/ask", {"action": "suspend", "target": ""}).get_json()["state"] == "waiting"
    assert office.letters.sent == []


def test_one_person_does_not_do_all_with_the_help_of_a_program(tickets, office, world):
    """The program opens and asks, one and the same person proves and agrees."""
    office.people.change("bob", roles=frozenset({AGENT_ROLE, APPROVER_ROLE}))
    path = tickets.opens()
    case_id = path.removeprefix("/cases/")
    office.desk.note(office.agent("bob"), case_id, "call_back", now=world.now)
    assert tickets.calls(f"{path}/ask", ASK_PASS).status_code == 200
    with pytest.raises(ServiceError, match="same_person"):
        office.desk.decide(office.agent("bob"), case_id, agree=True, now=world.now)


def test_a_program_is_never_shown_a_pass(tickets, office, world):
    office.allows(show_pass_once=True, api_proofs=frozenset({"call_back"}))
    path = tickets.opens()
    tickets.calls(f"{path}/proofs", {"proof": "call_back"})
    assert error_of(tickets.calls(f"{path}/ask", {"action": "pass", "target": "shown"})) == (403, "not_for_programs")
    assert tickets.calls(f"{path}/show", {}).status_code == 404


def test_a_program_sees_its_own_cases_alone(tickets, office, world):
    others = office.opens().id
    for answer in (
        tickets.calls(f"/cases/{others}"),
        tickets.calls(f"/cases/{others}/ask", ASK_PASS),
        tickets.calls(f"/cases/{others}/close", {}),
    ):
        assert error_of(answer) == (404, "case_unknown")
    second = Program(tickets.app, office, name="second")
    assert error_of(second.calls(tickets.opens())) == (404, "case_unknown")


def test_the_limits_are_those_of_an_agent(tickets, office):
    for _ in range(30):
        assert error_of(tickets.calls("/cases", {"name": "nobody", "ticket": "T", "reason": "r"}))[0] == 404
    refused = tickets.calls("/cases", {"name": "alice", "ticket": "T", "reason": "r"})
    assert error_of(refused) == (429, "too_many_lookups")
    assert "many_lookups" in office.alarms()


@pytest.mark.parametrize(
    "body",
    [
        {"name": "alice", "ticket": "T"},
        {"name": "alice", "ticket": "T", "reason": "r", "four_eyes": False},
        {"name": "alice", "ticket": "", "reason": "r"},
        {"name": "alice", "ticket": "T\u202e", "reason": "r"},
        {"name": "a" * 256, "ticket": "T", "reason": "r"},
        {"name": ["alice"], "ticket": "T", "reason": "r"},
        [],
    ],
)
def test_a_body_that_is_not_exactly_right_is_refused(tickets, world, body):
    assert error_of(tickets.calls("/cases", body)) == (400, "bad_request")
    assert world.audited("helpdesk_looked_up") == []


def test_html_is_text_in_json_too(tickets, office):
    office.people.add("<script>alert(1)</script>")
    answer = tickets.calls(tickets.opens("<script>alert(1)</script>"))
    assert answer.content_type == "application/json"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
