"""A wrapper that lets the skin of a simulated actor beat (simulated): its colours swell a little with a heart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from biometric.types import Image
    from tests.simulator import Actor

TONE = np.array([0.53, 0.77, 0.33])  # of B, G, R: what blood takes from light (de Haan, van Leest 2014)
TONE = TONE / TONE[1]
PLACE = (
    (320, 245),
    (75, 105),
)  # of a face at rest, centre and half axes, so that a wall of skin's colour does not beat
SKIN_LOW, SKIN_HIGH = (0, 133, 77), (255, 180, 135)  # Y, Cr, Cb (Chai, Ngan 1999)


class Beating:
    """An actor whose skin-coloured pixels beat; `strength` is the amplitude in green, as a share of its value."""

    def __init__(self, actor: Actor, *, seed: int, strength: float, per_minute: float = 72.0) -> None:
        self._actor, self._strength, self._hertz = actor, strength, per_minute / 60
        self._rng = np.random.default_rng(seed)

    def show(self, action: str, count: int, at_ms: float) -> None:
        """Pass it on."""
        self._actor.show(action, count, at_ms)

    def light(self, colour: tuple[float, float, float], at_ms: float) -> None:
        """Pass it on, to whoever stands in the light."""
        light = getattr(self._actor, "light", None)
        if light is not None:
            light(colour, at_ms)

    def frame(self, at_ms: float) -> Image:
        """Return the picture, a little paler or redder; rounding is dithered, as the sensor's own noise would."""
        picture = self._actor.frame(at_ms)
        beat = self._strength * self.wave(at_ms)
        skin = cv2.inRange(cv2.cvtColor(picture, cv2.COLOR_BGR2YCrCb), np.array(SKIN_LOW), np.array(SKIN_HIGH))
        face = np.zeros(skin.shape, np.uint8)
        cv2.ellipse(face, *PLACE, 0, 0, 360, 255, -1)
        skin = cv2.bitwise_and(skin, face)
        share = cv2.GaussianBlur(skin, (0, 0), 3).astype(np.float32)[..., None] / 255
        changed = picture * (1 - share * (beat * TONE).astype(np.float32))
        dither: NDArray[np.float32] = self._rng.random(picture.shape, dtype=np.float32)
        return np.clip(changed + dither, 0, 255).astype(np.uint8)

    def wave(self, at_ms: float) -> float:
        """Return the pulse wave, -1 to 1: a systole and a smaller second wave."""
        angle = 2 * np.pi * self._hertz * at_ms / 1000
        return float(0.8 * np.sin(angle) + 0.2 * np.sin(2 * angle + 0.6))
