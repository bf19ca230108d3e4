"""`facestep audit`: read the log, and prove that it is as it was written."""

from __future__ import annotations

import json
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import click

from plugin.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plugin.audit.chain import Head
    from plugin.audit.log import AuditEntryView, AuditLog


@click.group()
def command() -> None:
    """Read and verify the audit log.

    \b
    Examples:
      facestep audit list --limit 20
      facestep audit list --after 1000 --json
      facestep audit verify
      facestep audit verify --expected-head 1042:9f86d081884c7d65…
    """  # noqa: D301  (\b is click's marker for text it must not wrap)


@command.command()
@click.option("--expected-head", metavar="NUMBER:HASH", help="A head noted earlier; shows a log whose end was cut off.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def verify(*, expected_head: str | None, as_json: bool) -> None:
    """Check the whole chain and print its head, which is worth noting outside of the database.

    Exit status: 0 as written, 1 broken (says where), 2 cannot tell.
    """
    from plugin.audit.chain import ChainBroken

    noted = None if expected_head is None else _parse_head(expected_head)
    try:
        with _open_log() as log:
            head = log.verify(expected_head=noted).head
    except ChainBroken as broken:
        click.echo(json.dumps(broken.as_json()) if as_json else f"the log is broken: {broken.detail}")
        raise SystemExit(1) from broken
    answer = {"intact": True, "entries": head.seq, "head": f"{head.seq}:{head.entry_hash.hex()}"}
    click.echo(json.dumps(answer) if as_json else f"{head.seq} entries as written; head {answer['head']}")


@command.command("list")
@click.option("--limit", type=click.IntRange(1, 100_000), default=50, show_default=True, help="How many entries.")
@click.option("--after", type=click.IntRange(0), help="Entries after this number; without it, the latest ones.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
def list_entries(*, limit: int, after: int | None, as_json: bool) -> None:
    """Print entries, oldest first."""
    with _open_log() as log:
        entries = log.latest(limit=limit) if after is None else log.entries(limit=limit, after=after)
    for entry in entries:
        click.echo(json.dumps(entry.as_json()) if as_json else _line(entry))


@contextmanager
def _open_log() -> Iterator[AuditLog]:
    from plugin.audit.log import AuditLog
    from plugin.store.database import Database

    with closing(Database(Settings.load().database_url)) as database:
        database.check()
        yield AuditLog(database)


def _line(entry: AuditEntryView) -> str:
    whom = f"{entry.subject} at {entry.issuer}" if entry.subject else entry.issuer
    details = " ".join(f"{name}={json.dumps(value)}" for name, value in entry.details.items())
    return f"{entry.seq:>6} {entry.at:%Y-%m-%d %H:%M:%S} {entry.event:<20} {whom} {details}".rstrip()


def _parse_head(text: str) -> Head:
    from plugin.audit.chain import Head

    number, _, digest = text.partition(":")
    try:
        head = Head(seq=int(number), entry_hash=bytes.fromhex(digest))
    except ValueError as exc:
        raise click.BadParameter("must be NUMBER:HASH as `facestep audit verify` prints it") from exc
    if head.seq < 1 or len(head.entry_hash) != 32:  # noqa: PLR2004  (bytes of SHA-256)
        raise click.BadParameter("must be NUMBER:HASH as `facestep audit verify` prints it")
    return head
