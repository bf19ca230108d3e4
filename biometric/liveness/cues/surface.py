"""Is the face on glass or paper? Denies on a straight border in front of the body, or on a screen's moire.

Rules:
 * Single looks prove nothing: at least LEAST_LOOKS looks must show the same thing, and at least one in SHARE of all.
 * `gloss` is a number for the audit log and never denies: a webcam against a bright window blows out a third of a
   living face, more than any print or screen did (docs/liveness.md, "Surface").
 * It never confirms: a screen without border and dots looks like no screen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from biometric.liveness.cues.result import CueResult, Physics, Verdict

if TYPE_CHECKING:
    from biometric.liveness.evidence import Evidence

LEAST_LOOKS: Final = 3
SHARE: Final = 0.25
# From benchmarks/surface.py (docs/liveness.md, "Surface"): webcam pictures and films of people reach 0.70, and the
# one press photo above it shows a printed portrait.
BEZEL: Final = 0.8
MOIRE: Final = 0.01  # no living person has any, simulated tablets 0.06 in the median


def evaluate(evidence: Evidence) -> CueResult:
    """Return the vote."""
    numbers: dict[str, float] = {}
    why = ""
    for name, threshold in (("bezel", BEZEL), ("moire", MOIRE)):
        column = evidence.column(name)
        seen = column[np.isfinite(column)]
        shown = int((seen >= threshold).sum())
        numbers |= {f"{name}_looks": float(len(seen)), f"{name}_shown": float(shown)}
        if len(seen):
            numbers[name] = float(np.median(seen))
        if not why and shown >= LEAST_LOOKS and shown >= SHARE * len(seen):
            why = name
    gloss = evidence.column("gloss")
    if np.isfinite(gloss).any():
        numbers["gloss"] = float(np.nanmedian(gloss))
    return CueResult("surface", Physics.LIGHT, Verdict.DENY if why else Verdict.NEUTRAL, why, numbers)
