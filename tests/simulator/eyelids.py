"""Eyelids, painted in texture space: skin comes down over the eyeball with the lashes on its rim.

Moving mesh vertices alone does not close an eye: the lashes and their shadow stretch over it and the mesh net goes on
seeing a dark, open eye (it reported 0.9 of the open aspect ratio). So the lid is made of the skin around the eye.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from tests.simulator.portrait import fill_smoothly

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from biometric.types import Image

# upper lid and lower lid in the mesh, from corner to corner
CONTOURS = (
    ((33, 246, 161, 160, 159, 158, 157, 173, 133), (33, 7, 163, 144, 145, 153, 154, 155, 133)),
    ((362, 398, 384, 385, 386, 387, 388, 466, 263), (362, 382, 381, 380, 374, 373, 390, 249, 263)),
)
MARGIN_X, MARGIN_TOP, MARGIN_BOTTOM = 5, 15, 9  # texture pixels of lashes and shadow around the opening
LASH_WIDTH = 2.2
LASH_DARKNESS = 0.65


@dataclass(frozen=True, slots=True)
class Eyelid:
    """One eye's region of the texture: as in the photo, and what covers it."""

    region: tuple[slice, slice]
    skin: NDArray[np.float32]
    inside: NDArray[np.float32]
    top: NDArray[np.float32]
    bottom: NDArray[np.float32]
    ends: NDArray[np.float32]


def find_eyelids(texture: Image, points: NDArray[np.float64]) -> tuple[Eyelid, ...]:
    """Prepare both lids of a face whose mesh lies at `points` of the texture."""
    return tuple(_eyelid(texture, points[list(upper), :2], points[list(lower), :2]) for upper, lower in CONTOURS)


def close_eyelids(texture: NDArray[np.uint8], lids: tuple[Eyelid, ...], amount: float) -> None:
    """Paint lids that are closed by `amount` (0 to 1) into `texture`, in place."""
    for lid in lids:
        place = texture[lid.region]
        rows = np.arange(place.shape[0], dtype=np.float32)[:, None]
        rim = lid.top + amount * (lid.bottom - lid.top)
        over = np.clip(rim - rows + 0.5, 0, 1) * lid.inside
        lash = LASH_DARKNESS * min(1.0, 4 * amount) * np.exp(-(((rows - rim) / LASH_WIDTH) ** 2)) * lid.ends
        colour = place[..., :3] * (1 - over[..., None]) + lid.skin * over[..., None]
        place[..., :3] = np.clip(colour * (1 - lash[..., None]), 0, 255)


def _eyelid(texture: Image, upper: NDArray[np.float64], lower: NDArray[np.float64]) -> Eyelid:
    both = np.vstack([upper, lower])
    left, top = np.floor(both.min(axis=0)).astype(int) - (MARGIN_X + 14, MARGIN_TOP + 16)
    right, bottom = np.ceil(both.max(axis=0) + np.array([MARGIN_X + 14, MARGIN_BOTTOM + 16])).astype(int)
    region = (slice(int(top), int(bottom)), slice(int(left), int(right)))
    columns, rows = np.arange(left, right, dtype=np.float32), np.arange(top, bottom, dtype=np.float32)[:, None]
    high = np.interp(columns, upper[:, 0], upper[:, 1])
    low = np.interp(columns, lower[:, 0], lower[:, 1])
    ends = np.clip(np.minimum(columns - upper[0, 0] + MARGIN_X, upper[-1, 0] + MARGIN_X - columns) / MARGIN_X, 0, 1)
    opening = ((rows > high - MARGIN_TOP * ends) & (rows < low + MARGIN_BOTTOM * ends) & (ends > 0)).astype(np.float32)
    around = 1 - cv2.dilate(opening, np.ones((5, 5)))
    skin = cv2.GaussianBlur(fill_smoothly(texture[region], around), (0, 0), 1.5).astype(np.float32)
    inside = np.clip(2 * cv2.GaussianBlur(opening, (0, 0), 1.5) - 0.5, 0, 1)
    return Eyelid(
        region,
        skin,
        inside,
        (high - MARGIN_TOP - top).astype(np.float32),
        (low + 6 - top).astype(np.float32),
        ends.astype(np.float32),
    )
