"""Frames that never saw this camera (simulated): recordings sent as bytes, cut, stuttering, out of order.

An injector has a method `jpeg` that gives its recorded bytes as they are; `tests.simulator.jpeg` uses it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from tests.simulator.camera import encode
from tests.simulator.clips import CLIP_FPS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from biometric.types import Image
    from tests.simulator.actor import Actor
    from tests.simulator.clips import Clip

FPS = 15
ROUNDING = 0.01  # of a frame: times are whole milliseconds


class Injected:
    """A recorded session sent again from its beginning, byte for byte, whatever is asked."""

    def __init__(self, frames: Sequence[bytes], *, fps: float = FPS) -> None:
        self._frames, self._fps = frames, fps

    def show(self, action: str, count: int, at_ms: float) -> None:
        """Pay no attention."""

    def jpeg(self, at_ms: float) -> bytes:
        """Return recorded bytes."""
        return self._frames[int(at_ms * self._fps / 1000 + ROUNDING) % len(self._frames)]

    def frame(self, at_ms: float) -> Image:
        """Return the picture in these bytes."""
        return np.asarray(cv2.imdecode(np.frombuffer(self.jpeg(at_ms), np.uint8), cv2.IMREAD_COLOR), dtype=np.uint8)


class CutClips(Injected):
    """Has a clip for every action and cuts to the middle of the right one as soon as it is asked."""

    def __init__(self, clips: Mapping[str, Clip], *, fps: int = CLIP_FPS) -> None:
        super().__init__(clips["centre:1"].loop, fps=fps)
        self._clips, self._since = clips, 0.0

    def show(self, action: str, count: int, at_ms: float) -> None:
        """Cut; the light of the page goes over a face that stays near."""
        if action == "flash":
            self._frames, self._since = self._clips["closer:1"].loop, at_ms
            return
        clip = self._clips[f"{action}:{count if action == 'blink' else 1}"]
        self._frames = (clip.loop or clip.enter) if action.startswith("turn") else (*clip.enter, *clip.loop)
        self._since = at_ms

    def jpeg(self, at_ms: float) -> bytes:
        """Return recorded bytes, counted from the cut."""
        return super().jpeg(at_ms - self._since)


class Stuttering:
    """Somebody obeys, but every picture is sent `times` times, as a frozen or slowed stream would."""

    def __init__(self, actor: Actor, *, times: int = 3, fps: int = FPS) -> None:
        self._actor, self._hold_ms = actor, 1000 * times / fps
        self._kept: tuple[int, bytes] | None = None

    def show(self, action: str, count: int, at_ms: float) -> None:
        """Obey."""
        self._actor.show(action, count, at_ms)

    def frame(self, at_ms: float) -> Image:
        """Return the picture of these bytes."""
        return np.asarray(cv2.imdecode(np.frombuffer(self.jpeg(at_ms), np.uint8), cv2.IMREAD_COLOR), dtype=np.uint8)

    def jpeg(self, at_ms: float) -> bytes:
        """Return the bytes of the current hold."""
        number = int(at_ms / self._hold_ms)
        if self._kept is None or self._kept[0] != number:
            self._kept = (number, encode(self._actor.frame(at_ms)))
        return self._kept[1]


class Relay:
    """Two actors share the camera: `second` takes over for the actions that `takes_over` picks (identity swap)."""

    def __init__(self, first: Actor, second: Actor, *, takes_over: Callable[[str], bool]) -> None:
        self._actors, self._takes_over, self._now = (first, second), takes_over, 0

    def show(self, action: str, count: int, at_ms: float) -> None:
        """Both see it; who is at the camera changes at once."""
        self._now = int(self._takes_over(action))
        for actor in self._actors:
            actor.show(action, count, at_ms)

    def hear(self, hint: str, at_ms: float) -> None:
        """Whoever is at the camera reads the hint."""
        heard = getattr(self._actors[self._now], "hear", None)
        if heard is not None:
            heard(hint, at_ms)

    def light(self, colour: tuple[float, float, float], at_ms: float) -> None:
        """The screen lights whoever is before it."""
        for actor in self._actors:
            lit = getattr(actor, "light", None)
            if lit is not None:
                lit(colour, at_ms)

    def frame(self, at_ms: float) -> Image:
        """Return the camera's picture."""
        return self._actors[self._now].frame(at_ms)


def reordered(frames: Sequence[bytes], *, window: int = 6, seed: int = 0) -> list[bytes]:
    """Return the same frames shuffled within windows."""
    rng = np.random.default_rng(seed)
    parts = [list(frames[k : k + window]) for k in range(0, len(frames), window)]
    return [part[i] for part in parts for i in rng.permutation(len(part))]


def duplicated(frames: Sequence[bytes], *, every: int = 5) -> list[bytes]:
    """Return the frames with every so-manieth one sent twice."""
    return [again for k, frame in enumerate(frames) for again in ([frame] * 2 if k % every == 0 else [frame])]
