"""`facestep calibrate --images` and `facestep train agreement` for a FaceNet of one's own: what they say beforehand."""

from __future__ import annotations

import numpy as np
import pytest
from click.testing import CliRunner

from biometric.added import AddedModel, write_added
from biometric.agreement import shipped_knows
from biometric.models import ModelStore
from plugin.cli import main

DIGEST = "0" * 64


def run(*words):
    return CliRunner().invoke(main, list(map(str, words)))


@pytest.fixture
def added(tmp_path):
    """A models folder in which a FaceNet was added as .tflite; its file is not needed before the pictures are."""
    folder = tmp_path / "models"
    folder.mkdir()
    model = AddedModel("facenet", "added_facenet_0123456789ab.tflite", DIGEST, 1, "-", DIGEST, "", "-", "-", {}, "-")
    write_added(folder, [model])
    return folder


@pytest.fixture
def few(tmp_path):
    """A folder of pictures with too few people for the detector; none of them can be opened."""
    for number in range(60):
        folder = tmp_path / "faces" / f"person {number}"
        folder.mkdir(parents=True)
        (folder / "1.jpg").write_bytes(b"no picture")
    return tmp_path / "faces"


def test_the_shipped_detector_knows_the_shipped_nets_and_no_added_one(added, tmp_path):
    assert shipped_knows(ModelStore(tmp_path).digests())
    assert not shipped_knows(ModelStore(added).digests())


@pytest.mark.parametrize("command", [("calibrate", "--data", "-", "--out"), ("train", "agreement", "--out")])
def test_too_few_people_are_told_before_a_picture_is_opened(added, few, tmp_path, command):
    result = run(*command, tmp_path / "made.json", "--images", few, "--models-dir", added)
    assert result.exit_code == 2
    assert "the disagreement detector needs 20 people in each of three parts" in " ".join(result.stderr.split())
    assert not (tmp_path / "made.json").exists()


def test_the_training_must_be_told_where_to_write(few):
    result = run("train", "agreement", "--images", few)
    assert result.exit_code == 2
    assert "--calibration FILE, to go beside it, or --out FILE" in " ".join(result.stderr.split())


def test_enrolled_people_take_no_graph(tmp_path):
    (tmp_path / "g.pb").write_bytes(b"")
    words = ("--enrolled", "--data", "-", "--out", tmp_path / "made.json", "--graph", tmp_path / "g.pb")
    assert "Usage:" in run("calibrate", *words).stderr


def test_a_net_without_gradients_asks_for_its_graph(added):
    pytest.importorskip("tensorflow", reason="gradients need TensorFlow (the extra `convert`)")
    from biometric.evaluation.adversarial_nets import NetUnreadable, facenet_graph  # noqa: PLC0415  (after the skip)

    with pytest.raises(NetUnreadable, match="--graph"):
        facenet_graph(ModelStore(added))


TRAINED = """
{source}
small = tf.reshape(tf.nn.avg_pool2d(crop, 40, 40, "VALID"), ({rows}, 48))
switch = tf.compat.v1.placeholder(tf.bool, (), "phase_train")
used = tf.compat.v1.cond(switch, lambda: small * 0.0, lambda: tf.tanh(small))
tf.matmul(used, tf.constant(np.random.default_rng(1).normal(size=(48, 512)), tf.float32), name="embeddings")
"""
"""As the training code freezes a net: with its switch between training and use."""


OPEN = 'crop = tf.compat.v1.placeholder(tf.float32, (None, 160, 160, 3), "input")'
ONE = OPEN.replace("None", "1")
QUEUE = """
queue = tf.queue.FIFOQueue(4, [tf.float32], shapes=[(160, 160, 3)])
crop = tf.identity(queue.dequeue_up_to(2), "input")
"""


@pytest.mark.parametrize(
    ("source", "rows"), [(OPEN, -1), (ONE, 1), (QUEUE, -1)], ids=["open batch", "batch of one", "queue"]
)
def test_gradients_pass_through_graphs_of_other_shapes(source, rows):
    tf = pytest.importorskip("tensorflow", reason="gradients need TensorFlow (the extra `convert`)")
    from biometric.evaluation.adversarial_nets import _frozen_graph  # noqa: PLC0415  (after the skip)

    tf.compat.v1.disable_control_flow_v2()
    try:
        with tf.Graph().as_default() as graph:
            exec(TRAINED.format(source=source, rows=rows), {"tf": tf, "np": np})  # noqa: S102  (our own text, above)
    finally:
        tf.compat.v1.enable_control_flow_v2()
    net = _frozen_graph(graph.as_graph_def().SerializeToString())
    crops = tf.constant(np.random.default_rng(2).uniform(-1, 1, (3, 160, 160, 3)).astype(np.float32))

    @tf.function
    def slopes(pictures):
        with tf.GradientTape() as tape:
            tape.watch(pictures)
            said = tf.reduce_sum(net(pictures)[:, :8], axis=1)
        return said, tape.gradient(said, pictures)

    _, found = slopes(crops)
    step = 1e-2 * tf.sign(found)
    rise = (slopes(crops + step)[0] - slopes(crops - step)[0]).numpy()
    assert found.shape == crops.shape
    assert rise == pytest.approx(2 * tf.reduce_sum(found * step, axis=(1, 2, 3)).numpy(), rel=0.05)
    assert rise.min() > 0


@pytest.mark.parametrize("content", [b"no graph", b""], ids=["noise", "empty"])
def test_a_graph_that_is_none_is_one_clear_line(content):
    pytest.importorskip("tensorflow", reason="gradients need TensorFlow (the extra `convert`)")
    from biometric.evaluation.adversarial_nets import NetUnreadable, _frozen_graph  # noqa: PLC0415  (after the skip)

    with pytest.raises(NetUnreadable):
        _frozen_graph(content)
