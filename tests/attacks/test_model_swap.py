"""Somebody who can write files exchanges a model, a site record or a threshold, and hopes that it is used."""

from __future__ import annotations

import hashlib
import json
import os
from importlib.resources import files
from pathlib import Path

import cv2
import pytest

from biometric import lite
from biometric.errors import CalibrationMismatch, ModelDigestMismatch, ModelMissing
from biometric.lock import shipped_lock
from biometric.models import ModelStore
from biometric.pipeline import FacePipeline

pytestmark = pytest.mark.models
USED = ("yunet", "sface", "face_mesh", "facenet")


@pytest.fixture
def models(tmp_path):
    real = Path(os.environ.get("FACESTEP_MODELS_DIR", "~/.cache/facestep/models")).expanduser()
    for path in real.iterdir():
        (tmp_path / path.name).symlink_to(path)
    return tmp_path


def exchange(folder, name, content):
    path = folder / shipped_lock().models[name].file
    path.unlink()
    path.write_bytes(content)


def changed(folder, name, at):
    content = bytearray((folder / shipped_lock().models[name].file).read_bytes())
    content[at] ^= 0x80
    return bytes(content)


@pytest.mark.parametrize("name", USED)
@pytest.mark.parametrize("at", [100, -1])
def test_one_changed_byte_stops_the_start(models, name, at):
    exchange(models, name, changed(models, name, at))
    with pytest.raises(ModelDigestMismatch, match=name):
        FacePipeline.open(models)


@pytest.mark.parametrize("name", USED)
def test_a_changed_file_never_reaches_a_parser(models, name, monkeypatch):
    evil = changed(models, name, 200)
    exchange(models, name, evil)

    def parse(*arguments, **named):
        for argument in (*arguments, *named.values()):
            assert argument != evil if isinstance(argument, bytes) else bytes(memoryview(argument).cast("B")) != evil
        raise KeyError("parsed")

    monkeypatch.setattr(cv2.FaceDetectorYN, "create", lambda _, content, *__: parse(content))
    monkeypatch.setattr(cv2.FaceRecognizerSF, "create", lambda _, content, *__: parse(content))
    monkeypatch.setattr(lite, "Interpreter", lambda model_content, **_: parse(model_content))
    with pytest.raises((ModelDigestMismatch, KeyError)):
        FacePipeline.open(models)


def test_a_model_that_swaps_places_with_another_is_refused(models):
    mesh, iris = ((models / shipped_lock().models[name].file).read_bytes() for name in ("face_mesh", "iris"))
    exchange(models, "face_mesh", iris)
    exchange(models, "iris", mesh)
    with pytest.raises(ModelDigestMismatch):
        FacePipeline.open(models)


def test_a_missing_model_does_not_mean_that_its_opinion_is_skipped(models):
    (models / shipped_lock().models["sface"].file).unlink()
    with pytest.raises(ModelMissing):
        FacePipeline.open(models)


def test_a_site_record_does_not_let_in_a_file_that_comes_from_an_archive(models):
    evil = changed(models, "yunet", 300)
    exchange(models, "yunet", evil)
    lock = shipped_lock()
    record = {
        "model": "yunet",
        "sha256": hashlib.sha256(evil).hexdigest(),
        "source_sha256": lock.models["yunet"].sha256,
    }
    (models / "accepted-yunet.json").write_text(
        json.dumps(record | {"recipe": "", "tensorflow": "2", "least_cosine": 1.0})
    )
    with pytest.raises(ModelDigestMismatch):
        ModelStore(models).read("yunet")


def test_a_lowered_threshold_stops_the_start(models, tmp_path_factory):
    shipped = json.loads((files("biometric") / "calibration.json").read_text())
    shipped["fused_threshold"] = -10.0
    path = tmp_path_factory.mktemp("edited") / "calibration.json"
    path.write_text(json.dumps(shipped))
    with pytest.raises(CalibrationMismatch):
        FacePipeline.open(models, calibration=path)
