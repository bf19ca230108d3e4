"""Which face counts, and that it is found where it is."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from biometric.detect import (
    BYSTANDER,
    LEAST_SIDE_PX,
    SEARCH_SIDE_PX,
    SECOND_FACE_PX,
    most_prominent,
    only_face,
    side_beside,
)
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


@pytest.mark.parametrize("face_px", [0.0, 20.0, 100.0, 120.0, 165.0, 230.0, 480.0, 5000.0])
@pytest.mark.parametrize("longest_px", [640, 320])
def test_the_copy_searched_beside_a_known_face_shows_every_second_face_that_counts(face_px, longest_px):
    side = side_beside(face_px, longest_px=longest_px)
    assert LEAST_SIDE_PX <= side <= SEARCH_SIDE_PX
    assert side == SEARCH_SIDE_PX or BYSTANDER * face_px * side / longest_px >= SECOND_FACE_PX


def test_the_smaller_the_known_face_the_larger_the_copy():
    sides = [side_beside(face_px, longest_px=640) for face_px in (60, 120, 165, 230)]
    assert sides == sorted(sides, reverse=True)
    assert sides[0] == SEARCH_SIDE_PX > sides[-1]


@pytest.mark.models
@pytest.mark.parametrize("known_px", [130, 165, 220])
def test_a_second_face_of_comparable_size_is_seen_in_the_small_copy(known_px, picture, pipeline):
    frame = np.full((480, 640, 3), 110, np.uint8)
    for name, side, middle_x in (("person_b_1", known_px, 160), ("person_b_2", 0.7 * known_px, 480)):
        image = picture(name)
        found = only_face(pipeline.detector.detect(image))
        zoom = side / max(found.box[2:])
        shift = (middle_x - zoom * found.five[2, 0], 240 - zoom * found.five[2, 1])
        matrix = np.array([[zoom, 0, shift[0]], [0, zoom, shift[1]]], np.float32)
        shown = cv2.warpAffine(image, matrix, (640, 480), flags=cv2.INTER_AREA)
        half = slice(0, 320) if middle_x < 320 else slice(320, 640)
        frame[:, half] = shown[:, half]
    small = side_beside(known_px, longest_px=640)
    assert small < SEARCH_SIDE_PX
    with pytest.raises(SeveralFaces):
        only_face(pipeline.detector.detect(frame, longest_side=small))


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
@pytest.mark.parametrize("shape", [(2, 500), (500, 2), (32, 320), (20, 20)])
def test_what_other_work_left_in_memory_is_no_face(shape, pipeline):
    random = np.random.default_rng(0)
    grey = np.full((*shape, 3), 127, np.uint8)
    for _ in range(100):
        pipeline.detector.detect(random.integers(0, 256, (*random.integers(40, 320, 2), 3)).astype(np.uint8))
        leave_in_memory(random.choice([-1, 1]) * 10 ** random.uniform(0, 30), sizes=10 ** random.uniform(1, 6, 30))
        assert pipeline.detector.detect(grey) == []


def leave_in_memory(value, *, sizes):
    """Fill memory with `value`, and give it back."""
    _ = [np.full(int(size), value, np.float32) for size in sizes]


@pytest.mark.models
def test_a_small_face_is_found_where_it_is(picture, pipeline):
    image = picture("person_a_2")
    small = cv2.resize(image, (30, 30 * image.shape[0] // image.shape[1]), interpolation=cv2.INTER_AREA)
    zoom = image.shape[1] / small.shape[1]
    whole, seen = pipeline.detector.detect(image)[0], pipeline.detector.detect(small)[0]
    assert np.allclose(np.array(seen.box) * zoom, whole.box, atol=0.1 * whole.box[3])


@pytest.mark.models
def test_a_second_look_stays_on_the_face(picture, pipeline):
    image = picture("person_b_2")
    found = pipeline.detector.detect(image)[0]
    refined = pipeline.detector.refine(image, found)
    assert np.abs(refined.five - found.five).max() < 0.1 * found.box[3]
    nowhere = DetectedFace(box=(0, 0, 40, 40), five=found.five, score=0.9)
    assert pipeline.detector.refine(image, nowhere) is nowhere
