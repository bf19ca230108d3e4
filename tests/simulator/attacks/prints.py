"""Prints of the right person (simulated): flat, bent, or with holes through which live eyes look.

The attacker answers a turn by turning the sheet, brings it nearer when asked to come closer, and wags it for everything
else: paper cannot blink or smile.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from tests.simulator.actor import BELOW_AXIS_M
from tests.simulator.attacks.room import room
from tests.simulator.attacks.sheet import Sheet, show_sheet
from tests.simulator.camera import Camera, Sensor
from tests.simulator.eyelids import CONTOURS
from tests.simulator.light import Glow
from tests.simulator.portrait import CENTRE, METRES_PER_PIXEL, prepare
from tests.simulator.subject import EYE_CORNERS, Pose
from tests.simulator.timeline import Habits, Sway, Timeline

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from biometric.types import Image
    from tests.simulator.portrait import Portrait
    from tests.simulator.subject import Subject

PAPER_M = (0.30, 0.38)
MARGIN_PX = 14
IN_HANDS = Habits(turn_deg=(32.0, 38.0), turn_ms=(700.0, 1000.0), distance_m=0.48, sway=2.2)
WAG_DEG = 9.0
WAG_PERIOD_MS = 1400.0
HOLE_MARGIN_PX = 5
MASK_TO_EYES_M = 0.02


class PrintedPhoto:
    """A life-size print of a photo, flat or bent round a cylinder, moved and tilted before the camera."""

    cannot = frozenset({"blink", "smile"})
    """What is answered by wagging."""

    def __init__(
        self,
        photo: Image,
        *,
        seed: int,
        bend_radius_m: float | None = None,
        habits: Habits = IN_HANDS,
        portrait: Portrait | None = None,
    ) -> None:
        self.camera = Camera()
        self.habits = habits
        self.portrait = portrait or prepare(photo)
        self.sheet = Sheet(self._paper(), PAPER_M[0], bend_radius_m)
        self._room = room(seed=seed)
        self._sensor = Sensor(seed=seed + 1)
        self._sway = Sway(seed=seed + 2, strength=habits.sway)
        self._timeline = Timeline(habits, seed=seed)
        self._glow = Glow()
        self._since, self._action = 0.0, "centre"

    def show(self, action: str, count: int, at_ms: float) -> None:
        """See the instruction and handle the sheet."""
        self._timeline.show(action, count, at_ms)
        self._since, self._action = at_ms, action

    def hear(self, hint: str, at_ms: float) -> None:
        """Follow a hint of the page."""
        self._timeline.hear(hint, at_ms)

    def light(self, colour: tuple[float, float, float], at_ms: float) -> None:
        """The screen before the sheet shines in this colour."""
        self._glow.show(colour, at_ms)

    def quiet_at(self, times_ms: tuple[float, ...]) -> None:
        """Hold the sheet still at these instants, where a recording will be cut."""
        self._sway.quiet_at = times_ms

    def frame(self, at_ms: float) -> Image:
        """Return the camera's picture."""
        picture = self._behind(at_ms)
        light = self._glow.at(at_ms)
        drawing = self.sheet.place(self.camera, self._sheet_pose(self.pose(at_ms)), light)
        if drawing is not None:
            show_sheet(picture, self.sheet.picture, drawing, light)
        return self._sensor.expose(picture)

    def pose(self, at_ms: float) -> Pose:
        """Return how the sheet is held."""
        yaw, pitch, roll, x, y, z = self._sway.offsets(at_ms)
        wag = 0.0
        if self._action in self.cannot:
            wag = WAG_DEG * _wagging(max(at_ms - self._since, 0.0))
        nearness = self._timeline.nearness(at_ms)
        return Pose(
            yaw=yaw + self._timeline.yaw(at_ms),
            pitch=pitch + wag,
            roll=1.5 * roll,
            x_m=x,
            y_m=BELOW_AXIS_M / nearness + y,
            distance_m=self.habits.distance_m / nearness + z,
        )

    def _sheet_pose(self, pose: Pose) -> Pose:
        """Return where the middle of the sheet is when it is held like this."""
        return pose

    def _behind(self, at_ms: float) -> Image:
        """Return what stands behind the sheet."""
        return self._room.copy()

    def _paper(self) -> NDArray[np.uint8]:
        """Cut the photo to the paper's size, with a white margin and a printer's colours."""
        return printed(self.portrait)


class CutOutEyes(PrintedPhoto):
    """A print worn as a mask: through two holes look the living eyes of somebody else, who can blink."""

    cannot = frozenset({"smile"})

    def __init__(
        self,
        photo: Image,
        wearer: Subject,
        *,
        seed: int,
        bend_radius_m: float | None = 0.12,
        portrait: Portrait | None = None,
    ) -> None:
        super().__init__(photo, seed=seed, bend_radius_m=bend_radius_m, portrait=portrait)
        self._wearer = wearer

    def _paper(self) -> NDArray[np.uint8]:
        paper = printed(self.portrait)
        corner = _corner()
        holes = np.zeros(paper.shape[:2], np.uint8)
        for upper, lower in CONTOURS:
            outline = self.portrait.points[[*upper, *reversed(lower)], :2] - corner
            cv2.fillPoly(holes, [outline.astype(np.int32)], 255)
        size = 2 * HOLE_MARGIN_PX + 1
        paper[..., 3] = 255 - cv2.dilate(holes, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)))
        return paper

    def _behind(self, at_ms: float) -> Image:
        """Render the wearer, who can blink."""
        pose = replace(self.pose(at_ms), blink=self._timeline.blink(at_ms))
        return self._wearer.render(pose, self._glow.at(at_ms))

    def _sheet_pose(self, pose: Pose) -> Pose:
        """The mask moves with the wearer's head, holes before the eyes."""
        holes = (self.portrait.points[list(EYE_CORNERS), 1].mean() - CENTRE[1]) * METRES_PER_PIXEL
        eyes = self._wearer.eyes
        x, y, z = self._wearer.where(np.array([0.0, eyes[1] - holes, eyes[2] - MASK_TO_EYES_M]), pose)
        return replace(pose, x_m=float(x), y_m=float(y), distance_m=float(z))


def _wagging(since_ms: float) -> float:
    """Return a to and fro that no two times is the same, as hands do it: -1 to 1, from 0."""
    drift = 0.9 * np.sin(2 * np.pi * since_ms / 3700) + 0.6 * np.sin(2 * np.pi * since_ms / 8900)
    return float(np.sin(2 * np.pi * since_ms / WAG_PERIOD_MS + drift) * (1 - 0.3 * np.sin(2 * np.pi * since_ms / 5300)))


def printed(portrait: Portrait) -> NDArray[np.uint8]:
    """Return the sheet's picture: paper white is not quite white, ink black is not quite black, colours are duller."""
    left, top = _corner()
    width, height = (round(side / METRES_PER_PIXEL) for side in PAPER_M)
    crop = portrait.texture[top : top + height, left : left + width].astype(np.float32)
    grey = crop.mean(axis=2, keepdims=True)
    ink = 22 + 0.82 * (grey + 0.85 * (crop - grey))
    ink[:MARGIN_PX], ink[-MARGIN_PX:], ink[:, :MARGIN_PX], ink[:, -MARGIN_PX:] = 228, 228, 228, 228
    opaque = np.full((*crop.shape[:2], 1), 255, np.uint8)
    return np.concatenate([np.clip(ink, 0, 255).astype(np.uint8), opaque], axis=2)


def _corner() -> NDArray[np.int64]:
    """Return the texture pixel at which the paper begins, so that the face's centre is the sheet's."""
    size = np.array(PAPER_M) / METRES_PER_PIXEL
    return np.round(CENTRE - size / 2).astype(np.int64)
