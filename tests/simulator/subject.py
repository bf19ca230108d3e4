"""A simulated person: the head of a photo before a simulated camera. Figures made with it are *simulated* figures."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from tests.simulator.camera import Camera
from tests.simulator.expression import ease_eyes_field, smile_field
from tests.simulator.eyelids import close_eyelids, find_eyelids
from tests.simulator.head import build_head
from tests.simulator.light import normals_of, smooth
from tests.simulator.portrait import CENTRE, CHIN, FOREHEAD, HEIGHT, METRES_PER_PIXEL, WIDTH, fill_smoothly, prepare
from tests.simulator.raster import draw

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from biometric.types import Image
    from tests.simulator.head import Head
    from tests.simulator.light import ScreenLight
    from tests.simulator.portrait import Portrait

BODY_BEHIND_FACE_M = 0.05
WALL_BEHIND_M = 1.2
EYE_CORNERS = (33, 133, 362, 263)
WALL_SEEN_FROM_M = 0.5  # the size at which the wall behind a person was photographed


@dataclass(frozen=True, slots=True)
class Pose:
    """What the person does at one instant. Angles in degrees; yaw grows towards the person's own left."""

    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    x_m: float = 0.0
    y_m: float = 0.02
    distance_m: float = 0.5
    blink: float = 0.0
    smile: float = 0.0


class Subject:
    """A person made from one photo."""

    def __init__(self, photo: Image, *, camera: Camera | None = None, portrait: Portrait | None = None) -> None:
        portrait = portrait or prepare(photo)
        self.camera = camera or Camera()
        self._head = build_head(portrait)
        self._rest = self._head.rest + ease_eyes_field(self._head)
        self._smile = smile_field(self._head)
        self._lids = find_eyelids(portrait.texture, portrait.points)
        self._body = _body_layer(portrait)
        self._body_top = int(np.argmax(self._body[..., 3].any(axis=1)))
        self._wall = self._place_wall(cv2.GaussianBlur(portrait.background, (0, 0), 1.2))

    @property
    def eyes(self) -> NDArray[np.float64]:
        """The middle between the eyes, in head coordinates."""
        return np.asarray(self._rest[list(EYE_CORNERS)].mean(axis=0))

    @property
    def surface(self) -> Head:
        """The head, with eyes at ease."""
        return replace(self._head, rest=self._rest)

    def where(self, point: NDArray[np.float64], pose: Pose) -> NDArray[np.float64]:
        """Return where a point that moves with the head (N x 3 or 3) is before the camera."""
        pivot = self._head.pivot
        return np.asarray((point - pivot) @ rotation(pose).T + pivot + (pose.x_m, pose.y_m, pose.distance_m))

    def render(self, pose: Pose, light: ScreenLight | None = None) -> Image:
        """Return what the camera sees, before sensor noise."""
        picture = (
            self._wall.copy() if light is None else light.add(self._wall, light.at(WALL_SEEN_FROM_M + WALL_BEHIND_M))
        )
        self._place_body(picture, pose, light)
        self._place_head(picture, pose, light)
        return picture

    def _place_wall(self, background: Image) -> Image:
        """Show the wall, which stands still while the person moves."""
        scale = self.camera.focal * METRES_PER_PIXEL / WALL_SEEN_FROM_M
        matrix = np.array([[scale, 0, 0], [0, scale, 0]])
        matrix[:, 2] = (self.camera.width / 2, self.camera.height / 2) - scale * CENTRE
        size = (self.camera.width, self.camera.height)
        return np.asarray(
            cv2.warpAffine(background, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT),
            dtype=np.uint8,
        )

    def _place_body(self, picture: Image, pose: Pose, light: ScreenLight | None) -> None:
        scale = self.camera.focal * METRES_PER_PIXEL / (pose.distance_m + BODY_BEHIND_FACE_M)
        shift = np.array([pose.x_m, pose.y_m]) * self.camera.focal / (pose.distance_m + BODY_BEHIND_FACE_M)
        middle = np.array([self.camera.width / 2, self.camera.height / 2])
        matrix = np.array([[scale, 0, 0], [0, scale, 0]])
        matrix[:, 2] = middle + shift - scale * CENTRE
        top = min(max(int(scale * self._body_top + matrix[1, 2]) - 1, 0), self.camera.height - 1)
        matrix[1, 2] -= top
        size = (self.camera.width, self.camera.height - top)
        layer = cv2.warpAffine(self._body, matrix, size, flags=cv2.INTER_LINEAR)
        colours = cv2.cvtColor(layer, cv2.COLOR_BGRA2BGR)
        if light is not None:
            colours = light.add(colours, light.at(pose.distance_m + BODY_BEHIND_FACE_M))
        blend(picture[top:], colours, layer[..., 3].astype(np.float32) / 255)

    def _place_head(self, picture: Image, pose: Pose, light: ScreenLight | None) -> None:
        head = self._head
        moved = self._rest + self._smile * pose.smile
        turned = self.where(moved, pose)
        size = (self.camera.width, self.camera.height)
        share = light_on(turned, head.triangles, light)
        drawing = draw(self.camera.project(turned), turned[:, 2], head.uv, head.triangles, size=size, share=share)
        if drawing is None:
            return
        texture = head.texture
        if pose.blink > 0:
            texture = texture.copy()
            close_eyelids(texture, self._lids, pose.blink)
        colours = cv2.remap(texture, drawing.map_x, drawing.map_y, cv2.INTER_LINEAR)
        alpha = drawing.cover * (colours[..., 3].astype(np.float32) / 255)
        skin = cv2.cvtColor(colours, cv2.COLOR_BGRA2BGR)
        if light is not None and drawing.share is not None:
            skin = light.add(skin, smooth(np.maximum(drawing.share, 0)))
        blend(picture[drawing.region], skin, alpha)


def rotation(pose: Pose) -> NDArray[np.float64]:
    """Return the head's rotation: roll, then pitch (up is positive), then yaw (the person's left is positive)."""
    yaw, pitch, roll = np.radians([-pose.yaw, -pose.pitch, pose.roll])
    turn = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    nod = np.array([[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]])
    tilt = np.array([[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]])
    return np.asarray(turn @ nod @ tilt)


def light_on(
    points: NDArray[np.float64], triangles: NDArray[np.int32], light: ScreenLight | None
) -> NDArray[np.float64] | None:
    """Return the share of added light at each vertex of a surface, None in the dark."""
    return None if light is None else light.on_points(points, normals_of(points, triangles))


def blend(below: Image, above: Image, alpha: NDArray[np.float32]) -> None:
    """Put `above` over `below`, in place."""
    below[...] = cv2.blendLinear(np.ascontiguousarray(above), np.ascontiguousarray(below), alpha, 1 - alpha)


def _body_layer(portrait: Portrait) -> NDArray[np.uint8]:
    """Return BGRA of neck and shoulders; the neck goes on up behind the jaw, where the photo does not show it."""
    chin, height = portrait.points[CHIN, :2], float(portrait.points[CHIN, 1] - portrait.points[FOREHEAD, 1])
    y, x = np.indices((HEIGHT, WIDTH), dtype=np.float32, sparse=True)
    head = ((x - chin[0]) / (0.42 * height)) ** 2 + ((y - CENTRE[1]) / (0.56 * height)) ** 2 < 1
    hanging = np.clip((y - chin[1]) / (0.25 * height) + 1.7, 0, 1)  # long hair: none beside the eyes, all at the chin
    own = portrait.person * ~head * hanging
    neck = head & (np.abs(x - chin[0]) < 0.26 * height) & (y > chin[1] - 0.3 * height)
    skin = (own > 0.9) & (y < chin[1] + 0.14 * height) & (np.abs(x - chin[0]) < 0.3 * height)
    filled = fill_smoothly(portrait.texture, skin.astype(np.float32))
    colour = np.where(neck[..., None], filled, portrait.texture)
    alpha = cv2.GaussianBlur(np.maximum(own, neck.astype(np.float32)).astype(np.float32), (0, 0), 1.0)
    return np.dstack([colour, np.asarray(alpha * 255, dtype=np.uint8)])
