"""The opening: look straight at the camera, at rest. No step of the challenge; it gives the person's own baseline.

Done when the last six frames with a face are near enough to straight, still and without a hint of poor quality.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from biometric.liveness.evidence import COLUMNS, Baseline, Evidence
from biometric.liveness.steps.window import PRESENT, Hint

if TYPE_CHECKING:
    from numpy.typing import NDArray

FRAMES: Final = 6  # 0.4 s at 15 a second
SPAN_MS: Final = 2000  # these frames lie this close together; at rest for longer is no easier, and 3 a second suffice
MOST_YAW: Final = 11.0  # cameras stand beside screens; genuine clips begin at up to 9 degrees
MOST_PITCH: Final = 25.0
MOST_SWAY: Final = 4.0  # degrees between the least and the greatest yaw
LIVELY_SWAY: Final = 7.0  # for somebody who looks nearly straight; a lively speaker among the clips has 6.3
LIVELY_YAW: Final = 6.0
MOST_SIZE: Final = 0.3  # outer-eye distance by the shorter side: 1.4 times that still fits (a face is 2.2 such high)
OPEN_EYES_QUANTILE: Final = 0.8  # FIELD 1.3


def judge_centre(evidence: Evidence) -> Baseline | Hint:
    """Return the baseline, or what is still missing."""
    table = np.array(evidence.rows, np.float32).reshape(len(evidence.rows), len(COLUMNS))
    recent = table[-FRAMES:]
    if len(recent) < FRAMES or recent[-1, 0] - recent[0, 0] > SPAN_MS:
        return Hint.LOOK_STRAIGHT
    if (recent[:, COLUMNS.index("presence")] < PRESENT).any():
        return Hint.NO_FACE

    def column(name: str) -> NDArray[np.float32]:
        values: NDArray[np.float32] = recent[:, COLUMNS.index(name)]
        return values

    yaw = abs(float(np.median(column("yaw"))))
    if yaw > MOST_YAW or abs(float(np.median(column("pitch")))) > MOST_PITCH:
        return Hint.TURN_TO_CAMERA
    if float(np.ptp(column("yaw"))) > (LIVELY_SWAY if yaw < LIVELY_YAW else MOST_SWAY):
        return Hint.HOLD_STILL
    must_fit_nearer = any(step.kind.is_near for step in evidence.steps)
    if must_fit_nearer and float(np.median(column("scale"))) > MOST_SIZE * min(evidence.size):
        return Hint.TOO_CLOSE
    eyes = (column("ear_right") + column("ear_left")) / 2
    return Baseline(
        captured_ms=float(recent[-1, 0]),
        yaw=float(np.median(column("yaw"))),
        pitch=float(np.median(column("pitch"))),
        scale=float(np.median(column("scale"))),
        ear=float(np.quantile(eyes, OPEN_EYES_QUANTILE)),
        mouth_width=float(np.median(column("mouth_width"))),
        corners_up=float(np.median(column("corners_up"))),
    )
