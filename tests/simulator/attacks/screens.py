"""Screens held to the camera (simulated): a still, or the film of an earlier genuine session, photographed again.

What re-photographing adds: the frame of the device, the screen's own gamma and bluish white, sub-pixel stripes that
alias against the sensor (moire), a reflection, bands of brightness that roll, a second lens and a second noise.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import cv2
import numpy as np

from tests.simulator.attacks.room import room
from tests.simulator.attacks.sheet import Sheet, show_sheet
from tests.simulator.camera import Camera, Sensor
from tests.simulator.light import Glow
from tests.simulator.subject import Pose
from tests.simulator.timeline import Habits, Sway, Timeline

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from biometric.types import Image
    from tests.simulator.actor import Actor
    from tests.simulator.raster import Drawing


@dataclass(frozen=True, slots=True)
class Device:
    """A screen. `share_shown` is the part of the recorded picture's width that the screen shows (zoomed in)."""

    width_m: float
    bezel_m: float
    dots_across: int
    distance_m: float
    share_shown: float
    stripes: float = 0.07
    glare: float = 55.0


PHONE = Device(width_m=0.145, bezel_m=0.007, dots_across=2400, distance_m=0.16, share_shown=0.85)
TABLET = Device(width_m=0.21, bezel_m=0.012, dots_across=2224, distance_m=0.24, share_shown=0.9)
TABLET_CLOSE = Device(width_m=0.21, bezel_m=0.012, dots_across=2224, distance_m=0.165, share_shown=1.0)
"""So near that no bezel is in the picture."""
IN_HANDS = Habits(turn_deg=(28.0, 34.0), turn_ms=(700.0, 1000.0), sway=0.8)
SCREEN_PX = 900
GLASS_REFLECTS = 0.1  # lit glass: its own light drowns most of what falls on it


class Closer(StrEnum):
    """How an attacker makes the face on a screen larger when the page asks for it."""

    HANDS = "hands"  # brings the device nearer
    ZOOM = "zoom"  # enlarges the film
    FILM = "film"  # does nothing: what is shown comes nearer by itself


class ScreenAttack:
    """A device that shows `source(at_ms)`; it answers a turn by being turned itself only if `turns` is set."""

    def __init__(
        self,
        source: Callable[[float], Image],
        *,
        seed: int,
        device: Device = TABLET,
        turns: bool = False,
        closer: Closer = Closer.HANDS,
    ) -> None:
        self.camera, self.device = Camera(), device
        self._source, self._turns, self._closer = source, turns, closer
        self._room = room(seed=seed)
        self._sensor = Sensor(seed=seed + 1)
        self._sway = Sway(seed=seed + 2, strength=IN_HANDS.sway)
        self._timeline = Timeline(IN_HANDS, seed=seed)
        self._glow = Glow()
        self._shown: tuple[Image, float, NDArray[np.uint8]] | None = None
        self._bezel_px = round(SCREEN_PX * device.bezel_m / device.width_m)

    def show(self, action: str, count: int, at_ms: float) -> None:
        """See the instruction."""
        self._timeline.show(action, count, at_ms)

    def hear(self, hint: str, at_ms: float) -> None:
        """Follow a hint of the page."""
        self._timeline.hear(hint, at_ms)

    def light(self, colour: tuple[float, float, float], at_ms: float) -> None:
        """The screen before the device shines in this colour."""
        self._glow.show(colour, at_ms)

    def quiet_at(self, times_ms: tuple[float, ...]) -> None:
        """Hold the device still at these instants, where a recording will be cut."""
        self._sway.quiet_at = times_ms

    def frame(self, at_ms: float) -> Image:
        """Return the camera's picture."""
        yaw, pitch, roll, x, y, z = self._sway.offsets(at_ms)
        turn = self._timeline.yaw(at_ms) if self._turns else 0.0
        nearness = self._timeline.nearness(at_ms)
        distance = self.device.distance_m / (nearness if self._closer is Closer.HANDS else 1.0)
        pose = Pose(yaw=yaw + turn, pitch=pitch, roll=roll, x_m=x, y_m=y, distance_m=distance + z)
        panel = self._panel(self._source(at_ms), zoom=nearness if self._closer is Closer.ZOOM else 1.0)
        sheet = Sheet(panel, self.device.width_m + 2 * self.device.bezel_m)
        picture = self._room.copy()
        light = self._glow.at(at_ms)
        drawing = sheet.place(self.camera, pose, light)
        if drawing is not None:
            show_sheet(picture, panel, drawing, light, reflects=GLASS_REFLECTS)
            self._add_screen_light(picture, drawing, at_ms, pose)
        return self._sensor.expose(picture)

    def _panel(self, film: Image, *, zoom: float) -> NDArray[np.uint8]:
        """Return the device's front; a picture that stays is made once."""
        if self._shown is None or self._shown[0] is not film or self._shown[1] != zoom:
            self._shown = (film, zoom, self._front(film, zoom))
        return self._shown[2]

    def _front(self, film: Image, zoom: float) -> NDArray[np.uint8]:
        """Make it: the film, zoomed in, with the screen's colours, inside a black frame."""
        height, width = film.shape[:2]
        whole = self.device.share_shown
        size = (SCREEN_PX, round(SCREEN_PX * height / width))
        scale = SCREEN_PX / (width * whole / zoom)
        matrix = np.array([[scale, 0, (size[0] - scale * width) / 2], [0, scale, (size[1] - scale * height) / 2]])
        lit = cv2.warpAffine(cv2.LUT(film, CURVE), matrix, size, flags=cv2.INTER_LINEAR)
        edge = self._bezel_px
        framed = cv2.copyMakeBorder(lit, edge, edge, edge, edge, cv2.BORDER_CONSTANT, value=(18, 18, 18))
        return np.asarray(cv2.cvtColor(framed, cv2.COLOR_BGR2BGRA), dtype=np.uint8)

    def _add_screen_light(self, picture: Image, drawing: Drawing, at_ms: float, pose: Pose) -> None:
        """Add stripes that alias, rolling bands and a reflection to the part that shows the screen."""
        region = picture[drawing.region].astype(np.float32)
        dots = self.device.dots_across / SCREEN_PX
        across, down = (_wave(np.float32(dots) * place) for place in (drawing.map_x, drawing.map_y))
        rows = np.arange(region.shape[0], dtype=np.float32)[:, None]
        bands = 0.02 * np.sin(2 * np.pi * (rows / 160 + at_ms / 700))
        even = 1 + np.float32(0.5 * self.device.stripes) * down[1] + bands.astype(np.float32)
        mirrored = self._reflection(region.shape, pose)
        for k, shift in enumerate(2 * np.pi / 3 * np.arange(3)):  # each colour's stripes lie beside the others'
            sine, cosine = np.float32(self.device.stripes * np.array([np.cos(shift), np.sin(shift)]))
            grid = even + sine * across[1] + cosine * across[0]
            region[..., k] = region[..., k] * grid + mirrored
        picture[drawing.region] = np.clip(region, 0, 255)

    def _reflection(self, shape: tuple[int, ...], pose: Pose) -> NDArray[np.float32]:
        """Return a lamp mirrored in the glass; it wanders twice as fast as the glass turns."""
        y, x = np.indices(shape[:2], dtype=np.float32, sparse=True)
        centre_x = shape[1] * 0.7 + 8 * pose.yaw
        centre_y = shape[0] * 0.22 + 8 * pose.pitch
        spot = ((x - centre_x) / 70) ** 2 + ((y - centre_y) / 34) ** 2
        return np.asarray(self.device.glare * np.exp(-(spot**2)), dtype=np.float32)


class StillOnScreen(ScreenAttack):
    """A photo on a screen, which is turned when a turn is asked for."""

    def __init__(self, photo: Image, *, seed: int, device: Device = TABLET, closer: Closer = Closer.HANDS) -> None:
        super().__init__(lambda _: photo, seed=seed, device=device, turns=True, closer=closer)


class FilmOnScreen(ScreenAttack):
    """A recorded session played from its beginning, whatever is asked."""

    def __init__(
        self,
        film: list[Image],
        *,
        seed: int,
        fps: float = 15,
        device: Device = TABLET,
        closer: Closer = Closer.HANDS,
    ) -> None:
        def source(at_ms: float) -> Image:
            return film[int(at_ms * fps / 1000) % len(film)]

        super().__init__(source, seed=seed, device=device, closer=closer)


class PuppetOnScreen(ScreenAttack):
    """The strongest film: it always shows what is asked (clips per action, or a face swapped live), on a screen."""

    def __init__(self, puppet: Actor, *, seed: int, device: Device = TABLET) -> None:
        super().__init__(puppet.frame, seed=seed, device=device, closer=Closer.FILM)
        self._puppet = puppet

    def show(self, action: str, count: int, at_ms: float) -> None:
        """Choose the clip."""
        super().show(action, count, at_ms)
        self._puppet.show(action, count, at_ms)

    def quiet_at(self, times_ms: tuple[float, ...]) -> None:
        """Hold device and puppet still at these instants."""
        super().quiet_at(times_ms)
        quiet = getattr(self._puppet, "quiet_at", None)
        if quiet is not None:
            quiet(times_ms)


def _wave(turns: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return cosine and sine."""
    cosine, sine = cv2.polarToCart(np.ones_like(turns), np.float32(2 * np.pi) * (turns - np.floor(turns)))
    return np.asarray(cosine, dtype=np.float32), np.asarray(sine, dtype=np.float32)


def _curve() -> NDArray[np.uint8]:
    """Return a look-up table for B, G, R: a little more contrast, blacks that glow, bluish white."""
    level = np.arange(256) / 255
    curve = 0.04 + 0.93 * level**1.12
    return np.clip(255 * curve[:, None] * np.array([1.05, 1.0, 0.96]), 0, 255).astype(np.uint8)[None]


CURVE = _curve()
