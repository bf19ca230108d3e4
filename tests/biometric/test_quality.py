"""One hint at a time, and it is the right one."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from biometric.errors import QualityTooLow
from biometric.limits import shipped
from biometric.quality import assess, turn

pytestmark = pytest.mark.models
STILL, LIVE = shipped().still, shipped().live


@pytest.fixture
def portrait(picture):
    """A webcam's view of a person: 640x480, the face a third of the height."""
    image = picture("person_b_1")
    small = cv2.resize(image, None, fx=480 / 900, fy=480 / 900, interpolation=cv2.INTER_AREA)
    return cv2.copyMakeBorder(small, 0, 0, 129, 129, cv2.BORDER_REPLICATE)


def hint(pipeline, image, limits=LIVE):
    face = pipeline.detector.detect(image)[0]
    try:
        assess(image, face, pipeline.mesh.locate(image, face), limits=limits)
    except QualityTooLow as low:
        return low.hint
    return None


def test_a_good_view_needs_no_hint(portrait, pipeline):
    assert hint(pipeline, portrait) is None


def lit(image, factor):
    return np.clip(image.astype(np.float32) * factor, 0, 255).astype(np.uint8)


def test_dark(portrait, pipeline):
    assert hint(pipeline, lit(portrait, 0.15)) == "too_dark"


def test_bright(portrait, pipeline):
    washed = (255 - (255 - portrait.astype(np.float32)) * 0.12).astype(np.uint8)
    assert hint(pipeline, washed) == "too_bright"


def test_blurred(portrait, pipeline):
    assert hint(pipeline, cv2.GaussianBlur(portrait, None, 6)) == "blurred"


def test_far(portrait, pipeline):
    small = cv2.resize(portrait, None, fx=0.3, fy=0.3, interpolation=cv2.INTER_AREA)
    far = cv2.copyMakeBorder(small, 170, 166, 224, 224, cv2.BORDER_REPLICATE)
    assert hint(pipeline, far) == "too_far"


def test_close(portrait, pipeline):
    face = pipeline.detector.detect(portrait)[0]
    x, y, w, h = (round(value) for value in face.box)
    close = cv2.resize(portrait[y : y + h, max(0, x - 20) : x + w + 20], (640, 480), interpolation=cv2.INTER_CUBIC)
    assert hint(pipeline, close) == "too_close"


def test_off_centre(portrait, pipeline):
    moved = np.roll(portrait, 220, axis=1)
    assert hint(pipeline, moved) == "off_centre"


def test_turned_away_is_told_by_the_nose():
    straight = np.float32([[40, 50], [80, 50], [60, 70], [45, 90], [75, 90]])
    assert turn(straight) == pytest.approx(0)
    left, right = straight.copy(), straight.copy()
    left[2, 0], right[2, 0] = 50, 70
    assert turn(left) == pytest.approx(-turn(right))
    assert abs(turn(left)) > LIVE.most_turn


def test_a_still_is_judged_more_mildly_than_a_camera(portrait, pipeline):
    assert hint(pipeline, cv2.resize(portrait, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), STILL) is None
