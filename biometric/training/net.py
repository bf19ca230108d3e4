"""The texture net in TensorFlow: two small towers of central-difference convolutions, one for each crop.

    crop 96x96x3 ─ 5x5/2 ─ 3x3/2 ─ 3x3 ─ 3x3/2 ─ 3x3 ─┬─ 1x1 → 12x12 map of P(spoof)   (only trains)
                                                     └─ mean ─┐
    the other crop, its own tower ───────────────────── mean ─┴─ P(spoof)

A central-difference convolution (CDCN, arXiv 2003.04092) is y = sum w_n x_n - theta x_0 sum w_n: it looks at how pixels
differ from their neighbour in the middle rather than at how bright they are. It is the ordinary convolution whose
middle weight is smaller by theta times the sum; so it is trained in that form and exported as an ordinary one.

Only this file and convert.py know TensorFlow, which is imported when a net is built; the service never does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from biometric.errors import CannotTell

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.random import Generator
    from numpy.typing import NDArray

    from biometric.training.pool import Pool
    from biometric.types import Floats

CROP_CHANNELS: Final = 3


class TrainerMissing(CannotTell):
    """TensorFlow is not installed here; the `convert` extra brings it."""

    code = "trainer_missing"


@dataclass(frozen=True, slots=True)
class Recipe:
    """All that decides how the net is trained, apart from its pictures; written into the manifest.

    Attributes:
        size: side of the input in pixels.
        widths: channels of the five layers of a tower.
        theta: share of the central difference.
        epochs: passes, each of `steps` batches.
        steps: batches in a pass.
        batch: crops in a batch.
        rate: highest learning rate; it falls along a cosine.
        decay: weight decay.
        smoothing: how far labels are from 0 and 1.
        map_share: weight of the maps' loss.
        blind: how often one of the crops is hidden, so that neither is needed.
        tint: range of brightness and of each channel's factor.
    """

    size: int = 96
    widths: tuple[int, ...] = (16, 32, 32, 64, 64)
    theta: float = 0.7
    epochs: int = 15
    steps: int = 160
    batch: int = 64
    rate: float = 2e-3
    decay: float = 2e-4
    smoothing: float = 0.02
    map_share: float = 0.5
    blind: float = 0.15
    tint: float = 0.2


def tensorflow(seed: int) -> Any:
    """Return TensorFlow, seeded and deterministic as far as it goes (same machine, same thread count).

    Raises:
        TrainerMissing: it is not installed.
    """
    try:
        import tensorflow as tf  # noqa: PLC0415  (heavy; only training needs it)
    except ImportError as exc:
        raise TrainerMissing("TensorFlow is not installed; install facestep with its extra `convert`") from exc
    tf.keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()
    return tf


def build(tf: Any, recipe: Recipe, crops: int, *, plain: bool = False) -> Any:
    """Return the Keras model: NxHxWx(3 crops) → logit, and a map of logits for each crop unless `plain`.

    `plain` is the form that is exported: the same layers in the same order, all convolutions ordinary.
    """
    given = tf.keras.Input((recipe.size, recipe.size, CROP_CHANNELS * crops))
    theta = 0.0 if plain else recipe.theta
    means, maps = [], []
    for number in range(crops):
        start = CROP_CHANNELS * number
        x = given[..., start : start + CROP_CHANNELS]
        sizes, strides = (5, 3, 3, 3, 3), (2, 2, 1, 2, 1)
        for width, size, stride in zip(recipe.widths, sizes, strides, strict=True):
            x = _difference(tf, width, size, stride, theta)(x)
            x = tf.keras.layers.BatchNormalization(momentum=0.95)(x)
            x = tf.keras.layers.ReLU()(x)
        maps.append(tf.keras.layers.Conv2D(1, 1)(x))
        means.append(tf.keras.layers.GlobalAveragePooling2D()(x))
    joined = tf.keras.layers.Concatenate()(means) if crops > 1 else means[0]
    logit = tf.keras.layers.Dense(1)(tf.keras.layers.Dropout(0.2)(joined))
    return tf.keras.Model(given, [logit, *maps])


def _difference(tf: Any, width: int, size: int, stride: int, theta: float) -> Any:
    class CentralDifference(tf.keras.layers.Conv2D):  # type: ignore[misc]  # TensorFlow is untyped
        """A Conv2D whose middle weight is smaller by theta times the sum of all."""

        def convolution_op(self, inputs: Any, kernel: Any) -> Any:
            return super().convolution_op(inputs, folded(tf, kernel, theta))

    return CentralDifference(width, size, strides=stride, padding="same", use_bias=False)


def folded(tf: Any, kernel: Any, theta: float) -> Any:
    """Return the ordinary kernel (h, w, in, out) that does what the central-difference one means."""
    if not theta:
        return kernel
    height, width = kernel.shape[:2]
    middle = np.zeros((height, width, 1, 1), np.float32)
    middle[height // 2, width // 2] = theta
    return kernel - tf.constant(middle) * tf.reduce_sum(kernel, axis=[0, 1], keepdims=True)


def plain_copy(tf: Any, model: Any, recipe: Recipe, crops: int) -> Any:
    """Return the exported form of `model`: ordinary convolutions, one output, P(spoof)."""
    copy = build(tf, recipe, crops, plain=True)
    for target, source in zip(copy.layers, model.layers, strict=True):
        weights = source.get_weights()
        if type(source).__name__ == "CentralDifference":
            weights = [np.asarray(folded(tf, tf.constant(weights[0]), recipe.theta))]
        target.set_weights(weights)
    probability = tf.keras.layers.Activation("sigmoid")(copy.outputs[0])
    return tf.keras.Model(copy.inputs, probability)


def batches(pool: Pool, recipe: Recipe, rng: Generator) -> Iterator[tuple[Floats, Floats]]:
    """Yield endless batches: groups by weight, then cut, mirrored, tinted, sometimes one crop hidden."""
    rows = [np.flatnonzero(pool.group == number) for number in range(len(pool.groups))]
    weights = np.array([group.weight for group in pool.groups])
    labels = pool.label
    while True:
        drawn = rng.choice(len(rows), size=recipe.batch, p=weights / weights.sum())
        picked = np.array([rng.choice(rows[group]) for group in drawn])
        yield augmented(pool.crops[picked], recipe, rng), labels[picked]


def augmented(crops: NDArray[np.uint8], recipe: Recipe, rng: Generator) -> Floats:
    """Return crops as the net's input, 0 to 1, each changed a little by chance."""
    count, side = crops.shape[:2]
    room = side - recipe.size
    out = np.empty((count, recipe.size, recipe.size, crops.shape[3]), np.float32)
    for row in range(count):
        top, left = rng.integers(0, room + 1, 2)
        part = crops[row, top : top + recipe.size, left : left + recipe.size]
        out[row] = part[:, ::-1] if rng.random() < 0.5 else part  # noqa: PLR2004  (faces have no handedness)
    channels = rng.uniform(1 - recipe.tint / 2, 1 + recipe.tint / 2, (count, 1, 1, CROP_CHANNELS))
    tint = channels * rng.uniform(1 - recipe.tint, 1 + recipe.tint, (count, 1, 1, 1))
    parts = crops.shape[3] // CROP_CHANNELS
    out *= np.tile(tint, (1, 1, 1, parts)).astype(np.float32) / 255
    hidden = rng.random(count) < recipe.blind
    which = rng.integers(0, parts, count)
    if parts > 1:
        for blind in np.flatnonzero(hidden):
            start = CROP_CHANNELS * int(which[blind])
            seen = out[blind, ..., start : start + CROP_CHANNELS]
            out[blind, ..., start : start + CROP_CHANNELS] = seen.mean((0, 1))
    return np.clip(out, 0, 1)
