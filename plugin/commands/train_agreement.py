"""`facestep train agreement`: make the disagreement detector again, after vectors or models have changed."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from plugin.commands.models import models_dir_option
from plugin.commands.progress import stages
from plugin.commands.reports import report_option, write_text


@click.command("agreement")
@click.option("--images", type=click.Path(path_type=Path), required=True, help="DIR/person/*.jpg, many people.")
@report_option("--out", help="Where agreement.json goes.")
@click.option("--data", default="", help="What the pictures are, in one sentence, for the record.")
@click.option("--people", type=click.IntRange(min=20), help="At most so many people in each part; all by default.")
@click.option(
    "--attacks", type=click.IntRange(min=1), default=40, show_default=True, help="Attacked pictures a recipe."
)
@click.option("--steps", type=click.IntRange(min=1), default=12, show_default=True, help="Of each attack.")
@click.option("--seed", type=int, default=1, show_default=True, help="Of every draw.")
@click.option("--threads", type=click.IntRange(1, 64), default=2, show_default=True, help="Of TensorFlow.")
@models_dir_option
def agreement(
    images: Path,
    out: Path,
    *,
    data: str,
    people: int | None,
    attacks: int,
    steps: int,
    seed: int,
    threads: int,
    models_dir: Path,
) -> None:
    """Train the head that denies pictures made for the recognisers, with adversarial examples made on the way.

    Uses the people that `facestep calibrate` chooses on. Needs TensorFlow (the extra `convert`).

    \b
    Example:
      facestep train agreement --images faces/lfw --data "LFW, choosing half" --out agreement.json
    """  # noqa: D301  (\b is click's marker for text it must not wrap)
    from biometric.evaluation.corpus import find_pictures
    from biometric.pipeline import FacePipeline
    from plugin.commands.gradients import open_nets

    find_pictures(images)  # so that a wrong folder is told before seconds of loading
    pipeline = FacePipeline.open(models_dir)
    nets = open_nets(models_dir, threads=threads)
    from biometric.training.agreement import Plan, train  # after TensorFlow is known to be there

    with stages() as report:
        made = train(
            images,
            pipeline,
            nets,
            plan=Plan(attacks=attacks, steps=steps, people=people, seed=seed),
            data=data or images.name,
            made_on=datetime.now(UTC).date().isoformat(),
            report=report,
        )
    write_text(out, made.to_json())
    click.echo(f"detector {made.id} written to {out}; threshold {made.threshold:.3f}")
