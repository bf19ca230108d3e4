"""Pool in, LiteRT file out, and every number in between on the record.

Rules:
 * One seed decides the pictures, the order and the start. On one machine, with the same TensorFlow and one thread, two
   runs give the same file (tests/biometric/training); another CPU may round otherwise, and the digest then differs.
 * The threshold is the least score that refuses at most MOST_BPCER of the live pictures of the people who choose it,
   each source for itself, and never below LEAST_DENY_AT.
 * The manifest names every training picture by digest, never by name or path.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from biometric.training.net import Recipe, batches, build, plain_copy, tensorflow

if TYPE_CHECKING:
    from collections.abc import Callable

    from biometric.training.pool import Pool
    from biometric.types import Floats

    Report = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, repr=False)
class Trained:
    """What training leaves: the file, and what happened on the way.

    Attributes:
        content: the LiteRT file.
        losses: mean loss of each epoch.
        tensorflow: its version.
        drift: most difference between TensorFlow's and the file's P(spoof) on 64 training crops.
    """

    content: bytes
    losses: tuple[float, ...]
    tensorflow: str
    drift: float

    @property
    def sha256(self) -> str:
        """Digest of the file."""
        return hashlib.sha256(self.content).hexdigest()


def train(pool: Pool, recipe: Recipe, *, seed: int, threads: int, report: Report) -> Trained:
    """Train and export. Raises TrainerMissing where TensorFlow is not installed."""
    tf = tensorflow(seed)
    limit_threads(tf, threads)
    crops = pool.crops.shape[3] // 3
    model = build(tf, recipe, crops)
    step = _step(tf, model, recipe)
    feed = batches(pool, recipe, np.random.default_rng([seed, 1]))
    total, losses = recipe.epochs * recipe.steps, []
    for epoch in range(recipe.epochs):
        summed = 0.0
        for number in range(recipe.steps):
            value, label = next(feed)
            summed += float(step(tf.constant(value), tf.constant(label[:, None])))
            report(epoch * recipe.steps + number + 1, total)
        losses.append(summed / recipe.steps)
    plain = plain_copy(tf, model, recipe, crops)
    content = _export(tf, plain)
    sample = next(feed)[0][:64]
    drift = float(np.abs(plain(sample, training=False).numpy()[:, 0] - _run(content, sample)).max())
    return Trained(content, tuple(losses), str(tf.__version__), drift)


def limit_threads(tf: Any, threads: int) -> None:
    """Let TensorFlow use so many threads, unless it runs already."""
    try:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    except RuntimeError:  # TensorFlow runs already in this process and keeps what it has
        return


def _step(tf: Any, model: Any, recipe: Recipe) -> Any:
    """Return the compiled function that trains on one batch and returns its loss."""
    schedule = tf.keras.optimizers.schedules.CosineDecay(
        0.0, recipe.epochs * recipe.steps, warmup_target=recipe.rate, warmup_steps=max(1, recipe.steps // 2), alpha=0.01
    )
    optimizer = tf.keras.optimizers.AdamW(schedule, weight_decay=recipe.decay)

    def loss_of(label: Any, outputs: Any) -> Any:
        target = label * (1 - 2 * recipe.smoothing) + recipe.smoothing
        whole = tf.nn.sigmoid_cross_entropy_with_logits(target, outputs[0])
        maps = [
            tf.nn.sigmoid_cross_entropy_with_logits(tf.broadcast_to(target[:, None, None, :], tf.shape(found)), found)
            for found in outputs[1:]
        ]
        return tf.reduce_mean(whole) + recipe.map_share * tf.add_n([tf.reduce_mean(m) for m in maps]) / len(maps)

    def step(value: Any, label: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = loss_of(label, model(value, training=True))
        optimizer.apply_gradients(
            zip(tape.gradient(loss, model.trainable_variables), model.trainable_variables, strict=True)
        )
        return loss

    return tf.function(step)


def _export(tf: Any, model: Any) -> bytes:
    """Return the LiteRT file with float16 weights; computation stays in float32."""
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_types = [tf.float16]
    with contextlib.redirect_stdout(io.StringIO()):  # it prints where it keeps intermediate files
        return bytes(converter.convert())


def _run(content: bytes, sample: Floats) -> Floats:
    from biometric.lite import LiteNet  # noqa: PLC0415  (after TensorFlow, so that its logs come first)

    net = LiteNet(content)
    return np.array([float(net.run(row)[0].ravel()[0]) for row in sample], np.float32)


MOST_BPCER: Final = 0.01
LEAST_DENY_AT: Final = 0.9  # FIELD 1.4: sure means at least .9


def choose_threshold(live: dict[str, Floats]) -> float:
    """Return the deny threshold from the live scores of the people who choose it, by source."""
    each = [float(np.quantile(scores, 1 - MOST_BPCER, method="higher")) for scores in live.values() if len(scores)]
    return min(max([LEAST_DENY_AT, *(float(np.nextafter(value, 1.0)) for value in each)]), 0.999)


def plan_of(recipe: Recipe) -> dict[str, Any]:
    """Return the recipe for the manifest."""
    return asdict(recipe)
