"""`facestep calibrate`: choose thresholds on pictures, and write them with the evidence."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from plugin.commands.evaluate_recognition import embedded
from plugin.commands.models import models_dir_option
from plugin.commands.reports import report_option, write_text


@click.command("calibrate")
@click.option("--images", type=click.Path(path_type=Path), required=True, help="DIR/person/*.jpg, many people.")
@click.option(
    "--further", type=click.Path(path_type=Path), multiple=True, help="Another population; the strictest counts."
)
@click.option("--data", required=True, help="What the pictures are, in one sentence, for the record.")
@report_option("--out", help="Where calibration.json goes.")
@models_dir_option
def command(images: Path, further: tuple[Path, ...], data: str, out: Path, models_dir: Path) -> None:
    """Choose thresholds for FMR 1e-4 on one half of the people; report the errors on the other half.

    \b
    Example:
      facestep calibrate --images faces/lfw --further faces/london --data "LFW, one half" --out calibration.json
    """  # noqa: D301  (\b is click's marker for text it must not wrap)
    from biometric.detect import FaceDetector
    from biometric.embed import Embedder
    from biometric.evaluation.calibrate import calibrate
    from biometric.landmarks import FaceMesh
    from biometric.models import ModelStore
    from biometric.pipeline import Recogniser

    store = ModelStore(models_dir)
    pipeline = Recogniser(detector=FaceDetector(store), mesh=FaceMesh(store), embedder=Embedder(store))
    corpus = embedded(images, pipeline)
    others = {folder.name: embedded(folder, pipeline) for folder in further}
    made = calibrate(
        corpus,
        others,
        models=store.digests(),
        data=data,
        made_on=datetime.now(UTC).date().isoformat(),
        progress=lambda step: click.echo(step, err=True),
    )
    write_text(out, made.to_json())
    click.echo(f"calibration {made.id} written to {out}")
