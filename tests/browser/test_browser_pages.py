"""Every page in a real browser: quiet console, strict policy, readable, usable by keyboard and on a phone."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from plugin.ceremonies.types import Purpose, Stage
from tests.browser.conftest import watched_context
from tests.browser.site import new_codes_page, reminder_page

pytestmark = pytest.mark.browser

ACCESSIBLE = (Path(__file__).parent / "accessible.js").read_text(encoding="utf-8")
ENROL = {
    "invitation": (Stage.INVITATION, ""),
    "consent": (Stage.CONSENT, ""),
    "choose": (Stage.POSSESSION_SETUP, ""),
    "passkey set-up": (Stage.POSSESSION_SETUP, "?way=passkey"),
    "app set-up": (Stage.POSSESSION_SETUP, "?way=totp"),
    "recovery codes": (Stage.RECOVERY_CODES, ""),
    "face": (Stage.FACE, ""),
    "other way": (Stage.FACE, "?way=other"),
}
LOGIN = {"app code": "", "recovery code": "?way=recovery"}


def pages(site, context):
    """Open every page that a person can meet."""
    for name, (stage, query) in ENROL.items():
        person = site.person(f"enrols-{name}")
        person.enrols_up_to(stage)
        yield name, site.opens(context, person, query)
    person = site.person("logs-in").has_totp()
    person.comes_to(Purpose.LOGIN)
    for name, query in LOGIN.items():
        yield name, site.opens(context, person, query)
    person = site.person("has-key").has_key()
    person.comes_to(Purpose.LOGIN)
    yield "passkey", site.opens(context, person)
    yield "reminder", reminder_page(site, context, "renews")
    yield "new codes", new_codes_page(site, context, "used-a-code")
    schedule = context.new_page()
    schedule.goto(f"{site.url}/retention")
    yield "retention", schedule
    person.ceremony_id = "A" * 43
    yield "error", site.opens(context, person)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_every_page_is_readable_and_fits_the_screen(site, chromium, scheme, width):
    found = {}
    size = {"width": width, "height": 800}
    with watched_context(chromium, viewport=size, color_scheme=scheme) as context:
        for name, page in pages(site, context):
            page.wait_for_load_state("networkidle")
            wrong = page.evaluate(ACCESSIBLE)
            if page.evaluate("document.documentElement.scrollWidth") > width:
                wrong.append("wider than the screen")
            found |= {name: wrong} if wrong else {}
            page.close()
    assert found == {}


def test_the_accessibility_questions_do_find_faults(tab):
    page = tab.new_page()
    page.set_content("<main><h1>a</h1><h1>b</h1><input><p style='color:#999'>pale</p><button></button></main>")
    assert len(page.evaluate(ACCESSIBLE)) >= 5


def test_an_enrolment_needs_no_mouse(site, tab):
    world = site.world
    alice = site.person()
    issued = world.invitations.issue(alice.owner, now=world.now)
    alice.comes_to(Purpose.ENROL)
    page = site.opens(tab, alice)
    keys = page.keyboard
    keys.type(issued.code.lower())
    send(page)
    page.get_by_role("heading", name="May we keep").wait_for()
    tab_to(page, "input[name=agree]")
    keys.press("Space")
    tab_to(page, "form.form button[type=submit]")
    keys.press("Enter")
    page.get_by_role("heading", name="Add something").wait_for()
    tab_to(page, "a[href='?way=totp']")
    keys.press("Enter")
    page.locator("#totp-secret-text").wait_for()
    alice.totp_secret = page.locator("#totp-secret-text").inner_text().replace(" ", "")
    tab_to(page, "#code")
    keys.type(alice.code())
    send(page)
    page.get_by_role("heading", name="Save your recovery codes").wait_for()
    tab_to(page, "input[type=checkbox]")
    keys.press("Space")
    send(page)
    page.locator("#face-start").wait_for()
    assert alice.view().stage is Stage.FACE


def test_a_login_needs_no_mouse_and_neither_does_the_way_out(site, tab):
    tab.route("https://idp.example/**", lambda route: route.fulfill(body="the identity provider"))
    alice = site.person().has_totp()
    alice.comes_to(Purpose.LOGIN)
    page = site.opens(tab, alice)
    tab_to(page, "#code")
    page.keyboard.type(alice.code())
    send(page)
    page.locator("#face-start").wait_for()
    tab_to(page, "#face-start")
    tab_to(page, "#another-way")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Without the camera").wait_for()
    tab_to(page, "form.form button[type=submit]")
    page.keyboard.press("Enter")
    page.wait_for_url("https://idp.example/**")
    assert "error=access_denied" in page.url


def test_a_screen_reader_finds_its_way(site, tab):
    """What Chromium hands to assistive technology: one heading, a labelled field, named ways, an alert that speaks."""
    alice = site.person().has_totp()
    alice.comes_to(Purpose.LOGIN)
    page = site.opens(tab, alice)
    tree = page.locator("body").aria_snapshot()
    assert tree.count("[level=1]") == 1
    assert 'textbox "' in tree
    assert 'region "Another way"' in tree or 'navigation "Another way"' in tree
    page.fill("#code", "000000")
    send(page)
    page.get_by_role("alert").filter(has_text="That did not work").wait_for()
    assert "alert" in page.locator("main").aria_snapshot()


def send(page):
    """Press Enter in a form, once the page's script listens; before that its button is off, and Enter does nothing."""
    expect(page.locator("form.form button[type=submit]")).to_be_enabled()
    page.keyboard.press("Enter")


def tab_to(page, selector):
    """Press Tab until the element has the focus, and see that the focus shows.

    A button is enabled by the page's script; before that Tab passes it by, and would come to the one that cancels.
    """
    expect(page.locator(selector).first).to_be_enabled()
    for _ in range(20):
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert outline != "none"
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not reach {selector}")


def test_a_wrong_code_is_said_beside_the_field_and_can_be_mended(site, tab):
    alice = site.person().has_totp()
    alice.comes_to(Purpose.LOGIN)
    page = site.opens(tab, alice)
    page.fill("#code", "000000")
    page.click("button[type=submit]")
    page.get_by_role("alert").filter(has_text="That did not work").wait_for()
    assert page.evaluate("document.activeElement.id") == "code"
    assert page.get_attribute("#code", "aria-invalid") == "true"
    page.fill("#code", alice.code())
    send(page)
    page.locator("#face-start").wait_for()


def test_recovery_codes_can_be_downloaded_as_text(site, tab):
    alice = site.person()
    alice.enrols_up_to(Stage.RECOVERY_CODES)
    page = site.opens(tab, alice)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
    shown = page.locator("#recovery-codes li").all_inner_texts()
    assert Path(download.value.path()).read_text(encoding="utf-8").split() == shown
    assert len(shown) == 10


def test_the_picture_of_the_secret_is_shown_under_the_strict_policy(site, tab):
    alice = site.person()
    alice.enrols_up_to(Stage.POSSESSION_SETUP)
    page = site.opens(tab, alice, "?way=totp")
    page.locator("#totp-qr").wait_for()
    page.wait_for_function("document.getElementById('totp-qr').naturalWidth > 0")
    assert page.get_attribute("#totp-link", "href").startswith("otpauth://totp/")


def test_stopping_takes_the_person_back_to_the_identity_provider(site, tab):
    alice = site.person().has_totp()
    alice.comes_to(Purpose.LOGIN)
    page = site.opens(tab, alice)
    tab.route("https://idp.example/**", lambda route: route.fulfill(body="the login page"))
    page.get_by_role("button", name="Stop and go back").click()
    page.wait_for_url("https://idp.example/**")
    assert "error=access_denied" in page.url
    assert "code=" not in page.url.replace("session_code=", "")


def test_a_form_of_a_stage_that_is_over_shows_the_stage_that_is_reached(site, tab):
    alice = site.person().has_totp()
    alice.comes_to(Purpose.LOGIN)
    page = site.opens(tab, alice)
    site.world.totp.verify(alice.view(), alice.code(), now=site.world.now)
    page.fill("#code", "000000")
    send(page)
    page.locator("#face-start").wait_for()
    site.world.ceremonies.end(alice.view(), now=site.world.now)
    page.get_by_role("button", name="Stop and go back").click()
    page.get_by_text("This step is no longer valid.").wait_for()


def test_before_the_scripts_are_there_a_code_cannot_end_up_in_the_address(site, chromium):
    alice = site.person().has_totp()
    alice.comes_to(Purpose.LOGIN)
    with watched_context(chromium, java_script_enabled=False) as context:
        page = site.opens(context, alice)
        before = page.url
        page.locator("#code").press_sequentially("123456")
        page.keyboard.press("Enter")
        page.wait_for_timeout(300)
        assert page.url == before
        assert page.locator("main button[type=submit]").first.is_disabled()
