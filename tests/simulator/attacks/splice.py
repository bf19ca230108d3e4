"""Frames put into a stream one by one (simulated), by somebody who knows when the server looks closely.

`Spliced`: the attacker does the challenge himself, and shows still pictures of the victim in between: from the front,
smiling, turned by 20 degrees, each as large as his own face is at that moment, and where it is. Nothing of the victim
moves. `SortedLight`: the victim's own light, recorded earlier, sorted by colour so that it fits what is asked now.
"""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from tests.simulator.camera import Camera, Sensor
from tests.simulator.light import Glow
from tests.simulator.subject import Pose, blend

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from biometric.types import Image
    from tests.simulator.actor import Actor, Person
    from tests.simulator.attacks.relight import Tint
    from tests.simulator.subject import Subject

    Colour = tuple[float, float, float]

TURNED_DEG: Final = 20.0
TURN_SHOWN: Final = (14.0, 27.0)  # own angles at which the victim's turned picture is shown
AHEAD_DEG: Final = 4.0
SMILE: Final = 0.9
FRAME_MS: Final = 66
GAP_MS: Final = 180.0  # more than cuts are looked for between two frames
SHOWN_OF: Final = (2, 6)  # frames, where it is kept short
FACE_M: Final = (0.085, 0.12)  # half width and half height of what is pasted
BELOW_EYES_M: Final = 0.03


class When(StrEnum):
    """When the victim is shown."""

    STILL = "while nothing moves"
    SHORT = "two frames of six"
    END = "once the step is done"


class Spliced:
    """Somebody who obeys before his camera, with stills of the victim in between.

    Args:
        person: who obeys.
        own: the same before a camera.
        victim: of whom there are pictures.
        when: see When.
        pasted: only the victim's face is shown, within the own scene; else the victim's whole picture.
        gaps: between the two some frames are left out.
        tint: with it the victim is shown all through the light, tinted; else the own face is lit.
        seed: of the noise.
    """

    def __init__(
        self,
        person: Person,
        own: Actor,
        victim: Subject,
        *,
        when: When,
        pasted: bool,
        gaps: bool,
        tint: Tint | None,
        seed: int,
    ) -> None:
        self._person, self._own, self._victim = person, own, victim
        self._when, self._pasted, self._gaps, self._tint = when, pasted, gaps, tint
        self._sensor = Sensor(seed=seed)
        self._action, self._moved = "centre", False
        self._sent: tuple[float, bool] | None = None

    def show(self, action: str, count: int, at_ms: float) -> None:
        """Obey."""
        self._action, self._moved = action, False
        self._own.show(action, count, at_ms)

    def hear(self, hint: str, at_ms: float) -> None:
        """Obey."""
        self._person.hear(hint, at_ms)

    def light(self, colour: Colour, at_ms: float) -> None:
        """Be lit, and know how the victim would be."""
        lit = getattr(self._own, "light", None)
        if lit is not None:
            lit(colour, at_ms)
        if self._tint is not None:
            self._tint.light(colour, at_ms)

    def skips(self, at_ms: float) -> bool:
        """Return whether no frame is sent now, since the next one shows the other face."""
        if not self._gaps or self._sent is None:
            return False
        sent_ms, was_own = self._sent
        changes = (self.still(self._person.pose(at_ms), at_ms) is None) != was_own
        return changes and at_ms - sent_ms < GAP_MS

    def frame(self, at_ms: float) -> Image:
        """Return the own picture, or one with the victim in it."""
        own = self._own.frame(at_ms)
        still = self.still(self._person.pose(at_ms), at_ms)
        self._sent = at_ms, still is None
        if still is None:
            return own
        shown = self._victim.render(still)
        if self._tint is not None:
            shown = self._tint.add(shown, at_ms)
        if self._pasted:
            blended = own.copy()
            blend(blended, shown, _face(still))
            shown = blended
        return self._sensor.expose(shown)

    def still(self, pose: Pose, at_ms: float) -> Pose | None:
        """Return how the victim is shown at this moment, None where the own face is."""
        if self._action == "flash":
            return _like(pose) if self._tint is not None else None
        moves, still = _moving(pose, nearness=self._person.habits.distance_m / pose.distance_m)
        self._moved = self._moved or moves
        if self._when is When.END and self._action != "centre" and not self._moved:
            return None
        shown, of = SHOWN_OF
        if self._when is When.SHORT and int(at_ms / FRAME_MS) % of < of - shown:
            return None
        return still


def _moving(pose: Pose, *, nearness: float) -> tuple[bool, Pose | None]:
    """Return whether the own face is needed for a movement, and how the victim is shown if not for this one."""
    turned = abs(pose.yaw)
    if turned > AHEAD_DEG:
        side = TURNED_DEG if pose.yaw > 0 else -TURNED_DEG
        low, high = TURN_SHOWN
        return True, _like(pose, yaw=side) if low <= turned <= high else None
    if pose.blink > 0.02 or 0.03 < pose.smile < SMILE or 1.05 < nearness < 1.38:
        return True, None
    return False, _like(pose, smile=SMILE if pose.smile >= SMILE else 0.0)


def _like(pose: Pose, *, yaw: float = 0.0, smile: float = 0.0) -> Pose:
    """Return a still of the victim, as large as the own face is now and where it is."""
    return replace(Pose(), yaw=yaw, smile=smile, x_m=pose.x_m, y_m=pose.y_m, distance_m=pose.distance_m)


def _face(pose: Pose) -> np.ndarray:
    """Return how much of a face's picture is taken, by pixel."""
    camera = Camera()
    where = camera.project(np.array([[pose.x_m, pose.y_m + BELOW_EYES_M, pose.distance_m]]))[0]
    half = [camera.focal * size / pose.distance_m for size in FACE_M]
    y, x = np.indices((camera.height, camera.width), dtype=np.float32)
    inside = ((x - where[0]) / half[0]) ** 2 + ((y - where[1]) / half[1]) ** 2 < 1
    return cv2.GaussianBlur(inside.astype(np.float32), (0, 0), 5)


class SortedLight:
    """Whoever obeys; under the light, frames of an earlier light of the same face, sorted by colour.

    `lit` are pictures by the colour that lit them; a colour is seen `delay_ms` after it was shown.
    """

    def __init__(self, actor: Actor, *, lit: Mapping[Colour, Sequence[Image]], delay_ms: float, seed: int) -> None:
        self._actor = actor
        self._lit, self._delay_ms, self._glow, self._count = lit, delay_ms, Glow(), 0
        self._sensor = Sensor(seed=seed, strength=1.0)

    def show(self, action: str, count: int, at_ms: float) -> None:
        """Pass it on."""
        self._actor.show(action, count, at_ms)

    def hear(self, hint: str, at_ms: float) -> None:
        """Pass it on."""
        heard = getattr(self._actor, "hear", None)
        if heard is not None:
            heard(hint, at_ms)

    def light(self, colour: Colour, at_ms: float) -> None:
        """See the colour."""
        self._glow.show(colour, at_ms + self._delay_ms)

    def frame(self, at_ms: float) -> Image:
        """Return the actor's picture, or the next one of this colour."""
        light = self._glow.at(at_ms)
        if light is None:
            return self._sensor.expose(self._actor.frame(at_ms))
        same = min(self._lit, key=lambda colour: float(np.abs(np.subtract(colour, light.colour)).sum()))
        self._count += 1
        return self._sensor.expose(self._lit[same][self._count % len(self._lit[same])])
