"""The link in the letter stops a recovery, and only the right link does."""

from __future__ import annotations

import re
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import update

from plugin.ceremonies.types import Purpose, Stage
from plugin.errors import CeremonyRefused, FactorRejected, ServiceError
from plugin.helpdesk.types import CaseState
from plugin.store.helpdesk_tables import HelpdeskCase
from tests.plugin.helpdesk.own_way import OwnWay
from tests.plugin.pages.own_page import browser_at


@pytest.fixture
def alice(world):
    return world.person().has_face()


def stops(office, token):
    office.parts.aftermath.freeze(token, now=office.world.now)


def redeems(office, person, code):
    return office.parts.passes.redeem(person.comes_to(Purpose.LOGIN), code, now=office.world.now)[0]


def state_of(office, case):
    return office.desk.case(office.agent(), case.id, now=office.world.now).state


def test_a_stopped_pass_opens_nothing_and_it_is_loud(office, world, alice):
    code = office.issued()
    stops(office, office.letters.link())
    with pytest.raises(FactorRejected):
        redeems(office, alice, code)
    (case,) = office.desk.mine(office.agent(), now=world.now)
    assert world.audited("helpdesk_alarm") == [{"reason": "frozen_by_owner", "case": case.id}]
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
    with pytest.raises(CeremonyRefused):
        alice.view()


def links(office):
    return re.findall(r"/helpdesk/stop/(\S+)", "\n".join(text for *_, text in office.letters.sent))


def assert_face_of_mallory_is_gone(office, world, alice, link):
    """The owner, back from a journey, presses the link of the first letter."""
    stops(office, link)
    assert [one["references"] for one in world.audited("erased")] == [1]
    world.passes(seconds=60)
    assert alice.comes_to(Purpose.ENROL).stage is Stage.INVITATION  # no phone is left either


@pytest.fixture
def intruder(office, world, alice):
    """Somebody with phone and mailbox has replaced the face, and waits until the cool-down is over."""
    world.passes(seconds=3600)
    way = OwnWay(office, alice)
    way.replaces_face("mallory")
    world.passes(seconds=25 * 3600)
    here = browser_at(world)
    here.signs_in()
    return here


def test_who_got_in_does_not_switch_the_owners_links_off_by_not_me(office, world, alice, intruder):
    before = links(office)
    assert intruder.post("/not-me").status_code == 200
    assert all(office.parts.aftermath.can_freeze(link, now=world.now) for link in before)
    assert_face_of_mallory_is_gone(office, world, alice, before[-1])


def test_who_got_in_does_not_switch_the_owners_links_off_by_a_newer_one(office, world, alice, intruder):
    before = links(office)
    assert intruder.post("/codes").status_code == 200
    newer = links(office)[-1]
    assert newer not in before
    stops(office, newer)
    assert not office.parts.aftermath.can_freeze(newer, now=world.now)
    assert_face_of_mallory_is_gone(office, world, alice, before[-1])


def test_a_stop_that_uses_up_a_cases_link_reaches_back_as_far(office, world, alice):
    """An impostor bound a phone by a pass and then presses a newer link: the pass's letter has lost nothing by it."""
    code, letter = office.issued(), office.letters.link()
    world.passes(seconds=600)
    alice.sets_up_totp(alice.shows("alice", redeems(office, alice, code)))
    world.passes(seconds=600)
    stops(office, office.parts.aftermath.stopping.new_link(alice.owner, now=world.now))
    assert not office.parts.aftermath.can_freeze(letter, now=world.now)
    with pytest.raises(FactorRejected):
        alice.proves_totp()


def test_an_approval_just_before_a_stop_leaves_no_pass(office, world, alice, monkeypatch):
    """The stop has begun when the second person agrees: what it gave is taken back."""
    token = office.parts.aftermath.stopping.new_link(alice.owner, now=world.now)
    waiting = office.asked()
    found = office.parts.aftermath.stopping.find

    def slow(*given, **named):
        link = found(*given, **named)
        office.agrees(waiting)
        return link

    monkeypatch.setattr(type(office.parts.aftermath.stopping), "find", lambda _self, *a, **k: slow(*a, **k))
    stops(office, token)
    assert state_of(office, waiting) is CaseState.FROZEN
    with pytest.raises(FactorRejected):
        redeems(office, alice, office.letters.the_pass())


def test_another_case_that_moves_beside_a_stop_is_stopped_and_sessions_end(office, world, alice, monkeypatch):
    office.issued()
    link = office.letters.link()
    waiting = office.asked()
    cases = type(office.parts.aftermath._cases)
    found = cases.by_freeze_token

    def slow(self, token_hash):
        case = found(self, token_hash)
        office.agrees(waiting)
        return case

    monkeypatch.setattr(cases, "by_freeze_token", slow)
    stops(office, link)
    assert state_of(office, waiting) is CaseState.FROZEN
    assert office.people.ended == ["alice-id"]
    office.letters.sent.reverse()
    with pytest.raises(FactorRejected):
        redeems(office, alice, office.letters.the_pass())


def test_a_case_that_somebody_edited_keeps_nothing_else_from_being_stopped(office, world, alice):
    edited, waiting = office.asked(), office.asked()
    world.run(update(HelpdeskCase).where(HelpdeskCase.id == edited.id).values(ticket="T-2"))
    stops(office, office.parts.aftermath.stopping.new_link(alice.owner, now=world.now))
    assert state_of(office, waiting) is CaseState.FROZEN
    assert office.alarms() == ["case_not_stopped", "frozen_by_owner"]
    assert office.people.ended == ["alice-id"]


@pytest.mark.parametrize("by", ["letter", "case"])
def test_of_a_stop_and_an_approval_at_once_no_pass_is_left(office, world, alice, by):
    """In threads: whoever is first, nothing opens afterwards, and the stop never fails."""
    for _ in range(3):
        office.letters.sent.clear()
        if by == "case":
            office.issued()
        token = (
            links(office)[0] if by == "case" else office.parts.aftermath.stopping.new_link(alice.owner, now=world.now)
        )
        waiting = office.asked()
        together = threading.Barrier(2)
        with ThreadPoolExecutor(2) as workers:
            stop = workers.submit(lambda: (together.wait(), stops(office, token)))  # noqa: B023  (over in this round)
            agree = workers.submit(lambda: (together.wait(), office.agrees(waiting)))  # noqa: B023
        assert stop.exception() is None
        assert agree.exception() is None or agree.exception().code == "case_moved"
        assert state_of(office, waiting) is CaseState.FROZEN
        assert office.people.ended.pop() == "alice-id"
        sent = "\n".join(text for *_, text in office.letters.sent)
        for code in set(re.findall(r"[0-9A-Z]{4}(?:-[0-9A-Z]{4}){3}", sent)):
            with pytest.raises(FactorRejected):
                redeems(office, alice, code)
        world.passes(seconds=25 * 3600)
