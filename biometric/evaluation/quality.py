"""What the quality gate and the look at the surface see in pictures of people: their figures, unjudged.

Not here: which limits follow from them (limits.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from biometric.detect import FaceDetector, most_prominent
from biometric.errors import CannotTell
from biometric.image import decode_image
from biometric.landmarks import FaceMesh
from biometric.liveness.surface import inspect_surface
from biometric.models import ModelStore
from biometric.pipeline import STILL_SEARCH_SIDE_PX
from biometric.quality import QualityFigures, measure

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

PICTURES: Final = frozenset({".jpg", ".jpeg", ".png"})
MOST: Final = 500  # pictures of a folder, evenly spread


def find_pictures(folder: Path) -> list[Path]:
    """Return at most MOST pictures of a folder and those in it, evenly spread."""
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in PICTURES)
    return [found[round(at)] for at in np.linspace(0, len(found) - 1, min(MOST, len(found)))] if found else []


@dataclass(frozen=True, slots=True)
class Seen:
    """One picture's figures; `surface` is what biometric.liveness.surface.inspect_surface returns."""

    figures: QualityFigures
    surface: Mapping[str, float]


def look_through(pictures: Sequence[Path], models_dir: Path, *, done: Callable[[], None]) -> list[Seen]:
    """Return the figures of every picture in which a face was found."""
    store = ModelStore(models_dir)
    detector, mesh = FaceDetector(store), FaceMesh(store)
    seen = []
    for path in pictures:
        try:
            image = decode_image(path.read_bytes())
        except CannotTell:
            continue
        finally:
            done()
        faces = detector.detect(image, longest_side=STILL_SEARCH_SIDE_PX)
        if faces:
            face = most_prominent(faces, image)
            landmarks = mesh.locate(image, face)
            seen.append(Seen(measure(image, face, landmarks), inspect_surface(image, landmarks.points)))
    return seen
