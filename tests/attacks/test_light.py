"""Attack: get past the colours. What is held before the camera is simulated; what the page claims is not.

The attacker has the password and a photo, perhaps a film of an earlier login, and obeys as he can. Not stopped are
a film that is relit live with an idea of the face's shape, and, by the near part alone, a photo bent round a cylinder:
that the turn tells (docs/threat-model.md).
"""

import pytest

from biometric.errors import FramesInvalid
from biometric.liveness.challenge import parse_steps
from biometric.liveness.stream import check_light
from tests.attacks.test_presentation import PHOTO
from tests.biometric.conftest import models_dir, pipeline
from tests.biometric.liveness.rig import Page, begin_session
from tests.biometric.liveness.test_near import lit
from tests.fixtures_cache import load_picture
from tests.simulator import Person, Subject, attacks
from tests.simulator.laboratory.surroundings import EncodedAnew

__all__ = ["models_dir", "pipeline"]

NEAR = parse_steps("closer flash")


class Unlit:
    """A face that obeys, steered by a computer: our light does not fall on it."""

    def __init__(self, actor):
        self.show, self.frame = actor.show, actor.frame


@pytest.fixture(scope="module")
def reference(pipeline):
    return pipeline.still(load_picture(PHOTO)).embeddings


@pytest.fixture
def near_part(pipeline, reference):
    """Play coming closer and the colours; return why it was refused."""

    def play(actor, *, seed=3, steps=NEAR):
        page = Page(actor, begin_session(steps, pauses_ms=(500,) * len(steps), seed=seed), pipeline)
        page.play()
        return page, page.session.report(reference=reference, calibration=pipeline.calibration)

    return play


@pytest.mark.models
def test_the_owner_who_is_lit_confirms_the_light(near_part):
    _, report = near_part(Person(Subject(load_picture(PHOTO)), seed=4))
    assert "colour" in report.confirmed_by


@pytest.mark.models
def test_the_owners_face_without_our_light_is_refused(near_part):
    _, report = near_part(Unlit(Person(Subject(load_picture(PHOTO)), seed=4)))
    assert "colour:no_light" in report.reasons


@pytest.mark.models
def test_a_photo_brought_nearer_and_lit_is_refused_twice_over(near_part):
    _, report = near_part(attacks.PrintedPhoto(load_picture(PHOTO), seed=4))
    assert {"perspective:flat", "colour:flat"} <= set(report.reasons)


@pytest.mark.models
@pytest.mark.parametrize("seed", [4, 5])
def test_a_bent_photo_that_is_turned_brought_nearer_and_lit_is_refused(near_part, seed):
    sheet = attacks.PrintedPhoto(load_picture(PHOTO), seed=seed, bend_radius_m=0.10)
    _, report = near_part(sheet, steps=parse_steps("turn_left closer flash"))
    assert not report.accepted


@pytest.mark.models
def test_a_film_lit_by_an_earlier_logins_colours_is_refused(near_part):
    page, _ = near_part(Person(Subject(load_picture(PHOTO)), seed=4), seed=8)
    film = EncodedAnew(attacks.Injected([frame.jpeg for frame in page.sent]), seed=9)
    _, report = near_part(film, seed=3)
    assert not report.accepted
    assert "colour" not in report.confirmed_by


@pytest.mark.parametrize("claimed_ms", [0, 899, 60_000])
def test_10_the_colours_cannot_have_begun_before_they_were_told_or_after_the_batch(claimed_ms):
    evidence = lit()
    evidence.light_ms, evidence.served_ms = None, 2000
    with pytest.raises(FramesInvalid, match="light"):
        check_light(claimed_ms, evidence=evidence)
    assert evidence.broken == "light"


def test_10_their_beginning_cannot_be_claimed_twice():
    evidence = lit()
    evidence.served_ms = 6000
    check_light(evidence.light_ms, evidence=evidence)
    with pytest.raises(FramesInvalid, match="light"):
        check_light(evidence.light_ms + 300, evidence=evidence)


def test_10_nor_in_a_challenge_that_has_none():
    evidence = lit()
    evidence.light_ms, evidence.steps, evidence.served_ms = None, parse_steps("smile"), 6000
    with pytest.raises(FramesInvalid, match="light"):
        check_light(1500, evidence=evidence)
