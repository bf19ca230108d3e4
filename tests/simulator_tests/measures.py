"""What the mesh net reports of a rendered frame. The product's own measures are in biometric/liveness."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tests.simulator.head import MIRROR_PAIRS
from tests.simulator.mesh3d import locate_3d

if TYPE_CHECKING:
    from biometric.types import Image

EYES = ((33, 160, 158, 133, 153, 144), (263, 387, 385, 362, 380, 373))
MOUTH, OUTER_EYES = (61, 291), (33, 263)


@dataclass(frozen=True, slots=True)
class Measure:
    """Yaw in degrees (the person's left is positive), eye aspect ratio, mouth over eye distance, size in pixels."""

    yaw: float
    eye_ratio: float
    mouth: float
    eye_distance: float


def measure(image: Image) -> Measure:
    points = locate_3d(image)
    flat = points[:, :2]
    across = (points[MIRROR_PAIRS[:, 1]] - points[MIRROR_PAIRS[:, 0]]).mean(axis=0)
    eyes = float(np.linalg.norm(flat[OUTER_EYES[0]] - flat[OUTER_EYES[1]]))
    return Measure(
        yaw=float(np.degrees(np.arctan2(across[2], across[0]))),
        eye_ratio=float(np.mean([_aspect(flat[list(eye)]) for eye in EYES])),
        mouth=float(np.linalg.norm(flat[MOUTH[0]] - flat[MOUTH[1]])) / eyes,
        eye_distance=eyes,
    )


def _aspect(eye: np.ndarray) -> float:
    height = np.linalg.norm(eye[1] - eye[5]) + np.linalg.norm(eye[2] - eye[4])
    return float(height / (2 * np.linalg.norm(eye[0] - eye[3])))
