"""Does the movement repeat itself?

Denies on a loop, played forwards or backwards, even if every picture was encoded anew: a person never moves the same
way twice to a fraction of a pixel. So a run of frames that moves, and that is found again at a later time with the same
measures, is a recording played again (or back). Frames that are equal byte for byte are caught earlier
(biometric/liveness/stream.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from biometric.limits import shipped
from biometric.liveness.cues.result import CueResult, Physics, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from biometric.limits import RepetitionLimits
    from biometric.liveness.evidence import Evidence

RUN: Final = 10  # frames
RUN_BACK: Final = 25  # a turn and its way back mirror each other for a second; a film played back does so for longer
# Each measure in units of the mesh's own shake on a still picture that is encoded anew (docs/liveness.md).
UNITS: Final = {
    "yaw": 0.6,
    "pitch": 0.6,
    "x": 0.5,
    "y": 0.5,
    "scale": 0.5,
    "mouth_width": 0.006,
    "ear_right": 0.01,
    "ear_left": 0.01,
}
MOVING: Final = 4.0  # a run must itself move this much, or sitting still would be a repetition


def evaluate(evidence: Evidence) -> CueResult:
    """Return the vote."""
    table = (evidence.columns(*UNITS) / np.array(list(UNITS.values()))).astype(np.float32)
    forward = nearest_run(table)
    backward = nearest_run(table, run=RUN_BACK, reverse=True)
    numbers = {"forward": min(forward, 1e3), "backward": min(backward, 1e3)}
    why = decide(numbers, shipped().repetition)
    return CueResult("repetition", Physics.INTEGRITY, Verdict.DENY if why else Verdict.NEUTRAL, why, numbers)


def decide(numbers: Mapping[str, float], limits: RepetitionLimits) -> str:
    """Return how it repeats itself, or nothing. Distances are root mean squares of two runs, in UNITS."""
    return (
        "loop"
        if numbers["forward"] < limits.forward
        else "played_back"
        if numbers["backward"] < limits.backward
        else ""
    )


def nearest_run(table: NDArray[np.float32], *, run: int = RUN, reverse: bool = False) -> float:
    """Return the least distance between two runs that do not overlap and that both move; infinity if there is none."""
    if len(table) < 2 * run:
        return float("inf")
    runs = np.lib.stride_tricks.sliding_window_view(table, run, axis=0).transpose(0, 2, 1)
    moving = np.flatnonzero(_movement(runs) >= MOVING)
    runs = runs[moving]
    best = float("inf")
    for place, start in enumerate(moving):
        later = np.flatnonzero(moving >= start + run)
        if not len(later):
            break
        one = runs[place][::-1] if reverse else runs[place]
        distance = np.sqrt(np.mean((runs[later] - one) ** 2, axis=(1, 2)))
        best = min(best, float(distance.min()))
    return best


def _movement(runs: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return how much each run moves; a run with a frame that has no face does not count as moving."""
    spread = np.sqrt(np.mean((runs - runs.mean(axis=1, keepdims=True)) ** 2, axis=(1, 2)))
    moved: NDArray[np.float32] = np.where(np.isfinite(spread), spread, 0).astype(np.float32)
    return moved
