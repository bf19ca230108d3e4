"""Is it one take? Denies on a jump that a head cannot make, on a cut, and on a face that was away.

Rules, from the baseline on (what was before counts for nothing):
 1. speed    the head moves or turns faster than heads do
 2. cut      face and scene change far more than around: two recordings joined, a frame swapped in and out again, or
             either across a gap (liveness/cuts.py). Not looked for under the colours, which change both; there chance
             picks the frame that is compared (poses.py)
 3. away     the face was lost for too long after the beginning
 4. distance the face becomes much larger or smaller than at rest before anybody was asked to come closer: who films a
             screen zooms in
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from biometric.limits import shipped
from biometric.liveness.cues.result import CueResult, Physics, Verdict
from biometric.liveness.cuts import COLUMNS, measure_cuts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from biometric.limits import ContinuityLimits
    from biometric.liveness.evidence import Evidence

NEAR_MS: Final = 250.0
CUTS: Final = ("cut_both", "cut_scene", "cut_twice", "cut_swap", "cut_gap")
AWAY_MS: Final = 1500.0
DISTANCE_FRAMES: Final = 3
MOST_YAW: Final = 25.0  # degrees; beyond, the size is less sure


def evaluate(evidence: Evidence) -> CueResult:
    """Return the vote."""
    table = evidence.columns("captured_ms", "presence", "yaw", "x", "y", "scale")
    pictures = evidence.columns(*COLUMNS)[table[:, 1] > 0]
    numbers: dict[str, float] = {}
    why = ""
    if evidence.baseline is not None:
        table = table[table[:, 0] >= evidence.baseline.captured_ms]
        pictures = pictures[pictures[:, 0] >= evidence.baseline.captured_ms]
    if len(table) > 1:
        lit_ms = evidence.light_ms if evidence.light_ms is not None else np.inf
        _speed(table, numbers)
        cuts = measure_cuts(pictures[pictures[:, 0] < lit_ms])
        numbers |= {f"cut_{name}": float(column.max()) for name, column in cuts.items()}
    _distance(evidence, numbers)
    away = evidence.baseline is not None and longest_away(evidence) > AWAY_MS
    numbers["away"] = float(away)
    why = decide(numbers, shipped().continuity)
    return CueResult("continuity", Physics.INTEGRITY, Verdict.DENY if why else Verdict.NEUTRAL, why, numbers)


def decide(numbers: Mapping[str, float], limits: ContinuityLimits) -> str:
    """Return which rule is broken, or nothing; what was not measured breaks none."""

    def above(name: str, limit: float) -> bool:
        return numbers.get(name, -np.inf) > limit

    if above("yaw_per_s", limits.yaw_per_s) or above("move_per_s", limits.move_per_s) or above("growth", limits.growth):
        return "speed"  # (1)
    if any(above(name, getattr(limits, name)) for name in CUTS):
        return "cut"  # (2)
    return "away" if numbers.get("away") else "distance" if above("distance", limits.distance) else ""  # (3), (4)


def longest_away(evidence: Evidence) -> float:
    """Return the longest time without a face, in milliseconds, since the baseline was taken."""
    if evidence.baseline is None:
        return 0.0
    times, presence = evidence.columns("captured_ms", "presence").T
    seen = times[(presence > 0) & (times >= evidence.baseline.captured_ms)]
    marks = np.concatenate([[evidence.baseline.captured_ms], seen, times[-1:]])
    return float(np.diff(marks).max())


def _distance(evidence: Evidence, numbers: dict[str, float]) -> None:
    baseline = evidence.baseline
    if baseline is None:
        return
    times, yaw, scale = evidence.columns("captured_ms", "yaw", "scale").T
    seen = (times >= baseline.captured_ms) & (times <= evidence.near_ms) & (np.abs(yaw - baseline.yaw) < MOST_YAW)
    ratio = np.exp(np.abs(np.log(scale[seen] / baseline.scale)))
    if len(ratio) >= DISTANCE_FRAMES:
        numbers["distance"] = float(np.sort(ratio)[-DISTANCE_FRAMES])


def _speed(table: NDArray[np.float32], numbers: dict[str, float]) -> None:
    times, presence, yaw, x, y, scale = table.T
    both = (presence[1:] > 0) & (presence[:-1] > 0) & (np.diff(times) <= NEAR_MS)
    if not both.any():
        return
    seconds = np.diff(times)[both] / 1000
    turning = np.abs(np.diff(yaw))[both] / seconds
    moving = np.hypot(np.diff(x), np.diff(y))[both] / scale[1:][both] / seconds
    growing = np.exp(np.abs(np.diff(np.log(scale)))[both])
    numbers |= {"yaw_per_s": float(turning.max()), "move_per_s": float(moving.max()), "growth": float(growing.max())}
