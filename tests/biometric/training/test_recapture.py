"""The model of a picture that is printed or shown, and photographed again: repeatable, and it does what it says."""

import numpy as np
import pytest

from biometric.evaluation.drawn_face import Look, draw
from biometric.training.camera import CameraOdds, expose
from biometric.training.recapture import RecaptureOdds, face_view, print_view, screen_view

FACE = np.array([[250, 140], [390, 140], [250, 300], [390, 300]], np.float32)
ROOM = np.full((160, 160, 3), (40, 160, 40), np.uint8)
ODDS = RecaptureOdds()


def view(kind, *, seed=1, odds=ODDS):
    rng = np.random.default_rng(seed)
    if kind == "face":
        return face_view(draw(Look()), FACE, odds, rng)
    return (print_view if kind == "print" else screen_view)(draw(Look()), FACE, ROOM, odds, rng)


@pytest.mark.parametrize("kind", ["face", "print", "screen"])
def test_the_same_seed_gives_the_same_picture(kind):
    first, again, other = view(kind), view(kind), view(kind, seed=2)
    assert np.array_equal(first.pixels, again.pixels)
    assert np.array_equal(first.points, again.points)
    assert first.pixels.shape != other.pixels.shape or not np.array_equal(first.pixels, other.pixels)


@pytest.mark.parametrize("kind", ["face", "print", "screen"])
@pytest.mark.parametrize("seed", range(6))
def test_the_points_stay_on_the_face(kind, seed):
    """The drawn face's middle is skin, before and after."""
    scene = view(kind, seed=seed)
    x, y = scene.points.mean(axis=0)
    height, width = scene.pixels.shape[:2]
    assert 0.3 * width < x < 0.7 * width
    assert 0.3 * height < y < 0.7 * height
    seen = scene.pixels[int(y) - 3 : int(y) + 4, int(x) - 3 : int(x) + 4].mean(axis=(0, 1))
    assert seen[2] > seen[0]  # skin is redder than blue, whatever the paper


@pytest.mark.parametrize("kind", ["print", "screen"])
def test_the_room_is_seen_only_where_the_picture_does_not_fill_the_view(kind):
    def green(fills):
        odds = RecaptureOdds(fills=fills, glare=0.0)
        scenes = [view(kind, seed=seed, odds=odds).pixels for seed in range(8)]
        return np.mean([(p[..., 1] > 1.6 * np.maximum(p[..., 0], p[..., 2])).mean() for p in scenes])

    assert green(1.0) < 0.002  # grain
    assert green(0.0) > 0.05


def test_halftone_and_stripes_add_fine_structure():
    def fine(kind, odds):
        found = []
        for seed in range(6):
            pixels = view(kind, seed=seed, odds=odds).pixels
            found.append(np.abs(pixels[1:-1, 2:-1] - (pixels[1:-1, 1:-2] + pixels[1:-1, 3:]) / 2).mean())
        return float(np.mean(found))

    calm = RecaptureOdds(fills=1.0, glare=0.0, halftone=0.0, stripes=0.011)
    strong = RecaptureOdds(fills=1.0, glare=0.0, halftone=0.5, stripes=0.5)
    assert fine("print", strong) > 1.2 * fine("print", calm)
    assert fine("screen", strong) > 1.5 * fine("screen", calm)


def test_the_camera_is_repeatable_and_gives_pixels():
    scene = view("face").pixels
    first = expose(scene, CameraOdds(), np.random.default_rng(3))
    assert first.dtype == np.uint8
    assert first.shape == scene.shape
    assert np.array_equal(first, expose(scene, CameraOdds(), np.random.default_rng(3)))
    assert not np.array_equal(first, expose(scene, CameraOdds(), np.random.default_rng(4)))
