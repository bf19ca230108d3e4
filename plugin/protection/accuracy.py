"""What a protection costs in recognition: the same pairs, the stored side protected, the fresh side not.

Rules:
 * Every ordered pair of two different pictures: one is the reference, the other the face before the camera.
 * The decision is the shipped one: fused score and both floors. TAR at an FMR is that of the fused score, at the
   threshold that this very protection would ask for.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from biometric.calibration import Calibration
    from biometric.evaluation.corpus import Corpus
    from biometric.types import Floats

CHUNK_ROWS: Final = 512
TAIL_SHARE: Final = 2e-3
"""The share of highest impostor scores that is kept: twice what FMR 1e-3 needs."""


@dataclass(frozen=True, slots=True)
class Accuracy:
    """What one protection does.

    Attributes:
        genuine: pairs of one person.
        impostor: pairs of two people.
        fmr: of the shipped decision.
        fnmr: of the shipped decision.
        tar_at_fmr_1e_3: of the fused score.
        tar_at_fmr_1e_4: of the fused score.
        other_decisions: pairs that the shipped decision judges otherwise than without protection.
    """

    genuine: int
    impostor: int
    fmr: float
    fnmr: float
    tar_at_fmr_1e_3: float
    tar_at_fmr_1e_4: float
    other_decisions: int

    def as_json(self) -> dict[str, Any]:
        """Return the figures by name."""
        return asdict(self)


def measure(references: Corpus, probes: Corpus, calibration: Calibration) -> Accuracy:
    """Return what comparing `probes` with `references` gives; both have the same rows, one of them protected."""
    counts = {"fa": 0, "fr": 0, "other": 0, "impostor": 0}
    genuine, tails = [], []
    spaces = [calibration.facenet_space(corpus.facenet) for corpus in (references, probes)]
    for start in range(0, len(probes.person), CHUNK_ROWS):
        rows = slice(start, start + CHUNK_ROWS)
        fused, accepted = _decided(spaces[0][rows] @ spaces[1].T, references.sface[rows] @ probes.sface.T, calibration)
        _, before = _decided(spaces[1][rows] @ spaces[1].T, probes.sface[rows] @ probes.sface.T, calibration)
        same = probes.person[rows][:, None] == probes.person[None, :]
        itself = np.arange(start, start + len(fused))[:, None] == np.arange(len(probes.person))[None, :]
        own = same & ~itself
        genuine.append(fused[own])
        counts["fr"] += int((own & ~accepted).sum())
        counts["fa"] += int((~same & accepted).sum())
        counts["other"] += int(((accepted != before) & ~itself).sum())
        counts["impostor"] += int((~same).sum())
        tails.append(_highest(fused[~same], TAIL_SHARE * 10))
    own_scores, tail = np.concatenate(genuine), np.sort(np.concatenate(tails))[::-1]
    return Accuracy(
        genuine=len(own_scores),
        impostor=counts["impostor"],
        fmr=counts["fa"] / counts["impostor"],
        fnmr=counts["fr"] / len(own_scores),
        tar_at_fmr_1e_3=_tar(own_scores, tail, allowed=int(1e-3 * counts["impostor"])),
        tar_at_fmr_1e_4=_tar(own_scores, tail, allowed=int(1e-4 * counts["impostor"])),
        other_decisions=counts["other"],
    )


def _decided(facenet: Floats, sface: Floats, calibration: Calibration) -> tuple[Floats, NDArray[np.bool_]]:
    fused: Floats = calibration.fused(facenet, sface)
    floors = (facenet >= calibration.facenet.floor) & (sface >= calibration.sface.floor)
    return fused, (fused >= calibration.fused_threshold) & floors


def _highest(scores: Floats, share: float) -> Floats:
    """Return the highest scores of one block; ten times the share, since a block may hold more than its part."""
    count = min(len(scores), max(1, int(len(scores) * share)))
    return np.partition(scores, len(scores) - count)[len(scores) - count :]


def _tar(genuine: Floats, tail: Floats, *, allowed: int) -> float:
    """Return the share of genuine pairs above the highest impostor score that may not match."""
    return float((genuine > tail[min(allowed, len(tail) - 1)]).mean())
