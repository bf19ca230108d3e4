"""TAR at a FMR from the vectors of some pictures, with its 95 % interval (bootstrap over people)."""

from __future__ import annotations

import numpy as np

DRAWS = 300


class Pairs:
    """All pairs of pictures, as scores sorted from the highest."""

    def __init__(self, scores: np.ndarray, people: np.ndarray) -> None:
        left, right = np.triu_indices(len(people), 1)
        values = scores[left, right]
        same = people[left] == people[right]
        order = np.argsort(-values[~same], kind="stable")
        self.impostor, self.impostor_left, self.impostor_right = (
            part[~same][order] for part in (values, people[left], people[right])
        )
        self.genuine, self.owner = values[same], people[left][same]
        self.count = int(people.max()) + 1

    def tar(self, fmr: float, drawn: np.ndarray | None = None, *, lost: np.ndarray | None = None) -> float:
        """Return the TAR at the lowest threshold whose FMR does not exceed `fmr`.

        `drawn` is how often each person counts; `lost` how many genuine pairs of each person had no vector and so
        count as missed.
        """
        drawn = np.ones(self.count) if drawn is None else drawn
        reached = np.cumsum(drawn[self.impostor_left] * drawn[self.impostor_right])
        first_bad = int(np.searchsorted(reached, fmr * reached[-1], side="right"))
        weight = drawn[self.owner]
        missed = 0.0 if lost is None else float((drawn * lost).sum())
        return float(weight[self.genuine > self.impostor[first_bad]].sum() / (weight.sum() + missed))

    def interval(self, fmr: float, *, lost: np.ndarray | None = None, seed: int = 1) -> tuple[float, float]:
        rng = np.random.default_rng(seed)
        draws = [np.bincount(rng.integers(self.count, size=self.count), minlength=self.count) for _ in range(DRAWS)]
        found = [self.tar(fmr, drawn.astype(float), lost=lost) for drawn in draws]
        low, high = np.quantile(found, [0.025, 0.975])
        return float(low), float(high)


def cosines(rows: np.ndarray) -> np.ndarray:
    units = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return units @ units.T


def nearness(rows: np.ndarray) -> np.ndarray:
    """Return minus the squared Euclidean distances: what dlib's documentation compares."""
    lengths = (rows**2).sum(axis=1)
    return 2 * rows @ rows.T - lengths[:, None] - lengths[None]


def lost_pairs(people: np.ndarray, acquired: np.ndarray) -> np.ndarray:
    """Return for each person how many genuine pairs lack a vector."""
    size = int(people.max()) + 1
    whole, kept = np.bincount(people, minlength=size), np.bincount(people[acquired], minlength=size)
    return (whole * (whole - 1) - kept * (kept - 1)) / 2
