"""Attack: get past the colours. What is held before the camera is simulated; what the page claims is not.

The attacker has the password and a photo, perhaps a film of an earlier login, and obeys as he can. Not stopped are
a film that is relit live with an idea of the face's shape, and, by the near part alone, a photo bent round a cylinder:
that the turn tells (docs/threat-model.md).
"""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from biometric.errors import FramesInvalid
from biometric.limits import shipped
from biometric.liveness.challenge import COLOURS, HOLD_MS, parse_steps
from biometric.liveness.cues import colour
from biometric.liveness.cues.result import Verdict
from biometric.liveness.poses import Sampler
from biometric.liveness.stream import LIGHT_BY_MS, check_light
from tests.attacks.test_presentation import PHOTO
from tests.biometric.conftest import models_dir, pipeline
from tests.biometric.liveness.rig import Page, begin_session
from tests.biometric.liveness.test_near import BEGAN_MS, FLASH, SHOWN, lit
from tests.fixtures_cache import load_picture
from tests.simulator import Person, Subject, attacks
from tests.simulator.laboratory.surroundings import EncodedAnew

__all__ = ["models_dir", "pipeline"]

NEAR = parse_steps("closer flash")
OTHER = tuple(COLOURS[place] for place in (3, 4, 0, 1, 5, 2, 4))


def follows(evidence):
    """Return how well the frames that there are follow the colours, whatever gaps they have."""
    table = colour._lit(evidence)
    return colour.measure_light(table, evidence)["follows"] if len(table) >= colour.LEAST_FRAMES else 0.0


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


def test_frames_left_out_until_a_recording_follows_the_colours_are_not_measured():
    """He knows what he is compared with, so he can look for the frames of other light that happen to follow."""
    film = lit(shown=OTHER)
    rng = np.random.default_rng(1)
    assert colour.evaluate(film).verdict is Verdict.DENY

    def some():
        chosen = replace(film)
        chosen.rows = [row for row in film.rows if rng.random() < 0.25]
        return chosen

    searched = [some() for _ in range(300)]
    found = [colour.evaluate(one) for one in searched]
    assert {one.verdict for one in found} == {Verdict.DENY}
    limits = shipped().colour
    followed = [one for one in searched if follows(one) >= limits.follows]
    assert followed, "without the rule some of them would have followed"


@pytest.mark.parametrize("gap_ms", [0, 330])
def test_a_slow_camera_is_measured(gap_ms):
    film = lit()
    rows, film.rows = film.rows, []
    for row in rows:
        if not film.rows or row[0] - film.rows[-1][0] >= gap_ms:
            film.rows.append(row)
    assert colour.evaluate(film).verdict is Verdict.CONFIRM


@pytest.mark.parametrize("gap_at_ms", [BEGAN_MS, 2500, 4000])
def test_a_gap_under_the_light_is_not_measured(gap_at_ms):
    film = lit()
    film.rows = [row for row in film.rows if not gap_at_ms <= row[0] <= gap_at_ms + 500]
    assert colour.evaluate(film).why == "not_measured"


class Looks:
    """A sampler whose embedding only notes which frame it was."""

    def __init__(self, seed):
        self.evidence = lit()
        self.rows, self.evidence.rows = self.evidence.rows, []
        self.sampler = Sampler(self.evidence, None, chance=np.random.default_rng(seed))
        self.taken = []
        self.sampler._take = lambda pose, looks, cost: self.taken.extend(look.captured_ms for look in looks)

    def sees(self, batch):
        face = SimpleNamespace(yaw=0.0)
        for row in self.rows:
            self.evidence.rows.append(row)
            if len(self.evidence.rows) % batch == 0 and not self.taken:
                looks = [SimpleNamespace(captured_ms=float(one[0]), face=face) for one in self.evidence.rows[-batch:]]
                self.sampler.take_step(FLASH, looks, mark=self.evidence.marks[0], done=False)
        return self.taken


@pytest.mark.parametrize("batch", [1, 6])
def test_which_frame_under_the_light_is_compared_nobody_can_foresee(batch):
    """In single frames, too: who could tell would show the victim in that one and be lit himself in the others."""
    taken = [Looks(seed).sees(batch) for seed in range(200)]
    assert {len(one) for one in taken} == {1}
    times = np.array(taken)[:, 0]
    ends = BEGAN_MS + HOLD_MS * len(SHOWN)
    assert ((times >= BEGAN_MS) & (times <= ends)).all()
    counts, _ = np.histogram(times, bins=6, range=(BEGAN_MS, ends - colour.LONGEST_GAP_MS))
    assert counts.min() >= 15, "every moment alike"


@pytest.mark.parametrize("claimed_ms", [0, 899, 900 + LIGHT_BY_MS + 1, 60_000])
def test_10_the_colours_cannot_have_begun_before_they_were_told_or_after_the_batch(claimed_ms):
    evidence = lit()
    evidence.light_ms, evidence.served_ms, evidence.rows = None, 30_000, []
    with pytest.raises(FramesInvalid, match="light"):
        check_light(claimed_ms, evidence=evidence)
    assert evidence.broken == "light"


def test_10_nor_can_the_beginning_be_chosen_after_the_frames_were_sent():
    evidence = lit()
    evidence.light_ms, evidence.served_ms = None, 30_000
    with pytest.raises(FramesInvalid, match="light"):
        check_light(int(evidence.last_ms) - 300, evidence=evidence)


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
