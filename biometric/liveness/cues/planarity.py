"""Is what turned a head or a sheet?

Confirms (geometry) on relief, denies on flatness, from skin tracked through the turn. Not decided (too little turn, too
few patches, in between) is neutral, which is not enough to be let in.

Does not stop: a video of a turning head shown on a screen, which moves just as a head does (FIELD 1.3).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from biometric.limits import shipped
from biometric.liveness.cues.result import CueResult, Physics, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from biometric.limits import PlanarityLimits
    from biometric.liveness.evidence import Evidence
    from biometric.liveness.steps.window import Window

    Column = NDArray[np.float32]

LEAST_TURN: Final = 15.0  # degrees; below, a strongly bent sheet is hardly narrower than a head
MOST_TURN: Final = 40.0  # beyond, half the patches are hidden
LEAST_FRAMES: Final = 3
LEAST_TRACKED: Final = 0.2  # of the patches begun
NOSE_NARROW: Final = 2.0  # what became narrower than a head does needs more of a nose: a bent mask of 0.21 came to 0.40
SLIM: Final = 0.05  # from here on


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
    numbers |= {"relief": relief, "bump": bump, "narrow": narrow, "residual": residual, "head": float(head)}
    return CueResult("planarity", Physics.GEOMETRY, *decide(numbers, shipped().planarity), numbers)


def is_measured(window: Window) -> bool:
    """Return whether the skin could be followed through a turn in `window`, whatever it told; steps/judge.py asks."""
    turned = np.abs(window.yaw)
    usable = _followed(turned, window.get("tracked"), window.get("relief")) & (turned >= LEAST_TURN)
    return bool(usable.sum() >= LEAST_FRAMES)


def _followed(turned: Column, tracked: Column, relief: Column) -> NDArray[np.bool_]:
    return np.isfinite(relief) & (turned <= MOST_TURN) & (tracked >= LEAST_TRACKED)


def decide(numbers: Mapping[str, float], limits: PlanarityLimits) -> tuple[Verdict, str]:
    """Return the vote on the medians of one turn, and why.

    A laughing face that turns may lose its relief in the noise, but it does not lie flat: hence `stiff`.
    """
    relief, narrow = numbers["relief"], numbers["narrow"]
    if relief < limits.flat and (narrow > limits.bent or numbers["residual"] < limits.stiff):
        return Verdict.DENY, "flat"
    nosed = beyond_narrow(numbers["bump"], narrow) >= limits.nose
    if not nosed and narrow > limits.bent:
        return Verdict.DENY, "bent"
    if numbers["head"] and relief >= limits.round and (nosed or narrow <= limits.wide):
        return Verdict.CONFIRM, ""
    return Verdict.NEUTRAL, "undecided"


def beyond_narrow(bump: float, narrow: float) -> float:
    """Return how much of a nose is seen beyond what noise shows on things that became that narrow."""
    return bump - NOSE_NARROW * max(0.0, narrow - SLIM)
