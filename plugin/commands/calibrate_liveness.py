"""`facestep calibrate liveness`: choose the limits of the cues of life and of the quality gate, and write them.

Rules:
 * Presentations come from the laboratory that `facestep evaluate attacks` uses, each course with a journal of its own.
 * A limit in force that its rule confirms stays; what else happens to it, and why, stands in the file beside it.
 * --quick is for a look: what it writes is refused wherever limits are read.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from plugin.commands.liveness_courses import (
    Asked,
    look_at_films,
    look_at_pictures,
    present,
    quality_limits,
    single_looks,
)
from plugin.commands.models import models_dir_option
from plugin.commands.reports import report_option, write_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from biometric.evaluation.limits import Chosen
    from biometric.evaluation.presentation import Outcome
    from biometric.limits import Limits

QUICK: Final = 8
FOLDER: Final = click.Path(path_type=Path, file_okay=False)


@click.command("liveness")
@click.option("--presentations", type=click.IntRange(min=8), default=40, show_default=True, help="Of each species.")
@click.option("--genuine", type=click.IntRange(min=8), default=80, show_default=True, help="Of people who obey.")
@click.option("--photos", type=FOLDER, help="DIR/person/*.jpg to be simulated, as for `facestep evaluate attacks`.")
@click.option("--clips", type=FOLDER, help="DIR with a clips.csv of real clips, as for `facestep evaluate ceremony`.")
@click.option("--pictures", type=FOLDER, multiple=True, help="Stills of people; may be given several times.")
@click.option("--webcam", type=FOLDER, multiple=True, help="Likewise, at a camera.")
@click.option("--resume", "journals", type=click.Path(path_type=Path, file_okay=False), help="Keep outcomes here.")
@click.option("--jobs", type=click.IntRange(min=1), default=1, show_default=True, help="Processes.")
@click.option("--seed", type=int, default=1, show_default=True, help="Of challenges, habits and species' variants.")
@click.option("--quick", is_flag=True, help=f"{QUICK} presentations each, for a look: nothing is decided by the file.")
@click.option("--measures", metavar="NAME", help="Of a new way of measuring; MEASURES in biometric/limits.py follows.")
@click.option("--json", "as_json", is_flag=True, help="Print what was written.")
@report_option("--out", help="Where liveness.json goes.")
@models_dir_option
def command(*, out: Path, as_json: bool, quick: bool, measures: str | None, models_dir: Path, **said: Any) -> None:
    """Choose the limits of the liveness cues and the quality gate by what people and attacks reach.

    Presentations are simulated by the project's own test simulator, so this command runs in a checkout: people do whole
    challenges, attacks what the cues that are there for them look at. With --resume, a run that was interrupted goes on
    where it was. A limit in force that lies between people and attacks is confirmed and stays; else it moves, and the
    file says so.

    \b
    Examples:
      facestep calibrate liveness --quick --out quick.json
      facestep calibrate liveness --photos faces/ --clips real/ --resume run/ --out liveness.json
      facestep calibrate liveness --pictures faces/lfw --webcam faces/webcam --out liveness.json --json
    """  # noqa: D301  (\b is click's marker for text it must not wrap)
    from biometric import limits
    from biometric.calibration import record_digest
    from biometric.evaluation.limits import choose_all

    asked = Asked(**said | (dict.fromkeys(("presentations", "genuine"), QUICK) if quick else {}))
    before = limits.shipped()
    films = look_at_films(asked.clips, models_dir)  # what may be missing first, what takes long last
    pictures = look_at_pictures(asked, models_dir)
    courses = present(asked, models_dir)
    chosen = choose_all(courses, films, single_looks(pictures), before=limits.values_of(before))
    chosen |= quality_limits(pictures, before)
    table = {
        **_record(chosen, models_dir),
        "measures": measures or limits.MEASURES,
        "quick": quick,
        "command": asked.said() + (" --quick" if quick else ""),
        "fingerprint": asked.source("full").open().fingerprint(),
        "people": len({one.person for one in courses["full"]}),
        "films": len(films),
        "before": before.id,
        "cost": _cost(courses["full"], before, limits.limits_of({name: one.value for name, one in chosen.items()})),
    }
    text = json.dumps(table | {"id": record_digest(table)}, indent=1, sort_keys=True) + "\n"
    write_text(out, text)
    click.echo(text if as_json else _summary(json.loads(text), out), nl=not as_json)


def _record(chosen: Mapping[str, Chosen], models_dir: Path) -> dict[str, Any]:
    """Return the limits, and what they belong to."""
    from datetime import UTC, datetime

    from biometric import limits
    from biometric.models import ModelStore

    in_use = ModelStore(models_dir).digests()
    return {
        "simulated": True,
        "made_on": datetime.now(UTC).date().isoformat(),
        "commit": _commit(),
        "models": {name: in_use[name] for name in limits.BOUND_MODELS} | {"texture": limits.texture_digest()},
        "limits": {name: one.to_json() for name, one in chosen.items()},
    }


def _cost(outcomes: Sequence[Outcome], before: Limits, now: Limits) -> dict[str, Any]:
    """Return how many whole challenges liveness accepts, by species, with the limits in force and with these."""
    from biometric.evaluation.rejudge import decided_anew

    table: dict[str, Any] = {}
    for species in dict.fromkeys(one.species for one in outcomes):
        shown = [one for one in outcomes if one.species == species]
        accepted = {
            name: sum(decided_anew(one, limits).accepted() for one in shown)
            for name, limits in (("accepted_before", before), ("accepted", now))
        }
        table[species] = {"presentations": len(shown), **accepted}
    return table


def _commit() -> str:
    """Return the checkout's commit, and whether files differ from it; empty where there is no git."""
    try:
        ran = subprocess.run(
            ["git", "describe", "--always", "--dirty"],
            cwd=Path(__file__).resolve().parents[2],
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )
    except OSError:
        return ""
    return ran.stdout.strip()


def _summary(table: Mapping[str, Any], out: Path) -> str:
    """Return what a person reads."""
    lines = [
        f"{name:30} {entry['value']:>8g}  {entry['how']}"
        + (f" (was {entry['before']:g})" if entry["before"] != entry["value"] else "")
        for name, entry in table["limits"].items()
    ]
    lines += [
        f"{species} (simulated): liveness accepts {row['accepted']} of {row['presentations']}"
        + (f", before {row['accepted_before']}" if row["accepted_before"] != row["accepted"] else "")
        for species, row in table["cost"].items()
    ]
    quick = "; a quick measurement, which no start believes" if table["quick"] else ""
    return "\n".join([*lines, f"limits {table['id']} written to {out}{quick}"])
