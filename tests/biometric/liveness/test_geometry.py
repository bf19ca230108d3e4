"""Relief from tracked patches: heads, sheets and bent sheets as points, without pictures."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from biometric.liveness import head
from biometric.liveness.geometry import NARROW, OLDEST_FRAMES, measure_depth, measure_squeeze
from biometric.liveness.measure import _nearest_rows, measure_face
from biometric.liveness.tracking import SkinTrack, begin_track, follow_track

FOCAL = 270.0  # of the half-size picture
FAR_M = 0.5
EYES_M = 0.09
rng = np.random.default_rng(5)
PLACES = np.column_stack([rng.uniform(-0.6, 0.6, len(head.SKIN_DEPTH)), rng.uniform(-0.5, 1.0, len(head.SKIN_DEPTH))])


def seen(shape_m, *, yaw=0.0, pitch=0.0, noise=0.0, seed=0):
    """Project points (x, y, forward) in metres after a rotation."""
    a, b = np.radians([yaw, pitch])
    turn = np.array([[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]])
    nod = np.array([[1, 0, 0], [0, np.cos(b), np.sin(b)], [0, -np.sin(b), np.cos(b)]])
    x, y, forward = (shape_m @ (turn @ nod).T).T
    pixels = np.column_stack([x, y]) * (FOCAL / (FAR_M - forward))[:, None] + (160, 120)
    return (pixels + noise * np.random.default_rng(seed).standard_normal(pixels.shape)).astype(np.float32)


def head_shape():
    return np.column_stack([PLACES, head.SKIN_DEPTH]) * EYES_M


def sheet(*, radius_m=np.inf, axis=0.0):
    """Return a sheet with the same patches on it, bent round a cylinder whose bending direction is `axis`."""
    flat = PLACES * EYES_M
    along = flat @ np.array([np.cos(axis), np.sin(axis)])
    forward = np.zeros(len(flat)) if np.isinf(radius_m) else radius_m * np.cos(along / radius_m) - radius_m
    return np.column_stack([flat, forward])


def track(shape, *, yaw, pitch=0.0, noise=0.15, keep=None):
    origin, current = seen(shape, noise=noise), seen(shape, yaw=yaw, pitch=pitch, noise=noise, seed=1)
    chosen = slice(None) if keep is None else slice(keep)
    return SkinTrack(
        origin=origin[chosen],
        current=current[chosen],
        depth=head.SKIN_DEPTH[chosen],
        begun=len(origin),
        scale=EYES_M * FOCAL / FAR_M,
        roll=0.0,
        yaw=0.0,
        pitch=0.0,
    )


@pytest.mark.parametrize("yaw", [-30, -20, -15, 15, 20, 30])
def test_a_head_has_relief_and_a_nose_and_the_width_of_a_head(yaw):
    told = measure_depth(track(head_shape(), yaw=yaw), yaw=yaw, pitch=0)
    assert 0.7 < told.relief < 1.4
    assert told.bump > 0.5
    assert told.narrow < 0.035


@pytest.mark.parametrize("yaw", [-35, -20, 20, 35])
def test_a_flat_sheet_has_no_relief_even_if_the_mesh_believes_in_the_turn(yaw):
    told = measure_depth(track(sheet(), yaw=yaw), yaw=yaw * 0.6, pitch=0)
    assert abs(told.relief) < 0.2
    assert abs(told.bump) < 0.2


@pytest.mark.parametrize("radius_m", [0.07, 0.10, 0.15])
@pytest.mark.parametrize("axis", [0.0, 45.0, 90.0, 135.0])
@pytest.mark.parametrize("yaw", [-35, 35])
def test_a_bent_sheet_has_no_nose_whatever_way_it_is_bent(radius_m, axis, yaw):
    bent = sheet(radius_m=radius_m, axis=np.radians(axis))
    assert measure_depth(track(bent, yaw=yaw), yaw=yaw * 0.5, pitch=0).bump < 0.27


@pytest.mark.parametrize("radius_m", [0.07, 0.10, 0.15])
def test_a_bent_sheet_that_seems_to_turn_as_far_as_a_head_is_narrower(radius_m):
    bent = sheet(radius_m=radius_m)
    told = measure_depth(track(bent, yaw=35), yaw=17, pitch=0)
    assert told.narrow > 0.1


def test_a_sheet_that_turns_without_the_mesh_seeing_it_is_measured_by_its_narrowing():
    turned = track(sheet(), yaw=35)
    assert measure_squeeze(turned) < NARROW
    assert abs(measure_depth(turned, yaw=2, pitch=0).relief) < 0.15


def test_narrowing_by_a_nod_is_not_taken_for_a_turn():
    nodded = track(head_shape(), yaw=0, pitch=-10)
    assert measure_depth(nodded, yaw=0, pitch=-10) is None


def test_a_deep_nod_while_turning_is_not_measured():
    assert measure_depth(track(head_shape(), yaw=25, pitch=15), yaw=25, pitch=15) is None


def test_nothing_is_said_while_nothing_turns():
    assert measure_depth(track(head_shape(), yaw=3), yaw=3, pitch=0) is None
    assert measure_squeeze(track(head_shape(), yaw=3)) == pytest.approx(1.0, abs=0.02)


def test_nothing_is_said_from_a_handful_of_patches():
    assert measure_depth(track(head_shape(), yaw=25, keep=12), yaw=25, pitch=0) is None
    assert measure_squeeze(track(head_shape(), yaw=25, keep=12)) is None


def test_patches_followed_for_too_long_are_not_believed():
    old = replace(track(head_shape(), yaw=25), age=OLDEST_FRAMES + 1)
    assert measure_depth(old, yaw=25, pitch=0) is None


def test_some_patches_gone_astray_do_not_make_a_sheet_a_head():
    lost = track(sheet(), yaw=25)
    lost.current[::9] += 6
    assert measure_depth(lost, yaw=20, pitch=0).relief < 0.3


# the pose that the angles come from


@pytest.mark.parametrize("yaw", [-30.0, -10.0, 0.0, 10.0, 30.0])
@pytest.mark.parametrize("pitch", [-10.0, 0.0, 10.0])
def test_the_angles_of_the_average_head_are_found_again(yaw, pitch):
    a, b = np.radians([yaw, pitch])
    turn = np.array([[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]])
    nod = np.array([[1, 0, 0], [0, np.cos(b), np.sin(b)], [0, -np.sin(b), np.cos(b)]])
    points = np.zeros((468, 2), np.float32)
    points[head.RIGID_POINTS] = (head.RIGID_MODEL @ (turn @ nod).T)[:, :2] * 80 + 300
    face = measure_face(points)
    assert face.yaw == pytest.approx(yaw, abs=3)
    assert face.scale == pytest.approx(80, rel=0.01)


@pytest.mark.parametrize("least", [1.0, 1e-2, 1e-5, 1e-8, 0.0])
def test_the_closed_form_says_what_the_svd_says(least):
    chance = np.random.default_rng(11)
    for _ in range(50):
        sides, _ = np.linalg.qr(chance.normal(size=(2, 2)))
        rows = np.linalg.qr(chance.normal(size=(3, 2)))[0].T
        sizes = np.array([1.0, least]) * 10 ** chance.uniform(-2, 3)
        first, second, scale = _nearest_rows(sides @ np.diag(sizes) @ rows)
        assert scale == pytest.approx(sizes.mean(), rel=1e-6)
        if least > 1e-7:  # below it the second direction is lost in the rounding of the input itself
            assert np.allclose([first, second], sides @ rows, atol=1e-5)


def test_degenerate_points_do_not_raise():
    face = measure_face(np.zeros((468, 2), np.float32))
    assert np.isfinite(face.ear_left)
    assert face.scale > 0


# following


def texture(shift=(0.0, 0.0)):
    noise = np.random.default_rng(3).integers(0, 256, (60, 80), dtype=np.uint8)
    grey = cv2.resize(noise, (320, 240), interpolation=cv2.INTER_CUBIC)
    return cv2.warpAffine(grey, np.float32([[1, 0, shift[0]], [0, 1, shift[1]]]), (320, 240))


def mesh_at(x, y, size):
    points = np.zeros((468, 2), np.float32)
    spread = np.random.default_rng(9).uniform(-0.5, 0.5, (468, 2))
    points[:] = spread * size + (x, y)
    points[33], points[263] = (x - size / 2, y), (x + size / 2, y)
    return points


def test_patches_follow_a_picture_that_moves():
    points = mesh_at(320, 240, 200)
    begun = begin_track(texture(), points, measure_face(points))
    moved = follow_track(begun, texture(), texture((3.0, -2.0)))
    assert len(moved.current) > 0.8 * begun.begun
    assert np.median(moved.current - moved.origin, axis=0) == pytest.approx([3.0, -2.0], abs=0.2)
    assert moved.age == 1


def test_patches_do_not_survive_a_cut():
    points = mesh_at(320, 240, 200)
    begun = begin_track(texture(), points, measure_face(points))
    after = follow_track(begun, texture(), np.ascontiguousarray(texture()[::-1, ::-1]))
    assert len(after.current) < 0.2 * begun.begun


def test_a_face_at_the_edge_of_the_picture_is_not_followed():
    points = mesh_at(0, 0, 200)
    assert begin_track(texture(), points, measure_face(points)) is None
