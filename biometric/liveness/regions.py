"""Mean colours of pieces of the face and of what is behind it, in one frame.

Rules:
 * Read from a picture of a quarter of the size, so that noise is averaged and a frame costs half a millisecond.
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
# Mesh points well inside a piece of skin, away from lids, brows, lips and hair. `rim` is the outer face in front of the
# ears, which looks sideways and so gets less of a light in front of it.
FACE_REGIONS: Final = {
    "forehead": (9, 107, 336, 108, 337, 151),
    "cheek_right": (50, 101, 118, 117, 205, 36),
    "cheek_left": (280, 330, 347, 346, 425, 266),
    "nose": (195, 5, 4, 197, 51, 281),
    "rim": (234, 93, 227, 132, 454, 323, 447, 361),
}
BACKGROUND: Final = "background"
REGIONS: Final = (*FACE_REGIONS, BACKGROUND)
CHANNELS: Final = ("b", "g", "r")
REGION_COLUMNS: Final = tuple(f"{region}_{channel}" for region in REGIONS for channel in CHANNELS)
_POINTS: Final = {name: np.array(points) for name, points in FACE_REGIONS.items()}
_ASIDE: Final = 0.45  # of the face's width: hair, ears and shoulders are nearer to the face than this
_LEAST_PX: Final = 24  # pixels of the small picture; fewer are no background worth a mean


def measure_regions(image: Image, points: Points) -> dict[str, float]:
    """Return REGION_COLUMNS of one frame.

    Args:
        image: the whole frame.
        points: 468x2 mesh points in its pixels.
    """
    size = (image.shape[1] // SHRINK, image.shape[0] // SHRINK)
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
    places = np.rint(points / SHRINK - 0.5).astype(int)
    means = {name: _at(small, places[chosen]) for name, chosen in _POINTS.items()}
    means[BACKGROUND] = _behind(small, places)
    return {
        f"{region}_{channel}": float(mean[place])
        for region, mean in means.items()
        for place, channel in enumerate(CHANNELS)
    }


def _at(small: Image, places: NDArray[np.int_]) -> NDArray[np.float64]:
    height, width = small.shape[:2]
    inside = places[(places >= 0).all(axis=1) & (places[:, 0] < width) & (places[:, 1] < height)]
    if 2 * len(inside) < len(places):
        return np.full(3, np.nan)
    return np.asarray(small[inside[:, 1], inside[:, 0]].mean(axis=0, dtype=np.float64))


def _behind(small: Image, places: NDArray[np.int_]) -> NDArray[np.float64]:
    """Return the mean beside the head, above its chin."""
    (left, _), (right, bottom) = places.min(axis=0), places.max(axis=0)
    aside = round(_ASIDE * float(right - left))
    bottom = int(np.clip(bottom, 1, small.shape[0]))
    parts = [small[:bottom, : max(left - aside, 0)], small[:bottom, max(right + aside, 0) :]]
    pixels = np.concatenate([part.reshape(-1, 3) for part in parts])
    return np.asarray(pixels.mean(axis=0, dtype=np.float64)) if len(pixels) >= _LEAST_PX else np.full(3, np.nan)
