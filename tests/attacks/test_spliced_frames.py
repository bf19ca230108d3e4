"""Attack: do the challenge oneself and put stills of the victim into the frames that are compared. All simulated.

The sender knows the rules of the steps, so he foresees when one ends. The rates are the laboratory's; what is tried
here is that he shows whom he says, when he says it, and that a face which changes is not let in.
"""

import numpy as np
import pytest

from biometric.liveness.challenge import parse_steps
from biometric.liveness.steps import blink, closer, smile
from tests.biometric.conftest import models_dir, pipeline
from tests.biometric.liveness.rig import FRAME_MS, play_login
from tests.fixtures_cache import load_picture
from tests.simulator import Person, Subject, attacks
from tests.simulator.timeline import Habits

pytestmark = pytest.mark.models
__all__ = ["models_dir", "pipeline"]

VICTIM = "person_b_1"
STEPS = parse_steps("smile turn_left blink:2")
SINCE_MS = 500.0


@pytest.fixture(scope="module")
def own():
    return Subject(load_picture("impostor_1"))


@pytest.fixture(scope="module")
def victim():
    return Subject(load_picture(VICTIM))


@pytest.fixture(scope="module")
def reference(pipeline):
    """The very photo that the stills are made of: the best case for the attacker."""
    return pipeline.still(load_picture(VICTIM)).embeddings


def foresees(own, victim, where, *, pasted=True, gaps=False):
    person = Person(own, seed=3, habits=Habits(sway=0.5))
    return attacks.Foreseen(person, person, victim, where=where, pasted=pasted, gaps=gaps, tint=None, seed=1), person


def shown(actor, person, action, *, count=1, seconds=4.0):
    """Ask for a step; return for each frame its time, how the victim is shown, and how the own face stands."""
    actor.show("centre", 1, 0)
    actor.show(action, count, SINCE_MS)
    seen = []
    for at_ms in np.arange(SINCE_MS, SINCE_MS + 1000 * seconds, FRAME_MS):
        pose = person.pose(at_ms)
        seen.append((at_ms, actor.still(pose, at_ms), pose))
    return seen


def test_in_the_opening_the_victim_is_shown(own, victim):
    actor, person = foresees(own, victim, attacks.Where.SHORT)
    actor.show("centre", 1, 0)
    assert actor.still(person.pose(200), 200) is not None


@pytest.mark.parametrize("where", list(attacks.Where))
def test_between_two_blinks_the_own_eyes_are_seen(own, victim, where):
    seen = shown(*foresees(own, victim, where), "blink", count=2, seconds=2.5)
    closed = [place for place, (_, _, pose) in enumerate(seen) if pose.blink > 0.02]
    within = seen[closed[0] : closed[-1] + 1]
    assert any(pose.blink == 0 for _, _, pose in within), "two blinks with open eyes between them"
    assert [still for _, still, _ in within] == [None] * len(within)
    assert any(still is not None for _, still, _ in seen[closed[-1] :])


def test_before_a_movement_only_who_hides_all_but_it_shows_the_victim(own, victim):
    first = {where: shown(*foresees(own, victim, where), "smile")[0][1] for where in attacks.Where}
    assert {where for where, still in first.items() if still is not None} == {attacks.Where.LONG}


@pytest.mark.parametrize(
    ("action", "count", "settles_ms"),
    [
        ("smile", 1, (smile.HOLD - 1) * FRAME_MS),
        ("blink", 2, blink.QUIET_MS),
        ("closer", 1, (closer.HOLD - 1) * FRAME_MS),
    ],
)
def test_two_frames_are_shown_when_the_step_is_about_to_end(own, victim, action, count, settles_ms):
    at_the_end = [one for one in shown(*foresees(own, victim, attacks.Where.END), action, count=count) if one[1]]
    short = [one for one in shown(*foresees(own, victim, attacks.Where.SHORT), action, count=count) if one[1]]
    assert len(at_the_end) > 6
    assert len(short) == 2
    settled_ms = at_the_end[0][0] + settles_ms
    assert settled_ms <= short[0][0] < settled_ms + FRAME_MS


@pytest.mark.parametrize("where", list(attacks.Where))
def test_in_a_turn_the_victims_turned_picture_is_shown_on_the_way_out_alone(own, victim, where):
    seen = shown(*foresees(own, victim, where), "turn_left", seconds=6)
    turned = [place for place, (_, still, _) in enumerate(seen) if still is not None and still.yaw == 20]
    furthest = max(range(len(seen)), key=lambda place: seen[place][2].yaw)
    assert turned
    assert all(14 <= seen[place][2].yaw <= 27 for place in turned)
    assert turned[0] < furthest
    assert {still for _, still, pose in seen[furthest:] if pose.yaw < 20} == {None}


def test_frames_are_left_out_at_a_smile_but_never_in_blinks(own, victim):
    actor, person = foresees(own, victim, attacks.Where.END, gaps=True)
    left_out = {}
    for start, action in ((0, "smile"), (4000, "blink")):
        actor.show(action, 1, start)
        times = np.arange(start, start + 3000, FRAME_MS)
        skipped = [at_ms for at_ms in times if actor.skips(at_ms) or actor.frame(at_ms) is None]
        left_out[action] = len(skipped)
    assert left_out == {"smile": 2, "blink": 0}
    assert person.pose(2900).smile > 0.9


@pytest.fixture
def login(pipeline, reference):
    """Play a login without the near part and return its report."""

    def play(actor):
        page = play_login(actor, STEPS, pipeline=pipeline, frames=180)
        return page.session.report(reference=reference, calibration=pipeline.calibration)

    return play


def test_without_stills_nothing_but_identity_refuses_who_does_the_steps_himself(own, login):
    report = login(Person(own, seed=3, habits=Habits(sway=0.5)))
    assert report.denied_by == ("identity",)


@pytest.mark.parametrize(
    ("where", "pasted"), [(attacks.Where.END, True), (attacks.Where.SHORT, False), (attacks.Where.LONG, True)]
)
def test_stills_of_the_victim_in_ones_own_login_are_refused_for_the_change(own, victim, login, where, pasted):
    report = login(foresees(own, victim, where, pasted=pasted)[0])
    assert not report.accepted
    assert {"continuity:cut", "identity:changed", "identity:another_person"} & set(report.reasons)
