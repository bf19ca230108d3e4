"""Crops: the similarity is what it says, and SFace's crop is OpenCV's own."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from biometric.align import FACENET_TARGET, SFACE_TARGET, facenet_input, facenet_matrix, sface_crop, similarity
from biometric.detect import warp


def moved(points, angle, scale, shift):
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return (points @ turn.T + shift).astype(np.float32)


@pytest.mark.parametrize("angle", [0.0, 0.4, -1.2, 3.0])
def test_a_turned_scaled_and_shifted_face_comes_back_to_its_place(angle):
    five = moved(SFACE_TARGET, angle, 3.1, (200, 90))
    matrix = similarity(five, SFACE_TARGET)
    assert np.allclose(five @ matrix[:, :2].T + matrix[:, 2], SFACE_TARGET, atol=1e-3)


def test_a_mirrored_face_is_not_mirrored_back():
    matrix = similarity(SFACE_TARGET * np.float32([-1, 1]), SFACE_TARGET)
    assert np.linalg.det(matrix[:, :2]) > 0


def test_facenets_crop_is_stretched_sideways():
    matrix = facenet_matrix(FACENET_TARGET * np.float32([0.798, 1]))
    assert matrix[0, 0] / matrix[1, 1] == pytest.approx(1 / 0.798, abs=1e-3)


def test_points_on_one_spot_do_not_crash():
    assert np.isfinite(similarity(np.zeros((5, 2), np.float32), SFACE_TARGET)).all()


def test_standardisation_is_fixed():
    assert facenet_input(np.full((160, 160, 3), 255, np.uint8)).max() == pytest.approx(127.5 / 128)
    blue = np.zeros((160, 160, 3), np.uint8)
    blue[..., 0] = 255
    assert facenet_input(blue)[0, 0].tolist() == pytest.approx([-127.5 / 128, -127.5 / 128, 127.5 / 128])


def test_shrinking_a_lot_averages_instead_of_skipping_pixels():
    stripes = np.zeros((800, 800, 3), np.uint8)
    stripes[:, ::2] = 255
    crop = warp(stripes, np.float32([[0.1, 0, 0], [0, 0.1, 0]]), 80)
    assert 90 < crop[10:70, 10:70].min() <= crop[10:70, 10:70].max() < 165


@pytest.mark.parametrize("zoom", [0.1, 0.3, 0.49, 0.5, 0.9])
def test_a_part_of_a_large_picture_lands_where_it_should(zoom):
    image = np.zeros((900, 1200, 3), np.uint8)
    cv2.circle(image, (700, 300), 30, (255, 255, 255), -1)
    matrix = np.float32([[zoom, 0, 50 - 700 * zoom], [0, zoom, 50 - 300 * zoom]])
    y, x = np.nonzero(warp(image, matrix, 100)[..., 0] > 127)
    assert (x.mean(), y.mean()) == pytest.approx((50, 50), abs=0.6)


@pytest.mark.models
@pytest.mark.parametrize("name", ["person_a_1", "astronaut"])
def test_sfaces_crop_is_opencvs(name, picture, pipeline, models_dir):
    image = picture(name)
    face = pipeline.detector.detect(image)[0]
    recogniser = cv2.FaceRecognizerSF.create(str(models_dir / "sface_2021dec_int8bq.onnx"), "")
    row = np.concatenate([face.box, face.five.ravel(), [face.score]]).astype(np.float32)
    theirs = recogniser.alignCrop(image, row).astype(int)
    assert np.abs(theirs - sface_crop(image, face.five)).mean() < 1.5
