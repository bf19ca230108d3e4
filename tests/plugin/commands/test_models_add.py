"""`facestep models add`: a FaceNet of one's own, from the frozen graph to a refused start, and back."""

from __future__ import annotations

import hashlib
import json
from importlib.util import find_spec

import pytest
from click.testing import CliRunner

from biometric.models import ModelStore
from biometric.roles import FACENET_RECIPE
from plugin.cli import main
from tests.fixtures_cache import picture_path

pytestmark = [
    pytest.mark.models,
    pytest.mark.skipif(find_spec("tensorflow") is None, reason="the extra 'convert' is not installed"),
]

# Protocol buffers that follow each other are joined: one more node, a NoOp called "note", changes the digest and
# nothing else, so this is another file of the same net.
ANOTHER_NODE = b"\x0a\x0c\x0a\x04note\x12\x04NoOp"


def run(*arguments):
    return CliRunner().invoke(main, [*map(str, arguments)])


@pytest.fixture
def graph(models, tmp_path):
    path = tmp_path / "own.pb"
    path.write_bytes(ModelStore(models).read("facenet_graph") + ANOTHER_NODE)
    return path


def test_a_frozen_graph_is_added_refused_by_the_shipped_thresholds_and_removed(models, graph):
    digest = hashlib.sha256(graph.read_bytes()).hexdigest()
    wrong = run("models", "add", "--role", "facenet", "--file", graph, "--sha256", "0" * 64, "--models-dir", models)
    assert wrong.exit_code == 2
    assert f"has digest {digest}" in wrong.stderr

    added = run("models", "add", "--role", "facenet", "--file", graph, "--sha256", digest, "--models-dir", models)
    assert added.exit_code == 0, added.output
    assert "facestep calibrate --images" in added.stdout
    store = ModelStore(models)
    (own,) = store.added("facenet")
    assert (own.source_sha256, own.recipe) == (digest, FACENET_RECIPE)
    assert hashlib.sha256(store.serving("facenet")).hexdigest() == own.sha256

    rows = {
        row["name"]: row for row in json.loads(run("models", "list", "--json", "--models-dir", models).stdout)["models"]
    }
    assert rows[own.name]["state"] == "right"
    assert rows["facenet"]["state"] == "right, not in use"
    refused = run("models", "verify", "--models-dir", models)
    assert refused.exit_code == 2
    assert "calibration_mismatch: the calibration was measured with another facenet file" in refused.stderr
    assert "facestep calibrate" in refused.stderr
    pictures = picture_path("person_a_1"), picture_path("person_a_2")
    assert run("compare", *pictures, "--models-dir", models).exit_code == 2

    assert run("models", "remove", own.name, "--models-dir", models).exit_code == 0
    assert run("compare", *pictures, "--models-dir", models).exit_code == 0


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--role", "nose", "--file", "x.pb"), "there is no role 'nose'"),
        (("--role", "facenet", "--file", "x.onnx"), "takes .pb or .tflite"),
        (("--role", "facenet", "--file", "none.pb"), "cannot be read"),
        (("--role", "facenet", "--file", "x.pb", "--meta", "word"), "is not KEY=VALUE"),
    ],
    ids=["role", "suffix", "missing", "meta"],
)
def test_what_cannot_be_added_is_one_clear_line(models, words, says):
    result = run("models", "add", *words, "--models-dir", models)
    assert result.exit_code == 2
    assert says in " ".join(result.stderr.split())


def test_what_was_not_added_cannot_be_removed(models):
    assert "no added model is called facenet" in run("models", "remove", "facenet", "--models-dir", models).stderr
