"""`facestep evaluate recognition`: all genuine and all cross-person pairs of a folder."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from plugin.commands.models import calibration_option, models_dir_option
from plugin.commands.pictures import cache_option, embedded
from plugin.commands.reports import writable, write_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from biometric.calibration import Calibration
    from biometric.evaluation.corpus import Corpus


@click.command("recognition")
@click.option("--images", type=click.Path(path_type=Path), required=True, help="DIR/person/*.jpg")
@click.option(
    "--json", "out", type=click.Path(path_type=Path), callback=writable, help="Where the figures go, as JSON."
)
@click.option(
    "--report",
    "page",
    type=click.Path(path_type=Path),
    help="A new folder for a readable page with plots (extra 'report').",
)
@click.option("--groups", type=click.Path(path_type=Path), help="CSV: the folder's name, then traits such as gender.")
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
@cache_option
@calibration_option
@models_dir_option
def command(
    *,
    images: Path,
    out: Path | None,
    page: Path | None,
    groups: Path | None,
    exactly_one_face: bool,
    people: str,
    most: int | None,
    seed: int,
    cache: Path | None,
    calibration: Path | None,
    models_dir: Path,
) -> None:
    """Measure EER, TAR, FMR and FNMR with 95 % intervals, over all pairs of pictures.

    Where a picture shows several faces, the most prominent one is taken to be the person named by the folder.

    \b
    Examples:
      facestep evaluate recognition --images faces/lfw --json lfw.json
      facestep evaluate recognition --images faces/lfw --people reporting --most 4 --json half.json
      facestep evaluate recognition --images faces/london --groups faces/london/london_info.csv --report report/
    """  # noqa: D301  (\b is click's marker for text it must not wrap)
    from biometric.evaluation.groups import read_groups
    from biometric.evaluation.recognition import recognition_report
    from biometric.pipeline import FacePipeline
    from plugin.commands import recognition_page

    if out is None and page is None:
        raise click.UsageError("say where the figures go: --json FILE, --report DIR, or both")
    if page is not None:
        recognition_page.require(page)
    traits = read_groups(groups) if groups is not None else None
    pipeline = FacePipeline.open(models_dir, calibration=calibration)
    look = partial(embedded, images, pipeline, models_dir=models_dir, cache=cache)
    corpus = look(exactly_one=exactly_one_face, chosen=_chosen(people), most=most)
    report = recognition_report(
        corpus, pipeline.calibration, seed=seed, traits=traits, progress=lambda name: click.echo(name, err=True)
    )
    if out is not None:
        write_json(out, report)
    if page is not None:
        _write_page(page, report, corpus, pipeline.calibration)
    click.echo(summary(report))


def _write_page(page: Path, report: dict[str, Any], corpus: Corpus, calibration: Calibration) -> None:
    from datetime import UTC, datetime

    from biometric.evaluation.recognition import plots
    from plugin.commands import recognition_page

    context = click.get_current_context()
    written = recognition_page.write(
        page,
        report,
        plots=plots(corpus, calibration, report),
        title=f"{context.params['images'].name}, people: {context.params['people']}",
        command=_said(context),
        made_on=datetime.now(UTC).date().isoformat(),
    )
    click.echo(f"report written to {written}")


NOT_SAID: Final = frozenset({"models_dir", "cache", "out", "page"})
"""Options that change no figure; their values are paths of one machine."""


def _said(context: click.Context) -> str:
    """Return the command line, with the options that were given."""
    words = ["facestep evaluate recognition"]
    for option in context.command.params:
        if not isinstance(option, click.Option) or option.name is None:
            continue
        value, name = context.params[option.name], option.opts[0]
        if option.is_flag and value:
            words.append(name)
        elif not option.is_flag and value is not None and value != option.default and option.name not in NOT_SAID:
            words.append(f"{name} {value}")
    return " ".join(words)


def _chosen(people: str) -> Callable[[str], bool]:
    from biometric.evaluation.calibrate import in_choosing_half

    return lambda person: people == "all" or in_choosing_half(person) == (people == "choosing")


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
    tail = report["fused"]["fmr_from_tail"]
    lines.append(f"{'fused':8} {'fmr from tail':16} {tail['value']:.6f}  ({tail['low']:.6f} to {tail['high']:.6f})")
    lines += [
        f"{row['fmr']['value']:.6f} FMR {row['fnmr']['value']:.6f} FNMR  {row['rule']}" for row in report["rules"]
    ]
    return "\n".join(lines)
