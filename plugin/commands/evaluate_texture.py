"""`facestep evaluate texture`: texture nets on people they never saw, side by side on the same pictures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from plugin.commands.models import models_dir_option
from plugin.commands.reports import report_option, writable, write_json, write_text

if TYPE_CHECKING:
    from biometric.texture import TextureNet


@click.command("texture")
@click.option("--data", type=click.Path(path_type=Path), required=True, help="The folder that holds faces/nuaa, …")
@report_option("--json", help="Where the figures go, as JSON.")
@click.option(
    "--own",
    type=click.Path(path_type=Path),
    help="A folder that `facestep train texture` wrote, instead of the shipped net.",
)
@click.option(
    "--net",
    "nets",
    type=(click.Path(path_type=Path), click.Path(path_type=Path)),
    multiple=True,
    help="RECORD.json and FILE of another net, to stand beside ours.",
)
@click.option(
    "--report",
    "page",
    type=click.Path(path_type=Path),
    callback=writable,
    help="Where a readable table goes, as Markdown.",
)
@click.option("--fold", type=click.IntRange(0, 2), default=0, show_default=True, help="The fold our net left out.")
@click.option("--seed", type=int, default=1, show_default=True, help="Of simulated attacks and of the bootstrap.")
@models_dir_option
def command(
    data: Path,
    out: Path,
    own: Path | None,
    nets: tuple[tuple[Path, Path], ...],
    page: Path | None,
    *,
    fold: int,
    seed: int,
    models_dir: Path,
) -> None:
    """Measure APCER for each attack species and BPCER for each live group, with 95 % intervals over people.

    Rows on pictures that a model made say so. A net that was trained on another fold has seen some of these people.

    \b
    Examples:
      facestep evaluate texture --data ../shared/data --json texture.json
      facestep evaluate texture --data ../shared/data --net peer.json peer.onnx --json texture.json --report texture.md
      facestep evaluate texture --data ../shared/data --own fold_1 --fold 1 --json fold_1.json
    """  # noqa: D301  (\b is click's marker for text it must not wrap)
    from rich.console import Console
    from rich.progress import Progress

    from biometric.evaluation.texture import texture_report
    from biometric.pipeline import FacePipeline
    from biometric.texture import TextureNet
    from biometric.training.sources import find_items

    judged = [TextureNet.open(own), *(opened(record, file) for record, file in nets)]
    items = find_items(data, fold=fold)
    pipeline = FacePipeline.open(models_dir)
    with Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task("pictures", total=None)
        report = texture_report(
            items,
            judged,
            pipeline,
            fold=fold,
            seed=seed,
            report=lambda done, total: progress.update(task, completed=done, total=total),
        )
    write_json(out, report)
    if page is not None:
        write_text(page, table(report))
    click.echo(table(report))


def opened(record: Path, file: Path) -> TextureNet:
    """Return a net from its record and its file.

    Raises:
        ModelMissing: one of them cannot be read.
        ModelDigestMismatch: the file is not the one of the record.
    """
    from biometric.errors import ModelMissing
    from biometric.texture import TextureNet, TextureSpec

    try:
        return TextureNet(file.read_bytes(), TextureSpec.from_json(record.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as exc:
        raise ModelMissing(f"{file} with {record} cannot be read: {exc}") from exc


def table(report: dict[str, Any]) -> str:
    """Return the figures as a Markdown table, one row a species, one pair of columns a net."""
    names = list(report["nets"])
    head = ["what was shown", "pictures", "people"]
    for name in names:
        head += [f"{name}: wrong at its deny threshold", "people denied by the median of their looks"]
        head += [f"wrong at {report['bpcer']:.0%} BPCER of its counterpart"]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    every = [report["nets"][name]["species"] for name in names]
    for rows in zip(*every, strict=True):
        first = rows[0]
        label = f"{first['species']} ({first['rate']}{', simulated' if first['simulated'] else ''})"
        cells = [label, str(first["presentations"]), str(first["people"])]
        for row in rows:
            looks = row["people_with_looks"]
            cells += [_cell(row["at_deny_threshold"]), f"{row['people_denied']} of {looks}" if looks else ""]
            cells += [_cell(row.get(f"at_bpcer_{report['bpcer']:g}_of_counterpart"))]
        lines.append("| " + " | ".join(cells) + " |")
    worst = [f"worst species of {name}: {report['nets'][name]['worst_species']}" for name in names]
    return "\n".join([*lines, "", *worst]) + "\n"


def _cell(found: dict[str, float] | None) -> str:
    if found is None:
        return ""
    return f"{found['value']:.1%} ({found['low']:.1%} to {found['high']:.1%})"
