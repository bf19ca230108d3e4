from __future__ import annotations

import numpy as np

from tests.simulator.raster import draw

SQUARE = np.array([[10.0, 10.0], [50.0, 10.0], [50.0, 50.0], [10.0, 50.0]])
UV = np.array([[0.0, 0.0], [80.0, 0.0], [80.0, 80.0], [0.0, 80.0]])
TRIANGLES = np.array([[0, 1, 2], [0, 2, 3]], dtype=np.int32)


def _at(drawing, x, y):
    row, column = y - drawing.region[0].start, x - drawing.region[1].start
    return drawing.map_x[row, column], drawing.map_y[row, column], drawing.cover[row, column]


def test_texture_positions_are_interpolated():
    drawing = draw(SQUARE, np.ones(4), UV, TRIANGLES, size=(64, 64))
    u, v, cover = _at(drawing, 20, 40)
    assert (u, v) == (20.0, 60.0)
    assert cover == 1
    assert _at(drawing, 9, 30)[2] < 0.5


def test_the_nearer_triangle_hides_the_farther_one():
    pixels = np.vstack([SQUARE, SQUARE])
    uv = np.vstack([UV, UV + 200])
    triangles = np.vstack([TRIANGLES + 4, TRIANGLES])
    drawing = draw(pixels, np.repeat([2.0, 1.0], 4), uv, triangles, size=(64, 64))
    assert _at(drawing, 30, 30)[0] > 200


def test_a_surface_seen_from_behind_is_not_drawn():
    assert draw(SQUARE, np.ones(4), UV, TRIANGLES[:, ::-1], size=(64, 64)) is None


def test_what_is_outside_the_picture_is_cut():
    drawing = draw(SQUARE - 30, np.ones(4), UV, TRIANGLES, size=(64, 64))
    assert drawing.region[0].start == drawing.region[1].start == 0
    assert draw(SQUARE + 100, np.ones(4), UV, TRIANGLES, size=(64, 64)) is None


def test_light_is_spread_over_triangles():
    drawing = draw(SQUARE, np.ones(4), UV, TRIANGLES, size=(64, 64), share=np.array([0.0, 1.0, 1.0, 0.0]))
    assert np.isclose(drawing.share[20, 22], 0.5, atol=0.06)
