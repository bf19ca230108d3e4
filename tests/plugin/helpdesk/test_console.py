"""The pages lead from the call to the pass."""

from __future__ import annotations

import pytest

from plugin.ceremonies.types import Purpose
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
