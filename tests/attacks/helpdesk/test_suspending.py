"""Who floods the helpdesk is not safe from a suspension, and suspending is no way to browse or to lock people out."""

from __future__ import annotations

import pytest

from plugin.errors import ServiceError
from plugin.helpdesk.bounds import Bounds
from plugin.helpdesk.policy import Rule
from plugin.helpdesk.types import API_ROLE, Action, Agent, CaseState
from plugin.store.suspended import is_suspended
from tests.plugin.helpdesk.console import open_console


def suspends(office, about="alice", *, by="ada"):
    return office.desk.suspend(office.agent(by), about, ticket="T-1", reason="phone stolen", now=office.world.now)


def is_out(office, world, about="alice"):
    owner = office.people.person(f"{about}-id").owner
    with world.database.reading() as session:
        return is_suspended(session, issuer=owner.issuer, subject=owner.subject)


@pytest.mark.parametrize(
    ("limit", "code"),
    [
        ({"lookups_per_hour": 1}, "too_many_lookups"),
        ({"bounds": Bounds(lookups_per_hour_network=1)}, "too_many_lookups"),
        ({"cases_per_day": 1}, "too_many_cases"),
        ({"bounds": Bounds(cases_per_day_agent=1)}, "too_many_cases"),
        ({"bounds": Bounds(cases_per_day_network=1)}, "too_many_cases"),
    ],
)
def test_flooding_the_helpdesk_keeps_nobody_from_suspending_at_once(office, world, limit, code):
    """A thief who calls until the limits are reached, so that no case about his victim can be opened."""
    office.allows(**limit)
    office.opens()
    with pytest.raises(ServiceError, match=code):
        office.opens()
    assert suspends(office).state is CaseState.DONE
    assert is_out(office, world)
    assert office.letters.to("alice@home.example")


def test_suspending_is_no_way_to_browse(office, monkeypatch):
    """Misses count like hits, and beyond the limit nobody is looked for, so there is nothing to measure."""
    office.allows(lookups_per_hour=1, bounds=Bounds(suspensions_per_day_agent=2))
    for name in ("nobody", "noone"):
        with pytest.raises(ServiceError, match="person_unknown"):
            suspends(office, name)
    asked = []
    monkeypatch.setattr(office.people, "find", asked.append)
    told = set()
    for name in ("alice", "nobody", "ada"):
        with pytest.raises(ServiceError) as refused:
            suspends(office, name)
        told.add((refused.value.code, refused.value.detail))
    assert (told, asked) == ({("too_many_suspensions", "")}, [])
    assert "many_suspensions" in office.alarms()


@pytest.mark.parametrize("bounds", [Bounds(suspensions_per_day_agent=2), Bounds(suspensions_per_day_network=2)])
def test_nobody_locks_everybody_out(office, world, bounds):
    office.allows(bounds=bounds)
    for number in range(3):
        office.people.add(f"person-{number}")
    for number in range(2):
        suspends(office, f"person-{number}")
    with pytest.raises(ServiceError, match="too_many_suspensions"):
        suspends(office, "person-2")
    assert not is_out(office, world, "person-2")
    assert office.alarms() == ["many_suspensions"]


def test_staff_are_not_suspended_by_one_agent_alone(office, world):
    assert suspends(office, "bob").state is CaseState.WAITING
    assert not is_out(office, world, "bob")


def test_a_case_to_suspend_is_for_nothing_else(office, world):
    """Else it would be the way around the limits on cases."""
    world.person().has_face()
    office.allows(lookups_per_hour=1, actions={Action.SUSPEND: Rule(frozenset({"in_person"}), four_eyes=False)})
    office.opens()
    with pytest.raises(ServiceError, match="proofs_missing"):
        suspends(office)
    case = next(one for one in office.desk.mine(office.agent(), now=world.now) if one.action)
    assert {offer.action for offer in office.desk.offers(case, now=world.now)} == {Action.SUSPEND}
    office.proves(case)
    office.prove(case, "in_person")
    with pytest.raises(ServiceError, match="case_moved"):
        office.desk.ask(office.agent(), case.id, action=Action.PASS, now=world.now)
    asked = office.desk.ask(office.agent(), case.id, action=Action.SUSPEND, now=world.now)
    assert asked.state is CaseState.DONE


def test_a_program_suspends_nobody_at_once(office, world):
    tickets = Agent(office.people.add("service-account-tickets", roles=[API_ROLE]), "192.0.2.9", program=True)
    with pytest.raises(ServiceError, match="not_for_programs"):
        office.desk.suspend(tickets, "alice", ticket="T-1", reason="stolen", now=world.now)
    assert not is_out(office, world)


def test_the_form_suspends_from_our_own_page_alone(office, world):
    ada = open_console(office)
    ada.signs_in("ada")
    said = {"name": "alice", "ticket": "T-1", "reason": "phone stolen"}
    assert 'formaction="/helpdesk/suspend"' in ada.get().text
    assert ada.post("/suspend", **said, origin="https://evil.example").status_code == 400
    assert not is_out(office, world)
    assert ada.post("/suspend", **said).status_code == 303
    assert is_out(office, world)
