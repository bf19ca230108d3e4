"""Thresholds from pictures: how calibration.json comes about.

Rules:
 * People are split in two halves by a digest of their folder's name; everything is chosen on one half and reported on
   the other.
 * To choose, at most four pictures a person are taken. Some people have hundreds, and one relative or one wrong label
   of such a person makes thousands of matches that say nothing about other people (docs/calibration.md).
 * Weights: the fused score with the least FNMR at FMR 1e-4. Floors: each model at FMR 1e-2.
 * The fused threshold is the strictest of the upper 97.5 % bounds (people drawn again) for FMR 1e-4 on the choosing
   half and on each further population; one too small to show 1e-4 is extrapolated (tail_threshold).
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from biometric.calibration import BOUND_MODELS, FRAMING, Calibration, ModelCalibration
from biometric.evaluation.pairs import count_pairs, impostor_moments, score_pairs
from biometric.evaluation.rates import Weighted, estimates
from biometric.evaluation.recognition import recognition_report

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from biometric.evaluation.corpus import Corpus

FUSED_FMR: Final = 1e-4
FLOOR_FMR: Final = 1e-2
WEIGHTS: Final = tuple(round(0.05 * step, 2) for step in range(3, 13))  # FaceNet's part, 0.15 to 0.60
MOST_PICTURES: Final = 4
TAIL_SHARE: Final = 0.05  # of the impostor scores, for the extrapolation


def in_choosing_half(person: str) -> bool:
    """Return whether this person's pictures choose thresholds (else they report)."""
    # Salted: data may come split by a plain digest already, and then one half of ours would be empty.
    return hashlib.sha256(b"facestep calibration\0" + person.encode()).digest()[0] % 2 == 0


def choose(choosing: Corpus, further: Mapping[str, Corpus], *, models: Mapping[str, str], seed: int = 1) -> Calibration:
    """Return a calibration chosen on `choosing`, made stricter where a further population asks for it."""
    rng = np.random.default_rng(seed)
    floors = {}
    moments = {}
    for name, scorer in (("facenet", lambda facenet, _: facenet), ("sface", lambda _, sface: sface)):
        moments[name] = impostor_moments(choosing, scorer)
        floors[name] = Weighted.under(score_pairs(choosing, scorer, rng=rng), None).threshold(FLOOR_FMR)

    def with_weight(weight: float) -> Calibration:
        parts = {"facenet": weight, "sface": round(1 - weight, 2)}
        made = {name: ModelCalibration(*moments[name], floor=floors[name], weight=parts[name]) for name in parts}
        bound = {name: models[name] for name in BOUND_MODELS}
        return Calibration(id="", framing=FRAMING, models=bound, **made, fused_threshold=0.0, evidence={})

    best = min((with_weight(weight) for weight in WEIGHTS), key=lambda made: _fnmr_at(choosing, made, rng))
    thresholds = fused_thresholds(choosing, further, best, rng=rng)
    return replace(best, fused_threshold=max(thresholds.values()), evidence={"threshold_by_population": thresholds})


def _fnmr_at(corpus: Corpus, calibration: Calibration, rng: np.random.Generator) -> float:
    whole = Weighted.under(score_pairs(corpus, calibration.fused, rng=rng), None)
    return whole.fnmr(whole.threshold(FUSED_FMR))


def fused_thresholds(
    choosing: Corpus, further: Mapping[str, Corpus], calibration: Calibration, *, rng: np.random.Generator
) -> dict[str, float]:
    """Return what each population asks the fused threshold to be."""
    asked = {}
    scores = score_pairs(choosing, calibration.fused, rng=rng)
    main = estimates(scores, {"threshold": partial(Weighted.threshold, fmr=FUSED_FMR)}, rng=rng)["threshold"]
    asked["choosing half"], asked["choosing half, upper"] = main.value, main.high
    for name, corpus in further.items():
        scores = score_pairs(corpus, calibration.fused, rng=rng)
        tail = estimates(scores, {"threshold": partial(tail_threshold, fmr=FUSED_FMR)}, rng=rng)["threshold"]
        asked[f"{name}, extrapolated"], asked[f"{name}, extrapolated, upper"] = tail.value, tail.high
    return asked


def tail_threshold(drawn: Weighted, *, fmr: float) -> float:
    """Return the threshold for `fmr` from a generalised Pareto tail fitted to the highest impostor scores."""
    shares = np.cumsum(drawn.impostor) / drawn.impostor_total
    count = max(2, int(np.searchsorted(shares, TAIL_SHARE)))
    highest, weight = drawn.scores.impostor[:count].astype(np.float64), drawn.impostor[:count]
    start, share = float(highest[-1]), float(shares[count - 1])
    if not weight.any() or share <= fmr:
        return start
    mean = float(np.average(highest - start, weights=weight))
    variance = max(float(np.average((highest - start - mean) ** 2, weights=weight)), 1e-12)
    shape, scale = 0.5 * (1 - mean**2 / variance), 0.5 * mean * (1 + mean**2 / variance)
    if abs(shape) < 1e-6:  # noqa: PLR2004  (the limit is the exponential)
        return start + scale * float(np.log(share / fmr))
    return start + scale / shape * float((share / fmr) ** shape - 1)


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
    choosing = corpus.part(in_choosing_half).at_most(MOST_PICTURES)
    reporting = corpus.part(lambda person: not in_choosing_half(person))
    progress("choosing")
    chosen = choose(choosing, further, models=models)
    evidence = chosen.evidence | {
        "data": data,
        "made_on": made_on,
        "wished": {"fused_fmr": FUSED_FMR, "floor_fmr": FLOOR_FMR},
        "choosing": _counts(choosing),
        "reporting": _errors(reporting, chosen),
        "further": {name: _errors(other, chosen) for name, other in further.items()},
    }
    finished = replace(chosen, evidence=evidence)
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
    report = recognition_report(corpus, calibration)
    rounded = {
        figure: {end: round(rate, 7) for end, rate in report["fused"][figure].items()} for figure in ("fmr", "fnmr")
    }
    return _counts(corpus) | rounded
