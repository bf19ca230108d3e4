from __future__ import annotations

import json

import pytest
from sqlalchemy import update

from plugin.ceremonies.types import Purpose, Stage
from plugin.errors import CeremonyRefused, FactorRejected
from plugin.factors.enrolment import CONSENT_TEXT_VERSION
from plugin.factors.webauthn import MAX_CREDENTIALS
from plugin.store.tables import WebauthnCredential
from tests.plugin.factors.soft_key import SoftKey, b64
from vault.interface import WrongMac


def refused(world, call, *args) -> str:
    """Expect a refusal and return the check that the audit log names."""
    with pytest.raises(FactorRejected):
        call(*args, now=world.now)
    return world.audited("factor_refused")[-1]["check"]


def comes_with_key(world, person):
    """Return the ceremony and the answer of the person's key, not yet sent."""
    options = world.webauthn.authentication_options(person.comes_to(Purpose.LOGIN), now=world.now)
    return options.view, person.key.get(options.json)


def test_registration_asks_for_verification_and_a_resident_key(world):
    view = world.person().enrols_up_to(Stage.POSSESSION_SETUP)
    asked = json.loads(world.webauthn.registration_options(view, now=world.now).json)
    assert asked["authenticatorSelection"]["userVerification"] == "required"
    assert asked["authenticatorSelection"]["residentKey"] == "required"
    assert asked["authenticatorSelection"]["requireResidentKey"] is True
    assert asked["rp"] == {"id": "localhost", "name": "Facestep"}
    assert "alice-id" not in json.dumps(asked["user"]["id"])
    assert asked["attestation"] == "none"


def test_registered_key_counts_as_hardware(world):
    person = world.person()
    view = person.sets_up_key(person.enrols_up_to(Stage.POSSESSION_SETUP))
    assert view.stage is Stage.RECOVERY_CODES
    assert view.amr == ("hwk",)
    (entry,) = world.audited("factor_added")
    assert entry["factor"] == "webauthn"


def test_login_with_key_reaches_the_face(world):
    person = world.person().has_key()
    view, answer = comes_with_key(world, person)
    view = world.webauthn.authenticate(view, answer, now=world.now)
    assert (view.stage, view.amr) == (Stage.FACE, ("hwk",))
    assert world.audited("factor_accepted")[-1]["sign_count"] == 1


def test_synced_passkey_counts_as_software_key(world):
    person = world.person()
    person.key.backup_eligible = True
    person.has_key()
    view, answer = comes_with_key(world, person)
    assert world.webauthn.authenticate(view, answer, now=world.now).amr == ("swk",)


def test_passkey_that_does_not_count_is_accepted_again_and_again(world):
    person = world.person()
    person.key.step = 0
    person.has_key()
    for _ in range(3):
        view, answer = comes_with_key(world, person)
        assert world.webauthn.authenticate(view, answer, now=world.now).stage is Stage.FACE


def test_login_names_the_keys_of_this_person_only_and_requires_verification(world):
    person = world.person().has_key()
    world.person("bob-id").has_key()
    asked = json.loads(world.webauthn.authentication_options(person.comes_to(Purpose.LOGIN), now=world.now).json)
    assert [key["id"] for key in asked["allowCredentials"]] == [b64(person.key.credential_id)]
    assert asked["allowCredentials"][0]["transports"] == ["usb"]
    assert asked["userVerification"] == "required"


def test_key_the_person_has_is_excluded_from_a_second_registration(world):
    person = world.person().has_key()
    options = world.webauthn.authentication_options(person.comes_to(Purpose.ENROL), now=world.now)
    view = world.webauthn.authenticate(options.view, person.key.get(options.json), now=world.now)
    view = world.enrolment.give_consent(view, text_version=CONSENT_TEXT_VERSION, now=world.now)
    asked = json.loads(world.webauthn.registration_options(view, now=world.now).json)
    assert [key["id"] for key in asked["excludeCredentials"]] == [b64(person.key.credential_id)]


def test_key_without_transports_and_display_name_can_register(world):
    person = world.person()
    issued = world.invitations.issue(person.owner, now=world.now)
    view = world.invitations.redeem(person.comes_to(Purpose.ENROL, display_name=""), issued.code, now=world.now)
    view = world.enrolment.give_consent(view, text_version=CONSENT_TEXT_VERSION, now=world.now)
    options = world.webauthn.registration_options(view, now=world.now)
    answer = person.key.create(options.json)
    del answer["response"]["transports"]
    assert world.webauthn.register(options.view, answer, now=world.now).stage is Stage.RECOVERY_CODES
    asked = json.loads(world.webauthn.authentication_options(person.comes_to(Purpose.LOGIN), now=world.now).json)
    assert "transports" not in asked["allowCredentials"][0]


@pytest.mark.parametrize(
    "wrong",
    [
        {"origin": "http://localhost:8101"},
        {"origin": "https://localhost:8100"},
        {"origin": "http://evil.example"},
        {"rp_id": "evil.example"},
        {"user_verified": False},
    ],
    ids=lambda wrong: "-".join(map(str, wrong.values())),
)
def test_registration_by_a_wrong_page_or_without_verification_is_refused(world, wrong):
    person = world.person()
    view = person.enrols_up_to(Stage.POSSESSION_SETUP)
    for name, value in wrong.items():
        setattr(person.key, name, value)
    options = world.webauthn.registration_options(view, now=world.now)
    assert refused(world, world.webauthn.register, options.view, person.key.create(options.json)) == "webauthn_invalid"
    assert not world.ceremonies.has_possession(person.owner)


@pytest.mark.parametrize(
    "wrong",
    [
        {"origin": "http://localhost:8101"},
        {"origin": "http://evil.example"},
        {"rp_id": "evil.example"},
        {"user_verified": False},
    ],
    ids=lambda wrong: "-".join(map(str, wrong.values())),
)
def test_login_by_a_wrong_page_or_without_verification_is_refused(world, wrong):
    person = world.person().has_key()
    for name, value in wrong.items():
        setattr(person.key, name, value)
    assert refused(world, world.webauthn.authenticate, *comes_with_key(world, person)) == "webauthn_invalid"


@pytest.mark.parametrize("answer", [{}, {"id": 1}, {"id": "AA", "rawId": "AA", "type": "public-key", "response": {}}])
def test_nonsense_is_a_refusal_and_no_fault(world, answer):
    person = world.person().has_key()
    view, _ = comes_with_key(world, person)
    assert refused(world, world.webauthn.authenticate, view, answer) == "webauthn_invalid"
    view = world.person("new").enrols_up_to(Stage.POSSESSION_SETUP)
    view = world.webauthn.registration_options(view, now=world.now).view
    assert refused(world, world.webauthn.register, view, answer) == "webauthn_invalid"


def test_signature_of_another_key_is_refused(world):
    person = world.person().has_key()
    person.key.private = SoftKey(origin="").private
    assert refused(world, world.webauthn.authenticate, *comes_with_key(world, person)) == "webauthn_invalid"


def test_key_of_another_person_is_refused(world):
    world.person().has_key()
    bob = world.person("bob-id").has_key()
    alice_without_key = world.person()
    alice_without_key.key = bob.key
    view, answer = comes_with_key(world, alice_without_key)
    assert refused(world, world.webauthn.authenticate, view, answer) == "webauthn_unknown_key"


def test_answer_for_another_user_handle_is_refused(world):
    person = world.person().has_key()
    person.key.user_handle = b"somebody else"
    assert refused(world, world.webauthn.authenticate, *comes_with_key(world, person)) == "webauthn_other_user"


def test_authenticator_may_leave_the_user_handle_out(world):
    person = world.person().has_key()
    person.key.user_handle = None
    view, answer = comes_with_key(world, person)
    assert world.webauthn.authenticate(view, answer, now=world.now).stage is Stage.FACE


def test_answer_given_inside_a_foreign_page_is_refused(world):
    person = world.person().has_key()
    person.key.cross_origin = True
    assert refused(world, world.webauthn.authenticate, *comes_with_key(world, person)) == "webauthn_foreign_page"


def test_answer_without_a_challenge_is_refused(world):
    person = world.person().has_key()
    _, answer = comes_with_key(world, person)
    view = person.comes_to(Purpose.LOGIN)
    assert refused(world, world.webauthn.authenticate, view, answer) == "webauthn_no_challenge"


def test_challenge_is_consumed_even_by_a_wrong_answer(world):
    person = world.person().has_key()
    view, answer = comes_with_key(world, person)
    assert refused(world, world.webauthn.authenticate, view, {}) == "webauthn_invalid"
    assert refused(world, world.webauthn.authenticate, person.view(), answer) == "webauthn_no_challenge"


def test_answer_to_the_challenge_of_another_ceremony_is_refused(world):
    person = world.person().has_key()
    _, old = comes_with_key(world, person)
    view, _ = comes_with_key(world, person)
    assert refused(world, world.webauthn.authenticate, view, old) == "webauthn_invalid"


def test_registration_answer_is_good_once(world):
    person = world.person()
    options = world.webauthn.registration_options(person.enrols_up_to(Stage.POSSESSION_SETUP), now=world.now)
    answer = person.key.create(options.json)
    world.webauthn.register(options.view, answer, now=world.now)
    with pytest.raises(CeremonyRefused):
        world.webauthn.register(options.view, answer, now=world.now)


def test_sign_count_that_does_not_rise_shows_a_clone(world):
    person = world.person().has_key()
    view, answer = comes_with_key(world, person)
    world.webauthn.authenticate(view, answer, now=world.now)
    person.key.counter = 0
    assert refused(world, world.webauthn.authenticate, *comes_with_key(world, person)) == "webauthn_sign_count"


def test_key_that_stops_counting_is_refused(world):
    person = world.person().has_key()
    view, answer = comes_with_key(world, person)
    world.webauthn.authenticate(view, answer, now=world.now)
    person.key.counter, person.key.step = 0, 0
    assert refused(world, world.webauthn.authenticate, *comes_with_key(world, person)) == "webauthn_sign_count"


def test_key_that_becomes_synced_is_refused(world):
    person = world.person().has_key()
    person.key.backup_eligible = True
    assert refused(world, world.webauthn.authenticate, *comes_with_key(world, person)) == "webauthn_backup_changed"


def test_credential_that_somebody_has_cannot_be_registered_again(world):
    person = world.person().has_key()
    thief = world.person("thief")
    thief.key = person.key
    options = world.webauthn.registration_options(thief.enrols_up_to(Stage.POSSESSION_SETUP), now=world.now)
    answer = thief.key.create(options.json)
    assert refused(world, world.webauthn.register, options.view, answer) == "webauthn_known_key"
    assert not world.ceremonies.has_possession(thief.owner)


def test_table_cannot_be_filled_with_keys(world):
    person = world.person()
    view = person.enrols_up_to(Stage.POSSESSION_SETUP)
    for _ in range(MAX_CREDENTIALS):
        person.key = SoftKey(origin="http://localhost:8100")
        options = world.webauthn.registration_options(view, now=world.now)
        world.webauthn.register(options.view, person.key.create(options.json), now=world.now)
        options = world.webauthn.authentication_options(person.comes_to(Purpose.ENROL), now=world.now)
        view = world.webauthn.authenticate(options.view, person.key.get(options.json), now=world.now)
        view = world.enrolment.give_consent(view, text_version=CONSENT_TEXT_VERSION, now=world.now)
    assert refused(world, world.webauthn.registration_options, view) == "webauthn_too_many_keys"


def test_edited_key_row_is_not_believed(world):
    person = world.person().has_key()
    view, answer = comes_with_key(world, person)
    world.run(update(WebauthnCredential).values(public_key=b"my own key"))
    with pytest.raises(WrongMac):
        world.webauthn.authenticate(view, answer, now=world.now)
    assert world.audited("integrity_failed") == [{"table": "webauthn_credentials"}]


def test_of_two_logins_that_race_with_one_count_one_wins(world, monkeypatch):
    person = world.person().has_key()
    first_view, first = comes_with_key(world, person)
    person.key.counter = 0
    second_view, second = comes_with_key(world, person)
    check = world.webauthn._check

    def overtaken(*args, **kwargs):
        result = check(*args, **kwargs)
        monkeypatch.setattr(world.webauthn, "_check", check)
        world.webauthn.authenticate(second_view, second, now=world.now)
        return result

    monkeypatch.setattr(world.webauthn, "_check", overtaken)
    assert refused(world, world.webauthn.authenticate, first_view, first) == "webauthn_raced"


def test_options_are_given_at_their_stage_only(world):
    person = world.person().has_key()
    with pytest.raises(CeremonyRefused):
        world.webauthn.registration_options(person.comes_to(Purpose.LOGIN), now=world.now)
    with pytest.raises(CeremonyRefused):
        world.webauthn.authentication_options(world.person("new").comes_to(Purpose.ENROL), now=world.now)
