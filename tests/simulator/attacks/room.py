"""The room behind an attacker's sheet or screen: a wall, a shelf, a door, out of focus."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from biometric.types import Image

SIZE = (480, 640)


def room(*, seed: int) -> Image:
    """Return a plausible blurred room."""
    rng = np.random.default_rng(seed)
    height, width = SIZE
    wall = rng.uniform(120, 190, 3)
    light = np.linspace(1.1, 0.8, width)[None, :, None] * np.linspace(1.05, 0.9, height)[:, None, None]
    picture = (wall * light).astype(np.float32)
    for _ in range(9):
        x, y = rng.integers(0, width), rng.integers(0, height)
        w, h = rng.integers(15, 120), rng.integers(20, 160)
        cv2.rectangle(picture, (int(x), int(y)), (int(x + w), int(y + h)), rng.uniform(30, 220, 3).tolist(), -1)
    door = int(rng.integers(0, width - 140))
    cv2.rectangle(picture, (door, 40), (door + 130, height), (wall * 0.6).tolist(), -1)
    cv2.rectangle(picture, (door, 40), (door + 130, height), (wall * 0.4).tolist(), 4)
    picture = 0.7 * picture.mean(axis=2, keepdims=True) + 0.3 * picture  # rooms are not as colourful as chance
    return np.clip(cv2.GaussianBlur(picture, (0, 0), 4), 0, 255).astype(np.uint8)
