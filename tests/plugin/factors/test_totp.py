from __future__ import annotations

from urllib.parse import parse_qs, unquote, urlsplit

import pyotp
import pytest
from sqlalchemy import select

from plugin.ceremonies.types import Purpose, Stage
from plugin.errors import CeremonyRefused, FactorRejected
from plugin.factors.enrolment import CONSENT_TEXT_VERSION
from plugin.store.tables import TotpSecret


def the_check(world) -> str:
    return world.audited("factor_refused")[-1]["check"]


def test_app_gets_a_160_bit_secret_named_after_service_and_account(world):
    view = world.person().enrols_up_to(Stage.POSSESSION_SETUP)
    setup = world.totp.begin_setup(view, now=world.now)
    uri = urlsplit(setup.otpauth_uri)
    asked = parse_qs(uri.query)
    assert unquote(uri.path) == "/Facestep:Alice Example"
    assert asked["issuer"] == ["Facestep"]
    assert asked["secret"] == [setup.secret]
    assert len(pyotp.TOTP(setup.secret).byte_secret()) == 20


def test_account_without_display_name_is_named_by_its_id(world):
    person = world.person()
    person.enrols_up_to(Stage.INVITATION)
    issued = world.invitations.issue(person.owner, now=world.now)
    view = world.invitations.redeem(person.comes_to(Purpose.ENROL, display_name=""), issued.code, now=world.now)
    view = world.enrolment.give_consent(view, text_version=CONSENT_TEXT_VERSION, now=world.now)
    assert "alice-id" in world.totp.begin_setup(view, now=world.now).otpauth_uri


def test_reload_shows_the_same_secret(world):
    view = world.person().enrols_up_to(Stage.POSSESSION_SETUP)
    first = world.totp.begin_setup(view, now=world.now)
    again = world.totp.begin_setup(first.view, now=world.now)
    assert again.secret == first.secret
    assert again.view == first.view


def test_neither_secret_nor_uri_is_printed(world):
    setup = world.totp.begin_setup(world.person().enrols_up_to(Stage.POSSESSION_SETUP), now=world.now)
    assert setup.secret not in repr(setup)


def test_setup_needs_a_code_made_with_the_secret(world):
    person = world.person()
    setup = world.totp.begin_setup(person.enrols_up_to(Stage.POSSESSION_SETUP), now=world.now)
    wrong = pyotp.TOTP(pyotp.random_base32()).at(world.now)
    with pytest.raises(FactorRejected):
        world.totp.confirm_setup(setup.view, wrong, now=world.now)
    assert the_check(world) == "totp_wrong"
    assert not world.ceremonies.has_possession(person.owner)


def test_setup_refuses_what_is_no_code(world):
    setup = world.totp.begin_setup(world.person().enrols_up_to(Stage.POSSESSION_SETUP), now=world.now)
    with pytest.raises(FactorRejected):
        world.totp.confirm_setup(setup.view, "abc", now=world.now)


def test_setup_cannot_be_confirmed_before_it_began(world):
    view = world.person().enrols_up_to(Stage.POSSESSION_SETUP)
    with pytest.raises(FactorRejected):
        world.totp.confirm_setup(view, "123456", now=world.now)
    assert the_check(world) == "totp_not_begun"


def test_confirmed_setup_counts_as_possession_and_moves_on(world):
    person = world.person()
    view = person.sets_up_totp(person.enrols_up_to(Stage.POSSESSION_SETUP))
    assert view.stage is Stage.RECOVERY_CODES
    assert view.amr == ("otp",)
    assert world.audited("factor_added") == [{"factor": "totp"}]


def test_secret_in_the_database_is_sealed(world):
    person = world.person().has_totp()
    with world.database.reading() as session:
        row = session.scalar(select(TotpSecret))
    assert person.totp_secret not in row.sealed_secret


@pytest.mark.parametrize("steps", [-1, 0, 1])
def test_code_within_one_step_is_accepted(world, steps):
    person = world.person().has_totp()
    view = world.totp.verify(person.comes_to(Purpose.LOGIN), person.code(steps_later=steps), now=world.now)
    assert view.stage is Stage.FACE
    assert view.amr == ("otp",)
    assert world.audited("factor_accepted") == [{"factor": "totp"}]


@pytest.mark.parametrize("steps", [-3, -2, 2, 3])
def test_code_two_steps_away_is_refused(world, steps):
    person = world.person().has_totp()
    world.passes(seconds=300)
    with pytest.raises(FactorRejected):
        world.totp.verify(person.comes_to(Purpose.LOGIN), person.code(steps_later=steps), now=world.now)
    assert the_check(world) == "totp_wrong"


def test_gap_that_apps_show_may_be_typed(world):
    person = world.person().has_totp()
    code = person.code()
    assert world.totp.verify(person.comes_to(Purpose.LOGIN), f"{code[:3]} {code[3:]}", now=world.now)


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "abcdef", "１２３４５６", "٣٣٣٣٣٣", "12345\n"])  # noqa: RUF001
def test_what_cannot_be_a_code_is_refused_without_costing_an_attempt(world, typed):
    person = world.person().has_totp()
    for _ in range(7):
        with pytest.raises(FactorRejected):
            world.totp.verify(person.comes_to(Purpose.LOGIN), typed, now=world.now)
    assert the_check(world) == "totp_malformed"
    assert world.totp.verify(person.comes_to(Purpose.LOGIN), person.code(), now=world.now)


def test_person_without_secret_is_refused_like_anybody_else(world):
    person = world.person("nobody")
    with pytest.raises(FactorRejected) as refused:
        world.totp.verify(person.comes_to(Purpose.LOGIN), "123456", now=world.now)
    assert refused.value.code == "factor_rejected"
    assert the_check(world) == "not_enrolled"


def test_verification_outside_its_stage_is_refused(world):
    person = world.person().has_totp()
    view = person.proves_totp()
    world.passes(seconds=30)
    with pytest.raises(CeremonyRefused):
        world.totp.verify(view, person.code(), now=world.now)
    with pytest.raises(CeremonyRefused):
        world.totp.begin_setup(view, now=world.now)
    with pytest.raises(CeremonyRefused):
        world.totp.confirm_setup(view, person.code(), now=world.now)


def test_code_that_confirmed_the_setup_is_used_up(world):
    person = world.person()
    person.enrols_up_to(Stage.RECOVERY_CODES)
    world.passes(seconds=-60)
    with pytest.raises(FactorRejected):
        world.totp.verify(person.comes_to(Purpose.LOGIN), person.code(), now=world.now)
    assert the_check(world) == "totp_reused"


def test_new_secret_replaces_the_old_one(world):
    person = world.person().has_totp()
    old = person.totp_secret
    view = world.totp.verify(person.comes_to(Purpose.ENROL), person.code(), now=world.now)
    view = world.enrolment.give_consent(view, text_version=CONSENT_TEXT_VERSION, now=world.now)
    person.sets_up_totp(view)
    assert person.totp_secret != old
    assert person.proves_totp().stage is Stage.FACE
    world.passes(seconds=60)
    person.totp_secret = old
    with pytest.raises(FactorRejected):
        person.proves_totp()
