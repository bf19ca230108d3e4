"""`facestep train texture`: train the texture net again, from a folder of pictures to three files."""

from __future__ import annotations

from pathlib import Path

import click

from plugin.commands.models import models_dir_option
from plugin.commands.progress import stages
from plugin.commands.reports import writable, write_json
from plugin.errors import ServiceError


def _folder(ctx: click.Context, parameter: click.Parameter, path: Path) -> Path:
    """Make the folder now: a quarter of an hour later is too late to find out that it cannot be written."""
    if not ctx.resilient_parsing:
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as exc:
            raise ServiceError("report_unwritable", f"{path}: {exc.strerror or exc}") from exc
        writable(ctx, parameter, path / "manifest.json")
    return path


@click.command("texture")
@click.option(
    "--data", type=click.Path(path_type=Path), required=True, help="Holds faces/nuaa, faces/lfw, faces/london, …"
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    callback=_folder,
    help="Folder for the net, its record and its manifest; made if it is not there.",
)
@click.option(
    "--json",
    "report_path",
    type=click.Path(path_type=Path),
    callback=writable,
    help="Where the manifest goes too.",
)
@click.option("--fold", type=click.IntRange(0, 2), default=0, show_default=True, help="Whose people are left out.")
@click.option("--seed", type=int, default=1, show_default=True, help="Of pictures, order and start.")
@click.option("--epochs", type=click.IntRange(1, 200), help="Instead of the recipe's own number.")
@click.option("--steps", type=click.IntRange(1), help="Batches in an epoch, instead of the recipe's own number.")
@click.option("--crops", type=click.FloatRange(0.001, 4), default=1.0, show_default=True, help="Factor on every group.")
@click.option("--threads", type=click.IntRange(1, 64), default=1, show_default=True, help="1 repeats a run exactly.")
@models_dir_option
def command(
    data: Path,
    out: Path,
    report_path: Path | None,
    *,
    fold: int,
    seed: int,
    epochs: int | None,
    steps: int | None,
    crops: float,
    threads: int,
    models_dir: Path,
) -> None:
    """Train the texture net. Needs TensorFlow (the extra `convert`) and about a quarter of an hour on one core.

    \b
    Examples:
      facestep train texture --data ../shared/data --out texture_net
      facestep train texture --data ../shared/data --out fold_1 --fold 1 --json fold_1.json
      facestep evaluate texture --data ../shared/data --own fold_1 --json fold_1_figures.json
    """  # noqa: D301  (\b is click's marker for text it must not wrap)
    from dataclasses import replace

    from biometric.pipeline import FacePipeline
    from biometric.training.govern import Order, train_texture
    from biometric.training.net import Recipe
    from biometric.training.pool import PoolPlan

    plan = PoolPlan()
    plan = replace(plan, groups=tuple(replace(g, count=max(8, round(g.count * crops))) for g in plan.groups))
    recipe = Recipe()
    recipe = replace(recipe, epochs=epochs or recipe.epochs, steps=steps or recipe.steps)
    order = Order(data=data, fold=fold, seed=seed, plan=plan, recipe=recipe, threads=threads)
    with stages() as report:
        run = train_texture(order, FacePipeline.open(models_dir), report=report)
    run.write(out)
    if report_path is not None:
        write_json(report_path, run.manifest)
    click.echo(
        f"{out}: {len(run.content)} bytes, sha256 {run.spec.sha256}, "
        f"last loss {run.manifest['losses'][-1]}, denies from {run.spec.deny_at:.4f}"
    )
