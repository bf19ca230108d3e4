"""Is the texture net sure, over the looks of a whole challenge, that this is paper or a screen?

Denies or says nothing; it never confirms. A small passive net errs on cameras it never saw, so one bad frame must not
refuse anybody and a good score must not admit anybody: the median over at least LEAST_LOOKS looks has to be above the
net's own threshold, which was chosen on people it was not trained on (docs/texture.md). Nets that an admin added vote
together in `texture_extra`, on the scale on which 0.5 means sure (texture.calibrated).
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final

import numpy as np

from biometric.liveness.cues.result import CueResult, Physics, Verdict
from biometric.texture import RECORD, TextureSpec

if TYPE_CHECKING:
    from biometric.liveness.evidence import Evidence

LEAST_LOOKS: Final = 3
SURE_EXTRA: Final = 0.5
COLUMNS: Final = ("texture", "texture_extra")


@cache
def shipped_threshold() -> float:
    """Return P(spoof) from which the shipped net is sure; `facestep train texture` wrote it."""
    record = (files("biometric") / "weights" / RECORD).read_text(encoding="utf-8")
    return TextureSpec.from_json(record).deny_at


def evaluate(evidence: Evidence) -> CueResult:
    """Return the vote."""
    numbers: dict[str, float] = {}
    sure = []
    for name, threshold in zip(COLUMNS, (shipped_threshold(), SURE_EXTRA), strict=True):
        column = evidence.column(name)
        looks = column[np.isfinite(column)]
        numbers[f"{name}_looks"] = float(len(looks))
        if len(looks) < LEAST_LOOKS:
            continue
        numbers[name] = float(np.median(looks))
        if numbers[name] >= threshold:
            sure.append(name)
    measured = "texture" in numbers
    why = sure[0] if sure else "" if measured else "not_measured"
    return CueResult("texture", Physics.LIGHT, Verdict.DENY if sure else Verdict.NEUTRAL, why, numbers)
