"""Who plays before the simulated camera: anything with `show` and `frame`, a genuine person first of all.

An actor is deterministic: the same seed and the same calls give the same pictures. Times are milliseconds on one
clock of the caller's choice and must not go backwards.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

import numpy as np

from tests.simulator.camera import Sensor
from tests.simulator.subject import Pose, Subject

if TYPE_CHECKING:
    from biometric.types import Image

ACTIONS = ("centre", "turn_left", "turn_right", "blink", "smile")


class Actor(Protocol):
    """Something that stands before the camera and sees what the page asks."""

    def show(self, action: str, count: int, at_ms: float) -> None:
        """The page now shows this step."""

    def frame(self, at_ms: float) -> Image:
        """The camera's picture at this instant."""


@dataclass(frozen=True, slots=True)
class Habits:
    """How a person moves. Ranges are uniform; angles in degrees, times in milliseconds."""

    reaction_ms: tuple[float, float] = (250.0, 450.0)
    turn_deg: tuple[float, float] = (25.0, 30.0)
    turn_ms: tuple[float, float] = (650.0, 900.0)
    hold_ms: float = 2500.0
    back_ms: float = 600.0
    blink_ms: tuple[float, float] = (200.0, 280.0)
    blink_every_ms: tuple[float, float] = (560.0, 700.0)
    smile_ms: float = 400.0
    distance_m: float = 0.5
    sway: float = 1.0


@dataclass(slots=True)
class _Move:
    """One instruction being obeyed: begins after the reaction, ends when the next one has been understood."""

    action: str
    start: float
    strength: float
    ramp_ms: float
    blinks: tuple[tuple[float, float], ...] = ()
    end: float = field(default=float("inf"))


class Person:
    """A living person who obeys."""

    def __init__(self, subject: Subject, *, seed: int, habits: Habits | None = None) -> None:
        self.subject = subject
        self.habits = habits or Habits()
        self._rng = np.random.default_rng(seed)
        self._sensor = Sensor(seed=seed + 1)
        self._sway = Sway(seed=seed + 2, strength=self.habits.sway)
        self._moves: list[_Move] = []

    def show(self, action: str, count: int, at_ms: float) -> None:
        """Understand a new instruction and act on it after the reaction time."""
        if action not in ACTIONS:
            raise ValueError(f"nobody can do {action!r}")
        understood = at_ms + self._rng.uniform(*self.habits.reaction_ms)
        busy = 0.0
        if self._moves and self._moves[-1].end > understood:
            self._moves[-1].end = understood
            busy = self.habits.back_ms if self._moves[-1].action.startswith("turn") else 0.0
        start = understood + busy
        strength, ramp = 1.0, self.habits.smile_ms
        if action.startswith("turn"):
            strength, ramp = self._rng.uniform(*self.habits.turn_deg), self._rng.uniform(*self.habits.turn_ms)
        blinks = self._plan_blinks(start, count) if action == "blink" else ()
        self._moves.append(_Move(action, start, strength, ramp, blinks))

    def quiet_at(self, times_ms: tuple[float, ...]) -> None:
        """Let the sway die down at these instants, where a recording will be cut."""
        self._sway.quiet_at = times_ms

    def frame(self, at_ms: float) -> Image:
        """Return the camera's picture."""
        return self._sensor.expose(self.subject.render(self.pose(at_ms)))

    def pose(self, at_ms: float) -> Pose:
        """Return what the person does at this instant."""
        pose = replace(self._sway.pose(at_ms), distance_m=self.habits.distance_m)
        pose = replace(
            pose,
            x_m=self._sway.x(at_ms),
            y_m=0.02 + self._sway.y(at_ms),
            distance_m=pose.distance_m + self._sway.z(at_ms),
        )
        yaw, blink, smile = pose.yaw, 0.0, 0.0
        for move in self._moves:
            if move.action.startswith("turn"):
                side = 1.0 if move.action == "turn_left" else -1.0
                yaw += side * move.strength * self._part(move, at_ms, self.habits.hold_ms)
            elif move.action == "smile":
                smile = max(smile, self._part(move, at_ms, float("inf")))
            for start, length in move.blinks:
                blink = max(blink, _lid(at_ms - start, length))
        return replace(pose, yaw=yaw, blink=blink, smile=smile)

    def _part(self, move: _Move, at_ms: float, hold_ms: float) -> float:
        """Return how far a move has gone: up, hold, and down again when it ends."""
        end = min(move.end, move.start + move.ramp_ms + hold_ms)
        up = ease((at_ms - move.start) / move.ramp_ms)
        reached = ease((end - move.start) / move.ramp_ms)
        return min(up, reached) * (1 - ease((at_ms - end) / self.habits.back_ms))

    def _plan_blinks(self, start: float, count: int) -> tuple[tuple[float, float], ...]:
        starts = start + np.concatenate(
            [[0.0], np.cumsum(self._rng.uniform(*self.habits.blink_every_ms, size=count - 1))]
        )
        return tuple((float(begin), float(self._rng.uniform(*self.habits.blink_ms))) for begin in starts)


class Sway:
    """Small motion nobody can suppress: a few slow waves with random phases per degree of freedom."""

    # degrees for yaw, pitch, roll; metres for x, y, z: what people who sit still show on webcams, by eye
    SIZES = (0.7, 0.5, 0.4, 0.0025, 0.0015, 0.003)
    PERIODS_MS = (5300.0, 2900.0, 1300.0)
    CALMING_MS = 350.0

    def __init__(self, *, seed: int, strength: float) -> None:
        rng = np.random.default_rng(seed)
        self._phases = rng.uniform(0, 2 * np.pi, (len(self.SIZES), len(self.PERIODS_MS)))
        self.quiet_at: tuple[float, ...] = ()
        self._sizes = strength * np.array(self.SIZES)[:, None] * np.array([1.0, 0.6, 0.25])

    def pose(self, at_ms: float) -> Pose:
        """Return the angles at this instant."""
        yaw, pitch, roll = (self._value(axis, at_ms) for axis in range(3))
        return Pose(yaw=yaw, pitch=pitch, roll=roll)

    def x(self, at_ms: float) -> float:
        """Sideways, metres."""
        return self._value(3, at_ms)

    def y(self, at_ms: float) -> float:
        """Up and down, metres."""
        return self._value(4, at_ms)

    def z(self, at_ms: float) -> float:
        """To and fro, metres."""
        return self._value(5, at_ms)

    def _value(self, axis: int, at_ms: float) -> float:
        waves = np.sin(2 * np.pi * at_ms / np.array(self.PERIODS_MS) + self._phases[axis])
        gain = min((ease(abs(at_ms - still) / self.CALMING_MS) for still in self.quiet_at), default=1.0)
        return float((self._sizes[axis] * waves).sum()) * gain


def ease(share: float) -> float:
    """Minimum-jerk motion from 0 to 1, the way limbs and heads move."""
    s = min(max(share, 0.0), 1.0)
    return s * s * s * (10 - 15 * s + 6 * s * s)


def _lid(since_ms: float, length_ms: float) -> float:
    """Lids fall in a third of a blink, rest shut shortly and rise more slowly."""
    share = since_ms / length_ms
    if not 0 < share < 1:
        return 0.0
    if share < 0.5:
        return ease(share / 0.3)
    return 1 - ease((share - 0.5) / 0.5)
