"""Do eyes and mouth move by themselves? Numbers for the audit log; it never denies and never confirms.

Read from the mesh's measures while the head is still and nothing is asked: how much the eyes' opening and the mouth
change beyond what the movement of the whole head explains. Only the mesh's points are used, not tracked pixels. The
mesh draws a living face into anything, and a person may sit as still as a picture for the seconds there are, so the
numbers of people, masks and pictures overlap (docs/liveness.md, "Pulse and stillness"); that is why it decides nothing.
What it would catch, a face whose eyes and mouth cannot move, fails the steps that ask for just that
(cues/challenge.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from biometric.liveness.cues.result import CueResult, Physics, Verdict
from biometric.liveness.still import still_pieces

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from biometric.liveness.evidence import Evidence

LEAST_S: Final = 2.0
LEAST_PIECE_MS: Final = 600.0
RIGID: Final = ("yaw", "pitch", "roll", "scale", "x", "y")
EYES: Final = ("ear_right", "ear_left")
MOUTH: Final = ("mouth_width", "mouth_open")


def evaluate(evidence: Evidence) -> CueResult:
    """Return the vote, always neutral."""
    pieces = still_pieces(evidence, least_ms=LEAST_PIECE_MS, unasked=True)
    times = evidence.column("captured_ms")
    seconds = float(sum(times[piece[-1]] - times[piece[0]] for piece in pieces)) / 1000
    numbers = {"seconds": seconds}
    if seconds < LEAST_S:
        return CueResult("stillness", Physics.BEHAVIOUR, Verdict.NEUTRAL, "not_measured", numbers)
    chosen = np.concatenate(pieces)
    rigid = evidence.columns(*RIGID)[chosen].astype(np.float64)
    for name, columns in (("eyes", EYES), ("mouth", MOUTH)):
        own = evidence.columns(*columns)[chosen].astype(np.float64)
        numbers[name] = float(_without(rigid, own).std(axis=0).max())
    return CueResult("stillness", Physics.BEHAVIOUR, Verdict.NEUTRAL, "", numbers)


def _without(rigid: NDArray[np.float64], own: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return `own` without what the movement of the whole head explains."""
    design = np.column_stack([np.ones(len(rigid)), rigid - rigid.mean(axis=0)])
    rest: NDArray[np.float64] = own - design @ np.linalg.lstsq(design, own, rcond=None)[0]
    return rest
