"""One small training run on drawn faces, from a folder of pictures to a net that is served: no person's picture."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from biometric.evaluation.drawn_face import Look, draw
from biometric.texture import TextureNet
from biometric.training.net import Recipe
from biometric.training.pool import GROUPS, KEPT_PX, How, Pool
from biometric.training.sources import Kind
from biometric.training.train import choose_threshold
from tests.biometric.training.drawn import draw_people

ROOT = Path(__file__).resolve().parents[3]


def test_the_threshold_refuses_at_most_a_hundredth_of_each_group_and_is_never_lax():
    assert choose_threshold({"a": np.full(50, 0.1, np.float32)}) == 0.9
    scores = np.linspace(0, 0.99, 500).astype(np.float32)
    at = choose_threshold({"a": np.zeros(50, np.float32), "b": scores})
    assert 0 < (scores >= at).mean() <= 0.01


def test_a_pool_knows_what_is_spoof():
    groups = tuple(group for group in GROUPS if group.kind is Kind.NUAA_PRINT or group.how is How.AS_IS)
    pool = Pool(np.zeros((len(groups), 8, 8, 3), np.uint8), np.arange(len(groups), dtype=np.int32), (), groups)
    assert [bool(spoof) for spoof in pool.label] == [group.kind is Kind.NUAA_PRINT for group in groups]
    assert Recipe().size < KEPT_PX


@pytest.fixture(scope="session")
def drawn(tmp_path_factory):
    return draw_people(tmp_path_factory.mktemp("data"))


def run(drawn, out):
    """The command, in a process of its own, since TensorFlow stays with the process that loads it."""
    command = [sys.executable, "-m", "plugin.cli", "train", "texture", "--data", str(drawn), "--out", str(out)]
    command += ["--crops", "0.01", "--epochs", "1", "--steps", "6", "--json", str(out.parent / "manifest.json")]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    return out


@pytest.fixture(scope="session")
def trained(drawn, tmp_path_factory):
    return run(drawn, tmp_path_factory.mktemp("out") / "net")


@pytest.mark.models
def test_a_run_leaves_a_net_that_opens_and_judges(trained):
    net = TextureNet.open(trained)
    points = np.array([[230, 130], [410, 300]], np.float32)
    assert 0 <= net.score(draw(Look()), points) <= 1


@pytest.mark.models
def test_the_same_seed_gives_the_same_file(trained, drawn, tmp_path):
    again = run(drawn, tmp_path / "net")
    assert TextureNet.open(again).spec == TextureNet.open(trained).spec


@pytest.mark.models
def test_the_manifest_names_every_picture_by_digest_and_nobody(trained, drawn):
    manifest = json.loads((trained / "manifest.json").read_text(encoding="utf-8"))
    assert manifest == json.loads((trained.parent / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["training_people"] == {"nuaa": 3}
    assert {kind: len(found) for kind, found in manifest["pictures_sha256"].items()} == {
        "nuaa_live": 6,
        "nuaa_print": 6,
    }
    assert manifest["weights"]["sha256"] == TextureNet.open(trained).spec.sha256
    assert manifest["largest_difference_to_tensorflow"] < 0.01
    text = json.dumps(manifest)
    assert str(drawn) not in text
    assert "0001" not in list(text.split('"'))


def test_a_folder_without_pictures_is_told(tmp_path):
    command = [
        sys.executable,
        "-m",
        "plugin.cli",
        "train",
        "texture",
        "--data",
        str(tmp_path),
        "--out",
        str(tmp_path / "o"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert (done.returncode, done.stderr.splitlines()[-1].split(":")[1].strip()) == (2, "training_data_unusable")


CENTRAL = """
import numpy as np, tensorflow as tf
from biometric.training.net import folded
rng = np.random.default_rng(1)
kernel = rng.normal(size=(3, 3, 2, 4)).astype("f")
flat = tf.nn.conv2d(tf.ones((1, 5, 5, 2)), folded(tf, tf.constant(kernel), 1.0), 1, "VALID").numpy()
x = tf.constant(rng.normal(size=(1, 7, 7, 2)).astype("f"))
plain = tf.nn.conv2d(x, kernel, 1, "VALID")
middle = tf.nn.conv2d(x[:, 1:-1, 1:-1], kernel.sum(axis=(0, 1), keepdims=True), 1, "VALID")
made = tf.nn.conv2d(x, folded(tf, tf.constant(kernel), 0.7), 1, "VALID")
wrong = np.abs(made - (plain - 0.7 * middle)).max()
print(np.abs(flat).max() < 1e-5, wrong < 1e-5)
"""


def test_a_central_difference_is_blind_to_even_brightness_and_is_what_the_paper_says():
    done = subprocess.run([sys.executable, "-c", CENTRAL], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.split() == ["True", "True"]
