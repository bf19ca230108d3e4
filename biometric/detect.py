"""YuNet: where faces are, with five points each.

Rules:
 * The search runs on a reduced copy, for speed (docs/calibration.md, Time); coordinates come back in full size. Where
   a face is known and only a second one is looked for, the copy is as small as that allows (`side_beside`).
 * `refine` looks again at the found face alone, so that the five points are precise where an embedding is made from
   them.
 * Which face counts is decided in one place, `only_face`.

Not here: 468 points (landmarks.py), whether the face is good enough (quality.py).
"""

from __future__ import annotations

import math
from threading import Lock as Mutex
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np

from biometric.errors import NoFace, SeveralFaces
from biometric.types import DetectedFace, Floats, Image, Matrix

if TYPE_CHECKING:
    from collections.abc import Sequence

    from biometric.models import ModelStore

SEARCH_SIDE_PX: Final = 320
LEAST_SCORE: Final = 0.7
OVERLAP: Final = 0.3  # boxes overlapping more than this are one face (OpenCV's own default)
REFINE_SIDE_PX: Final = 192
REFINE_MARGIN: Final = 0.5  # of the longer side of the box, on each side
BYSTANDER: Final = 0.5  # see only_face
SECOND_FACE_PX: Final = 20  # longer side in the searched picture from which a face is seen (benchmarks/second_faces.py)
LEAST_SIDE_PX: Final = 160
_STRIDE_PX: Final = 32  # the net fills its input up to a multiple of this
_LEAST_INPUT_PX: Final = 2 * _STRIDE_PX  # see _filled


class FaceDetector:
    """The detector; one per process, safe to share between threads."""

    def __init__(self, models: ModelStore) -> None:
        content = np.frombuffer(models.read("yunet"), np.uint8)
        self._search = cv2.FaceDetectorYN.create(
            "onnx", content, _NO_CONFIG, (SEARCH_SIDE_PX, SEARCH_SIDE_PX), LEAST_SCORE, OVERLAP
        )
        refined = (REFINE_SIDE_PX, REFINE_SIDE_PX)
        self._refine = cv2.FaceDetectorYN.create("onnx", content, _NO_CONFIG, refined, LEAST_SCORE, OVERLAP)
        self._mutex = Mutex()

    def detect(self, image: Image, *, longest_side: int = SEARCH_SIDE_PX) -> list[DetectedFace]:
        """Return all faces, the largest first, in pixels of `image`."""
        height, width = image.shape[:2]
        scale = min(1.0, longest_side / max(height, width))
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        small = image if size == (width, height) else cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        searched = _filled(small.astype(np.uint8, copy=False))
        with self._mutex:
            self._search.setInputSize(searched.shape[1::-1])
            _, rows = self._search.detect(searched)
        factors = np.array([width / size[0], height / size[1]], np.float32)
        return _faces(rows, factors, np.zeros(2, np.float32))

    def refine(self, image: Image, face: DetectedFace) -> DetectedFace:
        """Return `face` with more precise points, or unchanged if the closer look does not find it again."""
        x, y, w, h = face.box
        side = max(w, h) * (1 + 2 * REFINE_MARGIN)
        corner = np.array([x + w / 2 - side / 2, y + h / 2 - side / 2], np.float32)
        zoom = REFINE_SIDE_PX / side
        matrix = np.array([[zoom, 0, -corner[0] * zoom], [0, zoom, -corner[1] * zoom]], np.float32)
        crop = warp(image, matrix, REFINE_SIDE_PX)
        with self._mutex:
            _, rows = self._refine.detect(crop)
        found = _faces(rows, np.full(2, 1 / zoom, np.float32), corner)
        near = [other for other in found if _overlap(other, face) > OVERLAP]
        return near[0] if near else face


def _filled(image: Image) -> Image:
    """Return `image` with black below and to the right of it where it is too small for the net.

    With one row or column of cells in its coarsest layer OpenCV's net (4.14) computes from memory that nobody wrote,
    and finds faces in nothing: so it did in pictures of up to 32 pixels on one side, and in none from 33 on
    (tests/biometric/test_detect.py). The net fills larger ones in the same way.
    """
    below, right = (max(0, _LEAST_INPUT_PX - side) for side in image.shape[:2])
    return np.pad(image, ((0, below), (0, right), (0, 0))) if below or right else image


def side_beside(face_px: float, *, longest_px: int) -> int:
    """Return the `longest_side` with which a second face that counts is still seen beside a known one.

    Args:
        face_px: longer side of the known face in the whole picture; whatever is less than BYSTANDER of it is ignored.
        longest_px: longer side of the whole picture.
    """
    wanted = longest_px * SECOND_FACE_PX / (BYSTANDER * max(face_px, 1.0))
    return min(SEARCH_SIDE_PX, max(LEAST_SIDE_PX, _STRIDE_PX * math.ceil(wanted / _STRIDE_PX)))


def warp(image: Image, matrix: Matrix, side: int) -> Image:
    """Return the sidexside picture under a 2x3 matrix, without aliasing when it shrinks a lot."""
    zoom = float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
    if zoom < 0.5:  # noqa: PLR2004  (below one half, bilinear sampling skips pixels)
        image, matrix = _reduced(image, matrix, side, 2 * zoom)
    crop = cv2.warpAffine(image, matrix, (side, side), flags=cv2.INTER_LINEAR)
    return crop.astype(np.uint8, copy=False)


def _reduced(image: Image, matrix: Matrix, side: int, scale: float) -> tuple[Image, Matrix]:
    """Return the part of `image` that the crop needs, shrunk by `scale`, and the matrix that fits it."""
    corners = np.array([[0, 0], [side, 0], [side, side], [0, side]], np.float32)
    inverse = cv2.invertAffineTransform(matrix)
    seen = corners @ inverse[:, :2].T + inverse[:, 2]
    limit = np.array(image.shape[1::-1])
    low = np.clip(np.floor(seen.min(axis=0)) - 2, 0, limit - 1).astype(int)
    high = np.clip(np.ceil(seen.max(axis=0)) + 2, low + 1, limit).astype(int)
    part = image[low[1] : high[1], low[0] : high[0]]
    width, height = (max(1, round(scale * extent)) for extent in high - low)
    small = cv2.resize(part, (width, height), interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
    shift = matrix[:, :2] @ low + matrix[:, 2]
    linear = matrix[:, :2] * ((high - low) / (width, height))
    return small, np.column_stack([linear, shift]).astype(np.float32)


def only_face(faces: Sequence[DetectedFace]) -> DetectedFace:
    """Return the one face that counts.

    A face at least half as large (by the longer side of the box) as the largest makes the picture ambiguous: nobody
    is chosen. A smaller one is a poster or a passer-by well behind the person; it is ignored, and it can never be the
    one that is compared.

    Raises:
        NoFace: there is none.
        SeveralFaces: there are two of comparable size.
    """
    if not faces:
        raise NoFace("no face was found")
    sides = sorted((max(face.box[2:]) for face in faces), reverse=True)
    if len(sides) > 1 and sides[1] >= BYSTANDER * sides[0]:
        raise SeveralFaces(f"{len(faces)} faces of comparable size")
    return max(faces, key=lambda face: max(face.box[2:]))


def most_prominent(faces: Sequence[DetectedFace], image: Image) -> DetectedFace:
    """Return the face that a picture filed under one person's name shows: large and near the middle.

    For evaluation only, where the folder says whose picture it is. A login and a comparison use `only_face`.

    Raises:
        NoFace: there is none.
    """
    if not faces:
        raise NoFace("no face was found")
    height, width = image.shape[:2]
    reach = float(np.hypot(width, height)) / 2

    def prominence(face: DetectedFace) -> float:
        x, y, w, h = face.box
        away = float(np.hypot(x + w / 2 - width / 2, y + h / 2 - height / 2)) / reach
        return max(w, h) * max(0.0, 1 - away)

    return max(faces, key=prominence)


_NO_CONFIG: Final = np.zeros(0, np.uint8)


def _faces(rows: Any, factors: Floats, corner: Floats) -> list[DetectedFace]:
    found = []
    for row in rows if rows is not None else ():
        (x, y), (w, h) = row[:2] * factors + corner, row[2:4] * factors
        five = (row[4:14].reshape(5, 2) * factors + corner).astype(np.float32)
        five.flags.writeable = False
        if np.isfinite(row).all() and w > 0 and h > 0:
            found.append(DetectedFace(box=(float(x), float(y), float(w), float(h)), five=five, score=float(row[14])))
    return sorted(found, key=lambda face: max(face.box[2:]), reverse=True)


def _overlap(left: DetectedFace, right: DetectedFace) -> float:
    ax, ay, aw, ah = left.box
    bx, by, bw, bh = right.box
    w = min(ax + aw, bx + bw) - max(ax, bx)
    h = min(ay + ah, by + bh) - max(ay, by)
    if w <= 0 or h <= 0:
        return 0.0
    return w * h / (aw * ah + bw * bh - w * h)
