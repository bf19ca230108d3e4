"""Whose faces are simulated: the test pictures, and every folder of pictures that an evaluator names.

A folder holds one person a subfolder; the first picture in it (by name) is the one that is lifted to a head, the second
is the reference, as in a login on another day. Who has one picture only is compared with that.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import cv2
import numpy as np

from biometric.errors import BiometricError
from tests.fixtures_cache import picture_path
from tests.simulator.mesh3d import NoFaceInPhoto
from tests.simulator.portrait import prepare
from tests.simulator.subject import Subject

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from biometric.types import Image
    from tests.simulator.portrait import Portrait

TEST_PEOPLE = (
    ("person_a_1", "person_a_2"),
    ("person_b_1", "person_b_2"),
    ("impostor_1", "impostor_1"),
    ("impostor_2", "impostor_2"),
    ("astronaut", "astronaut"),
)
PICTURE_FILES = frozenset({".jpg", ".jpeg", ".png"})
KEPT = 6  # heads at a time; one has 15 MB


class PhotosInvalid(BiometricError):  # noqa: N818  (reads as what happened)
    """A folder of photos holds nobody who can be simulated, or a file in it is no picture."""

    code = "photos_invalid"


@dataclass(frozen=True, slots=True)
class Sitter:
    """A person: the picture to be lifted to a head, and the one to be compared with."""

    number: int
    shown: Path
    reference: Path

    @property
    def photo(self) -> Image:
        """The picture that is shown."""
        return read(self.shown)

    @property
    def portrait(self) -> Portrait:
        """The same, prepared for rendering."""
        return _portrait(self.shown)

    @property
    def subject(self) -> Subject:
        """The same, as a head."""
        return _subject(self.shown)


def find_people(photos: Path | None) -> list[Sitter]:
    """Return the people of the test pictures, then those of the folder.

    Raises:
        PhotosInvalid: the folder holds no person.
    """
    pairs = [(picture_path(shown), picture_path(reference)) for shown, reference in TEST_PEOPLE]
    if photos is not None:
        folders = sorted({path.parent for path in _pictures(photos.rglob("*"))})
        if not folders:
            raise PhotosInvalid(f"{photos} holds no picture")
        own = [_pictures(folder.iterdir()) for folder in folders]
        pairs += [(pictures[0], pictures[min(1, len(pictures) - 1)]) for pictures in own]
    return [Sitter(number, *pair) for number, pair in enumerate(pairs)]


def read(path: Path) -> Image:
    """Return a picture as BGR pixels. Raises PhotosInvalid."""
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if picture is None:
        raise PhotosInvalid(f"{path} is no picture")
    return np.asarray(picture, dtype=np.uint8)


def _pictures(paths: Iterable[Path]) -> list[Path]:
    return sorted(path for path in paths if path.suffix.lower() in PICTURE_FILES)


@lru_cache(maxsize=KEPT)
def _portrait(path: Path) -> Portrait:
    try:
        return prepare(read(path))
    except NoFaceInPhoto as exc:
        raise PhotosInvalid(f"{path}: {exc}") from exc


@lru_cache(maxsize=KEPT)
def _subject(path: Path) -> Subject:
    return Subject(read(path), portrait=_portrait(path))
