"""What lies between an actor and the page: how bright the screen is against the room, and a camera that adapts.

Webcams hold the mean brightness and slowly pull the mean colour back to what it was. Under a screen that changes its
colour both work against the light that is looked for, so a laboratory without them would flatter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from tests.simulator.camera import Sensor

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from biometric.types import Image
    from tests.simulator.actor import Actor

EXPOSURE_MS, BALANCE_MS = 700.0, 2500.0  # time constants of a built-in webcam, by eye
EXPOSURE_STRENGTH, BALANCE_STRENGTH = 0.6, 0.3  # share of a deviation that is taken back in the end
MOST_GAIN = 1.6
STRIDE = 8  # pixels; a mean needs no more


class AutoCamera:
    """Automatic exposure and white balance: gains that follow the picture's mean with a delay."""

    def __init__(self) -> None:
        self._goal: NDArray[np.float64] | None = None
        self._gain = np.ones(3)
        self._at_ms = 0.0

    def adapt(self, picture: Image, at_ms: float) -> Image:
        """Return `picture` as this camera, which has seen those before, shows it."""
        mean = np.maximum(picture[::STRIDE, ::STRIDE].mean(axis=(0, 1)), 1.0)
        if self._goal is None:
            self._goal, self._at_ms = mean, at_ms
        passed, self._at_ms = max(at_ms - self._at_ms, 0.0), at_ms
        off = self._goal / mean
        whole = float(np.exp(np.log(off).mean()))
        wished = whole**EXPOSURE_STRENGTH * (off / whole) ** BALANCE_STRENGTH
        brighter = float(np.exp(np.log(self._gain).mean()))
        goal = float(np.exp(np.log(wished).mean()))
        balance = self._gain / brighter
        brighter *= (goal / brighter) ** (1 - np.exp(-passed / EXPOSURE_MS))
        balance *= (wished / goal / balance) ** (1 - np.exp(-passed / BALANCE_MS))
        self._gain = np.clip(brighter * balance, 1 / MOST_GAIN, MOST_GAIN)
        table = np.arange(256)[:, None] * self._gain
        return np.asarray(cv2.LUT(picture, np.clip(table + 0.5, 0, 255).astype(np.uint8)[None]), dtype=np.uint8)


class Before:
    """An actor before a camera of its own, lit by a screen that is `brightness` times as strong as usual."""

    def __init__(self, actor: Actor, *, brightness: float) -> None:
        self.actor, self._brightness = actor, brightness
        self._camera = AutoCamera()

    def show(self, action: str, count: int, at_ms: float) -> None:
        """Pass it on."""
        self.actor.show(action, count, at_ms)

    def hear(self, hint: str, at_ms: float) -> None:
        """Pass it on."""
        heard = getattr(self.actor, "hear", None)
        if heard is not None:
            heard(hint, at_ms)

    def light(self, colour: tuple[float, float, float], at_ms: float) -> None:
        """Pass it on, as strong as it is here."""
        lit = getattr(self.actor, "light", None)
        if lit is not None:
            blue, green, red = (self._brightness * part for part in colour)
            lit((blue, green, red), at_ms)

    def frame(self, at_ms: float) -> Image:
        """Return the camera's picture."""
        return self._camera.adapt(self.actor.frame(at_ms), at_ms)


class EncodedAnew:
    """An injector who hides that frames were used before: fresh noise, encoded again."""

    def __init__(self, actor: Actor, *, seed: int) -> None:
        self._actor, self._sensor = actor, Sensor(seed=seed, strength=1.0)

    def show(self, action: str, count: int, at_ms: float) -> None:
        """Pass it on."""
        self._actor.show(action, count, at_ms)

    def light(self, colour: tuple[float, float, float], at_ms: float) -> None:
        """Pass it on to whoever computes with it."""
        lit = getattr(self._actor, "light", None)
        if lit is not None:
            lit(colour, at_ms)

    def frame(self, at_ms: float) -> Image:
        """Return the picture with noise."""
        return self._sensor.expose(self._actor.frame(at_ms))
