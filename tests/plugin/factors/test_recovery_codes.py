from __future__ import annotations

import time
from math import log2

import pytest
from sqlalchemy import func, select

from plugin.ceremonies.types import Purpose, Stage
from plugin.errors import CeremonyRefused, FactorRejected
from plugin.factors import lookup_secrets, spending
from plugin.factors.enrolment import CONSENT_TEXT_VERSION
from plugin.store.tables import RecoveryCode


def refused(world, call, *args) -> str:
    with pytest.raises(FactorRejected):
        call(*args, now=world.now)
    return world.audited("factor_refused")[-1]["check"]


def test_ten_codes_of_at_least_64_secret_bits_are_shown(world):
    shown = world.recovery_codes.show(world.person().enrols_up_to(Stage.RECOVERY_CODES), now=world.now)
    assert len(set(shown.codes)) == 10
    secret_signs = len(shown.codes[0].replace("-", "")) - 1  # the first is the selector
    assert secret_signs * log2(len(lookup_secrets.ALPHABET)) >= 64
    assert all(len(group) == 4 for code in shown.codes for group in code.split("-"))
    assert shown.codes[0] not in repr(shown)


def test_reload_shows_the_same_codes_until_they_are_saved(world):
    shown = world.recovery_codes.show(world.person().enrols_up_to(Stage.RECOVERY_CODES), now=world.now)
    again = world.recovery_codes.show(shown.view, now=world.now)
    assert again.codes == shown.codes
    view = world.recovery_codes.acknowledge(again.view, now=world.now)
    assert view.stage is Stage.FACE
    with pytest.raises(CeremonyRefused):
        world.recovery_codes.show(view, now=world.now)
    with pytest.raises(CeremonyRefused):
        world.recovery_codes.acknowledge(view, now=world.now)
    assert world.audited("recovery_codes_issued") == [{"factor": "recovery", "count": 10}]


def test_codes_that_were_never_shown_cannot_be_acknowledged(world):
    view = world.person().enrols_up_to(Stage.RECOVERY_CODES)
    assert refused(world, world.recovery_codes.acknowledge, view) == "recovery_not_shown"


def test_database_holds_hashes_only(world):
    person = world.person().has_totp()
    with world.database.reading() as session:
        hashes = list(session.scalars(select(RecoveryCode.code_hash)))
    assert len(hashes) == 10
    assert all(value.startswith("$argon2id$") for value in hashes)
    assert person.codes[0].replace("-", "") not in "".join(hashes)


def test_code_takes_the_place_of_the_phone_once(world):
    person = world.person().has_totp()
    view = world.recovery_codes.verify(person.comes_to(Purpose.LOGIN), person.codes[3], now=world.now)
    assert (view.stage, view.amr) == (Stage.FACE, ("otp",))
    assert world.audited("factor_accepted") == [{"factor": "recovery"}]
    login = person.comes_to(Purpose.LOGIN)
    assert refused(world, world.recovery_codes.verify, login, person.codes[3]) == "recovery_used"
    assert world.recovery_codes.verify(login, person.codes[4], now=world.now).stage is Stage.FACE


def test_code_is_read_as_people_copy_it(world):
    person = world.person().has_totp()
    typed = " " + person.codes[0].lower().replace("-", " ").replace("0", "o").replace("1", "l")
    assert world.recovery_codes.verify(person.comes_to(Purpose.LOGIN), typed, now=world.now).stage is Stage.FACE


@pytest.mark.parametrize("typed", ["", "ABCD", "U" * 16, "0" * 15, "0" * 17, "ÀÀÀÀ-ÀÀÀÀ-ÀÀÀÀ-ÀÀÀÀ"])
def test_what_cannot_be_a_code_does_not_cost_an_attempt(world, typed):
    person = world.person().has_totp()
    for _ in range(6):
        assert (
            refused(world, world.recovery_codes.verify, person.comes_to(Purpose.LOGIN), typed) == "recovery_malformed"
        )
    assert world.recovery_codes.verify(person.comes_to(Purpose.LOGIN), person.codes[0], now=world.now)


def test_secret_of_one_code_does_not_fit_the_selector_of_another(world):
    person = world.person().has_totp()
    mixed = person.codes[1][0] + person.codes[0][1:]
    assert refused(world, world.recovery_codes.verify, person.comes_to(Purpose.LOGIN), mixed) == "recovery_wrong"


def test_code_of_another_person_is_refused(world):
    alice, bob = world.person().has_totp(), world.person("bob-id").has_totp()
    assert refused(world, world.recovery_codes.verify, alice.comes_to(Purpose.LOGIN), bob.codes[0]) == "recovery_wrong"


def test_person_without_codes_is_refused_after_as_much_work(world, monkeypatch):
    verified = []
    monkeypatch.setattr(lookup_secrets, "_decoy", lambda: verified.append("decoy") or lookup_secrets.hashed("x"))
    login = world.person("nobody").comes_to(Purpose.LOGIN)
    assert refused(world, world.recovery_codes.verify, login, "0" * 16) == "recovery_wrong"
    assert verified == ["decoy"]


def test_codes_work_at_the_possession_stage_only(world):
    person = world.person().has_totp()
    view = person.proves_totp()
    with pytest.raises(CeremonyRefused):
        world.recovery_codes.verify(view, person.codes[0], now=world.now)


def test_new_set_replaces_the_old_one(world):
    person = world.person().has_totp()
    old = person.codes
    view = world.totp.verify(person.comes_to(Purpose.ENROL), person.code(), now=world.now)
    view = world.enrolment.give_consent(view, text_version=CONSENT_TEXT_VERSION, now=world.now)
    view = world.enrolment.keep_possession(view, now=world.now)
    shown = world.recovery_codes.show(view, now=world.now)
    world.recovery_codes.acknowledge(shown.view, now=world.now)
    login = person.comes_to(Purpose.LOGIN)
    assert refused(world, world.recovery_codes.verify, login, old[0]) == "recovery_wrong"
    assert world.recovery_codes.verify(login, shown.codes[0], now=world.now).stage is Stage.FACE
    with world.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(RecoveryCode)) == 10


def test_of_two_uses_that_race_one_wins(world, monkeypatch):
    person = world.person().has_totp()
    first, second = person.comes_to(Purpose.LOGIN), world.person().comes_to(Purpose.LOGIN)
    mac_of = spending.mac_of

    def overtaken(*args, **kwargs):
        monkeypatch.setattr(spending, "mac_of", mac_of)
        world.recovery_codes.verify(second, person.codes[0], now=world.now)
        return mac_of(*args, **kwargs)

    monkeypatch.setattr(spending, "mac_of", overtaken)
    assert refused(world, world.recovery_codes.verify, first, person.codes[0]) == "recovery_used"


def test_damaged_hash_fits_nothing():
    assert not lookup_secrets.fits("0" * 16, "not a hash")


def test_shipped_hash_is_slow_enough_and_not_too_slow():
    begun = time.process_time()
    code_hash = lookup_secrets.hashed("0" * 16)
    spent = time.process_time() - begun
    assert "m=19456,t=2,p=1" in code_hash
    assert 0.005 < spent < 1
