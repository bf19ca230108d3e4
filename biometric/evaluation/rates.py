"""Error rates and how sure we are of them (ISO/IEC 19795-1).

Rules:
 * FMR: share of impostor pairs at or above the threshold. FNMR: share of genuine pairs below it. TAR = 1 - FNMR.
 * A threshold for a wished FMR is the lowest score at which the FMR does not exceed it, so ties go against us.
 * Intervals: 95 %, bootstrap over people (a pair counts as often as both its people were drawn). Where nothing was
   observed, the bootstrap would claim certainty; then the upper end is that of the binomial with as many trials as
   independent people allow.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from biometric.evaluation.pairs import PairScores

DRAWS: Final = 400
TAIL_PROBABILITY: Final = 0.025
NORMAL: Final = 1.96  # the normal quantile of 1 - TAIL_PROBABILITY


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float


def _crossing(missed: NDArray[np.float64], matched: NDArray[np.float64]) -> tuple[float, float]:
    """Return how close both rates come, and their mean there."""
    apart = np.abs(missed - matched)
    at = int(np.argmin(apart))
    return float(apart[at]), float(missed[at] + matched[at]) / 2


@dataclass(frozen=True, slots=True)
class Weighted:
    """The pairs under one draw of people: how much each genuine and each impostor pair counts."""

    scores: PairScores
    genuine: NDArray[np.float64]
    impostor: NDArray[np.float64]
    impostor_total: float

    @classmethod
    def under(cls, scores: PairScores, people: NDArray[np.float64] | None) -> Weighted:
        """Return the weights when person i was drawn people[i] times; None draws everybody once."""
        if people is None:
            people = np.ones(len(scores.pictures_of))
        rows = people * scores.pictures_of
        return cls(
            scores=scores,
            genuine=people[scores.genuine_person],
            impostor=scores.weight * people[scores.left] * people[scores.right],
            impostor_total=float(rows.sum() ** 2 - (rows**2).sum()) / 2,
        )

    def fmr(self, threshold: float) -> float:
        """Return the false match rate at `threshold`."""
        above = int(np.searchsorted(-self.scores.impostor, -threshold, side="right"))
        return float(self.impostor[:above].sum()) / self.impostor_total

    def fnmr(self, threshold: float) -> float:
        """Return the false non-match rate at `threshold`."""
        total = float(self.genuine.sum())
        below = int(np.searchsorted(self.scores.genuine, threshold, side="left"))
        return float(self.genuine[:below].sum()) / total if total else 0.0

    def threshold(self, fmr: float) -> float:
        """Return the lowest threshold at which the false match rate does not exceed `fmr`."""
        reached = np.cumsum(self.impostor) / self.impostor_total
        first_bad = int(np.searchsorted(reached, fmr, side="right"))
        if first_bad >= len(reached):
            return float(self.scores.impostor[-1])
        return float(np.nextafter(self.scores.impostor[first_bad], np.float32(np.inf)))

    def tar(self, fmr: float) -> float:
        """Return the true accept rate at the threshold for `fmr`."""
        return 1.0 - self.fnmr(self.threshold(fmr))

    def eer(self) -> float:
        """Return the rate at which both errors are equal."""
        below = np.concatenate([[0.0], np.cumsum(self.genuine)])
        missed = below[self.scores.missed] / max(float(below[-1]), 1e-12)
        matched = np.cumsum(self._shares())
        # Each threshold at an impostor's score, and the one just above it, where that impostor no longer matches.
        best = min((_crossing(missed, rate) for rate in (matched - self._shares(), matched)), key=lambda pair: pair[0])
        return best[1]

    def _shares(self) -> NDArray[np.float64]:
        return self.impostor / self.impostor_total


def estimates(
    scores: PairScores,
    figures: dict[str, Callable[[Weighted], float]],
    *,
    rng: np.random.Generator,
    genuine: bool = True,
) -> dict[str, Estimate]:
    """Return all figures with their intervals, from the same draws; `genuine` says whether they need genuine pairs."""
    whole = Weighted.under(scores, None)
    values = {name: figure(whole) for name, figure in figures.items()}
    people = len(scores.pictures_of)
    drawn: dict[str, list[float]] = {name: [] for name in figures}
    for _ in range(DRAWS):
        counts = np.bincount(rng.integers(people, size=people), minlength=people).astype(np.float64)
        weighted = Weighted.under(scores, counts)
        if (genuine and not weighted.genuine.any()) or weighted.impostor_total <= 0:
            continue
        for name, figure in figures.items():
            drawn[name].append(figure(weighted))
    return {name: _interval(values[name], np.array(drawn[name] or [values[name]])) for name in figures}


def _interval(value: float, drawn: NDArray[np.float64]) -> Estimate:
    low, high = np.quantile(drawn, [TAIL_PROBABILITY, 1 - TAIL_PROBABILITY])
    return Estimate(value=value, low=min(float(low), value), high=max(float(high), value))


def widened(observed: Estimate, *, trials: int) -> Estimate:
    """Return `observed` with the end that nothing observed would leave at 0 or 1 moved to the binomial's."""
    if not trials:
        return Estimate(observed.value, 0.0, 1.0)
    room = 1 - TAIL_PROBABILITY ** (1 / trials)
    high = max(observed.high, room) if observed.value == 0.0 else observed.high
    low = min(observed.low, 1 - room) if observed.value == 1.0 else observed.low
    return Estimate(value=observed.value, low=low, high=high)


def failure_rate(failed: int, tried: int) -> Estimate:
    """Return a share of pictures with its 95 % Wilson interval."""
    if not tried:
        return Estimate(0.0, 0.0, 1.0)
    share, spread = failed / tried, NORMAL**2 / tried
    middle = (share + spread / 2) / (1 + spread)
    half = NORMAL * float(np.sqrt(share * (1 - share) / tried + spread / (4 * tried))) / (1 + spread)
    return Estimate(share, max(0.0, min(middle - half, share)), max(middle + half, share))
