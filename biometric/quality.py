"""Is the face good enough to judge? If not, one hint that a person can follow.

Rules:
 * The checks stop what makes a comparison meaningless, not what makes it hard: the limits for stills refuse less than
   1 % of LFW and nobody of the London set (docs/calibration.md). They are in weights/liveness.json (limits.py).
 * One hint at a time, the most useful first: distance, then direction, then light, then sharpness.
 * `live` is stricter than `still`: a person at a camera can follow a hint, a picture cannot.

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
    from biometric.limits import QualityLimits
    from biometric.types import DetectedFace, Image, Landmarks, Points


@dataclass(frozen=True, slots=True)
class QualityFigures:
    """What is looked at; a limit `least_x` or `most_x` is compared with `x`."""

    eye_distance_px: float
    face_share: float
    off_centre: float
    turn: float
    light: float
    sharpness: float


HINTS: Final = (
    ("least_eye_distance_px", "too_far"),
    ("most_face_share", "too_close"),
    ("most_off_centre", "off_centre"),
    ("most_turn", "turn_to_camera"),
    ("least_light", "too_dark"),
    ("most_light", "too_bright"),
    ("least_sharpness", "blurred"),
)
"""The limits in the order in which they are looked at, and what is said of each."""


def assess(image: Image, face: DetectedFace, landmarks: Landmarks | None = None, *, limits: QualityLimits) -> None:
    """Return if the face is good enough.

    Raises:
        QualityTooLow: with the hint.
    """
    seen = measure(image, face, landmarks)
    for name, hint in HINTS:
        side, _, figure = name.partition("_")
        value, limit = getattr(seen, figure), getattr(limits, name)
        if value < limit if side == "least" else value > limit:
            raise QualityTooLow(hint)


def measure(image: Image, face: DetectedFace, landmarks: Landmarks | None = None) -> QualityFigures:
    """Return what is looked at of a face."""
    five = face.five if landmarks is None else five_points(landmarks)
    height, width = image.shape[:2]
    x, y, w, h = face.box
    grey = cv2.cvtColor(sface_crop(image, five), cv2.COLOR_BGR2GRAY)
    return QualityFigures(
        eye_distance_px=eye_distance(five),
        face_share=max(w / width, h / height),
        off_centre=max(abs((x + w / 2) / width - 0.5), abs((y + h / 2) / height - 0.5)),
        turn=abs(turn(five)),
        light=float(np.median(grey)),
        sharpness=sharpness(grey),
    )


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
