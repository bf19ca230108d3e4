"""Logins made of still pictures, for training and testing the disagreement detector.

Rules:
 * A picture is looked at as a camera frame of a login is: exactly one face, good enough, both recognisers, and
   FaceNet's second look through random changes (LOOKS_AGAIN of them: a login has as many frames that are seen twice).
 * Genuine logins compare two pictures of one person, taken years and cameras apart: harder than a login.
 * "Same sitting (simulated)" compares a picture with itself after another exposure and JPEG: the easiest login there
   can be, so that a very high similarity alone is never called an attack.
 * A larger picture is reduced to SIDE px around the face, so that an attack is batches of one size.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from biometric.agreement import Look
from biometric.agreement_looks import draw_change, second_look, span
from biometric.errors import CannotTell
from biometric.image import decode_image
from biometric.landmarks import five_points

if TYPE_CHECKING:
    from pathlib import Path

    from biometric.pipeline import Recogniser
    from biometric.types import FaceEmbeddings, Image, Points

SIDE: Final = 250  # pixels; Labeled Faces in the Wild comes so
LOOKS_AGAIN: Final = 2
_REACH: Final = 2.75  # spans around the face that a reduced picture shows


@dataclass(frozen=True, slots=True, repr=False)
class Seen:
    """A picture with one face, as it was looked at."""

    image: Image
    five: Points
    embeddings: FaceEmbeddings
    looks: tuple[Look, ...]


@dataclass(frozen=True, slots=True, repr=False)
class Login:
    """What one login's detector sees; `person` counts people within one part of the pictures."""

    looks: tuple[Look, ...]
    reference: FaceEmbeddings
    person: int = 0


def standard(image: Image, five: Points) -> Image:
    """Return the picture as SIDE x SIDE, with black added; of a larger one, the face's surroundings, reduced."""
    height, width = image.shape[:2]
    if max(height, width) > SIDE:
        reach = min(_REACH * span(five), max(height, width) / 2)
        low = np.clip(np.round(five.mean(axis=0) - reach), 0, None).astype(int)
        high = np.round(five.mean(axis=0) + reach).astype(int)
        part = image[low[1] : high[1], low[0] : high[0]]
        factor = SIDE / max(part.shape[:2])
        size = (min(SIDE, round(part.shape[1] * factor)), min(SIDE, round(part.shape[0] * factor)))
        image = cv2.resize(part, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
        height, width = image.shape[:2]
    return cv2.copyMakeBorder(image, 0, SIDE - height, 0, SIDE - width, cv2.BORDER_CONSTANT).astype(
        np.uint8, copy=False
    )


def see_file(path: Path, recogniser: Recogniser, *, rng: np.random.Generator, again: int = LOOKS_AGAIN) -> Seen | None:
    """Return what a login would see of the picture in `path`, or None where it would see no face to compare."""
    try:
        image = decode_image(path.read_bytes())
        still = recogniser.still(image)
        return see(standard(image, five_points(still.landmarks)), recogniser, rng=rng, again=again)
    except (CannotTell, OSError):
        return None


def see(image: Image, recogniser: Recogniser, *, rng: np.random.Generator, again: int = LOOKS_AGAIN) -> Seen:
    """Return what a login would see of the picture, with so many second looks.

    Raises:
        CannotTell: it shows no face to compare.
    """
    still = recogniser.still(image)
    five = five_points(still.landmarks)
    looks = [second_look(recogniser.embedder, image, five, draw_change(rng)) for _ in range(again)]
    return Seen(image, five, still.embeddings, tuple(Look(still.embeddings, vector) for vector in looks))


def same_sitting(seen: Seen, recogniser: Recogniser, *, rng: np.random.Generator) -> FaceEmbeddings:
    """Return the vectors of the same picture in other light, through another camera (simulated)."""
    gamma = float(rng.uniform(0.8, 1.25))
    table = (255 * (np.arange(256) / 255) ** gamma).astype(np.uint8)
    _, jpeg = cv2.imencode(".jpg", cv2.LUT(seen.image, table), [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(60, 95))])
    image = np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_COLOR), np.uint8)
    shifted = (seen.five + rng.normal(0, 0.01 * span(seen.five), seen.five.shape)).astype(np.float32)
    return recogniser.embedder.embed(image, shifted)
