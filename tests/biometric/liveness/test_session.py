"""Whole challenges with pictures and models. The people are simulated."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from biometric.errors import FaceRejected, FramesInvalid, ImageTooLarge, ImageUnreadable
from biometric.image import decode_image
from biometric.liveness.challenge import parse_steps
from biometric.liveness.evidence import Pose
from biometric.liveness.session import FaceSession, State
from biometric.liveness.stream import MAX_FRAMES
from biometric.types import Frame
from tests.biometric.liveness.rig import FRAME_MS, Page, play_login
from tests.simulator import Person, encode

pytestmark = pytest.mark.models


def rejected(page, pipeline, reference):
    with pytest.raises(FaceRejected) as caught:
        page.session.verdict(reference=reference, calibration=pipeline.calibration)
    return caught.value.reasons


class Blank:
    """A wall, with the sensor's noise."""

    def __init__(self):
        self.rng = np.random.default_rng(1)

    def show(self, action, count, at_ms):
        """Walls do nothing."""

    def frame(self, at_ms):
        noise = self.rng.integers(0, 20, (480, 640, 1), dtype=np.uint8)
        return np.repeat(noise + 100, 3, axis=2)


class LeavesAt(Blank):
    """A person who leaves the picture."""

    def __init__(self, person, leaves_ms):
        super().__init__()
        self.person, self.leaves_ms = person, leaves_ms

    def show(self, action, count, at_ms):
        self.person.show(action, count, at_ms)

    def frame(self, at_ms):
        return self.person.frame(at_ms) if at_ms < self.leaves_ms else super().frame(at_ms)


class TwoPeople:
    """Somebody stands beside the person all the time."""

    def __init__(self, person, other):
        self.person, self.other = person, other

    def show(self, action, count, at_ms):
        self.person.show(action, count, at_ms)

    def frame(self, at_ms):
        halves = [one.frame(at_ms)[:, 150:470] for one in (self.person, self.other)]
        return np.ascontiguousarray(np.hstack(halves))


def test_a_simulated_person_who_obeys_is_let_in(genuine, pipeline, reference):
    assert genuine.log[-1][1].state is State.FINISHED
    face = genuine.session.verdict(reference=reference, calibration=pipeline.calibration)
    assert face.comparison.match
    assert set(face.confirmed_by) == {"challenge", "planarity"}


@pytest.mark.parametrize("steps", ["smile turn_right blink:3", "blink:1 smile turn_left"])
def test_any_order_side_and_count_can_be_done(steps, subject, pipeline, reference):
    page = play_login(Person(subject, seed=5), parse_steps(steps), pipeline=pipeline, pauses_ms=(300, 900, 500))
    assert page.session.verdict(reference=reference, calibration=pipeline.calibration).comparison.match


def test_steps_are_revealed_one_at_a_time(genuine):
    indices = [progress.step_index for _, progress in genuine.log]
    assert sorted(indices) == indices
    assert set(indices) == {0, 1, 2}
    news = [progress.step_index for _, progress in genuine.log if progress.state is State.NEXT_STEP]
    assert news == [0, 1, 2]


def test_one_frame_is_embedded_at_rest_and_one_for_each_step_and_some_are_looked_at_again(genuine):
    poses = genuine.session.evidence.poses
    once = [sample for sample in poses if sample.pose is not Pose.AGAIN]
    assert [sample.pose for sample in once] == [Pose.FRONT, Pose.TURN, Pose.BLINK, Pose.SMILE]
    assert 12 < once[1].yaw < 30
    twice = {sample.captured_ms for sample in poses if sample.pose is Pose.AGAIN}
    assert twice == {sample.captured_ms for sample in once if sample.pose is Pose.BLINK}


def test_a_session_kept_in_memory_comes_to_the_same_evidence_as_one_stored_between_requests(genuine, pipeline):
    page = Page(Blank(), FaceSession.begin(genuine.session.evidence.steps, mode="login"), pipeline)
    page.between = lambda session: session
    for start in range(0, len(genuine.sent), 6):
        page.push(genuine.sent[start : start + 6])
    np.testing.assert_array_equal(np.array(page.session.evidence.rows), np.array(genuine.session.evidence.rows))


def test_another_person_is_not_let_in(genuine, pipeline, stranger):
    assert "identity:another_person" in rejected(genuine, pipeline, stranger)


def test_an_enrolment_needs_no_reference_and_gives_the_embeddings(subject, pipeline, reference):
    page = play_login(Person(subject, seed=4), parse_steps("blink smile turn_right"), pipeline=pipeline, mode="enrol")
    face = page.session.verdict(reference=None, calibration=pipeline.calibration)
    assert face.comparison is None
    with pytest.raises(ValueError, match="enrolment"):
        page.session.verdict(reference=reference, calibration=pipeline.calibration)


def test_a_login_without_a_reference_is_refused_as_a_mistake_of_the_caller(genuine, pipeline):
    with pytest.raises(ValueError, match="reference"):
        genuine.session.verdict(reference=None, calibration=pipeline.calibration)


def test_an_unfinished_challenge_is_a_rejection(genuine, pipeline, reference):
    page = Page(Blank(), FaceSession.begin(genuine.session.evidence.steps, mode="login"), pipeline)
    for start in range(0, 30, 6):
        page.push(genuine.sent[start : start + 6])
    assert "challenge:incomplete" in rejected(page, pipeline, reference)


def test_a_pause_keeps_the_step_back(subject, pipeline):
    steps = parse_steps("smile")
    page = Page(Person(subject, seed=6), FaceSession.begin(steps, mode="login", pauses_ms=[2000]), pipeline)
    page.play(frames=42)
    revealed = page.session.evidence.marks[0].revealed_ms
    assert revealed >= page.session.evidence.baseline.captured_ms + 2000


def test_frames_after_the_deadline_fail_the_challenge(genuine, pipeline, reference):
    session = FaceSession.begin(parse_steps("smile"), mode="login", deadline_ms=1000)
    page = Page(Blank(), session, pipeline)
    page.push(genuine.sent[:6])
    assert page.push(genuine.sent[6:18]).state is State.FAILED
    assert "challenge:deadline" in rejected(page, pipeline, reference)
    with pytest.raises(FramesInvalid):
        page.push(genuine.sent[18:24])


def test_the_last_frame_that_may_come_ends_a_challenge_that_is_not_done(pipeline, reference):
    page = play_login(Blank(), parse_steps("smile"), pipeline=pipeline, frames=MAX_FRAMES)
    assert [progress.state for _, progress in page.log[-2:]] == [State.GO_ON, State.FAILED]
    assert "challenge:deadline" in rejected(page, pipeline, reference)


def test_a_person_who_leaves_fails_the_challenge(subject, pipeline, reference):
    page = play_login(LeavesAt(Person(subject, seed=2), 700), parse_steps("smile"), pipeline=pipeline)
    assert page.log[-1][1].state is State.FAILED
    assert "challenge:face_lost" in rejected(page, pipeline, reference)


def test_an_empty_room_never_gets_past_the_opening(pipeline, reference):
    page = Page(Blank(), FaceSession.begin(parse_steps("smile"), mode="login"), pipeline)
    progress = page.play(frames=30)
    assert (progress.state, progress.step_index) == (State.GO_ON, -1)
    assert "identity:no_front" in rejected(page, pipeline, reference)


def test_two_people_before_the_camera_are_refused(subject, pipeline, reference):
    pair = TwoPeople(Person(subject, seed=1), Person(subject, seed=2))
    page = Page(pair, FaceSession.begin(parse_steps("smile"), mode="login"), pipeline)
    page.play(frames=60)
    assert "alone:several_faces" in rejected(page, pipeline, reference)


def one(jpeg, pipeline, **how):
    session = FaceSession.begin(parse_steps("smile"), mode="login")
    session.push([Frame(0, 0, jpeg)], pipeline=pipeline, now_ms=50, **how)


def test_a_frame_of_another_size_ends_the_session(pipeline):
    with pytest.raises(FramesInvalid, match="size"):
        one(encode(np.zeros((360, 640, 3), np.uint8)), pipeline)
    with pytest.raises(ImageTooLarge):
        one(encode(np.zeros((1080, 1920, 3), np.uint8)), pipeline)


def test_frames_may_not_change_their_size(pipeline):
    session = FaceSession.begin(parse_steps("smile"), mode="login")
    session.push([Frame(0, 0, encode(Blank().frame(0)))], pipeline=pipeline, now_ms=50)
    tall = encode(np.rot90(Blank().frame(0)).copy())
    with pytest.raises(FramesInvalid, match="size"):
        session.push([Frame(0, 0, encode(Blank().frame(0))), Frame(1, 66, tall)], pipeline=pipeline, now_ms=90)
    assert session.evidence.broken == "size"


def test_a_truncated_frame_ends_the_session(pipeline):
    whole = encode(Blank().frame(0))
    with pytest.raises(ImageUnreadable):
        one(whole[: len(whole) // 2], pipeline)


def test_a_frame_above_the_limit_is_not_decoded(pipeline):
    with pytest.raises(FramesInvalid, match="bytes"):
        one(encode(Blank().frame(0)), pipeline, max_frame_bytes=1000)


def test_pictures_are_overwritten_at_the_end_of_their_batch_whatever_came(pipeline, monkeypatch):
    """Keep hold of each that was decoded: of a whole batch with the frame it repeats, and of one that breaks off."""
    kept = []

    def decoding(jpeg, **limits):
        kept.append(decode_image(jpeg, **limits))
        assert kept[-1].any()
        return kept[-1]

    monkeypatch.setattr("biometric.liveness.session.decode_image", decoding)
    blank = Blank()
    wall = [Frame(k, k * FRAME_MS, encode(blank.frame(0))) for k in range(5)]
    session = FaceSession.begin(parse_steps("turn_left"), mode="login")
    assert session.push(wall[:3], pipeline=pipeline, now_ms=300).state is State.GO_ON
    broken = replace(wall[4], jpeg=wall[4].jpeg[:-500])
    with pytest.raises(ImageUnreadable):
        session.push([*wall[2:4], broken], pipeline=pipeline, now_ms=500)
    assert len(kept) == 4
    assert not any(picture.any() for picture in kept)


def test_a_picture_without_contrast_does_not_raise(pipeline):
    black = [cv2.imencode(".jpg", np.full((480, 640, 3), k, np.uint8))[1].tobytes() for k in range(4)]
    session = FaceSession.begin(parse_steps("smile"), mode="login")
    frames = [Frame(k, k * FRAME_MS, jpeg) for k, jpeg in enumerate(black)]
    assert session.push(frames, pipeline=pipeline, now_ms=300).state is State.GO_ON


@pytest.mark.parametrize("steps", ["", "smile"])
def test_a_challenge_needs_steps_and_a_pause_for_each(steps):
    with pytest.raises(ValueError, match=r"pause|steps"):
        FaceSession.begin(parse_steps(steps) if steps else (), mode="login", pauses_ms=(1, 2))
