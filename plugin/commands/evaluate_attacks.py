"""`facestep evaluate attacks`: presentations of every species, simulated, and real clips beside them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from plugin.commands.models import models_dir_option
from plugin.commands.presentations import outcomes_of
from plugin.commands.reports import writable, write_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from biometric.evaluation.ceremony import ClipRow
    from biometric.evaluation.presentation import Outcome, PresentationSource

LABORATORY: Final = "tests.simulator.laboratory"
CLIP_LIST: Final = "clips.csv"


@click.command("attacks")
@click.option("--species", multiple=True, metavar="NAME", help="Only these; may be given several times.")
@click.option("--presentations", type=click.IntRange(min=0), default=150, show_default=True, help="Of each species.")
@click.option("--genuine", type=click.IntRange(min=0), default=150, show_default=True, help="Of people who obey.")
@click.option(
    "--photos",
    type=click.Path(path_type=Path, file_okay=False),
    help="DIR/person/*.jpg to be simulated besides the test pictures; a second picture of a person is the reference.",
)
@click.option(
    "--clips",
    type=click.Path(path_type=Path, file_okay=False),
    help="DIR with a clips.csv of real clips, as for `facestep evaluate ceremony`.",
)
@click.option("--json", "out", type=click.Path(path_type=Path), help="Where the figures go, as JSON.")
@click.option("--report", "folder", type=click.Path(path_type=Path, file_okay=False), help="Where a page goes.")
@click.option("--jobs", type=click.IntRange(min=1), default=1, show_default=True, help="Processes.")
@click.option("--resume", "journal", type=click.Path(path_type=Path, dir_okay=False), help="Keep outcomes here.")
@click.option("--seed", type=int, default=1, show_default=True, help="Of challenges, habits and species' variants.")
@models_dir_option
def command(
    species: tuple[str, ...],
    presentations: int,
    genuine: int,
    photos: Path | None,
    clips: Path | None,
    *,
    out: Path | None,
    folder: Path | None,
    jobs: int,
    journal: Path | None,
    seed: int,
    models_dir: Path,
) -> None:
    """Measure APCER per attack species, BPCER, IAPAR and what each cue is worth (ISO/IEC 30107-3).

    Presentations are simulated by the project's own test simulator, so this command runs in a checkout. Each has a
    challenge, pauses and colours of its own, and habits of its own; a species runs through its variants. With --resume,
    a run that was interrupted goes on where it was. Figures carry 95 % intervals and say that they are simulated.

    \b
    Examples:
      facestep evaluate attacks --presentations 8 --genuine 8
      facestep evaluate attacks --photos faces/ --jobs 2 --resume run.jsonl --json attacks.json --report report/
      facestep evaluate attacks --species flat_print --species rigid_mask --genuine 0
      facestep evaluate attacks --presentations 0 --genuine 0 --clips real/ --json real.json
    """  # noqa: D301  (\b is click's marker for text it must not wrap)
    from biometric.evaluation.presentation_rates import rates
    from plugin.commands.attacks_page import summary, write_page
    from plugin.commands.clip_list import read_rows

    for path in (out, journal, folder / "attacks.html" if folder is not None and folder.is_dir() else None):
        if path is not None:
            writable(click.get_current_context(), click.Argument(["path"]), path)
    rows = read_rows(clips / CLIP_LIST) if clips is not None else []
    source, outcomes = _present(
        species, presentations, genuine, photos=photos, journal=journal, seed=seed, jobs=jobs, models_dir=models_dir
    )
    result = {
        **rates(outcomes, source.groups),
        "measured": _measured(source, outcomes, seed=seed, models_dir=models_dir),
        "clips": _judge_clips(rows, models_dir),
    }
    if out is not None:
        write_json(out, result)
    if folder is not None:
        write_page(folder, result)
    click.echo(summary(result))


def _measured(
    source: PresentationSource, outcomes: Sequence[Outcome], *, seed: int, models_dir: Path
) -> dict[str, Any]:
    """Return what the figures belong to; `fingerprint` is that of pictures, simulator, cues and model files."""
    from datetime import UTC, datetime

    from biometric.agreement import Agreement
    from biometric.calibration import Calibration
    from biometric.limits import shipped
    from biometric.models import ModelStore

    calibration = Calibration.load(ModelStore(models_dir))
    return {
        "made_on": datetime.now(UTC).date().isoformat(),
        "calibration": calibration.id,
        "detector": Agreement.load(calibration).id,
        "limits": shipped().id,
        "seed": seed,
        "people": len({outcome.person for outcome in outcomes}),
        "fingerprint": source.fingerprint(),
    }


def _present(
    species: Sequence[str],
    presentations: int,
    genuine: int,
    *,
    photos: Path | None,
    journal: Path | None,
    seed: int,
    jobs: int,
    models_dir: Path,
) -> tuple[PresentationSource, Sequence[Outcome]]:
    """Make what is missing; return the source and all outcomes that were asked for."""
    from biometric.evaluation.presentation import GENUINE
    from biometric.evaluation.presentation_run import Journal, SourceSpec

    spec = SourceSpec(LABORATORY, {"photos": photos.resolve() if photos is not None else None, "seed": seed})
    source = spec.open()
    attacks = [name for name in source.groups if name != GENUINE]
    unknown = sorted(set(species) - set(attacks))
    if unknown:
        raise click.BadParameter(f"no species {unknown[0]}; there are {', '.join(attacks)}", param_hint="--species")
    wanted = [(GENUINE, number) for number in range(genuine)]
    wanted += [(name, number) for name in attacks if not species or name in species for number in range(presentations)]
    book = Journal(journal, fingerprint=source.fingerprint()) if journal is not None else None
    outcomes = outcomes_of(
        wanted, spec, title="presentations (simulated)", journal=book, models_dir=models_dir, jobs=jobs
    )
    return source, sorted(outcomes, key=lambda one: (list(source.groups).index(one.species), one.number))


def _judge_clips(rows: Sequence[ClipRow], models_dir: Path) -> dict[str, Any] | None:
    """Return what became of real clips, each under a number: their names may be people's."""
    if not rows:
        return None
    from rich.console import Console
    from rich.progress import Progress

    from biometric.evaluation.ceremony import evaluate_clips
    from biometric.pipeline import FacePipeline

    with Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task("real clips", total=len(rows))
        judged = evaluate_clips(
            rows,
            pipeline=FacePipeline.open(models_dir),
            report=lambda done, _of: progress.update(task, completed=done),
        )
    named = [{**entry, "clip": number} for number, entry in enumerate(judged["clips"], start=1)]
    return {"simulated": False, "summary": judged["summary"], "clips": named}
