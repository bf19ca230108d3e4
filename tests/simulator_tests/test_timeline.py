"""How an actor obeys, without pictures."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from tests.simulator.timeline import ACTIONS, Habits, Sway, Timeline

SEEDS = range(20)
CLOCK = np.arange(0.0, 6000.0, 10.0)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_turn_begins_after_the_reaction_and_reaches_25_to_30_degrees(seed):
    timeline = Timeline(Habits(), seed=seed)
    timeline.show("turn_left", 1, 1000.0)
    yaws = np.array([timeline.yaw(t) for t in CLOCK])
    assert (yaws[CLOCK < 1250] == 0).all()
    assert yaws[(CLOCK > 1500) & (CLOCK < 1600)].min() > 0
    assert 25 <= yaws.max() <= 30


def test_left_and_right_are_opposite():
    left, right = (Timeline(Habits(), seed=1) for _ in range(2))
    left.show("turn_left", 1, 0.0)
    right.show("turn_right", 1, 0.0)
    assert left.yaw(1500.0) == -right.yaw(1500.0) > 20


@pytest.mark.parametrize("seed", SEEDS)
def test_the_head_comes_back_before_the_next_action_begins(seed):
    timeline = Timeline(Habits(), seed=seed)
    timeline.show("turn_right", 1, 0.0)
    timeline.show("blink", 2, 1800.0)
    first_blink = next(t for t in CLOCK if timeline.blink(t) > 0.05)
    assert 1800 + 250 + 600 <= first_blink <= 1800 + 450 + 600 + 60
    assert abs(timeline.yaw(first_blink)) < 0.01


def test_nobody_waits_with_a_turned_head_for_ever_but_turns_again():
    timeline = Timeline(Habits(hold_ms=500.0, again_ms=1500.0), seed=2)
    timeline.show("turn_left", 1, 0.0)
    yaws = np.array([timeline.yaw(t) for t in CLOCK])
    turned = np.flatnonzero(np.diff((yaws > 20).astype(int)) == 1)
    assert len(turned) == 2
    assert (yaws[(CLOCK > 2700) & (CLOCK < 3100)] == 0).all()


def test_whoever_is_not_understood_blinks_again():
    timeline = Timeline(Habits(), seed=2)
    timeline.show("blink", 2, 0.0)
    fine = np.arange(0.0, 6000.0, 2.0)
    closed = np.array([timeline.blink(t) > 0.5 for t in fine])
    assert np.count_nonzero(np.diff(closed.astype(int)) == 1) == 4


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("count", [1, 2, 3])
def test_blinks_are_counted_short_and_apart(seed, count):
    timeline = Timeline(Habits(), seed=seed)
    timeline.show("blink", count, 0.0)
    timeline.show("centre", 1, 2300.0)
    fine = np.arange(0.0, 5000.0, 2.0)
    closed = np.array([timeline.blink(t) > 0.5 for t in fine])
    edges = np.flatnonzero(np.diff(closed.astype(int)))
    begins, ends = edges[::2], edges[1::2]
    assert len(begins) == len(ends) == count
    assert all(80 <= 2 * (end - begin) <= 300 for begin, end in zip(begins, ends, strict=True))
    assert all(2 * (later - earlier) >= 250 for earlier, later in pairwise(begins))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_camera_of_15_pictures_a_second_sees_every_blink_shut(seed):
    timeline = Timeline(Habits(), seed=seed)
    timeline.show("blink", 1, 0.0)
    for phase in range(0, 66, 11):
        assert max(timeline.blink(t) for t in np.arange(phase, 2000, 66)) > 0.98


def test_a_smile_stays_until_the_next_step():
    timeline = Timeline(Habits(), seed=4)
    timeline.show("smile", 1, 0.0)
    assert timeline.smile(3000.0) == 1
    timeline.show("centre", 1, 3000.0)
    assert timeline.smile(4500.0) == 0


def test_unknown_actions_are_refused():
    with pytest.raises(ValueError, match="stand on your head"):
        Timeline(Habits(), seed=0).show("stand on your head", 1, 0.0)
    assert set(ACTIONS) == {"centre", "turn_left", "turn_right", "blink", "smile", "closer", "flash"}


@pytest.mark.parametrize("seed", SEEDS)
def test_whoever_is_asked_comes_nearer_in_about_a_second_and_stays_under_the_light(seed):
    timeline = Timeline(Habits(), seed=seed)
    timeline.show("closer", 1, 1000.0)
    timeline.show("flash", 1, 3000.0)
    near = np.array([timeline.nearness(t) for t in CLOCK])
    assert (near[CLOCK < 1250] == 1).all()
    moving = CLOCK[(near > 1.001) & (near < near.max() - 0.001)]
    assert 500 < np.ptp(moving) < 1300
    assert (near[CLOCK > 2760] == near.max()).all()
    assert 1.44 <= near.max() <= 1.54
    assert timeline.yaw(5000.0) == timeline.blink(5000.0) == timeline.smile(5000.0) == 0


def test_whoever_is_asked_for_something_else_moves_back_again():
    timeline = Timeline(Habits(), seed=3)
    timeline.show("closer", 1, 0.0)
    timeline.show("flash", 1, 2000.0)
    timeline.show("centre", 1, 3000.0)
    assert timeline.nearness(5000.0) == 1


def test_sway_is_small_never_still_and_calm_where_a_recording_is_cut():
    sway = Sway(seed=5, strength=1.0)
    values = np.array([sway.offsets(t) for t in CLOCK])
    assert np.abs(values[:, :3]).max() < 2
    assert np.abs(values[:, 3:]).max() < 0.008
    assert np.ptp(values, axis=0).min() > 0
    sway.quiet_at = (2000.0,)
    assert sway.offsets(2000.0) == (0.0,) * 6
    assert sway.offsets(4000.0) != (0.0,) * 6


def test_whoever_is_told_to_come_closer_still_does_so_once_the_first_move_is_over():
    timeline = Timeline(Habits(), seed=4)
    timeline.show("closer", 1, 0.0)
    timeline.hear("come_closer", 200.0)
    assert timeline.nearness(4000.0) <= 1.54
    timeline.hear("come_closer", 4000.0)
    assert timeline.nearness(6000.0) == pytest.approx(1.08 * timeline.nearness(4000.0))
    timeline.hear("too_close", 6000.0)
    assert timeline.nearness(8000.0) < timeline.nearness(4000.0)


def test_whoever_came_closer_too_quickly_goes_back_and_comes_more_slowly():
    timeline = Timeline(Habits(), seed=4)
    timeline.show("closer", 1, 0.0)
    timeline.hear("closer_slower", 3000.0)
    near = np.array([timeline.nearness(t) for t in CLOCK])
    assert near[CLOCK < 3000].max() > 1.4
    assert near[CLOCK > 3000].min() == pytest.approx(1, abs=0.01)
    assert near[-1] > 1.4
