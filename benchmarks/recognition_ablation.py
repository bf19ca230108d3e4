"""What was tried to make FaceNet's vectors tell more, each way learnt on the choosing half and measured on the others.

    python -m benchmarks.recognition_ablation --lfw ../shared/data/faces/lfw --london ../shared/data/faces/london \
        --cache ~/.cache/facestep/vectors --json ablation.json

Columns: FNMR at FMR 1e-4 on the reporting half (all pictures; at most four a person), both thresholds from those very
pictures; and the share of London's impostor pairs that reach the second threshold. The last table is the two-fold
cross-validation on the choosing half by which the constants of biometric/evaluation/learn.py were chosen. The vectors
come out of the cache that `facestep evaluate recognition --cache` fills; without one this takes as long as that.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from biometric.evaluation import learn
from biometric.evaluation.calibrate import MOST_PICTURES, fold_of, fusion, in_choosing_half
from biometric.evaluation.learn import evened_out, refined
from biometric.evaluation.pairs import impostor_moments, score_pairs
from biometric.evaluation.rates import Weighted
from biometric.pipeline import FacePipeline
from plugin.commands.pictures import embedded

WISHED = 1e-4


def facenet(first, _):
    return first


def sface(_, second):
    return second


def units(rows):
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def whole(corpus, scorer):
    return Weighted.under(score_pairs(corpus, scorer, rng=np.random.default_rng(1)), None)


def moments(rows, person):
    """Mean, scatter within people, and scatter of everybody; each person counts once."""
    counts = np.bincount(person)
    mean = rows.mean(axis=0)
    centred = rows - mean
    middles = np.zeros((len(counts), rows.shape[1]))
    np.add.at(middles, person, centred)
    middles /= counts[:, None]
    twice = counts[person] > 1
    apart = (centred - middles[person])[twice]
    weight = 1 / (counts[person][twice] - 1)
    within = (apart * weight[:, None]).T @ apart / len(set(person[twice].tolist()))
    everybody = (centred / counts[person][:, None]).T @ centred / len(counts)
    return mean, within, everybody


def whitening(scatter, shrink):
    size = len(scatter)
    values, axes = np.linalg.eigh((1 - shrink) * scatter + shrink * np.trace(scatter) / size * np.eye(size))
    return axes / np.sqrt(values)


def discriminant(within, everybody, shrink, directions):
    white = whitening(within, shrink)
    _, axes = np.linalg.eigh(white.T @ (everybody - within) @ white)
    return white @ axes[:, ::-1][:, :directions]


def ways(teachers, model):
    """Return, by name, functions of rows, learnt from the teachers."""
    rows, person = getattr(teachers, model).astype(np.float64), teachers.person
    mean, within, everybody = moments(rows, person)
    found = {"as the net gives it": lambda x: x, "mean subtracted": lambda x: units(x - mean)}
    for shrink in (0.1, 0.5):
        white = whitening(within, shrink)
        found[f"within-class whitening (WCCN), shrunk {shrink}"] = lambda x, white=white: units((x - mean) @ white)
        axes = discriminant(within, everybody, shrink, min(128, rows.shape[1] - 32))
        found[f"discriminant axes (LDA), shrunk {shrink}"] = lambda x, axes=axes: units((x - mean) @ axes)
    even = evened_out(replace(teachers, facenet=getattr(teachers, model)))
    found["evened out"] = lambda x: units(x @ even)
    few = replace(teachers, facenet=getattr(teachers, model)).at_most(learn.MOST_PICTURES)
    more = even @ refined(few.facenet.astype(np.float64) @ even, few.person)
    found["evened out and refined"] = lambda x: units(x @ more)
    return found


def normed_row(corpora, choosing):
    """Scores in deviations from what a stranger would score, from the population's moments alone (s-norm)."""
    mean, _, everybody = moments(choosing.facenet.astype(np.float64), choosing.person)
    found = []
    for corpus in corpora:
        rows = corpus.facenet.astype(np.float64)
        expected, spread = rows @ mean, np.sqrt(np.einsum("ij,jk,ik->i", rows, everybody, rows))
        left, right = np.triu_indices(len(rows), 1)
        scores = (rows @ rows.T)[left, right]
        scores = (scores - expected[left]) / spread[left] + (scores - expected[right]) / spread[right]
        same = corpus.person[left] == corpus.person[right]
        found.append((np.sort(scores[~same])[::-1], scores[same]))
    missed = [float(np.mean(own < other[int(WISHED * len(other))])) for other, own in found[:2]]
    threshold = found[1][0][int(WISHED * len(found[1][0]))]
    return {
        "way": "normalised by the population's moments (s-norm)",
        "fnmr_all": round(missed[0], 4),
        "fnmr_few": round(missed[1], 4),
        "london_fmr": round(float(np.mean(found[2][0] > threshold)), 5),
        "london_fnmr": round(float(np.mean(found[2][1] < threshold)), 4),
    }


def row(name, corpora, move, scorer, model):
    moved = [replace(corpus, **{model: move(getattr(corpus, model))}) for corpus in corpora]
    everything, few, london = (whole(corpus, scorer) for corpus in moved)
    threshold = few.threshold(WISHED)
    return {
        "way": name,
        "fnmr_all": round(1 - everything.tar(WISHED), 4),
        "fnmr_few": round(1 - few.tar(WISHED), 4),
        "london_fmr": round(london.fmr(threshold), 5),
        "london_fnmr": round(london.fnmr(threshold), 4),
    }


def fused_rows(corpora, choosing, weight):
    """The fused score with either model's vectors as they are or moved; London's most alike strangers beside it."""
    first, second = ways(choosing, "facenet"), ways(choosing, "sface")
    rows = []
    for own in ("as the net gives it", "evened out and refined"):
        for other in ("as the net gives it", "mean subtracted"):
            moved = [
                replace(corpus, facenet=first[own](corpus.facenet), sface=second[other](corpus.sface))
                for corpus in (*corpora, choosing.at_most(MOST_PICTURES))
            ]
            scorer = fusion(weight, [impostor_moments(moved[3], one) for one in (facenet, sface)])
            found = row(f"FaceNet {own}, SFace {other}", moved[:3], lambda x: x, scorer, "facenet")
            found["threshold"] = round(whole(moved[1], scorer).threshold(WISHED), 3)
            found["london_highest"] = round(float(whole(moved[2], scorer).scores.impostor[0]), 3)
            rows.append(found)
    return rows


def cross_validated(choosing):
    """FNMR at FMR 1e-4 of people who did not teach, by the constants of learn.py."""
    rows = []
    for evenness in (0.2, 0.4, 0.6, 0.8):
        for steps in (0, 40, 60, 100):
            if steps and evenness != learn.EVENNESS:
                continue
            learn.EVENNESS, kept = evenness, learn.EVENNESS
            missed = [one_fold(choosing, fold, steps) for fold in (0, 1)]
            learn.EVENNESS = kept
            rows.append({"evenness": evenness, "steps": steps, "fnmr": round(float(np.mean(missed)), 4)})
    return rows


def one_fold(choosing, fold, steps):
    teachers, judged = (choosing.part(lambda person, side=side: fold_of(person) == side) for side in (1 - fold, fold))
    even = evened_out(teachers)
    few = teachers.at_most(learn.MOST_PICTURES)
    matrix = even @ refined(few.facenet.astype(np.float64) @ even, few.person, steps=steps)
    moved = replace(judged, facenet=units(judged.facenet @ matrix)).at_most(learn.MOST_PICTURES)
    return 1 - whole(moved, facenet).tar(WISHED)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lfw", type=Path, required=True)
    parser.add_argument("--london", type=Path, required=True)
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--models-dir", type=Path, default=Path("~/.cache/facestep/models"))
    parser.add_argument("--json", type=Path, required=True)
    options = parser.parse_args()
    pipeline = FacePipeline.open(options.models_dir)
    lfw, london = (
        embedded(folder, pipeline, models_dir=options.models_dir, cache=options.cache)
        for folder in (options.lfw, options.london)
    )
    choosing, reporting = lfw.part(in_choosing_half), lfw.part(lambda person: not in_choosing_half(person))
    corpora = reporting, reporting.at_most(MOST_PICTURES), london
    result = {}
    for model, scorer in (("facenet", facenet), ("sface", sface)):
        found = ways(choosing, model)
        result[model] = [row(name, corpora, move, scorer, model) for name, move in found.items()]
    result["facenet"].insert(2, normed_row(corpora, choosing))
    result["fused"] = fused_rows(corpora, choosing, pipeline.calibration.facenet.weight)
    result["cross_validation"] = cross_validated(choosing)
    options.json.write_text(json.dumps(result, indent=2) + "\n")
    for name, rows in result.items():
        print(name)
        for line in rows:
            print("  ", "  ".join(f"{value}" for value in line.values()))


if __name__ == "__main__":
    main()
