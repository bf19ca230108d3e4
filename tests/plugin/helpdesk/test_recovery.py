"""From the call to the new phone, over the real parts."""

from dataclasses import replace

import pytest

from plugin.ceremonies.types import Purpose, Stage
from plugin.errors import CeremonyRefused, FactorRejected
from plugin.factors.policy import available
from plugin.helpdesk.policy import Policy, Rule
from plugin.helpdesk.types import CaseState


def redeems(office, person, code):
    view, case_id = office.parts.passes.redeem(person.comes_to(Purpose.LOGIN), code, now=office.world.now)
    return view, case_id


def test_who_lost_the_phone_gets_back_in_with_a_new_one(office, world):
    alice = world.person().has_face()
    old_phone, old_codes = alice.totp_secret, alice.codes
    world.passes(seconds=3600)
    view, _ = redeems(office, alice, office.issued())
    assert (view.purpose, view.stage, view.amr) == (Purpose.RECOVER, Stage.FACE, ())
    view = alice.shows("alice", view)
    assert view.stage is Stage.POSSESSION_SETUP
    view = alice.sets_up_totp(view)
    shown = world.recovery_codes.show(view, now=world.now)
    view = world.recovery_codes.acknowledge(shown.view, now=world.now)
    assert (view.stage, view.amr) == (Stage.DONE, ("face", "otp"))
    result = world.redeem(world.ceremonies.issue_code(view, now=world.now))
    assert (result.purpose, result.acr, result.amr) == (Purpose.LOGIN, "facestep", ("face", "otp"))
    assert alice.totp_secret != old_phone
    assert set(shown.codes).isdisjoint(old_codes)
    alice.proves_totp()
    lost = world.person()
    lost.totp_secret = old_phone
    with pytest.raises(FactorRejected):
        lost.proves_totp()


def test_old_factors_work_until_the_new_one_is_bound(office, world):
    alice = world.person().has_face()
    world.passes(seconds=3600)
    redeems(office, alice, office.issued())
    alice.proves_totp()


def test_a_lost_passkey_and_lost_codes_are_forgotten_when_a_phone_is_bound(office, world):
    alice = world.person().has_key()
    world.ceremonies.issue_code(alice.shows("alice", after_setup(world, alice)), now=world.now)
    view, _ = redeems(office, alice, office.issued())
    alice.sets_up_totp(alice.shows("alice", view))
    options = available(alice.owner, database=world.database)
    assert (options.totp, options.webauthn, options.recovery) == (True, False, False)


def after_setup(world, person):
    shown = world.recovery_codes.show(person.view(), now=world.now)
    return world.recovery_codes.acknowledge(shown.view, now=world.now)


def test_all_addresses_hear_of_the_pass_and_one_gets_it(office, world):
    world.person().has_face()
    code = office.issued()
    assert [code in text for text in office.letters.to("alice@example.org")] == [False, False, True]
    assert [code in text for text in office.letters.to("alice@home.example")] == [False]
    assert all("/helpdesk/stop/" in text for text in office.letters.to("alice@home.example"))


def test_no_agent_sees_the_pass(office, world):
    world.person().has_face()
    code = office.issued()
    case = office.desk.mine(office.agent(), now=world.now)[0]
    assert case.state is CaseState.ISSUED
    assert code not in repr(case)
    assert code not in str(world.audit.entries(limit=1000))


def test_a_pass_that_cannot_be_sent_is_taken_back(office, world):
    world.person().has_face()
    case = office.asked()
    office.letters.broken = True
    with pytest.raises(Exception, match="mail_failed"):
        office.desk.decide(office.agent("bob"), case.id, agree=True, now=world.now)
    assert world.audited("pass_withdrawn")
    assert office.parts.desk.case(office.agent(), case.id, now=world.now).state is CaseState.FROZEN


def test_nothing_of_a_recovery_may_be_kept(office, world):
    alice = world.person().has_face()
    view, _ = redeems(office, alice, office.issued())
    view = alice.shows("alice", view)
    with pytest.raises(CeremonyRefused, match="possession_first"):
        world.enrolment.keep_possession(view, now=world.now)


def test_policy_without_four_eyes_sends_the_pass_at_once(office, world):
    office.desk._policy = replace(Policy(), default=Rule(frozenset({"call_back"}), four_eyes=False))
    world.person().has_face()
    world.passes(seconds=8 * 86400)
    assert office.asked().state is CaseState.ISSUED


def test_a_case_is_over_after_a_working_day(office, world):
    world.person().has_face()
    case = office.asked()
    world.passes(seconds=8 * 3600)
    with pytest.raises(Exception, match="case_moved"):
        office.desk.decide(office.agent("bob"), case.id, agree=True, now=world.now)
