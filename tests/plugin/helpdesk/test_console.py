"""The pages lead from the call to the pass."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from flask import render_template

from plugin.ceremonies.attempts import Counted
from plugin.ceremonies.types import Purpose
from plugin.errors import FactorRejected
from plugin.helpdesk.record import Failure
from tests.plugin.api.web import Browser, make_app
from tests.plugin.helpdesk.console import open_console


@pytest.fixture
def app(office, world):
    world.person().has_face()
    return make_app(world)


@pytest.fixture
def ada(office, app):
    console = open_console(office, app=app)
    assert console.signs_in("ada").status_code == 303
    return console


@pytest.fixture
def bob(office, app):
    console = open_console(office, app=app)
    assert console.signs_in("bob").status_code == 303
    return console


def test_who_is_not_signed_in_is_asked_to(office, app):
    answer = open_console(office, app=app).get()
    assert answer.status_code == 401
    assert "Sign in" in answer.text


def test_somebody_without_a_role_gets_no_session(office, app):
    console = open_console(office, app=app)
    assert console.signs_in("alice").status_code == 403
    assert console.get().status_code == 401


def test_two_people_send_a_pass_that_neither_sees(office, ada, bob, app):
    path = ada.opens()
    assert "disabled" in ada.get(path).text
    assert ada.post(f"{path}/proofs", proof="call_back").status_code == 303
    assert "disabled" in ada.get(path).text
    ada.proves(path)
    assert ada.post(f"{path}/ask").status_code == 303
    assert "alice" in bob.get().text
    assert bob.post(f"{path}/decide", answer="agree").status_code == 303
    code = office.letters.the_pass()
    for console in (ada, bob):
        assert "Pass sent" in console.get(path).text
        assert code not in console.get(path).text
        assert "alice@example.org" not in console.get(path).text


def test_the_login_page_takes_the_pass_and_goes_on_to_the_camera(office, world, app):
    code = office.issued()
    alice = world.person()
    alice.comes_to(Purpose.LOGIN)
    browser = Browser(app, alice)
    assert "I cannot use my factors" in browser.page().text
    assert "Step 1 of 2" in browser.page().text
    page = browser.page("?way=pass").text
    assert "Enter the pass" in page
    assert "Step 1 of 4" in page
    answer = browser.call("recovery/pass", {"code": code})
    assert answer.status_code == 200
    assert "Max-Age=900" in answer.headers["Set-Cookie"]
    assert alice.view().stage == "face"
    assert any("was used" in subject for _, subject, _ in office.letters.sent)


def test_a_new_phone_in_a_recovery_is_told_of_and_ends_sessions(office, world, app):
    alice = world.person()
    view, _ = office.parts.passes.redeem(alice.comes_to(Purpose.LOGIN), office.issued(), now=world.now)
    alice.shows("alice", view)
    browser = Browser(app, alice)
    assert "Keep the one I have" not in browser.page().text
    alice.totp_secret = browser.call("totp/setup").get_json()["secret"]
    assert browser.call("totp/confirm", {"code": alice.code()}).status_code == 200
    assert any("was replaced" in subject for _, subject, _ in office.letters.sent)
    assert office.people.ended == ["alice-id"]
    assert browser.page().status_code == 200
    assert browser.call("recovery/acknowledge").status_code == 200
    assert "code=" in browser.call("finish").get_json()["redirect"]


def test_signing_out_ends_the_session(ada):
    ada.post("/logout")
    assert ada.get().status_code == 401


def test_a_session_ends_after_an_hour(ada, world):
    world.passes(seconds=3600)
    assert ada.get().status_code == 401


def test_without_a_realm_there_is_no_helpdesk(world):
    world.helpdesk = None
    client = make_app(world).test_client()
    assert client.get("/helpdesk", base_url=world.settings.issuer).status_code == 404


def test_the_page_offers_what_can_be_done_and_says_what_is_missing(ada, office):
    path = ada.opens()
    page = ada.get(path).text
    for value in ("pass", "reset_factor app", "reset_factor codes", "reenrol_face", "unlock", "suspend", "erase"):
        assert f'value="{value}"' in page
    assert 'value="lift"' not in page
    assert 'value="pass shown"' not in page
    assert "Still to be proven" in page
    assert ada.post(f"{path}/ask", action="suspend").status_code == 303
    assert 'value="lift"' in ada.get(ada.opens()).text


def test_the_second_person_sees_what_the_first_asked_for(ada, bob, office):
    path = ada.opens()
    ada.proves(path)
    assert ada.post(f"{path}/ask", action="reset_factor app").status_code == 303
    page = bob.get(path).text
    assert "Remove a factor: authenticator app" in page
    assert "Called back on the number on record" in page
    assert bob.post(f"{path}/decide", answer="agree").status_code == 303
    assert "Done" in ada.get(path).text


def test_the_second_person_sees_all_that_the_first_saw(ada, bob, world):
    """Risks, factors, last use, failures and proofs, not what was asked for alone."""
    alice = world.person()
    with pytest.raises(FactorRejected):
        world.totp.verify(alice.comes_to(Purpose.LOGIN), "000000", now=world.now)
    path = ada.opens(reason="phone fell into the lake")
    ada.proves(path)
    ada.post(f"{path}/proofs", proof="document")
    first = ada.get(path).text
    assert ada.post(f"{path}/ask", action="reset_factor app").status_code == 303
    second = bob.get(path).text
    for heading in ("Take care", "Factors of this person", "What must be proven"):
        assert section(second, heading) == section(first, heading)
    assert "phone fell into the lake" in second
    assert "Set up a new factor within the last week" in section(second, "Take care")
    factors, proofs = section(second, "Factors of this person"), section(second, "What must be proven")
    assert "Code of the authenticator app not accepted: once" in factors
    assert f"last used {world.now:%Y-%m-%d}" in factors
    for proof in ("Called back on the number on record", "Identity document seen", "Live face is the enrolled one"):
        assert proof in proofs


def section(page: str, heading: str) -> str:
    """Return the plain text of one section: what is there to read, without what only one of two may press."""
    (found,) = (one for one in re.findall(r"<section.*?</section>", page, re.DOTALL) if f">{heading}</h2>" in one)
    for pressed in (r"<form.*?</form>", r"<details.*?</details>"):
        found = re.sub(pressed, "", found, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", found).split())


def test_failures_are_told_by_what_failed_and_when_last(ada, world):
    alice = world.person()
    path = ada.opens()
    assert "Failed tries in the last day none" in section(ada.get(path).text, "Factors of this person")
    for _ in range(2):
        with pytest.raises(FactorRejected):
            world.recovery_codes.verify(alice.comes_to(Purpose.LOGIN), "AAAA-BBBB-CCCC-DDDD", now=world.now)
        world.passes(seconds=300)
    last = world.now - timedelta(seconds=300)
    told = f"Recovery code not accepted: 2 times, last {last:%Y-%m-%d %H:%M} UTC"
    assert told in section(ada.get(path).text, "Factors of this person")
    world.passes(seconds=86400)
    ada.signs_in("ada")
    assert "not accepted" not in ada.get(ada.opens()).text


def test_the_page_has_words_for_whatever_can_fail(app):
    with app.test_request_context():
        record = {"failures": [Failure(what, 1, datetime.now(UTC)) for what in (*Counted, "wait", "other")]}
        told = render_template("_failures.html", record=record)
    assert told.count(": once, ") == len(Counted) + 2
    assert ">: " not in told


def test_after_an_erasure_the_agent_is_back_at_the_list(ada, bob):
    path = ada.opens()
    ada.proves(path)
    ada.post(f"{path}/proofs", proof="document")
    ada.post(f"{path}/ask", action="erase")
    assert bob.post(f"{path}/decide", answer="agree").headers["Location"] == "/helpdesk"
    assert ada.get(path).status_code == 404


@pytest.mark.parametrize(
    "action", ["", "everything", "pass everything", "reset_factor \u0430pp", "suspend " + "x" * 65]
)
def test_what_is_no_action_is_refused(ada, action):
    path = ada.opens()
    ada.post(f"{path}/proofs", proof="call_back")
    assert ada.post(f"{path}/ask", action=action).status_code in {400, 409}
    assert "What to do" in ada.get(path).text


def test_a_pass_is_shown_once_where_policy_and_a_second_person_allow_it(ada, bob, office, world):
    office.allows(show_pass_once=True)
    path = ada.opens()
    ada.proves(path)
    ada.post(f"{path}/ask", action="pass shown")
    assert "show it to the agent" in bob.get(path).text
    bob.post(f"{path}/decide", answer="agree")
    shown = ada.post(f"{path}/show")
    code = re.search(r"[0-9A-Z]{4}(-[0-9A-Z]{4}){3}", shown.text)[0]
    assert "no-store" in shown.headers["Cache-Control"]
    assert code not in str(office.letters.sent)
    assert office.letters.to("alice@home.example")
    assert office.alarms() == ["pass_shown"]
    assert ada.post(f"{path}/show").status_code == 409
    assert code not in ada.get(path).text
    alice = world.person()
    assert office.parts.passes.redeem(alice.comes_to(Purpose.LOGIN), code, now=world.now)[0].stage == "face"
