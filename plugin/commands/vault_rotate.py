"""`facestep vault rotate`: a new version of each key, every row moved to it, the old versions refused."""

from __future__ import annotations

import json
import math
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from plugin.settings import Settings, VaultBackend

if TYPE_CHECKING:
    from collections.abc import Callable

    from plugin.store.database import Database
    from vault.interface import Rotator, Sealer
    from vault.rotation import Progress, Rotated

INTERRUPTED = 130  # as shells say it of a program that Ctrl-C ended
_ENDING = {"ceremonies": "logins under way", "helpdesk_letters": "letters that wait for the mail server"}
_MOST_BATCH = 5000


@click.command()
@click.option(
    "--token-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A token with the policy facestep-rotator; the service's own cannot. Default: the login of the settings.",
)
@click.option(
    "--batch",
    type=click.IntRange(1, _MOST_BATCH),
    default=500,
    show_default=True,
    help="Rows in one call and one write.",
)
@click.option(
    "--settle-s",
    type=click.FloatRange(0, 600),
    default=15.0,
    show_default=True,
    help="How long requests under way may take that sealed with the version before.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def rotate(*, token_file: Path | None, batch: int, settle_s: float, as_json: bool) -> None:
    """Make a new version of each key, re-wrap every row with it, then refuse what older versions sealed.

    The service may run meanwhile. It can be interrupted at any time: every row opens, and the next run goes on with the
    rows that are left before it makes another version. Rows whose MAC does not fit are left alone and reported; then
    the old version stays. Exit status: 0 done, or only logins under way are left, 1 rows are left, 2 cannot tell.

    \b
    Examples:
      facestep vault rotate --token-file /etc/facestep/rotator-token
      facestep vault rotate --token-file /etc/facestep/rotator-token --batch 1000 --json
    """  # noqa: D301  (\b is click's marker for text it must not wrap)
    from plugin.wiring import open_database

    settings = Settings.load()
    sealer, rotator = _open(settings, token_file)
    with closing(open_database(settings)) as database:
        try:
            outcomes = _rotate(settings, database, sealer, rotator, batch=batch, settle_s=settle_s)
        except KeyboardInterrupt:
            click.echo("interrupted; every row opens. Run it again to go on.", err=True)
            raise SystemExit(INTERRUPTED) from None
    if as_json:
        click.echo(json.dumps({"finished": all(o.finished for o in outcomes), "keys": [_told(o) for o in outcomes]}))
    else:
        for outcome in outcomes:
            click.echo(_line(outcome))
    if any(table not in _ENDING for outcome in outcomes for table in outcome.left):
        raise SystemExit(1)


def _open(settings: Settings, token_file: Path | None) -> tuple[Sealer, Rotator]:
    from plugin.sealing import open_client, open_keyring
    from vault.transit import TransitSealer
    from vault.transit_rotator import TransitRotator

    if settings.vault_backend is VaultBackend.KEYRING:
        keyring = open_keyring(settings)
        return keyring, keyring
    client = open_client(settings, token_file=token_file)
    return TransitSealer.on(client), TransitRotator(client)


def _rotate(
    settings: Settings, database: Database, sealer: Sealer, rotator: Rotator, *, batch: int, settle_s: float
) -> list[Rotated]:
    from plugin.audit.log import AuditLog
    from plugin.commands.progress import stages
    from plugin.rotation.tables import sealed_tables
    from plugin.wiring import utc_now
    from vault.rotation import rotate as rotate_keys

    audit = AuditLog(database)
    tables = sealed_tables(database, sealer=sealer, audit=audit, issuer=settings.issuer, clock=utc_now)
    outcomes = []
    with stages() as report:
        for outcome in rotate_keys(
            rotator, tables, batch=batch, settle_s=settle_s, report=_reporting(report), sleep=_waiting(report)
        ):
            details = {
                "purpose": outcome.purpose.value,
                "key_version": outcome.version,
                "count": outcome.rewrapped,
                "finished": outcome.finished,
            }
            audit.append("key_rotated", at=utc_now(), details=details)
            outcomes.append(outcome)
    return outcomes


def _reporting(report: Callable[[str, int, int], None]) -> Callable[[Progress], None]:
    return lambda progress: report(progress.table, progress.done, progress.total) if progress.total else None


def _waiting(report: Callable[[str, int, int], None]) -> Callable[[float], None]:
    """Return a sleep that shows how long it still is."""

    def sleep(seconds: float) -> None:
        whole = math.ceil(seconds)
        for second in range(whole):
            report("seconds for requests under way", second, whole)
            time.sleep(min(1.0, seconds - second))
        if whole:
            report("seconds for requests under way", whole, whole)

    return sleep


def _told(outcome: Rotated) -> dict[str, object]:
    return {
        "purpose": outcome.purpose.value,
        "version": outcome.version,
        "resumed": outcome.resumed,
        "rewrapped": outcome.rewrapped,
        "left": outcome.left,
        "finished": outcome.finished,
    }


def _line(outcome: Rotated) -> str:
    begun = "carried on with" if outcome.resumed else "new"
    done = f"{outcome.purpose.value}: {begun} version {outcome.version}, {outcome.rewrapped} rows re-wrapped"
    if outcome.finished:
        return f"{done}, older versions refused"
    ending = [f"{count} {_ENDING[table]}" for table, count in outcome.left.items() if table in _ENDING]
    if ending:
        return f"{done}; {' and '.join(ending)} are older: run it again when they have ended"
    if not outcome.left:
        return f"{done}; older versions stay until the other keys are done"
    left = ", ".join(f"{count} in {table}" for table, count in outcome.left.items())
    return f"{done}; left as they are: {left} (see integrity_failed in `facestep audit list`); older versions stay"
