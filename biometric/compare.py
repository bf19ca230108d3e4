"""Is it the same face? The fused score decides, and neither model may object.

Rules:
 * Similarity is the cosine of two unit vectors of the same model; vectors of different models are never compared.
 * FaceNet's vectors are evened out first (projection.py), which keeps them unit vectors of that model.
 * Fused: z-scores against impostors, weighted (docs/calibration.md), against the threshold for FMR 1e-4.
 * Each model must also clear its own floor (FMR 1e-2), so that fooling one of them thoroughly is not enough.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from biometric.errors import CannotTell
from biometric.types import FACENET, SFACE, VECTOR_SIZE, Comparison, ScoredModel

if TYPE_CHECKING:
    from biometric.calibration import Calibration
    from biometric.types import Embedding, FaceEmbeddings, Floats, ModelName


def compare(probe: FaceEmbeddings, reference: FaceEmbeddings, *, calibration: Calibration) -> Comparison:
    """Return the comparison; `match` on it is the decision.

    Raises:
        CannotTell: vectors of different models, shapes, or not of unit length (a damaged reference).
    """
    facenet = _cosine(*(calibration.facenet_space(_unit(face.facenet, FACENET)) for face in (probe, reference)))
    sface = _cosine(*(_unit(face.sface, SFACE) for face in (probe, reference)))
    return Comparison(
        facenet=ScoredModel(similarity=facenet, threshold=calibration.facenet.floor),
        sface=ScoredModel(similarity=sface, threshold=calibration.sface.floor),
        fused_score=float(calibration.fused(facenet, sface)),
        fused_threshold=calibration.fused_threshold,
    )


def _unit(embedding: Embedding, expected_model: ModelName) -> Floats:
    """Return the vector if it is one of this model's, of unit length."""
    if embedding.model != expected_model or embedding.vector.shape != (VECTOR_SIZE[expected_model],):
        raise CannotTell(f"a vector is not one of {expected_model}'s")
    # References are stored as float16 after a rotation, which keeps the length within 0.001.
    if not abs(float(np.linalg.norm(embedding.vector)) - 1) < 0.01:  # noqa: PLR2004
        raise CannotTell("a vector is not of unit length")
    return embedding.vector


def _cosine(left: Floats, right: Floats) -> float:
    return float(np.dot(left.astype(np.float64), right.astype(np.float64)))
