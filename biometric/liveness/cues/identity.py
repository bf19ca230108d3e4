"""Is it the same person in every pose, and the one who is expected? Denies if not.

Rules:
 * Every step leaves one embedded frame, taken while the step was done; a step without one denies.
 * Login: the front must match the reference as any picture must; each pose must match it at a threshold lowered by
   POSE_SLACK.
 * Enrolment has no reference; there the front takes its place for the other poses.
 * It never confirms: a match says who it is, not that the person is alive.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from biometric.compare import compare
from biometric.liveness.cues.result import CueResult, Physics, Verdict
from biometric.liveness.evidence import Pose

if TYPE_CHECKING:
    from biometric.calibration import Calibration
    from biometric.liveness.evidence import Evidence
    from biometric.types import FaceEmbeddings

# In units of the fused score (docs/liveness.md, "Poses").
POSE_SLACK: Final = {Pose.FRONT: 1.0, Pose.BLINK: 1.0, Pose.SMILE: 1.0, Pose.TURN: 1.5}


def evaluate(evidence: Evidence, *, reference: FaceEmbeddings | None, calibration: Calibration) -> CueResult:
    """Return the vote; `reference` is None for an enrolment."""
    numbers: dict[str, float] = {}

    def vote(verdict: Verdict, why: str = "") -> CueResult:
        return CueResult("identity", Physics.IDENTITY, verdict, why, numbers)

    front = evidence.front()
    if front is None:
        return vote(Verdict.DENY, "no_front")
    expected = front if reference is None else reference
    if reference is not None:
        whole = compare(front, reference, calibration=calibration)
        numbers["front"] = whole.fused_score
        if not whole.match:
            return vote(Verdict.DENY, "another_person")
    if len({sample.captured_ms for sample in evidence.poses if sample.pose is not Pose.FRONT}) < len(evidence.steps):
        return vote(Verdict.DENY, "pose_missing")
    worst = _least_margin(evidence, expected, calibration)
    numbers["least_margin"] = worst
    return vote(Verdict.NEUTRAL if worst >= 0 else Verdict.DENY, "" if worst >= 0 else "changed")


def _least_margin(evidence: Evidence, expected: FaceEmbeddings, calibration: Calibration) -> float:
    margins = []
    for sample in evidence.poses:
        seen = compare(sample.embeddings, expected, calibration=calibration)
        margins.append(seen.fused_score - seen.fused_threshold + POSE_SLACK[sample.pose])
    return min(margins)
