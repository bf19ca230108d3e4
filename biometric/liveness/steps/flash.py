"""Hold still, near, while the screen shows its colours. Done when all of them were shown and the last has arrived.

Not here: whether their light was seen (cues/colour.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from biometric.liveness.challenge import HOLD_MS
from biometric.liveness.steps.window import Hint, StepView

if TYPE_CHECKING:
    from biometric.liveness.evidence import Evidence
    from biometric.liveness.steps.window import Window

LATEST_MS: Final = 500  # how late light may arrive: display, exposure and camera (FIELD 1.3)
MOST_YAW: Final = 18.0  # degrees away from straight: the light falls on another side
STAY: Final = 1.2  # times the size at rest, at least


def judge_flash(window: Window, evidence: Evidence) -> StepView:
    """Return whether the colours have been shown to the end."""
    if evidence.light_ms is not None:
        ends = evidence.light_ms + len(evidence.colours) * HOLD_MS + LATEST_MS
        if evidence.last_ms >= ends:
            return StepView(done=True)
    if len(window.growth) and float(window.growth[-1]) < STAY:
        return StepView(done=False, hint=Hint.COME_CLOSER)
    if len(window.yaw) and abs(float(window.yaw[-1])) > MOST_YAW:
        return StepView(done=False, hint=Hint.LOOK_STRAIGHT)
    return StepView(done=False, hint=Hint.HOLD_STILL if window.moving else None)
