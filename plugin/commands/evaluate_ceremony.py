"""`facestep evaluate ceremony`: logins from films, genuine and attacks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from plugin.commands.models import calibration_option, models_dir_option
from plugin.commands.reports import report_option, write_json


@click.command("ceremony")
@click.option(
    "--clips",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="CSV: clip,reference,label,species,steps",
)
@report_option("--json", help="Where the report goes, as JSON.")
@calibration_option
@models_dir_option
def command(clips: Path, out: Path, *, calibration: Path | None, models_dir: Path) -> None:
    """Play each clip as the camera of one login by the person in its reference picture.

    The CSV has the columns clip, reference, label (genuine or attack), species, steps. Paths are absolute, or
    relative to the CSV's folder. A clip is a film or a folder of pictures. Steps are asked in their order:
    turn_left, turn_right, blink:1 to blink:3, smile, separated by ; or a space. The colour flash is off, every other
    cue is on. A list with an unknown column, label or step is refused before the first clip.

    \b
    Example:
      facestep evaluate ceremony --clips clips.csv --json out.json
    """  # noqa: D301  (\b is click's marker for text it must not wrap)
    from rich.console import Console
    from rich.progress import Progress

    from biometric.evaluation.ceremony import evaluate_clips
    from biometric.pipeline import FacePipeline
    from plugin.commands.clip_list import read_rows

    rows = read_rows(clips)
    pipeline = FacePipeline.open(models_dir, calibration=calibration)
    with Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task(f"clips of {clips.name}", total=len(rows))
        result = evaluate_clips(rows, pipeline=pipeline, report=lambda done, _of: progress.update(task, completed=done))
    write_json(out, result)
    click.echo(summary(result))


def summary(result: dict[str, Any]) -> str:
    """Return the report as a few lines."""
    counted = result["summary"]
    genuine = counted["genuine"]
    lines = [f"genuine   {genuine['clips']} clips, {genuine['refused']} refused"]
    lines += [
        f"attack    {name}: {counts['clips']} clips, {counts['accepted']} accepted"
        for name, counts in sorted(counted["attacks"].items())
    ]
    if counted["errors"]:
        lines.append(f"errors    {counted['errors']} clips could not be judged and count as refused")
    return "\n".join(lines)
