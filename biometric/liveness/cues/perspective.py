"""Does what comes closer grow as a head does?

The nose grows more than the ears. Confirms (geometry) on relief seen while coming closer, denies where skin was
followed well and shows none. At the pictures' size the effect is small (approach.py), so between the two it is neutral.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from biometric.liveness.cues.result import CueResult, Physics, Verdict

if TYPE_CHECKING:
    from biometric.liveness.evidence import Evidence

LEAST_FRAMES: Final = 3
LEAST_TRACKED: Final = 0.35  # of the patches begun
# Medians of one approach, simulated, 12 or 24 people each (docs/liveness.md, "Coming closer"): people 0.30 to 1.62,
# also right after a smile; flat print -0.87 to 0.22; still on a screen -0.56 to 0.71; print bent to 10 cm 0.00 to 1.04.
ROUND: Final = 0.7
FLAT: Final = 0.2


def evaluate(evidence: Evidence) -> CueResult:
    """Return the vote."""
    relief, tracked = evidence.columns("near_relief", "near_tracked").T
    usable = np.isfinite(relief) & (tracked >= LEAST_TRACKED)
    numbers = {"frames": float(usable.sum())}
    if usable.sum() < LEAST_FRAMES:
        return CueResult("perspective", Physics.GEOMETRY, Verdict.NEUTRAL, "not_measured", numbers)
    numbers["relief"] = float(np.median(relief[usable]))
    if numbers["relief"] < FLAT:
        return CueResult("perspective", Physics.GEOMETRY, Verdict.DENY, "flat", numbers)
    if numbers["relief"] < ROUND:
        return CueResult("perspective", Physics.GEOMETRY, Verdict.NEUTRAL, "undecided", numbers)
    return CueResult("perspective", Physics.GEOMETRY, Verdict.CONFIRM, "", numbers)
