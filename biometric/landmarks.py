"""The 468-point face mesh, followed from frame to frame.

Rules:
 * The first frame's crop comes from the detector's points, every later one from the points before: 1 ms instead of a
   new search.
 * The crop is square, turned so that the eyes are level, its side 1.5 times the face (MediaPipe's own framing).
 * Only x and y leave this file: the net makes z up from a face prior (FIELD 2.0, trap 6).
 * `presence` is the net's own opinion whether the crop holds a face; below LOST the points mean nothing.

Not here: what the points say (liveness/).
"""

from __future__ import annotations

from threading import Lock as Mutex
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from biometric.detect import warp
from biometric.lite import LiteNet
from biometric.types import DetectedFace, Image, Landmarks, Matrix, Points

if TYPE_CHECKING:
    from biometric.models import ModelStore

SIDE_PX: Final = 192
MARGIN: Final = 1.5  # MediaPipe face_landmark_front graph: scale_x = scale_y = 1.5
LOST: Final = 0.5  # MediaPipe's own presence threshold
RIGHT_EYE_OUTER: Final = 33  # the person's own right eye
RIGHT_EYE_INNER: Final = 133
LEFT_EYE_INNER: Final = 362
LEFT_EYE_OUTER: Final = 263
NOSE_TIP: Final = 4
RIGHT_MOUTH_CORNER: Final = 61
LEFT_MOUTH_CORNER: Final = 291
_SHARES: Final = (np.arange(256) / 255).astype(np.float32)  # 0..255 to 0..1, looked up rather than divided
# The face from brow to chin is about 2.4 times as high as the eyes are apart, its middle 0.45 of that below them; the
# mesh corrects a rough first crop in its second look, so these need no precision.
_FACE_BY_EYES: Final = 2.4
_MIDDLE_BELOW_EYES: Final = 0.45


class FaceMesh:
    """The mesh net; one per process, safe to share between threads."""

    def __init__(self, models: ModelStore) -> None:
        self._net = LiteNet(models.read("face_mesh"))
        self._points, self._presence = self._net.outputs_by_size(3 * 468, 1)
        self._mutex = Mutex()

    def locate(self, image: Image, face: DetectedFace) -> Landmarks:
        """Return the mesh of a detected face: a first look at the detector's crop, a second at the mesh's own."""
        right, left = face.five[0], face.five[1]
        apart = left - right
        middle = (right + left) / 2 + _MIDDLE_BELOW_EYES * np.array([-apart[1], apart[0]], np.float32)
        by_eyes = float(np.hypot(*apart)) * _FACE_BY_EYES
        side = max(
            by_eyes, max(face.box[2:]) * 0.8
        )  # a turned head brings its eyes together; the box still has its height
        first = self._look(image, _crop_matrix(middle, side * MARGIN, apart))
        return self.track(image, first)

    def track(self, image: Image, previous: Landmarks) -> Landmarks:
        """Return the mesh in `image`, looked for where it was before; `presence` tells whether it still is there."""
        points = previous.points
        low, high = points.min(axis=0), points.max(axis=0)
        direction = points[LEFT_EYE_OUTER] - points[RIGHT_EYE_OUTER]
        return self._look(image, _crop_matrix((low + high) / 2, float(max(high - low)) * MARGIN, direction))

    def _look(self, image: Image, matrix: Matrix) -> Landmarks:
        rgb = cv2.cvtColor(warp(image, matrix, SIDE_PX), cv2.COLOR_BGR2RGB)
        crop = cv2.LUT(rgb, _SHARES).astype(np.float32, copy=False)
        with self._mutex:
            outputs = self._net.run(crop)
            raw, logit = outputs[self._points].reshape(468, 3)[:, :2].copy(), float(outputs[self._presence].ravel()[0])
        inverse = cv2.invertAffineTransform(matrix).astype(np.float32)
        points: Points = (raw @ inverse[:, :2].T + inverse[:, 2]).astype(np.float32)
        points.flags.writeable = False
        return Landmarks(points=points, presence=float(1 / (1 + np.exp(-min(max(logit, -60.0), 60.0)))))


def five_points(landmarks: Landmarks) -> Points:
    """Return the five points of the recognisers' targets: steadier than the detector's (docs/calibration.md)."""
    at = landmarks.points
    eyes = [(at[RIGHT_EYE_OUTER] + at[RIGHT_EYE_INNER]) / 2, (at[LEFT_EYE_INNER] + at[LEFT_EYE_OUTER]) / 2]
    return np.array([*eyes, at[NOSE_TIP], at[RIGHT_MOUTH_CORNER], at[LEFT_MOUTH_CORNER]], np.float32)


def _crop_matrix(middle: Points, side: float, direction: Points) -> Matrix:
    """Return the mapping of a square around `middle`, its x axis along `direction`, to the net's input."""
    length = max(float(np.hypot(*direction)), 1e-6)
    zoom = SIDE_PX / max(side, 1.0)
    cos, sin = direction[0] / length * zoom, direction[1] / length * zoom
    turn = np.array([[cos, sin], [-sin, cos]], np.float32)
    shift = SIDE_PX / 2 - turn @ middle
    matrix = np.empty((2, 3), np.float32)
    matrix[:, :2], matrix[:, 2] = turn, shift
    return matrix
