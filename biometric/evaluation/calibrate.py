"""Thresholds and the projection from pictures: how calibration.json comes about.

Rules:
 * People are split in two halves by a digest of their folder's name; everything is chosen on one half and reported on
   the other.
 * To choose, at most four pictures a person are taken. Some people have hundreds, and one relative or one wrong label
   of such a person makes thousands of matches that say nothing about other people (docs/calibration.md).
 * The projection of FaceNet's space comes from the same half (learn.py); a made-up or small data set gets none.
 * Weights: the fused score with the least FNMR at FMR 1e-4, by two-fold cross-validation: a projection looks better on
   those who taught it, and would get too much weight. Floors: each model at FMR 1e-2.
 * The fused threshold is the strictest that any population asks for FMR 1e-4: the choosing half by its upper 97.5 %
   bound (people drawn again); a further population, which is too small to show 1e-4, by the best estimate of its tail
   (tail_threshold). Its upper bound is written down beside it, but does not decide: with some 40 people it says how few
   they are, and costs every other person for that (docs/adr/0008-recognition.md).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from biometric.calibration import BOUND_MODELS, FRAMING, Calibration, ModelCalibration
from biometric.evaluation.corpus import CorpusUnusable
from biometric.evaluation.costs import decision_scorer, error_rates
from biometric.evaluation.learn import learn_projection
from biometric.evaluation.pairs import count_pairs, impostor_moments, score_pairs
from biometric.evaluation.rates import Weighted, estimates

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from biometric.evaluation.corpus import Corpus
    from biometric.evaluation.pairs import Scorer
    from biometric.evaluation.rates import Estimate

FUSED_FMR: Final = 1e-4
FLOOR_FMR: Final = 1e-2
OTHER_FLOORS: Final = (2e-2, 3e-2)  # written down for comparison (costs.py), not shipped
WEIGHTS: Final = tuple(round(0.05 * step, 2) for step in range(3, 13))  # FaceNet's part, 0.15 to 0.60
MOST_PICTURES: Final = 4
SHOWN_PAIRS: Final = 300_000  # 30 errors at FMR 1e-4 (Doddington's rule of 30); fewer, and the tail is extrapolated
LEAST_PAIRS: Final = 10_000  # below this the tail tells FMR 1e-4 within a factor of eight only (docs/calibration.md)
TAIL_SHARE: Final = 0.05  # of the impostor scores, for the extrapolation


def in_choosing_half(person: str) -> bool:
    """Return whether this person's pictures choose thresholds (else they report)."""
    # Salted: data may come split by a plain digest already, and then one half of ours would be empty.
    return hashlib.sha256(b"facestep calibration\0" + person.encode()).digest()[0] % 2 == 0


def choose(
    choosing: Corpus, further: Mapping[str, Corpus], *, models: Mapping[str, str], weight: float, seed: int = 1
) -> Calibration:
    """Return a calibration chosen on `choosing`, made stricter where a further population asks for it."""
    rng = np.random.default_rng(seed)
    whole = {
        name: Weighted.under(score_pairs(choosing, scorer, rng=rng), None) for name, scorer in SINGLE_SCORERS.items()
    }
    moments = {name: impostor_moments(choosing, scorer) for name, scorer in SINGLE_SCORERS.items()}
    floors = {name: found.threshold(FLOOR_FMR) for name, found in whole.items()}

    parts = {"facenet": weight, "sface": round(1 - weight, 2)}
    made = {name: ModelCalibration(*moments[name], floor=floors[name], weight=parts[name]) for name in parts}
    bound = {name: models[name] for name in BOUND_MODELS}
    best = Calibration("", FRAMING, bound, made["facenet"], made["sface"], fused_threshold=0.0, evidence={})
    asked = {"choosing half": bounded(choosing, best, rng=rng)}
    asked |= {name: extrapolated(corpus, best, rng=rng) for name, corpus in further.items()}
    others = {f"{fmr:g}": {name: found.threshold(fmr) for name, found in whole.items()} for fmr in OTHER_FLOORS}
    evidence = {"threshold_by_population": asked, "floors_at_fmr": others}
    return replace(best, fused_threshold=max(found["asked"] for found in asked.values()), evidence=evidence)


SINGLE_SCORERS: Final[dict[str, Scorer]] = {
    "facenet": lambda facenet, _: facenet,
    "sface": lambda _, sface: sface,
}


def best_weight(corpus: Corpus, *, seed: int = 1) -> float:
    """Return FaceNet's part of the fused score, chosen on people who did not teach the projection."""
    missed = dict.fromkeys(WEIGHTS, 0.0)
    for fold in (0, 1):
        teachers = corpus.part(lambda person, fold=fold: fold_of(person) != fold)  # type: ignore[misc]
        judged = corpus.part(lambda person, fold=fold: fold_of(person) == fold)  # type: ignore[misc]
        if not all(count_pairs(judged)):
            continue
        compared = judged.at_most(MOST_PICTURES).projected(learn_projection(teachers))
        moments = [impostor_moments(compared, scorer) for scorer in SINGLE_SCORERS.values()]
        for weight in WEIGHTS:
            missed[weight] += _missed(compared, fusion(weight, moments), np.random.default_rng(seed))
    return min(WEIGHTS, key=lambda weight: missed[weight])


def fusion(weight: float, moments: Sequence[tuple[float, float]]) -> Scorer:
    """Return the fused score for FaceNet's weight and both models' impostor moments."""
    (first, first_spread), (second, second_spread) = moments
    return lambda facenet, sface: (
        weight * (facenet - first) / first_spread + (1 - weight) * (sface - second) / second_spread
    )


def _missed(corpus: Corpus, scorer: Scorer, rng: np.random.Generator) -> float:
    whole = Weighted.under(score_pairs(corpus, scorer, rng=rng), None)
    return whole.fnmr(whole.threshold(FUSED_FMR))


def fold_of(person: str) -> int:
    """Return the fold, 0 or 1, of a person of the choosing half."""
    return hashlib.sha256(b"facestep fold\0" + person.encode()).digest()[0] % 2


def bounded(corpus: Corpus, calibration: Calibration, *, rng: np.random.Generator) -> dict[str, float]:
    """Return what the choosing half asks the fused threshold to be: its upper bound, of the tail if it is too small."""
    shown = pairs_of_people(corpus) >= SHOWN_PAIRS
    figure = partial(Weighted.threshold, fmr=FUSED_FMR) if shown else partial(tail_threshold, fmr=FUSED_FMR)
    found = _threshold(corpus, calibration, figure, rng=rng)
    return {"estimate": found.value, "upper": found.high, "asked": found.high}


def extrapolated(corpus: Corpus, calibration: Calibration, *, rng: np.random.Generator) -> dict[str, float]:
    """Return what a small population asks the fused threshold to be: the best estimate of its tail."""
    found = _threshold(corpus, calibration, partial(tail_threshold, fmr=FUSED_FMR), rng=rng)
    return {"estimate": found.value, "upper": found.high, "asked": found.value}


def pairs_of_people(corpus: Corpus) -> int:
    """Return how many pairs of two people there are, one picture each."""
    return len(corpus.people) * (len(corpus.people) - 1) // 2


def _threshold(
    corpus: Corpus, calibration: Calibration, figure: Callable[[Weighted], float], *, rng: np.random.Generator
) -> Estimate:
    scores = score_pairs(corpus, calibration.fused, rng=rng)
    return estimates(scores, {"threshold": figure}, rng=rng, genuine=False)["threshold"]


@dataclass(frozen=True, slots=True)
class Tail:
    """A generalised Pareto tail of the impostor scores, fitted by moments; `share` of all scores lie above `start`."""

    start: float
    share: float
    shape: float
    scale: float

    @classmethod
    def of(cls, drawn: Weighted) -> Tail:
        """Fit the highest TAIL_SHARE of the impostor scores."""
        shares = np.cumsum(drawn.impostor) / drawn.impostor_total
        count = max(2, int(np.searchsorted(shares, TAIL_SHARE)))
        highest, weight = drawn.scores.impostor[:count].astype(np.float64), drawn.impostor[:count]
        start, share = float(highest[-1]), float(shares[min(count, len(shares)) - 1])
        if not weight.any():
            return cls(start, 0.0, 0.0, 1e-12)
        mean = float(np.average(highest - start, weights=weight))
        variance = max(float(np.average((highest - start - mean) ** 2, weights=weight)), 1e-12)
        return cls(start, share, 0.5 * (1 - mean**2 / variance), max(0.5 * mean * (1 + mean**2 / variance), 1e-12))

    def threshold(self, fmr: float) -> float:
        """Return the score that a share `fmr` of the impostors reach."""
        if self.share <= fmr:
            return self.start
        if abs(self.shape) < 1e-6:  # noqa: PLR2004  (the limit is the exponential)
            return self.start + self.scale * float(np.log(self.share / fmr))
        return self.start + self.scale / self.shape * float((self.share / fmr) ** self.shape - 1)

    def fmr(self, threshold: float) -> float:
        """Return the share of the impostors that reach `threshold`, which lies above the start."""
        above = max(threshold - self.start, 0.0) / self.scale
        if abs(self.shape) < 1e-6:  # noqa: PLR2004  (as above)
            return self.share * float(np.exp(-above))
        return self.share * float(max(1 + self.shape * above, 0.0) ** (-1 / self.shape))


def tail_threshold(drawn: Weighted, *, fmr: float) -> float:
    """Return the threshold for `fmr` from the tail."""
    return Tail.of(drawn).threshold(fmr)


def tail_fmr(drawn: Weighted, *, threshold: float) -> float:
    """Return the FMR at `threshold` from the tail, for a population too small to show it."""
    return Tail.of(drawn).fmr(threshold)


def calibrate(
    corpus: Corpus,
    further: Mapping[str, Corpus],
    *,
    models: Mapping[str, str],
    data: str,
    made_on: str,
    progress: Callable[[str], None] = lambda _: None,
) -> Calibration:
    """Return a calibration whose evidence holds the error rates on people who did not choose it."""
    half = corpus.part(in_choosing_half)
    if pairs_of_people(half) < LEAST_PAIRS:
        raise CorpusUnusable(
            f"the choosing half has {len(half.people)} people; with fewer than {LEAST_PAIRS} pairs of people (142) "
            "nothing can be said about one stranger in ten thousand. Keep the shipped calibration, or take more people"
        )
    projection = learn_projection(half)
    compared = corpus.projected(projection)
    others = {name: other.projected(projection) for name, other in further.items()}
    choosing = compared.part(in_choosing_half).at_most(MOST_PICTURES)
    reporting = compared.part(lambda person: not in_choosing_half(person))
    progress("choosing")
    chosen = choose(choosing, others, models=models, weight=best_weight(half))
    progress("reporting")
    evidence = chosen.evidence | {
        "data": data,
        "made_on": made_on,
        "wished": {"fused_fmr": FUSED_FMR, "floor_fmr": FLOOR_FMR},
        "choosing": _counts(choosing),
        "reporting": _errors(reporting, chosen),
        "further": {name: _errors(other, chosen) for name, other in others.items()},
    }
    digest = hashlib.sha256(projection.to_bytes()).hexdigest() if projection is not None else ""
    finished = replace(chosen, evidence=evidence, projection_sha256=digest, projection=projection)
    return replace(finished, id=finished.digest())


def _counts(corpus: Corpus) -> dict[str, int]:
    genuine, impostor = count_pairs(corpus)
    return {
        "people": len(corpus.people),
        "pictures": len(corpus.person),
        "genuine_pairs": genuine,
        "impostor_pairs": impostor,
    }


def _errors(corpus: Corpus, calibration: Calibration) -> dict[str, Any]:
    found = error_rates(corpus, decision_scorer(calibration), seed=1)
    return _counts(corpus) | {
        figure: {end: round(rate, 7) for end, rate in found[figure].items()} for figure in ("fmr", "fnmr")
    }
