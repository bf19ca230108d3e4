"""A case that was opened in quiet times and used in others: the risks are those of now, and only add."""

from __future__ import annotations

import pytest

from plugin.ceremonies.types import Purpose
from plugin.errors import ServiceError
from plugin.helpdesk.policy import Rule
from plugin.helpdesk.types import AGENT_ROLE, Action, CaseState
from tests.plugin.api.web import make_app
from tests.plugin.helpdesk.console import open_console


@pytest.fixture
def alice(office, world):
    """Alice, whose factors are old news, under a policy that trusts one agent's call back."""
    person = world.person().has_face()
    world.passes(seconds=8 * 86400)
    office.allows(
        default=Rule(frozenset({"call_back"}), four_eyes=False),
        groups=(("/administrators", Rule(frozenset({"document"}), four_eyes=True)),),
    )
    return person


def recovers(office, world, alice):
    """Get back in by a pass of another case, with a phone that somebody else may hold."""
    case = office.asked()
    assert case.state is CaseState.ISSUED
    view = office.parts.passes.redeem(alice.comes_to(Purpose.LOGIN), office.letters.the_pass(), now=world.now)[0]
    alice.sets_up_totp(alice.shows("alice", view))


def reset(office, case):
    return office.desk.ask(office.agent(), case.id, action=Action.RESET_FACTOR, target="app", now=office.world.now)


def of_now(office, case, *, by="ada"):
    return office.desk.case(office.agent(by), case.id, now=office.world.now)


def test_a_case_kept_open_over_a_recovery_needs_what_a_new_one_would(office, world, alice):
    kept = office.proves(office.opens())
    assert (kept.demanded, kept.four_eyes) == (("call_back",), False)
    recovers(office, world, alice)
    with pytest.raises(ServiceError, match="proofs_missing"):
        reset(office, kept)
    fresh, kept = office.opens(), of_now(office, kept)
    assert (kept.risks, kept.demanded, kept.four_eyes) == (fresh.risks, fresh.demanded, True)
    assert "document" in kept.missing


def test_with_these_proofs_it_waits_for_a_second_person_who_sees_why(office, world, alice):
    kept = office.proves(office.opens())
    recovers(office, world, alice)
    waits = reset(office, office.proves(of_now(office, kept)))
    assert waits.state is CaseState.WAITING
    assert "recovered_lately" in of_now(office, waits, by="bob").risks
    assert "recovered_lately" in world.audited("helpdesk_approval_asked")[-1]["risk"]
    assert office.agrees(waits).state is CaseState.DONE


def test_what_happens_while_it_waits_is_seen_and_counts(office, world, alice):
    office.allows(default=Rule(frozenset({"call_back"}), four_eyes=True))
    waits = reset(office, office.proves(office.opens()))
    office.allows(default=Rule(frozenset({"call_back"}), four_eyes=False))
    recovers(office, world, alice)
    bob = open_console(office, app=make_app(world))
    bob.signs_in("bob")
    page = bob.get(f"/cases/{waits.id}").text
    assert "Got back in by a pass within the last week" in page
    with pytest.raises(ServiceError, match="proofs_missing"):
        office.agrees(waits)
    assert world.audited("helpdesk_action_done") == []


def test_who_became_staff_meanwhile_is_nobody_s_alone(office, world, alice):
    """Also for what must be quick."""
    kept = office.opens()
    office.people.change("alice", roles=frozenset({AGENT_ROLE}))
    waits = office.desk.ask(office.agent(), kept.id, action=Action.SUSPEND, now=world.now)
    assert (waits.state, waits.demanded, waits.missing) == (CaseState.WAITING, (), ())
    assert office.agrees(waits).state is CaseState.DONE


def test_what_was_demanded_at_the_opening_stands_though_the_risk_is_over(office, world, alice):
    recovers(office, world, alice)
    world.passes(seconds=7 * 86400 - 3600)
    case = office.opens()
    assert case.four_eyes
    assert "document" in case.demanded
    world.passes(seconds=2 * 3600)
    later = of_now(office, case)
    assert (later.risks, later.demanded, later.four_eyes) == (case.risks, case.demanded, True)
    assert not office.opens().four_eyes
