"""`facestep audit`: read the log, prove that it is as it was written, sign its end, hand it on."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from plugin.commands.audit_out import export_entries, forward, receivers
from plugin.commands.audit_parts import bar, checkpoints_of, log_of, open_database, parse_checkpoint, parse_head
from plugin.settings import Settings

if TYPE_CHECKING:
    from plugin.audit.checkpoints import Checkpoint
    from plugin.audit.log import AuditEntryView
    from plugin.audit.verify import VerifiedChain
    from plugin.store.database import Database


@click.group()
def command() -> None:
    """Read, verify, sign and hand on the audit log.

    \b
    Examples:
      facestep audit list --limit 20
      facestep audit list --after 1000 --json
      facestep audit verify
      facestep audit verify --noted checkpoint.json
      facestep audit verify --expected-head 1042:9f86d081884c7d65…
      facestep audit checkpoint --json
      facestep audit export --format cef --to audit.cef --resume
      facestep audit forward
    """  # noqa: D301  (\b is click's marker for text it must not wrap)


@command.command()
@click.option("--expected-head", metavar="NUMBER:HASH", help="A head noted earlier; shows a log whose end was cut off.")
@click.option(
    "--noted",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    multiple=True,
    help="A checkpoint that was kept elsewhere (`audit checkpoint --json`). May be given several times.",
)
@click.option("--without-checkpoints", is_flag=True, help="Check the chain alone; the vault is not asked.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def verify(*, expected_head: str | None, noted: tuple[Path, ...], without_checkpoints: bool, as_json: bool) -> None:
    """Check the whole chain against every checkpoint, and print its head.

    \b
    Exit status: 0 as written, 1 changed (says what was done, and to which entry), 2 cannot tell.
    """  # noqa: D301
    from time import perf_counter

    from plugin.audit.chain import ChainBroken
    from plugin.audit.verify import verify_stream

    if without_checkpoints and noted:
        raise click.UsageError("--noted needs the vault's public key; leave out --without-checkpoints")
    head = None if expected_head is None else parse_head(expected_head)
    began = perf_counter()
    try:
        with open_database() as database, bar(database, "entries") as report:
            found: list[Checkpoint] = []
            if without_checkpoints:
                anchors = {head.seq: head.entry_hash} if head else {}
                chain = verify_stream(database, "service", anchors=anchors, report=report)
            else:
                kept = tuple(parse_checkpoint(path) for path in noted)
                chain, found = checkpoints_of(database).verify(noted=kept, expected_head=head, report=report)
            answer = _verified(database, chain, found, seconds=perf_counter() - began)
    except ChainBroken as broken:
        click.echo(json.dumps(broken.as_json()) if as_json else f"the log is broken: {broken.detail}")
        raise SystemExit(1) from broken
    if answer["overdue"] and not without_checkpoints:
        click.echo(
            f"facestep: warning: no checkpoint covers the entries after number {answer['signed']}, though one is due; "
            "is the service running? Compare with a checkpoint or head that you keep elsewhere",
            err=True,
        )
    click.echo(json.dumps(answer) if as_json else _said(answer))


def _verified(database: Database, chain: VerifiedChain, found: list[Checkpoint], *, seconds: float) -> dict[str, Any]:
    from plugin.audit.log import AuditLog
    from plugin.wiring import utc_now

    signed = found[-1].seq if found else 0
    unsigned = AuditLog(database).entries(after=signed, limit=1, as_stored=True)
    every = timedelta(seconds=Settings.load().audit_checkpoint_every_s)
    return {
        "intact": True,
        "entries": chain.head.seq,
        "head": str(chain.head),
        "checkpoints": len(found),
        "signed": signed,
        "signed_at": found[-1].at.isoformat() if found else None,
        "overdue": bool(unsigned) and utc_now() - unsigned[0].at > 2 * every,
        "entries_per_s": round(chain.head.seq / seconds) if seconds else 0,
    }


def _said(answer: dict[str, Any]) -> str:
    signed = f"{answer['checkpoints']} checkpoints sign the first {answer['signed']}"
    rate = f"{answer['entries_per_s']} entries a second"
    return f"{answer['entries']} entries as written; {signed}; head {answer['head']} ({rate})"


@command.command()
@click.option("--json", "as_json", is_flag=True, help="Print it whole, to be kept elsewhere for `verify --noted`.")
def checkpoint(*, as_json: bool) -> None:
    """Verify what is new and let the vault sign the end of the log, now.

    The service does this by itself at intervals (audit_checkpoint_every_s). Exit status 1: the log was changed, so
    nothing was signed.
    """
    from plugin.audit.chain import ChainBroken
    from plugin.wiring import utc_now

    try:
        with open_database() as database:
            made = checkpoints_of(database).make(now=utc_now())
    except ChainBroken as broken:
        click.echo(
            json.dumps(broken.as_json()) if as_json else f"nothing was signed; the log is broken: {broken.detail}"
        )
        raise SystemExit(1) from broken
    if made is None:
        click.echo("null" if as_json else "the log is empty; there is nothing to sign")
    else:
        said = f"checkpoint {made.number} of {made.at:%Y-%m-%d %H:%M:%S} signs {made.seq} entries; head {made.head}"
        click.echo(json.dumps(made.as_json()) if as_json else said)


@command.command("keys")
def public_keys() -> None:
    """Print the public keys that checkpoints are verified with, as JSON: version to hexadecimal Ed25519 key."""
    from plugin.sealing import open_sealer

    keys = open_sealer(Settings.load(), purposes=()).public_keys()
    click.echo(json.dumps({str(version): key.hex() for version, key in sorted(keys.items())}))


@command.command("list")
@click.option("--limit", type=click.IntRange(1, 100_000), default=50, show_default=True, help="How many entries.")
@click.option("--after", type=click.IntRange(0), help="Entries after this number; without it, the latest ones.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
def list_entries(*, limit: int, after: int | None, as_json: bool) -> None:
    """Print entries, oldest first."""
    with open_database() as database:
        log = log_of(database)
        entries = log.latest(limit=limit) if after is None else log.entries(limit=limit, after=after)
    for entry in entries:
        click.echo(json.dumps(entry.as_json()) if as_json else _line(entry))


def _line(entry: AuditEntryView) -> str:
    whom = f"{entry.subject} at {entry.issuer}" if entry.subject else entry.issuer
    details = " ".join(f"{name}={json.dumps(value)}" for name, value in entry.details.items())
    return f"{entry.seq:>6} {entry.at:%Y-%m-%d %H:%M:%S} {entry.event:<20} {whom} {details}".rstrip()


for _handing in (export_entries, forward, receivers):
    command.add_command(_handing)
