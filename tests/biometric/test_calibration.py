"""Thresholds belong to model files and to one framing; anything else stops the start."""

from __future__ import annotations

import dataclasses

import pytest

from biometric.calibration import BOUND_MODELS, FRAMING, Calibration, ModelCalibration
from biometric.errors import CalibrationMismatch


class Models:
    def __init__(self, **other):
        self._digests = dict.fromkeys(BOUND_MODELS, "d") | other

    def digests(self):
        return self._digests


@pytest.fixture
def honest():
    part = ModelCalibration(mean=0.1, deviation=0.1, floor=0.3, weight=0.5)
    models = dict.fromkeys(BOUND_MODELS, "d")
    made = Calibration("", FRAMING, models, part, part, fused_threshold=4.0, evidence={"data": "-"})
    return dataclasses.replace(made, id=made.digest())


def written(tmp_path, calibration):
    path = tmp_path / "calibration.json"
    path.write_text(calibration.to_json())
    return path


def test_what_was_written_is_read(tmp_path, honest):
    assert Calibration.load(Models(), written(tmp_path, honest)) == honest


@pytest.mark.parametrize("name", BOUND_MODELS)
def test_another_model_file_is_a_mismatch(tmp_path, honest, name):
    with pytest.raises(CalibrationMismatch, match=name):
        Calibration.load(Models(**{name: "other"}), written(tmp_path, honest))


def test_a_lowered_threshold_is_noticed(tmp_path, honest):
    edited = dataclasses.replace(honest, fused_threshold=1.0)
    with pytest.raises(CalibrationMismatch, match="edited"):
        Calibration.load(Models(), written(tmp_path, edited))


def test_another_framing_is_a_mismatch(tmp_path, honest):
    other = dataclasses.replace(honest, framing="box")
    other = dataclasses.replace(other, id=other.digest())
    with pytest.raises(CalibrationMismatch, match="framing"):
        Calibration.load(Models(), written(tmp_path, other))


def test_a_model_that_was_not_measured_is_a_mismatch(tmp_path, honest):
    other = dataclasses.replace(honest, models={"facenet": "d"})
    other = dataclasses.replace(other, id=other.digest())
    with pytest.raises(CalibrationMismatch):
        Calibration.load(Models(), written(tmp_path, other))


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '{"id": 1, "unknown": 2}', "\x00"])
def test_an_unreadable_file_is_a_mismatch(tmp_path, text):
    path = tmp_path / "calibration.json"
    path.write_text(text)
    with pytest.raises(CalibrationMismatch):
        Calibration.load(Models(), path)


def test_a_missing_file_is_a_mismatch(tmp_path):
    with pytest.raises(CalibrationMismatch):
        Calibration.load(Models(), tmp_path / "none.json")


@pytest.mark.models
def test_the_shipped_thresholds_belong_to_the_locked_models(pipeline):
    shipped = pipeline.calibration
    assert shipped.fused_threshold > 3
    assert shipped.facenet.weight + shipped.sface.weight == pytest.approx(1)
    assert shipped.evidence["wished"] == {"fused_fmr": 1e-4, "floor_fmr": 1e-2}
