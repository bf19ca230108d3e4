"""Break glass: whoever wants it unheard, twice, for later or without end; who wants it: test_break_glass_people.py."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from sqlalchemy import func, select, update

from plugin.ceremonies.types import Purpose
from plugin.errors import FactorRejected, ServiceError
from plugin.factors.policy import available
from plugin.helpdesk.bounds import Bounds
from plugin.helpdesk.types import AGENT_ROLE, BREAK_GLASS_ROLE, Action, CaseState
from plugin.store.helpdesk_tables import HelpdeskCase
from plugin.store.letters import HelpdeskLetter
from tests.plugin.helpdesk.breaking import asked, broken, nothing_was_shown, ready, shows, staffed
from vault.interface import WrongMac


@pytest.fixture
def alice(office, world):
    """The person to be let in, and Grace and Heidi, who may break glass."""
    staffed(office)
    return world.person().has_face()


def test_an_approval_works_once(office, alice, world):
    case = ready(office)
    for _ in range(2):
        with pytest.raises(ServiceError, match="case_moved"):
            office.agrees(case, by="heidi")
    assert [one["stage"] for one in world.audited("helpdesk_break_glass")] == ["asked", "agreed"]


def test_an_approval_of_another_case_shows_nothing_on_this_one(office, alice, world):
    ready(office)
    office.people.add("carol")
    world.person("carol-id").has_face("carol")
    with pytest.raises(ServiceError, match="case_moved"):
        shows(office, asked(office, about="carol"))
    assert nothing_was_shown(office)


@pytest.mark.parametrize("edit", [{"decided_by": "heidi-id"}, {"state": "ready"}, {"asked_by": "ivan-id"}])
def test_an_approval_written_into_the_database_is_none(office, alice, world, edit):
    case = asked(office)
    world.run(update(HelpdeskCase).values(**edit))
    with pytest.raises(WrongMac):
        shows(office, case)


def test_a_pass_is_shown_once_to_who_asked_even_if_asked_for_at_the_same_moment(office, alice, world):
    case, outcomes = ready(office), []

    def look() -> None:
        try:
            outcomes.append(office.desk.show(office.agent("grace"), case.id, now=world.now)[1].state.value)
        except ServiceError as exc:
            outcomes.append(exc.code)

    with pytest.raises(ServiceError, match="not_asked_by_you"):
        shows(office, case, by="heidi")
    threads = [threading.Thread(target=look) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["case_moved", "case_moved", "issued"]
    assert len(world.audited("pass_issued")) == 1


def test_the_pass_is_good_for_ten_minutes_whatever_policy_says(office, alice, world):
    office.allows(pass_minutes=480)
    code = broken(office)
    world.passes(seconds=599)
    view = alice.comes_to(Purpose.LOGIN)
    world.passes(seconds=1)
    with pytest.raises(FactorRejected):
        office.parts.passes.redeem(view, code, now=world.now)


def test_the_pass_still_wants_the_enrolled_face(office, alice, world):
    """Glass broken for an impostor opens nothing: the face is looked at before anything changes."""
    code = broken(office)
    view = office.parts.redeem(alice.comes_to(Purpose.LOGIN), code, address="192.0.2.9", now=world.now)
    with pytest.raises(FactorRejected):
        alice.shows("mallory", view)
    assert world.audited("recovery_bound") == []
    assert available(alice.owner, database=world.database).totp


def test_what_was_agreed_does_not_lie_ready_for_later(office, alice, world):
    for stage in (lambda: asked(office), lambda: ready(office)):
        case = stage()
        world.passes(seconds=1800)
        with pytest.raises(ServiceError, match="case_moved"):
            office.agrees(case, by="heidi") if case.state is CaseState.WAITING else shows(office, case)
    assert nothing_was_shown(office)


def test_the_person_stops_it_before_anybody_agreed(office, alice, world):
    case = asked(office)
    office.parts.aftermath.freeze(office.letters.token("stop"), now=world.now)
    with pytest.raises(ServiceError, match="case_moved"):
        office.agrees(case, by="heidi")


def test_the_person_stops_it_between_the_approval_and_the_showing(office, alice, world):
    case = ready(office)
    office.parts.aftermath.freeze(office.letters.token("stop"), now=world.now)
    with pytest.raises(ServiceError, match="case_moved"):
        shows(office, case)
    assert nothing_was_shown(office)
    assert "frozen_by_owner" in office.alarms()


@pytest.mark.parametrize("letter", [0, -1])
def test_either_link_of_the_letters_stops_the_pass_that_was_shown(office, alice, world, letter):
    code = broken(office)
    mine = office.letters.to("alice@example.org")
    office.parts.aftermath.freeze(mine[letter].split("/helpdesk/stop/")[1].split()[0], now=world.now)
    with pytest.raises(FactorRejected):
        office.parts.passes.redeem(alice.comes_to(Purpose.LOGIN), code, now=world.now)
    assert office.people.ended == ["alice-id"]


@pytest.mark.parametrize(("who", "when"), [("bob", asked), ("bob", ready), ("bob", broken), ("heidi", broken)])
def test_who_approves_or_breaks_glass_stops_it_as_well(office, alice, world, who, when):
    code = when(office)
    (case,) = office.desk.emergencies(office.agent(who), now=world.now)
    office.desk.stop(office.agent(who), case.id, now=world.now)
    assert office.desk.case(office.agent(who), case.id, now=world.now).state is CaseState.FROZEN
    assert world.audited("helpdesk_break_glass")[-1]["stage"] == "stopped"
    assert (office.alarms()[-1], office.people.ended) == ("stopped_by_staff", ["alice-id"])
    if when is broken:
        with pytest.raises(FactorRejected):
            office.parts.passes.redeem(alice.comes_to(Purpose.LOGIN), code, now=world.now)


def test_an_agent_does_not_stop_it(office, alice, world):
    case = asked(office)
    with pytest.raises(ServiceError, match="helpdesk_role"):
        office.desk.stop(office.agent("ada"), case.id, now=world.now)


def test_no_more_than_two_a_day_whoever_asks(office, alice, world):
    office.people.add("ivan", roles=[BREAK_GLASS_ROLE])
    for by in ("grace", "ivan"):
        broken(office, by=by)
    for by in ("grace", "ivan", "heidi"):
        with pytest.raises(ServiceError, match="too_many_break_glass"):
            asked(office, by=by)
    assert office.alarms().count("many_break_glass") == 3
    assert len(world.audited("pass_issued")) == 2
    world.passes(seconds=86_400)
    assert asked(office).state is CaseState.WAITING


def test_what_waits_when_two_were_agreed_to_is_not_agreed_to(office, alice, world):
    office.people.add("ivan", roles=[BREAK_GLASS_ROLE])
    third = asked(office, by="ivan")
    for _ in range(2):
        broken(office)
    with pytest.raises(ServiceError, match="too_many_break_glass"):
        office.agrees(third, by="heidi")
    assert office.desk.case(office.agent("heidi"), third.id, now=world.now).state is CaseState.WAITING


def test_one_holder_of_the_role_alone_cannot_use_it_up_for_the_others(office, alice, world):
    for _ in range(2):
        asked(office)
    with pytest.raises(ServiceError, match="too_many_break_glass"):
        asked(office)
    office.people.add("ivan", roles=[BREAK_GLASS_ROLE])
    assert office.agrees(asked(office, by="ivan"), by="heidi").state is CaseState.READY


def test_no_flood_keeps_it_from_working(office, alice, world):
    """An attacker who has used up what others share must not lock out who is locked out already."""
    bounds = Bounds(cases_per_day_network=1, asks_per_day_person=1, asks_per_day_network=1, lookups_per_hour_network=1)
    office.asked()
    office.allows(cases_per_day=1, bounds=bounds)
    with pytest.raises(ServiceError, match="too_many_"):
        office.opens()
    assert ready(office).state is CaseState.READY
    assert {"many_lookups", "many_cases", "many_asks", "break_glass"} <= set(office.alarms())


def test_nobody_browses_people_through_it(office, alice, world):
    office.allows(lookups_per_hour=3)
    for _ in range(3):
        with pytest.raises(ServiceError, match="person_unknown"):
            asked(office, about="nobody")
    with pytest.raises(ServiceError, match="too_many_lookups"):
        asked(office)


def test_it_helps_the_last_who_could_approve_though_they_agreed_to_one_s_requests(office, alice, world):
    office.people.change("grace", roles=frozenset({AGENT_ROLE, BREAK_GLASS_ROLE}))
    office.agrees(office.asked(by="grace"))
    world.person("bob-id").has_face("bob")
    with pytest.raises(ServiceError, match="approvers_case"):
        office.opens("bob", by="grace")
    shows(office, office.agrees(asked(office, about="bob"), by="heidi"))
    assert len(world.audited("pass_issued")) == 2


def test_with_mail_down_the_deed_works_and_every_letter_waits(office, alice, world):
    office.letters.broken = True
    code = broken(office)
    assert office.letters.sent == []
    with world.database.reading() as session:
        waiting = session.scalar(select(func.count()).select_from(HelpdeskLetter))
        rows = str(session.execute(select(HelpdeskLetter.__table__)).all())
    assert waiting == 8  # asked and shown, to alice, bob, grace and heidi
    assert code not in rows
    assert "example.org" not in rows
    office.letters.broken = False
    world.passes(seconds=360)
    office.parts.chores.run(now=world.now)
    assert {to for to, *_ in office.letters.sent} == {
        *("alice@example.org", "alice@home.example"),
        *("bob@example.org", "grace@example.org", "heidi@example.org"),
    }
    assert len(office.letters.sent) == 10
    assert code not in str(office.letters.sent)
    view = office.parts.redeem(alice.comes_to(Purpose.LOGIN), code, address="192.0.2.9", now=world.now)
    assert view.stage == "face"


def test_no_step_waits_for_a_mail_server_however_slow(office, alice, world, monkeypatch):
    """Whoever slows mail down would else keep the pass from being shown while its ten minutes run."""
    monkeypatch.setattr(office.letters, "send", lambda *_, **__: pytest.fail("asked while somebody waits"))
    agent = office.agent("grace")
    case = office.desk.open(agent, "alice", ticket="T-1", reason="r", only=Action.BREAK_GLASS, now=world.now)
    case = office.desk.ask(agent, case.id, action=Action.BREAK_GLASS, now=world.now)
    assert office.desk.show(agent, office.agrees(case, by="heidi").id, now=world.now)[1].state is CaseState.ISSUED


def test_where_it_cannot_be_told_who_must_hear_of_it_glass_stays_whole(office, alice, world, monkeypatch):
    def away(roles):
        raise ServiceError("keycloak_unavailable", "403")

    case = ready(office)
    monkeypatch.setattr(office.people, "holders", away)
    for act in (lambda: shows(office, case), lambda: asked(office)):
        with pytest.raises(ServiceError, match="keycloak_unavailable"):
            act()
    assert nothing_was_shown(office)


def test_letters_to_colleagues_name_nobody_and_hold_nothing_that_opens(office, alice, world):
    code = broken(office, reason="click https://evil.example", ticket="evil.example")
    for name in ("bob", "grace", "heidi"):
        first, second = office.letters.to(f"{name}@example.org")
        for text in (first, second):
            assert "/helpdesk/cases/" in text
            for secret in (code, "evil", "alice", "grace-id", "/helpdesk/stop/"):
                assert secret not in text


def test_every_step_is_in_the_log_with_ticket_and_reason_and_loud(office, alice, world):
    code = broken(office, ticket="T-7", reason="mail is down")
    steps = world.audited("helpdesk_break_glass")
    assert [(one["stage"], one["ticket"], one["grounds"]) for one in steps] == [
        (stage, "T-7", "mail is down") for stage in ("asked", "agreed", "shown")
    ]
    assert [one["agent"] for one in steps] == ["grace-id"] * 3
    assert [one["approver"] for one in steps[1:]] == ["heidi-id"] * 2
    alarms = [one for one in world.audited("helpdesk_alarm") if one["reason"] == "break_glass"]
    assert [one["check"] for one in alarms] == ["asked", "agreed", "shown"]
    assert code not in str(world.audit.entries(limit=1000))
    world.audit.verify()


def test_a_suspended_person_and_one_without_a_face_are_not_helped_by_it(office, alice, world):
    office.people.add("carol")
    with pytest.raises(ServiceError, match="no_usable_face"):
        asked(office, about="carol")
    office.does(Action.SUSPEND)
    with pytest.raises(ServiceError, match="account_stopped"):
        asked(office)


def test_limits_of_the_policy_hold_for_every_worker(office, alice, world):
    """Counted in the log, so a second worker sees what the first one did."""
    broken(office)
    office.uses(replace(office.desk._policy, bounds=Bounds(break_glass_per_day=1)))
    with pytest.raises(ServiceError, match="too_many_break_glass"):
        asked(office, by="heidi")
