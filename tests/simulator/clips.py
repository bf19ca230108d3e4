"""Recordings of an actor: a known script as frames or as a .y4m file, and clips per action that a browser can play.

A clip has three parts: `enter` leads from the neutral pose into the action, `loop` can be repeated as long as the page
waits, `leave` leads back. Parts begin and end without sway, and every REST_FRAMES-th frame of a loop has none: cuts at
these places show no jump.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from tests.simulator.actor import Person
from tests.simulator.camera import encode
from tests.simulator.light import GAMMA, ScreenLight
from tests.simulator.timeline import Habits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from biometric.types import Image
    from tests.simulator.actor import Actor
    from tests.simulator.subject import Pose, Subject

FPS = 15  # of films, as the page takes them
CLIP_FPS = 30  # of clips, which the page samples 15 times a second: at 15 it saw some pictures twice and missed others
REST_FRAMES = 24
REST_MS = 1000 * REST_FRAMES / CLIP_FPS
CLIP_QUALITY = 80  # 24 MB for all; the page compresses once more
STEPS = (
    *(("centre", 1), ("turn_left", 1), ("turn_right", 1), ("blink", 1), ("blink", 2), ("blink", 3)),
    *(("smile", 1), ("closer", 1)),
)
"""A flash is the loop of `closer`, lit by whoever plays the clip."""
BLINK_PART_MS = 720.0
PARTS_MS = {  # enter, loop, leave
    "centre": (0.0, 4 * REST_MS, 0.0),
    "turn_left": (1100.0, 2 * REST_MS, 800.0),
    "turn_right": (1100.0, 2 * REST_MS, 800.0),
    "smile": (700.0, 2 * REST_MS, 700.0),
    "closer": (1400.0, 2 * REST_MS, 1400.0),
}
STRONG = ScreenLight((1.0, 1.0, 1.0), share=0.3)
DARK = 12  # of 255: below, two renderings differ by rounding
PROMPT = Habits(reaction_ms=(0.0, 0.0), hold_ms=float("inf"), again_ms=float("inf"), sway=0.4)
"""For clips: the browser script adds the reaction time, most of the sway, and a second try."""


@dataclass(frozen=True, slots=True, repr=False)
class Clip:
    """JPEG frames of one action at CLIP_FPS."""

    enter: tuple[bytes, ...]
    loop: tuple[bytes, ...]
    leave: tuple[bytes, ...]
    light: bytes = b""
    """Where light from the front falls on the loop's picture: a PNG's alpha. Empty: nobody knows."""


def record_clips(make_actor: Callable[[], Actor]) -> dict[str, Clip]:
    """Record every step a server can ask for; keys are "action:count". A fresh actor plays each."""
    return {f"{action}:{count}": record_clip(make_actor(), action, count) for action, count in STEPS}


def person_clips(subject: Subject, *, seed: int, habits: Habits = PROMPT) -> dict[str, Clip]:
    """Record a genuine person, and where the light of a screen falls on whoever has come near."""
    clips = record_clips(lambda: Person(subject, seed=seed, habits=habits))
    person = Person(subject, seed=seed, habits=habits)
    person.show("closer", 1, 0.0)
    near = person.pose(PARTS_MS["closer"][0])
    clips["closer:1"] = replace(clips["closer:1"], light=light_map(subject, near))
    return clips


def light_map(subject: Subject, pose: Pose) -> bytes:
    """Return the share of a screen's light at each pixel, the greatest as 255, as the alpha of a PNG.

    Read from two renderings, so it is Lambert's law on this very head (light.py), and the wall gets little.
    """
    dark, lit = (subject.render(pose, light).astype(np.float32).mean(axis=2) for light in (None, STRONG))
    share = np.where(dark > DARK, (lit / np.maximum(dark, 1)) ** GAMMA - 1, 0).astype(np.float32)
    share = cv2.GaussianBlur(cv2.medianBlur(share, 5), (0, 0), 3)
    layer = np.zeros((*share.shape, 4), np.uint8)
    layer[..., 3] = np.clip(255 * share / share.max(), 0, 255)
    return cv2.imencode(".png", layer)[1].tobytes()


def record_clip(actor: Actor, action: str, count: int) -> Clip:
    """Record one action."""
    enter, loop, leave = PARTS_MS.get(action, (count * BLINK_PART_MS, 0.0, 0.0))
    rests = tuple(enter + k * REST_MS for k in range(round(loop / REST_MS) + 1))
    quiet = getattr(actor, "quiet_at", None)
    if quiet is not None:
        quiet((0.0, *rests, enter + loop + leave))
    actor.show(action, count, 0.0)
    first = _record(actor, 0.0, enter)
    second = _record(actor, enter, loop)
    actor.show("centre", 1, enter + loop)
    return Clip(first, second, _record(actor, enter + loop, leave))


def render(actor: Actor, action: str, count: int, *, seconds: float, fps: int = FPS) -> list[bytes]:
    """Return the JPEG frames of an actor who is asked for one action at the start."""
    actor.show(action, count, 0.0)
    return [encode(actor.frame(1000 * k / fps)) for k in range(round(seconds * fps))]


def play(actor: Actor, script: Sequence[tuple[str, int, float]], *, fps: int = FPS) -> Iterator[Image]:
    """Yield the frames of a known script of (action, count, seconds)."""
    number, ends = 0, 0.0
    for action, count, seconds in script:
        actor.show(action, count, ends * 1000)
        ends += seconds
        while number / fps < ends:
            yield actor.frame(1000 * number / fps)
            number += 1


def write_y4m(path: Path, frames: Iterable[Image], *, fps: int = FPS) -> int:
    """Write a film for Chromium's --use-file-for-fake-video-capture; returns the number of frames."""
    written = 0
    with path.open("wb") as stream:
        for frame in frames:
            height, width = frame.shape[:2]
            if not written:
                stream.write(f"YUV4MPEG2 W{width} H{height} F{fps}:1 Ip A1:1 C420jpeg\n".encode())
            stream.write(b"FRAME\n" + np.ascontiguousarray(cv2.cvtColor(frame, cv2.COLOR_BGR2YUV_I420)).tobytes())
            written += 1
    return written


def _record(actor: Actor, start_ms: float, length_ms: float) -> tuple[bytes, ...]:
    count = round(length_ms * CLIP_FPS / 1000)
    return tuple(encode(actor.frame(start_ms + 1000 * k / CLIP_FPS), quality=CLIP_QUALITY) for k in range(count))
