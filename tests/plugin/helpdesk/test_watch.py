"""Every limit refuses, every pattern is loud, and the policy says where each begins."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from plugin.ceremonies.types import Purpose
from plugin.errors import FactorRejected, ServiceError, SettingsError
from plugin.helpdesk import hours
from plugin.helpdesk.bounds import Bounds
from plugin.helpdesk.networks import network_of
from plugin.helpdesk.policy import Policy, parse
from plugin.helpdesk.types import AGENT_ROLE, APPROVER_ROLE
from plugin.helpdesk.watch import ASKED, OPENED
from tests.plugin.factors.world import REALM


@pytest.fixture
def bounded(office):
    """Set the helpdesk's bounds."""
    return lambda **bounds: office.allows(cases_per_day=100, bounds=Bounds(**bounds))


def asks(office, about, *, by="ada", address="192.0.2.1"):
    office.watch.allow(ASKED, office.agent(by, address=address), office.people.add(about).owner, now=office.world.now)


def opens(office, about, *, by="ada", address="192.0.2.1"):
    office.watch.allow(OPENED, office.agent(by, address=address), office.people.add(about).owner, now=office.world.now)


@pytest.mark.parametrize("does", [opens, asks])
def test_an_agent_who_does_too_much_is_refused_and_loud(office, bounded, does):
    bounded(cases_per_day_agent=3, asks_per_day_agent=3)
    for number in range(3):
        does(office, f"person-{number}")
    with pytest.raises(ServiceError, match="too_many"):
        does(office, "one-more")
    office.people.add("eve", roles=[AGENT_ROLE])
    does(office, "another", by="eve")
    assert len(office.alarms()) == 1


@pytest.mark.parametrize("does", [opens, asks])
def test_one_network_that_does_too_much_is_refused_whoever_it_is(office, bounded, does):
    bounded(cases_per_day_network=3, asks_per_day_network=3)
    for number in range(3):
        office.people.add(f"agent-{number}", roles=[AGENT_ROLE])
        does(office, f"person-{number}", by=f"agent-{number}", address=f"2001:db8::{number}")
    with pytest.raises(ServiceError, match="too_many"):
        does(office, "one-more", address="2001:db8::ffff:1")
    does(office, "another", address="2001:db8:0:1::1")


def test_one_person_about_whom_too_much_is_asked_is_left_alone(office, bounded):
    bounded(asks_per_day_person=2)
    for by in ("ada", "bob"):
        asks(office, "carol", by=by)
    with pytest.raises(ServiceError, match="too_many_asks"):
        asks(office, "carol")
    assert office.world.audited("helpdesk_alarm")[-1]["check"] == "person"


def test_many_resets_by_one_agent_are_loud_once_an_hour(office, bounded, world):
    bounded(resets_per_day=2)
    for number in range(4):
        asks(office, f"person-{number}")
    assert office.alarms() == ["many_resets"]
    world.passes(seconds=3601)
    asks(office, "one-more")
    assert office.alarms() == ["many_resets"] * 2


def test_what_is_asked_or_agreed_outside_of_working_hours_is_loud(office, world, bounded):
    """The world's clock begins on a Sunday."""
    world.person().has_face()
    bounded(hours=hours.parse({"hours": "08:00-18:00", "time_zone": "Europe/Vienna"}))
    office.issued()
    alarms = world.audited("helpdesk_alarm")
    assert [one["reason"] for one in alarms] == ["outside_hours"] * 2
    world.passes(seconds=86_400)
    office.people.add("carol")
    asks(office, "carol")
    assert len(office.alarms()) == 2


def test_approvals_always_by_the_same_pair_are_loud(office, bounded, world):
    bounded(same_pair=3)
    alice = office.people.person("alice-id").owner
    office.people.add("eve", roles=[APPROVER_ROLE])
    for approver in ("bob", "bob", "eve", "bob", "bob"):
        office.watch.agreed(office.agent(approver), "ada-id", alice, now=world.now)
    assert office.alarms() == []
    office.watch.agreed(office.agent("bob"), "ada-id", alice, now=world.now)
    assert office.alarms() == ["same_pair"]
    assert world.audited("helpdesk_alarm")[0]["agent"] == "ada-id"


def test_nobody_sees_the_case_of_who_agreed_to_their_requests(office, world):
    world.person().has_face()
    office.issued()
    office.people.change("bob", roles=frozenset({AGENT_ROLE, APPROVER_ROLE}))
    office.people.change("ada", roles=frozenset({AGENT_ROLE, APPROVER_ROLE}))
    office.people.add("eve", roles=[AGENT_ROLE])
    with pytest.raises(ServiceError, match="approvers_case"):
        office.opens("bob")
    world.person("bob-id").has_face("bob")
    case = office.asked("bob", by="eve")
    with pytest.raises(ServiceError, match="approvers_case"):
        office.desk.case(office.agent("ada"), case.id, now=world.now)
    assert case.id not in {one.id for one in office.desk.queue(office.agent("ada"), now=world.now)}
    assert office.alarms() == ["approvers_case"]
    assert office.refusals() == ["approvers_case"] * 2
    world.passes(seconds=8 * 86_400)
    office.opens("bob")


def test_an_agent_who_looks_for_himself_is_loud(office):
    with pytest.raises(ServiceError, match="own_case"):
        office.opens("ada")
    assert office.alarms() == ["own_case"]


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::/64"),
        ("2001:db8::ffff:1", "2001:db8::/64"),
        ("unix:", ""),
        ("", ""),
    ],
)
def test_networks(address, network):
    assert network_of(address) == network


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"abuse": []}, r"\[abuse\]"),
        ({"abuse": {"resets": 1}}, "unknown key 'resets'"),
        ({"abuse": {"resets_per_day": 0}}, "from 1 to 10000"),
        ({"abuse": {"resets_per_day": True}}, "from 1 to 10000"),
        ({"abuse": {"hours": "8-18", "time_zone": "UTC"}}, "08:00-18:00"),
        ({"abuse": {"hours": "any", "time_zone": "UTC"}}, "stands alone"),
        ({"abuse": {"hours": "18:00-08:00", "time_zone": "UTC"}}, "before they end"),
        ({"abuse": {"hours": "08:00-18:00"}}, "time_zone is missing"),
        ({"abuse": {"hours": "08:00-18:00", "time_zone": "Mars"}}, "Europe/Vienna"),
        ({"abuse": {"hours": "08:00-18:00", "time_zone": "../UTC"}}, "Europe/Vienna"),
        ({"abuse": {"hours": "08:00-18:00", "time_zone": "UTC", "days": ["monday"]}}, "days must be"),
        ({"keep_days": 7}, "from 14 to 365"),
    ],
)
def test_bounds_that_make_no_sense_stop_the_start(table, said):
    with pytest.raises(SettingsError, match=said):
        parse(table)


def test_the_shipped_bounds_are_what_the_documentation_shows():
    assert parse({"abuse": {"same_pair": 4}}).bounds == replace(Bounds(), same_pair=4)
    assert Policy().bounds == Bounds()


@pytest.mark.parametrize(
    ("moment", "inside"),
    [
        (datetime(2026, 3, 27, 17, 0, tzinfo=UTC), False),
        (datetime(2026, 3, 27, 16, 59, tzinfo=UTC), True),
        (datetime(2026, 3, 30, 16, 0, tzinfo=UTC), False),
        (datetime(2026, 3, 30, 6, 0, tzinfo=UTC), True),
        (datetime(2026, 3, 28, 12, 0, tzinfo=UTC), False),
    ],
)
def test_hours_follow_the_zone_s_summer_time(moment, inside):
    """In Vienna clocks went forward on 29 March 2026."""
    assert hours.parse({"hours": "08:00-18:00", "time_zone": "Europe/Vienna"}).contain(moment) is inside


def comes_with_a_pass(office, name, code, *, address="198.51.100.7"):
    view = office.world.person(f"{name}-id").comes_to(Purpose.LOGIN)
    return office.parts.redeem(view, code, address=address, now=office.world.now)


def test_several_people_who_recover_at_one_network_are_loud(office, world, bounded):
    bounded(recovered_per_day_network=1)
    world.person().has_face()
    comes_with_a_pass(office, "alice", office.issued())
    assert [one["network"] for one in world.audited("pass_accepted")] == ["198.51.100.7"]
    comes_again = {"case": "another", "network": "198.51.100.7"}
    for subject, alarms in (("alice-id", []), ("carol-id", ["one_network"]), ("dora-id", ["one_network"])):
        owner = world.person(subject).owner
        world.audit.append("pass_accepted", at=world.now, issuer=REALM, subject=subject, details=comes_again)
        with world.database.transaction() as session:
            office.watch.pass_used(owner, "198.51.100.7", session=session, now=world.now)
        assert office.alarms() == alarms


def test_many_refused_passes_are_loud(office, world, bounded):
    bounded(refused_passes_per_hour=2)
    for number in range(4):
        with pytest.raises(FactorRejected):
            comes_with_a_pass(office, f"person-{number}", "0" * 16, address=f"198.51.100.{number}")
        assert office.alarms() == ([] if number < 2 else ["refused_passes"])
    assert len(world.audited("pass_refused")) == 4
