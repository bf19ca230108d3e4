"""Which frames are embedded: one at rest, and one for each step, taken while the step was being done.

Rules:
 * Six frames in a whole login, since a recogniser costs as much as eighteen looks of the mesh.
 * The turn is sampled near TURN_YAW, where the recognisers still work; the others near to straight, with open eyes.
 * Under the colours chance picks the frame, every moment alike, and nobody outside learns which it was: who shows
   another face than the one that is lit would have to show it all the time.
 * A frame is embedded within the request that brought it; frames are never kept for later.
 * Frames of the poses in LOOKED_AT_AGAIN are looked at twice, the second time through a random change, which a picture
   made for the recognisers does not survive (cues/agreement.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from biometric.agreement_looks import seen_again
from biometric.errors import QualityTooLow
from biometric.landmarks import five_points
from biometric.limits import shipped
from biometric.liveness.challenge import HOLD_MS, StepKind
from biometric.liveness.cues.colour import LONGEST_GAP_MS
from biometric.liveness.evidence import LOOKED_AT_AGAIN, Pose, PoseSample
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

    def take_step(self, step: Step, looks: Sequence[Look], *, mark: StepMark, done: bool) -> None:
        """Embed a frame of the running step if this batch holds the right one."""
        pose = _STEP_POSE[step.kind]
        if any(sample.pose is pose and sample.captured_ms > mark.revealed_ms for sample in self._evidence.poses):
            return
        later = [look for look in looks if look.captured_ms > mark.revealed_ms]
        if pose is Pose.TURN:
            side = 1 if step.kind is StepKind.TURN_LEFT else -1
            low, high = TURN_RANGE
            turned = [look for look in later if look.face and low <= side * self._yaw(look.face) <= high]
            self._take(pose, turned or (later if done else ()), lambda face: abs(side * self._yaw(face) - TURN_YAW))
        elif pose is Pose.FLASH:
            self._take(pose, self._drawn(later) or (later if done else ()), self._off)
        elif done and pose in {Pose.BLINK, Pose.CLOSER}:
            self._take(pose, later, lambda face: self._off(face) - 40 * (face.ear_right + face.ear_left))
        elif done:
            self._take(pose, later, lambda face: self._off(face) - 40 * face.mouth_width)

    def _drawn(self, looks: Sequence[Look]) -> Sequence[Look]:
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

    def _take(self, pose: Pose, looks: Sequence[Look], cost: Callable[[FaceMeasure], float]) -> None:
        """Embed the frame of least cost."""
        seen = [
            (cost(look.face), look.landmarks, look)
            for look in looks
            if look.face is not None and look.landmarks is not None
        ]
        if not seen:
            return
        _, landmarks, look = min(seen, key=lambda item: item[0])
        embedder, five = self._pipeline.embedder, five_points(landmarks)
        embeddings = embedder.embed(look.image, five)
        yaw = look.face.yaw if look.face is not None else float("nan")
        self._evidence.poses.append(PoseSample(pose, look.captured_ms, yaw, embeddings))
        if pose in LOOKED_AT_AGAIN:
            again = seen_again(embedder, look.image, five, embeddings, rng=self._chance)
            self._evidence.poses.append(PoseSample(Pose.AGAIN, look.captured_ms, yaw, again))

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
