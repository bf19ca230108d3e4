"""Is there a straight border around the face: the edge of a sheet, the frame of a screen?

    coverage = find_border(image, points)      0 none, 1 seen along its whole length

A person stands in front of doors, pictures and monitors; a sheet or a screen is in front of the body. So lines count
only where a living person's shoulders would hide what is behind:

 * sides   a straight line on the left and one on the right, nearly parallel, no farther from the middle of the face
           than shoulders reach, that go on from the brow to well below the chin
 * corner  a straight line below the chin that crosses the body in front, and meets a side there at a corner

Coordinates are the face's own: the origin in its middle, x along the line of the eyes, its width is 1. What is black up
to the border of the picture is no picture (bars of a film, pictures turned upright) and has no lines.

Figures: docs/liveness.md, "Surface". Not here: persistence and thresholds (cues/surface.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from biometric.types import Image, Points

    Lines = NDArray[np.float64]
    Grey = NDArray[np.uint8]

SHRINK: Final = 2
DETECTOR_SCALE: Final = 0.6  # of the reduced picture; a third of the time of 1, with the same separation
BLACK: Final = 8
EYE_CORNERS: Final = ((33, 133), (362, 263))  # the person's right eye, left eye
STEEPEST: Final = np.radians(14)  # off the face's own upright
SHORTEST: Final = 0.25  # of the longest piece of a line
THICK: Final = 0.03  # pieces this near to a line belong to it
MOST_LINES: Final = 40
BESIDE: Final = (0.55, 2.6)  # where a side may be
SHOULDERS: Final = 1.45  # half their width
PARALLEL: Final = 0.12  # difference of slopes
BELOW_CHIN: Final = (0.1, 0.9)  # where shoulders hide the background
LEAST_BELOW: Final = 0.45  # of it must be in the picture; long straight hair has sides too, but ends or bends
BOTTOM: Final = (0.08, 2.0)  # below the chin
BEYOND: Final = 0.15  # a corner's lines end there
_GAP: Final = 0.02
_PLACES: Final = 40


@dataclass(frozen=True, slots=True)
class _Line:
    """place + slope x along; `pieces` are Nx2, where along it was seen."""

    place: float
    slope: float
    pieces: Lines

    def covers(self, low: float, high: float) -> float:
        """Return the share of low..high in which it was seen."""
        if high <= low:
            return 0.0
        along = np.linspace(low, high, _PLACES)[:, None]
        return float(((along >= self.pieces[:, 0] - _GAP) & (along <= self.pieces[:, 1] + _GAP)).any(axis=1).mean())


def find_border(image: Image, points: Points) -> float:
    """Return how completely a straight border in front of the body was seen, 0 to 1.

    Args:
        image: the whole frame.
        points: 468x2 mesh points in its pixels.
    """
    turn, middle, width, half = _own_coordinates(points)
    pieces = (_pieces(image).astype(np.float64) @ turn.T - middle) / width
    height, across = image.shape[:2]
    frame = (np.array([[0, 0], [across, 0], [across, height], [0, height]]) @ turn.T - middle) / width
    lowest = float(np.sort(frame[:, 1])[2:].mean())
    upright, level = _lines(pieces, axis=1), _lines(pieces, axis=0)
    sides = [line for line in upright if BESIDE[0] < abs(line.place) < BESIDE[1]]
    return max(_both_sides(sides, half, lowest), _corner(sides, level, half))


def _own_coordinates(points: Points) -> tuple[Lines, Lines, float, float]:
    """Return the turn into the face's own coordinates, its middle, its width in pixels and half its height."""
    right, left = (points[list(corners)].mean(axis=0) for corners in EYE_CORNERS)
    along = (left - right) / max(float(np.hypot(*(left - right))), 1e-6)
    turn = np.array([[along[0], along[1]], [-along[1], along[0]]], np.float64)
    own = points @ turn.T
    low, high = own.min(axis=0), own.max(axis=0)
    width = max(float(high[0] - low[0]), 1.0)
    return turn, np.asarray((low + high) / 2, np.float64), width, float(high[1] - low[1]) / width / 2


def _pieces(image: Image) -> NDArray[np.float32]:
    """Return Nx2x2 straight pieces in pixels of `image` (a line segment detector, von Gioi et al. 2010)."""
    size = (image.shape[1] // SHRINK, image.shape[0] // SHRINK)
    grey = cv2.resize(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), size, interpolation=cv2.INTER_AREA).astype(np.uint8)
    detector: Any = cv2.createLineSegmentDetector(cv2.LSD_REFINE_NONE, DETECTOR_SCALE)
    found = detector.detect(grey)[0]
    if found is None:
        return np.zeros((0, 2, 2), np.float32)
    pieces: NDArray[np.float32] = found.reshape(-1, 2, 2)
    middles = np.clip(pieces.mean(axis=1).astype(int), 0, np.array(size) - 1)
    shown = ~_no_picture(grey)[middles[:, 1], middles[:, 0]]
    return np.asarray((pieces[shown] + 0.5) * SHRINK, np.float32)


def _no_picture(grey: Grey) -> NDArray[np.bool_]:
    """Return where the picture is black up to its border, and a little more."""
    _, labels = cv2.connectedComponents((grey <= BLACK).astype(np.uint8))
    border = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    bars = np.isin(labels, border[border > 0]).astype(np.uint8)
    return np.asarray(cv2.dilate(bars, np.ones((13, 13), np.uint8)) > 0)


def _lines(pieces: Lines, *, axis: int) -> list[_Line]:
    """Return the longest lines along an axis, each with all pieces that lie on it."""
    across = 1 - axis
    way = pieces[:, 1] - pieces[:, 0]
    length = np.hypot(way[:, 0], way[:, 1])
    near = np.arctan2(np.abs(way[:, across]), np.abs(way[:, axis])) < STEEPEST
    pieces, length = pieces[near], length[near]
    lines = []
    for longest in np.argsort(-length)[:MOST_LINES]:
        if length[longest] < SHORTEST:
            break
        (one, other) = pieces[longest]
        slope = float((other[across] - one[across]) / (other[axis] - one[axis]))
        place = float(one[across] - slope * one[axis])
        aside = np.abs(pieces[..., across] - place - slope * pieces[..., axis]).max(axis=1)
        lines.append(_Line(place, slope, np.sort(pieces[aside < THICK][..., axis], axis=1)))
    return lines


def _both_sides(sides: list[_Line], half: float, lowest: float) -> float:
    """Return the least coverage of the best pair of sides, along the face and below the chin."""
    below, end = half + BELOW_CHIN[0], min(lowest - THICK, half + BELOW_CHIN[1])
    if end - below < LEAST_BELOW:
        return 0.0
    near = [line for line in sides if abs(line.place) < SHOULDERS]
    seen = [(line, min(line.covers(-0.6 * half, half), line.covers(below, end))) for line in near]
    pairs = (
        min(left, right)
        for one, left in seen
        for other, right in seen
        if one.place < 0 < other.place and abs(one.slope - other.slope) < PARALLEL
    )
    return max(pairs, default=0.0)


def _corner(sides: list[_Line], level: list[_Line], half: float) -> float:
    """Return the least coverage of the best pair of a bottom and a side that meet."""
    best = 0.0
    for bottom in level:
        if not half + BOTTOM[0] < bottom.place < half + BOTTOM[1]:
            continue
        before = bottom.covers(-0.5, 0.5)
        for side in sides if before > best else ():
            y = (bottom.place + bottom.slope * side.place) / (1 - bottom.slope * side.slope)
            x = side.place + side.slope * y
            ends = bottom.pieces[:, 1].max() - x if x > 0 else x - bottom.pieces[:, 0].min()
            if ends >= BEYOND or side.pieces[:, 1].max() - y >= BEYOND:
                continue
            best = max(best, min(before, bottom.covers(min(x, 0.0), max(x, 0.0)), side.covers(-0.6 * half, y)))
    return best
