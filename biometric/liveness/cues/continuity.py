"""Is it one take? Denies on a jump that a head cannot make, on a cut, and on a face that was away.

Rules (each over neighbouring frames that both show a face):
 1. speed    the head moves or turns faster than heads do
 2. cut      face and scene change at once, far beyond what the frames around it do: two recordings joined
 3. away     the face was lost for too long after the beginning
 4. distance the face becomes much larger or smaller than at rest: nobody was asked to come closer, but who films a
             screen zooms in
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from biometric.liveness.cues.result import CueResult, Physics, Verdict

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from biometric.liveness.evidence import Evidence

MOST_YAW_PER_S: Final = 700.0
MOST_MOVE_PER_S: Final = 30.0
MOST_GROWTH: Final = 1.6
NEAR_MS: Final = 250.0
CUT_FACE: Final = 0.25
CUT_SCENE: Final = 0.10
CUT_ABOVE: Final = 6.0
AWAY_MS: Final = 1500.0
DISTANCE: Final = 1.5  # times the size at rest; genuine clips 0.94 to 1.14, filmed phones 2.1
DISTANCE_FRAMES: Final = 3
MOST_YAW: Final = 25.0  # degrees; beyond, the size is less sure


def evaluate(evidence: Evidence) -> CueResult:
    """Return the vote."""
    table = evidence.columns("captured_ms", "presence", "yaw", "x", "y", "scale", "face_change", "scene_change")
    numbers: dict[str, float] = {}
    why = ""
    if len(table) > 1:
        why = _speed(table, numbers) or _cut(table, numbers)
    if evidence.baseline is not None and longest_away(evidence) > AWAY_MS:
        why = why or "away"
    why = why or _distance(evidence, numbers)
    return CueResult("continuity", Physics.INTEGRITY, Verdict.DENY if why else Verdict.NEUTRAL, why, numbers)


def longest_away(evidence: Evidence) -> float:
    """Return the longest time without a face, in milliseconds, since the baseline was taken."""
    if evidence.baseline is None:
        return 0.0
    times, presence = evidence.columns("captured_ms", "presence").T
    seen = times[(presence > 0) & (times >= evidence.baseline.captured_ms)]
    marks = np.concatenate([[evidence.baseline.captured_ms], seen, times[-1:]])
    return float(np.diff(marks).max())


def _distance(evidence: Evidence, numbers: dict[str, float]) -> str:
    baseline = evidence.baseline
    if baseline is None:
        return ""
    times, yaw, scale = evidence.columns("captured_ms", "yaw", "scale").T
    seen = (times >= baseline.captured_ms) & (np.abs(yaw - baseline.yaw) < MOST_YAW)
    ratio = np.exp(np.abs(np.log(scale[seen] / baseline.scale)))
    if len(ratio) < DISTANCE_FRAMES:
        return ""
    numbers["distance"] = float(np.sort(ratio)[-DISTANCE_FRAMES])
    return "distance" if numbers["distance"] > DISTANCE else ""


def _speed(table: NDArray[np.float32], numbers: dict[str, float]) -> str:
    times, presence, yaw, x, y, scale = table[:, :6].T
    both = (presence[1:] > 0) & (presence[:-1] > 0) & (np.diff(times) <= NEAR_MS)
    if not both.any():
        return ""
    seconds = np.diff(times)[both] / 1000
    turning = np.abs(np.diff(yaw))[both] / seconds
    moving = np.hypot(np.diff(x), np.diff(y))[both] / scale[1:][both] / seconds
    growing = np.exp(np.abs(np.diff(np.log(scale)))[both])
    numbers |= {"yaw_per_s": float(turning.max()), "move_per_s": float(moving.max()), "growth": float(growing.max())}
    fast = turning.max() > MOST_YAW_PER_S or moving.max() > MOST_MOVE_PER_S or growing.max() > MOST_GROWTH
    return "speed" if fast else ""


def _cut(table: NDArray[np.float32], numbers: dict[str, float]) -> str:
    face, scene = table[:, 6], table[:, 7]
    known = np.isfinite(face) & np.isfinite(scene)
    if not known.any():
        return ""
    usual = max(float(np.median(scene[known])), 1e-4)
    both = known & (face > CUT_FACE) & (scene > np.maximum(CUT_SCENE, CUT_ABOVE * usual))
    numbers |= {"face_change": float(face[known].max()), "scene_change": float(scene[known].max())}
    return "cut" if both.any() else ""
