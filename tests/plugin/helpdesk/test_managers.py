"""The manager's word, from the agent's button to the case."""

from __future__ import annotations

import pytest

from plugin.ceremonies.types import Subject
from plugin.errors import ServiceError
from plugin.helpdesk.types import CaseState
from tests.plugin.factors.world import REALM

MIA = Subject(REALM, "mia-id")


@pytest.fixture
def case(office):
    return office.opens()


def now_of(office, case):
    return office.desk.case(office.agent(), case.id, now=office.world.now)


def test_a_yes_is_noted_with_the_manager_s_name(office, world, case):
    token = office.asks_manager(case)
    shown, asker = office.parts.managers.asked(token, MIA, now=world.now)
    assert (shown.name, shown.ticket, shown.reason, asker.name) == ("alice", "T-1", "phone lost", "ada")
    office.parts.managers.answer(token, MIA, yes=True, now=world.now)
    assert "manager" in now_of(office, case).proofs
    assert now_of(office, case).noted_by == ("mia-id",)
    noted = world.audited("helpdesk_proof_noted")[-1]
    assert (noted["proof"], noted["agent"], noted["reason"]) == ("manager", "mia-id", "confirmed")


def test_a_no_closes_the_case_and_is_an_alarm(office, world, case):
    token = office.asks_manager(case)
    office.parts.managers.answer(token, MIA, yes=False, now=world.now)
    assert now_of(office, case).state is CaseState.CLOSED
    assert office.alarms() == ["manager_refused"]


def test_the_letter_names_nobody_and_goes_to_the_manager(office, case):
    office.asks_manager(case)
    ((address, _, text),) = office.letters.sent
    assert address == "mia@example.org"
    assert not {"alice", "ada", "T-1", "phone"} & set(text.split())


def test_without_a_manager_on_record_nobody_is_asked(office, world, case):
    for manager in ("", "nobody", "mallory"):
        office.people.add("mallory", addresses=())
        office.people.change("alice", manager=manager)
        with pytest.raises(ServiceError, match="no_manager"):
            office.asks_manager(case)
    assert office.letters.sent == []


def test_the_link_ends_with_its_time(office, world, case):
    token = office.asks_manager(case)
    world.passes(seconds=240 * 60)
    with pytest.raises(ServiceError, match="link_over"):
        office.parts.managers.answer(token, MIA, yes=True, now=world.now)


def test_a_manager_who_left_says_nothing_more(office, world, case):
    token = office.asks_manager(case)
    office.people.change("mia", enabled=False)
    with pytest.raises(ServiceError, match="manager_unfit"):
        office.parts.managers.answer(token, MIA, yes=True, now=world.now)


def test_who_stopped_being_the_manager_says_nothing_more(office, world, case):
    token = office.asks_manager(case)
    office.people.change("alice", manager="bob")
    with pytest.raises(ServiceError, match="manager_unfit"):
        office.parts.managers.answer(token, MIA, yes=True, now=world.now)
