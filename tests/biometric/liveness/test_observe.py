"""Whose face a frame's row is of, when the picture shows another one."""

from types import SimpleNamespace

import numpy as np
import pytest

from biometric.liveness.evidence import Evidence, Mode
from biometric.liveness.geometry import OLDEST_FRAMES
from biometric.liveness.observe import LOOK_EVERY_MS, RENEW_FRAMES, Follow, Observer, Trail, _worn
from biometric.liveness.tracking import SkinTrack
from biometric.types import DetectedFace, Landmarks

IMAGE = np.zeros((480, 640, 3), np.uint8)
FOLLOWED = Landmarks(np.float32([[300, 200], [340, 260]]), 1.0)


def face(box):
    return DetectedFace(box=box, five=np.zeros((5, 2), np.float32), score=0.9)


def looked(found):
    """Return the evidence after one look of the detector that found these faces."""
    pipeline = SimpleNamespace(
        mesh=SimpleNamespace(track=lambda image, known: FOLLOWED),
        detector=SimpleNamespace(detect=lambda image, longest_side: found),
    )
    evidence = Evidence((), (), Mode.LOGIN)
    observer = Observer(evidence, Trail(points=FOLLOWED.points), pipeline, follow=Follow.NOTHING)
    assert observer._find(round(LOOK_EVERY_MS), IMAGE) is FOLLOWED
    assert evidence.looks == 1
    return evidence


def test_the_face_that_is_followed_is_alone():
    assert looked([face((280.0, 170.0, 80.0, 110.0))]).crowded_looks == 0


def test_a_larger_face_elsewhere_is_not_the_one_that_is_followed():
    """Who is followed since the beginning would else stay it, however large the other one is."""
    small, large = face((280.0, 170.0, 80.0, 110.0)), face((10.0, 60.0, 220.0, 300.0))
    assert looked([large, small]).crowded_looks == 1
    assert looked([large]).crowded_looks == 1


def test_a_face_that_the_detector_does_not_see_is_followed_on():
    assert looked([]).crowded_looks == 0


def narrowed(to, *, age):
    """Return patches of a sheet that became narrower: what was 1 wide is now `to`."""
    origin = np.float32([[x, y] for x in range(0, 80, 8) for y in range(0, 80, 8)])
    current = origin * np.float32([to, 1])
    depth = np.zeros(len(origin), np.float32)
    return SkinTrack(origin, current, depth, begun=len(origin), scale=60.0, roll=0.0, yaw=0.0, pitch=0.0, age=age)


def test_a_track_begins_anew_while_nothing_narrows():
    assert _worn(None)
    assert _worn(narrowed(1.0, age=RENEW_FRAMES))
    assert not _worn(narrowed(0.9, age=RENEW_FRAMES))


@pytest.mark.parametrize("to", [0.5, 0.9, 1.0])
def test_a_track_that_is_too_old_to_be_believed_begins_anew(to):
    """What is left of it after a turn to the wrong side may seem narrow for ever, and the right turn went unseen."""
    assert not _worn(narrowed(0.9, age=OLDEST_FRAMES))
    assert _worn(narrowed(to, age=OLDEST_FRAMES + 1))
