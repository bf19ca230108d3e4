"""Attack: frames that no camera saw are sent to the service in the page's place. Simulated recordings."""

import cv2
import numpy as np
import pytest

from biometric.errors import FaceRejected, FramesInvalid
from biometric.liveness.challenge import parse_steps
from biometric.liveness.session import FaceSession
from biometric.types import Frame
from tests.biometric.conftest import models_dir, pipeline
from tests.biometric.liveness.rig import BATCH, FRAME_MS, Page, play_login
from tests.fixtures_cache import load_picture
from tests.simulator import Person, Subject, attacks
from tests.simulator.clips import person_clips

pytestmark = pytest.mark.models
__all__ = ["models_dir", "pipeline"]

STEPS = parse_steps("turn_left blink:2 smile")
OTHER_STEPS = parse_steps("smile turn_right blink:1")
PAUSES = (400, 700, 500)


@pytest.fixture(scope="module")
def owner():
    return Subject(load_picture("person_b_1"))


@pytest.fixture(scope="module")
def reference(pipeline):
    return pipeline.still(load_picture("person_b_1")).embeddings


@pytest.fixture(scope="module")
def recording(owner, pipeline):
    """What was sent in an earlier login that was let in."""
    page = play_login(Person(owner, seed=21), STEPS, pipeline=pipeline, pauses_ms=PAUSES)
    return [frame.jpeg for frame in page.sent]


def replay(jpegs, steps, pipeline, *, pauses_ms=()):
    """Send these pictures as the frames of a new challenge; returns the session."""
    page = Page(None, FaceSession.begin(steps, mode="login", pauses_ms=pauses_ms), pipeline)
    frames = [Frame(seq, seq * FRAME_MS, jpeg) for seq, jpeg in enumerate(jpegs[:299])]
    for start in range(0, len(frames), BATCH):
        if page.session.evidence.done or page.session.evidence.failed:
            break
        page.push(frames[start : start + BATCH])
    return page.session


def encoded_anew(jpegs):
    """Decode, add a little noise, encode: the pictures of before, not their bytes."""
    rng = np.random.default_rng(1)
    for jpeg in jpegs:
        image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
        noise = rng.integers(-1, 2, image.shape, dtype=np.int16)
        noisy = np.clip(image.astype(np.int16) + noise, 0, 255).astype(np.uint8)
        yield cv2.imencode(".jpg", noisy, [cv2.IMWRITE_JPEG_QUALITY, 92])[1].tobytes()


def reasons(session, reference, pipeline):
    with pytest.raises(FaceRejected) as caught:
        session.verdict(reference=reference, calibration=pipeline.calibration)
    return set(caught.value.reasons)


def test_a_recorded_login_does_not_fit_another_challenge(recording, reference, pipeline):
    session = replay(recording, OTHER_STEPS, pipeline, pauses_ms=PAUSES)
    assert any(reason.startswith("challenge:") for reason in reasons(session, reference, pipeline))


@pytest.mark.parametrize("steps", ["turn_right blink:2 smile", "turn_left blink:3 smile", "blink:2 turn_left smile"])
def test_nor_one_that_differs_in_side_count_or_order_alone(recording, reference, pipeline, steps):
    session = replay(recording, parse_steps(steps), pipeline, pauses_ms=PAUSES)
    assert any(reason.startswith("challenge:") for reason in reasons(session, reference, pipeline))


def test_nor_the_same_challenge_with_longer_pauses(recording, reference, pipeline):
    session = replay(recording, STEPS, pipeline, pauses_ms=(1900, 700, 500))
    assert any(reason.startswith("challenge:") for reason in reasons(session, reference, pipeline))


@pytest.mark.parametrize("times", [2, 3])
def test_frames_sent_several_times_are_refused(recording, reference, pipeline, times):
    slow = [jpeg for jpeg in recording for _ in range(times)]
    with pytest.raises(FramesInvalid, match="repeated"):
        replay(slow, STEPS, pipeline)


def test_now_and_then_a_frame_sent_twice_is_refused(recording, pipeline):
    with pytest.raises(FramesInvalid, match="repeated"):
        replay(attacks.duplicated(recording), STEPS, pipeline)


def test_a_recording_that_begins_again_is_refused(recording, pipeline):
    with pytest.raises(FramesInvalid, match="repeated"):
        replay(recording[:40] * 3, OTHER_STEPS, pipeline)


def test_a_recording_that_begins_again_is_refused_even_if_it_is_encoded_anew(recording, reference, pipeline):
    session = replay(list(encoded_anew(recording[:60] * 3)), OTHER_STEPS, pipeline)
    assert "repetition:loop" in reasons(session, reference, pipeline)


def test_a_recording_played_back_and_forth_is_refused(recording, reference, pipeline):
    there_and_back = [*recording[:60], *recording[58:0:-1]]
    session = replay(list(encoded_anew(there_and_back)), OTHER_STEPS, pipeline)
    assert "repetition:played_back" in reasons(session, reference, pipeline)


def test_shuffled_frames_are_refused(recording, reference, pipeline):
    session = replay(attacks.reordered(recording, seed=2), STEPS, pipeline)
    assert reasons(session, reference, pipeline)


def test_one_picture_of_the_owner_sent_with_fresh_noise_is_refused(recording, reference, pipeline):
    session = replay(list(encoded_anew(recording[:1] * 120)), STEPS, pipeline)
    assert "challenge:incomplete" in reasons(session, reference, pipeline)


def test_clips_for_every_action_cut_together_are_refused(owner, reference, pipeline):
    cuts = attacks.CutClips(person_clips(owner, seed=3))
    page = Page(cuts, FaceSession.begin(STEPS, mode="login", pauses_ms=PAUSES), pipeline)
    try:
        page.play()
    except FramesInvalid:
        assert page.session.evidence.broken == "repeated"
    assert reasons(page.session, reference, pipeline)


def test_the_recording_itself_was_a_login_that_is_let_in(recording, reference, pipeline):
    session = replay(recording, STEPS, pipeline, pauses_ms=PAUSES)
    assert session.verdict(reference=reference, calibration=pipeline.calibration).comparison.match
