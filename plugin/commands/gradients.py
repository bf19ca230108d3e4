"""The recognisers with gradients, for commands that attack them; TensorFlow is imported only here in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from biometric.evaluation.adversarial_nets import GradientNets


graph_option = click.option(
    "--graph",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The frozen graph of an added FaceNet that was given as .tflite; one that was given as .pb is known.",
)


def open_nets(models_dir: Path, *, threads: int, graph: Path | None = None) -> GradientNets:
    """Return both recognisers as differentiable functions, on so many threads.

    Raises:
        TrainerMissing: TensorFlow is not installed.
        NetUnreadable: there is no graph of the FaceNet that is served.
        ModelMissing, ModelDigestMismatch: as for serving.
    """
    try:
        import tensorflow as tf
    except ImportError as exc:
        from biometric.training.net import TrainerMissing

        raise TrainerMissing("gradients need TensorFlow") from exc
    tf.get_logger().setLevel("ERROR")  # else it explains tracing in the middle of a progress bar

    from biometric.evaluation.adversarial_nets import GradientNets
    from biometric.models import ModelStore
    from biometric.training.train import limit_threads

    limit_threads(tf, threads)

    return GradientNets(ModelStore(models_dir), graph=None if graph is None else graph.read_bytes())
