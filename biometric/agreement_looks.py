"""A second look at a face through a small random change: coarser pixels, shift, turn, scale, mirror image.

Rules:
 * A genuine face looks the same through it. A perturbation of a few levels a pixel hides in fine detail; seen with the
   eyes about 15 px apart most of it is gone, and what is left was not tuned to this draw (docs/adversarial.md).
 * The draw comes from the caller: secret chance while serving, a seed in evaluation. Nobody outside learns it.
 * Only FaceNet looks twice, at one image instead of two: an eighth of what both recognisers cost. SFace would cost more
   than a whole login may spare.

Not here: what the looks say together (agreement.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from biometric.align import facenet_crop
from biometric.types import FaceEmbeddings

if TYPE_CHECKING:
    from biometric.embed import Embedder
    from biometric.types import Embedding, Image, Points

SHIFT: Final = 0.02  # of the face's span, each way: about 1 px of FaceNet's crop
TURN_DEGREES: Final = 2.0
SCALE: Final = (0.97, 1.03)
SPAN_PX: Final = (14.0, 20.0)  # of the coarse picture; the eyes are about 0.9 spans apart
MARGIN: Final = 2.2  # the crops reach this many spans around the middle of the five points


@dataclass(frozen=True, slots=True)
class Change:
    """One drawn change.

    Attributes:
        shift: x and y, in spans of the five points.
        turn: degrees.
        scale: of the crop.
        span_px: how large the face is in the coarse picture.
        mirrored: whether its mirror image is looked at.
    """

    shift: tuple[float, float]
    turn: float
    scale: float
    span_px: float
    mirrored: bool


def draw_change(rng: np.random.Generator) -> Change:
    """Return a change drawn by `rng`."""
    return Change(
        shift=(float(rng.uniform(-SHIFT, SHIFT)), float(rng.uniform(-SHIFT, SHIFT))),
        turn=float(rng.uniform(-TURN_DEGREES, TURN_DEGREES)),
        scale=float(rng.uniform(*SCALE)),
        span_px=float(rng.uniform(*SPAN_PX)),
        mirrored=bool(rng.integers(2)),
    )


def span(five: Points) -> float:
    """Return the size of a face: the longer side of the box around its five points, in pixels."""
    return float((five.max(axis=0) - five.min(axis=0)).max())


def moved(five: Points, change: Change) -> Points:
    """Return the five points as the change makes the crop see them."""
    middle = five.mean(axis=0)
    angle = np.radians(change.turn)
    cos, sin = np.cos(angle) * change.scale, np.sin(angle) * change.scale
    turned = (five - middle) @ np.array([[cos, sin], [-sin, cos]], np.float32)
    points: Points = (turned + middle + np.array(change.shift) * span(five)).astype(np.float32)
    return points


def window(image: Image, five: Points) -> tuple[slice, slice]:
    """Return rows and columns of the part of the picture that the crop can reach."""
    reach = MARGIN * span(five)
    middle = five.mean(axis=0)
    limit = np.array(image.shape[1::-1])
    low = np.clip(np.floor(middle - reach), 0, limit - 1).astype(int)
    high = np.clip(np.ceil(middle + reach), low + 1, limit).astype(int)
    return slice(low[1], high[1]), slice(low[0], high[0])


def coarse_size(part: Image, five: Points, change: Change) -> tuple[int, int]:
    """Return width and height of the coarse picture of `part`; a face that is small already is not enlarged."""
    shrink = min(1.0, change.span_px / max(span(five), 1.0))
    height, width = part.shape[:2]
    return max(1, round(shrink * width)), max(1, round(shrink * height))


def coarse(image: Image, five: Points, change: Change) -> tuple[Image, Points]:
    """Return the part of the picture around the face, coarse, and the five points in it as the change sees them."""
    rows, columns = window(image, five)
    part = image[rows, columns]
    size = coarse_size(part, five, change)
    small = cv2.resize(part, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
    factor = np.array([size[0] / part.shape[1], size[1] / part.shape[0]], np.float32)
    corner = np.array([columns.start, rows.start], np.float32)
    # Pixel centres: the middle of the first coarse pixel is not at the middle of the first fine one.
    at = (moved(five, change) - corner + 0.5) * factor - 0.5
    return small, np.asarray(at, np.float32)


def second_look(embedder: Embedder, image: Image, five: Points, change: Change) -> Embedding:
    """Return FaceNet's vector of the face through `change`; one run of FaceNet."""
    crop = facenet_crop(*coarse(image, five, change))
    return embedder.facenet(np.ascontiguousarray(crop[:, ::-1]) if change.mirrored else crop, mirrored=False)


def seen_again(
    embedder: Embedder, image: Image, five: Points, plain: FaceEmbeddings, *, rng: np.random.Generator
) -> FaceEmbeddings:
    """Return what a pose's second sample holds: FaceNet's second look, and SFace's vector of the first (`plain`)."""
    return FaceEmbeddings(facenet=second_look(embedder, image, five, draw_change(rng)), sface=plain.sface)
