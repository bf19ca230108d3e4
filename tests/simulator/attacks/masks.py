"""A rigid mask of the right person's face, worn by somebody else (simulated): the shape is right, nothing in it moves.

It is the victim's head from the hairline to the ears, in one piece, coloured like the photo, somewhat duller. Through
holes the wearer's own eyes look, and can blink; without holes the eyes are painted. The wearer's neck and hair are seen
around it. A smile behind it stays behind it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from tests.simulator.actor import Person
from tests.simulator.eyelids import CONTOURS
from tests.simulator.head import MESH
from tests.simulator.portrait import OVAL
from tests.simulator.raster import draw
from tests.simulator.subject import blend, light_on

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from biometric.types import Image
    from tests.simulator.light import ScreenLight
    from tests.simulator.subject import Pose, Subject
    from tests.simulator.timeline import Habits

RINGS = 3  # of the head's hull around the face: to the ears
LARGER = 1.05
BEFORE_FACE_M = 0.008
HOLE_MARGIN_PX = 4
COLOUR_KEPT = 0.88
BRIGHTNESS_KEPT = 0.95


class RigidMask(Person):
    """Somebody who obeys as well as the mask allows."""

    def __init__(
        self, victim: Subject, wearer: Subject, *, seed: int, holes: bool = True, habits: Habits | None = None
    ) -> None:
        super().__init__(wearer, seed=seed, habits=habits)
        surface = victim.surface
        self._count = MESH + RINGS * len(OVAL)
        shift = wearer.eyes - LARGER * victim.eyes - (0, 0, BEFORE_FACE_M)
        self._rest = LARGER * surface.rest[: self._count] + shift
        self._uv = surface.uv[: self._count]
        self._triangles = surface.triangles[(surface.triangles < self._count).all(axis=1)]
        self._texture = _painted(surface.texture, self._uv, holes=holes)

    def pose(self, at_ms: float) -> Pose:
        """Return what is seen of the wearer: no smile, and a blink only through holes."""
        return replace(super().pose(at_ms), smile=0.0)

    def frame(self, at_ms: float) -> Image:
        """Return the camera's picture."""
        pose, light = self.pose(at_ms), self._glow.at(at_ms)
        picture = self.subject.render(pose, light)
        self._put_on(picture, pose, light)
        return self._sensor.expose(picture)

    def _put_on(self, picture: Image, pose: Pose, light: ScreenLight | None) -> None:
        camera, points = self.subject.camera, self.subject.where(self._rest, pose)
        share = light_on(points, self._triangles, light)
        size = (camera.width, camera.height)
        drawing = draw(camera.project(points), points[:, 2], self._uv, self._triangles, size=size, share=share)
        if drawing is None:
            return
        colours = cv2.remap(self._texture, drawing.map_x, drawing.map_y, cv2.INTER_LINEAR)
        alpha = drawing.cover * (colours[..., 3].astype(np.float32) / 255)
        resin = cv2.cvtColor(colours, cv2.COLOR_BGRA2BGR)
        if light is not None and drawing.share is not None:
            resin = light.add(resin, np.maximum(drawing.share, 0))
        blend(picture[drawing.region], resin, alpha)


def _painted(texture: NDArray[np.uint8], uv: NDArray[np.float64], *, holes: bool) -> NDArray[np.uint8]:
    """Return the mask's colours; alpha 0 is a hole."""
    skin = texture[..., :3].astype(np.float32)
    grey = skin.mean(axis=2, keepdims=True)
    dull = BRIGHTNESS_KEPT * (grey + COLOUR_KEPT * (skin - grey))
    opening = np.zeros(texture.shape[:2], np.uint8)
    for upper, lower in CONTOURS if holes else ():
        cv2.fillPoly(opening, [uv[[*upper, *reversed(lower)]].astype(np.int32)], 255)
    side = 2 * HOLE_MARGIN_PX + 1
    wide = cv2.dilate(opening, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))) if holes else opening
    return np.dstack([np.clip(dull, 0, 255).astype(np.uint8), 255 - wide])
