import re
from html import unescape

import pytest

from plugin.ceremonies.types import Purpose, Stage
from plugin.factors.enrolment import CONSENT_TEXT_VERSION
from tests.plugin.factors.world import ALICE


def title(response):
    assert response.status_code == 200
    return unescape(re.search(r"<h1>(.*?)</h1>", response.get_data(as_text=True))[1])


@pytest.mark.parametrize(
    ("stage", "heading"),
    [
        (Stage.INVITATION, "Enter your invitation code"),
        (Stage.CONSENT, "May we keep your face reference?"),
        (Stage.POSSESSION_SETUP, "Add something you have"),
        (Stage.RECOVERY_CODES, "Save your recovery codes"),
        (Stage.FACE, "Show us your face"),
    ],
)
def test_the_stage_decides_which_page_is_shown_however_often_it_is_loaded(browser, stage, heading):
    browser.person.enrols_up_to(stage)
    assert [title(browser.page()), title(browser.page())] == [heading, heading]
    assert browser.person.view().stage is stage


@pytest.mark.parametrize(
    ("way", "heading"),
    [
        ("passkey", "Set up a passkey or security key"),
        ("totp", "Set up an authenticator app"),
        ("face", "Add something you have"),
        ("../error", "Add something you have"),
    ],
)
def test_the_way_chooses_among_pages_of_one_stage_only(browser, way, heading):
    browser.person.enrols_up_to(Stage.POSSESSION_SETUP)
    assert title(browser.page(f"?way={way}")) == heading


def test_a_passkey_is_offered_first_because_it_resists_phishing(browser):
    browser.person.has_key().comes_to(Purpose.LOGIN)
    assert title(browser.page()) == "Confirm with your passkey"


def test_only_ways_that_the_person_has_are_offered(browser):
    browser.person.has_totp().comes_to(Purpose.LOGIN)
    page = browser.page()
    assert title(page) == "Enter the code from your app"
    assert "?way=recovery" in page.get_data(as_text=True)
    assert "?way=passkey" not in page.get_data(as_text=True)
    assert title(browser.page("?way=passkey")) == "Enter the code from your app"


def test_somebody_who_never_enrolled_sees_the_page_of_somebody_who_did(browser):
    browser.person.comes_to(Purpose.LOGIN)
    assert title(browser.page()) == "Enter the code from your app"


def test_recovery_codes_are_the_same_until_they_are_saved_and_never_shown_again(world, browser):
    browser.person.enrols_up_to(Stage.RECOVERY_CODES)
    codes = [re.findall(r"<li>([^<]+)</li>", browser.page().get_data(as_text=True)) for _ in range(2)]
    assert len(codes[0]) == 10
    assert codes[0] == codes[1]
    browser.call("recovery/acknowledge")
    assert codes[0][0] not in browser.page().get_data(as_text=True)


def test_the_consent_page_names_its_version_and_the_time_the_reference_is_kept(world, browser):
    browser.person.enrols_up_to(Stage.CONSENT)
    text = browser.page().get_data(as_text=True)
    assert f'name="text_version" value="{CONSENT_TEXT_VERSION}"' in text
    assert f"For {world.settings.reference_ttl_days} days" in text


@pytest.mark.parametrize("stage", [Stage.INVITATION, Stage.CONSENT, Stage.POSSESSION_SETUP, Stage.FACE])
def test_another_way_is_on_every_page(browser, stage):
    browser.person.enrols_up_to(stage)
    text = browser.page().get_data(as_text=True)
    assert "Another way" in text
    assert '<form data-post="cancel">' in text


def test_the_way_without_camera_leaves_the_stage_alone(browser):
    browser.person.enrols_up_to(Stage.FACE)
    assert title(browser.page("?way=other")) == "Without the camera"
    assert browser.person.view().stage is Stage.FACE


def test_a_name_from_the_identity_provider_cannot_become_markup(browser):
    browser.person.comes_to(Purpose.LOGIN, display_name='<script>alert(1)</script>"x')
    text = browser.page().get_data(as_text=True)
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text


def test_another_browser_and_no_ceremony_show_the_same_error_page(browser):
    browser.person.comes_to(Purpose.LOGIN)
    browser.person.cookie = "another"
    foreign = browser.page()
    browser.person.ceremony_id = "A" * 43
    unknown = browser.page()
    assert (foreign.status_code, unknown.status_code) == (410, 410)
    assert foreign.data == unknown.data
    assert "no longer valid" in unknown.get_data(as_text=True)


def test_pages_are_not_cached_not_framed_and_run_no_inline_script(browser):
    browser.person.comes_to(Purpose.LOGIN)
    headers = browser.page().headers
    policy = headers["Content-Security-Policy"]
    assert headers["Cache-Control"] == "no-store"
    assert "frame-ancestors 'none'" in policy
    assert "unsafe-inline" not in policy


def test_a_finished_ceremony_offers_to_go_on(world, browser):
    view = browser.person.has_totp().proves_totp()
    world.ceremonies.advance(view, to=Stage.DONE, proven="face", now=world.now)
    assert title(browser.page()) == "All done"
    assert browser.person.owner == ALICE
