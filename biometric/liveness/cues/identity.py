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

# In units of the fused score, against another picture (docs/liveness.md, "Poses"): a turn by 20 degrees costs
# 0.5 in the median and 1.35 at most. Of 3,784 comparisons of strangers at 20 degrees 15 lie within the turn's slack,
# one of them above the threshold; in all poses of one login together none of 1,892 pairs does.
POSE_SLACK: Final = {
    Pose.FRONT: 0.1,
    Pose.BLINK: 0.1,
    Pose.SMILE: 0.3,
    Pose.CLOSER: 0.3,
    Pose.FLASH: 0.3,
    Pose.TURN: 0.7,
}


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
    margins = _margins(evidence, expected, calibration)
    numbers |= {f"margin_{pose}": margin for pose, margin in margins.items()}
    changed = any(margin < -POSE_SLACK[pose] for pose, margin in margins.items())
    return vote(Verdict.DENY, "changed") if changed else vote(Verdict.NEUTRAL)


def _margins(evidence: Evidence, expected: FaceEmbeddings, calibration: Calibration) -> dict[Pose, float]:
    """Return per pose how far its worst frame lies above the fused threshold."""
    margins: dict[Pose, float] = {}
    for sample in evidence.poses:
        if sample.pose is Pose.AGAIN:
            continue
        seen = compare(sample.embeddings, expected, calibration=calibration)
        margin = seen.fused_score - seen.fused_threshold
        margins[sample.pose] = min(margin, margins.get(sample.pose, margin))
    return margins
