"""The figures are what a plain count over all pairs gives, and their intervals are honest."""

from __future__ import annotations

import json
from collections import Counter

import numpy as np
import pytest

from biometric.calibration import Calibration, ModelCalibration
from biometric.evaluation import pairs
from biometric.evaluation.calibrate import calibrate, in_choosing_half, tail_threshold
from biometric.evaluation.corpus import Corpus, CorpusUnusable
from biometric.evaluation.pairs import count_pairs, impostor_moments, score_pairs
from biometric.evaluation.rates import Estimate, Weighted, estimates, widened
from biometric.evaluation.recognition import decision_scorer, recognition_report

PEOPLE = 60


def units(rng, centres, per_person, noise):
    rows = np.repeat(centres, per_person, axis=0)
    rows = rows + noise * rng.normal(size=rows.shape)
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def made_corpus(people=PEOPLE, per_person=4, noise=0.14, seed=5):
    rng = np.random.default_rng(seed)
    facenet = units(rng, rng.normal(size=(people, 16)), per_person, noise * 6)
    sface = units(rng, rng.normal(size=(people, 24)), per_person, noise * 5)
    number = np.repeat(np.arange(people), per_person).astype(np.int32)
    names = tuple(f"person {position:03}" for position in range(people))
    return Corpus(
        names, number, facenet, sface, len(number) + 3, {"no_face": 2, "image_unreadable": 1}, several_faces=5
    )


@pytest.fixture(scope="module")
def corpus():
    return made_corpus()


@pytest.fixture(scope="module")
def calibration():
    facenet = ModelCalibration(mean=0.0, deviation=0.25, floor=0.4, weight=0.35)
    sface = ModelCalibration(mean=0.0, deviation=0.2, floor=0.35, weight=0.65)
    return Calibration("c", "f", {}, facenet, sface, fused_threshold=2.5, evidence={})


def facenet_only(facenet, _):
    return facenet


@pytest.fixture(scope="module")
def plain(corpus):
    """Every pair by two loops' worth of numpy: scores, and whether it is one person."""
    upper = np.triu_indices(len(corpus.person), 1)
    same = corpus.person[upper[0]] == corpus.person[upper[1]]
    return (corpus.facenet @ corpus.facenet.T)[upper], (corpus.sface @ corpus.sface.T)[upper], same


def test_all_pairs_are_there_once(corpus, plain):
    scores = score_pairs(corpus, facenet_only, rng=np.random.default_rng(0))
    assert count_pairs(corpus) == (int(plain[2].sum()), int((~plain[2]).sum()))
    assert np.allclose(np.sort(scores.genuine), np.sort(plain[0][plain[2]]), atol=1e-6)
    assert np.allclose(np.sort(scores.impostor), np.sort(plain[0][~plain[2]]), atol=1e-6)


@pytest.mark.parametrize("threshold", [-2.0, 0.0, 0.3, 0.6, 2.0])
def test_error_rates_are_plain_counts(corpus, plain, threshold):
    whole = Weighted.under(score_pairs(corpus, facenet_only, rng=np.random.default_rng(0)), None)
    assert whole.fmr(threshold) == pytest.approx(float(np.mean(plain[0][~plain[2]] >= threshold)))
    assert whole.fnmr(threshold) == pytest.approx(float(np.mean(plain[0][plain[2]] < threshold)))


@pytest.mark.parametrize("wished", [1e-1, 1e-2, 1e-3, 1e-9])
def test_the_threshold_keeps_the_wished_rate_and_no_lower_one_would(corpus, plain, wished):
    whole = Weighted.under(score_pairs(corpus, facenet_only, rng=np.random.default_rng(0)), None)
    threshold = whole.threshold(wished)
    impostor = plain[0][~plain[2]]
    assert np.mean(impostor >= threshold) <= wished
    next_lower = impostor[impostor < threshold].max()
    assert np.mean(impostor >= next_lower) > wished


def test_the_equal_error_rate_is_where_both_meet(corpus, plain):
    eer = Weighted.under(score_pairs(corpus, facenet_only, rng=np.random.default_rng(0)), None).eer()
    grid = np.linspace(-1, 1, 4001)
    fmr = np.array([np.mean(plain[0][~plain[2]] >= t) for t in grid])
    fnmr = np.array([np.mean(plain[0][plain[2]] < t) for t in grid])
    crossing = np.argmin(np.abs(fmr - fnmr))
    assert eer == pytest.approx((fmr[crossing] + fnmr[crossing]) / 2, abs=3e-3)


def test_the_sampled_body_gives_the_same_figures_as_all_pairs(corpus, monkeypatch):
    exact = Weighted.under(score_pairs(corpus, facenet_only, rng=np.random.default_rng(0)), None)
    monkeypatch.setattr(pairs, "EXACT_TAIL", 1500)
    monkeypatch.setattr(pairs, "BODY_SAMPLE", 9000)
    scores = score_pairs(corpus, facenet_only, rng=np.random.default_rng(0))
    sampled = Weighted.under(scores, None)
    assert len(scores.impostor) < 0.6 * scores.impostor_pairs
    assert sampled.eer() == pytest.approx(exact.eer(), abs=5e-3)
    for wished in (1e-3, 1e-2):
        assert sampled.tar(wished) == pytest.approx(exact.tar(wished), abs=1e-9)


def test_moments_are_those_of_the_impostors(corpus, plain):
    mean, deviation = impostor_moments(corpus, facenet_only)
    impostor = plain[0][~plain[2]].astype(np.float64)
    assert (mean, deviation) == pytest.approx((impostor.mean(), impostor.std()), abs=1e-6)


def test_the_decision_is_the_shipped_one(corpus, plain, calibration):
    facenet, sface, same = plain
    match = (
        (calibration.fused(facenet, sface) >= calibration.fused_threshold)
        & (facenet >= calibration.facenet.floor)
        & (sface >= calibration.sface.floor)
    )
    report = recognition_report(corpus, calibration)
    assert report["fused"]["fmr"]["value"] == pytest.approx(float(match[~same].mean()))
    assert report["fused"]["fnmr"]["value"] == pytest.approx(float(1 - match[same].mean()))
    decided = decision_scorer(calibration)(facenet, sface)
    assert np.array_equal(decided >= 0, match)


def test_the_report_has_the_promised_shape(corpus, calibration):
    report = json.loads(json.dumps(recognition_report(corpus, calibration)))
    assert report["failures_to_acquire"] == 3
    assert report["failures_by_code"] == {"image_unreadable": 1, "no_face": 2}
    assert report["counts"]["people"] == PEOPLE
    for name in ("facenet", "sface", "fused"):
        for figure in ("eer", "tar_at_fmr_1e-3", "tar_at_fmr_1e-4", "fmr", "fnmr"):
            found = report[name][figure]
            assert set(found) == {"value", "low", "high"}
            assert 0 <= found["low"] <= found["value"] <= found["high"] <= 1


def test_the_same_seed_gives_the_same_report(corpus, calibration):
    assert recognition_report(corpus, calibration, seed=3) == recognition_report(corpus, calibration, seed=3)


def test_intervals_cover_what_other_people_of_the_same_kind_show():
    """Thirty populations of one kind; the long-run FNMR should lie in about 95 % of their intervals."""
    kind = {"per_person": 3, "noise": 0.17}

    def fnmr(drawn):
        return drawn.fnmr(0.45)

    def scored(**more):
        return score_pairs(made_corpus(**kind, **more), facenet_only, rng=np.random.default_rng(0))

    truth = Weighted.under(scored(people=1500, seed=99), None).fnmr(0.45)
    hits = 0
    for seed in range(30):
        found = estimates(scored(people=40, seed=seed), {"f": fnmr}, rng=np.random.default_rng(seed))["f"]
        hits += found.low <= truth <= found.high
    assert hits >= 25


def test_a_person_drawn_twice_counts_twice(corpus):
    scores = score_pairs(corpus, facenet_only, rng=np.random.default_rng(0))
    draw = np.zeros(PEOPLE)
    draw[:3] = (2, 1, 1)
    weighted = Weighted.under(scores, draw)
    per_person = Counter(corpus.person.tolist())[0]
    assert weighted.impostor.sum() == pytest.approx((2 + 2 + 1) * per_person**2)
    assert weighted.impostor_total == pytest.approx(weighted.impostor.sum())


def test_nothing_observed_is_not_certainty():
    nothing = Estimate(0.0, 0.0, 0.0)
    assert widened(nothing, trials=100).high == pytest.approx(0.0362, abs=1e-3)
    assert widened(Estimate(1.0, 1.0, 1.0), trials=100).low == pytest.approx(1 - 0.0362, abs=1e-3)
    assert widened(nothing, trials=0) == Estimate(0.0, 0.0, 1.0)
    assert widened(Estimate(0.2, 0.1, 0.3), trials=5) == Estimate(0.2, 0.1, 0.3)


@pytest.mark.parametrize("people", [1, 0])
def test_without_pairs_there_is_no_report(people, calibration):
    with pytest.raises(CorpusUnusable, match="pairs"):
        recognition_report(made_corpus(people=people), calibration)


def test_calibration_is_chosen_on_one_half_and_reported_on_the_other():
    corpus = made_corpus(people=340, per_person=3)
    halves = [in_choosing_half(name) for name in corpus.people]
    assert 142 < sum(halves) < 200
    models = dict.fromkeys(("yunet", "face_mesh", "facenet", "sface"), "d")
    made = calibrate(corpus, {"other": made_corpus(seed=8)}, models=models, data="made up", made_on="2025-01-01")
    assert made.id == made.digest()
    assert made.evidence["choosing"]["people"] == sum(halves)
    assert made.evidence["reporting"]["people"] == 340 - sum(halves)
    asked = made.evidence["threshold_by_population"]
    assert made.fused_threshold == max(asked["choosing half"]["upper"], asked["other"]["estimate"])
    assert made.projection is None  # so few people teach none
    assert made.projection_sha256 == ""
    assert made.evidence["reporting"]["fmr"]["value"] <= 2e-3


def test_too_few_people_choose_nothing():
    """A threshold from a few dozen people would be looser than the shipped one, and only for being few."""
    models = dict.fromkeys(("yunet", "face_mesh", "facenet", "sface"), "d")
    with pytest.raises(CorpusUnusable, match="Keep the shipped calibration"):
        calibrate(made_corpus(people=200), {}, models=models, data="-", made_on="-")


def test_at_most_keeps_the_first_pictures_of_each_person(corpus):
    few = corpus.at_most(3)
    assert np.bincount(few.person).tolist() == [3] * PEOPLE
    assert np.array_equal(few.facenet[3:6], corpus.facenet[4:7])
    assert np.array_equal(corpus.at_most(99).person, corpus.person)


def strangers(rng, people):
    rows = rng.normal(size=(2, people, 32))
    facenet, sface = ((part / np.linalg.norm(part, axis=1, keepdims=True)).astype(np.float32) for part in rows)
    names = tuple(f"{position:05}" for position in range(people))
    return Corpus(names, np.arange(people, dtype=np.int32), facenet, sface, people, {}, several_faces=0)


def test_the_tail_of_a_small_population_tells_the_threshold_of_a_large_one():
    rng = np.random.default_rng(1)
    whole = Weighted.under(score_pairs(strangers(rng, 3000), facenet_only, rng=rng), None)
    true = whole.threshold(1e-4)
    found = [
        tail_threshold(Weighted.under(score_pairs(strangers(rng, 60), facenet_only, rng=rng), None), fmr=1e-4)
        for _ in range(20)
    ]
    assert np.mean(found) == pytest.approx(true, abs=0.03)
    assert np.std(found) < 0.1


def test_one_wrong_label_of_a_person_with_hundreds_of_pictures_moves_no_threshold():
    clean = made_corpus(people=320, per_person=3, seed=2)
    chosen = [position for position, name in enumerate(clean.people) if in_choosing_half(name)]
    famous, victim = chosen[0], chosen[1]
    rows = np.flatnonzero(clean.person == famous)[:1].repeat(300)
    flooded = Corpus(
        clean.people,
        np.concatenate([clean.person, np.full(300, famous), [victim]]).astype(np.int32),
        np.concatenate([clean.facenet, clean.facenet[rows], clean.facenet[rows[:1]]]),
        np.concatenate([clean.sface, clean.sface[rows], clean.sface[rows[:1]]]),
        clean.pictures + 301,
        {},
        several_faces=0,
    )
    models = dict.fromkeys(("yunet", "face_mesh", "facenet", "sface"), "d")
    made = [calibrate(one, {}, models=models, data="-", made_on="-") for one in (clean, flooded)]
    assert made[1].facenet.floor == pytest.approx(made[0].facenet.floor, abs=0.05)
    assert made[1].sface.floor == pytest.approx(made[0].sface.floor, abs=0.05)
