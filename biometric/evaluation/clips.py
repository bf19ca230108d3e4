"""A film, or a folder of pictures, as the frames that a camera page would have sent.

Rules:
 * About 15 frames a second, at the film's own times; turned upright as the file says.
 * Scaled into 640x480 (or 480x640), the aspect kept, the rest black. Where that would make the face too small to
   judge and the film has more detail, a window around the first face is cut out instead, the same for all frames.
 * A frame that equals the one before is skipped, as a page does that waits for a new picture, unless the film stands
   still for FREEZE_MS; then it is sent, and refused.
 * A film that cannot be read raises; it never becomes an empty one.

Not here: what the frames prove (liveness/).
"""

from __future__ import annotations

import re
from itertools import chain
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from biometric.errors import CannotTell
from biometric.types import Frame

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from biometric.detect import FaceDetector
    from biometric.types import Image

EVERY_MS: Final = 1000 / 15
EARLY_MS: Final = 4.0  # a film's times are rounded
FREEZE_MS: Final = 500
JPEG_QUALITY: Final = 90  # what the page asks its canvas for
LONG, SHORT = 640, 480
LEAST_EYES_PX: Final = 48  # a little above what quality.LIVE asks
FACES_HIGH: Final = 2.3  # of the window, so that a moving head stays inside
PICTURES: Final = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp"})
MOST_PIXELS: Final = 50_000_000


class ClipUnreadable(CannotTell):
    """The file is no film that can be read, or holds no picture."""

    code = "clip_unreadable"


def read_clip(path: Path, *, detector: FaceDetector, longest_ms: float) -> Iterator[Frame]:
    """Yield the frames that a page would have sent, up to `longest_ms`.

    Raises:
        ClipUnreadable: there is no film there.
    """
    pictures = _from_folder(path) if path.is_dir() else _from_film(path)
    first = next(pictures, None)
    if first is None:
        raise ClipUnreadable(f"{path}: no picture in it")
    window = _window(first[1], detector)
    sent, sent_ms, due = b"", 0, 0.0
    start = first[0]
    seq = 0
    for film_ms, picture in chain([first], pictures):
        at_ms = round(film_ms - start)
        if film_ms - start > longest_ms:
            return
        if film_ms - start < due - EARLY_MS:
            continue
        due = max(due + EVERY_MS, film_ms - start + EVERY_MS / 2)
        jpeg = _encode(_fit(window.cut(picture)))
        if jpeg == sent and at_ms - sent_ms < FREEZE_MS:
            continue
        yield Frame(seq, at_ms, jpeg)
        sent, sent_ms, seq = jpeg, at_ms, seq + 1


class Window:
    """The part of every picture that is shown; all of it unless `box` (left, top, width, height) says otherwise."""

    def __init__(self, box: tuple[int, int, int, int] | None = None) -> None:
        self._box = box

    def cut(self, picture: Image) -> Image:
        """Return the part."""
        if self._box is None:
            return picture
        left, top, width, height = self._box
        return picture[top : top + height, left : left + width]


def _window(picture: Image, detector: FaceDetector) -> Window:
    """Return a window around the first face if the whole picture would show it too small."""
    height, width = picture.shape[:2]
    shrunk = min(1.0, LONG / max(width, height), SHORT / min(width, height))
    faces = detector.detect(picture, longest_side=LONG)
    if shrunk == 1.0 or not faces:
        return Window()
    face = faces[0]
    if float(np.hypot(*(face.five[1] - face.five[0]))) * shrunk >= LEAST_EYES_PX:
        return Window()
    x, y, w, h = face.box
    high = min(height, max(round(h * FACES_HIGH), SHORT))
    wide = min(width, round(high * LONG / SHORT))
    left = min(max(round(x + w / 2 - wide / 2), 0), width - wide)
    top = min(max(round(y + h / 2 - high / 2), 0), height - high)
    return Window((left, top, wide, high))


def _fit(picture: Image) -> Image:
    """Return the picture inside a canvas of the page's size."""
    height, width = picture.shape[:2]
    canvas_w, canvas_h = (LONG, SHORT) if width >= height else (SHORT, LONG)
    scale = min(canvas_w / width, canvas_h / height)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    inside = cv2.resize(picture, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    canvas = np.zeros((canvas_h, canvas_w, 3), np.uint8)
    left, top = (canvas_w - size[0]) // 2, (canvas_h - size[1]) // 2
    canvas[top : top + size[1], left : left + size[0]] = inside
    return canvas


def _encode(picture: Image) -> bytes:
    return cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1].tobytes()


def _from_film(path: Path) -> Iterator[tuple[float, Image]]:
    if not path.is_file():
        raise ClipUnreadable(f"{path}: no such file")
    film = cv2.VideoCapture(str(path))
    try:
        film.set(cv2.CAP_PROP_ORIENTATION_AUTO, 1)
        if not film.isOpened():
            raise ClipUnreadable(f"{path}: not a film")
        if film.get(cv2.CAP_PROP_FRAME_WIDTH) * film.get(cv2.CAP_PROP_FRAME_HEIGHT) > MOST_PIXELS:
            raise ClipUnreadable(f"{path}: too many pixels")
        yield from _frames(film)
    finally:
        film.release()


def _frames(film: cv2.VideoCapture) -> Iterator[tuple[float, Image]]:
    """Yield frames with increasing times: the film's own, or counted where it has none."""
    rate = film.get(cv2.CAP_PROP_FPS)
    step = 1000 / rate if 1 <= rate <= 240 else EVERY_MS  # noqa: PLR2004  (else the header is nonsense)
    last = -step
    while film.grab():
        told = film.get(cv2.CAP_PROP_POS_MSEC)
        last = told if told > last else last + step
        done, picture = film.retrieve()
        if done and picture is not None and picture.ndim == 3:  # noqa: PLR2004
            yield last, np.asarray(picture, np.uint8)


def _from_folder(path: Path) -> Iterator[tuple[float, Image]]:
    names = [name for name in path.iterdir() if name.suffix.lower() in PICTURES]
    names.sort(key=lambda name: [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name.name)])
    for number, name in enumerate(names):
        picture = cv2.imread(str(name), cv2.IMREAD_COLOR)
        if picture is None:
            raise ClipUnreadable(f"{name}: not a picture")
        yield number * EVERY_MS, np.asarray(picture, np.uint8)
