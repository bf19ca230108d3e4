"""A small software rasteriser: textured triangles through an index map, far ones first.

OpenCV fills the number of each triangle into an integer picture (painter's order); numpy then looks up each pixel's
affine map into the texture, and one cv2.remap fetches all colours. No per-pixel Python.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

SUBPIXEL_BITS = 4
STEEPEST = 6.0  # texels a pixel; triangles seen more edge-on than that get one colour


@dataclass(frozen=True, slots=True)
class Drawing:
    """Where in the texture each pixel of a region lies, how much of it is covered, and how much light falls on it."""

    region: tuple[slice, slice]
    map_x: NDArray[np.float32]
    map_y: NDArray[np.float32]
    cover: NDArray[np.float32]
    share: NDArray[np.float32] | None = None


def draw(
    pixels: NDArray[np.float64],
    depth: NDArray[np.float64],
    uv: NDArray[np.float64],
    triangles: NDArray[np.int32],
    *,
    size: tuple[int, int],
    share: NDArray[np.float64] | None = None,
) -> Drawing | None:
    """Rasterise triangles that face the camera; None when nothing is in the picture.

    Args:
        pixels: N x 2 projected corners.
        depth: N distances from the camera.
        uv: N x 2 texture positions in pixels.
        triangles: M x 3 indices, clockwise on the screen when seen from the front.
        size: width and height of the picture.
        share: N values of added light, to be spread over the triangles.
    """
    corners = pixels[triangles]
    edge_a, edge_b = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    area = edge_a[:, 0] * edge_b[:, 1] - edge_a[:, 1] * edge_b[:, 0]
    seen = np.flatnonzero(area > 0.05)  # thinner ones cover no pixel centre
    low = np.clip(np.floor(corners[seen].min(axis=(0, 1))).astype(int) - 2, 0, size) if seen.size else None
    high = np.clip(np.ceil(corners[seen].max(axis=(0, 1))).astype(int) + 3, 0, size) if seen.size else None
    if low is None or high is None or (high - low).min() < 1:
        return None
    order = seen[np.argsort(-depth[triangles[seen]].mean(axis=1))]
    shifted = corners[order] - low
    numbers = _fill_numbers(shifted, (int(high[1] - low[1]), int(high[0] - low[0])))
    cover = cv2.GaussianBlur((numbers > 0).astype(np.float32), (5, 5), 0.8)
    grown = cv2.dilate(numbers.astype(np.float32), np.ones((5, 5))).astype(np.int32)
    rimmed = np.where(numbers > 0, numbers, grown)  # the soft rim outside needs colours too
    values = uv if share is None else np.column_stack([uv, share])
    map_x, map_y, *rest = _spread(shifted, values[triangles[order]], area[order], rimmed)
    region = (slice(int(low[1]), int(high[1])), slice(int(low[0]), int(high[0])))
    return Drawing(region, map_x, map_y, np.asarray(cover, dtype=np.float32), rest[0] if rest else None)


def _fill_numbers(corners: NDArray[np.float64], shape: tuple[int, int]) -> NDArray[np.int32]:
    numbers = np.zeros(shape, dtype=np.int32)
    fixed = np.round(corners * (1 << SUBPIXEL_BITS)).astype(np.int32)
    fill = cv2.fillConvexPoly
    for number, triangle in enumerate(fixed, start=1):
        fill(numbers, triangle, number, cv2.LINE_8, SUBPIXEL_BITS)
    return numbers


def _spread(
    corners: NDArray[np.float64], values: NDArray[np.float64], area: NDArray[np.float64], numbers: NDArray[np.int32]
) -> list[NDArray[np.float32]]:
    """Give each pixel the values (M x 3 x K) of its triangle, by the affine map v = a x + b y + c of each."""
    edge_a, edge_b = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    change_a, change_b = values[:, 1] - values[:, 0], values[:, 2] - values[:, 0]
    per_x = (change_a * edge_b[:, 1:2] - change_b * edge_a[:, 1:2]) / area[:, None]
    per_y = (change_b * edge_a[:, 0:1] - change_a * edge_b[:, 0:1]) / area[:, None]
    edge_on = np.abs(np.concatenate([per_x, per_y], axis=1)).max(axis=1) > STEEPEST
    per_x[edge_on], per_y[edge_on] = 0, 0
    start = values[:, 0] - per_x * corners[:, 0, 0:1] - per_y * corners[:, 0, 1:2]
    nothing = np.full((1, values.shape[2]), -10.0)  # number 0: no triangle
    tables = [np.vstack([nothing * k, table]).astype(np.float32) for k, table in ((0, per_x), (0, per_y), (1, start))]
    place, nought = numbers.astype(np.float32), np.zeros(numbers.shape, np.float32)
    slope_x, slope_y, begin = (
        cv2.remap(table[None], place, nought, cv2.INTER_NEAREST) for table in tables
    )  # a look-up
    y, x = np.indices((*numbers.shape, 1), dtype=np.float32, sparse=True)[:2]
    return [np.asarray(part, dtype=np.float32) for part in cv2.split(slope_x * x + slope_y * y + begin)]
