"""`facestep bench factor`: one one-time code verified, with everything that is written for it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import click
import pyotp

from plugin.commands.models import models_dir_option
from plugin.commands.reports import report_option, write_json

if TYPE_CHECKING:
    from pathlib import Path


@click.command("factor")
@report_option("--json", help="Where the report goes, as JSON.")
@click.option("--runs", type=click.IntRange(1, 10_000), default=100, show_default=True, help="Codes; medians count.")
@models_dir_option
def command(out: Path, *, runs: int, models_dir: Path) -> None:
    """Measure the verification of one right code: load the ceremony, count, compare, write, move on.

    SQLite and keys in a temporary folder, one process, no HTTP.

    \b
    Example:
      facestep bench factor --json factor.json
    """  # noqa: D301  (\b is click's marker for text it must not wrap)
    from plugin.ceremonies.types import Purpose
    from plugin.commands import bench_rig
    from plugin.wiring import build_services, utc_now

    with bench_rig.temporary_settings(models_dir) as settings:
        services = build_services(settings)
        now = utc_now()
        person, _ = bench_rig.enrol_totp(services, "somebody", now=now)

        def verify(view: Any, at: Any) -> None:
            services.totp.verify(view, pyotp.TOTP(person.secret).at(at), now=at)

        measured = []
        for number in range(1, runs + 1):
            at = now + timedelta(seconds=30 * number)
            view = bench_rig.begin(services, Purpose.LOGIN, person.owner, now=at)
            measured.append(bench_rig.measured(lambda view=view, at=at: verify(view, at)))  # type: ignore[misc]
    result = {"unit": "one one-time code verified", **bench_rig.summary(measured)}
    write_json(out, result)
    click.echo(
        f"{1000 * result['cpu_s']['median']:.1f} CPU ms, {1000 * result['wall_s']['median']:.1f} ms wall a code; "
        f"peak {result['peak_rss_mb']:.0f} MB"
    )
