"""A picture printed or shown on a screen, and photographed again: a model of the attack, not a recording of one.

What is modelled. Both: a plane in perspective, the rest of the room around it where the picture ends, uneven light,
glare. Print: fewer colours, paper that is not white and ink that is not black, halftone dots of four inks that alias
against the sensor, grain, lines of the print head, a bend, a white margin. Screen: compressed before it was shown, its
own gamma and bluish white, black that glows, sub-pixel stripes that alias (moire), rolling bands, reflections, a bezel.

Not modelled: hands, depth of field, real paper and real panels. What this is worth is measured on real prints and
replays (docs/texture.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from biometric.training.surface import glare, grain, halftone, shade, stripes

if TYPE_CHECKING:
    from numpy.random import Generator

    from biometric.types import Floats, Image, Points

ROOM: Final = 2.35  # side of what is rendered, in sides of the face


@dataclass(frozen=True, slots=True)
class RecaptureOdds:
    """Ranges that a presentation is drawn from; written into the training manifest as they are.

    Attributes:
        face_px: size of the face before the camera.
        tilt: most degrees of turning about each axis of the plane.
        roll: most degrees in the picture's own plane.
        fills: how often the presented picture fills the view, so that no edge is seen.
        margin: how often a print has a white margin.
        bend: how often a print is bent.
        halftone: most depth of the dots.
        stripes: most depth of a screen's stripes.
        glare: how often something shines in the surface.
    """

    face_px: tuple[float, float] = (80.0, 220.0)
    tilt: float = 28.0
    roll: float = 12.0
    fills: float = 0.5
    margin: float = 0.5
    bend: float = 0.35
    halftone: float = 0.22
    stripes: float = 0.16
    glare: float = 0.5


@dataclass(frozen=True, slots=True, repr=False)
class Scene:
    """What stands before the camera: float32 BGR 0 to 255, and where the face's points are in it."""

    pixels: Floats
    points: Points


def face_view(picture: Image, points: Points, odds: RecaptureOdds, rng: Generator) -> Scene:
    """Return the surroundings of a face as a camera would see them now, nothing presented: for live and real prints."""
    x, y, side = _square(points)
    height, width = picture.shape[:2]
    room = min(side * ROOM, width, height)
    x = min(max(x, room / 2), width - room / 2)
    y = min(max(y, room / 2), height - room / 2)
    zoom = _face_px(odds, side, rng) / side
    angle = np.radians(rng.uniform(-0.4, 0.4) * odds.roll)
    size = max(32, round(room * zoom))
    turn = zoom * np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    matrix = np.column_stack([turn, size / 2 - turn @ (x, y)]).astype(np.float32)
    source, matrix = _shrunk(picture, matrix, zoom)
    pixels = cv2.warpAffine(source, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    moved = points @ turn.T + (size / 2 - turn @ (x, y))
    return Scene(pixels.astype(np.float32), moved.astype(np.float32))


def print_view(picture: Image, points: Points, room: Image, odds: RecaptureOdds, rng: Generator) -> Scene:
    """Return a printed picture held before the camera, `room` behind it."""
    plane = _Plane.place(picture, points, odds, rng, bend=bool(rng.random() < odds.bend))
    shown = plane.look(rng)
    grey = shown.mean(axis=2, keepdims=True)
    colour = rng.uniform(0.5, 1.05)
    black, white = rng.uniform(5, 55), rng.uniform(190, 250)
    paper = rng.uniform(0.93, 1.04, 3).astype(np.float32)
    ink = (grey + colour * (shown - grey)) / 255
    ink = np.clip(ink, 0, 1).astype(np.float32) ** float(rng.uniform(0.8, 1.3))
    ink = ink + halftone(plane, ink, rng.uniform(0, odds.halftone), rng)
    ink = ink + rng.uniform(0, 0.035) * grain(shown.shape, rng)
    pixels = (black + (white - black) * ink) * paper
    if rng.random() < 0.25:  # noqa: PLR2004  (one printer in four shows its head's lines)
        pitch = 2 * np.pi * rng.uniform(0.05, 0.5) / plane.zoom
        lines = np.sin(plane.map_y * float(pitch) + float(rng.uniform(0, 6)))
        pixels = pixels * (1 + rng.uniform(0, 0.05) * lines[..., None])
    if rng.random() < odds.margin:
        pixels = plane.framed(pixels, rng.uniform(0.02, 0.12), white * paper)
    pixels = pixels * shade(shown.shape, rng, strength=0.35)
    if rng.random() < odds.glare * 0.6:
        pixels = pixels + glare(shown.shape, rng, most=90)
    return plane.before(room, pixels, rng)


def screen_view(picture: Image, points: Points, room: Image, odds: RecaptureOdds, rng: Generator) -> Scene:
    """Return a picture shown on a phone, tablet or monitor, `room` behind it."""
    data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(30, 95))])[1]
    sent = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
    plane = _Plane.place(sent, points, odds, rng, bend=False)
    level = plane.look(rng) / 255
    glow, gamma = rng.uniform(0, 0.1), rng.uniform(0.85, 1.4)
    white = np.array([rng.uniform(1.0, 1.14), 1.0, rng.uniform(0.86, 1.02)], np.float32)
    colour = rng.uniform(0.85, 1.35)
    grey = level.mean(axis=2, keepdims=True)
    level = np.clip(grey + colour * (level - grey), 0, 1)
    pixels = 255 * (glow + (rng.uniform(0.75, 1.15) - glow) * level**gamma) * white
    pixels = pixels * stripes(plane, rng.uniform(0.01, odds.stripes), rng)
    if rng.random() < 0.6:  # noqa: PLR2004  (a frame is often in view unless the screen fills it)
        bezel = np.full(3, rng.choice([8.0, 20.0, 35.0, 225.0], p=[0.4, 0.3, 0.15, 0.15]), np.float32)
        pixels = plane.framed(pixels, rng.uniform(0.02, 0.1), bezel)
    pixels = pixels * shade(shape=pixels.shape, rng=rng, strength=0.15)
    if rng.random() < odds.glare:
        pixels = pixels + glare(pixels.shape, rng, most=130)
    return plane.before(room, np.clip(pixels, 0, 300).astype(np.float32), rng)


@dataclass(frozen=True, slots=True, repr=False)
class _Plane:
    """The presented picture and, for every camera pixel, its place in it."""

    picture: Image
    map_x: Floats
    map_y: Floats
    zoom: float
    points: Points
    fills: bool

    @classmethod
    def place(cls, picture: Image, points: Points, odds: RecaptureOdds, rng: Generator, *, bend: bool) -> _Plane:
        fills = bool(rng.random() < odds.fills)
        if not fills:
            picture, points = _cut(picture, points, rng)
        x, y, side = _square(points)
        zoom = _face_px(odds, side, rng) / side
        size = max(48, round(ROOM * side * zoom))
        homography = _homography((x, y), zoom, size, odds, rng)
        rows, columns = np.indices((size, size), dtype=np.float32)
        where = np.stack([columns, rows, np.ones_like(rows)], axis=-1) @ np.linalg.inv(homography).T.astype(np.float32)
        map_x, map_y = where[..., 0] / where[..., 2], where[..., 1] / where[..., 2]
        if bend:
            radius = rng.uniform(0.9, 3.0) * side
            map_x = x + radius * np.arcsin(np.clip((map_x - x) / radius, -0.98, 0.98))
        moved = np.column_stack([points, np.ones(len(points))]) @ homography.T
        seen = (moved[:, :2] / moved[:, 2:]).astype(np.float32)
        return cls(picture, map_x.astype(np.float32), map_y.astype(np.float32), zoom, seen, fills)

    def look(self, rng: Generator) -> Floats:
        """Return the picture on the plane, as sharp as it was reproduced."""
        source = self.picture.astype(np.float32)
        soft = rng.uniform(0, 0.9) + max(0.0, 0.5 / self.zoom - 0.5)
        if soft > 0.3:  # noqa: PLR2004  (less does nothing)
            source = np.asarray(cv2.GaussianBlur(source, (0, 0), soft), np.float32)
        border = cv2.BORDER_REFLECT_101
        return np.asarray(cv2.remap(source, self.map_x, self.map_y, cv2.INTER_LINEAR, borderMode=border), np.float32)

    def inside(self, beyond: float = 0.0) -> Floats:
        """Return how much of each camera pixel is the picture with a rim of `beyond` of its width: HxWx1, 0 to 1."""
        height, width = self.picture.shape[:2]
        rim = beyond * width
        across = np.minimum(self.map_x + rim, width + rim - self.map_x)
        down = np.minimum(self.map_y + rim, height + rim - self.map_y)
        share = np.clip(np.minimum(across, down) * self.zoom + 0.5, 0, 1)
        return np.asarray(share[..., None], np.float32)

    def framed(self, pixels: Floats, share: float, colour: Floats) -> Floats:
        """Return the picture with a frame (a margin, a bezel) inside its rim; none where it fills the view."""
        if self.fills:
            return pixels
        inner = self.inside(-share)
        return (pixels * inner + colour * (1 - inner)).astype(np.float32)

    def before(self, room: Image, pixels: Floats, rng: Generator) -> Scene:
        """Return the presented picture with the room around it."""
        if self.fills:
            return Scene(pixels.astype(np.float32), self.points)
        size = pixels.shape[:2]
        behind = cv2.resize(room, (size[1], size[0]), interpolation=cv2.INTER_LINEAR)
        behind = cv2.GaussianBlur(behind, (0, 0), rng.uniform(1.0, 5.0)).astype(np.float32) * rng.uniform(0.4, 1.1)
        over = self.inside()
        shadow = 1 - rng.uniform(0, 0.5) * cv2.GaussianBlur(over, (0, 0), 6.0)[..., None]
        return Scene((pixels * over + behind * shadow * (1 - over)).astype(np.float32), self.points)


def _square(points: Points) -> tuple[float, float, float]:
    low, high = points.min(axis=0), points.max(axis=0)
    middle = (low + high) / 2
    return float(middle[0]), float(middle[1]), float((high - low).max())


def _face_px(odds: RecaptureOdds, side: float, rng: Generator) -> float:
    """Return how large the face is before the camera; a small original is not blown up without end."""
    low, high = odds.face_px
    return float(rng.uniform(low, max(low + 1, min(high, 2.2 * side))))


def _cut(picture: Image, points: Points, rng: Generator) -> tuple[Image, Points]:
    """Return the part of a picture that an attacker presents, the face inside."""
    height, width = picture.shape[:2]
    x, y, side = _square(points)
    across, down = rng.uniform(1.15, 2.6, 2) * side / 2
    shift_x, shift_y = rng.uniform(-0.25, 0.25, 2) * side
    left, right = max(0, round(x + shift_x - across)), min(width, round(x + shift_x + across))
    top, bottom = max(0, round(y + shift_y - down)), min(height, round(y + shift_y + down))
    return picture[top:bottom, left:right], points - np.array([left, top], np.float32)


def _shrunk(picture: Image, matrix: Floats, zoom: float) -> tuple[Image, Floats]:
    """Return a smaller picture and the matrix for it where bilinear sampling would skip pixels."""
    if zoom > 0.7:  # noqa: PLR2004  (nothing is skipped)
        return picture, matrix
    small = cv2.resize(picture, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_AREA)
    factor = np.array([picture.shape[1] / small.shape[1], picture.shape[0] / small.shape[0]], np.float32)
    return np.asarray(small, np.uint8), np.column_stack([matrix[:, :2] * factor, matrix[:, 2]]).astype(np.float32)


def _homography(middle: tuple[float, float], zoom: float, size: int, odds: RecaptureOdds, rng: Generator) -> Floats:
    """Return the map from the picture to the camera: turned about all axes at twice the view's width."""
    yaw, pitch = np.radians(rng.uniform(-odds.tilt, odds.tilt, 2) * (1.0, 0.6))
    roll = np.radians(rng.uniform(-odds.roll, odds.roll))
    turn = _rotation(yaw, pitch, roll)
    away = 2.0 * size
    shift = np.array([[1, 0, -middle[0]], [0, 1, -middle[1]], [0, 0, 1]])
    plane = np.column_stack([turn[:, 0] * zoom, turn[:, 1] * zoom, [0, 0, away]])
    lens = np.array([[away, 0, size / 2], [0, away, size / 2], [0, 0, 1]])
    return np.asarray(lens @ plane @ shift)


def _rotation(yaw: float, pitch: float, roll: float) -> Floats:
    (sy, sp, sr), (cy, cp, cr) = np.sin([yaw, pitch, roll]), np.cos([yaw, pitch, roll])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_x = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    about_z = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    return np.asarray(about_z @ about_x @ about_y)
