"""Mean colours: of skin where it is in the picture, of what is beside the head, and of nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from biometric.liveness.regions import BACKGROUND, FACE_REGIONS, REGION_COLUMNS, SHRINK, measure_regions

SKIN, WALL = (40, 90, 160), (200, 10, 70)
FACE = (240, 120, 400, 340)  # left, top, right, bottom


@pytest.fixture
def points():
    left, top, right, bottom = FACE
    chance = np.random.default_rng(3)
    found = np.column_stack([chance.uniform(left, right, 468), chance.uniform(top, bottom, 468)]).astype(np.float32)
    found[[10, 152, 234, 454]] = [(320, top), (320, bottom), (left, 230), (right, 230)]
    return found


@pytest.fixture
def picture():
    image = np.empty((480, 640, 3), np.uint8)
    image[:] = WALL
    left, top, right, bottom = FACE
    image[top - 8 : bottom + 8, left - 8 : right + 8] = SKIN
    return image


def region(measured, name):
    return tuple(measured[f"{name}_{channel}"] for channel in "bgr")


def test_the_columns_are_those_of_the_evidence(picture, points):
    assert tuple(measure_regions(picture, points)) == REGION_COLUMNS


def test_skin_and_wall_are_told_apart(picture, points):
    measured = measure_regions(picture, points)
    assert {region(measured, name) for name in FACE_REGIONS} == {SKIN}
    assert region(measured, BACKGROUND) == pytest.approx(WALL)


def test_a_region_is_the_mean_of_its_blocks(points):
    image = np.random.default_rng(5).integers(0, 256, (480, 640, 3), dtype=np.uint8)
    blocks = image.reshape(120, SHRINK, 160, SHRINK, 3).mean(axis=(1, 3))
    measured = measure_regions(image, points)
    for name, chosen in FACE_REGIONS.items():
        places = np.rint(points[list(chosen)] / SHRINK - 0.5).astype(int)
        assert region(measured, name) == pytest.approx(blocks[places[:, 1], places[:, 0]].mean(axis=0), abs=0.5)


def test_points_outside_the_picture_count_for_nothing_and_too_few_inside_are_no_region(picture, points):
    name = "cheek_right"
    chosen = list(FACE_REGIONS[name])
    points[chosen[: len(chosen) // 2]] = (-500, 200)
    assert region(measure_regions(picture, points), name) == SKIN
    points[chosen[: len(chosen) // 2 + 1]] = (-500, 200)
    assert np.isnan(region(measure_regions(picture, points), name)).all()


@pytest.mark.parametrize("shift", [(-2000, 0), (0, 2000), (700, -900)])
def test_a_face_outside_the_picture_has_no_colour(picture, points, shift):
    measured = measure_regions(picture, points + np.float32(shift))
    assert np.isnan([region(measured, name) for name in FACE_REGIONS]).all()


def test_a_region_with_less_than_half_of_its_points_in_the_picture_has_no_colour(picture, points):
    cheek = list(FACE_REGIONS["cheek_left"])
    points[cheek[:4]] = (900, 200)
    measured = measure_regions(picture, points)
    assert np.isnan(region(measured, "cheek_left")).all()
    assert region(measured, "cheek_right") == SKIN


def test_a_face_that_fills_the_picture_has_nothing_behind_it(picture, points):
    low, high = points.min(axis=0), points.max(axis=0)
    filling = ((points - low) / (high - low) * (638, 478)).astype(np.float32)
    assert np.isnan(region(measure_regions(picture, filling), BACKGROUND)).all()
