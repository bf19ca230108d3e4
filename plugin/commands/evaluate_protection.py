"""`facestep evaluate protection`: what protecting references costs, and what a thief still gets."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import click

from plugin.commands.models import calibration_option, models_dir_option
from plugin.commands.pictures import cache_option, embedded
from plugin.commands.reports import writable, write_json

LEAST_PICTURES: Final = 500


@click.command("protection")
@click.option("--images", type=click.Path(path_type=Path), required=True, help="DIR/person/*.jpg")
@click.option("--json", "out", type=click.Path(path_type=Path), callback=writable, help="Where the figures go.")
@click.option("--report", "page", type=click.Path(path_type=Path), callback=writable, help="A readable page, one file.")
@click.option("--most", type=click.IntRange(min=2), help="At most so many usable pictures of each person.")
@click.option("--seed", type=int, default=1, show_default=True, help="Of keys, noise and draws.")
@cache_option
@calibration_option
@models_dir_option
def command(
    *,
    images: Path,
    out: Path | None,
    page: Path | None,
    most: int | None,
    seed: int,
    cache: Path | None,
    calibration: Path | None,
    models_dir: Path,
) -> None:
    """Measure accuracy under protection, unlinkability (D_sys), reconstruction, and noise.

    References are made of the pictures by the code that seals them, for two issuers. Nothing of the face is written but
    the figures.

    \b
    Examples:
      facestep evaluate protection --images faces/lfw --json protection.json
      facestep evaluate protection --images faces/lfw --cache ~/.cache/facestep/vectors --report protection.html
    """  # noqa: D301  (\b is click's marker for text it must not wrap)
    from biometric.evaluation.corpus import CorpusUnusable
    from biometric.pipeline import FacePipeline
    from plugin.commands.progress import stages
    from plugin.commands.protection_page import write_page
    from plugin.protection.report import at_most, protection_report

    if out is None and page is None:
        raise click.UsageError("say where the figures go: --json FILE, --report FILE, or both")
    pipeline = FacePipeline.open(models_dir, calibration=calibration)
    corpus = at_most(embedded(images, pipeline, models_dir=models_dir, cache=cache), most)
    if len(corpus.person) < LEAST_PICTURES:
        raise CorpusUnusable(f"{len(corpus.person)} usable pictures; below {LEAST_PICTURES} the figures say nothing")
    with stages() as report:
        found = protection_report(corpus, pipeline.calibration, seed=seed, report=report)
    if out is not None:
        write_json(out, found)
    if page is not None:
        write_page(page, found, title=images.name)
    click.echo(summary(found))


def summary(found: dict[str, Any]) -> str:
    """Return the report as a small table."""
    lines = [f"{found['counts']['pictures']} pictures of {found['counts']['people']} people"]
    lines.append(_accuracy("no protection", found["without"]))
    for name, scheme in found["schemes"].items():
        lines.append(_accuracy(name, scheme["accuracy"]))
        worst = max(
            row["d_sys"]
            for key, kinds in scheme["unlinkability"].items()
            if key.startswith("two_issuers")
            for row in kinds.values()
        )
        own = scheme["reconstruction"]["key_per_record"]
        lines.append(
            f"{'':14} D_sys {worst:.3f}, reconstruction cosine {own['facenet']['cosine']:.3f} "
            f"and {own['sface']['cosine']:.3f}, accepted {100 * own['accepted']['leaked']['fused_at_fmr_1e_3']:.2f} %"
        )
    lines += [_accuracy(f"epsilon {row['epsilon']:.0f}", row) for row in found["noise"]]
    return "\n".join(lines)


def _accuracy(name: str, row: dict[str, Any]) -> str:
    return (
        f"{name:14} FMR {row['fmr']:.1e} FNMR {100 * row['fnmr']:5.2f} %  TAR at FMR 1e-3 "
        f"{100 * row['tar_at_fmr_1e_3']:6.2f} %, at 1e-4 {100 * row['tar_at_fmr_1e_4']:6.2f} %"
    )
