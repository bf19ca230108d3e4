"""SFace on LiteRT says what OpenCV says of the same file."""

from __future__ import annotations

from importlib.util import find_spec

import cv2
import numpy as np
import pytest

from biometric import convert_sface, fetch
from biometric.align import sface_crop
from biometric.convert_sface import apply_layers, folded
from biometric.evaluation.adversarial_onnx import Layer, NetUnreadable
from biometric.lock import shipped_lock
from biometric.models import ModelStore
from biometric.recipes import RECIPES, SFACE_RECIPE

CHANCE = np.random.default_rng(7)
EPSILON = 0.001


def numbers(*shape):
    return CHANCE.normal(0, 0.5, shape).astype(np.float32)


def norm(size):
    arrays = (numbers(size), numbers(size), numbers(size), np.abs(numbers(size)) + 0.3)
    return Layer("BatchNormalization", arrays, {"epsilon": EPSILON})


def conv(weights, *, step=1, pad=1, group=1):
    return Layer("Conv", (weights,), {"strides": [step, step], "pads": [pad] * 4, "group": group})


@pytest.fixture(scope="module")
def chain():
    """A small net of every kind of layer that SFace has, 6x6x3 in, 4 numbers out."""
    return [
        Layer("Sub", (np.float32([127.5]),), {}),
        Layer("Mul", (np.float32([1 / 128]),), {}),
        *(conv(numbers(4, 3, 3, 3)), norm(4), Layer("PRelu", (numbers(4, 1, 1),), {})),
        *(conv(numbers(4, 1, 3, 3), step=2, group=4), norm(4), Layer("PRelu", (numbers(4, 1, 1),), {})),
        *(conv(numbers(5, 4, 1, 1), pad=0), norm(5), Layer("PRelu", (numbers(5, 1, 1),), {})),
        *(norm(5), Layer("Flatten", (), {}), Layer("Gemm", (numbers(4, 45), numbers(4)), {}), norm(4)),
    ]


def plainly(layers, value):
    """What ONNX's own words say, channels first, one multiplication at a time."""
    for layer in layers:
        if layer.kind == "Sub":
            value = value - layer.arrays[0]
        elif layer.kind == "Mul":
            value = value * layer.arrays[0]
        elif layer.kind == "BatchNormalization":
            gain, shift, mean, variance = (part.reshape(-1, *[1] * (value.ndim - 1)) for part in layer.arrays)
            value = (value - mean) / np.sqrt(variance + EPSILON) * gain + shift
        elif layer.kind == "PRelu":
            value = np.where(value > 0, value, layer.arrays[0] * value)
        elif layer.kind == "Flatten":
            value = value.ravel()
        elif layer.kind == "Gemm":
            value = layer.arrays[0] @ value + layer.arrays[1]
        else:
            value = convolved(layer, value)
    return value


def convolved(layer, value):
    weights, step, pad = layer.arrays[0], layer.attributes["strides"][0], layer.attributes["pads"][0]
    padded = np.pad(value, [(0, 0), (pad, pad), (pad, pad)])
    side = weights.shape[2]
    size = (padded.shape[1] - side) // step + 1
    found = np.zeros((len(weights), size, size))
    for out in range(len(weights)):
        seen = padded[out : out + 1] if layer.attributes["group"] > 1 else padded
        for y in range(size):
            for x in range(size):
                patch = seen[:, y * step : y * step + side, x * step : x * step + side]
                found[out, y, x] = (patch * weights[out]).sum()
    return found


def test_every_kind_of_layer_says_what_onnx_says(chain):
    tf = pytest.importorskip("tensorflow", reason="the extra 'convert' is not installed")
    crop = CHANCE.integers(0, 256, (6, 6, 3)).astype(np.float32)
    found = apply_layers(tf, folded(chain), tf.constant(crop[None])).numpy()[0]
    assert found == pytest.approx(plainly(chain, crop.transpose(2, 0, 1)), abs=1e-4)


def test_a_normalisation_is_joined_only_with_the_weights_right_before_it(chain):
    kinds = [layer.kind for layer in folded(chain)]
    assert kinds.count("BatchNormalization") == 1  # the one behind the last PRelu
    assert len(kinds) == len(chain) - 4


@pytest.mark.parametrize(
    "layer",
    [Layer("Softmax", (), {}), conv(numbers(4, 2, 3, 3), group=2)],
    ids=["unknown kind", "grouped"],
)
def test_what_sface_does_not_have_is_refused(layer):
    tf = pytest.importorskip("tensorflow", reason="the extra 'convert' is not installed")
    with pytest.raises(NetUnreadable):
        apply_layers(tf, [layer], tf.zeros((1, 6, 6, 4)))


def test_the_recipe_runs_this_program():
    assert RECIPES[SFACE_RECIPE].program == convert_sface.__name__
    assert shipped_lock().models["sface"].recipe == SFACE_RECIPE


@pytest.mark.models
@pytest.mark.parametrize("name", ["person_a_1", "person_b_2", "astronaut"])
def test_the_served_file_says_what_opencv_says(name, picture, pipeline, models_dir):
    image = picture(name)
    crop = sface_crop(image, pipeline.detector.detect(image)[0].five)
    content = np.frombuffer(ModelStore(models_dir).read("sface_onnx"), np.uint8)
    theirs = cv2.FaceRecognizerSF.create("onnx", content, np.zeros(0, np.uint8)).feature(crop).ravel()
    ours = pipeline.embedder.sface(crop).vector
    assert float(ours @ (theirs / np.linalg.norm(theirs))) > 0.99999


@pytest.mark.models
def test_the_conversion_gives_the_locked_bytes(tmp_path, models_dir):
    if find_spec("tensorflow") is None:
        pytest.skip("the extra 'convert' is not installed")
    crops = tmp_path / "crops.npy"
    np.save(crops, CHANCE.integers(0, 256, (1, 112, 112, 3)).astype(np.float32))
    onnx = ModelStore(models_dir).path("sface_onnx")
    answer = fetch._convert(onnx, tmp_path / "made.tflite", crops, recipe=SFACE_RECIPE)
    locked = shipped_lock().models["sface"]
    assert answer["sha256"] == locked.sha256
    assert (tmp_path / "made.tflite").stat().st_size == locked.size
    assert answer["least_cosine"] > 0.99999
