"""Can two stolen references be told to be of one person? D_sys of Gomez-Barrero and others (IEEE TIFS 13, 2018).

Two samples of a linking score between references of different issuers: mated (one person) and not mated. With the
likelihood ratio LR(s) = p(s | mated) / p(s | not mated) and equal priors, D(s) = 0 where LR <= 1, else
2 LR / (1 + LR) - 1, and D_sys is its mean over mated scores: 0 cannot be linked, 1 always can.

Densities are shares in intervals of equal count of all scores, with PER_BIN mated scores or more in each on average and
BINS at most. Two samples of one distribution differ a little by chance, and D_sys counts that: `floor` is what it gives
for scores that are not mated on either side.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from biometric.types import Floats

BINS: Final = 40
LEAST_BINS: Final = 8
PER_BIN: Final = 100
FLOOR_DRAWS: Final = 40


@dataclass(frozen=True, slots=True)
class Linkability:
    """D_sys with what chance alone gives.

    Attributes:
        d_sys: of the two samples.
        floor: mean over draws that are mated on neither side, of the same sizes.
        floor_high: the highest of them but one in forty.
        mated: how many scores.
        not_mated: how many scores.
    """

    d_sys: float
    floor: float
    floor_high: float
    mated: int
    not_mated: int

    def as_json(self) -> dict[str, Any]:
        """Return the figures by name."""
        return asdict(self)


def linkability(mated: Floats, not_mated: Floats, *, rng: np.random.Generator) -> Linkability:
    """Return D_sys and its floor. `not_mated` should be several times as many as `mated`."""
    floors = []
    for _ in range(FLOOR_DRAWS):
        order = rng.permutation(len(not_mated))
        floors.append(d_sys(not_mated[order[: len(mated)]], not_mated[order[len(mated) :]]))
    return Linkability(
        d_sys=d_sys(mated, not_mated),
        floor=float(np.mean(floors)),
        floor_high=float(np.quantile(floors, 1 - 1 / FLOOR_DRAWS)),
        mated=len(mated),
        not_mated=len(not_mated),
    )


def d_sys(mated: Floats, not_mated: Floats) -> float:
    """Return the global unlinkability measure of two samples of scores."""
    bins = max(LEAST_BINS, min(BINS, len(mated) // PER_BIN))
    edges = np.quantile(np.concatenate([mated, not_mated]), np.linspace(0, 1, bins + 1))[1:-1]
    shares = [
        np.bincount(np.searchsorted(edges, scores, side="right"), minlength=bins) / len(scores)
        for scores in (mated, not_mated)
    ]
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = shares[0] / shares[1]
        local = np.where(ratio > 1, np.where(np.isinf(ratio), 1.0, 2 * ratio / (1 + ratio) - 1), 0.0)
    return float((shares[0] * local).sum())


def linking_scores(first: Floats, second: Floats) -> dict[str, Floats]:
    """Return the scores that a thief could link row by row with: same directions, or same sizes in whatever order."""
    return {
        "cosine": _cosines(first, second),
        "magnitudes": _cosines(np.sort(np.abs(first), axis=1), np.sort(np.abs(second), axis=1)),
    }


def _cosines(first: Floats, second: Floats) -> Floats:
    products = (first * second).sum(axis=1)
    cosines: Floats = products / (np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1))
    return cosines
