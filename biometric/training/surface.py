"""What a printed or shown surface adds to a picture: dots, stripes, grain, uneven light, things mirrored in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

import cv2
import numpy as np

from biometric.training.camera import chance

if TYPE_CHECKING:
    from numpy.random import Generator

    from biometric.types import Floats

INK_ANGLES: Final = (75.0, 15.0, 45.0)  # degrees; yellow's place in blue, magenta's in green, cyan's in red


class Surface(Protocol):
    """Where each camera pixel lies on the picture, and how many camera pixels one of the picture's is."""

    @property
    def map_x(self) -> Floats:
        """HxW, pixels of the picture."""

    @property
    def map_y(self) -> Floats:
        """HxW, pixels of the picture."""

    @property
    def zoom(self) -> float:
        """Camera pixels for each pixel of the picture."""


def halftone(plane: Surface, ink: Floats, depth: float, rng: Generator) -> Floats:
    """Return the dots of three inks: deepest in the middle tones, fading when they are finer than the pixels."""
    pitch = rng.uniform(0.25, 1.3) / plane.zoom  # dots for each pixel of the picture
    fade = depth * np.exp(-0.9 * max(0.0, pitch * plane.zoom - 0.35))
    dots = np.empty_like(ink)
    for channel, angle in enumerate(INK_ANGLES):
        cos, sin = (float(2 * np.pi * pitch * f(np.radians(angle))) for f in (np.cos, np.sin))
        along = plane.map_x * cos + plane.map_y * sin
        across = plane.map_y * cos - plane.map_x * sin
        dots[..., channel] = np.cos(along) * np.cos(across)
    return np.asarray(float(4 * fade) * ink * (1 - ink) * dots, np.float32)


def stripes(plane: Surface, depth: float, rng: Generator) -> Floats:
    """Return the factor of a panel's sub-pixels and of its rolling refresh."""
    pitch = rng.uniform(0.3, 2.2) / plane.zoom
    fade = float(depth * np.exp(-0.7 * max(0.0, pitch * plane.zoom - 0.5)))
    pitch = float(2 * np.pi * pitch)
    across = pitch * plane.map_x
    order = 1 if rng.random() < 0.5 else -1  # noqa: PLR2004  (BGR and RGB panels)
    stripes = np.stack([np.sin(across + float(order * k * 2 * np.pi / 3)) for k in range(3)], axis=2)
    rows = 0.5 * np.sin(pitch * plane.map_y)
    down = np.arange(plane.map_y.shape[0], dtype=np.float32)[:, None] / plane.map_y.shape[0]
    bands = rng.uniform(0, 0.06) * np.sin(2 * np.pi * (down * rng.uniform(0.7, 5) + rng.random()))
    return np.asarray(1 + fade * (stripes + rows[..., None]) + bands[..., None], np.float32)


def grain(shape: tuple[int, ...], rng: Generator) -> Floats:
    """Return the unevenness of paper and ink, HxWx1, about unit strength."""
    return 2 * np.asarray(cv2.GaussianBlur(chance((*shape[:2], 1), rng)[..., 0], (0, 0), 0.8), np.float32)[..., None]


def shade(shape: tuple[int, ...], rng: Generator, *, strength: float) -> Floats:
    """Return light that falls off across a surface."""
    down, across = (np.linspace(-1, 1, side, dtype=np.float32) for side in shape[:2])
    a, b = rng.uniform(-strength, strength, 2)
    return np.asarray(1 + (a * across[None, :] + b * down[:, None])[..., None], np.float32)


def glare(shape: tuple[int, ...], rng: Generator, *, most: float) -> Floats:
    """Return light mirrored in a surface: a lamp, or a window with edges."""
    height, width = shape[:2]
    light = np.zeros((height, width), np.float32)
    for _ in range(int(rng.integers(1, 3))):
        middle = (int(rng.uniform(0, width)), int(rng.uniform(0, height)))
        axes = (max(2, int(rng.uniform(0.05, 0.35) * width)), max(2, int(rng.uniform(0.04, 0.25) * height)))
        if rng.random() < 0.5:  # noqa: PLR2004  (lamps and windows alike)
            cv2.ellipse(light, middle, axes, float(rng.uniform(0, 180)), 0, 360, 1.0, -1)
        else:
            corner = (middle[0] + axes[0], middle[1] + axes[1])
            cv2.rectangle(light, middle, corner, 1.0, -1)
    soft = cv2.GaussianBlur(light, (0, 0), rng.uniform(1.0, 18.0))
    return np.asarray(rng.uniform(0.15, 1.0) * most * soft, np.float32)[..., None]
