"""Who plays before the simulated camera: anything with `show` and `frame`, a genuine person first of all.

An actor is deterministic: the same seed and the same calls give the same pictures. Times are milliseconds on one
clock of the caller's choice and must not go backwards.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from tests.simulator.camera import Sensor, encode
from tests.simulator.light import Glow
from tests.simulator.subject import Pose, Subject
from tests.simulator.timeline import Habits, Sway, Timeline

if TYPE_CHECKING:
    from biometric.types import Image

BELOW_AXIS_M = 0.02  # a laptop's camera looks at the forehead rather than the mouth


class Actor(Protocol):
    """Something that stands before the camera and sees what the page asks."""

    def show(self, action: str, count: int, at_ms: float) -> None:
        """The page now shows this step."""

    def frame(self, at_ms: float) -> Image:
        """The camera's picture at this instant."""


class Person:
    """A living person who obeys (simulated)."""

    def __init__(self, subject: Subject, *, seed: int, habits: Habits | None = None) -> None:
        self.subject = subject
        self.habits = habits or Habits()
        self._sensor = Sensor(seed=seed + 1)
        self._sway = Sway(seed=seed + 2, strength=self.habits.sway)
        self._timeline = Timeline(self.habits, seed=seed)
        self._glow = Glow()

    def show(self, action: str, count: int, at_ms: float) -> None:
        """Understand a new instruction and act on it after the reaction time."""
        self._timeline.show(action, count, at_ms)

    def hear(self, hint: str, at_ms: float) -> None:
        """Follow a hint of the page."""
        self._timeline.hear(hint, at_ms)

    def light(self, colour: tuple[float, float, float], at_ms: float) -> None:
        """The person's screen shines in this colour (B, G, R, 0 to 1)."""
        self._glow.show(colour, at_ms)

    def quiet_at(self, times_ms: tuple[float, ...]) -> None:
        """Let the sway die down at these instants, where a recording will be cut."""
        self._sway.quiet_at = times_ms

    def frame(self, at_ms: float) -> Image:
        """Return the camera's picture."""
        return self._sensor.expose(self.subject.render(self.pose(at_ms), self._glow.at(at_ms)))

    def pose(self, at_ms: float) -> Pose:
        """Return what the person does at this instant."""
        yaw, pitch, roll, x, y, z = self._sway.offsets(at_ms)
        nearness = self._timeline.nearness(at_ms)
        return Pose(
            yaw=yaw + self._timeline.yaw(at_ms),
            pitch=pitch,
            roll=roll,
            x_m=x,
            y_m=BELOW_AXIS_M / nearness + y,  # whoever comes nearer keeps the face where it is in the picture
            distance_m=self.habits.distance_m / nearness + z,
            blink=self._timeline.blink(at_ms),
            smile=self._timeline.smile(at_ms),
        )


def jpeg(actor: Actor, at_ms: float) -> bytes:
    """Return what the page would send of this instant: an injector's own bytes, or the encoded picture."""
    own = getattr(actor, "jpeg", None)
    return bytes(own(at_ms)) if own is not None else encode(actor.frame(at_ms))
