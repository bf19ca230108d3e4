"""Is the face good enough to judge? If not, one hint that a person can follow.

Rules:
 * The checks stop what makes a comparison meaningless, not what makes it hard: the thresholds refuse less than 1 % of
   LFW and nobody of the London set (docs/calibration.md).
 * One hint at a time, the most useful first: distance, then direction, then light, then sharpness.
 * `LIVE` is stricter than `STILL`: a person at a camera can follow a hint, a picture cannot.

Not here: whether the face is alive (liveness/).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np

from biometric.align import sface_crop
from biometric.errors import QualityTooLow
from biometric.landmarks import five_points

if TYPE_CHECKING:
    from biometric.types import DetectedFace, Image, Landmarks, Points


@dataclass(frozen=True, slots=True)
class QualityLimits:
    """What is asked of a face; every number was looked up in docs/calibration.md, "Quality"."""

    least_eye_distance_px: float
    most_face_share: float
    most_turn: float
    least_light: float
    most_light: float
    least_sharpness: float
    most_off_centre: float


STILL: Final = QualityLimits(
    least_eye_distance_px=20,
    most_face_share=1.6,
    most_turn=1.7,
    least_light=15,
    most_light=245,
    least_sharpness=0.75,
    most_off_centre=1.0,
)
LIVE: Final = QualityLimits(
    least_eye_distance_px=40,
    most_face_share=0.9,
    most_turn=0.45,
    least_light=35,
    most_light=235,
    least_sharpness=1.5,
    most_off_centre=0.3,
)


def assess(
    image: Image, face: DetectedFace, landmarks: Landmarks | None = None, *, limits: QualityLimits = LIVE
) -> None:
    """Return if the face is good enough.

    Raises:
        QualityTooLow: with the hint.
    """
    five = face.five if landmarks is None else five_points(landmarks)
    height, width = image.shape[:2]
    x, y, w, h = face.box
    if eye_distance(five) < limits.least_eye_distance_px:
        raise QualityTooLow("too_far")
    if max(w / width, h / height) > limits.most_face_share:
        raise QualityTooLow("too_close")
    if max(abs((x + w / 2) / width - 0.5), abs((y + h / 2) / height - 0.5)) > limits.most_off_centre:
        raise QualityTooLow("off_centre")
    if abs(turn(five)) > limits.most_turn:
        raise QualityTooLow("turn_to_camera")
    grey = cv2.cvtColor(sface_crop(image, five), cv2.COLOR_BGR2GRAY)
    light = float(np.median(grey))
    if light < limits.least_light:
        raise QualityTooLow("too_dark")
    if light > limits.most_light:
        raise QualityTooLow("too_bright")
    if sharpness(grey) < limits.least_sharpness:
        raise QualityTooLow("blurred")


def eye_distance(five: Points) -> float:
    """Return the distance between the eyes in pixels."""
    return float(np.hypot(*(five[1] - five[0])))


def turn(five: Points) -> float:
    """Return how far the nose tip lies off the middle of the face, in half eye distances; 0 looks at the camera."""
    across = five[1] - five[0]
    middle = (five[0] + five[1] + five[3] + five[4]) / 4
    return float(2 * np.dot(five[2] - middle, across) / max(float(np.dot(across, across)), 1e-6))


def sharpness(grey: Any) -> float:
    """Return the deviation of the Laplacian of a crop of fixed size, in grey levels per unit of contrast."""
    contrast = max(float(grey.std()), 1.0)
    return float(cv2.Laplacian(grey, cv2.CV_32F).std()) / contrast * 10
