"""What plots are drawn from: error trade-off and distributions of scores, thinned to what an eye can see.

Not here: drawing (plots.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from biometric.evaluation.rates import Weighted

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from biometric.evaluation.pairs import PairScores

POINTS: Final = 300
BINS: Final = 80


@dataclass(frozen=True, slots=True, repr=False)
class Trade:
    """FNMR by FMR, FMR rising; shares of pairs."""

    fmr: NDArray[np.float64]
    fnmr: NDArray[np.float64]


@dataclass(frozen=True, slots=True, repr=False)
class Distribution:
    """Densities of scores over common bins."""

    edges: NDArray[np.float64]
    genuine: NDArray[np.float64]
    impostor: NDArray[np.float64]


def trade(scores: PairScores) -> Trade:
    """Return FNMR at FMRs from that of one single pair to 1, evenly on a logarithmic scale."""
    whole = Weighted.under(scores, None)
    reached = np.cumsum(whole.impostor) / whole.impostor_total
    wished = np.geomspace(1 / whole.impostor_total, 1.0, POINTS)
    # At rank k of the impostors' scores, those of rank 0 to k match, and the genuine ones below it are missed.
    at = np.minimum(np.searchsorted(reached, wished, side="left"), len(reached) - 1)
    missed = scores.missed[at] / max(len(scores.genuine), 1)
    return Trade(fmr=reached[at], fnmr=missed)


def distribution(scores: PairScores) -> Distribution:
    """Return how genuine and impostor scores are spread; each area is 1."""
    low = min(float(scores.impostor.min()), float(scores.genuine.min()))
    high = max(float(scores.impostor.max()), float(scores.genuine.max()))
    edges = np.linspace(low, high if high > low else low + 1, BINS + 1)
    genuine, _ = np.histogram(scores.genuine, edges, density=True)
    impostor, _ = np.histogram(scores.impostor, edges, weights=scores.weight, density=True)
    return Distribution(edges=edges, genuine=genuine, impostor=impostor)
