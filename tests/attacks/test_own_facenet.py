"""A FaceNet of somebody's own: the service starts, enrols and verifies with it, and with nothing that is not its own.

The other FaceNet and what was chosen for it come from tests/biometric/other_facenet.py; people at the camera are
simulated.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from random import Random

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from biometric.agreement import Agreement
from biometric.agreement_file import agreement_path
from biometric.calibration import Calibration, projection_path
from biometric.compare import compare
from biometric.evaluation.calibrate import in_choosing_half
from biometric.models import ModelStore
from biometric.pipeline import FacePipeline
from plugin.ceremonies.types import Stage
from plugin.cli import main
from plugin.commands.serve import Server
from plugin.factors.face import FaceFactor
from plugin.factors.face_answers import FaceRefused
from plugin.wiring import open_pipeline
from tests.biometric.other_facenet import edited, make_graph, turned_agreement, turned_calibration
from tests.fixtures_cache import load_picture
from tests.plugin.commands.test_serve import wait_for
from tests.plugin.factors.test_face_live import enrolled, plays
from tests.simulator import Person as Simulated
from tests.simulator import Subject as Head
from tests.stack.process import free_port

pytestmark = [
    pytest.mark.models,
    pytest.mark.skipif(find_spec("tensorflow") is None, reason="the extra 'convert' is not installed"),
]


@pytest.fixture(scope="module")
def shipped_models():
    return Path(os.environ.get("FACESTEP_MODELS_DIR", "~/.cache/facestep/models")).expanduser()


@pytest.fixture(scope="module")
def models(shipped_models, tmp_path_factory):
    """A models folder in which an administrator has added another FaceNet by the command."""
    folder = tmp_path_factory.mktemp("models")
    for path in shipped_models.iterdir():
        (folder / path.name).symlink_to(path)
    graph = make_graph(shipped_models / ModelStore(folder).lock.models["facenet_graph"].file, folder)
    command = ["models", "add", "--role", "facenet", "--file", str(graph), "--models-dir", str(folder)]
    added = CliRunner().invoke(main, command)
    assert added.exit_code == 0, added.output
    return folder


@pytest.fixture
def own(models, tmp_path):
    """The calibration file of the other FaceNet, its projection and its detector beside it."""
    path = tmp_path / "own.json"
    calibration = turned_calibration(ModelStore(models), path)
    agreement_path(path).write_text(turned_agreement(calibration).to_json())
    return path


@pytest.fixture
def configured(models, own, tmp_path, monkeypatch):
    """A deployment with it; returns the address it will listen on."""
    port = free_port()
    values = {
        "ISSUER": f"http://localhost:{port}",
        "LISTEN_PORT": str(port),
        "DATABASE_URL": f"sqlite:///{tmp_path}/facestep.db",
        "ENVIRONMENT": "development",
        "VAULT_BACKEND": "keyring",
        "KEYRING_FILE": str(tmp_path / "keyring.json"),
        "MODELS_DIR": str(models),
        "CALIBRATION_FILE": str(own),
    }
    for name, value in values.items():
        monkeypatch.setenv(f"FACESTEP_{name}", value)
    monkeypatch.chdir(tmp_path)
    return values["ISSUER"]


def said_at_the_start(monkeypatch):
    """The one line that `facestep serve` ends with."""
    monkeypatch.setattr(Server, "run", lambda _: pytest.fail("it serves"))
    result = CliRunner().invoke(main, ["serve"])
    assert result.exit_code == 2
    return result.stderr.splitlines()[-1]


def test_it_is_another_net_and_tells_people_apart_all_the_same(models, own, shipped_models):
    other, shipped = FacePipeline.open(models, calibration=own), FacePipeline.open(shipped_models)
    seen = {name: other.still(load_picture(name)).embeddings for name in ("person_b_1", "person_b_2", "impostor_1")}
    before = shipped.still(load_picture("person_b_1")).embeddings
    assert abs(float(before.facenet.vector @ seen["person_b_1"].facenet.vector)) < 0.3
    assert compare(seen["person_b_1"], seen["person_b_2"], calibration=other.calibration).match
    assert not compare(seen["person_b_1"], seen["impostor_1"], calibration=other.calibration).match
    assert not compare(before, seen["person_b_2"], calibration=other.calibration).match


@pytest.mark.servers
def test_the_service_starts_with_it(configured, tmp_path):
    command = [sys.executable, "-m", "plugin.cli"]
    for setup in (["database", "migrate"], ["vault", "install"], ["models", "verify"]):
        subprocess.run([*command, *setup], check=True, capture_output=True)
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen([*command, "serve"], stdout=log, stderr=log)
    try:
        assert wait_for(f"{configured}/health/ready", process).status_code == 200
    finally:
        process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=20) == 0


def test_people_enrol_and_log_in_with_it_and_others_do_not(world, models, own):
    settings = replace(world.settings, models_dir=models, calibration_file=own)
    pipeline = open_pipeline(settings)
    assert pipeline.calibration.agreement.calibration == pipeline.calibration.id
    world.face = FaceFactor(
        ceremonies=world.ceremonies,
        pipeline=pipeline,
        database=world.database,
        sealer=world.sealer,
        attempts=world.attempts,
        audit=world.audit,
        settings=settings,
        rng=Random(4),
    )
    person, _ = enrolled(world)
    view, _ = plays(world, person, Simulated(Head(load_picture("person_b_1")), seed=2), person.proves_totp())
    assert (view.stage, view.amr) == (Stage.DONE, ("otp", "face"))
    world.passes(seconds=60)
    with pytest.raises(FaceRefused):
        plays(world, person, Simulated(Head(load_picture("impostor_1")), seed=3), person.proves_totp())


@pytest.fixture(scope="module")
def faces(tmp_path_factory):
    """Pictures of invented people, two each: one of five portraits a person, in other light and size (simulated)."""
    folder, rng, made = tmp_path_factory.mktemp("faces"), np.random.default_rng(3), []
    portraits = [load_picture(name) for name in ("person_a_2", "person_b_1", "impostor_1", "impostor_2", "astronaut")]
    number = 0
    while len(made) < 100:
        number += 1
        if in_choosing_half(f"p{number}"):
            made.append(f"p{number}")
            (folder / f"p{number}").mkdir()
            for take in ("1", "2"):
                picture = cv2.resize(portraits[number % 5], None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
                lit = np.clip(picture * rng.uniform(0.7, 1.2), 0, 255).astype(np.uint8)
                cv2.imwrite(str(folder / f"p{number}" / f"{take}.jpg"), lit)
    return folder


def trained(models, faces, own, *more):
    words = ("train", "agreement", "--images", faces, "--calibration", own, "--models-dir", models, *more)
    return CliRunner().invoke(main, [*map(str, words), "--people", "20", "--attacks", "1", "--steps", "1"])


def test_its_detector_is_trained_through_its_own_graph(models, own, faces):
    agreement_path(own).unlink()
    result = trained(models, faces, own)
    assert result.exit_code == 0, result.output
    calibration = Calibration.load(ModelStore(models), own)
    made = Agreement.load(calibration)
    assert f"detector {made.id} written to {agreement_path(own)}" in result.stdout
    assert made.calibration == calibration.id
    assert made.evidence["attacked_pictures"]["facenet"] == 1


def test_a_detector_is_not_trained_through_the_graph_of_another_net(models, own, faces, shipped_models):
    agreement_path(own).unlink()
    graph = shipped_models / ModelStore(models).lock.models["facenet_graph"].file
    result = trained(models, faces, own, "--graph", graph)
    assert result.exit_code == 2
    assert "the nets with gradients do not say what is served" in " ".join(result.stderr.split())
    assert not agreement_path(own).exists()


def away(path, _):
    agreement_path(path).unlink()


def shipped(path, _):
    from importlib.resources import files  # noqa: PLC0415

    agreement_path(path).write_text((files("biometric") / "agreement.json").read_text())


def of_another_calibration(path, store):
    before = Calibration.load(store, path)
    anew = replace(before, fused_threshold=before.fused_threshold + 1)
    path.write_text(replace(anew, id=anew.digest()).to_json())


def rewritten(path, _, **changes):
    text = agreement_path(path).read_text()
    agreement_path(path).write_text(edited(text, **changes))


def that_never_denies(path, store):
    calibration = Calibration.load(store, path)
    made = replace(Agreement.load(calibration), threshold=float("nan"))
    agreement_path(path).write_text(replace(made, id=made.digest()).to_json())


def that_knows_the_shipped_net(path, store):
    calibration = Calibration.load(store, path)
    made = replace(Agreement.load(calibration), models={**calibration.models, "facenet": "0" * 64})
    agreement_path(path).write_text(replace(made, id=made.digest()).to_json())


@pytest.mark.usefixtures("configured")
@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (away, "was made with other model files"),
        (shipped, "was made with other model files"),
        (that_knows_the_shipped_net, "was made with other model files"),
        (of_another_calibration, "was made for calibration"),
        (partial(rewritten, threshold=99.0), "the disagreement detector was edited"),
        (that_never_denies, "the disagreement detector cannot be read"),
        (lambda path, _: projection_path(path).write_bytes(b"another"), "the projection has digest"),
    ],
    ids=["missing", "shipped", "of the shipped net", "of another calibration", "edited", "never denies", "projection"],
)
def test_what_is_not_its_own_stops_the_start(models, own, monkeypatch, spoil, says):
    spoil(own, ModelStore(models))
    line = said_at_the_start(monkeypatch)
    assert line.startswith("facestep: calibration_mismatch: ")
    assert says in line


@pytest.mark.usefixtures("configured")
def test_the_line_names_the_command_that_makes_what_is_missing(own, monkeypatch):
    agreement_path(own).unlink()
    line = said_at_the_start(monkeypatch)
    assert f"facestep train agreement --images FACES --calibration {own}" in line


@pytest.mark.usefixtures("configured")
def test_removing_the_net_does_not_let_its_calibration_serve_the_shipped_one(own, monkeypatch, shipped_models):
    monkeypatch.setenv("FACESTEP_MODELS_DIR", str(shipped_models))
    assert own.is_file()
    assert "was measured with another facenet file" in said_at_the_start(monkeypatch)
