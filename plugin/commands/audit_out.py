"""`facestep audit export | forward | receivers`: hand the log on to other systems."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from plugin.commands.audit_parts import bar, log_of, open_database
from plugin.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import IO

    from plugin.audit.outbox import Outbox


@click.command("export")
@click.option("--format", "form", type=click.Choice(["jsonl", "cef"]), default="jsonl", show_default=True)
@click.option("--to", type=click.Path(path_type=Path, dir_okay=False), help="A file; without it, standard output.")
@click.option("--after", type=click.IntRange(0), default=0, help="Begin after this number.")
@click.option("--resume", "go_on", is_flag=True, help="Begin after the last entry in the file of --to.")
def export_entries(*, form: str, to: Path | None, after: int, go_on: bool) -> None:
    """Write the log as one line an entry: JSON, or ArcSight's Common Event Format.

    Every line has all of its entry, hashes included. The last number is printed on standard error; give it to --after
    next time, or let --resume find it in the file.
    """
    from plugin.audit.export import export, resume

    if go_on and (to is None or after):
        raise click.UsageError("--resume needs --to FILE and no --after")
    if to is not None and to.exists() and not go_on:
        raise click.UsageError(f"{to} exists; add --resume to go on with it, or name another file")
    settings = Settings.load()
    with open_database() as database, bar(database, "entries") as report:
        begin = resume(to, form=form) if to is not None and go_on else after
        with _append_to(to) if to is not None else _standard_output() as out:
            last = export(log_of(database), out, deployment=settings.issuer, form=form, after=begin, report=report)
    click.echo(f"{last - begin} entries exported, the last is number {last}", err=True)


@click.command()
def forward() -> None:
    """Send what is waiting to the receivers of audit_forward_to now, whatever their turn; exit status 1 if one is away.

    The service does this by itself all the time; a batch may reach a receiver twice, none is left out.
    """
    with _open_outbox() as outbox:
        outcome = outbox.run_once(patient=False)
        sent = outcome.sent
        while outcome.more and not outcome.away:
            outcome = outbox.run_once(patient=False)
            sent += outcome.sent
    click.echo(f"{sent} records sent")
    if outcome.away:
        click.echo(f"facestep: {outcome.away}; it is tried again", err=True)
        raise SystemExit(1)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
def receivers(*, as_json: bool) -> None:
    """Show how far each receiver of audit_forward_to has got."""
    with _open_outbox() as outbox:
        for position in outbox.positions():
            later = (
                f", away {position['failures']} times, next try {position['next_try']}" if position["failures"] else ""
            )
            said = f"{position['receiver']} has {position['source']} up to number {position['sent']}{later}"
            click.echo(json.dumps(position) if as_json else said)


@contextmanager
def _open_outbox() -> Iterator[Outbox]:
    from plugin.auditing import build_outbox
    from plugin.sealing import open_sealer
    from plugin.wiring import utc_now

    settings = Settings.load()
    with open_database() as database:
        outbox = build_outbox(settings, database, open_sealer(settings, purposes=()), clock=utc_now)
        if outbox is None:
            raise click.UsageError("audit_forward_to names no receiver")
        yield outbox


@contextmanager
def _append_to(path: Path) -> Iterator[IO[bytes]]:
    from plugin.errors import ServiceError

    try:
        path.touch(mode=0o600)
        with path.open("ab") as out:
            yield out
    except OSError as exc:
        raise ServiceError("report_unwritable", f"{path}: {exc.strerror}") from exc


@contextmanager
def _standard_output() -> Iterator[IO[bytes]]:
    out = sys.stdout.buffer
    yield out
    out.flush()


def _said(position: dict[str, Any]) -> str:
    later = f", away {position['failures']} times, next try {position['next_try']}" if position["failures"] else ""
    return f"{position['receiver']} has {position['source']} up to number {position['sent']}{later}"
