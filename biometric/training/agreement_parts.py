"""Who teaches what to the disagreement detector: three parts of the choosing half that share nobody.

Rules:
 * MAPPING makes the map, FITTING the head (some are attacked), SETTING the threshold. Only the last two need pairs.
 * Who has one picture is in MAPPING. Where too few people have just one, as in pictures of an organisation's own, a
   third of the others takes their place.
 * A digest of the folder's name decides, so the same folder is always split alike, and a folder that cannot do is
   refused before anything is looked at.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from biometric.agreement import Rows
from biometric.evaluation.adversarial_logins import Login, Seen
from biometric.evaluation.calibrate import in_choosing_half
from biometric.evaluation.corpus import CorpusUnusable, LabelledPicture

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

MAPPING, FITTING, SETTING = range(3)
MOST_PICTURES: Final = 3
LEAST_PEOPLE: Final = 20  # in each part; with fewer there is nothing to fit or to set a threshold on


@dataclass(slots=True, repr=False)
class Part:
    """Pictures of one part's people, by person."""

    people: dict[str, list[Seen]] = field(default_factory=dict)

    def pictures(self) -> list[Seen]:
        """Return all pictures."""
        return [seen for pictures in self.people.values() for seen in pictures]

    def rows(self) -> tuple[Rows, NDArray[np.int64]]:
        """Return all vectors, and whose they are."""
        owners = [place for place, pictures in enumerate(self.people.values()) for _ in pictures]
        return Rows.of([seen.embeddings for seen in self.pictures()]), np.array(owners, np.int64)

    def genuine(self) -> list[Login]:
        """Return every picture of a person against every other one of the same."""
        return [
            Login(probe.looks, known.embeddings, person)
            for person, pictures in enumerate(self.people.values())
            for probe in pictures
            for known in pictures
            if known is not probe
        ]


def chosen_pictures(pictures: Iterable[LabelledPicture]) -> list[LabelledPicture]:
    """Return the pictures of the choosing half."""
    return [picture for picture in pictures if in_choosing_half(picture.person)]


def split(chosen: Sequence[LabelledPicture], images: Path) -> Mapping[str, int]:
    """Return the part of every person of the choosing half.

    Raises:
        CorpusUnusable: a part has fewer than LEAST_PEOPLE people.
    """
    files = Counter(picture.person for picture in chosen)
    few_alone = sum(count == 1 for count in files.values()) < LEAST_PEOPLE
    parts = {person: _part(person, alone=count == 1, few_alone=few_alone) for person, count in files.items()}
    sizes = Counter(parts.values())
    if min(sizes[part] for part in (MAPPING, FITTING, SETTING)) < LEAST_PEOPLE:
        several = sum(count > 1 for count in files.values())
        raise CorpusUnusable(
            f"the disagreement detector needs {LEAST_PEOPLE} people in each of three parts of {images}, and two "
            f"pictures each of those in two of them; the choosing half has {len(files)} people, {several} of them with "
            f"two pictures or more, which makes parts of {sizes[MAPPING]}, {sizes[FITTING]} and {sizes[SETTING]}"
        )
    return parts


def _part(person: str, *, alone: bool, few_alone: bool) -> int:
    digest = hashlib.sha256(b"facestep agreement\0" + person.encode()).digest()
    if alone or (few_alone and digest[1] % 3 == 0):
        return MAPPING
    return FITTING if digest[0] % 2 == 0 else SETTING
