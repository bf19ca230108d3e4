"""A live face check by link, from the agent's button to the word on the case page."""

from __future__ import annotations

import pytest

from plugin.ceremonies.types import Purpose, Stage
from plugin.errors import CeremonyRefused, ServiceError
from plugin.factors.face_answers import FaceRefused
from plugin.helpdesk.asked_proofs import MOST
from plugin.helpdesk.standing import standing_of


@pytest.fixture
def case(office, world):
    world.person().has_face()
    return office.opens()


def case_now(office, case):
    return office.desk.case(office.agent(), case.id, now=office.world.now)


def stands(office, case) -> str:
    """How the live face stands on the case, as the page says it."""
    shown = {one.proof: one for one in standing_of(case_now(office, case), office.parts, now=office.world.now)}
    return shown["live_face"].state


def test_the_enrolled_face_is_noted_by_the_service(office, world, case):
    assert "live_face" in case.demanded
    office.checks_face(case)
    assert stands(office, case) == "done"
    noted = world.audited("helpdesk_proof_noted")[-1]
    assert (noted["proof"], noted["reason"]) == ("live_face", "matched")
    assert "agent" not in noted
    assert office.desk.case(office.agent(), case.id, now=world.now).noted_by == ()


def test_the_check_is_the_camera_alone_and_over_afterwards(office, world, case):
    person = office.opens_check(case)
    view = person.view()
    assert (view.purpose, view.stage) == (Purpose.CHECK, Stage.FACE)
    done = person.shows("alice", view)
    assert (done.stage, done.amr) == (Stage.DONE, ("face",))
    office.parts.face_checks.matched(done, now=world.now)
    with pytest.raises(CeremonyRefused, match="ceremony_refused"):
        person.view()


def test_the_link_goes_to_the_first_address_alone(office, case):
    office.parts.face_checks.ask(office.agent(), case.id, now=office.world.now)
    assert [address for address, *_ in office.letters.sent] == ["alice@example.org"]
    assert "I did not call" in office.letters.to("alice@example.org")[0]


def test_the_agent_sees_how_far_it_is(office, world, case):
    assert stands(office, case) == "missing"
    office.parts.face_checks.ask(office.agent(), case.id, now=world.now)
    assert stands(office, case) == "sent"
    office.parts.face_checks.begin(office.letters.token("check"), now=world.now)
    assert stands(office, case) == "opened"
    world.passes(seconds=world.settings.ceremony_ttl_s)
    assert stands(office, case) == "unfinished"
    office.parts.face_checks.ask(office.agent(), case.id, now=world.now)
    world.passes(seconds=15 * 60)
    assert stands(office, case) == "expired"


def test_a_link_of_a_case_that_was_stopped_is_not_shown_as_good(office, world, case):
    office.parts.face_checks.ask(office.agent(), case.id, now=world.now)
    office.parts.aftermath.stop(case_now(office, case), now=world.now)
    assert stands(office, case) == "missing"


def test_another_living_face_ends_the_check_at_once_and_is_an_alarm(office, world, case):
    with pytest.raises(FaceRefused) as refused:
        office.checks_face(case, face="mallory")
    assert not refused.value.may_retry
    assert stands(office, case) == "not_matched"
    assert office.alarms() == ["check_not_matched"]


def test_three_tries_without_life_are_not_live_and_an_alarm(office, world, case):
    person = office.opens_check(case)
    view = person.view()
    for attempt in range(3):
        with pytest.raises(FaceRefused) as refused:
            person.shows("alice:planarity/flat", person.view() if attempt < 2 else view)
        view = person.view() if attempt < 2 else view
        assert refused.value.may_retry is (attempt < 2)
    office.parts.face_checks.failed(view, another=refused.value.another, now=world.now)
    assert stands(office, case) == "not_live"
    assert office.alarms() == ["check_not_live"]


def gives_up(office, world, case):
    """One try without life, and the page is closed."""
    person = office.opens_check(case)
    with pytest.raises(FaceRefused) as refused:
        person.shows("alice:planarity/flat", person.view())
    assert refused.value.may_retry
    office.parts.face_checks.tried(person.view())
    return person


def test_who_gives_up_after_a_refused_try_was_not_live(office, world, case):
    gives_up(office, world, case)
    assert stands(office, case) == "opened"
    office.parts.chores.run(now=world.now)
    assert office.alarms() == []
    world.passes(seconds=world.settings.ceremony_ttl_s)
    assert stands(office, case) == "not_live"
    for _ in range(2):
        office.parts.chores.run(now=world.now)
    assert office.alarms() == ["check_not_live"]
    assert world.audited("helpdesk_link_answered")[-1]["reason"] == "not_live"


def test_a_check_that_was_begun_and_never_refused_is_no_alarm(office, world, case):
    office.opens_check(case)
    world.passes(seconds=world.settings.ceremony_ttl_s)
    office.parts.chores.run(now=world.now)
    assert (office.alarms(), stands(office, case)) == ([], "unfinished")


def test_who_matches_after_a_refused_try_is_no_alarm_even_if_the_case_is_closed_by_then(office, world, case):
    person = gives_up(office, world, case)
    office.desk.close(office.agent(), case.id, now=world.now)
    office.parts.face_checks.matched(person.shows("alice", person.view()), now=world.now)
    world.passes(seconds=world.settings.ceremony_ttl_s)
    office.parts.chores.run(now=world.now)
    assert office.alarms() == []
    assert world.audited("helpdesk_proof_noted") == []


def test_of_two_workers_one_raises_the_alarm(office, world, case):
    gives_up(office, world, case)
    world.passes(seconds=world.settings.ceremony_ttl_s)
    checks = office.parts.face_checks
    seen = checks._links.given_up(now=world.now)
    checks.end_given_up(now=world.now)
    checks._links.given_up = lambda **_: seen
    checks.end_given_up(now=world.now)
    assert office.alarms() == ["check_not_live"]


def test_after_a_bad_try_a_good_one_counts(office, world, case):
    person = office.opens_check(case)
    with pytest.raises(FaceRefused):
        person.shows("alice:planarity/flat", person.view())
    office.parts.face_checks.matched(person.shows("alice", person.view()), now=world.now)
    assert stands(office, case) == "done"


def test_three_links_a_case_and_one_at_a_time(office, world, case):
    for _ in range(MOST):
        office.parts.face_checks.ask(office.agent(), case.id, now=world.now)
        with pytest.raises(ServiceError, match="not_askable_now"):
            office.parts.face_checks.ask(office.agent(), case.id, now=world.now)
        world.passes(seconds=15 * 60)
    with pytest.raises(ServiceError, match="not_askable_now"):
        office.parts.face_checks.ask(office.agent(), case.id, now=world.now)


def test_a_letter_that_cannot_be_sent_counts_for_nothing(office, world, case):
    office.letters.broken = True
    for _ in range(MOST + 1):
        with pytest.raises(ServiceError, match="mail_failed"):
            office.parts.face_checks.ask(office.agent(), case.id, now=world.now)
    office.letters.broken = False
    office.checks_face(case)
    assert stands(office, case) == "done"


def test_who_has_no_face_on_record_is_not_offered_a_check(office, world):
    office.people.add("carol")
    case = office.opens("carol")
    assert case.demanded == ("call_back", "in_person")
    assert not office.parts.face_checks.may_ask(case, now=world.now)
    with pytest.raises(ServiceError, match="no_usable_face"):
        office.parts.face_checks.ask(office.agent(), case.id, now=world.now)


def test_what_was_asked_for_must_succeed_even_where_policy_did_not_demand_it(office, world, case):
    office.asks_manager(case)
    asked = office.desk.case(office.agent(), case.id, now=world.now)
    assert asked.demanded == ("call_back", "live_face", "manager")


def test_an_agent_who_notes_something_in_the_same_moment_does_not_lose_the_answer(office, world, case, monkeypatch):
    person = office.opens_check(case)
    done = person.shows("alice", person.view())
    load, meanwhile = office.parts.face_checks._cases.load, iter([True])

    def slow(case_id):
        found = load(case_id)
        if next(meanwhile, False):
            office.desk.note(office.agent(), case_id, "call_back", now=world.now)
        return found

    monkeypatch.setattr(office.parts.face_checks._cases, "load", slow)
    office.parts.face_checks.matched(done, now=world.now)
    proofs = office.desk.case(office.agent(), case.id, now=world.now).proofs
    assert set(proofs) == {"call_back", "live_face"}
