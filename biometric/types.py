"""Values that travel through this package. Arrays are frozen; nothing prints pixels or vectors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NewType

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence

Image = NDArray[np.uint8]
"""HxWx3, uint8, BGR channel order (OpenCV's)."""

Floats = NDArray[np.float32]

Points = NDArray[np.float32]
"""Nx2, float32, pixels of the frame: x to the right, y down."""

Matrix = NDArray[np.float32]
"""2x3, float32: an affine map of pixels, as OpenCV has it."""

ModelName = NewType("ModelName", str)
FACENET = ModelName("facenet")
SFACE = ModelName("sface")
VECTOR_SIZE: Final = {FACENET: 512, SFACE: 128}


@dataclass(frozen=True, slots=True, repr=False)
class Frame:
    """One camera frame as the browser sent it.

    Attributes:
        seq: position in the ceremony, from 0, without gaps.
        captured_ms: the page's monotonic clock when the frame was drawn, milliseconds since the challenge began.
        jpeg: the encoded picture.
        tag: its place in the challenge's chain (liveness/chain.py); empty where no challenge is running.
    """

    seq: int
    captured_ms: int
    jpeg: bytes
    tag: bytes = b""

    def __repr__(self) -> str:
        return f"Frame(seq={self.seq}, captured_ms={self.captured_ms}, <{len(self.jpeg)} bytes>)"


@dataclass(frozen=True, slots=True, repr=False)
class DetectedFace:
    """A face found by the detector.

    Attributes:
        box: x, y, width, height in pixels.
        five: 5x2 points: the person's right eye, left eye, nose tip, right and left mouth corner.
        score: the detector's confidence, 0 to 1.
    """

    box: tuple[float, float, float, float]
    five: Points
    score: float

    def __repr__(self) -> str:
        x, y, w, h = self.box
        return f"DetectedFace({w:.0f}x{h:.0f} at {x:.0f},{y:.0f}, score={self.score:.2f})"


@dataclass(frozen=True, slots=True, repr=False)
class Landmarks:
    """468 mesh points of one face in one frame. There is no z: the net makes it up from a prior (FIELD 2.0, trap 6).

    Attributes:
        points: 468x2 pixels of the frame.
        presence: probability that the crop holds a face, 0 to 1.
    """

    points: Points
    presence: float

    def __repr__(self) -> str:
        return f"Landmarks(<{len(self.points)} points>, presence={self.presence:.2f})"


@dataclass(frozen=True, slots=True, repr=False)
class Embedding:
    """A unit vector of one model.

    Attributes:
        vector: float32, shape (512,) for FaceNet and (128,) for SFace, L2 norm 1.
        model: which model made it.
    """

    vector: NDArray[np.float32]
    model: ModelName

    def __repr__(self) -> str:
        return f"Embedding(<{self.vector.size} floats>, model={self.model!r})"


@dataclass(frozen=True, slots=True, repr=False)
class FaceEmbeddings:
    """What both models say of the same face in the same picture (or the mean over pictures, normalised again)."""

    facenet: Embedding
    sface: Embedding

    def __repr__(self) -> str:
        return "FaceEmbeddings(<facenet, sface>)"

    @staticmethod
    def mean(of: Sequence[FaceEmbeddings]) -> FaceEmbeddings:
        """Return the normalised mean per model. Raises ValueError for an empty sequence."""
        if not of:
            raise ValueError("no embeddings to average")

        def average(model: ModelName, vectors: list[NDArray[np.float32]]) -> Embedding:
            total = np.sum(vectors, axis=0)
            return Embedding((total / np.linalg.norm(total)).astype(np.float32), model)

        return FaceEmbeddings(
            facenet=average(FACENET, [e.facenet.vector for e in of]),
            sface=average(SFACE, [e.sface.vector for e in of]),
        )


@dataclass(frozen=True, slots=True)
class ScoredModel:
    """One model's similarity (cosine, -1 to 1) and the floor it must clear."""

    similarity: float
    threshold: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """Probe against reference. `match` needs the fused score and each model's own floor (docs/calibration.md)."""

    facenet: ScoredModel
    sface: ScoredModel
    fused_score: float
    fused_threshold: float

    @property
    def match(self) -> bool:
        """True only if the fused score decides so and neither model objects."""
        return (
            self.fused_score >= self.fused_threshold
            and self.facenet.similarity >= self.facenet.threshold
            and self.sface.similarity >= self.sface.threshold
        )
