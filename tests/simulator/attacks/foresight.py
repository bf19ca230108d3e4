"""Stills of the victim in just those frames that a server would compare (simulated), by somebody who knows its rules.

`Foreseen` does the challenge himself, like `Spliced`, and from his own movement knows where each step stands: how many
blinks are over, how far he is turned, whether the smile is whole. So no still covers a movement that the step needs:
between two blinks his own eyes are seen, a turn shows the victim on the way out only, and no frame of a blink or a turn
is left out. In the opening the victim is shown all the time.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

from tests.simulator.attacks.splice import AHEAD_DEG, FRAME_MS, SMILE, Spliced, When

if TYPE_CHECKING:
    from tests.simulator.actor import Actor, Person
    from tests.simulator.attacks.relight import Tint
    from tests.simulator.subject import Pose, Subject

CLOSED: Final = 0.02  # of a blink; above it the eyes are on their way
NEAR: Final = 1.38  # times as large as at rest
SHORT_MS: Final = 2 * FRAME_MS
SETTLES_MS: Final = {"blink": 600.0, "smile": 2.0 * FRAME_MS, "closer": 2.0 * FRAME_MS}
"""How long after a movement its step is done, as the rules of the steps say."""


class Where(StrEnum):
    """Where the victim is shown: from the end of a movement on, when the step is about to end, or always but in it."""

    END = "at the end"
    SHORT = "two frames at the end"
    LONG = "all but the movements"


class Foreseen(Spliced):
    """Somebody who obeys before his camera, with stills of the victim where he expects to be compared.

    Args:
        person: who obeys.
        own: the same before a camera.
        victim: of whom there are pictures.
        where: see Where.
        pasted: as for Spliced.
        gaps: likewise, but not in steps that need every frame.
        tint: likewise.
        seed: of the noise.
    """

    def __init__(
        self,
        person: Person,
        own: Actor,
        victim: Subject,
        *,
        where: Where,
        pasted: bool,
        gaps: bool,
        tint: Tint | None,
        seed: int,
    ) -> None:
        super().__init__(person, own, victim, when=When.STILL, pasted=pasted, gaps=gaps, tint=tint, seed=seed)
        self._where, self._count = where, 1
        self._restart()

    def show(self, action: str, count: int, at_ms: float) -> None:
        """Obey, and count from here."""
        super().show(action, count, at_ms)
        self._count = count
        self._restart()

    def skips(self, at_ms: float) -> bool:
        """Return whether no frame is sent now; blinks and turns need every one."""
        return self._action not in {"blink", "turn_left", "turn_right"} and super().skips(at_ms)

    def still(self, pose: Pose, at_ms: float) -> Pose | None:
        """Return how the victim is shown at this moment, None where the own face is."""
        still = super().still(pose, at_ms)
        if self._action in {"centre", "flash"}:
            return still
        self._watch(pose, at_ms)
        if still is None or not self._fits(pose, at_ms):
            return None
        self._first_ms = at_ms if self._first_ms is None else self._first_ms
        return still if self._where is not Where.SHORT or at_ms - self._first_ms < SHORT_MS else None

    def _fits(self, pose: Pose, at_ms: float) -> bool:
        """Return whether this is a moment for the victim."""
        if self._action.startswith("turn"):
            waits = abs(pose.yaw) <= AHEAD_DEG and self._where is not Where.LONG
            return not waits and abs(pose.yaw) >= self._most_deg - AHEAD_DEG
        if self._where is Where.LONG and not self._begun:
            return True
        settles_ms = SETTLES_MS[self._action] if self._where is Where.SHORT else 0.0
        return self._over_ms is not None and at_ms - self._over_ms >= settles_ms

    def _restart(self) -> None:
        self._blinks, self._closed, self._begun, self._most_deg = 0, False, False, 0.0
        self._over_ms: float | None = None
        self._first_ms: float | None = None

    def _watch(self, pose: Pose, at_ms: float) -> None:
        """Keep how far the own movement of this step is."""
        closed = pose.blink > CLOSED
        self._blinks += int(self._closed and not closed)
        self._closed, self._begun = closed, self._begun or closed
        self._most_deg = max(self._most_deg, abs(pose.yaw))
        over = {
            "blink": self._blinks >= self._count,
            "smile": pose.smile >= SMILE,
            "closer": self._person.habits.distance_m / pose.distance_m >= NEAR,
        }
        if self._over_ms is None and over.get(self._action):
            self._over_ms = at_ms
