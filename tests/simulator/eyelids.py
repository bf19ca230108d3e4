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
BROWS = ((46, 53, 52, 65, 55), (276, 283, 282, 295, 285))  # their lower edges
MARGIN_X, MARGIN_TOP, MARGIN_BOTTOM = 5, 20, 12  # texture pixels of lashes and shadow around the opening
BROW_ROOM_PX = 1  # the lid ends this far below the line of the brow
SHUT_BELOW_PX = 10  # a closed eye shows its lashes below the line of the open lower lid
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
    flat = points[:, :2]
    return tuple(
        _eyelid(texture, flat[list(upper)], flat[list(lower)], float(np.median(flat[list(brow), 1])))
        for (upper, lower), brow in zip(CONTOURS, BROWS, strict=True)
    )


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


def _eyelid(texture: Image, upper: NDArray[np.float64], lower: NDArray[np.float64], brow: float) -> Eyelid:
    both = np.vstack([upper, lower])
    above = min(MARGIN_TOP, max(3, upper[:, 1].min() - brow - BROW_ROOM_PX))
    left, top = np.floor(both.min(axis=0)).astype(int) - (MARGIN_X + 14, round(above) + 6)
    right, bottom = np.ceil(both.max(axis=0) + np.array([MARGIN_X + 14, MARGIN_BOTTOM + 16])).astype(int)
    region = (slice(int(top), int(bottom)), slice(int(left), int(right)))
    columns, rows = np.arange(left, right, dtype=np.float32), np.arange(top, bottom, dtype=np.float32)[:, None]
    high = np.interp(columns, upper[:, 0], upper[:, 1])
    low = np.interp(columns, lower[:, 0], lower[:, 1])
    inwards = np.minimum(columns - upper[0, 0] + MARGIN_X, upper[-1, 0] + MARGIN_X - columns)
    ends = np.clip(inwards / MARGIN_X, 0, 1)
    opening = ((rows > high - above * ends) & (rows < low + MARGIN_BOTTOM * ends) & (ends > 0)).astype(np.float32)
    around = 1 - cv2.dilate(opening, np.ones((5, 5)))
    around[: max(0, round(brow + BROW_ROOM_PX - 2 - top))] = 0  # the brow gives no skin colour
    skin = cv2.GaussianBlur(fill_smoothly(texture[region], around), (0, 0), 1.5).astype(np.float32)
    inside = cv2.GaussianBlur(opening, (0, 0), 2.5)
    return Eyelid(
        region=region,
        skin=skin + _grain(texture[region]),
        inside=inside,
        top=(high - above - top).astype(np.float32),
        bottom=(low + SHUT_BELOW_PX - top).astype(np.float32),
        ends=ends.astype(np.float32),
    )


def _grain(around: Image) -> NDArray[np.float32]:
    """Return the fine structure of the skin just below the eye, mirrored up over the whole region."""
    fine = around.astype(np.float32) - cv2.GaussianBlur(around, (0, 0), 2.0).astype(np.float32)
    strip = fine[-10:]
    tiled = np.concatenate([strip[::-1], strip] * (len(around) // 20 + 1))
    return tiled[: len(around)]
