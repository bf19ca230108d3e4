"""Which move is how far at which instant: instructions understood late, done one by one, sway over all."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_TRIES = 5
NUDGES = {"come_closer": 1.08, "too_close": 0.85}  # times as near
NUDGE_MS = 500.0
SLOWER = 1.6  # times as long, for whoever is asked to be slower
ACTIONS = ("centre", "turn_left", "turn_right", "blink", "smile", "closer", "flash")


@dataclass(frozen=True, slots=True)
class Habits:
    """How somebody moves. Pairs are uniform ranges; angles in degrees, times in milliseconds."""

    reaction_ms: tuple[float, float] = (250.0, 450.0)
    turn_deg: tuple[float, float] = (25.0, 30.0)
    turn_ms: tuple[float, float] = (650.0, 900.0)
    hold_ms: float = 2500.0
    again_ms: float = 2200.0  # whoever sees that the page still waits does it once more after this pause
    back_ms: float = 600.0
    blink_ms: tuple[float, float] = (230.0, 300.0)
    blink_every_ms: tuple[float, float] = (560.0, 700.0)
    smile_ms: float = 400.0
    closer: tuple[float, float] = (1.44, 1.54)  # times as near; the page asks for at least 1.4
    closer_ms: tuple[float, float] = (800.0, 1300.0)
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


class Timeline:
    """The instructions one actor has been given, and how far each is at an instant."""

    def __init__(self, habits: Habits, *, seed: int) -> None:
        self.habits = habits
        self._rng = np.random.default_rng(seed)
        self._moves: list[_Move] = []
        self._pace = 1.0

    def hear(self, hint: str, at_ms: float) -> None:
        """Follow a hint of the page: be slower, or a little nearer or farther away."""
        if hint in {"turn_slower", "closer_slower"}:
            self._pace *= SLOWER
            self.show(self._moves[-1].action, 1, at_ms)
        elif hint in NUDGES and any(move.action == "closer" for move in self._moves):
            start = at_ms + self._rng.uniform(*self.habits.reaction_ms)
            arrived = max(move.start + move.ramp_ms for move in self._moves if move.action == "closer")
            if start > arrived:  # whoever is on the way already does what the hint says
                self._moves.append(_Move("closer", start, NUDGES[hint], NUDGE_MS))

    def show(self, action: str, count: int, at_ms: float) -> None:
        """Understand a new instruction and act on it after the reaction time."""
        if action not in ACTIONS:
            raise ValueError(f"nobody can do {action!r}")
        understood = at_ms + self._rng.uniform(*self.habits.reaction_ms)
        busy = 0.0
        for move in self._moves:
            if move.end > understood and not (action == "flash" and move.action == "closer"):  # for the light one stays
                move.end = understood
                back_ms = self.habits.back_ms if move.action.startswith("turn") else move.ramp_ms
                busy = max(busy, back_ms) if move.action.startswith("turn") or move.action == "closer" else busy
        start = understood + busy
        strength, ramp = 1.0, self.habits.smile_ms
        if action.startswith("turn"):
            strength, ramp = self._rng.uniform(*self.habits.turn_deg), self._rng.uniform(*self.habits.turn_ms)
            ramp *= self._pace
        elif action == "closer":
            strength, ramp = self._rng.uniform(*self.habits.closer), self._rng.uniform(*self.habits.closer_ms)
            ramp *= self._pace
        blinks = tuple(self._plan_blinks(start, count)) if action == "blink" else ()
        self._moves.append(_Move(action, start, strength, ramp, blinks))

    def yaw(self, at_ms: float) -> float:
        """Degrees towards the person's own left."""
        turns = (move for move in self._moves if move.action.startswith("turn"))
        return sum(
            (1 if move.action == "turn_left" else -1) * move.strength * self._part(move, at_ms, self.habits.hold_ms)
            for move in turns
        )

    def smile(self, at_ms: float) -> float:
        """How broad the smile is, 0 to 1."""
        smiles = (move for move in self._moves if move.action == "smile")
        return max((self._part(move, at_ms, float("inf")) for move in smiles), default=0.0)

    def nearness(self, at_ms: float) -> float:
        """By how much the distance at rest is to be divided: 1, or more after coming closer."""
        nearer = 1.0
        for move in (move for move in self._moves if move.action == "closer"):
            part = self._part(move, at_ms, float("inf"), back_ms=move.ramp_ms)
            nearer /= 1 - (1 - 1 / move.strength) * part  # even in metres, as a body moves
        return nearer

    def blink(self, at_ms: float) -> float:
        """How far the lids are closed, 0 to 1."""
        planned = (blink for move in self._moves for blink in move.blinks if blink[0] < move.end)
        return max((_lid(at_ms - start, length) for start, length in planned), default=0.0)

    def _part(self, move: _Move, at_ms: float, hold_ms: float, *, back_ms: float | None = None) -> float:
        """Return how far a move has gone: up, hold, down when it ends; and once more, if nothing new came."""
        back_ms = back_ms or self.habits.back_ms
        start, whole = move.start, move.ramp_ms + hold_ms + back_ms + self.habits.again_ms
        last = min(at_ms, move.end)
        if np.isfinite(whole) and last > start:
            start += whole * ((last - start) // whole)
        end = min(move.end, start + move.ramp_ms + hold_ms)
        up = ease((at_ms - start) / move.ramp_ms)
        reached = ease((end - start) / move.ramp_ms)
        return min(up, reached) * (1 - ease((at_ms - end) / back_ms))

    def _plan_blinks(self, start: float, count: int) -> Iterator[tuple[float, float]]:
        """Yield begin and length of each blink, for several tries."""
        for _ in range(MOST_TRIES):
            for number in range(count):
                yield start, float(self._rng.uniform(*self.habits.blink_ms))
                start += float(self._rng.uniform(*self.habits.blink_every_ms)) if number < count - 1 else 0.0
            start += self.habits.blink_ms[1] + self.habits.again_ms


class Sway:
    """Small motion nobody can suppress: a few slow waves with random phases per degree of freedom."""

    # degrees for yaw, pitch, roll; metres for x, y, z: what people who sit still show on webcams, by eye
    SIZES = (0.7, 0.5, 0.4, 0.0025, 0.0015, 0.003)
    PERIODS_MS = (5300.0, 2900.0, 1300.0)
    CALMING_MS = 350.0

    def __init__(self, *, seed: int, strength: float) -> None:
        rng = np.random.default_rng(seed)
        self._phases = rng.uniform(0, 2 * np.pi, (len(self.SIZES), len(self.PERIODS_MS)))
        self._sizes = strength * np.array(self.SIZES)[:, None] * np.array([1.0, 0.6, 0.25])
        self.quiet_at: tuple[float, ...] = ()

    def offsets(self, at_ms: float) -> tuple[float, ...]:
        """Return yaw, pitch, roll in degrees and x, y, z in metres."""
        waves = np.sin(2 * np.pi * at_ms / np.array(self.PERIODS_MS) + self._phases)
        gain = min((ease(abs(at_ms - still) / self.CALMING_MS) for still in self.quiet_at), default=1.0)
        return tuple(((self._sizes * waves).sum(axis=1) * gain).tolist())


def ease(share: float) -> float:
    """Minimum-jerk motion from 0 to 1, the way limbs and heads move."""
    s = min(max(share, 0.0), 1.0)
    return s * s * s * (10 - 15 * s + 6 * s * s)


def _lid(since_ms: float, length_ms: float) -> float:
    """Lids fall in a quarter of a blink, rest shut long enough for 15 pictures a second, and rise more slowly."""
    share = since_ms / length_ms
    if not 0 < share < 1:
        return 0.0
    if share < 0.6:
        return ease(share / 0.25)
    return 1 - ease((share - 0.6) / 0.4)
