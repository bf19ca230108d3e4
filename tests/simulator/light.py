"""The light of the subject's own screen on what stands before it (simulated): Lambert's law and the inverse square.

Pictures hold gamma-encoded values, light adds up in linear ones; the factor is encoded accordingly.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from biometric.types import Image

    Colour = tuple[float, float, float]

SHARE = 0.08  # white screen at half a metre against the room's light: an evening room (FIELD 1.3 measured with 0.057)
REFERENCE_M = 0.5
DISPLAY_LAG_MS = 60.0
GAMMA = 2.2


@dataclass(frozen=True, slots=True)
class ScreenLight:
    """A screen beside the camera that shows one colour (B, G, R, each 0 to 1)."""

    colour: Colour
    share: float = SHARE

    def on_points(self, points: NDArray[np.float64], normals: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the share of added light at each point of a surface; the screen is at the origin."""
        distance = np.linalg.norm(points, axis=1)
        facing = np.clip(-(points * normals).sum(axis=1) / distance, 0, 1)
        return np.asarray(self.share * facing * (REFERENCE_M / distance) ** 2)

    def at(self, distance_m: float, *, facing: float = 0.8) -> float:
        """Return the share of added light on something flat and far enough to be lit evenly."""
        return self.share * facing * (REFERENCE_M / distance_m) ** 2

    def add(self, picture: Image, share: NDArray[np.float32] | float) -> Image:
        """Return `picture` with that much more light."""
        if np.ndim(share) == 0:
            table = np.arange(256)[:, None] * (1 + share * np.array(self.colour)) ** (1 / GAMMA)
            return np.asarray(cv2.LUT(picture, np.clip(table + 0.5, 0, 255).astype(np.uint8)[None]), dtype=np.uint8)
        amount = np.asarray(share, dtype=np.float32)
        parts = [
            cv2.multiply(picture[..., k], cv2.pow(1 + amount * np.float32(part), 1 / GAMMA), dtype=cv2.CV_8U)
            for k, part in enumerate(self.colour)
        ]
        return np.asarray(cv2.merge(parts), dtype=np.uint8)


class Glow:
    """What the screen shows when: colours take effect after the display's lag."""

    def __init__(self) -> None:
        self._shown: list[tuple[float, Colour]] = []

    def show(self, colour: Colour, at_ms: float) -> None:
        """The page now paints this colour."""
        self._shown.append((at_ms + DISPLAY_LAG_MS, colour))

    def at(self, at_ms: float) -> ScreenLight | None:
        """Return the light of this instant, None while the screen is dark."""
        seen = [colour for since, colour in self._shown if since <= at_ms]
        return ScreenLight(seen[-1]) if seen and any(seen[-1]) else None


def normals_of(points: NDArray[np.float64], triangles: NDArray[np.int32]) -> NDArray[np.float64]:
    """Return the unit normal of each vertex, towards the side that is seen clockwise."""
    a, b, c = (points[triangles[:, k]] for k in range(3))
    faces = np.cross(c - a, b - a)
    sums = np.zeros_like(points)
    for corner in range(3):
        np.add.at(sums, triangles[:, corner], faces)
    return sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-12)


def smooth(share: NDArray[np.float32]) -> NDArray[np.float32]:
    """Hide the facets."""
    return np.asarray(cv2.GaussianBlur(share, (0, 0), 2.0), dtype=np.float32)
