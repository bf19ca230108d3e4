"""The parts of a challenge in which the head is still: as at rest, and not in the light of the screen's colours.

Used by the hints that need quiet skin (cues/pulse.py, cues/stillness.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from biometric.liveness.evidence import Evidence

MOST_YAW: Final = 8.0  # degrees off the person's straight look
MOST_GROWTH: Final = 1.08
MOST_SHIFT: Final = 0.35  # outer-eye distances off the median place
GAP_MS: Final = 250.0


def still_pieces(evidence: Evidence, *, least_ms: float, unasked: bool = False) -> list[NDArray[np.int_]]:
    """Return the indices of the frames of each still piece of at least `least_ms`, before the colours.

    `unasked` leaves out the steps, in which the person does what was asked: the opening and the pauses remain.
    """
    times, presence, yaw, scale, x, y = evidence.columns("captured_ms", "presence", "yaw", "scale", "x", "y").T
    seen = presence > 0
    if not seen.any():
        return []
    baseline = evidence.baseline
    straight, usual = (
        (baseline.yaw, baseline.scale)
        if baseline is not None
        else (float(np.median(yaw[seen])), float(np.median(scale[seen])))
    )
    still = seen & (np.abs(yaw - straight) < MOST_YAW)
    still &= np.abs(np.log(np.where(seen, scale, usual) / usual)) < np.log(MOST_GROWTH)
    if still.any():
        middle = np.median(x[still]), np.median(y[still])
        still &= np.hypot(x - middle[0], y - middle[1]) < MOST_SHIFT * usual
    if evidence.light_ms is not None:
        still &= times < evidence.light_ms
    for mark in evidence.marks if unasked else ():
        still &= (times < mark.revealed_ms) | (times > (mark.done_ms if mark.done_ms is not None else np.inf))
    chosen = np.flatnonzero(still)
    if not len(chosen):
        return []
    breaks = np.flatnonzero((np.diff(chosen) > 1) | (np.diff(times[chosen]) > GAP_MS)) + 1
    return [piece for piece in np.split(chosen, breaks) if times[piece[-1]] - times[piece[0]] >= least_ms]
