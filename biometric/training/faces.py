"""Pictures and films as faces: pixels and where the mesh is. In memory only; the digest of the file goes along."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from biometric.detect import most_prominent
from biometric.errors import CannotTell
from biometric.image import decode_image
from biometric.landmarks import LOST

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import Protocol

    from biometric.detect import FaceDetector
    from biometric.landmarks import FaceMesh
    from biometric.training.sources import Item, Part
    from biometric.types import Image, Points

    class Finder(Protocol):
        """What finds a face; biometric.pipeline.Recogniser is one."""

        @property
        def detector(self) -> FaceDetector:
            """Finds faces."""

        @property
        def mesh(self) -> FaceMesh:
            """Finds their points."""

    Report = Callable[[int, int], None]

FRAMES_A_FILM: Final = 40
SEARCH_SIDE_PX: Final = 480
MOST_SIDE_PX: Final = 1000


@dataclass(frozen=True, slots=True, repr=False)
class Face:
    """One face in one picture.

    Attributes:
        item: where it comes from.
        image: the whole picture, BGR.
        points: 468x2, its mesh.
        sha256: digest of the file it was read from.
    """

    item: Item
    image: Image
    points: Points
    sha256: str


def read_faces(items: Sequence[Item], finder: Finder, *, report: Report) -> Iterator[Face]:
    """Yield the most prominent face of every picture and of up to FRAMES_A_FILM frames of every film.

    A picture in which none is found yields nothing; whoever counts sees it.
    """
    for done, item in enumerate(items, start=1):
        data = item.path.read_bytes()
        digest = hashlib.sha256(data).hexdigest()
        for image in _pictures(item, data):
            points = find_points(image, finder)
            if points is not None:
                yield Face(item, image, points, digest)
        report(done, len(items))


def find_points(image: Image, finder: Finder) -> Points | None:
    """Return the mesh of the most prominent face, or None."""
    try:
        face = most_prominent(finder.detector.detect(image, longest_side=SEARCH_SIDE_PX), image)
    except CannotTell:
        return None
    landmarks = finder.mesh.locate(image, face)
    return landmarks.points if landmarks.presence >= LOST else None


def _pictures(item: Item, data: bytes) -> Iterable[Image]:
    if item.path.suffix.lower() not in {".jpg", ".jpeg", ".png"}:
        return _frames(item)
    try:
        return [_bounded(decode_image(data))]
    except CannotTell:
        return []


def _frames(item: Item) -> Iterator[Image]:
    film = cv2.VideoCapture(str(item.path))
    try:
        film.set(cv2.CAP_PROP_ORIENTATION_AUTO, 1)
        wanted = set(np.linspace(0, max(film.get(cv2.CAP_PROP_FRAME_COUNT) - 1, 0), FRAMES_A_FILM).astype(int).tolist())
        number = 0
        while film.grab():
            if number in wanted:
                done, picture = film.retrieve()
                if done:
                    yield _bounded(np.asarray(picture, np.uint8))
            number += 1
    finally:
        film.release()


def _bounded(image: Image) -> Image:
    """Return a picture no larger than a camera's frame would show a face in detail."""
    longest = max(image.shape[:2])
    if longest <= MOST_SIDE_PX:
        return image
    scale = MOST_SIDE_PX / longest
    size = (round(image.shape[1] * scale), round(image.shape[0] * scale))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def chosen(items: Iterable[Item], part: Part, *, most_a_person: dict[str, int]) -> list[Item]:
    """Return the items of one part, at most so many of each person of a kind (by kind; kinds not named: all)."""
    seen: dict[tuple[str, str], int] = {}
    kept = []
    for item in items:
        if item.part is not part:
            continue
        key = (str(item.kind), item.person)
        seen[key] = seen.get(key, 0) + 1
        if seen[key] <= most_a_person.get(str(item.kind), seen[key]):
            kept.append(item)
    return kept
