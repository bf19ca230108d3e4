"""Two recognisers of different architecture and training set look at the same face.

Rules:
 * FaceNet sees the crop and its mirror image; the two vectors are added and brought back to unit length. SFace sees
   the crop alone: its mirror doubles its time and moves TAR at FMR 1e-4 by 0.1 points (docs/calibration.md).
 * A vector carries the name of the model that made it, and never prints.

Not here: the crops (align.py), what a similarity means (compare.py, calibration.py).
"""

from __future__ import annotations

from threading import Lock as Mutex
from typing import TYPE_CHECKING

import numpy as np

from biometric.align import facenet_crop, facenet_input, sface_crop, sface_input
from biometric.errors import CannotTell
from biometric.lite import LiteNet
from biometric.types import FACENET, SFACE, VECTOR_SIZE, Embedding, FaceEmbeddings, Floats, Image, Points

if TYPE_CHECKING:
    from biometric.models import ModelStore


class Embedder:
    """Both recognisers; one per process, safe to share between threads."""

    def __init__(self, models: ModelStore) -> None:
        self._facenet = LiteNet(models.serving("facenet"))
        (self._facenet_output,) = self._facenet.outputs_by_size(VECTOR_SIZE[FACENET])
        self._sface = LiteNet(models.serving("sface"))
        (self._sface_output,) = self._sface.outputs_by_size(VECTOR_SIZE[SFACE])
        self._mutex = Mutex()

    def embed(self, image: Image, five: Points) -> FaceEmbeddings:
        """Return both models' unit vectors for the face whose five points are given."""
        return FaceEmbeddings(
            facenet=self.facenet(facenet_crop(image, five)), sface=self.sface(sface_crop(image, five))
        )

    def facenet(self, crop: Image, *, mirrored: bool = True) -> Embedding:
        """Return FaceNet's vector of a 160x160 crop."""
        looks = (crop, crop[:, ::-1]) if mirrored else (crop,)
        with self._mutex:
            vectors = [self._facenet.run(facenet_input(look))[self._facenet_output].ravel() for look in looks]
        return Embedding(_unit_sum(vectors), FACENET)

    def sface(self, crop: Image, *, mirrored: bool = False) -> Embedding:
        """Return SFace's vector of a 112x112 crop."""
        looks = (crop, crop[:, ::-1]) if mirrored else (crop,)
        with self._mutex:
            vectors = [self._sface.run(sface_input(look))[self._sface_output].ravel() for look in looks]
        return Embedding(_unit_sum(vectors), SFACE)


def _unit_sum(vectors: list[Floats]) -> Floats:
    units = [vector / max(float(np.linalg.norm(vector)), 1e-9) for vector in vectors]
    total = np.sum(units, axis=0)
    length = float(np.linalg.norm(total))
    if not np.isfinite(length) or length < 1e-6:  # noqa: PLR2004  (no direction at all; no real crop gives this)
        raise CannotTell("a model gave no usable vector")
    unit: Floats = (total / length).astype(np.float32)
    unit.flags.writeable = False
    return unit
