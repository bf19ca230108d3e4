"""A manager who is none, or too many things at once; and a link that somebody else follows."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from plugin.ceremonies.types import Subject
from plugin.errors import ServiceError
from plugin.helpdesk.types import AGENT_ROLE, APPROVER_ROLE, CaseState
from plugin.store.link_tables import HelpdeskLink
from tests.plugin.factors.world import REALM
from tests.plugin.helpdesk.console import open_console
from vault.interface import WrongMac

MIA = Subject(REALM, "mia-id")


@pytest.fixture
def case(office, world):
    world.person().has_face()
    return office.opens()


@pytest.fixture
def token(office, case):
    return office.asks_manager(case)


def of_now(office, case):
    return office.desk.case(office.agent(), case.id, now=office.world.now)


def says_yes(office, token, who=MIA):
    office.parts.managers.answer(token, who, yes=True, now=office.world.now)


@pytest.mark.parametrize("manager", ["ada", "alice"])
def test_neither_the_agent_nor_the_person_is_the_manager(office, case, manager):
    office.people.change("alice", manager=manager)
    with pytest.raises(ServiceError, match="manager_unfit"):
        office.asks_manager(case)
    assert office.letters.sent == []
    assert office.refusals() == ["manager_unfit"]


@pytest.mark.parametrize("address", ["ADA@example.org", "alice@home.example"])
def test_a_second_account_of_the_agent_or_of_the_person_is_no_manager(office, case, address):
    office.people.change("mia", addresses=("mia@example.org", address))
    with pytest.raises(ServiceError, match="manager_unfit"):
        office.asks_manager(case)


def test_who_became_the_manager_s_other_account_meanwhile_confirms_nothing(office, case, token):
    office.people.change("mia", addresses=("ada@example.org",))
    with pytest.raises(ServiceError, match="manager_unfit"):
        says_yes(office, token)
    assert of_now(office, case).proofs == ()


def test_another_agent_who_is_the_manager_and_noted_a_proof_confirms_nothing(office, world, case, token):
    office.people.change("mia", roles=frozenset({AGENT_ROLE}))
    office.desk.note(office.agent("mia"), case.id, "call_back", now=world.now)
    with pytest.raises(ServiceError, match="manager_unfit"):
        says_yes(office, token)


def test_who_confirmed_as_the_manager_acts_in_no_other_part(office, world, case, token):
    office.people.change("mia", roles=frozenset({AGENT_ROLE, APPROVER_ROLE}))
    says_yes(office, token)
    for act in (
        lambda: office.desk.note(office.agent("mia"), case.id, "call_back", now=world.now),
        lambda: office.desk.ask(office.agent("mia"), case.id, now=world.now),
        lambda: office.parts.face_checks.ask(office.agent("mia"), case.id, now=world.now),
    ):
        with pytest.raises(ServiceError, match="same_person"):
            act()
    office.desk.ask(office.agent(), office.proves(of_now(office, case)).id, now=world.now)
    with pytest.raises(ServiceError, match="same_person"):
        office.desk.decide(office.agent("mia"), case.id, agree=True, now=world.now)


def test_the_manager_s_other_account_does_not_approve(office, world, case, token):
    office.people.change("bob", addresses=("bob@example.org", "Mia@example.org"))
    says_yes(office, token)
    office.desk.ask(office.agent(), office.proves(of_now(office, case)).id, now=world.now)
    with pytest.raises(ServiceError, match="same_person"):
        office.desk.decide(office.agent("bob"), case.id, agree=True, now=world.now)


def test_somebody_else_who_has_the_link_says_nothing(office, world, case, token):
    for who in ("ada-id", "alice-id", "bob-id"):
        with pytest.raises(ServiceError, match="not_for_you"):
            says_yes(office, token, Subject(REALM, who))
    with pytest.raises(ServiceError, match="not_for_you"):
        says_yes(office, token, Subject("https://idp.example/realms/other", "mia-id"))
    assert office.refusals() == ["not_for_you"] * 4
    assert of_now(office, case).proofs == ()


@pytest.mark.parametrize("first", [True, False])
def test_an_answer_is_given_once(office, world, case, token, first):
    office.parts.managers.answer(token, MIA, yes=first, now=world.now)
    for again in (True, False):
        with pytest.raises(ServiceError, match="link_over"):
            office.parts.managers.answer(token, MIA, yes=again, now=world.now)
    assert of_now(office, case).state is (CaseState.OPEN if first else CaseState.CLOSED)


def test_links_of_one_kind_are_none_of_the_other(office, world, case, token):
    office.parts.face_checks.ask(office.agent(), case.id, now=world.now)
    with pytest.raises(ServiceError, match="link_over"):
        office.parts.face_checks.begin(token, now=world.now)
    with pytest.raises(ServiceError, match="link_over"):
        says_yes(office, office.letters.token("check"))


def test_a_frozen_case_takes_no_word(office, world, case, token):
    office.parts.aftermath.stop(of_now(office, case), now=world.now)
    with pytest.raises(ServiceError, match="link_over"):
        says_yes(office, token)


def test_a_recipient_written_into_the_database_is_not_believed(office, world, case, token):
    world.run(update(HelpdeskLink).values(recipient="ada-id"))
    with pytest.raises(WrongMac):
        says_yes(office, token, Subject(REALM, "ada-id"))


def test_before_the_sign_in_the_page_names_nobody(office, case, token):
    page = open_console(office).get(f"/confirm/{token}").text
    assert not [word for word in ("alice", "ada", "T-1", "phone lost") if word in page]


def test_looking_is_no_answer_and_another_site_gives_none(office, world, case, token):
    mia = open_console(office)
    mia.signs_in("mia", at=f"/confirm/{token}/login")
    assert "alice" in mia.get(f"/confirm/{token}").text
    assert mia.post(f"/confirm/{token}", answer="yes", origin="https://evil.example").status_code == 400
    assert of_now(office, case).proofs == ()
    assert mia.post(f"/confirm/{token}", answer="yes").status_code == 200
    assert of_now(office, case).proofs == ("manager",)


def test_without_a_sign_in_there_is_no_answer(office, case, token):
    assert open_console(office).post(f"/confirm/{token}", answer="yes").status_code == 401
    assert of_now(office, case).proofs == ()


def test_the_manager_s_session_opens_no_case_and_ends_with_the_answer(office, case, token):
    mia = open_console(office)
    mia.signs_in("mia", at=f"/confirm/{token}/login")
    assert mia.get().status_code == 403
    assert mia.get(f"/cases/{case.id}").status_code == 403
    mia.post(f"/confirm/{token}", answer="no")
    assert mia.get(f"/confirm/{token}").status_code == 410
    assert mia.get().status_code == 401


def test_an_agent_who_follows_the_manager_s_link_gets_no_session_from_it(office, case, token):
    ada = open_console(office)
    answer = ada.signs_in("ada", at=f"/confirm/{token}/login")
    assert answer.status_code == 403
    assert "somebody else" in answer.text
    assert ada.get(f"/confirm/{token}").status_code == 200  # asks to sign in, and names nobody
    assert "alice" not in ada.get(f"/confirm/{token}").text


def test_html_in_names_is_text_on_the_manager_s_page(office, world):
    name = '<img src=x onerror="alert(1)">'
    office.people.add(name, manager="mia")
    token = office.asks_manager(office.opens(name, reason="<script>alert(1)</script>"))
    mia = open_console(office)
    mia.signs_in("mia", at=f"/confirm/{token}/login")
    page = mia.get(f"/confirm/{token}")
    assert "&lt;img src=x" in page.text
    assert "<img src=x" not in page.text
    assert "<script>alert" not in page.text
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]
