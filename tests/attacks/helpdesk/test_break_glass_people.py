"""Break glass: one person in two roles, people without the role, and people for themselves."""

from __future__ import annotations

import pytest

from plugin.errors import ServiceError
from plugin.helpdesk.types import AGENT_ROLE, APPROVER_ROLE, BREAK_GLASS_ROLE, Action, CaseState
from tests.plugin.helpdesk.breaking import asked, nothing_was_shown, ready, shows, staffed


@pytest.fixture
def alice(office, world):
    """The person to be let in, and Grace and Heidi, who may break glass."""
    staffed(office)
    return world.person().has_face()


def test_one_account_does_not_do_both(office, alice, world):
    case = asked(office)
    with pytest.raises(ServiceError, match="same_person"):
        office.agrees(case, by="grace")
    assert nothing_was_shown(office)


def test_two_accounts_of_one_person_do_not_make_four_eyes(office, alice, world):
    office.people.add("grace-admin", roles=[BREAK_GLASS_ROLE], addresses=["other@example.org", "GRACE@example.org"])
    case = asked(office)
    with pytest.raises(ServiceError, match="same_person"):
        office.agrees(case, by="grace-admin")


def test_accounts_that_become_one_person_s_meanwhile_are_shown_nothing(office, alice, world):
    case = ready(office)
    office.people.change("heidi", addresses=("heidi@example.org", "grace@example.org"))
    with pytest.raises(ServiceError, match="same_person"):
        shows(office, case)
    assert nothing_was_shown(office)


def test_an_account_that_cannot_be_compared_breaks_no_glass(office, alice, world):
    """Two accounts without an address on record could be one person's."""
    for name in ("ivan", "judy"):
        office.people.add(name, roles=[BREAK_GLASS_ROLE], addresses=[])
    with pytest.raises(ServiceError, match="holder_without_address"):
        asked(office, by="ivan")
    with pytest.raises(ServiceError, match="holder_without_address"):
        office.agrees(asked(office), by="judy")
    assert nothing_was_shown(office)


def test_the_same_place_does_not_agree_where_policy_says_so(office, alice):
    office.allows(apart="address")
    case = asked(office)
    with pytest.raises(ServiceError, match="same_place"):
        office.agrees(case, by="heidi")


@pytest.mark.parametrize("roles", [[AGENT_ROLE], [APPROVER_ROLE], [AGENT_ROLE, APPROVER_ROLE]])
def test_no_other_role_asks_or_decides(office, alice, world, roles):
    office.people.add("eve", roles=roles)
    case = office.opens()
    with pytest.raises(ServiceError, match="helpdesk_role"):
        office.desk.ask(office.agent("eve"), case.id, action=Action.BREAK_GLASS, now=world.now)
    with pytest.raises(ServiceError, match="helpdesk_role"):
        asked(office, by="eve")
    waiting = asked(office)
    with pytest.raises(ServiceError, match="helpdesk_role"):
        office.agrees(waiting, by="eve")
    assert waiting.id not in {one.id for one in office.desk.queue(office.agent("eve"), now=world.now)}
    assert office.refusals() == ["helpdesk_role"] * 3
    assert nothing_was_shown(office)


def test_the_role_gives_nothing_else(office, alice, world):
    """Whoever may break glass neither opens cases as usual, nor proves, asks or approves."""
    case, waiting = office.opens(), office.asked()
    grace, now = office.agent("grace"), world.now
    for act in (
        lambda: office.opens("mia", by="grace"),
        lambda: office.desk.note(grace, case.id, "call_back", now=now),
        lambda: office.parts.face_checks.ask(grace, case.id, now=now),
        lambda: office.parts.managers.ask(grace, case.id, now=now),
        lambda: office.desk.ask(grace, case.id, now=now),
        lambda: office.desk.ask(grace, case.id, action=Action.SUSPEND, now=now),
        lambda: office.desk.decide(grace, waiting.id, agree=True, now=now),
        lambda: office.desk.close(grace, case.id, now=now),
    ):
        with pytest.raises(ServiceError, match="helpdesk_role"):
            act()
    with pytest.raises(ServiceError, match="case_moved"):
        office.desk.stop(grace, waiting.id, now=now)
    assert office.agrees(waiting).state is CaseState.ISSUED


@pytest.mark.parametrize("change", [{"roles": frozenset({AGENT_ROLE})}, {"enabled": False}, {"roles": frozenset()}])
def test_the_role_lost_between_asking_and_agreeing(office, alice, world, change):
    case = asked(office)
    office.people.change("grace", **change)
    with pytest.raises(ServiceError, match="asker_gone"):
        office.agrees(case, by="heidi")
    assert nothing_was_shown(office)


@pytest.mark.parametrize(("who", "refusal"), [("grace", "helpdesk_role"), ("heidi", "holder_gone")])
def test_the_role_lost_before_the_pass_is_shown(office, alice, world, who, refusal):
    """Of either of the two: what is known of them by now counts."""
    case = ready(office)
    office.people.change(who, roles=frozenset({AGENT_ROLE, APPROVER_ROLE}))
    with pytest.raises(ServiceError, match=refusal):
        shows(office, case)
    assert nothing_was_shown(office)


def test_nobody_breaks_glass_for_themselves(office, alice, world):
    world.person("grace-id").has_face("grace")
    with pytest.raises(ServiceError, match="own_case"):
        asked(office, about="grace")
    case = office.opens("grace")
    with pytest.raises(ServiceError, match="own_case"):
        office.desk.ask(office.agent("grace"), case.id, action=Action.BREAK_GLASS, now=world.now)
    world.person("heidi-id").has_face("heidi")
    for_heidi = asked(office, about="heidi")
    with pytest.raises(ServiceError, match="own_case"):
        office.agrees(for_heidi, by="heidi")
    assert nothing_was_shown(office)


@pytest.mark.parametrize("whose", ["grace", "heidi"])
def test_nobody_breaks_glass_for_another_account_of_theirs(office, alice, world, whose):
    office.people.change("alice", addresses=("alice@example.org", f"{whose}@example.org"))
    with pytest.raises(ServiceError, match="own_case"):
        office.agrees(asked(office), by="heidi")
    assert nothing_was_shown(office)
