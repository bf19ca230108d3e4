"""Do both recognisers, and two looks at one frame, tell the same story? Denies pictures made for the recognisers.

Rules:
 * It judges the frames that were looked at twice: a pose and, with the same capture time, its second look (a sample
   of pose AGAIN whose FaceNet vector is agreement_looks.second_look's; its SFace vector is the pose's own).
   A frame of such a pose without its second look is an error, which is a vote against (fusion.py); a challenge that
   asks for no such pose is not measured (ours always do).
 * Login: against the reference. Enrolment has none; there the mean of the frames that were looked at once stands for
   it.
 * Head and threshold come from agreement.json, which is bound to the same model files as the calibration; where it is
   not, the error is a vote against.
 * It never confirms: pictures that agree may still show nobody alive.

What it catches and what it does not: docs/adversarial.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from biometric.agreement import Agreement, Look
from biometric.errors import CannotTell
from biometric.liveness.cues.result import CueResult, Physics, Verdict
from biometric.liveness.evidence import LOOKED_AT_AGAIN, Pose
from biometric.types import FaceEmbeddings

if TYPE_CHECKING:
    from biometric.calibration import Calibration
    from biometric.liveness.evidence import Evidence, PoseSample


def evaluate(
    evidence: Evidence,
    *,
    reference: FaceEmbeddings | None,
    calibration: Calibration,
    agreement: Agreement | None = None,
) -> CueResult:
    """Return the vote; `reference` is None for an enrolment, `agreement` is the shipped detector unless given.

    Raises:
        CalibrationMismatch: the detector belongs to other models than the calibration.
        CannotTell: a frame that must be looked at twice was not, or there is nothing to compare it with.
    """
    detector = agreement or Agreement.load(calibration)
    looks, rest = _paired(evidence)
    if any(sample.pose in LOOKED_AT_AGAIN for sample in rest):
        raise CannotTell("a frame was not looked at twice")
    if not looks:
        return CueResult("agreement", Physics.INTEGRITY, Verdict.NEUTRAL, "not_measured")
    if reference is None:
        if not rest:
            raise CannotTell("an enrolment needs a frame that was looked at once")
        reference = FaceEmbeddings.mean([sample.embeddings for sample in rest])
    log_odds = detector.log_odds(detector.features(looks, reference))
    numbers = {"log_odds": log_odds, "threshold": detector.threshold}
    if log_odds >= detector.threshold:
        return CueResult("agreement", Physics.INTEGRITY, Verdict.DENY, "disagreement", numbers)
    return CueResult("agreement", Physics.INTEGRITY, Verdict.NEUTRAL, "", numbers)


def _paired(evidence: Evidence) -> tuple[list[Look], list[PoseSample]]:
    """Return the frames that were looked at twice, and the samples of the others."""
    again = {sample.captured_ms: sample for sample in evidence.poses if sample.pose is Pose.AGAIN}
    once = [sample for sample in evidence.poses if sample.pose is not Pose.AGAIN]
    looks = [
        Look(sample.embeddings, again[sample.captured_ms].embeddings.facenet)
        for sample in once
        if sample.captured_ms in again
    ]
    return looks, [sample for sample in once if sample.captured_ms not in again]
