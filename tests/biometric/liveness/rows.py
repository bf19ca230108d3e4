"""Evidence written by hand: what the frames of a scripted person would have measured, without pictures or models."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from biometric.liveness.challenge import Step, StepKind
from biometric.liveness.cues.planarity import LEAST_TURN
from biometric.liveness.evidence import Baseline, Evidence, Mode, Pose, PoseSample, StepMark, make_row
from biometric.types import FACENET, SFACE, Embedding, FaceEmbeddings

if TYPE_CHECKING:
    from collections.abc import Mapping

FRAME_MS = 66
REST = {
    "presence": 1.0,
    "yaw": 0.0,
    "pitch": 5.0,
    "roll": 0.0,
    "scale": 90.0,
    "x": 320.0,
    "y": 200.0,
    "ear_right": 0.30,
    "ear_left": 0.30,
    "mouth_width": 0.50,
    "mouth_open": 0.0,
    "corners_up": 0.0,
    "light": 120.0,
    "face_change": 0.01,
    "scene_change": 0.001,
    "face_back": 0.01,
    "scene_back": 0.001,
}
HEAD = {"tracked": 0.9, "relief": 1.5, "bump": 0.9, "narrow": 0.0, "residual": 0.1}
BASELINE = Baseline(captured_ms=0.0, yaw=0.0, pitch=5.0, scale=90.0, ear=0.30, mouth_width=0.50, corners_up=0.0)
TURN = Step(StepKind.TURN_LEFT)
BLINK_TWICE = Step(StepKind.BLINK, 2)
SMILE = Step(StepKind.SMILE)


@dataclass
class Script:
    """Frames at 15 a second; every method adds some and returns the script."""

    shake: float = 0.0
    seed: int = 0
    rows: list[Mapping[str, float]] = field(default_factory=list)

    def rest(self, frames: int = 8, **values: float) -> Script:
        """Look straight at the camera."""
        self.rows += [{**REST, **values} for _ in range(frames)]
        return self

    def yaw(self, *degrees: float, **values: float) -> Script:
        """One frame for each angle; beyond the first few degrees the skin tells that it is a head."""
        for angle in degrees:
            skin = HEAD if abs(angle) >= LEAST_TURN else {}
            self.rows.append({**REST, **skin, **values, "yaw": angle})
        return self

    def turn(self, to: float = 26.0, *, frames: int = 8, hold: int = 5, **values: float) -> Script:
        """Turn, stay, turn back."""
        way = list(np.linspace(0, to, frames))
        return self.yaw(*way, *[to] * hold, *way[::-1], **values)

    def blink(self, count: int = 1, *, depth: float = 0.5, shut: int = 2, gap: int = 6, eyes: str = "both") -> Script:
        """Close and open the eyes."""
        closed = {f"ear_{side}": REST[f"ear_{side}"] * depth for side in ("right", "left") if eyes in {"both", side}}
        for _ in range(count):
            self.rest(shut, **closed).rest(gap)
        return self

    def smile(self, frames: int = 8, *, width: float = 1.25, up: float = 0.04) -> Script:
        """Smile from rest and stay so."""
        for share in np.linspace(0, 1, 4):
            wide = REST["mouth_width"] * (1 + (width - 1) * share)
            self.rest(1, mouth_width=wide, corners_up=up * share)
        return self.rest(frames, mouth_width=REST["mouth_width"] * width, corners_up=up)

    def away(self, frames: int) -> Script:
        """Nobody is there."""
        self.rows += [{"presence": 0.0} for _ in range(frames)]
        return self

    @property
    def now_ms(self) -> float:
        """When the last frame was captured."""
        return (len(self.rows) - 1) * FRAME_MS

    def evidence(self, *steps: Step, revealed_ms: float = -200.0, done: bool = False) -> Evidence:
        """Return the evidence, with the first of `steps` revealed and the baseline known."""
        rng = np.random.default_rng(self.seed)
        found = Evidence(steps or (TURN,), (0,) * max(len(steps), 1), Mode.LOGIN, baseline=BASELINE)
        for place, values in enumerate(self.rows):
            shaken = {
                name: value * (1 + self.shake * rng.standard_normal()) + self.shake * rng.standard_normal()
                if name in {"yaw", "pitch", "x", "y", "scale", "ear_right", "ear_left", "mouth_width"}
                else value
                for name, value in values.items()
            }
            found.rows.append(make_row(captured_ms=float(place * FRAME_MS), **shaken))
        found.marks = [StepMark(revealed_ms, self.now_ms if done else None)]
        return found


def embeddings(seed: int, *, near: FaceEmbeddings | None = None, noise: float = 0.3) -> FaceEmbeddings:
    """Return vectors of an invented face, or of `near`'s with some noise."""
    rng = np.random.default_rng(seed)

    def vector(size: int, base: np.ndarray | None) -> np.ndarray:
        drawn = rng.standard_normal(size)
        drawn /= np.linalg.norm(drawn)
        mixed = drawn if base is None else base + noise * drawn
        return (mixed / np.linalg.norm(mixed)).astype(np.float32)

    return FaceEmbeddings(
        facenet=Embedding(vector(512, near.facenet.vector if near else None), FACENET),
        sface=Embedding(vector(128, near.sface.vector if near else None), SFACE),
    )


def sample(pose: Pose, face: FaceEmbeddings, *, at_ms: float = 0.0, yaw: float = 0.0) -> PoseSample:
    """Return an embedded frame."""
    return PoseSample(pose, at_ms, yaw, face)
