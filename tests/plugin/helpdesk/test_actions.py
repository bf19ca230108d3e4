"""What the helpdesk can do besides the pass, over the real parts."""

from __future__ import annotations

import pytest

from plugin.ceremonies.attempts import LIMITS, Counted
from plugin.ceremonies.types import Purpose, Stage
from plugin.errors import CeremonyRefused, FactorRejected, LockedOut, ServiceError
from plugin.factors.policy import available
from plugin.helpdesk.targets import targets_of
from plugin.helpdesk.types import Action, CaseState


@pytest.fixture
def alice(world):
    return world.person().has_face()


def subjects(office):
    return {subject for _, subject, _ in office.letters.sent}


def test_a_lost_app_is_gone_and_nothing_else(office, world, alice):
    assert office.does(Action.RESET_FACTOR, "app").state is CaseState.DONE
    with pytest.raises(FactorRejected):
        alice.proves_totp()
    options = available(alice.owner, database=world.database)
    assert (options.webauthn, options.recovery) == (False, True)
    assert world.audited("factor_removed")[0]["factor"] == "app"
    assert office.people.ended == ["alice-id"]
    for address in ("alice@example.org", "alice@home.example"):
        assert "authenticator app" in office.letters.to(address)[-1]
        assert "/helpdesk/stop/" in office.letters.to(address)[-1]


def test_one_passkey_of_two_is_reset(office, world):
    """The other one, of another person here, stays: a passkey is named by its row."""
    keys = {}
    for name in ("alice", "carol"):
        person = world.person(f"{name}-id").has_key()
        (keys[name],) = targets_of(person.owner, database=world.database)
    assert keys["alice"].kind == "passkey"
    office.does(Action.RESET_FACTOR, keys["alice"].id)
    left = [targets_of(world.person(f"{name}-id").owner, database=world.database) for name in keys]
    assert left == [(), (keys["carol"],)]


def test_saved_codes_are_reset_all_at_once(office, world, alice):
    office.does(Action.RESET_FACTOR, "codes")
    assert not available(alice.owner, database=world.database).recovery
    alice.proves_totp()


def test_a_removed_face_lets_nobody_in_and_does_not_come_back_with_the_phone_alone(office, world, alice):
    office.does(Action.REENROL_FACE)
    view = alice.proves_totp()
    with pytest.raises(FactorRejected):
        alice.shows("alice", view)
    assert alice.comes_to(Purpose.ENROL).stage is Stage.INVITATION
    assert [one["reference_id"] != "" for one in world.audited("face_removed")] == [True]


def test_unlocking_switches_factors_on_again(office, world, alice):
    for _ in range(LIMITS[Counted.TOTP].total):
        world.attempts.take(alice.owner, Counted.TOTP, now=world.now)
        world.passes(seconds=60)
    with pytest.raises(LockedOut):
        alice.proves_totp()
    office.does(Action.UNLOCK)
    alice.proves_totp()
    assert len(world.audited("attempts_reset")) == 1


def test_suspending_is_quick_and_ends_what_was_under_way(office, world, alice):
    view = alice.proves_totp()
    assert office.asks(Action.SUSPEND).state is CaseState.DONE
    with pytest.raises(CeremonyRefused):
        alice.shows("alice", view)
    for purpose in (Purpose.LOGIN, Purpose.ENROL):
        with pytest.raises(CeremonyRefused, match="suspended"):
            alice.comes_to(purpose)
    assert world.audited("request_refused")[-1]["code"] == "suspended"
    assert len(world.audited("ceremony_begun")) == 2
    assert subjects(office) == {"Your account was suspended"}


def test_two_people_lift_a_suspension(office, alice):
    office.does(Action.SUSPEND)
    case = office.asks(Action.LIFT)
    assert case.state is CaseState.WAITING
    office.agrees(case)
    alice.proves_totp()


def test_a_suspended_person_gets_no_pass(office, alice):
    office.does(Action.SUSPEND)
    with pytest.raises(ServiceError, match="account_stopped"):
        office.asked()


def test_a_suspended_agent_is_out_of_the_helpdesk(office, world):
    token = office.parts.sessions.begin(office.agent("ada").person.owner, name="ada", now=world.now)
    office.people.add("carol", roles=office.people.person("ada-id").roles)
    case = office.asks(Action.SUSPEND, about="ada", by="carol")
    assert case.state is CaseState.WAITING
    office.agrees(case)
    with pytest.raises(ServiceError, match="helpdesk_login"):
        office.parts.agent(token, address="192.0.2.1", now=world.now)


def test_erasing_takes_everything_and_says_so(office, world, alice):
    case = office.does(Action.ERASE)
    assert case.state is CaseState.DONE
    assert alice.comes_to(Purpose.ENROL).stage is Stage.INVITATION
    assert targets_of(alice.owner, database=world.database) == ()
    assert office.people.forgotten == ["alice-id"]
    with pytest.raises(ServiceError, match="case_unknown"):
        office.desk.case(office.agent(), case.id, now=world.now)
    assert len(world.audited("erased")) == 1


def test_what_is_not_there_cannot_be_asked_for(office):
    for action, target in ((Action.RESET_FACTOR, "passkey:none"), (Action.RESET_FACTOR, ""), (Action.LIFT, "")):
        with pytest.raises(ServiceError, match="nothing_to_do"):
            office.asks(action, target)


def test_nothing_is_given_that_nobody_can_be_told_of(office, world):
    case = office.asks(Action.UNLOCK)
    office.letters.broken = True
    with pytest.raises(ServiceError, match="mail_failed"):
        office.agrees(case)
    assert world.audited("attempts_reset") == []
    assert office.desk.case(office.agent(), case.id, now=world.now).state is CaseState.FROZEN


def test_mail_that_is_down_does_not_keep_a_stolen_phone_alive(office, world, alice):
    case = office.asks(Action.RESET_FACTOR, "app")
    office.letters.broken = True
    assert office.agrees(case).state is CaseState.DONE
    assert len(world.audited("helpdesk_mail_failed")) == 1
