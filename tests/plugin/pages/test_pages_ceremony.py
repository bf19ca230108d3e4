import re
from dataclasses import replace
from html import unescape

import pytest

from plugin.ceremonies.stages import NEXT, TURNS, first_stage
from plugin.ceremonies.types import Purpose, Stage
from plugin.factors.enrolment import CONSENT_TEXT_VERSION
from plugin.pages.ceremony import _PROGRESS
from tests.plugin.api.web import make_app
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
    assert f"log in with it for {world.settings.reference_ttl_days} days" in text
    assert f"For {world.settings.reference_grace_days} days more" in text
    assert 'href="/retention"' in text


STAGES = [*sorted(_PROGRESS), *((purpose, Stage.DONE) for purpose in Purpose)]
ELSEWHERE = {purpose for purpose in Purpose if purpose.is_recovery} | {Purpose.CHECK}
WALKED = [(purpose, stage) for purpose, stage in STAGES if purpose not in ELSEWHERE]
"""A recovery begins with a pass or a code, a check with a link: their pages are walked in tests/plugin/helpdesk."""


def test_the_list_of_stages_is_complete():
    begun = (Purpose.LOGIN, Purpose.ENROL)  # a recovery is a login that was turned into one
    reachable = {(purpose, first_stage(purpose, has_possession=has)) for purpose in begun for has in (True, False)}
    reachable |= {(to, stage) for (_, to), (stage, _) in TURNS.items()}
    reachable |= {(purpose, stage) for (purpose, _), stage in NEXT.items()}
    assert set(STAGES) == reachable
    assert {stage for _, stage in STAGES} == set(Stage)


def comes_to_stage(world, person, purpose, stage):
    """Walk to a stage of a login or an enrolment."""
    if (purpose, stage) == (Purpose.ENROL, Stage.POSSESSION):
        person.has_totp().comes_to(purpose)
    elif purpose is Purpose.LOGIN and stage is Stage.POSSESSION:
        person.comes_to(purpose)
    elif purpose is Purpose.ENROL and stage is not Stage.DONE:
        person.enrols_up_to(stage)
    else:
        view = person.enrols_up_to(Stage.FACE) if purpose is Purpose.ENROL else person.has_totp().proves_totp()
        if stage is Stage.DONE:
            world.ceremonies.advance(view, to=stage, proven="face", now=world.now)
    view = person.view()
    assert (view.purpose, view.stage) == (purpose, stage)


@pytest.mark.parametrize(("purpose", "stage"), WALKED)
def test_another_way_is_on_every_page(world, browser, purpose, stage):
    comes_to_stage(world, browser.person, purpose, stage)
    text = browser.page().get_data(as_text=True)
    assert "Another way" in text
    assert '<form data-post="cancel">' in text


@pytest.mark.parametrize(("purpose", "stage"), WALKED)
def test_every_page_has_one_heading_and_says_how_far_it_is(world, browser, purpose, stage):
    comes_to_stage(world, browser.person, purpose, stage)
    text = browser.page().get_data(as_text=True)
    assert text.count("<h1>") == 1
    said = re.findall(r"Step \d of \d", text)
    if stage is Stage.DONE:
        assert said == []
    else:
        assert said == ["Step {} of {}".format(*_PROGRESS[purpose, stage])]


@pytest.mark.parametrize(("purpose", "stage"), WALKED)
def test_the_other_way_really_leads_out_of_every_stage(world, browser, purpose, stage):
    comes_to_stage(world, browser.person, purpose, stage)
    answer = browser.call("cancel")
    assert "error=access_denied" in answer.get_json()["redirect"]
    assert browser.page().status_code == 410


def test_the_way_without_camera_leaves_the_stage_alone(browser):
    browser.person.enrols_up_to(Stage.FACE)
    assert title(browser.page("?way=other")) == "Without the camera"
    assert browser.person.view().stage is Stage.FACE


def test_a_name_from_the_identity_provider_cannot_become_markup(browser):
    browser.person.comes_to(Purpose.LOGIN, display_name='<script>alert(1)</script>"x')
    text = browser.page().get_data(as_text=True)
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text


@pytest.mark.parametrize("query", ["", "?way=recovery", "?way=other"])
def test_used_expired_foreign_and_unknown_ceremonies_show_the_same_page(world, browser, query):
    alice = browser.person
    pages = {}
    world.ceremonies.end(alice.comes_to(Purpose.LOGIN), now=world.now)
    pages["cancelled"] = browser.page(query)
    alice.finishes(alice.has_totp().proves_totp())
    pages["used"] = browser.page(query)
    alice.comes_to(Purpose.LOGIN)
    world.passes(seconds=world.settings.ceremony_ttl_s + 1)
    pages["expired"] = browser.page(query)
    alice.comes_to(Purpose.LOGIN)
    alice.cookie = "another"
    pages["foreign"] = browser.page(query)
    alice.ceremony_id = "A" * 43
    pages["unknown"] = browser.page(query)
    assert {page.status_code for page in pages.values()} == {410}
    assert {page.data for page in pages.values()} == {pages["unknown"].data}
    assert all(dict(page.headers) == dict(pages["unknown"].headers) for page in pages.values())
    assert "no longer valid" in pages["unknown"].get_data(as_text=True)


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


def test_the_schedule_is_public_and_says_what_the_settings_say(browser):
    world = browser.person.world
    world.settings = replace(world.settings, reference_ttl_days=123, reference_grace_days=17, reference_reminder_days=9)
    page = make_app(world).test_client().get("/retention", base_url=world.settings.issuer)
    assert title(page) == "What is kept, and for how long"
    text = unescape(page.get_data(as_text=True))
    for said in ("Used for 123 days", "For 17 days more", "the last 9 days", "kept for 31 days", "1 day after its end"):
        assert said in text
    assert "at most 30 minutes" in text
    assert "as hashes: 7 days" in text
    assert CONSENT_TEXT_VERSION in text
    assert "Set-Cookie" not in page.headers


def test_without_days_of_grace_none_are_promised(browser):
    world = browser.person.world
    world.settings = replace(world.settings, reference_grace_days=0, reference_reminder_days=0)
    text = make_app(world).test_client().get("/retention", base_url=world.settings.issuer).get_data(as_text=True)
    assert "days more" not in text
    assert "reminded" not in text
