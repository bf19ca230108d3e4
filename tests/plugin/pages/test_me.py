"""What a person sees of themselves, and can do."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy import func, select

from plugin.ceremonies.types import Purpose, Stage
from plugin.commands.serve import beside_requests
from plugin.doors.housekeeping import Housekeeping
from plugin.errors import CeremonyRefused
from plugin.factors.policy import available
from plugin.helpdesk.sessions import PEOPLE
from plugin.helpdesk.stopping import LINK_LIFE
from plugin.store.me_tables import MeSession, StopLink
from plugin.store.tables import Consent, Reference
from tests.plugin.factors.world import world
from tests.plugin.helpdesk.office import open_office
from tests.plugin.helpdesk.own_way import OwnWay
from tests.plugin.pages.own_page import Own, Realm, browser_at, make_app, open_own_page

__all__ = ["world"]


@pytest.fixture
def alice(world):
    person = world.person().has_face()
    world.passes(seconds=3600)
    return person


@pytest.fixture
def own(alice, world):
    browser = browser_at(world)
    assert browser.signs_in().status_code == 303
    return browser


def test_nothing_is_shown_before_a_sign_in(alice, world):
    answer = browser_at(world).get()
    assert answer.status_code == 401
    assert "Sign in" in answer.text
    assert "What happened" not in answer.text


def test_the_page_shows_factors_codes_face_and_consent(own):
    page = own.get().text
    assert "2026-03-01" in page
    assert re.search(r"Recovery codes left</dt><dd>10<", page)
    assert "version 2026" in page
    assert "alice" in page
    assert "<script" not in page


def test_a_passkey_is_shown_with_its_last_use(world):
    person = world.person()
    person.has_key()
    browser = browser_at(world)
    browser.signs_in()
    assert re.search(r"since <time[^>]*>2026-03-01</time>, last used never", " ".join(browser.get().text.split()))


def test_the_history_tells_in_plain_words_and_by_pages(own, alice, world):
    for _ in range(3):
        alice.finishes(alice.proves_totp())
        world.passes(seconds=60)
    first = own.get().text
    assert "You signed in." in first
    assert "An authenticator app was set up." in own.get(f"?before={10**6}").text + first
    older = re.search(r"before=(\d+)", first)
    if older:
        assert "A face was enrolled." in own.get(f"?before={older[1]}").text


@pytest.mark.parametrize("before", ["x", "-1", "9" * 40, "²"])
def test_nonsense_as_a_page_begins_at_the_top(own, before):
    assert own.get(f"?before={before}").status_code == 200


def test_the_export_is_a_download_without_scores(own, world):
    answer = own.post("/export")
    assert "attachment" in answer.headers["Content-Disposition"]
    held = json.loads(answer.text)
    assert held["about"]["subject"] == "alice-id"
    assert "similarity" not in answer.text
    assert "denied_by" not in answer.text
    assert "events" in held["left_out"]
    assert len(world.audited("subject_exported")) == 1


def test_new_codes_are_shown_once_and_the_old_ones_are_gone(own, alice, world):
    page = own.post("/codes")
    new = re.findall(r"<li>([0-9A-Z-]{19})</li>", page.text)
    assert len(new) == 10
    assert new[0] not in own.get().text
    login = alice.comes_to(Purpose.LOGIN)
    with pytest.raises(Exception, match="factor_rejected"):
        world.recovery_codes.verify(login, alice.codes[0], now=world.now)
    assert world.recovery_codes.verify(login, new[0], now=world.now).stage is Stage.FACE


def test_few_codes_left_are_said(own, alice, world):
    assert "Few recovery codes" not in own.get().text
    for code in alice.codes[:7]:
        world.recovery_codes.verify(alice.comes_to(Purpose.LOGIN), code, now=world.now)
    assert "Few recovery codes" in own.get().text


def test_erasing_takes_everything_and_withdraws_the_consent(own, alice, world):
    assert own.post("/erase").status_code == 400
    assert own.post("/erase", confirm="erase").status_code == 200
    with world.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Reference)) == 0
        assert session.scalar(select(Consent.withdrawn_ms)) is not None
    assert own.get().status_code == 401
    assert alice.comes_to(Purpose.ENROL).stage is Stage.INVITATION


def test_that_was_not_me_forgets_what_a_recovery_bound(own, alice, world):
    office = open_office(world)
    open_own_page(world)
    way = OwnWay(office, alice)
    way.logs_in().call("recovery/lost", {"code": alice.codes[0]})
    way.shows("alice")
    way.binds_a_phone()
    here = Own(make_app(world), Realm(world))
    open_own_page(world, here.realm)
    here = Own(make_app(world), here.realm)
    here.signs_in()
    page = here.get().text
    assert "Something was replaced a short time ago" in page
    assert "2026-03-02" in page  # a day later
    stopped = here.post("/not-me")
    assert "All your sessions were ended" in stopped.text
    assert office.people.ended[-1] == "alice-id"
    assert office.alarms() == ["not_me"]
    options = available(alice.owner, database=world.database)
    assert (options.webauthn, options.recovery) == (False, False)
    assert not world.ceremonies.has_possession(alice.owner)
    with pytest.raises(CeremonyRefused):
        alice.view()
    assert here.get().status_code == 401


def test_that_was_not_me_keeps_factors_that_no_recovery_bound(own, alice, world):
    answer = own.post("/not-me")
    assert "could not be ended from here" in answer.text
    assert world.ceremonies.has_possession(alice.owner)
    assert [one["reason"] for one in world.audited("helpdesk_alarm")] == ["not_me"]


def test_that_was_not_me_takes_a_replaced_face_away_too(alice, world):
    office = open_office(world)
    way = OwnWay(office, alice)
    way.replaces_face("mallory")
    browser = browser_at(world)
    browser.signs_in()
    browser.post("/not-me")
    with world.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Reference)) == 0
    assert alice.comes_to(Purpose.ENROL).stage is Stage.INVITATION


def test_of_several_realms_one_is_named(world):
    one, two = Realm(world), Realm(world, issuer="https://idp.example/realms/other")
    browser = browser_at(world, one, two)
    page = browser.get()
    assert "Your administrator knows its name" in page.text
    assert "idp.example" not in page.text
    assert "There is no such realm" in browser.get("?realm=none").text
    assert "/me/login?realm=demo" in browser.get("?realm=demo").text
    assert browser.signs_in(query="?realm=demo").status_code == 303
    assert browser.get("/login?realm=nobody").status_code == 401


def test_signing_out_ends_the_session_and_half_an_hour_does_too(own, world):
    again = Own(own.app, own.realm)
    again.signs_in()
    own.post("/logout")
    assert own.get().status_code == 401
    assert again.get().status_code == 200
    world.passes(seconds=1800)
    assert again.get().status_code == 401


def test_what_is_over_is_swept_though_nobody_comes_back(own, world):
    house = Housekeeping(world.me.purge)
    services = SimpleNamespace(housekeeping=house, clock=lambda: world.now, helpdesk=None)
    world.me.stopping.new_link(world.person().owner, now=world.now)
    for after, left in ((timedelta(0), (1, 1)), (PEOPLE.life, (0, 1)), (LINK_LIFE, (0, 0))):
        world.passes(seconds=int(after.total_seconds()))
        for work in beside_requests(services):
            work()
        with world.database.reading() as session:
            found = (session.scalar(select(func.count()).select_from(table)) for table in (MeSession, StopLink))
            assert tuple(found) == left
