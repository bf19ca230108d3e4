"""The frames in which a step may be done, and what is said about them.

Rules:
 * A step is looked for in frames that a person who had seen it could have acted in: captured at least REACTION_MS
   after it was revealed. What happened before does not count, so a recording has to hold the right action at the
   right time.
 * Measures are relative to the person's own baseline.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import numpy as np

from biometric.liveness.evidence import COLUMNS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from biometric.liveness.evidence import Baseline, Evidence

REACTION_MS: Final = 120  # nobody reacts to something seen in less (simple visual reaction times begin at about 150 ms)
MOST_CLOSER: Final = 1.3  # times the size at rest, from which the person is told (cues/continuity.py denies beyond)
_RECENT: Final = 6  # frames
_MOVED: Final = 0.25  # outer-eye distances, 2 cm
PRESENT: Final = 0.5  # the mesh net's own threshold


class Hint(StrEnum):
    """What the person can change; stable, the page has a sentence for each."""

    TOO_DARK = "too_dark"
    TOO_BRIGHT = "too_bright"
    TOO_FAR = "too_far"
    TOO_CLOSE = "too_close"
    OFF_CENTRE = "off_centre"
    BLURRED = "blurred"
    TURN_TO_CAMERA = "turn_to_camera"
    LOOK_STRAIGHT = "look_straight"
    HOLD_STILL = "hold_still"
    TURN_MORE = "turn_more"
    TURN_SLOWER = "turn_slower"
    WRONG_SIDE = "wrong_side"
    BLINK_SLOWER = "blink_slower"
    BLINK_AGAIN = "blink_again"
    SMILE_MORE = "smile_more"
    RELAX = "relax"
    COME_CLOSER = "come_closer"
    CLOSER_SLOWER = "closer_slower"
    STAY_NEAR = "stay_near"
    ALONE = "alone"
    NO_FACE = "no_face"


@dataclass(frozen=True, slots=True)
class StepView:
    """What a step's frames show: done or not, a hint, and how many deliberate wrong actions were seen."""

    done: bool
    hint: Hint | None = None
    mistakes: int = 0


@dataclass(frozen=True, slots=True, repr=False)
class Window:
    """Frames with a face between two times, as columns, and the person's baseline."""

    values: NDArray[np.float32]
    baseline: Baseline
    start_ms: float
    end_ms: float

    def __repr__(self) -> str:
        return f"Window(<{len(self.values)} frames>, {self.start_ms:.0f} to {self.end_ms:.0f} ms)"

    def get(self, name: str) -> NDArray[np.float32]:
        """Return a column."""
        column: NDArray[np.float32] = self.values[:, COLUMNS.index(name)]
        return column

    @property
    def yaw(self) -> NDArray[np.float32]:
        """Degrees away from the person's own straight look, positive to their left."""
        return self.get("yaw") - np.float32(self.baseline.yaw)

    @property
    def growth(self) -> NDArray[np.float32]:
        """Size by the size at rest."""
        return self.get("scale") / np.float32(self.baseline.scale)

    @property
    def moving(self) -> bool:
        """Whether the face has moved by a good part of itself within the last frames."""
        recent = self.values[-_RECENT:]
        if len(recent) < _RECENT:
            return False
        places = recent[:, [COLUMNS.index("x"), COLUMNS.index("y")]] / recent[:, COLUMNS.index("scale")].mean()
        return bool(np.ptp(places, axis=0).max() > _MOVED)

    @property
    def distance_hint(self) -> Hint | None:
        """What to say to a person who has come much closer, or moved away, since they were at rest."""
        recent = self.growth[-3:]
        ratio = float(np.median(recent)) if len(recent) else 1.0
        return Hint.TOO_CLOSE if ratio > MOST_CLOSER else Hint.TOO_FAR if ratio < 1 / MOST_CLOSER else None

    def since(self, start_ms: float) -> Window:
        """Return the part from `start_ms` on."""
        return Window(self.values[self.get("captured_ms") >= start_ms], self.baseline, start_ms, self.end_ms)


def quantile(values: NDArray[np.float32], share: float) -> float:
    """Return what np.quantile returns, in a tenth of its time: steps are judged again with every batch."""
    ordered = np.sort(values)
    at = share * (len(ordered) - 1)
    low = int(at)
    below, above = float(ordered[low]), float(ordered[min(low + 1, len(ordered) - 1)])
    return below + (at - low) * (above - below)


def window(evidence: Evidence, baseline: Baseline, *, start_ms: float, end_ms: float) -> Window:
    """Return the frames with a face from `start_ms` to `end_ms`, both included."""
    table = np.array(evidence.rows, np.float32).reshape(len(evidence.rows), len(COLUMNS))
    times, presence = table[:, 0], table[:, COLUMNS.index("presence")]
    return Window(
        table[(times >= start_ms) & (times <= end_ms) & (presence >= PRESENT)],
        baseline,
        start_ms=start_ms,
        end_ms=end_ms,
    )
