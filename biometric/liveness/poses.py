"""Which frames are embedded: one at rest, and one for each step, taken while the step was being done.

Rules:
 * Six frames in a whole login, since a recogniser costs as much as eighteen looks of the mesh.
 * Chance picks the frame, and nobody outside learns which it was: who shows another face than the one that does the
   step would have to show it all the time. Each moment since the step was revealed has its rate (PACE_MS); what is left
   falls to the batch that ends the step.
 * The turn and coming closer are sampled where the skin was followed there from the frame at rest (tracking.py): the
   face that is compared is the one that showed depth. A turn is not over before.
 * Where blinks or a smile are asked for the draw prefers open eyes and a straight head; the turn is sampled from 14
   degrees on, near TURN_YAW if the draw leaves a choice, where the recognisers still work.
 * A frame is embedded within the request that brought it; frames are never kept for later.
 * Frames of the poses in LOOKED_AT_AGAIN are looked at twice, the second time through a random change, which a picture
   made for the recognisers does not survive (cues/agreement.py).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from biometric.agreement_looks import seen_again
from biometric.errors import QualityTooLow
from biometric.landmarks import five_points
from biometric.limits import shipped
from biometric.liveness.challenge import HOLD_MS, StepKind
from biometric.liveness.cues.colour import LONGEST_GAP_MS
from biometric.liveness.cues.perspective import LEAST_TRACKED as LEAST_NEAR
from biometric.liveness.cues.planarity import LEAST_TRACKED
from biometric.liveness.evidence import LOOKED_AT_AGAIN, Pose, PoseSample
from biometric.liveness.steps.blink import CLOSED, OPEN
from biometric.liveness.steps.smile import AT_REST
from biometric.quality import assess
from biometric.types import DetectedFace

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from biometric.liveness.challenge import Step
    from biometric.liveness.evidence import Evidence, StepMark
    from biometric.liveness.measure import FaceMeasure
    from biometric.liveness.observe import Look
    from biometric.pipeline import FacePipeline
    from biometric.types import Landmarks

TURN_YAW: Final = 20.0  # degrees (docs/liveness.md, "Poses")
TURN_RANGE: Final = (14.0, 27.0)
TURN_MOST: Final = 40.0  # a quick turn leaves nothing in between; planarity follows no further either
STRAIGHT: Final = 12.0
# Mean time until the draw, while the frames last. People take 0.6 to 1.5 s to begin a smile and half a second to finish
# it: half of them are compared before it and half within.
PACE_MS: Final = {Pose.BLINK: 700.0, Pose.SMILE: 1000.0, Pose.TURN: 60.0, Pose.CLOSER: 300.0}
PACE_SMILING_MS: Final = 200.0
PACE_POOR_MS: Final = 2500.0  # turned away, eyes half open, skin not followed
_STEP_POSE: Final = {
    StepKind.TURN_LEFT: Pose.TURN,
    StepKind.TURN_RIGHT: Pose.TURN,
    StepKind.BLINK: Pose.BLINK,
    StepKind.SMILE: Pose.SMILE,
    StepKind.CLOSER: Pose.CLOSER,
    StepKind.FLASH: Pose.FLASH,
}


class Sampler:
    """Embeds chosen frames of one batch."""

    def __init__(self, evidence: Evidence, pipeline: FacePipeline, *, chance: np.random.Generator) -> None:
        self._evidence = evidence
        self._pipeline = pipeline
        self._chance = chance

    def quality_hint(self, look: Look) -> str | None:
        """Return what the person should change before anything is measured, or None."""
        if look.landmarks is None:
            return None
        try:
            assess(look.image, _as_face(look.landmarks), look.landmarks, limits=shipped().live)
        except QualityTooLow as exc:
            return exc.hint
        return None

    def take_front(self, looks: Sequence[Look]) -> None:
        """Embed the frame at rest."""
        self._take(Pose.FRONT, looks, lambda face: self._off(face) - 20 * (face.ear_right + face.ear_left))

    def take_step(self, step: Step, looks: Sequence[Look], *, mark: StepMark, done: bool) -> bool:
        """Embed a frame of the running step if the draw falls on this batch; return whether the step has its frame."""
        pose = _STEP_POSE[step.kind]
        if any(sample.pose is pose and sample.captured_ms > mark.revealed_ms for sample in self._evidence.poses):
            return True
        later = [look for look in looks if look.captured_ms > mark.revealed_ms and look.face is not None]
        if pose is Pose.TURN:
            side = 1 if step.kind is StepKind.TURN_LEFT else -1
            return self._take_turn(later, side=side, done=done)
        if pose is Pose.FLASH:
            return self._take(pose, self._under_the_light(later) or (later if done else ()), self._off)
        if pose is Pose.CLOSER:
            good = self._followed(later, "near_relief", LEAST_NEAR)
        else:
            good = [look for look in later if self._is_fit(look)]
        open_eyed = [look for look in later if self._sees(look, least=CLOSED)]
        chosen = self._drawn(open_eyed, pose, good=good) or ((good or later) if done else ())
        return self._take(pose, chosen, self._off)

    def _take_turn(self, looks: Sequence[Look], *, side: int, done: bool) -> bool:
        """Embed a frame of the turn through which the skin was followed."""
        low, high = TURN_RANGE
        followed = self._followed(looks, "relief", LEAST_TRACKED)
        turned = [look for look in followed if look.face and low <= side * self._yaw(look.face) <= TURN_MOST]
        best = [look for look in turned if look.face and side * self._yaw(look.face) <= high]
        chosen = self._drawn(best, Pose.TURN, good=best) or ((best or turned) if done else ())
        return self._take(Pose.TURN, chosen, lambda face: abs(side * self._yaw(face) - TURN_YAW))

    def _is_fit(self, look: Look) -> bool:
        """Whether the recognisers see as much in a frame as in one at rest."""
        return look.face is not None and self._off(look.face) <= STRAIGHT and self._sees(look, least=OPEN)

    def _sees(self, look: Look, *, least: float) -> bool:
        """Whether the eyes are open by that share of how they are at rest."""
        baseline, face = self._evidence.baseline, look.face
        return (
            baseline is not None and face is not None and (face.ear_right + face.ear_left) / 2 >= least * baseline.ear
        )

    def _followed(self, looks: Sequence[Look], relief: str, least: float) -> list[Look]:
        """Return the frames in which the skin was followed well enough to tell depth."""
        share = "tracked" if relief == "relief" else "near_tracked"
        table = self._evidence.columns("captured_ms", relief, share)
        told = set(table[np.isfinite(table[:, 1]) & (table[:, 2] >= least), 0].tolist())
        return [look for look in looks if look.captured_ms in told]

    def _drawn(self, looks: Sequence[Look], pose: Pose, *, good: Sequence[Look]) -> Sequence[Look]:
        """Return the frame on which the draw falls, if it does: as likely as the time since the one before it is long.

        Frames that are not `good` have a slower pace, not none: who never shows a good one could else foresee the last.
        Without memory: what was not drawn before makes nothing more or less likely, so nothing has to be kept.
        """
        times, preferred = self._evidence.columns("captured_ms")[:, 0], {look.captured_ms for look in good}
        for look in looks:
            before = times[times < look.captured_ms]
            since = look.captured_ms - float(before[-1]) if len(before) else 0.0
            pace = PACE_SMILING_MS if pose is Pose.SMILE and self._is_smiling(look.face) else PACE_MS[pose]
            pace = pace if look.captured_ms in preferred else PACE_POOR_MS
            if self._chance.random() < 1 - math.exp(-since / pace):
                return (look,)
        return ()

    def _is_smiling(self, face: FaceMeasure | None) -> bool:
        baseline = self._evidence.baseline
        if face is None or baseline is None:
            return False
        wider = face.mouth_width / baseline.mouth_width - 1
        return wider + 2 * (face.corners_up - baseline.corners_up) > AT_REST

    def _under_the_light(self, looks: Sequence[Look]) -> Sequence[Look]:
        """Return the frame of this batch on which the draw falls, if it does: one moment of the light, each alike.

        The draw is over LONGEST_GAP_MS before the light is, so that a frame that counts is always left for it.
        """
        evidence = self._evidence
        if evidence.light_ms is None or not looks:
            return ()
        times = evidence.columns("captured_ms")[:, 0]
        before = max(float(evidence.light_ms), *times[times < looks[0].captured_ms].tolist())
        last = evidence.light_ms + HOLD_MS * len(evidence.colours) - LONGEST_GAP_MS
        for look in looks:
            if look.face is None or look.captured_ms < before:
                continue
            if look.captured_ms >= last or self._chance.uniform(before, last) <= look.captured_ms:
                return (look,)
            before = look.captured_ms
        return ()

    def _take(self, pose: Pose, looks: Sequence[Look], cost: Callable[[FaceMeasure], float]) -> bool:
        """Embed the frame of least cost, if there is one; return whether there was."""
        seen = [
            (cost(look.face), look.landmarks, look)
            for look in looks
            if look.face is not None and look.landmarks is not None
        ]
        if not seen:
            return False
        _, landmarks, look = min(seen, key=lambda item: item[0])
        embedder, five = self._pipeline.embedder, five_points(landmarks)
        embeddings = embedder.embed(look.image, five)
        yaw = look.face.yaw if look.face is not None else float("nan")
        self._evidence.poses.append(PoseSample(pose, look.captured_ms, yaw, embeddings))
        if pose in LOOKED_AT_AGAIN:
            again = seen_again(embedder, look.image, five, embeddings, rng=self._chance)
            self._evidence.poses.append(PoseSample(Pose.AGAIN, look.captured_ms, yaw, again))
        return True

    def _yaw(self, face: FaceMeasure) -> float:
        return face.yaw - (self._evidence.baseline.yaw if self._evidence.baseline is not None else 0.0)

    def _off(self, face: FaceMeasure) -> float:
        return abs(self._yaw(face))


def _as_face(landmarks: Landmarks) -> DetectedFace:
    """Return the mesh's outline as the detector would report it."""
    low, high = landmarks.points.min(axis=0), landmarks.points.max(axis=0)
    width, height = np.maximum(high - low, 1.0)
    return DetectedFace(
        box=(float(low[0]), float(low[1]), float(width), float(height)),
        five=five_points(landmarks),
        score=landmarks.presence,
    )
