from __future__ import annotations

import pytest
from sqlalchemy import func, select

from plugin.ceremonies.attempts import Counted
from plugin.ceremonies.types import Purpose, Stage
from plugin.errors import CeremonyRefused, FactorRejected
from plugin.factors.enrolment import CONSENT_TEXT_VERSION, find_consent
from plugin.factors.policy import PossessionOptions, available
from plugin.store.instants import to_ms
from plugin.store.tables import (
    Attempts,
    AuditEntry,
    Base,
    Ceremony,
    Consent,
)


def test_consent_is_recorded_with_its_text_and_language(world):
    view = world.person().enrols_up_to(Stage.CONSENT)
    view = world.enrolment.give_consent(view, text_version=CONSENT_TEXT_VERSION, now=world.now)
    assert view.stage is Stage.POSSESSION_SETUP
    consent_id = find_consent(view, database=world.database).id
    assert world.audited("consent_given") == [
        {"consent_id": consent_id, "text_version": CONSENT_TEXT_VERSION, "locale": "en"}
    ]


def test_consent_to_a_text_that_is_no_longer_shown_does_not_count(world):
    view = world.person().enrols_up_to(Stage.CONSENT)
    with pytest.raises(FactorRejected, match="consent_missing"):
        world.enrolment.give_consent(view, text_version="2025-9", now=world.now)


def test_consent_is_asked_at_its_stage_only(world):
    with pytest.raises(CeremonyRefused):
        world.enrolment.give_consent(
            world.person().comes_to(Purpose.ENROL), text_version=CONSENT_TEXT_VERSION, now=world.now
        )


def test_consent_of_an_earlier_enrolment_does_not_count(world):
    person = world.person().has_totp()
    view = person.comes_to(Purpose.ENROL)
    with pytest.raises(FactorRejected, match="consent_missing"):
        find_consent(view, database=world.database)


def test_person_who_proved_a_factor_may_keep_it(world):
    person = world.person().has_totp()
    view = world.totp.verify(person.comes_to(Purpose.ENROL), person.code(), now=world.now)
    assert view.stage is Stage.CONSENT
    view = world.enrolment.give_consent(view, text_version=CONSENT_TEXT_VERSION, now=world.now)
    assert world.enrolment.keep_possession(view, now=world.now).stage is Stage.RECOVERY_CODES


def test_first_enrolment_has_nothing_to_keep(world):
    view = world.person().enrols_up_to(Stage.POSSESSION_SETUP)
    with pytest.raises(CeremonyRefused, match="possession_first"):
        world.enrolment.keep_possession(view, now=world.now)


def test_keeping_has_its_stage(world):
    with pytest.raises(CeremonyRefused):
        world.enrolment.keep_possession(world.person().comes_to(Purpose.ENROL), now=world.now)


def test_nothing_is_kept_if_it_was_erased_meanwhile(world):
    person = world.person().has_totp()
    view = world.totp.verify(person.comes_to(Purpose.ENROL), person.code(), now=world.now)
    view = world.enrolment.give_consent(view, text_version=CONSENT_TEXT_VERSION, now=world.now)
    world.enrolment.erase(person.owner, now=world.now)
    with pytest.raises(CeremonyRefused):
        world.enrolment.keep_possession(view, now=world.now)


def test_erasure_leaves_no_row_of_the_subject_but_log_counters_and_withdrawn_consent(world):
    person = world.person().has_totp()
    other = world.person("bob-id").has_totp()
    world.attempts.take(person.owner, Counted.FACE, now=world.now)
    assert world.enrolment.erase(person.owner, now=world.now)
    left = {}
    with world.database.reading() as session:
        for mapper in Base.registry.mappers:
            table = mapper.class_
            if hasattr(table, "subject"):
                query = select(func.count()).select_from(table).where(table.subject == person.owner.subject)
                left[table] = session.scalar(query)
        assert session.scalar(select(Consent.withdrawn_ms).filter_by(subject="alice-id")) == to_ms(world.now)
    assert {table for table, count in left.items() if count} == {AuditEntry, Attempts, Consent}
    assert Ceremony in left
    assert other.proves_totp().stage is Stage.FACE
    (entry,) = world.audited("erased")
    assert entry["totp_secrets"] == 1
    assert entry["recovery_codes"] == 10


def test_erasure_is_safe_to_repeat(world):
    person = world.person().has_totp()
    assert world.enrolment.erase(person.owner, now=world.now)
    assert not world.enrolment.erase(person.owner, now=world.now)
    assert len(world.audited("erased")) == 1


def test_erasure_of_one_issuer_leaves_the_same_id_at_another_alone(world):
    here, there = world.person(), world.person(issuer="https://other.example")
    here.has_totp()
    there.has_totp()
    world.enrolment.erase(here.owner, now=world.now)
    assert there.proves_totp().stage is Stage.FACE


def test_ways_on_offer_are_those_the_person_has(world):
    person = world.person()
    assert available(person.owner, database=world.database) == PossessionOptions(True, False, False)
    person.has_totp()
    assert available(person.owner, database=world.database) == PossessionOptions(True, False, True)
    bob = world.person("bob-id").has_key()
    assert available(bob.owner, database=world.database) == PossessionOptions(False, True, False)


def test_used_up_recovery_codes_are_not_offered(world):
    person = world.person().has_totp()
    for code in person.codes:
        world.recovery_codes.verify(person.comes_to(Purpose.LOGIN), code, now=world.now)
    assert not available(person.owner, database=world.database).recovery
