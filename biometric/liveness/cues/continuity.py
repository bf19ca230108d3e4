"""Is it one take? Denies on a jump that a head cannot make, on a cut, and on a face that was away.

Rules, from the baseline on (what was before counts for nothing):
 1. speed    the head moves or turns faster than heads do
 2. cut      face and scene change far more than in the frames around: two recordings joined. Not looked for under the
             colours, which change both; a face is embedded there instead (poses.py)
 3. away     the face was lost for too long after the beginning
 4. distance the face becomes much larger or smaller than at rest before anybody was asked to come closer: who films a
             screen zooms in
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from biometric.limits import shipped
from biometric.liveness.cues.result import CueResult, Physics, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from biometric.limits import ContinuityLimits
    from biometric.liveness.evidence import Evidence

NEAR_MS: Final = 250.0
CUT_MS: Final = 150.0  # frames farther apart may differ for being apart
# Neighbours are the three frames before and after; floors keep a still scene's noise from counting. Spikes are the
# units of `cut_both` (face and scene together) and `cut_scene`.
NEIGHBOURS: Final = 3
FACE_FLOOR: Final = 0.03
SCENE_FLOOR: Final = 0.004
FACE_SPIKE: Final = 2.0
SCENE_SPIKE: Final = 3.0
LONE_SPIKE: Final = 6.0
LONE_SCENE: Final = 0.03
AWAY_MS: Final = 1500.0
DISTANCE_FRAMES: Final = 3
MOST_YAW: Final = 25.0  # degrees; beyond, the size is less sure


def evaluate(evidence: Evidence) -> CueResult:
    """Return the vote."""
    table = evidence.columns("captured_ms", "presence", "yaw", "x", "y", "scale", "face_change", "scene_change")
    numbers: dict[str, float] = {}
    why = ""
    if evidence.baseline is not None:
        table = table[table[:, 0] >= evidence.baseline.captured_ms]
    if len(table) > 1:
        lit_ms = evidence.light_ms if evidence.light_ms is not None else np.inf
        _speed(table, numbers)
        _cut(table[table[:, 0] < lit_ms], numbers)
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
    if above("cut_both", limits.cut_both) or above("cut_scene", limits.cut_scene):
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
    times, presence, yaw, x, y, scale = table[:, :6].T
    both = (presence[1:] > 0) & (presence[:-1] > 0) & (np.diff(times) <= NEAR_MS)
    if not both.any():
        return
    seconds = np.diff(times)[both] / 1000
    turning = np.abs(np.diff(yaw))[both] / seconds
    moving = np.hypot(np.diff(x), np.diff(y))[both] / scale[1:][both] / seconds
    growing = np.exp(np.abs(np.diff(np.log(scale)))[both])
    numbers |= {"yaw_per_s": float(turning.max()), "move_per_s": float(moving.max()), "growth": float(growing.max())}


def _cut(table: NDArray[np.float32], numbers: dict[str, float]) -> None:
    """Look for one frame at which the picture changes far more than around it."""
    near = np.diff(table[:, 0], prepend=-np.inf) <= CUT_MS
    face, scene = (np.where(near, column, np.nan) for column in table[:, 6:8].T)
    known = np.isfinite(face) & np.isfinite(scene)
    if known.sum() <= NEIGHBOURS:
        return
    faces, scenes = _spikes(face, FACE_FLOOR), _spikes(scene, SCENE_FLOOR)
    both = np.minimum(faces / FACE_SPIKE, scenes / SCENE_SPIKE)[known]
    lone = np.where(scene > LONE_SCENE, scenes / LONE_SPIKE, 0)[known]
    numbers |= {"cut_both": float(both.max()), "cut_scene": float(lone.max())}


def _spikes(change: NDArray[np.float32], floor: float) -> NDArray[np.float32]:
    """Return each frame's change by the greatest around it."""
    padded = np.pad(np.nan_to_num(change, nan=0.0), NEIGHBOURS)
    around = np.lib.stride_tricks.sliding_window_view(padded, 2 * NEIGHBOURS + 1).copy()
    around[:, NEIGHBOURS] = 0
    spikes: NDArray[np.float32] = change / np.maximum(around.max(axis=1), floor)
    return spikes
