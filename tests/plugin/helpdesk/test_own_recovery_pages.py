"""A way back in that needs no agent, over the real parts and the real pages."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from plugin.ceremonies.types import Purpose, Stage
from plugin.factors.enrolment import CONSENT_TEXT_VERSION
from tests.plugin.api.web import Browser, make_app
from tests.plugin.factors import scripted
from tests.plugin.helpdesk.own_way import OwnWay


@pytest.fixture
def alice(office, world):
    person = world.person().has_face()
    world.passes(seconds=3600)
    return OwnWay(office, person)


def test_a_saved_code_and_the_face_replace_a_lost_phone(alice, office, world):
    old_phone, old_codes = alice.person.totp_secret, alice.person.codes
    assert "My phone or key is gone" in alice.logs_in().page("?way=stuck").text
    answer = alice.browser.call("recovery/lost", {"code": old_codes[0]})
    assert "Max-Age=900" in answer.headers["Set-Cookie"]
    view = alice.view()
    assert (view.purpose, view.stage, view.amr) == (Purpose.RECOVER, Stage.FACE, ())
    alice.shows("alice")
    alice.binds_a_phone()
    assert alice.takes_codes().isdisjoint(old_codes)
    result = world.redeem(world.ceremonies.issue_code(alice.view(), now=world.now))
    assert (result.purpose, result.amr) == (Purpose.LOGIN, ("face", "otp"))
    assert alice.person.totp_secret != old_phone
    assert office.people.ended == ["alice-id"]
    told = [subject for address, subject, _ in office.letters.sent if address == "alice@home.example"]
    assert told == ["A saved recovery code was used to replace your second factor", "Your second factor was replaced"]


def logs_in_with_a_code(alice, code: str) -> None:
    assert alice.logs_in().call("recovery/verify", {"code": code}).status_code == 200
    assert (alice.view().purpose, alice.view().stage) == (Purpose.LOGIN, Stage.FACE)
    alice.shows("alice")


def offered(alice) -> set[str]:
    """Return the codes that the page shows."""
    return set(re.findall(r"<li>([0-9A-Z-]{19})</li>", alice.browser.page().text))


def test_a_saved_code_lets_in_and_ends_with_a_new_set(alice, office, world):
    """Every address hears of the use at once, and of the new codes; a reload shows the same ones."""
    old = alice.person.codes
    logs_in_with_a_code(alice, old[0])
    assert "redirect" not in alice.last
    new = offered(alice)
    assert (len(new), new & set(old), new) == (10, set(), offered(alice))
    alice.last = alice.browser.call("recovery/acknowledge").get_json()
    assert alice.result().amr == ("otp", "face")
    for address in ("alice@example.org", "alice@home.example"):
        told = [subject for to, subject, _ in office.letters.sent if to == address]
        assert told == ["A saved recovery code was used", "You have new recovery codes"]
    assert alice.logs_in().call("recovery/verify", {"code": old[1]}).status_code == 403
    assert alice.browser.call("recovery/verify", {"code": new.pop()}).status_code == 200


def test_who_says_not_now_keeps_the_codes_and_is_asked_again(alice, world):
    old = alice.person.codes
    logs_in_with_a_code(alice, old[0])
    assert offered(alice)
    alice.last = alice.browser.call("finish").get_json()
    assert alice.result().purpose is Purpose.LOGIN
    world.passes(seconds=60)
    alice.logs_in()
    alice.gives_phone_at_login()
    alice.shows("alice")
    assert len(offered(alice)) == 10
    alice.last = alice.browser.call("finish").get_json()
    assert alice.logs_in().call("recovery/verify", {"code": old[1]}).status_code == 200


def test_without_a_used_code_a_login_ends_at_once(alice):
    alice.logs_in()
    alice.gives_phone_at_login()
    alice.shows("alice")
    assert alice.result().purpose is Purpose.LOGIN


def test_a_changed_face_is_enrolled_with_the_phone_and_a_mailed_code(alice, office, world):
    assert "My face has changed" in alice.logs_in().page("?way=stuck").text
    assert "Enrol your face anew" in alice.browser.page("?way=new_face").text
    alice.begins_new_face()
    assert "Step 1 of 4" in alice.browser.page().text
    alice.gives_phone()
    assert "Send me the code" in alice.browser.page().text
    assert alice.browser.call("recovery/mail").status_code == 200
    page = alice.browser.page().text
    assert "A code was sent" in page
    assert "alice@example.org" not in page
    alice.gives_mailed_code()
    assert alice.view().stage is Stage.CONSENT
    alice.consents()
    alice.shows("alice-after-the-operation")
    result = alice.result()
    assert (result.purpose, result.amr, result.acr) == (Purpose.LOGIN, ("otp", "face"), "facestep")
    world.passes(seconds=60)
    assert alice.person.shows("alice-after-the-operation", alice.person.proves_totp()).stage is Stage.DONE
    assert len(world.audited("face_replaced")) == 1


def test_the_new_face_is_told_of_everywhere_and_ends_sessions(alice, office):
    alice.replaces_face("alice-with-a-beard")
    subjects = [subject for address, subject, _ in office.letters.sent if address == "alice@home.example"]
    assert subjects == [
        "Somebody wants to enrol a new face for your account",
        "A new face was enrolled for your account",
    ]
    assert office.people.ended == ["alice-id"]


def test_who_lost_both_starts_over_with_a_saved_code_and_a_mailed_one(alice, world):
    old_phone = alice.person.totp_secret
    alice.logs_in()
    alice.begins_new_face()
    assert alice.browser.call("recovery/verify", {"code": alice.person.codes[1]}).status_code == 200
    assert (alice.view().purpose, alice.view().stage) == (Purpose.START_OVER, Stage.MAILED_CODE)
    alice.gets_mail()
    alice.gives_mailed_code()
    alice.consents()
    assert "Keep the one I have" not in alice.browser.page().text
    alice.binds_a_phone()
    alice.takes_codes()
    alice.shows("alice-with-a-beard")
    assert alice.result().amr == ("otp", "face")
    assert alice.person.totp_secret != old_phone
    world.passes(seconds=60)
    assert alice.person.shows("alice-with-a-beard", alice.person.proves_totp()).stage is Stage.DONE


def test_without_a_mail_server_only_what_needs_no_mail_is_offered(world):
    person = world.person().has_face()
    person.comes_to(Purpose.LOGIN)
    browser = Browser(make_app(world), person)
    page = browser.page("?way=stuck").text
    assert "My phone or key is gone" in page
    assert "My face has changed" not in page
    assert "pass from the helpdesk" not in page
    assert browser.call("recovery/new-face").status_code == 410
    assert browser.call("recovery/lost", {"code": person.codes[0]}).status_code == 200
    assert person.view().purpose is Purpose.RECOVER


def test_it_can_be_switched_off(alice, office, world):
    office.parts.own_recovery._settings = replace(world.settings, new_faces_per_year=0)
    assert "My face has changed" not in alice.logs_in().page("?way=stuck").text
    assert alice.browser.call("recovery/new-face").status_code == 403


def test_a_letter_that_cannot_be_sent_leaves_no_code(alice, office):
    alice.logs_in()
    alice.begins_new_face()
    alice.gives_phone()
    office.letters.broken = True
    assert alice.browser.call("recovery/mail").status_code == 503
    assert "Send me the code" in alice.browser.page().text


def test_each_letter_has_a_link_that_stops(alice, office):
    alice.replaces_face("alice-with-a-beard")
    texts = [text for _, subject, text in office.letters.sent if "code to enrol" not in subject]
    assert all(re.search(r"/helpdesk/stop/\S{43}", text) for text in texts)


def test_the_consent_that_was_given_before_is_not_enough(alice):
    """The camera is not used for an enrolment without consent in this very ceremony."""
    alice.logs_in()
    alice.begins_new_face()
    alice.gives_phone()
    alice.gets_mail()
    alice.gives_mailed_code()
    assert alice.browser.starts_face().status_code == 403
    assert alice.browser.call("consent", {"agree": True, "text_version": CONSENT_TEXT_VERSION}).status_code == 200
    assert alice.browser.sends_frames([one.jpeg for one in scripted.shows("go")]).status_code == 200
