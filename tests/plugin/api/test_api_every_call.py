"""What must hold for every call of the API, whoever makes it and whatever stage the ceremony has reached."""

import pytest

from plugin.ceremonies.types import Purpose, Stage
from plugin.factors.enrolment import CONSENT_TEXT_VERSION
from tests.plugin.api.web import CAMERA, Browser, error_of

CREDENTIAL = {
    "credential": {
        "id": "AAAA",
        "rawId": "AAAA",
        "type": "public-key",
        "response": {"clientDataJSON": "AA", "authenticatorData": "AA", "signature": "AA", "userHandle": None},
    }
}
ATTESTATION = {
    "credential": CREDENTIAL["credential"]
    | {"response": {"clientDataJSON": "AA", "attestationObject": "AA", "transports": ["usb"]}}
}
CALLS = {
    "cancel": {},
    "finish": {},
    "invitation": {"code": "ABCD-EFGH"},
    "consent": {"agree": True, "text_version": CONSENT_TEXT_VERSION},
    "possession/keep": {},
    "totp/setup": {},
    "totp/confirm": {"code": "000000"},
    "totp/verify": {"code": "000000"},
    "webauthn/register/options": {},
    "webauthn/register": ATTESTATION,
    "webauthn/options": {},
    "webauthn/verify": CREDENTIAL,
    "recovery/acknowledge": {},
    "recovery/verify": {"code": "ABCD-EFGH"},
    "recovery/lost": {"code": "ABCD-EFGH-JKMN-PQRS"},
    "recovery/new-face": {},
    "recovery/mail": {},
    "recovery/mailed": {"code": "ABCD-EFGH-JKMN"},
    "recovery/pass": {"code": "ABCD-EFGH-JKMN-PQRS"},
    "face/start": {"light": True, "camera": CAMERA},
}
STAGE_OF = {
    "invitation": Stage.INVITATION,
    "consent": Stage.CONSENT,
    "possession/keep": Stage.POSSESSION_SETUP,
    "totp/setup": Stage.POSSESSION_SETUP,
    "totp/confirm": Stage.POSSESSION_SETUP,
    "webauthn/register/options": Stage.POSSESSION_SETUP,
    "webauthn/register": Stage.POSSESSION_SETUP,
    "recovery/acknowledge": Stage.RECOVERY_CODES,
    "totp/verify": Stage.POSSESSION,
    "webauthn/options": Stage.POSSESSION,
    "webauthn/verify": Stage.POSSESSION,
    "recovery/verify": Stage.POSSESSION,
    "recovery/lost": Stage.POSSESSION,
    "recovery/new-face": Stage.POSSESSION,
    "recovery/mail": Stage.MAILED_CODE,
    "recovery/mailed": Stage.MAILED_CODE,
    "recovery/pass": Stage.POSSESSION,
    "face/start": Stage.FACE,
    "finish": Stage.DONE,
}
WITH_FRAMES = {**CALLS, "face/frames": {}}


def test_the_list_of_calls_is_complete(browser):
    rules = {rule.rule for rule in browser.app.url_map.iter_rules() if rule.rule.startswith("/api/")}
    assert rules == {f"/api/ceremony/<ceremony_id>/{name}" for name in WITH_FRAMES}


def answers(browser, calls, make=lambda body: body, **changes):
    """Make each call and return the set of different refusals."""
    return {error_of(browser.call(name, make(body), **changes)) for name, body in calls.items()}


@pytest.mark.parametrize(
    "change",
    [
        {"X-Facestep": None},
        {"X-Facestep": "0"},
        {"Origin": None},
        {"Origin": "null"},
        {"Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
    ids=["no_header", "wrong_header", "no_origin", "null_origin", "foreign_origin", "cross_site"],
)
def test_a_call_from_a_foreign_page_is_refused_and_changes_nothing(browser, change):
    before = browser.person.comes_to(Purpose.LOGIN)
    assert answers(browser, WITH_FRAMES, **change) == {(400, "bad_request")}
    assert browser.person.view() == before


def test_a_call_is_a_post(browser):
    browser.person.comes_to(Purpose.LOGIN)
    browser.takes_cookie()
    for name in WITH_FRAMES:
        response = browser.client.get(f"/api/ceremony/{browser.person.ceremony_id}/{name}")
        assert error_of(response) == (405, "not_found")


def test_an_unknown_field_is_refused_and_changes_nothing(browser):
    before = browser.person.comes_to(Purpose.LOGIN)
    assert answers(browser, CALLS, lambda body: body | {"debug": True}) == {(400, "bad_request")}
    assert browser.person.view() == before


@pytest.mark.parametrize("data", ["", "{", "[]", "null", '"x"', "[" * 10_000], ids=len)
def test_a_body_that_is_no_object_is_refused(browser, data):
    browser.person.comes_to(Purpose.LOGIN)
    assert answers(browser, CALLS, data=data) == {(400, "bad_request")}


def test_a_huge_body_is_refused(browser):
    browser.person.comes_to(Purpose.LOGIN)
    assert answers(browser, CALLS, lambda body: body | {"code": "1" * 100_000}) == {(413, "too_large")}


def test_a_value_of_another_type_is_refused(browser):
    browser.person.comes_to(Purpose.LOGIN)
    for name, body in CALLS.items():
        for field in body:
            assert error_of(browser.call(name, body | {field: 7})) == (400, "bad_request")


def test_another_browser_is_refused_as_if_there_were_no_ceremony(browser):
    browser.person.comes_to(Purpose.LOGIN)
    browser.person.cookie = "another-browser"
    assert answers(browser, WITH_FRAMES) == {(410, "ceremony_refused")}


@pytest.mark.parametrize(("name", "body"), WITH_FRAMES.items(), ids=WITH_FRAMES)
def test_unknown_used_and_expired_ceremonies_answer_alike(world, browser, name, body):
    alice = browser.person
    alice.comes_to(Purpose.LOGIN)
    world.ceremonies.end(alice.view(), now=world.now)
    used = browser.call(name, body)
    alice.comes_to(Purpose.LOGIN)
    world.passes(seconds=world.settings.ceremony_ttl_s + 1)
    expired = browser.call(name, body)
    alice.ceremony_id = "A" * 43
    unknown = browser.call(name, body)
    assert error_of(unknown) == (410, "ceremony_refused")
    assert used.data == expired.data == unknown.data
    assert dict(used.headers) == dict(expired.headers) == dict(unknown.headers)


@pytest.mark.parametrize("stage", [Stage.INVITATION, Stage.CONSENT, Stage.POSSESSION_SETUP, Stage.RECOVERY_CODES])
def test_a_call_of_another_stage_is_refused_and_moves_nothing(browser, stage):
    browser.person.enrols_up_to(stage)
    others = {name: CALLS[name] for name, own in STAGE_OF.items() if own is not stage}
    assert answers(browser, others) <= {(410, "ceremony_refused"), (403, "possession_first")}
    assert browser.person.view().stage is stage


def test_the_face_before_possession_is_refused_with_its_own_code(browser):
    browser.person.has_totp().comes_to(Purpose.LOGIN)
    assert error_of(browser.starts_face()) == (403, "possession_first")
    assert error_of(browser.sends_frames([b"jpeg"])) == (403, "possession_first")


def test_two_people_at_one_browser_do_not_share_a_ceremony(world, browser):
    mallory = Browser(browser.app, world.person("mallory-id"))
    mallory.person.comes_to(Purpose.LOGIN)
    browser.person.has_totp().comes_to(Purpose.LOGIN)
    mallory.person.ceremony_id = browser.person.ceremony_id
    assert error_of(mallory.call("totp/verify", {"code": browser.person.code()})) == (410, "ceremony_refused")
