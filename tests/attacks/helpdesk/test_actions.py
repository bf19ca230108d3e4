"""Agents and callers who want an action to do more than two people have agreed to."""

from __future__ import annotations

import pytest
from sqlalchemy import delete, update

from plugin.ceremonies.attempts import Counted
from plugin.ceremonies.types import Purpose
from plugin.errors import CeremonyRefused, ServiceError
from plugin.factors.policy import available
from plugin.helpdesk.policy import parse
from plugin.helpdesk.targets import targets_of
from plugin.helpdesk.types import Action, CaseState
from plugin.store.helpdesk_tables import HelpdeskCase
from plugin.store.tables import AuditEntry
from vault.interface import WrongMac

_ALONE = {"proofs": ["call_back"], "four_eyes": False}
LAX = parse({"default": _ALONE, "action": {action.value: _ALONE for action in Action}})


@pytest.fixture
def alice(world):
    return world.person().has_face()


def test_what_was_asked_for_is_what_is_done_whatever_the_database_says(office, world, alice):
    case = office.asks(Action.RESET_FACTOR, "codes")
    for edit in ({"target": "app"}, {"action": "erase"}, {"action": "pass", "target": ""}, {"subject": "bob-id"}):
        before = {name: getattr(case, name) for name in ("action", "target")} | {"subject": "alice-id"}
        world.run(update(HelpdeskCase).values(**edit))
        with pytest.raises((WrongMac, ServiceError)):
            office.agrees(case)
        world.run(update(HelpdeskCase).values(**before))
    assert world.audited("helpdesk_action_done") == []
    alice.proves_totp()


def test_a_case_that_waits_cannot_be_asked_for_something_else(office, world, alice):
    """The second agent agrees to what they saw: another action is another case."""
    case = office.asks(Action.RESET_FACTOR, "codes")
    for action, target in ((Action.RESET_FACTOR, "app"), (Action.PASS, ""), (Action.SUSPEND, "")):
        with pytest.raises(ServiceError, match="case_moved"):
            office.desk.ask(office.agent(), case.id, action=action, target=target, now=world.now)
    assert office.agrees(case).target == "codes"


def test_the_passkey_of_somebody_else_is_no_target(office, world, alice):
    carol = world.person("carol-id").has_key()
    (key,) = targets_of(carol.owner, database=world.database)
    with pytest.raises(ServiceError, match="nothing_to_do"):
        office.asks(Action.RESET_FACTOR, key.id)
    assert available(carol.owner, database=world.database).webauthn


def test_an_approval_of_what_is_gone_meanwhile_does_nothing(office, world, alice):
    case = office.asks(Action.RESET_FACTOR, "codes")
    office.does(Action.RESET_FACTOR, "codes")
    with pytest.raises(ServiceError, match="nothing_to_do"):
        office.agrees(case)
    assert len(world.audited("factor_removed")) == 1


def test_a_stale_approval_does_nothing(office, world, alice):
    case = office.asks(Action.ERASE)
    world.passes(seconds=8 * 3600)
    with pytest.raises(ServiceError, match="case_moved"):
        office.agrees(case)
    assert world.audited("helpdesk_action_done") == []


def test_an_approval_works_once(office, world, alice):
    case = office.asks(Action.UNLOCK)
    office.agrees(case)
    with pytest.raises(ServiceError, match="case_moved"):
        office.agrees(case)
    assert len(world.audited("attempts_reset")) == 1


def test_nobody_unlocks_an_account_that_its_owner_has_stopped(office, world, alice):
    """The stop came from the person; the next caller may be who they stopped."""
    office.issued()
    office.parts.aftermath.freeze(office.letters.link(), now=world.now)
    with pytest.raises(ServiceError, match="account_stopped"):
        office.asks(Action.UNLOCK)


def test_what_waited_when_the_owner_stopped_it_is_not_unlocked(office, world, alice):
    waiting = office.asks(Action.UNLOCK)
    office.issued()
    office.parts.aftermath.freeze(office.letters.link(), now=world.now)
    with pytest.raises(ServiceError, match=r"case_moved|account_stopped"):
        office.agrees(waiting)
    assert world.audited("attempts_reset") == []


def test_nobody_unlocks_a_suspended_account(office, alice):
    office.does(Action.SUSPEND)
    with pytest.raises(ServiceError, match="account_stopped"):
        office.asks(Action.UNLOCK)


def test_the_link_of_any_such_letter_locks_the_account(office, world, alice):
    """Who works on an account in its owner's name is stopped, until two people have lifted that."""
    office.does(Action.UNLOCK)
    office.parts.aftermath.freeze(office.letters.link(), now=world.now)
    with pytest.raises(CeremonyRefused, match="suspended"):
        alice.comes_to(Purpose.LOGIN)
    assert office.alarms() == ["frozen_by_owner"]
    assert "frozen_lately" in office.opens().risks


def test_a_stop_that_is_faster_than_the_deed_wins(office, world, alice):
    """The person reads the letter and presses the link while the service still works."""
    office.does(Action.SUSPEND)
    case = office.asks(Action.LIFT)
    send = office.letters.send

    def stops_at_once(addresses, *, subject, text):
        send(addresses, subject=subject, text=text)
        office.parts.aftermath.freeze(office.letters.link(), now=world.now)

    office.letters.send = stops_at_once
    with pytest.raises(ServiceError, match="case_moved"):
        office.agrees(case)
    assert world.audited("suspension_lifted") == []


def test_a_stop_by_another_link_that_is_faster_wins_too(office, world, alice):
    """It does not freeze what counts as done already; nothing is given all the same."""
    other = office.parts.aftermath.stopping.new_link(alice.owner, now=world.now)
    case = office.asks(Action.UNLOCK)
    send = office.letters.send

    def stops_at_once(addresses, *, subject, text):
        send(addresses, subject=subject, text=text)
        office.parts.aftermath.freeze(other, now=world.now)

    office.letters.send = stops_at_once
    with pytest.raises(ServiceError, match="account_stopped"):
        office.agrees(case)
    assert world.audited("attempts_reset") == []
    assert office.desk.case(office.agent(), case.id, now=world.now).state is CaseState.FROZEN


def test_an_agent_does_nothing_to_himself(office):
    for action in (Action.ERASE, Action.UNLOCK, Action.SUSPEND):
        with pytest.raises(ServiceError, match="own_case"):
            office.asks(action, about="ada")


def test_one_agent_does_nothing_alone_to_staff(office):
    """Not even suspend: a rogue agent could lock every approver out."""
    case = office.opens("bob")
    office.uses(LAX)
    assert {action for action in Action if not LAX.for_action(action, case).four_eyes} == set()
    assert office.asks(Action.SUSPEND, about="bob").state is CaseState.WAITING


def test_no_policy_lets_one_agent_do_the_gravest_alone(office):
    office.uses(LAX)
    case = office.opens()
    assert {action for action in Action if LAX.for_action(action, case).four_eyes} == {
        Action.REENROL_FACE,
        Action.LIFT,
        Action.ERASE,
        Action.BREAK_GLASS,
    }


def test_an_agent_demoted_midway_gets_nothing_done(office, world, alice):
    case = office.asks(Action.ERASE)
    office.people.change("ada", roles=frozenset())
    with pytest.raises(ServiceError, match="asker_gone"):
        office.agrees(case)
    assert world.audited("erased") == []


def test_a_suspension_that_is_cut_out_of_the_log_is_noticed(office, world, alice):
    office.does(Action.SUSPEND)
    world.run(delete(AuditEntry).where(AuditEntry.event == "account_suspended"))
    alice.comes_to(Purpose.LOGIN)
    with pytest.raises(Exception, match="audit_chain_broken"):
        world.audit.verify()


def test_erasing_does_not_end_a_suspension(office, alice):
    office.does(Action.SUSPEND)
    office.does(Action.ERASE)
    with pytest.raises(CeremonyRefused, match="suspended"):
        alice.comes_to(Purpose.ENROL)


def test_unlocking_does_not_give_a_guesser_more_tries_unseen(office, world, alice):
    """Every address hears of it, and the counters start at zero once, not for ever."""
    world.attempts.take(alice.owner, Counted.TOTP, now=world.now)
    office.does(Action.UNLOCK)
    assert len(office.letters.to("alice@home.example")) == 1


def test_a_pass_is_shown_to_nobody_unless_policy_allows_it(office):
    with pytest.raises(ServiceError, match="bad_request"):
        office.asks(Action.PASS, "shown")


def test_only_who_asked_is_shown_the_pass_and_only_while_it_is_allowed(office, world, alice):
    office.people.add("carol", roles=office.people.person("ada-id").roles)
    policy = office.allows(show_pass_once=True)
    case = office.agrees(office.asks(Action.PASS, "shown"))
    assert case.state is CaseState.READY
    for name, refusal in (("carol", "not_asked_by_you"), ("bob", "helpdesk_role")):
        with pytest.raises(ServiceError, match=refusal):
            office.desk.show(office.agent(name), case.id, now=world.now)
    office.allows(show_pass_once=False)
    with pytest.raises(ServiceError, match="bad_request"):
        office.desk.show(office.agent(), case.id, now=world.now)
    office.uses(policy)
    world.passes(seconds=8 * 3600)
    with pytest.raises(ServiceError, match="case_moved"):
        office.desk.show(office.agent(), case.id, now=world.now)
    assert world.audited("pass_issued") == []


def test_a_pass_that_waits_to_be_shown_is_stopped_with_the_rest(office, world, alice):
    office.allows(show_pass_once=True)
    case = office.agrees(office.asks(Action.PASS, "shown"))
    office.issued()
    office.parts.aftermath.freeze(office.letters.link(), now=world.now)
    with pytest.raises(ServiceError, match="case_moved"):
        office.desk.show(office.agent(), case.id, now=world.now)


def test_a_pass_that_nobody_can_be_told_of_is_not_shown(office, world, alice):
    office.allows(show_pass_once=True)
    case = office.agrees(office.asks(Action.PASS, "shown"))
    office.letters.broken = True
    with pytest.raises(ServiceError, match="mail_failed"):
        office.desk.show(office.agent(), case.id, now=world.now)
    assert len(world.audited("pass_withdrawn")) == 1
