"""The disagreement detector beside a calibration that `facestep calibrate` writes.

Rules:
 * Where the shipped detector knows the models in use, none of one's own is needed.
 * A FaceNet of one's own gets its detector by the same command; whatever it lacks (TensorFlow, gradients, people) is
   told before the first picture is looked at.
 * The calibration is written first: if the training is stopped, `facestep train agreement` makes up for it alone.
 * The detector of a calibration that was overwritten goes with no other, so it does not stay.

Not here: the training (plugin/commands/train_agreement.py, biometric/training/agreement.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import click

from plugin.commands.reports import write_text

if TYPE_CHECKING:
    from pathlib import Path

    from biometric.agreement import Agreement
    from biometric.calibration import Calibration
    from biometric.evaluation.adversarial_nets import GradientNets

ATTACKS: Final = 24  # as the shipped detector was trained (docs/adversarial.md, A)
STEPS: Final = 8
THREADS: Final = 2


@dataclass(frozen=True, slots=True)
class Trainer:
    """All that the training needs; made before the pictures are looked at."""

    images: Path
    models_dir: Path
    nets: GradientNets

    @classmethod
    def prepare(cls, images: Path, *, models_dir: Path, graph: Path | None) -> Trainer | None:
        """Return the trainer, or None where the shipped detector knows the models in use.

        Raises:
            CorpusUnusable, TrainerMissing, NetUnreadable: it could not be trained, and why.
        """
        from biometric.agreement import shipped_knows
        from biometric.models import ModelStore

        if shipped_knows(ModelStore(models_dir).digests()):
            return None
        from plugin.commands.gradients import open_nets
        from plugin.commands.train_agreement import check_people

        check_people(images)
        return cls(images, models_dir, open_nets(models_dir, threads=THREADS, graph=graph))

    def train(self, calibration: Path, *, data: str) -> Agreement:
        """Return the detector of this calibration."""
        from biometric.pipeline import FacePipeline
        from biometric.training.agreement import Plan
        from plugin.commands.train_agreement import train_with_bar

        click.echo("now the disagreement detector of this FaceNet; if this is stopped, make it alone with", err=True)
        click.echo(f"  facestep train agreement --images {self.images} --calibration {calibration}", err=True)
        pipeline = FacePipeline.open(self.models_dir, calibration=calibration)
        return train_with_bar(self.images, pipeline, self.nets, plan=Plan(attacks=ATTACKS, steps=STEPS), data=data)


def beside(calibration: Calibration) -> Agreement | None:
    """Return the detector that lies beside the calibration in use, if one does. Raises CalibrationMismatch."""
    from biometric import agreement_file
    from biometric.agreement import Agreement

    return Agreement.load(calibration) if agreement_file.beside(calibration.source) else None


def replace(calibration: Path, made: Agreement | None) -> None:
    """Write the detector beside the calibration file; with None, take away what lies there."""
    from biometric.agreement_file import agreement_path

    path = agreement_path(calibration)
    if made is not None:
        write_text(path, made.to_json())
        click.echo(f"detector {made.id} written to {path}; threshold {made.threshold:.3f}")
    elif path.is_file():
        path.unlink()
        click.echo(f"removed {path}: it was made for a calibration that is gone, and the shipped detector fits")
