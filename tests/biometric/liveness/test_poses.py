"""Which frames are compared: chance says, and only where the face did what was asked (evidence written by hand)."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from biometric.liveness.challenge import Step, StepKind
from biometric.liveness.evidence import Pose
from biometric.liveness.poses import STRAIGHT, Sampler
from biometric.liveness.steps.blink import OPEN
from tests.biometric.liveness.rows import BASELINE, BLINK_TWICE, FRAME_MS, SMILE, TURN, Script

CLOSER = Step(StepKind.CLOSER)
NEAR = {"near_relief": 1.0, "near_tracked": 0.8}


class Watched:
    """A sampler whose embedding only notes which frame it was."""

    def __init__(self, script: Script, step: Step, *, seed: int) -> None:
        self.evidence = script.evidence(step)
        self.rows, self.evidence.rows = self.evidence.rows, []
        self.step = step
        self.sampler = Sampler(self.evidence, None, chance=np.random.default_rng(seed))
        self.sampler._take = self._note
        self.taken = None
        self.said = []

    def _note(self, pose, looks, cost):
        seen = [(cost(look.face), look.captured_ms) for look in looks]
        if seen and self.taken is None:
            self.taken = round(min(seen)[1] / FRAME_MS)
        return bool(seen)

    def sees(self, batch=1):
        """Return the place of the frame that was taken; the last batch ends the step."""
        for end in range(batch, len(self.rows) + 1, batch):
            self.evidence.rows = self.rows[:end]
            looks = [self._look(row) for row in self.rows[end - batch : end]]
            done = end + batch > len(self.rows)
            self.said.append(self.sampler.take_step(self.step, looks, mark=self.evidence.marks[0], done=done))
            if self.taken is not None:
                break
        return self.taken

    def _look(self, row):
        names = ("yaw", "ear_right", "ear_left", "mouth_width", "corners_up")
        one = self.evidence.__class__((), (), self.evidence.mode, rows=[row])
        values = {name: float(one.column(name)[0]) for name in names}
        return SimpleNamespace(captured_ms=float(row[0]), face=SimpleNamespace(**values))


def places(script, step, *, batch=1, times=300):
    return np.array([Watched(script(), step, seed=seed).sees(batch) for seed in range(times)])


@pytest.mark.parametrize("batch", [1, 6])
def test_before_a_smile_and_within_it_are_compared_alike(batch):
    taken = places(lambda: Script().rest(12).smile(8).rest(4), SMILE, batch=batch)
    before, within = (taken < 12).mean(), ((taken >= 12) & (taken < 20)).mean()
    assert before > 0.3
    assert within > 0.25
    assert len(np.unique(taken)) > 12, "no frame is the one"


def test_closed_eyes_are_not_compared_and_the_end_of_the_blinks_is_not_the_only_place():
    script = Script().rest(8).blink().blink().rest(9)
    rows = script.evidence(BLINK_TWICE).column("ear_right")
    taken = places(lambda: Script().rest(8).blink().blink().rest(9), BLINK_TWICE)
    assert (rows[taken] >= OPEN * BASELINE.ear).all()
    counts, _ = np.histogram(taken, bins=3, range=(0, len(rows)))
    assert counts.min() > 20


def test_a_turn_is_compared_where_the_skin_was_followed():
    def script():
        return Script().rest(4).yaw(15, 20, tracked=np.nan, relief=np.nan).yaw(22, 24, 30, 34)

    taken = places(script, TURN)
    assert set(taken) == {6, 7, 9}, "9: what the draw left to the end"
    assert (taken == 9).mean() < 0.2


def test_a_turn_through_which_nothing_was_followed_leaves_no_frame():
    watched = Watched(Script().rest(4).yaw(15, 20, 24, 30, tracked=np.nan, relief=np.nan), TURN, seed=1)
    assert watched.sees() is None
    assert not any(watched.said)


def test_a_turn_too_quick_for_the_best_angles_is_compared_beyond_them():
    assert set(places(lambda: Script().rest(4).yaw(9, 33, 36), TURN, batch=7)) == {5}


def test_coming_closer_is_compared_where_the_growth_told_depth():
    def script():
        return Script().rest(6).rest(10, scale=115.0, **NEAR).rest(3, scale=128.0)

    taken = places(script, CLOSER)
    assert ((taken >= 6) & (taken < 16)).mean() > 0.8, "else the draw fell on nothing until the last frame"
    assert len(np.unique(taken)) > 6


@pytest.mark.parametrize(
    ("script", "step"),
    [
        (lambda: Script().rest(36, scale=120.0), CLOSER),
        (lambda: Script().rest(36, yaw=STRAIGHT + 3), SMILE),
        (lambda: Script().rest(36, ear_right=0.25, ear_left=0.25), BLINK_TWICE),
    ],
)
def test_who_shows_no_good_frame_cannot_foresee_the_last_either(script, step):
    taken = places(script, step)
    assert 0.2 < (taken == 35).mean() < 0.55
    assert len(np.unique(taken)) > 20


def test_a_turned_head_is_compared_less_than_one_that_looks_straight():
    taken = places(lambda: Script().rest(2).rest(8, yaw=STRAIGHT + 3).rest(8).smile(4), SMILE)
    turned, straight = ((taken >= 2) & (taken < 10)).sum(), ((taken >= 10) & (taken < 18)).sum()
    assert 0 < 1.4 * turned < straight


def test_one_frame_a_step():
    watched = Watched(Script().rest(30), SMILE, seed=1)
    watched.sees()
    watched.evidence.poses.append(SimpleNamespace(pose=Pose.SMILE, captured_ms=700.0))
    watched.taken = None
    assert watched.sampler.take_step(
        SMILE, [watched._look(watched.rows[-1])], mark=watched.evidence.marks[0], done=True
    )
    assert watched.taken is None
