"""`facestep models` and what a changed file means to every command that needs it."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from biometric.lock import shipped_lock
from plugin.cli import main
from tests.fixtures_cache import picture_path

pytestmark = pytest.mark.models

SERVED = ("yunet", "sface", "face_mesh", "facenet")


def run(*arguments):
    return CliRunner().invoke(main, [*map(str, arguments)])


def test_verify_says_that_all_is_right(models):
    result = run("models", "verify", "--models-dir", models)
    assert result.exit_code == 0
    assert "7 model files are right" in result.output


def test_verify_says_it_as_json_too(models):
    found = json.loads(run("models", "verify", "--models-dir", models, "--json").stdout)
    assert found["models"] == 7
    assert {"calibration", "detector"} < set(found)


@pytest.mark.parametrize("name", [*SERVED, "iris", "facenet_graph", "sface_onnx"])
def test_verify_names_the_file_with_one_changed_byte(models, name, change_one_byte):
    change_one_byte(name)
    result = run("models", "verify", "--models-dir", models)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"facestep: model_digest_mismatch: {name}")


@pytest.mark.parametrize("name", SERVED)
def test_nothing_is_compared_with_a_changed_model(models, name, change_one_byte):
    change_one_byte(name)
    pictures = picture_path("person_a_1"), picture_path("person_a_2")
    result = run("compare", *pictures, "--json", "--models-dir", models)
    assert (result.exit_code, json.loads(result.stdout)) == (2, {"error": "model_digest_mismatch"})


def test_fetch_has_nothing_to_do_when_all_is_there(models):
    result = run("models", "fetch", "--models-dir", models, "--downloads", models / "nowhere")
    assert result.exit_code == 0
    assert not (models / "nowhere").exists()


def test_list_tells_state_digest_and_licence(models):
    (models / shipped_lock().models["iris"].file).unlink()
    rows = {
        row["name"]: row for row in json.loads(run("models", "list", "--json", "--models-dir", models).stdout)["models"]
    }
    assert rows["iris"]["state"] == "model_missing"
    assert rows["yunet"]["state"] == "right"
    assert all(len(row["sha256"]) == 64 and row["licence"] for row in rows.values())
    assert "model_missing" in run("models", "list", "--models-dir", models).stdout
