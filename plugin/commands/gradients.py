"""The recognisers with gradients, for commands that attack them; TensorFlow is imported only here in."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from biometric.evaluation.adversarial_nets import GradientNets


def open_nets(models_dir: Path, *, threads: int) -> GradientNets:
    """Return both recognisers as differentiable functions, on so many threads.

    Raises:
        TrainerMissing: TensorFlow is not installed.
        ModelMissing, ModelDigestMismatch: as for serving.
    """
    try:
        import tensorflow as tf
    except ImportError as exc:
        from biometric.training.net import TrainerMissing

        raise TrainerMissing("gradients need TensorFlow") from exc
    tf.get_logger().setLevel("ERROR")  # else it explains tracing in the middle of a progress bar
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)

    from biometric.evaluation.adversarial_nets import GradientNets
    from biometric.models import ModelStore

    return GradientNets(ModelStore(models_dir))
