"""A whole enrolment and login through the calls, as the pages make them, up to the camera."""

from urllib.parse import parse_qs, urlsplit

import pyotp
import pytest

from plugin.ceremonies.types import Purpose, Stage
from plugin.factors.enrolment import CONSENT_TEXT_VERSION
from tests.plugin.api.web import error_of
from tests.plugin.factors.world import REDIRECT


def next_of(browser, response):
    assert response.status_code == 200
    assert response.get_json() == {"next": f"/ceremony/{browser.person.ceremony_id}"}
    return browser.person.view().stage


def test_an_enrolment_moves_from_invitation_to_the_camera(world, browser):
    alice = browser.person
    issued = world.invitations.issue(alice.owner, now=world.now)
    alice.comes_to(Purpose.ENROL)
    assert next_of(browser, browser.call("invitation", {"code": issued.code})) is Stage.CONSENT
    agreed = {"agree": True, "text_version": CONSENT_TEXT_VERSION}
    assert next_of(browser, browser.call("consent", agreed)) is Stage.POSSESSION_SETUP
    setup = browser.call("totp/setup").get_json()
    assert set(setup) == {"otpauth_uri", "secret", "qr_svg"}
    code = pyotp.TOTP(setup["secret"]).at(world.now)
    assert next_of(browser, browser.call("totp/confirm", {"code": code})) is Stage.RECOVERY_CODES
    assert browser.page().status_code == 200
    assert next_of(browser, browser.call("recovery/acknowledge")) is Stage.FACE


def test_a_passkey_is_registered_and_used(world, browser):
    alice = browser.person
    alice.enrols_up_to(Stage.POSSESSION_SETUP)
    options = browser.call("webauthn/register/options").get_data(as_text=True)
    made = sent(alice.key.create(options))
    assert next_of(browser, browser.call("webauthn/register", {"credential": made})) is Stage.RECOVERY_CODES
    alice.comes_to(Purpose.LOGIN)
    options = browser.call("webauthn/options").get_data(as_text=True)
    used = sent(alice.key.get(options))
    assert next_of(browser, browser.call("webauthn/verify", {"credential": used})) is Stage.FACE
    assert alice.view().amr == ("hwk",)


def sent(credential):
    """Return the credential with the fields that our page sends."""
    wanted = ("clientDataJSON", "attestationObject", "transports", "authenticatorData", "signature", "userHandle")
    response = {key: credential["response"][key] for key in wanted if key in credential["response"]}
    return {key: credential[key] for key in ("id", "rawId", "type")} | {"response": response}


def test_a_code_of_the_app_lets_on_once(browser):
    alice = browser.person.has_totp()
    alice.comes_to(Purpose.LOGIN)
    code = alice.code()
    assert next_of(browser, browser.call("totp/verify", {"code": code})) is Stage.FACE
    alice.comes_to(Purpose.LOGIN)
    assert error_of(browser.call("totp/verify", {"code": code})) == (403, "factor_rejected")


def test_a_recovery_code_lets_on_once(browser):
    alice = browser.person.has_totp()
    alice.comes_to(Purpose.LOGIN)
    assert next_of(browser, browser.call("recovery/verify", {"code": alice.codes[0]})) is Stage.FACE
    alice.comes_to(Purpose.LOGIN)
    assert error_of(browser.call("recovery/verify", {"code": alice.codes[0]})) == (403, "factor_rejected")


def test_a_locked_factor_says_how_long_to_wait(browser):
    browser.person.has_totp().comes_to(Purpose.LOGIN)
    for _ in range(5):
        assert error_of(browser.call("totp/verify", {"code": "000000"})) == (403, "factor_rejected")
    locked = browser.call("totp/verify", {"code": browser.person.code()})
    assert error_of(locked) == (429, "locked_for_now")
    assert int(locked.headers["Retry-After"]) >= 1


@pytest.mark.parametrize(
    "body",
    [{"agree": False, "text_version": CONSENT_TEXT_VERSION}, {"agree": True, "text_version": "2020-1"}],
    ids=["not_agreed", "another_text"],
)
def test_without_consent_to_this_very_text_nobody_comes_to_the_camera(browser, body):
    browser.person.enrols_up_to(Stage.CONSENT)
    assert error_of(browser.call("consent", body)) == (403, "consent_missing")
    assert browser.person.view().stage is Stage.CONSENT


def test_who_stops_is_taken_back_without_a_code(browser):
    browser.person.has_totp().comes_to(Purpose.LOGIN)
    target = browser.call("cancel").get_json()["redirect"]
    assert target.startswith(REDIRECT)
    query = parse_qs(urlsplit(target).query)
    assert query["error"] == ["access_denied"]
    assert query["error_description"] == ["cancelled"]
    assert query["state"] == ["state-of-this-login"]
    assert "code" not in query
    assert error_of(browser.call("cancel")) == (410, "ceremony_refused")


def test_a_result_is_handed_out_only_at_the_end_and_once(world, browser):
    alice = browser.person.has_totp()
    view = alice.proves_totp()
    assert error_of(browser.call("finish"))[1] in {"ceremony_refused", "possession_first"}
    world.ceremonies.advance(view, to=Stage.DONE, proven="face", now=world.now)
    target = browser.call("finish").get_json()["redirect"]
    code = parse_qs(urlsplit(target).query)["code"][0]
    assert world.redeem(code).amr == ("otp", "face")
    assert error_of(browser.call("finish")) == (410, "ceremony_refused")
