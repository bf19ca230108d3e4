"""Somebody who can write files exchanges a model, a site record or a threshold, and hopes that it is used."""

from __future__ import annotations

import hashlib
import json
import os
from importlib.resources import files
from pathlib import Path

import cv2
import pytest
from click.testing import CliRunner

from biometric import limits, lite
from biometric.calibration import record_digest
from biometric.errors import CalibrationMismatch, LimitsMismatch, ModelDigestMismatch, ModelMissing
from biometric.lock import shipped_lock
from biometric.models import ModelStore
from biometric.pipeline import FacePipeline
from plugin.cli import main

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


@pytest.fixture
def package(tmp_path_factory, monkeypatch):
    """Whose liveness limits somebody can write; returns their file."""
    shipped = files("biometric") / "weights"
    folder = tmp_path_factory.mktemp("package")
    (folder / "weights").mkdir()
    for name in ("liveness.json", "texture.json"):
        (folder / "weights" / name).write_text((shipped / name).read_text())
    monkeypatch.setattr(limits, "files", lambda _: folder)
    limits.shipped.cache_clear()
    yield folder / "weights" / "liveness.json"
    limits.shipped.cache_clear()


def test_the_limits_as_they_are_let_it_start(models, package):
    assert package.is_file()
    FacePipeline.open(models)


def no_relief(table):
    table["limits"]["colour.relief"]["value"] = -9.0


def a_little_laxer(table):
    table["limits"]["planarity.nose"]["value"] = 0.11


def quick(table):
    table["quick"] = True


def of_another_mesh(table):
    table["models"]["face_mesh"] = table["models"]["yunet"]


def of_another_texture_net(table):
    table["models"]["texture"] = "0" * 64


@pytest.mark.parametrize(
    ("edit", "signed", "why"),
    [
        (a_little_laxer, False, "edited"),
        (no_relief, True, "not between"),
        (quick, True, "quick"),
        (of_another_mesh, True, "another face_mesh"),
        (of_another_texture_net, True, "another texture"),
    ],
)
def test_laxer_liveness_limits_or_those_of_other_models_stop_the_start(models, package, edit, signed, why):
    table = json.loads(package.read_text())
    edit(table)
    package.write_text(json.dumps(table | ({"id": record_digest(table)} if signed else {})))
    with pytest.raises(LimitsMismatch, match=why):
        FacePipeline.open(models)


def test_missing_liveness_limits_do_not_mean_that_the_cues_have_none(models, package):
    package.unlink()
    with pytest.raises(LimitsMismatch, match="cannot be read"):
        FacePipeline.open(models)


@pytest.mark.parametrize(
    "command",
    [
        ["bench", "face", "--json", "{out}"],
        ["evaluate", "attacks", "--genuine", "1", "--presentations", "0"],
        ["evaluate", "ceremony", "--clips", "{clips}", "--json", "{out}"],
        ["models", "verify"],
    ],
    ids=" ".join,
)
def test_no_command_measures_or_confirms_with_limits_that_somebody_made_laxer(models, package, tmp_path, command):
    table = json.loads(package.read_text())
    a_little_laxer(table)
    package.write_text(json.dumps(table))
    clips = tmp_path / "clips.csv"
    film = tmp_path / "a"
    film.touch()
    clips.write_text(f"clip,label,species,steps,reference\n{film},genuine,,blink,{film}\n")
    words = [word.format(clips=clips, out=tmp_path / "out.json") for word in command]
    refused = CliRunner().invoke(main, [*words, "--models-dir", str(models)])
    assert refused.exit_code == 2
    assert refused.stderr.splitlines()[-1].startswith("facestep: limits_mismatch: the liveness limits were edited; ")
