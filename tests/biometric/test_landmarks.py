"""The mesh finds the face, keeps it, and says when it is gone."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from biometric.landmarks import LEFT_EYE_OUTER, LOST, NOSE_TIP, RIGHT_EYE_OUTER, five_points

pytestmark = pytest.mark.models


@pytest.fixture
def located(picture, pipeline):
    image = picture("person_b_1")
    face = pipeline.detector.detect(image)[0]
    return image, face, pipeline.mesh.locate(image, face)


def test_the_mesh_agrees_with_the_detector(located):
    _, face, landmarks = located
    assert landmarks.presence > 0.9
    assert landmarks.points.shape == (468, 2)
    off = np.abs(five_points(landmarks) - face.five).mean()
    assert off < 0.06 * face.box[3]


def test_the_persons_own_right_is_left_in_the_picture(located):
    points = located[2].points
    assert points[RIGHT_EYE_OUTER, 0] < points[NOSE_TIP, 0] < points[LEFT_EYE_OUTER, 0]


@pytest.mark.parametrize("degrees", [-30, -15, 15, 30])
def test_a_rolled_head_has_the_same_points_rolled(located, pipeline, degrees):
    image, face, upright = located
    height, width = image.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1)
    rolled = cv2.warpAffine(image, matrix, (width, height))
    again = pipeline.mesh.locate(rolled, pipeline.detector.detect(rolled)[0])
    expected = upright.points @ matrix[:, :2].T + matrix[:, 2]
    assert np.abs(again.points - expected).mean() < 0.02 * face.box[3]


def test_a_moved_face_is_followed(located, pipeline):
    image, face, landmarks = located
    shift = np.float32([[1, 0, 12], [0, 1, -9]])
    moved = cv2.warpAffine(image, shift, image.shape[1::-1])
    followed = pipeline.mesh.track(moved, landmarks)
    assert followed.presence > 0.9
    assert np.abs(followed.points - landmarks.points - (12, -9)).mean() < 0.015 * face.box[3]


def test_a_face_that_left_is_lost(located, pipeline):
    image, _, landmarks = located
    assert pipeline.mesh.track(np.full_like(image, 127), landmarks).presence < LOST


def test_points_are_frozen(located):
    with pytest.raises(ValueError, match="read-only"):
        located[2].points[0] = 0
