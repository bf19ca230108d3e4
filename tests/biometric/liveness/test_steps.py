"""What counts as the action that was asked for, on scripted measures."""

import numpy as np
import pytest

from biometric.liveness.challenge import Step, StepKind
from biometric.liveness.evidence import Baseline
from biometric.liveness.steps.centre import judge_centre
from biometric.liveness.steps.judge import count_mistakes, judge_step
from biometric.liveness.steps.window import REACTION_MS, Hint, quantile
from tests.biometric.liveness.rows import BASELINE, BLINK_TWICE, FRAME_MS, SMILE, TURN, Script

RIGHT = Step(StepKind.TURN_RIGHT)


def view(script, step, *, revealed_ms=-200.0):
    evidence = script.evidence(step, revealed_ms=revealed_ms)
    return judge_step(step, evidence, BASELINE, evidence.marks[0])


def mistakes(script, step):
    return count_mistakes(script.evidence(step))


# turn


def test_a_turn_to_the_asked_side_is_done():
    assert view(Script().rest().turn(26), TURN).done
    assert view(Script().rest().turn(-26), RIGHT).done


def test_a_turn_to_the_other_side_is_not():
    seen = view(Script().rest().yaw(5, 10, 15, 20, 24, 24, 24), RIGHT)
    assert not seen.done
    assert seen.hint is Hint.WRONG_SIDE


def test_a_small_turn_is_not_enough():
    seen = view(Script().rest().yaw(4, 8, 12, 15, 16, 16, 16, 16), TURN)
    assert not seen.done
    assert seen.hint is Hint.TURN_MORE


def test_a_cut_from_the_front_to_the_turned_head_is_no_turn():
    seen = view(Script().rest(10).yaw(*[26.0] * 12), TURN)
    assert not seen.done


def test_a_leap_faster_than_a_head_spoils_the_turn():
    assert not view(Script().rest(10).yaw(2, 36, 36, 36, 36, 36, 36), TURN).done


def test_a_turn_that_goes_back_and_forth_on_the_way_does_not_count():
    assert not view(Script().rest().yaw(4, 9, 14, 8.1, 15, 19, 12, 20, 12), TURN).done


def test_a_turned_head_that_was_never_straight_is_told_to_look_straight():
    seen = view(Script().yaw(*[25.0] * 12), TURN)
    assert not seen.done
    assert seen.hint is Hint.LOOK_STRAIGHT


def test_a_turn_held_for_two_frames_only_does_not_count():
    assert not view(Script().rest().yaw(4, 8, 12, 16, 19, 20, 12, 6, 2), TURN).done


def test_a_face_lost_on_the_way_breaks_the_path():
    assert not view(Script().rest().yaw(4, 8).away(8).yaw(16, 20, 24, 24, 24), TURN).done


@pytest.mark.parametrize("skin", [{"relief": float("nan")}, {"tracked": 0.15}])
def test_a_turn_through_which_no_skin_could_be_followed_is_asked_for_again_and_slower(skin):
    script = Script().rest().turn(26, **skin)
    seen = view(script, TURN)
    assert not seen.done
    assert seen.hint is Hint.TURN_SLOWER
    assert view(script.rest().turn(26), TURN).done


def test_a_turn_done_before_it_was_asked_does_not_count():
    script = Script().rest().turn(26).rest(20)
    asked = (8 + 10) * FRAME_MS
    assert view(script, TURN).done
    assert not view(script, TURN, revealed_ms=asked).done


def test_what_is_seen_faster_than_anybody_reacts_does_not_count():
    script = Script().rest(2).blink(2).rest(12)
    first_shut = 2 * FRAME_MS
    assert view(script, BLINK_TWICE, revealed_ms=first_shut - REACTION_MS - 70).done
    assert not view(script, BLINK_TWICE, revealed_ms=first_shut - REACTION_MS + 70).done


# blink


@pytest.mark.parametrize("count", [1, 2, 3])
def test_the_asked_number_of_blinks_is_done(count):
    assert view(Script().rest().blink(count).rest(12), Step(StepKind.BLINK, count)).done


@pytest.mark.parametrize(("asked", "made"), [(1, 2), (1, 3), (2, 1), (2, 3), (3, 2), (3, 1)])
def test_any_other_number_is_not(asked, made):
    assert not view(Script().rest().blink(made).rest(12), Step(StepKind.BLINK, asked)).done


def test_it_is_not_done_before_the_eyes_stayed_open_for_a_while():
    assert not view(Script().rest().blink(2, gap=6), BLINK_TWICE).done


def test_an_involuntary_blink_before_is_overlooked():
    assert view(Script().rest().blink(1).rest(20).blink(2).rest(12), BLINK_TWICE).done


def test_after_too_many_blinks_the_right_number_still_counts_but_one_mistake_was_made():
    seen = view(Script().rest().blink(3).rest(20).blink(2).rest(12), BLINK_TWICE)
    assert seen.done
    assert seen.mistakes == 1


def test_a_wink_is_no_blink():
    assert not view(Script().rest().blink(2, eyes="left").rest(12), BLINK_TWICE).done


def test_eyes_kept_shut_are_no_blink():
    assert not view(Script().rest().blink(2, shut=16).rest(12), BLINK_TWICE).done


def test_spectacles_shrink_a_blink_and_it_still_counts():
    assert view(Script().rest().blink(2, depth=0.74).rest(12), BLINK_TWICE).done


def test_eyes_that_only_narrow_do_not_blink():
    assert not view(Script().rest().blink(2, depth=0.85).rest(12), BLINK_TWICE).done


def test_narrow_eyes_have_their_own_baseline():
    script = Script().rest(8)
    script.rows = [{**row, "ear_right": 0.16, "ear_left": 0.16} for row in script.rows]
    script.rest(2, ear_right=0.10, ear_left=0.10).rest(6, ear_right=0.16, ear_left=0.16)
    script.rest(2, ear_right=0.10, ear_left=0.10).rest(18, ear_right=0.16, ear_left=0.16)
    assert view(script, BLINK_TWICE).done


def test_noise_of_the_mesh_is_no_blink():
    assert not view(Script(shake=0.03, seed=4).rest(120), Step(StepKind.BLINK, 1)).done


# smile


def test_a_smile_from_rest_is_done():
    assert view(Script().rest().smile(), SMILE).done


def test_a_face_that_smiles_all_the_time_does_not_smile_now():
    seen = view(Script().rest(20, mouth_width=0.62, corners_up=0.04), SMILE)
    assert not seen.done
    assert seen.hint is Hint.RELAX


def test_a_smile_that_began_before_it_was_asked_does_not_count():
    script = Script().rest(4).smile(20)
    assert not view(script, SMILE, revealed_ms=8 * FRAME_MS).done


def test_a_wide_mouth_without_raised_corners_is_no_smile():
    assert not view(Script().rest().smile(up=0.0), SMILE).done


def test_a_small_smile_is_not_enough():
    seen = view(Script().rest().smile(width=1.04, up=0.02), SMILE)
    assert not seen.done
    assert seen.hint is Hint.SMILE_MORE


def test_a_mouth_that_only_seems_wide_because_the_head_is_turned_does_not_count():
    assert not view(Script().rest().rest(10, yaw=30.0, mouth_width=0.62, corners_up=0.04), SMILE).done


def test_a_person_who_came_much_closer_is_told_so():
    assert view(Script().rest(8, scale=130.0), SMILE).hint is Hint.TOO_CLOSE
    assert view(Script().rest(8, scale=60.0), SMILE).hint is Hint.TOO_FAR


# mistakes


def test_turning_the_wrong_way_once_is_forgiven_and_twice_is_not():
    assert mistakes(Script().rest().turn(26).rest(), RIGHT) == 0
    assert mistakes(Script().rest().turn(26).rest().turn(26).rest(), RIGHT) == 1
    assert mistakes(Script().rest().turn(26).rest().turn(26).rest().turn(26).rest(), RIGHT) == 2


def test_turning_while_something_else_was_asked_is_a_mistake():
    assert mistakes(Script().rest().turn(26).rest().turn(-26).rest(), SMILE) == 2


def test_coming_back_from_the_turn_before_is_none():
    assert mistakes(Script().yaw(26, 26, 26, 20, 12, 6, 2).rest(), SMILE) == 0


def test_blinking_in_a_row_while_something_else_was_asked_is_a_mistake():
    assert mistakes(Script().rest().blink(2).rest(20), SMILE) == 1
    assert mistakes(Script().rest().blink(1).rest(20).blink(1).rest(20), SMILE) == 0


# the opening


def test_the_opening_takes_the_baseline_from_a_person_at_rest():
    found = judge_centre(Script(shake=0.005).rest(8, yaw=6.0).evidence())
    assert isinstance(found, Baseline)
    assert found.yaw == pytest.approx(6.0, abs=0.5)
    assert found.ear == pytest.approx(0.30, abs=0.01)
    assert found.mouth_width == pytest.approx(0.50, abs=0.01)


@pytest.mark.parametrize(("frames_a_second", "enough"), [(3, True), (2, False)])
def test_three_pictures_a_second_are_enough_for_the_opening(frames_a_second, enough):
    evidence = Script().rest(6).evidence()
    for place, row in enumerate(evidence.rows):
        row[0] = place * 1000 / frames_a_second
    assert isinstance(judge_centre(evidence), Baseline) is enough


def test_a_blink_in_the_opening_does_not_lower_the_baseline_of_the_eyes():
    found = judge_centre(Script().rest(4).rest(2, ear_right=0.1, ear_left=0.1).evidence())
    assert isinstance(found, Baseline)
    assert found.ear == pytest.approx(0.30)


@pytest.mark.parametrize(
    ("script", "hint"),
    [
        (Script().rest(3), Hint.LOOK_STRAIGHT),
        (Script().rest(5).away(1), Hint.NO_FACE),
        (Script().rest(8, yaw=20.0), Hint.TURN_TO_CAMERA),
        (Script().rest(8, pitch=35.0), Hint.TURN_TO_CAMERA),
        (Script().yaw(0, 2, 4, 6, 8, 10), Hint.HOLD_STILL),
    ],
)
def test_the_opening_says_what_is_missing(script, hint):
    assert judge_centre(script.evidence()) is hint


@pytest.mark.parametrize("size", [1, 2, 5, 60])
@pytest.mark.parametrize("share", [0.0, 0.3, 0.8, 1.0])
def test_our_quick_quantile_is_numpys(size, share):
    values = np.random.default_rng(size).normal(size=size).astype(np.float32)
    assert quantile(values, share) == pytest.approx(float(np.quantile(values, share)), abs=1e-6)
