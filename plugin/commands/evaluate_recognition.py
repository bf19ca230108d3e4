"""`facestep evaluate recognition`: all genuine and all cross-person pairs of a folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from plugin.commands.models import models_dir_option
from plugin.commands.reports import report_option, write_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from biometric.evaluation.corpus import Corpus
    from biometric.pipeline import Recogniser


@click.command("recognition")
@click.option("--images", type=click.Path(path_type=Path), required=True, help="DIR/person/*.jpg")
@report_option("--json", help="Where the report goes, as JSON.")
@click.option("--exactly-one-face", is_flag=True, help="Count a picture with several faces as a failure to acquire.")
@click.option(
    "--people",
    type=click.Choice(["all", "choosing", "reporting"]),
    default="all",
    show_default=True,
    help="All, or the half that `facestep calibrate` chooses on, or the half that it reports on.",
)
@click.option("--most", type=click.IntRange(min=2), help="At most so many usable pictures of each person.")
@click.option("--seed", type=int, default=1, show_default=True, help="Of the bootstrap.")
@models_dir_option
def command(
    images: Path, out: Path, *, exactly_one_face: bool, people: str, most: int | None, seed: int, models_dir: Path
) -> None:
    """Measure EER, TAR, FMR and FNMR with 95 % intervals, over all pairs of pictures.

    Where a picture shows several faces, the most prominent one is taken to be the person named by the folder.

    \b
    Examples:
      facestep evaluate recognition --images faces/lfw --json lfw.json
      facestep evaluate recognition --images faces/lfw --people reporting --most 4 --json half.json
    """  # noqa: D301  (\b is click's marker for text it must not wrap)
    from biometric.evaluation.recognition import recognition_report
    from biometric.pipeline import FacePipeline

    pipeline = FacePipeline.open(models_dir)
    corpus = embedded(images, pipeline, exactly_one=exactly_one_face, chosen=_chosen(people), most=most)
    report = recognition_report(
        corpus, pipeline.calibration, seed=seed, progress=lambda name: click.echo(name, err=True)
    )
    write_json(out, report)
    click.echo(summary(report))


def _chosen(people: str) -> Callable[[str], bool]:
    from biometric.evaluation.calibrate import in_choosing_half

    return lambda person: people == "all" or in_choosing_half(person) == (people == "choosing")


def embedded(
    images: Path,
    recogniser: Recogniser,
    *,
    exactly_one: bool = False,
    chosen: Callable[[str], bool] = lambda _person: True,
    most: int | None = None,
) -> Corpus:
    """Return the vectors of the chosen people's pictures, with a progress bar on stderr."""
    from rich.console import Console
    from rich.progress import Progress

    from biometric.evaluation.corpus import embed_corpus, find_pictures

    pictures = [picture for picture in find_pictures(images) if chosen(picture.person)]
    with Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task(f"pictures of {images.name}", total=len(pictures))

        def report(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total)

        return embed_corpus(pictures, recogniser, report=report, exactly_one=exactly_one, most=most)


def summary(report: dict[str, Any]) -> str:
    """Return the report as a small table."""
    counts = report["counts"]
    lines = [
        (
            f"{counts['acquired']} of {counts['pictures']} pictures, {counts['people']} people, "
            f"{counts['genuine_pairs']} genuine and {counts['impostor_pairs']} impostor pairs"
        ),
    ]
    for name in ("facenet", "sface", "fused"):
        for figure in ("eer", "tar_at_fmr_1e-3", "tar_at_fmr_1e-4", "fmr", "fnmr"):
            found = report[name][figure]
            lines.append(f"{name:8} {figure:16} {found['value']:.6f}  ({found['low']:.6f} to {found['high']:.6f})")
    return "\n".join(lines)
