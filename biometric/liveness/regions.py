"""Mean colours of pieces of the face and of what is behind it, in one frame.

Rules:
 * The face is read from a picture of a quarter of the size, so that noise is averaged; what is behind from all of its
   pixels. A frame costs a quarter of a millisecond.
 * Values are the camera's own (gamma-encoded, 0 to 255); who needs light in linear terms converts (cues/colour.py).
 * A region that is not in the picture is NaN.

Not here: what a change of colour means (cues/colour.py, cues/pulse.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from biometric.types import Image, Points

SHRINK: Final = 4
# Mesh points well inside a piece of skin, away from lids, brows, lips and hair. `rim` is the side of the cheeks, which
# looks sideways and so gets less of a light in front of it. It is not the face's outline: there, half a pixel of
# movement shows hair or wall instead of skin, ten times what a screen's light changes (docs/liveness.md, "Light").
FACE_REGIONS: Final = {
    "forehead": (9, 107, 336, 108, 337, 151),
    "cheek_right": (50, 101, 118, 117, 205, 36),
    "cheek_left": (280, 330, 347, 346, 425, 266),
    "nose": (195, 5, 4, 197, 51, 281),
    "rim": (123, 147, 116, 187, 352, 376, 345, 411),
}
BACKGROUND: Final = "background"
REGIONS: Final = (*FACE_REGIONS, BACKGROUND)
CHANNELS: Final = ("b", "g", "r")
REGION_COLUMNS: Final = tuple(f"{region}_{channel}" for region in REGIONS for channel in CHANNELS)
_POINTS: Final = np.concatenate([np.array(points) for points in FACE_REGIONS.values()])
_SIZES: Final = np.array([len(points) for points in FACE_REGIONS.values()])
_BEGINS: Final = np.cumsum(_SIZES) - _SIZES
_ASIDE: Final = 0.45  # of the face's width: hair, ears and shoulders are nearer to the face than this
_LEAST_PX: Final = 24  # pixels of the small picture; fewer are no background worth a mean


def measure_regions(image: Image, points: Points) -> dict[str, float]:
    """Return REGION_COLUMNS of one frame.

    Args:
        image: the whole frame.
        points: 468x2 mesh points in its pixels.
    """
    size = np.array([image.shape[1] // SHRINK, image.shape[0] // SHRINK])
    places = np.rint(points / SHRINK - 0.5).astype(int)
    on_face = places[_POINTS]
    low, high = (np.minimum(np.maximum(end(on_face, axis=0), 0), size - 1) for end in (np.min, np.max))
    small = _shrunk(image, low, high + 1)
    inside = ((on_face >= 0) & (on_face < size)).all(axis=1)
    means = [_means(small, on_face - low, inside).ravel(), _behind(image, places, size)]
    return dict(zip(REGION_COLUMNS, np.concatenate(means).tolist(), strict=True))


def _shrunk(image: Image, low: NDArray[np.int_], high: NDArray[np.int_]) -> Image:
    """Return this part of the small picture; making all of it would take four times as long."""
    (left, top), (right, bottom) = (low * SHRINK).tolist(), (high * SHRINK).tolist()
    size = (int(high[0] - low[0]), int(high[1] - low[1]))
    return cv2.resize(image[top:bottom, left:right], size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


def _means(small: Image, places: NDArray[np.int_], inside: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the mean of each region's points that are inside, NaN where they are less than half of it."""
    x, y = np.where(inside[:, None], places, 0).T
    seen = small[y, x].astype(np.float64) * inside[:, None]
    counts = np.add.reduceat(inside.astype(np.float64), _BEGINS)
    counts[2 * counts < _SIZES] = np.nan
    return np.asarray(np.add.reduceat(seen, _BEGINS) / counts[:, None])


def _behind(image: Image, places: NDArray[np.int_], size: NDArray[np.int_]) -> NDArray[np.float64]:
    """Return the mean beside the head, above its chin."""
    (left, _), (right, bottom) = places.min(axis=0).tolist(), places.max(axis=0).tolist()
    width, height = size.tolist()
    aside = round(_ASIDE * (right - left))
    rows = SHRINK * min(max(bottom, 1), height)
    ends = (SHRINK * min(max(left - aside, 0), width), SHRINK * min(max(right + aside, 0), width))
    parts = [part for part in (image[:rows, : ends[0]], image[:rows, ends[1] : SHRINK * width]) if part.size]
    pixels = sum(part.shape[0] * part.shape[1] for part in parts)
    if pixels < _LEAST_PX * SHRINK**2:
        return np.full(3, np.nan)
    return np.asarray(np.sum([cv2.sumElems(part)[:3] for part in parts], axis=0) / pixels)
