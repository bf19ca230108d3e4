"""Is what turned a head or a sheet?

Confirms (geometry) on relief, denies on flatness, from skin tracked through the turn. Not decided (too little turn, too
few patches, in between) is neutral, which is not enough to be let in.

Does not stop: a video of a turning head shown on a screen, which moves just as a head does (FIELD 1.3).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from biometric.liveness.cues.result import CueResult, Physics, Verdict

if TYPE_CHECKING:
    from biometric.liveness.evidence import Evidence

LEAST_TURN: Final = 10.0  # degrees
MOST_YAW: Final = 40.0  # beyond, half the patches are hidden
LEAST_FRAMES: Final = 3
LEAST_TRACKED: Final = 0.2  # of the patches begun
# Medians over a turn (docs/liveness.md): genuine clips 0.27 to 0.71, simulated people 0.57 to 1.06, simulated prints
# bent round 7, 10 and 15 cm -0.10 to 0.25.
ROUND: Final = 0.30
FLAT: Final = 0.15
CERTAIN: Final = 2.0  # relief by its standard error


def evaluate(evidence: Evidence) -> CueResult:
    """Return the vote."""
    yaw, tracked, relief, certainty, squeeze, residual = evidence.columns(
        "yaw", "tracked", "relief", "relief_t", "squeeze", "residual"
    ).T
    straight = evidence.baseline.yaw if evidence.baseline is not None else 0.0
    turned = np.abs(yaw - straight)
    usable = np.isfinite(relief) & (turned <= MOST_YAW) & (tracked >= LEAST_TRACKED)
    by_mesh = usable & (turned >= LEAST_TURN)
    head = by_mesh.sum() >= LEAST_FRAMES  # else only a sheet was turned, of which the mesh saw no turn; it can but deny
    usable = by_mesh if head else usable
    numbers = {"frames": float(usable.sum())}
    if usable.sum() < LEAST_FRAMES:
        return CueResult("planarity", Physics.GEOMETRY, Verdict.NEUTRAL, "not_measured", numbers)
    middle, sure = float(np.median(relief[usable])), float(np.median(certainty[usable]))
    numbers |= {
        "relief": middle,
        "t": sure,
        "squeeze": float(np.median(squeeze[usable])),
        "residual": float(np.median(residual[usable])),
        "yaw": float(turned[usable].max()),
    }
    if middle < FLAT:
        return CueResult("planarity", Physics.GEOMETRY, Verdict.DENY, "flat", numbers)
    if head and middle >= ROUND and sure >= CERTAIN:
        return CueResult("planarity", Physics.GEOMETRY, Verdict.CONFIRM, "", numbers)
    return CueResult("planarity", Physics.GEOMETRY, Verdict.NEUTRAL, "undecided", numbers)
