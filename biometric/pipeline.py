"""All models of one process, opened once, and the one road from a still picture to a face.

Rules:
 * `open` raises when a file is missing, changed, or not the one the thresholds were measured with; then nothing is
   served.
 * A still needs exactly one face that counts (detect.only_face), seen by detector and mesh alike, and good enough.

Not here: frames of a login (liveness/).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import cv2

from biometric.calibration import Calibration
from biometric.detect import FaceDetector, only_face
from biometric.embed import Embedder
from biometric.errors import NoFace
from biometric.landmarks import LOST, FaceMesh, five_points
from biometric.limits import shipped
from biometric.models import ModelStore
from biometric.quality import assess
from biometric.texture import TextureNet
from biometric.texture_role import added_nets

if TYPE_CHECKING:
    from pathlib import Path

    from biometric.types import DetectedFace, FaceEmbeddings, Image, Landmarks

STILL_SEARCH_SIDE_PX: Final = (
    640  # a still may hold a smaller face than a login frame; it is searched once, not 60 times
)


@dataclass(frozen=True, slots=True)
class StillFace:
    """The one good face of a picture."""

    face: DetectedFace
    landmarks: Landmarks
    embeddings: FaceEmbeddings


@dataclass(frozen=True)
class Recogniser:
    """Detector, mesh and both recognisers; safe to share between threads. No thresholds: it decides nothing."""

    detector: FaceDetector
    mesh: FaceMesh
    embedder: Embedder

    def still(self, image: Image) -> StillFace:
        """Return the one good face of a picture.

        Raises:
            NoFace, SeveralFaces, QualityTooLow: it has none.
        """
        return self.describe(image, only_face(self.detector.detect(image, longest_side=STILL_SEARCH_SIDE_PX)))

    def describe(self, image: Image, face: DetectedFace) -> StillFace:
        """Return mesh and embeddings of a face that was found and chosen.

        Raises:
            NoFace: the mesh sees no face there.
            QualityTooLow: it is not good enough to compare.
        """
        landmarks = self.mesh.locate(image, face)
        if landmarks.presence < LOST:
            raise NoFace("the mesh sees no face where the detector did")
        assess(image, face, landmarks, limits=shipped().still)
        return StillFace(face=face, landmarks=landmarks, embeddings=self.embedder.embed(image, five_points(landmarks)))


@dataclass(frozen=True)
class FacePipeline(Recogniser):
    """All models of a process and the thresholds that belong to them."""

    calibration: Calibration
    texture: TextureNet
    texture_extra: tuple[TextureNet, ...] = ()

    @classmethod
    def open(cls, models_dir: Path, *, calibration: Path | None = None) -> FacePipeline:
        """Open every model after its digest matched.

        Raises:
            ModelMissing, ModelDigestMismatch, CalibrationMismatch, LimitsMismatch: what is wrong; nothing is usable
            then.
        """
        cv2.setNumThreads(1)  # a worker is one core of work; more threads only take turns
        store = ModelStore(models_dir)
        thresholds = Calibration.load(store, calibration)
        shipped().check_models(store)
        return cls(
            detector=FaceDetector(store),
            mesh=FaceMesh(store),
            embedder=Embedder(store),
            calibration=thresholds,
            texture=TextureNet.open(),
            texture_extra=added_nets(store),
        )
