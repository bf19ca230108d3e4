"""Attacks on people's own page."""

from __future__ import annotations

import pytest
from sqlalchemy import delete, func, select, update

from plugin.ceremonies.types import Purpose, Subject
from plugin.store.me_tables import MeSession, StopLink
from plugin.store.tables import AuditEntry, Reference
from tests.plugin.api.web import Browser
from tests.plugin.factors.world import REALM
from tests.plugin.pages.own_page import Own, Realm, browser_at
from vault.interface import WrongMac


@pytest.fixture
def own(world):
    world.person().has_face()
    world.passes(seconds=3600)
    browser = browser_at(world)
    browser.signs_in()
    return browser


def faces(world) -> int:
    with world.database.reading() as session:
        return session.scalar(select(func.count()).select_from(Reference))


def test_a_made_up_session_or_one_of_the_helpdesk_opens_nothing(own, world, office):
    agent = office.parts.sessions.begin(Subject(REALM, "alice-id"), name="alice", now=world.now)
    for token in ("A" * 43, "", agent):
        stranger = Own(own.app, own.realm)
        stranger.client.set_cookie("facestep_me", token)
        assert stranger.get().status_code == 401
        assert stranger.post("/export").status_code == 401


def test_a_session_rewritten_to_another_person_opens_nothing(own, world):
    """Somebody who can write to the database turns a session of theirs into one of somebody else's."""
    world.run(update(MeSession).values(subject="bob-id"))
    assert own.get().status_code == 500


def test_nothing_in_an_address_or_form_names_another_person(own, world):
    world.person("bob-id").has_totp()
    page = own.get("?subject=bob-id&owner=bob-id").text
    assert own.get().text == page
    assert own.post("/erase", confirm="erase", subject="bob-id").status_code == 200
    assert faces(world) == 0  # alice's own
    assert world.ceremonies.has_possession(Subject(REALM, "bob-id"))


def test_a_form_of_another_site_does_nothing(own, world):
    for path in ("/erase", "/not-me", "/codes", "/export", "/logout"):
        for origin in ("https://evil.example", "null"):
            assert own.post(path, origin=origin, confirm="erase").status_code == 400
    assert faces(world) == 1
    assert own.get().status_code == 200
    assert world.audited("subject_exported") == world.audited("recovery_frozen") == []


def test_looking_changes_nothing(own, world):
    """Forms cannot be sent as a link either."""
    for path in ("/codes", "/export", "/logout"):
        assert own.get(path).status_code == 405
    own.get("/erase?confirm=erase")
    own.get("/not-me")
    assert faces(world) == 1
    assert world.audited("recovery_frozen") == []


def test_a_session_that_was_planted_before_is_not_the_one_that_is_signed_in(own):
    """Session fixation: what the browser held before the sign-in is worth nothing after it."""
    planted = own.client.get_cookie("facestep_me").value
    victim = Own(own.app, own.realm)
    victim.client.set_cookie("facestep_me", planted)
    assert victim.signs_in("bob").status_code == 303
    assert victim.client.get_cookie("facestep_me").value != planted
    assert own.get().status_code == 401  # the planted one is over too


def test_a_sign_in_that_began_in_another_browser_is_refused(own):
    """Login forgery: the thief sends a link that would sign the victim in as the thief."""
    thief, victim = Own(own.app, own.realm), Own(own.app, own.realm)
    state = thief.get("/login").headers["Location"].partition("state=")[2]
    victim.get("/login")
    assert victim.get(f"/callback?state={state}&code=stolen").status_code == 403
    assert victim.get().status_code == 401


def test_a_sign_in_at_one_realm_is_not_one_at_another(world):
    good, evil = Realm(world), Realm(world, issuer="https://idp.example/realms/evil", who="alice-id")
    browser = browser_at(world, good, evil)
    state = browser.get("/login?realm=evil").headers["Location"].partition("state=")[2]
    forged = state.replace(evil.issuer[-4:], good.issuer[-4:])
    browser.get("/login?realm=demo")
    assert browser.get(f"/callback?state={state}&code=c").status_code == 403
    assert browser.get(f"/callback?state={forged}&code=c").status_code == 403


def test_erasing_and_new_codes_ask_for_a_fresh_face(own, world):
    world.passes(seconds=301)
    for path in ("/erase", "/codes"):
        answer = own.post(path, confirm="erase")
        assert answer.status_code == 403
        assert "anew=1" in answer.text
    assert "Erase everything</button>" not in own.get("/erase").text
    assert faces(world) == 1
    own.signs_in(query="?anew=1")
    assert own.post("/erase", confirm="erase").status_code == 200


def test_a_fresh_face_cannot_be_written_into_the_session(own, world):
    world.passes(seconds=301)
    world.run(update(MeSession).values(seen_ms=int(world.now.timestamp() * 1000)))
    assert own.post("/erase", confirm="erase").status_code == 500
    assert faces(world) == 1


def test_the_history_holds_neither_scores_nor_other_people(own, world):
    bob = world.person("bob-id").has_face("bob")
    for _ in range(2):
        world.passes(seconds=60)
        with pytest.raises(Exception, match="face_rejected"):
            bob.shows("mallory", bob.proves_totp())
    own.signs_in("alice")
    whole = "".join(own.get(query).text for query in ("", "?before=10", "?before=20"))
    assert "The face check said no" not in whole  # that was bob's
    own.signs_in("bob")
    page = own.get().text
    assert "The face check said no" in page
    for hidden in ("similarity", "0.4", "identity", "another_person", "planarity", "bob-id"):
        assert hidden not in page
    assert "identity:another_person" not in own.post("/export").text


def test_html_in_a_name_a_ticket_or_a_transport_is_text(own, world):
    details = {"ticket": '<script>alert("t")</script>', "agent": "x", "case": "c", "grounds": "g"}
    world.audit.append("helpdesk_case_opened", at=world.now, issuer=REALM, subject="alice-id", details=details)
    own.realm.name = '<img src=x onerror="alert(1)">'
    state = own.get("/login").headers["Location"].partition("state=")[2]
    own.get(f"/callback?state={state}&code=c")
    page = own.get()
    assert "<img src=x" not in page.text
    assert "<script" not in page.text
    assert "&lt;script&gt;" in page.text
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]


def test_a_thief_who_presses_not_me_can_only_stop(own, world):
    """With a stolen session: nothing is opened, added or shown; the owner keeps what no recovery has bound."""
    alice = Subject(REALM, "alice-id")
    with world.database.reading() as session:
        before = session.scalar(select(func.count()).select_from(AuditEntry))
    own.post("/not-me")
    assert faces(world) == 1
    assert world.ceremonies.has_possession(alice)
    with world.database.reading() as session:
        new = session.scalars(select(AuditEntry.event).where(AuditEntry.seq > before)).all()
    assert set(new) == {"recovery_frozen", "helpdesk_alarm"}
    assert own.get().status_code == 401


def test_codes_cannot_be_renewed_during_the_cool_down(own, world):
    """Whoever got in by a recovery must not take a spare key along."""
    world.audit.append("recovery_bound", at=world.now, issuer=REALM, subject="alice-id", details={"factor": "totp"})
    assert own.post("/codes").status_code == 403
    assert "disabled" in own.get().text


def test_who_has_just_recovered_and_erases_everything_keeps_no_session(world, office):
    """The owner's stop links go with the rest; the session in which somebody got in would have stayed."""
    for recovered in (False, True):
        world.person().has_face()
        world.passes(seconds=3600)
        own = browser_at(world)
        own.signs_in()
        if recovered:
            about = {"issuer": REALM, "subject": "alice-id", "details": {"factor": "totp"}}
            world.audit.append("recovery_bound", at=world.now, **about)
        assert own.post("/erase", confirm="erase").status_code == 200
        assert office.people.ended == ["alice-id"] * recovered


def test_a_stop_link_written_into_the_database_stops_nothing(own, world, office):
    token = office.parts.aftermath.stopping.new_link(Subject(REALM, "alice-id"), now=world.now)
    world.run(update(StopLink).values(subject="bob-id"))
    with pytest.raises(WrongMac):
        office.parts.aftermath.freeze(token, now=world.now)
    world.run(delete(StopLink))
    with pytest.raises(Exception, match="case_unknown"):
        office.parts.aftermath.freeze(token, now=world.now)


def test_where_nobody_can_be_written_to_the_page_still_tells(world):
    """A thief replaces the phone with a stolen code at a realm without helpdesk: no letter, but no silence either."""
    alice = world.person().has_face()
    world.passes(seconds=3600)
    own = browser_at(world)
    thief = Browser(own.app, alice)
    alice.comes_to(Purpose.LOGIN)
    assert thief.call("recovery/new-face").get_json()["error"] == "ceremony_refused"
    assert thief.call("recovery/lost", {"code": alice.codes[0]}).status_code == 200
    own.signs_in()
    assert "A saved recovery code was used." in own.get().text
