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
    from numpy.typing import NDArray

    from biometric.liveness.evidence import Evidence
    from biometric.liveness.steps.window import Window

    Column = NDArray[np.float32]

LEAST_TURN: Final = 15.0  # degrees; below, a strongly bent sheet is hardly narrower than a head
MOST_TURN: Final = 40.0  # beyond, half the patches are hidden
LEAST_FRAMES: Final = 3
LEAST_TRACKED: Final = 0.2  # of the patches begun
# Medians over a turn, from docs/liveness.md, "Planarity" (S: simulated, 13 people each; R: real clips, 6 turns):
#            relief          bump            narrow            residual
# people S   1.25 to 1.82    0.66 to 1.36    -0.04 to 0.10     0.07 to 0.14
# people R   0.51 to 1.39    0.00 to 0.79    -0.17 to 0.07     0.04 to 0.09
# bent   S  -0.82 to 1.37   -0.82 to 0.04     0.12 to 0.25     0.03 to 0.08
# flat   S   0.09 to 0.15   -0.02 to 0.04     0.14 to 0.20     0.01 to 0.02
ROUND: Final = 0.45
FLAT: Final = 0.3
NOSE: Final = 0.3
NOSE_NARROW: Final = 2.0  # what became narrower than a head does needs more of a nose: a bent mask of 0.21 came to 0.40
SLIM: Final = 0.05  # from here on; people stayed 0.19 above what is asked (docs/liveness.md, "Simulated error rates")
WIDE: Final = 0.035
BENT: Final = 0.08
STIFF: Final = 0.03  # residual; a laughing face that turns may lose its relief in the noise, but it does not lie flat


def evaluate(evidence: Evidence) -> CueResult:
    """Return the vote."""
    yaw, tracked, *told = evidence.columns("yaw", "tracked", "relief", "bump", "narrow", "residual").T
    straight = evidence.baseline.yaw if evidence.baseline is not None else 0.0
    turned = np.abs(yaw - straight)
    usable = _followed(turned, tracked, told[0])
    by_mesh = usable & (turned >= LEAST_TURN)
    head = bool(by_mesh.sum() >= LEAST_FRAMES)  # else only a sheet was turned, of which the mesh saw no turn
    usable = by_mesh if head else usable
    numbers = {"frames": float(usable.sum())}
    if usable.sum() < LEAST_FRAMES:
        return CueResult("planarity", Physics.GEOMETRY, Verdict.NEUTRAL, "not_measured", numbers)
    relief, bump, narrow, residual = (float(np.median(column[usable])) for column in told)
    numbers |= {"relief": relief, "bump": bump, "narrow": narrow, "residual": residual}
    verdict, why = _decide(relief, bump, narrow, residual, head=head)
    return CueResult("planarity", Physics.GEOMETRY, verdict, why, numbers)


def is_measured(window: Window) -> bool:
    """Return whether the skin could be followed through a turn in `window`, whatever it told; steps/judge.py asks."""
    turned = np.abs(window.yaw)
    usable = _followed(turned, window.get("tracked"), window.get("relief")) & (turned >= LEAST_TURN)
    return bool(usable.sum() >= LEAST_FRAMES)


def _followed(turned: Column, tracked: Column, relief: Column) -> NDArray[np.bool_]:
    return np.isfinite(relief) & (turned <= MOST_TURN) & (tracked >= LEAST_TRACKED)


def _decide(relief: float, bump: float, narrow: float, residual: float, *, head: bool) -> tuple[Verdict, str]:
    if relief < FLAT and (narrow > BENT or residual < STIFF):
        return Verdict.DENY, "flat"
    nose = NOSE + NOSE_NARROW * max(0.0, narrow - SLIM)
    if bump < nose and narrow > BENT:
        return Verdict.DENY, "bent"
    if head and relief >= ROUND and (bump >= nose or narrow <= WIDE):
        return Verdict.CONFIRM, ""
    return Verdict.NEUTRAL, "undecided"
