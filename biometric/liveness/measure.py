"""What one frame's mesh says: how the head stands, how open the eyes are, what the mouth does.

Rules:
 * Only x and y of the mesh are used.
 * Angles are degrees under weak perspective. Sign and growth are what the steps rely on; their size is compared with
   a renderer's own angles in docs/liveness.md.
 * Lengths are divided by the head's fitted scale, which a turn does not shorten.

Not here: what a movement over several frames means (steps/).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from biometric.liveness import head

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from biometric.types import Points

_INVERSE: Final = np.linalg.pinv(head.RIGID_MODEL)
_FLAT: Final = 1e-6  # smaller by larger singular value, about; below it the closed form loses digits


@dataclass(frozen=True, slots=True)
class FaceMeasure:
    """One face in one frame.

    Attributes:
        yaw: degrees, positive towards the person's own left (to the right in the picture).
        pitch: degrees, positive downwards.
        roll: degrees, positive clockwise in the picture.
        scale: outer-eye distance in pixels, as if seen from the front.
        x: middle between the outer eye corners, pixels.
        y: likewise.
        ear_right: eye aspect ratio of the person's right eye.
        ear_left: likewise.
        mouth_width: distance of the mouth corners by scale.
        mouth_open: distance of the inner lips by scale.
        corners_up: how far the mouth corners stand above the upper lip's middle, by scale.
    """

    yaw: float
    pitch: float
    roll: float
    scale: float
    x: float
    y: float
    ear_right: float
    ear_left: float
    mouth_width: float
    mouth_open: float
    corners_up: float


def measure_face(points: Points) -> FaceMeasure:
    """Return the measures of one mesh."""
    yaw, pitch, roll, scale = _head_pose(points)
    right, left = points[head.RIGHT_EYE_OUTER], points[head.LEFT_EYE_OUTER]
    middle = (right + left) / 2
    across = (left - right) / max(_apart(left, right), 1e-6)
    down = np.array([-across[1], across[0]])
    corner_r, corner_l = points[head.MOUTH_CORNERS[0]], points[head.MOUTH_CORNERS[1]]
    upper, lower = points[head.INNER_LIPS[0]], points[head.INNER_LIPS[1]]
    return FaceMeasure(
        yaw=yaw,
        pitch=pitch,
        roll=roll,
        scale=scale,
        x=float(middle[0]),
        y=float(middle[1]),
        ear_right=_eye_aspect_ratio(points, head.RIGHT_EYE),
        ear_left=_eye_aspect_ratio(points, head.LEFT_EYE),
        mouth_width=_apart(corner_l, corner_r) / scale,
        mouth_open=_apart(lower, upper) / scale,
        corners_up=float((upper - (corner_r + corner_l) / 2) @ down) / scale,
    )


def _head_pose(points: Points) -> tuple[float, float, float, float]:
    """Fit the average head's rigid points under weak perspective; return yaw, pitch, roll, scale."""
    seen = points[head.RIGID_POINTS].astype(np.float64)
    affine: NDArray[np.float64] = (_INVERSE @ (seen - seen.mean(axis=0))).T
    (a, b, c), (d, e, f), scale = _nearest_rows(affine)
    yaw = math.degrees(math.atan2(c, a * e - b * d))  # the last is the third row's, their cross product's
    pitch = math.degrees(math.asin(min(max(f, -1.0), 1.0)))
    roll = math.degrees(math.atan2(d, a)) if (a, b, c) != (0, 0, 0) else 0.0
    return yaw, pitch, roll, max(scale, 1e-6)


def _nearest_rows(affine: NDArray[np.float64]) -> tuple[list[float], list[float], float]:
    """Return the nearest two rows of a rotation, and the scale: the polar factor of a 2x3, without an SVD's time.

    S = affine affine^T has the root (S + d) / t with d = sqrt(det S), t = sqrt(trace S + 2 d): t is the sum of the
    singular values. Where the rows are nearly along one line the SVD answers.
    """
    (p, q), (_, r) = (affine @ affine.T).tolist()
    d = math.sqrt(max(p * r - q * q, 0.0))
    if not d > _FLAT * (p + r):
        left, sizes, right = np.linalg.svd(affine, full_matrices=False)
        first, second = left @ right
        return first.tolist(), second.tolist(), float(sizes.mean())
    t = math.sqrt(p + r + 2 * d)
    first, second = np.array([[r + d, -q], [-q, p + d]]) @ affine / (d * t)
    return first.tolist(), second.tolist(), t / 2


def _apart(left: Points, right: Points) -> float:
    """Return the distance of two points; numpy would take ten times as long for two numbers."""
    return math.hypot(float(left[0]) - float(right[0]), float(left[1]) - float(right[1]))


def _eye_aspect_ratio(points: Points, eye: tuple[int, int, int, int, int, int]) -> float:
    p1, p2, p3, p4, p5, p6 = (points[i] for i in eye)
    return (_apart(p2, p6) + _apart(p3, p5)) / (2 * max(_apart(p1, p4), 1e-6))
