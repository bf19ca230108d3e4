"""The projection of FaceNet's space (projection.py), learnt from the people who choose the thresholds.

Two steps:
 1. even out: the directions in which people differ, from the second moment of everybody's vectors, each person counting
    once; a part of the unevenness is taken away. It is not centred: a mean vector lifted LFW and nothing else.
 2. refine: gradient steps from there towards fewer refusals at the threshold for FMR 1e-4, pulled back to the start.

With fewer than LEAST_PEOPLE there is none, and vectors are compared as the net gives them. The constants were chosen by
two-fold cross-validation on the choosing half (docs/calibration.md, "Projection").
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from biometric.projection import DIRECTIONS, Projection

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from biometric.evaluation.corpus import Corpus

    Rows = NDArray[np.float64]
    Numbers = NDArray[np.int64]

LEAST_PEOPLE: Final = 400  # about three for each direction kept
EVENNESS: Final = 0.4  # 0 leaves the spread as it is, 1 makes it even
RIDGE: Final = 1e-4  # below this share of the spread a direction is noise and is not lifted
STEPS: Final = 60
RATE: Final = 3e-3  # of the root mean square of the start
PULL: Final = 10.0
MOST_PICTURES: Final = 6  # of one person
MOST_ROWS: Final = 4_000
FMR: Final = 1e-4
SOFTNESS: Final = 0.06  # of the step from refused to accepted, in cosine
STEEPNESS: Final = 0.05  # with which a likeness of strangers above the threshold weighs more, in cosine
STRANGERS: Final = 0.02  # weight of the strangers' part
HARDEST: Final = 40_000  # pairs of strangers looked at, chosen again every
AGAIN: Final = 10  # steps


def learn_projection(corpus: Corpus) -> Projection | None:
    """Return the projection that this population asks for, or None if it has too few people."""
    if len(corpus.people) < LEAST_PEOPLE:
        return None
    even = evened_out(corpus)
    few = corpus.at_most(MOST_PICTURES)
    kept = slice(0, MOST_ROWS)
    rows = few.facenet[kept].astype(np.float64) @ even
    return Projection.of((even @ refined(rows, few.person[kept])).T.astype(np.float32))


def evened_out(corpus: Corpus) -> Rows:
    """Return step 1's matrix, (512, DIRECTIONS), to be multiplied from the right."""
    pictures = np.bincount(corpus.person, minlength=len(corpus.people))
    rows = corpus.facenet.astype(np.float64) / np.sqrt(pictures[corpus.person] * len(corpus.people))[:, None]
    spread, directions = np.linalg.eigh(rows.T @ rows)
    kept, axes = spread[::-1][:DIRECTIONS], directions[:, ::-1][:, :DIRECTIONS]
    axes = axes * np.where(axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])] < 0, -1.0, 1.0)  # one sign
    matrix: Rows = axes * (np.maximum(kept, 0) + RIDGE) ** (-EVENNESS / 2)
    return matrix


@dataclass(frozen=True, slots=True)
class _Pairs:
    """Row numbers of both pictures of each pair."""

    left: Numbers
    right: Numbers

    def scores(self, units: Rows) -> Rows:
        found: Rows = np.einsum("ij,ij->i", units[self.left], units[self.right])
        return found

    def spread(self, units: Rows, slope: Rows) -> Rows:
        """Return the gradient by `units` of scores whose own gradient is `slope`."""
        gradient = np.zeros_like(units)
        np.add.at(gradient, self.left, slope[:, None] * units[self.right])
        np.add.at(gradient, self.right, slope[:, None] * units[self.left])
        return gradient


def refined(rows: Rows, person: NDArray[np.int32], *, steps: int = STEPS) -> Rows:
    """Return step 2's matrix, (DIRECTIONS, DIRECTIONS), to be multiplied from the right; Adam from the identity."""
    i, j = np.triu_indices(len(rows), 1)
    same = person[i] == person[j]
    genuine, strangers = _Pairs(i[same], j[same]), _Pairs(i[~same], j[~same])
    owners = person[genuine.left]
    weight = np.bincount(owners, minlength=int(person.max()) + 1)[owners] ** -0.5  # many pictures, little more weight
    weight = weight / weight.sum()
    start = np.eye(rows.shape[1])
    matrix, first, second = start.copy(), np.zeros_like(start), np.zeros_like(start)
    allowed = max(1, int(FMR * len(strangers.left)))
    hard, threshold = strangers, 0.0
    for step in range(steps):
        moved = rows @ matrix
        lengths = np.linalg.norm(moved, axis=1, keepdims=True)
        units = moved / lengths
        if step % AGAIN == 0:
            hard, threshold = _hardest(strangers, units, allowed)
        refused = 1 / (1 + np.exp((genuine.scores(units) - threshold) / SOFTNESS))
        excess = np.exp(np.minimum((hard.scores(units) - threshold) / STEEPNESS, 3)) / STEEPNESS / allowed
        slope = genuine.spread(units, -weight * refused * (1 - refused) / SOFTNESS)
        slope += hard.spread(units, STRANGERS * excess)
        slope = (slope - units * np.einsum("ij,ij->i", slope, units)[:, None]) / lengths
        gradient = rows.T @ slope + PULL * (matrix - start) / len(start)
        first = 0.9 * first + 0.1 * gradient
        second = 0.999 * second + 0.001 * gradient**2
        whole, root = first / (1 - 0.9 ** (step + 1)), np.sqrt(second / (1 - 0.999 ** (step + 1)))
        matrix -= RATE / np.sqrt(len(start)) * whole / (root + 1e-12)
    return matrix


def _hardest(strangers: _Pairs, units: Rows, allowed: int) -> tuple[_Pairs, float]:
    """Return the most alike pairs of strangers, and the score that `allowed` of them reach."""
    scores = (units @ units.T)[strangers.left, strangers.right]
    count = min(len(scores), max(allowed, min(HARDEST, len(scores) // 50)))
    chosen = np.argpartition(scores, len(scores) - count)[len(scores) - count :]
    threshold = float(np.partition(scores[chosen], count - allowed)[count - allowed])
    return _Pairs(strangers.left[chosen], strangers.right[chosen]), threshold
