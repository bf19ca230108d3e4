"""Smile: from a mouth at rest to one that is wider, its corners drawn up, for a moment.

A mouth that is already wide when the smile is asked for must relax first; a still photo of a smile therefore never
smiles.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from biometric.liveness.steps.window import Hint, StepView

if TYPE_CHECKING:
    from biometric.liveness.steps.window import Window

# A smile's size is its extra width plus twice how far the corners rise: some smile widely, some upwards. Of the 44
# London smiles 29 pass; a fixed width of 1.12 (FIELD 1.3) with corners that rise lets 24 pass (docs/liveness.md,
# "Angles, eyes, mouth").
SMILE: Final = 0.10
AT_REST: Final = 0.05
CORNERS_UP: Final = 0.002  # of the outer-eye distance, above rest: a mouth that is only wide does not smile
HOLD: Final = 3  # frames
MOST_YAW: Final = 22.0
BEFORE_MS: Final = 1000.0  # rest is also looked for this long before the smile was asked for
REST_QUANTILE: Final = 0.3


def judge_smile(window: Window, *, before: Window) -> StepView:
    """Return whether the person smiled in `window`; `before` holds the frames up to its beginning."""
    rest = min(window.baseline.mouth_width, _rest_before(before))
    wide = window.get("mouth_width") / np.float32(max(rest, 1e-6)) - 1
    up = window.get("corners_up") - np.float32(window.baseline.corners_up)
    size = wide + 2 * up
    ahead = np.abs(window.yaw) < MOST_YAW
    rested, held = False, 0
    for smile, corner, forward in zip(size, up, ahead, strict=True):
        rested = rested or bool(smile <= AT_REST)
        held = held + 1 if rested and smile >= SMILE and corner >= CORNERS_UP and forward else 0
        if held >= HOLD:
            return StepView(done=True)
    return StepView(done=False, hint=Hint.SMILE_MORE if rested else Hint.RELAX)


def _rest_before(before: Window) -> float:
    recent = before.since(before.end_ms - BEFORE_MS)
    widths = recent.get("mouth_width")[np.abs(recent.yaw) < MOST_YAW]
    return float(np.quantile(widths, REST_QUANTILE)) if len(widths) else float("inf")
