"""Passkeys in a real browser, with the virtual authenticator of the DevTools protocol."""

from contextlib import contextmanager

import pytest

from plugin.ceremonies.types import Purpose, Stage

pytestmark = pytest.mark.browser

DISMISSED = """
if (navigator.credentials) navigator.credentials.get = async () => { throw new DOMException('', 'NotAllowedError'); }
"""


@contextmanager
def authenticator(page, **changes):
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable", {"enableUI": False})
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    made = session.send("WebAuthn.addVirtualAuthenticator", {"options": options | changes})
    yield lambda: session.send("WebAuthn.getCredentials", made)["credentials"]
    session.detach()


def test_a_passkey_made_in_the_browser_lets_its_owner_on_to_the_camera(site, tab):
    alice = site.person()
    alice.enrols_up_to(Stage.POSSESSION_SETUP)
    page = site.opens(tab, alice, "?way=passkey")
    with authenticator(page) as credentials:
        page.click("#passkey-start")
        page.get_by_role("heading", name="Save your recovery codes").wait_for()
        assert [entry["isResidentCredential"] for entry in credentials()] == [True]
        alice.comes_to(Purpose.LOGIN)
        tab.add_cookies([{"name": f"facestep_{alice.ceremony_id[:8]}", "value": alice.cookie, "url": site.url}])
        page.goto(f"{site.url}/ceremony/{alice.ceremony_id}")
        page.click("#passkey-start")
        page.locator("#face-start").wait_for()
    assert alice.view().stage is Stage.FACE
    assert set(alice.view().amr) <= {"hwk", "swk"}


def test_a_passkey_that_does_not_verify_its_user_is_not_taken(site, tab):
    alice = site.person()
    alice.enrols_up_to(Stage.POSSESSION_SETUP)
    page = site.opens(tab, alice, "?way=passkey")
    with authenticator(page, hasUserVerification=False, isUserVerified=False):
        page.click("#passkey-start")
        page.get_by_role("alert").filter(has_text="passkey").wait_for()
    assert alice.view().stage is Stage.POSSESSION_SETUP


def test_whoever_dismisses_the_prompt_is_told_what_to_do(site, tab):
    alice = site.person().has_key()
    alice.comes_to(Purpose.LOGIN)
    tab.add_init_script(DISMISSED)
    page = site.opens(tab, alice)
    page.click("#passkey-start")
    page.get_by_role("alert").filter(has_text="choose another way").wait_for()
    assert page.evaluate("document.activeElement.id") == "passkey-start"
    assert alice.view().stage is Stage.POSSESSION
