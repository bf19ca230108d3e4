"""Turn the head to one side: begin straight, go one way without turning back, stay a moment.

Done when, after a frame that looks straight, at least PATH frames lead away to the asked side without a jump and
without going back, BETWEEN of them on the way and HOLD of them turned far enough. A cut from a frontal clip to a turned
one has no way and does not count.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from biometric.liveness.steps.window import Hint, StepView

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from biometric.liveness.steps.window import Window

STRAIGHT: Final = 8.0  # degrees
WRONG: Final = 12.0  # to the other side; less may be the person finding their place
FAR: Final = 18.0  # FIELD 1.3: geometry can be told from 18 degrees on
TOO_FAR: Final = 50.0  # beyond, the mesh guesses
HOLD: Final = 3  # frames at FAR or more: the relief is a median over them
PATH: Final = 5  # FIELD 1.3; frames that are away from straight
BETWEEN: Final = 1  # of them on the way, before FAR: a cut from front to turned shows none (the quickest turn of the
# clips, 150 degrees a second, shows one)
BACK: Final = 6.0  # degrees; more than the mesh's own shake (1 to 2 degrees in the genuine clips)
JUMP_PER_S: Final = 320.0  # degrees a second; the fastest movement in the genuine clips is 299
GAP_MS: Final = 400.0  # without a face: the path is broken


def judge_turn(window: Window, *, side: int) -> StepView:
    """Return whether the head was turned to `side` (+1 the person's left, -1 their right)."""
    angle, times = window.yaw * np.float32(side), window.get("captured_ms")
    wrong = excursions(-angle)
    mistakes = max(0, wrong - 1)  # left and right are easily mixed up: the first wrong turn is only hinted at
    done, fast = _path_done(angle, times)
    if done:
        return StepView(done=True, mistakes=mistakes)
    now = float(angle[-1]) if len(angle) else 0.0
    if now < -WRONG:
        hint = Hint.WRONG_SIDE
    elif fast:
        hint = Hint.TURN_SLOWER
    elif now < FAR:
        hint = Hint.TURN_MORE
    else:
        hint = Hint.LOOK_STRAIGHT  # turned already when asked: begin from the front
    return StepView(done=False, hint=hint, mistakes=mistakes)


def _path_done(angle: NDArray[np.float32], times: NDArray[np.float32]) -> tuple[bool, bool]:
    """Return whether a whole path is there, and whether one was only spoilt by haste."""
    started, path, between, held, peak, fast = False, 0, 0, 0, 0.0, False
    for place, value in enumerate(angle):
        if place and started:
            gap = float(times[place] - times[place - 1])
            jump = abs(float(value - angle[place - 1])) > JUMP_PER_S * gap / 1000
            if gap > GAP_MS or jump or (held == 0 and value < peak - BACK):
                started, fast = False, jump
        if abs(value) < STRAIGHT:
            started, path, between, held, peak = True, 0, 0, 0, float(value)
        if not started:
            continue
        peak = max(peak, float(value))
        path += int(value > STRAIGHT / 2)
        between += int(STRAIGHT / 2 < value < FAR and held == 0)
        held += int(FAR <= value <= TOO_FAR)
        if held >= HOLD and path >= PATH and between >= BETWEEN:
            return True, False
        fast = fast or (held >= HOLD and between < BETWEEN)
    return False, fast


def excursions(angle: NDArray[np.float32]) -> int:
    """Return how often the head went from straight to FAR and stayed there HOLD frames."""
    count, straight, held = 0, False, 0
    for value in angle:
        if value < STRAIGHT:
            straight, held = True, 0
        elif value >= FAR:
            held += 1
            if straight and held == HOLD:
                count, straight = count + 1, False
    return count
