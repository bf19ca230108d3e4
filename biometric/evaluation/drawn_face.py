"""A drawn face that turns, blinks and smiles: frames for benchmarks where no person's picture is at hand.

Detector and mesh see a face in it, so every part of a login has its usual work to do. It resembles nobody. It also
shows what a challenge alone does not stop: a puppet that obeys.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from biometric.types import Frame

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from biometric.types import Image

SIZE: Final = (640, 480)
MIDDLE: Final = (320.0, 200.0)  # between the eyes
EYES_PX: Final = 90.0  # outer-eye distance
FRAME_MS: Final = 66
FRAMES: Final = 60
STEPS: Final = "turn_left blink:1 smile"
NOISE: Final = 3.0  # grey levels; a sensor's

_SKIN, _SHADE, _SIDE, _LID, _HAIR = (135, 165, 215), (105, 135, 185), (120, 150, 200), (115, 140, 190), (35, 40, 50)
_BROW, _WHITE, _IRIS, _PUPIL = (40, 50, 70), (225, 230, 235), (50, 60, 80), (10, 10, 10)
_NECK, _SHIRT, _LIPS, _LINE, _NOSTRIL = (105, 130, 185), (90, 60, 40), (95, 95, 170), (60, 55, 110), (60, 75, 110)


@dataclass(frozen=True, slots=True)
class Look:
    """What the face does: degrees towards its own left, lids 0 to 1, smile 0 to 1."""

    yaw: float = 0.0
    blink: float = 0.0
    smile: float = 0.0


def login_frames(*, seed: int = 1) -> Iterator[Frame]:
    """Yield the frames of one login that does STEPS, as a page sends them."""
    rng = np.random.default_rng(seed)
    for seq, look in enumerate(_script()):
        noisy = draw(look).astype(np.float32) + rng.normal(0, NOISE, (SIZE[1], SIZE[0], 3))
        picture = np.clip(noisy, 0, 255).astype(np.uint8)
        jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes()
        yield Frame(seq, seq * FRAME_MS, jpeg)


def _script() -> list[Look]:
    """Return FRAMES looks: rest, turn and back, one blink, a smile that is done in the last batch."""
    looks = [Look()] * 8
    looks += [Look(yaw=float(yaw)) for yaw in (3, 7, 12, 17, 22, 26, 28, 28, 28, 28, 28, 24, 18, 11, 5)]
    looks += [Look()] * 3 + [Look(blink=0.6), Look(blink=1.0), Look(blink=0.7)] + [Look()] * 24
    looks += [Look(smile=0.4), Look(smile=0.8)]
    return looks + [Look(smile=1.0)] * (FRAMES - len(looks))


def draw(look: Look) -> Image:
    """Return the picture, without noise."""
    canvas = np.full((SIZE[1], SIZE[0], 3), (150, 140, 130), np.uint8)
    pen = _Pen(canvas, look.yaw)
    pen.fill([(-0.45, 0.9, -0.6), (0.45, 0.9, -0.6), (0.6, 2.4, -0.6), (-0.6, 2.4, -0.6)], _NECK)
    pen.fill([(-1.9, 2.1, -0.7), (1.9, 2.1, -0.7), (2.2, 3.2, -0.7), (-2.2, 3.2, -0.7)], _SHIRT)
    pen.ellipse((0, 0.15, -0.5), (0.95, 1.25), _HAIR)
    pen.ellipse((0, 0.35, -0.25), (0.78, 1.02), _SKIN)
    for side in (-1, 1):
        pen.ellipse((side * 0.8, 0.3, -0.55), (0.1, 0.22), _SIDE)
        _eye(pen, side, look.blink)
    pen.fill(_NOSE, _SIDE)
    pen.fill(_NOSE_SHADE, _SHADE)
    for side in (-1, 1):
        pen.ellipse((side * 0.085, 0.475, 0.3), (0.045, 0.025), _NOSTRIL)
    _mouth(pen, look.smile)
    return np.asarray(cv2.GaussianBlur(canvas, (0, 0), 1.6), np.uint8)


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

    def __init__(self, canvas: Image, yaw: float) -> None:
        self._canvas = canvas
        self._cos, self._sin = float(np.cos(np.radians(yaw))), float(np.sin(np.radians(yaw)))

    def fill(self, shape: Sequence[tuple[float, float, float]], colour: tuple[int, int, int]) -> None:
        """Fill a polygon."""
        cv2.fillPoly(self._canvas, [self._seen(shape)], colour, cv2.LINE_AA)

    def ellipse(
        self, centre: tuple[float, float, float], radii: tuple[float, float], colour: tuple[int, int, int]
    ) -> None:
        """Fill an ellipse that faces forward."""
        self.fill(_arc(centre, radii, 0, 360), colour)

    def line(self, shape: Sequence[tuple[float, float, float]], colour: tuple[int, int, int]) -> None:
        """Draw an open line."""
        cv2.polylines(
            self._canvas, [self._seen(shape)], isClosed=False, color=colour, thickness=2, lineType=cv2.LINE_AA
        )

    def _seen(self, shape: Sequence[tuple[float, float, float]]) -> NDArray[np.int32]:
        x, y, forward = np.array(shape).T
        across = x * self._cos + forward * self._sin
        return np.rint(np.column_stack([across, y]) * EYES_PX + MIDDLE).astype(np.int32)
