"""The link in the letter stops a recovery, and only the right link does."""

from __future__ import annotations

import pytest

from plugin.ceremonies.types import Purpose, Stage
from plugin.errors import CeremonyRefused, FactorRejected, ServiceError
from plugin.helpdesk.types import CaseState


@pytest.fixture
def alice(world):
    return world.person().has_face()


def stops(office, token):
    office.parts.aftermath.freeze(token, now=office.world.now)


def redeems(office, person, code):
    return office.parts.passes.redeem(person.comes_to(Purpose.LOGIN), code, now=office.world.now)[0]


def test_a_stopped_pass_opens_nothing_and_it_is_loud(office, world, alice):
    code = office.issued()
    stops(office, office.letters.link())
    with pytest.raises(FactorRejected):
        redeems(office, alice, code)
    assert office.alarms() == ["frozen_by_owner"]
    assert office.people.ended == ["alice-id"]


def test_a_forged_link_stops_nothing(office, world, alice):
    office.issued()
    for forged in ("", "A" * 43, office.letters.link()[:-1]):
        with pytest.raises(ServiceError, match="case_unknown"):
            stops(office, forged)
    assert world.audited("recovery_frozen") == []


def test_a_link_works_once_and_not_for_ever(office, world, alice):
    office.issued()
    link = office.letters.link()
    stops(office, link)
    with pytest.raises(ServiceError):
        stops(office, link)


def test_an_old_link_stops_nothing(office, world, alice):
    office.issued()
    world.passes(seconds=8 * 86400)
    with pytest.raises(ServiceError, match="case_unknown"):
        stops(office, office.letters.link())


def test_a_recovery_under_way_ends_when_the_owner_stops_it(office, world, alice):
    view = redeems(office, alice, office.issued())
    stops(office, office.letters.link())
    with pytest.raises(CeremonyRefused):
        alice.view()
    with pytest.raises(CeremonyRefused):
        world.ceremonies.end(view, now=world.now)


def test_a_factor_that_an_impostor_bound_is_gone(office, world, alice):
    view = redeems(office, alice, office.issued())
    alice.sets_up_totp(alice.shows("alice", view))
    stops(office, office.letters.link())
    with pytest.raises(FactorRejected):
        alice.proves_totp()


def test_a_case_that_was_stopped_meanwhile_is_not_approved(office, world, alice):
    stale = office.asked()
    office.issued()
    stops(office, office.letters.link())
    with pytest.raises(ServiceError, match="case_moved"):
        office.desk.decide(office.agent("bob"), stale.id, agree=True, now=world.now)
    assert office.desk.case(office.agent(), stale.id, now=world.now).state is CaseState.FROZEN


def test_after_a_stop_the_next_case_is_delicate(office, world, alice):
    office.issued()
    stops(office, office.letters.link())
    assert "frozen_lately" in office.opens().risks


def test_the_pass_of_a_stopped_case_does_not_come_back_with_the_ceremony(office, world, alice):
    code = office.issued()
    view = alice.comes_to(Purpose.LOGIN)
    stops(office, office.letters.link())
    with pytest.raises(FactorRejected):
        office.parts.passes.redeem(view, code, now=world.now)
    assert alice.view().stage is Stage.POSSESSION
