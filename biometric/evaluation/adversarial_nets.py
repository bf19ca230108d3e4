"""Both recognisers with gradients: what a white-box attacker has, since the weights are public.

Rules:
 * FaceNet is the frozen TensorFlow graph that the served file is converted from, shipped or added; only its fixed batch
   of one is lifted, and a switch between training and use is set to use. SFace is rebuilt layer by layer from its ONNX
   file. How near both are to what is served is measured on pictures at hand (`least_cosines`); whoever attacks refuses
   below LEAST_COSINE.
 * The crops are cut from the same picture by bilinear sampling, as OpenCV does when serving, so a gradient reaches
   the pixels of the picture and both recognisers always look at one and the same picture.
 * Vectors are made as embed.py makes them: FaceNet's from crop and mirror image, SFace's from the crop alone.

TensorFlow is imported here and in convert.py and nowhere else; the service imports neither.

Not here: the attack (adversarial_attack.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import tensorflow as tf

from biometric.align import FACENET_SIDE_PX, SFACE_SIDE_PX, SFACE_TARGET, facenet_matrix, similarity
from biometric.convert import SWITCH, batch_is_one, is_switched, without_training
from biometric.evaluation.adversarial_onnx import Layer, NetUnreadable, read_chain

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from biometric.models import ModelStore
    from biometric.types import FaceEmbeddings, Image, Points

Tensor = Any

LEAST_COSINE: Final = 0.999

# What keeps the frozen graph at a batch of one: a placeholder and the targets of two reshapes.
_INPUT: Final = "input"
_OUTPUT: Final = "embeddings"
_RESHAPES: Final = {
    "InceptionResnetV1/Logits/Flatten/flatten/Reshape/shape/_1__cf__3": [-1, 1792],
    "InceptionResnetV1/Bottleneck/BatchNorm/Shape/_0__cf__2": [-1, 512],
}


class GradientNets:
    """FaceNet and SFace as differentiable functions of a picture's pixels.

    Args:
        models: where both lie.
        graph: FaceNet's frozen graph, where the store has none of what it serves.
    """

    def __init__(self, models: ModelStore, *, graph: bytes | None = None) -> None:
        self._facenet = _frozen_graph(facenet_graph(models) if graph is None else graph)
        self._sface = _Chain(read_chain(models.read("sface_onnx")))

    def facenet(self, pictures: Tensor, matrices: Tensor) -> Tensor:
        """Return FaceNet's unit vectors (Nx512) of RGB pictures (NxHxWx3, 0 to 255) under crop matrices (Nx2x3)."""
        straight, mirrored = (self.facenet_half(pictures, matrices, mirrored=side) for side in (False, True))
        return _unit(straight + mirrored)

    def facenet_half(self, pictures: Tensor, matrices: Tensor, *, mirrored: bool) -> Tensor:
        """Return the unit vectors of the crop alone or of its mirror image alone: half the work of a step."""
        crops = (sample(pictures, matrices, FACENET_SIDE_PX) - 127.5) / 128
        return _unit(self._facenet(crops[:, :, ::-1] if mirrored else crops))

    def sface(self, pictures: Tensor, matrices: Tensor) -> Tensor:
        """Return SFace's unit vectors (Nx128), likewise."""
        return _unit(self._sface(sample(pictures, matrices, SFACE_SIDE_PX)))


def facenet_graph(models: ModelStore) -> bytes:
    """Return the frozen graph of the FaceNet that is served.

    Raises:
        NetUnreadable: it was added as a .tflite, which has no gradients.
        ModelMissing, ModelDigestMismatch: as for serving.
    """
    added = models.added("facenet")
    if not added:
        return models.read("facenet_graph")
    graph = models.read_source(added[0])
    if graph is None:
        raise NetUnreadable(f"{added[0].name} was added as a .tflite, which has no gradients; say --graph GRAPH.pb")
    return graph


def least_cosines(nets: GradientNets, pictures: Sequence[tuple[Image, Points, FaceEmbeddings]]) -> dict[str, float]:
    """Return, per model, the least cosine between these nets and what is served (picture, five points, vectors).

    Raises:
        NetUnreadable: below LEAST_COSINE an attack would be one on another net.
    """
    found = {"facenet": 1.0, "sface": 1.0}
    for image, five, served in pictures:
        pixels = tf.constant(image[None, :, :, ::-1].astype(np.float32))
        facenet = nets.facenet(pixels, tf.constant(facenet_matrix(five)[None])).numpy()[0]
        sface = nets.sface(pixels, tf.constant(similarity(five, SFACE_TARGET)[None])).numpy()[0]
        found["facenet"] = min(found["facenet"], float(facenet @ served.facenet.vector))
        found["sface"] = min(found["sface"], float(sface @ served.sface.vector))
    if min(found.values()) < LEAST_COSINE:
        raise NetUnreadable(f"the nets with gradients do not say what is served: least cosines {found}")
    return found


def sample(pictures: Tensor, matrices: Tensor, side: int) -> Tensor:
    """Return side x side crops; a matrix maps the picture to the crop, as cv2.warpAffine has it. Black outside."""
    height, width = pictures.shape[1], pictures.shape[2]
    grid = np.stack(np.meshgrid(np.arange(side), np.arange(side)), axis=-1).reshape(-1, 2).astype(np.float32)
    inverse = tf.linalg.inv(matrices[:, :, :2])
    at = tf.einsum("nij,nkj->nki", inverse, grid[None] - matrices[:, None, :, 2])
    low = tf.floor(at)
    part = at - low
    found = tf.zeros([tf.shape(pictures)[0], side * side, 3])
    flat = tf.reshape(pictures, [-1, height * width, 3])
    for right in (0, 1):
        for down in (0, 1):
            corner = low + np.array([right, down], np.float32)
            x, y = corner[..., 0], corner[..., 1]
            share = (part[..., 0] if right else 1 - part[..., 0]) * (part[..., 1] if down else 1 - part[..., 1])
            inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
            index = tf.where(inside, y * width + x, 0)
            value = tf.gather(flat, tf.cast(index, tf.int32), batch_dims=1)
            found += value * tf.where(inside, share, 0.0)[..., None]
    return tf.reshape(found, [-1, side, side, 3])


def _unit(vectors: Tensor) -> Tensor:
    return tf.math.l2_normalize(vectors, axis=-1)


def _frozen_graph(content: bytes) -> Any:
    """Return FaceNet as a function of a batch of any size.

    Raises:
        NetUnreadable: it is no frozen graph with input:0 and embeddings:0.
    """
    try:
        definition = tf.compat.v1.GraphDef.FromString(content)
    except Exception as exc:  # protobuf's DecodeError; its module comes with TensorFlow and has no types
        raise NetUnreadable("FaceNet's file is no frozen TensorFlow graph") from exc
    nodes = {node.name: node for node in definition.node}
    if not {_INPUT, _OUTPUT} <= set(nodes):
        raise NetUnreadable(f"the frozen FaceNet graph has no {_INPUT}:0 or no {_OUTPUT}:0")
    definition, nodes = without_training(tf, definition)
    if _INPUT not in nodes:
        raise NetUnreadable(f"{_OUTPUT}:0 of the frozen FaceNet graph is not made of {_INPUT}:0")
    alone = batch_is_one(nodes[_INPUT])
    if alone and set(_RESHAPES) <= set(nodes):
        nodes[_INPUT].attr["shape"].shape.dim[0].size = -1
        for name, shape in _RESHAPES.items():
            nodes[name].attr["value"].tensor.CopyFrom(tf.make_tensor_proto(np.array(shape, np.int32)))
        alone = False
    called = _called(definition, switched=is_switched(nodes), alone=alone)
    if not alone:
        return called
    return lambda crops: tf.map_fn(lambda crop: called(crop[None])[0], crops)  # shapes that nobody here knows


def _called(definition: Any, *, switched: bool, alone: bool) -> Any:
    def answer(crops: Any) -> Any:
        inputs = {f"{_INPUT}:0": crops} | ({f"{SWITCH}:0": tf.constant(value=False)} if switched else {})
        return tf.import_graph_def(definition, input_map=inputs, return_elements=[f"{_OUTPUT}:0"], name="")[0]

    side = FACENET_SIDE_PX
    return tf.compat.v1.wrap_function(answer, [tf.TensorSpec((1 if alone else None, side, side, 3), tf.float32)])


class _Chain:
    """SFace's layers as TensorFlow operations, height x width x channels."""

    def __init__(self, layers: list[Layer]) -> None:
        self._layers = layers

    def __call__(self, value: Tensor) -> Tensor:
        for layer in self._layers:
            value = _apply(layer, value)
        return value


def _apply(layer: Layer, value: Tensor) -> Tensor:
    try:
        operation = _OPERATIONS[layer.kind]
    except KeyError as exc:
        raise NetUnreadable(f"the recogniser has a layer of kind {layer.kind}") from exc
    return operation(layer, value)


def _normalisation(layer: Layer, value: Tensor) -> Tensor:
    gain, shift, mean, variance = layer.arrays
    scale = gain / np.sqrt(variance + layer.attributes["epsilon"])
    return value * scale + (shift - mean * scale)


def _rectifier(layer: Layer, value: Tensor) -> Tensor:
    return tf.nn.relu(value) - layer.arrays[0].ravel() * tf.nn.relu(-value)


def _flat(_: Layer, value: Tensor) -> Tensor:
    return tf.reshape(tf.transpose(value, [0, 3, 1, 2]), [tf.shape(value)[0], -1])


def _convolution(layer: Layer, value: Tensor) -> Tensor:
    (weights, *bias), (step, _) = layer.arrays, layer.attributes["strides"]
    top, left, bottom, right = layer.attributes["pads"]
    padded = tf.pad(value, [[0, 0], [top, bottom], [left, right], [0, 0]])
    kernel = np.ascontiguousarray(weights.transpose(2, 3, 1, 0))
    groups = layer.attributes["group"]
    if groups == 1:
        found = tf.nn.conv2d(padded, kernel, strides=step, padding="VALID")
    elif groups == weights.shape[0]:
        depthwise = np.ascontiguousarray(kernel.transpose(0, 1, 3, 2))
        found = tf.nn.depthwise_conv2d(padded, depthwise, strides=[1, step, step, 1], padding="VALID")
    else:
        raise NetUnreadable(f"a convolution in {groups} groups")
    return found + bias[0] if bias else found


_OPERATIONS: Final[dict[str, Callable[[Layer, Tensor], Tensor]]] = {
    "Sub": lambda layer, value: value - layer.arrays[0],
    "Mul": lambda layer, value: value * layer.arrays[0],
    "Conv": _convolution,
    "BatchNormalization": _normalisation,
    "PRelu": _rectifier,
    "Flatten": _flat,
    "Gemm": lambda layer, value: value @ layer.arrays[0].T + layer.arrays[1],
}
