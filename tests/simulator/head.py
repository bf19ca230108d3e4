"""A portrait lifted to a 3D head: the mesh in front, a hull of hair, ears and back of the head around it.

Head coordinates are metres: x to the picture's right, y down, z away from the camera, origin in the face's centre. The
face is turned straight first, so yaw 0 looks into the camera whatever the photo's pose was.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from tests.simulator.portrait import CENTRE, CHIN, HEIGHT, METRES_PER_PIXEL, OVAL, WIDTH, fill_smoothly

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tests.simulator.portrait import Portrait

MESH = 468
MIRROR_PAIRS = np.array([(33, 263), (133, 362), (61, 291), (234, 454), (93, 323), (127, 356), (50, 280), (172, 397)])
TEMPLES = (234, 454)
FRONT_RINGS = (0.2, 0.42, 0.62, 0.8, 0.92, 1.0)  # share of the way from the face's outline to the silhouette
BACK_RINGS = (20, 45, 70, 88)  # degrees behind the silhouette
BACK_DEPTH_M = 0.085
FEATHER_M = 0.02  # the hull melts into the neck over this length


@dataclass(frozen=True, slots=True)
class Head:
    """Vertices at rest, their texture positions, triangles, colours.

    Attributes:
        rest: N x 3 metres.
        uv: N x 2 texture pixels.
        triangles: M x 3, clockwise seen from the front.
        texture: BGRA; alpha lets the hull melt into the neck.
        pivot: the point on the neck about which the head turns.
    """

    rest: NDArray[np.float64]
    uv: NDArray[np.float64]
    triangles: NDArray[np.int32]
    texture: NDArray[np.uint8]
    pivot: NDArray[np.float64]


def build_head(portrait: Portrait) -> Head:
    """Lift a portrait."""
    face, face_uv = _straightened(portrait.points), portrait.points[:, :2]
    middle_z = face[list(TEMPLES), 2].mean() + 0.012
    hull, hull_uv = _hull(portrait, face, face_uv, middle_z)
    front = len(FRONT_RINGS) * len(OVAL)
    flat = np.vstack([face[:, :2], hull[:front, :2]])
    triangles = np.vstack([_delaunay(flat), _back_triangles(MESH + front - len(OVAL))])
    texture = np.dstack([_skin_and_hair(portrait), _neck_feather(face_uv)])
    return Head(
        rest=np.vstack([face, hull]),
        uv=np.vstack([face_uv, hull_uv]),
        triangles=triangles,
        texture=texture,
        pivot=np.array([0.0, face[CHIN, 1] * 0.6, middle_z]),
    )


def _straightened(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mesh in metres, turned so that left and right are equally deep."""
    face = np.column_stack([points[:, :2] - CENTRE, points[:, 2]]) * METRES_PER_PIXEL
    across = (face[MIRROR_PAIRS[:, 1]] - face[MIRROR_PAIRS[:, 0]]).mean(axis=0)
    yaw = np.arctan2(across[2], across[0])
    turn = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    straight = face @ turn.T
    straight[:, 0] -= straight[MIRROR_PAIRS.ravel(), 0].mean()
    return np.asarray(straight)


def _hull(
    portrait: Portrait, face: NDArray[np.float64], face_uv: NDArray[np.float64], middle_z: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Add rings from the face's outline to the silhouette, receding like an ellipse, and the back of the head."""
    outline, outline_uv = face[OVAL], face_uv[OVAL]
    reach = _silhouette(portrait, outline_uv)
    below = np.clip((outline_uv[:, 1:] - CENTRE[1]) / 60, 0, 1)  # beside the jaw the photo shows collar, not skin
    away_uv = (outline_uv - CENTRE) * (reach[:, None] * (1 - below) - 0.05 * below)
    away = np.column_stack([outline[:, :2] * reach[:, None], np.maximum(middle_z - outline[:, 2], 0.015)])
    points, uvs = [], []
    for part in FRONT_RINGS:
        share = np.array([part, part, 1 - np.sqrt(1 - part**2)])
        points.append(outline + away * share)
        uvs.append(outline_uv + away_uv * part * 0.97)
    rim = points[-1]
    for degrees in BACK_RINGS:
        shrink, depth = np.cos(np.radians(degrees)), np.sin(np.radians(degrees)) * BACK_DEPTH_M
        points.append(np.column_stack([rim[:, :2] * shrink, rim[:, 2] + depth]))
        uvs.append(outline_uv + away_uv * (0.97 - 0.6 * degrees / 90))
    return np.vstack(points), np.vstack(uvs)


def _silhouette(portrait: Portrait, outline: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how far the head goes on beyond each outline point, as a share of that point's distance to the centre."""
    steps = np.linspace(0.0, 0.9, 91)
    along = CENTRE + (outline - CENTRE)[:, None, :] * (1 + steps)[None, :, None]
    x, y = np.clip(along[..., 0], 0, WIDTH - 1).astype(int), np.clip(along[..., 1], 0, HEIGHT - 1).astype(int)
    outside = portrait.person[y, x] < 0.6
    found = np.where(outside.any(axis=1), steps[np.argmax(outside, axis=1)], steps[-1])
    upward = -(outline - CENTRE)[:, 1] / np.linalg.norm(outline - CENTRE, axis=1)
    most = np.interp(upward, [-1.0, -0.5, -0.25, 0.0, 0.5, 1.0], [0.1, 0.1, 0.18, 0.32, 0.52, 0.64])
    least = np.interp(upward, [-0.6, 0.0, 0.5, 1.0], [0.03, 0.1, 0.16, 0.22])
    found = np.clip(found, least, most)
    ring = np.concatenate([found[-4:], found, found[:4]])
    return np.asarray(np.convolve(ring, np.array([1, 2, 3, 2, 1]) / 9, mode="same")[4:-4])


def _delaunay(flat: NDArray[np.float64]) -> NDArray[np.int32]:
    """Triangulate the front, seen straight on."""
    scaled = ((flat - flat.min(axis=0)) * 4000 + 10).astype(np.float32)
    scaled += np.random.default_rng(1).uniform(0, 0.05, scaled.shape).astype(np.float32)  # equal points upset Subdiv2D
    division = cv2.Subdiv2D((0, 0, 4000, 4000))
    names: dict[tuple[float, float], int] = {}
    for number, (x, y) in enumerate(scaled.tolist()):
        names.setdefault((x, y), number)
        division.insert((x, y))
    corners = division.getTriangleList().reshape(-1, 3, 2).tolist()
    found = [[names.get((x, y), -1) for x, y in triangle] for triangle in corners]
    triangles = np.array([t for t in found if min(t) >= 0], dtype=np.int32)
    return _clockwise(triangles, flat)


def _clockwise(triangles: NDArray[np.int32], flat: NDArray[np.float64]) -> NDArray[np.int32]:
    a, b, c = (flat[triangles[:, k]] for k in range(3))
    area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    triangles[area < 0] = triangles[area < 0][:, ::-1]
    return triangles


def _back_triangles(rim: int) -> NDArray[np.int32]:
    """Join the silhouette ring, which begins at vertex `rim`, with the rings behind it."""
    count = len(OVAL)
    here = np.arange(count)
    following = np.roll(here, -1)
    strips = []
    for ring in range(len(BACK_RINGS)):
        near, far = rim + ring * count, rim + (ring + 1) * count
        strips.append(np.column_stack([near + here, far + here, far + following]))
        strips.append(np.column_stack([near + here, far + following, near + following]))
    return np.vstack(strips).astype(np.int32)


def _skin_and_hair(portrait: Portrait) -> NDArray[np.uint8]:
    """Return the texture with the background replaced by the nearest of the person's own colours."""
    surely = np.clip(cv2.erode(portrait.person, np.ones((5, 5))) * 2 - 1, 0, 1)
    own = surely[..., None]
    filled = fill_smoothly(portrait.texture, surely)
    return np.asarray(portrait.texture * own + filled * (1 - own), dtype=np.uint8)


def _neck_feather(face_uv: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Return an alpha picture that fades out just below the jaw."""
    jaw = face_uv[OVAL]
    below = jaw[jaw[:, 1] > CENTRE[1] + 40]
    order = np.argsort(below[:, 0])
    line = np.interp(np.arange(WIDTH), below[order, 0], below[order, 1])
    over = (np.arange(HEIGHT)[:, None] - line[None, :]) * METRES_PER_PIXEL
    return np.asarray(255 * np.clip(1.15 - over / FEATHER_M, 0, 1), dtype=np.uint8)
