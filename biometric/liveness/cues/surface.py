"""Is the face on glass or paper? Denies on a straight border in front of the body, or on a screen's moire.

Rules:
 * Single looks prove nothing: at least LEAST_LOOKS looks must show the same thing, and at least a SHARE of all. What is
   compared with the limit is what so many looks reach (`bezel_held`, `moire_held`).
 * `gloss` is a number for the audit log and never denies: a webcam against a bright window blows out a third of a
   living face, more than any print or screen did (docs/liveness.md, "Surface").
 * It never confirms: a screen without border and dots looks like no screen.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from biometric.limits import shipped
from biometric.liveness.cues.result import CueResult, Physics, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from biometric.limits import SurfaceLimits
    from biometric.liveness.evidence import Evidence

LEAST_LOOKS: Final = 3
SHARE: Final = 0.25
SIGNS: Final = ("bezel", "moire")


def evaluate(evidence: Evidence) -> CueResult:
    """Return the vote."""
    numbers: dict[str, float] = {}
    for name in SIGNS:
        column = evidence.column(name)
        seen = np.sort(column[np.isfinite(column)])
        numbers[f"{name}_looks"] = float(len(seen))
        if len(seen):
            numbers[name] = float(np.median(seen))
        if len(seen) >= LEAST_LOOKS:
            numbers[f"{name}_held"] = float(seen[-max(LEAST_LOOKS, math.ceil(SHARE * len(seen)))])
    why = decide(numbers, shipped().surface)
    gloss = evidence.column("gloss")
    if np.isfinite(gloss).any():
        numbers["gloss"] = float(np.nanmedian(gloss))
    return CueResult("surface", Physics.LIGHT, Verdict.DENY if why else Verdict.NEUTRAL, why, numbers)


def decide(numbers: Mapping[str, float], limits: SurfaceLimits) -> str:
    """Return what gives a surface away, or nothing; too few looks give nothing away."""
    return next((name for name in SIGNS if numbers.get(f"{name}_held", -1.0) >= getattr(limits, name)), "")
