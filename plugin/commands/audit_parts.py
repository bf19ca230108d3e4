"""What the commands of `facestep audit` share: the log, its checkpoints, and what a person names at the shell."""

from __future__ import annotations

from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import click

from plugin.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from plugin.audit.chain import Head
    from plugin.audit.checkpoints import Checkpoint, Checkpoints
    from plugin.audit.log import AuditLog
    from plugin.store.database import Database

LONG = 20_000  # entries from which on a bar is shown: about a third of a second


@contextmanager
def open_database() -> Iterator[Database]:
    """Yield the database of the settings, at the revision this version needs."""
    from plugin.store.database import Database

    with closing(Database(Settings.load().database_url)) as database:
        database.check()
        yield database


def log_of(database: Database) -> AuditLog:
    """Return the log of a database."""
    from plugin.audit.log import AuditLog

    return AuditLog(database)


def checkpoints_of(database: Database) -> Checkpoints:
    """Return the checkpoints of this deployment; the vault of the settings signs and verifies them."""
    from plugin.auditing import build_checkpoints
    from plugin.sealing import open_sealer

    settings = Settings.load()
    return build_checkpoints(settings, database, open_sealer(settings, purposes=()))


@contextmanager
def bar(database: Database, stage: str) -> Iterator[Callable[[int], None]]:
    """Yield a report of the number reached; it draws a bar if the log is long."""
    from plugin.commands.progress import stages

    total = log_of(database).head().seq
    if total < LONG:
        yield lambda _seq: None
        return
    with stages() as report:
        yield lambda seq: report(stage, min(seq, total), total)


def parse_checkpoint(path: Path) -> Checkpoint:
    """Return the checkpoint in a file. Raises ServiceError."""
    from plugin.audit.checkpoints import parse

    return parse(path.read_text(encoding="utf-8", errors="replace"))


def parse_head(text: str) -> Head:
    """Return a head as `verify` prints it. Raises BadParameter for anything else."""
    from plugin.audit.chain import Head

    number, _, digest = text.partition(":")
    try:
        head = Head(seq=int(number), entry_hash=bytes.fromhex(digest))
    except ValueError as exc:
        raise click.BadParameter("must be NUMBER:HASH as `facestep audit verify` prints it") from exc
    if head.seq < 1 or len(head.entry_hash) != 32:  # noqa: PLR2004  (bytes of SHA-256)
        raise click.BadParameter("must be NUMBER:HASH as `facestep audit verify` prints it")
    return head
