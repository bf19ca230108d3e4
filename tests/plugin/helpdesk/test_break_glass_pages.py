"""Break glass: what it needs, how it looks and reads, and how often it may happen."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest

from plugin.audit.story import story_of
from plugin.ceremonies.types import Purpose
from plugin.errors import CeremonyRefused, SettingsError
from plugin.helpdesk.actions import KINDS, kind_of
from plugin.helpdesk.bounds import Bounds
from plugin.helpdesk.break_glass import ASK_LIFE, PASS_LIFE
from plugin.helpdesk.policy import Policy, parse
from plugin.helpdesk.types import AGENT_ROLE, APPROVER_ROLE, BREAK_GLASS_ROLE, Action
from plugin.keycloak.helpdesk_items import ROLES
from tests.plugin.api.web import make_app
from tests.plugin.helpdesk.breaking import asked, broken, staffed
from tests.plugin.helpdesk.console import open_console

GLASS = {"name": "alice", "ticket": "T-1", "reason": "mail is down", "confirm": "yes"}


@pytest.fixture
def alice(office, world):
    staffed(office)
    return world.person().has_face()


@pytest.fixture
def signed_in(office, alice, world):
    """Return a function that gives a member of staff a browser."""
    app = make_app(world)

    def comes(name: str):
        console = open_console(office, app=app)
        assert console.signs_in(name).status_code == 303
        return console

    return comes


def test_one_kind_alone_is_an_emergency_and_needs_two_people_and_no_proof():
    (kind,) = [kind for kind in KINDS.values() if kind.emergency]
    assert KINDS[Action.BREAK_GLASS] is kind
    assert (kind.four_eyes, kind.quick, kind.proofs) == (True, False, frozenset())
    assert (kind.asked_by, kind.decided_by) == (BREAK_GLASS_ROLE, BREAK_GLASS_ROLE)
    assert (kind_of(None).asked_by, kind_of(None).decided_by) == (AGENT_ROLE, APPROVER_ROLE)
    assert set(KINDS) == set(Action)
    assert (PASS_LIFE.total_seconds(), ASK_LIFE.total_seconds()) == (600, 1800)


def test_policy_demands_nothing_of_it_but_what_it_says_of_it_by_name(office, alice):
    case = office.opens()
    assert case.demanded == ("call_back", "live_face")
    shipped = Policy().for_action(Action.BREAK_GLASS, case)
    assert (shipped.proofs, shipped.four_eyes) == ((), True)
    strict = parse({"action": {"break_glass": {"proofs": ["in_person"], "four_eyes": False}}})
    demands = strict.for_action(Action.BREAK_GLASS, case)
    assert (demands.proofs, demands.four_eyes) == (("in_person",), True)


@pytest.mark.parametrize("number", [0, 11, True, "2"])
def test_more_than_ten_a_day_is_no_policy(number):
    with pytest.raises(SettingsError, match="break_glass_per_day must be a whole number from 1 to 10"):
        parse({"abuse": {"break_glass_per_day": number}})
    assert Bounds().break_glass_per_day == 2


def test_the_role_is_made_with_the_others_and_makes_staff(office, alice):
    assert BREAK_GLASS_ROLE in ROLES
    assert office.people.person("grace-id").is_staff
    assert {"staff", "privileged"} <= set(office.opens("grace").risks)


def test_two_people_break_glass_and_everybody_sees_it(office, signed_in, alice, world):
    grace, heidi, bob = (signed_in(name) for name in ("grace", "heidi", "bob"))
    assert "Open a case" not in grace.get().text
    path = urlsplit(grace.post("/break-glass", **GLASS).headers["Location"]).path.removeprefix("/helpdesk")
    for console in (grace, heidi, bob):
        assert "Break glass, in the last day" in console.get().text
        assert "Somebody asks for a pass without the proofs" in console.get(path).text
    assert 'value="agree"' not in bob.get(path).text
    assert 'value="agree"' in heidi.get(path).text
    for missing in ("Called back on the number on record", "Live face is the enrolled one"):
        assert "proof-mark" in heidi.get(path).text.split(missing)[0].rpartition('<li class="open')[2]
    assert "alice" in heidi.get().text.split("Waiting for your decision")[1]
    assert "Nothing waits" in bob.get().text
    assert heidi.post(f"{path}/decide", answer="agree").status_code == 303
    assert "It was not made yet" in grace.get(path).text
    assert f"{path}/show" not in heidi.get(path).text
    shown = grace.post(f"{path}/show")
    code = re.search(r"[0-9A-Z]{4}(-[0-9A-Z]{4}){3}", shown.text)[0]
    assert f"It works for ten minutes, until {world.now + PASS_LIFE:%H:%M} UTC" in shown.text
    assert "no-store" in shown.headers["Cache-Control"]
    assert grace.post(f"{path}/show").status_code == 409
    for console in (grace, heidi, bob):
        assert "Pass shown" in console.get(path).text
        assert code not in console.get(path).text
    view = office.parts.redeem(alice.comes_to(Purpose.LOGIN), code, address="192.0.2.9", now=world.now)
    assert view.purpose is Purpose.RECOVER


def test_it_is_broken_on_a_case_that_an_agent_opened(office, signed_in, world):
    path = signed_in("ada").opens()
    grace = signed_in("grace")
    page = grace.get(path).text
    assert "I tried the usual way and it cannot be done" in page
    assert "Ask for it" not in page
    assert 'value="break_glass"' not in signed_in("ada").get(path).text
    assert grace.post(f"{path}/break-glass", confirm="yes").status_code == 303
    assert "Break glass: a pass without the proofs" in grace.get(path).text


def test_whoever_asked_may_withdraw_it(signed_in, world):
    grace = signed_in("grace")
    path = urlsplit(grace.post("/break-glass", **GLASS).headers["Location"]).path.removeprefix("/helpdesk")
    assert f"{path}/close" in grace.get(path).text
    assert grace.post(f"{path}/close").status_code == 303
    assert "It came to nothing" in grace.get(path).text
    assert "Stop it" not in grace.get(path).text


def test_an_approver_stops_it_by_a_button_even_when_its_time_is_over(office, signed_in, world):
    broken(office)
    world.passes(seconds=3000)
    bob = signed_in("bob")
    (case,) = office.desk.emergencies(office.agent("bob"), now=world.now)
    path = f"/cases/{case.id}"
    assert "Stop it" in bob.get(path).text
    assert bob.post(f"{path}/stop").status_code == 303
    assert "It was stopped" in bob.get(path).text
    assert "Stop it" not in bob.get(path).text


def test_a_day_later_the_banner_is_gone(office, signed_in, world):
    asked(office)
    world.passes(seconds=86_400)
    assert "in the last day" not in signed_in("bob").get().text


def test_the_person_reads_of_every_step_in_plain_words(office, alice, world):
    broken(office, ticket="T-7")
    told = story_of(alice.owner.issuer, alice.owner.subject, database=world.database).told
    words = {one.sentence: one for one in told}
    for sentence in (
        "An emergency way into your account was asked for, without the usual proofs.",
        "A second person agreed to an emergency way into your account.",
        "An emergency pass to your account was made and shown to the helpdesk.",
        "A pass was made for you in an emergency; it is good for ten minutes.",
    ):
        assert words[sentence].grave
    assert words["An emergency pass to your account was made and shown to the helpdesk."].ticket == "T-7"
    assert not any(name in str(told) for name in ("grace", "heidi"))


def test_the_person_is_written_to_with_a_link_from_the_first_letter_on(office, alice):
    asked(office)
    (first,) = office.letters.to("alice@home.example")
    assert "/helpdesk/stop/" in first
    assert "second person has to agree" in first


def test_after_the_way_back_sessions_end_and_changes_wait(office, alice, world):
    """As after any pass: the cool-down begins with the new factor."""
    view = office.parts.redeem(alice.comes_to(Purpose.LOGIN), broken(office), address="192.0.2.9", now=world.now)
    alice.sets_up_totp(alice.shows("alice", view))
    office.parts.aftermath.bound(alice.view(), now=world.now)
    assert office.people.ended == ["alice-id"]
    with pytest.raises(CeremonyRefused, match="cooling_down"):
        alice.comes_to(Purpose.ENROL)
