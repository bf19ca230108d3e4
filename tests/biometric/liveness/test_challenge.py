from random import Random

import pytest

from biometric.liveness.challenge import PAUSE_MS, Step, StepKind, draw_challenge, draw_pauses, parse_steps


@pytest.mark.parametrize("seed", range(30))
def test_every_challenge_has_one_turn_one_blink_count_and_one_smile(seed):
    kinds = [step.kind for step in draw_challenge(Random(seed))]
    assert len(kinds) == 3
    assert sum(kind.is_turn for kind in kinds) == 1
    assert kinds.count(StepKind.BLINK) == kinds.count(StepKind.SMILE) == 1


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
