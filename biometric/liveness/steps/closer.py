"""Come closer: the face grows, without a jump, to NEAR times its size at rest, and stays there.

How the parts of the face grow tells depth (approach.py); near, the screen lights the face strongly (cues/colour.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from biometric.liveness.steps.window import Hint, StepView

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from biometric.liveness.steps.window import Window

NEAR: Final = 1.4
TOO_NEAR: Final = 2.0  # the face no longer fits into the picture of somebody who began at the greatest size
AT_REST: Final = 1.12  # a step begins no nearer
HOLD: Final = 3  # frames at NEAR or more
BETWEEN: Final = 3  # of them on the way: a cut to a nearer clip shows none
BETWEEN_SLOW: Final = 1  # for a camera whose frames lie SLOW_MS apart
SLOW_MS: Final = 150.0
JUMP_PER_S: Final = 2.6  # of the logarithm of the size; a quick simulated approach reaches 1.1, a cut to 1.4 has 5
GAP_MS: Final = 400.0  # without a face: the path is broken


def judge_closer(window: Window) -> StepView:
    """Return whether the person came closer."""
    growth, times = window.growth, window.get("captured_ms")
    done, fast = _path_done(growth, times)
    if done:
        return StepView(done=True)
    now = float(growth[-1]) if len(growth) else 1.0
    if now > TOO_NEAR:
        return StepView(done=False, hint=Hint.TOO_CLOSE)
    if fast:
        return StepView(done=False, hint=Hint.CLOSER_SLOWER)
    return StepView(done=False, hint=Hint.COME_CLOSER if now < NEAR else Hint.STAY_NEAR)


def _path_done(growth: NDArray[np.float32], times: NDArray[np.float32]) -> tuple[bool, bool]:
    """Return whether a whole path is there, and whether one was only spoilt by haste."""
    started, between, held, fast = False, 0, 0, False
    needed = BETWEEN_SLOW if len(times) > 1 and float(np.median(np.diff(times))) > SLOW_MS else BETWEEN
    for place, value in enumerate(growth):
        if place and started:
            gap = float(times[place] - times[place - 1])
            leap = abs(float(np.log(value / growth[place - 1]))) > JUMP_PER_S * gap / 1000
            if gap > GAP_MS or leap:
                started, fast = False, leap
        if value < AT_REST:
            started, between, held = True, 0, 0
        if not started:
            continue
        between += int(AT_REST <= value < NEAR and held == 0)
        held = held + 1 if NEAR <= value <= TOO_NEAR else 0
        if held >= HOLD and between >= needed:
            return True, False
        fast = fast or (held >= HOLD and between < needed)
    return False, fast
