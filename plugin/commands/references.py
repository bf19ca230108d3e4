"""`facestep references`: list, expire, export and erase what is held about people; never a vector."""

from __future__ import annotations

import json
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from plugin.commands.reports import writable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plugin.ceremonies.types import Subject
    from plugin.factors.lifecycle import Lifecycle, Listed
    from plugin.settings import Settings
    from plugin.store.database import Database

_issuer = click.option("--issuer", required=True, help="The identity provider's issuer URL.")
_subject = click.option("--subject", required=True, help="The person's user id there, not the user name.")


@click.group()
def command() -> None:
    """See and end what is held about people. The numbers of a face are never shown.

    \b
    Examples:
      facestep references list --expiring 30
      facestep references expire --dry-run
      facestep references expire
      facestep references export --issuer https://sso.example.org/realms/staff --subject 5f0c… --out alice.json
      facestep references erase --issuer https://sso.example.org/realms/staff --subject 5f0c… --yes
    """  # noqa: D301  (\b is click's marker for text it must not wrap)


@command.command("list")
@click.option("--expiring", type=click.IntRange(0, 3650), metavar="DAYS", help="Only those that end within DAYS.")
@click.option("--limit", type=click.IntRange(1, 1_000_000), default=1000, show_default=True, help="At most so many.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
def list_(*, expiring: int | None, limit: int, as_json: bool) -> None:
    """Show whose face is enrolled and until when, soonest end first."""
    from plugin.wiring import utc_now

    now = utc_now()
    with _lifecycle() as lifecycle:
        before = now + timedelta(days=10_000 if expiring is None else expiring)
        for found in lifecycle.ending(before=before, limit=limit):
            click.echo(json.dumps(_as_json(found)) if as_json else _line(found))


@command.command()
@click.option("--dry-run", is_flag=True, help="Only say how many would go.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def expire(*, dry_run: bool, as_json: bool) -> None:
    """Delete references that are past their time and their days of grace; each has an audit entry.

    A running service does the same every quarter of an hour, when somebody logs in. This is for a schedule of your own,
    and for a service that is not running. It may be interrupted and run again.
    """
    from plugin.commands.progress import stages
    from plugin.wiring import utc_now

    now = utc_now()
    with _lifecycle() as lifecycle:
        due = lifecycle.count_due(now=now)
        if not dry_run and due:
            with stages() as report:
                due = lifecycle.expire(now=now, report=lambda done: report("deleted", done, max(done, due)))
    said = "would be deleted" if dry_run else "deleted"
    click.echo(json.dumps({said.replace(" ", "_"): due}) if as_json else f"{due} references {said}")


@command.command()
@_issuer
@_subject
@click.option("--out", type=click.Path(path_type=Path), callback=writable, help="A file instead of the terminal.")
def export(*, issuer: str, subject: str, out: Path | None) -> None:
    """Write everything that is held about one person, as JSON: what, since when, until when, why, and every event.

    Never the numbers of the face, a secret or a code. The export is itself an audit entry.
    """
    from plugin.audit.log import AuditLog
    from plugin.commands.reports import write_text
    from plugin.factors.held import held_about
    from plugin.wiring import utc_now

    with _database() as (_, database):
        found = held_about(_owner(issuer, subject), database=database, audit=AuditLog(database), now=utc_now())
    text = json.dumps(found, indent=2) + "\n"
    if out is None:
        click.echo(text, nl=False)
    else:
        write_text(out, text)
        click.echo(f"written to {out}")


@command.command()
@_issuer
@_subject
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def erase(*, issuer: str, subject: str, yes: bool, as_json: bool) -> None:
    """Erase one person: face, factors and codes. The audit log keeps the proof; consents stay, marked as withdrawn.

    Removing the credential or the user in Keycloak does the same; use this where Keycloak is gone, for example after a
    realm was deleted.
    """
    from plugin.audit.erasure import erase_subject
    from plugin.audit.log import AuditLog
    from plugin.wiring import utc_now

    owner = _owner(issuer, subject)
    if not yes:
        click.confirm(f"Erase everything of {owner.subject} at {owner.issuer}?", abort=True, err=True)
    with _database() as (_, database), database.transaction() as session:
        audit = AuditLog(database)
        erased = erase_subject(session, audit=audit, issuer=owner.issuer, subject=owner.subject, now=utc_now())
    if as_json:
        click.echo(json.dumps({"erased": erased.anything, "rows": dict(erased.rows)}))
    else:
        click.echo("erased" if erased.anything else "there was nothing to erase")


@contextmanager
def _database() -> Iterator[tuple[Settings, Database]]:
    from plugin.settings import Settings
    from plugin.wiring import open_database

    settings = Settings.load()
    with closing(open_database(settings)) as database:
        yield settings, database


@contextmanager
def _lifecycle() -> Iterator[Lifecycle]:
    from plugin.audit.log import AuditLog
    from plugin.factors.lifecycle import Lifecycle

    with _database() as (settings, database):
        yield Lifecycle(database=database, audit=AuditLog(database), settings=settings)


def _owner(issuer: str, subject: str) -> Subject:
    from plugin.ceremonies.types import Subject

    return Subject(issuer, subject)


def _as_json(found: Listed) -> dict[str, str]:
    return {
        "reference_id": found.reference_id,
        "issuer": found.issuer,
        "subject": found.subject,
        "created_at": found.created_at.isoformat(timespec="seconds"),
        "expires_at": found.expires_at.isoformat(timespec="seconds"),
    }


def _line(found: Listed) -> str:
    return f"{found.expires_at:%Y-%m-%d}  {found.subject} at {found.issuer}  (enrolled {found.created_at:%Y-%m-%d})"
