"""Which face counts, and that it is found where it is."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from biometric.detect import most_prominent, only_face
from biometric.errors import NoFace, SeveralFaces
from biometric.types import DetectedFace


def face(side, at=(0.0, 0.0)):
    return DetectedFace(box=(*at, side * 0.8, side), five=np.zeros((5, 2), np.float32), score=0.9)


def test_no_face_is_no_face():
    with pytest.raises(NoFace):
        only_face([])


@pytest.mark.parametrize("share", [1.0, 0.8, 0.5])
def test_two_faces_of_comparable_size_are_refused_in_any_order(share):
    for faces in ([face(100), face(100 * share)], [face(100 * share), face(100)]):
        with pytest.raises(SeveralFaces):
            only_face(faces)


def test_a_poster_far_behind_is_ignored_and_never_chosen():
    person = face(100)
    assert only_face([face(45), person]) is person


def test_the_prominent_face_is_large_and_near_the_middle():
    image = np.zeros((200, 200, 3), np.uint8)
    middle, corner = face(60, (70, 70)), face(70, (0, 0))
    assert most_prominent([corner, middle], image) is middle
    with pytest.raises(NoFace):
        most_prominent([], image)


def test_repr_shows_no_points():
    assert "array" not in repr(face(10))


@pytest.mark.models
def test_a_portrait_has_one_face_inside_its_frame(picture, pipeline):
    image = picture("person_b_1")
    found = only_face(pipeline.detector.detect(image))
    x, y, w, h = found.box
    assert 0 < x < x + w < image.shape[1]
    assert 0 < y < y + h < image.shape[0]
    right_eye, left_eye, nose, *_ = found.five
    assert right_eye[0] < nose[0] < left_eye[0]
    assert found.score > 0.8


@pytest.mark.models
def test_the_place_does_not_depend_on_the_size_of_the_picture(picture, pipeline):
    image = picture("person_a_2")
    large = cv2.resize(image, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    once, twice = pipeline.detector.detect(image)[0], pipeline.detector.detect(large)[0]
    assert np.allclose(np.array(twice.box) / 2, once.box, atol=0.04 * once.box[3])


@pytest.mark.models
@pytest.mark.parametrize("shape", [(1, 1), (2, 500), (480, 640)])
def test_nothing_is_found_in_nothing(shape, pipeline):
    assert pipeline.detector.detect(np.full((*shape, 3), 127, np.uint8)) == []
    noise = np.random.default_rng(0).integers(0, 256, (*shape, 3)).astype(np.uint8)
    assert pipeline.detector.detect(noise) == []


@pytest.mark.models
def test_a_second_look_stays_on_the_face(picture, pipeline):
    image = picture("person_b_2")
    found = pipeline.detector.detect(image)[0]
    refined = pipeline.detector.refine(image, found)
    assert np.abs(refined.five - found.five).max() < 0.1 * found.box[3]
    nowhere = DetectedFace(box=(0, 0, 40, 40), five=found.five, score=0.9)
    assert pipeline.detector.refine(image, nowhere) is nowhere
