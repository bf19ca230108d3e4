"""`facestep evaluate ceremony`: logins from films, genuine and attacks."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from plugin.commands.models import models_dir_option

if TYPE_CHECKING:
    from biometric.evaluation.ceremony import ClipRow

COLUMNS: Final = ("clip", "reference", "label", "species", "steps")
NEEDED: Final = ("clip", "reference", "steps")
_GENUINE: Final = frozenset({"genuine", "bonafide", "bona_fide", "bona fide", "live", "real"})


@click.command("ceremony")
@click.option(
    "--clips", type=click.Path(path_type=Path, dir_okay=False), required=True, help="CSV: " + ",".join(COLUMNS)
)
@click.option(
    "--json", "out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="Where the report goes."
)
@models_dir_option
def command(clips: Path, out: Path, *, models_dir: Path) -> None:
    """Play each clip as the camera of one login by the person in its reference picture.

    The CSV has the columns clip, reference, label (genuine or attack), species, steps. Paths are absolute, or
    relative to the CSV's folder. A clip is a film or a folder of pictures. Steps are asked in their order:
    turn_left, turn_right, blink:1 to blink:3, smile, separated by ; or a space. The colour flash is off, every other
    cue is on.

    \b
    Example:
      facestep evaluate ceremony --clips clips.csv --json out.json
    """  # noqa: D301  (\b is click's marker for text it must not wrap)
    from rich.console import Console
    from rich.progress import Progress

    from biometric.evaluation.ceremony import evaluate_clips
    from biometric.pipeline import FacePipeline

    rows = read_rows(clips)
    pipeline = FacePipeline.open(models_dir)
    with Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task(f"clips of {clips.name}", total=len(rows))
        result = evaluate_clips(rows, pipeline=pipeline, report=lambda done, _of: progress.update(task, completed=done))
    out.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    click.echo(summary(result))


def read_rows(path: Path) -> list[ClipRow]:
    """Return the rows of the list; a list that cannot be read is a mistake on the command line."""
    from biometric.evaluation.ceremony import ATTACK, GENUINE, ClipRow

    try:
        with path.open(encoding="utf-8-sig", newline="") as handle:
            reader = csv.DictReader(handle, skipinitialspace=True)
            names = {(name or "").strip().lower(): name for name in reader.fieldnames or ()}
            missing = [name for name in NEEDED if name not in names]
            if missing:
                raise click.BadParameter(f"{path} has no column {missing[0]!r}", param_hint="--clips")
            table = [{key: (row.get(name) or "").strip() for key, name in names.items()} for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as exc:
        raise click.BadParameter(f"{path} cannot be read: {exc}", param_hint="--clips") from exc
    return [
        ClipRow(
            clip=row["clip"],
            clip_path=_located(row["clip"], path.parent),
            reference_path=_located(row["reference"], path.parent),
            label=GENUINE if row.get("label", "").lower() in _GENUINE else ATTACK,
            species=row.get("species", ""),
            steps=row["steps"],
        )
        for row in table
        if any(row.values())
    ]


def _located(name: str, folder: Path) -> Path:
    """Return an absolute path as it is, any other beside the list, or else in the working folder."""
    beside = folder / name
    return beside if beside.exists() or not Path(name).exists() else Path(name)


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
