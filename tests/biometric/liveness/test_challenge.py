from itertools import pairwise
from random import Random

import pytest

from biometric.liveness.challenge import (
    COLOURS,
    FLASHES,
    HOLD_MS,
    PAUSE_MS,
    Step,
    StepKind,
    draw_challenge,
    draw_colours,
    draw_pauses,
    parse_steps,
)


@pytest.mark.parametrize("seed", range(30))
def test_every_challenge_has_one_turn_one_blink_count_and_one_smile_then_comes_closer_to_the_light(seed):
    kinds = [step.kind for step in draw_challenge(Random(seed))]
    assert sum(kind.is_turn for kind in kinds[:3]) == 1
    assert kinds[:3].count(StepKind.BLINK) == kinds[:3].count(StepKind.SMILE) == 1
    assert kinds[3:] == [StepKind.CLOSER, StepKind.FLASH]


def test_who_declines_the_colours_still_comes_closer():
    kinds = [step.kind for step in draw_challenge(Random(3), light=False)]
    assert len(kinds) == 4
    assert kinds[3] is StepKind.CLOSER


def test_colours_never_follow_themselves_and_are_all_drawn():
    rng = Random(4)
    drawn = [draw_colours(rng) for _ in range(400)]
    assert all(len(colours) == FLASHES and len(set(colours)) >= 4 for colours in drawn)
    assert not any(one == two for colours in drawn for one, two in pairwise(colours))
    assert {colour for colours in drawn for colour in colours} == set(COLOURS)
    assert len(set(drawn)) > 395


def test_colours_have_equal_luminance_and_change_at_most_twice_a_second():
    luminances = [relative_luminance(colour) for colour in COLOURS]
    assert max(luminances) - min(luminances) < 0.01, "WCAG 2.2: a flash is a change of 0.1 or more"
    assert HOLD_MS >= 500


def relative_luminance(colour):
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in (c / 255 for c in colour)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_all_thirty_six_challenges_are_drawn_about_equally_often():
    rng = Random(1)
    drawn = [draw_challenge(rng) for _ in range(7200)]
    counts = {challenge: drawn.count(challenge) for challenge in set(drawn)}
    assert len(counts) == 36
    assert min(counts.values()) > 130
    assert max(counts.values()) < 280


def test_pauses_are_drawn_for_each_step_within_bounds():
    rng = Random(2)
    pauses = [pause for _ in range(200) for pause in draw_pauses(rng, draw_challenge(rng))]
    assert min(pauses) >= PAUSE_MS[0]
    assert max(pauses) <= PAUSE_MS[1]
    assert len(set(pauses)) > 100


@pytest.mark.parametrize(("kind", "count"), [(StepKind.BLINK, 0), (StepKind.BLINK, 4), (StepKind.SMILE, 2)])
def test_impossible_counts_are_no_steps(kind, count):
    with pytest.raises(ValueError, match="cannot be asked"):
        Step(kind, count)


@pytest.mark.parametrize(
    "text",
    [
        "turn_left;blink:2;smile",
        "left, blink(2) smile",
        "turn-left|blink2|smile",
        '["turn_left", "blink=2", "smile"]',
        "turn left -> blink x2 -> smile",
        "turnleft+2xblink+smile(1)",
        "TURN_LEFT / Blinks_2 / SMILE",
        "look left then blink 2 then smile",
    ],
)
def test_steps_are_read_as_people_write_them(text):
    assert [str(step) for step in parse_steps(text)] == ["turn_left", "blink:2", "smile"]


def test_a_blink_without_a_number_is_one_blink():
    assert parse_steps("blink") == (Step(StepKind.BLINK, 1),)


@pytest.mark.parametrize("text", ["", " ; ", "dance", "blink:9", "smile:3", "smile;smiley", "blink;" * 9, "turn"])
def test_what_is_no_list_of_steps_is_refused(text):
    with pytest.raises(ValueError, match=r"step|asked"):
        parse_steps(text)
