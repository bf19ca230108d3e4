"""Each cue on evidence written by hand: what it denies, what it confirms, and what it leaves alone."""

from dataclasses import replace

import numpy as np
import pytest

from biometric.calibration import Calibration, ModelCalibration
from biometric.liveness.cues import alone, challenge, continuity, identity, planarity, repetition
from biometric.liveness.cues.result import Verdict
from biometric.liveness.evidence import Pose, StepMark, make_row
from tests.biometric.liveness.rows import BLINK_TWICE, FRAME_MS, REST, SMILE, TURN, Script, embeddings, sample

CALIBRATION = Calibration(
    id="",
    framing="",
    models={},
    facenet=ModelCalibration(mean=0.0, deviation=0.1, floor=0.2, weight=0.35),
    sface=ModelCalibration(mean=0.0, deviation=0.1, floor=0.2, weight=0.65),
    fused_threshold=4.0,
    evidence={},
)


def vote(cue, evidence):
    result = cue.evaluate(evidence)
    return result.verdict, result.why


# alone


@pytest.mark.parametrize(("crowded", "verdict"), [(0, Verdict.NEUTRAL), (1, Verdict.NEUTRAL), (2, Verdict.DENY)])
def test_a_second_face_seen_twice_denies(crowded, verdict):
    evidence = Script().rest(4).evidence()
    evidence.looks, evidence.crowded_looks = 5, crowded
    assert vote(alone, evidence)[0] is verdict


# challenge


def test_a_challenge_done_in_order_confirms():
    assert vote(challenge, Script().rest().turn().evidence(TURN, done=True)) == (Verdict.CONFIRM, "")


def test_a_challenge_that_was_not_finished_denies():
    assert vote(challenge, Script().rest().turn().evidence(TURN)) == (Verdict.DENY, "incomplete")
    assert vote(challenge, Script().rest().evidence(TURN, SMILE, done=True)) == (Verdict.DENY, "incomplete")


def test_a_challenge_that_failed_denies_with_its_reason():
    evidence = Script().rest().turn().evidence(TURN, done=True)
    evidence.failed = "deadline"
    assert vote(challenge, evidence) == (Verdict.DENY, "deadline")


def test_two_deliberate_wrong_actions_deny_even_if_the_step_was_done_in_the_end():
    script = Script().rest().turn(26).rest().turn(-26).rest().smile()
    assert vote(challenge, script.evidence(SMILE, done=True)) == (Verdict.DENY, "mistakes")


def test_a_challenge_without_a_baseline_denies():
    evidence = Script().rest().turn().evidence(TURN, done=True)
    evidence.baseline = None
    assert vote(challenge, evidence) == (Verdict.DENY, "incomplete")


# continuity


def test_one_take_is_left_alone():
    assert vote(continuity, Script(shake=0.01).rest().turn().smile().evidence())[0] is Verdict.NEUTRAL


@pytest.mark.parametrize("leap", [{"yaw": 60.0}, {"x": 560.0}, {"scale": 150.0}])
def test_1_a_leap_denies(leap):
    assert vote(continuity, Script().rest().rest(**leap).evidence()) == (Verdict.DENY, "speed")


@pytest.mark.parametrize(
    "change", [{"face_change": 0.3, "scene_change": 0.05}, {"face_change": 0.02, "scene_change": 0.1}]
)
def test_2_a_picture_that_changes_all_at_once_is_a_cut(change):
    assert vote(continuity, Script().rest(10).rest(1, **change).rest(10).evidence()) == (Verdict.DENY, "cut")


def test_2_a_face_that_changes_before_a_scene_that_does_not_is_no_cut():
    script = Script().rest(10).rest(1, face_change=0.6, scene_change=0.005).rest(10)
    assert vote(continuity, script.evidence())[0] is Verdict.NEUTRAL


def test_2_what_was_before_the_baseline_counts_for_nothing():
    evidence = Script().rest(4).rest(1, face_change=0.3, scene_change=0.05).rest(20).evidence()
    evidence.baseline = replace(evidence.baseline, captured_ms=float(evidence.rows[6][0]))
    assert vote(continuity, evidence)[0] is Verdict.NEUTRAL


def test_2_a_quick_movement_of_several_frames_is_no_cut():
    script = Script().rest(10)
    for share in (0.5, 0.9, 1.0, 0.6, 0.2):
        changed = {"face_change": 0.4 * share, "scene_change": 0.1 * share}
        script.rest(1, **changed, face_back=0.4, scene_back=0.1)
    assert vote(continuity, script.rest(10).evidence())[0] is Verdict.NEUTRAL


CUT = {"face_change": 0.3, "scene_change": 0.05, "face_back": 0.3, "scene_back": 0.05}
BACK = CUT | {"face_back": 0.02, "scene_back": 0.002}


@pytest.mark.parametrize("away", [0, 1, 2])
def test_2_a_frame_that_is_swapped_in_and_out_again_does_not_hide_itself(away):
    script = Script().rest(10).rest(1, **CUT).rest(away).rest(1, **BACK).rest(10)
    result = continuity.evaluate(script.evidence())
    assert (result.verdict, result.why) == (Verdict.DENY, "cut")
    assert result.numbers["cut_both"] <= 1
    assert result.numbers["cut_swap"] > 1


def test_2_a_cut_beside_another_one_does_not_hide_it():
    script = Script().rest(10).rest(1, **CUT).rest(1).rest(1, **CUT).rest(10)
    result = continuity.evaluate(script.evidence())
    assert (result.verdict, result.why) == (Verdict.DENY, "cut")
    assert max(result.numbers[name] for name in ("cut_both", "cut_swap")) <= 1


def test_2_a_blink_that_comes_and_goes_is_no_swap():
    script = Script().rest(10).rest(1, face_change=0.2).rest(1).rest(1, face_change=0.2, face_back=0.01).rest(10)
    assert vote(continuity, script.evidence())[0] is Verdict.NEUTRAL


def test_2_a_camera_that_shakes_all_the_time_is_no_cut():
    script = Script().rest(20, face_change=0.3, scene_change=0.09)
    assert vote(continuity, script.evidence())[0] is Verdict.NEUTRAL


def after_a_gap(**changed):
    evidence = Script().rest(10).rest(1, **changed).rest(10).evidence()
    for row in evidence.rows[10:]:
        row[0] += 400
    return evidence


def test_2_a_cut_at_a_gap_is_one():
    assert vote(continuity, after_a_gap(**CUT | {"face_change": 0.5, "scene_change": 0.1})) == (Verdict.DENY, "cut")


@pytest.mark.parametrize("changed", [{"face_change": 0.12, "scene_change": 0.02}, CUT | {"yaw": 14.0}])
def test_2_frames_that_lie_apart_may_differ_for_that_or_for_a_turned_head(changed):
    assert vote(continuity, after_a_gap(**changed))[0] is Verdict.NEUTRAL


def test_2_a_frame_without_a_face_hides_no_cut():
    evidence = Script().rest(10).away(1).rest(1, **CUT).rest(10).evidence()
    assert vote(continuity, evidence) == (Verdict.DENY, "cut")


def test_3_a_face_that_was_away_denies():
    assert vote(continuity, Script().rest().away(24).rest().evidence()) == (Verdict.DENY, "away")
    assert vote(continuity, Script().rest().away(24).evidence()) == (Verdict.DENY, "away")


def test_3_a_hand_before_the_face_for_a_moment_does_not():
    assert vote(continuity, Script().rest().away(10).rest().evidence())[0] is Verdict.NEUTRAL


@pytest.mark.parametrize("scale", [150.0, 50.0])
def test_4_a_face_that_grows_or_shrinks_by_half_denies(scale):
    script = Script()
    for size in np.linspace(90, scale, 30):
        script.rest(1, scale=float(size))
    assert vote(continuity, script.rest(4, scale=scale).evidence()) == (Verdict.DENY, "distance")


def test_4_leaning_towards_the_camera_does_not():
    assert vote(continuity, Script().rest(8).rest(20, scale=115.0).evidence())[0] is Verdict.NEUTRAL


# repetition


def lively(seed, frames):
    """Return rows of a head that wanders about."""
    rng = np.random.default_rng(seed)
    wander = np.cumsum(rng.standard_normal((frames, 4)), axis=0) * (1.5, 3.0, 3.0, 1.0)
    return [
        {**REST, "yaw": a, "x": 320 + b, "y": 200 + c, "scale": 90 + d, "ear_left": 0.3 + 0.005 * rng.standard_normal()}
        for a, b, c, d in wander
    ]


def moving(rows):
    script = Script(shake=0.002, seed=8)
    script.rows = rows
    return script.evidence()


def test_a_head_that_moves_about_does_not_repeat_itself():
    assert vote(repetition, moving(lively(1, 200)))[0] is Verdict.NEUTRAL


def test_sitting_still_is_no_repetition():
    assert vote(repetition, Script(shake=0.002).rest(200).evidence())[0] is Verdict.NEUTRAL


def test_the_same_action_done_twice_by_a_person_is_no_repetition():
    script = Script(shake=0.01, seed=3).rest(10).turn(25).rest(10).turn(27, frames=9).rest(10)
    assert vote(repetition, script.evidence())[0] is Verdict.NEUTRAL


def test_a_loop_denies_though_every_picture_is_new():
    once = lively(2, 40)
    assert vote(repetition, moving([*once, *once])) == (Verdict.DENY, "loop")


def test_a_film_played_back_and_forth_denies():
    once = lively(3, 40)
    assert vote(repetition, moving([*once, *once[::-1]])) == (Verdict.DENY, "played_back")


# planarity


def turned(relief, *, bump=0.6, narrow=0.0, residual=0.05, frames=6, tracked=0.6, yaw=22.0):
    evidence = Script().rest(5).evidence()
    for place in range(frames):
        row = make_row(captured_ms=1000.0 + FRAME_MS * place, **{**REST, "yaw": yaw})
        told = make_row(relief=relief, bump=bump, narrow=narrow, tracked=tracked, residual=residual)
        evidence.rows.append(np.where(np.isnan(row), told, row))
    return evidence


def test_relief_with_a_nose_confirms():
    assert vote(planarity, turned(0.9, bump=0.6, narrow=0.06)) == (Verdict.CONFIRM, "")


def test_relief_with_the_width_of_a_head_confirms_where_the_nose_is_not_to_be_made_out():
    assert vote(planarity, turned(0.9, bump=0.0, narrow=0.01)) == (Verdict.CONFIRM, "")


def test_no_relief_denies():
    assert vote(planarity, turned(0.02, residual=0.015)) == (Verdict.DENY, "flat")
    assert vote(planarity, turned(-0.3, narrow=0.15)) == (Verdict.DENY, "flat")


def test_relief_without_a_nose_and_narrower_than_a_head_denies():
    assert vote(planarity, turned(1.1, bump=0.1, narrow=0.12)) == (Verdict.DENY, "bent")


def test_what_is_much_narrower_than_a_head_needs_more_of_a_nose():
    """A bent mask with eye holes came through with these: noise of the tracking looked like a small nose."""
    assert vote(planarity, turned(1.1, bump=0.4, narrow=0.21)) == (Verdict.DENY, "bent")
    assert vote(planarity, turned(1.1, bump=0.8, narrow=0.21)) == (Verdict.CONFIRM, "")


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ({"relief": 0.4}, "undecided"),
        ({"relief": 0.1}, "undecided"),
        ({"relief": 0.9, "bump": 0.1, "narrow": 0.06}, "undecided"),
        ({"relief": 0.9, "bump": 0.32, "narrow": 0.07}, "undecided"),
        ({"relief": 0.9, "frames": 2}, "not_measured"),
        ({"relief": 0.9, "tracked": 0.1}, "not_measured"),
        ({"relief": 0.9, "yaw": 47.0}, "not_measured"),
        ({"relief": 0.9, "yaw": 3.0}, "undecided"),
    ],
)
def test_what_cannot_be_decided_is_no_confirmation(how, why):
    assert vote(planarity, turned(**how)) == (Verdict.NEUTRAL, why)


def test_a_sheet_whose_turn_the_mesh_did_not_see_denies():
    assert vote(planarity, turned(0.0, yaw=2.0, residual=0.015)) == (Verdict.DENY, "flat")


# identity

ME = embeddings(1)
MINE = embeddings(2, near=ME)
STRANGER = embeddings(3)


def posed(*, front=MINE, turn=MINE, steps=(TURN,)):
    evidence = Script().rest(4).evidence(*steps)
    evidence.marks = [StepMark(0.0, 200.0)]
    evidence.poses = [sample(Pose.FRONT, front), sample(Pose.TURN, turn, at_ms=100.0)]
    return evidence


def who(evidence, reference=ME):
    result = identity.evaluate(evidence, reference=reference, calibration=CALIBRATION)
    return result.verdict, result.why


def test_the_right_person_in_every_pose_is_left_alone_and_never_confirms():
    assert who(posed()) == (Verdict.NEUTRAL, "")


def test_another_person_denies():
    assert who(posed(front=STRANGER, turn=STRANGER)) == (Verdict.DENY, "another_person")


def test_another_person_in_the_turn_alone_denies():
    assert who(posed(turn=STRANGER)) == (Verdict.DENY, "changed")


def test_a_turned_head_may_look_a_little_less_like_the_reference():
    far = embeddings(5, near=ME, noise=2.4)
    assert who(posed(turn=far)) == (Verdict.NEUTRAL, "")
    assert who(posed(front=far, turn=far)) == (Verdict.DENY, "another_person")


def test_a_step_without_an_embedded_frame_denies():
    assert who(posed(steps=(TURN, BLINK_TWICE))) == (Verdict.DENY, "pose_missing")


def test_no_frame_from_the_front_denies():
    evidence = posed()
    evidence.poses = evidence.poses[1:]
    assert who(evidence) == (Verdict.DENY, "no_front")


def test_enrolment_compares_the_poses_with_the_front():
    assert who(posed(), reference=None) == (Verdict.NEUTRAL, "")
    assert who(posed(turn=STRANGER), reference=None) == (Verdict.DENY, "changed")


def test_one_model_that_objects_is_enough_to_deny():
    half = replace(MINE, facenet=STRANGER.facenet)
    assert who(posed(front=half, turn=half)) == (Verdict.DENY, "another_person")
