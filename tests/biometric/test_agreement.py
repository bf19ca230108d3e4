"""The disagreement detector: its arithmetic, and what it refuses to be loaded with."""

from __future__ import annotations

import json
from dataclasses import replace

import cv2
import numpy as np
import pytest

from biometric.agreement import FEATURES, Agreement, Rows
from biometric.agreement_looks import Change, coarse, draw_change, moved
from biometric.calibration import BOUND_MODELS
from biometric.errors import CalibrationMismatch, CannotTell
from biometric.evaluation.adversarial_logins import Seen
from biometric.training.agreement_fit import fit_head, fit_map, moments
from biometric.types import FACENET, Embedding
from tests.biometric.agreements import calibration, detector, face, look, unit

FIVE = np.array([[100, 100], [150, 100], [125, 130], [105, 155], [145, 155]], np.float32)
STILL = Change(shift=(0.0, 0.0), turn=0.0, scale=1.0, span_px=1000.0, mirrored=False)


@pytest.fixture
def written(tmp_path):
    def write(made):
        path = tmp_path / "agreement.json"
        path.write_text(made.to_json())
        return path

    return write


def named(values):
    return dict(zip(FEATURES, values, strict=True))


def test_what_was_written_is_read(written):
    made = detector()
    read = Agreement.load(calibration(), written(made))
    assert read.id == made.id == read.digest()
    assert np.array_equal(read.map, made.map)
    assert np.array_equal(read.hidden, made.hidden)


def test_the_file_is_small_enough_to_ship(written):
    assert written(detector()).stat().st_size < 300_000


@pytest.mark.parametrize("name", BOUND_MODELS)
def test_another_model_file_is_a_mismatch(written, name):
    with pytest.raises(CalibrationMismatch, match="other model files"):
        Agreement.load(calibration(**{name: "other"}), written(detector()))


def test_another_framing_is_a_mismatch(written):
    other = replace(detector(), framing="box")
    with pytest.raises(CalibrationMismatch, match="framing"):
        Agreement.load(calibration(), written(replace(other, id=other.digest())))


@pytest.mark.parametrize("change", [{"threshold": 99.0}, {"moments": {"facenet": [0, 9]}}, {"hidden": None}])
def test_an_edited_file_is_noticed(written, change):
    path = written(detector())
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(CalibrationMismatch):
        Agreement.load(calibration(), path)


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", "\x00", '{"map": {"kind": "O"}}'])
def test_an_unreadable_file_is_a_mismatch(tmp_path, text):
    path = tmp_path / "agreement.json"
    path.write_text(text)
    with pytest.raises(CalibrationMismatch):
        Agreement.load(calibration(), path)


def test_a_missing_file_is_a_mismatch(tmp_path):
    with pytest.raises(CalibrationMismatch):
        Agreement.load(calibration(), tmp_path / "none.json")


def test_models_that_agree_pair_up_and_models_that_do_not_do_not():
    agreeing = named(detector().features([look(face(1))], face(1)))
    fooled = named(detector().features([look(face(1, sface_of=2))], face(1)))
    assert agreeing["pairing"] == pytest.approx(0, abs=0.01)
    assert fooled["pairing"] < -0.6
    assert fooled["facenet"] == pytest.approx(10, abs=0.01)
    assert fooled["sface"] < agreeing["sface"] - 5


def test_what_the_second_look_loses_is_seen():
    steady = named(detector().features([look(face(1))], face(1)))
    brittle = named(detector().features([look(face(1)), look(face(1), loss=0.6)], face(1)))
    assert steady["drop"] == pytest.approx(0, abs=1e-4)
    assert brittle["worst_drop"] == pytest.approx(2 * brittle["drop"], abs=1e-3)
    assert brittle["worst_drop"] > 2
    assert brittle["apart"] > steady["apart"] + 0.1


def test_the_head_weighs_what_it_was_told():
    found = detector(drop=2.0)
    brittle = found.features([look(face(1), loss=0.6)], face(1))
    assert found.log_odds(brittle) == pytest.approx(2 * named(brittle)["drop"], rel=0.05)


def test_without_a_second_look_there_is_no_verdict():
    with pytest.raises(CannotTell, match="twice"):
        detector().features([], face(1))


def test_a_vector_of_another_model_is_no_verdict():
    swapped = replace(look(face(1)), again=Embedding(unit(np.ones(128)), FACENET))
    with pytest.raises(CannotTell):
        detector().features([swapped], face(1))


def test_a_detector_does_not_print_its_map():
    assert len(repr(detector())) < 200


def test_the_map_finds_the_relation_between_two_spaces():
    table = Rows.of([face(seed) for seed in range(400)])
    found = fit_map(table)
    promised = (table.facenet - found["facenet_mean"]) @ found["map"]
    cosines = [unit(p) @ unit(s - found["sface_mean"]) for p, s in zip(promised, table.sface, strict=True)]
    assert np.median(cosines) > 0.95
    assert found["map"].astype(np.float16).astype(np.float32).tolist() == found["map"].tolist()
    mean, deviation = moments(table.facenet, table.facenet, np.arange(400))
    assert abs(mean) < 0.05
    assert 0.05 < deviation < 0.15


def test_the_head_learns_to_tell_attacks_and_says_the_same_twice():
    rng = np.random.default_rng(4)
    genuine = rng.normal(0, 1, (200, len(FEATURES)))
    attacks = rng.normal(0, 1, (100, len(FEATURES)))
    attacks[:, FEATURES.index("drop")] += 4
    weights = fit_head(genuine, attacks, seed=1)
    found = replace(detector(), **weights)
    assert np.median([found.log_odds(row) for row in attacks]) > 1
    assert np.median([found.log_odds(row) for row in genuine]) < -1
    assert all(np.array_equal(weights[name], again) for name, again in fit_head(genuine, attacks, seed=1).items())


def test_the_threshold_stays_above_the_genuine_logins_of_people_who_look_alike():
    pytest.importorskip("tensorflow", reason="training needs TensorFlow (the extra `convert`)")
    from biometric.training.agreement import _threshold  # noqa: PLC0415  (after the skip)
    from biometric.training.agreement_parts import Part  # noqa: PLC0415  (likewise)

    people = {
        f"p{seed}": [Seen(FIVE, FIVE, face(seed), (look(face(seed), loss=0.05),)) for _ in range(2)]
        for seed in range(30)
    }
    found = _threshold(detector(), Part(people), calibration(), 0.005, seed=1)
    odds = [detector().log_odds(detector().features(login.looks, login.reference)) for login in Part(people).genuine()]
    assert len(odds) == 60
    assert max(odds) < found < max(odds) + 0.1


def test_a_change_moves_the_points_by_what_it_says():
    turned = moved(FIVE, replace(STILL, turn=90.0))
    assert np.allclose(turned.mean(axis=0), FIVE.mean(axis=0), atol=1e-3)
    assert np.allclose(np.linalg.norm(turned[0] - turned[1]), 50, atol=1e-3)
    assert np.allclose(moved(FIVE, replace(STILL, shift=(0.1, 0.0))) - FIVE, [5.5, 0], atol=1e-3)


def test_the_coarse_picture_holds_the_face_where_it_was():
    image = np.zeros((300, 300, 3), np.uint8)
    for x, y in FIVE.astype(int):
        cv2.circle(image, (int(x), int(y)), 6, (255, 255, 255), -1)
    small, five = coarse(image, FIVE, replace(STILL, span_px=18.0))
    assert (five.max(axis=0) - five.min(axis=0)).max() == pytest.approx(18, abs=0.5)
    assert all(small[round(y), round(x), 0] > 100 for x, y in five)
    assert max(small.shape) < 100


def test_draws_differ_and_repeat_with_their_seed():
    assert draw_change(np.random.default_rng(1)) == draw_change(np.random.default_rng(1))
    assert draw_change(np.random.default_rng(1)) != draw_change(np.random.default_rng(2))


def test_the_attackers_copy_of_the_head_is_the_head():
    tf = pytest.importorskip("tensorflow", reason="gradients need TensorFlow (the extra `convert`)")
    from biometric.evaluation.adversarial_head import head_log_odds  # noqa: PLC0415  (after the skip)

    found = detector(**dict(zip(FEATURES, np.linspace(-0.3, 0.3, len(FEATURES)), strict=True)))
    victim, seen = face(1), look(face(5, sface_of=6), loss=0.4)
    ours = found.log_odds(found.features([seen], victim))

    def row(embedding):
        return tf.constant(embedding.vector[None])

    his = head_log_odds(
        found,
        (row(seen.plain.facenet), row(seen.plain.sface), row(seen.again)),
        (row(victim.facenet), row(victim.sface)),
    )
    assert float(his[0]) == pytest.approx(ours, abs=1e-3)
