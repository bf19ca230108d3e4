"""SFace's ONNX file → LiteRT, float32, in a process of its own.

    python -m biometric.convert_sface ONNX TARGET PICTURES_NPY   → one JSON line: tensorflow, sha256, least_cosine

Rules:
 * Weights stay float32: OpenCV brings the file's int8 blocks back to float32 too, so both say the same to the fifth
   digit and no threshold moves. Dynamic-range int8 gives a least cosine of 0.998 and hardly more speed
   (docs/performance.md).
 * A batch normalisation right behind a convolution or the last product goes into its weights, in float64. Only
   elementwise arithmetic makes the weights, so the bytes do not depend on the CPU.
 * The conversion is judged on the crops in PICTURES_NPY (float32 RGB, 0 to 255): the least cosine to OpenCV's output
   of the ONNX file itself is reported; whether that is enough is the caller's decision (fetch.py).

TensorFlow is imported only when this module runs as a program. Not here: reading ONNX (evaluation/adversarial_onnx.py).
"""

from __future__ import annotations

import hashlib
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np

from biometric.convert import Crops, least_cosine, run_lite
from biometric.evaluation.adversarial_onnx import Layer, NetUnreadable, read_chain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Tensor = Any
    Array = NDArray[Any]

INPUT_SHAPE: Final = (1, 112, 112, 3)
_WEIGHTED: Final = frozenset({"Conv", "Gemm"})


def folded(layers: Sequence[Layer]) -> list[Layer]:
    """Return the same chain with fewer layers: what scales and shifts an output is part of the weights before it."""
    found: list[Layer] = []
    for layer in layers:
        if layer.kind == "BatchNormalization" and found and found[-1].kind in _WEIGHTED:
            found[-1] = _joined(found[-1], layer)
        else:
            found.append(layer)
    return found


def _joined(weighted: Layer, norm: Layer) -> Layer:
    scale, shift = _affine(norm)
    weights = weighted.arrays[0].astype(np.float64)
    bias = weighted.arrays[1].astype(np.float64) if len(weighted.arrays) > 1 else np.zeros(len(weights))
    scaled = weights * scale.reshape(-1, *[1] * (weights.ndim - 1))
    return replace(weighted, arrays=(scaled, bias * scale + shift))


def _affine(norm: Layer) -> tuple[Array, Array]:
    """Return scale and shift of a batch normalisation after training."""
    gain, shift, mean, variance = (part.astype(np.float64) for part in norm.arrays)
    scale = gain / np.sqrt(variance + norm.attributes["epsilon"])
    return scale, shift - mean * scale


def apply_layers(tf: Any, layers: Sequence[Layer], value: Tensor) -> Tensor:
    """Return the output for one crop, height x width x channels in the middle, in operations that LiteRT joins.

    Raises:
        NetUnreadable: a layer is of a kind that SFace does not have.
    """
    rest = list(layers)
    while rest:
        layer = rest.pop(0)
        if layer.kind == "Flatten" and rest and rest[0].kind == "Gemm":
            value = _product(tf, rest.pop(0), value)
        else:
            value = _apply(tf, layer, value)
    return value


def _apply(tf: Any, layer: Layer, value: Tensor) -> Tensor:
    if layer.kind == "Sub":
        return value - _single(layer.arrays[0])
    if layer.kind == "Mul":
        return value * _single(layer.arrays[0])
    if layer.kind == "Conv":
        return _convolution(tf, layer, value)
    if layer.kind == "BatchNormalization":
        scale, shift = _affine(layer)
        return value * _single(scale) + _single(shift)
    if layer.kind == "PRelu":
        # One operation in LiteRT instead of five, but only where the slopes have a rank less than the value.
        slope = _single(layer.arrays[0].reshape(1, 1, -1))
        return tf.nn.relu(value) + (-slope) * tf.nn.relu(-value)
    raise NetUnreadable(f"the recogniser has a layer of kind {layer.kind}")


def _convolution(tf: Any, layer: Layer, value: Tensor) -> Tensor:
    weights, *bias = layer.arrays
    step, pads = layer.attributes["strides"][0], layer.attributes["pads"]
    kernel = _single(weights.transpose(2, 3, 1, 0))
    keeps_size = step == 1 and all(2 * pad == side - 1 for pad, side in zip(pads, weights.shape[2:] * 2, strict=True))
    if not keeps_size and any(pads):
        top, left, bottom, right = pads
        value = tf.pad(value, [[0, 0], [top, bottom], [left, right], [0, 0]])
    padding = "SAME" if keeps_size else "VALID"
    groups = layer.attributes["group"]
    if groups == 1:
        found = tf.nn.conv2d(value, kernel, strides=step, padding=padding)
    elif groups == weights.shape[0] and weights.shape[1] == 1:
        depthwise = np.ascontiguousarray(kernel.transpose(0, 1, 3, 2))
        found = tf.nn.depthwise_conv2d(value, depthwise, strides=[1, step, step, 1], padding=padding)
    else:
        raise NetUnreadable(f"a convolution in {groups} groups")
    return found + _single(bias[0]) if bias else found


def _product(tf: Any, layer: Layer, value: Tensor) -> Tensor:
    """Flatten and multiply; ONNX flattens channels first, so the weights' columns are put into our order instead."""
    weights, bias = layer.arrays
    _, height, width, channels = value.shape
    ordered = weights.reshape(-1, channels, height, width).transpose(0, 2, 3, 1).reshape(len(weights), -1)
    return tf.reshape(value, [1, -1]) @ _single(ordered.T) + _single(bias)


def _single(array: Array) -> NDArray[np.float32]:
    return np.ascontiguousarray(array, np.float32)


def opencv_vectors(content: bytes, crops: Crops) -> NDArray[np.float32]:
    """Return what OpenCV itself makes of the ONNX file, one row a crop (RGB, whole numbers 0 to 255)."""
    net = cv2.FaceRecognizerSF.create("onnx", np.frombuffer(content, np.uint8), np.zeros(0, np.uint8))
    pictures = [np.ascontiguousarray(crop[:, :, ::-1]).astype(np.uint8) for crop in crops]
    return np.array([net.feature(picture).ravel().copy() for picture in pictures], np.float32)


def main(onnx_path: str, target_path: str, crops_path: str) -> None:
    """Convert, compare, write the model, and print the one JSON line."""
    import tensorflow as tf  # noqa: PLC0415  (heavy; only this program needs it)

    crops: Crops = np.load(crops_path, allow_pickle=False)
    content = Path(onnx_path).read_bytes()
    layers = folded(read_chain(content))
    signature = [tf.TensorSpec(INPUT_SHAPE, tf.float32, name="crop")]
    function = tf.function(lambda crop: apply_layers(tf, layers, crop), input_signature=signature)
    concrete = function.get_concrete_function()
    model: bytes = tf.lite.TFLiteConverter.from_concrete_functions([concrete], concrete).convert()
    Path(target_path).write_bytes(model)
    answer = {
        "tensorflow": tf.__version__,
        "sha256": hashlib.sha256(model).hexdigest(),
        "least_cosine": least_cosine(opencv_vectors(content, crops), run_lite(model, crops)),
    }
    sys.stdout.write(json.dumps(answer) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
