"""The recognition report: what `facestep evaluate recognition` prints.

Rules:
 * Under `fused`, eer and tar are those of the fused score alone; fmr and fnmr are those of the whole decision as it
   is shipped, floors included. Under a model's name, fmr and fnmr are those of its floor.
 * fmr_from_tail is the fused score's FMR at the shipped threshold as the tail of all impostor scores tells it, floors
   left out: for a population too small to show a false match.
 * Every figure comes with its 95 % interval (rates.py).
"""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from biometric.evaluation.calibrate import tail_fmr
from biometric.evaluation.corpus import CorpusUnusable
from biometric.evaluation.costs import decision_scorer, frame_means, rule_costs
from biometric.evaluation.curves import distribution, trade
from biometric.evaluation.groups import group_report
from biometric.evaluation.pairs import PairScores, Scorer, count_pairs, score_pairs
from biometric.evaluation.plots import det_plot, score_plot
from biometric.evaluation.rates import Estimate, Weighted, estimates, failure_rate, widened

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from biometric.calibration import Calibration
    from biometric.evaluation.corpus import Corpus
    from biometric.evaluation.groups import Traits

WISHED_FMR: Final = {"tar_at_fmr_1e-3": 1e-3, "tar_at_fmr_1e-4": 1e-4}


def recognition_report(
    corpus: Corpus,
    calibration: Calibration,
    *,
    seed: int = 1,
    traits: Traits | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """Return counts, failures to acquire, and the figures of both models, of their fusion, and of the rules.

    Args:
        corpus: vectors as the nets give them; they are projected here.
        calibration: what decides.
        seed: of the bootstrap.
        traits: groups of people (groups.read_groups), if figures by group are wanted.
        progress: is told what is being worked on.

    Raises:
        CorpusUnusable: no genuine or no impostor pair is left.
    """
    genuine, impostor = count_pairs(corpus)
    if not genuine or not impostor:
        raise CorpusUnusable(f"{genuine} genuine and {impostor} impostor pairs; both are needed")
    report: dict[str, Any] = {
        "counts": {
            "pictures": corpus.pictures,
            "acquired": len(corpus.person),
            "people": len(corpus.people),
            "genuine_pairs": genuine,
            "impostor_pairs": impostor,
            "several_faces": corpus.several_faces,
        },
        "failures_to_acquire": sum(corpus.failures.values()),
        "failure_to_acquire_rate": asdict(failure_rate(sum(corpus.failures.values()), corpus.pictures)),
        "failures_by_code": dict(sorted(corpus.failures.items())),
        "calibration": calibration.id,
    }
    corpus = corpus.projected(calibration.projection)
    for name, (scorer, threshold) in scorers(calibration).items():
        progress(name)
        report[name] = _figures(corpus, name, scorer, threshold, rng=np.random.default_rng(seed))
    progress("rules")
    report["rules"] = rule_costs(corpus, calibration, seed=seed)
    report["fused"] |= {figure: report["rules"][0][figure] for figure in ("fmr", "fnmr")}
    progress("means over several pictures")
    report["frames"] = frame_means(corpus, calibration, seed=seed)
    if traits:
        progress("groups")
        report["groups"] = group_report(corpus, traits, decision_scorer(calibration), calibration.fused, seed=seed)
    return report


def scorers(calibration: Calibration) -> dict[str, tuple[Scorer, float]]:
    """Return each kind of score with its shipped threshold."""
    return {
        "facenet": (lambda facenet, _: facenet, calibration.facenet.floor),
        "sface": (lambda _, sface: sface, calibration.sface.floor),
        "fused": (calibration.fused, calibration.fused_threshold),
    }


def _figures(
    corpus: Corpus, name: str, scorer: Scorer, threshold: float, *, rng: np.random.Generator
) -> dict[str, Any]:
    scores = score_pairs(corpus, scorer, rng=rng)
    found = estimates(
        scores, {"eer": Weighted.eer} | _tars() | ({} if name == "fused" else errors_at(threshold)), rng=rng
    )
    if name == "fused":
        found |= estimates(scores, {"fmr_from_tail": partial(tail_fmr, threshold=threshold)}, rng=rng)
    return {figure: asdict(_honest(figure, found[figure], scores)) for figure in found} | {"threshold": threshold}


def errors_at(threshold: float) -> dict[str, Callable[[Weighted], float]]:
    """Return the two error rates at `threshold`, ready for `estimates`."""
    return {"fmr": lambda drawn: drawn.fmr(threshold), "fnmr": lambda drawn: drawn.fnmr(threshold)}


def _tars() -> dict[str, Callable[[Weighted], float]]:
    return {name: partial(Weighted.tar, fmr=wished) for name, wished in WISHED_FMR.items()}


def _honest(figure: str, found: Estimate, scores: PairScores) -> Estimate:
    """Return `found`, its interval widened where nothing was observed (rates.widened)."""
    people = len(scores.pictures_of)
    with_pairs = int((scores.pictures_of > 1).sum())
    trials = people * (people - 1) // 2 if figure == "fmr" else with_pairs
    return widened(found, trials=trials)


def plots(corpus: Corpus, calibration: Calibration, report: Mapping[str, Any], *, seed: int = 1) -> dict[str, str]:
    """Return the report's plots as SVG: `det` and `scores`.

    Raises:
        PlotsUnavailable: matplotlib is not installed.
    """
    compared = corpus.projected(calibration.projection)
    scores = {
        name: score_pairs(compared, scorer, rng=np.random.default_rng(seed))
        for name, (scorer, _) in scorers(calibration).items()
    }
    names = {"facenet": "FaceNet", "sface": "SFace", "fused": "both, fused"}
    shipped = report["fused"]["fmr"]["value"], report["fused"]["fnmr"]["value"]
    return {
        "det": det_plot({names[name]: trade(found) for name, found in scores.items()}, shipped=shipped),
        "scores": score_plot(distribution(scores["fused"]), threshold=calibration.fused_threshold),
    }
