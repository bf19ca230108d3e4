"""Light put into frames by a computer (simulated): a film is tinted in the colours that the page shows now.

The attacker sees a colour only after it was shown, and computes: the tint is late. How the light lies on the face is
guessed: the same everywhere, or falling off from the middle of the face as it does on a rough round head.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from tests.simulator.light import DISPLAY_LAG_MS, SHARE, Glow

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from biometric.types import Image
    from tests.simulator.actor import Actor

FACE_CENTRE = (320.0, 262.0)
HALF_WIDTH, HALF_HEIGHT = 150.0, 190.0  # pixels of a near face with its hair
BEHIND = 0.06  # of the light on the nose, on what is behind the head
NEAR_GAIN = 2.0  # by how much more light falls on a face that is near than at half a metre


class Shape(StrEnum):
    """How the attacker lets the light fall."""

    UNIFORM = "uniform"
    ROUND = "round"


class Tint:
    """The page's colours on a picture, `delay_ms` after a real reflection would show them."""

    def __init__(self, *, delay_ms: float, shape: Shape, strength: float = 1.0) -> None:
        self._delay_ms, self._glow = delay_ms, Glow()
        self._share = SHARE * NEAR_GAIN * strength * _fall(shape)

    def light(self, colour: tuple[float, float, float], at_ms: float) -> None:
        """See the colour; pictures are tinted a little later."""
        self._glow.show(colour, at_ms + self._delay_ms - DISPLAY_LAG_MS)

    def add(self, picture: Image, at_ms: float) -> Image:
        """Return the tinted picture."""
        light = self._glow.at(at_ms)
        return picture if light is None else light.add(picture, self._share)


class Relit:
    """An actor whose pictures are tinted in the page's colours."""

    def __init__(self, actor: Actor, *, delay_ms: float, shape: Shape, strength: float = 1.0) -> None:
        self._actor = actor
        self._tint = Tint(delay_ms=delay_ms, shape=shape, strength=strength)

    def show(self, action: str, count: int, at_ms: float) -> None:
        """Pass it on."""
        self._actor.show(action, count, at_ms)

    def light(self, colour: tuple[float, float, float], at_ms: float) -> None:
        """See the colour."""
        self._tint.light(colour, at_ms)

    def frame(self, at_ms: float) -> Image:
        """Return the tinted picture."""
        return self._tint.add(self._actor.frame(at_ms), at_ms)


def _fall(shape: Shape) -> NDArray[np.float32]:
    """Return the share of the light for each pixel of a picture of 640 x 480."""
    y, x = np.indices((480, 640), dtype=np.float32)
    if shape is Shape.UNIFORM:
        return np.ones_like(x)
    away = ((x - FACE_CENTRE[0]) / HALF_WIDTH) ** 2 + ((y - FACE_CENTRE[1]) / HALF_HEIGHT) ** 2
    return np.asarray(BEHIND + (1 - BEHIND) * np.sqrt(np.clip(1 - away, 0, 1)), dtype=np.float32)
