"""A drawn face that turns, blinks, smiles, comes closer and stands in coloured light.

For benchmarks and tests where no person's picture is at hand. Rules:
 * A pinhole camera sees it, so what comes closer grows as a head does: the nose more than the ears.
 * The screen's light falls off with the square of the distance and with how far the skin looks away from it: the
   middle of the face gets more than its sides, what is behind gets next to none.

Detector and mesh see a face in it, so every part of a login has its usual work to do. It resembles nobody. It also
shows what a challenge alone does not stop: a puppet that obeys.

Not here: when it does what (drawn_login.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from biometric.types import Image

SIZE: Final = (640, 480)
MIDDLE: Final = (320.0, 200.0)  # between the eyes
EYES_PX: Final = 90.0  # outer-eye distance, at rest
DISTANCE: Final = 5.7  # from the camera at rest, in outer-eye distances: a lens of 64 degrees (liveness/approach.py)
SHARE: Final = 0.06  # white screen against the room's light on a face at rest
GAMMA: Final = 2.2  # of the camera's values
_FACE: Final = ((0, 0.35, -0.25), (0.78, 1.02))  # middle and radii
_ASIDE: Final = 0.85  # how far the rim of the face looks away from the camera; 1 is sideways

_SKIN, _SHADE, _SIDE, _LID, _HAIR = (135, 165, 215), (105, 135, 185), (120, 150, 200), (115, 140, 190), (35, 40, 50)
_BROW, _WHITE, _IRIS, _PUPIL = (40, 50, 70), (225, 230, 235), (50, 60, 80), (10, 10, 10)
_NECK, _SHIRT, _LIPS, _LINE, _NOSTRIL = (105, 130, 185), (90, 60, 40), (95, 95, 170), (60, 55, 110), (60, 75, 110)


@dataclass(frozen=True, slots=True)
class Look:
    """What the face does.

    Attributes:
        yaw: degrees towards its own left.
        blink: lids, 0 open to 1 closed.
        smile: 0 to 1.
        near: times the size at rest.
        light: the screen's linear light (blue, green, red, each 0 to 1).
    """

    yaw: float = 0.0
    blink: float = 0.0
    smile: float = 0.0
    near: float = 1.0
    light: tuple[float, float, float] = (0.0, 0.0, 0.0)


def draw(look: Look) -> Image:
    """Return the picture, without noise."""
    canvas = np.full((SIZE[1], SIZE[0], 3), (150, 140, 130), np.uint8)
    pen = _Pen(canvas, look)
    pen.fill([(-0.45, 0.9, -0.6), (0.45, 0.9, -0.6), (0.6, 2.4, -0.6), (-0.6, 2.4, -0.6)], _NECK)
    pen.fill([(-1.9, 2.1, -0.7), (1.9, 2.1, -0.7), (2.2, 3.2, -0.7), (-2.2, 3.2, -0.7)], _SHIRT)
    pen.ellipse((0, 0.15, -0.5), (0.95, 1.25), _HAIR)
    pen.ellipse(*_FACE, _SKIN)
    for side in (-1, 1):
        pen.ellipse((side * 0.8, 0.3, -0.55), (0.1, 0.22), _SIDE)
        _eye(pen, side, look.blink)
    pen.fill(_NOSE, _SIDE)
    pen.fill(_NOSE_SHADE, _SHADE)
    for side in (-1, 1):
        pen.ellipse((side * 0.085, 0.475, 0.3), (0.045, 0.025), _NOSTRIL)
    _mouth(pen, look.smile)
    soft = np.asarray(cv2.GaussianBlur(canvas, (0, 0), 1.6), np.uint8)
    return _lit(soft, look, pen) if any(look.light) else soft


def _lit(picture: Image, look: Look, pen: _Pen) -> Image:
    """Return the picture with the screen's light on the face."""
    (left, top), (right, bottom) = pen.box(*_FACE)
    rows, columns = np.mgrid[: SIZE[1], : SIZE[0]]
    across = (columns - (left + right) / 2) / ((right - left) / 2)
    down = (rows - (top + bottom) / 2) / ((bottom - top) / 2)
    radius = across**2 + down**2
    facing = np.where(radius < 1, np.sqrt(np.clip(1 - _ASIDE * radius, 0, 1)), 0.0)
    amount = cv2.GaussianBlur((SHARE * look.near**2 * facing).astype(np.float32), (0, 0), 2)
    gain = (1 + amount[:, :, None] * np.array(look.light, np.float32)) ** (1 / GAMMA)
    return np.clip(picture * gain + 0.5, 0, 255).astype(np.uint8)


_NOSE: Final = (
    *((-0.06, 0, 0.26), (0.06, 0, 0.26), (0.1, 0.36, 0.48), (0.18, 0.47, 0.24)),
    *((0, 0.52, 0.36), (-0.18, 0.47, 0.24), (-0.1, 0.36, 0.48)),
)
_NOSE_SHADE: Final = ((0.03, 0.05, 0.28), (0.1, 0.36, 0.48), (0.18, 0.47, 0.24), (0.06, 0.42, 0.45))


def _eye(pen: _Pen, side: int, blink: float) -> None:
    open_share = 1 - 0.9 * blink
    pen.ellipse((side * 0.345, -0.03, 0.02), (0.22, 0.12), _LID)
    pen.ellipse((side * 0.345, 0.01, 0.05), (0.155, 0.075 * open_share), _WHITE)
    if blink < 0.7:  # noqa: PLR2004  (the iris is hidden)
        pen.ellipse((side * 0.345, 0.01, 0.06), (0.065, 0.07 * open_share), _IRIS)
        pen.ellipse((side * 0.345, 0.01, 0.07), (0.03, 0.03), _PUPIL)
    upper = _arc((side * 0.345, 0.01, 0.05), (0.17, 0.095 * (1 - 0.8 * blink)), 180, 360)
    pen.line(upper, _BROW)
    brow = [(side * x, y, z) for x, y, z in ((0.16, -0.2, 0.16), (0.36, -0.27, 0.12), (0.56, -0.19, 0.03))]
    pen.fill([*brow, (side * 0.36, -0.22, 0.12)], _BROW)


def _mouth(pen: _Pen, smile: float) -> None:
    wide, corner = 0.25 * (1 + 0.3 * smile), 0.74 - 0.06 * smile
    upper = [(-wide, corner, 0.13), (-0.1, 0.68, 0.32), (0, 0.7, 0.33), (0.1, 0.68, 0.32), (wide, corner, 0.13)]
    pen.fill([*upper, (0.1, 0.83, 0.28), (0, 0.85, 0.29), (-0.1, 0.83, 0.28)], _LIPS)
    pen.line([(-wide, corner, 0.13), (0, 0.755, 0.32), (wide, corner, 0.13)], _LINE)


def _arc(
    centre: tuple[float, float, float], radii: tuple[float, float], start: float, end: float
) -> list[tuple[float, float, float]]:
    (x, y, z), (rx, ry) = centre, radii
    return [(x + rx * float(np.cos(a)), y + ry * float(np.sin(a)), z) for a in np.radians(np.linspace(start, end, 24))]


class _Pen:
    """Draws shapes given in outer-eye distances (right, down, towards the camera) on a head turned by yaw."""

    def __init__(self, canvas: Image, look: Look) -> None:
        self._canvas = canvas
        self._cos, self._sin = float(np.cos(np.radians(look.yaw))), float(np.sin(np.radians(look.yaw)))
        self._distance = DISTANCE / look.near

    def fill(self, shape: Sequence[tuple[float, float, float]], colour: tuple[int, int, int]) -> None:
        """Fill a polygon."""
        cv2.fillPoly(self._canvas, [self._seen(shape)], colour, cv2.LINE_AA)

    def ellipse(
        self, centre: tuple[float, float, float], radii: tuple[float, float], colour: tuple[int, int, int]
    ) -> None:
        """Fill an ellipse that faces forward."""
        self.fill(_arc(centre, radii, 0, 360), colour)

    def box(
        self, centre: tuple[float, float, float], radii: tuple[float, float]
    ) -> tuple[tuple[float, float], tuple[float, float]]:
        """Return upper left and lower right corner of an ellipse, in pixels."""
        seen = self._seen(_arc(centre, radii, 0, 360))
        (left, top), (right, bottom) = seen.min(axis=0).tolist(), seen.max(axis=0).tolist()
        return (left, top), (right, bottom)

    def line(self, shape: Sequence[tuple[float, float, float]], colour: tuple[int, int, int]) -> None:
        """Draw an open line."""
        cv2.polylines(
            self._canvas, [self._seen(shape)], isClosed=False, color=colour, thickness=2, lineType=cv2.LINE_AA
        )

    def _seen(self, shape: Sequence[tuple[float, float, float]]) -> NDArray[np.int32]:
        x, y, forward = np.array(shape).T
        across, towards = x * self._cos + forward * self._sin, forward * self._cos - x * self._sin
        zoom = EYES_PX * DISTANCE / (self._distance - towards)
        return np.rint(np.column_stack([across * zoom, y * zoom]) + MIDDLE).astype(np.int32)
