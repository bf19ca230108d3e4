"""Does what comes closer grow as a head does?

The nose grows more than the ears. Confirms (geometry) on relief seen while coming closer, denies where skin was
followed well and shows none. At the pictures' size the effect is small (approach.py), so between the two it is neutral.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from biometric.limits import shipped
from biometric.liveness.cues.result import CueResult, Physics, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from biometric.limits import PerspectiveLimits
    from biometric.liveness.evidence import Evidence

LEAST_FRAMES: Final = 3
LEAST_TRACKED: Final = 0.35  # of the patches begun


def evaluate(evidence: Evidence) -> CueResult:
    """Return the vote."""
    relief, tracked = evidence.columns("near_relief", "near_tracked").T
    usable = np.isfinite(relief) & (tracked >= LEAST_TRACKED)
    numbers = {"frames": float(usable.sum())}
    if usable.sum() < LEAST_FRAMES:
        return CueResult("perspective", Physics.GEOMETRY, Verdict.NEUTRAL, "not_measured", numbers)
    numbers["relief"] = float(np.median(relief[usable]))
    return CueResult("perspective", Physics.GEOMETRY, *decide(numbers, shipped().perspective), numbers)


def decide(numbers: Mapping[str, float], limits: PerspectiveLimits) -> tuple[Verdict, str]:
    """Return the vote on a median `relief`, and why."""
    if numbers["relief"] >= limits.round:
        return Verdict.CONFIRM, ""
    if numbers["relief"] >= limits.flat:
        return Verdict.NEUTRAL, "undecided"
    return Verdict.DENY, "flat"
