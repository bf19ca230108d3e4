"""The camera without the phone: the face step is opened before possession is proven."""

from __future__ import annotations

import pytest

from plugin.ceremonies.types import Purpose, Stage
from plugin.errors import CeremonyRefused, FactorRejected
from tests.plugin.factors.scripted import shows


def test_face_step_opened_first_is_refused_and_audited(world):
    person = world.person().has_face()
    view = person.comes_to(Purpose.LOGIN)
    with pytest.raises(CeremonyRefused) as refused:
        world.face.start(view, now=world.now)
    assert refused.value.code == "possession_first"
    with pytest.raises(CeremonyRefused):
        world.face.push(view, shows("done:alice"), now=world.now)
    assert world.audited("face_refused") == [{"check": "possession_first", "stage": "possession"}] * 2
    assert world.audited("face_challenge_drawn")[1:] == []


def test_right_face_with_a_wrong_code_goes_nowhere(world):
    person = world.person().has_face()
    view = person.comes_to(Purpose.LOGIN)
    wrong = f"{(int(person.code()) + 1) % 1_000_000:06d}"
    with pytest.raises(FactorRejected):
        world.totp.verify(view, wrong, now=world.now)
    with pytest.raises(CeremonyRefused, match="possession_first"):
        person.shows("alice", person.view())


def test_possession_of_one_ceremony_does_not_carry_into_the_next(world):
    person = world.person().has_face()
    person.proves_totp()
    with pytest.raises(CeremonyRefused, match="possession_first"):
        world.face.start(person.comes_to(Purpose.LOGIN), now=world.now)


def test_possession_of_another_subject_does_not_count(world):
    alice, mallory = world.person().has_face(), world.person("mallory").has_face("mallory")
    with pytest.raises(FactorRejected):
        world.totp.verify(alice.comes_to(Purpose.LOGIN), mallory.code(), now=world.now)


def test_face_alone_cannot_be_made_into_a_result(world):
    person = world.person().has_face()
    view = person.comes_to(Purpose.LOGIN)
    for stage in Stage:
        with pytest.raises(CeremonyRefused):
            world.ceremonies.advance(view, to=stage, proven="face", now=world.now)
    with pytest.raises(CeremonyRefused):
        world.ceremonies.issue_code(view, now=world.now)


def test_unfinished_enrolment_cannot_jump_to_the_camera(world):
    for stage in (Stage.INVITATION, Stage.CONSENT, Stage.POSSESSION_SETUP, Stage.RECOVERY_CODES):
        view = world.person(f"subject-{stage}").enrols_up_to(stage)
        with pytest.raises(CeremonyRefused, match="possession_first"):
            world.face.start(view, now=world.now)
