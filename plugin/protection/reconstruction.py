"""What a thief learns of a face from its opened reference without its key, who has seen many opened with their faces.

The attack: he holds LEAKED references (without their keys) and the faces they were made of, fits the linear map that
predicts one from the other best (ridge regression, the weight most useful to him), and applies it to a reference of
somebody he never saw. The same attack with one key for everybody shows that it would find what there is to find.

A thief who knows nothing at all can always show the mean of all faces, which is like many; what the reference adds to
that is counted apart.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from biometric.types import Floats

WEIGHTS: Final = (1e-4, 1e-2, 1.0, 100.0)
"""Of the ridge, in units of the mean variance of a kept number times the number of leaks."""


@dataclass(frozen=True, slots=True)
class Reconstruction:
    """How near the predicted faces are.

    Attributes:
        leaked: references with known faces.
        victims: references whose face was predicted.
        cosine: mean cosine of prediction and truth, both without the mean face: what the reference gave away.
        cosine_whole: the same with the mean face in both.
        cosine_mean_face: cosine of the mean face alone and the truth: what everybody has for nothing.
    """

    leaked: int
    victims: int
    cosine: float
    cosine_whole: float
    cosine_mean_face: float

    def as_json(self) -> dict[str, Any]:
        """Return the figures by name."""
        return asdict(self)


@dataclass(frozen=True, slots=True, repr=False)
class Made:
    """The faces that the attack makes, unit vectors a victim a row.

    Attributes:
        leaked: what the references gave away, without the mean face.
        whole: the same with the mean face.
        mean_face: what everybody has for nothing.
    """

    leaked: Floats
    whole: Floats
    mean_face: Floats


def attack(leaked: Floats, faces: Floats, stolen: Floats, truth: Floats) -> tuple[Reconstruction, Made]:
    """Return how near the attack comes, and the faces it makes.

    Args:
        leaked: kept numbers of known faces, (n, m).
        faces: those faces, (n, d).
        stolen: kept numbers of the victims, (v, m).
        truth: the victims' faces, (v, d), used only to judge, and to choose the weight in the thief's favour.
    """
    mean, centre = faces.mean(axis=0, dtype=np.float64), leaked.mean(axis=0, dtype=np.float64)
    best: tuple[float, Floats] | None = None
    for moved in _predictions(leaked - centre, faces - mean, stolen - centre):
        near = float(_rows_cosine(moved, truth - mean).mean())
        if best is None or near > best[0]:
            best = near, moved
    if best is None:
        raise ValueError("the attack needs a weight to try")
    whole = best[1] + mean
    found = Reconstruction(
        leaked=len(leaked),
        victims=len(stolen),
        cosine=best[0],
        cosine_whole=float(_rows_cosine(whole, truth).mean()),
        cosine_mean_face=float(_rows_cosine(np.broadcast_to(mean, truth.shape), truth).mean()),
    )
    mean_face = np.broadcast_to(mean, truth.shape)
    return found, Made(leaked=_units(best[1]), whole=_units(whole), mean_face=_units(mean_face))


def _predictions(leaked: Floats, faces: Floats, stolen: Floats) -> list[Floats]:
    gram = leaked.T.astype(np.float64) @ leaked
    cross = leaked.T.astype(np.float64) @ faces
    scale = np.trace(gram) / len(gram)
    return [stolen @ np.linalg.solve(gram + weight * scale * np.eye(len(gram)), cross) for weight in WEIGHTS]


def _units(rows: Floats) -> Floats:
    units: Floats = (rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)).astype(np.float32)
    return units


def _rows_cosine(one: Floats, other: Floats) -> Floats:
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    cosines: Floats = (one * other).sum(axis=1) / np.maximum(lengths, 1e-12)
    return cosines
