"""Where training and evaluation pictures come from, and which person belongs to which part.

The folder has the layout of the tests' data: faces/lfw/PERSON, faces/london/PERSON, faces/nuaa/client/PERSON,
faces/nuaa/imposter/PERSON, faces/nuaa/sequences/KIND_PERSON_…, faces/videos/genuine/*, faces/videos/replay/*,
faces/stills/*. What is not there is left out, and the manifest shows it.

The split, by person, never by picture (published so that others can test on the same people):
 1. The people of a source are put in the order of SHA-256("source/folder name").
 2. Of n people, fold f of 3 tests those at positions ceil(f n / 3) up to ceil((f + 1) n / 3).
 3. The next max(1, n // 8) people, counting on from the beginning where the list ends, choose the threshold.
 4. The rest trains. The shipped weights come from fold 0.
 5. A person of NUAA has the same part live, printed, and in sequences. Replay clips and stills only ever test.

No name leaves this file: a person is known by the digest from rule 1.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from biometric.errors import CannotTell

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

FOLDS: Final = 3
SHIPPED_FOLD: Final = 0
FILMS: Final = frozenset({".mp4", ".mov", ".avi", ".mkv", ".webm"})
PICTURES: Final = frozenset({".jpg", ".jpeg", ".png"})
_NUAA_SEQUENCE: Final = re.compile(r"(client|imposter)_(\d+)_")
ONLY_TESTED: Final = frozenset({"replay", "still"})
_CHOOSING_SHARE: Final = 8


class TrainingDataUnusable(CannotTell):
    """The folder holds nothing to train or test on; the message says what was looked for."""

    code = "training_data_unusable"


class Part(StrEnum):
    """What a person's pictures are used for."""

    TRAIN = "train"
    CHOOSE = "choose"
    TEST = "test"


class Kind(StrEnum):
    """What a picture shows, by its origin."""

    NUAA_LIVE = "nuaa_live"
    NUAA_PRINT = "nuaa_print"
    LFW = "lfw"
    LONDON = "london"
    CLIP_LIVE = "clip_live"
    CLIP_REPLAY = "replay_clip"
    STILL_LIVE = "still_live"
    STILL_SPOOF = "still_spoof"

    @property
    def is_attack(self) -> bool:
        """True for what was really presented to a camera."""
        return self in {Kind.NUAA_PRINT, Kind.CLIP_REPLAY, Kind.STILL_SPOOF}

    @property
    def source(self) -> str:
        """The data set within which people are told apart."""
        return str(self).partition("_")[0]


@dataclass(frozen=True, slots=True)
class Item:
    """One picture or film.

    Attributes:
        kind: what it shows.
        person: digest of source and folder name.
        part: what it is used for.
        path: where it lies.
        sequence: True for runs of consecutive frames.
    """

    kind: Kind
    person: str
    part: Part
    path: Path
    sequence: bool = False


def person_digest(source: str, name: str) -> str:
    """Return what a person is called outside of this file."""
    return hashlib.sha256(f"{source}/{name}".encode()).hexdigest()


def parts(people: Iterable[str], fold: int) -> dict[str, Part]:
    """Return the part of each person of one source (rules 1 to 4), given their digests."""
    order = sorted(set(people))
    n = len(order)
    start, stop = (-(-(f * n) // FOLDS) for f in (fold, fold + 1))
    part = dict.fromkeys(order, Part.TRAIN)
    part |= dict.fromkeys(order[start:stop], Part.TEST)
    left = [order[(stop + k) % n] for k in range(n - (stop - start))]
    return part | dict.fromkeys(left[: max(1, n // _CHOOSING_SHARE)], Part.CHOOSE)


def find_items(data: Path, *, fold: int = SHIPPED_FOLD) -> list[Item]:
    """Return everything under `data`, in a fixed order.

    Raises:
        TrainingDataUnusable: there is nothing.
    """
    found = list(_walk(data / "faces"))
    if not found:
        raise TrainingDataUnusable(f"{data}/faces holds neither lfw, london, nuaa, videos nor stills")
    by_source: dict[str, set[str]] = {}
    for kind, person, *_ in found:
        by_source.setdefault(kind.source, set()).add(person)
    part = {source: parts(people, fold) for source, people in by_source.items()}
    for source in ONLY_TESTED & set(part):
        part[source] = dict.fromkeys(part[source], Part.TEST)
    return [Item(kind, person, part[kind.source][person], path, run) for kind, person, path, run in found]


def _walk(faces: Path) -> Iterator[tuple[Kind, str, Path, bool]]:
    yield from _people(Kind.LFW, faces / "lfw")
    yield from _people(Kind.LONDON, faces / "london")
    yield from _people(Kind.NUAA_LIVE, faces / "nuaa" / "client")
    yield from _people(Kind.NUAA_PRINT, faces / "nuaa" / "imposter")
    for folder in _sorted(faces / "nuaa" / "sequences"):
        named = _NUAA_SEQUENCE.match(folder.name)
        if named:
            kind = Kind.NUAA_LIVE if named[1] == "client" else Kind.NUAA_PRINT
            person = person_digest(kind.source, named[2])
            yield from ((kind, person, path, True) for path in _sorted(folder) if path.suffix.lower() in PICTURES)
    for kind, clips in ((Kind.CLIP_LIVE, "genuine"), (Kind.CLIP_REPLAY, "replay")):
        for path in _sorted(faces / "videos" / clips):
            if path.suffix.lower() in FILMS:
                yield kind, person_digest(kind.source, f"{clips}/{path.name}"), path, True
    for path in _sorted(faces / "stills"):
        if path.suffix.lower() in PICTURES:
            kind = Kind.STILL_LIVE if path.stem.rpartition("_")[2].startswith("T") else Kind.STILL_SPOOF
            yield kind, person_digest(kind.source, path.name), path, False


def _people(kind: Kind, folder: Path) -> Iterator[tuple[Kind, str, Path, bool]]:
    for person in _sorted(folder):
        if person.is_dir():
            digest = person_digest(kind.source, person.name)
            yield from ((kind, digest, path, False) for path in _sorted(person) if path.suffix.lower() in PICTURES)


def _sorted(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []
