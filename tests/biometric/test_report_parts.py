"""Cache, groups, rules and curves: each gives what a plain count gives."""

from __future__ import annotations

import dataclasses
import stat

import numpy as np
import pytest

from biometric.calibration import BOUND_MODELS
from biometric.evaluation.cache import CacheUnusable, Looked, VectorCache
from biometric.evaluation.corpus import CorpusUnusable
from biometric.evaluation.costs import averaged, decision_scorer, frame_means, rule_costs
from biometric.evaluation.curves import distribution, trade
from biometric.evaluation.groups import group_report, read_groups
from biometric.evaluation.pairs import score_pairs
from biometric.evaluation.rates import Weighted, failure_rate
from tests.biometric.test_evaluation import calibration, facenet_only, made_corpus

__all__ = ["calibration"]

MODELS = dict.fromkeys(BOUND_MODELS, "d")


def looked(number):
    rng = np.random.default_rng(number)
    return Looked("", False, rng.normal(size=512).astype(np.float32), rng.normal(size=128).astype(np.float32))


def test_a_picture_is_known_again_by_its_bytes_and_nothing_else_is_kept(tmp_path):
    cache = VectorCache(tmp_path / "c", MODELS)
    cache.put(b"one", looked(1))
    cache.put(b"two", Looked("no_face", True, None, None))
    cache.save()
    again = VectorCache(tmp_path / "c", MODELS)
    assert np.array_equal(again.get(b"one").facenet, looked(1).facenet)
    assert np.array_equal(again.get(b"one").sface, looked(1).sface)
    assert again.get(b"two") == Looked("no_face", True, None, None)
    assert again.get(b"three") is None


def test_only_the_owner_may_read_the_cache(tmp_path):
    cache = VectorCache(tmp_path / "c", MODELS)
    cache.put(b"one", looked(1))
    cache.save()
    (path,) = (tmp_path / "c").iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "c").stat().st_mode) == 0o700


def test_other_models_have_a_cache_of_their_own(tmp_path):
    cache = VectorCache(tmp_path, MODELS)
    cache.put(b"one", looked(1))
    cache.save()
    assert VectorCache(tmp_path, MODELS | {"facenet": "other"}).get(b"one") is None


def test_a_cache_that_cannot_be_read_says_so(tmp_path):
    cache = VectorCache(tmp_path, MODELS)
    cache.put(b"one", looked(1))
    cache.save()
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(CacheUnusable, match="delete it"):
        VectorCache(tmp_path, MODELS)


def groups_file(tmp_path, text):
    path = tmp_path / "groups.csv"
    path.write_text(text)
    return path


def test_groups_are_read_and_ages_put_into_bands(tmp_path):
    path = groups_file(tmp_path, "face_id,face_age,gender\n1,24,a\n2,25,b\n3,35,a\n4,NA,\n5,90,b\n")
    assert read_groups(path) == {
        "face_age": {"1": "under 25", "2": "25 to 34", "3": "35 and over", "5": "35 and over"},
        "gender": {"1": "a", "2": "b", "3": "a", "5": "b"},
    }


@pytest.mark.parametrize(
    "text", ["", "only\n1\n", "id,age\n1,old\n", "id,a\n1\n"], ids=["empty", "no trait", "age", "short row"]
)
def test_a_list_that_makes_no_sense_is_one_clear_line(tmp_path, text):
    with pytest.raises(CorpusUnusable):
        read_groups(groups_file(tmp_path, text))


def test_a_missing_list_is_one_clear_line(tmp_path):
    with pytest.raises(CorpusUnusable, match="cannot be read"):
        read_groups(tmp_path / "none.csv")


def test_figures_by_group_are_plain_counts(calibration):
    corpus = made_corpus(people=40, noise=0.2)
    group_of = {name: "even" if int(name[-3:]) % 2 == 0 else "odd" for name in corpus.people}
    decide = decision_scorer(calibration)
    report = group_report(corpus, {"kind": group_of}, decide, calibration.fused)["kind"]
    left, right = np.triu_indices(len(corpus.person), 1)
    match = (decide(corpus.facenet @ corpus.facenet.T, corpus.sface @ corpus.sface.T) >= 0)[left, right]
    even = np.array([group_of[name] == "even" for name in corpus.people])[corpus.person]
    same = corpus.person[left] == corpus.person[right]
    inside, mixed = even[left] & even[right], even[left] ^ even[right]
    found = report["even"]
    assert found["people"] == 20
    assert found["impostor_pairs"] == int((inside & ~same).sum())
    assert found["fnmr"]["value"] == pytest.approx(1 - match[inside & same].mean())
    assert found["fmr_within"]["value"] == pytest.approx(match[inside & ~same].mean())
    assert found["fmr_across"]["value"] == pytest.approx(match[mixed & ~same].mean())
    assert found["fmr_across"] == pytest.approx(report["odd"]["fmr_across"], abs=1e-2)


def test_nobody_in_the_list_is_an_error(calibration):
    with pytest.raises(CorpusUnusable, match="nobody"):
        group_report(made_corpus(), {"kind": {"x": "y"}}, decision_scorer(calibration), calibration.fused)


def test_each_rule_is_measured_as_it_says(calibration):
    corpus = made_corpus(noise=0.2)
    populations = {"other": {"estimate": 2.0, "upper": 3.0, "asked": 2.0}}
    floors = {"0.02": {"facenet": 0.3, "sface": 0.3}}
    evidence = {"threshold_by_population": populations, "floors_at_fmr": floors}
    rows = rule_costs(corpus, dataclasses.replace(calibration, evidence=evidence))
    by_name = {row["rule"]: row for row in rows}
    assert [row["shipped"] for row in rows] == [True] + [False] * 6
    left, right = np.triu_indices(len(corpus.person), 1)
    same = corpus.person[left] == corpus.person[right]
    fused = calibration.fused(corpus.facenet @ corpus.facenet.T, corpus.sface @ corpus.sface.T)[left, right]
    alone = by_name["fused score alone"]
    assert alone["fnmr"]["value"] == pytest.approx(float(np.mean(fused[same] < calibration.fused_threshold)))
    assert alone["fmr"]["value"] == pytest.approx(float(np.mean(fused[~same] >= calibration.fused_threshold)))
    shipped = by_name["fused score and both floors, as shipped"]
    assert shipped["fnmr"]["value"] >= alone["fnmr"]["value"]
    assert by_name["threshold 2.000: other, best estimate"]["fnmr"]["value"] <= shipped["fnmr"]["value"]


def test_means_use_no_picture_twice_and_refuse_fewer_people(calibration):
    corpus = made_corpus(people=50, per_person=5, noise=0.22)
    means = averaged(corpus, 2)
    assert np.bincount(means.person).tolist() == [2] * 50
    first = corpus.facenet[corpus.person == 0][:2].sum(axis=0)
    assert np.allclose(means.facenet[0], first / np.linalg.norm(first), atol=1e-6)
    rows = frame_means(corpus, calibration)
    assert [row["pictures"] for row in rows] == [2]  # five pictures make two sets of two, one of three, one of five
    single = rule_costs(corpus, calibration)[0]["fnmr"]["value"]
    assert rows[0]["fnmr"]["value"] < single


def test_the_trade_off_is_what_the_rates_say():
    scores = score_pairs(made_corpus(noise=0.2), facenet_only, rng=np.random.default_rng(0))
    curve = trade(scores)
    assert (np.diff(curve.fmr) >= 0).all()
    assert (np.diff(curve.fnmr) <= 0).all()
    whole = Weighted.under(scores, None)
    reached = [whole.fmr(float(threshold)) for threshold in scores.impostor]
    for at in (50, 150, 250):
        threshold = float(scores.impostor[int(np.argmin(np.abs(np.array(reached) - curve.fmr[at])))])
        assert curve.fmr[at] == pytest.approx(whole.fmr(threshold))
        assert curve.fnmr[at] == pytest.approx(whole.fnmr(threshold))


def test_each_distribution_has_the_area_one():
    spread = distribution(score_pairs(made_corpus(), facenet_only, rng=np.random.default_rng(0)))
    width = np.diff(spread.edges)
    assert float((spread.genuine * width).sum()) == pytest.approx(1)
    assert float((spread.impostor * width).sum()) == pytest.approx(1)


def test_a_failure_rate_has_an_honest_interval():
    nothing = failure_rate(0, 1000)
    assert (nothing.value, nothing.low) == (0.0, 0.0)
    assert 0.003 < nothing.high < 0.005
    some = failure_rate(42, 6922)
    assert some.low < 42 / 6922 < some.high
    assert failure_rate(0, 0).high == 1.0
