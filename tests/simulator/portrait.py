"""A photo prepared for rendering: upright, of one size, split into person and background.

All pictures here share one texture frame: the face's centre at CENTRE, outer eye corners EYE_DISTANCE pixels apart,
eyes level. METRES_PER_PIXEL follows from the usual outer eye distance of an adult.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from tests.simulator.mesh3d import locate_3d

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from biometric.types import Image

WIDTH, HEIGHT = 1100, 820
CENTRE = np.array([550.0, 360.0])
EYE_DISTANCE = 130.0
METRES_PER_PIXEL = 0.088 / EYE_DISTANCE
RIGHT_EYE, LEFT_EYE, FOREHEAD, CHIN = 33, 263, 10, 152
OVAL = np.concatenate(
    [
        (10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377),
        (152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109),
    ]
)
"""The face's outline in the mesh, clockwise in the picture from the forehead."""
SHOULDER_SLOPE = 0.55  # how shoulders go on where the photo ends
CUT_STEPS = 4


@dataclass(frozen=True, slots=True)
class Portrait:
    """A normalised photo.

    Attributes:
        texture: HEIGHT x WIDTH BGR; border pixels repeated where the photo ends.
        points: 468 x 3, the mesh in texture pixels (z in the same unit).
        person: float mask, 1 on head and body.
        background: the picture without the person, filled smoothly.
    """

    texture: Image
    points: NDArray[np.float64]
    person: NDArray[np.float32]
    background: Image


def prepare(photo: Image) -> Portrait:
    """Return `photo` in the common texture frame. Raises NoFaceInPhoto."""
    mesh = locate_3d(photo)
    matrix, scale = _upright(mesh)
    size = (WIDTH, HEIGHT)
    smooth = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    texture = cv2.warpAffine(
        _shrunk(photo, scale), _rescaled(matrix, scale), size, flags=smooth, borderMode=cv2.BORDER_REPLICATE
    )
    inside = cv2.warpAffine(np.full(photo.shape[:2], 255, np.uint8), matrix, size, flags=cv2.INTER_LINEAR) > 250
    points = np.column_stack([mesh[:, :2] @ matrix[:, :2].T + matrix[:, 2], mesh[:, 2] * scale])
    person = _extend_shoulders(_cut_out(texture, points, inside), inside)
    background = fill_smoothly(texture, _surely_behind(person, inside))
    return Portrait(texture, points, person, background)


def _upright(mesh: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    across = mesh[LEFT_EYE] - mesh[RIGHT_EYE]
    angle = float(np.arctan2(across[1], across[0]))
    scale = EYE_DISTANCE / float(np.linalg.norm(across))  # in 3D: a turned face has its eyes closer in the picture
    turn = scale * np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    centre = (mesh[FOREHEAD, :2] + mesh[CHIN, :2]) / 2
    return np.column_stack([turn, CENTRE - turn @ centre]), scale


def _shrunk(photo: Image, scale: float) -> Image:
    """Reduce big photos before the warp, which samples single points."""
    if scale >= 1:
        return photo
    size = (round(photo.shape[1] * scale), round(photo.shape[0] * scale))
    return np.asarray(cv2.resize(photo, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _rescaled(matrix: NDArray[np.float64], scale: float) -> NDArray[np.float64]:
    if scale >= 1:
        return matrix
    return np.column_stack([matrix[:, :2] / scale, matrix[:, 2]])


def _cut_out(texture: Image, points: NDArray[np.float64], inside: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Separate person and background with GrabCut at half size; the mesh says where the head is."""
    half = cv2.resize(texture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    marks = _guess_person(half.shape[:2], points[OVAL, :2] / 2, points[CHIN, :2] / 2)
    cv2.setRNGSeed(7)  # GrabCut clusters colours from a random start
    cv2.grabCut(half, marks, None, np.zeros((1, 65)), np.zeros((1, 65)), CUT_STEPS, cv2.GC_INIT_WITH_MASK)
    person = np.where((marks == cv2.GC_FGD) | (marks == cv2.GC_PR_FGD), 255, 0).astype(np.uint8)
    person = cv2.morphologyEx(cv2.medianBlur(person, 7), cv2.MORPH_CLOSE, np.ones((9, 9)))
    whole = cv2.GaussianBlur(cv2.resize(person, (WIDTH, HEIGHT)), (0, 0), 1.5).astype(np.float32) / 255
    return np.asarray(whole * inside, dtype=np.float32)


def _guess_person(shape: tuple[int, ...], oval: NDArray[np.float64], chin: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Mark where the person surely, probably, and probably not is; lengths are shares of the face's height."""
    height = float(np.ptp(oval[:, 1]))
    marks = np.full(shape, cv2.GC_BGD, np.uint8)

    def ellipse(up: float, half_width: float, half_height: float, value: int) -> None:
        centre = oval.mean(axis=0) - (0, up * height)
        axes = (int(half_width * height), int(half_height * height))
        cv2.ellipse(marks, centre.astype(int).tolist(), axes, 0, 0, 360, value, -1)

    def polygon(corners: list[tuple[float, float]], value: int) -> None:
        cv2.fillPoly(marks, [(np.array(corners) * height + chin).astype(np.int32)], value)

    ellipse(0.12, 0.62, 0.85, cv2.GC_PR_BGD)
    polygon([(-9, -0.1), (9, -0.1), (9, 9), (-9, 9)], cv2.GC_PR_BGD)
    ellipse(0.1, 0.46, 0.66, cv2.GC_PR_FGD)
    polygon(
        [(-1.4, 1.3), (-1.1, 0.55), (-0.3, 0.15), (0.3, 0.15), (1.1, 0.55), (1.4, 1.3), (1.4, 3), (-1.4, 3)],
        cv2.GC_PR_FGD,
    )
    polygon(
        [(-0.22, -0.2), (0.22, -0.2), (0.3, 0.5), (0.6, 0.8), (0.6, 3), (-0.6, 3), (-0.6, 0.8), (-0.3, 0.5)],
        cv2.GC_FGD,
    )
    ellipse(0.16, 0.4, 0.56, cv2.GC_FGD)  # hair: its colour may be the background's
    cv2.fillPoly(marks, [oval.astype(np.int32)], cv2.GC_FGD)
    return marks


def _extend_shoulders(person: NDArray[np.float32], inside: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Let a body that the photo cuts off go on below it, and its shoulders slope down beside it."""
    columns = np.arange(WIDTH)
    last = np.maximum(HEIGHT - 5 - np.argmax(inside[::-1], axis=0), 0)
    below = np.arange(HEIGHT)[:, None] > last
    result = np.where(below & inside.any(axis=0), person[last, columns], person)
    bottom = int(np.median(last[int(CENTRE[0]) - 60 : int(CENTRE[0]) + 60]))
    lower = inside[bottom - 150 : bottom]
    left = int(np.median(np.argmax(lower, axis=1))) + 6
    right = WIDTH - 7 - int(np.median(np.argmax(lower[:, ::-1], axis=1)))
    edges = ((left, -1), (right, 1))
    for edge, step in edges:
        body = np.flatnonzero(result[:, edge] > 0.5)
        if not body.size:
            continue
        beyond = np.arange(edge, WIDTH if step > 0 else -1, step)
        tops = body[0] + SHOULDER_SLOPE * np.abs(beyond - edge)
        ramp = np.clip(np.arange(HEIGHT)[:, None] - tops[None, :], 0, 4) / 4
        result[:, beyond] = np.maximum(result[:, beyond], ramp)
    return result


def _surely_behind(person: NDArray[np.float32], inside: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return the weight of pixels that are background beyond doubt: a cut-out that missed hair leaves none behind."""
    near = cv2.dilate(person, np.ones((13, 13)))
    head = (round(CENTRE[0]), round(CENTRE[1]) - 30)
    cv2.ellipse(near, head, (190, 225), 0, 0, 360, 1.0, -1)
    keep = np.clip(1 - 1.6 * cv2.GaussianBlur(near, (0, 0), 4), 0, 1) * inside
    return np.asarray(keep, dtype=np.float32)


def fill_smoothly(image: Image, weight: NDArray[np.float32]) -> Image:
    """Keep pixels of weight 1 and fill the rest from ever coarser averages of them (push-pull)."""
    levels = [(image.astype(np.float32) * weight[..., None], weight)]
    while min(levels[-1][1].shape) > 2:
        colour, mass = levels[-1]
        levels.append((cv2.pyrDown(colour), cv2.pyrDown(mass)))
    filled = None
    for colour, mass in reversed(levels):
        own = colour / np.maximum(mass, 1e-4)[..., None]
        if filled is None:
            filled = own
            continue
        coarse = cv2.resize(filled, (mass.shape[1], mass.shape[0]), interpolation=cv2.INTER_LINEAR)
        trust = np.clip(mass * 1.5, 0, 1)[..., None]
        filled = own * trust + coarse * (1 - trust)
    return np.clip(filled, 0, 255).astype(np.uint8)
