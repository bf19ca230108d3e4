"""The attackers who put frames in one by one do what they say: whose face is shown when, and under which light."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from biometric.liveness.challenge import COLOURS
from tests.biometric.liveness.rig import FRAME_MS, light_of
from tests.fixtures_cache import load_picture
from tests.simulator import Person, Subject, attacks

pytestmark = pytest.mark.models


@pytest.fixture(scope="module")
def own():
    return Subject(load_picture("impostor_1"))


@pytest.fixture(scope="module")
def victim():
    return Subject(load_picture("person_b_1"))


def spliced(own, victim, *, when=attacks.When.STILL, pasted=False, gaps=False, tint=None):
    person = Person(own, seed=3)
    actor = attacks.Spliced(person, person, victim, when=when, pasted=pasted, gaps=gaps, tint=tint, seed=1)
    actor.show("centre", 1, 0)
    return actor, person


def shown(actor, person, *, seconds=4.0, since=0.0):
    """Return for each frame whether the victim is shown, and how the own face stands."""
    times = np.arange(since, since + 1000 * seconds, FRAME_MS)
    poses = [person.pose(time) for time in times]
    return [(actor.still(pose, time), pose) for time, pose in zip(times, poses, strict=True)]


def test_the_own_face_does_what_moves_and_the_victim_is_shown_at_rest(own, victim):
    actor, person = spliced(own, victim)
    actor.show("blink", 2, 500)
    seen = shown(actor, person)
    assert {still is None for still, pose in seen if pose.blink > 0.1} == {True}
    assert {still is None for still, pose in seen if pose.blink == 0} == {False}


def test_the_victims_turned_picture_is_shown_at_the_angles_that_are_compared(own, victim):
    actor, person = spliced(own, victim)
    actor.show("turn_left", 1, 500)
    turned = [(still, pose) for still, pose in shown(actor, person, seconds=3) if abs(pose.yaw) > 5]
    assert {still.yaw for still, pose in turned if 14 <= pose.yaw <= 27} == {20.0}
    assert {still for still, pose in turned if pose.yaw < 13 or pose.yaw > 28} == {None}


def test_kept_short_it_is_two_frames_of_six(own, victim):
    actor, person = spliced(own, victim, when=attacks.When.SHORT)
    seen = [still is not None for still, _ in shown(actor, person, seconds=2)]
    assert sum(seen[:24]) == 8
    assert "".join("v" if one else "." for one in seen[:12]) == "....vv....vv"


def test_once_the_step_is_done_begins_with_a_movement(own, victim):
    actor, person = spliced(own, victim, when=attacks.When.END)
    actor.show("smile", 1, 0)
    seen = shown(actor, person)
    first = next(place for place, (still, _) in enumerate(seen) if still is not None)
    assert seen[first][1].smile > 0.5
    assert seen[-1][0].smile > 0.5


@pytest.mark.parametrize(("pasted", "same"), [(True, True), (False, False)])
def test_pasted_the_scene_stays_ones_own(own, victim, pasted, same):
    actor, person = spliced(own, victim, pasted=pasted)
    mixed, alone = actor.frame(0).astype(float), person.frame(0).astype(float)
    corner = np.abs(mixed - alone)[:60, :60].mean()
    face = np.abs(mixed - alone)[200:300, 280:360].mean()
    assert face > 8
    assert bool(corner < 6) is same


def test_between_the_two_faces_some_frames_are_left_out(own, victim):
    actor, _ = spliced(own, victim, gaps=True)
    actor.show("blink", 1, 200)
    sent = []
    for time in np.arange(0, 2500, FRAME_MS):
        if not actor.skips(time):
            actor.frame(time)
            sent.append((time, actor._sent[1]))
    changes = [(later[0] - one[0]) for one, later in pairwise(sent) if one[1] != later[1]]
    assert changes
    assert min(changes) >= 180


@pytest.mark.parametrize("relit", [True, False])
def test_under_the_light_the_own_face_is_lit_or_the_victim_is_tinted(own, victim, relit):
    tint = attacks.Tint(delay_ms=100, shape=attacks.Shape.ROUND) if relit else None
    actor, person = spliced(own, victim, tint=tint)
    actor.show("flash", 1, 0)
    dark = actor.frame(1000).astype(float)
    actor.light(light_of(COLOURS[0]), 1000)
    red = actor.frame(1400).astype(float)
    assert (actor.still(person.pose(1400), 1400) is not None) is relit
    before, lit = (picture[200:300, 280:360].mean(axis=(0, 1)) for picture in (dark, red))
    gained = lit / before
    assert gained[2] > gained[1] + 0.01


def test_a_sorted_light_answers_with_the_recorded_frames_of_the_colour(victim):
    lit = {light_of(colour): [np.full((480, 640, 3), 40 * k + 20, np.uint8)] * 2 for k, colour in enumerate(COLOURS)}
    actor = attacks.SortedLight(Person(victim, seed=1), lit=lit, delay_ms=100, seed=1)
    actor.show("flash", 1, 0)
    for number in (0, 2, 4):
        at_ms = 1000.0 + 500 * number
        actor.light(light_of(COLOURS[number]), at_ms)
    assert round(actor.frame(1400).mean(), -1) == pytest.approx(20, abs=5)
    assert round(actor.frame(2400).mean(), -1) == pytest.approx(100, abs=5)
