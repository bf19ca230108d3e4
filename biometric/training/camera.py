"""What any webcam does to any scene, living or not: blur, exposure, colours, sharpening, noise, JPEG.

Rules:
 * Live pictures and attacks go through the same function with the same odds, so that none of this tells them apart.
 * Deterministic: the same picture and generator state give the same picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.random import Generator

    from biometric.types import Floats, Image


BANK_PX: Final = 1200


@dataclass(frozen=True, slots=True)
class CameraOdds:
    """Ranges that a camera is drawn from; written into the training manifest as they are.

    Attributes:
        blur: most defocus in pixels (standard deviation).
        motion: how often the picture is smeared by movement.
        gain: exposure, as the range of a factor.
        gamma: range of the exponent.
        white: range of each channel's factor.
        sharpen: most strength of the camera's own sharpening.
        noise: most grey levels of sensor noise.
        jpeg: range of the JPEG quality.
        grey: how often the colour is lost.
    """

    blur: float = 1.1
    motion: float = 0.12
    gain: tuple[float, float] = (0.55, 1.35)
    gamma: tuple[float, float] = (0.75, 1.4)
    white: tuple[float, float] = (0.86, 1.16)
    sharpen: float = 0.9
    noise: float = 6.0
    jpeg: tuple[int, int] = (55, 97)
    grey: float = 0.04


def expose(scene: Floats, odds: CameraOdds, rng: Generator) -> Image:
    """Return the BGR picture that a camera drawn from `odds` makes of a scene (float32, 0 to 255)."""
    picture = _lens(scene, odds, rng)
    gain, gamma = rng.uniform(*odds.gain), rng.uniform(*odds.gamma)
    balance = rng.uniform(*odds.white, size=3).astype(np.float32)
    level = np.clip(picture * (np.float32(gain / 255) * balance), 0, 1)
    picture = np.asarray(255 * level ** float(gamma), np.float32)
    if rng.random() < odds.grey:
        picture = np.repeat(picture.mean(axis=2, keepdims=True), 3, axis=2)
    amount = float(rng.uniform(0, odds.sharpen))
    if rng.random() < 0.5:  # noqa: PLR2004  (every other camera sharpens)
        picture = picture + amount * (picture - cv2.GaussianBlur(picture, (0, 0), 1.2))
    picture = picture + _noise(picture.shape, rng.uniform(0, odds.noise), rng)
    pixels = np.clip(picture, 0, 255).astype(np.uint8)
    quality = int(rng.integers(odds.jpeg[0], odds.jpeg[1] + 1))
    data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)


def _lens(scene: Floats, odds: CameraOdds, rng: Generator) -> Floats:
    sigma = rng.uniform(0, odds.blur)
    if rng.random() < odds.motion:
        length = int(rng.integers(2, 6))
        kernel = np.zeros((2 * length + 1, 2 * length + 1), np.float32)
        angle = rng.uniform(0, np.pi)
        along = np.linspace(-length / 2, length / 2, 4 * length)
        rows, columns = np.rint(length + along * np.sin(angle)), np.rint(length + along * np.cos(angle))
        kernel[rows.astype(int), columns.astype(int)] = 1
        scene = np.asarray(cv2.filter2D(scene, -1, kernel / kernel.sum()), np.float32)
    return np.asarray(cv2.GaussianBlur(scene, (0, 0), sigma), np.float32) if sigma > 0.25 else scene  # noqa: PLR2004  (less does nothing)


@cache
def _bank() -> Floats:
    """Return unit noise that pictures take their parts from; drawing it anew for each is most of the cost."""
    return np.random.default_rng(1).standard_normal((BANK_PX, BANK_PX, 3), np.float32)


def chance(shape: tuple[int, ...], rng: Generator) -> Floats:
    """Return unit noise, height x width x up to 3."""
    top, left = (int(rng.integers(BANK_PX - side + 1)) for side in shape[:2])
    part = _bank()[top : top + shape[0], left : left + shape[1], : shape[2]]
    part = part[:: int(rng.choice([-1, 1])), :: int(rng.choice([-1, 1]))]
    return np.ascontiguousarray(part * np.float32(rng.choice([-1, 1])))


def _noise(shape: tuple[int, ...], strength: float, rng: Generator) -> Floats:
    white = chance(shape, rng)
    if rng.random() < 0.6:  # noqa: PLR2004  (most cameras interpolate colours, which smears the noise)
        white = np.asarray(cv2.GaussianBlur(white, (0, 0), 0.7), np.float32) * 1.9
    if rng.random() < 0.4:  # noqa: PLR2004  (some denoise the colours only)
        white = 0.8 * white.mean(axis=2, keepdims=True) * 1.7 + 0.2 * white
    return np.asarray(white * float(strength), np.float32)
