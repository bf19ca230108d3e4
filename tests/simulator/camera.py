"""The simulated webcam: a pinhole at the origin that looks along z, sensor noise, JPEG. Metres; y points down."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from biometric.types import Image

JPEG_QUALITY = 90  # what the face page asks its canvas for


@dataclass(frozen=True, slots=True)
class Camera:
    """A laptop camera; the focal length gives 61 degrees across, usual for built-in ones."""

    width: int = 640
    height: int = 480
    focal: float = 540.0

    def project(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return N x 2 pixels of N x 3 points in camera coordinates."""
        scale = self.focal / points[:, 2:3]
        return points[:, :2] * scale + (self.width / 2, self.height / 2)

    def plane_homography(
        self, metres_per_pixel: float, corner: NDArray[np.float64], axes: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return the map from pixels of a flat picture to pixels of this camera.

        Args:
            metres_per_pixel: size of the picture's pixels.
            corner: where the picture's pixel (0, 0) is.
            axes: 3 x 2, the unit directions of the picture's rows and columns (x, then y).
        """
        intrinsic = np.array([[self.focal, 0, self.width / 2], [0, self.focal, self.height / 2], [0, 0, 1]])
        return intrinsic @ np.column_stack([axes * metres_per_pixel, corner])


class Sensor:
    """Noise of a small sensor: mostly fixed strength, a little correlated by demosaicing, never twice the same."""

    def __init__(self, *, seed: int, strength: float = 2.2) -> None:
        rng = np.random.default_rng(seed)
        white = rng.standard_normal((600, 800, 3), dtype=np.float32)
        soft = cv2.GaussianBlur(white, (0, 0), 0.6)
        noise = np.round(soft / soft.std() * strength)
        self._more, self._less = np.maximum(noise, 0).astype(np.uint8), np.maximum(-noise, 0).astype(np.uint8)
        self._rng = rng

    def expose(self, image: Image) -> Image:
        """Return `image` with the next frame's noise."""
        height, width = image.shape[:2]
        top = int(self._rng.integers(0, self._more.shape[0] - height + 1))
        left = int(self._rng.integers(0, self._more.shape[1] - width + 1))
        place = (slice(top, top + height), slice(left, left + width))
        return np.asarray(cv2.subtract(cv2.add(image, self._more[place]), self._less[place]), dtype=np.uint8)


def encode(image: Image, *, quality: int = JPEG_QUALITY) -> bytes:
    """Return the JPEG bytes that a page would send."""
    done, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise ValueError("OpenCV could not encode the picture")
    return data.tobytes()
