"""The attacker who hears yes or no and nothing else, as often as the service lets him try.

Rules:
 * He draws perturbations as the square attack does (Andriushchenko et al., arXiv 1912.00049): vertical stripes first,
   then squares of both signs at full strength on top of the last picture. A "no" tells him nothing about the next one.
 * `queries` is the service's own limit of failed attempts before the factor is off (plugin/ceremonies/attempts.py).
 * The decision is an AND, so a picture below FaceNet's floor is a no before SFace is asked: the same answer in a
   quarter of the time. It is made on the points of the unchanged picture; a yes is looked at again through the
   whole road of the service before it counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from biometric.align import facenet_crop, sface_crop
from biometric.compare import compare
from biometric.errors import CannotTell
from biometric.evaluation.adversarial_attack import EPSILON
from biometric.types import FaceEmbeddings

if TYPE_CHECKING:
    from collections.abc import Callable

    from biometric.evaluation.adversarial_attack import Target
    from biometric.pipeline import FacePipeline
    from biometric.types import Image

SQUARE: Final = (0.3, 0.05)  # side by picture side, from the first to the last query


def blackbox(
    target: Target,
    pipeline: FacePipeline,
    accepts: Callable[[Image], bool],
    *,
    queries: int,
    rng: np.random.Generator,
) -> int | None:
    """Return the number of the query that was answered with yes, or None if none was."""
    clean = target.image.astype(np.float32)
    noise = np.repeat(rng.choice([-EPSILON, EPSILON], (1, clean.shape[1], 3)), clean.shape[0], axis=0)
    for query in range(1, queries + 1):
        picture = np.clip(clean + noise, 0, 255).astype(np.uint8)
        if _may_match(picture, target, pipeline) and accepts(picture):
            return query
        share = SQUARE[0] + (SQUARE[1] - SQUARE[0]) * query / queries
        side = max(1, round(share * min(clean.shape[:2])))
        top, left = (int(rng.integers(0, room - side + 1)) for room in clean.shape[:2])
        noise[top : top + side, left : left + side] = rng.choice([-EPSILON, EPSILON], 3)
    return None


def _may_match(picture: Image, target: Target, pipeline: FacePipeline) -> bool:
    """Return whether both models and the fused score say yes on the points of the unchanged picture."""
    embedder, calibration = pipeline.embedder, pipeline.calibration
    try:
        facenet = embedder.facenet(facenet_crop(picture, target.five))
        half = FaceEmbeddings(facenet=facenet, sface=target.victim.sface)  # as if SFace were sure
        if not compare(half, target.victim, calibration=calibration).match:
            return False
        whole = FaceEmbeddings(facenet=facenet, sface=embedder.sface(sface_crop(picture, target.five)))
        return compare(whole, target.victim, calibration=calibration).match
    except CannotTell:
        return False
