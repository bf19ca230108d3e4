"""What one look says of the surface that shows a face: skin, paper or glass.

    inspect_surface(image, points) -> {"moire": ..., "bezel": ..., "gloss": ...}

 * moire  share of the face's fine detail that sits in narrow spectral peaks: a screen's dots that alias against the
          sensor's. Skin and hair have a spectrum that falls smoothly and no such peak. Peaks on the axes and on the
          8-pixel grid are JPEG's own and do not count.
 * bezel  straight border in front of the body, 0 to 1 (border.py)
 * gloss  largest connected blown-out area on the face, as a share of it; lids, forehead and nose, which shine by
          themselves, are left out

NaN where it cannot be measured (the face is too near to the picture's border). 4 milliseconds or so, as much as the
detector's own search; so observe.py calls it where the detector looks.

Not here: persistence and thresholds (cues/surface.py).
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from biometric.liveness.border import find_border

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from biometric.types import Image, Points

    Floats = NDArray[np.float32]

SIDE: Final = 128  # pixels of the camera's own, not resampled: aliases are as fine as the sensor
FINE: Final = (0.08, 0.5)  # cycles a pixel
AROUND: Final = 15  # bins; a peak is narrow against what lies in this neighbourhood
PEAK: Final = 3.6  # natural logarithm of power above its neighbourhood; living people reach 3.4 (benchmarks/surface.py)
GRID: Final = 8
FACE_PX: Final = 96  # width of the face in which gloss is looked for
BRIGHT: Final = 242  # V > 0.95
PALE: Final = 0.15  # S <
SHINING: Final = (  # mesh points, and how much larger than their hull
    ((10, 338, 297, 332, 284, 251, 301, 293, 334, 296, 336, 9, 107, 66, 105, 63, 71, 21, 54, 103, 67, 109), 1.1),
    ((168, 6, 197, 195, 5, 4, 1, 2, 98, 327, 64, 294, 48, 278), 1.3),
    ((33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7), 2.2),
    ((263, 466, 388, 387, 386, 385, 384, 398, 362, 382, 381, 380, 374, 373, 390, 249), 2.2),
)


def inspect_surface(image: Image, points: Points) -> dict[str, float]:
    """Return moire, bezel and gloss of one frame.

    Args:
        image: the whole frame, BGR.
        points: 468x2 mesh points in its pixels.
    """
    return {
        "moire": measure_moire(image, points),
        "bezel": find_border(image, points),
        "gloss": measure_gloss(image, points),
    }


def measure_moire(image: Image, points: Points) -> float:
    """Return the share of the power of fine detail that is in narrow peaks, 0 to 1."""
    middle = (points.min(axis=0) + points.max(axis=0)) / 2
    height, width = image.shape[:2]
    if not (0 <= middle[0] < width and 0 <= middle[1] < height) or min(height, width) < SIDE:
        return float("nan")
    left, top = (int(np.clip(middle[k] - SIDE / 2, 0, (width, height)[k] - SIDE)) for k in (0, 1))
    patch = cv2.cvtColor(image[top : top + SIDE, left : left + SIDE], cv2.COLOR_BGR2GRAY).astype(np.float32)
    window, counts = _window()
    power = np.abs(np.fft.rfft2((patch - patch.mean()) * window)) ** 2
    logs = np.log(power + 1).astype(np.float32)
    above = logs - cv2.blur(logs, (AROUND, AROUND), borderType=cv2.BORDER_REFLECT)
    return float(power[counts & (above > PEAK)].sum() / max(float(power[counts].sum()), 1e-9))


def measure_gloss(image: Image, points: Points) -> float:
    """Return the largest connected blown-out area on cheeks, mouth and chin, as a share of the face."""
    low, high = points.min(axis=0), points.max(axis=0)
    zoom = FACE_PX / max(float(high[0] - low[0]), 1.0)
    matrix = np.array([[zoom, 0, -low[0] * zoom], [0, zoom, -low[1] * zoom]], np.float32)
    size = (FACE_PX, max(int((high[1] - low[1]) * zoom), 1))
    face = cv2.warpAffine(image, matrix, size, flags=cv2.INTER_LINEAR)
    own = ((points - low) * zoom).astype(np.float32)
    skin = np.zeros(size[::-1], np.uint8)
    _fill(skin, own, 0.95, 1)
    area = max(int(skin.sum()), 1)
    for chosen, grown in SHINING:
        _fill(skin, own[list(chosen)], grown, 0)
    blue, green, red = cv2.split(face)
    most = cv2.max(cv2.max(blue, green), red).astype(np.float32)
    least = cv2.min(cv2.min(blue, green), red).astype(np.float32)
    blown = ((most > BRIGHT) & (most - least < PALE * most)).astype(np.uint8) * skin
    count, _, stats, _ = cv2.connectedComponentsWithStats(blown)
    return float(stats[1:, cv2.CC_STAT_AREA].max()) / area if count > 1 else 0.0


@cache
def _window() -> tuple[Floats, NDArray[np.bool_]]:
    """Return the window and which bins of a half spectrum count."""
    bell = np.hanning(SIDE).astype(np.float32)
    down, across = np.fft.fftfreq(SIDE)[:, None], np.fft.rfftfreq(SIDE)[None]
    radius, bin_wide = np.hypot(down, across), 1 / SIDE
    grid = [np.abs(np.rint(axis * GRID) / GRID - axis) < 0.6 * bin_wide for axis in (down, across)]
    on_axis = (np.abs(down) <= 1.5 * bin_wide) | (np.abs(across) <= 1.5 * bin_wide)
    counts = (radius > FINE[0]) & (radius < FINE[1]) & ~on_axis & ~(grid[0] & grid[1])
    return np.outer(bell, bell).astype(np.float32), np.asarray(counts)


def _fill(mask: NDArray[np.uint8], points: Floats, grown: float, value: int) -> None:
    hull = cv2.convexHull(points)[:, 0]
    middle = hull.mean(axis=0)
    cv2.fillConvexPoly(mask, (middle + (hull - middle) * grown).astype(np.int32), value)
