"""Faces become many small crops, once, before training: real ones seen again, and pictures presented again.

Rules:
 * Everything goes through the same camera (camera.py) with the same odds, whatever its label.
 * Every source that can be on both sides is: live LFW, London, NUAA and clips are also printed and shown on screens.
 * A crop is kept a little larger than the net's input; training cuts, mirrors and tints it (net.py).
 * Deterministic: each crop has its own generator, seeded by the seed, the group and its number.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from biometric.texture import Edge, crop, face_square
from biometric.training.camera import CameraOdds, expose
from biometric.training.recapture import RecaptureOdds, Scene, face_view, print_view, screen_view
from biometric.training.sources import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.random import Generator
    from numpy.typing import NDArray

    from biometric.training.faces import Face
    from biometric.types import Image

    Report = Callable[[int, int], None]

KEPT_PX: Final = 104
ROOM_PX: Final = 160


class How(StrEnum):
    """How a face comes before the camera."""

    AS_IS = "as_is"
    PRINT = "print"
    SCREEN = "screen"


@dataclass(frozen=True, slots=True)
class Group:
    """Crops of one origin and one way of showing; `count` are made, `weight` is their share of a batch."""

    kind: Kind
    how: How
    count: int
    weight: float

    @property
    def is_spoof(self) -> bool:
        """The label."""
        return self.how is not How.AS_IS or self.kind.is_attack

    @property
    def name(self) -> str:
        """What the manifest calls it."""
        return f"{self.kind}:{self.how}"


GROUPS: Final = (
    Group(Kind.NUAA_LIVE, How.AS_IS, 2000, 0.16),
    Group(Kind.LFW, How.AS_IS, 3000, 0.15),
    Group(Kind.LONDON, How.AS_IS, 900, 0.08),
    Group(Kind.CLIP_LIVE, How.AS_IS, 1100, 0.11),
    Group(Kind.NUAA_PRINT, How.AS_IS, 2400, 0.20),
    Group(Kind.LFW, How.PRINT, 1500, 0.06),
    Group(Kind.LFW, How.SCREEN, 1500, 0.06),
    Group(Kind.LONDON, How.PRINT, 500, 0.03),
    Group(Kind.LONDON, How.SCREEN, 500, 0.03),
    Group(Kind.NUAA_LIVE, How.PRINT, 500, 0.03),
    Group(Kind.NUAA_LIVE, How.SCREEN, 500, 0.03),
    Group(Kind.CLIP_LIVE, How.PRINT, 500, 0.03),
    Group(Kind.CLIP_LIVE, How.SCREEN, 500, 0.03),
)


@dataclass(frozen=True, slots=True)
class PoolPlan:
    """All that decides what the crops look like; written into the manifest.

    Attributes:
        groups: what is made of which source.
        camera: odds of the camera.
        recapture: odds of the presentation.
        scales: crop sides in sides of the face, as in TextureSpec.
        jitter: range of a factor on every scale.
        shift: most displacement of the middle, in sides of the face.
    """

    groups: tuple[Group, ...] = GROUPS
    camera: CameraOdds = field(default_factory=CameraOdds)
    recapture: RecaptureOdds = field(default_factory=RecaptureOdds)
    scales: tuple[float, ...] = (2.0, 0.8)
    jitter: tuple[float, float] = (0.85, 1.12)
    shift: float = 0.06


@dataclass(frozen=True, slots=True, repr=False)
class Pool:
    """Crops with labels: N x side x side x (3 for each scale) RGB, and for each its group and its person."""

    crops: NDArray[np.uint8]
    group: NDArray[np.int32]
    person: tuple[str, ...]
    groups: tuple[Group, ...]

    @property
    def label(self) -> NDArray[np.float32]:
        """1 for spoof, 0 for live."""
        return np.array([group.is_spoof for group in self.groups], np.float32)[self.group]

    def __repr__(self) -> str:
        return f"Pool({len(self.crops)} crops in {len(self.groups)} groups)"


def present(face: Face, how: How, room: Image, plan: PoolPlan, rng: Generator) -> Scene:
    """Return what the camera then sees (float32, before the camera)."""
    if how is How.PRINT:
        return print_view(face.image, face.points, room, plan.recapture, rng)
    if how is How.SCREEN:
        return screen_view(face.image, face.points, room, plan.recapture, rng)
    return face_view(face.image, face.points, plan.recapture, rng)


def make_pool(faces: Sequence[Face], plan: PoolPlan, *, seed: int, side: int = KEPT_PX, report: Report) -> Pool:
    """Return the crops. Groups whose source has no face are left out."""
    by_kind: dict[Kind, list[Face]] = {}
    for face in faces:
        by_kind.setdefault(face.item.kind, []).append(face)
    groups = tuple(group for group in plan.groups if group.kind in by_kind)
    total = sum(group.count for group in groups)
    crops = np.empty((total, side, side, 3 * len(plan.scales)), np.uint8)
    numbers, people = np.empty(total, np.int32), []
    done = 0
    for number, group in enumerate(groups):
        ordered = _person_by_person(by_kind[group.kind])
        for count in range(group.count):
            face = ordered[count % len(ordered)]
            rng = np.random.default_rng([seed, _stable(group.name), count])
            room = _room(faces[int(rng.integers(len(faces)))].image, rng)
            scene = present(face, group.how, room, plan, rng)
            crops[done] = _crop(scene, plan, rng, side)
            numbers[done] = number
            people.append(face.item.person)
            done += 1
            report(done, total)
    return Pool(crops, numbers, tuple(people), groups)


def _crop(scene: Scene, plan: PoolPlan, rng: Generator, side: int) -> Image:
    pixels = expose(scene.pixels, plan.camera, rng)
    x, y, size = face_square(scene.points)
    dx, dy = rng.uniform(-plan.shift, plan.shift, 2) * size
    factor = rng.uniform(*plan.jitter)
    square = (x + dx, y + dy, size * factor)
    parts = [crop(pixels, square, scale=scale, size=side, edge=Edge.INSIDE)[..., ::-1] for scale in plan.scales]
    return np.concatenate(parts, axis=2)


def _room(image: Image, rng: Generator) -> Image:
    """Return a part of another picture, as what stands behind a sheet."""
    height, width = image.shape[:2]
    side = int(min(height, width) * rng.uniform(0.4, 1.0))
    top, left = int(rng.integers(height - side + 1)), int(rng.integers(width - side + 1))
    part = image[top : top + side, left : left + side]
    return np.asarray(cv2.resize(part, (ROOM_PX, ROOM_PX), interpolation=cv2.INTER_AREA), np.uint8)


def _person_by_person(faces: Sequence[Face]) -> list[Face]:
    """Return the faces so that people take turns: a person with few pictures is shown as often as one with many."""
    piles: dict[str, list[Face]] = {}
    for face in faces:
        piles.setdefault(face.item.person, []).append(face)
    longest = max(len(pile) for pile in piles.values())
    return [pile[turn % len(pile)] for turn in range(longest) for pile in piles.values()]


def _stable(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big")


def counts(pool: Pool) -> Mapping[str, int]:
    """Return how many crops each group has."""
    return {group.name: int((pool.group == number).sum()) for number, group in enumerate(pool.groups)}
