"""What each part of the decision costs: the same pairs under other rules, and means over several pictures.

Not here: what the shipped rule is (compare.py), how its numbers were chosen (calibrate.py).
"""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from biometric.evaluation.pairs import count_pairs, score_pairs
from biometric.evaluation.rates import estimates, widened

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from biometric.calibration import Calibration
    from biometric.evaluation.corpus import Corpus
    from biometric.evaluation.pairs import Scorer
    from biometric.evaluation.rates import Estimate
    from biometric.types import Floats

SETS: Final = (2, 3, 5)
NO_FLOOR: Final = -2.0  # below any cosine


def rule_costs(corpus: Corpus, calibration: Calibration, *, seed: int = 1) -> list[dict[str, Any]]:
    """Return FMR and FNMR of the shipped rule, of its parts, and of the others that calibrate looked at."""
    return [
        {"rule": name, "shipped": shipped} | error_rates(corpus, decision_scorer(rule), seed=seed)
        for name, rule, shipped in _rules(calibration)
    ]


def decision_scorer(calibration: Calibration) -> Scorer:
    """Return a score that is 0 or more exactly where the shipped decision is a match."""

    def decide(facenet: Floats, sface: Floats) -> Floats:
        margins = (
            calibration.fused(facenet, sface) - calibration.fused_threshold,
            facenet - calibration.facenet.floor,
            sface - calibration.sface.floor,
        )
        least: Floats = np.minimum.reduce(margins)
        return least

    return decide


def frame_means(corpus: Corpus, calibration: Calibration, *, seed: int = 1) -> list[dict[str, Any]]:
    """Return the whole decision on means of several pictures against means of several others, where there are any."""
    rows = []
    for pictures in SETS:
        means = averaged(corpus, pictures)
        if all(count_pairs(means)):
            found = error_rates(means, decision_scorer(calibration), seed=seed)
            rows.append({"pictures": pictures, "people": len(means.people)} | found)
    return rows


def averaged(corpus: Corpus, pictures: int) -> Corpus:
    """Return the corpus of unit means of `pictures` rows each, no row used twice; people with too few are left out."""
    order = np.argsort(corpus.person, kind="stable")
    counts = np.bincount(corpus.person, minlength=len(corpus.people))
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    sets = [
        (person, order[start + pictures * number : start + pictures * (number + 1)])
        for person, (start, count) in enumerate(zip(starts, counts, strict=True))
        for number in range(count // pictures)
    ]
    kept = sorted({person for person, _ in sets})
    number_of = {person: position for position, person in enumerate(kept)}
    rows = np.array([rows for _, rows in sets], np.int64).reshape(len(sets), pictures)
    return replace(
        corpus,
        people=tuple(corpus.people[person] for person in kept),
        person=np.array([number_of[person] for person, _ in sets], np.int32),
        facenet=_units(corpus.facenet[rows].sum(axis=1)),
        sface=_units(corpus.sface[rows].sum(axis=1)),
        pictures=len(sets),
        failures={},
        several_faces=0,
    )


def error_rates(corpus: Corpus, decision: Scorer, *, seed: int) -> dict[str, Any]:
    """Return FMR and FNMR of a decision (0 or more is a match) with their intervals."""
    rng = np.random.default_rng(seed)
    scores = score_pairs(corpus, decision, rng=rng)
    found = estimates(scores, {"fmr": lambda drawn: drawn.fmr(0.0), "fnmr": lambda drawn: drawn.fnmr(0.0)}, rng=rng)
    people, twice = len(scores.pictures_of), int((scores.pictures_of > 1).sum())
    trials = {"fmr": people * (people - 1) // 2, "fnmr": twice}
    return {name: asdict(widened(estimate, trials=trials[name])) for name, estimate in found.items()}


def false_match_rate(corpus: Corpus, decision: Scorer, *, seed: int) -> Estimate:
    """Return the FMR alone, for people with one picture each."""
    rng = np.random.default_rng(seed)
    scores = score_pairs(corpus, decision, rng=rng)
    people = len(scores.pictures_of)
    found = estimates(scores, {"fmr": lambda drawn: drawn.fmr(0.0)}, rng=rng, genuine=False)["fmr"]
    return widened(found, trials=people * (people - 1) // 2)


def _rules(calibration: Calibration) -> Iterator[tuple[str, Calibration, bool]]:
    def with_floors(facenet: float, sface: float) -> Calibration:
        return replace(
            calibration,
            facenet=replace(calibration.facenet, floor=facenet),
            sface=replace(calibration.sface, floor=sface),
        )

    facenet, sface = calibration.facenet.floor, calibration.sface.floor
    yield "fused score and both floors, as shipped", calibration, True
    yield "fused score alone", with_floors(NO_FLOOR, NO_FLOOR), False
    yield "fused score and FaceNet's floor", with_floors(facenet, NO_FLOOR), False
    yield "fused score and SFace's floor", with_floors(NO_FLOOR, sface), False
    floors: Mapping[str, Mapping[str, float]] = calibration.evidence.get("floors_at_fmr", {})
    for fmr, pair in floors.items():
        yield f"fused score and floors at FMR {fmr}", with_floors(pair["facenet"], pair["sface"]), False
    populations: Mapping[str, Mapping[str, float]] = calibration.evidence.get("threshold_by_population", {})
    for name, asked in populations.items():
        for kind in ("estimate", "upper"):
            label = f"threshold {asked[kind]:.3f}: {name}, {'best estimate' if kind == 'estimate' else 'upper bound'}"
            yield label, replace(calibration, fused_threshold=asked[kind]), False


def _units(rows: Floats) -> Floats:
    units: Floats = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return units
