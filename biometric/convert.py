"""Frozen FaceNet graph → LiteRT with dynamic-range int8 weights, in a process of its own.

    python -m biometric.convert GRAPH TARGET PICTURES_NPY   → one JSON line: tensorflow, sha256, least_cosine

Rules:
 * TensorFlow is imported only when this module runs as a program; the service never imports it.
 * The caller sets TF_ENABLE_ONEDNN_OPTS=0: with it the same graph gives the same bytes every time.
 * The conversion is judged on the crops in PICTURES_NPY: the least cosine to TensorFlow's own output is reported;
   whether that is enough is the caller's decision (fetch.py).
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Mapping

Crops = NDArray[np.float32]
SWITCH = "phase_train"


def _function(tf: Any, graph: bytes) -> Any:
    definition = tf.compat.v1.GraphDef()
    definition.ParseFromString(graph)
    nodes = {node.name: node for node in definition.node}
    if "input" not in nodes or "embeddings" not in nodes:
        raise SystemExit("the graph has no input:0 or no embeddings:0")
    if batch_is_one(nodes["input"]) and not is_switched(nodes):
        wrapped = tf.compat.v1.wrap_function(lambda: tf.import_graph_def(definition, name=""), [])
        return wrapped.prune("input:0", "embeddings:0")
    # Graphs frozen by the training code keep the switch between training and use as an input; it is set to use.
    definition, nodes = without_training(tf, definition)
    has_switch = is_switched(nodes)

    def answer(crop: Any) -> Any:
        inputs = {"input:0": crop} | ({f"{SWITCH}:0": tf.constant(value=False)} if has_switch else {})
        return tf.import_graph_def(definition, input_map=inputs, return_elements=["embeddings:0"], name="")[0]

    return tf.compat.v1.wrap_function(answer, [tf.TensorSpec((1, 160, 160, 3), tf.float32)])


def without_training(tf: Any, definition: Any) -> tuple[Any, dict[str, Any]]:
    """Return what embeddings are made by, and its nodes by name: no queue that pictures came from while it was trained.

    The training code calls what it takes out of the queue `input`; a graph with it would wait for pictures for ever.
    """
    for node in definition.node:
        if node.name == "input" and not node.op.startswith("Placeholder"):
            node.op = "Placeholder"
            del node.input[:]
            node.attr.clear()
            node.attr["dtype"].type = tf.float32.as_datatype_enum
    part = tf.compat.v1.graph_util.extract_sub_graph(definition, ["embeddings"])
    return part, {node.name: node for node in part.node}


def is_switched(nodes: Mapping[str, Any]) -> bool:
    """Return whether a graph's nodes, by name, hold the switch between training and use as an input."""
    return SWITCH in nodes and nodes[SWITCH].op.startswith("Placeholder")


def batch_is_one(node: Any) -> bool:
    """Return whether an input node takes one picture at a time and no more."""
    dimensions = node.attr["shape"].shape.dim
    return len(dimensions) > 0 and dimensions[0].size == 1


def run_lite(model: bytes, crops: Crops) -> NDArray[np.float32]:
    """Return what LiteRT makes of each crop, one row a crop."""
    from ai_edge_litert.interpreter import Interpreter  # noqa: PLC0415  (after TensorFlow, so that logs stay in order)

    interpreter = Interpreter(model_content=model, num_threads=1)
    interpreter.allocate_tensors()
    source, target = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]
    rows = []
    for crop in crops:
        interpreter.set_tensor(source, crop[None])
        interpreter.invoke()
        rows.append(interpreter.get_tensor(target)[0].copy())
    return np.array(rows)


def least_cosine(left: NDArray[np.float32], right: NDArray[np.float32]) -> float:
    """Return the least cosine between rows of the same number."""
    scale = np.linalg.norm(left, axis=1) * np.linalg.norm(right, axis=1)
    return float(np.min(np.sum(left * right, axis=1) / scale))


def main(graph_path: str, target_path: str, crops_path: str) -> None:
    """Convert, compare, write the model, and print the one JSON line."""
    import tensorflow as tf  # noqa: PLC0415  (heavy; only this program needs it)

    crops: Crops = np.load(crops_path, allow_pickle=False)
    function = _function(tf, Path(graph_path).read_bytes())
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function], function)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    model: bytes = converter.convert()
    expected = np.concatenate([function(tf.constant(crop[None])).numpy() for crop in crops])
    Path(target_path).write_bytes(model)
    answer = {
        "tensorflow": tf.__version__,
        "sha256": hashlib.sha256(model).hexdigest(),
        "least_cosine": least_cosine(expected, run_lite(model, crops)),
    }
    sys.stdout.write(json.dumps(answer) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
