"""`facestep train agreement`: make the disagreement detector again, after models or thresholds have changed."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from plugin.commands.gradients import graph_option
from plugin.commands.models import calibration_option, models_dir_option
from plugin.commands.progress import stages
from plugin.commands.reports import check_writable, writable, write_text

if TYPE_CHECKING:
    from biometric.agreement import Agreement
    from biometric.evaluation.adversarial_nets import GradientNets
    from biometric.pipeline import FacePipeline
    from biometric.training.agreement import Plan


@click.command("agreement")
@click.option("--images", type=click.Path(path_type=Path), required=True, help="DIR/person/*.jpg, many people.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    callback=lambda c, p, v: v and writable(c, p, v),
    help="Where the detector goes; beside the calibration, where the service looks for it, unless said otherwise.",
)
@calibration_option
@graph_option
@click.option("--data", default="", help="What the pictures are, in one sentence, for the record.")
@click.option("--people", type=click.IntRange(min=20), help="At most so many people in each part; all by default.")
@click.option(
    "--attacks", type=click.IntRange(min=1), default=40, show_default=True, help="Attacked pictures a recipe."
)
@click.option("--steps", type=click.IntRange(min=1), default=12, show_default=True, help="Of each attack.")
@click.option("--seed", type=int, default=1, show_default=True, help="Of every draw.")
@click.option("--threads", type=click.IntRange(1, 64), default=2, show_default=True, help="Of TensorFlow.")
@models_dir_option
def command(
    images: Path,
    out: Path | None,
    *,
    calibration: Path | None,
    graph: Path | None,
    data: str,
    people: int | None,
    attacks: int,
    steps: int,
    seed: int,
    threads: int,
    models_dir: Path,
) -> None:
    """Train the head that denies pictures made for the recognisers, with adversarial examples made on the way.

    Uses the people that `facestep calibrate` chooses on. Needs TensorFlow (the extra `convert`). With --calibration
    the detector is made out to that calibration and goes with no other.

    \b
    Examples:
      facestep train agreement --images faces --calibration calibration.json
      facestep train agreement --images faces/lfw --data "LFW, choosing half" --out agreement.json
    """  # noqa: D301  (\b is click's marker for text it must not wrap)
    from biometric.agreement_file import agreement_path
    from biometric.pipeline import FacePipeline
    from plugin.commands.gradients import open_nets

    if out is None:
        if calibration is None:
            raise click.UsageError("say --calibration FILE, to go beside it, or --out FILE")
        out = agreement_path(calibration.expanduser())
        check_writable(out)
    check_people(images)  # so that a wrong folder is told before seconds of loading
    pipeline = FacePipeline.open(models_dir, calibration=calibration)
    nets = open_nets(models_dir, threads=threads, graph=graph)
    from biometric.training.agreement import Plan  # after TensorFlow is known to be there

    plan = Plan(attacks=attacks, steps=steps, people=people, seed=seed)
    made = train_with_bar(images, pipeline, nets, plan=plan, data=data)
    write_text(out, made.to_json())
    click.echo(f"detector {made.id} written to {out}; threshold {made.threshold:.3f}")


def check_people(images: Path) -> None:
    """Raise CorpusUnusable unless the folder has the people that the training needs."""
    from biometric.evaluation.corpus import find_pictures
    from biometric.training.agreement_parts import chosen_pictures, split

    split(chosen_pictures(find_pictures(images)), images)


def train_with_bar(images: Path, pipeline: FacePipeline, nets: GradientNets, *, plan: Plan, data: str) -> Agreement:
    """Return the detector of this pipeline's nets and calibration, with one progress bar a stage."""
    from biometric.training.agreement import train

    with stages() as report:
        return train(
            images,
            pipeline,
            nets,
            plan=plan,
            data=data or images.name,
            made_on=datetime.now(UTC).date().isoformat(),
            report=report,
        )
