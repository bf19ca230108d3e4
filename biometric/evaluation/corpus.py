"""A folder of pictures, DIR/person/*.jpg, turned into vectors that live in memory only.

Rules:
 * The folder's name says whose face it is, so where several faces are seen the most prominent one is taken and the
   picture is counted under `several_faces`; a comparison would refuse it. `exactly_one` makes it a failure to
   acquire.
 * Whatever cannot be read or shows no usable face is a failure to acquire, counted by its code, and never ends the run.
 * Vectors are those of the nets, before any projection (biometric/projection.py); `projected` gives what is compared.
 * Nothing is written to disk unless a cache is handed in (cache.py): vectors of people are not left behind.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from biometric.detect import most_prominent, only_face
from biometric.errors import CannotTell, QualityTooLow, SeveralFaces
from biometric.evaluation.cache import Looked
from biometric.image import decode_image
from biometric.pipeline import STILL_SEARCH_SIDE_PX

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from biometric.evaluation.cache import VectorCache
    from biometric.pipeline import Recogniser
    from biometric.projection import Projection
    from biometric.types import Floats, Image

SUFFIXES: Final = frozenset({".jpg", ".jpeg", ".png", ".webp"})

Report = Callable[[int, int], None]
"""done, in all"""


class CorpusUnusable(CannotTell):
    """The folder holds nothing that could be evaluated; the message says what was looked for."""

    code = "corpus_unusable"


@dataclass(frozen=True, slots=True)
class LabelledPicture:
    """One picture and the person it is filed under."""

    person: str
    path: Path


@dataclass(frozen=True, slots=True, repr=False)
class Corpus:
    """Vectors of all usable pictures.

    Attributes:
        people: names, in the order that `person` counts.
        person: for each row, which person.
        facenet: rows of FaceNet's unit vectors.
        sface: rows of SFace's unit vectors.
        pictures: how many were looked at.
        failures: how many gave no vector, by error code.
        several_faces: how many rows had another face of comparable size.
    """

    people: tuple[str, ...]
    person: NDArray[np.int32]
    facenet: Floats
    sface: Floats
    pictures: int
    failures: dict[str, int]
    several_faces: int

    def __repr__(self) -> str:
        return f"Corpus({len(self.people)} people, {len(self.person)} of {self.pictures} pictures)"

    def part(self, chosen: Callable[[str], bool]) -> Corpus:
        """Return the rows of the people whose name is chosen; the failures stay with the whole."""
        keep = np.array([chosen(name) for name in self.people], bool)
        rows = keep[self.person]
        number = np.cumsum(keep) - 1
        return Corpus(
            people=tuple(name for name, kept in zip(self.people, keep, strict=True) if kept),
            person=number[self.person[rows]].astype(np.int32),
            facenet=self.facenet[rows],
            sface=self.sface[rows],
            pictures=int(rows.sum()),
            failures={},
            several_faces=0,
        )

    def projected(self, projection: Projection | None) -> Corpus:
        """Return the corpus with FaceNet's vectors as they are compared (projection.py)."""
        return self if projection is None else replace(self, facenet=projection(self.facenet))

    def at_most(self, pictures: int) -> Corpus:
        """Return the first rows of each person, at most `pictures` of them."""
        order = np.argsort(self.person, kind="stable")
        starts = np.searchsorted(self.person[order], np.arange(len(self.people)))
        rank = np.empty(len(order), np.int64)
        rank[order] = np.arange(len(order)) - starts[self.person[order]]
        rows = rank < pictures
        return replace(
            self,
            person=self.person[rows],
            facenet=self.facenet[rows],
            sface=self.sface[rows],
            pictures=int(rows.sum()),
            failures={},
            several_faces=0,
        )


def find_pictures(folder: Path) -> list[LabelledPicture]:
    """Return every picture in the folders under `folder`, in order of name.

    Raises:
        CorpusUnusable: there is no such folder, or there are no pictures in folders in it.
    """
    if not folder.is_dir():
        raise CorpusUnusable(f"{folder} is not a folder")
    found = [
        LabelledPicture(person.name, path)
        for person in sorted(folder.iterdir())
        if person.is_dir()
        for path in sorted(person.iterdir())
        if path.suffix.lower() in SUFFIXES
    ]
    if not found:
        raise CorpusUnusable(f"{folder} holds no person/*.jpg")
    return found


def embed_corpus(
    pictures: Sequence[LabelledPicture],
    recogniser: Recogniser,
    *,
    report: Report,
    exactly_one: bool = False,
    most: int | None = None,
    cache: VectorCache | None = None,
) -> Corpus:
    """Return the vectors of all pictures that give any; a person who has `most` of them is not looked at again."""
    found: list[tuple[str, Looked]] = []
    usable: Counter[str] = Counter()
    failures: Counter[str] = Counter()
    several = 0
    for done, picture in enumerate(pictures, start=1):
        if most is None or usable[picture.person] < most:
            looked = _look(picture.path, recogniser, cache)
            code = SeveralFaces.code if exactly_one and looked.several else looked.code
            if code:
                failures[code] += 1
            else:
                found.append((picture.person, looked))
                usable[picture.person] += 1
                several += looked.several
        report(done, len(pictures))
    if cache is not None:
        cache.save()
    return _corpus(found, failures, several_faces=several)


def _corpus(found: Sequence[tuple[str, Looked]], failures: Mapping[str, int], *, several_faces: int) -> Corpus:
    people = sorted({person for person, _ in found})
    number = {name: position for position, name in enumerate(people)}
    return Corpus(
        people=tuple(people),
        person=np.array([number[person] for person, _ in found], np.int32),
        facenet=np.array([face.facenet for _, face in found], np.float32),
        sface=np.array([face.sface for _, face in found], np.float32),
        pictures=len(found) + sum(failures.values()),
        failures=dict(failures),
        several_faces=several_faces,
    )


def _look(path: Path, recogniser: Recogniser, cache: VectorCache | None) -> Looked:
    try:
        content = path.read_bytes()
    except OSError:
        return Looked("file_unreadable", several=False, facenet=None, sface=None)
    known = cache.get(content) if cache is not None else None
    if known is None:
        known = _see(content, recogniser)
        if cache is not None:
            cache.put(content, known)
    return known


def _see(content: bytes, recogniser: Recogniser) -> Looked:
    several = False
    try:
        image: Image = decode_image(content)
        faces = recogniser.detector.detect(image, longest_side=STILL_SEARCH_SIDE_PX)
        try:
            face = only_face(faces)
        except SeveralFaces:
            face, several = most_prominent(faces, image), True
        seen = recogniser.describe(image, face).embeddings
    except CannotTell as exc:
        return Looked(_code(exc), several=several, facenet=None, sface=None)
    return Looked("", several=several, facenet=seen.facenet.vector, sface=seen.sface.vector)


def _code(error: CannotTell) -> str:
    """Return the error's code, with the hint where the face was not good enough."""
    return f"{error.code}_{error.hint}" if isinstance(error, QualityTooLow) else error.code
