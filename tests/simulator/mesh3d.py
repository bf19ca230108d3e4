"""A photo's face as 468 points in three dimensions, for rendering only.

The mesh net's z comes from a prior, which is why the product never sees it (biometric/types.py). A simulator needs just
that: a plausible depth to lift a picture to a head.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
from ai_edge_litert.interpreter import Interpreter

from biometric.models import ModelStore
from tests.fixtures_cache import cache_folder

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from biometric.types import Image

INPUT_SIDE = 192
CROP_PER_EYE_DISTANCE = 4.0  # the net's usual crop: 1.5 times the face
DETECTOR_SIDE = 320


class NoFaceInPhoto(ValueError):  # noqa: N818  (reads as what happened)
    """The photo cannot become a subject."""


def locate_3d(photo: Image, *, models: ModelStore | None = None) -> NDArray[np.float64]:
    """Return 468 x 3: x, y in pixels of the photo, z in the same unit, growing away from the camera."""
    store = models or ModelStore(cache_folder() / "models")
    right_eye, left_eye, mouth = _eyes_and_mouth(photo, store)
    across = left_eye - right_eye
    side = CROP_PER_EYE_DISTANCE * float(np.hypot(*across))
    centre = (right_eye + left_eye) / 2 * 0.6 + mouth * 0.4
    crop = _crop_matrix(centre, float(np.arctan2(across[1], across[0])), side)
    points = _run_mesh(cv2.warpAffine(photo, crop, (INPUT_SIDE, INPUT_SIDE), flags=cv2.INTER_AREA), store)
    back = cv2.invertAffineTransform(crop)
    flat = points[:, :2] @ back[:, :2].T + back[:, 2]
    return np.column_stack([flat, points[:, 2] * side / INPUT_SIDE])


def _eyes_and_mouth(photo: Image, store: ModelStore) -> tuple[NDArray[np.float64], ...]:
    scale = min(1.0, DETECTOR_SIDE / max(photo.shape[:2]))
    small = cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    detector = cv2.FaceDetectorYN.create(str(store.path("yunet")), "", (small.shape[1], small.shape[0]), 0.6)
    _, faces = detector.detect(small)
    if faces is None:
        raise NoFaceInPhoto("the detector sees no face")
    largest = max(faces, key=lambda face: face[2] * face[3])
    five = largest[4:14].reshape(5, 2).astype(np.float64) / scale
    return five[0], five[1], (five[3] + five[4]) / 2


def _crop_matrix(centre: NDArray[np.float64], angle: float, side: float) -> NDArray[np.float64]:
    """Return the affine map that brings a turned square of the photo upright to the net's input."""
    scale = INPUT_SIDE / side
    turn = scale * np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return np.column_stack([turn, INPUT_SIDE / 2 - turn @ centre])


def _run_mesh(crop: Image, store: ModelStore) -> NDArray[np.float64]:
    net = Interpreter(model_content=store.read("face_mesh"), num_threads=1)
    net.allocate_tensors()
    rgb = np.ascontiguousarray(crop[None, ..., ::-1], dtype=np.float32) / 255
    net.set_tensor(net.get_input_details()[0]["index"], rgb)
    net.invoke()
    outputs = {d["shape"][-1]: net.get_tensor(d["index"]).ravel() for d in net.get_output_details()}
    if outputs[1][0] < 0:
        raise NoFaceInPhoto("the mesh net sees no face")
    return outputs[1404].reshape(468, 3).astype(np.float64)
