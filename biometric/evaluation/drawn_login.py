"""One login of the drawn face, as a page films and sends it: all five steps, at a rate of one's choice.

Rules:
 * Everything has its time, so a page that films slowly and one that films quickly show the same login. The times leave
   room for each step to be revealed first: a page that sends a batch every half second is quick enough.
 * SPARSE is the slowest film that the rules of a challenge still let in, with 60 frames: the unit of the speed goal.
   FLUENT is what a page films (static/js/face/camera.js), with two and a half times as many.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from biometric.evaluation.drawn_face import SIZE, Look, draw
from biometric.liveness.challenge import COLOURS, HOLD_MS
from biometric.types import Frame

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

STEPS: Final = "turn_left blink:1 smile closer flash"
SHOWN: Final = tuple(COLOURS[place] for place in (0, 2, 1, 4, 3, 0, 5))
LIGHT_MS: Final = 6200  # when the page begins to show them
DISPLAY_LAG_MS: Final = 60
LENGTH_MS: Final = 10_330
NOISE: Final = 3.0  # grey levels; a sensor's

# Time and value, straight lines between.
_YAW: Final = ((1060, 0), (1700, 28), (2000, 28), (2400, 0))
_BLINK: Final = ((2500, 0), (2600, 1), (2720, 1), (2800, 0))
_SMILE: Final = ((3720, 0), (3850, 1), (4580, 1), (4800, 0))
_NEAR: Final = ((4740, 1.0), (5600, 1.5))


@dataclass(frozen=True, slots=True)
class Film:
    """How a page films: a frame every so often, sent so many at a time."""

    every_ms: int
    batch: int

    @property
    def frames(self) -> int:
        """How many frames a whole login has, in whole batches."""
        return (LENGTH_MS // self.every_ms + 1) // self.batch * self.batch


SPARSE: Final = Film(every_ms=175, batch=3)
FLUENT: Final = Film(every_ms=66, batch=6)


def login_frames(film: Film = SPARSE, *, seed: int = 1) -> Iterator[Frame]:
    """Yield the frames of one login that does STEPS."""
    rng = np.random.default_rng(seed)
    for seq in range(film.frames):
        noisy = draw(look_at(seq * film.every_ms)).astype(np.float32) + rng.normal(0, NOISE, (SIZE[1], SIZE[0], 3))
        picture = np.clip(noisy, 0, 255).astype(np.uint8)
        jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes()
        yield Frame(seq, seq * film.every_ms, jpeg)


def batches(frames: Sequence[Frame], film: Film) -> Iterator[tuple[Sequence[Frame], int | None]]:
    """Yield what the page sends: each batch begins with the last frame of the one before; and when its light began."""
    for start in range(0, len(frames), film.batch):
        batch = frames[max(0, start - 1) : start + film.batch]
        yield batch, LIGHT_MS if batch[-1].captured_ms >= LIGHT_MS else None


def look_at(now_ms: float) -> Look:
    """Return what the face does at this time."""
    yaw, blink, smile, near = (_between(course, now_ms) for course in (_YAW, _BLINK, _SMILE, _NEAR))
    return Look(yaw=yaw, blink=blink, smile=smile, near=near, light=_light(now_ms - DISPLAY_LAG_MS))


def _between(course: Sequence[tuple[float, float]], now_ms: float) -> float:
    times, values = zip(*course, strict=True)
    return float(np.interp(now_ms, times, values))


def _light(now_ms: float) -> tuple[float, float, float]:
    """Return the screen's linear light, blue, green, red; dark before and after the colours."""
    place = int((now_ms - LIGHT_MS) // HOLD_MS)
    if not 0 <= place < len(SHOWN):
        return (0.0, 0.0, 0.0)
    red, green, blue = ((value / 255) ** 2.2 for value in SHOWN[place])
    return (blue, green, red)
