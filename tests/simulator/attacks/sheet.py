"""A flat or bent sheet with a picture on it, held before the camera."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from tests.simulator.light import normals_of
from tests.simulator.raster import draw
from tests.simulator.subject import blend, rotation

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from biometric.types import Image
    from tests.simulator.camera import Camera
    from tests.simulator.light import ScreenLight
    from tests.simulator.raster import Drawing
    from tests.simulator.subject import Pose

COLUMNS, ROWS = 24, 8


@dataclass(frozen=True, slots=True)
class Sheet:
    """A rectangle of the given width in the world.

    Attributes:
        picture: BGRA; alpha 0 is a hole.
        width_m: how wide it is when flat.
        bend_radius_m: radius of the cylinder it is bent to (middle towards the camera), or None for a flat one.
    """

    picture: NDArray[np.uint8]
    width_m: float
    bend_radius_m: float | None = None

    def place(self, camera: Camera, pose: Pose, light: ScreenLight | None = None) -> Drawing | None:
        """Return where the sheet's pixels are seen, and the light on them."""
        height, width = self.picture.shape[:2]
        along, down = np.meshgrid(np.linspace(-0.5, 0.5, COLUMNS + 1), np.linspace(-0.5, 0.5, ROWS + 1))
        x, y = along.ravel() * self.width_m, down.ravel() * self.width_m * height / width
        z = np.zeros_like(x)
        if self.bend_radius_m is not None:
            angle = x / self.bend_radius_m
            x, z = self.bend_radius_m * np.sin(angle), self.bend_radius_m * (1 - np.cos(angle))
        points = np.column_stack([x, y, z]) @ rotation(pose).T + (pose.x_m, pose.y_m, pose.distance_m)
        uv = np.column_stack([(along.ravel() + 0.5) * (width - 1), (down.ravel() + 0.5) * (height - 1)])
        grid = _grid()
        share = None if light is None else light.on_points(points, normals_of(points, grid))
        size = (camera.width, camera.height)
        return draw(camera.project(points), points[:, 2], uv, grid, size=size, share=share)


def show_sheet(
    below: Image, picture: NDArray[np.uint8], drawing: Drawing, light: ScreenLight | None = None, reflects: float = 1.0
) -> None:
    """Put a placed sheet over `below`, in place. `reflects` is 1 for paper, less for lit glass."""
    colours = cv2.remap(picture, drawing.map_x, drawing.map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    alpha = drawing.cover * (colours[..., 3].astype(np.float32) / 255)
    surface = cv2.cvtColor(colours, cv2.COLOR_BGRA2BGR)
    if light is not None and drawing.share is not None:
        surface = light.add(surface, np.maximum(drawing.share, 0) * reflects)
    blend(below[drawing.region], surface, alpha)


def _grid() -> NDArray[np.int32]:
    here = (np.arange(ROWS)[:, None] * (COLUMNS + 1) + np.arange(COLUMNS)[None, :]).ravel()
    under = here + COLUMNS + 1
    first = np.column_stack([here, here + 1, under + 1])
    second = np.column_stack([here, under + 1, under])
    return np.vstack([first, second]).astype(np.int32)
