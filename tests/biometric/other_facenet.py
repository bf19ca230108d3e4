"""Another FaceNet than the shipped one: the same layers, and one more that turns every vector in its space.

No test could bring a second FaceNet, so this one is made: its digest and all its vectors are others, and a
face of one is a stranger to the other. Since the turn is an orthonormal matrix, similarities stay what they were, and
what is chosen for it is known without thousands of pictures: `turned_calibration`, `turned_agreement`.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from dataclasses import replace

import numpy as np

from biometric.agreement import Agreement
from biometric.calibration import BOUND_MODELS, Calibration, projection_path
from biometric.projection import Projection

SEED, SIZE = 5, 512

# Run apart: TensorFlow takes long to load, and tests that do not need it should not.
MAKE = """
import sys
import numpy as np
import tensorflow as tf
from pathlib import Path
shipped, turn, made = sys.argv[1:]
graph = tf.compat.v1.GraphDef.FromString(Path(shipped).read_bytes())
(last,) = [node for node in graph.node if node.name == "embeddings"]
last.name = "embeddings_before"
with tf.Graph().as_default() as more:
    before = tf.compat.v1.placeholder(tf.float32, (1, 512), "embeddings_before")
    tf.matmul(before, tf.constant(np.load(turn), tf.float32, name="turn"), name="embeddings")
graph.node.extend(node for node in more.as_graph_def().node if node.name != "embeddings_before")
Path(made).write_bytes(graph.SerializeToString())
"""


def turn():
    """The orthonormal matrix that every vector is multiplied with."""
    return np.linalg.qr(np.random.default_rng(SEED).standard_normal((SIZE, SIZE)))[0].astype(np.float32)


def make_graph(shipped, folder):
    """Write the other graph into `folder`; needs TensorFlow."""
    np.save(folder / "turn.npy", turn())
    made = folder / "other.pb"
    command = [sys.executable, "-c", MAKE, str(shipped), str(folder / "turn.npy"), str(made)]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    return made


def turned_calibration(store, path):
    """Write the shipped calibration and projection as they are for the other FaceNet; return the calibration."""
    shipped = Calibration.from_json(_shipped("calibration.json"))
    sha256 = shipped.projection_sha256
    projection = Projection.from_bytes(_shipped("calibration.projection.npy", binary=True), expected_sha256=sha256)
    content = Projection.of(projection.matrix @ turn()).to_bytes()
    projection_path(path).write_bytes(content)
    digests = store.digests()
    made = replace(
        shipped,
        models={name: digests[name] for name in BOUND_MODELS},
        projection_sha256=hashlib.sha256(content).hexdigest(),
    )
    made = replace(made, id=made.digest())
    path.write_text(made.to_json())
    return Calibration.load(store, path)


def turned_agreement(calibration):
    """The shipped detector as it is for the other FaceNet, made out to `calibration`."""
    shipped = Agreement.from_json(_shipped("agreement.json"))
    made = replace(
        shipped,
        models=dict(calibration.models),
        facenet_mean=shipped.facenet_mean @ turn(),
        map=(turn().T @ shipped.map).astype(np.float16).astype(np.float32),
    )
    return made.bound_to(calibration)


def edited(text, **changes):
    """A file with changes and the digest it had before."""
    return json.dumps(json.loads(text) | changes)


def _shipped(name, *, binary=False):
    from importlib.resources import files  # noqa: PLC0415

    path = files("biometric") / name
    return path.read_bytes() if binary else path.read_text(encoding="utf-8")
